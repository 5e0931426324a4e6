//! The acts: what each entry of a ledger may say, field by field.
//!
//! One act is one struct here, one namespace, one row of [`ACTS`] and one row of `docs/format.md`; a test keeps the
//! document and this table equal. The fields every act shares are [`Common`]. Rules about who may do what, and when,
//! are not here: see [`crate::admit`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evidence::{Conclusion, Counts, EvidenceKind};
use crate::hash::Digest;
use crate::recurrence::Recurs;
use crate::sshsig::PublicKey;
use crate::words::{CommitId, EntryRef, Line, Nonce, Principal, ReleaseId, Slug, Text, Timestamp, Zone};

/// The version of the admission rules that entries are made under today.
pub const RULES_VERSION: u32 = 2;

/// What every entry says, whatever its act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// The program that made the entry.
    pub app: App,
    /// The desk the entry was made on: the principal of its device key.
    pub device: Principal,
    /// Makes two otherwise equal payloads differ.
    pub nonce: Nonce,
    /// Why; mandatory where a person acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// How the signer proved presence at this signing; persons only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reauth: Option<Reauth>,
    /// The version of the admission rules the entry was made under.
    pub rules: u32,
    /// The head the signer had verified: seals the history before it.
    pub seen: Seen,
    /// How much of that history the signer's desk verified; persons only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_basis: Option<SeenBasis>,
    /// Who signs.
    pub signer: Signer,
    /// When, by the signer's clock.
    pub time: Timestamp,
    /// The signer's time zone.
    pub zone: Zone,
}

/// The names of the fields of [`Common`].
pub const COMMON_FIELDS: [&str; 11] =
    ["app", "device", "nonce", "reason", "reauth", "rules", "seen", "seen_basis", "signer", "time", "zone"];

/// The program that made an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Digest of the build, or `unknown` where the build cannot read itself.
    pub build: Line,
    /// Version of the program.
    pub version: Line,
}

/// A head of the ledger as payloads name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The ledger's origin.
    pub origin: Line,
    /// The root hash in base64, as a checkpoint writes it.
    pub root: String,
    /// The number of entries below that root.
    pub size: u64,
}

/// The printed name and the principal of the one who signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The printed name.
    pub name: Line,
    /// The principal whose key signs.
    pub principal: Principal,
}

/// Declares an enum of closed words with their spelling in payloads.
macro_rules! closed_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }
        impl $name {
            /// Every value, in the order of the format document.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// Returns the word that stands for the value in payloads.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("`{text}` is none of: {}", [$($word),+].join(", "))),
                }
            }
        }
    };
}
pub(crate) use closed_words;

