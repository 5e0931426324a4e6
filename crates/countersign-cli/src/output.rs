//! What is printed, and how: the one place that writes to the streams.

use std::io::Write;
use std::path::PathBuf;

use countersign_app::error::{Error, ErrorKind};
use countersign_app::evidence::visible_lines;
use countersign_core::act::Verdict;
use countersign_core::words::EntryRef;
use serde::Serialize;
use serde_json::{Value, json};

use crate::presence::Terminal;

/// The streams and the terminal of one run.
pub struct Io<'a> {
    /// Answers.
    pub stdout: &'a mut (dyn Write + Send),
    /// Errors, and what goes on meanwhile.
    pub stderr: &'a mut (dyn Write + Send),
    /// Where a person may sit.
    pub terminal: &'a mut dyn Terminal,
    /// The desk's home in place of the environment's.
    pub home: Option<PathBuf>,
}

impl std::fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Io").field("home", &self.home).finish_non_exhaustive()
    }
}

/// What a command answers: for scripts, for people, and as an exit code.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) json: String,
    pub(crate) text: String,
    pub(crate) code: u8,
    /// Printed byte for byte, with nothing before or after it.
    pub(crate) verbatim: bool,
}

impl Answer {
    /// Returns an answer that says yes.
    pub(crate) fn new(json: impl Serialize, text: impl Into<String>) -> Self {
        let json = pretty(&json);
        Self { json, text: text.into(), code: 0, verbatim: false }
    }

    /// Returns the answer with another exit code.
    pub(crate) fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Returns what is said once an entry is recorded.
    pub(crate) fn recorded(entry: EntryRef, text: impl Into<String>, more: Value) -> Self {
        let mut json = json!({"entry": entry});
        if let (Value::Object(all), Value::Object(more)) = (&mut json, more) {
            all.extend(more);
        }
        let text = text.into();
        let (first, rest) = text.split_once('\n').map_or((text.as_str(), None), |(first, rest)| (first, Some(rest)));
        let text = match rest {
            Some(rest) => format!("{first} (entry {})\n{rest}", entry.index),
            None => format!("{first} (entry {})", entry.index),
        };
        Self::new(json, text)
    }
}

/// An error for scripts.
#[derive(Serialize)]
struct Failed<'a> {
    error: Failure<'a>,
}

#[derive(Serialize)]
struct Failure<'a> {
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

fn pretty(json: &impl Serialize) -> String {
    serde_json::to_string_pretty(json).expect("answers hold only strings, numbers, lists and maps with text keys")
}

/// Prints an answer or an error and returns the exit code.
pub(crate) fn give(answer: Result<Answer, Error>, json: bool, io: &mut Io<'_>) -> u8 {
    let (written, code) = match answer {
        Ok(answer) if answer.verbatim && !json => (write(io.stdout, &answer.text), answer.code),
        Ok(answer) if json => (write(io.stdout, &format!("{}\n", answer.json)), answer.code),
        Ok(answer) => (write(io.stdout, &shown(&answer.text)), answer.code),
        Err(error) => {
            let text = if json {
                let Error { code, message, hint, .. } = &error;
                format!("{}\n", pretty(&Failed { error: Failure { code, message, hint: hint.as_deref() } }))
            } else {
                let hint = error.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
                shown(&format!("error: {}{hint}", error.message))
            };
            (write(io.stderr, &text), error.kind.exit_code())
        }
    };
    // A reader who has gone away, as `head` does, has read enough; a full disk has not been told.
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => 3,
        _ => code,
    }
}

/// Prints what `--help` and `--version` ask for.
pub(crate) fn help(asked: &clap::Error, io: &mut Io<'_>) -> u8 {
    let _ = write(io.stdout, &asked.render().to_string());
    0
}

/// Prints the help of a group whose command is missing; it goes where errors go.
pub(crate) fn help_in_place_of_a_command(asked: &clap::Error, io: &mut Io<'_>) -> u8 {
    let _ = write(io.stderr, &asked.render().to_string());
    ErrorKind::Usage.exit_code()
}

/// Prints what goes on meanwhile.
pub(crate) fn note(io: &mut Io<'_>, text: &str) {
    // What cannot be shown here is in the ledger all the same.
    let _ = write(io.stderr, &shown(text));
}

fn write(stream: &mut (dyn Write + Send), text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Returns text that ends in one line feed and cannot deceive a terminal.
fn shown(text: &str) -> String {
    let text = text.trim_end_matches('\n');
    if text.is_empty() { String::new() } else { format!("{}\n", visible_lines(text)) }
}

/// Lays rows out in columns under headings.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut text = line(&headings.map(str::to_owned));
    for row in rows {
        text.push('\n');
        text.push_str(&line(row));
    }
    text
}

/// Lays names and values out, one pair a line.
pub(crate) fn pairs<'a>(list: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let list: Vec<(&str, String)> = list.into_iter().collect();
    let width = list.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = list
        .into_iter()
        .map(|(name, value)| {
            let value = value.replace('\n', &format!("\n{:width$}  ", ""));
            format!("{name:<width$}  {value}").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

/// Returns a list of words, or a dash where there is none.
pub(crate) fn words<T: ToString>(list: impl IntoIterator<Item = T>) -> String {
    let list: Vec<String> = list.into_iter().map(|word| word.to_string()).collect();
    if list.is_empty() { "-".to_owned() } else { list.join(", ") }
}

/// Returns a number with the noun it counts: `1 commit`, `2 commits`, `1 entry`, `2 entries`.
pub(crate) fn count(number: impl Into<u64>, noun: &str) -> String {
    let number = number.into();
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}

/// Returns a verdict as people say it: `GO`, `NO-GO`, `HOLD`, `CONDITIONAL GO`.
pub(crate) fn said(verdict: Verdict) -> String {
    match verdict {
        Verdict::ConditionalGo => "CONDITIONAL GO".to_owned(),
        other => other.as_str().to_uppercase(),
    }
}

/// Returns the value, or a dash where there is none.
pub(crate) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Moves each line of a text to the right.
pub(crate) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["é".to_owned(), "b".to_owned()], ["longer".to_owned(), String::new()]];
        assert_eq!(table(["A", "B"], &rows), "A       B\né       b\nlonger");
        assert_eq!(pairs([("a", "1\n2".to_owned()), ("bc", "3".to_owned())]), "a   1\n    2\nbc  3");
    }

    #[test]
    fn nothing_printed_can_move_the_cursor() {
        assert_eq!(shown("red \u{1b}[31m\n\n"), "red \\u{1b}[31m\n");
        assert_eq!(shown(""), "");
    }
}
