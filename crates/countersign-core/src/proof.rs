//! Proofs that travel alone (C2SP `c2sp.org/tlog-proof@v1`): an index, an inclusion proof and a signed checkpoint in one
//! text.
//!
//! A proof shows that an entry is in a log. It says nothing of what else is there: never that there was no NO-GO.
//!
//! Absent: `extra` lines, which nobody signs.

use std::fmt;
use std::str::FromStr;

use crate::checkpoint::{Checkpoint, CheckpointError, Opened};
use crate::hash::Digest;
use crate::merkle::{self, MerkleError};
use crate::note::{BYTES_MAX, Note, NoteError, VerifierKey};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The most hashes of an inclusion proof, one for each bit of a size.
pub const HASHES_MAX: usize = 64;

/// A proof; nothing in it may be believed before [`Proof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Which entry, from 0.
    pub index: u64,
    /// The inclusion proof, sibling of the leaf first.
    pub hashes: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: Note,
}

impl Proof {
    /// Verifies that `leaf` is entry [`Proof::index`] of the log, at a checkpoint signed as `keys` say.
    ///
    /// Returns the checkpoint and who signed it, for [`crate::checkpoint::Policy::check`].
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`] and [`merkle::verify_inclusion`].
    pub fn verify(&self, leaf: &[u8], keys: &[VerifierKey]) -> Result<Opened, ProofError> {
        let opened = Checkpoint::open_note(&self.checkpoint, keys)?;
        let head = opened.checkpoint.head();
        merkle::verify_inclusion(
            self.index,
            head.size,
            &merkle::leaf_hash(leaf),
            &self.hashes,
            &head.root,
        )?;
        Ok(opened)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}\nindex {}", self.index)?;
        self.hashes
            .iter()
            .try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint.encode())
    }
}

/// Parses exactly what `Display` writes.
impl FromStr for Proof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        if text.len() > BYTES_MAX {
            return Err(NoteError::TooLarge { bytes: text.len() }.into());
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Format)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(ProofError::FirstLine);
        }
        let second = lines.next().ok_or(ProofError::Format)?;
        if second.starts_with("extra ") {
            return Err(ProofError::Extra);
        }
        let index = second
            .strip_prefix("index ")
            .and_then(|index| index.parse().ok())
            .ok_or(ProofError::Format)?;
        let hashes = lines
            .map(Digest::from_base64)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ProofError::Format)?;
        if hashes.len() > HASHES_MAX {
            return Err(ProofError::Format);
        }
        let parsed = Self {
            index,
            hashes,
            checkpoint: Note::parse(checkpoint)?,
        };
        if parsed.to_string() == text {
            Ok(parsed)
        } else {
            Err(ProofError::Format)
        }
    }
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The text is of another format or version.
    #[error("the proof does not start with the line {FIRST_LINE}")]
    FirstLine,
    /// The text is not index, hashes, blank line and checkpoint.
    #[error("the proof is not an index line, base64 hashes, a blank line and a checkpoint")]
    Format,
    /// The proof carries data that nobody signed.
    #[error("the proof has an `extra` line, which nobody signs: remove it")]
    Extra,
    /// The note of the checkpoint is malformed.
    #[error("the checkpoint of the proof: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is not believable.
    #[error("the checkpoint of the proof: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not in the log at that index.
    #[error(transparent)]
    Merkle(#[from] MerkleError),
}