closed_words!(
    /// How a person proved presence when signing.
    Reauth {
        /// The passphrase was typed at this signing.
        Prompt = "prompt",
        /// The passphrase was read from a file only its owner can read.
        File = "file",
        /// An SSH agent signed.
        Agent = "agent",
    }
);
closed_words!(
    /// How much of the history before an entry its signer's desk had verified.
    SeenBasis {
        /// Every entry.
        Full = "full",
        /// Only the proofs that came with a carried request; seals no history.
        Proofs = "proofs",
    }
);
closed_words!(
    /// Where a person's key was made.
    KeyOrigin {
        /// On this desk, by the person at the hand-over screen.
        MadeHere = "made-here",
        /// Elsewhere; its public key was imported.
        Imported = "imported",
    }
);
closed_words!(
    /// What a device key is for.
    DevicePurpose {
        /// Signs machine facts of one desk.
        Desk = "desk",
        /// Also signs dispatches and attestations.
        Dispatcher = "dispatcher",
    }
);
closed_words!(
    /// The answer of one person, or of a standing authorization, to a decision sheet.
    Verdict {
        /// Go.
        Go = "go",
        /// No-go.
        NoGo = "no-go",
        /// Wait: a question is open.
        Hold = "hold",
        /// Go once the named conditions are met.
        ConditionalGo = "conditional-go",
        /// What the signer said before is taken back; nothing is said in its place.
        Withdrawn = "withdrawn",
    }
);
closed_words!(
    /// What a signature means: a closed list, printed as text beside each signature (21 CFR 11.50(a)(3)).
    Meaning {
        /// The signer approves what the sheet lists.
        Approval = "approval",
        /// The signer has reviewed what is named.
        Review = "review",
        /// The signer made or assembled what is named.
        Authorship = "authorship",
        /// The signer takes responsibility for what is named.
        Responsibility = "responsibility",
        /// The signer certifies the batch for release.
        Certification = "certification",
        /// The signer confirms what another person did.
        Confirmation = "confirmation",
    }
);
closed_words!(
    /// The type of a change.
    ChangeType {
        /// Pre-authorized, low risk.
        Standard = "standard",
        /// Assessed and approved one by one.
        Normal = "normal",
        /// Must go now; reviewed afterwards.
        Emergency = "emergency",
    }
);
closed_words!(
    /// Whether a dispatch brings the release out or takes it back.
    DispatchKind {
        /// Brings the sheet's artifact to a wave.
        Deploy = "deploy",
        /// Brings the sheet's rollback slot back.
        Rollback = "rollback",
    }
);
closed_words!(
    /// How far a dispatch has come: one entry for each step, durable before the next.
    DispatchState {
        /// Composed; nothing sent.
        Prepared = "prepared",
        /// The next byte may leave the desk.
        Sending = "sending",
        /// The CI system took it.
        Accepted = "accepted",
        /// The CI system refused it; nothing runs.
        Refused = "refused",
        /// Nobody knows whether it was taken.
        FateUnknown = "fate-unknown",
        /// The run that carries this request id is known.
        Bound = "bound",
        /// The run has ended; the conclusion says how.
        Finished = "finished",
    }
);
closed_words!(
    /// Whether a run is still going.
    RunStatus {
        /// Waits for a worker.
        Queued = "queued",
        /// Runs.
        InProgress = "in_progress",
        /// Waits for an answer.
        Waiting = "waiting",
        /// Has ended.
        Completed = "completed",
    }
);
closed_words!(
    /// How a run, or a named job of it, ended.
    RunConclusion {
        /// It did what was asked, and what it did was checked against the signed sheet.
        Success = "success",
        /// It failed.
        Failure = "failure",
        /// Somebody cancelled it.
        Cancelled = "cancelled",
        /// It did not run.
        Skipped = "skipped",
        /// It took too long.
        TimedOut = "timed_out",
        /// The CI system said something that has no meaning here.
        Unknown = "unknown",
    }
);
closed_words!(
    /// The verdict over one wave after its bake time.
    WaveVerdict {
        /// Every check passed over at least nine tenths of the bake time.
        Pass = "pass",
        /// A check failed.
        Fail = "fail",
        /// There is too little to tell.
        Inconclusive = "inconclusive",
    }
);
closed_words!(
    /// What happens to a role.
    Grant {
        /// A process owner gives it.
        Grant = "grant",
        /// It ends with this entry.
        Lapse = "lapse",
        /// Who holds it lets another person sign in their place, for a while.
        Delegate = "delegate",
        /// Those who may recover the ledger make a new process owner.
        Recover = "recover",
    }
);

/// What shows that a person is trained for a role, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qualification {
    /// The training record.
    pub reference: Line,
    /// It counts no longer after this moment.
    pub until: Timestamp,
}

/// The rules over people that a ledger begins with and keeps. Policies may ask for more, never for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    /// Whether a second person states the identity of each newcomer before they can sign.
    pub co_signed_identity: bool,
    /// Whether a role counts once a second person has confirmed its grant.
    pub co_signed_roles: bool,
    /// For how many days a person's key may be valid at most.
    pub key_days: u64,
    /// After how many days somebody looks again at who may do what, and at the trail; nobody is reminded when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_days: Option<u64>,
}

/// A person as an entry enrols them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonCard {
    /// Other e-mail addresses under which the person commits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Line>,
    /// The person's public key.
    pub key: PublicKey,
    /// Where the key was made.
    pub key_origin: KeyOrigin,
    /// The printed name.
    pub name: Line,
    /// Unique in the ledger for ever.
    pub principal: Principal,
    /// The key cannot sign after this moment.
    pub valid_until: Timestamp,
}

/// A device as an entry enrols it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceCard {
    /// Signs machine facts.
    pub key: PublicKey,
    /// Signs checkpoints; absent where the device appends through another desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_key: Option<PublicKey>,
    /// The printed name.
    pub name: Line,
    /// Unique in the ledger for ever.
    pub principal: Principal,
    /// What it is for.
    pub purpose: DevicePurpose,
}

/// An artifact and the digest that identifies it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// The file name.
    pub name: Line,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

/// A record of the change in another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalRecord {
    /// Its id there.
    pub id: Line,
    /// Its state there when it was read.
    pub state: Line,
    /// The system.
    pub system: Line,
    /// Where people open it.
    pub url: Line,
}

