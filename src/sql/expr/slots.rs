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
        (0..SlotSet::MOST).filter(move |slot| self.0 & (1 << slot) != 0)
    }
}
