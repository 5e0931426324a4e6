//! A sign-off that travels: a request leaves as one file, is answered on another desk, and the answer comes back.
//!
//! The request is a bundle of one release ([`crate::bundle`]) as any verifier reads it: the entries, a proof for each,
//! the head they are under, all digests signed by the desk that asks. [`open`] judges it and folds what it holds with
//! the rules of admission, so that the desk it comes to shows the very sheet and refuses what the ledger would refuse.
//!
//! The answer is the entry itself, signed where the private key lies. It names the head of the request as `seen`, says
//! `seen_basis: proofs`, and is judged like any other entry at the place it is given when it comes in.
//!
//! Absent: what other releases do (their entries are not in the copy: what only they could tell is taken from the signed
//! sheet), files, clocks and keys.

use std::collections::BTreeMap;

use crate::act::{Act, ProposeChange, SeenBasis};
use crate::admit::{ParsedLeaf, Statement};
use crate::bundle::{self, Files};
use crate::decide::{self, Context};
use crate::entry::{Entry, LEAF_BYTES_MAX};
use crate::hash::Digest;
use crate::merkle::Head;
use crate::rejection::{Code, Finding, Rejection, ensure};
use crate::state::{Release, Sheet, State};
use crate::verify::{Anchor, FindingCode, Flaw, VerifyFinding};
use crate::words::{Principal, ReleaseId};

/// How many entries an answer holds at most: the acceptance of the accountability text, and the answer.
const ANSWER_ENTRIES_MAX: usize = 2;

/// The most bytes a file with an answer has.
pub const ANSWER_BYTES_MAX: usize = ANSWER_ENTRIES_MAX * LEAF_BYTES_MAX;

const ARMOR_END: &str = "-----END SSH SIGNATURE-----\n";

/// A request that was opened and holds.
#[derive(Debug, Clone)]
pub struct Carried {
    /// What the entries in it say.
    pub state: State,
    /// The release it asks about.
    pub release: ReleaseId,
    /// The head it was made at.
    pub head: Head,
    /// The desk that asks.
    pub desk: Principal,
    /// SHA-256 of entry 0.
    pub fingerprint: Digest,
    /// The files that entries name and that are not in it.
    pub absent: Vec<Digest>,
    /// Entries that could not be judged by what is in it, and have no effect here.
    pub unjudged: Vec<Finding>,
}

/// Returns the fingerprint of the ledger a request says it is of; nothing of it is believed yet.
pub fn claimed_fingerprint(bytes: &[u8]) -> Option<Digest> {
    let files = Files::read(bytes).ok()?;
    bundle::leaves(&files).get(&0).map(|leaf| Digest::of(leaf))
}

/// Opens a request by the fingerprint of the ledger it must be of.
///
/// # Errors
/// Everything that is wrong with it; what it says is then to be believed in no part.
pub fn open(bytes: &[u8], fingerprint: Digest) -> Result<Carried, Vec<VerifyFinding>> {
    let judged = bundle::judge(bytes, &Anchor { fingerprint: Some(fingerprint), pin: None });
    let (absent, wrong): (Vec<_>, Vec<_>) = judged
        .findings
        .into_iter()
        .filter(|finding| finding.code != FindingCode::Flaw(Flaw::OneReleaseOnly))
        .partition(|finding| matches!(finding.code, FindingCode::Flaw(Flaw::BlobMissing | Flaw::BlobRemoved)));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let layout = |message: &str| vec![VerifyFinding::new(None, Flaw::Layout, message)];
    let files = Files::read(bytes)?;
    let leaves = bundle::leaves(&files);
    let (state, unjudged) = fold(&leaves);
    let desk = bundle::sealed_by(&files, &state).ok_or_else(|| layout("no desk of the ledger has sealed it"))?;
    let mut releases = state.releases.keys().cloned();
    let (Some(release), None) = (releases.next(), releases.next()) else {
        return Err(layout("it is not a request about one release"));
    };
    if state.releases[&release].sheet().is_none() {
        let cause = unjudged.iter().map(|finding| format!("; {finding}")).next_back().unwrap_or_default();
        return Err(layout(&format!("it holds no decision sheet of {release} that can be shown{cause}")));
    }
    let blobs = &judged.blobs;
    let absent = absent
        .iter()
        .filter_map(|finding| blobs.iter().find(|blob| Some(blob.index) == finding.index).map(|blob| blob.digest))
        .collect();
    let head = Head { size: judged.tree_size, root: judged.root };
    Ok(Carried { state, release, head, desk, fingerprint, absent, unjudged })
}