/// The change list of a candidate, whole in a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeList {
    /// The e-mail addresses of all authors, lower case, sorted.
    pub authors: Vec<Line>,
    /// The commit before the first change; absent for a first release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<CommitId>,
    /// How many commits.
    pub commits: u64,
    /// SHA-256 of the blob.
    pub digest: Digest,
    /// The ticket ids, sorted.
    pub tickets: Vec<Line>,
}

/// One segment of a target: the instances a wave reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The URLs asked for health; each answers 2xx when well.
    pub health: Vec<Line>,
    /// The segment's name.
    pub name: Slug,
    /// The URLs asked for `{"version","artifact"}`.
    pub version: Vec<Line>,
}

/// How a target is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ConnectorConfig {
    /// A Buildbot master over TLS.
    Buildbot {
        /// The base URL.
        base_url: Line,
        /// SHA-256 of the CA file the connection must chain to.
        ca_sha256: Digest,
    },
    /// A script that each desk maps and allows for itself.
    LocalCommand {
        /// The name each desk maps to a script.
        command: Slug,
        /// SHA-256 of that script.
        script_sha256: Digest,
    },
}

/// Where evidence comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum EvidenceOrigin {
    /// A device read it from a CI system.
    Observed {
        /// The connector's kind and base URL.
        connector: Line,
        /// SHA-256 of the reply as it came.
        raw_sha256: Digest,
        /// The run it belongs to.
        run: Line,
    },
    /// A person brought it.
    Attached {},
}

closed_words!(
    /// Who says which commit the evidence is about.
    CommitSource {
        /// The file itself.
        File = "file",
        /// The run it was read from.
        Run = "run",
        /// The person who attached it.
        Attacher = "attacher",
    }
);

/// A span of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub until: Timestamp,
}

impl Window {
    /// Returns whether the moment lies in the window.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && time <= self.until
    }
}

/// One wave of the rollout plan as the sheet fixes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedWave {
    /// How long it must stay well before the next wave.
    pub bake_seconds: u64,
    /// The segment of the target it reaches.
    pub segment: Slug,
}

/// What runs in an environment: the release, its version and its artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveRelease {
    /// Its artifacts.
    pub artifacts: Vec<Artifact>,
    /// Its commit.
    pub commit: CommitId,
    /// The release.
    pub release: ReleaseId,
    /// Its version.
    pub version: Line,
}

/// The list of evidence a sheet rests on: SHA-256 over the JCS form of its entries, re-derivable from the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceManifest {
    /// How many entries it lists.
    pub count: u64,
    /// SHA-256 of the manifest.
    pub digest: Digest,
}

/// A run in a CI system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRef {
    /// Counts from 1; a re-run is a new fact.
    pub attempt: u64,
    /// The run's id there.
    pub id: Line,
    /// Where people open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Line>,
}

