//! A release from proposal to review.

use super::{Adverse, Changed, Moment, Parameter, Party, Sheet, Stamp};
use countersign_core::act::{
    ChangeType, CommitSource, DispatchKind, DispatchState, RunConclusion, RunStatus, WaveVerdict,
};
use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use countersign_core::judge::ReleaseState;
use serde::{Deserialize, Serialize};

/// A commit and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The full commit id.
    pub id: String,
    /// How it is known.
    pub source: CommitSource,
}

/// A file that is released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub sha256: String,
}

/// The change's record in a system outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalRecord {
    /// The system.
    pub system: String,
    /// Its id there.
    pub id: String,
    /// Where to find it.
    pub url: String,
    /// Its state there, as last recorded.
    pub state: String,
}

/// One commit of the change list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The full commit id.
    pub commit: String,
    /// Its author.
    pub author: String,
    /// Its subject line.
    pub subject: String,
    /// The tickets it names.
    pub tickets: Vec<String>,
}

/// What the record says of the whole change list, which is a file of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeList {
    /// The digest of the file.
    pub sha256: String,
    /// Whether the file can be read, so that its commits are listed.
    pub availability: Availability,
    /// The commit before the first change; `None` for a first release.
    pub base: Option<String>,
    /// How many commits.
    pub commits: u64,
    /// The addresses of all authors.
    pub authors: Vec<String>,
    /// The tickets named.
    pub tickets: Vec<String>,
}

/// What one gate of the policy says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its name.
    pub name: String,
    /// What it says, whatever was waived.
    pub conclusion: Conclusion,
    /// Why.
    pub detail: String,
    /// The entries it rests on.
    pub evidence: Vec<u64>,
    /// The entry of the waiver that lets the release pass all the same.
    pub waived_by: Option<u64>,
}

/// A change to the release's own record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// Who, when, in which entry.
    pub made: Stamp,
    /// What.
    pub changed: Vec<Changed>,
    /// Why.
    pub reason: String,
}

/// How evidence came into the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum EvidenceOrigin {
    /// A connector read it from its source.
    Observed {
        /// The connector.
        connector: String,
        /// The target it was read from.
        target: String,
        /// The digest of the raw reply.
        reply_sha256: String,
    },
    /// A person attached it.
    Attached {
        /// Who.
        by: Party,
        /// The second person who confirmed it.
        confirmed_by: Option<Party>,
    },
}

/// Whether the bytes of evidence can still be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Availability {
    /// They are there and match the digest.
    Available,
    /// They are not where they should be.
    Missing,
    /// They are there and match the digest, and nobody here can read what they say.
    Unreadable,
    /// They were removed by a recorded act.
    Removed {
        /// The entry.
        entry: u64,
    },
}

/// Whether evidence was part of what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freeze {
    /// It is in the frozen set.
    Before,
    /// It came later and nobody signed it.
    After,
    /// Nothing was frozen yet.
    Open,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: EvidenceKind,
    /// How it came here.
    pub origin: EvidenceOrigin,
    /// What was counted.
    pub counts: Counts,
    /// What it amounts to.
    pub conclusion: Conclusion,
    /// Its digest.
    pub sha256: String,
    /// The commit it is about, `None` where nobody says.
    pub commit: Option<Commit>,
    /// Whether its bytes can be read.
    pub availability: Availability,
    /// Whether it was part of what was signed.
    pub freeze: Freeze,
    /// Who recorded it, when, in which entry.
    pub recorded: Stamp,
    /// The entry of the evidence that replaced it.
    pub superseded_by: Option<u64>,
}

/// A requirement that somebody set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// What is waived.
    pub requirement: String,
    /// Why.
    pub reason: String,
    /// Who follows it up.
    pub owner: Option<Party>,
    /// Who, when, in which entry.
    pub signed: Stamp,
    /// When it ends.
    pub valid_until: Option<Moment>,
}

/// A delivery to staging.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staging {
    /// The environment.
    pub environment: String,
    /// The version that was seen there.
    pub observed_version: String,
    /// The artifact digest that was seen there.
    pub observed_sha256: String,
    /// Whether it is the digest of this release.
    pub same_digest: bool,
    /// How long it soaked.
    pub soak_seconds: u64,
    /// How long it had to.
    pub soak_required_seconds: u64,
    /// Whether the soak is bounded by times from outside, or only by a desk's clock.
    pub soak_anchored: bool,
    /// Who recorded it.
    pub recorded: Stamp,
}

/// One line of the journal of a dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// The state.
    pub state: DispatchState,
    /// How the run ended, once it has.
    pub conclusion: Option<RunConclusion>,
    /// What the CI system said, as it said it.
    pub detail: Option<String>,
    /// When.
    pub at: Moment,
    /// The entry it stands in.
    pub entry: u64,
}

