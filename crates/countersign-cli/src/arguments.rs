//! Every command and flag, and the help that goes with them.
//!
//! Each command's help ends in examples; a test parses every one of them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use countersign_core::words::{Principal, Text};

use crate::commands::{
    authorization, backup, carry, connector, demo, device, due, evidence, export, freeze, hold, init, meeting, person,
    policy, product, quorum, record, release, report, request, rollout, sign, status, target, verify, waiver,
};

const ABOUT: &str = "Release control for regulated companies: propose, prove, sign, deploy, report.

Every act is a signed entry of a ledger that anybody can verify without this program.
Exit codes: 0 yes, 1 the answer is no, 2 usage, 3 cannot (network, disk, lock), 4 integrity.";

const EXAMPLES: &str = "Examples:
  countersign demo --dir ~/countersign-demo
  countersign --ledger ~/ledger init --title 'Acme releases' --name 'Olga Brandt' \\
      --principal olga@acme.example --reason 'we begin'
  countersign --ledger ~/ledger status";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about = ABOUT, after_help = EXAMPLES, term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    /// The directory of the ledger
    #[arg(long, global = true, value_name = "DIR", env = "COUNTERSIGN_LEDGER")]
    pub(crate) ledger: Option<PathBuf>,
    /// Answer as JSON: one object or list on standard output, errors as JSON on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Who signs; the only person whose key is on this desk, when not said
    #[arg(long = "as", global = true, value_name = "PRINCIPAL")]
    pub(crate) signer: Option<Principal>,
    /// Why: stands beside the signature in the record
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) reason: Option<Text>,
    /// Read the passphrase from a file only you can read (0600); the signature says so, and a policy may refuse it
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Have your SSH agent sign, which holds your key; the signature says so, and only where a policy accepts it
    #[arg(long, global = true, conflicts_with = "passphrase_file")]
    pub(crate) agent: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Begin a ledger
    Init(init::Init),
    /// People, their keys and roles
    #[command(subcommand)]
    Person(person::Person),
    /// Machines that sign what they observe and dispatch
    #[command(subcommand)]
    Device(device::Device),
    /// Products and their promotion paths
    #[command(subcommand)]
    Product(product::Product),
    /// Where and how an environment of a product is reached
    #[command(subcommand)]
    Target(target::Target),
    /// What a product asks of a release
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Standing authorizations: who signs in Continuous Deployment
    #[command(subcommand)]
    Authorization(authorization::Authorization),
    /// Times in which nothing is dispatched
    #[command(subcommand)]
    Freeze(freeze::Freeze),
    /// CI systems and local commands this desk may use
    #[command(subcommand)]
    Connector(connector::Connector),
    /// Release candidates
    #[command(subcommand)]
    Release(release::Release),
    /// What speaks for or against a release
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    /// Let a release pass one gate all the same
    Waiver(waiver::Waiver),
    /// Deliver a candidate to the environment before the go/no-go
    Stage(rollout::Stage),
    /// Freeze the decision sheet and ask for signatures
    Request(request::Request),
    /// Answer a decision sheet: GO, NO-GO, HOLD or CONDITIONAL GO
    Sign(sign::Sign),
    /// Go/no-go meetings: the roll is called, and each seat answers
    #[command(subcommand)]
    Meeting(meeting::Meeting),
    /// Sign-offs that travel: a request leaves as a file, is answered on another desk, and comes back
    #[command(subcommand)]
    Carry(carry::Carry),
    /// Stop a release, or let it go on
    Hold(hold::Hold),
    /// Send the next wave of a signed release out and watch it
    Dispatch(rollout::Dispatch),
    /// Have a run that is under way stopped
    Cancel(rollout::Cancel),
    /// Take a rollout back to what was live before
    Rollback(rollout::Rollback),
    /// Do all that is due and nobody has to start
    Worker(rollout::Worker),
    /// Who can still complete a sign-off, and what one more signature would leave missing
    Quorum(quorum::Quorum),
    /// What ends, or is to be done, by a certain day: keys, roles, training, waivers, sheets, reviews
    Due(due::Due),
    /// Where things stand, what blocks and who can clear it
    Status(status::Status),
    /// What is put on record afterwards: corrections, paper records, files that must not stay
    #[command(subcommand)]
    Record(record::Record),
    /// Check a ledger, or a bundle without any ledger
    Verify(verify::Verify),
    /// Write a bundle that an auditor verifies without us
    Export(export::Export),
    /// Write the audit report
    Report(report::Report),
    /// Copy the ledger, verified
    Backup(backup::Backup),
    /// Bring a backup back into a new directory
    Restore(backup::Restore),
    /// Delete what is derived from the ledger and derive it again
    Rebuild(backup::Rebuild),
    /// Walk the whole job once on this machine, in a sample ledger
    Demo(demo::Demo),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Splits a line as a shell does, without expanding anything.
    fn split(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
        for c in line.chars() {
            match (c, quote) {
                ('\'' | '"', None) => (quote, any) = (Some(c), true),
                (c, Some(open)) if c == open => quote = None,
                (' ', None) => {
                    if any || !word.is_empty() {
                        words.push(std::mem::take(&mut word));
                    }
                    any = false;
                }
                (c, _) => word.push(c),
            }
        }
        if any || !word.is_empty() {
            words.push(word);
        }
        words
    }

    /// Calls `check` with every command, each with its full name.
    fn each(command: &clap::Command, name: &str, check: &mut dyn FnMut(&clap::Command, &str)) {
        check(command, name);
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            each(inner, &format!("{name} {}", inner.get_name()), check);
        }
    }

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples_and_each_of_them_parses() {
        let mut checked = 0;
        each(&Cli::command(), "countersign", &mut |command, name| {
            let is_group = command.has_subcommands() && name != "countersign";
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            if is_group && help.is_empty() {
                return;
            }
            assert!(help.lines().all(|line| line.len() <= 98), "{name}: an example is too wide:\n{help}");
            let help = help.replace(" \\\n      ", " ");
            let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  countersign ")).collect();
            assert!((1..=3).contains(&examples.len()), "{name} shows {} examples", examples.len());
            for example in examples {
                let (command, _) = example.split_once(" > ").unwrap_or((example, ""));
                let words = ["countersign".to_owned()].into_iter().chain(split(command));
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{name}: {example}: {error}");
                }
                if name != "countersign" {
                    let own: Vec<&str> = name.split(' ').skip(1).collect();
                    assert!(example.contains(&own.join(" ")), "{name} shows another command: {example}");
                }
                checked += 1;
            }
        });
        assert!(checked > 50, "{checked} examples were checked");
    }

    #[test]
    fn every_flag_says_what_it_is() {
        each(&Cli::command(), "countersign", &mut |command, name| {
            assert!(command.get_about().is_some(), "{name} says nothing about itself");
            for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
                assert!(argument.get_help().is_some(), "{name}: {} says nothing", argument.get_id());
            }
        });
    }
}
