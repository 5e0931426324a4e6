//! Makes the entries of a sample: each decided by the rules, signed by whoever says it, in a past of its own.

use std::collections::BTreeMap;
use std::path::Path;

use countersign_core::act::{
    Act, Approval, Artifact, Asked, Candidate, ChangeType, CommitSource, DeviceCard, Dispatch, DispatchKind,
    DispatchState, Evidence, EvidenceOrigin, Lease, LiveRelease, Meaning, Outcome, Propose, ProposeChange, Reauth, Run,
    RunConclusion, RunRef, RunStatus, SeenBasis, Signer, Stage, Verdict, Wave, WaveVerdict, Window,
};
use countersign_core::decide::{self, Command, Context};
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::state::State;
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Slug, Text, Timestamp, Zone};
use ed25519_dalek::SigningKey;

use super::files;
use crate::error::{Error, ErrorKind};
use crate::evidence;
use crate::ledger::app;
use crate::store::NewLeaf;

/// Reads a word of the sample's own; one that is not lawful is told as a mistake of ours.
pub(super) fn say<T: std::str::FromStr<Err = countersign_core::words::WordError>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|error: countersign_core::words::WordError| {
        Error::new(ErrorKind::Integrity, "sample", format!("a word of the sample is not lawful: {error}"))
    })
}

/// A candidate as the story tells it.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) commits: usize,
    pub(super) change_type: ChangeType,
    pub(super) prefix: &'static str,
    pub(super) file: &'static str,
    pub(super) risk: &'static str,
    pub(super) supersedes: Option<String>,
    pub(super) incident: Option<&'static str>,
}

/// How a dispatch went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    Well,
    Badly,
    /// It was sent and nobody knew; found again later.
    Unknown,
}

/// A ledger while it is made.
pub(super) struct Maker {
    pub(super) state: State,
    pub(super) leaves: Vec<NewLeaf>,
    pub(super) blobs: BTreeMap<Digest, Vec<u8>>,
    pub(super) now: Timestamp,
    keys: BTreeMap<Principal, (Line, SigningKey)>,
    desk: Principal,
    dispatcher: Principal,
    origin: Line,
    requests: u64,
    /// Who is enrolled last.
    pub(super) newcomer: Option<countersign_core::act::PersonCard>,
    /// The standing authorizations by product.
    pub(super) authorizations: BTreeMap<&'static str, EntryRef>,
}

impl Maker {
    pub(super) fn new(desk: Principal, dispatcher: Principal, origin: Line, now: Timestamp) -> Self {
        Self {
            state: State::default(),
            leaves: Vec::new(),
            blobs: BTreeMap::new(),
            now,
            keys: BTreeMap::new(),
            desk,
            dispatcher,
            origin,
            requests: 0,
            newcomer: None,
            authorizations: BTreeMap::new(),
        }
    }

    pub(super) fn knows(&mut self, principal: Principal, name: Line, key: SigningKey) {
        self.keys.insert(principal, (name, key));
    }

    pub(super) fn blob(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.blobs.entry(digest).or_insert(bytes);
        digest
    }

    /// Decides, signs and takes in one command.
    pub(super) fn command(&mut self, who: &str, command: Command, reason: Option<&str>) -> Result<EntryRef, Error> {
        let principal: Principal = say(who)?;
        let (name, key) = self
            .keys
            .get(&principal)
            .ok_or_else(|| Error::new(ErrorKind::Integrity, "sample", format!("{who} has no key")))?;
        let person = principal != self.desk && principal != self.dispatcher;
        let context = Context {
            app: app(),
            device: self.desk.clone(),
            signer: Signer { name: name.clone(), principal },
            reason: reason.map(say::<Text>).transpose()?,
            // A persona's passphrase is printed on the screen: nobody proved presence by it.
            reauth: person.then_some(Reauth::File),
            seen_basis: person.then_some(SeenBasis::Full),
            now: self.now,
            zone: Zone::UTC,
            nonce: Digest::of(format!("{} {}", self.origin, self.leaves.len()).as_bytes()).to_string()[..16]
                .parse()
                .map_err(|_| Error::new(ErrorKind::Integrity, "sample", "a nonce is 16 hex digits"))?,
            origin: self.origin.clone(),
        };
        let told = |error: &dyn std::fmt::Display, at: Timestamp| {
            Error::new(ErrorKind::Integrity, "sample", format!("{who} at {at}: {error}"))
        };
        let statement = decide::decide(&self.state, command, &context).map_err(|error| told(&error, self.now))?;
        let entry =
            Entry::sign(&statement.payload(), statement.act.name(), key).map_err(|error| told(&error, self.now))?;
        let payload_hash = entry.payload_hash();
        let leaf = entry.into_leaf();
        let taken = self.state.take(leaf.clone()).map_err(|finding| told(&finding.message, self.now))?;
        self.leaves.push(NewLeaf { leaf, payload_hash });
        Ok(taken)
    }

