//! Inbox, board and the list of releases.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::wire::{ChangeType, Conclusion, FactChange, FreezeRow, Mode, Moved, Page, PersonRef, ReleaseState};

/// What is asked of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum InboxKind {
    /// Answer a decision sheet.
    Sign,
    /// The own answer no longer counts: sign again.
    SignAgain,
    /// A question is open, or somebody asks to wait.
    Answer,
    /// A condition of a conditional GO is to be settled.
    Condition,
    /// Freeze the sheet and ask for signatures.
    Request,
    /// The sheet is signed: start the rollout.
    Dispatch,
    /// Deliver to the environment before the go/no-go.
    Stage,
    /// A rollout stopped: decide.
    Rollout,
    /// A wave has no verdict that says yes or no.
    WaveVerdict,
    /// Nobody knows whether a dispatch runs.
    FateUnknown,
    /// A gate is open or red.
    Gate,
    /// Evidence a person attached waits for a second one.
    ConfirmEvidence,
    /// A policy waits for an answer.
    Policy,
    /// A standing authorization waits for an answer.
    Authorization,
    /// A dispatcher waits for a second person.
    Device,
    /// A role, a newcomer, or a recovery waits for a second person.
    ConfirmPeople,
    /// An emergency change waits for its review.
    Review,
    /// The own enrolment waits to be accepted.
    Accept,
    /// The own key ends soon.
    Key,
    /// A freeze has ended or could be lifted.
    Freeze,
    /// Say what came of a release.
    Close,
}

/// What follows if it is done, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Consequence {
    /// The release manager may then start the rollout.
    LastSignatureManagerStarts,
    /// The worker then starts the rollout by itself.
    LastSignatureWorkerStarts,
    /// Others still have to sign.
    OthersStillToSign,
    /// Nothing goes out until it is done.
    BlocksRelease,
    /// The next wave goes out.
    NextWave,
    /// What runs stays as it is until somebody decides.
    RolloutStands,
    /// It takes effect once enough have answered.
    TakesEffect,
    /// The person cannot sign anything before.
    CannotSign,
    /// The person cannot sign after that moment.
    KeyEnds,
    None,
}

/// Something that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct InboxItem {
    /// Stays the same while it is the same thing.
    pub id: String,
    pub kind: InboxKind,
    pub product: Option<String>,
    pub release: Option<String>,
    pub version: Option<String>,
    pub environment: Option<String>,
    pub entry: Option<u32>,
    /// The role it is asked of.
    pub role: Option<String>,
    pub asked_by: Option<PersonRef>,
    pub asked_at: Option<String>,
    /// Whether it is asked of the person by name.
    pub by_name: bool,
    pub due: Option<String>,
    pub overdue: bool,
    pub last_signature: bool,
    pub stale: bool,
    pub consequence: Consequence,
    /// Who acts next, where somebody is known.
    pub then: Option<PersonRef>,
    pub blocker: Option<Blocker>,
    /// The text of the record that matters: a question, a reason, a name.
    pub quote: Option<String>,
    /// What the sheet lists and is no longer as it was.
    pub moved: Vec<Moved>,
    /// What reads otherwise than on the sheet the person signed before.
    pub changed: Vec<FactChange>,
    pub since: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Inbox {
    pub at: String,
    pub items: Vec<InboxItem>,
    /// What the person has asked of others and is not answered.
    pub waiting_for_others: Vec<InboxItem>,
}

