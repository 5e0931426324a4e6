//! One test binary for the cross-crate tests.
#![allow(clippy::unwrap_used)]

mod keys;
mod store_contract;
mod store_faults;
