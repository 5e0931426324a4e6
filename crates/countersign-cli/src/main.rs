//! `countersign`: release control on a command line.
fn main() {}
