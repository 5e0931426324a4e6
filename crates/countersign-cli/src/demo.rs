//! The whole job once, on this machine, for real: a service built and tested, signed by two people, deployed to a segment and
//! to everyone; a release with a fault halted and taken back; a third under a standing authorization with nobody signing.
//!
//! Everything lies below the directory it is given. It uses the same functions as every other command, a local command in
//! the place of a CI system, and personas whose passphrases are on screen: the ledger says `sample` for ever.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::Duration;

use countersign_app::clock;
use countersign_app::connector::local_command::{AllowList, AllowedCommand, Config, LocalCommand};
use countersign_app::connector::{Connector, Handle, Observation, RequestId, RunStatus, TriggerRequest};
use countersign_app::desk::{Home, LedgerDir};
use countersign_app::error::{Error, ErrorKind};
use countersign_app::keyfile::{DeviceKeyFile, PersonKeyFile};
use countersign_app::ledger::{Beginning, KEY_VALID_SECONDS, Ledger, PassphraseSource};
use countersign_app::rollout::{self, Event, Pace, Rolled};
use countersign_app::{attestation, changes, evidence, trust, worker};
use countersign_core::act::{
    Act, Artifact, AuthorizationChange, Candidate, ChangeType, CommitSource, ConnectorConfig, Device, DeviceCard,
    DeviceChange, DevicePurpose, Enrol, EnrolAccept, Evidence, EvidenceOrigin, Grant, KeyOrigin, Meaning, PersonCard,
    Policy, Product, Propose, ProposeChange, Reauth, Recovery, Role, Segment, Signer, Target, Verdict, Window,
    accountability,
};
use countersign_core::admit::Statement;
use countersign_core::decide::Command;
use countersign_core::hash::Digest;
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Slug, Text};
use zeroize::Zeroizing;

/// The files of the sample service, as they are built and deployed.
const SERVICE: [(&str, &str); 8] = [
    ("server.mjs", include_str!("../../../tests/sample-service/server.mjs")),
    ("quote.mjs", include_str!("../../../tests/sample-service/quote.mjs")),
    ("slots.mjs", include_str!("../../../tests/sample-service/slots.mjs")),
    ("build.mjs", include_str!("../../../tests/sample-service/build.mjs")),
    ("release.json", include_str!("../../../tests/sample-service/release.json")),
    ("test/quote.test.mjs", include_str!("../../../tests/sample-service/test/quote.test.mjs")),
    ("test/release.test.mjs", include_str!("../../../tests/sample-service/test/release.test.mjs")),
    ("test/slots.test.mjs", include_str!("../../../tests/sample-service/test/slots.test.mjs")),
];
const DEPLOY_SH: &str = include_str!("../../../tests/sample-service/deploy.sh");
const DEPLOY_MJS: &str = include_str!("../../../tests/sample-service/deploy.mjs");
const BUILD_SH: &str = include_str!("demo/build.sh");
const POLICY: &str = include_str!("demo/policy.toml");
const PRODUCT: &str = "sample-service";

/// A persona: name, principal, passphrase, role.
struct Persona(&'static str, &'static str, &'static str, Option<&'static str>);

const OWNER: Persona = Persona("Olga Brandt", "olga@sample.example", "olga signs the policies", None);
const MANAGER: Persona =
    Persona("Jonas Weber", "jonas@sample.example", "jonas runs the releases", Some("release-manager"));
const QA: Persona = Persona("Alice Moreau", "alice@sample.example", "alice reads every report", Some("qa"));
const SECURITY: Persona = Persona("Ben Okafor", "ben@sample.example", "ben looks for the holes", Some("security"));
const DEVELOPER: Persona = Persona("Dana Lindqvist", "dana@sample.example", "dana writes the service", Some("qa"));

impl Persona {
    fn principal(&self) -> Principal {
        word(self.1)
    }
}

/// Reads a constant of this file.
fn word<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("the demo's own words are lawful")
}

