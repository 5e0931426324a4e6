//! Products with their promotion paths, targets, policies, standing authorizations and freezes.
//!
//! Deliberately absent: what a policy asks of a release (the core judges that), and secrets of connectors
//! ([`crate::connectors`] keeps those on the desk; a target names only what everybody may know).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use countersign_core::act::{
    Approval, Authorization, AuthorizationChange, ChangeType, ConnectorConfig, Freeze, FreezeChange, Meaning, Segment,
    Target, Verdict, Window,
};
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::policy::Policy;
use countersign_core::recurrence::Recurs;
use countersign_core::state::{AuthorizationRecord, PolicyRecord, SignOff, State};
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Slug, Text, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use crate::clauses::{self, Clause, Obstacle};
use crate::clock;
use crate::connectors;
use crate::desk::DeskDir;
use crate::durable;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::people::Signing;

/// The longest file of a target or policy that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

// ------------------------------------------------------------------------------------------------- products

/// A product as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductRow {
    /// The product.
    pub product: Slug,
    /// The name people know it by.
    pub title: Line,
    /// The environments a release walks through.
    pub path: Vec<Slug>,
    /// The entry.
    pub entry: u64,
    /// The environments that have no target yet.
    pub without_target: Vec<Slug>,
    /// The version of the policy in force.
    pub policy_version: Option<u64>,
    /// The version that is live behind the go/no-go.
    pub live: Option<Line>,
}

/// Returns every product.
pub fn list(state: &State) -> Vec<ProductRow> {
    state
        .products
        .values()
        .map(|(entry, product)| {
            let place = |environment: &Slug| (product.product.clone(), environment.clone());
            ProductRow {
                product: product.product.clone(),
                title: product.title.clone(),
                path: product.path.clone(),
                entry: entry.index,
                without_target: product
                    .path
                    .iter()
                    .filter(|environment| !state.targets.contains_key(&place(environment)))
                    .cloned()
                    .collect(),
                policy_version: state.policy(&product.product).map(|record| record.version),
                live: product
                    .path
                    .last()
                    .and_then(|last| state.live.get(&place(last)))
                    .map(|live| live.version.clone()),
            }
        })
        .collect()
}

/// Refuses a product that is not there.
pub(crate) fn known(state: &State, product: &Slug) -> Result<(), Error> {
    if state.products.contains_key(product) {
        return Ok(());
    }
    Err(Error::not_found(format!("there is no product {product}")).hint("`countersign product list` shows them"))
}

/// Describes a product and its promotion path.
///
/// # Errors
/// A rule refuses.
pub fn set_product(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    product: Slug,
    title: Line,
    path: Vec<Slug>,
) -> Result<EntryRef, Error> {
    signing.record(ledger, countersign_core::act::Product { path, product, title })
}

// ------------------------------------------------------------------------------------------------- targets

/// A target as a file or flags say it; what flags say stands over what the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetDraft {
    /// The product.
    pub product: Option<Slug>,
    /// The environment on its promotion path.
    pub environment: Option<Slug>,
    /// How it is reached.
    pub connector: Option<ConnectorDraft>,
    /// The pipeline that is triggered.
    pub job: Option<Line>,
    /// The job whose success means deployed.
    pub deploy_step: Option<Line>,
    /// The segments in the order waves reach them.
    #[serde(default, rename = "segment")]
    pub segments: Vec<Segment>,
}

/// How a target is reached, before digests are taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ConnectorDraft {
    /// A Buildbot master; without an address, the only one this desk knows.
    Buildbot {
        /// The base URL.
        base_url: Option<Line>,
        /// The file of the certificate authority it must chain to.
        ca_file: Option<PathBuf>,
        /// Or that file's digest.
        ca_sha256: Option<Digest>,
    },
    /// A script that each desk maps and allows for itself.
    LocalCommand {
        /// The name each desk maps to a script.
        command: Slug,
        /// The script.
        script: Option<PathBuf>,
        /// Or its digest.
        script_sha256: Option<Digest>,
    },
}

