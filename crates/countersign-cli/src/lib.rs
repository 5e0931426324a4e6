//! The command line of Countersign: flags in, use cases of `countersign-app`, words or JSON out.
//!
//! [`run`] is the whole program but its process: arguments, streams and the terminal are handed in, so that a test is a
//! user like any other. Nothing is decided here, and nothing but [`output`] prints.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | yes: it is done, or it is so |
//! | 1 | the answer is no: a rule refuses, a check is red |
//! | 2 | the request makes no sense |
//! | 3 | it cannot be done here and now: network, disk, lock |
//! | 4 | what is there is not what it should be |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arguments;
mod audit;
mod commands;
pub mod demo;
mod moments;
mod output;
mod presence;
mod session;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use countersign_app::error::Error;

pub use arguments::Cli;
pub use output::Io;
pub use presence::Terminal;

/// Runs the program on this process's arguments, streams and terminal.
pub fn main() -> ExitCode {
    log_to_stderr();
    let (mut stdout, mut stderr) = (std::io::stdout(), std::io::stderr());
    let mut terminal = presence::Console;
    let mut io = Io { stdout: &mut stdout, stderr: &mut stderr, terminal: &mut terminal, home: None };
    ExitCode::from(run(std::env::args_os(), &mut io))
}

/// Shows what `COUNTERSIGN_LOG` asks for, as `countersign_app=debug`; nothing when it is not set.
fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    if let Ok(filter) = EnvFilter::try_from_env("COUNTERSIGN_LOG") {
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).finish();
        // Only the first subscriber of a process is taken, and this is the first.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}

/// Runs one command and returns its exit code. The first argument is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match Cli::try_parse_from(&arguments) {
        Ok(cli) => {
            let json = cli.globals.json;
            let answer = commands::run(cli, io);
            output::give(answer, json, io)
        }
        Err(error) => {
            let json = arguments.iter().any(|argument| argument == "--json");
            // Where a variable names the ledger, clap takes that for an argument and does not show the help by itself.
            let missing = error.kind() == ErrorKind::MissingSubcommand;
            let error = if missing { help_of(&arguments).unwrap_or(error) } else { error };
            let help = missing || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
            if !help && !error.use_stderr() {
                output::help(&error, io)
            } else if help && !json {
                output::help_in_place_of_a_command(&error, io)
            } else if help {
                let missing = Error::usage("the command is missing").hint("`--help` shows the commands");
                output::give(Err(missing), json, io)
            } else {
                output::give(Err(usage(&error)), json, io)
            }
        }
    }
}

/// Returns the help of the group whose command is missing.
fn help_of(arguments: &[OsString]) -> Option<clap::Error> {
    let asked = arguments.iter().filter(|argument| *argument != "--json").cloned().chain(["--help".into()]);
    Cli::try_parse_from(asked).err()
}

/// Returns what clap found wrong, as every other error is told.
fn usage(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let lines = rest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains("try '--help'"));
    let hint: Vec<String> = lines.map(|line| line.replacen("tip: ", "", 1).replacen("Usage: ", "usage: ", 1)).collect();
    let hint = if hint.is_empty() { "`--help` shows examples".to_owned() } else { hint.join("\n      ") };
    Error::usage(message.trim().to_owned()).hint(hint)
}
