//! A sample of any size, for benchmarks: many small products, each release a few entries, none of them worth reading.

use countersign_core::act::{
    Approval, Artifact, Candidate, ChangeList, ChangeType, CommitSource, ConnectorConfig, Dispatch, DispatchKind,
    DispatchState, Evidence, EvidenceOrigin, Meaning, Outcome, Policy, Product, Propose, ProposeChange, RunConclusion,
    RunRef, Segment, Target, Verdict, Wave, WaveVerdict, Window,
};
use countersign_core::decide::Command;
use countersign_core::evidence::{Conclusion, EvidenceKind};
use countersign_core::hash::Digest;
use countersign_core::words::{CommitId, ReleaseId, Timestamp};
use ed25519_dalek::SigningKey;

use super::keys::Keys;
use super::maker::{Maker, digest, word};
use super::people::who;
use super::rollouts::request_id;
use super::schedule::Schedule;
use super::story::bug;
use crate::desk::{Home, LedgerDir};
use crate::error::Error;
use crate::evidence::{self, Limits};
use crate::ledger::{Ledger, Progress};
use crate::releases::{self, Ask};

/// How many releases a product has at most.
const PER_PRODUCT: u32 = 200;

/// Makes a sample of so many releases as if it were `now`: of every four, two are out and looked at, one was withdrawn, and
/// one still collects evidence or waits for signatures.
///
/// # Errors
/// As [`super::create`].
pub fn large(
    home: &Home,
    dir: &LedgerDir,
    releases: u32,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Ledger, Error> {
    let tell = |schedule: &mut Schedule, keys: &Keys, dispatcher: SigningKey, port: u16| {
        super::tell_beginning(schedule, keys, dispatcher, port);
        let first = schedule.workday(84, 8, 0);
        let products = releases.div_ceil(PER_PRODUCT);
        for product in 0..products {
            schedule.at(first.plus_seconds(i64::from(product)), move |maker| begin(maker, &slug(product)));
        }
        let begun = schedule.workday(80, 8, 0);
        // The last ones are fresh enough to be decided on.
        let seconds = now.seconds_since(begun) - 7200;
        for number in 0..releases {
            let at = begun.plus_seconds(i64::from(number) * seconds / i64::from(releases.max(1)));
            let last = releases - number <= products;
            schedule.at(at, move |maker| release(maker, &slug(number % products), number, last));
        }
    };
    super::make(home, dir, now, "A large sample", tell, progress)
}

fn slug(product: u32) -> String {
    format!("service-{product:03}")
}

/// Describes a product of one environment, behind a go/no-go of two.
fn begin(maker: &mut Maker, slug: &str) -> Result<(), Error> {
    let (owner, manager) = (who("mathilde"), who("jonas"));
    let product =
        Product { path: vec![word("production")], product: word(slug), title: word(&format!("Service {slug}")) };
    maker.act(&owner, product, "One of many")?;
    let target = Target {
        connector: ConnectorConfig::LocalCommand { command: word("deploy-sample"), script_sha256: Digest::of(b"") },
        deploy_step: word("deploy"),
        environment: word("production"),
        job: word("deploy"),
        product: word(slug),
        segments: vec![Segment { health: Vec::new(), name: word("everyone"), version: Vec::new() }],
    };
    maker.act(&manager, target, "Where it runs")?;
    let toml = format!(
        "schema = 1\nproduct = \"{slug}\"\nmode = \"continuous-delivery\"\n\n[[evidence]]\ngate = \"unit tests\"\n\
         kind = \"junit\"\n\n[[quorum]]\nrole = \"qa\"\n\n[[quorum]]\nrole = \"security\"\n\n[[wave]]\n\
         segment = \"everyone\"\n"
    );
    maker.act(&owner, Policy { product: word(slug), toml, version: 1 }, "What it asks for").map(|_| ())
}

fn commit(id: &ReleaseId) -> CommitId {
    word(&digest(&format!("commit {id}")).to_string()[..40])
}

/// Tells a whole release in one go.
fn release(maker: &mut Maker, slug: &str, number: u32, last: bool) -> Result<(), Error> {
    let (manager, desk) = (who("jonas"), maker.desk());
    let id: ReleaseId = word(&format!("{slug}-1.{number}.0"));
    let candidate = candidate(maker, slug, &id, number);
    let change = ProposeChange::Candidate { authorization: None, candidate, supersedes: None };
    maker.act(&who("tomas"), Propose { change, release: id.clone() }, "The next one")?;
    let body = tests(maker, &id)?;
    maker.command(&desk, Command::Record(body.into()), None)?;
    match number % 4 {
        1 if !last => {
            let act = Propose { change: ProposeChange::Withdraw {}, release: id };
            return maker.act(&who("tomas"), act, "Another comes in its place").map(|_| ());
        }
        3 if !last => return Ok(()),
        _ => {}
    }
    let command = releases::compose_request(&maker.state, &id, Ask::default())?;
    maker.command(&manager, command, Some("Ready"))?;
    for (by, role) in [("alice", "qa"), ("ben", "security")] {
        let request = maker.release(&id)?.sheet().ok_or_else(|| bug("there is no sheet"))?.entry;
        let body = Approval {
            authorization: None,
            conditions: Vec::new(),
            meaning: Meaning::Approval,
            request,
            role: word(role),
            verdict: Verdict::Go,
        };
        if last && role == "security" {
            return Ok(());
        }
        maker.act(&who(by), body, "Read and sound")?;
    }
    roll_out(maker, &id)?;
    maker.act(&manager, Outcome { release: id, result: word("Nothing to add") }, "Looked at").map(|_| ())
}

fn candidate(maker: &mut Maker, slug: &str, id: &ReleaseId, number: u32) -> Candidate {
    let live = maker.state.live.get(&(word(slug), word("production")));
    let base = live.map(|live| live.commit.clone());
    // One list stands for all: nobody reads it.
    let digest_of_list = maker.blob(b"[]".to_vec());
    Candidate {
        artifacts: vec![Artifact { name: word(&format!("{id}.tar")), sha256: digest(&format!("artifact {id}")) }],
        backout_plan: None,
        change_type: ChangeType::Normal,
        changes: ChangeList {
            authors: vec![word("kenji@northbay.example")],
            base,
            commits: 1 + u64::from(number % 9),
            digest: digest_of_list,
            tickets: vec![word(&format!("SRV-{}", number + 1))],
        },
        commit: commit(id),
        external: None,
        incident: None,
        product: word(slug),
        risk: None,
        rollout_plan: None,
        security_impact: None,
        version: word(&format!("1.{number}.0")),
    }
}

fn tests(maker: &mut Maker, id: &ReleaseId) -> Result<Evidence, Error> {
    // The same file for each, so it names no commit; its run does.
    let bytes = b"<testsuite name=\"unit\"><testcase classname=\"unit\" name=\"answers\"/></testsuite>\n".to_vec();
    let report = evidence::read_as(EvidenceKind::Junit, &bytes, Limits::default())?;
    let size = bytes.len() as u64;
    maker.blob(bytes);
    Ok(Evidence {
        commit: commit(id),
        commit_source: CommitSource::Run,
        conclusion: Conclusion::Pass,
        counts: report.counts,
        digest: report.digest,
        kind: EvidenceKind::Junit,
        name: word("unit.xml"),
        origin: EvidenceOrigin::Observed {
            connector: word("buildbot https://ci.northbay.example/"),
            raw_sha256: digest(&format!("reply {id}")),
            run: word("1"),
        },
        release: id.clone(),
        replaces: None,
        size,
    })
}

fn roll_out(maker: &mut Maker, id: &ReleaseId) -> Result<(), Error> {
    let device = maker.dispatcher();
    let request_id = request_id(id.as_str());
    let command = Command::Dispatch {
        release: id.clone(),
        environment: word("production"),
        kind: DispatchKind::Deploy,
        request_id: request_id.clone(),
        by: Some(who("jonas")),
        resends: None,
    };
    maker.command(&device, command, None)?;
    let prepared = maker.release(id)?.dispatches.last().ok_or_else(|| bug("nothing was prepared"))?.body.clone();
    let run = Some(RunRef { attempt: 1, id: request_id, url: None });
    for state in [DispatchState::Sending, DispatchState::Accepted, DispatchState::Finished] {
        let conclusion = (state == DispatchState::Finished).then_some(RunConclusion::Success);
        maker.observe(&device, Dispatch { conclusion, run: run.clone(), state, ..prepared.clone() })?;
    }
    let verdict = Wave {
        coverage_percent: 100,
        detail: word("well"),
        environment: word("production"),
        failed: 0,
        release: id.clone(),
        samples: 1,
        sheet: prepared.sheet,
        span: Window { from: maker.now, until: maker.now },
        verdict: WaveVerdict::Pass,
        wave: 1,
    };
    maker.observe(&device, verdict).map(|_| ())
}
