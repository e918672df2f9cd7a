// Generated from the Rust types by `UPDATE=1 cargo test --test architecture`. Not edited by hand.

/**
 * A number, or the knob that gives it.
 */
export type Amount = number | string;

/**
 * A request of a client that was answered.
 */
export type Answered = { client: number, 
/**
 * The client's first request is 1.
 */
turn: number, request: number, arguments: string, from_us: number, at_us: number, status: number, };

/**
 * From a waiting span to the lane of the session that holds the lock.
 */
export type Arrow = { at_us: number, from_lane: number, to_lane: number, };

/**
 * One step of a live talk.
 */
export type Beat = { sentence: string, 
/**
 * For the speaker alone: what to point at, what to wait for.
 */
note: string | null, action: BeatAction | null, 
/**
 * Where it begins. `None`: where the one before it stopped, or where the run had come to if that one looked back.
 */
at: Moment | null, 
/**
 * It plays to there and stands. `None`: it stands where it begins.
 */
until: Moment | null, 
/**
 * Virtual seconds a second.
 */
speed: number | null, picture: Picture | null, lines: CodeLines | null, };

export type BeatAction = { "do": "environment", environment: string, variant: string | null, } | { "do": "variant", variant: string, } | { "do": "knob", knob: string, value: number, } | { "do": "fault", fault: string, on: boolean, };

export type Better = "zero" | "lower" | "higher" | "neither";

/**
 * One thing that went wrong, in words.
 */
export type Case = { 
/**
 * The metric or invariant it belongs to.
 */
of: string, 
/**
 * When the row was first seen that breaks the rule, the ring of waits was closed that is a deadlock, or the change was written over
 * that the commit then lost; else the same as `at_us`.
 */
since_us: number, at_us: number, 
/**
 * `Request 12 read stock = 1 at line 9, request 14 wrote it before line 14 …`
 */
sentence: string, requests: Array<number>, };

/**
 * NULL as `None`.
 */
export type Cell = { column: string, value: string | null, };

/**
 * What can be done to a run while it is going. Each is a marker on the chart.
 */
export type Change = { "kind": "variant", variant: string, } | { "kind": "knob", knob: string, value: number, } | { "kind": "fault", fault: string, on: boolean, } | { "kind": "source", file: string, text: string, };

export type Clients = { "kind": "closed", count: Amount, think_ms: Amount, } | { "kind": "open", rate_per_s: Amount, } | { "kind": "scripted", file: string, source: string, scripts: Array<Script>, };

/**
 * Lines of a file, from 1.
 */
export type CodeLines = { file: string, lines: Array<number>, };

export type Collision = { 
/**
 * The metric or invariant it belongs to, and the case in words.
 */
of: string, sentence: string, 
/**
 * When it was there: the rule was broken, the change was lost, the ring of waits was closed.
 */
at_us: number, 
/**
 * One or two, in the order in which they began.
 */
requests: Array<CollisionRequest>, 
/**
 * What they did, in order of time.
 */
steps: Array<CollisionStep>, };

export type CollisionRequest = { request: number, 
/**
 * Who sent it: `client 12`.
 */
label: string, arguments: string, from_us: number, to_us: number | null, status: number | null, };

export type CollisionStep = { 
/**
 * Index into `requests`.
 */
request: number, from_us: number, 
/**
 * `None`: it has not ended.
 */
to_us: number | null, kind: StepKind, 
/**
 * The statement, the service's method, the status.
 */
label: string, 
/**
 * It ended in an error, which `label` says.
 */
failed: boolean, 
/**
 * The row it is about, where it is about one.
 */
table: string | null, key: string | null, 
/**
 * What was read or written of that row, as far as it is known: the columns that one of the requests changes come first.
 */
cells: Array<Cell>, file: string | null, line: number | null, 
/**
 * How often the line did the same in a row.
 */
times: number, };

export type ConsoleOutput = { "kind": "result", tag: string, columns: Array<string>, rows: Array<Array<string | null>>, rows_left_out: number, } | { "kind": "error", sqlstate: string, message: string, detail: string | null, hint: string | null, position: number | null, } | { "kind": "notice", severity: string, message: string, } | { "kind": "waiting", wait: ConsoleWait, };

/**
 * Something a session shows.
 */
