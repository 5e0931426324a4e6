//! Checkpoints (C2SP tlog-checkpoint v1.0.0): a log's signed statement of its size and root; and the policy file that
//! says whose signatures count (C2SP tlog-policy).
//!
//! Narrower than the specification: the origin is a key name and the log signs under it, there are no extension lines,
//! and a policy is written in one way: logs, witnesses, quorum, one space between words, no comments, groups or
//! addresses.
//!
//! Absent: whether two checkpoints are consistent (see [`crate::merkle::verify_consistency`]), and fetching anything.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::SigningKey;

use crate::hash::Digest;
use crate::merkle::{EMPTY_ROOT, Head};
use crate::note::{Algorithm, KeyName, Note, NoteError, SignedBy, VerifierKey};

/// A log's size and root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Which log, and the name it signs under.
    pub origin: KeyName,
    /// How many entries it has.
    pub size: u64,
    /// The root of their tree.
    pub root: Digest,
}

/// A checkpoint whose log signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// Every known key that signed it, the log's among them.
    pub signers: Vec<SignedBy>,
}

impl Checkpoint {
    /// Returns size and root.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head {
            size: self.size,
            root: self.root,
        }
    }

    /// Encodes the three lines that are signed: origin, size, root in base64.
    #[must_use]
    pub fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            self.root.to_base64()
        )
    }

    /// Parses exactly what [`Checkpoint::body`] writes.
    ///
    /// # Errors
    /// [`CheckpointError::Body`] for anything else, [`CheckpointError::EmptyRoot`] for an empty log with a root.
    pub fn parse_body(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body.split('\n');
        let mut next = || lines.next().ok_or(CheckpointError::Body);
        let (origin, size, root) = (next()?, next()?, next()?);
        let parsed = Self {
            origin: KeyName::new(origin).map_err(|_| CheckpointError::Body)?,
            size: size.parse().map_err(|_| CheckpointError::Body)?,
            root: Digest::from_base64(root).map_err(|_| CheckpointError::Body)?,
        };
        if parsed.body() != body {
            return Err(CheckpointError::Body);
        }
        if parsed.size == 0 && parsed.root != EMPTY_ROOT {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok(parsed)
    }

    /// Signs the checkpoint with the log's key, under the origin as key name.
    #[must_use]
    pub fn note(&self, key: &SigningKey) -> Note {
        let mut note = Note::new(self.body()).expect("a body is three ended lines");
        note.sign(&self.origin, key)
            .expect("one signature is not too many");
        note
    }

    /// Signs the checkpoint and encodes the note.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        self.note(key).encode()
    }

    /// Opens a signed checkpoint: the note verifies, and an Ed25519 key named as the origin is among its signers.
    ///
    /// # Errors
    /// Those of [`Note::parse`], [`Note::verify`] and [`Checkpoint::parse_body`], and
    /// [`CheckpointError::NotSignedByLog`] where only witnesses or other logs signed.
    pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Opened, CheckpointError> {
        Self::open_note(&Note::parse(note)?, keys)
    }

    /// Opens a checkpoint as [`Checkpoint::open`] does, from a parsed note.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`].
    pub fn open_note(note: &Note, keys: &[VerifierKey]) -> Result<Opened, CheckpointError> {
        let signers = note.verify(keys)?;
        let checkpoint = Self::parse_body(note.text())?;
        let is_log = |signer: &SignedBy| {
            signer.key.algorithm() == Algorithm::Ed25519 && *signer.key.name() == checkpoint.origin
        };
        if !signers.iter().any(is_log) {
            return Err(CheckpointError::NotSignedByLog(checkpoint.origin));
        }
        Ok(Opened {
            checkpoint,
            signers,
        })
    }
}

/// Adds a witness's cosignature (C2SP tlog-cosignature v1) at `time` (POSIX, seconds) to a signed checkpoint.
///
/// The witness must have checked that the checkpoint continues the last one it cosigned; this function cannot.
///
/// # Errors
/// A note whose text is no checkpoint, and those of [`Note::cosign`].
pub fn cosign(
    note: &mut Note,
    name: &KeyName,
    key: &SigningKey,
    time: u64,
) -> Result<(), CheckpointError> {
    Checkpoint::parse_body(note.text())?;
    Ok(note.cosign(name, key, time)?)
}

/// Why a checkpoint or policy is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it is refused.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is not origin, size and root.
    #[error(
        "the checkpoint is not three lines of origin, size and root, without anything after them"
    )]
    Body,
    /// The log is empty and its root is not the root of nothing.
    #[error("the checkpoint says the log is empty and gives it a root")]
    EmptyRoot,
    /// No known key of the log signed.
    #[error("the checkpoint is not signed by a known key of its log {0}")]
    NotSignedByLog(KeyName),
    /// The witness that the policy asks for did not cosign.
    #[error("the checkpoint lacks the cosignature of witness {0}, which the policy asks for")]
    NoQuorum(String),
    /// A line of a policy is not one of ours.
    #[error(
        "line {number} of the policy is not `log KEY`, `witness NAME KEY` or, at the end, `quorum NAME`"
    )]
    PolicyLine {
        /// Which one, from 1.
        number: usize,
    },
    /// A log key is listed as a witness or the other way round.
    #[error(
        "line {number} of the policy has a key of the wrong type: logs sign by type 0x01, witnesses by 0x04"
    )]
    PolicyKeyType {
        /// Which one, from 1.
        number: usize,
    },
    /// A public key or witness name is listed twice.
    #[error("line {number} of the policy lists a key or name again")]
    PolicyDuplicate {
        /// Which one, from 1.
        number: usize,
    },
    /// The quorum names nobody.
    #[error("the policy asks for the witness {0:?}, which it does not list")]
    PolicyQuorum(String),
    /// The policy ends without a quorum or lists no log.
    #[error("the policy is incomplete: at least one log and a last line `quorum` are expected")]
    PolicyIncomplete,
    /// The policy has more than [`POLICY_LINES_MAX`] lines.
    #[error("the policy has more than {POLICY_LINES_MAX} lines")]
    PolicyTooLong,
}

