//! People, their keys and roles, and the devices of a ledger.
//!
//! A key that is made here lies in the desk's `next` directory until the entry that names it is in the ledger, and moves
//! to its place then: [`settle_keys`] finishes what a crash in between left. So a key in its place is always one the
//! ledger knows, and a key the ledger knows is never lost.
//!
//! Deliberately absent: asking for passphrases (the shells do, through [`PassphraseSource`]), and what a role may do.

use std::fs;
use std::path::{Path, PathBuf};

use countersign_core::act::{
    Act, Approval, DeviceCard, DeviceChange, DevicePurpose, Enrol, EnrolAccept, Grant, Key, KeyChange, KeyOrigin,
    Meaning, PersonCard, Qualification, Reauth, Recovery, Review, ReviewScope, Role, Signer, Verdict, accountability,
};
use countersign_core::admit::Statement;
use countersign_core::decide::Command;
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::sshsig::PublicKey;
use countersign_core::state::{KeyEnd, State};
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Slug, Text, Timestamp, role};
use ed25519_dalek::SigningKey;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::clock;
use crate::desk::{DeskDir, Home, LedgerDir};
use crate::durable::{self, FileError};
use crate::error::{Error, ErrorKind};
use crate::keyfile::{self, DeviceKeyFile, KeyError, PersonKeyFile};
use crate::ledger::{Beginning, KEY_VALID_SECONDS, Ledger, PassphraseSource};

/// Who signs, why, and where the passphrase comes from.
pub struct Signing<'a> {
    /// Whose key signs.
    pub by: Principal,
    /// The reason that stands in the entry.
    pub reason: Text,
    /// Asked once the act is known to be admitted.
    pub passphrase: &'a mut dyn PassphraseSource,
}

impl std::fmt::Debug for Signing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").field("by", &self.by).field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl Signing<'_> {
    /// Records an act of the person.
    ///
    /// # Errors
    /// As [`Ledger::as_person`].
    pub fn record(&mut self, ledger: &mut Ledger, act: impl Into<Act>) -> Result<EntryRef, Error> {
        self.command(ledger, &Command::Record(act.into()))
    }

    /// Does what is wanted in the person's name.
    ///
    /// # Errors
    /// As [`Ledger::as_person`].
    pub fn command(&mut self, ledger: &mut Ledger, command: &Command) -> Result<EntryRef, Error> {
        ledger.as_person(&self.by, command, self.reason.clone(), self.passphrase)
    }

    /// Asks every rule whether the act would be admitted, before anybody types anything.
    pub(crate) fn rehearse(&mut self, ledger: &mut Ledger, act: impl Into<Act>) -> Result<(), Error> {
        let mut rehearsal = Rehearsal(self.passphrase.reauth());
        match ledger.as_person(&self.by, &Command::Record(act.into()), self.reason.clone(), &mut rehearsal) {
            Err(error) if error.code != REHEARSED => Err(error),
            _ => Ok(()),
        }
    }
}

/// A source that gives no passphrase: whoever comes as far as asking it has passed the rules.
struct Rehearsal(Reauth);

const REHEARSED: &str = "rehearsed";

impl PassphraseSource for Rehearsal {
    fn passphrase(&mut self, _: &Principal, _: &Statement) -> Result<Zeroizing<String>, Error> {
        Err(Error::new(ErrorKind::No, REHEARSED, "nothing is signed in a rehearsal"))
    }

    fn reauth(&self) -> Reauth {
        self.0
    }
}

/// Asks a person for the passphrase their new key is to have.
pub type NewPassphrase<'a> = &'a mut dyn FnMut(&Principal) -> Result<Zeroizing<String>, Error>;

// ------------------------------------------------------------------------------------------------- who is there

/// A person as a list shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    /// The principal.
    pub principal: Principal,
    /// The printed name.
    pub name: Line,
    /// Other addresses they commit under.
    pub emails: Vec<Line>,
    /// The entry that enrolled them.
    pub enrolled: u64,
    /// Who enrolled them.
    pub enrolled_by: Principal,
    /// The entry by which they accepted to be accountable; none while they have not.
    pub accepted: Option<u64>,
    /// The roles they hold at that moment.
    pub roles: Vec<RoleRow>,
    /// Every key they had, the last one in use unless it has ended.
    pub keys: Vec<KeyRow>,
    /// Whether their private key is on this desk.
    pub key_here: bool,
}