export type ConsoleReply = { 
/**
 * From 0.
 */
session: number, output: ConsoleOutput, };

/**
 * How a session stands: psql's prompt and what it waits for.
 */
export type ConsoleSession = { state: ConsoleState, wait: ConsoleWait | null, };

export type ConsoleState = "idle" | "in-transaction" | "failed" | "waiting";

export type ConsoleWait = { 
/**
 * `row 7 of products`.
 */
on: string, 
/**
 * Who has it, as a session of this console.
 */
holder: number | null, };

/**
 * Production, with one knob at several values.
 */
export type Curve = { knob: string, values: Array<number>, 
/**
 * Other knobs that stand otherwise than in production.
 */
knobs: { [key in string]: number }, };

/**
 * The number the headline counts, and what it is a number of.
 */
export type Damage = { 
/**
 * A metric that has to be zero, or an invariant: then its cases are counted.
 */
of: string, 
/**
 * `{n} units sold that do not exist`.
 */
sentence: string, 
/**
 * The same for one; `None`: an amount of money, which has no singular.
 */
one: string | null, };

/**
 * How one value comes about.
 */
export type Draw = { "kind": "value", value: JsonValue, } | { "kind": "knob", knob: string, } | { "kind": "uniform", from: Amount, to: Amount, } | { "kind": "one-of", draws: Array<Draw>, } | { "kind": "sequence", from: number, } | { "kind": "text", pattern: string, parts: { [key in string]: Draw }, } | { "kind": "rolling", from: number, every_s: Amount, } | { "kind": "uuid" } | { "kind": "same-as", name: string, } | { "kind": "list", of: Draw, 
/**
 * Drawn for each list: a whole number.
 */
count: Draw, } | { "kind": "fields", fields: { [key in string]: Draw }, };

export type EnvironmentDocument = { id: string, label: string, 
/**
 * `1 client, 10 rows, no faults`.
 */
summary: string, 
/**
 * Every knob's value here.
 */
knobs: { [key in string]: number }, 
/**
 * Faults that are on from the start.
 */
faults: Array<string>, 
/**
 * Virtual seconds until the run ends.
 */
length_s: number, };

/**
 * Failures that say the same but for numbers and quoted words, at one place.
 */
export type ErrorGroup = { 
/**
 * The first one's text.
 */
text: string, file: string | null, line: number | null, count: number, first_us: number, last_us: number, first_request: number, 
/**
 * The first one's traceback; empty where no exception was raised.
 */
traceback: string, };

/**
 * A few requests on a small database, to be run in every order.
 */
export type Exam = { id: string, title: string, 
/**
 * Of each of the scenario's tables, at most so many rows; all if not given.
 */
rows?: number, 
/**
 * SQL that runs once the scenario's rows are there.
 */
setup?: string, requests: Array<ExamRequest>, };

export type ExamRequest = { entry: string, parameters: { [key in string]: unknown }, };

/**
 * A request that was answered with 500 or above.
 */
export type Failure = { request: number, at_us: number, 
/**
 * The exception's own line; where none was raised the answer's body.
 */
text: string, 
/**
 * Where in the handler.
 */
file: string | null, line: number | null, };

export type FaultDocument = { id: string, label: string, };

export type FaultRule = { id: string, 
/**
 * A service's name, `database`, `processes` or `clients`.
 */
on: string, 
/**
 * Of a service; none stands for all.
 */
methods: Array<string>, verdict: FaultVerdict, 
/**
 * Of the calls it could meet, from 0 to 1.
 */
share: Amount, 
/**
 * For `Kill`: one process dies, in turn, this often.
 */
every_s: Amount | null, 
/**
 * When it is on, it acts from this second of the run …
 */
from_s: Amount, 
/**
 * … for so long; `None`: to the end.
 */
for_s: Amount | null, };

export type FaultVerdict = { "kind": "decline" } | { "kind": "fail" } | { "kind": "refuse" } | { "kind": "delay", ms: Amount, } | { "kind": "lose-answer" } | { "kind": "duplicate" } | { "kind": "resend", after_ms: Amount, } | { "kind": "kill" };

/**
 * One step of the screen: what is new since the last one, and the totals now.
 */