/// Reads a target from a TOML file; paths in it begin where the file lies.
///
/// # Errors
/// The file cannot be read, or is not such a description.
pub fn read_target(path: &Path) -> Result<TargetDraft, Error> {
    let text = read_text(path)?;
    let mut draft: TargetDraft = toml::from_str(&text).map_err(|error| {
        Error::usage(format!("{} does not describe a target: {}", path.display(), error.to_string().trim_end()))
    })?;
    let here = path.parent().unwrap_or(Path::new(""));
    match &mut draft.connector {
        Some(ConnectorDraft::Buildbot { ca_file: Some(file), .. })
        | Some(ConnectorDraft::LocalCommand { script: Some(file), .. }) => *file = here.join(&*file),
        _ => {}
    }
    Ok(draft)
}

fn read_text(path: &Path) -> Result<String, Error> {
    let bytes = durable::read(path, FILE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| Error::usage(format!("{} is not UTF-8 text", path.display())))
}

impl TargetDraft {
    /// Returns this draft with what `over` says in place of what it says itself.
    #[must_use]
    pub fn overlaid(self, over: Self) -> Self {
        Self {
            product: over.product.or(self.product),
            environment: over.environment.or(self.environment),
            connector: over.connector.or(self.connector),
            job: over.job.or(self.job),
            deploy_step: over.deploy_step.or(self.deploy_step),
            segments: if over.segments.is_empty() { self.segments } else { over.segments },
        }
    }
}

/// Reads `NAME=HEALTH_URL,VERSION_URL[;HEALTH_URL,VERSION_URL…]`: a segment and, of each instance, its two URLs.
///
/// # Errors
/// It is written differently.
pub fn parse_segment(text: &str) -> Result<Segment, Error> {
    let wrong = |what: String| {
        Error::usage(format!("`{text}` is not a segment: {what}"))
            .hint("write NAME=HEALTH_URL,VERSION_URL;HEALTH_URL,VERSION_URL")
    };
    let (name, instances) = text.split_once('=').ok_or_else(|| wrong("there is no `=`".into()))?;
    let name = name.parse::<Slug>().map_err(|error| wrong(error.to_string()))?;
    let mut segment = Segment { health: Vec::new(), name, version: Vec::new() };
    for instance in instances.split(';') {
        let (health, version) =
            instance.split_once(',').ok_or_else(|| wrong("an instance has two URLs with a comma between".into()))?;
        segment.health.push(url(health).map_err(&wrong)?);
        segment.version.push(url(version).map_err(&wrong)?);
    }
    Ok(segment)
}

fn url(text: &str) -> Result<Line, String> {
    let parsed = url::Url::parse(text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(format!("`{text}` is not a plain http or https URL"));
    }
    text.parse().map_err(|error: countersign_core::words::WordError| error.to_string())
}

/// Signs where and how one environment of a product is reached.
///
/// # Errors
/// Something is not said, a file cannot be read, or a rule refuses.
pub fn set_target(ledger: &mut Ledger, signing: &mut Signing<'_>, draft: TargetDraft) -> Result<EntryRef, Error> {
    let act = compose_target(ledger.desk(), draft)?;
    signing.record(ledger, act)
}

/// Composes a target of what a draft says and this desk knows.
///
/// # Errors
/// Something is not said, or a file cannot be read.
pub fn compose_target(desk: &DeskDir, draft: TargetDraft) -> Result<Target, Error> {
    let missing = |what: &str, flag: &str| Error::usage(format!("{what} is missing")).hint(format!("give {flag}"));
    let connector = match draft.connector.ok_or_else(|| missing("how it is reached", "--connector"))? {
        ConnectorDraft::Buildbot { base_url, ca_file, ca_sha256 } => {
            connectors::buildbot_config(desk, base_url, ca_file.as_deref(), ca_sha256)?
        }
        ConnectorDraft::LocalCommand { command, script, script_sha256 } => {
            connectors::command_config(desk, command, script.as_deref(), script_sha256)?
        }
    };
    // A local command is its own only job and step.
    let own_name = match &connector {
        ConnectorConfig::LocalCommand { command, .. } => {
            Some(command.as_str().parse().expect("a short name is a line"))
        }
        ConnectorConfig::Buildbot { .. } => None,
    };
    for segment in &draft.segments {
        for address in segment.health.iter().chain(&segment.version) {
            url(address.as_str()).map_err(Error::usage)?;
        }
        if segment.version.is_empty() {
            return Err(Error::usage(format!("segment {} names no version URL", segment.name))
                .hint("what runs is only known where each instance tells its version and artifact"));
        }
    }
    Ok(Target {
        connector,
        deploy_step: draft
            .deploy_step
            .or(own_name.clone())
            .ok_or_else(|| missing("the deploy step", "--deploy-step"))?,
        environment: draft.environment.ok_or_else(|| missing("the environment", "--environment"))?,
        job: draft.job.or(own_name).ok_or_else(|| missing("the job", "--job"))?,
        product: draft.product.ok_or_else(|| missing("the product", "--product"))?,
        segments: draft.segments,
    })
}

