//! `person`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_app::authority;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::ledger::Ledger;
use countersign_app::people::{self, NewKey, Newcomer, Signing};
use countersign_core::act::{ACCOUNTABILITY_TEXT, ReviewScope};
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Slug, Text, Timestamp};
use serde_json::json;
use zeroize::Zeroizing;

use super::roles::{self, Role};
use crate::output::{self, Answer, or_dash, table, words};
use crate::presence::{self, Presence};
use crate::session::Session;

/// People, their keys and roles.
#[derive(Debug, Subcommand)]
pub(crate) enum Person {
    /// Show everybody with roles, keys and fingerprints
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person list
  countersign --ledger ./ledger person list --json")]
    List,
    /// Bring a person in: by a public key they made elsewhere, or at this desk with a passphrase they choose now
    Enrol(Enrol),
    /// Accept to be accountable for your signatures; before that nothing you sign counts
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person accept --as quinn@acme.example \\
      --reason 'I have read it and accept'")]
    Accept,
    /// State as a second person who a newcomer is, where the ledger's charter asks for it
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person confirm quinn@acme.example --as rita@acme.example \\
      --reason 'I have seen the passport and compared the fingerprint'")]
    Confirm {
        /// The newcomer
        principal: Principal,
        /// As which of your roles; any you hold when not said
        #[arg(long, value_name = "ROLE")]
        with_role: Option<Slug>,
    },
    /// Give a role, confirm it as a second person, lend it, or end it
    #[command(subcommand)]
    Role(Role),
    /// Show what waits for a second person, and products without a process owner
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person waiting --json")]
    Waiting,
    /// End whatever a person who leaves can do: every role, then the key
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person leave quinn@acme.example --reason 'left the company'")]
    Leave {
        /// Who leaves
        principal: Principal,
    },
    /// Replace your own key by a new one
    Rotate(Rotate),
    /// End the use of a person's key: they have left, or it is replaced by nobody
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person revoke quinn@acme.example --reason 'left the company'")]
    Revoke {
        /// Whose key
        principal: Principal,
    },
    /// Report that a person's key may be in other hands
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person lost quinn@acme.example \\
      --reason 'the laptop was stolen on the train'")]
    Lost {
        /// Whose key
        principal: Principal,
    },
    /// Protect a key anew, or bring your key file to this desk
    Protect(Protect),
    /// Record that somebody has looked over who may do what, or over the trail
    Review(Review),
}

/// Bring a person in.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger person enrol quinn@acme.example --name 'Quinn Moreau' \\
      --identity 'passport seen by Olga' --reason 'joins as qa'
  countersign --ledger ./ledger person enrol sam@acme.example --name 'Sam Okafor' \\
      --public-key sam.pub --identity 'fingerprint read over the phone' \\
      --reason 'joins as security'")]
pub(crate) struct Enrol {
    /// Unique in the ledger for ever, as quinn@acme.example
    principal: Principal,
    /// The printed name
    #[arg(long, value_name = "NAME")]
    name: Line,
    /// Another address they commit under (repeatable); who wrote a commit may not approve it
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<Line>,
    /// How it was verified who they are
    #[arg(long, value_name = "TEXT")]
    identity: Text,
    /// Their public key (ssh-ed25519); without it a key is made here and they choose its passphrase
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// Read the new person's passphrase from a file (0600) in place of asking them
    #[arg(long, value_name = "FILE", conflicts_with = "public_key")]
    new_passphrase_file: Option<PathBuf>,
    /// How many days the key is valid
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
    valid_days: u32,
}

/// Replace your own key.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger person rotate --as quinn@acme.example --reason 'yearly renewal'")]
pub(crate) struct Rotate {
    /// Read the new key's passphrase from a file (0600) in place of asking for it
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// How many days the new key is valid
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
    valid_days: u32,
}

/// Protect a key anew.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger person protect quinn@acme.example
  countersign --ledger ./ledger person protect sam@acme.example --key ~/.ssh/id_ed25519")]
