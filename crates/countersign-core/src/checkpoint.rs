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
        Head { size: self.size, root: self.root }
    }

    /// Encodes the three lines that are signed: origin, size, root in base64.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
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
        note.sign(&self.origin, key).expect("one signature is not too many");
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
        let is_log =
            |signer: &SignedBy| signer.key.algorithm() == Algorithm::Ed25519 && *signer.key.name() == checkpoint.origin;
        if !signers.iter().any(is_log) {
            return Err(CheckpointError::NotSignedByLog(checkpoint.origin));
        }
        Ok(Opened { checkpoint, signers })
    }
}

/// Adds a witness's cosignature (C2SP tlog-cosignature v1) at `time` (POSIX, seconds) to a signed checkpoint.
///
/// The witness must have checked that the checkpoint continues the last one it cosigned; this function cannot.
///
/// # Errors
/// A note whose text is no checkpoint, and those of [`Note::cosign`].
pub fn cosign(note: &mut Note, name: &KeyName, key: &SigningKey, time: u64) -> Result<(), CheckpointError> {
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
    #[error("the checkpoint is not three lines of origin, size and root, without anything after them")]
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
    #[error("line {number} of the policy is not `log KEY`, `witness NAME KEY` or, at the end, `quorum NAME`")]
    PolicyLine {
        /// Which one, from 1.
        number: usize,
    },
    /// A log key is listed as a witness or the other way round.
    #[error("line {number} of the policy has a key of the wrong type: logs sign by type 0x01, witnesses by 0x04")]
    PolicyKeyType {
        /// Which one, from 1.
        number: usize,
    },
    /// A public key or witness name is listed twice, or a log as its own witness.
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
        Self { logs, witnesses, quorum }.to_string().parse()
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
        self.logs.iter().chain(self.witnesses.iter().map(|witness| &witness.key)).cloned().collect()
    }

    /// Checks that the signers of a checkpoint include the witness that is asked for.
    ///
    /// # Errors
    /// [`CheckpointError::NoQuorum`].
    pub fn check(&self, opened: &Opened) -> Result<(), CheckpointError> {
        let Some(quorum) = &self.quorum else {
            return Ok(());
        };
        let cosigned = |witness: &Witness| opened.signers.iter().any(|signer| signer.key == witness.key);
        if self.witnesses.iter().any(|witness| witness.name == *quorum && cosigned(witness)) {
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
        self.logs.iter().try_for_each(|log| writeln!(f, "log {log}"))?;
        self.witnesses.iter().try_for_each(|witness| writeln!(f, "witness {} {}", witness.name, witness.key))?;
        writeln!(f, "quorum {}", self.quorum.as_deref().unwrap_or("none"))
    }
}

