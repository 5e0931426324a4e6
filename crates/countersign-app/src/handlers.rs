//! What windows ask: each handler is a plain function of the host and a request.
//!
//! Handlers read what the ledger says and put it into the words of [`crate::wire`]; they compose drafts, hold what is to be
//! signed, and keep long acts going. Any shell may call them: the desktop shell makes one command of each, tests call them
//! directly.
//!
//! Deliberately absent: rules and conclusions (the core has them), words for people (the windows' catalogue has them), and
//! anything of a window system.

pub mod audit;
pub mod carried;
pub mod connectors;
pub mod desk;
pub mod forms;
pub mod overview;
pub mod people;
pub mod products;
pub mod quorum;
pub mod release;
pub mod rollout;
pub mod signing;

mod appointing;
mod board;
mod changes;
mod drafts;
mod events;
mod evidence;
mod host;
mod inbox;
mod intents;
mod jobs;
mod notices;
mod places;
mod sheet;
mod show;
mod statement;

pub use host::{Host, HostEvent, HostOptions, NoReports, Reports};
pub use notices::{Notice, NoticeKind};
pub use show::app_error;
