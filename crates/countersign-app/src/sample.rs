//! The sample: a ledger to look around in. Six products, their releases of the last months in every state, people of every
//! role with passphrases on the screen, a rollout that runs and one that stopped.
//!
//! Every entry is decided by the rules that a real ledger has, and signed by its persona's own key; only the clock is one of
//! the story's own. The genesis says that it is a sample, so nothing in it is ever taken for an approval.

mod cast;
mod files;
mod maker;
mod story;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use countersign_core::checkpoint::Checkpoint;
use countersign_core::hash::Digest;
use countersign_core::merkle::{Head, Tree};
use countersign_core::note::KeyName;
use countersign_core::sshsig::PublicKey;
use countersign_core::words::{Line, Principal};
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::blob::BlobStore;
use crate::clock;
use crate::desk::{DeskDir, Home, LedgerDir};
use crate::error::{Error, ErrorKind};
use crate::keyfile::{DeviceKeyFile, LogKeyFile, PersonKeyFile};
use crate::ledger::{Ledger, random_hex};
use crate::people::{self, PERSONAS};
use crate::store::{SqliteStore, Store as _};
use crate::wire as w;
use cast::CAST;
use maker::{Maker, say};

/// Returns the personas of an open sample, with the passphrases everybody may know.
#[must_use]
pub fn personas(ledger: &Ledger) -> Vec<w::Persona> {
    let state = ledger.state();
    let known = |principal: &str| principal.parse::<Principal>().is_ok_and(|who| state.people.contains_key(&who));
    let row = |principal: &str, name: &str, roles: &[&str], passphrase: &str| w::Persona {
        principal: principal.to_owned(),
        name: name.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        passphrase: passphrase.to_owned(),
    };
    let own = CAST.iter().filter(|one| known(one.principal));
    let mut shown: Vec<w::Persona> = own.map(|one| row(one.principal, one.name, one.roles, one.passphrase)).collect();
    if shown.is_empty() {
        let others = PERSONAS.iter().filter(|one| known(one.principal));
        shown = others.map(|one| row(one.principal, one.name, one.roles, one.passphrase)).collect();
    }
    shown
}

/// Builds the sample; `progress` is told how far it is and says whether to go on.
///
/// # Errors
/// A ledger is there already, the disk refuses, or it was stopped.
pub fn create(home: &Home, dir: &LedgerDir, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<Ledger, Error> {
    if dir.database().exists() {
        return Err(Error::new(
            ErrorKind::No,
            "ledger_exists",
            format!("{} holds a ledger already", dir.path().display()),
        ));
    }
    let mut told = |done: u64| {
        if progress(done, 100) {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::No, "cancelled", "it was stopped; nothing is left of it"))
        }
    };
    told(0)?;
    let prepared = home.prepare_desk()?;
    let desk = prepared.desk();
    let device = DeviceKeyFile::generate(&desk.device_key(), "desk")?;
    let dispatcher = DeviceKeyFile::generate(&desk.dispatcher_key(), "dispatcher")?;
    let log = LogKeyFile::generate(&desk.log_key(), "desk")?;
    let keys = person_keys(desk, &mut told)?;

    let host: String = random_hex::<4>()?;
    let origin: Line = say(&format!("countersign/sample-{host}"))?;
    let desk_principal: Principal = say(&format!("desk-{host}@devices.countersign"))?;
    let dispatcher_principal: Principal = say(&format!("dispatcher-{host}@devices.countersign"))?;
    let now = clock::now();
    let mut maker = Maker::new(desk_principal.clone(), dispatcher_principal.clone(), origin.clone(), now);
    maker.knows(desk_principal.clone(), say(&format!("Desk {host}"))?, device.key().signing_key().clone());
    maker.knows(
        dispatcher_principal.clone(),
        say(&format!("Dispatcher {host}"))?,
        dispatcher.key().signing_key().clone(),
    );
    for (one, (_, key)) in CAST.iter().zip(&keys) {
        maker.knows(say(one.principal)?, say(one.name)?, key.clone());
    }
    let cards = story::Cards {
        desk: maker::device(
            &desk_principal,
            &format!("Desk {host}"),
            device.public_key(),
            Some(log.public_key()),
            countersign_core::act::DevicePurpose::Desk,
        )?,
        dispatcher: maker::device(
            &dispatcher_principal,
            &format!("Dispatcher {host}"),
            dispatcher.public_key(),
            None,
            countersign_core::act::DevicePurpose::Dispatcher,
        )?,
        people: keys.iter().map(|(public, _)| *public).collect(),
    };
    drop(keys);
    story::tell(&mut maker, &cards, now)?;
    told(85)?;

    let genesis = maker.leaves.first().map(|first| Digest::of(&first.leaf));
    let fingerprint =
        genesis.ok_or_else(|| Error::new(ErrorKind::Integrity, "sample", "the story has no beginning"))?;
    let desk = prepared.settle(&fingerprint)?;
    write(&desk, dir, maker, &origin, &log)?;
    told(100)?;
    Ledger::open(home, dir)
}

