//! Whether a ledger is what it says it is: every entry read again from its bytes, and what it should agree with.
//!
//! [`verify`] never trusts a stored hash: it hashes the leaves, admits each in order by the rules appending asks, and
//! compares what comes out with what the verifier brings along. It goes on after a finding, so that all of them are
//! told; whatever an altered entry breaks behind it is told after it.
//!
//! An *anchor* is what the verifier knew before: the fingerprint of entry 0, or a head seen earlier (a pin). Without one
//! a ledger can only be shown to agree with itself, which a ledger made up yesterday does, too: the verdict is then
//! [`Verdict::Incomplete`] and its first finding says `unanchored`. A desk's own pin anchors its ledger; an auditor
//! brings the fingerprint. Neither shows what came after: entries cut off behind the last head anybody remembers leave
//! no trace in those before.
//!
//! Absent: reading files and databases, threads (parse leaves on as many as there are with [`ParsedLeaf::new`] and
//! hand them to [`verify_parsed`] in order), and time: nothing here depends on when it is asked.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::act::{Act, EvidenceOrigin, ProposeChange, closed_words};
use crate::admit::{ParsedLeaf, Statement};
use crate::checkpoint::{Checkpoint, Opened};
use crate::hash::Digest;
use crate::merkle::Head;
use crate::rejection::{Code, Finding};
use crate::signers::{self, Signers};
use crate::sshsig::PublicKey;
use crate::state::State;
use crate::words::EntryRef;

closed_words!(
    /// What is known of a ledger once it was verified.
    Verdict {
        /// Everything is there and sound, and it is the ledger that was meant.
        Valid = "valid",
        /// All that is there is sound; something that is needed is not there.
        Incomplete = "incomplete",
        /// Something there is not sound.
        Invalid = "invalid",
    }
);

closed_words!(
    /// What is wrong beyond the rules for entries.
    Flaw {
        /// The verifier brought nothing to tell this ledger from any other.
        Unanchored = "unanchored",
        /// There are no entries.
        Empty = "empty",
        /// Entry 0 is not the one the verifier knows.
        Fingerprint = "fingerprint",
        /// The entries before a head seen earlier are other ones.
        HistoryRewritten = "history_rewritten",
        /// There are fewer entries than were seen earlier.
        EntriesCutOff = "entries_cut_off",
        /// The signed head is not the head of these entries, or no key of this ledger signed it.
        Checkpoint = "checkpoint",
        /// A file that an entry names is not there.
        BlobMissing = "blob_missing",
        /// A file that an entry names was removed, as retention allows.
        BlobRemoved = "blob_removed",
        /// A file that an entry names has another content.
        BlobCorrupt = "blob_corrupt",
        /// The bundle is not a container as this program writes it.
        Container = "container",
        /// The bundle holds a file that does not belong there, or lacks one that does.
        Layout = "layout",
        /// The list of digests does not list what the bundle holds.
        Sums = "sums",
        /// The list of digests is not signed by a device of the ledger.
        SumsSignature = "sums_signature",
        /// A file that follows from the entries does not say what they say.
        NotDerived = "not_derived",
        /// An entry between others is missing.
        EntryMissing = "entry_missing",
        /// A proof does not show that its entry is in the ledger.
        Proof = "proof",
        /// The bundle holds the entries about one release alone.
        OneReleaseOnly = "one_release_only",
    }
);

/// Which rule, or which check beyond the rules, a finding is about; its text and serde form is one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingCode {
    /// A rule for entries.
    Rule(Code),
    /// A check beyond them.
    Flaw(Flaw),
}

impl FindingCode {
    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule(code) => code.as_str(),
            Self::Flaw(flaw) => flaw.as_str(),
        }
    }

    /// Returns the best verdict that is left beside such a finding.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Flaw(Flaw::Unanchored | Flaw::BlobMissing | Flaw::BlobRemoved | Flaw::OneReleaseOnly) => {
                Verdict::Incomplete
            }
            Self::Flaw(_) | Self::Rule(_) => Verdict::Invalid,
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for FindingCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyFinding {
    /// The entry it is about; none where it is about the whole.
    pub index: Option<u64>,
    /// Which check found it.
    pub code: FindingCode,
    /// What was found.
    pub message: String,
}

