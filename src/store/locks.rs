//! Who holds what and who waits for it: tables, turns at rows, transactions, advisory keys. Waiters stand in line; a lock that
//! is released is given to those in front that fit. It never retries anything itself.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::trace::{LockStrength, SessionId, Xid};

use super::deadlock::{self, Checked, Edge, WaitsForGraph};
use super::{RowId, TableId};

/// PostgreSQL's eight table lock modes, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl Mode {
    /// What a session that wants a row takes while it stands in line for it.
    pub fn of_row(strength: LockStrength) -> Mode {
        match strength {
            LockStrength::KeyShare => Mode::AccessShare,
            LockStrength::Share => Mode::RowShare,
            LockStrength::NoKeyUpdate => Mode::Exclusive,
            LockStrength::Update => Mode::AccessExclusive,
        }
    }

    pub fn conflicts(self, other: Mode) -> bool {
        self.conflict_mask() & other.bit() != 0
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }

    fn conflict_mask(self) -> u8 {
        match self {
            Mode::AccessShare => 0b1000_0000,
            Mode::RowShare => 0b1100_0000,
            Mode::RowExclusive => 0b1111_0000,
            Mode::ShareUpdateExclusive => 0b1111_1000,
            Mode::Share => 0b1110_1100,
            Mode::ShareRowExclusive => 0b1111_1100,
            Mode::Exclusive => 0b1111_1110,
            Mode::AccessExclusive => 0b1111_1111,
        }
    }

    /// Weak modes never conflict with each other, so they need no entry while nobody holds or wants a strong one.
    fn is_weak(self) -> bool {
        self <= Mode::RowExclusive
    }
}

