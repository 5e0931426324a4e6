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

/// Returns how many bytes the armor of a signature for `act` has: every key and signature is of one size.
pub(crate) fn armor_bytes(act: &str) -> usize {
    const WITHOUT_NAMESPACE: usize = 170;
    let base64 = (WITHOUT_NAMESPACE + namespace(act).len()).div_ceil(3) * 4;
    "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n".len() + base64 + base64.div_ceil(70)
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
        let leaf =
            String::from_utf8(leaf).map_err(|error| EntryError::NotUtf8 { at: error.utf8_error().valid_up_to() })?;
        let (line, armor) = leaf.split_once('\n').ok_or(EntryError::NoSignature)?;
        let payload = jcs::parse(line).map_err(EntryError::Payload)?;
        let act = check_statement(&payload)?;
        let signature = SshSig::parse(armor).map_err(EntryError::Signature)?;
        let payload_bytes = line.len();
        signature.verify(&namespace(&act), &leaf.as_bytes()[..=payload_bytes]).map_err(EntryError::Signature)?;
        Ok(Self { payload_bytes, payload, act, signer_key: signature.public_key, leaf })
    }

    /// Composes and signs an entry; equal arguments give equal bytes.
    ///
    /// # Errors
    /// [`EntryError::ActMismatch`] where the payload is of another act, and those of [`Entry::parse`], which the result
    /// has passed.
    pub fn sign(payload: &Value, act: &str, key: &SigningKey) -> Result<Self, EntryError> {
        let line = Self::to_sign(payload, act)?;
        let armor = sshsig::sign(key, &namespace(act), line.as_bytes());
        // Read back as anybody will: what does not parse is never handed out.
        Self::parse((line + &armor).into_bytes())
    }

    /// Returns the line that is signed, for a key that is held elsewhere; with its armor behind it, it is the leaf.
    ///
    /// # Errors
    /// [`EntryError::ActMismatch`] where the payload is of another act, and what [`Entry::parse`] says of the payload.
    pub fn to_sign(payload: &Value, act: &str) -> Result<String, EntryError> {
        let found = check_statement(payload)?;
        if found != act {
            return Err(EntryError::ActMismatch { payload: found, asked: act.to_owned() });
        }
        let mut line = jcs::encode(payload).map_err(EntryError::Payload)?;
        line.push('\n');
        Ok(line)
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
        self.payload["predicate"].as_object().expect("the grammar asks for an object")
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
    if let Some(field) = statement.keys().find(|field| !known.contains(&field.as_str())) {
        return Err(EntryError::UnknownField(field.clone()));
    }
    if statement.get("_type").and_then(Value::as_str) != Some(STATEMENT_TYPE) {
        return Err(EntryError::StatementType);
    }
    if !statement.get("predicate").is_some_and(Value::is_object) {
        return Err(EntryError::Predicate);
    }
    let subjects = statement.get("subject").and_then(Value::as_array).ok_or(EntryError::NoSubject)?;
    if subjects.is_empty() {
        return Err(EntryError::NoSubject);
    }
    if let Some(index) = subjects.iter().position(|subject| !is_subject(subject)) {
        return Err(EntryError::Subject { index });
    }
    let text = statement.get("predicateType").and_then(Value::as_str).unwrap_or_default();
    let act = text.strip_prefix("https://countersign.example/").and_then(|rest| rest.strip_suffix("/v1"));
    act.filter(|act| is_act(act)).map(str::to_owned).ok_or_else(|| EntryError::PredicateType(text.to_owned()))
}

/// `{"digest":{"sha256":"<64 hex>"},"name":"<not empty>"}` and nothing else.
fn is_subject(subject: &Value) -> bool {
    let Some(fields) = subject.as_object().filter(|fields| fields.len() == 2) else {
        return false;
    };
    let Some(digests) = fields.get("digest").and_then(Value::as_object).filter(|digests| digests.len() == 1) else {
        return false;
    };
    let named = fields.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    let digest = digests.get("sha256").and_then(Value::as_str);
    named && digest.is_some_and(|digest| digest.parse::<Digest>().is_ok())
}