export type Frame = { now_us: number, 
/**
 * The run reached its end or a limit; nothing more will happen.
 */
ended: boolean, requests: RequestCounts, 
/**
 * In the order of `ScenarioDocument::metrics`.
 */
metrics: Array<MetricNow>, 
/**
 * In the order of `ScenarioDocument::invariants`.
 */
invariants: Array<InvariantNow>, 
/**
 * The run cut where code was deployed, oldest first; the last one is what runs now.
 */
stretches: Array<Stretch>, 
/**
 * The latest request that failed, however long ago.
 */
failure: Failure | null, 
/**
 * Buckets of the chart that were completed since the last frame.
 */
samples: Array<Sample>, 
/**
 * Where clients stand in the code at this moment.
 */
lit: Array<LitLine>, marks: Array<Mark>, 
/**
 * Things to tell the user now: edited code that does not compile, a limit that was met.
 */
notices: Array<PageNotice>, };

/**
 * A number read from the tables, for a metric of the scenario's own.
 */
export type Gauge = { metric: string, 
/**
 * Gives one row with one number.
 */
sql: string, };

export type Invariant = { id: string, 
/**
 * What a row of the query means, for people: `a card was charged and no order exists`.
 */
sentence: string, rule: InvariantRule, 
/**
 * How long a row may stand before it counts, after the requests it may belong to have ended.
 */
settle_ms: number, 
/**
 * Nothing counts before this second of the run: a fault's own damage, when the question is what it leaves behind.
 */
from_s: number, };

export type InvariantNow = { 
/**
 * Rows that break it now.
 */
broken: number, 
/**
 * Rows that ever broke it in this run.
 */
broken_ever: number, };

export type InvariantRule = { "kind": "sql", sql: string, } | { "kind": "slower-than", ms: number, 
/**
 * Only requests of this kind.
 */
entry: string | null, } | { "kind": "failed", entry: string | null, };

export type JsonValue = number | string | boolean | Array<JsonValue> | { [key in string]: JsonValue } | null;

export type Knob = { id: string, label: string, unit: string, min: number, max: number, step: number, 
/**
 * It can be moved while the run is going; else moving it starts a new run.
 */
live: boolean, };

export type Lane = { family: LaneFamily, label: string, };

export type LaneFamily = "client" | "service";

export type LitLine = { file: string, line: number, clients: number, 
/**
 * Of these, how many wait for a lock, and how many for a connection.
 */
lock_waits: number, pool_waits: number, };

export type LockHolder = { request: number, label: string, 
/**
 * It has the row; else it only stands before the waiting one.
 */
holds: boolean, };

/**
 * A request that waits for a lock.
 */
export type LockWait = { request: number, 
/**
 * Who sent it: `client 12`, `worker`.
 */
label: string, 
/**
 * What it waits for: `row 13 of accounts`, `key (email)=(a@b.c) of users`.
 */
on: string, 
/**
 * Of a row.
 */
table: string | null, key: string | null, since_us: number, 
/**
 * The line that waits.
 */
file: string | null, line: number | null, 
/**
 * Those who hold it, or if nobody does those who stand before it in the queue. Empty for the moment in which it was given free
 * and the waiting statement has not gone on yet.
 */
holders: Array<LockHolder>, 
/**
 * It waits, through others, for itself. The database finds that out only after `deadlock_timeout`.
 */
deadlocked: boolean, };

export type LogLevel = "debug" | "info" | "warning" | "error";

export type LogLine = { at_us: number, level: LogLevel, request: number, text: string, };

export type Machine = { 
/**
 * Operating system processes of the service. Each has its own module globals and its own pool.
 */
processes: Amount, 
/**
 * Connections in one process's pool.
 */
pool: Amount, pool_timeout_ms: Amount, database_cores: Amount, 
/**
 * From a process to the database, one way and back.
 */
network_ms: Amount, network_sd_ms: Amount, 
/**
 * A process that holds more is killed. `None`: nobody looks.
 */
memory_mb: Amount | null, 
/**
 * How far a replica is behind, from a commit to its being seen there. `None`: there is no replica.
 */
replica_lag_ms: Amount | null, };

export type Mark = { at_us: number, family: MarkFamily, label: string, };

export type MarkFamily = "deploy" | "knob" | "fault" | "broken" | "limit";

/**
 * A number the scenario's screen shows.
 */
