//! A sample ledger rich enough to explore: six products, four months of releases, people with passphrases on screen.
//!
//! Everything in it is made up and everything is real: each entry is decided, signed and admitted by the same rules as
//! any other, evidence is read by the same readers, and the ledger says `sample` for ever. Only its clock is driven, so
//! that months pass in seconds. What is said is the same each time for the same moment; keys are new each time.
//!
//! What it deploys is a service of its own on this machine (see [`serve`]); nothing of it reaches another one.

mod beginning;
mod files;
mod goods;
pub(crate) mod keys;
mod large;
mod maker;
mod people;
mod rollouts;
mod schedule;
mod service;
mod story;
mod tales;

use std::fs;
use std::path::Path;

use countersign_core::act::{Reauth, Recovery, Signer};
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::words::Timestamp;
use ed25519_dalek::SigningKey;

use crate::clock;
use crate::desk::{Home, LedgerDir};
use crate::durable::{self, FileError};
use crate::error::{Error, ErrorKind};
use crate::keyfile::DeviceKeyFile;
use crate::ledger::{Beginning, KEY_VALID_SECONDS, Ledger, PreparedLedger, Progress};
use crate::people::PERSONAS;
use crate::wire::desk::Persona;
use keys::Keys;
use maker::{DrivenClock, Maker, word};
use people::who;
use schedule::Schedule;

pub use large::large;
pub use people::{PEOPLE, SamplePerson};
pub use service::{Service, serve};

/// Returns the personas of an open sample with the roles they hold now; nobody on a real ledger.
#[must_use]
pub fn personas(ledger: &Ledger) -> Vec<Persona> {
    let state = ledger.state();
    if !state.sample() {
        return Vec::new();
    }
    let now = clock::now();
    let known = state.people.values().filter_map(|person| {
        // Who has left is nobody to sign as.
        person.current_key()?;
        let passphrase = passphrase_of(person.card.principal.as_str())?;
        let mut roles: Vec<String> = Vec::new();
        for record in &person.roles {
            let role = record.role.to_string();
            if person.holds(&role, record.product.as_ref(), now) && !roles.contains(&role) {
                roles.push(role);
            }
        }
        Some(Persona {
            principal: person.card.principal.to_string(),
            name: person.card.name.to_string(),
            roles,
            passphrase: passphrase.to_owned(),
        })
    });
    known.collect()
}

/// Returns the passphrase of somebody made up, which everybody may know.
#[must_use]
pub fn passphrase_of(principal: &str) -> Option<&'static str> {
    let here = PEOPLE.iter().find(|person| who(person.short).as_str() == principal).map(|person| person.passphrase);
    here.or_else(|| PERSONAS.iter().find(|persona| persona.principal == principal).map(|persona| persona.passphrase))
}

/// Makes the sample in a directory that holds none, as if four months had passed until now.
///
/// # Errors
/// A ledger is there already, the disk refuses, or it was cancelled; nothing of it is kept then.
pub fn create(home: &Home, dir: &LedgerDir, progress: Progress<'_>) -> Result<Ledger, Error> {
    create_at(home, dir, clock::now(), progress)
}

/// Makes the sample as [`create`] does, as if it were `now`.
///
/// # Errors
/// As [`create`].
pub fn create_at(home: &Home, dir: &LedgerDir, now: Timestamp, progress: Progress<'_>) -> Result<Ledger, Error> {
    make(home, dir, now, "Northbay Medical, sample", tell, progress)
}

/// Tells the whole sample.
fn tell(schedule: &mut Schedule, keys: &Keys, dispatcher: SigningKey, port: u16) {
    tell_beginning(schedule, keys, dispatcher, port);
    beginning::later(schedule);
    tales::all(schedule);
}

/// Tells only of people, devices and products.
fn tell_beginning(schedule: &mut Schedule, keys: &Keys, dispatcher: SigningKey, port: u16) {
    beginning::people(schedule, keys, dispatcher);
    beginning::products(schedule, port);
}

/// Makes a ledger of what `tell` tells.
fn make(
    home: &Home,
    dir: &LedgerDir,
    now: Timestamp,
    title: &str,
    tell: impl FnOnce(&mut Schedule, &Keys, SigningKey, u16),
    progress: Progress<'_>,
) -> Result<Ledger, Error> {
    in_place(home, dir, |aside, begun_as| {
        let mut schedule = Schedule::until(now);
        let begun = schedule.workday(86, 7, 30);
        let keys = keys::make()?;
        let ledger = begin(home, aside, begun, title, &keys)?;
        *begun_as = Some(ledger.fingerprint());
        let _driven = DrivenClock::at(begun);
        let mut maker = maker_of(&ledger, &keys)?;
        keys::put_all(ledger.desk(), &keys)?;
        let dispatcher = DeviceKeyFile::generate(&ledger.desk().dispatcher_key(), "dispatcher")?;
        tell(&mut schedule, &keys, dispatcher.key().signing_key().clone(), service::free_port()?);
        schedule.run(&mut maker, progress)?;
        service::install(ledger.desk(), &maker.state)?;
        maker.write(&ledger)
    })
}