/// The passphrase of a persona, as it stands on screen.
struct OnScreen(&'static str);

impl PassphraseSource for OnScreen {
    fn passphrase(&mut self, _: &Principal, _: &Statement) -> Result<Zeroizing<String>, Error> {
        Ok(Zeroizing::new(self.0.to_owned()))
    }
    fn reauth(&self) -> Reauth {
        Reauth::Prompt
    }
}

/// What the demo leaves behind.
#[derive(Debug)]
pub struct Outcome {
    /// The ledger, still open.
    pub ledger: Ledger,
    /// What is live at the end.
    pub live: String,
    /// How many signatures people gave.
    pub signatures: u64,
}

/// Walks the whole job below `dir`, telling each step.
///
/// # Errors
/// Something the machine lacks, or a step that did not go as it must.
pub async fn walk(dir: &Path, say: &mut (dyn FnMut(&str) + Send)) -> Result<Outcome, Error> {
    need("node", "--version", "install Node 20.19 or newer")?;
    need("git", "--version", "install git")?;
    need("ssh-keygen", "-?", "install OpenSSH")?;
    let mut demo = Demo::set_up(dir, say)?;
    let ended = demo.all(say).await;
    demo.stop_instances();
    ended?;
    let live = demo.live();
    Ok(Outcome { signatures: demo.signatures, ledger: demo.ledger, live })
}

fn need(program: &str, argument: &str, what: &str) -> Result<(), Error> {
    Process::new(program).arg(argument).output().map(|_| ()).map_err(|error| {
        Error::new(ErrorKind::Cannot, "missing_program", format!("{program} cannot be run: {error}")).hint(what)
    })
}

fn io(what: &str) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::new(ErrorKind::Cannot, "demo", format!("cannot {what}: {error}"))
}

struct Demo {
    ledger: Ledger,
    service: PathBuf,
    pipeline: PathBuf,
    instances: Vec<(&'static str, Vec<u16>)>,
    signatures: u64,
}

impl Demo {
    fn set_up(dir: &Path, say: &mut (dyn FnMut(&str) + Send)) -> Result<Self, Error> {
        std::fs::create_dir_all(dir).map_err(io("create the directory"))?;
        let dir = dir.canonicalize().map_err(io("find the directory"))?;
        let (service, pipeline) = (dir.join("service"), dir.join("pipeline"));
        for below in [pipeline.join("claims"), pipeline.join("store"), pipeline.join("state"), pipeline.join("trust")] {
            std::fs::create_dir_all(below).map_err(io("create the pipeline's directories"))?;
        }
        for (name, text) in [
            ("gate.sh", attestation::GATE),
            ("deploy.sh", DEPLOY_SH),
            ("deploy.mjs", DEPLOY_MJS),
            ("build.sh", BUILD_SH),
        ] {
            std::fs::write(pipeline.join(name), text).map_err(io("write the pipeline"))?;
        }
        say("A ledger of its own: Olga Brandt is its first process owner.");
        let beginning = Beginning {
            title: word("Sample ledger"),
            owner: Signer { name: word(OWNER.0), principal: OWNER.principal() },
            emails: Vec::new(),
            reason: word("Show the whole job"),
            charter: None,
            recovery: Recovery {
                needed: 2,
                people: vec![MANAGER.principal(), QA.principal(), SECURITY.principal()],
                wait_hours: 72,
            },
            sample: true,
            valid_until: clock::now().plus_seconds(KEY_VALID_SECONDS),
        };
        let home = Home::at(dir.join("home"));
        let ledger = Ledger::begin(&home, &LedgerDir::at(dir.join("ledger")), beginning, &mut OnScreen(OWNER.2))?;
        let instances = vec![("staging", free_ports(1)?), ("segment", free_ports(1)?), ("everyone", free_ports(2)?)];
        Ok(Self { ledger, service, pipeline, instances, signatures: 1 })
    }