/// A target as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetRow {
    /// The entry.
    pub entry: u64,
    /// The digest that decision sheets carry.
    pub digest: Digest,
    /// What was signed.
    #[serde(flatten)]
    pub target: Target,
    /// Why this desk cannot reach it; none where it can.
    pub unreachable: Option<String>,
}

/// Returns every target, of one product where one is named.
pub fn targets(ledger: &Ledger, product: Option<&Slug>) -> Vec<TargetRow> {
    let wanted =
        ledger.state().targets.values().filter(|(_, target)| product.is_none_or(|only| *only == target.product));
    wanted
        .map(|(entry, target)| TargetRow {
            entry: entry.index,
            digest: entry.leaf,
            target: target.clone(),
            unreachable: connectors::for_target(ledger.desk(), target).err().map(|error| error.message),
        })
        .collect()
}

// ------------------------------------------------------------------------------------------------- policies

/// A policy text that was read, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyCheck {
    /// The product it is for.
    pub product: Slug,
    /// SHA-256 of the text.
    pub digest: Digest,
    /// What it means.
    #[serde(serialize_with = "as_sentences")]
    pub means: Vec<Clause>,
    /// What could keep it from being met with the people and targets of the ledger.
    #[serde(serialize_with = "as_sentences")]
    pub warnings: Vec<Obstacle>,
}

fn as_sentences<S: Serializer>(list: &[impl ToString], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.iter().map(ToString::to_string))
}

/// Reads a policy file.
///
/// # Errors
/// The file cannot be read, or is not UTF-8.
pub fn read_policy(path: &Path) -> Result<String, Error> {
    read_text(path)
}

/// Reads a policy text and says what it means; with a ledger, also what its people and targets make of it.
///
/// # Errors
/// It is not a policy, with the line or the rule.
pub fn check_policy(text: &str, state: Option<&State>, at: Timestamp) -> Result<PolicyCheck, Error> {
    let policy = Policy::parse(text)
        .map_err(|error| Error::new(ErrorKind::No, "policy", format!("this is not a policy: {error}")))?;
    let warnings = state.map(|state| clauses::obstacles(state, &policy, at)).unwrap_or_default();
    let digest = Digest::of(text.as_bytes());
    Ok(PolicyCheck { product: policy.product.clone(), digest, means: clauses::of(&policy), warnings })
}

/// Returns the sentences of what a policy means that another no longer says, and those it says in addition.
///
/// # Errors
/// One of them is not a policy.
pub fn meaning_diff(old: &str, new: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    let sentences = |text: &str| -> Result<Vec<String>, Error> {
        let mut heading = String::new();
        let said = check_policy(text, None, clock::now())?.means.into_iter().filter_map(|clause| {
            let sentence = clause.to_string();
            // What a refinement says is nothing without the changes it says it of.
            if matches!(clause, clauses::Clause::Refined { .. }) {
                heading = format!("{sentence} ");
                return None;
            }
            Some(format!("{heading}{sentence}"))
        });
        Ok(said.collect())
    };
    let (old, new) = (sentences(old)?, sentences(new)?);
    let without = |list: &[String], other: &[String]| -> Vec<String> {
        list.iter().filter(|sentence| !other.contains(sentence)).cloned().collect()
    };
    Ok((without(&old, &new), without(&new, &old)))
}

/// Judges the last releases of a product again, as they stood, under another policy.
///
/// # Errors
/// The text is no policy, or one of another product, or the product is not known.
pub fn replay(state: &State, product: &Slug, text: &str, count: usize) -> Result<Vec<judge::Replayed>, Error> {
    known(state, product)?;
    let policy = Policy::parse(text)
        .map_err(|error| Error::new(ErrorKind::No, "policy", format!("this is not a policy: {error}")))?;
    if policy.product != *product {
        return Err(Error::usage(format!("it is the policy of {}, not of {product}", policy.product)));
    }
    Ok(judge::replay(state, &policy, count))
}

