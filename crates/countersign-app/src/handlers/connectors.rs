//! What this desk can reach, whether it answers, and how strongly a target enforces what was signed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use countersign_core::act::{ConnectorConfig, Target};
use countersign_core::hash::Digest;
use countersign_core::words::Slug;
use serde::{Deserialize, Serialize};

use super::host::{Host, Open};
use super::jobs::Work;
use super::show::word;
use crate::connectors::{self, ConnectorRow};
use crate::desk::DeskDir;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::wire as w;
use crate::{attestation, clock, durable, rollout};

/// How far clocks may be apart before it is told.
const CLOCK_AHEAD_SECONDS_MAX: i64 = 60;
const SCRIPT_BYTES_MAX: u64 = 4 << 20;

/// Returns the connectors of this desk.
///
/// # Errors
/// No ledger is open, or the desk's files cannot be read.
pub fn connectors(host: &Host) -> Result<w::Connectors, w::AppError> {
    host.read(|open| Ok(w::Connectors { connectors: rows(open)? }))
}

fn rows(open: &Open) -> Result<Vec<w::ConnectorRow>, Error> {
    let targets: Vec<&Target> = open.ledger.state().targets.values().map(|(_, target)| target).collect();
    let used = |fits: &dyn Fn(&ConnectorConfig) -> bool| {
        let named = |target: &&&Target| fits(&target.connector);
        let name = |target: &&Target| w::TargetName {
            product: target.product.to_string(),
            environment: target.environment.to_string(),
        };
        targets.iter().filter(named).map(name).collect()
    };
    let row = |row: ConnectorRow| match row {
        ConnectorRow::Buildbot { name, base_url, user, ca_sha256, system_authorities } => w::ConnectorRow::Buildbot {
            name: name.to_string(),
            used_by: used(&|config| {
                matches!(config, ConnectorConfig::Buildbot { base_url: wanted, .. }
                    if wanted.as_str().trim_end_matches('/') == base_url.trim_end_matches('/'))
            }),
            base_url,
            user,
            certificate_sha256: ca_sha256.to_string(),
            system_authorities,
        },
        ConnectorRow::LocalCommand { name, script, script_sha256, refused } => w::ConnectorRow::LocalCommand {
            used_by: used(
                &|config| matches!(config, ConnectorConfig::LocalCommand { command, .. } if command.as_str() == name),
            ),
            name,
            script: script.display().to_string(),
            script_sha256: script_sha256.to_string(),
            refused,
        },
    };
    Ok(connectors::list(open.ledger.desk())?.into_iter().map(row).collect())
}

/// Forgets a connector, its address and its secret.
///
/// # Errors
/// There is none of that name.
pub fn remove_connector(host: &Host, request: w::ConnectorName) -> Result<w::Connectors, w::AppError> {
    host.read(|open| {
        let name: Slug = word(&request.name, "name")?;
        let desk = open.ledger.desk();
        let known = connectors::list(desk)?.into_iter().find(|row| match row {
            ConnectorRow::Buildbot { name: known, .. } => *known == name,
            ConnectorRow::LocalCommand { name: known, .. } => known == name.as_str(),
        });
        match known {
            Some(ConnectorRow::Buildbot { .. }) => connectors::remove_buildbot(desk, &name)?,
            Some(ConnectorRow::LocalCommand { .. }) => connectors::disallow_command(desk, &name)?,
            None => return Err(Error::not_found(format!("this desk has no connector {name}"))),
        }
        Ok(w::Connectors { connectors: rows(open)? })
    })
}

// ------------------------------------------------------------------------------------------------- enforcement

/// What was found out about a target, by the digest of its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    tier: w::Tier,
    at: String,
}

fn measured_path(desk: &DeskDir) -> PathBuf {
    desk.path().join("enforcement.json")
}

fn measurements(desk: &DeskDir) -> Result<BTreeMap<String, Measured>, Error> {
    Ok(super::places::load(&measured_path(desk))?.unwrap_or_default())
}

