//! How often a passphrase may be tried: growing waits after five wrong ones, per desk and key.
//!
//! The count lies in the desk's directory, so a restart does not forget it, and a try counts as wrong from before it
//! begins until it has proved right, so killing the program does not undo it. It slows down somebody who sits at the
//! machine; somebody who copies the key file is slowed down by the file's own key derivation alone.
//!
//! What is noted for the ledger (wrong passphrases, refusals) is gathered so that no more than one entry a minute
//! comes of it: [`Lockout::tally`].
//!
//! Deliberately absent: a clock (times come in) and passphrases.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::durable::{self, FileError};

/// How many wrong passphrases cost nothing but the try.
pub const FREE_TRIES: u32 = 4;

/// The waits after the fifth, sixth, and each further wrong passphrase in a row.
const WAITS_MINUTES: [i64; 3] = [1, 5, 15];

/// At most one entry comes of a subject in this time.
const TALLY_SECONDS: i64 = 60;

const LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// Why a try is not allowed, or could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum LockoutError {
    /// Too many wrong passphrases.
    #[error("{wrong} wrong passphrases in a row: this key can be tried again in {} min, at {}", wait_minutes(*.now, *.until), until.format("%H:%M:%S UTC"))]
    Locked {
        /// How many were wrong.
        wrong: u32,
        /// When it was asked.
        now: DateTime<Utc>,
        /// When the next try is allowed.
        until: DateTime<Utc>,
    },
    /// The count cannot be read; it is not taken for zero.
    #[error("the count of wrong passphrases in {} is damaged ({why}): remove the file to begin again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

fn wait_minutes(now: DateTime<Utc>, until: DateTime<Utc>) -> i64 {
    ((until - now).num_seconds().max(0) + 59) / 60
}

/// The count of one desk, shared by its processes.
#[derive(Debug, Clone)]
pub struct Lockout {
    path: PathBuf,
}