    pub(super) fn person(&mut self, who: &str, act: impl Into<Act>, reason: &str) -> Result<EntryRef, Error> {
        self.command(who, Command::Record(act.into()), Some(reason))
    }

    pub(super) fn desk(&mut self, act: impl Into<Act>) -> Result<EntryRef, Error> {
        let desk = self.desk.to_string();
        self.command(&desk, Command::Record(act.into()), None)
    }

    pub(super) fn dispatcher(&mut self, command: Command) -> Result<EntryRef, Error> {
        let dispatcher = self.dispatcher.to_string();
        self.command(&dispatcher, command, None)
    }

    pub(super) fn live(&self, product: &str) -> Option<&LiveRelease> {
        let product: Slug = product.parse().ok()?;
        crate::releases::live(&self.state, &product)
    }

    // --------------------------------------------------------------------------------------------- a release

    pub(super) fn propose(&mut self, who: &str, product: &str, version: &str, change: &Change) -> Result<(), Error> {
        let release: ReleaseId = say(&format!("{product}-{version}"))?;
        let base = self.live(product).map(|live| live.commit.clone());
        let list = files::commits(product, version, base, change, self.now)?;
        let candidate = Candidate {
            artifacts: vec![artifact(product, version, change.file)?],
            backout_plan: Some(say("The sheet's rollback slot: the version that is live now, same pipeline")?),
            change_type: change.change_type,
            changes: list.summary()?,
            commit: list.head.clone(),
            external: None,
            incident: change.incident.map(say).transpose()?,
            product: say(product)?,
            risk: Some(say(change.risk)?),
            rollout_plan: Some(say("One segment first, then the rest, each wave baked and watched")?),
            security_impact: Some(say("No new input is read, no new dependency is loaded")?),
            version: say(version)?,
        };
        let blob = list.encode()?;
        self.blob(blob);
        let supersedes = change.supersedes.as_deref().map(say).transpose()?;
        let act = ProposeChange::Candidate { authorization: None, candidate, supersedes };
        self.person(who, Propose { change: act, release }, "Cut from main, ready to be judged")?;
        Ok(())
    }

    /// A file the CI system left, read as any other.
    pub(super) fn evidence(
        &mut self,
        release: &str,
        name: &str,
        bytes: Vec<u8>,
        replaces: Option<EntryRef>,
        reason: Option<&str>,
    ) -> Result<EntryRef, Error> {
        let id: ReleaseId = say(release)?;
        let read = evidence::read(&bytes, name)
            .map_err(|error| Error::new(ErrorKind::Integrity, "sample", format!("{name}: {error}")))?;
        let size = bytes.len() as u64;
        let digest = self.blob(bytes);
        let commit = self.release(&id)?.candidate.commit.clone();
        let run = 4000 + self.leaves.len() as u64 / 3;
        let act = Evidence {
            commit,
            commit_source: CommitSource::Run,
            conclusion: read.conclusion,
            counts: read.counts,
            digest,
            kind: read.kind,
            name: say(name)?,
            origin: EvidenceOrigin::Observed {
                connector: say("buildbot https://ci.sample.example/")?,
                raw_sha256: Digest::of(format!("reply about run {run}").as_bytes()),
                run: say(&run.to_string())?,
            },
            release: id,
            replaces,
            size,
        };
        let desk = self.desk.to_string();
        self.command(&desk, Command::Record(act.into()), reason)
    }

    /// A file a person brought.
    pub(super) fn attach(
        &mut self,
        who: &str,
        release: &str,
        name: &str,
        bytes: Vec<u8>,
        conclusion: Option<countersign_core::evidence::Conclusion>,
    ) -> Result<EntryRef, Error> {
        let id: ReleaseId = say(release)?;
        let read = evidence::read(&bytes, name)
            .map_err(|error| Error::new(ErrorKind::Integrity, "sample", format!("{name}: {error}")))?;
        let size = bytes.len() as u64;
        let digest = self.blob(bytes);
        let commit = self.release(&id)?.candidate.commit.clone();
        let act = Evidence {
            commit,
            commit_source: CommitSource::Attacher,
            conclusion: conclusion.unwrap_or(read.conclusion),
            counts: read.counts,
            digest,
            kind: read.kind,
            name: say(name)?,
            origin: EvidenceOrigin::Attached {},
            release: id,
            replaces: None,
            size,
        };
        self.person(who, act, "From the bench, as measured")
    }

