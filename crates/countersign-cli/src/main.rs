//! `countersign`: release control on a command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_cli::main()
}