/// A role somebody holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleRow {
    /// The role.
    pub role: Slug,
    /// Only for this product.
    pub product: Option<Slug>,
    /// Not after this moment.
    pub until: Option<Timestamp>,
    /// The entry that gave it.
    pub granted: u64,
    /// In whose place, where its holder lent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lent_by: Option<Principal>,
    /// What shows that they are trained for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training: Option<Qualification>,
}

/// A key and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// The fingerprint, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// Where it was made.
    pub origin: KeyOrigin,
    /// It cannot sign after this moment.
    pub valid_until: Timestamp,
    /// The entry that brought it.
    pub since: u64,
    /// `in use`, `expired`, `rotated` or `revoked`.
    pub status: &'static str,
    /// The entry that ended it.
    pub ended: Option<u64>,
}

/// Returns everybody ever enrolled, with the roles they hold at that moment.
pub fn list(state: &State, here: &[Principal], at: Timestamp) -> Vec<PersonRow> {
    state
        .people
        .values()
        .map(|person| PersonRow {
            principal: person.card.principal.clone(),
            name: person.card.name.clone(),
            emails: person.card.emails.clone(),
            enrolled: person.enrolled.index,
            enrolled_by: person.enrolled_by.clone(),
            accepted: person.accepted.map(|entry| entry.index),
            roles: person
                .roles
                .iter()
                .filter(|record| record.in_force(at))
                .map(|record| RoleRow {
                    role: record.role.clone(),
                    product: record.product.clone(),
                    until: record.until,
                    granted: record.granted.index,
                    lent_by: record.delegated_by().cloned(),
                    training: record.qualification.clone(),
                })
                .collect(),
            keys: person
                .keys
                .iter()
                .map(|key| KeyRow {
                    fingerprint: key.key.fingerprint(),
                    origin: key.origin,
                    valid_until: key.valid_until,
                    since: key.since.index,
                    status: match key.ended {
                        Some((_, KeyEnd::Rotated)) => "rotated",
                        Some((_, KeyEnd::Revoked)) => "revoked",
                        None if at > key.valid_until => "expired",
                        None => "in use",
                    },
                    ended: key.ended.map(|(entry, _)| entry.index),
                })
                .collect(),
            key_here: here.contains(&person.card.principal),
        })
        .collect()
}

/// Returns the people whose private key is on this desk.
///
/// # Errors
/// The directory of keys cannot be read.
pub fn keys_here(ledger: &Ledger) -> Result<Vec<Principal>, Error> {
    let dir = ledger.desk().keys();
    let mut here: Vec<Principal> = file_names(&dir)?
        .iter()
        .filter_map(|name| name.parse().ok())
        .filter(|principal| ledger.state().people.contains_key(principal))
        .collect();
    here.sort();
    Ok(here)
}

fn file_names(dir: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::io("list", dir)(error).into()),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().into_string().unwrap_or_default()));
    Ok(names.collect::<Result<_, _>>().map_err(FileError::io("list", dir))?)
}

/// Returns who signs where nobody said: the only person whose key is on this desk.
///
/// # Errors
/// There is none, or more than one.
pub fn sole_signer(ledger: &Ledger) -> Result<Principal, Error> {
    let mut here = keys_here(ledger)?;
    match (here.pop(), here.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            here.push(last);
            let names: Vec<&str> = here.iter().map(Principal::as_str).collect();
            Err(Error::usage("the keys of several people are on this desk")
                .hint(format!("say who signs with `--as`: {}", names.join(", "))))
        }
        (None, _) => Err(Error::new(ErrorKind::No, "key_not_here", "no person's key is on this desk")
            .hint("sign on the desk that has your key, or bring it here with `countersign person protect`")),
    }
}

// ------------------------------------------------------------------------------------------------- coming in

/// Somebody who is to come in.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Unique in the ledger for ever.
    pub principal: Principal,
    /// The printed name.
    pub name: Line,
    /// Other addresses they commit under.
    pub emails: Vec<Line>,
    /// How it was verified who they are.
    pub identity: Text,
    /// Their key can sign until then.
    pub valid_until: Timestamp,
}

/// Where the key of a newcomer comes from.
pub enum NewKey<'a> {
    /// They made it elsewhere and handed its public half over.
    Imported(PublicKey),
    /// It is made on this desk, under a passphrase they choose now.
    MadeHere(NewPassphrase<'a>),
}