impl VerifyFinding {
    pub(crate) fn new(index: Option<u64>, flaw: Flaw, message: impl Into<String>) -> Self {
        Self { index, code: FindingCode::Flaw(flaw), message: message.into() }
    }
}

impl fmt::Display for VerifyFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "entry {index}: {} ({})", self.message, self.code),
            None => write!(f, "{} ({})", self.message, self.code),
        }
    }
}

impl From<Finding> for VerifyFinding {
    fn from(finding: Finding) -> Self {
        Self { index: Some(finding.index), code: FindingCode::Rule(finding.code), message: finding.message }
    }
}

/// What the verifier knew before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Anchor {
    /// SHA-256 of the bytes of entry 0, from where the ledger's people tell it, never from the ledger itself.
    pub fingerprint: Option<Digest>,
    /// A head seen earlier.
    pub pin: Option<Head>,
}

/// Whether a file that an entry names can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// It is there and has the digest.
    Present,
    /// It is not there.
    Missing,
    /// Something else is there in its place.
    Corrupt,
    /// It was removed, as retention allows, and that is known.
    Removed,
}

/// What the entries are compared with.
pub struct Options<'a> {
    /// What the verifier knew before.
    pub anchor: Anchor,
    /// The signed head that came with the entries.
    pub checkpoint: Option<&'a str>,
    /// Looks up a file that an entry names.
    pub blobs: &'a dyn Fn(&Digest) -> Availability,
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("anchor", &self.anchor).field("checkpoint", &self.checkpoint).finish()
    }
}

closed_words!(
    /// What a file is that an entry names by its digest.
    BlobKind {
        /// A piece of evidence.
        Evidence = "evidence",
        /// The list of changes of a candidate.
        ChangeList = "change list",
        /// The list of evidence of a decision sheet; it follows from the entries.
        Manifest = "evidence manifest",
        /// The log of a run.
        RunLog = "run log",
        /// The text of an announcement.
        Announcement = "announcement",
        /// The scan of a paper record.
        Paper = "paper record",
        /// A CI system's reply as it came.
        RawReply = "raw reply",
    }
);

impl BlobKind {
    /// Returns whether a ledger is incomplete without it: the manifest can be derived again, and a raw reply says no
    /// more than the evidence that was read from it.
    pub fn needed(self) -> bool {
        !matches!(self, Self::Manifest | Self::RawReply)
    }
}

/// A file that an entry names by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedBlob {
    /// The entry.
    pub index: u64,
    /// What the file is.
    pub kind: BlobKind,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// Returns the files an act names.
pub fn named_blobs(act: &Act) -> Vec<(BlobKind, Digest)> {
    match act {
        Act::Propose(body) => match &body.change {
            ProposeChange::Candidate { candidate, .. } | ProposeChange::Amend { candidate } => {
                vec![(BlobKind::ChangeList, candidate.changes.digest)]
            }
            ProposeChange::Supersede { .. } | ProposeChange::Withdraw {} => Vec::new(),
        },
        Act::Evidence(body) => {
            let mut blobs = vec![(BlobKind::Evidence, body.digest)];
            if let EvidenceOrigin::Observed { raw_sha256, .. } = &body.origin {
                blobs.push((BlobKind::RawReply, *raw_sha256));
            }
            blobs
        }
        Act::Request(body) => vec![(BlobKind::Manifest, body.evidence.digest)],
        Act::Run(body) => body.log.iter().map(|log| (BlobKind::RunLog, *log)).collect(),
        Act::Announce(body) => vec![(BlobKind::Announcement, body.digest)],
        Act::Late(body) => vec![(BlobKind::Paper, body.paper)],
        _ => Vec::new(),
    }
}

/// What came out.
///
/// Serde writes verdict, tree size, root in base64 and findings, in this order.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// The verdict: the worst that any finding leaves.
    pub verdict: Verdict,
    /// How many entries there are.
    pub tree_size: u64,
    /// The root of their tree.
    #[serde(with = "crate::hash::as_base64")]
    pub root: Digest,
    /// All findings: `unanchored` first, then by entry, then those about the whole.
    pub findings: Vec<VerifyFinding>,
    /// What the sound entries say. Of a bundle with one release alone only people and devices are known.
    #[serde(skip)]
    pub state: State,
    /// Whose keys signed, and when they could.
    #[serde(skip)]
    pub signers: Signers,
    /// The files the sound entries name, each digest once.
    #[serde(skip)]
    pub blobs: Vec<NamedBlob>,
}

