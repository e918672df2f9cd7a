//! Independent runs on all cores. Results keep the order of what they came from.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Python's frames live on the stack of the thread that runs it.
const STACK_BYTES: usize = 64 << 20;

pub fn spread<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync, done: impl Fn() + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(items.iter().map(|_| None).collect::<Vec<Option<R>>>());
    let cores = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let worker = || {
        while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < items.len()) {
            let result = work(&items[index]);
            results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
            done();
        }
    };
    thread::scope(|scope| {
        for _ in 0..cores {
            let started = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, worker);
            started.expect("the system gives a thread");
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|result| result.expect("every item was taken by one worker")).collect()
}
