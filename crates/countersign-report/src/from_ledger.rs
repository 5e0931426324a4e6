//! The report of a ledger: [`crate::model::Report`] from a [`countersign_core::state::State`] and its leaves.
//!
//! Being written on the branch `mapping`; the command line only calls [`report`].
