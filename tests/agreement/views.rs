//! All that the page is given of one moment, and where that disagrees with the events or with itself.

use std::collections::{BTreeMap, BTreeSet};

use twoam::api::{
    Answered, ErrorGroup, Frame, LockWait, Micros, Report, Run, SAMPLE_US, Sample, ScenarioDocument, SpanFamily,
    TableNow, Timeline, Verdict,
};
use twoam::scenario::{Better, MetricKind};

use super::recount::{Recount, Row, is_counted};

/// Of one kind a list shows no more cases than this.
const CASES_LISTED: usize = 200;

/// A quantile is right to so much, since latencies are kept in classes.
const CLASS_WIDTH: f64 = 1.0 / 32.0;

pub struct Views {
    pub at: Micros,
    pub frame: Frame,
    /// The run up to the moment, and the moment alone.
    pub report: Report,
    pub timeline: Timeline,
    pub tables: Vec<TableNow>,
    pub locks: Vec<LockWait>,
    pub answers: Vec<Answered>,
    pub errors: Vec<ErrorGroup>,
    /// The charts' buckets that were over by then, and the totals just before the next one began.
    pub samples: Vec<Sample>,
    pub at_last_sample: Frame,
}

impl Views {
    pub fn of(run: &Run, samples: &[Sample], at: Micros) -> Views {
        let over = at / SAMPLE_US * SAMPLE_US;
        Views {
            at,
            frame: run.moment(at),
            report: run.report(0, at),
            timeline: run.report(at, at).timeline,
            tables: run.tables(at),
            locks: run.locks(at),
            answers: run.answers(at),
            errors: run.errors(at),
            samples: samples.iter().filter(|sample| sample.at_us < over).cloned().collect(),
            at_last_sample: run.moment(over.saturating_sub(1)),
        }
    }

    /// What is wrong, in words; nothing where all agree.
    pub fn disagreements(&self, document: &ScenarioDocument, events: &Recount) -> Vec<String> {
        let mut wrong = Wrong { at: self.at, said: vec![] };
        self.requests(&mut wrong, events);
        self.metrics(&mut wrong, document, events);
        self.waits(&mut wrong, events);
        self.holders(&mut wrong, events);
        self.rows(&mut wrong, events);
        self.cases(&mut wrong, document, events);
        self.stretches(&mut wrong, document);
        self.charts(&mut wrong, document);
        wrong.said
    }

    fn requests(&self, wrong: &mut Wrong, events: &Recount) {
        let counts = self.frame.requests;
        let in_flight = events.in_flight.values().filter(|client| **client).count() as u32;
        wrong.unless_same("requests started", counts.started, events.started);
        wrong.unless_same("requests answered", counts.ok, events.ok);
        wrong.unless_same("requests failed", counts.failed, events.failed);
        wrong.unless_same("requests on their way", counts.in_flight, in_flight);
        wrong.unless_same("answers", self.answers.len() as u32, events.ok + events.failed);
        let lit = self.frame.lit.iter().map(|line| line.clients).sum::<u32>();
        wrong.unless_same("clients in the code", lit, events.standing.len() as u32);
        let latest = self.frame.failure.as_ref().map(|failure| (failure.at_us, failure.request));
        wrong.unless_same("the latest failure", latest, events.failures.last().copied());
        let grouped = self.errors.iter().map(|group| group.count).sum::<u32>();
        wrong.unless_same("errors in groups", grouped, events.failures.len() as u32);
        let open = self.timeline.spans.iter().filter(|span| span.to_us.is_none());
        let requests = open.filter(|span| span.label == "on its way").map(|span| span.request).collect::<BTreeSet<_>>();
        wrong.unless_same("open requests of the timeline", requests, events.in_flight.keys().copied().collect());
    }

    fn metrics(&self, wrong: &mut Wrong, document: &ScenarioDocument, events: &Recount) {
        for (metric, now) in document.metrics.iter().zip(&self.frame.metrics) {
            let gauge = document.simulation.gauges.iter().any(|gauge| gauge.metric == metric.id);
            if is_counted(&metric.id) || gauge {
                let counted = events.metrics.get(&metric.id).copied().unwrap_or(0.0);
                wrong.unless_same(&metric.id, now.total, counted);
            }
            let quantile = match metric.id.as_str() {
                "latency-p50" => 0.5,
                "latency-p95" => 0.95,
                "latency-p99" => 0.99,
                _ => continue,
            };
            let mut latencies = events.latencies.clone();
            latencies.sort_unstable();
            let rank = (latencies.len() as f64 * quantile).ceil().max(1.0) as usize;
            let exact = latencies.get(rank - 1).map_or(0.0, |us| *us as f64 / 1e3);
            if (now.total - exact).abs() > exact * CLASS_WIDTH + 0.001 {
                wrong.say(format!("{} is {}, not {exact}", metric.id, now.total));
            }
        }
        let listed = self.report.cases.iter().filter(|case| case.of == "lost-updates").count();
        let metric = document.metrics.iter().position(|metric| metric.id == "lost-updates");
        if let Some(total) = metric.map(|place| self.frame.metrics[place].total)
            && listed < CASES_LISTED
        {
            wrong.unless_same("lost updates listed", listed as f64, total);
        }
        let queries = self.report.queries.iter().map(|group| group.count).sum::<u32>();
        wrong.unless_same("statements in groups", queries, events.statements_sent);
        let statement = |family| matches!(family, SpanFamily::Statement | SpanFamily::StatementFailed);
        let drawn = self.report.timeline.spans.iter().filter(|span| statement(span.family)).count() as u32;
        if self.report.timeline.spans_left_out == 0 {
            wrong.unless_same("statements drawn", drawn, events.statements_sent);
        }
    }