    fn release(&self, id: &ReleaseId) -> Result<&countersign_core::state::Release, Error> {
        self.state
            .releases
            .get(id)
            .ok_or_else(|| Error::new(ErrorKind::Integrity, "sample", format!("there is no {id}")))
    }

    /// Prepares and walks a dispatch, a few seconds a step.
    pub(super) fn dispatch(
        &mut self,
        release: &str,
        environment: &str,
        kind: DispatchKind,
        by: Option<&str>,
        went: Went,
    ) -> Result<EntryRef, Error> {
        let id: ReleaseId = say(release)?;
        self.requests += 1;
        let request = Digest::of(format!("{} request {}", self.origin, self.requests).as_bytes()).to_string();
        let request_id: Line = say(&format!("{}-{}", &request[..8], &request[8..20]))?;
        let run = RunRef { attempt: 1, id: say(&(8000 + self.requests).to_string())?, url: None };
        let command = Command::Dispatch {
            release: id.clone(),
            environment: say(environment)?,
            kind,
            request_id: request_id.clone(),
            by: by.map(say).transpose()?,
            resends: None,
        };
        let mut last = self.dispatcher(command)?;
        let steps: &[DispatchState] = match went {
            Went::Well | Went::Badly => {
                &[DispatchState::Sending, DispatchState::Accepted, DispatchState::Bound, DispatchState::Finished]
            }
            Went::Unknown => {
                &[DispatchState::Sending, DispatchState::FateUnknown, DispatchState::Bound, DispatchState::Finished]
            }
        };
        for state in steps {
            self.now = self.now.plus_seconds(if *state == DispatchState::Finished { 95 } else { 2 });
            if *state == DispatchState::Finished {
                self.saw(&id, &request_id, &run, went)?;
            }
            let known = self.release(&id)?.dispatches.iter().find(|known| known.body.request_id == request_id);
            let Some(known) = known else { return Err(Error::not_found("the dispatch that was just prepared")) };
            let mut body: Dispatch = known.body.clone();
            body.state = *state;
            body.detail = match (state, went) {
                (DispatchState::FateUnknown, _) => Some(say("the connection was cut while the request was sent")?),
                (DispatchState::Finished, Went::Badly) => Some(say("deploy: step deploy failed · exit status 1")?),
                (DispatchState::Finished, _) => Some(say("deploy: SUCCESS")?),
                _ => None,
            };
            if *state == DispatchState::Bound {
                body.run = Some(run.clone());
            }
            body.conclusion = (*state == DispatchState::Finished).then_some(match went {
                Went::Badly => RunConclusion::Failure,
                _ => RunConclusion::Success,
            });
            last = self.dispatcher(Command::Record(body.into()))?;
        }
        Ok(last)
    }

    fn saw(&mut self, id: &ReleaseId, request_id: &Line, run: &RunRef, went: Went) -> Result<(), Error> {
        let log = files::log(id.as_str(), went != Went::Badly);
        let digest = self.blob(log.into_bytes());
        let word = if went == Went::Badly { "FAILURE" } else { "SUCCESS" };
        let body = Run {
            log: Some(digest),
            jobs: [("gate".to_owned(), say("SUCCESS")?), ("deploy".to_owned(), say(word)?)].into(),
            raw: say(word)?,
            release: id.clone(),
            request_id: request_id.clone(),
            run: run.clone(),
            status: RunStatus::Completed,
        };
        self.dispatcher(Command::Record(body.into()))?;
        Ok(())
    }

    /// Delivers to staging and sees it run there.
    pub(super) fn stage(&mut self, release: &str, by: &str) -> Result<(), Error> {
        let id: ReleaseId = say(release)?;
        let dispatch = self.dispatch(release, "staging", DispatchKind::Deploy, Some(by), Went::Well)?;
        let candidate = self.release(&id)?.candidate.clone();
        let act = Stage {
            artifact: candidate.artifacts[0].sha256,
            dispatch,
            environment: say("staging")?,
            release: id,
            server_time: Some(self.now),
            version: candidate.version,
        };
        self.dispatcher(Command::Record(act.into()))?;
        Ok(())
    }

