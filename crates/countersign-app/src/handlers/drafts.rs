//! Proposals that are not signed yet: one file each, in this user's own place, so that a crash loses no line.

use std::path::PathBuf;

use countersign_core::state::State;

use super::host::{Host, held};
use super::places;
use super::show::{optional, word};
use crate::durable::{self, FileError};
use crate::error::Error;
use crate::releases::{ArtifactDraft, Draft, Removal};
use crate::wire as w;

const DRAFTS_MAX: usize = 200;

/// A draft as it lies on the disk: paths in full, because tokens end with the program.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Kept {
    amends: Option<String>,
    saved: String,
    repository: Option<PathBuf>,
    files: Vec<Option<PathBuf>>,
    form: w::ProposalForm,
}

fn dir(host: &Host) -> Result<PathBuf, Error> {
    let open = held(&host.0.open);
    let open = open.as_ref().ok_or_else(|| Error::usage("no ledger is open"))?;
    let dir = host.0.options.config_dir.join("drafts").join(open.ledger.fingerprint().to_string());
    durable::create_private_dir(&dir)?;
    Ok(dir)
}

fn path(host: &Host, id: &str) -> Result<PathBuf, Error> {
    // A draft is named by an id of ours, never by what a page makes up.
    let id = uuid::Uuid::parse_str(id).map_err(|_| Error::not_found("there is no such draft"))?;
    Ok(dir(host)?.join(format!("{id}.json")))
}

fn shown(host: &Host, id: String, kept: Kept) -> w::ProposalDraft {
    let mut form = kept.form;
    form.repository = kept.repository.map(|path| host.register_path(path));
    for (artifact, file) in form.artifacts.iter_mut().zip(kept.files) {
        artifact.file = file.map(|path| host.register_path(path));
    }
    w::ProposalDraft { id, amends: kept.amends, form, saved: kept.saved }
}

/// Returns every draft of the open ledger, the last saved first.
pub(super) fn list(host: &Host) -> Result<Vec<w::ProposalDraft>, Error> {
    let dir = dir(host)?;
    let mut drafts = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(FileError::io("list", &dir))? {
        let name = entry.map_err(FileError::io("list", &dir))?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".json")) else { continue };
        if let Some(kept) = places::load::<Kept>(&dir.join(&name))? {
            drafts.push(shown(host, id.to_owned(), kept));
        }
    }
    drafts.sort_by(|a, b| b.saved.cmp(&a.saved));
    Ok(drafts)
}

pub(super) fn get(host: &Host, id: &str) -> Result<w::ProposalDraft, Error> {
    let kept: Option<Kept> = places::load(&path(host, id)?)?;
    kept.map(|kept| shown(host, id.to_owned(), kept)).ok_or_else(|| Error::not_found("there is no such draft"))
}

/// Keeps a draft as it is; nothing is checked.
pub(super) fn save(host: &Host, request: w::SaveDraft) -> Result<w::ProposalDraft, Error> {
    if request.id.is_none() && list(host)?.len() >= DRAFTS_MAX {
        return Err(Error::usage(format!("there are {DRAFTS_MAX} drafts")).hint("throw some away first"));
    }
    let id = request.id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let picked = |token: &Option<w::PathRef>| match token {
        Some(token) => host.picked(&token.token).map(Some),
        None => Ok(None),
    };
    let form = request.form;
    let kept = Kept {
        amends: request.amends,
        saved: host.now(),
        repository: picked(&form.repository)?,
        files: form.artifacts.iter().map(|artifact| picked(&artifact.file)).collect::<Result<_, _>>()?,
        form,
    };
    places::store(&path(host, &id)?, &kept)?;
    Ok(shown(host, id, kept))
}

pub(super) fn delete(host: &Host, id: &str) -> Result<(), Error> {
    let path = path(host, id)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(FileError::io("remove", &path)(error).into()),
        _ => Ok(()),
    }
}

