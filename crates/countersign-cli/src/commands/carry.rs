//! `carry`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_app::carry::{self, Opened};
use countersign_app::clock;
use countersign_app::error::{Error, ErrorKind};
use countersign_app::people::Signing;
use countersign_app::releases::{self, Answer as Said};
use countersign_app::status;
use countersign_core::act::{ACCOUNTABILITY_TEXT, Act, Meaning, Verdict};
use countersign_core::hash::Digest;
use countersign_core::words::{Principal, ReleaseId, Slug, Text};
use serde_json::json;

use crate::commands::status as status_command;
use crate::output::{self, Answer, indented};
use crate::presence::{self, Presence};
use crate::session::{Session, new_file};

/// Sign-offs that travel: a request leaves as one file, is answered on another desk, and the answer comes back.
#[derive(Debug, Subcommand)]
pub(crate) enum Carry {
    /// Write the request of a release: its decision sheet, and the proofs of all it rests on
    #[command(after_help = "Examples:
  countersign --ledger ./ledger carry request pump-4.2.0 --out pump-4.2.0.csreq")]
    Request {
        /// The release
        release: ReleaseId,
        /// The file to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check a request and show the decision sheet in it, on a desk without the ledger
    #[command(after_help = "Examples:
  countersign carry open pump-4.2.0.csreq \\
      --fingerprint 3f0c5a1de24b1c0a9f7d8e6b5c4a39281706f5e4d3c2b1a09f8e7d6c5b4a3928
  countersign carry open pump-4.2.0.csreq")]
    Open {
        /// The request
        file: PathBuf,
        /// SHA-256 of entry 0, as the ledger's people told you; needed the first time this desk meets the ledger
        #[arg(long, value_name = "HEX")]
        fingerprint: Option<Digest>,
    },
    /// Make your key on this desk, and write the public half that a process owner enrols
    #[command(after_help = "Examples:
  countersign carry key quinn@acme.example --out quinn.pub \\
      --fingerprint 3f0c5a1de24b1c0a9f7d8e6b5c4a39281706f5e4d3c2b1a09f8e7d6c5b4a3928")]
    Key {
        /// The principal you will be enrolled as
        principal: Principal,
        /// SHA-256 of entry 0, as the ledger's people told you
        #[arg(long, value_name = "HEX")]
        fingerprint: Digest,
        /// The file to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Read the passphrase from a file (0600) in place of asking for it
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Answer the decision sheet of a request, on this desk
    Sign(Sign),
    /// Bring an answer into the ledger; bringing it twice changes nothing
    #[command(after_help = "Examples:
  countersign --ledger ./ledger carry import quinn.csans")]
    Import {
        /// The answer
        file: PathBuf,
    },
}

/// Answer the decision sheet of a request.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign carry sign pump-4.2.0.csreq --role qa --verdict go --out quinn.csans \\
      --as quinn@acme.example --reason 'all unit and alarm tests pass'
  countersign carry sign pump-4.2.0.csreq --verdict no-go --out quinn.csans \\
      --reason 'the alarm test was skipped'")]
pub(crate) struct Sign {
    /// The request
    file: PathBuf,
    /// As which role; the one you hold of those asked when not said
    #[arg(long, value_name = "ROLE")]
    role: Option<Slug>,
    /// go, no-go, hold or conditional-go
    #[arg(long, value_name = "VERDICT")]
    verdict: Verdict,
    /// What your signature means: approval, review, authorship, responsibility, certification or confirmation
    #[arg(long, value_name = "MEANING")]
    meaning: Option<Meaning>,
    /// A condition of a conditional GO (repeatable)
    #[arg(long, value_name = "TEXT")]
    condition: Vec<Text>,
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// SHA-256 of entry 0, as the ledger's people told you; needed the first time this desk meets the ledger
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<Digest>,
}

impl Carry {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        match self {
            Self::Request { release, out } => {
                new_file(&out)?;
                let ledger = session.open()?;
                let written = carry::request(&ledger, &release, &out)?;
                let text = format!(
                    "{}\n  sha256       {}\n  fingerprint  {} (hand it over by another way)\nWhoever is asked signs it on their own desk: countersign carry sign {}",
                    out.display(),
                    written.digest,
                    ledger.fingerprint(),
                    out.display()
                );
                let more = json!({
                    "request": out, "release": release, "sha256": written.digest, "fingerprint": ledger.fingerprint(),
                    "tree_size": written.verification.tree_size,
                });
                Ok(Answer::new(more, text))
            }
            Self::Open { file, fingerprint } => {
                let opened = carry::open(&session.home()?, &file, fingerprint)?;
                let view = status::sheet_view(
                    &opened.carried.state,
                    opened.carried.about(),
                    opened.carried.sheet(),
                    clock::now(),
                );
                let json = json!({
                    "release": opened.carried.release, "sheet": view, "sha256": opened.digest,
                    "fingerprint": opened.carried.fingerprint, "desk": opened.carried.desk,
                    "tree_size": opened.carried.head.size, "absent": opened.carried.absent,
                    "unjudged": opened.carried.unjudged, "signers_here": carry::signers_here(&opened)?,
                });
                Ok(Answer::new(json, shown(&opened, None)))
            }
            Self::Key { principal, fingerprint, out, new_passphrase_file } => {
                new_file(&out)?;
                let home = session.home()?;
                let mut ask = |who: &Principal| presence::ask_new(session.io, new_passphrase_file.as_ref(), who);
                let key = carry::make_key(&home, &fingerprint, &principal, &mut ask)?;
                countersign_app::durable::write_new(&out, format!("{key} {principal}\n").as_bytes())?;
                let text = format!(
                    "{}\nkey: {}\nThe private half stays on this desk. A process owner enrols {principal} by the file, and compares the key by voice.",
                    out.display(),
                    key.fingerprint()
                );
                let json = json!({"public_key": out, "person": principal, "key": key.fingerprint()});
                Ok(Answer::new(json, text))
            }
            Self::Sign(command) => command.run(session),
            Self::Import { file } => {
                let mut ledger = session.open()?;
                let brought = carry::import(&mut ledger, &file)?;
                let mut lines = Vec::new();
                for one in &brought {
                    let common = &one.statement.common;
                    let what = match &one.statement.act {
                        Act::Approval(body) => format!("{} as {}", output::said(body.verdict), body.role),
                        act => act.name().to_owned(),
                    };
                    let how = if one.again { "was in the ledger already" } else { "is in the ledger" };
                    lines.push(format!(
                        "{what} of {}, signed {}, {how} (entry {})",
                        common.signer.name, common.time, one.entry.index
                    ));
                }
                let answered = brought.iter().find_map(|one| match &one.statement.act {
                    Act::Approval(body) => Some(body.request),
                    _ => None,
                });
                let mut sheet = None;
                let about = answered.and_then(|request| {
                    ledger.state().releases.values().find(|release| release.sheet_at(request).is_some())
                });
                if let Some(release) = about
                    && let Some(current) = release.sheet()
                {
                    let view = status::sheet_view(ledger.state(), release, current, clock::now());
                    lines.push(indented(&status_command::quorum(&view)));
                    lines.push(indented(&status_command::sign_offs(&view)));
                    sheet = Some(view);
                }
                let entries: Vec<_> = brought
                    .iter()
                    .map(|one| json!({"entry": one.entry, "act": one.statement.act.name(), "again": one.again}))
                    .collect();
                let release = about.map(|release| release.id.clone());
                Ok(Answer::new(json!({"entries": entries, "release": release, "sheet": sheet}), lines.join("\n")))
            }
        }
    }
}

impl Sign {
    fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        new_file(&self.out)?;
        let mut opened = carry::open(&session.home()?, &self.file, self.fingerprint)?;
        let by = match &session.globals.signer {
            Some(by) => by.clone(),
            None => sole_signer(&opened)?,
        };
        let reason = session.reason()?;
        let said = Said { role: self.role, verdict: self.verdict, meaning: self.meaning, conditions: self.condition };
        let answer = releases::compose_answer(&opened.carried.state, &opened.carried.release, &by, said)?;
        let text = format!("{by} signed {} as {}", output::said(self.verdict), answer.role);
        let about = shown(&opened, Some(&by));
        let file = session.passphrase_file()?;
        let mut presence = Presence { io: &mut *session.io, file, agent: false, about, shown: None, twice: false };
        let mut signing = Signing { by: by.clone(), reason, passphrase: &mut presence };
        let signed = carry::sign(&mut opened, &mut signing, answer, &self.out)?;
        let acts: Vec<&str> = signed.iter().map(|statement| statement.act.name()).collect();
        let json = json!({"answer": self.out, "person": by, "release": opened.carried.release, "signed": acts});
        let text = format!(
            "{text}: {}\nSend it back; it counts once it is in the ledger: countersign carry import {}",
            self.out.display(),
            self.out.display()
        );
        Ok(Answer::new(json, text))
    }
}