/// Removes a sample with its desk; a ledger that is none is refused.
///
/// # Errors
/// It is no sample, or the disk refuses.
pub fn remove(home: &Home, dir: &LedgerDir) -> Result<(), Error> {
    let ledger = Ledger::open(home, dir)?;
    if !ledger.state().sample() {
        return Err(Error::new(ErrorKind::No, "not_a_sample", format!("{} is no sample", dir.path().display()))
            .hint("a real ledger is never removed"));
    }
    let desk = ledger.desk().path().to_owned();
    drop(ledger);
    remove_dir(dir.path())?;
    remove_dir(&desk)
}

/// Makes a ledger aside and puts it in its place once it is whole, so that a half-made one is never opened.
fn in_place(
    home: &Home,
    dir: &LedgerDir,
    make: impl FnOnce(&LedgerDir, &mut Option<Digest>) -> Result<(), Error>,
) -> Result<Ledger, Error> {
    // An empty directory is as good as none.
    if dir.path().exists() && fs::remove_dir(dir.path()).is_err() {
        let shown = dir.path().display();
        return Err(Error::new(ErrorKind::No, "ledger_exists", format!("{shown} is there already"))
            .hint("a ledger is never overwritten; choose another directory"));
    }
    let parent = dir.path().parent().unwrap_or(Path::new("."));
    durable::create_private_dir(parent)?;
    let aside = tempfile::Builder::new()
        .prefix(durable::TEMPORARY_PREFIX)
        .tempdir_in(parent)
        .map_err(FileError::io("make the sample in", parent))?;
    let inside = aside.path().join("ledger");
    let mut begun_as = None;
    let made = make(&LedgerDir::at(&inside), &mut begun_as).and_then(|()| {
        fs::rename(&inside, dir.path()).map_err(FileError::io("put the sample in", dir.path()))?;
        Ok(durable::sync_dir(parent)?)
    });
    // Opening reads it back from the disk and judges every entry again.
    let opened = made.and_then(|()| Ledger::open(home, dir));
    if let (Err(_), Some(fingerprint)) = (&opened, begun_as) {
        remove_dir(home.desk(&fingerprint).path())?;
    }
    opened
}

fn remove_dir(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(FileError::io("remove", path)(error).into()),
        _ => Ok(()),
    }
}

/// Begins the ledger: entry 0, signed by the first person of the sample.
fn begin(home: &Home, dir: &LedgerDir, begun: Timestamp, title: &str, keys: &Keys) -> Result<Ledger, Error> {
    let _driven = DrivenClock::at(begun);
    let owner = &PEOPLE[0];
    let beginning = Beginning {
        title: word(title),
        owner: Signer { name: word(owner.name), principal: who(owner.short) },
        emails: Vec::new(),
        reason: word("Releases were decided by mail; from now on they are decided here"),
        charter: None,
        recovery: Recovery { needed: 2, people: vec![who("henrik"), who("alice"), who("jo")], wait_hours: 72 },
        sample: true,
        valid_until: begun.plus_seconds(KEY_VALID_SECONDS),
    };
    let key = &keys[owner.short][0];
    let mut prepared = PreparedLedger::new(home, dir, beginning)?;
    prepared.take_key_of_persona(key)?;
    let statement = prepared.statement(Reauth::Prompt)?;
    let entry = Entry::sign(&statement.payload(), statement.act.name(), key)
        .map_err(|error| Error::new(ErrorKind::No, "entry", error.to_string()))?;
    prepared.begin(entry)
}

/// Returns what goes on from a ledger that has begun.
fn maker_of(ledger: &Ledger, keys: &Keys) -> Result<Maker, Error> {
    let device = DeviceKeyFile::load(&ledger.desk().device_key())?;
    let mut maker = Maker::after(ledger, crate::ledger::app(), device.key().signing_key().clone());
    let owner = &PEOPLE[0];
    maker.give(&who(owner.short), keys[owner.short][0].clone(), word(owner.zone));
    Ok(maker)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use countersign_core::judge::{ReleaseState, release_state};

    use super::*;

    #[test]
    fn every_day_of_the_week_has_its_sample() {
        // Working days, soaks and windows fall otherwise on each day; every one of them has to hold.
        let dir = tempfile::tempdir().unwrap();
        let first: Timestamp = word("2026-11-23T01:20:00Z");
        let begun = Schedule::until(first).workday(86, 7, 30);
        let home = Home::at(dir.path().join("home"));
        let keys = keys::make().unwrap();
        let place = LedgerDir::at(dir.path().join("ledger"));
        let ledger = begin(&home, &place, begun, "A week of samples", &keys).unwrap();
        let made = maker_of(&ledger, &keys).unwrap();
        let told: Vec<Vec<String>> = (0..7)
            .map(|day| {
                // Another hour on each day, too; the last one ends the week.
                let now = first.plus_seconds(day * (86_400 + 3 * 3600 + 1220));
                let _driven = DrivenClock::at(begun);
                let (mut schedule, mut maker) = (Schedule::until(now), made.clone());
                tell(&mut schedule, &keys, keys["mathilde"][1].clone(), 47_180);
                schedule.run(&mut maker, &mut |_, _| true).unwrap_or_else(|error| panic!("{now}: {error}"));
                let states: BTreeSet<ReleaseState> =
                    maker.state.releases.values().map(|release| release_state(&maker.state, release, now)).collect();
                assert_eq!(states.len(), ReleaseState::ALL.len(), "{now}: {states:?}");
                maker.state.releases.values().map(|release| release.candidate.commit.to_string()).collect()
            })
            .collect();
        assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "what is told does not hang on the day");
    }
}
