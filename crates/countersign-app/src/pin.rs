//! The head this desk has seen, kept outside the ledger: what catches a ledger that was cut, rewritten or swapped.
//!
//! A pin belongs to the ledger with a certain fingerprint (the SHA-256 of entry 0), lies in the desk's own directory
//! and only moves forward. All processes of a desk share it under a lock.
//!
//! Order matters: an append is committed, then the pin moves, then the caller is told. A crash between the first two
//! leaves a pin that is behind, which is no alarm. For the same reason the pin is loaded *before* the ledger is read,
//! and handed to [`PinFile::advance`] after: the other way round, an append of another process in between would look
//! like a ledger that went back.
//!
//! Deliberately absent: any way to move a pin back but [`PinFile::reset`], which takes the signed act of two people
//! and keeps a record of it in the pin itself.

use std::path::{Path, PathBuf};

use countersign_core::hash::Digest;
use countersign_core::merkle::{Head, Tree};
use serde::{Deserialize, Serialize};

use crate::durable::{self, FileError};

const LIMIT_BYTES: u64 = 1024 * 1024;

/// A head seen by this desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The SHA-256 of the bytes of entry 0.
    pub fingerprint: Digest,
    /// The newest head seen.
    pub head: Head,
    /// Every time the pin was moved back, oldest first.
    pub resets: Vec<Reset>,
}

/// A signed act of two people that moves a pin back, the way out of a [`PinAlarm::Rollback`] or [`PinAlarm::Fork`].
///
/// Whoever makes one has verified the signatures of both; the pin only records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// The head that is given up.
    pub from: Head,
    /// The head that holds from now on.
    pub to: Head,
    /// The hash of the signed payload.
    pub act: Digest,
    /// The two people who signed.
    pub signers: [String; 2],
    /// Why.
    pub reason: String,
}

/// The ledger is not the one this desk has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinAlarm {
    /// Entries that were seen are gone.
    #[error("the ledger went back: this desk has seen {} entries, {found} are there; nothing may be signed on it until two people have looked", pinned.size)]
    Rollback {
        /// What was seen.
        pinned: Head,
        /// The size of what is there.
        found: u64,
    },
    /// Entries that were seen are other ones now.
    #[error("the ledger was rewritten: its first {} entries are not those this desk has seen; nothing may be signed on it until two people have looked", pinned.size)]
    Fork {
        /// What was seen.
        pinned: Head,
        /// The root of as many entries now.
        found: Digest,
    },
    /// Another ledger is in its place.
    #[error("this is another ledger: it begins with {found}, this desk knows {pinned}")]
    OtherLedger {
        /// The fingerprint that was seen.
        pinned: Digest,
        /// The fingerprint of what is there.
        found: Digest,
    },
}

