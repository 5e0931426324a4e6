//! Entries of a sample, made in memory one after the other: decided, signed and admitted like any other entry, at moments
//! of a clock that is driven. They are written to the store all at once, and judged again when the ledger is opened.

use std::collections::BTreeMap;
use std::str::FromStr;

use countersign_core::act::{Act, App, Reauth, SeenBasis, Signer};
use countersign_core::admit;
use countersign_core::checkpoint::Checkpoint;
use countersign_core::decide::{self, Command, Context};
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::note::KeyName;
use countersign_core::state::{self, Release, State};
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Timestamp, Zone};
use ed25519_dalek::SigningKey;

use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::keyfile::LogKeyFile;
use crate::ledger::Ledger;
use crate::store::{NewLeaf, Store as _};

/// Reads a word of the sample itself.
pub(super) fn word<T: FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("the words of the sample are lawful")
}

/// Returns the digest that stands for a name: for commits, artifacts and whatever else has no file here.
pub(super) fn digest(name: &str) -> Digest {
    Digest::of(format!("sample: {name}").as_bytes())
}

/// Returns a number below `below` that is always the same for a name.
pub(super) fn pick(name: &str, below: usize) -> usize {
    let bytes = *digest(name).as_bytes();
    let number = u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], 0]);
    usize::try_from(number % below as u64).expect("below is a usize")
}

/// Drives the clock of this thread while it lives.
pub(super) struct DrivenClock;

impl DrivenClock {
    pub(super) fn at(time: Timestamp) -> Self {
        clock::drive(Some(time));
        Self
    }
}

impl Drop for DrivenClock {
    fn drop(&mut self) {
        clock::drive(None);
    }
}

/// A ledger in the making.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) state: State,
    pub(super) now: Timestamp,
    /// Files that entries name.
    pub(super) blobs: BTreeMap<Digest, Vec<u8>>,
    leaves: Vec<NewLeaf>,
    keys: BTreeMap<Principal, SigningKey>,
    zones: BTreeMap<Principal, Zone>,
    app: App,
    desk: Principal,
    dispatcher: Option<Principal>,
    made: u64,
}

impl Maker {
    /// Goes on from a ledger that has its genesis, signed by this desk's device.
    pub(super) fn after(ledger: &Ledger, app: App, device: SigningKey) -> Self {
        let state = ledger.state().clone();
        let desk = state.genesis.as_ref().expect("a ledger that has begun").desk.principal.clone();
        Self {
            now: clock::now(),
            blobs: BTreeMap::new(),
            leaves: Vec::new(),
            keys: BTreeMap::from([(desk.clone(), device)]),
            zones: BTreeMap::new(),
            app,
            desk,
            dispatcher: None,
            made: 0,
            state,
        }
    }

    /// Gives somebody the key to sign with from now on, and the zone of their clock.
    pub(super) fn give(&mut self, who: &Principal, key: SigningKey, zone: Zone) {
        self.keys.insert(who.clone(), key);
        self.zones.insert(who.clone(), zone);
    }

    pub(super) fn set_dispatcher(&mut self, device: Principal) {
        self.dispatcher = Some(device);
    }

    pub(super) fn desk(&self) -> Principal {
        self.desk.clone()
    }

    pub(super) fn dispatcher(&self) -> Principal {
        self.dispatcher.clone().expect("the sample enrols its dispatcher first")
    }

    /// Keeps a file that the next entries may name.
    pub(super) fn blob(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.blobs.insert(digest, bytes);
        digest
    }

    pub(super) fn release(&self, id: &ReleaseId) -> Result<&Release, Error> {
        crate::releases::find(&self.state, id)
    }

    /// Records an act.
    pub(super) fn act(&mut self, who: &Principal, act: impl Into<Act>, reason: &str) -> Result<EntryRef, Error> {
        self.command(who, Command::Record(act.into()), Some(reason))
    }

    /// Records an act of a device, which needs no reason.
    pub(super) fn observe(&mut self, who: &Principal, act: impl Into<Act>) -> Result<EntryRef, Error> {
        self.command(who, Command::Record(act.into()), None)
    }

    /// Does what is wanted: decided, signed, admitted.
    pub(super) fn command(
        &mut self,
        who: &Principal,
        command: Command,
        reason: Option<&str>,
    ) -> Result<EntryRef, Error> {
        let person = self.state.people.contains_key(who);
        let told = |error: Error| Error { message: format!("{who} at {}: {}", self.now, error.message), ..error };
        self.made += 1;
        let nonce = digest(&format!("nonce {}", self.made)).to_string();
        let context = Context {
            app: self.app.clone(),
            device: self.desk.clone(),
            signer: Signer { name: word(&self.state.printed_name(who)), principal: who.clone() },
            reason: reason.map(word),
            reauth: person.then_some(Reauth::Prompt),
            seen_basis: person.then_some(SeenBasis::Full),
            now: self.now,
            zone: self.zones.get(who).copied().unwrap_or(Zone::UTC),
            nonce: word(&nonce[..16]),
            origin: self.state.origin.clone().expect("a ledger that has begun"),
        };
        let statement =
            decide::decide(&self.state, command, &context).map_err(|rejection| told(Error::from(rejection)))?;
        let key = self.keys.get(who).ok_or_else(|| told(Error::not_found("there is no key to sign with")))?;
        let entry = Entry::sign(&statement.payload(), statement.act.name(), key)
            .map_err(|error| told(Error::new(ErrorKind::No, "entry", error.to_string())))?;
        let admitted = admit::admit(&self.state, &entry)
            .map_err(|finding| told(Error::new(ErrorKind::No, finding.code.as_str(), finding.message)))?;
        let place = EntryRef { index: self.state.tree.size(), leaf: entry.leaf_hash() };
        self.state.tree.append(place.leaf);
        state::apply(&mut self.state, admitted);
        let payload_hash = entry.payload_hash();
        self.leaves.push(NewLeaf { leaf: entry.into_leaf(), payload_hash });
        Ok(place)
    }

    /// Writes files and entries to the ledger it went on from.
    pub(super) fn write(self, ledger: &Ledger) -> Result<(), Error> {
        for bytes in self.blobs.values() {
            ledger.blobs().write(bytes)?;
        }
        let log = LogKeyFile::load(&ledger.desk().log_key())?;
        let origin: &Line = self.state.origin.as_ref().expect("a ledger that has begun");
        let origin = KeyName::new(origin.as_str())
            .map_err(|error| Error::new(ErrorKind::Integrity, "origin", error.to_string()))?;
        let head = self.state.head();
        let checkpoint = Checkpoint { origin, size: head.size, root: head.root }.sign(log.key().signing_key());
        ledger.store().append(ledger.state().head(), &self.leaves, head, &checkpoint)?;
        Ok(())
    }
}
