//! OpenSSH signatures (SSHSIG, `PROTOCOL.sshsig` of OpenSSH) and the Ed25519 public keys that check them.
//!
//! Narrower than `ssh-keygen -Y verify`: Ed25519 and SHA-512 alone, the armor exactly as OpenSSH writes it (70 columns),
//! no small-order keys, no malleated signatures (`verify_strict`).
//!
//! Absent: private key files, passphrases, agents, certificates, hardware keys, and who may sign what.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Base64Unpadded, Encoding};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256, Sha512};

const KEY_TYPE: &str = "ssh-ed25519";
const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;
const HASH: &str = "sha512";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----\n";
const COLUMNS: usize = 70;
/// The largest armor that is read; a signature of ours has about 330 bytes.
pub const ARMOR_BYTES_MAX: usize = 4096;

/// An Ed25519 public key that can be decompressed, is canonical and is not of small order (RFC 8032 §5.1.3).
///
/// Its text is the OpenSSH form `ssh-ed25519 AAAA…`; serde uses that form without a comment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Takes the 32 bytes of a key (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// [`KeyError::Point`] where no signature under these bytes would bind anybody.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        // y >= p = 2^255 - 19 is a second spelling of another key.
        let beyond_p = bytes[0] >= 0xed && bytes[1..31].iter().all(|byte| *byte == 0xff) && bytes[31] & 0x7f == 0x7f;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Point)?;
        if beyond_p || key.is_weak() { Err(KeyError::Point) } else { Ok(Self(bytes)) }
    }

    /// Returns the public half of `key`.
    #[must_use]
    pub fn of(key: &SigningKey) -> Self {
        Self(key.verifying_key().to_bytes())
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Tells the key by `SHA256:` and the unpadded base64 of the SHA-256 of its wire form, as `ssh-keygen -l` prints.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", Base64Unpadded::encode_string(&Sha256::digest(self.wire())))
    }

    /// Verifies a plain Ed25519 signature over `message` with the strict rules (no malleability, no small order).
    ///
    /// # Errors
    /// [`SshSigError::Forged`] where it does not verify.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SshSigError> {
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(message, &Signature::from_bytes(signature)))
            .map_err(|_| SshSigError::Forged)
    }

    /// The wire form of RFC 8709 §4: two length-prefixed strings.
    fn wire(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(51);
        put(&mut bytes, KEY_TYPE.as_bytes());
        put(&mut bytes, &self.0);
        bytes
    }

    fn from_wire(wire: &[u8]) -> Result<Self, KeyError> {
        let mut rest = wire;
        if take(&mut rest).ok_or(KeyError::Format)? != KEY_TYPE.as_bytes() {
            return Err(KeyError::Type);
        }
        let bytes = take(&mut rest).and_then(|bytes| bytes.try_into().ok()).ok_or(KeyError::Format)?;
        if !rest.is_empty() {
            return Err(KeyError::Format);
        }
        Self::from_bytes(bytes)
    }
}

impl From<&SigningKey> for PublicKey {
    fn from(key: &SigningKey) -> Self {
        Self::of(key)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KEY_TYPE} {}", Base64::encode_string(&self.wire()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

/// Parses one line of a `.pub` file; a comment after the key and one line end are allowed and dropped.
impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.chars().any(char::is_control) {
            return Err(KeyError::Format);
        }
        let mut words = line.splitn(3, ' ');
        if words.next() != Some(KEY_TYPE) {
            return Err(KeyError::Type);
        }
        let base64 = words.next().ok_or(KeyError::Format)?;
        let wire = Base64::decode_vec(base64).map_err(|_| KeyError::Format)?;
        Self::from_wire(&wire)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key: Self = text.parse().map_err(serde::de::Error::custom)?;
        if key.to_string() == text { Ok(key) } else { Err(serde::de::Error::custom(KeyError::Format)) }
    }
}