/// Leave for one try, which counts as wrong unless [`passed`](Self::passed) is called.
#[derive(Debug)]
#[must_use = "the try counts as wrong until it has passed"]
pub struct Permit<'desk> {
    lockout: &'desk Lockout,
    key: String,
    wrong: u32,
    until: Option<DateTime<Utc>>,
    before: DateTime<Utc>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    keys: BTreeMap<String, Tries>,
    tallies: BTreeMap<String, Tally>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tries {
    wrong: u32,
    last: DateTime<Utc>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tally {
    unrecorded: u32,
    recorded_at: Option<DateTime<Utc>>,
}

impl Tries {
    fn wait(&self) -> Option<TimeDelta> {
        let beyond = self.wrong.checked_sub(FREE_TRIES + 1)?;
        let step = usize::try_from(beyond).unwrap_or(usize::MAX).min(WAITS_MINUTES.len() - 1);
        Some(TimeDelta::minutes(WAITS_MINUTES[step]))
    }
}

impl Lockout {
    /// Names the file of the counts.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Allows one try with a key, named by its fingerprint, and counts it as wrong until it has passed.
    ///
    /// A clock that was set back starts the wait anew; it neither ends nor lengthens it.
    ///
    /// # Errors
    /// [`LockoutError::Locked`], or what the file refuses.
    pub fn permit(&self, key: &str, now: DateTime<Utc>) -> Result<Permit<'_>, LockoutError> {
        self.update(|counts| {
            let tries = counts.keys.entry(key.to_owned()).or_insert(Tries { wrong: 0, last: now });
            if now < tries.last {
                tries.last = now;
            }
            if let Some(until) = tries.wait().map(|wait| tries.last + wait).filter(|until| now < *until) {
                return Err(LockoutError::Locked { wrong: tries.wrong, now, until });
            }
            tries.wrong = tries.wrong.saturating_add(1);
            let before = std::mem::replace(&mut tries.last, now);
            let until = tries.wait().map(|wait| now + wait);
            Ok(Permit { lockout: self, key: key.to_owned(), wrong: tries.wrong, until, before })
        })?
    }

    /// Says how many wrong tries in a row there were with a key, and until when it is locked.
    ///
    /// # Errors
    /// What the file refuses.
    pub fn status(&self, key: &str, now: DateTime<Utc>) -> Result<(u32, Option<DateTime<Utc>>), LockoutError> {
        let _lock = self.lock()?;
        let counts = self.load()?;
        let Some(tries) = counts.keys.get(key) else { return Ok((0, None)) };
        let until = tries.wait().map(|wait| tries.last.min(now) + wait).filter(|until| now < *until);
        Ok((tries.wrong, until))
    }

    /// Counts an occurrence of `subject` (such as `attempt SHA256:…`) and says whether an entry is due now: if so,
    /// how many occurrences it stands for.
    ///
    /// Once the entry is appended, call [`recorded`](Self::recorded) with that number. A crash in between leads to a
    /// second entry, never to none.
    ///
    /// # Errors
    /// What the file refuses.
    pub fn tally(&self, subject: &str, now: DateTime<Utc>) -> Result<Option<u32>, LockoutError> {
        self.update(|counts| {
            let tally = counts.tallies.entry(subject.to_owned()).or_default();
            tally.unrecorded = tally.unrecorded.saturating_add(1);
            tally.due(now)
        })
    }

    /// Says whether an entry about `subject` is due although nothing new has occurred, such as at the next start.
    ///
    /// # Errors
    /// What the file refuses.
    pub fn due(&self, subject: &str, now: DateTime<Utc>) -> Result<Option<u32>, LockoutError> {
        let _lock = self.lock()?;
        Ok(self.load()?.tallies.get(subject).and_then(|tally| tally.due(now)))
    }

    /// Notes that an entry about `count` occurrences of `subject` is in the ledger.
    ///
    /// # Errors
    /// What the file refuses.
    pub fn recorded(&self, subject: &str, count: u32, now: DateTime<Utc>) -> Result<(), LockoutError> {
        self.update(|counts| {
            let tally = counts.tallies.entry(subject.to_owned()).or_default();
            tally.unrecorded = tally.unrecorded.saturating_sub(count);
            tally.recorded_at = Some(now);
        })
    }

    fn update<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> Result<T, LockoutError> {
        let _lock = self.lock()?;
        let mut counts = self.load()?;
        let result = change(&mut counts);
        let text = serde_json::to_vec_pretty(&counts).map_err(|error| self.damaged(&error))?;
        durable::replace(&self.path, &text)?;
        Ok(result)
    }

    fn load(&self) -> Result<Counts, LockoutError> {
        match durable::read(&self.path, LIMIT_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| self.damaged(&error)),
            Err(error) if error.is_not_found() => Ok(Counts::default()),
            Err(error) => Err(error.into()),
        }
    }

    fn lock(&self) -> Result<durable::FileLock, LockoutError> {
        Ok(durable::lock(&self.path.with_extension("lock"))?)
    }

    fn damaged(&self, error: &serde_json::Error) -> LockoutError {
        LockoutError::Damaged { path: self.path.clone(), why: error.to_string() }
    }
}

impl Tally {
    fn due(&self, now: DateTime<Utc>) -> Option<u32> {
        let quiet = self.recorded_at.is_none_or(|at| now < at || now - at >= TimeDelta::seconds(TALLY_SECONDS));
        (self.unrecorded > 0 && quiet).then_some(self.unrecorded)
    }
}

