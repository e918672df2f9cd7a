//! What the engine did, as events of the trace, and as news for the monitor.

use super::DatabaseServer;
use crate::sim::kernel::Kernel;
use crate::sim::message::{MonitorMessage, TableChange};
use crate::sql::EngineEvent;
use crate::trace::{CallId, EventKind, RequestId, SessionId, VersionSeen, Xid};

/// Of a statement that saw more rows than this their values are not told: they would be most of the trace.
const VALUES_TOLD: usize = 4;

impl DatabaseServer {
    pub(super) fn record_engine_events(
        &mut self,
        events: &[EngineEvent],
        request: Option<RequestId>,
        session: SessionId,
        call: Option<CallId>,
        executed: bool,
        kernel: &mut Kernel,
    ) {
        tell_monitor(events, session, executed, kernel);
        let mut seen: Vec<VersionSeen> = vec![];
        for event in events {
            let (kind, xid) = match event {
                EngineEvent::TransactionBegan { isolation } => {
                    (EventKind::TransactionBegan { isolation: *isolation }, None)
                }
                EngineEvent::Committed { xid } => (EventKind::Committed, *xid),
                EngineEvent::RolledBack { xid, sqlstate } => (EventKind::RolledBack { sqlstate: *sqlstate }, *xid),
                EngineEvent::TakenBack { xid, kept } => (EventKind::TakenBack { kept: *kept }, Some(*xid)),
                EngineEvent::Read { table, key, writer, values } => {
                    let row = kernel.row(table, key);
                    let values = writer.is_none().then(|| values.clone());
                    seen.push(VersionSeen { row, writer: *writer, values });
                    continue;
                }
                EngineEvent::Written { xid, table, key, values, replaced } => {
                    let row = kernel.row(table, key);
                    let kind = EventKind::VersionWritten { call, row, values: values.clone(), replaced: *replaced };
                    (kind, Some(*xid))
                }
                EngineEvent::Locked { xid, table, key, strength } => {
                    let row = kernel.row(table, key);
                    (EventKind::RowLocked { row, strength: *strength }, Some(*xid))
                }
                EngineEvent::Deadlock { cycle } => {
                    (EventKind::DeadlockFound { cycle: cycle.clone().into_boxed_slice() }, None)
                }
            };
            record_seen(&mut seen, call, request, session, xid, kernel);
            kernel.record(kind, request, Some(session), xid);
        }
        record_seen(&mut seen, call, request, session, None, kernel);
    }
}

pub(super) fn tell_monitor(events: &[EngineEvent], session: SessionId, executed: bool, kernel: &mut Kernel) {
    let changes = events.iter().filter_map(|event| match event {
        EngineEvent::Written { table, .. } => Some(TableChange::Wrote(table.clone())),
        EngineEvent::RolledBack { .. } => Some(TableChange::RolledBack),
        EngineEvent::Committed { .. } => Some(TableChange::Committed),
        _ => None,
    });
    let changes = changes.collect::<Vec<_>>();
    if executed || !changes.is_empty() {
        kernel.post(MonitorMessage::Changed { session, changes, executed });
    }
}

/// Reads are told together, before what the statement did with them.
fn record_seen(
    seen: &mut Vec<VersionSeen>,
    call: Option<CallId>,
    request: Option<RequestId>,
    session: SessionId,
    xid: Option<Xid>,
    kernel: &mut Kernel,
) {
    let mut rows = std::mem::take(seen).into_boxed_slice();
    if rows.len() > VALUES_TOLD {
        rows.iter_mut().for_each(|seen| seen.values = None);
    }
    if let Some(call) = call.filter(|_| !rows.is_empty()) {
        kernel.record(EventKind::VersionsRead { call, rows }, request, Some(session), xid);
    }
}