/// Text or bytes that are no usable public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key is of another type.
    #[error("the key is not of type {KEY_TYPE}: make one with `ssh-keygen -t ed25519`")]
    Type,
    /// The line is cut, changed or not one line.
    #[error("the public key is not one line `{KEY_TYPE} AAAA...`: copy it again from its .pub file")]
    Format,
    /// The bytes are no point of the curve, a second spelling of one, or of small order.
    #[error("the public key is not a sound Ed25519 key: make a new one")]
    Point,
}

/// A signature in OpenSSH's format; parsed, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSig {
    /// The key that the signature says made it.
    pub public_key: PublicKey,
    /// What the signature was made for, such as `countersign-approval@v1`.
    pub namespace: String,
    /// The Ed25519 signature, R then S.
    pub signature: [u8; 64],
}

/// Signs `message` for `namespace` and encodes the armor exactly as `ssh-keygen -Y sign` writes it, each line ended.
///
/// Ed25519 is deterministic, so equal arguments give equal text. An empty namespace gives text that nobody accepts.
#[must_use]
pub fn sign(key: &SigningKey, namespace: &str, message: &[u8]) -> String {
    SshSig {
        public_key: PublicKey::of(key),
        namespace: namespace.to_owned(),
        signature: key.sign(&signed_bytes(namespace, message)).to_bytes(),
    }
    .encode()
}

/// Returns the bytes that the Ed25519 signature covers: the preamble, namespace, hash name and SHA-512 of `message`.
#[must_use]
pub fn signed_bytes(namespace: &str, message: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    put(&mut bytes, namespace.as_bytes());
    put(&mut bytes, b"");
    put(&mut bytes, HASH.as_bytes());
    put(&mut bytes, &Sha512::digest(message));
    bytes
}

impl SshSig {
    /// Parses the armor, which must be exactly what [`SshSig::encode`] gives back.
    ///
    /// # Errors
    /// One [`SshSigError`] for each way to differ; [`SshSigError::Forged`] is not among them.
    pub fn parse(armor: &str) -> Result<Self, SshSigError> {
        if armor.len() > ARMOR_BYTES_MAX {
            return Err(SshSigError::TooLarge { bytes: armor.len() });
        }
        let body = armor.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).ok_or(SshSigError::Armor)?;
        let base64: String = body.split('\n').collect();
        let blob = Base64::decode_vec(&base64).map_err(|_| SshSigError::Armor)?;
        let parsed = Self::from_blob(&blob)?;
        if parsed.encode() == armor { Ok(parsed) } else { Err(SshSigError::Armor) }
    }

    /// Encodes the armor: base64 at 70 columns between the begin and end lines, each line ended by one line feed.
    #[must_use]
    pub fn encode(&self) -> String {
        let base64 = Base64::encode_string(&self.blob());
        let mut armor = String::with_capacity(BEGIN.len() + base64.len() + base64.len() / COLUMNS + 1 + END.len());
        armor.push_str(BEGIN);
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at(rest.len().min(COLUMNS));
            armor.push_str(line);
            armor.push('\n');
            rest = tail;
        }
        armor.push_str(END);
        armor
    }

    /// Verifies that the holder of [`SshSig::public_key`] signed `message` for `namespace`.
    ///
    /// # Errors
    /// Another namespace, or a signature that does not verify.
    pub fn verify(&self, namespace: &str, message: &[u8]) -> Result<(), SshSigError> {
        if self.namespace != namespace {
            return Err(SshSigError::Namespace { found: self.namespace.clone(), expected: namespace.to_owned() });
        }
        self.public_key.verify(&signed_bytes(namespace, message), &self.signature)
    }

    /// The bytes inside the armor.
    #[must_use]
    pub fn blob(&self) -> Vec<u8> {
        let mut signature = Vec::with_capacity(83);
        put(&mut signature, KEY_TYPE.as_bytes());
        put(&mut signature, &self.signature);
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        put(&mut bytes, &self.public_key.wire());
        put(&mut bytes, self.namespace.as_bytes());
        put(&mut bytes, b"");
        put(&mut bytes, HASH.as_bytes());
        put(&mut bytes, &signature);
        bytes
    }

    fn from_blob(blob: &[u8]) -> Result<Self, SshSigError> {
        let mut rest = blob.strip_prefix(MAGIC).ok_or(SshSigError::Blob)?;
        rest = rest.strip_prefix(&VERSION.to_be_bytes()).ok_or(SshSigError::Blob)?;
        let mut next = || take(&mut rest).ok_or(SshSigError::Blob);
        let public_key = PublicKey::from_wire(next()?)?;
        let namespace = std::str::from_utf8(next()?).map_err(|_| SshSigError::Blob)?.to_owned();
        let reserved = next()?;
        if next()? != HASH.as_bytes() {
            return Err(SshSigError::Hash);
        }
        let mut signature = next()?;
        if namespace.is_empty() || !reserved.is_empty() || !rest.is_empty() {
            return Err(SshSigError::Blob);
        }
        if take(&mut signature) != Some(KEY_TYPE.as_bytes()) {
            return Err(SshSigError::Blob);
        }
        let bytes = take(&mut signature).and_then(|bytes| bytes.try_into().ok()).ok_or(SshSigError::Blob)?;
        if !signature.is_empty() {
            return Err(SshSigError::Blob);
        }
        Ok(Self { public_key, namespace, signature: bytes })
    }
}