impl std::fmt::Debug for NewKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Imported(key) => f.debug_tuple("Imported").field(key).finish(),
            Self::MadeHere(_) => f.write_str("MadeHere"),
        }
    }
}

/// Returns the moment until which a key of today is valid.
#[must_use]
pub fn usual_validity(now: Timestamp) -> Timestamp {
    now.plus_seconds(KEY_VALID_SECONDS)
}

/// Reads a public key as `ssh-keygen` writes it (`ssh-ed25519 AAAA… comment`).
///
/// # Errors
/// The file cannot be read or holds something else.
pub fn read_public_key(path: &Path) -> Result<PublicKey, Error> {
    let bytes = durable::read(path, 16 * 1024)?;
    let refused = |what: &str| {
        Error::usage(format!("{} is not an Ed25519 public key: {what}", path.display()))
            .hint("give the file that `ssh-keygen -t ed25519` wrote and that ends in .pub")
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| refused("it is not text"))?;
    if text.starts_with("-----BEGIN") {
        return Err(Error::usage(format!("{} is a private key, which stays with its owner", path.display())).hint(
            "give the file beside it that ends in .pub; a private key that somebody else has had is to be replaced",
        ));
    }
    let mut words = text.split_whitespace();
    let (kind, body) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    format!("{kind} {body}").parse().map_err(|error: countersign_core::sshsig::KeyError| refused(&error.to_string()))
}

/// Brings a person in.
///
/// # Errors
/// A rule refuses, nobody chose a passphrase, or the key cannot be written.
pub fn enrol(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    newcomer: &Newcomer,
    key: NewKey<'_>,
) -> Result<EntryRef, Error> {
    let act = |key: PublicKey, key_origin: KeyOrigin| Enrol {
        identity: newcomer.identity.clone(),
        person: PersonCard {
            emails: newcomer.emails.clone(),
            key,
            key_origin,
            name: newcomer.name.clone(),
            principal: newcomer.principal.clone(),
            valid_until: newcomer.valid_until,
        },
    };
    match key {
        NewKey::Imported(key) => signing.record(ledger, act(key, KeyOrigin::Imported)),
        NewKey::MadeHere(passphrase) => {
            signing.rehearse(ledger, act(stand_in_key(), KeyOrigin::MadeHere))?;
            with_new_key(ledger, &newcomer.principal, passphrase, |ledger, key| {
                signing.record(ledger, act(key, KeyOrigin::MadeHere))
            })
        }
    }
}

/// A key nobody has, to ask the rules with before the real one is made.
pub(crate) fn stand_in_key() -> PublicKey {
    PublicKey::of(&SigningKey::from_bytes(Digest::of(b"countersign: a key that signs nothing").as_bytes()))
}

fn next_key_path(desk: &DeskDir, principal: &Principal) -> Result<PathBuf, Error> {
    let place = desk.person_key(principal.as_str())?;
    let name = place.file_name().expect("a key's place has a file name");
    Ok(desk.path().join("next").join(name))
}

/// Makes a key beside its place, under a passphrase, in place of one that nobody recorded.
pub(crate) fn make_next_key(
    desk: &DeskDir,
    principal: &Principal,
    secret: &Zeroizing<String>,
) -> Result<PublicKey, Error> {
    let path = next_key_path(desk, principal)?;
    durable::create_private_dir(path.parent().expect("it lies in a directory"))?;
    remove_if_there(&path)?;
    Ok(PersonKeyFile::generate(&path, principal.as_str(), secret)?.public_key())
}

/// Throws a key away that was made and is certainly not in the ledger.
pub(crate) fn drop_next_key(ledger: &mut Ledger, principal: &Principal, key: PublicKey) -> Result<(), Error> {
    if ledger.refresh().is_ok() && !is_enrolled(ledger.state(), principal, key) {
        remove_if_there(&next_key_path(ledger.desk(), principal)?)?;
    }
    Ok(())
}

