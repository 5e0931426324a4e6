//! The built program in its real window: Xvfb, a D-Bus session of its own and WebKitWebDriver. Without these tools each
//! test says so and passes over; `make test` installs them where it can.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

mod carried;
mod driver;
mod emergency;
mod failures;
mod first_ledger;
mod first_release;
mod given;
mod grants;
mod hands;
#[path = "../it/harness.rs"]
#[allow(dead_code, reason = "the other suite uses all of it")]
mod harness;
mod instances;
mod keyboard;
mod opening;
mod refusals;
mod sample;
#[path = "../it/shop.rs"]
#[allow(dead_code, reason = "the other suite uses all of it")]
mod shop;
mod whole_job;
mod window;