    /// Timeline, lock view, tables and code lights show the same waits.
    fn waits(&self, wrong: &mut Wrong, events: &Recount) {
        let of_locks = self.locks.iter().map(|wait| (wait.request, wait.on.clone())).collect::<BTreeSet<_>>();
        wrong.unless_same("who waits, says the lock view", &of_locks, &events.waits);
        let open =
            self.timeline.spans.iter().filter(|span| span.family == SpanFamily::LockWait && span.to_us.is_none());
        let drawn = open.map(|span| (span.request, span.label.trim_start_matches("waits for ").to_owned()));
        wrong.unless_same("who waits, says the timeline", &drawn.collect(), &events.waits);
        let mut of_tables = BTreeSet::new();
        for table in &self.tables {
            for row in &table.rows {
                of_tables
                    .extend(row.waiting.iter().map(|request| (*request, format!("row {} of {}", row.key, table.name))));
            }
        }
        let left_out = self.tables.iter().any(|table| table.rows_left_out > 0);
        let for_rows = events.waits.iter().filter(|(_, on)| on.starts_with("row ")).cloned().collect::<BTreeSet<_>>();
        if !left_out {
            wrong.unless_same("who waits, say the tables", &of_tables, &for_rows);
        }
        let lit = self.frame.lit.iter().map(|line| line.lock_waits).sum::<u32>();
        let waiters = events.waits.iter().map(|(request, _)| *request).filter(|request| events.in_flight[request]);
        wrong.unless_same("clients lit that wait for a lock", lit, waiters.collect::<BTreeSet<_>>().len() as u32);
    }

    /// Whoever is said to hold a row has it locked, and the timeline points at whom the lock view names.
    fn holders(&self, wrong: &mut Wrong, events: &Recount) {
        for wait in &self.locks {
            let (Some(table), Some(key)) = (&wait.table, &wait.key) else { continue };
            let row: Row = (table.clone(), key.clone());
            let held = events.locks.get(&row);
            let has = |request: u32| held.is_some_and(|held| held.values().any(|holder| *holder == Some(request)));
            for holder in wait.holders.iter().filter(|holder| holder.holds) {
                wrong
                    .unless(has(holder.request), || format!("{} is said to hold {row:?} and does not", holder.request));
            }
            let others = held.into_iter().flatten().filter(|(_, holder)| holder.is_some_and(|it| it != wait.request));
            let strong = others.filter(|(xid, _)| {
                let strength = events.strengths[&(row.clone(), **xid)];
                strength >= twoam::trace::LockStrength::NoKeyUpdate
            });
            // Whoever wants to write waits for each of these.
            let missing = strong.filter(|(_, holder)| {
                wait.holders.iter().all(|known| Some(known.request) != **holder) && !wait.deadlocked
            });
            let writes = !wait.holders.iter().any(|holder| holder.holds);
            let missing = missing.filter(|_| writes).map(|(_, holder)| *holder).collect::<Vec<_>>();
            wrong.unless(missing.is_empty(), || format!("{missing:?} hold {row:?}, which {} waits for", wait.request));
        }
        let lanes = self.timeline.lanes.iter().map(|lane| lane.label.as_str()).collect::<Vec<_>>();
        let arrows = self.timeline.arrows.iter().map(|arrow| lanes[arrow.from_lane as usize]).collect::<BTreeSet<_>>();
        for wait in self.locks.iter().filter(|wait| !wait.holders.is_empty()) {
            wrong.unless(arrows.contains(wait.label.as_str()), || format!("no arrow for {}", wait.label));
        }
    }

    fn rows(&self, wrong: &mut Wrong, events: &Recount) {
        for table in &self.tables {
            for row in &table.rows {
                let named: Row = (table.name.clone(), row.key.clone());
                let locks = row.locks.iter().map(|lock| lock.request).collect::<BTreeSet<_>>();
                let held = events.locks.get(&named).into_iter().flatten().map(|(_, request)| *request);
                wrong.unless_same(&format!("locks on {named:?}"), &locks, &held.collect());
                let (committed, pending) = events.versions.get(&named).copied().unwrap_or_default();
                let open = row.versions.iter().filter(|version| version.committed_us.is_none()).count() as u32;
                wrong.unless_same(&format!("unfinished versions of {named:?}"), open, pending);
                let shown = row.versions.len() as u32 - open;
                wrong.unless_same(&format!("versions of {named:?}"), shown, committed.min(6));
                let alive = |request: &Option<u32>| {
                    request.is_none_or(|request| events.in_flight.contains_key(&request))
                        || events.locks[&named].values().any(|holder| holder == request)
                };
                wrong.unless(locks.iter().all(alive), || format!("a lock on {named:?} that nobody has: {locks:?}"));
            }
        }
        let shown = self.tables.iter().map(|table| table.rows.len() + table.rows_left_out as usize).sum::<usize>();
        let mut touched = events.versions.keys().chain(events.locks.keys()).cloned().collect::<BTreeSet<Row>>();
        touched.extend(self.locks.iter().filter_map(|wait| Some((wait.table.clone()?, wait.key.clone()?))));
        wrong.unless_same("rows touched", shown, touched.len());
    }

