//! The page's door: plain objects in, one call of the api, plain objects out. It runs in a worker.

use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use crate::api::{self, Change, Console, EVENTS_KEPT, Keep, Micros, Run, RunError, ScenarioDocument};

/// The interpreter allocates for nearly everything it does, and the standard library's allocator for WebAssembly is slow at it.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// How many steps are taken before the host's clock is looked at again is the api's choice; a slice ends once this clock says so.
#[wasm_bindgen]
pub struct Playground {
    run: Run,
}

#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

#[wasm_bindgen]
impl Playground {
    /// Builds a run. Throws an `Error` whose `file` and `line` say where, if the code or the schema is at fault.
    #[wasm_bindgen(constructor)]
    pub fn new(document: JsValue, request: JsValue) -> Result<Playground, JsValue> {
        let document: ScenarioDocument = decode(document, "scenario")?;
        let request = decode(request, "request")?;
        let run = Run::new(Rc::new(document), request, Keep::Latest(EVENTS_KEPT)).map_err(|error| thrown(&error))?;
        Ok(Playground { run })
    }

    /// Goes on to `until_us`, or until `budget_ms` of the host's time are used. Returns the virtual time reached.
    pub fn advance(&mut self, until_us: f64, budget_ms: f64) -> f64 {
        let ends = host_ms() + budget_ms;
        self.run.advance_while(until_us.max(0.0) as Micros, || host_ms() < ends) as f64
    }

    /// Goes on to the next moment at which something happens.
    pub fn step(&mut self) -> f64 {
        self.run.step() as f64
    }

    pub fn frame(&mut self) -> Result<JsValue, JsValue> {
        encode(&self.run.frame())
    }

    pub fn apply(&mut self, change: JsValue) -> Result<(), JsValue> {
        let change: Change = decode(change, "change")?;
        self.run.apply(change);
        Ok(())
    }

    pub fn report(&self, from_us: f64, to_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.run.report(from_us.max(0.0) as Micros, to_us.max(0.0) as Micros))
    }

    /// The tables at a moment, versions and locks included.
    pub fn tables(&self, at_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.run.tables(at_us.max(0.0) as Micros))
    }

    /// Who waits for whom at a moment.
    pub fn locks(&self, at_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.run.locks(at_us.max(0.0) as Micros))
    }

    /// The screen as it was at a moment.
    pub fn moment(&self, at_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.run.moment(at_us.max(0.0) as Micros))
    }

    /// Failed requests up to a moment, the same errors together.
    pub fn errors(&self, to_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.run.errors(to_us.max(0.0) as Micros))
    }

    /// The first two requests, up to a moment, that get into each other's way; null: none so far.
    pub fn collision(&self, to_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.run.collision(to_us.max(0.0) as Micros))
    }

    /// What clients were answered up to a moment, to be laid beside another run's.
    pub fn answers(&self, to_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.run.answers(to_us.max(0.0) as Micros))
    }

    /// The whole trace as JSON, as `twoam run --trace` writes it.
    pub fn trace_json(&self) -> Result<String, JsValue> {
        serde_json::to_string(self.run.trace()).map_err(|error| js_sys::Error::new(&error.to_string()).into())
    }

    pub fn schedule(&self) -> String {
        self.run.schedule()
    }

    pub fn trace_hash(&self) -> String {
        self.run.trace().hash()
    }
}

/// Sessions side by side on one database. Times are microseconds since the console was opened.
#[wasm_bindgen]
pub struct SqlConsole {
    console: Console,
}

#[wasm_bindgen]
impl SqlConsole {
    /// `epoch_ms` is the host's time, for now().
    #[wasm_bindgen(constructor)]
    pub fn new(setup: &str, sessions: usize, epoch_ms: f64) -> Result<SqlConsole, JsValue> {
        let console = Console::new(setup, sessions, (epoch_ms * 1e3) as i64)
            .map_err(|error| js_sys::Error::new(&format!("{} ({})", error.message, error.sqlstate)))?;
        Ok(SqlConsole { console })
    }

    pub fn execute(&mut self, session: usize, sql: &str, now_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.console.execute(session, sql, now_us as Micros))
    }

    pub fn cancel(&mut self, session: usize, now_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.console.cancel(session, now_us as Micros))
    }

    pub fn tick(&mut self, now_us: f64) -> Result<JsValue, JsValue> {
        encode(&self.console.tick(now_us as Micros))
    }

    pub fn sessions(&self) -> Result<JsValue, JsValue> {
        encode(&self.console.sessions())
    }
}

/// The SQL text that was in work when the engine trapped, shortened; null: it was at something else.
#[wasm_bindgen]
pub fn statement_in_work() -> Option<String> {
    api::statement_in_work()
}

/// Statements a second by kind, for the project's own measurements.
#[wasm_bindgen]
pub fn sql_speeds(seconds: f64) -> Result<JsValue, JsValue> {
    encode(&api::sql_speeds(seconds, &mut || host_ms() / 1e3))
}

fn host_ms() -> f64 {
    let scope = js_sys::global().unchecked_into::<web_sys::DedicatedWorkerGlobalScope>();
    scope.performance().map_or_else(js_sys::Date::now, |clock| clock.now())
}

fn decode<T: DeserializeOwned>(value: JsValue, what: &str) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value)
        .map_err(|error| js_sys::Error::new(&format!("this is no {what} of this version: {error}")).into())
}

fn encode(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(|error| js_sys::Error::new(&error.to_string()).into())
}

fn thrown(error: &RunError) -> JsValue {
    // `file` and `line` are the first one's; what else is wrong names its own.
    let others = error.others.iter().map(|other| format!("\n{other}")).collect::<String>();
    let thrown = js_sys::Error::new(&format!("{}{others}", error.text));
    let fields = [
        ("file", error.file.as_deref().map_or(JsValue::NULL, JsValue::from_str)),
        ("line", error.line.map_or(JsValue::NULL, |line| JsValue::from_f64(f64::from(line)))),
    ];
    for (name, value) in fields {
        // Only a frozen object refuses a new field, and this one was just made.
        let _ = js_sys::Reflect::set(&thrown, &name.into(), &value);
    }
    thrown.into()
}