/// Declares the acts: for each its struct with documented fields, and from the same text the table of all acts.
macro_rules! acts {
    ($(
        $(#[$doc:meta])*
        $name:ident = $act:literal, signer $signer:ident, admitted $admitted:literal {
            $( $(#[doc = $field_doc:literal])+ $(#[serde($($field_serde:tt)*)])* $field:ident : $type:ty ),* $(,)?
        }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                $( $(#[doc = $field_doc])+ $(#[serde($($field_serde)*)])* pub $field: $type, )*
            }
            impl From<$name> for Act {
                fn from(body: $name) -> Self {
                    Self::$name(Box::new(body))
                }
            }
        )*

        /// What one entry says: an act with its own fields.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Act {
            $( $(#[$doc])* $name(Box<$name>), )*
        }

        impl Act {
            /// Returns the act's name, as in its namespace.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => $act,)* }
            }

            /// Returns the fields of the act as JSON.
            pub fn to_json(&self) -> serde_json::Value {
                match self { $(Self::$name(body) => serde_json::to_value(body),)* }
                    .expect("acts hold only strings, integers, lists and maps with text keys")
            }

            /// Reads the fields of the named act.
            ///
            /// # Errors
            /// The act is not known, or a field is missing, unknown or not lawful.
            pub fn from_json(act: &str, fields: serde_json::Value) -> Result<Self, String> {
                match act {
                    $($act => serde_json::from_value(fields).map(Self::$name).map_err(|error| error.to_string()),)*
                    _ => Err(format!("the act `{act}` is not known")),
                }
            }
        }

        /// Every act: the table that `docs/format.md` prints.
        pub const ACTS: &[ActRow] = &[$(
            ActRow {
                act: $act,
                signer: SignerKind::$signer,
                fields: &[$((stringify!($field), concat!($($field_doc),+))),*],
                admitted: $admitted,
            }
        ),*];
    };
}

/// One row of the table of acts.
#[derive(Debug, Clone, Copy)]
pub struct ActRow {
    /// The act's name.
    pub act: &'static str,
    /// Whose key may sign it.
    pub signer: SignerKind,
    /// Its fields beside the common ones, each with its meaning.
    pub fields: &'static [(&'static str, &'static str)],
    /// When it is admitted, in one sentence.
    pub admitted: &'static str,
}

/// Returns the row of the named act.
pub fn row(act: &str) -> Option<&'static ActRow> {
    ACTS.iter().find(|row| row.act == act)
}

/// Whose key may sign an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignerKind {
    /// A person's key.
    Person,
    /// A device key.
    Device,
    /// Either.
    Either,
    /// A person's key, or a dispatcher's device key that names a standing authorization in force.
    PersonOrAuthorization,
}

/// What refusals are told apart by: the code, who tried, and the release that was meant.
pub(crate) type RefusalSubject = (Slug, Option<Principal>, Option<ReleaseId>);

impl Refusal {
    /// Returns what it is told apart by: of one subject it comes at most once a minute.
    pub(crate) fn subject(&self) -> RefusalSubject {
        (self.code.clone(), self.principal.clone(), self.release.clone())
    }
}

impl SignerKind {
    /// Returns the words of the format document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Device => "device",
            Self::Either => "person or device",
            Self::PersonOrAuthorization => "person, or dispatcher under a standing authorization",
        }
    }
}

