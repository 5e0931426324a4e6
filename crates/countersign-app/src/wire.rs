//! What windows and Rust say to each other: plain data, one module for each kind of screen.
//!
//! Ids, digests and sizes of files are strings, counts and entry indexes are `u32`, times are RFC 3339 in UTC. A sum type is
//! a tagged union (`kind`). Absent is `null`: no key is ever left out. Words for people are codes with data, of which the
//! windows' catalogue makes sentences; only text that is part of the record travels as text.
//!
//! The TypeScript of these types is generated, committed and held to them by a test of the shell.
//!
//! Deliberately absent: rules, and anything secret but the two requests of the signing window.

pub mod carried;
pub mod desk;
pub mod forms;
pub mod overview;
pub mod records;
pub mod release;
pub mod signing;
pub mod words;

pub use carried::*;
pub use desk::*;
pub use forms::*;
pub use overview::*;
pub use records::*;
pub use release::*;
pub use signing::*;
pub use words::*;
