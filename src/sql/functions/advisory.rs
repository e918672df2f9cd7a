//! Advisory locks.

use crate::sql::error::Result;
use crate::sql::types::text;
use crate::store::AdvisoryKey;
use crate::store::Mode::{self, Exclusive, Share};
use crate::trace::Value;

use super::signature::{BOOL, INT4, INT8, VOID};
use super::{FunctionSpec, SystemEnv, int, volatile};

/// Each with its key as one number and as two.
macro_rules! of_keys {
    ($($name:literal => $returns:expr, $call:expr;)*) => {
        &[
            $(volatile($name, &[INT8], $returns, $call), volatile($name, &[INT4, INT4], $returns, $call),)*
            volatile("pg_advisory_unlock_all", &[], VOID, |env, _| {
                env.advisory_unlock_all();
                Ok(text(""))
            }),
        ]
    };
}

pub static FUNCTIONS: &[FunctionSpec] = of_keys! {
    "pg_advisory_lock" => VOID, |env, a| wait(env, a, Exclusive, false);
    "pg_advisory_lock_shared" => VOID, |env, a| wait(env, a, Share, false);
    "pg_advisory_xact_lock" => VOID, |env, a| wait(env, a, Exclusive, true);
    "pg_advisory_xact_lock_shared" => VOID, |env, a| wait(env, a, Share, true);
    "pg_try_advisory_lock" => BOOL, |env, a| try_lock(env, a, Exclusive, false);
    "pg_try_advisory_lock_shared" => BOOL, |env, a| try_lock(env, a, Share, false);
    "pg_try_advisory_xact_lock" => BOOL, |env, a| try_lock(env, a, Exclusive, true);
    "pg_try_advisory_xact_lock_shared" => BOOL, |env, a| try_lock(env, a, Share, true);
    "pg_advisory_unlock" => BOOL, |env, a| unlock(env, a, Exclusive);
    "pg_advisory_unlock_shared" => BOOL, |env, a| unlock(env, a, Share);
};

fn key(a: &[Value]) -> AdvisoryKey {
    match a {
        [one] => AdvisoryKey::One(int(one)),
        _ => AdvisoryKey::Two(int(&a[0]) as i32, int(&a[1]) as i32),
    }
}

fn wait(env: &mut dyn SystemEnv, a: &[Value], mode: Mode, transaction: bool) -> Result<Value> {
    env.advisory_lock(key(a), mode, transaction, true).map(|_| text(""))
}

fn try_lock(env: &mut dyn SystemEnv, a: &[Value], mode: Mode, transaction: bool) -> Result<Value> {
    env.advisory_lock(key(a), mode, transaction, false).map(Value::Bool)
}

fn unlock(env: &mut dyn SystemEnv, a: &[Value], mode: Mode) -> Result<Value> {
    let held = env.advisory_unlock(key(a), mode);
    if !held {
        let kind = if mode == Exclusive { "ExclusiveLock" } else { "ShareLock" };
        env.notice("WARNING", "01000", format!("you don't own a lock of type {kind}"));
    }
    Ok(Value::Bool(held))
}
