//! The application: stores, keys, connectors, evidence readers, use cases.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod attestation;
pub mod backup;
pub mod blob;
pub mod changes;
pub mod clock;
pub mod connector;
pub mod desk;
pub mod durable;
pub mod error;
pub mod evidence;
pub mod export;
pub mod keyfile;
pub mod ledger;
pub mod lockout;
pub mod pin;
pub mod probe;
pub mod projection;
pub mod rollout;
pub mod store;
pub mod trust;
pub mod worker;
