//! One test binary for the cross-crate tests.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bundle;
mod golden;
mod tidy;
