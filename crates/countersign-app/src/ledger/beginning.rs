//! How a ledger begins: the first desk's keys, the owner's key, entry 0.

use std::fmt;

use countersign_core::act::{
    Charter, DeviceCard, DevicePurpose, Genesis, KeyOrigin, PersonCard, Reauth, Recovery, SeenBasis, Signer,
    accountability,
};
use countersign_core::admit::Statement;
use countersign_core::decide::{self, Command, Context};
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::sshsig::PublicKey;
use countersign_core::state::State;
use countersign_core::words::{Line, Nonce, Text, Timestamp, Zone};
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::{Index, Ledger, app, nonce, random_hex, sign};
use crate::blob::BlobStore;
use crate::clock;
use crate::desk::{Home, LedgerDir, PreparedDesk};
use crate::error::{Error, ErrorKind};
use crate::keyfile::{DeviceKeyFile, LogKeyFile, PersonKeyFile};
use crate::pin::PinFile;
use crate::store::SqliteStore;

/// What a new ledger begins with.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// The name people give it.
    pub title: Line,
    /// The first process owner.
    pub owner: Signer,
    /// Other addresses the owner commits under.
    pub emails: Vec<Line>,
    /// Why it is begun.
    pub reason: Text,
    /// The rules over people it begins with; none where one person may give a role alone.
    pub charter: Option<Charter>,
    /// Who may recover it.
    pub recovery: Recovery,
    /// Personas with passphrases on screen.
    pub sample: bool,
    /// The owner's key can sign until then.
    pub valid_until: Timestamp,
}

/// A ledger that is about to begin: its desk's keys are made and lie aside; nothing of it is kept unless it is committed.
pub struct PreparedLedger {
    home: Home,
    dir: LedgerDir,
    beginning: Beginning,
    desk: PreparedDesk,
    card: DeviceCard,
    origin: Line,
    owner: Option<PersonKeyFile>,
    persona: Option<PublicKey>,
    nonce: Nonce,
    time: Timestamp,
    zone: Zone,
}

impl fmt::Debug for PreparedLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedLedger").field("beginning", &self.beginning).finish_non_exhaustive()
    }
}

impl PreparedLedger {
    /// Makes the keys of the first desk.
    ///
    /// # Errors
    /// A ledger is there already, or the disk or the randomness refuses.
    pub fn new(home: &Home, dir: &LedgerDir, beginning: Beginning) -> Result<Self, Error> {
        refuse_existing(dir)?;
        let desk = home.prepare_desk()?;
        let host: String = random_hex::<4>()?;
        let device = DeviceKeyFile::generate(&desk.desk().device_key(), "desk")?;
        let log = LogKeyFile::generate(&desk.desk().log_key(), "desk")?;
        let origin = format!("countersign/{host}{}", random_hex::<4>()?).parse().expect("a lawful line");
        let card = DeviceCard {
            key: device.public_key(),
            log_key: Some(log.public_key()),
            name: format!("Desk {host}").parse().expect("a lawful line"),
            principal: format!("desk-{host}@devices.countersign").parse().expect("a lawful principal"),
            purpose: DevicePurpose::Desk,
        };
        Ok(Self {
            home: home.clone(),
            dir: dir.clone(),
            beginning,
            desk,
            card,
            origin,
            owner: None,
            persona: None,
            nonce: nonce()?,
            time: clock::now(),
            zone: clock::zone(),
        })
    }

    /// Returns what it begins with.
    #[must_use]
    pub fn beginning(&self) -> &Beginning {
        &self.beginning
    }

    /// Makes the owner's key under a passphrase, in place of one that was made before.
    ///
    /// # Errors
    /// The disk, the passphrase or the randomness refuses.
    pub fn make_key(&mut self, secret: &Zeroizing<String>) -> Result<PublicKey, Error> {
        let principal = self.beginning.owner.principal.as_str();
        let path = self.desk.desk().person_key(principal)?;
        if self.owner.take().is_some() {
            std::fs::remove_file(&path).map_err(crate::durable::FileError::io("remove", &path))?;
        }
        let file = PersonKeyFile::generate(&path, principal, secret)?;
        self.time = clock::now();
        let key = file.public_key();
        self.owner = Some(file);
        Ok(key)
    }

