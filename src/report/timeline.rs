//! Lanes and spans in virtual time. It knows no pixels.

use std::collections::BTreeMap;

use super::index::{Body, CallRecord, Doer, Interval, RequestRecord, StatementRecord, TraceIndex, WaitRecord};
use super::locks::{Blockers, InTheWay};
use super::{Arrow, Lane, LaneFamily, SPANS_SHOWN, Span, SpanFamily, Timeline};
use crate::trace::{ClientId, EventKind, Micros, Position, ServiceOutcome, StatementOutcome, Symbol, Trace};

/// Details are read by people: more rows than this are counted, not listed.
const ROWS_LISTED: usize = 6;

pub fn timeline(index: &TraceIndex, trace: &Trace, from: Micros, to: Micros) -> Timeline {
    let waits = || index.waits_in(from, to).filter(|wait| wait.meets(from, to));
    let first = waits().map(|wait| wait.began).min().unwrap_or(from);
    let blockers = Blockers::new(index, first, to);
    let mut builder = Builder { trace, from, to, blockers, drafts: vec![], arrows: vec![] };
    index.requests_in(from, to).filter(|request| request.meets(from, to)).for_each(|request| builder.request(request));
    index.calls_in(from, to).filter(|call| call.meets(from, to)).for_each(|call| builder.call(call));
    waits().for_each(|wait| builder.wait(wait));
    builder.finish()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LaneKey {
    Client(ClientId),
    Workers,
    Service(Symbol),
}

impl LaneKey {
    fn of(doer: Doer) -> LaneKey {
        doer.client.map_or(LaneKey::Workers, LaneKey::Client)
    }
}

/// A span before its texts are written out: they are only for spans that are shown.
struct Draft<'a> {
    lane: LaneKey,
    from: Micros,
    number: u32,
    ends: Option<Micros>,
    of: SpanSource<'a>,
}

