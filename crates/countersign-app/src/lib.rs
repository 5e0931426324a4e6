//! app
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod attestation;
pub mod connector;