impl Permit<'_> {
    /// Forgets the wrong tries: the passphrase was right.
    ///
    /// # Errors
    /// What the file refuses; the try then still counts as wrong.
    pub fn passed(self) -> Result<(), LockoutError> {
        self.lockout.update(|counts| {
            counts.keys.remove(&self.key);
        })
    }

    /// Gives back a try in which no passphrase was judged, such as when the key file could not be read.
    ///
    /// # Errors
    /// What the file refuses; the try then counts as wrong.
    pub fn untried(self) -> Result<(), LockoutError> {
        self.lockout.update(|counts| {
            if let Some(tries) = counts.keys.get_mut(&self.key) {
                tries.wrong = tries.wrong.saturating_sub(1);
                tries.last = self.before;
            }
        })
    }

    /// Leaves the try counted as wrong; returns how many there are in a row and, from the fifth on, until when the
    /// key is locked.
    #[must_use]
    pub fn failed(self) -> (u32, Option<DateTime<Utc>>) {
        (self.wrong, self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_343_000 + seconds, 0).unwrap()
    }

    fn lockout() -> (tempfile::TempDir, Lockout) {
        let dir = tempfile::tempdir().unwrap();
        let lockout = Lockout::new(dir.path().join("lockout.json"));
        (dir, lockout)
    }

    /// Fails once at `seconds` and returns for how long the key is locked then.
    #[track_caller]
    fn fail(lockout: &Lockout, seconds: i64) -> i64 {
        let (_, until) = lockout.permit("k", at(seconds)).unwrap().failed();
        until.map_or(0, |until| (until - at(seconds)).num_seconds())
    }

    #[track_caller]
    fn locked(lockout: &Lockout, seconds: i64) -> i64 {
        match lockout.permit("k", at(seconds)) {
            Err(LockoutError::Locked { until, .. }) => (until - at(seconds)).num_seconds(),
            other => panic!("not locked: {other:?}"),
        }
    }

    #[test]
    fn waits_grow_after_the_fifth_wrong_passphrase_and_a_right_one_ends_them() {
        let (_dir, lockout) = lockout();
        assert_eq!((0..5).map(|n| fail(&lockout, n)).collect::<Vec<_>>(), [0, 0, 0, 0, 60]);
        assert_eq!((locked(&lockout, 5), locked(&lockout, 63)), (59, 1));
        assert_eq!(fail(&lockout, 64), 300);
        assert_eq!(locked(&lockout, 363), 1);
        assert_eq!(fail(&lockout, 364), 900);
        assert_eq!(fail(&lockout, 364 + 900), 900, "the last wait stays");
        lockout.permit("other", at(365)).unwrap().passed().unwrap();
        lockout.permit("k", at(5000)).unwrap().passed().unwrap();
        assert_eq!((0..5).map(|n| fail(&lockout, 5000 + n)).collect::<Vec<_>>(), [0, 0, 0, 0, 60]);
    }

    #[test]
    fn a_try_that_never_came_back_counts_as_wrong() {
        let (_dir, lockout) = lockout();
        for n in 0..5 {
            let _killed = lockout.permit("k", at(n)).unwrap();
        }
        // Another process, after a restart.
        let restarted = Lockout::new(lockout.path.clone());
        assert_eq!(locked(&restarted, 5), 59);
    }

    #[test]
    fn a_try_without_a_verdict_is_given_back() {
        let (_dir, lockout) = lockout();
        for n in 0..20 {
            lockout.permit("k", at(n)).unwrap().untried().unwrap();
        }
        assert_eq!((20..25).map(|n| fail(&lockout, n)).collect::<Vec<_>>(), [0, 0, 0, 0, 60]);
        lockout.permit("k", at(84)).unwrap().untried().unwrap();
        assert_eq!(fail(&lockout, 84), 300, "and does not start the wait anew");
    }

    #[test]
    fn a_clock_set_back_neither_ends_nor_lengthens_a_wait() {
        let (_dir, lockout) = lockout();
        (0..5).for_each(|n| {
            fail(&lockout, n);
        });
        assert_eq!(locked(&lockout, -86_400 * 365), 60);
        assert_eq!(locked(&lockout, -86_400 * 365 + 59), 1);
        assert_eq!(fail(&lockout, -86_400 * 365 + 60), 300);
    }

    #[test]
    fn at_most_one_entry_a_minute_stands_for_all_that_occurred() {
        let (_dir, lockout) = lockout();
        let tally = |seconds| lockout.tally("attempt k", at(seconds)).unwrap();
        assert_eq!(tally(0), Some(1));
        assert_eq!(tally(1), Some(2), "still due, as nothing was recorded");
        lockout.recorded("attempt k", 2, at(1)).unwrap();
        assert_eq!((tally(2), tally(30), tally(60)), (None, None, None));
        assert_eq!(lockout.due("attempt k", at(60)).unwrap(), None);
        assert_eq!(lockout.due("attempt k", at(61)).unwrap(), Some(3));
        lockout.recorded("attempt k", 3, at(61)).unwrap();
        assert_eq!(lockout.due("attempt k", at(1000)).unwrap(), None);
        assert_eq!(lockout.tally("refusal k", at(62)).unwrap(), Some(1), "each subject for itself");
    }

    #[test]
    fn a_damaged_count_is_not_zero() {
        let (_dir, lockout) = lockout();
        fail(&lockout, 0);
        for damage in ["", "{}", "null", r#"{"keys":{"k":{"wrong":-1,"last":"2026-11-22T10:31:07Z"}},"tallies":{}}"#] {
            std::fs::write(&lockout.path, damage).unwrap();
            assert!(matches!(lockout.permit("k", at(1)), Err(LockoutError::Damaged { .. })), "{damage:?}");
        }
    }
}