    fn cases(&self, wrong: &mut Wrong, document: &ScenarioDocument, events: &Recount) {
        let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
        for case in &self.report.cases {
            *listed.entry(&case.of).or_default() += 1;
            wrong.unless(case.since_us <= case.at_us && case.at_us <= self.at, || {
                format!("a case of the future: {case:?}")
            });
        }
        for (place, invariant) in document.invariants.iter().enumerate() {
            let now = self.frame.invariants[place];
            wrong.unless_same(&invariant.id, now.broken, events.broken_now[place].len() as u32);
            wrong.unless_same(&invariant.id, now.broken_ever, events.broken_ever[place].len() as u32);
            let told = (events.tellings[place] as usize).min(CASES_LISTED);
            let listed = listed.get(invariant.id.as_str()).copied().unwrap_or(0);
            wrong.unless_same(&format!("cases of {}", invariant.id), listed, told);
        }
    }

    /// They are the whole run, cut into pieces.
    fn stretches(&self, wrong: &mut Wrong, document: &ScenarioDocument) {
        let Frame { requests, invariants, metrics, stretches, .. } = &self.frame;
        let sum = |of: fn(&twoam::api::Stretch) -> u32| stretches.iter().map(of).sum::<u32>();
        wrong.unless_same("answered in stretches", sum(|stretch| stretch.answered), requests.ok + requests.failed);
        wrong.unless_same("failed in stretches", sum(|stretch| stretch.failed), requests.failed);
        for (place, now) in invariants.iter().enumerate() {
            let broken = stretches.iter().map(|stretch| stretch.broken[place]).collect::<Vec<_>>();
            let (most, all) = (broken.iter().copied().max().unwrap_or(0), broken.iter().sum::<u32>());
            // A row that was mended and broke again counts for both stretches.
            wrong.unless(most <= now.broken_ever && now.broken_ever <= all, || {
                format!("{broken:?} broken in stretches, {} in all", now.broken_ever)
            });
        }
        for (place, metric) in document.metrics.iter().enumerate() {
            let gauge = document.simulation.gauges.iter().any(|gauge| gauge.metric == metric.id);
            let adds = (metric.kind == MetricKind::Counter && !gauge) || (gauge && metric.better == Better::Zero);
            let sum = stretches.iter().map(|stretch| stretch.metrics[place]).sum::<f64>();
            if adds && (sum - metrics[place].total).abs() > 1e-6 {
                wrong.say(format!("{}: {sum} in stretches, {} in all", metric.id, metrics[place].total));
            }
        }
        let counted = document.damage.as_ref();
        let counted = counted.and_then(|damage| document.metrics.iter().position(|metric| metric.id == damage.of));
        for stretch in stretches {
            let damaged = counted.is_some_and(|place| stretch.metrics[place] > 0.0);
            let broken = damaged || stretch.broken.iter().any(|cases| *cases > 0);
            wrong.unless(broken == (stretch.verdict == Verdict::Broken), || format!("misjudged: {stretch:?}"));
        }
        for stretch in stretches.iter().filter(|stretch| stretch.answered > 30 && !stretch.edited) {
            let odd = matches!(stretch.verdict, Verdict::Open | Verdict::NotMeasured);
            wrong.unless(!odd, || format!("the scenario's own code, and {stretch:?}"));
        }
    }

    fn charts(&self, wrong: &mut Wrong, document: &ScenarioDocument) {
        for (place, metric) in document.metrics.iter().enumerate() {
            let gauge = document.simulation.gauges.iter().any(|gauge| gauge.metric == metric.id);
            if metric.kind != MetricKind::Counter || gauge {
                continue;
            }
            let seconds = SAMPLE_US as f64 / 1e6;
            let charted = self.samples.iter().filter_map(|sample| sample.values[place]).sum::<f64>() * seconds;
            let total = self.at_last_sample.metrics[place].total;
            if (charted - total).abs() > 1e-6 {
                wrong.say(format!("{}: {charted} in the chart, {total} in all", metric.id));
            }
        }
    }
}

struct Wrong {
    at: Micros,
    said: Vec<String>,
}

impl Wrong {
    fn say(&mut self, what: String) {
        self.said.push(format!("at {}: {what}", self.at));
    }

    fn unless(&mut self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.say(what());
        }
    }

    fn unless_same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, shown: T, counted: T) {
        self.unless(shown == counted, || format!("{what}: {shown:?} shown, {counted:?} by the events"));
    }
}
