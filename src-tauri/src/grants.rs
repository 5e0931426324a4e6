//! The names of all commands; read by the build script too, so it holds nothing else.

/// Every command there is. A window may call those its capability file grants, and no other.
pub const NAMES: &[&str] = &["about"];
