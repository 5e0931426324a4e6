//! Signed notes (C2SP signed-note v1.0.0): a text, and lines that sign it.
//!
//! Two kinds of keys are known: plain Ed25519 (type 0x01), which a log signs with, and timestamped cosignatures (type
//! 0x04, C2SP tlog-cosignature v1), which witnesses sign checkpoints with.
//!
//! Absent: what the text means (see [`crate::checkpoint`]), other key types, and trust: the caller brings the keys.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::sshsig::PublicKey;

/// The largest note, 1 MiB.
pub const BYTES_MAX: usize = 1 << 20;
/// The most signature lines of a note.
pub const SIGNATURES_MAX: usize = 16;
/// The largest time of a cosignature, 2^63 − 1 seconds.
pub const TIME_MAX: u64 = i64::MAX as u64;

/// The name of a key or log: not empty, without spaces, plus signs or control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`NoteError::KeyName`] where it could not stand in a signature line.
    pub fn new(name: impl Into<String>) -> Result<Self, NoteError> {
        let name = name.into();
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.contains(forbidden) { Err(NoteError::KeyName(name)) } else { Ok(Self(name)) }
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyName {
    type Err = NoteError;

    fn from_str(name: &str) -> Result<Self, NoteError> {
        Self::new(name)
    }
}

impl Serialize for KeyName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What a key signs with, and so what its signatures say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Ed25519 over the text (type 0x01).
    Ed25519,
    /// Ed25519 over a time and the text (type 0x04).
    CosignatureV1,
}

impl Algorithm {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }
}

/// A public key with the name and algorithm it is trusted for.
///
/// Its text is the *vkey* of the specification, `name+hexid+base64(type || key)`; serde uses it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifierKey {
    name: KeyName,
    algorithm: Algorithm,
    key: PublicKey,
}

impl VerifierKey {
    /// Makes the verifier of `key` under `name`.
    #[must_use]
    pub const fn new(name: KeyName, algorithm: Algorithm, key: PublicKey) -> Self {
        Self { name, algorithm, key }
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Returns the algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Returns the key id, `SHA-256(name || LF || type || key)[:4]`: a hint in signature lines, never an identity.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hasher = Sha256::new()
            .chain_update(self.name.as_str())
            .chain_update([b'\n', self.algorithm.byte()])
            .chain_update(self.key.as_bytes());
        let hash: [u8; 32] = hasher.finalize().into();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Verifies what follows the key id in a signature line over `text`; returns the time of a cosignature.
    fn verify(&self, text: &str, signature: &[u8]) -> Result<Option<u64>, NoteError> {
        let bad = || NoteError::BadSignature(self.name.clone());
        match self.algorithm {
            Algorithm::Ed25519 => {
                let signature = signature.try_into().map_err(|_| bad())?;
                self.key.verify(text.as_bytes(), signature).map_err(|_| bad())?;
                Ok(None)
            }
            Algorithm::CosignatureV1 => {
                let (time, signature) = signature.split_first_chunk::<8>().ok_or_else(bad)?;
                let time = u64::from_be_bytes(*time);
                let signature = signature.try_into().map_err(|_| bad())?;
                if time > TIME_MAX {
                    return Err(bad());
                }
                self.key.verify(cosigned_text(time, text).as_bytes(), signature).map_err(|_| bad())?;
                Ok(Some(time))
            }
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.algorithm.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), Base64::encode_string(&bytes))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let malformed = || NoteError::VerifierKey(text.to_owned());
        let mut parts = text.splitn(3, '+');
        let (name, _id, base64) = (
            parts.next().ok_or_else(malformed)?,
            parts.next().ok_or_else(malformed)?,
            parts.next().ok_or_else(malformed)?,
        );
        let bytes = Base64::decode_vec(base64).map_err(|_| malformed())?;
        let (algorithm, key) = bytes.split_first().ok_or_else(malformed)?;
        let algorithm = match algorithm {
            0x01 => Algorithm::Ed25519,
            0x04 => Algorithm::CosignatureV1,
            other => return Err(NoteError::Algorithm(*other)),
        };
        let key = PublicKey::from_bytes(key.try_into().map_err(|_| malformed())?).map_err(|_| malformed())?;
        let parsed = Self::new(KeyName::new(name)?, algorithm, key);
        // Says that the id is right and that every part is written in its only form.
        if parsed.to_string() == text { Ok(parsed) } else { Err(malformed()) }
    }
}

