//! What windows ask, asked without a window: every screen of the sample, and what a page cannot make Rust sign.

mod given;
mod sample;
mod signing;
