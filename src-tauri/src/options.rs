//! What the program is started with.

use std::path::PathBuf;

use clap::Parser;

const ABOUT: &str =
    "Release control for regulated companies: the window over a ledger of releases and signed approvals.

It shows what needs you, what is live and what blocks, and has its own small window for signing. The command line
`countersign` works on the same ledger at the same time.";

const EXAMPLES: &str = "Examples:
  countersign-desktop
  countersign-desktop --ledger ~/ledger
  countersign-desktop --sample
  countersign-desktop countersign://inbox
  countersign-desktop pump-4.2.0.csreq";

/// The command line of the window.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "countersign-desktop", version, about = ABOUT, after_help = EXAMPLES, term_width = 100)]
pub(crate) struct Options {
    /// The directory of the ledger to open; the one opened last when not said
    #[arg(long, value_name = "DIR", env = "COUNTERSIGN_LEDGER")]
    pub(crate) ledger: Option<PathBuf>,
    /// Open a sample ledger, made at the first time: made-up people, passphrases shown, nothing real
    #[arg(long, conflicts_with = "ledger")]
    pub(crate) sample: bool,
    /// Keep all that belongs to this user below DIR and share nothing with other windows: for tests
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Answer native dialogs from a file, one JSON value a line, a path or true or false: for tests
    #[arg(long, value_name = "FILE", requires = "data_dir")]
    pub(crate) dialog_answers: Option<PathBuf>,
    /// Where to go: countersign://inbox, countersign://release/ID, countersign://audit/N or countersign://sign/ID; or a
    /// request to sign, FILE.csreq
    #[arg(value_name = "LINK")]
    pub(crate) link: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_example_is_understood() {
        Options::command().debug_assert();
        let examples: Vec<_> = EXAMPLES.lines().skip(1).collect();
        assert!(examples.len() >= 3);
        for example in examples {
            Options::try_parse_from(example.split_whitespace()).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }

    #[test]
    fn answers_of_dialogs_come_from_a_file_only_beside_a_data_directory() {
        let alone = Options::try_parse_from(["countersign-desktop", "--dialog-answers", "answers"]);
        assert!(alone.is_err());
        let tested = Options::try_parse_from(["countersign-desktop", "--data-dir", "d", "--dialog-answers", "answers"]);
        assert!(tested.unwrap().dialog_answers.is_some());
    }
}