    async fn all(&mut self, say: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        self.people(say)?;
        self.product(say)?;

        say("Release 1.0.0: the first one, signed by two people.");
        let first = self.candidate("1.0.0", None, None, say).await?;
        self.signed_release(&first, say).await?;
        expect(self.waves(&first, say).await? == Rolled::Live, "1.0.0 did not go live")?;

        say("Release 1.1.0: its tests are green, yet it loses a request slot with each answer.");
        let second = self.candidate("1.1.0", Some(6), None, say).await?;
        self.signed_release(&second, say).await?;
        expect(self.waves(&second, say).await? == Rolled::RolledBack, "1.1.0 was not taken back")?;
        say("  the segment failed its checks: the rollout halted, and 1.0.0 is back by the sheet's slot.");

        say("The product has earned a standing authorization: small standard changes, on observed evidence.");
        let authorization = self.authorize()?;
        say("Release 1.2.0: nobody signs; the authorization does, within its bounds.");
        let third = self.candidate("1.2.0", None, Some(authorization), say).await?;
        self.work(say).await?;
        let state = self.ledger.state();
        let live = countersign_core::judge::release_state(state, &state.releases[&third], clock::now());
        expect(live == countersign_core::judge::ReleaseState::Live, "1.2.0 did not go live")
    }

    /// Records an act of a persona.
    fn sign(&mut self, who: &Persona, act: impl Into<Act>, reason: &str) -> Result<EntryRef, Error> {
        self.signatures += 1;
        self.ledger.as_person(&who.principal(), &Command::Record(act.into()), word(reason), &mut OnScreen(who.2))
    }

    fn people(&mut self, say: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        for persona in [&MANAGER, &QA, &SECURITY, &DEVELOPER] {
            let path = self.ledger.desk().person_key(persona.1)?;
            let key = PersonKeyFile::generate(&path, persona.1, &Zeroizing::new(persona.2.to_owned()))?;
            let person = PersonCard {
                emails: Vec::new(),
                key: key.public_key(),
                key_origin: KeyOrigin::MadeHere,
                name: word(persona.0),
                principal: persona.principal(),
                valid_until: clock::now().plus_seconds(KEY_VALID_SECONDS),
            };
            self.sign(
                &OWNER,
                Enrol { identity: word("A persona of the sample; nobody real"), person },
                "Brings the sample's people in",
            )?;
            self.sign(persona, EnrolAccept { accountability: accountability() }, "I accept")?;
            if let Some(role) = persona.3 {
                let role = Role {
                    change: Grant::Grant,
                    principal: persona.principal(),
                    product: None,
                    qualification: None,
                    role: word(role),
                    until: None,
                };
                self.sign(&OWNER, role, "The sample's roles")?;
            }
            say(&format!(
                "  {} <{}>, {}; passphrase on this screen: {}",
                persona.0,
                persona.1,
                persona.3.unwrap_or(""),
                persona.2
            ));
        }
        let key = DeviceKeyFile::generate(&self.ledger.desk().dispatcher_key(), "dispatcher")?;
        let device = DeviceCard {
            key: key.public_key(),
            log_key: None,
            name: word("Dispatcher of the sample"),
            principal: word("dispatcher@devices.sample.example"),
            purpose: DevicePurpose::Dispatcher,
        };
        self.sign(&OWNER, Device { change: DeviceChange::Enrol { device } }, "Dispatches the sample").map(|_| ())
    }

    fn product(&mut self, say: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        say("The product: staging, then production behind a go/no-go of qa and security, in two waves.");
        let path = vec![word("staging"), word("production")];
        self.sign(
            &OWNER,
            Product { path, product: word(PRODUCT), title: word("Sample service") },
            "The sample's product",
        )?;
        let script = self.allow()?;
        for (environment, segments) in [("staging", vec!["staging"]), ("production", vec!["segment", "everyone"])] {
            let segments = segments.into_iter().map(|name| self.segment(name)).collect();
            let target = Target {
                connector: ConnectorConfig::LocalCommand { command: word("deploy"), script_sha256: script },
                deploy_step: word("deploy"),
                environment: word(environment),
                job: word("deploy"),
                product: word(PRODUCT),
                segments,
            };
            self.sign(&OWNER, target, "Where the sample runs")?;
        }
        self.sign(
            &OWNER,
            Policy { product: word(PRODUCT), toml: POLICY.to_owned(), version: 1 },
            "The sample's policy",
        )?;
        self.pin_trust()
    }

    fn segment(&self, name: &str) -> Segment {
        let ports = self.instances.iter().find(|(segment, _)| *segment == name).map(|(_, ports)| ports.as_slice());
        let urls = |path: &str| {
            ports
                .into_iter()
                .flatten()
                .map(|port| word(&format!("http://127.0.0.1:{port}/{path}")))
                .collect::<Vec<Line>>()
        };
        Segment { health: urls("health"), name: word(name), version: urls("version") }
    }

