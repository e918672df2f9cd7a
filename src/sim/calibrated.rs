//! Constants of the cost model that are fitted to measurements. Written by `twoam calibrate --write`, not by hand.
//!
//! PostgreSQL 15.18, Intel Xeon Processor, 2 cores, 25 GB of memory, 2026-11-21.
//!
//! | processor time of | measured | by the constants |
//! | --- | ---: | ---: |
//! | a statement without a table | 10.1 us | 12.9 us |
//! | a row by its key | 20.8 us | 13.2 us |
//! | 10 rows by an index | 21.4 us | 15.8 us |
//! | 100 rows by an index | 39.4 us | 41.7 us |
//! | 2,000 rows passed over | 122.0 us | 130.4 us |
//! | 20,000 rows passed over | 1281.5 us | 1188.2 us |
//! | a row changed | 28.7 us | 22.6 us |
//! | a row added | 19.5 us | 22.3 us |

use crate::trace::Micros;

/// Taking in, starting and ending a short statement.
pub const STATEMENT_US: f64 = 12.904;

/// One row found by an index.
pub const ROW_BY_INDEX_US: f64 = 0.288;

/// One row passed over by reading a whole table.
pub const ROW_BY_SCAN_US: f64 = 0.059;

/// One row version written, with its index entries and log record.
pub const ROW_WRITTEN_US: f64 = 9.437;

/// A commit's own work before the log is flushed.
pub const COMMIT_US: Micros = 207;

/// Until the log is on disk. No core is held meanwhile, and commits that wait together are flushed together.
pub const FLUSH_US: Micros = 1732;

/// One turn of the handler's event loop: psycopg sends a statement and parses its result under CPython.
pub const TURN_CPU_US: Micros = 78;
