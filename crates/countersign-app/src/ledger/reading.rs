//! Leaves parsed on as many threads as there are, a batch ahead of who takes them in.
//!
//! Checking a leaf's grammar and signature is the costly half of reading a ledger and depends on nothing but the leaf;
//! the other half, the rules, needs every entry before it.

use std::thread::{self, Scope, ScopedJoinHandle};

use countersign_core::admit::ParsedLeaf;

use crate::store::{SqliteStore, Store, StoreError};

/// How many leaves are read at once.
const BATCH: u64 = 1024;
/// Fewer leaves than this are not worth a thread.
const SHARE_MIN: usize = 64;

/// Hands each leaf of a span to `take`, in order, for as long as `goes_on` says so of how far it is; returns whether it
/// came to the end.
///
/// # Errors
/// The store cannot be read.
pub(super) fn each(
    store: &SqliteStore,
    span: std::ops::Range<u64>,
    goes_on: &mut dyn FnMut(u64) -> bool,
    mut take: impl FnMut(ParsedLeaf),
) -> Result<bool, StoreError> {
    let shares = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let mut ahead = Vec::new();
        let mut next = span.start;
        loop {
            let until = (next + BATCH).min(span.end);
            let begun = if next < until { parse(scope, store.read(next..until)?, shares) } else { Vec::new() };
            for share in std::mem::replace(&mut ahead, begun) {
                let parsed = share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                parsed.into_iter().for_each(&mut take);
            }
            if ahead.is_empty() {
                return Ok(true);
            }
            if !goes_on(next) {
                return Ok(false);
            }
            next = until;
        }
    })
}

fn parse<'scope>(
    scope: &'scope Scope<'scope, '_>,
    mut leaves: Vec<Vec<u8>>,
    shares: usize,
) -> Vec<ScopedJoinHandle<'scope, Vec<ParsedLeaf>>> {
    let share = leaves.len().div_ceil(shares).max(SHARE_MIN);
    let mut begun = Vec::new();
    while !leaves.is_empty() {
        let rest = leaves.split_off(share.min(leaves.len()));
        let mine = std::mem::replace(&mut leaves, rest);
        begun.push(scope.spawn(move || mine.into_iter().map(ParsedLeaf::new).collect()));
    }
    begun
}