/// Writes seconds as people say them: `90 s`, `15 min`, `24 h`, `3 d`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    match seconds {
        0 => "no time".into(),
        _ if seconds.is_multiple_of(86_400) && seconds > 86_400 => format!("{} d", seconds / 86_400),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// Signs a policy: in force at once where it is the product's first, else proposed to the quorum of the one in force.
///
/// # Errors
/// It is not a policy, or a rule refuses.
pub fn set_policy(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    toml: String,
) -> Result<(EntryRef, PolicyRow), Error> {
    ledger.refresh()?;
    let act = compose_policy(ledger.state(), toml)?;
    let product = act.product.clone();
    let entry = signing.record(ledger, act)?;
    let row = policies(ledger.state(), Some(&product)).pop().expect("it was recorded a moment ago");
    Ok((entry, row))
}

/// Composes the next version of a product's policy.
///
/// # Errors
/// The text is no policy, or the product is not known.
pub fn compose_policy(state: &State, toml: String) -> Result<countersign_core::act::Policy, Error> {
    let product = check_policy(&toml, None, clock::now())?.product;
    known(state, &product)?;
    let version = state.policies.get(&product).map_or(0, Vec::len) as u64 + 1;
    Ok(countersign_core::act::Policy { product, toml, version })
}

/// A version of a policy as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyRow {
    /// The product.
    pub product: Slug,
    /// The version.
    pub version: u64,
    /// The entry.
    pub entry: u64,
    /// SHA-256 of the text.
    pub digest: Digest,
    /// Who proposed it.
    pub by: Principal,
    /// When.
    pub time: Timestamp,
    /// `in force`, `replaced` or `proposed`.
    pub status: &'static str,
    /// Who has answered, and how.
    pub answers: Vec<AnswerRow>,
}

/// An answer to a policy or an authorization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerRow {
    /// Who.
    pub principal: Principal,
    /// As which role.
    pub role: Slug,
    /// What they said.
    pub verdict: Verdict,
    /// The entry.
    pub entry: u64,
}

fn answer_rows(answers: &[SignOff]) -> Vec<AnswerRow> {
    let row = |answer: &SignOff| AnswerRow {
        principal: answer.principal.clone(),
        role: answer.role.clone(),
        verdict: answer.verdict,
        entry: answer.entry.index,
    };
    answers.iter().map(row).collect()
}

/// Returns every version of every policy, of one product where one is named.
pub fn policies(state: &State, product: Option<&Slug>) -> Vec<PolicyRow> {
    let wanted = state.policies.iter().filter(|(name, _)| product.is_none_or(|only| only == *name));
    wanted
        .flat_map(|(product, records)| {
            let current = state.policy(product).map(|record| record.entry);
            records.iter().map(move |record| PolicyRow {
                product: product.clone(),
                version: record.version,
                entry: record.entry.index,
                digest: Digest::of(record.toml.as_bytes()),
                by: record.by.clone(),
                time: record.time,
                status: match record.in_force {
                    Some(_) if Some(record.entry) == current => "in force",
                    Some(_) => "replaced",
                    None => "proposed",
                },
                answers: answer_rows(&record.answers),
            })
        })
        .collect()
}

/// Returns a version of a product's policy; the one in force when `None`.
///
/// # Errors
/// There is none.
pub fn policy<'a>(state: &'a State, product: &Slug, version: Option<u64>) -> Result<&'a PolicyRecord, Error> {
    known(state, product)?;
    let found = match version {
        None => state.policy(product),
        Some(version) => {
            state.policies.get(product).and_then(|all| all.iter().find(|record| record.version == version))
        }
    };
    found.ok_or_else(|| match version {
        None => Error::not_found(format!("{product} has no policy"))
            .hint(format!("sign one with `countersign policy set FILE`, for product = \"{product}\"")),
        Some(version) => Error::not_found(format!("{product} has no policy version {version}"))
            .hint(format!("`countersign policy list --product {product}` shows all versions")),
    })
}

/// Returns the newest version of a product's policy that waits for answers.
pub(crate) fn proposed<'a>(state: &'a State, product: &Slug, version: Option<u64>) -> Result<&'a PolicyRecord, Error> {
    if version.is_some() {
        return policy(state, product, version);
    }
    known(state, product)?;
    let newest = state.policies.get(product).and_then(|all| all.iter().rev().find(|record| record.in_force.is_none()));
    newest
        .ok_or_else(|| Error::new(ErrorKind::No, "already_done", format!("no policy of {product} waits for an answer")))
}

