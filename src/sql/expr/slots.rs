//! Which rows of a statement an expression reads.

/// Slots of a statement's frame. There are at most 128 in one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotSet(u128);

impl SlotSet {
    pub const NONE: SlotSet = SlotSet(0);
    pub const MOST: u16 = 128;

    pub fn one(slot: u16) -> SlotSet {
        SlotSet(1 << slot)
    }

    pub fn union(self, other: SlotSet) -> SlotSet {
        SlotSet(self.0 | other.0)
    }

    pub fn without(self, other: SlotSet) -> SlotSet {
        SlotSet(self.0 & !other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn within(self, other: SlotSet) -> bool {
        self.without(other).is_empty()
    }

    pub fn meets(self, other: SlotSet) -> bool {
        self.0 & other.0 != 0
    }

    pub fn iter(self) -> impl Iterator<Item = u16> {
        // In halves: a machine without numbers of 128 bits shifts them step by step.
        [(0, self.0 as u64), (64, (self.0 >> 64) as u64)].into_iter().flat_map(|(first, mut half)| {
            std::iter::from_fn(move || {
                let slot = half.trailing_zeros() as u16;
                // Without its lowest bit; of none nothing is left.
                half &= half.checked_sub(1)?;
                Some(first + slot)
            })
        })
    }
}