/// Makes a key beside its place, has it recorded, and puts it in its place.
fn with_new_key(
    ledger: &mut Ledger,
    principal: &Principal,
    passphrase: NewPassphrase<'_>,
    record: impl FnOnce(&mut Ledger, PublicKey) -> Result<EntryRef, Error>,
) -> Result<EntryRef, Error> {
    // Where it would lie is known before anybody types anything.
    next_key_path(ledger.desk(), principal)?;
    let secret = passphrase(principal)?;
    let key = make_next_key(ledger.desk(), principal, &secret)?;
    drop(secret);
    match record(ledger, key) {
        Ok(entry) => {
            settle_keys(ledger)?;
            Ok(entry)
        }
        Err(error) => {
            drop_next_key(ledger, principal, key)?;
            Err(error)
        }
    }
}

fn is_enrolled(state: &State, principal: &Principal, key: PublicKey) -> bool {
    state.people.get(principal).and_then(|person| person.keys.last()).is_some_and(|record| record.key == key)
}

fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(FileError::io("remove", path)(error).into()),
        _ => Ok(()),
    }
}

/// Puts every key that the ledger knows by now in its place; what a crash left behind is finished so.
///
/// # Errors
/// The desk's files cannot be moved.
pub fn settle_keys(ledger: &Ledger) -> Result<(), Error> {
    let desk = ledger.desk();
    for name in file_names(&desk.path().join("next"))? {
        let Ok(principal) = name.parse::<Principal>() else { continue };
        let path = next_key_path(desk, &principal)?;
        let Ok(file) = PersonKeyFile::load(&path) else { continue };
        if is_enrolled(ledger.state(), &principal, file.public_key()) {
            let place = desk.person_key(principal.as_str())?;
            durable::create_private_dir(&desk.keys())?;
            fs::rename(&path, &place).map_err(FileError::io("put in place", &place))?;
            durable::sync_parent(&place)?;
        }
    }
    Ok(())
}

/// Records that the person accepts to be accountable for their signatures.
///
/// # Errors
/// A rule refuses.
pub fn accept(ledger: &mut Ledger, signing: &mut Signing<'_>) -> Result<EntryRef, Error> {
    signing.record(ledger, EnrolAccept { accountability: accountability() })
}

/// Gives a role or ends it.
///
/// # Errors
/// A rule refuses.
pub fn change_role(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    change: Grant,
    principal: Principal,
    role: Slug,
    product: Option<Slug>,
    until: Option<Timestamp>,
) -> Result<EntryRef, Error> {
    if let Some(product) = &product {
        crate::products::known(ledger.state(), product)?;
    }
    signing.record(ledger, Role { change, principal, product, qualification: None, role, until })
}

// ------------------------------------------------------------------------------------------------- keys

/// Replaces the signer's own key by a new one made here.
///
/// # Errors
/// A rule refuses, nobody chose a passphrase, or the key cannot be written.
pub fn rotate(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    valid_until: Timestamp,
    passphrase: NewPassphrase<'_>,
) -> Result<EntryRef, Error> {
    let principal = signing.by.clone();
    let act = |key: PublicKey| Key {
        change: KeyChange::Rotate { key, key_origin: KeyOrigin::MadeHere, valid_until },
        principal: principal.clone(),
    };
    signing.rehearse(ledger, act(stand_in_key()))?;
    with_new_key(ledger, &principal, passphrase, |ledger, key| signing.record(ledger, act(key)))
}

/// Ends the use of a person's key; `lost` where it may be in other hands.
///
/// # Errors
/// A rule refuses.
pub fn end_key(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    principal: Principal,
    lost: bool,
) -> Result<EntryRef, Error> {
    let change = if lost { KeyChange::Lost {} } else { KeyChange::Revoke {} };
    signing.record(ledger, Key { change, principal })
}