impl Verification {
    /// Returns the first entry that is not sound.
    pub fn first_bad(&self) -> Option<u64> {
        let bad = self.findings.iter().filter(|finding| finding.code.verdict() == Verdict::Invalid);
        bad.filter_map(|finding| finding.index).min()
    }
}

/// A ledger or copy that was looked at, before the verdict.
#[derive(Debug)]
pub(crate) struct Examined {
    pub(crate) fold: Fold,
    pub(crate) head: Head,
    pub(crate) findings: Vec<VerifyFinding>,
}

impl Examined {
    /// Orders the findings and draws the verdict from them.
    pub(crate) fn conclude(self) -> Verification {
        let Self { fold: Fold { state, signers, blobs, .. }, head, mut findings } = self;
        findings.sort_by_key(|finding| {
            let unanchored = finding.code == FindingCode::Flaw(Flaw::Unanchored);
            (!unanchored, finding.index.is_none(), finding.index)
        });
        let verdict = findings.iter().map(|finding| finding.code.verdict()).max().unwrap_or(Verdict::Valid);
        Verification { verdict, tree_size: head.size, root: head.root, findings, state, signers, blobs }
    }
}

/// What is gathered from leaves on the way.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    pub(crate) state: State,
    pub(crate) signers: Signers,
    pub(crate) blobs: Vec<NamedBlob>,
    /// SHA-256 of entry 0, if it is one.
    pub(crate) fingerprint: Option<Digest>,
    /// Where each digest stands among the files.
    places: BTreeMap<Digest, usize>,
}

impl Fold {
    /// Takes the next leaf of a whole ledger.
    pub(crate) fn take(&mut self, leaf: ParsedLeaf) -> Result<(EntryRef, Statement), Finding> {
        let key = self.before(self.state.tree.size(), &leaf);
        let taken = self.state.take_parsed(leaf)?;
        self.after(&taken, key);
        Ok(taken)
    }

    /// Takes a leaf of a copy that does not hold every entry.
    pub(crate) fn take_alone(&mut self, index: u64, leaf: ParsedLeaf) -> Result<(EntryRef, Statement), Finding> {
        let key = self.before(index, &leaf);
        let taken = self.state.take_alone(index, leaf)?;
        self.after(&taken, key);
        Ok(taken)
    }

    fn before(&mut self, index: u64, leaf: &ParsedLeaf) -> Option<PublicKey> {
        let entry = leaf.entry.as_ref().ok()?;
        if index == 0 {
            self.fingerprint = Some(Digest::of(entry.leaf()));
        }
        Some(entry.signer_key())
    }

    fn after(&mut self, (entry, statement): &(EntryRef, Statement), key: Option<PublicKey>) {
        if let Some(key) = key {
            self.signers.take(statement, key);
        }
        for (kind, digest) in named_blobs(&statement.act) {
            let named = NamedBlob { index: entry.index, kind, digest };
            match self.places.get(&digest) {
                None => {
                    self.places.insert(digest, self.blobs.len());
                    self.blobs.push(named);
                }
                // A file that was named as one that need not be kept is needed as soon as it is named as another.
                Some(place) if kind.needed() && !self.blobs[*place].kind.needed() => self.blobs[*place] = named,
                Some(_) => {}
            }
        }
    }

    /// Compares what was taken with what the verifier knew.
    pub(crate) fn check_anchor(&self, anchor: &Anchor) -> Vec<VerifyFinding> {
        let mut findings = Vec::new();
        let pin = anchor.pin.filter(|pin| pin.size > 0);
        match anchor.fingerprint {
            None if pin.is_none() => findings.push(VerifyFinding::new(
                None,
                Flaw::Unanchored,
                "nothing tells this ledger from one made up: give the fingerprint its people told you",
            )),
            Some(expected) if self.fingerprint != Some(expected) => findings.push(VerifyFinding::new(
                Some(0),
                Flaw::Fingerprint,
                match self.fingerprint {
                    Some(found) => format!("this is another ledger: its fingerprint is {found}, not {expected}"),
                    None => format!("there is no first entry with the fingerprint {expected}"),
                },
            )),
            _ => {}
        }
        findings
    }

