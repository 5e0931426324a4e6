//! The keys of everybody in the sample: made at once, then each put under its passphrase, which takes its time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use ssh_key::private::{Ed25519PrivateKey, KeypairData};
use ssh_key::{LineEnding, PrivateKey};
use zeroize::Zeroizing;

use super::people::{PEOPLE, SamplePerson, who};
use super::schedule::cancelled;
use crate::desk::DeskDir;
use crate::durable;
use crate::error::{Error, ErrorKind};
use crate::keyfile;

/// The keys of everybody, by short name; the first is followed by the one that takes over where somebody renews it.
pub(super) type Keys = BTreeMap<&'static str, Vec<SigningKey>>;

/// How many passphrases are set at a time.
const THREADS: usize = 2;
/// How often somebody is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(50);

/// Makes two keys for everybody.
pub(super) fn make() -> Result<Keys, Error> {
    let mut keys = Keys::new();
    for person in &PEOPLE {
        let mut own = Vec::new();
        for _ in 0..2 {
            let mut seed = Zeroizing::new([0_u8; 32]);
            getrandom::fill(seed.as_mut())?;
            own.push(SigningKey::from_bytes(&seed));
        }
        keys.insert(person.short, own);
    }
    Ok(keys)
}

/// Puts everybody's key in its place on the desk, while `meanwhile` is done; tells how far both are.
pub(super) fn lock_while(
    desk: &DeskDir,
    keys: &Keys,
    progress: &mut dyn FnMut(u64, u64) -> bool,
    meanwhile: impl FnOnce(&mut dyn FnMut(u64, u64) -> bool) -> Result<(), Error>,
) -> Result<(), Error> {
    // The owner's key was made when the ledger began; who has left signs no more.
    let people: Vec<&SamplePerson> = PEOPLE[1..].iter().filter(|person| person.short != "leo").collect();
    let (stopped, locked) = (AtomicBool::new(false), AtomicU64::new(0));
    let halves = people.chunks(people.len().div_ceil(THREADS));
    thread::scope(|scope| {
        let (stopped, locked) = (&stopped, &locked);
        let locking: Vec<_> = halves
            .map(|part| {
                scope.spawn(move || part.iter().try_for_each(|person| lock(desk, person, keys, stopped, locked)))
            })
            .collect();
        let share = |of: u64| of * locked.load(Ordering::Relaxed) / people.len() as u64;
        let mut steps = 1;
        let mut ended = meanwhile(&mut |done, of| {
            steps = of;
            progress(done + share(of), 2 * of)
        });
        while ended.is_ok() && !locking.iter().all(|thread| thread.is_finished()) {
            thread::sleep(TELL_EVERY);
            if !progress((steps + share(steps)).min(2 * steps - 1), 2 * steps) {
                ended = Err(cancelled());
            }
        }
        stopped.store(ended.is_err(), Ordering::Relaxed);
        for thread in locking {
            let made = thread.join().map_err(|_| Error::new(ErrorKind::Cannot, "keys", "a key could not be made"))?;
            ended = ended.and(made);
        }
        ended
    })
}

fn lock(
    desk: &DeskDir,
    person: &SamplePerson,
    keys: &Keys,
    stopped: &AtomicBool,
    locked: &AtomicU64,
) -> Result<(), Error> {
    if stopped.load(Ordering::Relaxed) {
        return Ok(());
    }
    // Ben renews his.
    let key = &keys[person.short][usize::from(person.short == "ben")];
    let principal = who(person.short);
    let path = desk.person_key(principal.as_str())?;
    let seed = Zeroizing::new(key.to_bytes());
    let pair = KeypairData::Ed25519(Ed25519PrivateKey::from_bytes(&seed).into());
    let clear = PrivateKey::new(pair, principal.as_str())
        .and_then(|key| key.to_openssh(LineEnding::LF))
        .map_err(|error| Error::new(ErrorKind::Cannot, "keys", error.to_string()))?;
    durable::write_new(&path, clear.as_bytes())?;
    keyfile::reencrypt(&path, &path, None, &Zeroizing::new(person.passphrase.to_owned()))?;
    locked.fetch_add(1, Ordering::Relaxed);
    Ok(())
}
