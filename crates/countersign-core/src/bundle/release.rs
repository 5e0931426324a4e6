//! A copy of one release alone: which entries it takes, and what they can show without the others.

use std::collections::{BTreeMap, BTreeSet};

use super::{CHECKPOINT, Files, about, availability, leaf_name, opened, proof_name, proves};
use crate::act::{Act, AuthorizationChange, FreezeChange, ProposeChange, Verdict};
use crate::admit::{ParsedLeaf, Statement};
use crate::hash::Digest;
use crate::merkle::Head;
use crate::permission::{self, Deed};
use crate::proof::Proof;
use crate::state::{Removal, State};
use crate::verify::{Anchor, BlobKind, Examined, Flaw, Fold, VerifyFinding};
use crate::words::{EntryRef, ReleaseId, Slug};

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    Ledger,
    Product(Slug),
    Release(ReleaseId),
}

/// Returns what an act is about; `known` tells it of the entries before. None where it is about an entry that is not
/// known.
fn about_of(act: &Act, known: &BTreeMap<u64, About>) -> Option<About> {
    let same = |entry: &EntryRef| known.get(&entry.index).cloned();
    let release = |id: &ReleaseId| Some(About::Release(id.clone()));
    let product = |id: &Slug| Some(About::Product(id.clone()));
    match act {
        Act::Genesis(_)
        | Act::Enrol(_)
        | Act::EnrolAccept(_)
        | Act::Device(_)
        | Act::Key(_)
        | Act::Role(_)
        | Act::Attempt(_)
        | Act::Late(_)
        | Act::Lease(_)
        | Act::Review(_) => Some(About::Ledger),
        Act::Product(body) => product(&body.product),
        Act::Target(body) => product(&body.product),
        Act::Policy(body) => product(&body.product),
        Act::Authorization(body) => match &body.change {
            AuthorizationChange::Grant { product: of, .. } => product(of),
            AuthorizationChange::Suspend { authorization } | AuthorizationChange::Resume { authorization } => {
                same(authorization)
            }
        },
        Act::Freeze(body) => match &body.change {
            FreezeChange::Declare { product: of, .. } => Some(of.clone().map_or(About::Ledger, About::Product)),
            FreezeChange::Lift { freeze } => same(freeze),
        },
        Act::Propose(body) => release(&body.release),
        Act::Evidence(body) => release(&body.release),
        Act::Waiver(body) => release(&body.release),
        Act::Stage(body) => release(&body.release),
        Act::Request(body) => release(&body.release),
        Act::Hold(body) => release(&body.release),
        Act::Dispatch(body) => release(&body.release),
        Act::Run(body) => release(&body.release),
        Act::Wave(body) => release(&body.release),
        Act::Meeting(body) => release(&body.release),
        Act::Outcome(body) => release(&body.release),
        Act::Announce(body) => release(&body.release),
        Act::Approval(body) => same(&body.request),
        Act::Condition(body) => same(&body.approval),
        Act::Correction(body) => same(&body.entry),
        Act::Refusal(body) => Some(body.release.clone().map_or(About::Ledger, About::Release)),
        Act::Export(body) => Some(body.release.clone().map_or(About::Ledger, About::Release)),
    }
}

/// Returns the indices of the admitted entries about the release, its product and the ledger itself; none where there is
/// no such release.
pub(super) fn select(state: &State, said: &[Option<Statement>], id: &ReleaseId) -> Option<Vec<usize>> {
    let product = &state.releases.get(id)?.candidate.product;
    let mut known = BTreeMap::new();
    let mut chosen = Vec::new();
    for (index, statement) in said.iter().enumerate() {
        let Some(about) = statement.as_ref().and_then(|statement| about_of(&statement.act, &known)) else { continue };
        let wanted = match &about {
            About::Ledger => true,
            About::Product(of) => of == product,
            About::Release(of) => of == id,
        };
        if wanted {
            chosen.push(index);
        }
        known.insert(index as u64, about);
    }
    Some(chosen)
}

