//! The command line of Countersign.

pub mod demo;