/// Returns whether a private key has a passphrase that is needed to protect it anew.
///
/// # Errors
/// The file cannot be read or is no key.
pub fn has_passphrase(path: &Path) -> Result<bool, Error> {
    match PersonKeyFile::load(path) {
        Ok(_) | Err(KeyError::WeakProtection { .. }) => Ok(true),
        Err(KeyError::Unencrypted(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Returns where a person's key lies, or would lie, on this desk.
///
/// # Errors
/// The desk has no place for it.
pub fn key_path(ledger: &Ledger, principal: &Principal) -> Result<PathBuf, Error> {
    Ok(ledger.desk().person_key(principal.as_str())?)
}

/// Protects a person's key anew at the rounds asked for, or brings the key file `source` to this desk so.
///
/// # Errors
/// The old passphrase is wrong, the key is not the enrolled one, or a file cannot be used.
pub fn protect(
    ledger: &Ledger,
    principal: &Principal,
    source: Option<&Path>,
    old: Option<&Zeroizing<String>>,
    new: &Zeroizing<String>,
) -> Result<PathBuf, Error> {
    let person = ledger.state().people.get(principal).ok_or_else(|| {
        Error::not_found(format!("there is no person {principal}")).hint("`countersign person list` shows everybody")
    })?;
    let place = key_path(ledger, principal)?;
    let source = source.unwrap_or(&place);
    durable::create_private_dir(&ledger.desk().keys())?;
    let file = keyfile::reencrypt(source, &place, old, new)?;
    if person.keys.last().map(|key| key.key) != Some(file.public_key()) {
        if source != place {
            remove_if_there(&place)?;
        }
        return Err(Error::new(ErrorKind::No, "wrong_key", format!("this is not the key enrolled for {principal}")));
    }
    Ok(place)
}

/// Records that somebody has looked over access, trail or emergencies, from where the last such look ended.
///
/// # Errors
/// A rule refuses.
pub fn review(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    scope: ReviewScope,
    findings: Text,
    release: Option<ReleaseId>,
) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let state = ledger.state();
    let act = review_of_all_since(state, scope, findings, release);
    signing.record(ledger, act)
}

/// Composes the review of every entry since the last of its kind.
pub(crate) fn review_of_all_since(
    state: &State,
    scope: ReviewScope,
    findings: Text,
    release: Option<ReleaseId>,
) -> Review {
    let from = state.last_review(scope).map_or(0, |last| last.body.until);
    Review { findings, from, release, scope, until: state.tree.size() }
}

// ------------------------------------------------------------------------------------------------- devices

/// A device as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceRow {
    /// The principal.
    pub principal: Principal,
    /// The printed name.
    pub name: Line,
    /// What it is for.
    pub purpose: DevicePurpose,
    /// The fingerprint of its key.
    pub fingerprint: String,
    /// The entry that enrolled it.
    pub enrolled: u64,
    /// Who enrolled it.
    pub enrolled_by: Principal,
    /// The entry by which a second person confirmed it; none for a desk, or while it waits.
    pub confirmed: Option<u64>,
    /// The entry that ended its use.
    pub revoked: Option<u64>,
    /// `in use`, `waits for a second person` or `revoked`.
    pub status: &'static str,
    /// Whether it is this machine.
    pub this_machine: bool,
}

/// Returns every device ever enrolled.
pub fn devices(ledger: &Ledger) -> Vec<DeviceRow> {
    let desk = ledger.desk();
    let own: Vec<PublicKey> = [desk.device_key(), desk.dispatcher_key()]
        .iter()
        .filter_map(|path| DeviceKeyFile::load(path).ok())
        .map(|file| file.public_key())
        .collect();
    let rows = ledger.state().devices.values().map(|device| DeviceRow {
        principal: device.card.principal.clone(),
        name: device.card.name.clone(),
        purpose: device.card.purpose,
        fingerprint: device.card.key.fingerprint(),
        enrolled: device.enrolled.index,
        enrolled_by: device.enrolled_by.clone(),
        confirmed: device.confirmed.map(|entry| entry.index),
        revoked: device.revoked.map(|entry| entry.index),
        status: match (device.revoked, device.card.purpose, device.confirmed) {
            (Some(_), ..) => "revoked",
            (None, DevicePurpose::Dispatcher, None) => "waits for a second person",
            _ => "in use",
        },
        this_machine: own.contains(&device.card.key),
    });
    rows.collect()
}

/// Makes this machine a dispatcher: a key of its own, enrolled by a process owner.
///
/// # Errors
/// It is one already, a rule refuses, or the key cannot be written.
pub fn enrol_dispatcher(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    name: Option<Line>,
) -> Result<(EntryRef, Principal), Error> {
    clear_dispatcher_key(ledger)?;
    signing.rehearse(ledger, enrols(dispatcher_card(stand_in_key(), name.as_ref())))?;
    let card = make_dispatcher(ledger, name.as_ref())?;
    let principal = card.principal.clone();
    let entry = signing.record(ledger, enrols(card)).inspect_err(|_| drop_dispatcher_key(ledger, &principal))?;
    Ok((entry, principal))
}

/// Removes a dispatcher key that a crash, a refusal or a revocation left behind.
///
/// # Errors
/// This machine is a dispatcher already, or the key cannot be removed.
pub(crate) fn clear_dispatcher_key(ledger: &Ledger) -> Result<(), Error> {
    let path = ledger.desk().dispatcher_key();
    if !path.exists() {
        return Ok(());
    }
    let key = DeviceKeyFile::load(&path)?.public_key();
    let known = ledger.state().devices.values().find(|device| device.card.key == key);
    if let Some(device) = known.filter(|device| device.revoked.is_none()) {
        return Err(Error::new(
            ErrorKind::No,
            "already_done",
            format!("this machine is the dispatcher {} already", device.card.principal),
        ));
    }
    remove_if_there(&path)
}

/// The act that enrols a device.
pub(crate) fn enrols(device: DeviceCard) -> countersign_core::act::Device {
    countersign_core::act::Device { change: DeviceChange::Enrol { device } }
}

/// A dispatcher as an entry enrols it.
pub(crate) fn dispatcher_card(key: PublicKey, name: Option<&Line>) -> DeviceCard {
    let digits = Digest::of(key.to_string().as_bytes()).to_string()[..8].to_owned();
    let usual = format!("Dispatcher {digits}").parse().expect("a lawful line");
    DeviceCard {
        key,
        log_key: None,
        name: name.cloned().unwrap_or(usual),
        principal: format!("dispatcher-{digits}@devices.countersign").parse().expect("a lawful principal"),
        purpose: DevicePurpose::Dispatcher,
    }
}

/// Makes this machine's dispatcher key.
pub(crate) fn make_dispatcher(ledger: &Ledger, name: Option<&Line>) -> Result<DeviceCard, Error> {
    let file = DeviceKeyFile::generate(&ledger.desk().dispatcher_key(), "dispatcher")?;
    Ok(dispatcher_card(file.public_key(), name))
}

/// Removes the key of a dispatcher that was not enrolled after all.
pub(crate) fn drop_dispatcher_key(ledger: &mut Ledger, principal: &Principal) {
    if ledger.refresh().is_ok() && !ledger.state().devices.contains_key(principal) {
        // The refusal is what matters; a key that stays is found again by the next attempt.
        let _ = fs::remove_file(ledger.desk().dispatcher_key());
    }
}

/// Ends the use of a device.
///
/// # Errors
/// A rule refuses.
pub fn revoke_device(ledger: &mut Ledger, signing: &mut Signing<'_>, principal: Principal) -> Result<EntryRef, Error> {
    signing.record(ledger, countersign_core::act::Device { change: DeviceChange::Revoke { principal } })
}

/// Confirms, as a second person, that a dispatcher is what it is said to be.
///
/// # Errors
/// A rule refuses, or there is no such device.
pub fn confirm_device(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    principal: &Principal,
    role: Option<Slug>,
) -> Result<EntryRef, Error> {
    let device = ledger.state().devices.get(principal).ok_or_else(|| {
        Error::not_found(format!("there is no device {principal}")).hint("`countersign device list` shows all")
    })?;
    if device.card.purpose != DevicePurpose::Dispatcher {
        return Err(Error::new(ErrorKind::No, "already_done", format!("{principal} is a desk and waits for nobody")));
    }
    let request = device.enrolled;
    confirm(ledger, signing, request, role, None)
}

/// Confirms what another person did, in a role the signer holds.
pub(crate) fn confirm(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    request: EntryRef,
    role: Option<Slug>,
    product: Option<&Slug>,
) -> Result<EntryRef, Error> {
    let role = match role {
        Some(role) => role,
        None => any_role(ledger.state(), &signing.by, product, clock::now())?,
    };
    let verdict = Verdict::Go;
    let act = Approval {
        authorization: None,
        conditions: Vec::new(),
        meaning: Meaning::Confirmation,
        request,
        role,
        verdict,
    };
    signing.record(ledger, act)
}

/// Returns a role the person holds for the product (for every product when `None`).
pub(crate) fn any_role(state: &State, who: &Principal, product: Option<&Slug>, at: Timestamp) -> Result<Slug, Error> {
    let person = state.people.get(who).ok_or_else(|| Error::not_found(format!("there is no person {who}")))?;
    let held = person.roles.iter().map(|record| &record.role).find(|role| person.holds(role.as_str(), product, at));
    held.cloned().ok_or_else(|| {
        Error::new(ErrorKind::No, "role_missing", format!("{who} holds no role"))
            .hint("a process owner grants roles with `countersign person role`")
    })
}

/// Returns whether a dispatcher of this ledger stands ready.
pub fn has_dispatcher(state: &State) -> bool {
    state.devices.keys().any(|device| judge::is_dispatcher(state, device))
}

// ------------------------------------------------------------------------------------------------- sample

/// A made-up person of a sample ledger, whose passphrase everybody may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Persona {
    /// The principal.
    pub principal: &'static str,
    /// The printed name.
    pub name: &'static str,
    /// The roles.
    pub roles: &'static [&'static str],
    /// The passphrase, shown on screen.
    pub passphrase: &'static str,
}