/// What a device saw of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Which device, when, in which entry.
    pub seen: Stamp,
    /// The run and its attempt.
    pub run: String,
    /// Where to find it.
    pub url: Option<String>,
    /// Whether it was still going.
    pub status: RunStatus,
    /// The word of the CI system itself.
    pub raw: String,
    /// What each job came to, in words of the CI system.
    pub jobs: Vec<Parameter>,
    /// The digest of the log, where it was kept.
    pub log_sha256: Option<String>,
    /// Whether the log can be read, where it was kept.
    pub log: Option<Availability>,
}

/// One order to a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// Brings the release out, or takes it back.
    pub kind: DispatchKind,
    /// The entry of the sheet it carries out; of the candidate, before the go/no-go.
    pub sheet: u64,
    /// The digest of the artifact it brings.
    pub artifact_sha256: String,
    /// The environment.
    pub environment: String,
    /// The wave, from 1.
    pub wave: u64,
    /// The request id that the run carries.
    pub request_id: String,
    /// The request id of unknown fate that it was sent again for.
    pub resends: Option<String>,
    /// Who gave the order: a person, or the device that worked alone.
    pub by: Party,
    /// The device that sent it.
    pub device: Party,
    /// The run, where one was found.
    pub run: Option<String>,
    /// Where to find the run.
    pub url: Option<String>,
    /// The journal, in order.
    pub journal: Vec<JournalLine>,
    /// What was seen of the run.
    pub observations: Vec<Observation>,
}

/// What runs in an environment by the record of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The product.
    pub product: String,
    /// The environment.
    pub environment: String,
    /// The release's id.
    pub release: String,
    /// Its version.
    pub version: String,
    /// The digest of its first artifact.
    pub sha256: String,
}

/// One wave of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// Its number, from 1.
    pub number: u64,
    /// Who gets it, in words of the plan.
    pub audience: String,
    /// How long it baked.
    pub bake_seconds: u64,
    /// How long it had to.
    pub bake_required_seconds: u64,
    /// How many samples were taken.
    pub samples: u64,
    /// How many of them were bad.
    pub bad_samples: u64,
    /// The share of the period that has samples, in percent.
    pub coverage_percent: u64,
    /// The version that was seen.
    pub observed_version: Option<String>,
    /// What was concluded; `None` while it bakes.
    pub verdict: Option<WaveVerdict>,
    /// Why.
    pub reason: String,
    /// Who concluded it.
    pub judged: Option<Stamp>,
}

/// How a release ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What came of it, in a sentence.
    pub what: String,
    /// What is live now.
    pub live_now: String,
    /// What it was rolled back to, where it was.
    pub rolled_back_to: Option<String>,
    /// Who closed it.
    pub closed: Stamp,
}

/// One release with everything that was recorded about it, for and against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its id.
    pub id: String,
    /// The product.
    pub product: String,
    /// The version.
    pub version: String,
    /// The commit.
    pub commit: Commit,
    /// Where it stands.
    pub state: ReleaseState,
    /// Why it stands there, in a sentence.
    pub state_reason: String,
    /// Who proposed it.
    pub proposed: Stamp,
    /// What is released.
    pub artifacts: Vec<Artifact>,
    /// The type of the change.
    pub change_type: ChangeType,
    /// The risk, in words of the record.
    pub risk: String,
    /// Why it is made.
    pub reason: String,
    /// What it does to security.
    pub security_impact: String,
    /// How it goes out.
    pub rollout_plan: String,
    /// How it comes back.
    pub back_out_plan: String,
    /// The record outside.
    pub external: Option<ExternalRecord>,
    /// The incident that an emergency change answers.
    pub incident: Option<String>,
    /// The change list as a whole.
    pub change_list: ChangeList,
    /// The commits; empty where the list is not available.
    pub changes: Vec<Change>,
    /// What was amended after the proposal.
    pub amendments: Vec<Amendment>,
    /// The evidence, also what was replaced.
    pub evidence: Vec<Evidence>,
    /// What each gate says at the time of the report; empty once the release is on its way, when nobody asks them.
    pub gates: Vec<Gate>,
    /// The waivers.
    pub waivers: Vec<Waiver>,
    /// The deliveries to staging.
    pub staging: Vec<Staging>,
    /// The sheets, oldest first.
    pub sheets: Vec<Sheet>,
    /// The dispatches.
    pub dispatches: Vec<Dispatch>,
    /// The waves.
    pub waves: Vec<Wave>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What stands against it.
    pub adverse: Vec<Adverse>,
}