acts! {
    /// The first entry: names the ledger, its first process owner, its first desk and its recovery.
    Genesis = "genesis", signer Person, admitted "Only as entry 0, signed by the owner it names; `seen` is the empty tree." {
        /// Digest of the accountability text the owner accepts by signing.
        accountability: Digest,
        /// The rules over people; absent in ledgers begun before rules 2.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        charter: Option<Charter>,
        /// The first desk.
        desk: DeviceCard,
        /// The first process owner.
        owner: PersonCard,
        /// The principals who may recover the ledger together.
        recovery: Recovery,
        /// Personas with passphrases on screen; nothing in such a ledger is a real approval.
        sample: bool,
        /// The name people give the ledger.
        title: Line,
    }
    /// Brings a person in.
    Enrol = "enrol", signer Person, admitted "By a process owner; neither key nor principal was ever used before. Where the charter asks for it, a second person confirms the identity before the newcomer can sign." {
        /// How the identity was verified.
        identity: Text,
        /// Who comes in.
        person: PersonCard,
    }
    /// The new person accepts to be accountable for their signatures.
    EnrolAccept = "enrol-accept", signer Person, admitted "By the enrolled person, once, over the accountability text in force." {
        /// Digest of the accountability text.
        accountability: Digest,
    }
    /// Brings a device in, or ends its use.
    Device = "device", signer Person, admitted "By a process owner; neither key nor principal was ever used before. On a ledger that is not a sample a dispatcher counts once a second person has confirmed it." {
        /// Enrol or revoke.
        change: DeviceChange,
    }
    /// Renews a person's key, or ends its use.
    Key = "key", signer Person, admitted "Rotation by the person with the key in use; revocation and loss by the person or a process owner." {
        /// Rotate, revoke or report lost.
        change: KeyChange,
        /// Whose key.
        principal: Principal,
    }
    /// Gives a person a role, or ends it.
    Role = "role", signer Person, admitted "Grant and lapse by a process owner; delegation by who holds the role, until a moment it ends at, never onwards; recovery by those genesis names. Where the charter asks for it, a grant counts once a second person has confirmed it. A product has one process owner of its own at most; the last process owner of the ledger cannot lapse." {
        /// Grant, lapse, delegate or recover.
        change: Grant,
        /// Who.
        principal: Principal,
        /// Only for this product; for all when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<Slug>,
        /// What shows that they are trained for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        qualification: Option<Qualification>,
        /// The role.
        role: Slug,
        /// The role ends after this moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    }
    /// Describes a product and its promotion path.
    Product = "product", signer Person, admitted "By a process owner." {
        /// The environments a release walks through, in order; the last one is behind the go/no-go.
        path: Vec<Slug>,
        /// The product.
        product: Slug,
        /// The name people know it by.
        title: Line,
    }
    /// Describes where and how one environment of a product is reached.
    Target = "target", signer Person, admitted "By a process owner or release manager of the product, for an environment on its path." {
        /// How it is reached.
        connector: ConnectorConfig,
        /// The job whose success means deployed.
        deploy_step: Line,
        /// The environment.
        environment: Slug,
        /// The pipeline that is triggered.
        job: Line,
        /// The product.
        product: Slug,
        /// Its segments in the order waves reach them.
        segments: Vec<Segment>,
    }
    /// Puts a policy in force, or proposes to replace the one in force.
    Policy = "policy", signer Person, admitted "By a process owner; the text is a lawful policy of that product. The first is in force at once, a later one once the quorum of the policy it replaces has said GO." {
        /// The product.
        product: Slug,
        /// The policy text (TOML), kept as it was written.
        toml: String,
        /// Counts from 1.
        version: u64,
    }
    /// A standing authorization: signs the last gate in Continuous Deployment, within its bounds.
    Authorization = "authorization", signer Person, admitted "Grant by a process owner, in force once the quorum it stands in for has said GO; a template of standard changes for 180 days at most; suspension by anybody with a role; resumption by a process owner." {
        /// Grant, suspend or resume.
        change: AuthorizationChange,
    }
    /// Forbids dispatches for a while, or ends that.
    Freeze = "freeze", signer Person, admitted "By a process owner or release manager." {
        /// Declare or lift.
        change: FreezeChange,
    }
    /// A release candidate, or a change to one.
    Propose = "propose", signer PersonOrAuthorization, admitted "By a release manager or practitioner of the product; a release id is used once. Amending before a wave has been dispatched." {
        /// Candidate, amendment, supersession or withdrawal.
        change: ProposeChange,
        /// The release.
        release: ReleaseId,
    }
    /// A result that speaks for or against a release.
    Evidence = "evidence", signer Either, admitted "Observed by a device, or attached by a person with a role; never empty." {
        /// The commit it is about.
        commit: CommitId,
        /// Who says so.
        commit_source: CommitSource,
        /// What follows from it.
        conclusion: Conclusion,
        /// Counted by the reader, never taken from a header.
        counts: Counts,
        /// SHA-256 of the file.
        digest: Digest,
        /// The format it was read as.
        kind: EvidenceKind,
        /// The file's name.
        name: Line,
        /// Observed or attached.
        origin: EvidenceOrigin,
        /// The release.
        release: ReleaseId,
        /// The evidence it stands in for; both stay on the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<EntryRef>,
        /// Bytes of the file.
        size: u64,
    }
    /// Lets a release pass one gate all the same.
    Waiver = "waiver", signer Person, admitted "By somebody with a role the policy asks to sign, never by the requester; names one gate and ends." {
        /// The waiver ends after this moment.
        expires: Timestamp,
        /// The gate.
        gate: Line,
        /// Who follows it up.
        owner: Principal,
        /// The release.
        release: ReleaseId,
    }
    /// What a device saw running after a delivery to an environment that is not behind the go/no-go.
    Stage = "stage", signer Device, admitted "By a device after a finished, successful dispatch; the version and the digest seen are those of the candidate." {
        /// SHA-256 of what runs, as it says itself.
        artifact: Digest,
        /// The finished dispatch.
        dispatch: EntryRef,
        /// The environment.
        environment: Slug,
        /// The release.
        release: ReleaseId,
        /// The clock of the CI system then, where it told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server_time: Option<Timestamp>,
        /// The version seen.
        version: Line,
    }
    /// The decision sheet: everything a person decides on, frozen.
    Request = "request", signer PersonOrAuthorization, admitted "By a release manager of the product; each listed input equals what the ledger then says, no gate is red, and no other decision for the same segments is open." {
        /// The artifacts.
        artifacts: Vec<Artifact>,
        /// Who is asked to answer; the whole quorum when empty. It limits nobody who may sign.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        asked: Vec<Asked>,
        /// The standing authorization that is to sign, where one is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authorization: Option<EntryRef>,
        /// The candidate entry, or its latest amendment.
        candidate: EntryRef,
        /// The type of the change.
        change_type: ChangeType,
        /// SHA-256 of the change list.
        changes: Digest,
        /// The commit.
        commit: CommitId,
        /// Answers are asked for by this moment; nothing ends at it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Timestamp>,
        /// The environment behind the go/no-go.
        environment: Slug,
        /// The evidence it rests on.
        evidence: EvidenceManifest,
        /// The external change record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external: Option<ExternalRecord>,
        /// What is live there now; absent before a first release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        live: Option<LiveRelease>,
        /// No dispatch after this moment.
        not_after: Timestamp,
        /// The policy in force.
        policy: EntryRef,
        /// The product.
        product: Slug,
        /// The release.
        release: ReleaseId,
        /// What a rollback brings back; absent when there is no way back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rollback: Option<LiveRelease>,
        /// The waves, in order.
        rollout: Vec<PlannedWave>,
        /// The worker starts wave 1 by itself once the window is open; what then stands in the way puts it on hold.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        scheduled: bool,
        /// The record of the staging that was soaked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<EntryRef>,
        /// The target's configuration.
        target: EntryRef,
        /// The version.
        version: Line,
        /// The waivers it rests on.
        waivers: Vec<EntryRef>,
        /// When dispatch is allowed.
        window: Window,
    }
    /// A go/no-go meeting over a decision sheet: its roll call, and what came of it.
    Meeting = "meeting", signer Person, admitted "By a release manager of the product. Opened over the sheet that is current, closed once every seat that was called has answered or is named absent. It decides nothing and makes no answer stale: each answer is an `approval` of its own." {
        /// Open or close.
        change: MeetingChange,
        /// The release.
        release: ReleaseId,
    }
    /// The answer to a decision sheet, to a proposed policy or authorization, or the confirmation of an act.
    Approval = "approval", signer PersonOrAuthorization, admitted "By an accepted person who holds the role and is not barred, over a subject that waits for an answer; a withdrawal of their own answer to a sheet before it is dispatched; a GO under a standing authorization by a dispatcher within the bounds." {
        /// The standing authorization that signs, where no person does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authorization: Option<EntryRef>,
        /// The conditions of a conditional GO.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conditions: Vec<Text>,
        /// What the signature means.
        meaning: Meaning,
        /// What is answered.
        request: EntryRef,
        /// The role it is signed as.
        role: Slug,
        /// The answer.
        verdict: Verdict,
    }
    /// Stops a release, or lets it go on.
    Hold = "hold", signer Either, admitted "Stopping by any person with a role or a device; resuming, and answering the question of a HOLD, by a release manager of the product." {
        /// Hold, halt, cancel or resume.
        change: HoldChange,
        /// The release.
        release: ReleaseId,
    }
    /// Settles one condition of a conditional GO.
    Condition = "condition", signer Person, admitted "By the person who set the condition, or another with the same role." {
        /// The conditional GO.
        approval: EntryRef,
        /// Which condition, from 0.
        condition: u64,
    }
    /// One step of the dispatch journal.
    Dispatch = "dispatch", signer Device, admitted "By a dispatcher device; the first step only where the go/no-go, the order of waves, the environment lock, holds, freezes and the window allow it, each later step only after the one before." {
        /// SHA-256 of the artifact it brings.
        artifact: Digest,
        /// The person at the desk, where one started it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Principal>,
        /// How the run ended; with `finished`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conclusion: Option<RunConclusion>,
        /// What the CI system said, as it said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<Text>,
        /// The environment.
        environment: Slug,
        /// Deploy or roll back.
        kind: DispatchKind,
        /// The release.
        release: ReleaseId,
        /// Carried by the run, by which it is found again.
        request_id: Line,
        /// The request id of unknown fate it is sent again for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resends: Option<Line>,
        /// The run, once known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunRef>,
        /// The clock of the CI system, where it told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server_time: Option<Timestamp>,
        /// The decision sheet; for an environment before the go/no-go, the candidate.
        sheet: EntryRef,
        /// How far it has come.
        state: DispatchState,
        /// Which wave, from 1.
        wave: u64,
    }
    /// A worker takes the work for a while, so that only one does it.
    Lease = "lease", signer Device, admitted "By a dispatcher device, for at most an hour, while no other device's lease runs." {
        /// The lease ends after this moment.
        until: Timestamp,
    }
    /// What a device saw of a run.
    Run = "run", signer Device, admitted "By a device about a dispatch in the ledger." {
        /// SHA-256 of the log, where it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<Digest>,
        /// The jobs of the run and what each came to, in the CI system's words.
        jobs: BTreeMap<String, Line>,
        /// The CI system's own word for the state.
        raw: Line,
        /// The release.
        release: ReleaseId,
        /// The dispatch's request id.
        request_id: Line,
        /// The run.
        run: RunRef,
        /// Whether it is still going.
        status: RunStatus,
    }
    /// The verdict over one wave.
    Wave = "wave", signer Either, admitted "By a dispatcher device, or a release manager, once the wave's dispatch has finished." {
        /// How much of the bake time has samples, in percent.
        coverage_percent: u64,
        /// In words, with the check that failed.
        detail: Text,
        /// The environment.
        environment: Slug,
        /// Samples that failed.
        failed: u64,
        /// The release.
        release: ReleaseId,
        /// Samples taken.
        samples: u64,
        /// From when to when it baked.
        span: Window,
        /// The decision sheet.
        sheet: EntryRef,
        /// The verdict.
        verdict: WaveVerdict,
        /// Which wave, from 1.
        wave: u64,
    }
    /// What came of a release, reviewed afterwards.
    Outcome = "outcome", signer Person, admitted "By a release manager or process owner, once the rollout has ended." {
        /// The release.
        release: ReleaseId,
        /// What came of it.
        result: Text,
    }
    /// Something was announced.
    Announce = "announce", signer Device, admitted "By a device about a release in the ledger." {
        /// To whom.
        audience: Line,
        /// SHA-256 of the text.
        digest: Digest,
        /// What about.
        event: Line,
        /// The release.
        release: ReleaseId,
    }
    /// Wrong passphrases were tried.
    Attempt = "attempt", signer Device, admitted "By a device; at most one a minute for each person." {
        /// How many since the last such entry.
        count: u64,
        /// Whose key.
        principal: Principal,
    }
    /// The application refused an act.
    Refusal = "refusal", signer Device, admitted "By a device; at most one a minute for each person, code and release." {
        /// The refused act.
        act: Slug,
        /// The code of the rule.
        code: Slug,
        /// What was said.
        message: Text,
        /// Who tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        principal: Option<Principal>,
        /// The release, where one was meant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release: Option<ReleaseId>,
    }
    /// Corrects what an earlier entry says; the old value stays readable.
    Correction = "correction", signer Person, admitted "By a person with a role, about an earlier entry. A file is asked to be removed by a process owner or release manager, and an entry that names it is named." {
        /// The entry.
        entry: EntryRef,
        /// The field.
        field: Line,
        /// What it should say.
        new: Text,
        /// What it says.
        old: Text,
        /// The file that must not stay, by its SHA-256: removed once a second person has confirmed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        removes: Option<Digest>,
    }
    /// A paper record brought in afterwards.
    Late = "late", signer Person, admitted "By a person with a role; what happened lies before the entry." {
        /// When it happened, by the paper.
        happened: Timestamp,
        /// SHA-256 of the scan.
        paper: Digest,
        /// What it records.
        record: Text,
    }
    /// A periodic look over access, trail or emergency changes.
    Review = "review", signer Person, admitted "By a process owner or auditor; the span lies before the entry. Of an emergency change by one who had no part in it." {
        /// What was found.
        findings: Text,
        /// The first entry looked at.
        from: u64,
        /// The emergency change that was reviewed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release: Option<ReleaseId>,
        /// What was reviewed.
        scope: ReviewScope,
        /// The first entry no longer looked at.
        until: u64,
    }
    /// A copy left the ledger.
    Export = "export", signer Either, admitted "By a device, or a person with a role." {
        /// The root the copy reaches, in base64.
        root: String,
        /// Only this release; the whole ledger when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release: Option<ReleaseId>,
        /// The number of entries before this one.
        size: u64,
    }
}

/// Somebody who is asked to answer a decision sheet: whoever holds the role, or one person by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The person, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Principal>,
    /// The role to sign as.
    pub role: Slug,
}