impl Serialize for VerifierKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifierKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One signature line of a note, `— name base64(id || bytes)`; not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    /// The name of the key.
    pub name: KeyName,
    /// The id of the key.
    pub id: [u8; 4],
    /// What follows the id; its shape depends on the key.
    pub bytes: Vec<u8>,
}

impl SignatureLine {
    fn encode(&self) -> String {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.bytes);
        format!("\u{2014} {} {}\n", self.name, Base64::encode_string(&bytes))
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let decoded = Base64::decode_vec(base64).ok()?;
        let (id, bytes) = decoded.split_first_chunk::<4>()?;
        if bytes.is_empty() {
            return None;
        }
        Some(Self { name: KeyName::new(name).ok()?, id: *id, bytes: bytes.to_vec() })
    }
}

/// A key that signed a note, and when if it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    /// The key.
    pub key: VerifierKey,
    /// The POSIX time of a cosignature, in seconds; none for a plain signature.
    pub time: Option<u64>,
}

/// A note of the right form; nothing in it may be believed before [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// Makes a note without signatures, which has no encoding yet.
    ///
    /// # Errors
    /// Text that does not end in a line feed, holds other control characters, or is too large.
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        check_text(&text)?;
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Parses a note: text, blank line, 1 to 16 signature lines, in the only encoding they have.
    ///
    /// # Errors
    /// [`NoteError::TooLarge`], [`NoteError::Control`], [`NoteError::Format`], [`NoteError::SignatureLine`] or
    /// [`NoteError::TooManySignatures`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > BYTES_MAX {
            return Err(NoteError::TooLarge { bytes: note.len() });
        }
        let at = note.rfind("\n\n").ok_or(NoteError::Format)?;
        let (text, lines) = (&note[..=at], &note[at + 2..]);
        check_text(text)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Format)?;
        if lines.split('\n').count() > SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        let parse = |(number, line)| SignatureLine::parse(line).ok_or(NoteError::SignatureLine { number });
        let signatures = (1..).zip(lines.split('\n')).map(parse).collect::<Result<_, _>>()?;
        let parsed = Self { text: text.to_owned(), signatures };
        if parsed.encode() == note { Ok(parsed) } else { Err(NoteError::Format) }
    }

    /// Encodes the note.
    #[must_use]
    pub fn encode(&self) -> String {
        let lines: String = self.signatures.iter().map(SignatureLine::encode).collect();
        format!("{}\n{lines}", self.text)
    }

    /// Returns the text, with its last line feed. Unverified.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the signature lines. Unverified.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Adds the signature of `key` over the text (type 0x01).
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`] at the seventeenth line.
    pub fn sign(&mut self, name: &KeyName, key: &SigningKey) -> Result<(), NoteError> {
        let id = VerifierKey::new(name.clone(), Algorithm::Ed25519, PublicKey::of(key)).id();
        let bytes = key.sign(self.text.as_bytes()).to_bytes().to_vec();
        self.push(SignatureLine { name: name.clone(), id, bytes })
    }

    /// Adds the cosignature of `key` over `time` (POSIX, seconds) and the text (type 0x04).
    ///
    /// # Errors
    /// [`NoteError::Time`] beyond [`TIME_MAX`], [`NoteError::TooManySignatures`] at the seventeenth line.
    pub fn cosign(&mut self, name: &KeyName, key: &SigningKey, time: u64) -> Result<(), NoteError> {
        if time > TIME_MAX {
            return Err(NoteError::Time(time));
        }
        let id = VerifierKey::new(name.clone(), Algorithm::CosignatureV1, PublicKey::of(key)).id();
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(&key.sign(cosigned_text(time, &self.text).as_bytes()).to_bytes());
        self.push(SignatureLine { name: name.clone(), id, bytes })
    }

    /// Adds a line that was made elsewhere, such as a witness's reply; it is verified when the note is.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`] at the seventeenth line.
    pub fn push(&mut self, line: SignatureLine) -> Result<(), NoteError> {
        if self.signatures.len() == SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(line);
        Ok(())
    }

    /// Verifies the note: every line of a known key must verify, none may occur twice, at least one must be there;
    /// lines of unknown keys are passed over.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`], [`NoteError::DuplicateSignature`] or [`NoteError::Unsigned`].
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<SignedBy>, NoteError> {
        let mut signers: Vec<SignedBy> = Vec::new();
        for line in &self.signatures {
            for key in keys.iter().filter(|key| key.name == line.name && key.id() == line.id) {
                let time = key.verify(&self.text, &line.bytes)?;
                if signers.iter().any(|signer| signer.key == *key) {
                    return Err(NoteError::DuplicateSignature(key.name.clone()));
                }
                signers.push(SignedBy { key: key.clone(), time });
            }
        }
        if signers.is_empty() { Err(NoteError::Unsigned) } else { Ok(signers) }
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > BYTES_MAX {
        return Err(NoteError::TooLarge { bytes: text.len() });
    }
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(NoteError::Control);
    }
    if text.ends_with('\n') { Ok(()) } else { Err(NoteError::Format) }
}