/// Judges the entries about one release by what is here.
pub(super) fn examine(
    files: &Files<'_>,
    leaves: &BTreeMap<u64, &[u8]>,
    proofs: &BTreeMap<u64, &[u8]>,
    blobs: &BTreeMap<Digest, &[u8]>,
    anchor: &Anchor,
) -> Examined {
    let mut fold = Fold::default();
    let mut findings = Vec::new();
    let mut known = BTreeMap::new();
    let mut releases = BTreeSet::new();
    let mut products = BTreeSet::new();
    let mut asked = BTreeMap::new();
    for (index, leaf) in leaves {
        let statement = match fold.take_alone(*index, ParsedLeaf::new(leaf.to_vec())) {
            Ok((entry, statement)) => {
                sign_away(&mut fold, &mut asked, entry, &statement);
                statement
            }
            Err(finding) => {
                findings.push(VerifyFinding::from(finding));
                continue;
            }
        };
        match about_of(&statement.act, &known) {
            Some(about) => {
                match &about {
                    About::Release(id) => drop(releases.insert(id.clone())),
                    About::Product(id) => drop(products.insert(id.clone())),
                    About::Ledger => {}
                }
                known.insert(*index, about);
            }
            None => findings.push(about_leaf(*index, "is about an entry that is not here")),
        }
        if let Act::Propose(body) = &statement.act
            && let ProposeChange::Candidate { candidate, .. } = &body.change
        {
            products.insert(candidate.product.clone());
        }
    }
    if releases.len() != 1 || products.len() > 1 {
        let message =
            format!("entries of {} releases and {} products are here, not of one", releases.len(), products.len());
        findings.push(VerifyFinding::new(None, Flaw::Layout, message));
    }
    findings.extend(fold.check_anchor(&Anchor { pin: None, ..*anchor }));
    let head = match opened(files, &fold.state) {
        Ok(opened) => opened.checkpoint.head(),
        Err(finding) => {
            findings.push(finding);
            Head::EMPTY
        }
    };
    if let Some(pin) = anchor.pin.filter(|pin| pin.size == head.size && pin.root != head.root) {
        let message = format!("the {} entries are not those seen earlier", pin.size);
        findings.push(VerifyFinding::new(None, Flaw::HistoryRewritten, message));
    }
    findings.extend(check_proofs(files, leaves, proofs, &head));
    findings.extend(fold.check_blobs(&|digest| availability(blobs, digest)));
    let name = releases.iter().next().map_or("one release".to_owned(), |id| format!("release {id}"));
    findings.push(VerifyFinding::new(
        None,
        Flaw::OneReleaseOnly,
        format!(
            "these {} of {} entries are in the ledger; a copy of {name} alone shows that they are, never that there is \
             no NO-GO, and not who held which role",
            leaves.len(),
            head.size
        ),
    ));
    Examined { fold, head, findings }
}

/// Remembers the files that one person asks to be removed, and those whose removal a second person has confirmed.
fn sign_away(fold: &mut Fold, asked: &mut BTreeMap<EntryRef, Digest>, entry: EntryRef, statement: &Statement) {
    let (who, at) = (&statement.common.signer.principal, statement.common.time);
    let Some(person) = fold.state.people.get(who) else { return };
    match &statement.act {
        Act::Correction(body) => {
            let Some(digest) = body.removes else { return };
            // What a decision is derived from is never signed away, as in the ledger.
            let names = fold.blobs.iter().any(|blob| blob.digest == digest && blob.kind != BlobKind::ChangeList);
            if names && permission::ensure(person, Deed::Remove, None, at).is_ok() {
                let reason = statement.common.reason.as_ref().map(ToString::to_string).unwrap_or_default();
                let removal = Removal { entry, by: who.clone(), reason, confirmed: None };
                fold.state.removals.entry(digest).or_insert(removal);
                asked.insert(entry, digest);
            }
        }
        Act::Approval(body) => {
            let confirms = body.verdict == Verdict::Go && person.holds(body.role.as_str(), None, at);
            let removal = asked.get(&body.request).and_then(|digest| fold.state.removals.get_mut(digest));
            if let Some(removal) = removal.filter(|removal| confirms && removal.by != *who) {
                removal.confirmed.get_or_insert(entry);
            }
        }
        _ => {}
    }
}

fn about_leaf(index: u64, what: &str) -> VerifyFinding {
    about(&leaf_name(index), Flaw::Layout, what)
}

/// Every entry has its proof under the checkpoint of the bundle, and every proof its entry.
fn check_proofs(
    files: &Files<'_>,
    leaves: &BTreeMap<u64, &[u8]>,
    proofs: &BTreeMap<u64, &[u8]>,
    head: &Head,
) -> Vec<VerifyFinding> {
    let checkpoint = files.text(CHECKPOINT);
    let check = |index: &u64| -> Result<(), String> {
        let Some(leaf) = leaves.get(index) else { return Err("has no entry".to_owned()) };
        let Some(proof) = proofs.get(index) else { return Err("is missing".to_owned()) };
        let text = str::from_utf8(proof).unwrap_or_default();
        let proof: Proof = text.parse().map_err(|error| format!("is refused: {error}"))?;
        if proof.checkpoint.encode() != checkpoint {
            return Err("is under another checkpoint than the bundle's".to_owned());
        }
        proves(&proof, *index, leaf, head)
    };
    let all: BTreeSet<_> = leaves.keys().chain(proofs.keys()).collect();
    let failed = all.into_iter().filter_map(|index| Some((index, check(index).err()?)));
    failed.map(|(index, what)| about(&proof_name(*index), Flaw::Proof, &what)).collect()
}