const ALL_MODES: [Mode; 8] = [
    Mode::AccessShare,
    Mode::RowShare,
    Mode::RowExclusive,
    Mode::ShareUpdateExclusive,
    Mode::Share,
    Mode::ShareRowExclusive,
    Mode::Exclusive,
    Mode::AccessExclusive,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    Table(TableId),
    Row(TableId, RowId),
    Advisory(AdvisoryKey),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdvisoryKey {
    One(i64),
    Two(i32, i32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquired {
    Granted,
    /// The session had it before.
    Held,
    Waits,
    Unavailable,
}

/// What a session waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    Lock(Tag, Mode),
    Transaction(Xid),
    /// For the end of transactions that could make a READ ONLY DEFERRABLE one fail; the first of them.
    SafeSnapshot(SessionId),
}

#[derive(Default)]
pub struct Locks {
    locks: FxHashMap<Tag, Lock>,
    sessions: Vec<SessionLocks>,
    /// For each table how many strong locks are held or wanted.
    strong: Vec<u32>,
    owners: FxHashMap<Xid, SessionId>,
    waiters: FxHashMap<Xid, VecDeque<SessionId>>,
    woken: VecDeque<SessionId>,
}

#[derive(Default)]
struct Lock {
    granted: SmallVec<[Grant; 2]>,
    line: VecDeque<(SessionId, Mode)>,
    /// How many in the line want each mode.
    wanted: [u32; 8],
}

#[derive(Clone, Copy)]
struct Grant {
    session: SessionId,
    mode: Mode,
    count: u32,
}

#[derive(Default)]
struct SessionLocks {
    xid: Option<Xid>,
    waiting: Option<Waiting>,
    /// The row it is next at.
    tuple_lock: Option<(Tag, Mode)>,
    weak: SmallVec<[(TableId, u8); 4]>,
    /// Tags other than its turn on which it holds an entry of `locks`.
    held: SmallVec<[Tag; 2]>,
}

impl Locks {
    pub(super) fn add_table(&mut self) {
        self.strong.push(0);
    }

    /// From now on others can wait for this transaction.
    pub(super) fn enter(&mut self, session: SessionId, xid: Xid) {
        self.owners.insert(xid, session);
        self.session_mut(session).xid = Some(xid);
    }

    /// The transaction is over: whoever waited for it goes on.
    pub(super) fn leave(&mut self, session: SessionId, xid: Option<Xid>) {
        self.release_tuple_lock(session);
        let state = self.session_mut(session);
        state.weak.clear();
        state.xid = None;
        if let Some(xid) = xid {
            self.owners.remove(&xid);
            self.wake_waiters_of(xid);
        }
    }

    pub(super) fn wake_waiters_of(&mut self, xid: Xid) {
        for waiter in self.waiters.remove(&xid).unwrap_or_default() {
            self.session_mut(waiter).waiting = None;
            self.woken.push_back(waiter);
        }
    }

    pub fn take_woken(&mut self) -> Vec<SessionId> {
        self.woken.drain(..).collect()
    }

    /// Puts a session among the woken whose wait ended otherwise than by a grant.
    pub fn wake(&mut self, session: SessionId) {
        self.woken.push_back(session);
    }

    pub fn waiting(&self, session: SessionId) -> Option<Waiting> {
        self.sessions.get(session.0 as usize)?.waiting
    }

    /// Waits for a transaction to end.
    pub fn wait_for(&mut self, session: SessionId, xid: Xid) {
        assert!(self.owners.contains_key(&xid), "only a running transaction is waited for");
        self.waiters.entry(xid).or_default().push_back(session);
        self.session_mut(session).waiting = Some(Waiting::Transaction(xid));
    }

    pub(super) fn wait_for_safe_snapshot(&mut self, session: SessionId, first: SessionId) {
        self.session_mut(session).waiting = Some(Waiting::SafeSnapshot(first));
    }

    /// What it waited for has been decided.
    pub(super) fn end_wait_for_safe_snapshot(&mut self, session: SessionId) {
        if matches!(self.waiting(session), Some(Waiting::SafeSnapshot(_))) {
            self.session_mut(session).waiting = None;
            self.woken.push_back(session);
        }
    }

    pub fn acquire(&mut self, session: SessionId, tag: Tag, mode: Mode, may_wait: bool) -> Acquired {
        if let Tag::Table(table) = tag {
            if mode.is_weak() && self.strong[table.0 as usize] == 0 {
                return self.acquire_weak(session, table, mode);
            }
            if !mode.is_weak() {
                self.strong[table.0 as usize] += 1;
                self.transfer_weak(table);
            } else if self.weak_mask(session, table) & mode.bit() != 0 {
                return Acquired::Held;
            }
        }
        let lock = self.locks.entry(tag).or_default();
        if let Some(grant) = lock.granted.iter_mut().find(|grant| grant.session == session && grant.mode == mode) {
            grant.count += 1;
            return Acquired::Granted;
        }
        if !lock.must_wait(session, mode) {
            lock.granted.push(Grant { session, mode, count: 1 });
            let held = &mut self.session_mut(session).held;
            if !held.contains(&tag) {
                held.push(tag);
            }
            return Acquired::Granted;
        }
        if !may_wait {
            self.forget_strong(tag, mode);
            self.drop_if_empty(tag);
            return Acquired::Unavailable;
        }
        let place = lock.place_in_line(session);
        lock.line.insert(place, (session, mode));
        lock.wanted[mode as usize] += 1;
        self.session_mut(session).waiting = Some(Waiting::Lock(tag, mode));
        Acquired::Waits
    }

    fn acquire_weak(&mut self, session: SessionId, table: TableId, mode: Mode) -> Acquired {
        let weak = &mut self.session_mut(session).weak;
        match weak.iter_mut().find(|(held, _)| *held == table) {
            Some((_, mask)) if *mask & mode.bit() != 0 => Acquired::Held,
            Some((_, mask)) => {
                *mask |= mode.bit();
                Acquired::Granted
            }
            None => {
                weak.push((table, mode.bit()));
                Acquired::Granted
            }
        }
    }

    fn weak_mask(&self, session: SessionId, table: TableId) -> u8 {
        let Some(state) = self.sessions.get(session.0 as usize) else { return 0 };
        state.weak.iter().find(|(held, _)| *held == table).map_or(0, |(_, mask)| *mask)
    }

    /// Writes the weak locks of all sessions into the lock's own entry, where a strong one can see them.
    fn transfer_weak(&mut self, table: TableId) {
        const WEAK: [Mode; 3] = [Mode::AccessShare, Mode::RowShare, Mode::RowExclusive];
        let tag = Tag::Table(table);
        for number in 0..self.sessions.len() {
            let state = &mut self.sessions[number];
            let Some(place) = state.weak.iter().position(|(held, _)| *held == table) else { continue };
            let (_, mask) = state.weak.remove(place);
            if !state.held.contains(&tag) {
                state.held.push(tag);
            }
            let session = SessionId(number as u32);
            let lock = self.locks.entry(tag).or_default();
            for mode in WEAK.into_iter().filter(|mode| mask & mode.bit() != 0) {
                match lock.granted.iter_mut().find(|grant| grant.session == session && grant.mode == mode) {
                    Some(grant) => grant.count += 1,
                    None => lock.granted.push(Grant { session, mode, count: 1 }),
                }
            }
        }
    }

    /// How many different locks a session holds, weak ones of tables left out.
    pub fn held_by(&self, session: SessionId) -> usize {
        self.sessions.get(session.0 as usize).map_or(0, |state| state.held.len())
    }

    /// Gives back one hold. Nothing happens where the session has none.
    pub fn release(&mut self, session: SessionId, tag: Tag, mode: Mode) -> bool {
        if let Tag::Table(table) = tag {
            let weak = &mut self.session_mut(session).weak;
            if let Some(place) = weak.iter().position(|(held, mask)| *held == table && mask & mode.bit() != 0) {
                weak[place].1 &= !mode.bit();
                if weak[place].1 == 0 {
                    weak.remove(place);
                }
                return true;
            }
        }
        let Some(lock) = self.locks.get_mut(&tag) else { return false };
        let Some(place) = lock.granted.iter().position(|grant| grant.session == session && grant.mode == mode) else {
            return false;
        };
        lock.granted[place].count -= 1;
        self.forget_strong(tag, mode);
        let lock = self.locks.get_mut(&tag).expect("the lock just seen");
        if lock.granted[place].count == 0 {
            lock.granted.remove(place);
            if !lock.granted.iter().any(|grant| grant.session == session) {
                self.session_mut(session).held.retain(|held| *held != tag);
            }
            self.grant_waiters(tag);
        }
        true
    }

    /// Stands in line for a row, unless it is the session's turn already.
    pub(super) fn take_tuple_lock(&mut self, session: SessionId, tag: Tag, mode: Mode) -> Acquired {
        if let Some((held, _)) = self.session_mut(session).tuple_lock {
            if held == tag {
                return Acquired::Granted;
            }
            self.release_tuple_lock(session);
        }
        let acquired = self.acquire(session, tag, mode, true);
        if acquired == Acquired::Granted {
            self.session_mut(session).tuple_lock = Some((tag, mode));
        }
        acquired
    }

    pub fn release_tuple_lock(&mut self, session: SessionId) {
        if let Some((tag, mode)) = self.session_mut(session).tuple_lock.take() {
            self.release(session, tag, mode);
        }
    }

    /// Takes a session out of the line it stands in.
    pub fn stop_waiting(&mut self, session: SessionId) {
        match self.session_mut(session).waiting.take() {
            None | Some(Waiting::SafeSnapshot(_)) => {}
            Some(Waiting::Transaction(xid)) => {
                if let Some(waiters) = self.waiters.get_mut(&xid) {
                    waiters.retain(|waiter| *waiter != session);
                }
            }
            Some(Waiting::Lock(tag, mode)) => {
                let lock = self.locks.get_mut(&tag).expect("a lock with a line");
                lock.line.retain(|(waiter, _)| *waiter != session);
                lock.wanted[mode as usize] -= 1;
                self.forget_strong(tag, mode);
                self.grant_waiters(tag);
            }
        }
    }

    /// Gives the lock to those in front of the line that conflict neither with a holder nor with somebody before them.
    fn grant_waiters(&mut self, tag: Tag) {
        let Some(lock) = self.locks.get_mut(&tag) else { return };
        let mut granted: SmallVec<[(SessionId, Mode); 4]> = SmallVec::new();
        let mut ahead = 0u8;
        let mut place = 0;
        while let Some(&(session, mode)) = lock.line.get(place) {
            let blocked = mode.conflict_mask() & ahead != 0
                || lock.granted.iter().any(|grant| grant.session != session && grant.mode.conflicts(mode));
            if !blocked {
                lock.line.remove(place);
                lock.wanted[mode as usize] -= 1;
                lock.grant(session, mode);
                granted.push((session, mode));
                continue;
            }
            ahead |= mode.bit();
            place += 1;
            // The line may be long: it is left as soon as all who stand in it must wait.
            if lock.all_behind(ahead) {
                break;
            }
        }
        for (session, mode) in granted {
            let state = self.session_mut(session);
            state.waiting = None;
            if !state.held.contains(&tag) {
                state.held.push(tag);
            }
            if matches!(tag, Tag::Row(..)) {
                state.tuple_lock = Some((tag, mode));
            }
            self.woken.push_back(session);
        }
        self.drop_if_empty(tag);
    }

    fn drop_if_empty(&mut self, tag: Tag) {
        if self.locks.get(&tag).is_some_and(|lock| lock.granted.is_empty() && lock.line.is_empty()) {
            self.locks.remove(&tag);
        }
    }

    fn forget_strong(&mut self, tag: Tag, mode: Mode) {
        if let (Tag::Table(table), false) = (tag, mode.is_weak()) {
            self.strong[table.0 as usize] -= 1;
        }
    }

    /// The first of those a waiting session waits for.
    pub fn blocker(&self, session: SessionId) -> Option<SessionId> {
        match self.waiting(session)? {
            Waiting::SafeSnapshot(first) => Some(first),
            Waiting::Transaction(xid) => self.owners.get(&xid).copied(),
            Waiting::Lock(tag, mode) => {
                let lock = self.locks.get(&tag)?;
                let holder = lock.granted.iter().find(|grant| grant.session != session && grant.mode.conflicts(mode));
                holder.map(|grant| grant.session).or_else(|| lock.ahead_of(session, mode).next())
            }
        }
    }

    /// The cycle that this session's wait closes, unless a line can be changed so that there is none: then it is, and whoever may
    /// go on by that is woken.
    pub fn check_deadlock(&mut self, session: SessionId) -> Option<Vec<SessionId>> {
        if !self.is_waited_for(session) {
            return None;
        }
        match deadlock::check(session, self) {
            Checked::Fine => None,
            Checked::Deadlock(cycle) => Some(cycle),
            Checked::Reordered(lines) => {
                for (tag, order) in lines {
                    let lock = self.locks.get_mut(&tag).expect("a lock with a line");
                    lock.line.make_contiguous().sort_by_key(|(waiter, _)| order.iter().position(|it| it == waiter));
                    self.grant_waiters(tag);
                }
                None
            }
        }
    }

    /// Without anybody waiting for it no cycle goes through a session: the common case of many waiters for one hot row.
    fn is_waited_for(&self, session: SessionId) -> bool {
        let Some(state) = self.sessions.get(session.0 as usize) else { return false };
        let waited_line = |tag: &Tag| self.locks.get(tag).is_some_and(|lock| !lock.line.is_empty());
        state.xid.is_some_and(|xid| self.waiters.get(&xid).is_some_and(|waiters| !waiters.is_empty()))
            || state.held.iter().any(waited_line)
            || matches!(state.waiting, Some(Waiting::Lock(tag, _)) if self.locks[&tag].line.back().is_some_and(|(last, _)| *last != session))
    }

    fn session_mut(&mut self, session: SessionId) -> &mut SessionLocks {
        let slot = session.0 as usize;
        if self.sessions.len() <= slot {
            self.sessions.resize_with(slot + 1, SessionLocks::default);
        }
        &mut self.sessions[slot]
    }
}

impl WaitsForGraph for Locks {
    fn edges(&self, of: SessionId, lines: &deadlock::Lines) -> Vec<Edge> {
        let (tag, mode) = match self.waiting(of) {
            None | Some(Waiting::SafeSnapshot(_)) => return Vec::new(),
            Some(Waiting::Transaction(xid)) => {
                return self.owners.get(&xid).map(|owner| Edge { to: *owner, soft: None }).into_iter().collect();
            }
            Some(Waiting::Lock(tag, mode)) => (tag, mode),
        };
        let Some(lock) = self.locks.get(&tag) else { return Vec::new() };
        let holders = lock.granted.iter().filter(|grant| grant.session != of && grant.mode.conflicts(mode));
        let mut edges: Vec<Edge> = holders.map(|grant| Edge { to: grant.session, soft: None }).collect();
        let ahead: Vec<SessionId> = match lines.iter().find(|(changed, _)| *changed == tag) {
            None => lock.ahead_of(of, mode).collect(),
            Some((_, order)) => {
                let wants =
                    |waiter: &SessionId| lock.line.iter().any(|(it, wanted)| it == waiter && wanted.conflicts(mode));
                order.iter().copied().take_while(|waiter| *waiter != of).filter(wants).collect()
            }
        };
        edges.extend(ahead.into_iter().map(|to| Edge { to, soft: Some(tag) }));
        edges
    }

    fn line(&self, tag: Tag) -> Vec<SessionId> {
        self.locks.get(&tag).map_or_else(Vec::new, |lock| lock.line.iter().map(|(waiter, _)| *waiter).collect())
    }
}

impl Lock {
    /// Whether everybody in the line wants a mode that conflicts with one of these.
    fn all_behind(&self, modes: u8) -> bool {
        ALL_MODES.iter().all(|mode| self.wanted[*mode as usize] == 0 || mode.conflict_mask() & modes != 0)
    }

    fn must_wait(&self, session: SessionId, mode: Mode) -> bool {
        let holds_some = self.granted.iter().any(|grant| grant.session == session);
        let line_conflicts = self.line.iter().any(|(_, wanted)| wanted.conflicts(mode));
        // Who holds the lock in another mode already is not sent behind people who wait for that very hold to end.
        let held_conflicts = self.granted.iter().any(|grant| grant.session != session && grant.mode.conflicts(mode));
        held_conflicts || (line_conflicts && !(holds_some && self.line_waits_for(session)))
    }

    fn line_waits_for(&self, session: SessionId) -> bool {
        let held: u8 = self.granted.iter().filter(|grant| grant.session == session).map(|grant| grant.mode.bit()).sum();
        self.line.iter().any(|(_, wanted)| wanted.conflict_mask() & held != 0)
    }

    /// The end of the line, or before the first that waits for a lock this session holds.
    fn place_in_line(&self, session: SessionId) -> usize {
        let held: u8 = self.granted.iter().filter(|grant| grant.session == session).map(|grant| grant.mode.bit()).sum();
        if held == 0 {
            return self.line.len();
        }
        self.line.iter().position(|(_, wanted)| wanted.conflict_mask() & held != 0).unwrap_or(self.line.len())
    }

    /// Those before a session in line whom it must let go first.
    fn ahead_of(&self, session: SessionId, mode: Mode) -> impl Iterator<Item = SessionId> {
        let ahead = self.line.iter().take_while(move |(waiter, _)| *waiter != session);
        ahead.filter(move |(_, wanted)| wanted.conflicts(mode)).map(|(waiter, _)| *waiter)
    }

    fn grant(&mut self, session: SessionId, mode: Mode) {
        match self.granted.iter_mut().find(|grant| grant.session == session && grant.mode == mode) {
            Some(grant) => grant.count += 1,
            None => self.granted.push(Grant { session, mode, count: 1 }),
        }
    }
}
