//! Carried sign-offs: a request leaves as one file, is answered on a desk that has no ledger, and the answer comes in.
//!
//! What a request and an answer are worth is decided in [`countersign_core::carried`]; here they are files. The desk that
//! answers knows the ledger by its fingerprint, told by its people once, and holds the private key of whoever signs: the
//! key never travels.
//!
//! The crash story: both files appear whole or not at all. An answer that was brought in twice is in the ledger once.
//!
//! Deliberately absent: how a file travels, and what an answer says (the shells compose it, [`crate::releases`] helps).

use std::path::Path;

use countersign_core::act::{Act, EnrolAccept, Reauth, SeenBasis, Signer, accountability};
use countersign_core::admit::Statement;
use countersign_core::carried::{self, ANSWER_BYTES_MAX, Carried};
use countersign_core::decide::Context;
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::sshsig::PublicKey;
use countersign_core::words::{Principal, ReleaseId, Text};
use zeroize::Zeroizing;

use crate::clock;
use crate::desk::{DeskDir, Home};
use crate::durable;
use crate::error::{Error, ErrorKind};
use crate::export::{self, Exported, Source};
use crate::keyfile::{DeviceKeyFile, KeyError, PersonKeyFile};
use crate::ledger::{self, Ledger};
use crate::lockout::Lockout;
use crate::people::{NewPassphrase, Signing};
use crate::releases;

/// Writes the request of a release: the sheet that waits, and the proofs of all it rests on.
///
/// # Errors
/// No sheet waits, or the file cannot be written.
pub fn request(ledger: &Ledger, id: &ReleaseId, out: &Path) -> Result<Exported, Error> {
    let sheet = releases::current_sheet(releases::find(ledger.state(), id)?)?;
    if clock::now() > sheet.body.not_after {
        let message = format!("the decision sheet of {id} ran out at {}", sheet.body.not_after);
        return Err(Error::new(ErrorKind::No, "expired", message)
            .hint(format!("freeze a new sheet with `countersign request {id}`")));
    }
    let key = DeviceKeyFile::load(&ledger.desk().device_key())?;
    let source = Source {
        leaves: ledger.leaves()?,
        checkpoint: ledger.checkpoint(),
        release: Some(id),
        blob: &mut |digest| ledger.blobs().read(digest),
        reports: Vec::new(),
    };
    Ok(export::export(source, key.key().signing_key(), out)?)
}

/// A request that was opened on this desk.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What it says.
    pub carried: Carried,
    /// The files of this desk for its ledger.
    pub desk: DeskDir,
    /// SHA-256 of the file.
    pub digest: Digest,
}

/// Opens a request. A ledger this desk does not know yet is told apart by the fingerprint its people told.
///
/// # Errors
/// The ledger is not known, or something about the file is not as the desk that asked made it.
pub fn open(home: &Home, path: &Path, fingerprint: Option<Digest>) -> Result<Opened, Error> {
    let bytes = export::read(path)?;
    let name = path.display();
    let claimed = carried::claimed_fingerprint(&bytes);
    let known = claimed.filter(|claimed| home.desk(claimed).exists());
    // What is no request at all is of no ledger, known or not.
    let none = claimed.is_none().then(|| Digest::of(b""));
    let expected = fingerprint.or(known).or(none).ok_or_else(|| {
        let of = claimed.map_or_else(String::new, |claimed| format!(" It says of itself: {claimed}."));
        Error::new(ErrorKind::No, "unanchored", format!("{name} is of a ledger this desk does not know yet.{of}"))
            .hint("ask the people of the ledger for its fingerprint by another way, and give it with --fingerprint")
    })?;
    let carried = carried::open(&bytes, expected).map_err(|findings| {
        let first = findings.first();
        let code = first.map_or("layout", |finding| finding.code.as_str());
        let said = findings.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Error::new(ErrorKind::Integrity, code, format!("{name} is not a request to be answered: {said}"))
            .hint("nothing in it is to be believed; have the request sent again")
    })?;
    let desk = home.create_desk(&expected)?;
    Ok(Opened { carried, desk, digest: Digest::of(&bytes) })
}

/// Makes a key on this desk for a person of a ledger it knows by its fingerprint, and returns the public half to hand over.
///
/// # Errors
/// There is one already, or the disk refuses.
pub fn make_key(
    home: &Home,
    fingerprint: &Digest,
    who: &Principal,
    passphrase: NewPassphrase<'_>,
) -> Result<PublicKey, Error> {
    let desk = home.create_desk(fingerprint)?;
    let path = desk.person_key(who.as_str())?;
    if path.exists() {
        return Err(KeyError::AlreadyExists(path).into());
    }
    let secret = passphrase(who)?;
    Ok(PersonKeyFile::generate(&path, who.as_str(), &secret)?.public_key())
}

/// Returns the people whose private key for this ledger is on this desk.
///
/// # Errors
/// The directory of keys cannot be read.
pub fn signers_here(opened: &Opened) -> Result<Vec<Principal>, Error> {
    let people = opened.carried.state.people.values().map(|person| person.card.principal.clone());
    let mut here = Vec::new();
    for who in people {
        if opened.desk.person_key(who.as_str())?.exists() {
            here.push(who);
        }
    }
    Ok(here)
}

