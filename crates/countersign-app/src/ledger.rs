//! A ledger open on this desk: the one story every use case tells.
//!
//! Load what is new, decide, sign, append, pin. Every entry read from the store is hashed and judged again before it is
//! believed; the head must be the one the store claims and extend the one this desk has pinned.
//!
//! The crash story of [`Ledger::append`]: before the store's commit nothing has happened; after the commit and before the
//! pin is flushed the entry is in the ledger and the pin is one behind, which the next opening makes good; only after the
//! pin is flushed is the entry acknowledged.

use std::fmt;

use countersign_core::act::{Act, App, Attempt, Reauth, Refusal, SeenBasis, Signer};
use countersign_core::admit::{ParsedLeaf, Statement, admit};
use countersign_core::checkpoint::Checkpoint;
use countersign_core::decide::{self, Command, Context};
use countersign_core::entry::{Entry, EntryError};
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::merkle::{Head, leaf_hash};
use countersign_core::note::{Algorithm, KeyName, VerifierKey};
use countersign_core::rejection::{Code, Finding, Rejection};
use countersign_core::state::State;
use countersign_core::words::{EntryRef, Principal, Text};
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::blob::BlobStore;
use crate::clock;
use crate::desk::{DeskDir, Home, LedgerDir};
use crate::durable;
use crate::error::{CANCELLED, Error, ErrorKind};
use crate::keyfile::{self, DeviceKeyFile, KeyError, LogKeyFile, Person, PersonKeyFile, UnlockedKey};
use crate::lockout::{FREE_TRIES, Lockout};
use crate::pin::PinFile;
use crate::sample;
use crate::store::SqliteStore;
use crate::store::{AppendError, NewLeaf, Store, landed};

mod agent;
mod beginning;
mod import;
mod index;
mod reading;

pub use beginning::{Beginning, PreparedLedger};
pub use index::{EntryMeta, Index};

/// How often an act is decided anew because somebody else appended first.
const RACES_MAX: u32 = 64;

/// Told how far it is, and of how much; answers whether to go on.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64) -> bool;

/// A ledger on this desk.
pub struct Ledger {
    home: Home,
    dir: LedgerDir,
    desk: DeskDir,
    store: SqliteStore,
    blobs: BlobStore,
    pin: PinFile,
    state: State,
    fingerprint: Digest,
    checkpoint: String,
    index: Index,
    damage: Option<Error>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("dir", &self.dir).field("head", &self.state.head()).finish_non_exhaustive()
    }
}

/// Where a person's passphrase comes from, asked only once an act is known to be admitted.
pub trait PassphraseSource {
    /// Returns the passphrase for the key of `principal`, who is about to sign `statement`.
    ///
    /// # Errors
    /// The person gave none.
    fn passphrase(&mut self, principal: &Principal, statement: &Statement) -> Result<Zeroizing<String>, Error>;

    /// Shows what an agent is about to sign; nothing is asked, or the agent itself does.
    ///
    /// # Errors
    /// The person is not to sign now.
    fn show(&mut self, principal: &Principal, statement: &Statement) -> Result<(), Error> {
        let _ = (principal, statement);
        Ok(())
    }

    /// Returns how it is obtained; the signature says so.
    fn reauth(&self) -> Reauth;
}

/// How long a person's key is valid unless said otherwise (21 CFR 11.300(b): periodic recall).
pub const KEY_VALID_SECONDS: i64 = 365 * 86_400;

/// Returns the program that makes entries: its version and the digest of its build.
pub fn app() -> App {
    use std::sync::OnceLock;
    static BUILD: OnceLock<String> = OnceLock::new();
    let build = BUILD.get_or_init(|| {
        let digest = std::env::current_exe().ok().and_then(|program| durable::digest(&program).ok());
        digest.map_or_else(|| "unknown".to_owned(), |digest| format!("sha256:{digest}"))
    });
    App {
        build: build.parse().expect("a digest is a lawful line"),
        version: env!("CARGO_PKG_VERSION").parse().expect("a version is a lawful line"),
    }
}

/// Returns `N` random bytes as lower hex digits.
pub(crate) fn random_hex<const N: usize>() -> Result<String, Error> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(crate) fn nonce() -> Result<countersign_core::words::Nonce, Error> {
    Ok(random_hex::<8>()?.parse().expect("16 hex digits"))
}

