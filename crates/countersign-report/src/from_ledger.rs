//! The report of a ledger: a [`Report`] from a [`State`] and the leaves it was folded from.
//!
//! Every leaf is read again and becomes one row of the trail, whether it counts or not; the counts per act sum to the
//! tree size. What a sign-off, a gate or a release is worth is asked of [`countersign_core::judge`], never decided here.
//!
//! Deliberately absent: files, network, a clock. The time of the report comes in as an argument, and so do the bytes of
//! evidence and change lists.

mod decision;
mod history;
mod people;
mod release;
mod sentence;
mod standing;

use crate::model::{
    ActCount, Admission, Adverse, Availability, Finding, Ledger, Made, Moment, Parameter, Party, Report, Scope, Stamp,
    TrailEntry, Verification,
};
use countersign_core::hash::Digest;
use countersign_core::state::State;
use countersign_core::words::{Principal, ReleaseId, Timestamp, Zone};
use history::{History, Leaf};
use std::collections::BTreeMap;

/// The name under which leaves that are no entry are counted and listed.
pub const UNREADABLE: &str = "unreadable";

/// Everything a report is made from.
pub struct Input<'a> {
    /// The state folded from all leaves.
    pub state: &'a State,
    /// Every leaf of the ledger, in order.
    pub leaves: &'a [Vec<u8>],
    /// SHA-256 of entry 0, as it is handed over out of band.
    pub fingerprint: Digest,
    /// What verification said; entries that were not admitted are added where it does not name them.
    pub verification: Verification,
    /// The release to report on; `None` is the whole ledger.
    pub release: Option<&'a ReleaseId>,
    /// The bytes of evidence, change lists and logs by their SHA-256; `None` where they are not there.
    pub blobs: &'a dyn Fn(&Digest) -> Option<Vec<u8>>,
    /// The time of the report; what is not decided yet is judged at this moment.
    pub generated: Timestamp,
    /// The zone of whoever asked for it.
    pub zone: Zone,
    /// Who asked for it, where somebody did.
    pub by: Option<Party>,
    /// The version of the application.
    pub app_version: &'a str,
    /// The digest of its build, where it is known.
    pub app_build: Option<&'a str>,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { leaves, release, generated, .. } = self;
        f.debug_struct("Input")
            .field("leaves", &leaves.len())
            .field("release", release)
            .field("generated", generated)
            .finish_non_exhaustive()
    }
}

/// What the parts of the mapping share.
struct Source<'a> {
    state: &'a State,
    history: &'a History,
    blobs: &'a dyn Fn(&Digest) -> Option<Vec<u8>>,
    now: Timestamp,
    zone: Zone,
}

/// Fills the report of a ledger, or of one release of it.
pub fn report(input: &Input<'_>) -> Report {
    let history = History::read(input.leaves);
    let source =
        Source { state: input.state, history: &history, blobs: input.blobs, now: input.generated, zone: input.zone };
    let in_scope = |release: &ReleaseId| input.release.is_none_or(|only| only == release);
    let mut releases: Vec<_> = input.state.releases.values().filter(|it| in_scope(&it.id)).collect();
    releases.sort_by_key(|it| source.first_entry(&it.id));
    Report {
        ledger: ledger(input, &source),
        verification: verification(&input.verification, &history),
        scope: match input.release {
            None => Scope::WholeLedger,
            Some(id) => Scope::Release { id: id.to_string() },
        },
        made: made(input),
        acts: acts(&history),
        releases: releases.into_iter().map(|it| release::release(&source, it)).collect(),
        live: standing::live(&source),
        adverse: standing::adverse(&source, None),
        people: people::people(&source),
        devices: people::devices(&source),
        policies: standing::policies(&source),
        authorizations: standing::authorizations(&source),
        corrections: standing::corrections(&source),
        checklist: standing::checklist(&source),
        trail: history
            .leaves
            .iter()
            .filter(|leaf| input.release.is_none_or(|only| leaf.release.as_ref() == Some(only)))
            .map(|leaf| trail_entry(&source, leaf))
            .collect(),
    }
}

fn ledger(input: &Input<'_>, source: &Source<'_>) -> Ledger {
    let head = input.state.head();
    Ledger {
        origin: input.state.origin.as_ref().map(ToString::to_string).unwrap_or_default(),
        organization: String::new(),
        title: input.state.genesis.as_ref().map(|it| it.title.to_string()).unwrap_or_default(),
        sample: input.state.sample(),
        tree_size: head.size,
        root: head.root.to_base64(),
        fingerprint: input.fingerprint.to_string(),
        founded: source.stamp(0),
    }
}

/// Adds to what verification said each entry without effect that it does not name.
fn verification(said: &Verification, history: &History) -> Verification {
    let mut all = said.clone();
    for finding in history.leaves.iter().filter_map(|leaf| leaf.finding.as_ref()) {
        let code = finding.code.to_string();
        if !all.findings.iter().any(|it| it.index == Some(finding.index) && it.code == code) {
            all.findings.push(Finding { index: Some(finding.index), code, message: finding.message.clone() });
        }
    }
    all.findings.sort_by_key(|it| it.index);
    all
}

