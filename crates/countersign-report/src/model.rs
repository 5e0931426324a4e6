//! The report as data: strings and integers, no I/O, nothing computed later than here.
//!
//! Digests are 64 lower hex digits, roots are base64 as in the checkpoint, times are a [`Moment`].
//! Whoever fills the model has judged the ledger already; the renderings only show it, and
//! [`Report::discrepancies`] tells where the model contradicts itself, which they print as well.

mod decision;
mod ledger;
mod people;
mod release;

pub use decision::*;
pub use ledger::*;
pub use people::*;
pub use release::*;

pub use countersign_core::act::{
    ChangeType, CommitSource, DevicePurpose, DispatchKind, DispatchState, KeyOrigin, Meaning, Reauth, RunConclusion,
    RunStatus, SeenBasis, Verdict, WaveVerdict,
};
pub use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
pub use countersign_core::judge::{ReleaseState, SignOffState};

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The code of the finding that says that nothing from outside the ledger was compared; alone, it leaves a ledger valid.
pub const UNANCHORED: &str = "unanchored";

/// One audit report of one ledger at one tree size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which ledger this is about.
    pub ledger: Ledger,
    /// What verification found, including what it found wrong.
    pub verification: Verification,
    /// The whole ledger, or one release.
    pub scope: Scope,
    /// How this copy was made.
    pub made: Made,
    /// How many entries of each act the tree holds; they sum to the tree size.
    pub acts: Vec<ActCount>,
    /// The releases in scope, in the order of their first entry.
    pub releases: Vec<Release>,
    /// What runs where, by the record of the ledger.
    pub live: Vec<Live>,
    /// What went wrong or was refused and belongs to no release.
    pub adverse: Vec<Adverse>,
    /// Everybody who was ever enrolled.
    pub people: Vec<Person>,
    /// Every device that was ever enrolled.
    pub devices: Vec<Device>,
    /// Every version of every policy, newest last.
    pub policies: Vec<Policy>,
    /// Every standing authorization, whatever became of it.
    pub authorizations: Vec<Authorization>,
    /// Every value that was corrected after its entry.
    pub corrections: Vec<Correction>,
    /// What a regulator expects beside the records: present or missing, never silent.
    pub checklist: Vec<ChecklistItem>,
    /// The entries in scope, ascending by index: all of them when the scope is the whole ledger.
    pub trail: Vec<TrailEntry>,
}

/// A time as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// RFC 3339 in UTC with seconds, `2026-11-22T10:31:07Z`.
    pub utc: String,
    /// The IANA zone of whoever acted, `Europe/Paris`.
    pub zone: String,
}

/// A span of time, both ends in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Its first moment.
    pub from: Moment,
    /// Its last moment.
    pub until: Moment,
}

/// A person or a device, as the entry names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The printed name.
    pub name: String,
    /// The principal of a person, the id of a device.
    pub principal: String,
}

/// Who did something, when, and in which entry it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Who signed the entry.
    pub by: Party,
    /// The signed time.
    pub at: Moment,
    /// The entry's index.
    pub entry: u64,
}

/// A contradiction inside the model, printed by the renderings instead of being smoothed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discrepancy(pub String);

impl Report {
    /// Finds where the model contradicts itself: an incomplete population, entries named but not listed, a GO that its own sign-offs do not carry.
    ///
    /// A report with discrepancies is still rendered, with each of them on its first page.
    pub fn discrepancies(&self) -> Vec<Discrepancy> {
        let mut found = Vec::new();
        self.check_population(&mut found);
        self.check_references(&mut found);
        self.check_decisions(&mut found);
        self.check_changes(&mut found);
        let unsound = |finding: &Finding| finding.code != UNANCHORED;
        if self.verification.verdict == VerificationVerdict::Valid && self.verification.findings.iter().any(unsound) {
            found.push(Discrepancy("the verdict is valid although verification found something".to_owned()));
        }
        found
    }

