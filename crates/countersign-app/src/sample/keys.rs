//! The keys of everybody in the sample.
//!
//! They are made at once and lie on the desk without a passphrase until they are used for the first time: only then
//! [`Ledger::key_file`](crate::ledger::Ledger) puts each under its own, which takes about a second. Nothing is lost by
//! that, since the passphrases stand on the screen; a real ledger refuses such a key.

use std::collections::BTreeMap;
use std::path::Path;

use ed25519_dalek::SigningKey;
use ssh_key::private::{Ed25519PrivateKey, KeypairData};
use ssh_key::{LineEnding, PrivateKey};
use zeroize::Zeroizing;

use super::people::{PEOPLE, who};
use crate::desk::DeskDir;
use crate::durable;
use crate::error::{Error, ErrorKind};

/// The keys of everybody, by short name; the first is followed by the one that takes over where somebody renews it.
pub(super) type Keys = BTreeMap<&'static str, Vec<SigningKey>>;

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

/// Puts the keys that are in use at the end of the story on the desk.
pub(super) fn put_all(desk: &DeskDir, keys: &Keys) -> Result<(), Error> {
    // The owner's key lies there since the ledger began; who has left signs no more.
    for person in PEOPLE[1..].iter().filter(|person| person.short != "leo") {
        // Ben renews his.
        let key = &keys[person.short][usize::from(person.short == "ben")];
        let principal = who(person.short);
        put(&desk.person_key(principal.as_str())?, principal.as_str(), key)?;
    }
    Ok(())
}

/// Writes a key without a passphrase.
pub(crate) fn put(path: &Path, principal: &str, key: &SigningKey) -> Result<(), Error> {
    let seed = Zeroizing::new(key.to_bytes());
    let pair = KeypairData::Ed25519(Ed25519PrivateKey::from_bytes(&seed).into());
    let clear = PrivateKey::new(pair, principal)
        .and_then(|key| key.to_openssh(LineEnding::LF))
        .map_err(|error| Error::new(ErrorKind::Cannot, "keys", error.to_string()))?;
    Ok(durable::write_new(path, clear.as_bytes())?)
}