enum SpanSource<'a> {
    Request(&'a RequestRecord),
    Call(&'a CallRecord),
    /// The same call on the lane of the service that was asked.
    Asked(&'a CallRecord),
    Wait(&'a WaitRecord, InTheWay),
}

struct Builder<'a> {
    trace: &'a Trace,
    from: Micros,
    to: Micros,
    blockers: Blockers<'a>,
    drafts: Vec<Draft<'a>>,
    arrows: Vec<(Micros, LaneKey, LaneKey)>,
}

impl<'a> Builder<'a> {
    fn draft(&mut self, lane: LaneKey, number: u32, interval: &impl Interval, of: SpanSource<'a>) {
        let ends = interval.ended().filter(|ended| *ended <= self.to);
        self.drafts.push(Draft { lane, from: interval.began(), number, ends, of });
    }

    fn request(&mut self, request: &'a RequestRecord) {
        self.draft(LaneKey::of(request.doer), request.number, request, SpanSource::Request(request));
    }

    fn call(&mut self, call: &'a CallRecord) {
        if matches!(call.body, Body::Connection { waited: false, .. }) {
            return;
        }
        self.draft(LaneKey::of(call.doer), call.number, call, SpanSource::Call(call));
        if let Body::Service { service, .. } = &call.body
            && call.ended.is_some_and(|ended| ended <= self.to)
        {
            self.draft(LaneKey::Service(*service), call.number, call, SpanSource::Asked(call));
        }
    }

    fn wait(&mut self, wait: &'a WaitRecord) {
        // Whoever was in its way when the window began, where it was already waiting then.
        let at = Some(wait.began.max(self.from)).filter(|at| wait.is_at(*at)).unwrap_or(wait.began);
        let way = self.blockers.of(wait, at);
        if let Some(holder) = way.all().next() {
            self.arrows.push((at, LaneKey::of(wait.doer), LaneKey::of(holder)));
        }
        self.draft(LaneKey::of(wait.doer), wait.number, wait, SpanSource::Wait(wait, way));
    }

    fn finish(mut self) -> Timeline {
        self.drafts.sort_by_key(|draft| (draft.from, draft.number));
        self.arrows.sort_by_key(|(at, ..)| *at);
        let left_out = self.drafts.len().saturating_sub(SPANS_SHOWN);
        self.drafts.drain(..left_out);

        let mut places: BTreeMap<LaneKey, u32> = self.drafts.iter().map(|draft| (draft.lane, 0)).collect();
        for (_, from, to) in &self.arrows {
            places.insert(*from, 0);
            places.insert(*to, 0);
        }
        for (place, number) in places.values_mut().zip(0..) {
            *place = number;
        }
        let lanes = places.keys().map(|key| self.lane(*key)).collect();
        let spans = self.drafts.iter().map(|draft| self.span(draft, places[&draft.lane])).collect();
        let arrows = self.arrows.iter();
        let arrows = arrows.map(|(at, from, to)| Arrow { at_us: *at, from_lane: places[from], to_lane: places[to] });
        Timeline { lanes, spans, arrows: arrows.collect(), spans_left_out: left_out as u32 }
    }

    fn lane(&self, key: LaneKey) -> Lane {
        let family = if matches!(key, LaneKey::Service(_)) { LaneFamily::Service } else { LaneFamily::Client };
        let label = match key {
            LaneKey::Client(client) => format!("client {}", client.0 + 1),
            LaneKey::Workers => "worker".to_owned(),
            LaneKey::Service(service) => self.text(service).to_owned(),
        };
        Lane { family, label }
    }

    fn text(&self, symbol: Symbol) -> &'a str {
        self.trace.strings.text(symbol)
    }

    fn span(&self, draft: &Draft, lane: u32) -> Span {
        let over = draft.ends.is_some();
        let (doer, position) = match &draft.of {
            SpanSource::Request(request) => (request.doer, None),
            SpanSource::Call(call) | SpanSource::Asked(call) => (call.doer, Some(call.position)),
            SpanSource::Wait(wait, _) => (wait.doer, wait.position),
        };
        let (family, label, details) = match &draft.of {
            SpanSource::Request(request) => self.of_request(request, over),
            SpanSource::Call(call) => self.of_call(call, over),
            SpanSource::Asked(call) => {
                let (family, label, _) = self.of_call(call, over);
                (family, label, vec![])
            }
            SpanSource::Wait(wait, way) => {
                let held = way.holders.iter().map(|of| format!("held by {}, request {}", of.label(), of.request));
                let ahead = way.ahead.first().map(|of| format!("behind {}, request {}", of.label(), of.request));
                let ahead = ahead.filter(|_| way.holders.is_empty());
                (SpanFamily::LockWait, format!("waits for {}", self.text(wait.on)), held.chain(ahead).collect())
            }
        };
        let Position { file, line } = position.unwrap_or(Position { file: Symbol(0), line: 0 });
        Span {
            lane,
            from_us: draft.from,
            to_us: draft.ends,
            family,
            label,
            request: doer.request.0,
            file: position.map(|_| self.text(file).to_owned()),
            line: position.map(|_| line),
            details,
        }
    }

    fn of_request(&self, request: &RequestRecord, over: bool) -> (SpanFamily, String, Vec<String>) {
        let mut details = [("asked", request.arguments), ("variant", request.variant)]
            .into_iter()
            .flat_map(|(name, text)| self.named(name, text))
            .collect::<Vec<_>>();
        let Some(answer) = request.answer.filter(|_| over) else {
            return (SpanFamily::Request, "on its way".to_owned(), details);
        };
        details.extend(self.named("answered", answer.body));
        details
            .extend(answer.error.map(|error| self.text(error).trim_end().to_owned()).filter(|text| !text.is_empty()));
        let family = if answer.status >= 500 { SpanFamily::RequestFailed } else { SpanFamily::Request };
        (family, answer.status.to_string(), details)
    }

    fn of_call(&self, call: &CallRecord, over: bool) -> (SpanFamily, String, Vec<String>) {
        let (family, label, mut details) = match &call.body {
            Body::Connection { refused, .. } => {
                let details = if *refused && over { vec!["none came free in time".to_owned()] } else { vec![] };
                (SpanFamily::PoolWait, "waits for a connection".to_owned(), details)
            }
            Body::Statement(statement) => self.of_statement(statement, over),
            Body::Service { service, method, arguments, fault, answer } => {
                let answer = answer.filter(|_| over);
                let mut details = self.named("asked", *arguments).into_iter().collect::<Vec<_>>();
                details.extend(fault.and_then(|fault| self.named("fault", fault)));
                details.extend(answer.and_then(|(_, body)| self.named("answered", body)));
                let failed = answer.is_some_and(|(outcome, _)| outcome != ServiceOutcome::Ok);
                let family = if failed { SpanFamily::ServiceFailed } else { SpanFamily::Service };
                (family, format!("{}.{}", self.text(*service), self.text(*method)), details)
            }
            Body::Sleep => (SpanFamily::Sleep, "sleeps".to_owned(), vec![]),
            Body::Block => (SpanFamily::Sleep, "blocks its process".to_owned(), vec![]),
        };
        if call.abandoned && over {
            details.push("the handler stopped waiting".to_owned());
        }
        (family, label, details)
    }

    fn of_statement(&self, statement: &StatementRecord, over: bool) -> (SpanFamily, String, Vec<String>) {
        let label = self.text(statement.text).split_whitespace().collect::<Vec<_>>().join(" ");
        let mut details = self.named("with", statement.parameters).into_iter().collect::<Vec<_>>();
        let Some(outcome) = statement.outcome.filter(|_| over) else {
            return (SpanFamily::Statement, label, details);
        };
        match outcome {
            StatementOutcome::Ok => {}
            StatementOutcome::Cancelled => details.push("cancelled".to_owned()),
            StatementOutcome::Failed { sqlstate, message } => {
                details.push(format!("{sqlstate}: {}", self.text(message)));
            }
        }
        details.push(format!("rows: {}", statement.rows));
        details.push(format!("rows read: {}", statement.rows_read));
        details.push(format!("on a database core: {:.2} ms", statement.database_us as f64 / 1e3));
        details.extend(self.versions_of(statement));
        (if statement.failed() { SpanFamily::StatementFailed } else { SpanFamily::Statement }, label, details)
    }

    fn named(&self, name: &str, text: Symbol) -> Option<String> {
        Some(self.text(text)).filter(|text| !text.is_empty()).map(|text| format!("{name}: {text}"))
    }

    fn versions_of(&self, statement: &StatementRecord) -> Vec<String> {
        let strings = &self.trace.strings;
        let mut lines = vec![];
        for event in statement.told.iter().filter_map(|number| self.trace.event(*number)) {
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