    /// Takes a key that was made before for the persona who owns a sample; a real ledger has no such key.
    pub(crate) fn take_key_of_persona(&mut self, key: &SigningKey) -> Result<(), Error> {
        if !self.beginning.sample {
            return Err(Error::usage("the owner of a real ledger chooses a passphrase"));
        }
        let principal = self.beginning.owner.principal.as_str();
        crate::sample::keys::put(&self.desk.desk().person_key(principal)?, principal, key)?;
        self.persona = Some(PublicKey::of(key));
        Ok(())
    }

    /// Returns the owner's key, once there is one.
    #[must_use]
    pub fn owner_key(&self) -> Option<PublicKey> {
        self.owner.as_ref().map(PersonKeyFile::public_key).or(self.persona)
    }

    /// Returns what the owner is to sign; with a stand-in key until theirs is made.
    ///
    /// # Errors
    /// A rule refuses.
    pub fn statement(&self, reauth: Reauth) -> Result<Statement, Error> {
        let stand_in = || PublicKey::of(&SigningKey::from_bytes(&[7; 32]));
        let beginning = &self.beginning;
        let genesis = Genesis {
            accountability: accountability(),
            charter: beginning.charter,
            desk: self.card.clone(),
            owner: PersonCard {
                emails: beginning.emails.clone(),
                key: self.owner_key().unwrap_or_else(stand_in),
                key_origin: KeyOrigin::MadeHere,
                name: beginning.owner.name.clone(),
                principal: beginning.owner.principal.clone(),
                valid_until: beginning.valid_until,
            },
            recovery: beginning.recovery.clone(),
            sample: beginning.sample,
            title: beginning.title.clone(),
        };
        let context = Context {
            app: app(),
            device: self.card.principal.clone(),
            signer: beginning.owner.clone(),
            reason: Some(beginning.reason.clone()),
            reauth: Some(reauth),
            seen_basis: Some(SeenBasis::Full),
            now: self.time,
            zone: self.zone,
            nonce: self.nonce.clone(),
            origin: self.origin.clone(),
        };
        Ok(decide::decide(&State::default(), Command::Record(genesis.into()), &context)?)
    }

    /// Signs entry 0 as it was shown, gives the desk its lasting name, and begins the ledger.
    ///
    /// # Errors
    /// The passphrase is wrong, a ledger is there by now, or the disk refuses.
    pub fn commit(self, statement: &Statement, secret: Zeroizing<String>) -> Result<Ledger, Error> {
        let entry = self.sign(statement, secret)?;
        self.begin(entry)
    }

    /// Signs entry 0 as it was shown; nothing is kept yet.
    ///
    /// # Errors
    /// The passphrase is wrong.
    pub fn sign(&self, statement: &Statement, secret: Zeroizing<String>) -> Result<Entry, Error> {
        let owner = self.owner.as_ref().ok_or_else(|| Error::usage("the owner's key is not made yet"))?;
        sign(statement, owner.unlock(secret)?.signing_key())
    }

    /// Gives the desk its lasting name and begins the ledger with entry 0.
    ///
    /// # Errors
    /// A ledger is there by now, or the disk refuses.
    pub fn begin(self, entry: Entry) -> Result<Ledger, Error> {
        refuse_existing(&self.dir)?;
        let fingerprint = Digest::of(entry.leaf());
        let first = entry.leaf_hash();
        let desk = self.desk.settle(&fingerprint)?;
        self.dir.create()?;
        let store = SqliteStore::create(&self.dir.database())?;
        let mut ledger = Ledger {
            home: self.home,
            blobs: BlobStore::new(self.dir.blobs()),
            pin: PinFile::new(desk.pin(), first),
            dir: self.dir,
            desk,
            store,
            state: State::default(),
            fingerprint,
            checkpoint: String::new(),
            index: Index::default(),
            damage: None,
        };
        ledger.append(entry)?;
        Ok(ledger)
    }
}

fn refuse_existing(dir: &LedgerDir) -> Result<(), Error> {
    if dir.database().exists() {
        return Err(Error::new(
            ErrorKind::No,
            "ledger_exists",
            format!("{} holds a ledger already", dir.path().display()),
        )
        .hint("a ledger is never overwritten; choose another directory"));
    }
    Ok(())
}