    /// Lets this desk run the two scripts of the pipeline, and tells the pipeline which instances there are.
    fn allow(&self) -> Result<Digest, Error> {
        let ports = |name: &str| {
            let (_, ports) =
                self.instances.iter().find(|(segment, _)| *segment == name).expect("a segment of the sample");
            let list: Vec<_> = ports
                .iter()
                .enumerate()
                .map(|(number, port)| format!("{{\"name\":\"{name}-{number}\",\"port\":{port}}}"))
                .collect();
            format!("\"{name}\":[{}]", list.join(","))
        };
        let instances = format!(
            "{{\"staging\":{{{}}},\"production\":{{{},{}}}}}\n",
            ports("staging"),
            ports("segment"),
            ports("everyone")
        );
        std::fs::write(self.pipeline.join("state/instances.json"), instances).map_err(io("write the instances"))?;

        let path = std::env::var("PATH").unwrap_or_default();
        let below = |name: &str| self.pipeline.join(name).display().to_string();
        let command = |script: &str, arguments: Vec<String>| {
            let script = self.pipeline.join(script);
            let sha256 = Digest::of(&std::fs::read(&script).map_err(io("read a script"))?);
            let environment = BTreeMap::from([("PATH".to_owned(), path.clone())]);
            Ok::<_, Error>(AllowedCommand {
                script,
                sha256,
                arguments,
                interpreter: vec!["/bin/sh".into()],
                environment,
            })
        };
        let deploy = command("deploy.sh", ["gate.sh", "trust", "claims", "store", "state"].map(below).to_vec())?;
        let script = deploy.sha256;
        let build = command("build.sh", vec![self.service.display().to_string(), below("store")])?;
        let list = AllowList { command: BTreeMap::from([("deploy".to_owned(), deploy), ("build".to_owned(), build)]) };
        list.write(&self.ledger.desk().commands())
            .map_err(|error| Error::new(ErrorKind::Cannot, "commands", error.to_string()))?;
        Ok(script)
    }

    /// Writes what the pipeline trusts; in real life a person carries it into the pipeline's protected configuration.
    fn pin_trust(&self) -> Result<(), Error> {
        for environment in ["staging", "production"] {
            let trust = trust::of(self.ledger.state(), &word(PRODUCT), &word(environment), clock::now())?;
            trust
                .write(&self.pipeline.join("trust").join(environment))
                .map_err(|error| Error::new(ErrorKind::Cannot, "trust", error.to_string()))?;
        }
        Ok(())
    }

    fn connector(&self, command: &str) -> Result<LocalCommand, Error> {
        let list = AllowList::read(&self.ledger.desk().commands())
            .map_err(|error| Error::new(ErrorKind::Cannot, "commands", error.to_string()))?;
        let allowed =
            list.command.get(command).ok_or_else(|| Error::not_found(format!("{command} is not allowed here")))?;
        let desk = self.ledger.desk();
        Ok(LocalCommand::new(Config::new(desk.runs(), desk.commands(), command, allowed.sha256)))
    }

