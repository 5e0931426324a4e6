//! One entry of a ledger, as bytes: a canonical in-toto statement, a line feed, an OpenSSH signature over both.
//!
//! An [`Entry`] is always well formed and genuinely signed by the key it carries, for the act it names, so that
//! `head -n 1` and `ssh-keygen -Y verify` agree with us. Our grammar is narrower than theirs: one entry has one
//! spelling, and no spelling has two readings.
//!
//! Absent: who that key belongs to, whether it may do this now, whether it did so before. That is admission's question.

use ed25519_dalek::SigningKey;
use serde_json::{Map, Value};

use crate::hash::Digest;
use crate::jcs::{self, JcsError};
use crate::merkle;
use crate::sshsig::{self, PublicKey, SshSig, SshSigError};

/// The largest leaf, 64 KiB.
pub const LEAF_BYTES_MAX: usize = 64 << 10;
/// The `_type` of every payload (in-toto Statement v1).
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const ACT_LENGTH_MAX: usize = 32;

/// Returns the namespace that signatures of `act` are made for, `countersign-<act>@v1`.
#[must_use]
pub fn namespace(act: &str) -> String {
    format!("countersign-{act}@v1")
}

/// Returns the `predicateType` of `act`, `https://countersign.example/<act>/v1`.
#[must_use]
pub fn predicate_type(act: &str) -> String {
    format!("https://countersign.example/{act}/v1")
}

/// A leaf that passed the grammar and whose signature verifies under its own embedded key.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    leaf: String,
    payload_bytes: usize,
    payload: Value,
    act: String,
    signer_key: PublicKey,
}

impl Entry {
    /// Parses and verifies a leaf, `payload LF armor`.
    ///
    /// # Errors
    /// One [`EntryError`] for each rule of the grammar, and for a signature that does not verify.
    pub fn parse(leaf: Vec<u8>) -> Result<Self, EntryError> {
        if leaf.len() > LEAF_BYTES_MAX {
            return Err(EntryError::TooLarge { bytes: leaf.len() });
        }
        let leaf = String::from_utf8(leaf).map_err(|error| EntryError::NotUtf8 {
            at: error.utf8_error().valid_up_to(),
        })?;
        let (line, armor) = leaf.split_once('\n').ok_or(EntryError::NoSignature)?;
        let payload = jcs::parse(line).map_err(EntryError::Payload)?;
        let act = check_statement(&payload)?;
        let signature = SshSig::parse(armor).map_err(EntryError::Signature)?;
        let payload_bytes = line.len();
        signature
            .verify(&namespace(&act), &leaf.as_bytes()[..=payload_bytes])
            .map_err(EntryError::Signature)?;
        Ok(Self {
            payload_bytes,
            payload,
            act,
            signer_key: signature.public_key,
            leaf,
        })
    }

    /// Composes and signs an entry; equal arguments give equal bytes.
    ///
    /// # Errors
    /// [`EntryError::ActMismatch`] where the payload is of another act, and those of [`Entry::parse`], which the result
    /// has passed.
    pub fn sign(payload: &Value, act: &str, key: &SigningKey) -> Result<Self, EntryError> {
        let found = check_statement(payload)?;
        if found != act {
            return Err(EntryError::ActMismatch {
                payload: found,
                asked: act.to_owned(),
            });
        }
        let mut leaf = jcs::encode(payload).map_err(EntryError::Payload)?;
        leaf.push('\n');
        leaf.push_str(&sshsig::sign(key, &namespace(act), leaf.as_bytes()));
        // Read back as anybody will: what does not parse is never handed out.
        Self::parse(leaf.into_bytes())
    }

    /// Returns the bytes of the leaf.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        self.leaf.as_bytes()
    }

    /// Returns the leaf as text.
    #[must_use]
    pub fn leaf_text(&self) -> &str {
        &self.leaf
    }

    /// Takes the bytes of the leaf.
    #[must_use]
    pub fn into_leaf(self) -> Vec<u8> {
        self.leaf.into_bytes()
    }

    /// Returns the hash of the leaf in the tree, `SHA-256(0x00 || leaf)`.
    #[must_use]
    pub fn leaf_hash(&self) -> Digest {
        merkle::leaf_hash(self.leaf())
    }

    /// Returns the statement.
    #[must_use]
    pub fn payload(&self) -> &Value {
        &self.payload
    }

    /// Returns the statement's `predicate`.
    #[must_use]
    pub fn predicate(&self) -> &Map<String, Value> {
        self.payload["predicate"]
            .as_object()
            .expect("the grammar asks for an object")
    }

    /// Returns the line of the statement, without its line feed.
    #[must_use]
    pub fn payload_line(&self) -> &str {
        &self.leaf[..self.payload_bytes]
    }

    /// Returns the SHA-256 of what was signed, the line with its line feed: the identity of an entry, whatever its
    /// signature bytes.
    #[must_use]
    pub fn payload_hash(&self) -> Digest {
        Digest::of(&self.leaf.as_bytes()[..=self.payload_bytes])
    }

    /// Returns the act, such as `approval`.
    #[must_use]
    pub fn act(&self) -> &str {
        &self.act
    }

    /// Returns the key that signed.
    #[must_use]
    pub fn signer_key(&self) -> PublicKey {
        self.signer_key
    }

    /// Returns the armored signature, each line ended.
    #[must_use]
    pub fn armor(&self) -> &str {
        &self.leaf[self.payload_bytes + 1..]
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("act", &self.act)
            .field("leaf_hash", &self.leaf_hash())
            .field("signer_key", &self.signer_key)
            .finish_non_exhaustive()
    }
}