export type Metric = { id: string, label: string, unit: Unit, kind: MetricKind, 
/**
 * One of the large numbers.
 */
headline: boolean, better: Better, };

export type MetricKind = "counter" | "gauge" | "distribution";

export type MetricNow = { 
/**
 * Over the whole run: a count, or the latest value of a gauge, or the quantile of all requests.
 */
total: number, 
/**
 * The same over the last virtual second, as a rate a second for counts. `None`: nothing to measure yet.
 */
recent: number | null, };

/**
 * A moment of a run.
 */
export type Moment = number | NamedMoment;

/**
 * A moment that is found in the run, wherever it lies.
 */
export type NamedMoment = "first-wait" | "first-break" | "deadlock" | "busiest" | "end";

export type PageNotice = { severity: Severity, text: string, 
/**
 * Where in the user's code, if there.
 */
file: string | null, line: number | null, };

/**
 * What stands beside the code.
 */
export type Picture = { "kind": "chart", metric: string, } | { "kind": "view", view: View, } | { "kind": "cases", of: string, };

/**
 * Statements of one text from one line of code.
 */
export type QueryGroup = { text: string, file: string, line: number, count: number, 
/**
 * Most of them in one request: more than one from one line is a loop.
 */
count_in_one_request_max: number, rows_read: number, rows: number, database_us: number, lock_wait_us: number, failed: number, };

export type Question = { text: string, answers: Array<QuestionAnswer>, };

export type QuestionAnswer = { text: string, right: boolean, 
/**
 * Shown after the choice.
 */
because: string, };

export type Reading = { title: string, url: string, };

/**
 * What simulation and a real server said of the same files under the same load: `twoam reality --json`.
 */
export type Reality = { scenarios: Array<RealityScenario>, };

/**
 * Every variant under more and more load.
 */
export type RealityCurve = { 
/**
 * The knob that says how much, and its unit.
 */
knob: string, unit: string, points: Array<RealityPoint>, };

/**
 * How many cases there were; 0 where it held.
 */
export type RealityInvariant = { sentence: string, 
/**
 * About how long something takes: shown, not judged.
 */
timed: boolean, predicted: number, observed: number, };

/**
 * Values in words: `1,163 ms`.
 */
export type RealityMetric = { id: string, label: string, predicted: string, observed: string, };

export type RealityPoint = { variant: string, label: string, load: number, predicted: RealitySpeed, observed: RealitySpeed, };

export type RealityRun = { variant: string, label: string, predicted_requests: number, observed_requests: number, agrees: boolean, metrics: Array<RealityMetric>, invariants: Array<RealityInvariant>, };

export type RealityScenario = { id: string, title: string, 
/**
 * In every variant each predicted break was observed and what was to hold held.
 */
agrees: boolean, 
/**
 * `PostgreSQL 15.18, CPython 3.11.7, psycopg 3.3.9`
 */
observed_on: string, 
/**
 * `2026-11-21`
 */
date: string, 
/**
 * Processor, cores, memory.
 */
machine: string, 
/**
 * Every variant in production.
 */
runs: Array<RealityRun>, curve: RealityCurve | null, };

export type RealitySpeed = { 
/**
 * Requests answered a second.
 */
per_s: number, p50_ms: number, p99_ms: number, statements_per_request: number, };

/**
 * A run made at build time, painted before the engine is there.
 */
export type Recording = { request: RunRequest, schedule: string, trace_hash: string, 
/**
 * Every `FRAME_US` of virtual time of naive code in production, every second one of other runs.
 */
frames: Array<Frame>, 
/**
 * A short stretch for the timeline.
 */
report: Report, collision: Collision | null, 
/**
 * Of naive code in production.
 */
recovery: Recovery | null, };

/**
 * The same run with hardened code deployed after it was seen to break.
 */
export type Recovery = { request: RunRequest, schedule: string, trace_hash: string, 
/**
 * From the deploy on; before it the two runs are one.
 */
frames: Array<Frame>, };

/**
 * A stretch of the run in detail.
 */
export type Report = { from_us: number, to_us: number, timeline: Timeline, cases: Array<Case>, queries: Array<QueryGroup>, log: Array<LogLine>, };

export type RequestCounts = { started: number, ok: number, 
/**
 * Status 500 and above: exceptions, deadlock victims, timeouts. A 4xx such as "sold out" is an answer, so `ok`.
 */
failed: number, in_flight: number, };

