//! SHA-256 digests, the only names of content in a ledger (FIPS 180-4).
//!
//! Absent: other hash functions. SHA-512 occurs only inside signatures, where SSHSIG fixes it.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest; its text and serde form is 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes the 32 bytes of a digest computed elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Encodes the digest in padded standard base64 (RFC 4648 §4), 44 characters, as checkpoints and proofs write it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        Base64::encode_string(&self.0)
    }

    /// Parses the form of [`Digest::to_base64`] and no other.
    ///
    /// # Errors
    /// [`DigestError::Base64`] where the text is not the one base64 form of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        let decoded = Base64::decode(text, &mut bytes).map_err(|_| DigestError::Base64)?;
        Ok(Self(decoded.try_into().map_err(|_| DigestError::Base64)?))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return Err(DigestError::Hex);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, DigestError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(DigestError::Hex),
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Serializes a digest in base64 where a format asks for it: `#[serde(with = "countersign_core::hash::as_base64")]`.
pub mod as_base64 {
    use super::{Deserialize, Deserializer, Digest, Serializer};

    /// Serializes as [`Digest::to_base64`].
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&digest.to_base64())
    }

    /// Deserializes as [`Digest::from_base64`].
    ///
    /// # Errors
    /// Those of the deserializer, and text that is not the base64 of a digest.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        Digest::from_base64(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Text that is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The text is not 64 lower-case hexadecimal digits.
    #[error("not a SHA-256 digest: 64 lower-case hexadecimal digits are expected")]
    Hex,
    /// The text is not the base64 of 32 bytes.
    #[error("not a SHA-256 digest: 44 characters of padded base64 are expected")]
    Base64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_abc_is_that_of_fips_180_4() {
        let digest = Digest::of(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(Digest::from_base64(&digest.to_base64()), Ok(digest));
    }

    #[test]
    fn a_digest_has_one_spelling() {
        let good = Digest::of(b"abc").to_string();
        for text in [
            "",
            &good[1..],
            &format!("{good}0"),
            &good.to_uppercase(),
            &format!("+{}", &good[1..]),
            &format!(" {}", &good[1..]),
            &format!("é{}", &good[2..]),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError::Hex), "{text:?}");
        }
        let good = Digest::of(b"abc").to_base64();
        assert!(good.ends_with("Fa0="));
        for text in [
            "",
            good.trim_end_matches('='),
            &good.replace("Fa0=", "Fa1="),
            &format!("{good}\n"),
            &good.replace('/', "_"),
            &format!("{good}AAAA"),
            "AAAA",
        ] {
            assert_ne!(text, good, "the case differs from the good one");
            assert_eq!(Digest::from_base64(text), Err(DigestError::Base64), "{text:?}");
        }
    }

    #[test]
    fn serde_writes_hexadecimal_and_reads_nothing_else() {
        let digest = Digest::of(b"abc");
        let json = serde_json::to_value(digest).unwrap();
        assert_eq!(json, serde_json::Value::String(digest.to_string()));
        assert_eq!(serde_json::from_value::<Digest>(json).unwrap(), digest);
        assert!(serde_json::from_value::<Digest>(digest.to_base64().into()).is_err());
    }
}
