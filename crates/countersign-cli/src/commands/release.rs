//! `release`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::evidence::visible;
use countersign_app::ledger::Ledger;
use countersign_app::releases::{self, ArtifactDraft, Draft, Proposed, Proposer, Removal};
use countersign_app::status::{self, ReleaseView};
use countersign_core::act::{ChangeType, ExternalRecord};
use countersign_core::words::{CommitId, Line, ReleaseId, Slug, Text};
use serde_json::{Value, json};

use crate::commands::status as status_command;
use crate::output::{self, Answer, indented, or_dash, pairs, table, words};
use crate::session::Session;

/// Release candidates.
#[derive(Debug, Subcommand)]
pub(crate) enum Release {
    /// Propose a candidate
    Propose(Propose),
    /// Change a candidate before it goes out; every signature on its sheet becomes stale
    Amend(Amend),
    /// Give a release up, or name the one that takes its place
    #[command(after_help = "Examples:
  countersign --ledger ./ledger release withdraw pump-4.2.0 \\
      --reason 'the supplier recalled the part'
  countersign --ledger ./ledger release withdraw pump-4.2.0 --superseded-by pump-4.2.1 \\
      --reason 'found before anybody signed'")]
    Withdraw {
        /// The release
        release: ReleaseId,
        /// The release that takes its place
        #[arg(long, value_name = "RELEASE")]
        superseded_by: Option<ReleaseId>,
    },
    /// Show everything about a release, with what is live now and the difference to it
    #[command(after_help = "Examples:
  countersign --ledger ./ledger release show pump-4.2.0
  countersign --ledger ./ledger release show pump-4.2.0 --json")]
    Show {
        /// The release
        release: ReleaseId,
    },
    /// Show all releases, the newest first
    #[command(after_help = "Examples:
  countersign --ledger ./ledger release list
  countersign --ledger ./ledger release list --product pump --json")]
    List {
        /// Only this product
        #[arg(long, value_name = "PRODUCT")]
        product: Option<Slug>,
    },
    /// Record what came of a release, once its rollout has ended
    #[command(after_help = "Examples:
  countersign --ledger ./ledger release close pump-4.2.0 \\
      --result 'no incidents in the first week' --reason 'review after a week'")]
    Close {
        /// The release
        release: ReleaseId,
        /// What came of it
        #[arg(long, value_name = "TEXT")]
        result: Text,
    },
}

/// What a candidate says.
#[derive(Debug, Args)]
pub(crate) struct Fields {
    /// A TOML file with these fields (risk, change_type, [[artifact]], [external], …); flags stand over it
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The version
    #[arg(long, value_name = "VERSION")]
    version: Option<Line>,
    /// The commit, or a tag or branch of the repository; its HEAD when not said
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    /// An artifact as NAME=FILE or NAME=sha256:HEX (repeatable); the first one is deployed
    #[arg(long, value_name = "ARTIFACT")]
    artifact: Vec<ArtifactDraft>,
    /// The git repository the change list is read from
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    /// The commit before the first change; what is live when not said
    #[arg(long, value_name = "COMMIT")]
    base: Option<String>,
    /// standard, normal or emergency; normal when not said
    #[arg(long, value_name = "TYPE")]
    change_type: Option<ChangeType>,
    /// What could go wrong
    #[arg(long, value_name = "TEXT")]
    risk: Option<Text>,
    /// What it means for security
    #[arg(long, value_name = "TEXT")]
    security_impact: Option<Text>,
    /// How it comes out
    #[arg(long, value_name = "TEXT")]
    rollout_plan: Option<Text>,
    /// How to come back when it goes wrong
    #[arg(long, value_name = "TEXT")]
    backout_plan: Option<Text>,
    /// The incident an emergency change answers
    #[arg(long, value_name = "ID")]
    incident: Option<Line>,
    /// The record of the change elsewhere: the system, as ServiceNow
    #[arg(long, value_name = "NAME", requires_all = ["external_id", "external_url", "external_state"])]
    external_system: Option<Line>,
    /// Its id there
    #[arg(long, value_name = "ID", requires = "external_system")]
    external_id: Option<Line>,
    /// Where people open it
    #[arg(long, value_name = "URL", requires = "external_system")]
    external_url: Option<Line>,
    /// Its state there now, as approved
    #[arg(long, value_name = "STATE", requires = "external_system")]
    external_state: Option<Line>,
    /// Say that commits which are live may go: a downgrade is meant
    #[arg(long)]
    allow_removal: bool,
}

/// Propose a candidate.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger release propose --product pump --version 4.2.0 \\
      --repository ./src --artifact pump.img=out/pump.img --risk 'alarm timing' \\
      --reason 'ready to be decided'
  countersign --ledger ./ledger release propose --file release.toml --version 4.2.0 \\
      --reason 'ready to be decided'
  countersign --ledger ./ledger release propose --file release.toml --version 4.2.1 \\
      --change-type standard --authorization 41")]