/**
 * One kind of request: which function of the variant's file, how often, with what.
 */
export type RequestKind = { entry: string, 
/**
 * Its share of all requests, against the weights of the other kinds.
 */
weight: Amount, parameters: { [key in string]: Draw }, };

export type RowLock = { request: number | null, 
/**
 * As SQL writes it: `FOR UPDATE`.
 */
strength: string, };

export type RowNow = { key: string, 
/**
 * Newest first.
 */
versions: Array<RowVersion>, locks: Array<RowLock>, 
/**
 * Requests that wait for it.
 */
waiting: Array<number>, };

/**
 * Rows of one table.
 */
export type RowSet = { table: string, count: Amount, columns: { [key in string]: Draw }, };

export type RowVersion = { at_us: number, 
/**
 * `None`: its transaction has not ended, and nobody else sees it.
 */
committed_us: number | null, request: number | null, 
/**
 * In the order of the table's columns, NULL as `None`; `None`: the row was deleted.
 */
values: Array<string | null> | null, };

/**
 * Everything a run depends on. Equal requests give equal traces, byte for byte.
 */
export type RunRequest = { scenario: string, variant: string, 
/**
 * `my-machine` or `production`.
 */
environment: string, seed: number, 
/**
 * When the run ends, if not after the environment's own length.
 */
until_us?: number, 
/**
 * Only those that differ from the environment's defaults.
 */
knobs: { [key in string]: number }, 
/**
 * Edited files by name (`naive.py`, `schema.sql`); the others are the scenario's own.
 */
sources: { [key in string]: string }, changes: Array<TimedChange>, };

/**
 * One bucket of the chart, `SAMPLE_US` wide, in the order of the scenario's metrics.
 */
export type Sample = { at_us: number, values: Array<number | null>, };

/**
 * A whole scenario: one JSON, fetched when it is picked, read by the page and run by the simulation.
 */
export type ScenarioDocument = { summary: ScenarioSummary, 
/**
 * What somebody asked an assistant for.
 */
prompt: string, 
/**
 * What it is good at showing.
 */
shows: string, 
/**
 * What differs on CockroachDB and YugabyteDB, by their documentation.
 */
elsewhere: string, 
/**
 * `naive` first.
 */
variants: Array<VariantDocument>, environments: Array<EnvironmentDocument>, knobs: Array<Knob>, faults: Array<FaultDocument>, metrics: Array<Metric>, invariants: Array<Invariant>, 
/**
 * What went wrong as one number and its sentence. Every scenario that is shown has it; a draft need not.
 */
damage: Damage | null, schema: string, 
/**
 * Markdown.
 */
story: string, 
/**
 * Markdown, one section of level 2 for each framework.
 */
frameworks: string, beats: Array<Beat>, 
/**
 * What stands on the screen at each beat. Empty until the runs of the talk are known: the page's documents say it.
 */
scenes: Array<Scene>, question: Question, 
/**
 * Three, each telling more than the one before.
 */
hints: Array<string>, reading: Array<Reading>, 
/**
 * For whoever compares with a real server how both behave under more and more load.
 */
curve: Curve | null, 
/**
 * What is run in every order.
 */
exams: Array<Exam>, 
/**
 * What a simulation builds; nothing of it is on the screen.
 */
simulation: SimulationSpec, };

/**
 * What the page and `twoam list` show of a scenario.
 */
export type ScenarioSummary = { id: string, title: string, 
/**
 * One line that makes one want to try it.
 */
hook: string, variants: Array<string>, environments: Array<string>, 
/**
 * `races`, `performance`, `distributed`, `security` or `business`.
 */
theme: string, 
/**
 * What the reader feels: `money is missing`, `it was slow` …
 */
symptom: string, difficulty: number, tags: Array<string>, 
/**
 * The real server on which it did as it does here; the page's documents say so.
 */
seen_on: string | null, };

/**
 * What stands on the screen at a beat.
 */
export type Scene = { environment: string, 
/**
 * What the run begins with.
 */
variant: string, 
/**
 * Those that differ from the environment's from the start.
 */
knobs: { [key in string]: number }, changes: Array<TimedChange>, 
/**
 * What is deployed now.
 */
deployed: string, 
/**
 * Where the beat begins.
 */
from_us: number, 
/**
 * Where it stands in the end.
 */
until_us: number, speed: number, picture: Picture, lines: CodeLines | null, };