/// The most lines of a policy.
pub const POLICY_LINES_MAX: usize = 128;

/// A witness of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its name within the policy.
    pub name: String,
    /// Its key, of [`Algorithm::CosignatureV1`].
    pub key: VerifierKey,
}

/// Whose signatures make a checkpoint believable (C2SP tlog-policy, the subset without groups).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    quorum: Option<String>,
}

impl Policy {
    /// Makes a policy: any of `logs` must sign, and the witness named `quorum` must cosign if one is named.
    ///
    /// # Errors
    /// The errors of [`Policy::from_str`] that the text of such a policy would give.
    pub fn new(
        logs: Vec<VerifierKey>,
        witnesses: Vec<Witness>,
        quorum: Option<String>,
    ) -> Result<Self, CheckpointError> {
        // One set of rules: the text of the policy has to parse.
        Self {
            logs,
            witnesses,
            quorum,
        }
        .to_string()
        .parse()
    }

    /// Returns the log keys.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// Returns the witnesses.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Returns the name of the witness that must cosign, if one must.
    #[must_use]
    pub fn quorum(&self) -> Option<&str> {
        self.quorum.as_deref()
    }

    /// Returns the keys of all logs and witnesses.
    #[must_use]
    pub fn keys(&self) -> Vec<VerifierKey> {
        self.logs
            .iter()
            .chain(self.witnesses.iter().map(|witness| &witness.key))
            .cloned()
            .collect()
    }

    /// Checks that the signers of a checkpoint include the witness that is asked for.
    ///
    /// # Errors
    /// [`CheckpointError::NoQuorum`].
    pub fn check(&self, opened: &Opened) -> Result<(), CheckpointError> {
        let Some(quorum) = &self.quorum else {
            return Ok(());
        };
        let cosigned = |witness: &Witness| {
            opened
                .signers
                .iter()
                .any(|signer| signer.key == witness.key)
        };
        if self
            .witnesses
            .iter()
            .any(|witness| witness.name == *quorum && cosigned(witness))
        {
            return Ok(());
        }
        Err(CheckpointError::NoQuorum(quorum.clone()))
    }

    /// Opens a checkpoint by the keys of the policy and checks its quorum.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`] and [`Policy::check`].
    pub fn open(&self, note: &str) -> Result<Opened, CheckpointError> {
        let opened = Checkpoint::open(note, &self.keys())?;
        self.check(&opened)?;
        Ok(opened)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.logs
            .iter()
            .try_for_each(|log| writeln!(f, "log {log}"))?;
        self.witnesses
            .iter()
            .try_for_each(|witness| writeln!(f, "witness {} {}", witness.name, witness.key))?;
        writeln!(f, "quorum {}", self.quorum.as_deref().unwrap_or("none"))
    }
}

/// Parses exactly what `Display` writes.
impl FromStr for Policy {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let body = text
            .strip_suffix('\n')
            .ok_or(CheckpointError::PolicyIncomplete)?;
        let mut policy = Self {
            logs: Vec::new(),
            witnesses: Vec::new(),
            quorum: None,
        };
        let mut complete = false;
        for (number, line) in (1..).zip(body.split('\n')) {
            if number > POLICY_LINES_MAX {
                return Err(CheckpointError::PolicyTooLong);
            }
            let malformed = CheckpointError::PolicyLine { number };
            let duplicate = CheckpointError::PolicyDuplicate { number };
            if complete {
                return Err(malformed);
            }
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["log", key] if policy.witnesses.is_empty() => {
                    let key: VerifierKey = key.parse()?;
                    if key.algorithm() != Algorithm::Ed25519 {
                        return Err(CheckpointError::PolicyKeyType { number });
                    }
                    if policy.logs.iter().any(|log| log.key() == key.key()) {
                        return Err(duplicate);
                    }
                    policy.logs.push(key);
                }
                ["witness", name, key] => {
                    let key: VerifierKey = key.parse()?;
                    if key.algorithm() != Algorithm::CosignatureV1 {
                        return Err(CheckpointError::PolicyKeyType { number });
                    }
                    if *name == "none" || KeyName::new(*name).is_err() {
                        return Err(malformed);
                    }
                    if policy
                        .witnesses
                        .iter()
                        .any(|other| other.name == *name || other.key.key() == key.key())
                    {
                        return Err(duplicate);
                    }
                    policy.witnesses.push(Witness {
                        name: (*name).to_owned(),
                        key,
                    });
                }
                ["quorum", "none"] => complete = true,
                ["quorum", name] => {
                    if !policy.witnesses.iter().any(|witness| witness.name == *name) {
                        return Err(CheckpointError::PolicyQuorum((*name).to_owned()));
                    }
                    policy.quorum = Some((*name).to_owned());
                    complete = true;
                }
                _ => return Err(malformed),
            }
        }
        if complete && !policy.logs.is_empty() {
            Ok(policy)
        } else {
            Err(CheckpointError::PolicyIncomplete)
        }
    }
}
