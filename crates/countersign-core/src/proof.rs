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
        merkle::verify_inclusion(self.index, head.size, &merkle::leaf_hash(leaf), &self.hashes, &head.root)?;
        Ok(opened)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}\nindex {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
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
        let index = second.strip_prefix("index ").and_then(|index| index.parse().ok()).ok_or(ProofError::Format)?;
        let hashes = lines.map(Digest::from_base64).collect::<Result<Vec<_>, _>>().map_err(|_| ProofError::Format)?;
        if hashes.len() > HASHES_MAX {
            return Err(ProofError::Format);
        }
        let parsed = Self { index, hashes, checkpoint: Note::parse(checkpoint)? };
        if parsed.to_string() == text { Ok(parsed) } else { Err(ProofError::Format) }
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

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha512};

    use super::*;
    use crate::checkpoint::{Policy, Witness, cosign};
    use crate::entry::Entry;
    use crate::merkle::Tree;
    use crate::note::{Algorithm, KeyName, SignedBy};
    use crate::sshsig::{PublicKey, SshSig, signed_bytes};

    // The worked example of the format: every byte below is literal, so that no change of code can move the format.
    const ALICE_SEED: [u8; 32] = [1; 32];
    const LOG_SEED: [u8; 32] = [3; 32];
    const WITNESS_SEED: [u8; 32] = [4; 32];
    const WITNESS_TIME: u64 = 1_795_343_000;
    const ORIGIN: &str = "countersign.example/ledger/7f3a";
    const WITNESS: &str = "witness.acme.example/w1";
    const PAYLOAD: &str = r#"{"_type":"https://in-toto.io/Statement/v1","predicate":{"decision":"go","evidence":[{"digest":{"sha256":"808ba1d40b9d1270dc46dd1b69893632ab8c3163456bca52eeb82cecda788657"},"name":"regression.xml"}],"meaning":"approval","nonce":"9b1f0c6d2e8a4b57","reason":"All 412 regression tests pass","reauth":"passphrase","request":{"index":3,"leaf":"946c44203f5143edc870b843bc0f6ed92aab81a6c75dbadc8355edbaed8341d3"},"role":"qa-lead","seen":{"origin":"countersign.example/ledger/7f3a","root":"wFylQN03p3ONtsIKnYBZ96CiGVSaq1ms6f6G/601WrQ=","size":4},"signer":{"name":"Alice Moreau","principal":"alice@acme.example"},"time":"2026-11-22T10:31:07Z","zone":"Europe/Paris"},"predicateType":"https://countersign.example/approval/v1","subject":[{"digest":{"sha256":"c495574647133f7b72d8d35676a7e9f00623b783accd682e9c663efa8e3b6eba"},"name":"acme-pump-fw 4.2.0"}]}"#;
    const PAYLOAD_SHA512: &str = "393065d47573b5ea40effa1ab9a46febf518758120a6e80ec3e0b013144d15bb\
        e9db770966f626a61596dd718f733b281c18dfe3095f976b0036fcd7047840b2";
    const BLOB: &str = "53534853494700000001\
        000000330000000b7373682d65643235353139\
        000000208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\
        00000017636f756e7465727369676e2d617070726f76616c407631\
        00000000\
        00000006736861353132\
        000000530000000b7373682d65643235353139\
        00000040f4a0e998a0a279f28b9bcbde868b178ea9f0ccf1611454b703147a7f6a3d5240\
        1b9b0a93bdf70874bd05b45289f41534e9407c4aa3b73ef4b02a56906b3a6f00";
    const LEAF_HASHES: [&str; 6] = [
        "ed1b4d6a33014cc3a369e65df3546b02ec631cce3610c0b88c488708cec184ec",
        "81a0249d13cdb619feb89d2c3db39abcdadb11a9739a4bce138f563fa6616554",
        "a6db0151c988a0cfbfa531361c4f58a8535140979c11308dee1e1cd365aa79ef",
        "946c44203f5143edc870b843bc0f6ed92aab81a6c75dbadc8355edbaed8341d3",
        "1cbc106fe20910f877e9ac7586c130cec5d96cd04983c957240ad02091862cc5",
        "4d894665d727e6a84209834875f628383bc0d55ae426f7057f180439d7ea6cb8",
    ];
    const ROOT: &str = "9783080638e530eb5fc0286fe2492123013fdd9f4986c426510d4b29b29acc7d";
    const CHECKPOINT: &str = "countersign.example/ledger/7f3a\n\
        6\n\
        l4MIBjjlMOtfwChv4kkhIwE/3Z9JhsQmUQ1LKbKazH0=\n\
        \n\
        \u{2014} countersign.example/ledger/7f3a \
        8O+9yXS1qbRUEkIgw/WorTKgLtj+hHs4ZaS0o27Zqsxtnr1+2ZjkXiDT4n+/5/IJZ+jf6aimi1x1+DRTPtTuANZfzw8=\n\
        \u{2014} witness.acme.example/w1 \
        7M4xtQAAAABrAsKYOqDc2FcwNlkOhsuGPASMiwAUXbuGCvAlVpUyGEMGtq/S05JthJDul2KCl8WLZNRn5I77LKBQaX561d+ZlofiBw==\n";
    const PROOF: &str = "c2sp.org/tlog-proof@v1\n\
        index 4\n\
        TYlGZdcn5qhCCYNIdfYoODvA1VrkJvcFfxgEOdfqbLg=\n\
        wFylQN03p3ONtsIKnYBZ96CiGVSaq1ms6f6G/601WrQ=\n\
        \n";
    const POLICY: &str = "log countersign.example/ledger/7f3a+f0efbdc9+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR\n\
        witness w1 witness.acme.example/w1+ecce31b5+BMqTrBcFGHBx1nuDx/8O/oEI6OxFMFdddyaHkzPb2r58\n\
        quorum w1\n";

    fn key(seed: [u8; 32]) -> SigningKey {
        SigningKey::from_bytes(&seed)
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn example_leaf() -> Vec<u8> {
        let payload = crate::jcs::parse(PAYLOAD).unwrap();
        Entry::sign(&payload, "approval", &key(ALICE_SEED)).unwrap().into_leaf()
    }

    fn example_proof() -> Proof {
        format!("{PROOF}{CHECKPOINT}").parse().unwrap()
    }

    fn policy() -> Policy {
        POLICY.parse().unwrap()
    }

    /// What a relying party does with a proof.
    fn accepts(policy: &Policy, proof: &str, leaf: &[u8]) -> bool {
        let opened = proof.parse().and_then(|proof: Proof| proof.verify(leaf, &policy.keys()));
        opened.is_ok_and(|opened| policy.check(&opened).is_ok())
    }

    #[test]
    fn the_entry_of_the_worked_example_is_reproduced() {
        let entry = Entry::parse(example_leaf()).unwrap();
        assert_eq!(entry.payload_line(), PAYLOAD);
        let line = &entry.leaf()[..=PAYLOAD.len()];
        assert_eq!(line.len(), 844);
        assert_eq!(hex(&Sha512::digest(line)), PAYLOAD_SHA512);
        let namespace = "countersign-approval@v1";
        let signed = signed_bytes(namespace, line);
        let expected = [
            b"SSHSIG\0\0\0\x17countersign-approval@v1\0\0\0\0\0\0\0\x06sha512\0\0\0\x40".as_slice(),
            &Sha512::digest(line),
        ]
        .concat();
        assert_eq!((signed.len(), &signed), (115, &expected));
        assert_eq!(hex(&SshSig::parse(entry.armor()).unwrap().blob()), BLOB);
        assert_eq!(entry.armor().len(), 322);
        assert_eq!(entry.leaf().len(), 1166);
        assert_eq!(entry.leaf_hash().to_string(), LEAF_HASHES[4]);
        assert_eq!(entry.act(), "approval");
        assert_eq!(entry.signer_key(), PublicKey::of(&key(ALICE_SEED)));
    }

    #[test]
    fn the_tree_checkpoint_policy_and_proof_of_the_worked_example_are_reproduced() {
        let mut tree = Tree::new();
        for hash in LEAF_HASHES {
            tree.append(hash.parse().unwrap());
        }
        assert_eq!(tree.root().to_string(), ROOT);
        let seen = entry_seen_root();
        assert_eq!(tree.root_at(4).unwrap().to_base64(), seen, "what leaf 4 saw is the prefix before it");

        let origin = KeyName::new(ORIGIN).unwrap();
        let checkpoint = Checkpoint { origin: origin.clone(), size: 6, root: tree.root() };
        let mut note = checkpoint.note(&key(LOG_SEED));
        let witness = KeyName::new(WITNESS).unwrap();
        cosign(&mut note, &witness, &key(WITNESS_SEED), WITNESS_TIME).unwrap();
        assert_eq!(note.encode(), CHECKPOINT);

        let log = VerifierKey::new(origin, Algorithm::Ed25519, PublicKey::of(&key(LOG_SEED)));
        let witness = VerifierKey::new(witness, Algorithm::CosignatureV1, PublicKey::of(&key(WITNESS_SEED)));
        let listed = Witness { name: "w1".to_owned(), key: witness.clone() };
        let policy = Policy::new(vec![log.clone()], vec![listed], Some("w1".to_owned())).unwrap();
        assert_eq!(policy.to_string(), POLICY);
        assert_eq!(POLICY.parse(), Ok(policy.clone()));

        let proof = Proof { index: 4, hashes: tree.inclusion_proof(4, 6).unwrap(), checkpoint: note };
        assert_eq!(proof.to_string(), format!("{PROOF}{CHECKPOINT}"));
        assert_eq!(proof, example_proof());
        let opened = proof.verify(&example_leaf(), &policy.keys()).unwrap();
        assert_eq!(opened.checkpoint, checkpoint);
        let by_witness = SignedBy { key: witness, time: Some(WITNESS_TIME) };
        assert_eq!(opened.signers, [SignedBy { key: log, time: None }, by_witness]);
        assert_eq!(policy.check(&opened), Ok(()));
    }

    fn entry_seen_root() -> String {
        let entry = Entry::parse(example_leaf()).unwrap();
        entry.predicate()["seen"]["root"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_flipped_bit_of_leaf_proof_or_policy_is_refused() {
        #[track_caller]
        fn check(what: &str, bytes: &[u8], accepts: impl Fn(&[u8]) -> bool) {
            assert!(accepts(bytes), "{what} itself");
            for at in 0..bytes.len() * 8 {
                let mut flipped = bytes.to_vec();
                flipped[at / 8] ^= 1 << (at % 8);
                assert!(!accepts(&flipped), "{what}, bit {at}");
            }
        }
        let (leaf, proof) = (example_leaf(), example_proof().to_string());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        check("leaf", &leaf, |bytes| accepts(&policy(), &proof, bytes));
        check("proof", proof.as_bytes(), |bytes| text(bytes).is_some_and(|proof| accepts(&policy(), &proof, &leaf)));
        check("policy", POLICY.as_bytes(), |bytes| {
            let policy = text(bytes).and_then(|policy| policy.parse().ok());
            policy.is_some_and(|policy| accepts(&policy, &proof, &leaf))
        });
        check("checkpoint", CHECKPOINT.as_bytes(), |bytes| {
            text(bytes).is_some_and(|note| policy().open(&note).is_ok())
        });
    }

    #[test]
    fn a_proof_of_another_entry_place_or_path_is_refused() {
        let (leaf, keys) = (example_leaf(), policy().keys());
        let good = example_proof();
        let root = ProofError::Merkle(MerkleError::RootMismatch);
        assert_eq!(good.verify(b"another leaf", &keys), Err(root.clone()));
        assert_eq!(Proof { index: 5, ..good.clone() }.verify(&leaf, &keys), Err(root));
        let beyond = ProofError::Merkle(MerkleError::IndexBeyondSize { index: 6, size: 6 });
        assert_eq!(Proof { index: 6, ..good.clone() }.verify(&leaf, &keys), Err(beyond));
        let short = Proof { hashes: good.hashes[..1].to_vec(), ..good.clone() };
        let wrong_length = ProofError::Merkle(MerkleError::WrongLength { hashes: 1 });
        assert_eq!(short.verify(&leaf, &keys), Err(wrong_length));
        let unsigned = ProofError::Checkpoint(CheckpointError::Note(NoteError::Unsigned));
        assert_eq!(good.verify(&leaf, &[]), Err(unsigned));
    }

    #[test]
    fn a_proof_has_one_spelling() {
        let good = example_proof().to_string();
        let hash = "TYlGZdcn5qhCCYNIdfYoODvA1VrkJvcFfxgEOdfqbLg=\n";
        // A line feed too many before the checkpoint belongs to the text that is signed.
        let changed = NoteError::BadSignature(KeyName::new(ORIGIN).unwrap());
        let changed = ProofError::Checkpoint(CheckpointError::Note(changed));
        for (bad, error) in [
            (String::new(), ProofError::Format),
            (good.replace("@v1\n", "@v2\n"), ProofError::FirstLine),
            (good.replace("index 4", "extra AAAA\nindex 4"), ProofError::Extra),
            (good.replace("index 4", "index 04"), ProofError::Format),
            (good.replace("index 4", "index +4"), ProofError::Format),
            (good.replace("index 4", "index -4"), ProofError::Format),
            (good.replace("index 4", "index  4"), ProofError::Format),
            (good.replace("index 4", "index 18446744073709551616"), ProofError::Format),
            (good.replace("index 4\n", ""), ProofError::Format),
            (good.replace("Lg=\n", "Lh=\n"), ProofError::Format),
            (good.replace("Lg=\n", "Lg=\r\n"), ProofError::Format),
            (good.replace(hash, &hash.repeat(HASHES_MAX)), ProofError::Format),
            (good.replace("\n\nc", "\n\n\nc"), changed),
            (format!("{good}\n"), ProofError::Note(NoteError::Format)),
            ("a".repeat(BYTES_MAX + 1), ProofError::Note(NoteError::TooLarge { bytes: BYTES_MAX + 1 })),
        ] {
            let result = bad.parse::<Proof>().and_then(|proof| proof.verify(&example_leaf(), &policy().keys()));
            assert_eq!(result, Err(error), "{bad:?}");
        }
    }

    #[test]
    fn the_only_entry_of_a_log_is_proved_by_no_hashes() {
        let mut tree = Tree::new();
        let leaf = example_leaf();
        let head = tree.append(merkle::leaf_hash(&leaf));
        let checkpoint = Checkpoint { origin: KeyName::new(ORIGIN).unwrap(), size: 1, root: head.root };
        let proof = Proof { index: 0, hashes: vec![], checkpoint: checkpoint.note(&key(LOG_SEED)) };
        let text = proof.to_string();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\ncountersign.example"), "{text}");
        assert_eq!(text.parse(), Ok(proof.clone()));
        assert!(proof.verify(&leaf, &policy().keys()).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_encoded_parses_back(index in any::<u64>(), hashes in prop::collection::vec(any::<[u8; 32]>(), 0..=64)) {
            let hashes = hashes.into_iter().map(Digest::from_bytes).collect();
            let proof = Proof { index, hashes, checkpoint: example_proof().checkpoint };
            prop_assert_eq!(proof.to_string().parse(), Ok(proof));
        }

        #[test]
        fn no_proof_panics(text in any::<String>(), lines in "(index|extra|[ 0-9A-Za-z=\n]){0,40}") {
            let _ = text.parse::<Proof>();
            let text = format!("{FIRST_LINE}\n{lines}\n\n{CHECKPOINT}");
            prop_assert!(!accepts(&policy(), &text, b"a leaf that is nowhere"));
        }
    }
}