/// What a person answers to a policy or an authorization.
#[derive(Debug, Clone)]
pub struct Answer {
    /// As which role; the one the signer holds of those that are asked, when `None`.
    pub role: Option<Slug>,
    /// The answer.
    pub verdict: Verdict,
}

fn answer(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    product: &Slug,
    request: EntryRef,
    answer: Answer,
) -> Result<EntryRef, Error> {
    let Answer { role, verdict } = answer;
    let role = match role {
        Some(role) => role,
        None => asked_role(ledger.state(), product, ChangeType::Normal, &signing.by, clock::now())?,
    };
    let act =
        Approval { authorization: None, conditions: Vec::new(), meaning: Meaning::Approval, request, role, verdict };
    signing.record(ledger, act)
}

/// Returns the role somebody signs as where they do not say: the only one of those the policy asks that they hold.
pub(crate) fn asked_role(
    state: &State,
    product: &Slug,
    change_type: ChangeType,
    who: &Principal,
    at: Timestamp,
) -> Result<Slug, Error> {
    let policy = policy(state, product, None)?.for_change(change_type);
    let person = state.people.get(who).ok_or_else(|| Error::not_found(format!("there is no person {who}")))?;
    let mut held: Vec<&Slug> = policy
        .quorum
        .iter()
        .map(|rule| &rule.role)
        .filter(|role| person.holds(role.as_str(), Some(product), at))
        .collect();
    match (held.pop(), held.as_slice()) {
        (Some(only), []) => Ok(only.clone()),
        (Some(last), others) => {
            let names: Vec<&str> = others.iter().copied().chain([last]).map(Slug::as_str).collect();
            Err(Error::usage(format!("{who} could sign in several roles"))
                .hint(format!("say which with --role: {}", names.join(", "))))
        }
        (None, _) => {
            let asked: Vec<&str> = policy.quorum.iter().map(|rule| rule.role.as_str()).collect();
            Err(Error::new(
                ErrorKind::No,
                "role_missing",
                format!("{who} holds none of the roles asked: {}", asked.join(", ")),
            )
            .hint("a process owner grants roles with `countersign person role`"))
        }
    }
}

/// Answers a policy that would replace the one in force.
///
/// # Errors
/// None waits, or a rule refuses.
pub fn answer_policy(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    product: &Slug,
    version: Option<u64>,
    verdict: Answer,
) -> Result<(EntryRef, PolicyRow), Error> {
    ledger.refresh()?;
    let record = proposed(ledger.state(), product, version)?;
    let (request, version) = (record.entry, record.version);
    let entry = answer(ledger, signing, product, request, verdict)?;
    let rows = policies(ledger.state(), Some(product));
    let row = rows.into_iter().find(|row| row.version == version).expect("it was answered a moment ago");
    Ok((entry, row))
}

/// One line of a comparison of two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffLine {
    /// `-` for a line of the old text, `+` for one of the new, a blank for both.
    pub sign: char,
    /// The line.
    pub text: String,
}

/// Compares two texts line by line, by their longest common subsequence.
#[must_use]
pub fn diff(old: &str, new: &str) -> Vec<DiffLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // common[i][j]: how many lines old[i..] and new[j..] share.
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] =
                if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let line = |sign: char, text: &str| DiffLine { sign, text: text.to_owned() };
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(line(' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(line('-', old[i]));
            i += 1;
        } else {
            lines.push(line('+', new[j]));
            j += 1;
        }
    }
    lines
}

// ------------------------------------------------------------------------------------------------- authorizations

/// The bounds of a standing authorization.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The product.
    pub product: Slug,
    /// The types of change it may sign for.
    pub change_types: Vec<ChangeType>,
    /// How many commits a release may bring at most.
    pub max_commits: u64,
    /// How many releases it may sign for on one UTC day.
    pub per_day: u64,
    /// The name of the template of standard changes that it is, where it is one.
    pub template: Option<Line>,
    /// When it may sign.
    pub valid: Window,
}