/// The beginning or the end of a go/no-go meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum MeetingChange {
    /// The roll is called.
    Open {
        /// The seats, in the order they are called.
        roll: Vec<Asked>,
        /// For how many seconds each has the word; nothing ends at it.
        seconds: u64,
        /// The decision sheet.
        sheet: EntryRef,
    },
    /// The meeting is over.
    Close {
        /// The seats that did not answer, by their place in the roll, from 0.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        absent: Vec<u64>,
        /// The meeting.
        meeting: EntryRef,
        /// What was said.
        minutes: Text,
    },
}

/// Who may recover a ledger whose owners are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// How many of them must act together; 0 where only a successor ledger can follow.
    pub needed: u64,
    /// Who.
    pub people: Vec<Principal>,
    /// How long everybody is told before it takes effect.
    pub wait_hours: u64,
}

/// A change to the devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DeviceChange {
    /// Brings it in.
    Enrol {
        /// The device.
        device: DeviceCard,
    },
    /// Ends its use.
    Revoke {
        /// Which.
        principal: Principal,
    },
}

/// A change to a person's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeyChange {
    /// The new key takes over from here.
    Rotate {
        /// The new key.
        key: PublicKey,
        /// Where it was made.
        key_origin: KeyOrigin,
        /// The new key cannot sign after this moment.
        valid_until: Timestamp,
    },
    /// The key signs no more.
    Revoke {},
    /// The key may be in other hands.
    Lost {},
}