    fn check_population(&self, found: &mut Vec<Discrepancy>) {
        let size = self.ledger.tree_size;
        let mut say = |text: String| found.push(Discrepancy(text));
        let counted = self.acts.iter().fold(0_u64, |sum, act| sum.saturating_add(act.count));
        if counted != size {
            say(format!("the counts per act sum to {counted}, the tree holds {size} entries"));
        }
        if self.scope == Scope::WholeLedger {
            let listed = self.trail.len() as u64;
            if listed != size {
                say(format!("the trail lists {listed} entries, the tree holds {size}"));
            }
            let mut in_trail = BTreeMap::<&str, u64>::new();
            for entry in &self.trail {
                *in_trail.entry(&entry.act).or_default() += 1;
            }
            for act in &self.acts {
                let listed = in_trail.remove(act.act.as_str()).unwrap_or(0);
                if listed != act.count {
                    say(format!("the trail lists {listed} entries of act {}, the count says {}", act.act, act.count));
                }
            }
            for (act, listed) in in_trail {
                say(format!("the trail lists {listed} entries of act {act}, which the counts do not name"));
            }
        }
        for pair in self.trail.windows(2) {
            if pair[0].index >= pair[1].index {
                say(format!("entry {} follows entry {} in the trail", pair[1].index, pair[0].index));
            }
        }
        if let Some(last) = self.trail.last()
            && last.index >= size
        {
            say(format!("the trail lists entry {}, the tree holds {size}", last.index));
        }
    }

    fn check_references(&self, found: &mut Vec<Discrepancy>) {
        let listed: BTreeSet<u64> = self.trail.iter().map(|entry| entry.index).collect();
        let sign_offs = self.sign_offs().map(|it| (format!("the sign-off of {}", it.by.name), it.entry));
        let evidence = self
            .releases
            .iter()
            .flat_map(|it| &it.evidence)
            .map(|it| (format!("evidence {}", it.name), it.recorded.entry));
        for (what, entry) in sign_offs.chain(evidence) {
            if !listed.contains(&entry) {
                found.push(Discrepancy(format!("{what} names entry {entry}, which the trail does not list")));
            }
        }
    }

    fn check_decisions(&self, found: &mut Vec<Discrepancy>) {
        for release in &self.releases {
            for sheet in release.sheets.iter().filter(|sheet| sheet.decision == Decision::Go) {
                let mut say = |text: String| {
                    found.push(Discrepancy(format!(
                        "{} {}, sheet of entry {}: {text}",
                        release.product, release.version, sheet.frozen.entry
                    )));
                };
                for against in sheet.sign_offs.iter().filter(|it| it.counts() && !it.carries_go()) {
                    say(format!(
                        "the decision is GO although {} answered otherwise in entry {}",
                        against.by.name, against.entry
                    ));
                }
                if sheet.automatic_go.as_ref().is_some_and(|it| it.state == SignOffState::Valid) {
                    continue;
                }
                if sheet.quorum.is_empty() {
                    say("the decision is GO without a quorum and without a standing authorization".to_owned());
                }
                for rule in &sheet.quorum {
                    let carried = sheet
                        .sign_offs
                        .iter()
                        .filter(|it| it.carries_go() && it.role == rule.role)
                        .map(|it| &it.by.principal)
                        .collect::<BTreeSet<_>>()
                        .len() as u64;
                    if carried < rule.needed || rule.counted > carried {
                        say(format!(
                            "the decision is GO, role {} needs {}, counts {}, and {carried} valid GO of distinct people are listed",
                            rule.role, rule.needed, rule.counted
                        ));
                    }
                }
            }
        }
    }

    fn check_changes(&self, found: &mut Vec<Discrepancy>) {
        for release in self.releases.iter().filter(|it| it.change_list.availability == Availability::Available) {
            let (said, listed) = (release.change_list.commits, release.changes.len() as u64);
            if said != listed {
                found.push(Discrepancy(format!(
                    "{} {}: the change list holds {listed} commits, the proposal says {said}",
                    release.product, release.version
                )));
            }
        }
    }

    /// Every sign-off of every decision sheet, also of superseded ones.
    pub fn sign_offs(&self) -> impl Iterator<Item = &SignOff> {
        self.releases.iter().flat_map(|release| &release.sheets).flat_map(|sheet| &sheet.sign_offs)
    }

    /// Everything that went wrong or was refused, of the ledger and of each release.
    pub fn all_adverse(&self) -> impl Iterator<Item = &Adverse> {
        self.adverse.iter().chain(self.releases.iter().flat_map(|release| &release.adverse))
    }
}