pub(crate) struct Protect {
    /// Whose key
    principal: Principal,
    /// A private key file that is to be brought to this desk; the one that is here already when not given
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Read the new passphrase from a file (0600) in place of asking for it
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

/// Record a review.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger person review --scope access \\
      --findings 'all roles are as they should be' --reason 'quarterly review'
  countersign --ledger ./ledger person review --scope emergency --release pump-4.2.1 \\
      --findings 'the missing case is now tested' --reason 'retrospective review'")]
pub(crate) struct Review {
    /// access, trail, emergency or periodic
    #[arg(long, value_name = "SCOPE", default_value = "access")]
    scope: ReviewScope,
    /// What was found
    #[arg(long, value_name = "TEXT")]
    findings: Text,
    /// The emergency change that is reviewed, with --scope emergency
    #[arg(long, value_name = "RELEASE")]
    release: Option<ReleaseId>,
}

fn in_days(days: u32) -> Timestamp {
    clock::now().plus_seconds(i64::from(days) * 86_400)
}

impl Person {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::List => list(&ledger),
            Self::Enrol(command) => command.run(session, &mut ledger),
            Self::Accept => {
                let about = format!("You accept by signing:\n{}", output::indented(ACCOUNTABILITY_TEXT));
                let who = session.signer(&ledger)?;
                let entry = session.sign(&mut ledger, &about, people::accept)?;
                Ok(Answer::recorded(entry, format!("{who} accepted to be accountable"), json!({"person": who})))
            }
            Self::Role(role) => role.run(session, &mut ledger),
            Self::Waiting => Ok(roles::waiting(&ledger)),
            Self::Confirm { principal, with_role } => {
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    authority::confirm(ledger, signing, &principal, None, with_role)
                })?;
                let told = format!("two people have stated who {principal} is");
                Ok(Answer::recorded(entry, told, json!({"person": principal})))
            }
            Self::Leave { principal } => {
                let entries =
                    session.sign(&mut ledger, "", |ledger, signing| authority::leave(ledger, signing, &principal))?;
                let Some(last) = entries.last() else {
                    return Ok(Answer::new(
                        json!({"person": principal}),
                        format!("{principal} can do nothing already"),
                    ));
                };
                let told =
                    format!("{principal} has left: nothing they sign from here on counts, and what they signed stands");
                let indices: Vec<u64> = entries.iter().map(|entry| entry.index).collect();
                Ok(Answer::recorded(*last, told, json!({"person": principal, "entries": indices})))
            }
            Self::Rotate(command) => command.run(session, &mut ledger),
            Self::Revoke { principal } => end_key(session, &mut ledger, principal, false),
            Self::Lost { principal } => end_key(session, &mut ledger, principal, true),
            Self::Protect(command) => command.run(session, &ledger),
            Self::Review(Review { scope, findings, release }) => {
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    people::review(ledger, signing, scope, findings, release)
                })?;
                Ok(Answer::recorded(entry, format!("the {scope} review is on record"), json!({"scope": scope})))
            }
        }
    }
}

fn list(ledger: &Ledger) -> Result<Answer, Error> {
    let here = people::keys_here(ledger)?;
    let rows = people::list(ledger.state(), &here, clock::now());
    let lines: Vec<[String; 6]> = rows
        .iter()
        .map(|row| {
            let roles = row.roles.iter().map(|role| {
                let product = role.product.as_ref().map(|product| format!(" for {product}")).unwrap_or_default();
                let until = role.until.map(|until| format!(" until {until}")).unwrap_or_default();
                format!("{}{product}{until}", role.role)
            });
            let key = row.keys.last();
            let status = match (row.accepted, key.map(|key| key.status)) {
                (None, Some("in use")) => "has not accepted".to_owned(),
                (_, Some(status)) => format!("key {status}"),
                (_, None) => "-".to_owned(),
            };
            [
                format!("{}{}", row.principal, if row.key_here { " *" } else { "" }),
                row.name.to_string(),
                words(roles),
                status,
                or_dash(key.map(|key| format!("{} ({})", key.valid_until, key.origin))),
                or_dash(key.map(|key| key.fingerprint.clone())),
            ]
        })
        .collect();
    let text = table(["PRINCIPAL", "NAME", "ROLES", "STATUS", "KEY UNTIL", "FINGERPRINT"], &lines);
    Ok(Answer::new(rows, format!("{text}\n\n* the key is on this desk")))
}

impl Enrol {
    fn run(self, session: &mut Session<'_, '_>, ledger: &mut Ledger) -> Result<Answer, Error> {
        let newcomer = Newcomer {
            principal: self.principal.clone(),
            name: self.name,
            emails: self.email,
            identity: self.identity,
            valid_until: in_days(self.valid_days),
        };
        let entry = match &self.public_key {
            Some(path) => {
                let key = people::read_public_key(path)?;
                session.sign(ledger, "", |ledger, signing| {
                    people::enrol(ledger, signing, &newcomer, NewKey::Imported(key))
                })?
            }
            None => with_new_key(session, ledger, self.new_passphrase_file, |ledger, signing, ask| {
                people::enrol(ledger, signing, &newcomer, NewKey::MadeHere(ask))
            })?,
        };
        let who = self.principal;
        let key = ledger.state().people.get(&who).and_then(|person| person.current_key());
        let fingerprint = key.map(|key| key.key.fingerprint());
        let mut text = format!("{who} is enrolled\n");
        text.push_str(&format!("key: {}\n", or_dash(fingerprint.as_ref())));
        if self.public_key.is_some() {
            text.push_str(&format!(
                "They bring their private key to the desk they sign at: countersign person protect {who} --key FILE\n"
            ));
        }
        text.push_str(&format!("Nothing they sign counts until they accept: countersign person accept --as {who}"));
        Ok(Answer::recorded(entry, text, json!({"person": who, "fingerprint": fingerprint})))
    }
}