// ------------------------------------------------------------------ board

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Board {
    pub at: String,
    pub products: Vec<BoardProduct>,
    pub freezes: Vec<FreezeRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BoardProduct {
    pub product: String,
    pub title: String,
    pub mode: Option<Mode>,
    /// How far the product has earned its way, 0 to 5.
    pub level: u32,
    /// 0: all is well; the higher the worse. Rows come sorted.
    pub problem: u32,
    pub cells: Vec<BoardCell>,
    pub policy_version: Option<u32>,
    /// The version that was live before what is live.
    pub way_back: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BoardPlace {
    Head {},
    Staging { environment: String },
    Segment { environment: String, segment: String, wave: u32, waves: u32 },
    Production { environment: String },
}

/// What a cell says under its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CellNote {
    Nothing {},
    NotYet {},
    Collecting {},
    Releasable {},
    Red { gates: Vec<String> },
    Soaking { since: String, until: String },
    Proven { since: String },
    Waits { signed: u32, needed: u32, due: Option<String> },
    Stale {},
    Held { by: PersonRef, quote: String },
    NoGo { by: PersonRef },
    Signed {},
    Dispatching { wave: u32 },
    Baking { since: String, until: String },
    Passed { took_seconds: u32 },
    Inconclusive { quote: String },
    Halted { quote: String },
    FateUnknown {},
    RolledBack {},
    Frozen { until: String },
    Live { since: String, behind: u32, authorization: Option<u32> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BoardCell {
    pub place: BoardPlace,
    pub release: Option<String>,
    pub version: Option<String>,
    pub state: Option<ReleaseState>,
    pub since: Option<String>,
    pub note: CellNote,
    pub frozen: bool,
    /// How far a rollout has come, percent of waves; none where none runs.
    pub share: Option<u32>,
}

// ------------------------------------------------------------------ releases

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ReleaseSort {
    Proposed,
    Product,
    Version,
    State,
    Due,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReleasesRequest {
    pub text: String,
    pub products: Vec<String>,
    pub states: Vec<ReleaseState>,
    /// Only what waits for the person at this desk.
    pub mine: bool,
    pub sort: ReleaseSort,
    pub descending: bool,
    pub page: Page,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReleasePage {
    pub at: String,
    pub total: u32,
    pub all: u32,
    pub rows: Vec<ReleaseRow>,
    pub states: Vec<StateCount>,
    pub products: Vec<ProductCount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct StateCount {
    pub state: ReleaseState,
    pub count: u32,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ProductCount {
    pub product: String,
    pub count: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseRow {
    pub release: String,
    pub product: String,
    pub version: String,
    pub environment: Option<String>,
    pub state: ReleaseState,
    pub change_type: ChangeType,
    pub proposed: String,
    pub proposer: PersonRef,
    pub signed: u32,
    pub needed: u32,
    pub due: Option<String>,
    pub blocker: Option<Blocker>,
    pub waits_for_me: bool,
}

// ------------------------------------------------------------------ blockers

/// What keeps a release from its next step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BlockerCause {
    Hold { entry: u32, by: PersonRef, question: Option<String>, reason: String },
    Halt { entry: u32, by: PersonRef, reason: String },
    LateInconclusive { evidence: String },
    RolloutHalted { quote: Option<String> },
    NoPolicy {},
    Gate { gate: String, conclusion: Conclusion, reason: GateReason },
    NotFrozen {},
    Quorum { role: String, signed: u32, needed: u32 },
    NoGo { by: PersonRef, quote: String },
    AsksToWait { by: PersonRef, quote: String },
    Stale { moved: Vec<Moved> },
    SheetExpired { at: String },
    Condition { by: PersonRef, text: String, approval: u32, number: u32 },
    Frozen { by: PersonRef, until: String, reason: String },
    ReviewOverdue { release: String, due: String },
}

/// The act that clears a blocker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ClearingAct {
    Sign {
        role: String,
    },
    Resume {
        hold: u32,
        question: bool,
    },
    Request {},
    Amend {},
    Stage {},
    Wait {
        until: Option<String>,
    },
    Attach {},
    Observe {},
    Confirm {
        entry: u32,
    },
    Waive {
        gate: String,
    },
    Rollback {},
    SetPolicy {},
    MeetCondition {
        approval: u32,
        number: u32,
    },
    /// Answer the question of somebody's HOLD, whose signer then answers anew.
    AnswerHold {
        approval: u32,
    },
    Review {
        release: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    pub cause: BlockerCause,
    /// The acts that clear it, the usual one first.
    pub acts: Vec<ClearingAct>,
    /// Who can.
    pub who: Vec<PersonRef>,
    /// Whether the person at this desk can.
    pub me: bool,
}

/// Why a gate says what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum GateReason {
    Complete {},
    Green { names: Vec<String> },
    NotGiven { fields: Vec<String> },
    NoEvidence {},
    OtherCommit {},
    NeedsObserved {},
    AttachedRefused {},
    NeedsConfirmation {},
    Bad { name: String, entry: u32, rule: Option<String> },
    NotStaged { environment: String },
    Soaking { environment: String, since: String, until: String },
    Soaked { environment: String, soaked_seconds: u32, needed_seconds: u32 },
}