/// The message of a cosignature (C2SP tlog-cosignature v1).
fn cosigned_text(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Why a note, name or verifier key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The name is empty or holds a space, a plus sign or a control character.
    #[error("{0:?} is no key name: it must not be empty nor hold spaces, plus signs or control characters")]
    KeyName(String),
    /// The text is not a verifier key, or its id is not the id of its key.
    #[error("{0:?} is no verifier key: `name+id+base64` with the id of that very name and key is expected")]
    VerifierKey(String),
    /// The key is of a type that is not supported.
    #[error("key type {0:#04x} is not supported: 0x01 (Ed25519) and 0x04 (cosignature/v1) are")]
    Algorithm(u8),
    /// The note is larger than [`BYTES_MAX`].
    #[error("the note has {bytes} bytes, at most {BYTES_MAX} are taken")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The note holds a control character other than the line feed.
    #[error("the note holds a control character other than the line feed")]
    Control,
    /// The note is not text, blank line and ended signature lines.
    #[error("the note is not a text, a blank line and signature lines, each ended by a line feed")]
    Format,
    /// A signature line is malformed.
    #[error("signature line {number} of the note is not `\u{2014} name base64`")]
    SignatureLine {
        /// Which one, from 1.
        number: usize,
    },
    /// The note has more than [`SIGNATURES_MAX`] signature lines.
    #[error("the note has more than {SIGNATURES_MAX} signature lines")]
    TooManySignatures,
    /// The time of a cosignature is beyond [`TIME_MAX`].
    #[error("the time {0} is beyond what a cosignature can say")]
    Time(u64),
    /// A known key's signature does not verify.
    #[error("the signature of {0} does not verify: the note was changed, or another key made it")]
    BadSignature(KeyName),
    /// A known key signed twice.
    #[error("{0} signed the note twice: one line is expected")]
    DuplicateSignature(KeyName),
    /// No known key signed.
    #[error("none of the known keys signed the note")]
    Unsigned,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The published example of the signed note format: `PRIVATE+KEY+` form, verifier key, and the note it makes.
    const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n";
    const LINE: &str = "\u{2014} PeterNeumann \
        x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn example_key() -> SigningKey {
        let bytes = Base64::decode_vec(SEED).unwrap();
        SigningKey::from_bytes(bytes[1..].try_into().unwrap())
    }

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn name(name: &str) -> KeyName {
        KeyName::new(name).unwrap()
    }

    fn verifier(name: &str, algorithm: Algorithm, seed: u8) -> VerifierKey {
        VerifierKey::new(KeyName::new(name).unwrap(), algorithm, PublicKey::of(&key(seed)))
    }

    #[test]
    fn the_published_example_is_reproduced_and_verifies() {
        let mut note = Note::new(TEXT).unwrap();
        note.sign(&name("PeterNeumann"), &example_key()).unwrap();
        assert_eq!(note.encode(), format!("{TEXT}\n{LINE}"));
        let verifier: VerifierKey = VERIFIER.parse().unwrap();
        assert_eq!(verifier, VerifierKey::new(name("PeterNeumann"), Algorithm::Ed25519, (&example_key()).into()));
        assert_eq!(verifier.id(), [0xc7, 0x4f, 0x20, 0xa3]);
        let parsed = Note::parse(&note.encode()).unwrap();
        assert_eq!(parsed.text(), TEXT);
        assert_eq!(parsed.verify(std::slice::from_ref(&verifier)), Ok(vec![SignedBy { key: verifier, time: None }]));
    }

    #[test]
    fn a_verifier_key_has_one_spelling() {
        assert_eq!(VERIFIER.parse::<VerifierKey>().unwrap().to_string(), VERIFIER);
        for start in 0..=VERIFIER.len() {
            for end in start..=VERIFIER.len() {
                let part = &VERIFIER[start..end];
                assert!(part == VERIFIER || part.parse::<VerifierKey>().is_err(), "{part:?}");
            }
        }
        for at in 0..VERIFIER.len() * 8 {
            let mut bytes = VERIFIER.as_bytes().to_vec();
            bytes[at / 8] ^= 1 << (at % 8);
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(text.parse::<VerifierKey>().is_err(), "{text:?}");
        }
        assert!(VERIFIER.replace("c74f20a3", "C74F20A3").parse::<VerifierKey>().is_err());
        let other_type = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(other_type.parse::<VerifierKey>(), Err(NoteError::Algorithm(0x65)));
    }

    #[test]
    fn a_key_name_can_stand_in_a_line() {
        for good in ["a", "example.com/log", "é", "a-b_c"] {
            assert_eq!(name(good).as_str(), good);
        }
        for bad in ["", " ", "a b", "a+b", "a\nb", "a\tb", "a\u{a0}b", "a\u{2028}b", "a\u{0}", "a\u{85}"] {
            assert_eq!(KeyName::new(bad), Err(NoteError::KeyName(bad.to_owned())));
        }
    }

    #[test]
    fn a_note_has_one_spelling() {
        let line = LINE;
        let space = line.replacen(' ', "  ", 1);
        let lines = |count: usize| format!("{TEXT}\n{}", line.repeat(count));
        for (name, bad, error) in [
            ("empty", String::new(), NoteError::Format),
            ("no signatures", TEXT.to_owned(), NoteError::Format),
            ("blank line and nothing", format!("{TEXT}\n"), NoteError::Format),
            ("no blank line", format!("{TEXT}{line}"), NoteError::Format),
            ("line not ended", format!("{TEXT}\n{}", line.trim_end()), NoteError::Format),
            ("line feed too many", format!("{TEXT}\n{line}\n"), NoteError::Format),
            ("carriage return", format!("{TEXT}\r\n\n{line}"), NoteError::Control),
            ("tab", format!("a\tb\n\n{line}"), NoteError::Control),
            ("hyphen", format!("{TEXT}\n{}", line.replace('\u{2014}', "-")), NoteError::SignatureLine { number: 1 }),
            ("two spaces", format!("{TEXT}\n{space}"), NoteError::SignatureLine { number: 1 }),
            ("no base64", format!("{TEXT}\n\u{2014} a *\n"), NoteError::SignatureLine { number: 1 }),
            ("no signature", format!("{TEXT}\n{line}\u{2014} a AAAAAA==\n"), NoteError::SignatureLine { number: 2 }),
            ("base64 bits", format!("{TEXT}\n\u{2014} a AAAAAAB=\n"), NoteError::SignatureLine { number: 1 }),
            ("plus", format!("{TEXT}\n\u{2014} a+b AAAAAAA=\n"), NoteError::SignatureLine { number: 1 }),
            ("17 lines", lines(17), NoteError::TooManySignatures),
            ("large", "a".repeat(BYTES_MAX + 1), NoteError::TooLarge { bytes: BYTES_MAX + 1 }),
        ] {
            assert_eq!(Note::parse(&bad), Err(error), "{name}");
        }
        assert_eq!(Note::parse(&lines(16)).unwrap().signatures().len(), 16);
        for text in ["", "a", "a\r\n", "a\u{1}\n"] {
            assert!(Note::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_last_blank_line_parts_text_and_signatures() {
        for text in ["\n", "a\n", "a\n\nb\n", "a\n\n\n"] {
            let mut note = Note::new(text).unwrap();
            note.sign(&name("n"), &key(3)).unwrap();
            let parsed = Note::parse(&note.encode()).unwrap();
            assert_eq!(parsed.text(), text);
            assert!(parsed.verify(&[verifier("n", Algorithm::Ed25519, 3)]).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn known_keys_must_verify_and_unknown_keys_are_passed_over() {
        let log = verifier("log", Algorithm::Ed25519, 3);
        let witness = verifier("w", Algorithm::CosignatureV1, 4);
        let other = verifier("log", Algorithm::Ed25519, 5);
        let mut note = Note::new("text\n").unwrap();
        note.sign(&name("log"), &key(3)).unwrap();
        note.cosign(&name("w"), &key(4), 7).unwrap();
        let by_log = SignedBy { key: log.clone(), time: None };
        let by_witness = SignedBy { key: witness.clone(), time: Some(7) };
        assert_eq!(note.verify(&[witness.clone(), log.clone()]), Ok(vec![by_log.clone(), by_witness]));
        assert_eq!(note.verify(&[other.clone(), log.clone()]), Ok(vec![by_log]));
        assert_eq!(note.verify(&[other]), Err(NoteError::Unsigned));
        assert_eq!(note.verify(&[]), Err(NoteError::Unsigned));
        // The same key and name under the other algorithm is another key.
        assert_eq!(note.verify(&[verifier("w", Algorithm::Ed25519, 4)]), Err(NoteError::Unsigned));

        for (at, who) in [(0, "log"), (1, "w")] {
            for byte in 0..note.signatures()[at].bytes.len() {
                let mut bad = note.clone();
                bad.signatures[at].bytes[byte] ^= 1;
                let error = NoteError::BadSignature(name(who));
                assert_eq!(bad.verify(&[log.clone(), witness.clone()]), Err(error), "{who}, byte {byte}");
            }
            for change in [|bytes: &mut Vec<u8>| bytes.push(0), |bytes: &mut Vec<u8>| bytes.truncate(7)] {
                let mut bad = note.clone();
                change(&mut bad.signatures[at].bytes);
                assert!(matches!(bad.verify(&[log.clone(), witness.clone()]), Err(NoteError::BadSignature(_))));
            }
        }
        let mut twice = note.clone();
        twice.cosign(&name("w"), &key(4), 8).unwrap();
        assert_eq!(twice.verify(&[log, witness]), Err(NoteError::DuplicateSignature(name("w"))));
    }

    #[test]
    fn a_time_beyond_63_bits_is_refused() {
        let mut note = Note::new("text\n").unwrap();
        assert_eq!(note.cosign(&name("w"), &key(4), TIME_MAX + 1), Err(NoteError::Time(TIME_MAX + 1)));
        let witness = verifier("w", Algorithm::CosignatureV1, 4);
        let time = TIME_MAX + 1;
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(&key(4).sign(cosigned_text(time, "text\n").as_bytes()).to_bytes());
        note.push(SignatureLine { name: name("w"), id: witness.id(), bytes }).unwrap();
        assert_eq!(note.verify(&[witness]), Err(NoteError::BadSignature(name("w"))));
    }

    proptest! {
        #[test]
        fn what_is_signed_parses_back(text in "[^\\x00-\\x1f]{0,40}", time in 0..=TIME_MAX, seed in any::<[u8; 32]>()) {
            let key = SigningKey::from_bytes(&seed);
            let mut note = Note::new(format!("{text}\n")).unwrap();
            note.sign(&name("n"), &key).unwrap();
            note.cosign(&name("n"), &key, time).unwrap();
            let parsed = Note::parse(&note.encode()).unwrap();
            prop_assert_eq!(&parsed, &note);
            let keys = [Algorithm::Ed25519, Algorithm::CosignatureV1].map(|a| VerifierKey::new(name("n"), a, (&key).into()));
            for key in &keys {
                prop_assert_eq!(&key.to_string().parse::<VerifierKey>().unwrap(), key);
            }
            prop_assert_eq!(parsed.verify(&keys).unwrap().len(), 2);
        }

        #[test]
        fn no_note_panics(text in any::<String>(), rest in "[\u{2014} a-z=\n+]{0,40}") {
            let _ = Note::parse(&text);
            let _ = text.parse::<VerifierKey>();
            let _ = rest.parse::<VerifierKey>();
            let _ = KeyName::new(text);
            if let Ok(note) = Note::parse(&format!("t\n\n\u{2014} {rest}")) {
                prop_assert!(note.verify(&[verifier("a", Algorithm::Ed25519, 1)]).is_err());
            }
        }
    }
}