/// Proposes a standing authorization to the quorum it is to stand in for.
///
/// # Errors
/// A rule refuses.
pub fn grant(ledger: &mut Ledger, signing: &mut Signing<'_>, bounds: Bounds) -> Result<EntryRef, Error> {
    let act = compose_grant(ledger.state(), bounds)?;
    signing.record(ledger, act)
}

/// Composes a standing authorization of its bounds.
///
/// # Errors
/// The product is not known, or has no promotion path.
pub fn compose_grant(state: &State, bounds: Bounds) -> Result<Authorization, Error> {
    let Bounds { product, change_types, max_commits, per_day, template, valid } = bounds;
    known(state, &product)?;
    let environment = state
        .last_environment(&product)
        .cloned()
        .ok_or_else(|| Error::not_found(format!("{product} has no promotion path")))?;
    let change =
        AuthorizationChange::Grant { change_types, environment, max_commits, per_day, product, template, valid };
    Ok(Authorization { change })
}

fn authorization(state: &State, index: u64) -> Result<&AuthorizationRecord, Error> {
    state.authorizations.get(&index).ok_or_else(|| {
        Error::not_found(format!("entry {index} is not a standing authorization"))
            .hint("`countersign authorization list` shows them")
    })
}

/// Returns the entry of a standing authorization by its index.
///
/// # Errors
/// There is none.
pub fn authorization_entry(state: &State, index: u64) -> Result<EntryRef, Error> {
    authorization(state, index).map(|record| record.entry)
}

/// Answers a proposed standing authorization.
///
/// # Errors
/// A rule refuses.
pub fn answer_authorization(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    index: u64,
    verdict: Answer,
) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let record = authorization(ledger.state(), index)?;
    let (request, product) = (record.entry, record.product.clone());
    answer(ledger, signing, &product, request, verdict)
}

/// Suspends a standing authorization, or lets it sign again.
///
/// # Errors
/// A rule refuses.
pub fn suspend(ledger: &mut Ledger, signing: &mut Signing<'_>, index: u64, resume: bool) -> Result<EntryRef, Error> {
    let authorization = authorization_entry(ledger.state(), index)?;
    let change = if resume {
        AuthorizationChange::Resume { authorization }
    } else {
        AuthorizationChange::Suspend { authorization }
    };
    signing.record(ledger, Authorization { change })
}

/// A standing authorization as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuthorizationRow {
    /// The entry of its grant.
    pub entry: u64,
    /// The product.
    pub product: Slug,
    /// The environment behind the go/no-go.
    pub environment: Slug,
    /// The types of change.
    pub change_types: Vec<ChangeType>,
    /// The most commits.
    pub max_commits: u64,
    /// The most releases on one UTC day.
    pub per_day: u64,
    /// The name of the template of standard changes that it is, where it is one.
    pub template: Option<Line>,
    /// The releases it signed for whose rollout failed.
    pub failures: Vec<ReleaseId>,
    /// When it may sign.
    pub valid: Window,
    /// Who proposed it.
    pub by: Principal,
    /// What it is worth at that moment.
    pub state: judge::SignOffState,
    /// Why it does not count.
    pub cause: Option<String>,
    /// Who has answered, and how.
    pub answers: Vec<AnswerRow>,
    /// How many times it has signed.
    pub uses: usize,
}

/// Returns every standing authorization and what it is worth at that moment.
pub fn authorizations(state: &State, at: Timestamp) -> Vec<AuthorizationRow> {
    let row = |record: &AuthorizationRecord| {
        let (worth, cause) = judge::authorization_worth(state, record, at);
        AuthorizationRow {
            entry: record.entry.index,
            product: record.product.clone(),
            environment: record.environment.clone(),
            change_types: record.change_types.clone(),
            max_commits: record.max_commits,
            per_day: record.per_day,
            template: record.template.clone(),
            failures: judge::failures(state, record).into_iter().cloned().collect(),
            valid: record.valid,
            by: record.by.clone(),
            state: worth,
            cause,
            answers: answer_rows(&record.answers),
            uses: record.uses.len(),
        }
    };
    state.authorizations.values().map(row).collect()
}

// ------------------------------------------------------------------------------------------------- freezes