/// Parses exactly what `Display` writes.
impl FromStr for Policy {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::PolicyIncomplete)?;
        let mut policy = Self { logs: Vec::new(), witnesses: Vec::new(), quorum: None };
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
                    let listed = |other: &Witness| other.name == *name || other.key.key() == key.key();
                    // A log that vouches for itself is no witness.
                    let is_log = policy.logs.iter().any(|log| log.key() == key.key());
                    if is_log || policy.witnesses.iter().any(listed) {
                        return Err(duplicate);
                    }
                    policy.witnesses.push(Witness { name: (*name).to_owned(), key });
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
        if complete && !policy.logs.is_empty() { Ok(policy) } else { Err(CheckpointError::PolicyIncomplete) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sshsig::PublicKey;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn name(name: &str) -> KeyName {
        KeyName::new(name).unwrap()
    }

    fn verifier(name: &str, algorithm: Algorithm, seed: u8) -> VerifierKey {
        VerifierKey::new(KeyName::new(name).unwrap(), algorithm, PublicKey::of(&key(seed)))
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: name("example.com/log"), size: 6, root: Digest::of(b"root") }
    }

    fn policy() -> Policy {
        let witness = |name: &str, seed| Witness {
            name: name.to_owned(),
            key: verifier("witness", Algorithm::CosignatureV1, seed),
        };
        let logs = vec![verifier("example.com/log", Algorithm::Ed25519, 3), verifier("other", Algorithm::Ed25519, 6)];
        Policy::new(logs, vec![witness("w1", 4), witness("w2", 5)], Some("w1".to_owned())).unwrap()
    }

    #[test]
    fn a_body_has_one_spelling() {
        let good = checkpoint().body();
        assert_eq!(Checkpoint::parse_body(&good), Ok(checkpoint()));
        let root = Digest::of(b"root").to_base64();
        for bad in [
            String::new(),
            good.trim_end().to_owned(),
            format!("{good}\n"),
            format!("{good}extension\n"),
            good.replace("\n6\n", "\n06\n"),
            good.replace("\n6\n", "\n+6\n"),
            good.replace("\n6\n", "\n-6\n"),
            good.replace("\n6\n", "\n\n"),
            good.replace("\n6\n", "\n18446744073709551616\n"),
            good.replace(&root, root.trim_end_matches('=')),
            good.replace(&root, "AAAA"),
            good.replace("/log", " log"),
            good.replace("/log", "+log"),
            format!("\n6\n{root}\n"),
        ] {
            assert_eq!(Checkpoint::parse_body(&bad), Err(CheckpointError::Body), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_log_has_the_empty_root() {
        let empty = Checkpoint { size: 0, root: EMPTY_ROOT, ..checkpoint() };
        assert_eq!(Checkpoint::parse_body(&empty.body()), Ok(empty.clone()));
        let rooted = Checkpoint { root: Digest::of(b"root"), ..empty };
        assert_eq!(Checkpoint::parse_body(&rooted.body()), Err(CheckpointError::EmptyRoot));
    }

    #[test]
    fn a_checkpoint_opens_only_by_a_key_of_its_log() {
        let log = verifier("example.com/log", Algorithm::Ed25519, 3);
        let other = verifier("example.com/other", Algorithm::Ed25519, 3);
        let witness = verifier("w", Algorithm::CosignatureV1, 4);
        let mut note = checkpoint().note(&key(3));
        note.sign(&name("example.com/other"), &key(3)).unwrap();
        cosign(&mut note, &name("w"), &key(4), 7).unwrap();
        let note = note.encode();

        let opened = Checkpoint::open(&note, &[log.clone(), witness.clone()]).unwrap();
        assert_eq!(opened.checkpoint, checkpoint());
        assert_eq!(opened.checkpoint.head(), Head { size: 6, root: Digest::of(b"root") });
        assert_eq!(opened.signers[0], SignedBy { key: log, time: None });
        assert_eq!(opened.signers[1], SignedBy { key: witness.clone(), time: Some(7) });

        let not_log = CheckpointError::NotSignedByLog(name("example.com/log"));
        assert_eq!(Checkpoint::open(&note, &[witness]), Err(not_log.clone()));
        assert_eq!(Checkpoint::open(&note, &[other]), Err(not_log.clone()));
        // A cosignature under the name of the log is still no signature of the log.
        let mut cosigned = Note::new(checkpoint().body()).unwrap();
        cosign(&mut cosigned, &name("example.com/log"), &key(3), 7).unwrap();
        let cosigner = verifier("example.com/log", Algorithm::CosignatureV1, 3);
        assert_eq!(Checkpoint::open_note(&cosigned, &[cosigner]), Err(not_log));
        let unsigned = CheckpointError::Note(NoteError::Unsigned);
        assert_eq!(Checkpoint::open(&note, &[verifier("x", Algorithm::Ed25519, 3)]), Err(unsigned));
    }

    #[test]
    fn what_is_no_checkpoint_is_not_opened_or_cosigned() {
        let mut note = Note::new("example.com/log\n6\n").unwrap();
        note.sign(&name("example.com/log"), &key(3)).unwrap();
        let keys = [verifier("example.com/log", Algorithm::Ed25519, 3)];
        assert_eq!(Checkpoint::open_note(&note, &keys), Err(CheckpointError::Body));
        assert_eq!(cosign(&mut note, &name("w"), &key(4), 7), Err(CheckpointError::Body));
        assert_eq!(note.signatures().len(), 1);
    }

    #[test]
    fn the_quorum_names_who_must_cosign() {
        let policy = policy();
        let mut note = checkpoint().note(&key(3));
        let lacking = Err(CheckpointError::NoQuorum("w1".to_owned()));
        assert_eq!(policy.open(&note.encode()), lacking);
        cosign(&mut note, &name("witness"), &key(5), 7).unwrap();
        assert_eq!(policy.open(&note.encode()), lacking, "another witness");
        note.sign(&name("witness"), &key(4)).unwrap();
        assert_eq!(policy.open(&note.encode()), lacking, "no cosignature");
        cosign(&mut note, &name("witness"), &key(4), 7).unwrap();
        assert_eq!(policy.open(&note.encode()).unwrap().signers.len(), 3);
        let lax = Policy::new(policy.logs().to_vec(), vec![], None).unwrap();
        assert_eq!(lax.open(&note.encode()).unwrap().signers.len(), 1);
        let foreign = Policy::new(vec![verifier("other", Algorithm::Ed25519, 3)], vec![], None).unwrap();
        assert!(foreign.open(&note.encode()).is_err());
    }

    #[test]
    fn a_policy_has_one_spelling() {
        let good = policy().to_string();
        assert_eq!(good.parse(), Ok(policy()));
        let lines: Vec<&str> = good.lines().collect();
        let [log, _, w1, w2, quorum] = lines[..] else { panic!("five lines") };
        let text = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let line = |number| CheckpointError::PolicyLine { number };
        let renamed = w2.replace(" w2 ", " w1 ");
        let as_none = w1.replace(" w1 ", " none ");
        let as_log = format!("log {}", w1.rsplit(' ').next().unwrap());
        let as_witness = log.replace("log ", "witness w1 ");
        let with_return = format!("{}\r", log.rsplit(' ').next().unwrap());
        let distinct = |seed| format!("witness n{seed} {}\n", verifier("n", Algorithm::CosignatureV1, seed));
        let long: String = (10..10 + POLICY_LINES_MAX as u8).map(distinct).collect();
        let own_witness = format!("witness w1 {}", verifier("w", Algorithm::CosignatureV1, 3));
        let again = w1.replace(" w1 ", " w3 ");
        for (name, bad, error) in [
            ("empty", String::new(), CheckpointError::PolicyIncomplete),
            ("not ended", good.trim_end().to_owned(), CheckpointError::PolicyIncomplete),
            ("no quorum", text(&[log, w1]), CheckpointError::PolicyIncomplete),
            ("no log", text(&[w1, quorum]), CheckpointError::PolicyIncomplete),
            ("after the quorum", text(&[log, w1, quorum, w2]), line(4)),
            ("two quorums", text(&[log, w1, quorum, quorum]), line(4)),
            ("log after witness", text(&[w1, log, quorum]), line(2)),
            ("blank line", text(&[log, "", w1, quorum]), line(2)),
            ("comment", text(&[log, "# w1", w1, quorum]), line(2)),
            ("group", text(&[log, w1, "group g any w1", "quorum g"]), line(3)),
            ("address", text(&[&format!("{log} https://example.com")]), line(1)),
            ("two spaces", good.replacen("log ", "log  ", 1), line(1)),
            ("tab", good.replacen("log ", "log\t", 1), line(1)),
            ("carriage return", good.replace('\n', "\r\n"), CheckpointError::Note(NoteError::VerifierKey(with_return))),
            ("unknown quorum", text(&[log, w1, "quorum w9"]), CheckpointError::PolicyQuorum("w9".to_owned())),
            ("witness named none", text(&[log, &as_none, "quorum none"]), line(2)),
            ("name twice", text(&[log, w1, &renamed, quorum]), CheckpointError::PolicyDuplicate { number: 3 }),
            ("key twice", text(&[log, w1, &again, quorum]), CheckpointError::PolicyDuplicate { number: 3 }),
            ("log twice", text(&[log, log, "quorum none"]), CheckpointError::PolicyDuplicate { number: 2 }),
            (
                "log as its own witness",
                text(&[log, &own_witness, quorum]),
                CheckpointError::PolicyDuplicate { number: 2 },
            ),
            ("witness as log", text(&[&as_log, "quorum none"]), CheckpointError::PolicyKeyType { number: 1 }),
            ("log as witness", text(&[log, &as_witness, quorum]), CheckpointError::PolicyKeyType { number: 2 }),
            ("long", text(&[log, &long]), CheckpointError::PolicyTooLong),
        ] {
            assert_eq!(bad.parse::<Policy>(), Err(error), "{name}");
        }
    }

    #[test]
    fn a_policy_that_could_not_be_written_cannot_be_made() {
        let log = verifier("log", Algorithm::Ed25519, 3);
        let witness = |name: &str| Witness { name: name.to_owned(), key: verifier("w", Algorithm::CosignatureV1, 4) };
        for (logs, witnesses, quorum) in [
            (vec![], vec![], None),
            (vec![log.clone(), log.clone()], vec![], None),
            (vec![log.clone()], vec![], Some("w1".to_owned())),
            (vec![log.clone()], vec![witness("none")], Some("none".to_owned())),
            (vec![log.clone()], vec![witness("a\nquorum none")], None),
            (vec![log.clone()], vec![witness("a b")], None),
            (vec![log], vec![witness("")], None),
        ] {
            assert!(Policy::new(logs, witnesses, quorum).is_err());
        }
    }

    proptest! {
        #[test]
        fn what_is_signed_opens(
            origin in "[a-z./]{1,20}", size in 1..=u64::MAX, root in any::<[u8; 32]>(), time in 0..=u64::MAX / 2
        ) {
            let checkpoint = Checkpoint { origin: name(&origin), size, root: Digest::from_bytes(root) };
            let mut note = checkpoint.note(&key(3));
            cosign(&mut note, &name("w"), &key(4), time).unwrap();
            let keys = [verifier(&origin, Algorithm::Ed25519, 3), verifier("w", Algorithm::CosignatureV1, 4)];
            let opened = Checkpoint::open(&note.encode(), &keys).unwrap();
            prop_assert_eq!(opened.checkpoint, checkpoint);
            prop_assert_eq!(opened.signers[1].time, Some(time));
        }

        #[test]
        fn no_text_panics(text in any::<String>(), lines in "(log|witness|quorum|none|[ a\n+=]){0,12}") {
            let _ = Checkpoint::parse_body(&text);
            let _ = text.parse::<Policy>();
            let _ = lines.parse::<Policy>();
            prop_assert!(Checkpoint::open(&text, &policy().keys()).is_err());
        }
    }
}