    /// Looks up the files that are needed.
    pub(crate) fn check_blobs(&self, look_up: &dyn Fn(&Digest) -> Availability) -> Vec<VerifyFinding> {
        let look = |blob: &NamedBlob| {
            let NamedBlob { index, kind, digest } = *blob;
            // What two people have signed away is absent for a reason that the entries tell.
            let signed_away = self.state.removals.get(&digest).is_some_and(|removal| removal.confirmed.is_some());
            let found = match look_up(&digest) {
                Availability::Missing if signed_away => Availability::Removed,
                found => found,
            };
            let (flaw, what) = match found {
                Availability::Present => return None,
                Availability::Corrupt => (Flaw::BlobCorrupt, "has another content"),
                Availability::Missing if kind.needed() => (Flaw::BlobMissing, "is not there"),
                Availability::Removed if kind.needed() => (Flaw::BlobRemoved, "was removed"),
                Availability::Missing | Availability::Removed => return None,
            };
            Some(VerifyFinding::new(Some(index), flaw, format!("the {kind} {digest} {what}")))
        };
        self.blobs.iter().filter_map(look).collect()
    }
}

/// Opens a checkpoint of the ledger by the log keys of its devices in use.
pub(crate) fn open_checkpoint(state: &State, note: &str) -> Result<Opened, VerifyFinding> {
    let refused = |message: String| VerifyFinding::new(None, Flaw::Checkpoint, message);
    let keys = signers::log_verifiers(state).map_err(|error| refused(error.to_string()))?;
    let opened = Checkpoint::open(note, &keys).map_err(|error| refused(error.to_string()))?;
    let origin = opened.checkpoint.origin.as_str();
    // No key of another name is known here, so this can only fail where that changes.
    if state.origin.as_ref().is_none_or(|own| own.as_str() != origin) {
        return Err(refused(format!("the checkpoint is of the ledger {origin}")));
    }
    Ok(opened)
}

/// Verifies the leaves of a whole ledger, in order.
pub fn verify(leaves: impl IntoIterator<Item = Vec<u8>>, options: &Options<'_>) -> Verification {
    verify_parsed(leaves.into_iter().map(ParsedLeaf::new), options)
}

/// Verifies the leaves of a whole ledger, in order, as [`verify`] does once they are parsed.
pub fn verify_parsed(leaves: impl IntoIterator<Item = ParsedLeaf>, options: &Options<'_>) -> Verification {
    examine(leaves, options).conclude()
}

pub(crate) fn examine(leaves: impl IntoIterator<Item = ParsedLeaf>, options: &Options<'_>) -> Examined {
    let mut fold = Fold::default();
    for leaf in leaves {
        // The state keeps the finding.
        let _ = fold.take(leaf);
    }
    let head = fold.state.head();
    let mut findings = fold.check_anchor(&options.anchor);
    findings.extend(fold.state.findings.iter().cloned().map(VerifyFinding::from));
    if head.size == 0 {
        findings.push(VerifyFinding::new(None, Flaw::Empty, "there are no entries"));
    }
    if let Some(pin) = options.anchor.pin {
        findings.extend(check_pin(&fold.state, pin));
    }
    if let Some(note) = options.checkpoint {
        match open_checkpoint(&fold.state, note) {
            Err(finding) => findings.push(finding),
            Ok(opened) if opened.checkpoint.head() != head => {
                let signed = opened.checkpoint.size;
                let message = if signed == head.size {
                    format!("the checkpoint signs another root over {signed} entries")
                } else {
                    format!("the checkpoint signs {signed} entries, {} are here", head.size)
                };
                findings.push(VerifyFinding::new(None, Flaw::Checkpoint, message));
            }
            Ok(_) => {}
        }
    }
    findings.extend(fold.check_blobs(options.blobs));
    Examined { fold, head, findings }
}

fn check_pin(state: &State, pin: Head) -> Option<VerifyFinding> {
    let size = state.tree.size();
    match state.tree.root_at(pin.size) {
        Some(root) if root == pin.root => None,
        Some(_) => Some(VerifyFinding::new(
            None,
            Flaw::HistoryRewritten,
            format!("the first {} entries are not those seen earlier", pin.size),
        )),
        None => Some(VerifyFinding::new(
            Some(size),
            Flaw::EntriesCutOff,
            format!("the entries from here on are gone: {} were seen earlier, {size} are here", pin.size),
        )),
    }
}
