//! Lanes and spans in virtual time. It knows no pixels.

use std::collections::BTreeMap;

use super::{Arrow, Lane, LaneFamily, SPANS_SHOWN, Span, SpanFamily, Timeline};
use crate::trace::{
    CallId, ClientId, Event, EventKind, Micros, Position, RequestId, ServiceOutcome, SessionId, StatementOutcome,
    Symbol, Trace,
};

/// Details are read by people: more rows than this are counted, not listed.
const ROWS_LISTED: usize = 6;

pub fn timeline(trace: &Trace, from: Micros, to: Micros) -> Timeline {
    let mut builder = Builder::new(trace, from, to);
    for event in trace.events().take_while(|event| event.at <= to) {
        builder.take(event);
    }
    builder.finish()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LaneKey {
    Client(ClientId),
    Workers,
    Service(Symbol),
}

struct Draft {
    lane: LaneKey,
    from: Micros,
    family: SpanFamily,
    label: Label,
    request: RequestId,
    position: Option<Position>,
    details: Vec<Detail>,
}

impl Draft {
    fn new(lane: LaneKey, request: RequestId, from: Micros, family: SpanFamily, label: Label) -> Draft {
        Draft { lane, from, family, label, request, position: None, details: vec![] }
    }

    fn on(mut self, position: Position) -> Draft {
        self.position = Some(position);
        self
    }

    fn with(mut self, details: Vec<Detail>) -> Draft {
        self.details = details;
        self
    }
}

/// Texts are written out only for spans that are shown.
enum Label {
    Text(Symbol),
    Call(Symbol, Symbol),
    Status(u16),
    Words(&'static str),
    For(Symbol),
}

enum Detail {
    Text(&'static str, Symbol),
    Number(&'static str, u32),
    Error(StatementOutcome),
    Versions(CallId),
    Words(&'static str),
    HeldBy(LaneKey, RequestId),
    Micros(&'static str, Micros),
}

struct Builder<'a> {
    trace: &'a Trace,
    from: Micros,
    to: Micros,
    lanes: BTreeMap<RequestId, LaneKey>,
    requests: BTreeMap<RequestId, Draft>,
    calls: BTreeMap<CallId, Draft>,
    waits: BTreeMap<CallId, Draft>,
    /// Who holds a connection now.
    holders: BTreeMap<SessionId, RequestId>,
    versions: BTreeMap<CallId, Vec<&'a Event>>,
    done: Vec<(Draft, Option<Micros>)>,
    arrows: Vec<(Micros, LaneKey, LaneKey)>,
}

impl<'a> Builder<'a> {
    fn new(trace: &'a Trace, from: Micros, to: Micros) -> Builder<'a> {
        Builder {
            trace,
            from,
            to,
            lanes: BTreeMap::new(),
            requests: BTreeMap::new(),
            calls: BTreeMap::new(),
            waits: BTreeMap::new(),
            holders: BTreeMap::new(),
            versions: BTreeMap::new(),
            done: vec![],
            arrows: vec![],
        }
    }

    fn take(&mut self, event: &'a Event) {
        let at = event.at;
        if let EventKind::RequestStarted { client, arguments, variant, .. } = &event.kind
            && let Some(request) = event.request
        {
            let lane = client.map_or(LaneKey::Workers, LaneKey::Client);
            self.lanes.insert(request, lane);
            let details = vec![Detail::Text("asked", *arguments), Detail::Text("variant", *variant)];
            let draft = Draft::new(lane, request, at, SpanFamily::Request, Label::Words("on its way")).with(details);
            self.requests.insert(request, draft);
            return;
        }
        let Some((request, lane)) = event.request.and_then(|request| Some((request, *self.lanes.get(&request)?)))
        else {
            return;
        };
        match &event.kind {
            EventKind::RequestFinished { status, body, error } => {
                if let Some(mut draft) = self.requests.remove(&request) {
                    draft.label = Label::Status(*status);
                    if *status >= 500 {
                        draft.family = SpanFamily::RequestFailed;
                    }
                    draft.details.push(Detail::Text("answered", *body));
                    draft.details.extend(error.map(|error| Detail::Text("", error)));
                    self.close(draft, at);
                }
            }
            EventKind::ConnectionWaitBegan { call, position } => {
                let label = Label::Words("waits for a connection");
                let draft = Draft::new(lane, request, at, SpanFamily::PoolWait, label).on(*position);
                self.calls.insert(*call, draft);
            }
            EventKind::ConnectionAcquired { call, .. } => {
                event.session.map(|session| self.holders.insert(session, request));
                self.close_call(*call, at, None);
            }
            EventKind::ConnectionRefused { call, .. } => {
                self.close_call(*call, at, Some(Detail::Words("none came free in time")));
            }
            EventKind::ConnectionReleased => {
                event.session.map(|session| self.holders.remove(&session));
            }
            EventKind::StatementStarted { call, position, text, parameters } => {
                let details = vec![Detail::Text("with", *parameters)];
                let label = Label::Text(*text);
                let draft = Draft::new(lane, request, at, SpanFamily::Statement, label).on(*position).with(details);
                self.calls.insert(*call, draft);
            }
            EventKind::StatementFinished { call, outcome, rows_read, rows, database_us } => {
                if let Some(mut draft) = self.calls.remove(call) {
                    if matches!(outcome, StatementOutcome::Failed { .. }) {
                        draft.family = SpanFamily::StatementFailed;
                    }
                    draft.details.extend([
                        Detail::Error(*outcome),
                        Detail::Number("rows", *rows),
                        Detail::Number("rows read", *rows_read),
                        Detail::Micros("on a database core", *database_us),
                        Detail::Versions(*call),
                    ]);
                    if at < self.from {
                        self.versions.remove(call);
                    }
                    self.close(draft, at);
                }
            }
            EventKind::VersionsRead { call, .. } | EventKind::VersionWritten { call: Some(call), .. } => {
                self.versions.entry(*call).or_default().push(event);
            }
            EventKind::LockWaitBegan { call, on, holder, .. } => {
                let mut details = vec![];
                if let Some((holder, holder_lane)) =
                    self.holders.get(holder).and_then(|holder| Some((*holder, *self.lanes.get(holder)?)))
                {
                    details.push(Detail::HeldBy(holder_lane, holder));
                    if at >= self.from {
                        self.arrows.push((at, lane, holder_lane));
                    }
                }
                let draft = Draft::new(lane, request, at, SpanFamily::LockWait, Label::For(*on)).with(details);
                let position = self.calls.get(call).and_then(|draft| draft.position);
                self.waits.insert(*call, Draft { position, ..draft });
            }
            EventKind::LockGranted { call, .. } => {
                if let Some(draft) = self.waits.remove(call) {
                    self.close(draft, at);
                }
            }
            EventKind::Slept { position, us, .. } | EventKind::Blocked { position, us } => {
                let words = if matches!(event.kind, EventKind::Slept { .. }) { "sleeps" } else { "blocks its process" };
                let draft = Draft::new(lane, request, at, SpanFamily::Sleep, Label::Words(words)).on(*position);
                let ends = at + us;
                if ends <= self.to {
                    self.close(draft, ends);
                } else {
                    self.done.push((draft, None));
                }
            }
            EventKind::ServiceCalled { call, position, service, method, arguments } => {
                let details = vec![Detail::Text("asked", *arguments)];
                let label = Label::Call(*service, *method);
                let draft = Draft::new(lane, request, at, SpanFamily::Service, label).on(*position).with(details);
                self.calls.insert(*call, draft);
            }
            EventKind::FaultApplied { call: Some(call), fault, .. } => {
                if let Some(draft) = self.calls.get_mut(call) {
                    draft.details.push(Detail::Text("fault", *fault));
                }
            }
            EventKind::ServiceAnswered { call, outcome, body } => {
                if let Some(draft) = self.calls.get_mut(call)
                    && *outcome != ServiceOutcome::Ok
                {
                    draft.family = SpanFamily::ServiceFailed;
                }
                self.close_call(*call, at, Some(Detail::Text("answered", *body)));
            }
            EventKind::CallAbandoned { call } => {
                self.close_call(*call, at, Some(Detail::Words("the handler stopped waiting")));
            }
            _ => {}
        }
    }

    fn close_call(&mut self, call: CallId, at: Micros, detail: Option<Detail>) {
        if let Some(mut draft) = self.calls.remove(&call) {
            draft.details.extend(detail);
            self.close(draft, at);
        }
    }

    fn close(&mut self, draft: Draft, at: Micros) {
        if at < self.from {
            return;
        }
        // A call to a service is seen on both lanes: who asked, and who was asked.
        if let Label::Call(service, method) = draft.label {
            let twin = Draft {
                lane: LaneKey::Service(service),
                label: Label::Call(service, method),
                details: vec![],
                ..draft
            };
            self.done.push((twin, Some(at)));
        }
        self.done.push((draft, Some(at)));
    }

    fn finish(mut self) -> Timeline {
        let mut open = std::mem::take(&mut self.requests).into_values().collect::<Vec<_>>();
        open.extend(std::mem::take(&mut self.calls).into_values());
        open.extend(std::mem::take(&mut self.waits).into_values());
        self.done.extend(open.into_iter().map(|draft| (draft, None)));
        self.done.sort_by_key(|(draft, _)| draft.from);
        let left_out = self.done.len().saturating_sub(SPANS_SHOWN);
        self.done.drain(..left_out);

        let mut places: BTreeMap<LaneKey, u32> = self.done.iter().map(|(draft, _)| (draft.lane, 0)).collect();
        for (_, from, to) in &self.arrows {
            places.insert(*from, 0);
            places.insert(*to, 0);
        }
        for (place, number) in places.values_mut().zip(0..) {
            *place = number;
        }
        let lanes = places.keys().map(|key| self.lane(*key)).collect();
        let spans = self.done.iter().map(|(draft, ends)| self.span(draft, *ends, places[&draft.lane])).collect();
        let arrows = self.arrows.iter();
        let arrows = arrows.map(|(at, from, to)| Arrow { at_us: *at, from_lane: places[from], to_lane: places[to] });
        Timeline { lanes, spans, arrows: arrows.collect(), spans_left_out: left_out as u32 }
    }

    fn lane(&self, key: LaneKey) -> Lane {
        let family = if matches!(key, LaneKey::Service(_)) { LaneFamily::Service } else { LaneFamily::Client };
        Lane { family, label: self.lane_label(key) }
    }

    fn lane_label(&self, key: LaneKey) -> String {
        match key {
            LaneKey::Client(client) => format!("client {}", client.0 + 1),
            LaneKey::Workers => "worker".to_owned(),
            LaneKey::Service(service) => self.trace.strings.text(service).to_owned(),
        }
    }

    fn span(&self, draft: &Draft, ends: Option<Micros>, lane: u32) -> Span {
        let strings = &self.trace.strings;
        let label = match draft.label {
            Label::Text(text) => strings.text(text).split_whitespace().collect::<Vec<_>>().join(" "),
            Label::Call(service, method) => format!("{}.{}", strings.text(service), strings.text(method)),
            Label::Status(status) => status.to_string(),
            Label::Words(words) => words.to_owned(),
            Label::For(on) => format!("waits for {}", strings.text(on)),
        };
        Span {
            lane,
            from_us: draft.from,
            to_us: ends,
            family: draft.family,
            label,
            request: draft.request.0,
            file: draft.position.map(|position| strings.text(position.file).to_owned()),
            line: draft.position.map(|position| position.line),
            details: draft.details.iter().flat_map(|detail| self.detail(detail)).collect(),
        }
    }

    fn detail(&self, detail: &Detail) -> Vec<String> {
        let strings = &self.trace.strings;
        match detail {
            Detail::Text(_, text) if strings.text(*text).is_empty() => vec![],
            Detail::Text("", text) => vec![strings.text(*text).trim_end().to_owned()],
            Detail::Text(name, text) => vec![format!("{name}: {}", strings.text(*text))],
            Detail::Number(name, number) => vec![format!("{name}: {number}")],
            Detail::Micros(name, us) => vec![format!("{name}: {:.2} ms", *us as f64 / 1e3)],
            Detail::Words(words) => vec![(*words).to_owned()],
            Detail::Error(StatementOutcome::Ok) => vec![],
            Detail::Error(StatementOutcome::Cancelled) => vec!["cancelled".to_owned()],
            Detail::Error(StatementOutcome::Failed { sqlstate, message }) => {
                vec![format!("{sqlstate}: {}", strings.text(*message))]
            }
            Detail::HeldBy(lane, request) => vec![format!("held by {}, request {request}", self.lane_label(*lane))],
            Detail::Versions(call) => self.versions_of(*call),
        }
    }

    fn versions_of(&self, call: CallId) -> Vec<String> {
        let strings = &self.trace.strings;
        let mut lines = vec![];
        for event in self.versions.get(&call).into_iter().flatten() {
            match &event.kind {
                EventKind::VersionsRead { rows, .. } => {
                    lines.extend(rows.iter().take(ROWS_LISTED).map(|seen| {
                        let (table, key) = (strings.text(seen.row.table), strings.text(seen.row.key));
                        match seen.writer {
                            Some(writer) => format!("saw {table} {key} as transaction {writer} wrote it"),
                            None => format!("saw {table} {key} as it was before the run"),
                        }
                    }));
                    if rows.len() > ROWS_LISTED {
                        lines.push(format!("and {} more rows", rows.len() - ROWS_LISTED));
                    }
                }
                EventKind::VersionWritten { row, values, .. } => {
                    let (table, key) = (strings.text(row.table), strings.text(row.key));
                    let done = if values.is_some() { "wrote" } else { "deleted" };
                    let values = values.iter().flat_map(|values| values.iter());
                    let values = values.map(|value| value.to_text()).collect::<Vec<_>>().join(", ");
                    lines.push(format!("{done} {table} {key} ({values})"));
                }
                _ => {}
            }
        }
        lines
    }
}