/// Returns a form with what is known already: for an amendment the candidate as it is, else what the last release of the
/// product said that does not change.
pub(super) fn prefilled(state: &State, amends: Option<&str>) -> Result<w::ProposalForm, Error> {
    let mut form = w::ProposalForm {
        product: None,
        version: None,
        release: None,
        repository: None,
        commit: None,
        artifacts: Vec::new(),
        change_type: w::ChangeType::Normal,
        risk: None,
        security_impact: None,
        rollout_plan: None,
        backout_plan: None,
        incident: None,
        external: None,
        supersedes: None,
        reason: None,
        allow_removal: false,
    };
    let Some(id) = amends else {
        let mut products = state.products.keys();
        // With one product there is nothing to choose.
        if let (Some(only), None) = (products.next(), products.next()) {
            form.product = Some(only.to_string());
        }
        return Ok(form);
    };
    let release = super::release::find(state, id)?;
    let view = super::release::candidate_view(release);
    form.product = Some(release.candidate.product.to_string());
    form.version = Some(release.candidate.version.to_string());
    form.release = Some(release.id.to_string());
    form.change_type = view.change_type;
    form.artifacts = view
        .artifacts
        .into_iter()
        .map(|artifact| w::ArtifactForm { name: artifact.name, file: None, sha256: Some(artifact.sha256) })
        .collect();
    (form.risk, form.security_impact) = (view.risk, view.security_impact);
    (form.rollout_plan, form.backout_plan) = (view.rollout_plan, view.backout_plan);
    (form.incident, form.external) = (view.incident, view.external);
    Ok(form)
}

/// Reads a form into a draft of the use cases; each wrong word is told with its field.
pub(super) fn read(host: &Host, form: &w::ProposalForm) -> Result<(Draft, Removal), Vec<Error>> {
    let mut wrong = Vec::new();
    macro_rules! take {
        ($result:expr) => {
            match $result {
                Ok(value) => value,
                Err(error) => {
                    wrong.push(error);
                    None
                }
            }
        };
    }
    let picked = |token: &Option<w::PathRef>, field| match token {
        Some(token) => host.picked(&token.token).map(Some).map_err(|error| error.in_field(field)),
        None => Ok(None),
    };
    let product = take!(optional(form.product.as_deref(), "product"));
    let version = take!(optional(form.version.as_deref(), "version"));
    let release = take!(optional(form.release.as_deref(), "release"));
    let repository = take!(picked(&form.repository, "repository"));
    let mut artifacts = Vec::new();
    for artifact in &form.artifacts {
        let name = take!(optional(Some(&artifact.name), "artifacts"));
        let file = take!(picked(&artifact.file, "artifacts"));
        let digest = artifact.sha256.as_deref().filter(|text| !text.is_empty());
        let sha256 = take!(
            digest
                .map(|text| text.parse())
                .transpose()
                .map_err(|_| { Error::usage("a digest is 64 lower hex digits").in_field("artifacts") })
        );
        if let Some(name) = name {
            // A picked file stands over a digest that was there before.
            let sha256 = sha256.filter(|_| file.is_none());
            artifacts.push(ArtifactDraft { name, file, sha256 });
        }
    }
    let external = match &form.external {
        None => None,
        Some(record) => take!(external(record).map(Some)),
    };
    let draft = Draft {
        product,
        version,
        release,
        commit: form.commit.clone().filter(|commit| !commit.trim().is_empty()),
        artifacts,
        repository,
        base: None,
        change_type: Some(form.change_type.into()),
        risk: take!(optional(form.risk.as_deref(), "risk")),
        security_impact: take!(optional(form.security_impact.as_deref(), "securityImpact")),
        rollout_plan: take!(optional(form.rollout_plan.as_deref(), "rolloutPlan")),
        backout_plan: take!(optional(form.backout_plan.as_deref(), "backoutPlan")),
        incident: take!(optional(form.incident.as_deref(), "incident")),
        external,
        supersedes: take!(optional(form.supersedes.as_deref(), "supersedes")),
    };
    let removal = if form.allow_removal { Removal::Allowed } else { Removal::Refused };
    if wrong.is_empty() { Ok((draft, removal)) } else { Err(wrong) }
}

fn external(record: &w::ExternalRecord) -> Result<countersign_core::act::ExternalRecord, Error> {
    Ok(countersign_core::act::ExternalRecord {
        id: word(&record.id, "external")?,
        state: word(&record.state, "external")?,
        system: word(&record.system, "external")?,
        url: word(&record.url, "external")?,
    })
}