/// Signs the answer and writes it. Who has not yet accepted to be accountable accepts first, by a signature of its own.
///
/// Returns the statements that were signed, in order.
///
/// # Errors
/// A rule refuses, the key is not on this desk, the passphrase is wrong, or the file cannot be written.
pub fn sign(
    opened: &mut Opened,
    signing: &mut Signing<'_>,
    answer: impl Into<Act>,
    out: &Path,
) -> Result<Vec<Statement>, Error> {
    let who = signing.by.clone();
    let accepts = accepts_first(opened, &who)?;
    let (mut entries, mut statements) = (Vec::new(), Vec::new());
    for act in accepts.into_iter().chain([answer.into()]) {
        let statement = compose(opened, &who, act, signing.reason.clone(), signing.passphrase.reauth())?;
        let secret = signing.passphrase.passphrase(&who, &statement)?;
        entries.push(seal(opened, &statement, secret)?);
        statements.push(statement);
    }
    durable::write_new(out, &carried::write_answer(&entries))?;
    Ok(statements)
}

/// Returns the acceptance that somebody signs before anything else, where they have not yet.
///
/// # Errors
/// The ledger knows no such person, or their key is not on this desk.
pub(crate) fn accepts_first(opened: &Opened, who: &Principal) -> Result<Option<Act>, Error> {
    let person = opened.carried.state.people.get(who).ok_or_else(|| {
        Error::not_found(format!("there is no person {who} in this ledger"))
            .hint("a process owner enrols them by the public key made here: `countersign carry key`")
    })?;
    key_of(opened, who)?;
    Ok(person.accepted.is_none().then(|| EnrolAccept { accountability: accountability() }.into()))
}

/// Composes what is signed here; every rule is asked that the request can answer.
pub(crate) fn compose(
    opened: &Opened,
    who: &Principal,
    act: Act,
    reason: Text,
    reauth: Reauth,
) -> Result<Statement, Error> {
    let state = &opened.carried.state;
    let context = Context {
        app: ledger::app(),
        device: opened.carried.desk.clone(),
        signer: Signer { name: state.printed_name(who).parse().expect("it was enrolled"), principal: who.clone() },
        reason: Some(reason),
        reauth: Some(reauth),
        seen_basis: Some(SeenBasis::Proofs),
        now: clock::now(),
        zone: clock::zone(),
        nonce: ledger::nonce()?,
        origin: state.origin.clone().expect("a request that holds has a genesis"),
    };
    Ok(opened.carried.compose(act, &context)?)
}

/// Signs what was composed, and takes it into what is shown.
pub(crate) fn seal(opened: &mut Opened, statement: &Statement, secret: Zeroizing<String>) -> Result<Entry, Error> {
    let file = key_of(opened, &statement.common.signer.principal)?;
    let entry = unlocked(opened, &file, secret, |key| ledger::sign(statement, key))?;
    opened.carried.take(&entry).map_err(|finding| Error::new(ErrorKind::No, finding.code.as_str(), finding.message))?;
    Ok(entry)
}

fn key_of(opened: &Opened, who: &Principal) -> Result<PersonKeyFile, Error> {
    let file = PersonKeyFile::load(&opened.desk.person_key(who.as_str())?)?;
    let enrolled = opened.carried.state.people.get(who).and_then(|person| person.keys.last()).map(|key| key.key);
    if enrolled != Some(file.public_key()) {
        let message = format!("the key of {who} on this desk is not the one the ledger knows");
        return Err(Error::new(ErrorKind::No, "wrong_key", message));
    }
    Ok(file)
}

/// Unlocks a key for one signature; wrong passphrases make the next try wait, as on any desk.
fn unlocked<T>(
    opened: &Opened,
    file: &PersonKeyFile,
    secret: Zeroizing<String>,
    sign: impl FnOnce(&ed25519_dalek::SigningKey) -> Result<T, Error>,
) -> Result<T, Error> {
    let lockout = Lockout::new(opened.desk.lockout());
    let permit = lockout.permit(&file.public_key().fingerprint(), clock::now().to_chrono())?;
    match file.unlock(secret) {
        Ok(key) => {
            permit.passed()?;
            sign(key.signing_key())
        }
        Err(error) => {
            let (wrong, _) = permit.failed();
            Err(Error::from(error).hint(format!("nothing was signed; {wrong} wrong in a row")))
        }
    }
}

/// An answer, or an acceptance, that was brought in.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its entry.
    pub entry: countersign_core::words::EntryRef,
    /// What it says.
    pub statement: Statement,
    /// Whether it was in the ledger before: bringing it in twice changes nothing.
    pub again: bool,
}

/// Brings an answer in; each entry of it is judged at the place it is given.
///
/// # Errors
/// The file is not an answer as it was signed, or a rule refuses; what came before in the file stays.
pub fn import(ledger: &mut Ledger, path: &Path) -> Result<Vec<Imported>, Error> {
    let entries = carried::read_answer(&durable::read(path, ANSWER_BYTES_MAX as u64)?)?;
    entries.into_iter().map(|entry| import_one(ledger, entry)).collect()
}

fn import_one(ledger: &mut Ledger, entry: Entry) -> Result<Imported, Error> {
    ledger.refresh()?;
    let statement = Statement::read(&entry)?;
    if let Act::Approval(body) = &statement.act {
        let releases = ledger.state().releases.values();
        let sheet = releases.filter_map(|release| release.sheet_at(body.request)).next();
        let late = sheet.filter(|sheet| clock::now() > sheet.body.not_after);
        if let Some(sheet) = late.filter(|_| !ledger.holds_payload(&entry).unwrap_or(false)) {
            let message = format!("the answer came too late: the sheet ran out at {}", sheet.body.not_after);
            return Err(Error::new(ErrorKind::No, "expired", message)
                .hint("freeze a new sheet and ask again; nothing was recorded"));
        }
    }
    let (entry, again) = ledger.import(entry, &statement)?;
    Ok(Imported { entry, statement, again })
}