/// Folds the entries of one release in their order, each judged by what came before it in the copy.
fn fold(leaves: &BTreeMap<u64, &[u8]>) -> (State, Vec<Finding>) {
    let (mut state, mut unjudged) = (State::default(), Vec::new());
    for (index, leaf) in leaves {
        if let Err(finding) = state.take_shown(*index, ParsedLeaf::new(leaf.to_vec()), &taken_from_elsewhere) {
            unjudged.push(finding);
        }
    }
    (state, unjudged)
}

/// What only entries that are not in the copy could tell, taken from the signed sheet; and what is about them left out.
fn taken_from_elsewhere(state: &mut State, statement: &mut Statement) {
    match &mut statement.act {
        Act::Request(body) => {
            let place = (body.product.clone(), body.environment.clone());
            match &body.live {
                Some(live) => drop(state.live.insert(place, live.clone())),
                None => drop(state.live.remove(&place)),
            }
        }
        Act::Propose(body) => match &mut body.change {
            ProposeChange::Candidate { supersedes, .. }
                if supersedes.as_ref().is_some_and(|old| !state.releases.contains_key(old)) =>
            {
                *supersedes = None;
            }
            ProposeChange::Supersede { by } if !state.releases.contains_key(by) => {
                body.change = ProposeChange::Withdraw {};
            }
            _ => {}
        },
        _ => {}
    }
}

impl Carried {
    /// Returns the release.
    pub fn about(&self) -> &Release {
        &self.state.releases[&self.release]
    }

    /// Returns the sheet that is to be answered.
    pub fn sheet(&self) -> &Sheet {
        self.about().sheet().expect("only a request with a sheet is opened")
    }

    /// Returns the statement that answers, ready to be signed here; every rule is asked that the copy can answer.
    ///
    /// The desk in `context` is replaced by the one that asked: it brings the answer in.
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub fn compose(&self, act: Act, context: &Context) -> Result<Statement, Rejection> {
        let context = Context { device: self.desk.clone(), seen_basis: Some(SeenBasis::Proofs), ..context.clone() };
        decide::carried(&self.state, self.head, act, &context)
    }

    /// Takes what was signed here into what is shown, so that the next answer rests on it.
    ///
    /// # Errors
    /// The copy does not admit it.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Finding> {
        let leaf = ParsedLeaf::new(entry.leaf().to_vec());
        self.state.take_shown(self.head.size, leaf, &taken_from_elsewhere).map(|_| ())
    }
}

/// Returns the bytes of a file with an answer.
pub fn write_answer(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(|entry| entry.leaf().iter().copied()).collect()
}

/// Reads a file with an answer: one entry after the other, as they will stand in the ledger.
///
/// # Errors
/// It holds something else, or one of them was altered.
pub fn read_answer(bytes: &[u8]) -> Result<Vec<Entry>, Rejection> {
    let malformed = |message: String| {
        Rejection::new(Code::Malformed, message).hint("have it sent again as the file `countersign carry sign` wrote")
    };
    ensure(bytes.len() <= ANSWER_BYTES_MAX, Code::Malformed, || "an answer is not that long".into())?;
    let text = str::from_utf8(bytes).map_err(|_| malformed("this is not an answer: it is not text".into()))?;
    let mut entries = Vec::new();
    for leaf in text.split_inclusive(ARMOR_END) {
        let entry = Entry::parse(leaf.as_bytes().to_vec())
            .map_err(|error| malformed(format!("this is not an answer as it was signed: {error}")))?;
        entries.push(entry);
    }
    ensure((1..=ANSWER_ENTRIES_MAX).contains(&entries.len()), Code::Malformed, || {
        format!("an answer holds one entry or two, not {}", entries.len())
    })?;
    for entry in &entries {
        let statement = Statement::read(entry)?;
        ensure(statement.common.seen_basis == Some(SeenBasis::Proofs), Code::WrongState, || {
            format!("its {} was not made as a carried answer", entry.act())
        })?;
    }
    Ok(entries)
}
