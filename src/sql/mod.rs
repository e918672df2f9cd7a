//! Sessions: SQL text in, rows or an error or a wait out. It never waits itself and has no clock: the caller says what time it is.
//!
//! # The life of a SELECT
//!
//! 1. `Database::execute` is given a text, its parameters and the time. `prepared` looks whether the text is known: then steps 2 to 6
//!    are those of the last time, as long as the types of the parameters, the catalog and what the plan assumed are the same.
//! 2. `parser` makes statements of it: PostgreSQL's grammar, an AST of our own. An error anywhere fails the whole text. What
//!    PostgreSQL takes and this engine does not is `Statement::Refused`, which fails when its turn comes.
//! 3. `session` takes the statements one after the other. It begins a transaction where none is open, and knows what may run in one
//!    that has failed.
//! 4. `binder` resolves names against the catalog and gives every expression its type (`BoundStatement`). A literal of unknown type
//!    becomes what stands beside it; a function is looked up with the types of its arguments.
//! 5. `optimizer` rewrites it by its `PASSES`: columns of a subquery that nobody reads are dropped, constants are computed, outer
//!    joins whose NULLs no condition lets through become inner ones.
//! 6. `planner` chooses an access path for each table and an order and method for each join (`PlanNode`), all by `planner::cost`;
//!    grouping, windows, sorting and row locks stand above. What it assumed of a table's size is kept: another size makes another
//!    plan.
//! 7. The statement's tables are locked, then its snapshot is taken: the transaction's own from REPEATABLE READ on.
//! 8. `executor` runs the plan: each node hands its rows to a sink, so that LIMIT stops the scan below it. What is read is told as events
//!    and, under SERIALIZABLE, to the store's read/write dependencies.
//! 9. FOR UPDATE locks the row in the store. Is another transaction on it, the statement stops with `Wait`; all it has written is
//!    undone. The session is taken up again by `resume` once the lock is granted.
//! 10. A row that changed meanwhile is read in its newest version and tested again (READ COMMITTED), or the statement fails with
//!     40001. Everything else it sees as of its snapshot.
//! 11. The rows go out as a `QueryResult`, with the events for the trace. Outside a transaction block the statement commits.
//!
//! INSERT, UPDATE and DELETE (`executor::write`) find their rows by such a plan, then lock, test, write, check constraints and
//! answer RETURNING; CREATE, ALTER and DROP (`executor::ddl`) take the table for themselves. EXPLAIN (`explain`) prints the plan
//! of step 6, `Database::plan_steps` also what came before it.
//!
//! Questions to the system's own tables (`system`) are answered by GlueSQL, which reads them in its own grammar. Statements over the
//! user's tables are not, for GlueSQL 0.20 answers them otherwise than PostgreSQL: `decimal = 20` is never true, `NOT IN (…, NULL)`
//! is true, `7 / 2` is 3.5, an integer that overflows becomes a float, a join on a key and an UPDATE by key read the whole table,
//! and a row that somebody else has locked cannot be waited for.

pub mod bench;
mod binder;
mod budget;
mod catalog;
mod database;
mod error;
mod executor;
mod explain;
mod expr;
mod functions;
mod optimizer;
mod outcome;
mod parser;
mod plan;
mod planner;
mod session;
mod settings;
mod system;
mod types;

pub use database::{Database, LogPosition, PlanStep, Reads, Settings, rewrites, statements};
pub use outcome::{DeadlockCheck, EngineEvent, Outcome, Progress, READS_TOLD, Wait};
pub use session::in_work::statement_in_work;
pub use session::{Footprint, footprint};