pub(crate) struct Propose {
    /// The product
    #[arg(long, value_name = "PRODUCT")]
    product: Option<Slug>,
    /// The release id; PRODUCT-VERSION when not said
    #[arg(long, value_name = "ID")]
    release: Option<ReleaseId>,
    /// The release it takes the place of
    #[arg(long, value_name = "RELEASE")]
    supersedes: Option<ReleaseId>,
    /// Propose as this machine's dispatcher under the standing authorization of that entry; nobody signs
    #[arg(long, value_name = "ENTRY", conflicts_with = "signer")]
    authorization: Option<u64>,
    #[command(flatten)]
    fields: Fields,
}

/// Change a candidate.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger release amend pump-4.2.0 \\
      --risk 'alarm timing; seen once in the lab' --reason 'asked for by qa'
  countersign --ledger ./ledger release amend pump-4.2.0 --repository ./src --commit v4.2.0-rc2 \\
      --artifact pump.img=out/pump.img --reason 'the alarm test was red'")]
pub(crate) struct Amend {
    /// The release
    release: ReleaseId,
    #[command(flatten)]
    fields: Fields,
}

impl Fields {
    fn draft(self) -> Result<(Draft, Removal), Error> {
        let file = self.file.as_deref().map(Draft::read).transpose()?.unwrap_or_default();
        let external = match (self.external_system, self.external_id, self.external_url, self.external_state) {
            (Some(system), Some(id), Some(url), Some(state)) => Some(ExternalRecord { id, state, system, url }),
            _ => None,
        };
        let flags = Draft {
            product: None,
            version: self.version,
            release: None,
            commit: self.commit,
            artifacts: self.artifact,
            repository: self.repository,
            base: self.base,
            change_type: self.change_type,
            risk: self.risk,
            security_impact: self.security_impact,
            rollout_plan: self.rollout_plan,
            backout_plan: self.backout_plan,
            incident: self.incident,
            external,
            supersedes: None,
        };
        let removal = if self.allow_removal { Removal::Allowed } else { Removal::Refused };
        Ok((file.overlaid(flags), removal))
    }
}

impl Release {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::Propose(Propose { product, release, supersedes, authorization, fields }) => {
                let (draft, removal) = fields.draft()?;
                let own = Draft { product, release, supersedes, ..Draft::default() };
                let draft = draft.overlaid(own);
                let proposed = match authorization {
                    Some(index) => {
                        let proposer = Proposer::Dispatcher(index, session.globals.reason.clone());
                        releases::propose(&mut ledger, proposer, &draft, removal)?
                    }
                    None => session.sign(&mut ledger, "", |ledger, signing| {
                        releases::propose(ledger, Proposer::Person(signing), &draft, removal)
                    })?,
                };
                Ok(said(&ledger, &proposed, "is proposed"))
            }
            Self::Amend(Amend { release, fields }) => {
                let (draft, removal) = fields.draft()?;
                let proposed = session.sign(&mut ledger, "", |ledger, signing| {
                    releases::amend(ledger, signing, &release, &draft, removal)
                })?;
                Ok(said(&ledger, &proposed, "is amended"))
            }
            Self::Withdraw { release, superseded_by } => {
                let by = superseded_by.clone();
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    releases::withdraw(ledger, signing, &release, superseded_by)
                })?;
                let text = match &by {
                    Some(by) => format!("{by} takes the place of {release}"),
                    None => format!("{release} is given up"),
                };
                Ok(Answer::recorded(entry, text, json!({"release": release, "superseded_by": by})))
            }
            Self::Show { release } => show(&ledger, &release),
            Self::List { product } => {
                let rows = status::releases(ledger.state(), product.as_ref(), clock::now());
                let lines: Vec<[String; 6]> = rows
                    .iter()
                    .map(|row| {
                        [
                            row.release.to_string(),
                            row.product.to_string(),
                            row.version.to_string(),
                            row.state.to_string(),
                            row.proposed.to_string(),
                            or_dash(row.next.as_ref()),
                        ]
                    })
                    .collect();
                let headings = ["RELEASE", "PRODUCT", "VERSION", "STATE", "PROPOSED", "NEXT"];
                Ok(Answer::new(rows, table(headings, &lines)))
            }
            Self::Close { release, result } => {
                let entry = session
                    .sign(&mut ledger, "", |ledger, signing| releases::close(ledger, signing, &release, result))?;
                Ok(Answer::recorded(entry, format!("what came of {release} is on record"), json!({"release": release})))
            }
        }
    }
}