/// Why a signature counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshSigError {
    /// The armor is larger than [`ARMOR_BYTES_MAX`].
    #[error("the signature has {bytes} bytes, at most {ARMOR_BYTES_MAX} are taken")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The armor is not exactly as OpenSSH writes it.
    #[error("the signature is not armored as OpenSSH writes it: base64 lines of {COLUMNS} columns, each line ended")]
    Armor,
    /// The bytes inside the armor are not a signature of SSHSIG version 1.
    #[error("the signature is not an SSHSIG version 1 blob with an Ed25519 signature")]
    Blob,
    /// The signature hashes the message by another function.
    #[error("the signature does not use {HASH}: sign again with `ssh-keygen -Y sign`, whose default it is")]
    Hash,
    /// The key inside the signature is not usable.
    #[error("the signature names an unusable key: {0}")]
    Key(#[from] KeyError),
    /// The signature was made for something else.
    #[error("the signature was made for {found:?}, not for {expected:?}")]
    Namespace {
        /// The namespace in the signature.
        found: String,
        /// The namespace asked for.
        expected: String,
    },
    /// The signature does not verify: the text or the signature was changed, or another key made it.
    #[error("the signature does not verify: the text was changed, or another key made it")]
    Forged,
}

/// Appends a string of RFC 4251 §5: its length as u32, then its bytes.
fn put(bytes: &mut Vec<u8>, string: &[u8]) {
    let length = u32::try_from(string.len()).expect("no string here comes near 4 GiB");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(string);
}

