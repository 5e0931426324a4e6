//! One test binary for the cross-crate tests.