    /// Commits a release of the service, has it built and tested, and proposes it with the evidence read from there.
    async fn candidate(
        &mut self,
        version: &str,
        fault: Option<u32>,
        authorization: Option<EntryRef>,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ReleaseId, Error> {
        let base = self.commit(version, fault)?;
        let list = changes::read(&self.service, base.as_deref(), "HEAD")
            .map_err(|error| Error::new(ErrorKind::Cannot, "changes", error.to_string()))?;
        let failed = |error: changes::ChangesError| Error::new(ErrorKind::Cannot, "changes", error.to_string());
        self.ledger.blobs().write(&list.encode().map_err(failed)?)?;
        let commit = list.head.clone();

        let builder = self.connector("build")?;
        let inputs = BTreeMap::from([("commit".to_owned(), commit.to_string())]);
        let request = TriggerRequest {
            request_id: RequestId::generate(),
            job: "build".into(),
            inputs,
            reason: format!("build {version}"),
        };
        let accepted = builder.trigger(&request).await?;
        let built = finished(&builder, accepted.handle).await?;
        expect(
            built.status == RunStatus::Completed(countersign_app::connector::RunConclusion::Success),
            "the build failed",
        )?;
        let artifact: Digest = built
            .properties
            .get("artifact_sha256")
            .and_then(|property| property.value.parse().ok())
            .ok_or_else(|| Error::new(ErrorKind::No, "demo", "the build names no artifact"))?;
        say(&format!(
            "  built and tested {version} at {}: artifact {}",
            short(commit.as_str()),
            short(&artifact.to_string())
        ));

        let release: ReleaseId = word(&format!("{PRODUCT}-{version}"));
        let candidate = Candidate {
            artifacts: vec![Artifact { name: word(&format!("{PRODUCT}-{version}.json")), sha256: artifact }],
            backout_plan: Some(word("Deploy what was live before; it stands in the sheet's rollback slot")),
            change_type: if authorization.is_some() { ChangeType::Standard } else { ChangeType::Normal },
            changes: list.summary().map_err(failed)?,
            commit: commit.clone(),
            external: None,
            incident: None,
            product: word(PRODUCT),
            risk: Some(word("Low: one service without stored data")),
            rollout_plan: Some(word("One instance first, then the other two")),
            security_impact: Some(word("None: no new input is read")),
            version: word(version),
        };
        let change = ProposeChange::Candidate { authorization, candidate, supersedes: None };
        let propose = Propose { change, release: release.clone() };
        let reason: Text = word("Ready to be decided");
        match authorization {
            None => self.sign(&MANAGER, propose, "Ready to be decided")?,
            Some(_) => self.ledger.as_dispatcher(&Command::Record(propose.into()), Some(reason))?,
        };

        let file = builder.file(&built.run, "build", "unit-tests.xml").await?;
        let read = evidence::read(&file.bytes, "unit-tests.xml")
            .map_err(|error| Error::new(ErrorKind::No, "evidence", error.to_string()))?;
        self.ledger.blobs().write(&file.bytes)?;
        let evidence = Evidence {
            commit,
            commit_source: CommitSource::Run,
            conclusion: read.conclusion,
            counts: read.counts,
            digest: file.digest,
            kind: read.kind,
            name: word("unit-tests.xml"),
            origin: EvidenceOrigin::Observed {
                connector: word("local-command build"),
                raw_sha256: file.raw_reply,
                run: word(&built.run.id),
            },
            release: release.clone(),
            replaces: None,
            size: file.bytes.len() as u64,
        };
        self.ledger.as_desk(&Command::Record(evidence.into()), None)?;
        Ok(release)
    }

    /// Stages, soaks, freezes, signs.
    async fn signed_release(&mut self, release: &ReleaseId, say: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        let connector = self.connector("deploy")?;
        let by = Some(MANAGER.principal());
        rollout::stage(&mut self.ledger, &connector, release, by, None, pace(), &mut teller(say)).await?;
        say("  delivered to staging and seen running there; soaking");
        tokio::time::sleep(Duration::from_millis(2200)).await;
        let freeze = Command::Freeze {
            release: release.clone(),
            authorization: None,
            window: None,
            asked: Vec::new(),
            due: None,
            scheduled: false,
        };
        self.signatures += 1;
        let sheet = self.ledger.as_person(
            &MANAGER.principal(),
            &freeze,
            word("Everything is there"),
            &mut OnScreen(MANAGER.2),
        )?;
        say(&format!("  Jonas froze the decision sheet {}", short(&sheet.leaf.to_string())));
        let answer = |role: &str| Command::Answer {
            release: release.clone(),
            role: word(role),
            verdict: Verdict::Go,
            meaning: Meaning::Approval,
            conditions: Vec::new(),
        };
        // Dana holds the role, but wrote a commit: refused before anybody asks for a passphrase, and recorded.
        let own = self.ledger.as_person(
            &DEVELOPER.principal(),
            &answer("qa"),
            word("Looks good to me"),
            &mut OnScreen(DEVELOPER.2),
        );
        match own {
            Err(error) if error.code == "segregation_failed" => say(&format!("  refused: {error}")),
            Err(error) => return Err(error),
            Ok(_) => return Err(Error::new(ErrorKind::Integrity, "demo", "Dana could sign her own work")),
        }
        for (persona, role, reason) in
            [(&QA, "qa", "All unit tests pass"), (&SECURITY, "security", "No new input, no new dependency")]
        {
            self.signatures += 1;
            self.ledger.as_person(&persona.principal(), &answer(role), word(reason), &mut OnScreen(persona.2))?;
            say(&format!("  {} signed GO as {role}", persona.0));
        }
        Ok(())
    }

    /// Sends wave after wave until the release is live or stopped.
    async fn waves(&mut self, release: &ReleaseId, say: &mut (dyn FnMut(&str) + Send)) -> Result<Rolled, Error> {
        let connector = self.connector("deploy")?;
        loop {
            let by = Some(MANAGER.principal());
            let rolled =
                rollout::next_wave(&mut self.ledger, &connector, release, by, None, pace(), &mut teller(say)).await?;
            if rolled != Rolled::Passed {
                return Ok(rolled);
            }
        }
    }

    /// Moves the product to Continuous Deployment under the quorum it replaces, and adopts an authorization under it.
    fn authorize(&mut self) -> Result<EntryRef, Error> {
        let toml = POLICY.replace("continuous-delivery", "continuous-deployment");
        let policy = self.sign(
            &OWNER,
            Policy { product: word(PRODUCT), toml, version: 2 },
            "Two releases decided, one caught by its segment",
        )?;
        self.adopt(policy)?;
        let now = clock::now();
        let change = AuthorizationChange::Grant {
            change_types: vec![ChangeType::Standard],
            environment: word("production"),
            max_commits: 5,
            per_day: 2,
            product: word(PRODUCT),
            template: None,
            valid: Window { from: now, until: now.plus_seconds(90 * 86_400) },
        };
        let grant = countersign_core::act::Authorization { change };
        let authorization = self.sign(&OWNER, grant, "Small standard changes on observed evidence")?;
        self.adopt(authorization)?;
        self.pin_trust()?;
        Ok(authorization)
    }

    fn adopt(&mut self, request: EntryRef) -> Result<(), Error> {
        for (persona, role) in [(&QA, "qa"), (&SECURITY, "security")] {
            let approval = countersign_core::act::Approval {
                authorization: None,
                conditions: Vec::new(),
                meaning: Meaning::Approval,
                request,
                role: word(role),
                verdict: Verdict::Go,
            };
            self.sign(persona, approval, "The bounds are narrow enough")?;
        }
        Ok(())
    }

    /// Lets the worker do what is due, until nothing is.
    async fn work(&mut self, say: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        for _ in 0..20 {
            let (runs, commands) = (self.ledger.desk().runs(), self.ledger.desk().commands());
            let connect = move |ledger: &Ledger, id: &ReleaseId, environment: &Slug| {
                let target = rollout::target_of(ledger.state(), id, environment)?;
                let ConnectorConfig::LocalCommand { command, script_sha256 } = &target.connector else {
                    return Err(Error::usage("the sample has only local commands"));
                };
                let config = Config::new(runs.clone(), commands.clone(), command.as_str(), *script_sha256);
                Ok(Box::new(LocalCommand::new(config)) as Box<dyn Connector>)
            };
            let done = worker::work(&mut self.ledger, &connect, pace(), &mut teller(say)).await?;
            for (release, task) in &done {
                say(&format!("  worker: {release}: {task}"));
            }
            let soaking = self.ledger.state().releases.values().any(|release| {
                let state = countersign_core::judge::release_state(self.ledger.state(), release, clock::now());
                state == countersign_core::judge::ReleaseState::Staged
            });
            if done.is_empty() && !soaking {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Ok(())
    }

    fn commit(&self, version: &str, fault: Option<u32>) -> Result<Option<String>, Error> {
        let git = |arguments: &[&str]| {
            let date = "2026-11-02T09:00:00Z";
            let output = Process::new("git")
                .current_dir(&self.service)
                .args(arguments)
                .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
                .envs([("GIT_AUTHOR_NAME", DEVELOPER.0), ("GIT_AUTHOR_EMAIL", DEVELOPER.1), ("GIT_AUTHOR_DATE", date)])
                .envs([
                    ("GIT_COMMITTER_NAME", DEVELOPER.0),
                    ("GIT_COMMITTER_EMAIL", DEVELOPER.1),
                    ("GIT_COMMITTER_DATE", date),
                ])
                .output()
                .map_err(io("run git"))?;
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if output.status.success() {
                Ok(text)
            } else {
                Err(Error::new(ErrorKind::Cannot, "git", String::from_utf8_lossy(&output.stderr).into_owned()))
            }
        };
        let base = if self.service.join(".git").exists() {
            Some(git(&["rev-parse", &format!("v{}", self.live_version())])?)
        } else {
            for (name, text) in SERVICE {
                let path = self.service.join(name);
                std::fs::create_dir_all(path.parent().unwrap_or(&self.service)).map_err(io("create the service"))?;
                std::fs::write(path, text).map_err(io("write the service"))?;
            }
            git(&["init", "--quiet", "--initial-branch=main"])?;
            None
        };
        let fault = fault.map_or("null".to_owned(), |slots| format!("{{\"kind\":\"leak\",\"slots\":{slots}}}"));
        let release = format!("{{\n  \"version\": \"{version}\",\n  \"fault\": {fault}\n}}\n");
        std::fs::write(self.service.join("release.json"), release).map_err(io("write the release"))?;
        git(&["add", "--all"])?;
        git(&[
            "commit",
            "--quiet",
            "--message",
            &format!("Release {version}\n\nSHOP-1{}: prepare {version}", version.replace('.', "")),
        ])?;
        git(&["tag", &format!("v{version}")])?;
        Ok(base)
    }

    fn live_version(&self) -> String {
        let live = self.ledger.state().live.get(&(word(PRODUCT), word("production")));
        live.map_or_else(|| "1.0.0".to_owned(), |live| live.version.to_string())
    }

    fn live(&self) -> String {
        let live = self.ledger.state().live.get(&(word(PRODUCT), word("production")));
        live.map_or_else(|| "nothing".to_owned(), |live| format!("{PRODUCT} {}", live.version))
    }

    fn stop_instances(&self) {
        // Only what deploy.mjs has started and recorded; that nothing is left to stop is no error.
        let _ = Process::new("node")
            .arg(self.pipeline.join("deploy.mjs"))
            .arg("stop")
            .arg("--state")
            .arg(self.pipeline.join("state"))
            .output();
    }
}

fn expect(holds: bool, what: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::new(ErrorKind::No, "demo", what)) }
}

fn pace() -> Pace {
    Pace { poll_max: Duration::from_millis(300), ..Pace::default() }
}

fn short(hex: &str) -> &str {
    hex.get(..12).unwrap_or(hex)
}

/// Returns the words of the events worth telling.
fn teller<'a>(say: &'a mut (dyn FnMut(&str) + Send)) -> impl FnMut(Event) + Send + 'a {
    move |event| match event {
        Event::Wave { wave, verdict, detail } => say(&format!("  wave {wave}: {verdict}: {detail}")),
        Event::Step { state, detail: Some(detail), .. } => say(&format!("  dispatch {state}: {detail}")),
        Event::Note(note) => say(&format!("  note: {note}")),
        _ => {}
    }
}

async fn finished(connector: &LocalCommand, handle: Handle) -> Result<Observation, Error> {
    let run = match handle {
        Handle::Run(run) => run,
        Handle::Ticket(ticket) => loop {
            match connector.resolve(&ticket).await? {
                countersign_app::connector::Resolved::Run(run) => break run,
                countersign_app::connector::Resolved::Queued => tokio::time::sleep(Duration::from_millis(100)).await,
                countersign_app::connector::Resolved::Dropped { raw, .. } => {
                    return Err(Error::new(ErrorKind::No, "demo", raw));
                }
            }
        },
    };
    for _ in 0..1200 {
        let seen = connector.observe(&run).await?;
        if matches!(seen.status, RunStatus::Completed(_)) {
            return Ok(seen);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Error::new(ErrorKind::Cannot, "demo", "the build did not end within two minutes"))
}

/// Returns ports of this machine that nothing listens on.
fn free_ports(count: usize) -> Result<Vec<u16>, Error> {
    let listeners: Vec<_> = (0..count)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()
        .map_err(io("find a port"))?;
    listeners
        .iter()
        .map(|listener| listener.local_addr().map(|address| address.port()).map_err(io("find a port")))
        .collect()
}