fn sole_signer(opened: &Opened) -> Result<Principal, Error> {
    let mut here = carry::signers_here(opened)?;
    match (here.pop(), here.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => {
            Err(Error::usage("the keys of several people are on this desk").hint("say who signs with `--as`"))
        }
        (None, _) => {
            Err(Error::new(ErrorKind::No, "key_not_here", "no key of a person of this ledger is on this desk")
                .hint("make one with `countersign carry key`, and have it enrolled"))
        }
    }
}

/// What a request shows: where it comes from, the whole sheet, and who has answered so far.
fn shown(opened: &Opened, by: Option<&Principal>) -> String {
    let carried = &opened.carried;
    let state = &carried.state;
    let view = status::sheet_view(state, carried.about(), carried.sheet(), clock::now());
    let title = state.genesis.as_ref().map(|genesis| genesis.title.to_string()).unwrap_or_default();
    let mut text = String::new();
    if state.sample() {
        text.push_str("SAMPLE: nothing in this ledger is a real approval\n\n");
    }
    text.push_str(&format!(
        "Carried request of {title} ({}), sealed by {}\nLedger sha256:{}, {} then; file sha256:{}\n",
        state.origin.as_ref().map(ToString::to_string).unwrap_or_default(),
        carried.desk,
        carried.fingerprint,
        output::count(carried.head.size, "entry"),
        opened.digest
    ));
    text.push_str("It shows what was recorded when it was made, never that nothing came after.\n\n");
    text.push_str(&format!("Decision sheet of {} (entry {}, sha256:{})\n", carried.release, view.entry, view.digest));
    text.push_str(&indented(&status_command::facts(&view)));
    let earlier = by.and_then(|by| releases::answered_before(carried.about(), carried.sheet().entry, by));
    if let Some(earlier) = earlier {
        let changes = releases::sheet_changes(state, carried.about(), &earlier.body, &carried.sheet().body);
        text.push_str(&format!("\n\nChanged since the sheet of {} that you answered\n", earlier.entry));
        text.push_str(&indented(&if changes.is_empty() { "nothing it lists".to_owned() } else { changes.join("\n") }));
    }
    if !view.conflicts.is_empty() {
        text.push_str(&format!("\n\nIn the way of its window\n{}", indented(&status_command::conflicts(&view))));
    }
    text.push_str(&format!("\n\nAnswers so far\n{}", indented(&status_command::quorum(&view))));
    if !view.sign_offs.is_empty() {
        text.push('\n');
        text.push_str(&indented(&status_command::sign_offs(&view)));
    }
    for digest in &carried.absent {
        text.push_str(&format!("\nnot in the file: sha256:{digest}"));
    }
    for finding in &carried.unjudged {
        text.push_str(&format!("\nnot judged here: {finding}"));
    }
    let accepts = by.and_then(|by| state.people.get(by)).is_some_and(|person| person.accepted.is_none());
    if accepts {
        text.push_str(&format!("\n\nYou first accept by a signature of its own:\n{}", indented(ACCOUNTABILITY_TEXT)));
    }
    text
}
