//! How a person proves to be there: a passphrase typed at each signing, or read from a file of their own.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use countersign_app::error::{Error, ErrorKind};
use countersign_app::keyfile;
use countersign_app::ledger::PassphraseSource;
use countersign_core::act::{Act, Reauth};
use countersign_core::admit::Statement;
use countersign_core::words::Principal;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::output::{self, Io};

/// Where a person may sit.
pub trait Terminal {
    /// Returns whether anybody can be asked.
    fn present(&self) -> bool;

    /// Asks for a secret, which is not shown while it is typed.
    ///
    /// # Errors
    /// Nothing was typed, or the terminal is gone.
    fn ask_secret(&mut self, question: &str) -> io::Result<Zeroizing<String>>;
}

/// The terminal of this process.
#[derive(Debug)]
pub(crate) struct Console;

impl Terminal for Console {
    fn present(&self) -> bool {
        io::stderr().is_terminal()
    }

    fn ask_secret(&mut self, question: &str) -> io::Result<Zeroizing<String>> {
        rpassword::prompt_password(question).map(Zeroizing::new)
    }
}

fn not_given(error: &io::Error) -> Error {
    Error::new(ErrorKind::No, "no_passphrase", format!("no passphrase was given, so nothing was signed: {error}"))
}

fn nobody_there() -> Error {
    Error::usage("nobody is there to type a passphrase").hint("run it in a terminal, or give --passphrase-file FILE")
}

/// Where the passphrase of a signature comes from, and what is shown before it is asked.
pub(crate) struct Presence<'a, 'io> {
    pub(crate) io: &'a mut Io<'io>,
    pub(crate) file: Option<PathBuf>,
    /// An SSH agent signs.
    pub(crate) agent: bool,
    /// What the statement alone does not say: the sheet in words, what changed since.
    pub(crate) about: String,
    /// How many entries there were when `about` was made of them.
    pub(crate) shown: Option<u64>,
    /// Whether the key is made now, so that a slip would lock its owner out.
    pub(crate) twice: bool,
}

impl PassphraseSource for Presence<'_, '_> {
    fn passphrase(&mut self, principal: &Principal, statement: &Statement) -> Result<Zeroizing<String>, Error> {
        if let Some(file) = &self.file {
            return in_file(file);
        }
        if !self.io.terminal.present() {
            return Err(nobody_there());
        }
        self.show(principal, statement)?;
        if self.twice {
            return ask_twice(self.io, &format!("the new key of {principal}"));
        }
        let question = format!("Passphrase of {principal}: ");
        self.io.terminal.ask_secret(&question).map_err(|error| not_given(&error))
    }

    fn show(&mut self, _: &Principal, statement: &Statement) -> Result<(), Error> {
        // Who is shown something signs with that, and with nothing that came after, seen.
        if self.shown.is_some_and(|size| size != statement.common.seen.size) {
            return Err(Error::new(ErrorKind::No, "moved", "others appended to the ledger while this was shown")
                .hint("look again; nothing was signed"));
        }
        // A script has no eyes; what an agent asks of its owner, the agent shows.
        if self.io.terminal.present() {
            output::note(self.io, &summary(statement, &self.about));
        }
        Ok(())
    }

    fn reauth(&self) -> Reauth {
        match (self.agent, &self.file) {
            (true, _) => Reauth::Agent,
            (false, Some(_)) => Reauth::File,
            (false, None) => Reauth::Prompt,
        }
    }
}

/// Reads a secret from a file that its owner alone can read.
pub(crate) fn in_file(path: &Path) -> Result<Zeroizing<String>, Error> {
    keyfile::read_passphrase_file(path).map_err(|error| {
        let error = Error::from(error);
        let name = path.display().to_string();
        let message = if error.message.contains(&name) { error.message } else { format!("{name}: {}", error.message) };
        Error { message, ..error }
    })
}

