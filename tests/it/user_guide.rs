//! The user guide, run: each command of it, in order, by the built program at a real terminal, in an empty directory. What
//! is printed, and the exit code, must be what the guide shows.
//!
//! The guide's blocks tell by their info string what they are:
//!
//! | info string | what is done |
//! |---|---|
//! | `console` | each line after `$ ` is run; below it stands what it prints, and `[exit N]` where N is not 0 |
//! | `console elsewhere` | needs what is not here, as a CI server: each line must be one that the program understands |
//! | `LANGUAGE PATH` | the file PATH, written as it stands |
//!
//! In what is printed `…` stands for anything, as a line of its own for any number of lines. Digests, times, ids and the
//! numbers of entries differ from run to run: those of the guide stand for those of the run, each for the same one
//! throughout, also in the commands that use them. Where no prompt for a passphrase is shown, what is printed before the
//! last of them is left out. `COUNTERSIGN_GUIDE_TRANSCRIPT=FILE` keeps all that was typed and printed.

// The program that lends a terminal has other flags elsewhere.
#[cfg(target_os = "linux")]
mod shown;
#[cfg(target_os = "linux")]
mod terminal;

use std::collections::BTreeSet;
use std::fs;

use clap::CommandFactory as _;
use countersign_cli::Cli;
use countersign_core::policy::Policy;

use crate::harness::tests_directory;

/// Something the guide has its reader do.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Write { path: String, text: String },
    Run(Command),
    Elsewhere(Command),
}

/// A command, and what the guide says comes of it.
#[derive(Debug, PartialEq, Eq)]
struct Command {
    /// The line of the guide.
    at: usize,
    text: String,
    shown: Vec<String>,
    exit: i32,
}

fn guide() -> String {
    fs::read_to_string(tests_directory().join("../docs/user-guide.md")).unwrap()
}

fn steps(guide: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = guide.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: Vec<(usize, &str)> = lines.by_ref().take_while(|(_, line)| *line != "```").collect();
        let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
        match (language, rest) {
            ("console", "") => steps.extend(commands(&block).into_iter().map(Step::Run)),
            ("console", "elsewhere") => steps.extend(commands(&block).into_iter().map(Step::Elsewhere)),
            (_, "") => panic!("line {}: what is this block?", block[0].0),
            (_, path) => {
                let text: String = block.iter().map(|(_, line)| format!("{line}\n")).collect();
                steps.push(Step::Write { path: path.to_owned(), text });
            }
        }
    }
    steps
}

fn commands(block: &[(usize, &str)]) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut goes_on = false;
    for (at, line) in block {
        if let Some(text) = line.strip_prefix("$ ") {
            commands.push(Command { at: at + 1, text: text.to_owned(), shown: Vec::new(), exit: 0 });
        } else {
            let command = commands.last_mut().unwrap_or_else(|| panic!("line {}: no command is above it", at + 1));
            if goes_on {
                command.text = format!("{} {}", command.text.trim_end_matches('\\').trim_end(), line.trim_start());
            } else if let Some(exit) = line.strip_prefix("[exit ").and_then(|rest| rest.strip_suffix(']')) {
                command.exit = exit.parse().unwrap();
            } else {
                command.shown.push((*line).to_owned());
            }
        }
        goes_on = line.ends_with('\\');
    }
    commands
}

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

/// The full name of the program's command that a line of the guide gives, as `policy approve`.
fn named(command: &Command) -> String {
    let line = command.text.split(" | ").next().unwrap_or_default();
    let matches = Cli::command().try_get_matches_from(split(line));
    let matches = matches.unwrap_or_else(|error| panic!("line {}: {line}: {error}", command.at));
    let (mut name, mut inner) = (String::new(), &matches);
    while let Some((next, deeper)) = inner.subcommand() {
        name = format!("{name} {next}");
        inner = deeper;
    }
    name
}

/// Every command of the program that does something.
fn all_commands(command: &clap::Command, name: &str, all: &mut BTreeSet<String>) {
    let mut groups = command.get_subcommands().filter(|inner| inner.get_name() != "help").peekable();
    if groups.peek().is_none() {
        all.insert(name.to_owned());
    }
    for inner in groups {
        all_commands(inner, &format!("{name} {}", inner.get_name()), all);
    }
}

#[test]
fn the_guide_leaves_no_command_out_and_shows_none_that_is_not_there() {
    let steps = steps(&guide());
    let shown: BTreeSet<String> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Run(command) | Step::Elsewhere(command) => Some(command),
            Step::Write { .. } => None,
        })
        .filter(|command| command.text.starts_with("countersign ") && command.exit != 2)
        .map(named)
        .collect();
    let mut all = BTreeSet::new();
    all_commands(&Cli::command(), "", &mut all);
    let missing: Vec<&String> = all.difference(&shown).collect();
    assert!(missing.is_empty(), "the guide never shows {missing:?}");
    let ran = steps.iter().filter(|step| matches!(step, Step::Run(_))).count();
    let elsewhere = steps.iter().filter(|step| matches!(step, Step::Elsewhere(_))).count();
    assert!(ran > 4 * elsewhere, "{ran} commands are run, {elsewhere} are not");
}

#[test]
fn the_policies_of_the_guide_are_lawful() {
    let mut modes = Vec::new();
    for step in steps(&guide()) {
        if let Step::Write { path, text } = step
            && path.starts_with("policy")
        {
            modes.push(Policy::parse(&text).unwrap_or_else(|error| panic!("{path}: {error}")).mode.as_str());
        }
    }
    assert_eq!(modes, ["continuous-delivery", "continuous-deployment"]);
}

#[cfg(target_os = "linux")]
#[test]
fn every_command_of_the_guide_does_what_the_guide_shows() {
    use std::path::Path;

    use self::shown::Names;

    let walk = terminal::Walk::begin();
    let mut names = Names::new(walk.given());
    let (mut wrong, mut transcript) = (Vec::new(), String::new());
    for step in steps(&guide()) {
        match step {
            Step::Write { path, text } => walk.write(Path::new(&path), &names.in_text(&text)),
            Step::Run(command) => {
                let line = names.in_text(&command.text);
                let (exit, printed) = walk.run(&line);
                transcript.push_str(&format!("$ {line}\n{printed}[exit {exit}]\n\n"));
                let printed = shown::without_prompts(&printed, &command.shown);
                if let Err(why) = names.compare(&command.shown, &printed) {
                    wrong.push(format!("line {}: $ {line}\n{why}\n{}", command.at, printed.join("\n")));
                }
                if exit != command.exit {
                    wrong.push(format!("line {}: $ {line}\nexit {exit}, not {}", command.at, command.exit));
                    // What follows stands on it.
                    break;
                }
            }
            Step::Elsewhere(_) => {}
        }
    }
    if let Some(file) = std::env::var_os("COUNTERSIGN_GUIDE_TRANSCRIPT") {
        fs::write(file, transcript).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn blocks_are_read_as_they_are_meant() {
    let text = "a\n```console\n$ one \\\n    two\nout\n[exit 3]\n$ three\n```\n```sh x.sh\necho\n```\n";
    let run = |at, text: &str, shown: &[&str], exit| {
        let shown = shown.iter().map(|line| (*line).to_owned()).collect();
        Step::Run(Command { at, text: text.to_owned(), shown, exit })
    };
    let file = Step::Write { path: "x.sh".to_owned(), text: "echo\n".to_owned() };
    assert_eq!(steps(text), [run(3, "one two", &["out"], 3), run(7, "three", &[], 0), file]);
    assert_eq!(split("a 'b c' \"d 'e\" ''"), ["a", "b c", "d 'e", ""]);
}