/// Lends both the means to sign and the means to choose a passphrase; they share one terminal, in turns.
fn with_new_key(
    session: &mut Session<'_, '_>,
    ledger: &mut Ledger,
    new_file: Option<PathBuf>,
    act: impl FnOnce(&mut Ledger, &mut Signing<'_>, people::NewPassphrase<'_>) -> Result<EntryRef, Error>,
) -> Result<EntryRef, Error> {
    let (by, reason) = (session.signer(ledger)?, session.reason()?);
    let file = session.passphrase_file()?;
    // A file that cannot be read is told before the rules are asked and anybody types anything.
    if let Some(file) = &new_file {
        presence::in_file(file)?;
    }
    let io = std::cell::RefCell::new(&mut *session.io);
    let mut ask = |who: &Principal| presence::ask_new(&mut io.borrow_mut(), new_file.as_ref(), who);
    let mut shared = Shared { io: &io, file };
    act(ledger, &mut Signing { by, reason, passphrase: &mut shared }, &mut ask)
}

/// A signer at a terminal that somebody else uses in between.
struct Shared<'a, 'b, 'io> {
    io: &'a std::cell::RefCell<&'b mut output::Io<'io>>,
    file: Option<PathBuf>,
}

impl countersign_app::ledger::PassphraseSource for Shared<'_, '_, '_> {
    fn passphrase(
        &mut self,
        principal: &Principal,
        statement: &countersign_core::admit::Statement,
    ) -> Result<Zeroizing<String>, Error> {
        let mut io = self.io.borrow_mut();
        let (file, about) = (self.file.clone(), String::new());
        let mut presence = Presence { io: &mut io, file, agent: false, about, shown: None, twice: false };
        presence.passphrase(principal, statement)
    }

    fn reauth(&self) -> countersign_core::act::Reauth {
        use countersign_core::act::Reauth;
        if self.file.is_some() { Reauth::File } else { Reauth::Prompt }
    }
}

impl Rotate {
    fn run(self, session: &mut Session<'_, '_>, ledger: &mut Ledger) -> Result<Answer, Error> {
        let who = session.signer(ledger)?;
        let until = in_days(self.valid_days);
        let entry = with_new_key(session, ledger, self.new_passphrase_file, |ledger, signing, ask| {
            people::rotate(ledger, signing, until, ask)
        })?;
        let key = ledger.state().people.get(&who).and_then(|person| person.current_key());
        let fingerprint = or_dash(key.map(|key| key.key.fingerprint()));
        Ok(Answer::recorded(
            entry,
            format!(
                "{who} has a new key\nkey: {fingerprint}\nWhat the old key signed before stays valid; it signs no more."
            ),
            json!({"person": who, "fingerprint": fingerprint}),
        ))
    }
}

fn end_key(
    session: &mut Session<'_, '_>,
    ledger: &mut Ledger,
    principal: Principal,
    lost: bool,
) -> Result<Answer, Error> {
    let who = principal.clone();
    let entry = session.sign(ledger, "", |ledger, signing| people::end_key(ledger, signing, principal, lost))?;
    let what = if lost { "reported lost" } else { "revoked" };
    Ok(Answer::recorded(
        entry,
        format!("the key of {who} is {what}; it signs nothing any more"),
        json!({"person": who}),
    ))
}

impl Protect {
    fn run(self, session: &mut Session<'_, '_>, ledger: &Ledger) -> Result<Answer, Error> {
        let file = session.passphrase_file()?;
        let place = people::key_path(ledger, &self.principal)?;
        let source = self.key.as_deref().unwrap_or(&place);
        let old = if people::has_passphrase(source)? {
            let about = format!("protect the key {} anew", source.display());
            Some(presence::ask(session.io, file.as_ref(), &self.principal, &about)?)
        } else {
            None
        };
        let new = presence::ask_new(session.io, self.new_passphrase_file.as_ref(), &self.principal)?;
        let path = people::protect(ledger, &self.principal, self.key.as_deref(), old.as_ref(), &new)?;
        let mut text = format!("the key of {} is protected: {}", self.principal, path.display());
        if let Some(source) = &self.key {
            text.push_str(&format!("\nYour own file stays where it is: {}", source.display()));
        }
        Ok(Answer::new(json!({"person": self.principal, "key": path}), text))
    }
}
