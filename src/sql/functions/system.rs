//! What a session is told about itself and its server.

use crate::sql::error::{Result, error, fail};
use crate::sql::types::text;
use crate::store::CommitSeq;
use crate::trace::Value;

use super::signature::{BOOL, INT4, INT8, Kind, NUMERIC, TEXT};
use super::{FunctionSpec, SystemEnv, pure, stable, string, volatile};

pub static FUNCTIONS: &[FunctionSpec] = &[
    stable("pg_backend_pid", &[], INT4, |env, _| Ok(Value::Int(env.session_number() + 1))),
    stable("current_setting", &[TEXT, BOOL], TEXT, |env, a| {
        env.current_setting(string(&a[0]), a.get(1) == Some(&Value::Bool(true)))
    })
    .optional(1),
    volatile("txid_current", &[], INT8, |env, _| Ok(Value::Int(env.assign_xid()))),
    volatile("pg_current_xact_id", &[], INT8, |env, _| Ok(Value::Int(env.assign_xid()))),
    volatile("pg_is_in_recovery", &[], BOOL, |env, _| Ok(Value::Bool(env.is_in_recovery()))),
    volatile("pg_current_wal_lsn", &[], TEXT, current_lsn),
    volatile("pg_last_wal_replay_lsn", &[], TEXT, |env, _| {
        Ok(if env.is_in_recovery() { text(&lsn(env.log_replayed())) } else { Value::Null })
    }),
    pure("pg_wal_lsn_diff", &[TEXT, TEXT], NUMERIC, |a| {
        Ok(Value::Numeric((lsn_bytes(string(&a[0]))? - lsn_bytes(string(&a[1]))?).into()))
    }),
    pure("version", &[], TEXT, |_| Ok(text("PostgreSQL 15 (2 AM playground)"))).by_settings(),
    pure("current_database", &[], TEXT, |_| Ok(text("app"))).by_settings(),
    pure("current_catalog", &[], TEXT, |_| Ok(text("app"))).by_settings(),
    stable("current_schema", &[], TEXT, |env, _| Ok(env.current_schema().map_or(Value::Null, text))),
    pure("current_user", &[], TEXT, |_| Ok(text("app"))).by_settings(),
    pure("current_role", &[], TEXT, |_| Ok(text("app"))).by_settings(),
    pure("session_user", &[], TEXT, |_| Ok(text("app"))).by_settings(),
    pure("user", &[], TEXT, |_| Ok(text("app"))).by_settings(),
    pure("pg_typeof", &[Kind::TypeName], TEXT, |a| Ok(a[0].clone())).by_settings(),
];

/// Where the log begins, and how much of it a commit takes.
const LOG_START: i64 = 0x150_0000;
const LOG_BYTES_PER_COMMIT: i64 = 0x70;

fn current_lsn(env: &mut dyn SystemEnv, _: &[Value]) -> Result<Value> {
    if env.is_in_recovery() {
        return fail("55000", "recovery is in progress");
    }
    Ok(text(&lsn(env.log_end())))
}

/// A place in the log as PostgreSQL writes it.
fn lsn(commit_seq: CommitSeq) -> String {
    let bytes = LOG_START + i64::from(commit_seq.number()) * LOG_BYTES_PER_COMMIT;
    format!("{:X}/{:X}", bytes >> 32, bytes & 0xFFFF_FFFF)
}

fn lsn_bytes(lsn: &str) -> Result<i64> {
    let halves = lsn.split_once('/');
    let parsed = halves.and_then(|(high, low)| {
        Some((i64::from(u32::from_str_radix(high, 16).ok()?) << 32) + i64::from(u32::from_str_radix(low, 16).ok()?))
    });
    parsed.ok_or_else(|| error("22P02", format!("invalid input syntax for type pg_lsn: \"{lsn}\"")))
}