fn said(ledger: &Ledger, proposed: &Proposed, what: &str) -> Answer {
    let candidate = &proposed.candidate;
    let removes: Vec<Value> = proposed
        .removes
        .iter()
        .map(|commit| json!({"commit": commit.id, "subject": visible(&commit.subject)}))
        .collect();
    let mut text = format!("{} {what}\n", proposed.release);
    text.push_str(&indented(&pairs([
        (
            "artifacts",
            words(candidate.artifacts.iter().map(|artifact| format!("{} sha256:{}", artifact.name, artifact.sha256))),
        ),
        ("commit", candidate.commit.to_string()),
        ("changes", changes_in_words(candidate)),
    ])));
    if !removes.is_empty() {
        text.push_str(&format!("\nIt takes {} commits away that are live.", removes.len()));
    }
    let blocked = status::release(ledger.state(), &proposed.release, clock::now())
        .ok()
        .and_then(|view| view.blockers.into_iter().next());
    if let Some(next) = blocked {
        text.push_str(&format!("\nNext: {}: {}", next.what, next.act));
    }
    let more = json!({"release": proposed.release, "candidate": candidate, "removes": removes});
    Answer::recorded(proposed.entry, text, more)
}

fn changes_in_words(candidate: &countersign_core::act::Candidate) -> String {
    let changes = &candidate.changes;
    format!(
        "{} since {} by {}; tickets: {}",
        output::count(changes.commits, "commit"),
        changes.base.as_ref().map_or("the first commit", CommitId::as_str),
        words(&changes.authors),
        words(&changes.tickets)
    )
}

/// Everything about a release, and the difference to what is live.
fn show(ledger: &Ledger, id: &ReleaseId) -> Result<Answer, Error> {
    let view = status::release(ledger.state(), id, clock::now())?;
    let list = releases::change_list(ledger, &view.candidate);
    let mut json = serde_json::to_value(&view).expect("a view holds only strings, numbers, lists and maps");
    json["changes"] = match &list {
        Ok(list) => json!(list),
        Err(error) => json!({"error": {"code": error.code, "message": error.message}}),
    };
    let mut text = fields(&view);
    text.push_str("\n\nDifference to what is live\n");
    text.push_str(&indented(&difference(&view)));
    match &list {
        Ok(list) => {
            let stat = &list.diff_stat;
            text.push_str(&format!(
                "\n  {} changed, {} new, {} gone\n",
                output::count(stat.files, "file"),
                output::count(stat.insertions, "line"),
                output::count(stat.deletions, "line")
            ));
            for commit in list.commits.iter().take(50) {
                text.push_str(&format!(
                    "\n  {} {} ({})",
                    &commit.id.as_str()[..12],
                    visible(&commit.subject),
                    visible(&commit.author_name)
                ));
            }
            if list.commits.len() > 50 {
                text.push_str(&format!("\n  and {} more; --json lists all", list.commits.len() - 50));
            }
        }
        Err(error) => text.push_str(&format!("\n  the change list cannot be shown: {error}")),
    }
    text.push_str("\n\n");
    text.push_str(&status_command::in_words(&view));
    Ok(Answer::new(json, text))
}

fn fields(view: &ReleaseView) -> String {
    let candidate = &view.candidate;
    let mut list: Vec<(&str, String)> = vec![
        ("product", candidate.product.to_string()),
        ("version", candidate.version.to_string()),
        ("commit", candidate.commit.to_string()),
    ];
    for artifact in &candidate.artifacts {
        list.push(("artifact", format!("{} sha256:{}", artifact.name, artifact.sha256)));
    }
    list.push(("change type", candidate.change_type.to_string()));
    list.push(("reason", view.reason.clone()));
    list.push(("proposed by", format!("{} {}", view.proposer, view.proposed)));
    let texts = [
        ("risk", &candidate.risk),
        ("security", &candidate.security_impact),
        ("rollout plan", &candidate.rollout_plan),
        ("back-out plan", &candidate.backout_plan),
    ];
    for (name, text) in texts {
        list.push((name, or_dash(text.as_ref())));
    }
    if let Some(incident) = &candidate.incident {
        list.push(("incident", incident.to_string()));
    }
    if let Some(external) = &candidate.external {
        let record = format!("{} {} ({}) {}", external.system, external.id, external.state, external.url);
        list.push(("change record", record));
    }
    if let Some(result) = &view.outcome {
        list.push(("outcome", result.to_string()));
    }
    format!("{}\n{}", view.release, output::indented(&pairs(list)))
}

fn difference(view: &ReleaseView) -> String {
    let candidate = &view.candidate;
    let Some(live) = &view.live.now else {
        return format!("nothing is live yet; {}", changes_in_words(candidate));
    };
    if view.live.this_release {
        return "this release is live".to_owned();
    }
    let artifacts =
        words(live.artifacts.iter().map(|artifact| format!("{} sha256:{}", artifact.name, artifact.sha256)));
    let mut list = vec![
        ("live now", format!("{} ({}), commit {}", live.version, live.release, live.commit)),
        ("its artifacts", artifacts),
        ("changes", changes_in_words(candidate)),
    ];
    if !view.live.list_begins_at_live {
        list.push((
            "beware",
            "the change list does not begin at what is live; list the changes anew with `release amend --repository`"
                .into(),
        ));
    }
    pairs(list)
}