/// A change to a standing authorization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuthorizationChange {
    /// Proposes one with its bounds.
    Grant {
        /// The types of change it may sign for.
        change_types: Vec<ChangeType>,
        /// The environment behind the go/no-go.
        environment: Slug,
        /// How many commits a release may bring at most.
        max_commits: u64,
        /// How many releases it may sign for on one UTC day.
        per_day: u64,
        /// The product.
        product: Slug,
        /// The name of a template of standard changes; people dispatch what it signs, and it ends with its second failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<Line>,
        /// When it may sign.
        valid: Window,
    },
    /// It signs no more.
    Suspend {
        /// Which.
        authorization: EntryRef,
    },
    /// It signs again.
    Resume {
        /// Which.
        authorization: EntryRef,
    },
}

/// A change to the freezes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FreezeChange {
    /// Forbids dispatches.
    Declare {
        /// Only this environment; all when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<Slug>,
        /// Only this product; all when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<Slug>,
        /// How the span comes again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recurs: Option<Recurs>,
        /// When; where it comes again, the first time.
        span: Window,
    },
    /// Ends a freeze.
    Lift {
        /// Which.
        freeze: EntryRef,
    },
}

/// What is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProposeChange {
    /// A new candidate.
    Candidate {
        /// The standing authorization under which a device proposes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authorization: Option<EntryRef>,
        /// The candidate.
        candidate: Candidate,
        /// The release it takes the place of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supersedes: Option<ReleaseId>,
    },
    /// The candidate, changed.
    Amend {
        /// The candidate as it is from now on.
        candidate: Candidate,
    },
    /// The release is given up for another.
    Supersede {
        /// The one that takes its place.
        by: ReleaseId,
    },
    /// The release is given up.
    Withdraw {},
}