/// Why a pin could not be loaded or moved.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The ledger does not fit the pin.
    #[error(transparent)]
    Alarm(#[from] PinAlarm),
    /// The pin cannot be read; it is not taken for an absent one.
    #[error("the pin {} is damaged ({why}): compare the ledger's head with another desk by voice before removing it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing to pin.
    #[error("the ledger has no entries: there is nothing to pin")]
    Empty,
    /// A reset that does not fit.
    #[error("the pin stays where it is: {0}")]
    NoReset(&'static str),
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Pin {
    /// Checks that the ledger holds all this pin has seen, unchanged.
    ///
    /// # Errors
    /// The alarm to be raised.
    pub fn check(&self, tree: &Tree) -> Result<(), PinAlarm> {
        match tree.root_at(self.head.size) {
            None => Err(PinAlarm::Rollback { pinned: self.head, found: tree.size() }),
            Some(found) if found != self.head.root => Err(PinAlarm::Fork { pinned: self.head, found }),
            Some(_) => Ok(()),
        }
    }
}

/// The file of a pin, shared by all processes of a desk.
#[derive(Debug, Clone)]
pub struct PinFile {
    path: PathBuf,
    fingerprint: Digest,
}

impl PinFile {
    /// Names the pin of the ledger with this fingerprint.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, fingerprint: Digest) -> Self {
        Self { path: path.into(), fingerprint }
    }

    /// Loads the pin; none where this desk has not seen the ledger yet.
    ///
    /// # Errors
    /// [`PinError::Damaged`], [`PinAlarm::OtherLedger`], or [`PinError::File`].
    pub fn load(&self) -> Result<Option<Pin>, PinError> {
        let bytes = match durable::read(&self.path, LIMIT_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let pin: Pin = serde_json::from_slice(&bytes)
            .map_err(|error| PinError::Damaged { path: self.path.clone(), why: error.to_string() })?;
        if pin.fingerprint == self.fingerprint {
            Ok(Some(pin))
        } else {
            Err(PinAlarm::OtherLedger { pinned: pin.fingerprint, found: self.fingerprint }.into())
        }
    }

    /// Checks a verified tree against what was seen before it was read, moves the pin forward to its head, flushed,
    /// and returns where the pin is now.
    ///
    /// `seen` is what [`load`](Self::load) answered before the ledger was read. A pin that has got further since,
    /// because another process was faster, stays.
    ///
    /// # Errors
    /// [`PinAlarm::Rollback`] or [`PinAlarm::Fork`] where the tree does not hold what was seen; [`PinError::Empty`];
    /// those of [`load`](Self::load).
    pub fn advance(&self, seen: Option<&Pin>, tree: &Tree) -> Result<Pin, PinError> {
        if let Some(seen) = seen {
            seen.check(tree)?;
        }
        if tree.size() == 0 {
            return Err(PinError::Empty);
        }
        let _lock = self.lock()?;
        let known = self.load()?;
        match known.as_ref().map(|pin| pin.check(tree)) {
            // Further than the tree, and not so before the tree was read: the work of another process.
            Some(Err(PinAlarm::Rollback { .. })) | None => {}
            Some(checked) => checked?,
        }
        match known {
            Some(pin) if pin.head.size >= tree.size() => Ok(pin),
            known => {
                let resets = known.map(|pin| pin.resets).unwrap_or_default();
                let pin = Pin { fingerprint: self.fingerprint, head: tree.head(), resets };
                self.write(&pin)?;
                Ok(pin)
            }
        }
    }

    /// Moves the pin back by a signed act of two people and keeps a record of it.
    ///
    /// # Errors
    /// [`PinError::NoReset`] where the act is not of two different people with a reason, or speaks of another head
    /// than the one pinned; those of [`load`](Self::load).
    pub fn reset(&self, reset: Reset) -> Result<Pin, PinError> {
        let _lock = self.lock()?;
        let mut pin = self.load()?.ok_or(PinError::NoReset("there is none"))?;
        let [first, second] = &reset.signers;
        if first.trim().is_empty() || second.trim().is_empty() || first == second {
            return Err(PinError::NoReset("two different people have to sign"));
        }
        if reset.reason.trim().is_empty() {
            return Err(PinError::NoReset("a reason is needed"));
        }
        if pin.resets.iter().any(|earlier| earlier.act == reset.act) {
            return Err(PinError::NoReset("this act was used before"));
        }
        if pin.head != reset.from {
            return Err(PinError::NoReset("it is not at the head the act names"));
        }
        pin.head = reset.to;
        pin.resets.push(reset);
        self.write(&pin)?;
        Ok(pin)
    }

    fn lock(&self) -> Result<durable::FileLock, PinError> {
        Ok(durable::lock(&self.path.with_extension("lock"))?)
    }

    fn write(&self, pin: &Pin) -> Result<(), PinError> {
        let text = serde_json::to_vec_pretty(pin)
            .map_err(|error| PinError::Damaged { path: self.path.clone(), why: error.to_string() })?;
        Ok(durable::replace(&self.path, &text)?)
    }

    /// Returns where the pin lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::merkle::leaf_hash;

    use super::*;

    fn tree(leaves: &[&str]) -> Tree {
        let mut tree = Tree::new();
        for leaf in leaves {
            tree.append(leaf_hash(leaf.as_bytes()));
        }
        tree
    }

    fn pin_file() -> (tempfile::TempDir, PinFile) {
        let dir = tempfile::tempdir().unwrap();
        let file = PinFile::new(dir.path().join("pin"), leaf_hash(b"genesis"));
        (dir, file)
    }

    #[test]
    fn a_pin_moves_forward_only() {
        let (_dir, file) = pin_file();
        assert_eq!(file.load().unwrap(), None);
        let short = tree(&["genesis"]);
        let long = tree(&["genesis", "a", "b"]);
        assert!(matches!(file.advance(None, &Tree::new()), Err(PinError::Empty)));
        let seen = file.advance(None, &short).unwrap();
        assert_eq!(seen.head, short.head());
        assert_eq!(file.advance(Some(&seen), &long).unwrap().head, long.head());
        assert_eq!(
            file.advance(Some(&seen), &short).unwrap().head,
            long.head(),
            "a slower process does not move it back"
        );
        assert_eq!(file.load().unwrap().unwrap().head, long.head());
    }

    #[test]
    fn each_way_to_lose_history_raises_its_own_alarm() {
        let (_dir, file) = pin_file();
        let pin = file.advance(None, &tree(&["genesis", "a", "b"])).unwrap();
        assert_eq!(pin.check(&tree(&["genesis", "a", "b", "c"])), Ok(()));
        assert!(matches!(pin.check(&tree(&["genesis", "a"])), Err(PinAlarm::Rollback { found: 2, .. })));
        assert!(matches!(pin.check(&tree(&[])), Err(PinAlarm::Rollback { found: 0, .. })));
        assert!(matches!(pin.check(&tree(&["genesis", "x", "b"])), Err(PinAlarm::Fork { .. })));
        assert!(matches!(pin.check(&tree(&["genesis", "b", "a", "c"])), Err(PinAlarm::Fork { .. })));
        assert!(matches!(pin.check(&tree(&["other", "a", "b"])), Err(PinAlarm::Fork { .. })));
        for seen in [None, Some(&pin)] {
            let fork = file.advance(seen, &tree(&["genesis", "x", "b", "c"]));
            assert!(matches!(fork, Err(PinError::Alarm(PinAlarm::Fork { .. }))));
        }
        let rollback = file.advance(Some(&pin), &tree(&["genesis", "a"]));
        assert!(matches!(rollback, Err(PinError::Alarm(PinAlarm::Rollback { found: 2, .. }))));
        assert_eq!(file.load().unwrap(), Some(pin));
    }

    #[test]
    fn only_an_act_of_two_people_about_this_very_head_moves_it_back() {
        let (_dir, file) = pin_file();
        let (long, short) = (tree(&["genesis", "a", "b"]), tree(&["genesis", "a"]));
        file.advance(None, &long).unwrap();
        let good = Reset {
            from: long.head(),
            to: short.head(),
            act: Digest::of(b"act"),
            signers: ["ann@acme.example".to_owned(), "bob@acme.example".to_owned()],
            reason: "the disk was restored from last night's backup".to_owned(),
        };
        let alone = ["ann@acme.example".to_owned(), "ann@acme.example".to_owned()];
        let nobody = ["ann@acme.example".to_owned(), " ".to_owned()];
        for bad in [
            Reset { signers: alone, ..good.clone() },
            Reset { signers: nobody, ..good.clone() },
            Reset { reason: " ".to_owned(), ..good.clone() },
            Reset { from: short.head(), ..good.clone() },
        ] {
            assert!(matches!(file.reset(bad), Err(PinError::NoReset(_))));
        }
        let pin = file.reset(good.clone()).unwrap();
        assert_eq!((pin.head, pin.check(&short)), (short.head(), Ok(())));
        assert_eq!(file.load().unwrap().unwrap().resets, std::slice::from_ref(&good));
        file.advance(None, &long).unwrap();
        assert!(matches!(file.reset(good), Err(PinError::NoReset(_))), "an act is used once");
    }

    #[test]
    fn a_damaged_pin_is_not_an_absent_one() {
        let (_dir, file) = pin_file();
        file.advance(None, &tree(&["genesis"])).unwrap();
        let sound = std::fs::read_to_string(file.path()).unwrap();
        for damage in ["", "{}", &sound[..sound.len() - 2], &sound.replace("\"size\": 1", "\"size\": -1")] {
            std::fs::write(file.path(), damage).unwrap();
            assert!(matches!(file.load(), Err(PinError::Damaged { .. })), "{damage:?}");
            assert!(matches!(file.advance(None, &tree(&["genesis"])), Err(PinError::Damaged { .. })));
        }
        let other = PinFile::new(file.path(), leaf_hash(b"other"));
        std::fs::write(file.path(), sound).unwrap();
        assert!(matches!(other.load(), Err(PinError::Alarm(PinAlarm::OtherLedger { .. }))));
    }
}