/// Everybody in a sample ledger; the first one owns it.
pub const PERSONAS: [Persona; 5] = [
    Persona {
        principal: "olga@sample.example",
        name: "Olga Owner",
        roles: &[role::PROCESS_OWNER],
        passphrase: "olga signs samples",
    },
    Persona {
        principal: "rita@sample.example",
        name: "Rita Manager",
        roles: &[role::RELEASE_MANAGER],
        passphrase: "rita signs samples",
    },
    Persona {
        principal: "quinn@sample.example",
        name: "Quinn Quality",
        roles: &["qa"],
        passphrase: "quinn signs samples",
    },
    Persona {
        principal: "sam@sample.example",
        name: "Sam Security",
        roles: &["security"],
        passphrase: "sam signs samples",
    },
    Persona {
        principal: "ada@sample.example",
        name: "Ada Auditor",
        roles: &[role::AUDITOR],
        passphrase: "ada signs samples",
    },
];

impl Persona {
    /// Returns the source of the persona's passphrase.
    #[must_use]
    pub fn passphrase_source(&self) -> Told {
        Told(self.passphrase)
    }

    fn principal(&self) -> Principal {
        self.principal.parse().expect("personas have lawful principals")
    }

    fn name(&self) -> Line {
        self.name.parse().expect("personas have lawful names")
    }
}