/// Makes the key of every persona, as many at once as there are processors: each takes a while, for the good of real ones.
fn person_keys(
    desk: &DeskDir,
    told: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<Vec<(PublicKey, SigningKey)>, Error> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let make = |one: &cast::Persona| -> Result<(PublicKey, SigningKey), Error> {
        let path = desk.person_key(one.principal)?;
        let secret = Zeroizing::new(one.passphrase.to_owned());
        let (file, key) = PersonKeyFile::generate_unlocked(&path, one.principal, &secret)?;
        Ok((file.public_key(), key.signing_key().clone()))
    };
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).clamp(1, CAST.len());
    let (sender, made) = std::sync::mpsc::channel();
    let mut keys: Vec<Option<(PublicKey, SigningKey)>> = vec![None; CAST.len()];
    std::thread::scope(|scope| -> Result<(), Error> {
        for _ in 0..threads {
            let (sender, next, stop, make) = (sender.clone(), &next, &stop, &make);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = CAST.get(place) else { break };
                    if sender.send((place, make(one))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut result = Ok(());
        for (done, (place, key)) in made.iter().enumerate() {
            let taken =
                key.map(|key| keys[place] = Some(key)).and_then(|()| told((done as u64 + 1) * 60 / CAST.len() as u64));
            if let (Err(error), Ok(())) = (taken, &result) {
                stop.store(true, Ordering::Relaxed);
                result = Err(error);
            }
        }
        result
    })?;
    keys.into_iter()
        .collect::<Option<_>>()
        .ok_or_else(|| Error::new(ErrorKind::Cannot, "internal", "a key could not be made"))
}

/// Writes the files first, then every entry in one step.
fn write(desk: &DeskDir, dir: &LedgerDir, maker: Maker, origin: &Line, log: &LogKeyFile) -> Result<(), Error> {
    dir.create()?;
    let blobs = BlobStore::new(dir.blobs());
    for bytes in maker.blobs.values() {
        blobs.write(bytes)?;
    }
    let store = SqliteStore::create(&dir.database())?;
    let name =
        KeyName::new(origin.as_str()).map_err(|error| Error::new(ErrorKind::Integrity, "sample", error.to_string()))?;
    let empty = Tree::new().head();
    let Head { size, root } = maker.state.head();
    let checkpoint = Checkpoint { origin: name, size, root }.sign(log.key().signing_key());
    store.append(empty, &maker.leaves, Head { size, root }, &checkpoint)?;
    debug_assert!(desk.exists(), "the desk has its name by now");
    Ok(())
}

/// Removes a sample and its desk.
///
/// # Errors
/// It is not a sample, or the disk refuses.
pub fn remove(home: &Home, dir: &LedgerDir) -> Result<(), Error> {
    let ledger = Ledger::open(home, dir)?;
    if !ledger.state().sample() {
        return Err(Error::new(ErrorKind::No, "not_a_sample", "only a sample is ever removed"));
    }
    let places = [dir.path().to_owned(), ledger.desk().path().to_owned()];
    drop(ledger);
    places.iter().try_for_each(|place: &std::path::PathBuf| maker::remove(Path::new(place)))
}

/// Returns how long a passphrase of a persona is valid, as that of anybody.
pub(super) fn valid_until(begun: countersign_core::words::Timestamp) -> countersign_core::words::Timestamp {
    people::usual_validity(begun).plus_seconds(180 * 86_400)
}