/// Returns how strongly a target enforces what was signed, as it was measured last, and the ways around it.
pub(super) fn enforcement(ledger: &Ledger, digest: Digest, target: &Target) -> w::Enforcement {
    let found = measurements(ledger.desk()).ok().and_then(|known| known.get(&digest.to_string()).cloned());
    let tier = found.as_ref().map_or(w::Tier::Unmeasured, |found| found.tier);
    let mut ways = match &target.connector {
        ConnectorConfig::Buildbot { .. } => {
            vec![w::WayAround::ManualTrigger, w::WayAround::PipelineEditable, w::WayAround::DirectAccess]
        }
        ConnectorConfig::LocalCommand { .. } => vec![w::WayAround::CommandRunByHand, w::WayAround::DirectAccess],
    };
    match tier {
        w::Tier::C => ways.insert(0, w::WayAround::GateNotInPipeline),
        w::Tier::Unmeasured => ways.insert(0, w::WayAround::NotMeasured),
        w::Tier::A | w::Tier::B => {}
    }
    w::Enforcement { tier, measured: found.map(|found| found.at), ways_around: ways }
}

fn remember(desk: &DeskDir, digests: &[Digest], tier: w::Tier) -> Result<(), Error> {
    let _lock = durable::lock(&measured_path(desk).with_extension("lock"))?;
    let mut known = measurements(desk)?;
    for digest in digests {
        known.insert(digest.to_string(), Measured { tier, at: clock::now().to_string() });
    }
    super::places::store(&measured_path(desk), &known)
}

// ------------------------------------------------------------------------------------------------- testing

/// Tests a connector step by step, and measures how strongly its targets enforce what was signed.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn test_connector(host: &Host, request: w::TestConnector) -> Result<w::JobRef, w::AppError> {
    let (desk, targets) = host.read(|open| {
        let state = open.ledger.state();
        let row = connectors::list(open.ledger.desk())?.into_iter().find(|row| match row {
            ConnectorRow::Buildbot { name, .. } => name.as_str() == request.name,
            ConnectorRow::LocalCommand { name, .. } => *name == request.name,
        });
        let row = row.ok_or_else(|| Error::not_found(format!("this desk has no connector {}", request.name)))?;
        let fits = |target: &Target| match (&row, &target.connector) {
            (ConnectorRow::Buildbot { base_url, .. }, ConnectorConfig::Buildbot { base_url: wanted, .. }) => {
                wanted.as_str().trim_end_matches('/') == base_url.trim_end_matches('/')
            }
            (ConnectorRow::LocalCommand { name, .. }, ConnectorConfig::LocalCommand { command, .. }) => {
                command.as_str() == name
            }
            _ => false,
        };
        let targets: Vec<(Digest, Target)> = state
            .targets
            .values()
            .filter(|(_, target)| fits(target))
            .map(|(entry, target)| (entry.leaf, target.clone()))
            .collect();
        Ok((open.ledger.desk().clone(), (row, targets)))
    })?;
    let work = Work { kind: w::JobKind::ConnectorTest, release: None, cancellable: true };
    Ok(host.start(work, move |job| {
        let (row, targets) = targets;
        let mut jobs = request.jobs.clone();
        for (_, target) in &targets {
            if !jobs.contains(&target.job.to_string()) {
                jobs.push(target.job.to_string());
            }
        }
        job.at(w::JobStep::Looking, 0, 0);
        let (connector, _) = connectors::named(&desk, &request.name)?;
        let mut test = Test::default();
        let found = rollout::block_on(async {
            let server = tokio::select! {
                tried = connectors::try_out(connector.as_ref(), &[]) => tried,
                () = stopped(job) => return Err(Error::new(ErrorKind::No, crate::error::CANCELLED, "it was stopped")),
            };
            match server {
                Ok(tried) => {
                    test.reached(&tried);
                    for (place, name) in jobs.iter().enumerate() {
                        job.at(w::JobStep::Checking, place as u64, jobs.len() as u64);
                        job.go_on()?;
                        test.job(name, connectors::try_out(connector.as_ref(), std::slice::from_ref(name)).await);
                    }
                    Ok(Some(tried))
                }
                Err(error) => {
                    test.refused(&error);
                    Ok(None)
                }
            }
        })?;
        let tier = test.gate(&row)?;
        let digests: Vec<Digest> = targets.iter().map(|(digest, _)| *digest).collect();
        if found.is_some() {
            remember(&desk, &digests, tier)?;
        }
        let ways_around = match &row {
            ConnectorRow::Buildbot { .. } => {
                vec![w::WayAround::ManualTrigger, w::WayAround::PipelineEditable, w::WayAround::DirectAccess]
            }
            ConnectorRow::LocalCommand { .. } => vec![w::WayAround::CommandRunByHand, w::WayAround::DirectAccess],
        };
        let test = w::ConnectorTest {
            name: request.name,
            steps: test.steps,
            product: found.as_ref().map(|tried| tried.product.clone()),
            version: found.as_ref().and_then(|tried| tried.version.clone()),
            user: found.as_ref().and_then(|tried| tried.user.clone()),
            clock_ahead_seconds: found
                .as_ref()
                .and_then(|tried| tried.clock_ahead_seconds)
                .map(|ahead| i32::try_from(ahead).unwrap_or(if ahead > 0 { i32::MAX } else { i32::MIN })),
            enforcement: w::Enforcement { tier, measured: Some(clock::now().to_string()), ways_around },
        };
        Ok(w::JobOutcome::Tested { test })
    }))
}