/// Forbids dispatches for a while.
///
/// # Errors
/// A rule refuses.
pub fn declare_freeze(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    product: Option<Slug>,
    environment: Option<Slug>,
    span: Window,
    recurs: Option<Recurs>,
) -> Result<EntryRef, Error> {
    if let Some(product) = &product {
        known(ledger.state(), product)?;
    }
    signing.record(ledger, Freeze { change: FreezeChange::Declare { environment, product, recurs, span } })
}

/// Ends a freeze.
///
/// # Errors
/// A rule refuses, or there is no such freeze.
pub fn lift_freeze(ledger: &mut Ledger, signing: &mut Signing<'_>, index: u64) -> Result<EntryRef, Error> {
    let freeze = ledger.state().freezes.get(&index).map(|freeze| freeze.entry).ok_or_else(|| {
        Error::not_found(format!("entry {index} is not a freeze")).hint("`countersign freeze list` shows them")
    })?;
    signing.record(ledger, Freeze { change: FreezeChange::Lift { freeze } })
}

/// A freeze as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FreezeRow {
    /// The entry.
    pub entry: u64,
    /// Only this product.
    pub product: Option<Slug>,
    /// Only this environment.
    pub environment: Option<Slug>,
    /// When; of one that comes again, the next time, or the first where none is left.
    pub span: Window,
    /// How it comes again.
    pub recurs: Option<Recurs>,
    /// Who declared it.
    pub by: Principal,
    /// Why.
    pub reason: String,
    /// `in force`, `to come`, `over` or `lifted`.
    pub status: &'static str,
}

/// Returns every freeze ever declared.
pub fn freezes(state: &State, at: Timestamp) -> Vec<FreezeRow> {
    let rows = state.freezes.values().map(|freeze| FreezeRow {
        entry: freeze.entry.index,
        product: freeze.product.clone(),
        environment: freeze.environment.clone(),
        span: freeze.next_from(at).unwrap_or(freeze.span),
        recurs: freeze.recurs.clone(),
        by: freeze.by.clone(),
        reason: freeze.reason.clone(),
        status: match freeze.lifted {
            Some(_) => "lifted",
            None if freeze.when.at(at).is_some() => "in force",
            None if freeze.next_from(at).is_some() => "to come",
            None => "over",
        },
    });
    rows.collect()
}

/// Returns how many releases of each product there are.
pub fn release_counts(state: &State) -> BTreeMap<Slug, usize> {
    let mut counts = BTreeMap::new();
    for release in state.releases.values() {
        *counts.entry(release.candidate.product.clone()).or_default() += 1;
    }
    counts
}

/// Returns a text of a ledger entry.
///
/// # Errors
/// It is blank or holds control characters.
pub fn text(words: &str) -> Result<Text, Error> {
    words.parse().map_err(|error: countersign_core::words::WordError| Error::usage(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_names_what_went_and_what_came() {
        let show = |old: &str, new: &str| -> String {
            diff(old, new).iter().map(|line| format!("{}{}", line.sign, line.text)).collect::<Vec<_>>().join("|")
        };
        for (old, new, expected) in [
            ("a\nb\nc\n", "a\nb\nc\n", " a| b| c"),
            ("a\nb\nc\n", "a\nx\nc\n", " a|-b|+x| c"),
            ("a\n", "b\na\n", "+b| a"),
            ("a\nb\n", "b\n", "-a| b"),
            ("", "a\n", "+a"),
            ("", "", ""),
        ] {
            assert_eq!(show(old, new), expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn a_segment_has_two_urls_for_each_instance() {
        let segment = parse_segment("canary=http://a/health,http://a/version;https://b/h,https://b/v").unwrap();
        assert_eq!((segment.name.as_str(), segment.health.len(), segment.version.len()), ("canary", 2, 2));
        for bad in
            ["canary", "=http://a,http://b", "canary=http://a", "c=ftp://a,http://b", "c=http://u:p@a/,http://b", "c="]
        {
            let error = parse_segment(bad).unwrap_err();
            assert_eq!((error.kind, error.hint.is_some()), (ErrorKind::Usage, true), "{bad}");
        }
    }

    #[test]
    fn durations_are_told_in_the_largest_whole_unit() {
        let table = [(0, "no time"), (59, "59 s"), (60, "1 min"), (90, "90 s"), (3600, "1 h"), (86_400, "24 h")];
        for (seconds, told) in table.into_iter().chain([(172_800, "2 d"), (7200, "2 h")]) {
            assert_eq!(duration(seconds), told);
        }
    }
}