impl Ledger {
    /// Begins a ledger in a new directory, with this machine as its first desk.
    ///
    /// # Errors
    /// A ledger is there already, or the disk, the passphrase or the randomness refuses.
    pub fn begin(
        home: &Home,
        dir: &LedgerDir,
        beginning: Beginning,
        passphrase: &mut dyn PassphraseSource,
    ) -> Result<Self, Error> {
        let owner = beginning.owner.principal.clone();
        let mut prepared = PreparedLedger::new(home, dir, beginning)?;
        // The rules are asked with a stand-in key first, so that nobody types a passphrase for nothing.
        let shown = prepared.statement(passphrase.reauth())?;
        let secret = passphrase.passphrase(&owner, &shown)?;
        prepared.make_key(&secret)?;
        let statement = prepared.statement(passphrase.reauth())?;
        prepared.commit(&statement, secret)
    }

    /// Opens a ledger on a desk that knows it.
    ///
    /// # Errors
    /// There is none, it is damaged, or it is not the one this desk has seen.
    pub fn open(home: &Home, dir: &LedgerDir) -> Result<Self, Error> {
        Self::open_telling(home, dir, &mut |_, _| true)
    }

    /// As [`open`](Self::open), telling how many entries of how many were read; it ends where the answer is no.
    ///
    /// # Errors
    /// As [`open`](Self::open), and `cancelled`.
    pub fn open_telling(home: &Home, dir: &LedgerDir, progress: Progress<'_>) -> Result<Self, Error> {
        let mut ledger = Self::unread(home, dir)?;
        ledger.read_on(progress)?;
        Ok(ledger)
    }

    fn unread(home: &Home, dir: &LedgerDir) -> Result<Self, Error> {
        let store = SqliteStore::open(&dir.database())?;
        let first = store.read(0..1)?.pop().ok_or_else(|| damaged("it has no entry 0"))?;
        let fingerprint = Digest::of(&first);
        let desk = home.desk(&fingerprint);
        Ok(Self {
            home: home.clone(),
            blobs: BlobStore::new(dir.blobs()),
            pin: PinFile::new(desk.pin(), leaf_hash(&first)),
            dir: dir.clone(),
            desk,
            store,
            state: State::default(),
            fingerprint,
            checkpoint: String::new(),
            index: Index::default(),
            damage: None,
        })
    }

    /// Opens what is left of a damaged ledger, to be read: as far as its entries go, and nothing is ever written to it.
    ///
    /// # Errors
    /// Not even entry 0 can be read.
    pub fn open_damaged(home: &Home, dir: &LedgerDir, damage: Error) -> Result<Self, Error> {
        let mut ledger = Self::unread(home, dir)?;
        // One by one, so that what lies before the first leaf that is gone is still there.
        while let Ok(mut leaves) = ledger.store.read(ledger.state.tree.size()..ledger.state.tree.size() + 1) {
            let Some(leaf) = leaves.pop() else { break };
            take(&mut ledger.state, &mut ledger.index, ParsedLeaf::new(leaf));
        }
        ledger.damage = Some(damage);
        Ok(ledger)
    }

    /// Returns why nothing is written to it, where it is damaged.
    pub fn damage(&self) -> Option<&Error> {
        self.damage.as_ref()
    }

    /// Notes that it is damaged: from now on it is read as it was, and nothing is written to it.
    pub fn condemn(&mut self, damage: Error) {
        self.damage.get_or_insert(damage);
    }