/// Checks the form of a statement and returns its act.
fn check_statement(payload: &Value) -> Result<String, EntryError> {
    let statement = payload.as_object().ok_or(EntryError::NotAnObject)?;
    let known = ["_type", "predicate", "predicateType", "subject"];
    if let Some(field) = statement
        .keys()
        .find(|field| !known.contains(&field.as_str()))
    {
        return Err(EntryError::UnknownField(field.clone()));
    }
    if statement.get("_type").and_then(Value::as_str) != Some(STATEMENT_TYPE) {
        return Err(EntryError::StatementType);
    }
    if !statement.get("predicate").is_some_and(Value::is_object) {
        return Err(EntryError::Predicate);
    }
    let subjects = statement
        .get("subject")
        .and_then(Value::as_array)
        .ok_or(EntryError::NoSubject)?;
    if subjects.is_empty() {
        return Err(EntryError::NoSubject);
    }
    if let Some(index) = subjects.iter().position(|subject| !is_subject(subject)) {
        return Err(EntryError::Subject { index });
    }
    let text = statement
        .get("predicateType")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let act = text
        .strip_prefix("https://countersign.example/")
        .and_then(|rest| rest.strip_suffix("/v1"));
    act.filter(|act| is_act(act))
        .map(str::to_owned)
        .ok_or_else(|| EntryError::PredicateType(text.to_owned()))
}

/// `{"digest":{"sha256":"<64 hex>"},"name":"<not empty>"}` and nothing else.
fn is_subject(subject: &Value) -> bool {
    let Some(fields) = subject.as_object().filter(|fields| fields.len() == 2) else {
        return false;
    };
    let Some(digests) = fields
        .get("digest")
        .and_then(Value::as_object)
        .filter(|digests| digests.len() == 1)
    else {
        return false;
    };
    let named = fields
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|name| !name.is_empty());
    let digest = digests.get("sha256").and_then(Value::as_str);
    named && digest.is_some_and(|digest| digest.parse::<Digest>().is_ok())
}

/// Lower-case words joined by single hyphens.
fn is_act(act: &str) -> bool {
    act.len() <= ACT_LENGTH_MAX
        && act
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Why bytes are no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The leaf is larger than [`LEAF_BYTES_MAX`].
    #[error(
        "the entry has {bytes} bytes, at most {LEAF_BYTES_MAX} are taken: name long lists by their digest"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The leaf is not UTF-8.
    #[error("the entry is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// The first byte that is not, from 0.
        at: usize,
    },
    /// The leaf is one line: nothing follows the payload.
    #[error("the entry has no signature after its payload line")]
    NoSignature,
    /// The payload is not canonical JSON.
    #[error("the payload of the entry: {0}")]
    Payload(#[source] JcsError),
    /// The payload is JSON and no object.
    #[error("the payload is not a JSON object")]
    NotAnObject,
    /// The payload has a field that an in-toto statement has not.
    #[error("the payload has the field {0:?}, which an in-toto Statement v1 has not")]
    UnknownField(String),
    /// `_type` is not [`STATEMENT_TYPE`].
    #[error("the payload's _type is not {STATEMENT_TYPE}")]
    StatementType,
    /// `predicate` is absent or no object.
    #[error("the payload has no predicate object")]
    Predicate,
    /// `subject` is absent, no array or empty.
    #[error("the payload names no subject")]
    NoSubject,
    /// A subject is not a name and a SHA-256.
    #[error("subject {index} of the payload is not a name and a SHA-256 digest alone")]
    Subject {
        /// Which one, from 0.
        index: usize,
    },
    /// `predicateType` is not of this ledger.
    #[error("the payload's predicateType {0:?} is not https://countersign.example/ACT/v1")]
    PredicateType(String),
    /// The payload to be signed is of another act than was asked for.
    #[error("the payload is of the act {payload:?}, asked to sign was {asked:?}")]
    ActMismatch {
        /// The act in the payload.
        payload: String,
        /// The act asked for.
        asked: String,
    },
    /// The signature is malformed, made for another act, or does not verify.
    #[error("the signature of the entry: {0}")]
    Signature(#[source] SshSigError),
}
