//! The built program in its real window: Xvfb, a D-Bus session of its own and WebKitWebDriver. Without these tools each
//! test says so and passes over; `make test` installs them where it can.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod driver;
mod failures;
mod first_ledger;
mod first_release;
mod given;
mod grants;
mod instances;
mod keyboard;
mod opening;
mod sample;
mod window;