    /// Opens the same ledger once more, for work beside what this one shows, without reading it all again.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn another(&self) -> Result<Self, Error> {
        Ok(Self {
            home: self.home.clone(),
            dir: self.dir.clone(),
            desk: self.desk.clone(),
            store: SqliteStore::open(&self.dir.database())?,
            blobs: BlobStore::new(self.dir.blobs()),
            pin: PinFile::new(self.desk.pin(), self.first()),
            state: self.state.clone(),
            fingerprint: self.fingerprint,
            checkpoint: self.checkpoint.clone(),
            index: self.index.clone(),
            damage: self.damage.clone(),
        })
    }

    fn first(&self) -> Digest {
        self.state.tree.leaf_hash_at(0).expect("an open ledger has an entry 0")
    }

    /// Says whether somebody has appended since, without reading it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn changed(&self) -> Result<bool, Error> {
        Ok(self.damage.is_none() && self.store.head()?.is_some_and(|stored| stored.head != self.state.head()))
    }

    /// Takes in what others have appended since.
    ///
    /// # Errors
    /// The store cannot be read, or no longer holds what this desk has seen.
    pub fn refresh(&mut self) -> Result<(), Error> {
        self.read_on(&mut |_, _| true)
    }

    fn read_on(&mut self, progress: Progress<'_>) -> Result<(), Error> {
        if self.damage.is_some() {
            return Ok(());
        }
        // Loaded before the ledger is read, so that an append in between does not look like a ledger that went back.
        let seen = self.pin.load()?;
        let stored = self.store.head()?.ok_or_else(|| damaged("it has no head"))?;
        let next = self.state.tree.size();
        if stored.head.size < next {
            return Err(damaged("entries that were there a moment ago are gone"));
        }
        let (state, index) = (&mut self.state, &mut self.index);
        let size = stored.head.size;
        let mut goes_on = |read| progress(read, size);
        if !reading::each(&self.store, next..size, &mut goes_on, |leaf| take(state, index, leaf))? {
            return Err(Error::new(ErrorKind::No, CANCELLED, "the ledger was not opened: it was stopped")
                .hint("nothing was changed; open it again at any time"));
        }
        if self.state.head() != stored.head {
            return Err(damaged("the entries do not add up to the head it claims"));
        }
        if self.state.genesis.is_none() {
            return Err(damaged("entry 0 is not a genesis"));
        }
        self.check_checkpoint(&stored.checkpoint)?;
        self.checkpoint = stored.checkpoint;
        if self.desk.exists() {
            self.pin.advance(seen.as_ref(), &self.state.tree)?;
        }
        Ok(())
    }

    fn check_checkpoint(&self, note: &str) -> Result<(), Error> {
        let keys = log_keys(&self.state).map_err(|message| damaged(&message))?;
        let opened = Checkpoint::open(note, &keys)
            .map_err(|error| damaged(&format!("its checkpoint does not hold: {error}")))?;
        if opened.checkpoint.head() == self.state.head() {
            Ok(())
        } else {
            Err(damaged("its checkpoint is of another head"))
        }
    }

    /// Returns what the ledger says.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns SHA-256 of entry 0 as it is stored, by which people know the ledger.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// Returns what each entry is, for lists.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Returns one leaf, as the store now holds it.
    ///
    /// # Errors
    /// There is none, or the store cannot be read.
    pub fn leaf(&self, index: u64) -> Result<Vec<u8>, Error> {
        let none = || Error::not_found(format!("there is no entry {index}"));
        if index >= self.state.tree.size() {
            return Err(none());
        }
        self.store.read(index..index + 1)?.pop().ok_or_else(none)
    }

    /// Returns the signed head.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// Returns the files of the ledger.
    pub fn dir(&self) -> &LedgerDir {
        &self.dir
    }

    /// Returns the files of this desk.
    pub fn desk(&self) -> &DeskDir {
        &self.desk
    }

    /// Returns the home the desk belongs to.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Returns the store.
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// Returns the blobs.
    pub fn blobs(&self) -> &BlobStore {
        &self.blobs
    }

    /// Returns the head this desk has pinned, if it knows the ledger.
    ///
    /// # Errors
    /// The pin cannot be read.
    pub fn pinned(&self) -> Result<Option<Head>, Error> {
        Ok(self.pin.load()?.map(|pin| pin.head))
    }

    /// Returns every leaf, as the store now holds it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn leaves(&self) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.store.read(0..self.state.tree.size())?)
    }

    /// Returns the reference of an entry by its index.
    ///
    /// # Errors
    /// There is no such entry.
    pub fn entry_ref(&self, index: u64) -> Result<EntryRef, Error> {
        let leaf = self.state.tree.leaf_hash_at(index);
        leaf.map(|leaf| EntryRef { index, leaf }).ok_or_else(|| Error::not_found(format!("there is no entry {index}")))
    }

    /// Records an act signed by this desk's device key.
    ///
    /// # Errors
    /// A rule refuses, or the ledger cannot be written.
    pub fn as_desk(&mut self, command: &Command, reason: Option<Text>) -> Result<EntryRef, Error> {
        let key = DeviceKeyFile::load(&self.desk.device_key())?;
        self.as_device(&key, command, reason)
    }

    /// Records an act signed by this machine's dispatcher key.
    ///
    /// # Errors
    /// The machine is no dispatcher, a rule refuses, or the ledger cannot be written.
    pub fn as_dispatcher(&mut self, command: &Command, reason: Option<Text>) -> Result<EntryRef, Error> {
        let key = self.dispatcher_key()?;
        self.as_device(&key, command, reason)
    }

    /// Returns this machine's dispatcher key.
    ///
    /// # Errors
    /// The machine is no dispatcher.
    pub fn dispatcher_key(&self) -> Result<DeviceKeyFile, Error> {
        let path = self.desk.dispatcher_key();
        if !path.exists() {
            return Err(Error::new(ErrorKind::No, "not_a_dispatcher", "this machine is not a dispatcher")
                .hint("a process owner enrols it with `countersign device enrol-dispatcher`"));
        }
        Ok(DeviceKeyFile::load(&path)?)
    }

    /// Asks the rules whether this machine's dispatcher may do it, before anybody else is asked; records nothing.
    ///
    /// # Errors
    /// The machine is no dispatcher, or a rule refuses.
    pub fn may_as_dispatcher(&self, command: &Command) -> Result<(), Error> {
        let signer = self.device_signer(&self.dispatcher_key()?)?;
        let context = self.context(&signer, None, None)?;
        decide::decide(&self.state, command.clone(), &context)?;
        Ok(())
    }

    fn device_signer(&self, key: &DeviceKeyFile) -> Result<Signer, Error> {
        let public = key.public_key();
        let device = self.state.devices.values().find(|device| device.card.key == public);
        device
            .map(|device| Signer { name: device.card.name.clone(), principal: device.card.principal.clone() })
            .ok_or_else(|| {
                Error::new(ErrorKind::No, "unknown_device", "this machine's key is not enrolled in the ledger")
            })
    }

    fn as_device(&mut self, key: &DeviceKeyFile, command: &Command, reason: Option<Text>) -> Result<EntryRef, Error> {
        let signer = self.device_signer(key)?;
        self.act_as_device(command, &signer, reason, key.key().signing_key())
    }

    /// Records an act signed by a person: the rules are asked first, then the passphrase.
    ///
    /// A refusal by a rule about people or the release is recorded, at most once a minute for each person, code and release.
    ///
    /// # Errors
    /// A rule refuses, the key is not on this desk, the passphrase is wrong, or the ledger cannot be written.
    pub fn as_person(
        &mut self,
        principal: &Principal,
        command: &Command,
        reason: Text,
        source: &mut dyn PassphraseSource,
    ) -> Result<EntryRef, Error> {
        let statement = self.prepare(principal, command, reason, source.reauth())?;
        if source.reauth() != Reauth::Agent {
            return self.sign_prepared(&statement, &mut |statement| source.passphrase(principal, statement));
        }
        let enrolled = self.state.people.get(principal).and_then(|person| person.current_key()).map(|key| key.key);
        let key = enrolled.ok_or_else(|| Error::not_found(format!("{principal} has no key to sign with")))?;
        source.show(principal, &statement)?;
        let entry = agent::sign(&key, &statement)?;
        self.append_signed(&entry)
    }

    /// Composes what a person is to sign and asks every rule: the first half of [`Ledger::as_person`].
    ///
    /// # Errors
    /// A rule refuses.
    pub fn prepare(
        &mut self,
        principal: &Principal,
        command: &Command,
        reason: Text,
        reauth: Reauth,
    ) -> Result<Statement, Error> {
        self.refresh()?;
        self.compose(principal, command, reason, reauth)?.map_err(|rejection| {
            self.record_refusal(command, principal, &rejection);
            rejection.into()
        })
    }

    /// Composes what a person would sign and asks every rule; what is refused leaves no trace.
    ///
    /// # Errors
    /// There is no such person, or this desk is not enrolled; inside, what a rule says.
    pub fn compose(
        &self,
        principal: &Principal,
        command: &Command,
        reason: Text,
        reauth: Reauth,
    ) -> Result<Result<Statement, Rejection>, Error> {
        let person = self.state.people.get(principal).ok_or_else(|| {
            Error::not_found(format!("there is no person {principal}"))
                .hint("`countersign person list` shows everybody")
        })?;
        let signer = Signer { name: person.card.name.clone(), principal: principal.clone() };
        let context = self.context(&signer, Some(reason), Some(reauth))?;
        Ok(decide::decide(&self.state, command.clone(), &context))
    }

    /// Returns the key of a person on this desk, where it is the one enrolled.
    ///
    /// # Errors
    /// It is not here, or is another.
    pub fn key_of(&self, principal: &Principal) -> Result<PersonKeyFile, Error> {
        let file = self
            .key_file(principal)
            .map_err(|error| error.hint(format!("the private key of {principal} stays on its owner's desk")))?;
        let enrolled = self.state.people.get(principal).and_then(|person| person.keys.last()).map(|key| key.key);
        if Some(file.public_key()) != enrolled {
            return Err(Error::new(
                ErrorKind::No,
                "wrong_key",
                format!("the key of {principal} on this desk is not the one enrolled"),
            ));
        }
        Ok(file)
    }

    /// Loads a person's key file. In a sample one that was never used gets its passphrase now, the one on the screen.
    fn key_file(&self, principal: &Principal) -> Result<PersonKeyFile, Error> {
        let path = self.desk.person_key(principal.as_str())?;
        match (PersonKeyFile::load(&path), sample::passphrase_of(principal.as_str())) {
            (Err(KeyError::Unencrypted(_)), Some(passphrase)) if self.state.sample() => {
                Ok(keyfile::reencrypt(&path, &path, None, &Zeroizing::new(passphrase.to_owned()))?)
            }
            (loaded, _) => Ok(loaded?),
        }
    }

    /// Signs and appends what was prepared, to the byte: the second half of [`Ledger::as_person`].
    ///
    /// # Errors
    /// The key is not on this desk, the passphrase is wrong, a rule refuses by now, or the ledger cannot be written.
    pub fn sign_prepared(
        &mut self,
        statement: &Statement,
        ask: &mut dyn FnMut(&Statement) -> Result<Zeroizing<String>, Error>,
    ) -> Result<EntryRef, Error> {
        let principal = &statement.common.signer.principal;
        let file = self.key_of(principal)?;
        let key = self.unlock(principal, &file, &mut || ask(statement))?;
        // What was shown is what is signed, to the byte: who was not shown what others appended meanwhile has not seen it.
        let entry = sign(statement, key.signing_key())?;
        drop(key);
        self.append_signed(&entry)
    }

    fn append_signed(&mut self, entry: &Entry) -> Result<EntryRef, Error> {
        for _ in 0..RACES_MAX {
            match self.append(entry.clone()) {
                Err(Appended::Raced) => self.refresh()?,
                Err(Appended::Failed(error)) => return Err(error),
                Ok(entry) => return Ok(entry),
            }
        }
        Err(busy())
    }

    /// Has a person prove presence by the passphrase of their key on this desk, for what no entry records.
    ///
    /// # Errors
    /// The person cannot sign here, or the passphrase is wrong.
    pub fn prove_presence(
        &mut self,
        principal: &Principal,
        ask: &mut dyn FnMut() -> Result<Zeroizing<String>, Error>,
    ) -> Result<(), Error> {
        self.refresh()?;
        let enrolled = self.state.people.get(principal).and_then(|person| person.current_key()).map(|key| key.key);
        let file = self.key_file(principal)?;
        if Some(file.public_key()) != enrolled {
            return Err(Error::new(
                ErrorKind::No,
                "wrong_key",
                format!("the key of {principal} on this desk is not one they can sign with"),
            ));
        }
        self.unlock(principal, &file, ask).map(|_| ())
    }

    /// Unlocks a person's key, counting wrong passphrases and recording them.
    fn unlock(
        &mut self,
        principal: &Principal,
        file: &PersonKeyFile,
        ask: &mut dyn FnMut() -> Result<Zeroizing<String>, Error>,
    ) -> Result<UnlockedKey<Person>, Error> {
        let lockout = Lockout::new(self.desk.lockout());
        let name = file.public_key().fingerprint();
        let permit = lockout.permit(&name, clock::now().to_chrono())?;
        let secret = match ask() {
            Ok(secret) => secret,
            Err(error) => {
                permit.untried()?;
                return Err(error);
            }
        };
        match file.unlock(secret) {
            Ok(key) => {
                permit.passed()?;
                Ok(key)
            }
            Err(error) => {
                let (wrong, until) = permit.failed();
                let now = clock::now().to_chrono();
                if let Some(count) = lockout.tally(&name, now)? {
                    let act = Attempt { count: u64::from(count), principal: principal.clone() };
                    // An attempt that cannot be recorded now is counted and comes with the next.
                    if self.as_desk(&Command::Record(act.into()), None).is_ok() {
                        lockout.recorded(&name, count, now)?;
                    }
                }
                let error = Error::from(error);
                Err(match until {
                    Some(until) => error
                        .hint(format!("{wrong} wrong in a row: the key is locked until {}", until.format("%H:%M:%SZ"))),
                    None => error.hint(format!(
                        "nothing was signed; {wrong} wrong in a row, and after {} the key waits",
                        FREE_TRIES + 1
                    )),
                })
            }
        }
    }

    fn record_refusal(&mut self, command: &Command, principal: &Principal, rejection: &Rejection) {
        // Slips of the keyboard are not worth an entry; what a rule about people or releases stops is.
        if matches!(
            rejection.code,
            Code::Field | Code::NotFound | Code::Malformed | Code::SeenMismatch | Code::ClockSuspect
        ) {
            return;
        }
        let (act, release) = match command {
            Command::Record(act) => (act.name(), judge::release_of(&self.state, act)),
            Command::Freeze { release, .. } => ("request", Some(release)),
            Command::Answer { release, .. } | Command::AutomaticGo { release, .. } => ("approval", Some(release)),
            Command::Dispatch { release, .. } => ("dispatch", Some(release)),
        };
        let (Ok(act), Ok(code), Ok(message)) =
            (act.parse(), rejection.code.as_str().replace('_', "-").parse(), rejection.message.parse())
        else {
            return;
        };
        let refusal = Refusal { act, code, message, principal: Some(principal.clone()), release: release.cloned() };
        // Coalesced to one a minute by the rules; that it was not recorded again is no error.
        let _ = self.as_desk(&Command::Record(refusal.into()), None);
    }

    fn context(&self, signer: &Signer, reason: Option<Text>, reauth: Option<Reauth>) -> Result<Context, Error> {
        let desk = DeviceKeyFile::load(&self.desk.device_key())?.public_key();
        let device =
            self.state.devices.values().find(|device| device.card.key == desk).ok_or_else(|| {
                Error::new(ErrorKind::No, "unknown_device", "this desk is not enrolled in the ledger")
            })?;
        Ok(Context {
            app: app(),
            device: device.card.principal.clone(),
            signer: signer.clone(),
            reason,
            seen_basis: reauth.map(|_| SeenBasis::Full),
            reauth,
            now: clock::now(),
            zone: clock::zone(),
            nonce: nonce()?,
            origin: self.state.origin.clone().expect("an open ledger has a genesis"),
        })
    }

    /// Decides, signs and appends; decides anew when somebody else appended first.
    fn act_as_device(
        &mut self,
        command: &Command,
        signer: &Signer,
        reason: Option<Text>,
        key: &SigningKey,
    ) -> Result<EntryRef, Error> {
        for _ in 0..RACES_MAX {
            self.refresh()?;
            let context = self.context(signer, reason.clone(), None)?;
            let statement = decide::decide(&self.state, command.clone(), &context)?;
            let entry = sign(&statement, key)?;
            match self.append(entry) {
                Err(Appended::Raced) => {}
                Err(Appended::Failed(error)) => return Err(error),
                Ok(entry) => return Ok(entry),
            }
        }
        Err(busy())
    }

    fn append(&mut self, entry: Entry) -> Result<EntryRef, Appended> {
        if let Some(damage) = &self.damage {
            return Err(Appended::Failed(damage.clone()));
        }
        let expected = self.state.head();
        let refused = |finding: Finding| Error::new(ErrorKind::No, finding.code.as_str(), finding.message);
        let admitted = admit(&self.state, &entry).map_err(refused)?;
        let origin = KeyName::new(admitted.statement().common.seen.origin.as_str())
            .map_err(|error| Error::new(ErrorKind::No, "origin", error.to_string()))?;
        let log = LogKeyFile::load(&self.desk.log_key()).map_err(Error::from)?;
        let head = self.state.tree.clone().append(entry.leaf_hash());
        let payload_hash = entry.payload_hash();
        let leaf = entry.into_leaf();
        let checkpoint = Checkpoint { origin, size: head.size, root: head.root }.sign(log.key().signing_key());
        let leaves = [NewLeaf { leaf: leaf.clone(), payload_hash }];
        match self.store.append(expected, &leaves, head, &checkpoint) {
            Ok(()) => {}
            Err(AppendError::Conflict { .. }) => return Err(Appended::Raced),
            Err(AppendError::Unknown { source }) => {
                if !landed(&self.store, expected, &leaves).map_err(Error::from)? {
                    tracing::warn!(%source, "an append did not land and is tried again");
                    return Err(Appended::Raced);
                }
            }
            Err(error) => return Err(Appended::Failed(error.into())),
        }
        let (place, statement) = self.state.take_parsed(ParsedLeaf::new(leaf)).map_err(refused)?;
        self.index.take(place.index, &self.state, &statement);
        self.checkpoint = checkpoint;
        // The tree was checked against the pin when it was loaded, and the store has just confirmed it.
        self.pin.advance(None, &self.state.tree).map_err(Error::from)?;
        Ok(place)
    }
}