/// A release candidate: what one would decide on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The artifacts by digest.
    pub artifacts: Vec<Artifact>,
    /// How to come back when it goes wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backout_plan: Option<Text>,
    /// The type of the change.
    pub change_type: ChangeType,
    /// The change list.
    pub changes: ChangeList,
    /// The commit.
    pub commit: CommitId,
    /// The external change record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalRecord>,
    /// The incident an emergency change answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Line>,
    /// The product.
    pub product: Slug,
    /// What could go wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Text>,
    /// How it comes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout_plan: Option<Text>,
    /// What it means for security.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_impact: Option<Text>,
    /// The version.
    pub version: Line,
}

/// A stop, or its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum HoldChange {
    /// No dispatch until resumed; a question may be open.
    Hold {
        /// The question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question: Option<Text>,
    },
    /// The running rollout stops; the next step is a rollback or a new decision.
    Halt {},
    /// The dispatch under way is to be cancelled.
    Cancel {
        /// Its request id.
        request_id: Line,
    },
    /// Goes on.
    Resume {
        /// The answer, where a question was open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Text>,
        /// The stop that ends.
        hold: EntryRef,
    },
}

closed_words!(
    /// What a review looks at.
    ReviewScope {
        /// Who may do what.
        Access = "access",
        /// The trail.
        Trail = "trail",
        /// An emergency change.
        Emergency = "emergency",
        /// The system as a whole.
        Periodic = "periodic",
    }
);

/// The text a person accepts by `enrol-accept`, and an owner by `genesis`.
pub const ACCOUNTABILITY_TEXT: &str = "\
I sign only what I have read and understood. My signature in this ledger binds me as one by my hand would. \
I keep my key and my passphrase to myself, let nobody else sign with them, and report at once when either may be \
known to another.\n";

/// Returns the digest of [`ACCOUNTABILITY_TEXT`].
pub fn accountability() -> Digest {
    Digest::of(ACCOUNTABILITY_TEXT.as_bytes())
}