/// Takes a string of RFC 4251 §5 off the front.
fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (string, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(string)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALICE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

    fn alice() -> SigningKey {
        SigningKey::from_bytes(&[1; 32])
    }

    /// Wraps any blob as OpenSSH would, so that only the blob can be at fault.
    fn armor(blob: &[u8]) -> String {
        let base64 = Base64::encode_string(blob);
        let lines: Vec<_> = base64.as_bytes().chunks(COLUMNS).map(|line| str::from_utf8(line).unwrap()).collect();
        format!("{BEGIN}{}\n{END}", lines.join("\n"))
    }

    fn signed() -> SshSig {
        SshSig::parse(&sign(&alice(), "test@v1", b"message\n")).unwrap()
    }

    /// The text and fingerprint were made by `ssh-keygen -lf`.
    #[test]
    fn a_public_key_is_written_as_openssh_writes_it() {
        let key = PublicKey::of(&alice());
        assert_eq!(key.to_string(), ALICE);
        assert_eq!(key.fingerprint(), "SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8");
        for text in [ALICE.to_owned(), format!("{ALICE}\n"), format!("{ALICE} alice at home\r\n"), format!("{ALICE} ")]
        {
            assert_eq!(text.parse(), Ok(key), "{text:?}");
        }
        assert_eq!(serde_json::to_value(key).unwrap(), ALICE);
        assert_eq!(serde_json::from_value::<PublicKey>(ALICE.into()).unwrap(), key);
        for text in [format!("{ALICE} alice"), format!("{ALICE}\n")] {
            assert!(serde_json::from_value::<PublicKey>(text.clone().into()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn text_that_is_not_one_sound_key_is_refused() {
        let base64 = ALICE.split(' ').nth(1).unwrap();
        let wire = Base64::decode_vec(base64).unwrap();
        let line = |wire: &[u8]| format!("{KEY_TYPE} {}", Base64::encode_string(wire));
        let weak = |bytes: [u8; 32]| line(&PublicKey(bytes).wire());
        let mut one = [0; 32];
        one[0] = 1;
        for (text, error) in [
            (String::new(), KeyError::Type),
            (format!("ssh-rsa {base64}"), KeyError::Type),
            (format!(" {ALICE}"), KeyError::Type),
            (KEY_TYPE.to_owned(), KeyError::Format),
            (format!("{KEY_TYPE}  {base64}"), KeyError::Format),
            (format!("{ALICE}="), KeyError::Format),
            (ALICE.replace("29c", "29d="), KeyError::Format),
            (format!("{ALICE}\n{ALICE}"), KeyError::Format),
            (format!("{ALICE}\n\n"), KeyError::Format),
            (format!("{ALICE} a\u{1b}[2J"), KeyError::Format),
            (line(&[&wire[..], &[0]].concat()), KeyError::Format),
            (line(&wire[..50]), KeyError::Format),
            (line(&[&[0, 0, 0, 7][..], b"ssh-rsa", &wire[15..]].concat()), KeyError::Type),
            (weak([0; 32]), KeyError::Point),
            (weak(one), KeyError::Point),
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(error), "{text:?}");
        }
    }

    /// The 19 numbers from p to 2^255 - 1 spell points that have a shorter spelling.
    #[test]
    fn a_second_spelling_of_a_point_is_refused() {
        let mut decompressed = 0;
        for low in 0xed..=0xff {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, 0x7f);
            decompressed += usize::from(VerifyingKey::from_bytes(&bytes).is_ok_and(|key| !key.is_weak()));
            assert_eq!(PublicKey::from_bytes(bytes), Err(KeyError::Point), "{low:#x}");
        }
        assert!(decompressed > 0, "the rule is what refuses them");
    }

    #[test]
    fn a_signature_verifies_for_its_message_namespace_and_key_alone() {
        let signature = signed();
        assert_eq!(signature.public_key, PublicKey::of(&alice()));
        assert_eq!(signature.verify("test@v1", b"message\n"), Ok(()));
        assert_eq!(signature.verify("test@v1", b"message"), Err(SshSigError::Forged));
        let expected = "test@v2".to_owned();
        let namespace = SshSigError::Namespace { found: "test@v1".to_owned(), expected };
        assert_eq!(signature.verify("test@v2", b"message\n"), Err(namespace));
        let renamed = SshSig { namespace: "test@v2".to_owned(), ..signature.clone() };
        assert_eq!(renamed.verify("test@v2", b"message\n"), Err(SshSigError::Forged));
        let bob = PublicKey::of(&SigningKey::from_bytes(&[2; 32]));
        let stolen = SshSig { public_key: bob, ..signature };
        assert_eq!(stolen.verify("test@v1", b"message\n"), Err(SshSigError::Forged));
    }

    /// A signature with the group order added to S satisfies the equation; OpenSSH 9.2 takes it.
    #[test]
    fn a_malleated_signature_is_forged() {
        const ORDER: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut malleated = signed();
        let mut carry = 0;
        for (byte, order) in malleated.signature[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert_eq!(SshSig::parse(&malleated.encode()), Ok(malleated.clone()), "the form is right");
        assert_eq!(malleated.verify("test@v1", b"message\n"), Err(SshSigError::Forged));
    }

    #[test]
    fn armor_has_one_spelling() {
        let good = signed().encode();
        let body = good.strip_prefix(BEGIN).unwrap().strip_suffix(END).unwrap();
        let joined = body.replace('\n', "");
        let rewrapped: Vec<_> = joined.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect();
        for bad in [
            String::new(),
            good.trim_end().to_owned(),
            format!("{good}\n"),
            format!("\n{good}"),
            format!(" {good}"),
            good.replace('\n', "\r\n"),
            good.replace("-----\n", "----- \n"),
            format!("{BEGIN}{joined}\n{END}"),
            format!("{BEGIN}{}\n{END}", rewrapped.join("\n")),
            format!("{BEGIN}\n{body}{END}"),
            format!("{BEGIN}{body}\n{END}"),
            format!("{good}{good}"),
            format!("{BEGIN}{END}"),
            format!("{BEGIN}{}", &END[1..]),
            BEGIN.to_owned(),
            good.replace("SIGNATURE", "signature"),
        ] {
            assert!(SshSig::parse(&bad).is_err(), "{bad:?}");
        }
        assert!(matches!(SshSig::parse(&"a".repeat(5000)), Err(SshSigError::TooLarge { bytes: 5000 })));
    }

    #[test]
    fn a_blob_of_another_shape_is_refused_by_name() {
        let good = signed();
        let blob = good.blob();
        assert_eq!(SshSig::parse(&armor(&blob)), Ok(good.clone()));
        let replaced = |from: &[u8], to: &[u8]| {
            let at = blob.windows(from.len()).position(|window| window == from).unwrap();
            armor(&[&blob[..at], to, &blob[at + from.len()..]].concat())
        };
        let field = |text: &str| {
            let mut bytes = Vec::new();
            put(&mut bytes, text.as_bytes());
            bytes
        };
        for (name, bad, error) in [
            ("magic", replaced(b"SSHSIG", b"SSHSIH"), SshSigError::Blob),
            ("version", replaced(&[0, 0, 0, 1], &[0, 0, 0, 2]), SshSigError::Blob),
            ("trailing byte", armor(&[&blob[..], &[0]].concat()), SshSigError::Blob),
            ("cut", armor(&blob[..blob.len() - 1]), SshSigError::Blob),
            ("hash", replaced(&field("sha512"), &field("sha256")), SshSigError::Hash),
            ("no namespace", replaced(&field("test@v1"), &field("")), SshSigError::Blob),
            ("namespace not UTF-8", replaced(b"test@v1", b"test@v\xff"), SshSigError::Blob),
            (
                "reserved",
                replaced(&[&[0, 0, 0, 0][..], &field("sha512")].concat(), &[field("x"), field("sha512")].concat()),
                SshSigError::Blob,
            ),
            ("length beyond the end", replaced(&field("test@v1")[..4], &[0xff; 4]), SshSigError::Blob),
            ("key", replaced(good.public_key.as_bytes(), &[0; 32]), SshSigError::Key(KeyError::Point)),
        ] {
            assert_eq!(SshSig::parse(&bad), Err(error), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_signed_parses_back_and_verifies(
            seed in any::<[u8; 32]>(), namespace in ".{1,40}", message in any::<Vec<u8>>()
        ) {
            let key = SigningKey::from_bytes(&seed);
            let armor = sign(&key, &namespace, &message);
            let signature = SshSig::parse(&armor).unwrap();
            prop_assert_eq!(signature.encode(), armor);
            prop_assert_eq!(signature.verify(&namespace, &message), Ok(()));
            let text = signature.public_key.to_string();
            prop_assert_eq!(text.parse(), Ok(PublicKey::of(&key)));
        }

        #[test]
        fn no_armor_panics(blob in any::<Vec<u8>>(), text in any::<String>()) {
            let _ = SshSig::parse(&text);
            let _ = text.parse::<PublicKey>();
            let _ = SshSig::parse(&armor(&blob));
            let _ = SshSig::parse(&armor(&[MAGIC, &VERSION.to_be_bytes()[..], &blob].concat()));
        }
    }
}