/// Why an append did not happen.
enum Appended {
    /// Somebody else was first.
    Raced,
    /// It cannot be done.
    Failed(Error),
}

impl From<Error> for Appended {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Appended> for Error {
    fn from(appended: Appended) -> Self {
        match appended {
            Appended::Raced => Self::new(ErrorKind::No, "ledger_exists", "another ledger was begun here meanwhile"),
            Appended::Failed(error) => error,
        }
    }
}

fn take(state: &mut State, index: &mut Index, leaf: ParsedLeaf) {
    let place = state.tree.size();
    // A finding is kept by the state: the entry has no effect, and every report names it.
    match state.take_parsed(leaf) {
        Ok((entry, statement)) => index.take(entry.index, state, &statement),
        Err(_) => index.take_unadmitted(place),
    }
}

fn busy() -> Error {
    Error::new(ErrorKind::Cannot, "busy", "others kept appending first; nothing was written").hint("try again")
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::Integrity, "ledger_damaged", format!("the ledger is not sound: {what}"))
        .hint("nothing is written to it; keep it as it is and restore a backup elsewhere")
}

pub(crate) fn sign(statement: &Statement, key: &SigningKey) -> Result<Entry, Error> {
    Entry::sign(&statement.payload(), statement.act.name(), key).map_err(|error| unfit(&error))
}

fn unfit(error: &EntryError) -> Error {
    Error::new(ErrorKind::No, "entry", format!("this does not fit into an entry: {error}"))
}

fn origin_of(state: &State) -> Result<KeyName, String> {
    let origin = state.origin.as_ref().ok_or("it has no genesis")?;
    KeyName::new(origin.as_str()).map_err(|error| error.to_string())
}

/// Returns the keys that may sign the ledger's checkpoints.
///
/// # Errors
/// The ledger has no usable origin.
pub fn log_keys(state: &State) -> Result<Vec<VerifierKey>, String> {
    let origin = origin_of(state)?;
    Ok(state.log_keys().into_iter().map(|key| VerifierKey::new(origin.clone(), Algorithm::Ed25519, key)).collect())
}

/// Returns the act's name and a person's answer as a short title for prompts.
pub fn title(statement: &Statement) -> String {
    match &statement.act {
        Act::Approval(body) => format!("{} as {}", body.verdict, body.role),
        act => act.name().to_owned(),
    }
}