/// Asks for a passphrase that signs nothing but allows something on this desk.
pub(crate) fn ask(
    io: &mut Io<'_>,
    file: Option<&PathBuf>,
    who: &Principal,
    about: &str,
) -> Result<Zeroizing<String>, Error> {
    if let Some(file) = file {
        return in_file(file);
    }
    if !io.terminal.present() {
        return Err(nobody_there());
    }
    output::note(io, &format!("You are about to {about}"));
    io.terminal.ask_secret(&format!("Passphrase of {who}: ")).map_err(|error| not_given(&error))
}

/// Asks the owner of a new key for the passphrase it is to have.
pub(crate) fn ask_new(io: &mut Io<'_>, file: Option<&PathBuf>, who: &Principal) -> Result<Zeroizing<String>, Error> {
    if let Some(file) = file {
        return in_file(file);
    }
    if !io.terminal.present() {
        return Err(nobody_there().hint("run it in a terminal, or give --new-passphrase-file FILE"));
    }
    output::note(io, &format!("Hand the keyboard to {who}: they choose a passphrase that only they know."));
    ask_twice(io, &format!("the new key of {who}"))
}

fn ask_twice(io: &mut Io<'_>, what: &str) -> Result<Zeroizing<String>, Error> {
    let mut ask = |question: String| io.terminal.ask_secret(&question).map_err(|error| not_given(&error));
    let first = ask(format!("Passphrase for {what}: "))?;
    if first.is_empty() {
        return Err(Error::usage("an empty passphrase protects nothing; nothing was signed"));
    }
    let second = ask(format!("Again, for {what}: "))?;
    if first == second {
        Ok(first)
    } else {
        Err(Error::new(ErrorKind::No, "passphrases_differ", "the two passphrases differ; nothing was signed")
            .hint("run the command again"))
    }
}

/// Says what is about to be signed, by whom and when.
fn summary(statement: &Statement, about: &str) -> String {
    let common = &statement.common;
    let mut list: Vec<(&str, String)> = Vec::new();
    let act = statement.act.name();
    match &statement.act {
        Act::Approval(body) => {
            list.push(("act", "approval".into()));
            list.push(("answers", format!("{}, sha256:{}", body.request, body.request.leaf)));
            list.push(("verdict", output::said(body.verdict)));
            list.push(("role", body.role.to_string()));
            list.push(("meaning", body.meaning.to_string()));
            list.extend(body.conditions.iter().map(|condition| ("condition", condition.to_string())));
        }
        other => {
            list.push(("act", act.into()));
            if let Value::Object(fields) = other.to_json() {
                flatten(&fields, &mut list);
            }
        }
    }
    if let Some(reason) = &common.reason {
        list.push(("reason", reason.to_string()));
    }
    list.push(("signed by", format!("{} <{}>", common.signer.name, common.signer.principal)));
    list.push(("time", format!("{} ({}; {})", common.zone.wall_clock(common.time), common.zone, common.time)));
    list.push(("ledger", format!("{}, {} seen", common.seen.origin, output::count(common.seen.size, "entry"))));
    let about = if about.is_empty() { String::new() } else { format!("{}\n\n", about.trim_end()) };
    format!("{about}You are about to sign:\n{}\n", output::indented(&output::pairs(list)))
}

/// The fields of an act, as a person reads them.
fn flatten(fields: &serde_json::Map<String, Value>, list: &mut Vec<(&str, String)>) {
    for (name, value) in fields {
        let text = match value {
            Value::Object(inner) if inner.contains_key("to") || name == "change" || name == "person" => {
                let parts: Vec<String> =
                    inner.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect();
                parts.join("\n")
            }
            other => plain(other),
        };
        list.push((label(name), text));
    }
}

/// Returns a name that outlives the JSON it was read from.
fn label(name: &str) -> &'static str {
    countersign_core::act::ACTS
        .iter()
        .flat_map(|row| row.fields)
        .map(|(known, _)| *known)
        .find(|known| *known == name)
        .unwrap_or("field")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "-".to_owned(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