fn made(input: &Input<'_>) -> Made {
    let parameter = |name: &str, value: String| Parameter { name: name.to_owned(), value };
    Made {
        at: moment(input.generated, input.zone),
        by: input.by.clone(),
        app_version: input.app_version.to_owned(),
        app_build: input.app_build.map(str::to_owned),
        parameters: vec![
            parameter("scope", input.release.map_or_else(|| "whole ledger".to_owned(), |id| format!("release {id}"))),
            parameter("tree size", input.state.head().size.to_string()),
            parameter("judged at", input.generated.to_string()),
        ],
    }
}

fn acts(history: &History) -> Vec<ActCount> {
    let mut counts = BTreeMap::<&str, u64>::new();
    for leaf in &history.leaves {
        *counts.entry(&leaf.act).or_default() += 1;
    }
    counts.into_iter().map(|(act, count)| ActCount { act: act.to_owned(), count }).collect()
}

fn trail_entry(source: &Source<'_>, leaf: &Leaf) -> TrailEntry {
    let common = leaf.statement.as_ref().map(|statement| &statement.common);
    let says = sentence::sentence(source, leaf);
    TrailEntry {
        index: leaf.index,
        act: leaf.act.clone(),
        at: source.at(leaf.index),
        clock_suspect: leaf.clock_suspect(),
        by: source.by(leaf.index),
        device: common.map(|it| source.state.printed_name(&it.device)).unwrap_or_default(),
        release: leaf.release.as_ref().map(ToString::to_string),
        summary: match (&leaf.finding, &leaf.statement) {
            (None, _) => says,
            (Some(_), Some(_)) => format!("Without effect. It says: {says}"),
            (Some(_), None) => format!("Without effect. {says}"),
        },
        reason: common.and_then(|it| it.reason.as_ref()).map(ToString::to_string),
        changes: leaf.changes.clone(),
        superseded_by: leaf.superseded_by,
        admission: match &leaf.finding {
            None => Admission::Admitted,
            Some(it) => Admission::NotAdmitted { code: it.code.to_string(), message: it.message.clone() },
        },
        leaf_sha256: leaf.hash.to_string(),
    }
}

fn moment(time: Timestamp, zone: Zone) -> Moment {
    Moment { utc: time.to_string(), zone: zone.to_string() }
}

impl Source<'_> {
    fn leaf(&self, index: u64) -> Option<&Leaf> {
        self.history.leaves.get(usize::try_from(index).ok()?)
    }

    /// The signed time of an entry; empty where the leaf is none.
    fn at(&self, index: u64) -> Moment {
        match self.leaf(index).and_then(|leaf| leaf.statement.as_ref()) {
            Some(statement) => moment(statement.common.time, statement.common.zone),
            None => Moment { utc: String::new(), zone: String::new() },
        }
    }

    /// The zone an entry was signed in.
    fn zone_of(&self, index: u64) -> Zone {
        self.leaf(index).and_then(|leaf| leaf.statement.as_ref()).map_or(self.zone, |it| it.common.zone)
    }

    /// Who signed an entry, as it names itself.
    fn by(&self, index: u64) -> Party {
        match self.leaf(index).and_then(|leaf| leaf.statement.as_ref()) {
            Some(statement) => Party {
                name: statement.common.signer.name.to_string(),
                principal: statement.common.signer.principal.to_string(),
            },
            None => Party { name: "unknown".to_owned(), principal: String::new() },
        }
    }

    fn stamp(&self, index: u64) -> Stamp {
        Stamp { by: self.by(index), at: self.at(index), entry: index }
    }

    fn reason(&self, index: u64) -> String {
        let common = self.leaf(index).and_then(|leaf| leaf.statement.as_ref()).map(|it| &it.common);
        common.and_then(|it| it.reason.as_ref()).map(ToString::to_string).unwrap_or_default()
    }

    fn party(&self, principal: &Principal) -> Party {
        Party { name: self.state.printed_name(principal), principal: principal.to_string() }
    }

    /// The entry that proposed a release.
    fn first_entry(&self, id: &ReleaseId) -> u64 {
        let proposal =
            |leaf: &&Leaf| leaf.act == "propose" && leaf.finding.is_none() && leaf.release.as_ref() == Some(id);
        self.history.leaves.iter().find(proposal).map_or(0, |leaf| leaf.index)
    }

    /// Product and version as people say them.
    fn title(&self, id: &ReleaseId) -> String {
        match self.state.releases.get(id) {
            Some(it) => format!("{} {}", it.candidate.product, it.candidate.version),
            None => id.to_string(),
        }
    }

    /// Whether the bytes of that digest are there and are its bytes.
    fn availability(&self, digest: &Digest) -> Availability {
        if self.bytes(digest).is_some() { Availability::Available } else { Availability::Missing }
    }

    fn bytes(&self, digest: &Digest) -> Option<Vec<u8>> {
        (self.blobs)(digest).filter(|bytes| Digest::of(bytes) == *digest)
    }
}

fn by_entry(mut list: Vec<Adverse>) -> Vec<Adverse> {
    list.sort_by_key(|it| it.entry);
    list
}

#[cfg(test)]
mod tests;
