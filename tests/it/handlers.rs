//! What windows ask, asked without a window: every screen of the sample, two people who sign, and what a page cannot do.

mod appointing;
mod given;
mod job;
mod sample;
mod signing;