/**
 * So many clients that do what `entry` says.
 */
export type Script = { entry: string, count: Amount, };

export type ServiceSettings = { name: string, 
/**
 * What it is; several may be of one kind, each with its own name.
 */
kind: string, latency_ms: Amount, latency_sd_ms: Amount, 
/**
 * When the caller's client gives up.
 */
timeout_ms: Amount, 
/**
 * Calls it works on at once; further ones queue. `None`: as many as come.
 */
capacity: Amount | null, };

export type Severity = "note" | "error";

export type SimulationSpec = { clients: Clients, requests: Array<RequestKind>, 
/**
 * The tables' contents before the first request, in order.
 */
rows: Array<RowSet>, machine: Machine, services: Array<ServiceSettings>, faults: Array<FaultRule>, gauges: Array<Gauge>, };

export type Span = { 
/**
 * Index into `lanes`.
 */
lane: number, from_us: number, 
/**
 * `None`: still going on at the window's end.
 */
to_us: number | null, family: SpanFamily, 
/**
 * A few words: the statement, the service's method, the request's outcome.
 */
label: string, request: number, 
/**
 * Line in the handler, if the span was caused by one.
 */
file: string | null, line: number | null, 
/**
 * What to show on a click, a line each: rows read and written, the error, who held the lock.
 */
details: Array<string>, };

export type SpanFamily = "request" | "request-failed" | "pool-wait" | "statement" | "statement-failed" | "lock-wait" | "service" | "service-failed" | "sleep";

export type StepKind = "read" | "write" | "wait" | "commit" | "rollback" | "call" | "answer";

/**
 * From one deploy to the next.
 */
export type Stretch = { from_us: number, 
/**
 * Until then what goes wrong may be the work of the stretch before.
 */
settles_us: number, variant: string, 
/**
 * Its file or the schema is not as the scenario has it.
 */
edited: boolean, 
/**
 * Requests that were started in it and have an answer by now, failed ones included.
 */
answered: number, 
/**
 * Of these, status 500 and above.
 */
failed: number, 
/**
 * Of these, status 200 to 399.
 */
useful: number, 
/**
 * Rows that broke each invariant, in the order of `ScenarioDocument::invariants`.
 */
broken: Array<number>, 
/**
 * What it adds to each metric, in the order of `ScenarioDocument::metrics`: a count's share of the total, a quantile of its own
 * requests; of a gauge that should be zero how much it rose, of another one its latest value.
 */
metrics: Array<number>, verdict: Verdict, };

/**
 * A table at a moment: the rows the run has written or locked, those in somebody's hands first.
 */
export type TableNow = { name: string, 
/**
 * In the order of its versions' values; a dropped one keeps its place, without a name.
 */
columns: Array<string>, rows: Array<RowNow>, rows_left_out: number, };

export type TimedChange = { at_us: number, change: Change, };

export type Timeline = { 
/**
 * Top to bottom.
 */
lanes: Array<Lane>, 
/**
 * By start. At most `SPANS_SHOWN`, the latest of the window; `spans_left_out` counts the rest.
 */
spans: Array<Span>, arrows: Array<Arrow>, spans_left_out: number, };

export type Unit = "count" | "ms" | "cents" | "ratio" | "bytes";

export type VariantDocument = { id: string, label: string, file: string, source: string, 
/**
 * What it costs, in one line.
 */
price: string, 
/**
 * When it is the wrong choice.
 */
tradeoff: string, 
/**
 * SQL run once before the variant takes requests for the first time: its tables and indexes.
 */
migration: string | null, 
/**
 * What runs beside the requests while this variant is deployed.
 */
workers: Array<Worker>, };

export type Verdict = "open" | "broken" | "nothing-useful" | "not-measured" | "holds";

/**
 * The page's views of a moment.
 */
export type View = "timeline" | "locks" | "tables" | "cases" | "queries" | "log";

/**
 * A function of the variant's file that is run again and again: a relay, a reconciler.
 */
export type Worker = { entry: string, 
/**
 * From one end to the next start.
 */
every_ms: number, };
