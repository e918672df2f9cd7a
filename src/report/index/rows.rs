//! What transactions do to rows: versions, locks, and both taken back.

use std::rc::Rc;

use super::*;
use crate::trace::{Event, LockStrength, Value};

impl TraceIndex {
    fn hands(&mut self, event: &Event, xid: Xid) -> &mut Hands {
        let doer = self.doer_of(event);
        self.transactions.entry(xid).or_insert_with(|| Hands {
            transaction: TransactionRecord { xid, doer, began: event.at, ended: None, committed: false },
            effects: vec![],
            held: BTreeMap::new(),
        })
    }

    pub(super) fn wrote(
        &mut self,
        number: u32,
        event: &Event,
        call: Option<CallId>,
        row: RowRef,
        values: Option<Rc<[Value]>>,
    ) {
        if let Some(call) = call {
            self.tell(call, number);
        }
        let stood = event.request.and_then(|request| self.requests.get(&request)).and_then(|request| request.called_at);
        let position = call.and_then(|call| self.calls.get(&call)).map(|call| call.position).or(stood);
        // What has no transaction, a service's books, counts at once.
        let fate = if event.xid.is_none() { Fate::Committed(event.at) } else { Fate::Pending };
        let (xid, request, at) = (event.xid, event.request, event.at);
        let version = VersionRecord { row, xid, request, position, at, number, values, fate };
        match xid {
            Some(xid) => self.hands(event, xid).effects.push(RowEffect::Written(version)),
            None => self.past.versions.push(version),
        }
    }

    pub(super) fn locked(&mut self, number: u32, event: &Event, row: RowRef, strength: LockStrength) {
        let Some(xid) = event.xid else { return };
        let (doer, at) = (self.doer_of(event), event.at);
        let hands = self.hands(event, xid);
        let before = hands.held.insert(row, hands.effects.len());
        let lock = LockRecord { row, xid, doer, strength, began: at, number, ended: None };
        hands.effects.push(RowEffect::Locked(lock, before));
        let weaker = match before.map(|before| &hands.effects[before]) {
            Some(RowEffect::Locked(weaker, _)) => Some(LockRecord { ended: Some(at), ..weaker.clone() }),
            _ => None,
        };
        if let Some(weaker) = weaker {
            self.past.locks.push(weaker);
        }
    }

    pub(super) fn take_back(&mut self, event: &Event, kept: usize) {
        let Some(hands) = event.xid.and_then(|xid| self.transactions.get_mut(&xid)) else { return };
        let at = event.at;
        let stronger = hands.held.iter().filter(|(_, place)| **place >= kept).map(|(row, place)| (*row, *place));
        for (row, place) in stronger.collect::<Vec<_>>() {
            let mut counts = Some(place);
            while let Some(place) = counts.filter(|place| *place >= kept) {
                counts = hands.effects[place].stronger_than();
            }
            if let RowEffect::Locked(lock, _) = &hands.effects[place] {
                self.past.locks.push(LockRecord { ended: Some(at), ..lock.clone() });
            }
            hands.held.remove(&row);
            if let Some(place) = counts {
                hands.held.insert(row, place);
                if let RowEffect::Locked(lock, _) = &mut hands.effects[place] {
                    lock.began = at;
                }
            }
        }
        for effect in hands.effects.drain(kept.min(hands.effects.len())..) {
            if let RowEffect::Written(version) = effect {
                self.past.versions.push(VersionRecord { fate: Fate::Gone(at), ..version });
            }
        }
    }

    pub(super) fn end_transaction(&mut self, event: &Event, committed: bool) {
        let Some(hands) = event.xid.and_then(|xid| self.transactions.remove(&xid)) else { return };
        let at = event.at;
        for lock in hands.locks() {
            self.past.locks.push(LockRecord { ended: Some(at), ..lock.clone() });
        }
        let fate = if committed { Fate::Committed(at) } else { Fate::Gone(at) };
        for effect in hands.effects {
            if let RowEffect::Written(version) = effect {
                self.past.versions.push(VersionRecord { fate, ..version });
            }
        }
        self.past.transactions.push(TransactionRecord { ended: Some(at), committed, ..hands.transaction });
    }
}