    pub(super) fn freeze(
        &mut self,
        who: Option<&str>,
        release: &str,
        authorization: Option<EntryRef>,
        asked: &[(&str, Option<&str>)],
        due: Option<i64>,
    ) -> Result<EntryRef, Error> {
        let asked =
            asked.iter().map(|(role, person)| Ok(Asked { person: person.map(say).transpose()?, role: say(role)? }));
        let command = Command::Freeze {
            release: say(release)?,
            authorization,
            window: None,
            asked: asked.collect::<Result<_, Error>>()?,
            due: due.map(|seconds| self.now.plus_seconds(seconds)),
        };
        match who {
            Some(who) => self.command(who, command, Some("Everything the policy asks for is there")),
            None => self.dispatcher(command),
        }
    }

    pub(super) fn answer(
        &mut self,
        who: &str,
        role: &str,
        release: &str,
        verdict: Verdict,
        reason: &str,
        conditions: &[&str],
    ) -> Result<EntryRef, Error> {
        let meaning = match (verdict, role) {
            (Verdict::NoGo | Verdict::Hold, _) => Meaning::Review,
            (_, "safety") => Meaning::Certification,
            _ => Meaning::Approval,
        };
        let command = Command::Answer {
            release: say(release)?,
            role: say(role)?,
            verdict,
            meaning,
            conditions: conditions.iter().map(|text| say(text)).collect::<Result<_, _>>()?,
        };
        self.command(who, command, Some(reason))
    }

    pub(super) fn approve(
        &mut self,
        who: &str,
        role: &str,
        request: EntryRef,
        reason: &str,
    ) -> Result<EntryRef, Error> {
        let act = Approval {
            authorization: None,
            conditions: Vec::new(),
            meaning: Meaning::Approval,
            request,
            role: say(role)?,
            verdict: Verdict::Go,
        };
        self.person(who, act, reason)
    }

    /// The verdict over a wave after a bake of so many seconds, which ends now.
    pub(super) fn wave(&mut self, release: &str, verdict: WaveVerdict, baked: i64, detail: &str) -> Result<(), Error> {
        let id: ReleaseId = say(release)?;
        let found = self.release(&id)?;
        let sheet = found.sheet().ok_or_else(|| Error::not_found("the sheet of a rollout"))?;
        let wave = countersign_core::judge::next_wave(found, sheet).unwrap_or(1);
        let samples = (baked / 30).clamp(6, 240).unsigned_abs();
        let act = Wave {
            coverage_percent: if verdict == WaveVerdict::Inconclusive { 71 } else { 99 },
            detail: say(detail)?,
            environment: sheet.body.environment.clone(),
            failed: u64::from(verdict == WaveVerdict::Fail) * 3,
            release: id.clone(),
            samples,
            sheet: sheet.entry,
            span: Window { from: self.now.plus_seconds(-baked), until: self.now },
            verdict,
            wave,
        };
        self.dispatcher(Command::Record(act.into()))?;
        Ok(())
    }

    pub(super) fn lease(&mut self) -> Result<(), Error> {
        let until = self.now.plus_seconds(900);
        self.dispatcher(Command::Record(Lease { until }.into()))?;
        Ok(())
    }

    pub(super) fn close(&mut self, who: &str, release: &str, result: &str) -> Result<(), Error> {
        let act = Outcome { release: say(release)?, result: say(result)? };
        self.person(who, act, "Reviewed a day later")?;
        Ok(())
    }

    pub(super) fn authorization(&self, product: &str) -> Result<EntryRef, Error> {
        let known = self.authorizations.get(product).copied();
        known.ok_or_else(|| Error::new(ErrorKind::Integrity, "sample", format!("{product} has no authorization")))
    }
}

fn artifact(product: &str, version: &str, file: &str) -> Result<Artifact, Error> {
    let name = file.replace("{}", version);
    Ok(Artifact {
        name: say(&name)?,
        sha256: Digest::of(format!("{product} {version} built for the sample").as_bytes()),
    })
}

/// A device with a key of its own.
pub(super) fn device(
    principal: &Principal,
    name: &str,
    key: countersign_core::sshsig::PublicKey,
    log_key: Option<countersign_core::sshsig::PublicKey>,
    purpose: countersign_core::act::DevicePurpose,
) -> Result<DeviceCard, Error> {
    Ok(DeviceCard { key, log_key, name: say(name)?, principal: principal.clone(), purpose })
}

/// Removes a directory that is no longer wanted.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(crate::durable::FileError::io("remove", path)(error).into())
        }
        _ => Ok(()),
    }
}