/// A passphrase that is no secret; what is signed with it says that nobody typed it.
#[derive(Debug, Clone, Copy)]
pub struct Told(&'static str);

impl PassphraseSource for Told {
    fn passphrase(&mut self, _: &Principal, _: &Statement) -> Result<Zeroizing<String>, Error> {
        Ok(Zeroizing::new(self.0.to_owned()))
    }

    fn reauth(&self) -> Reauth {
        Reauth::File
    }
}

/// Begins a sample ledger with all its personas, so that one person can walk through four eyes.
///
/// # Errors
/// As [`Ledger::begin`].
pub fn begin_sample(home: &Home, dir: &LedgerDir, title: Line, reason: Text) -> Result<Ledger, Error> {
    let now = clock::now();
    let owner = &PERSONAS[0];
    let beginning = Beginning {
        title,
        owner: Signer { name: owner.name(), principal: owner.principal() },
        emails: Vec::new(),
        reason,
        charter: None,
        recovery: Recovery { needed: 0, people: Vec::new(), wait_hours: 0 },
        sample: true,
        valid_until: usual_validity(now),
    };
    let mut ledger = Ledger::begin(home, dir, beginning, &mut owner.passphrase_source())?;
    let say = |text: &str| text.parse::<Text>().expect("a lawful text");
    for persona in &PERSONAS[1..] {
        let mut owners = owner.passphrase_source();
        let mut as_owner =
            Signing { by: owner.principal(), reason: say("a persona of the sample"), passphrase: &mut owners };
        let newcomer = Newcomer {
            principal: persona.principal(),
            name: persona.name(),
            emails: Vec::new(),
            identity: say("made up for the sample"),
            valid_until: usual_validity(now),
        };
        let mut chosen = |_: &Principal| Ok(Zeroizing::new(persona.passphrase.to_owned()));
        enrol(&mut ledger, &mut as_owner, &newcomer, NewKey::MadeHere(&mut chosen))?;
        for role in persona.roles {
            let role = role.parse().expect("personas have lawful roles");
            change_role(&mut ledger, &mut as_owner, Grant::Grant, persona.principal(), role, None, None)?;
        }
        let mut own = persona.passphrase_source();
        let mut as_self =
            Signing { by: persona.principal(), reason: say("a persona of the sample accepts"), passphrase: &mut own };
        accept(&mut ledger, &mut as_self)?;
    }
    Ok(ledger)
}