async fn stopped(job: &super::jobs::Job) {
    while !job.cancelled() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[derive(Default)]
struct Test {
    steps: Vec<w::TestStep>,
    /// Whether every job that was asked for takes an attestation.
    attested: Option<bool>,
    failed: bool,
}

impl Test {
    fn step(&mut self, step: w::TestStepName, state: w::TestStepState, subject: Option<&str>, message: Option<String>) {
        self.steps.push(w::TestStep { step, state, subject: subject.map(str::to_owned), message });
    }

    fn reached(&mut self, tried: &connectors::Tried) {
        use w::{TestStepName as N, TestStepState as S};
        let version = tried.version.as_deref().unwrap_or_default();
        self.step(N::Reach, S::Passed, None, Some(format!("{} {version}", tried.product).trim().to_owned()));
        match &tried.user {
            Some(user) => self.step(N::Identify, S::Passed, Some(user), None),
            None => self.step(N::Identify, S::Skipped, None, None),
        }
        match tried.clock_ahead_seconds {
            Some(ahead) if ahead.abs() > CLOCK_AHEAD_SECONDS_MAX => {
                self.step(N::Clock, S::Warned, None, Some(format!("{ahead} s")));
            }
            Some(ahead) => self.step(N::Clock, S::Passed, None, Some(format!("{ahead} s"))),
            None => self.step(N::Clock, S::Skipped, None, None),
        }
    }

    fn refused(&mut self, error: &Error) {
        self.failed = true;
        let message = match &error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message.clone(),
        };
        self.step(w::TestStepName::Reach, w::TestStepState::Failed, None, Some(message));
    }

    fn job(&mut self, name: &str, tried: Result<connectors::Tried, Error>) {
        use w::{TestStepName as N, TestStepState as S};
        match tried.map(|tried| tried.jobs.into_iter().next()) {
            Ok(Some(found)) => {
                self.step(N::Job, S::Passed, Some(name), None);
                let takes = !found.missing.iter().any(|input| input == "attestation");
                self.attested = Some(self.attested.unwrap_or(true) && takes);
                if found.missing.is_empty() {
                    self.step(N::Inputs, S::Passed, Some(name), None);
                } else {
                    self.step(N::Inputs, S::Failed, Some(name), Some(found.missing.join(", ")));
                }
            }
            Ok(None) => self.step(N::Job, S::Skipped, Some(name), None),
            Err(error) => {
                self.failed = true;
                self.step(N::Job, S::Failed, Some(name), Some(error.message));
            }
        }
    }

    /// Says how strongly it enforces: a pipeline that takes the attestation can check it, and a script is looked into.
    fn gate(&mut self, row: &ConnectorRow) -> Result<w::Tier, Error> {
        use w::{TestStepName as N, TestStepState as S};
        let tier = match row {
            _ if self.failed => w::Tier::Unmeasured,
            ConnectorRow::LocalCommand { script, script_sha256, .. } => {
                let bytes = durable::read(script, SCRIPT_BYTES_MAX)?;
                let text = String::from_utf8_lossy(&bytes);
                let own = Digest::of(&bytes) == *script_sha256;
                let calls = text.lines().any(|line| !line.trim_start().starts_with('#') && line.contains("gate.sh"));
                let is_gate = text.contains(attestation::NAMESPACE);
                if own && (calls || is_gate) { w::Tier::B } else { w::Tier::C }
            }
            ConnectorRow::Buildbot { .. } => match self.attested {
                Some(true) => w::Tier::B,
                Some(false) => w::Tier::C,
                None => w::Tier::Unmeasured,
            },
        };
        let state = match tier {
            w::Tier::A | w::Tier::B => S::Passed,
            w::Tier::C => S::Warned,
            w::Tier::Unmeasured => S::Skipped,
        };
        self.step(N::Gate, state, None, None);
        Ok(tier)
    }
}