/// Lower-case words joined by single hyphens.
fn is_act(act: &str) -> bool {
    act.len() <= ACT_LENGTH_MAX
        && act.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Why bytes are no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The leaf is larger than [`LEAF_BYTES_MAX`].
    #[error("the entry has {bytes} bytes, at most {LEAF_BYTES_MAX} are taken: name long lists by their digest")]
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const HASH: &str = "c495574647133f7b72d8d35676a7e9f00623b783accd682e9c663efa8e3b6eba";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn statement(act: &str, predicate: &Value) -> Value {
        json!({
            "_type": STATEMENT_TYPE,
            "predicate": predicate,
            "predicateType": predicate_type(act),
            "subject": [{"digest": {"sha256": HASH}, "name": "pump-firmware 4.2.0"}],
        })
    }

    fn approval() -> Value {
        statement("approval", &json!({"decision": "no-go", "nonce": "9b1f0c6d2e8a4b57", "time": 1}))
    }

    fn entry() -> Entry {
        Entry::sign(&approval(), "approval", &key(1)).unwrap()
    }

    /// Signs any line genuinely, so that only the line can be at fault.
    fn signed(line: &str, act: &str) -> Vec<u8> {
        let payload = format!("{line}\n");
        let armor = sshsig::sign(&key(1), &namespace(act), payload.as_bytes());
        [payload, armor].concat().into_bytes()
    }

    #[test]
    fn an_entry_is_what_its_signer_signed() {
        let entry = entry();
        let line = jcs::encode(&approval()).unwrap();
        assert_eq!(entry.payload(), &approval());
        assert_eq!(entry.predicate()["decision"], "no-go");
        assert_eq!(entry.payload_line(), line);
        assert_eq!(entry.payload_hash(), Digest::of(format!("{line}\n").as_bytes()));
        assert_eq!(entry.act(), "approval");
        assert_eq!(entry.signer_key(), PublicKey::of(&key(1)));
        assert_eq!(entry.leaf_text(), format!("{line}\n{}", entry.armor()));
        assert_eq!(entry.leaf_hash(), merkle::leaf_hash(entry.leaf()));
        let signature = SshSig::parse(entry.armor()).unwrap();
        assert_eq!(signature.verify("countersign-approval@v1", format!("{line}\n").as_bytes()), Ok(()));
        assert_eq!(Entry::parse(entry.leaf().to_vec()), Ok(entry.clone()));
        assert_eq!(signed(&line, "approval"), entry.into_leaf());
    }

    #[test]
    fn the_size_of_a_signature_is_known_before_anybody_signs() {
        for row in crate::act::ACTS {
            let armor = sshsig::sign(&key(1), &namespace(row.act), b"payload\n");
            assert_eq!(armor_bytes(row.act), armor.len(), "{}", row.act);
        }
    }

    /// An entry has no spelling but its own: whatever is done to its bytes without the key, it is no entry any more.
    #[test]
    fn a_flipped_bit_is_found() {
        let entry = entry();
        for at in 0..entry.leaf().len() * 8 {
            let mut flipped = entry.leaf().to_vec();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(Entry::parse(flipped).is_err(), "bit {at}");
        }
    }

    #[test]
    fn a_leaf_that_is_not_payload_and_signature_is_refused_by_name() {
        let good = entry().into_leaf();
        let line = entry().payload_line().to_owned();
        let armor = entry().armor().to_owned();
        let armor_error = EntryError::Signature(SshSigError::Armor);
        let leaf = |text: &str| text.as_bytes().to_vec();
        let mut not_utf8 = good.clone();
        not_utf8[10] = 0xff;
        for (name, bad, error) in [
            ("empty", vec![], EntryError::NoSignature),
            ("payload alone", leaf(&line), EntryError::NoSignature),
            ("payload and line feed", leaf(&format!("{line}\n")), armor_error.clone()),
            ("blank line", leaf(&format!("{line}\n\n{armor}")), armor_error.clone()),
            ("last line feed missing", good[..good.len() - 1].to_vec(), armor_error.clone()),
            ("byte too many", [&good[..], b"\n"].concat(), armor_error.clone()),
            ("carriage returns", leaf(&format!("{line}\n{}", armor.replace('\n', "\r\n"))), armor_error.clone()),
            ("two signatures", leaf(&format!("{line}\n{armor}{armor}")), armor_error),
            ("not UTF-8", not_utf8, EntryError::NotUtf8 { at: 10 }),
            ("large", vec![b'a'; LEAF_BYTES_MAX + 1], EntryError::TooLarge { bytes: LEAF_BYTES_MAX + 1 }),
            (
                "carriage return after the payload",
                leaf(&format!("{line}\r\n{armor}")),
                EntryError::Payload(JcsError::NotCanonical { at: line.len() }),
            ),
            (
                "byte order mark",
                [b"\xef\xbb\xbf", &good[..]].concat(),
                EntryError::Payload(JcsError::Syntax("expected value at line 1 column 1".to_owned())),
            ),
        ] {
            assert_eq!(Entry::parse(bad), Err(error), "{name}");
        }
    }

    /// Every case is genuinely signed: a signature does not mend a payload.
    #[test]
    fn a_payload_that_is_no_statement_is_refused_by_name() {
        #[track_caller]
        fn check(change: impl Fn(&mut Value), error: EntryError) {
            let mut payload = approval();
            change(&mut payload);
            let line = jcs::encode(&payload).unwrap();
            assert_eq!(Entry::parse(signed(&line, "approval")), Err(error.clone()), "{line}");
            assert_eq!(Entry::sign(&payload, "approval", &key(1)), Err(error), "{line}");
        }
        check(|payload| *payload = json!([]), EntryError::NotAnObject);
        check(|payload| payload["extra"] = json!(1), EntryError::UnknownField("extra".to_owned()));
        check(|payload| payload["_type"] = json!("https://in-toto.io/Statement/v0.1"), EntryError::StatementType);
        check(|payload| payload["_type"] = Value::Null, EntryError::StatementType);
        check(|payload| payload["predicate"] = json!([]), EntryError::Predicate);
        check(|payload| drop(payload.as_object_mut().unwrap().remove("predicate")), EntryError::Predicate);
        check(|payload| payload["subject"] = json!([]), EntryError::NoSubject);
        check(|payload| payload["subject"] = json!({}), EntryError::NoSubject);
        check(|payload| drop(payload.as_object_mut().unwrap().remove("subject")), EntryError::NoSubject);
        let good = json!({"digest": {"sha256": HASH}, "name": "a"});
        for bad in [
            json!("a"),
            json!({"digest": {"sha256": HASH}}),
            json!({"digest": {"sha256": HASH}, "name": ""}),
            json!({"digest": {"sha256": HASH}, "name": 1}),
            json!({"digest": {"sha256": HASH}, "name": "a", "uri": "b"}),
            json!({"digest": {"sha256": HASH.to_uppercase()}, "name": "a"}),
            json!({"digest": {"sha256": &HASH[1..]}, "name": "a"}),
            json!({"digest": {"sha256": HASH, "sha1": "b"}, "name": "a"}),
            json!({"digest": {"sha512": HASH}, "name": "a"}),
            json!({"digest": {}, "name": "a"}),
            json!({"digest": HASH, "name": "a"}),
        ] {
            check(|payload| payload["subject"] = json!([good, bad]), EntryError::Subject { index: 1 });
        }
        for bad in [
            "",
            "approval",
            "https://countersign.example/approval/v2",
            "https://countersign.example/approval/v1/",
            "http://countersign.example/approval/v1",
            "https://countersign.example//v1",
            "https://countersign.example/a/b/v1",
            "https://countersign.example/Approval/v1",
            "https://countersign.example/-approval/v1",
            "https://countersign.example/a--b/v1",
            "https://countersign.example/a@v1 countersign-approval/v1",
            "https://countersign.example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/v1",
        ] {
            check(|payload| payload["predicateType"] = json!(bad), EntryError::PredicateType(bad.to_owned()));
        }
        check(|payload| payload["predicateType"] = json!(1), EntryError::PredicateType(String::new()));
    }

    #[test]
    fn a_payload_with_two_readings_is_refused_though_it_is_signed() {
        let good = entry().payload_line().to_owned();
        let twice = good.replace(r#""decision":"no-go""#, r#""decision":"no-go","decision":"go""#);
        let spaced = good.replace(r#""time":1"#, r#""time": 1"#);
        let float = good.replace(r#""time":1"#, r#""time":1.0"#);
        let large = good.replace(r#""time":1"#, r#""time":9007199254740993"#);
        for line in [&twice, &spaced, &float, &large] {
            assert_ne!(*line, good);
            assert!(matches!(Entry::parse(signed(line, "approval")), Err(EntryError::Payload(_))), "{line}");
        }
    }

    #[test]
    fn a_signature_for_another_act_or_payload_is_refused() {
        let (line, armor) = (entry().payload_line().to_owned(), entry().armor().to_owned());
        let found = "countersign-evidence@v1".to_owned();
        let expected = "countersign-approval@v1".to_owned();
        let namespace = EntryError::Signature(SshSigError::Namespace { found, expected });
        assert_eq!(Entry::parse(signed(&line, "evidence")), Err(namespace));
        let evidence = statement("evidence", &json!({}));
        let mismatch = EntryError::ActMismatch { payload: "evidence".to_owned(), asked: "approval".to_owned() };
        assert_eq!(Entry::sign(&evidence, "approval", &key(1)), Err(mismatch));

        let forged = EntryError::Signature(SshSigError::Forged);
        let go = line.replace("no-go", "go");
        assert_eq!(Entry::parse(format!("{go}\n{armor}").into_bytes()), Err(forged.clone()));
        let mut stolen = SshSig::parse(&armor).unwrap();
        stolen.public_key = PublicKey::of(&key(2));
        assert_eq!(Entry::parse(format!("{line}\n{}", stolen.encode()).into_bytes()), Err(forged));
    }

    #[test]
    fn acts_with_hyphens_have_namespaces() {
        let payload = statement("enrol-accept", &json!({}));
        let entry = Entry::sign(&payload, "enrol-accept", &key(1)).unwrap();
        assert_eq!(entry.act(), "enrol-accept");
        assert!(entry.armor().len() > 300);
    }

    #[test]
    fn a_leaf_may_be_64_kib_and_no_byte_more() {
        let sized = |bytes: usize| statement("approval", &json!({"reason": "a".repeat(bytes)}));
        let empty = Entry::sign(&sized(0), "approval", &key(1)).unwrap().leaf().len();
        let full = LEAF_BYTES_MAX - empty;
        assert_eq!(Entry::sign(&sized(full), "approval", &key(1)).unwrap().leaf().len(), LEAF_BYTES_MAX);
        let large = EntryError::TooLarge { bytes: LEAF_BYTES_MAX + 1 };
        assert_eq!(Entry::sign(&sized(full + 1), "approval", &key(1)), Err(large));
    }

    proptest! {
        #[test]
        fn what_is_signed_parses_back(reason in any::<String>(), name in ".{1,40}", seed in any::<[u8; 32]>()) {
            let mut payload = statement("approval", &json!({"reason": reason}));
            payload["subject"][0]["name"] = json!(name);
            let key = SigningKey::from_bytes(&seed);
            let entry = Entry::sign(&payload, "approval", &key).unwrap();
            prop_assert_eq!(entry.payload(), &payload);
            prop_assert_eq!(entry.signer_key(), PublicKey::of(&key));
            prop_assert_eq!(Entry::parse(entry.leaf().to_vec()), Ok(entry));
        }

        #[test]
        fn a_leaf_edited_anywhere_is_no_entry(at in any::<prop::sample::Index>(), byte in any::<u8>(), kind in 0..4) {
            let good = entry().into_leaf();
            let at = at.index(good.len());
            let mut edited = good.clone();
            match kind {
                0 => edited[at] = byte,
                1 => edited.insert(at, byte),
                2 => drop(edited.drain(at..=at)),
                _ => edited.truncate(at),
            }
            prop_assert!(edited == good || Entry::parse(edited).is_err());
        }

        #[test]
        fn no_leaf_panics(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            prop_assert!(Entry::parse(bytes).is_err());
            prop_assert!(Entry::parse(signed(&text, "approval")).is_err());
        }
    }
}
