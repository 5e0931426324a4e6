//! What the tests of pipelines stand on: a git repository of the sample service with several releases, instances to
//! deploy it to, and a real Buildbot that does so. Each ends the processes that it started, and no others.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use countersign_app::attestation::GATE;
use countersign_app::connector::{
    Connector, Handle, Observation, RequestId, Resolved, RunRef, RunStatus, Secret, TriggerRequest, buildbot,
};
use serde_json::{Value, json};

/// The largest time anything here may take to come up; machines that test are busy.
const PATIENCE: Duration = Duration::from_secs(180);

/// Returns the directory of the `tests` member.
pub(crate) fn tests_directory() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a program to its end and returns what it printed; a failure ends the test.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Returns the program as it was built last. It must be no older than what it is built from: a test of an old program
/// would say nothing.
pub(crate) fn countersign() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let suite = std::env::current_exe().unwrap();
        let built = suite.ancestors().nth(2).expect("suites lie in the deps of what was built");
        let program = built.join(format!("countersign{}", std::env::consts::EXE_SUFFIX));
        let how = "build it first, as `make test` does: cargo build --locked --workspace --all-targets";
        let made = fs::metadata(&program).and_then(|data| data.modified());
        let made = made.unwrap_or_else(|error| panic!("{}: {error}; {how}", program.display()));
        // What cargo wrote beside it: the program, a colon, and each source with its blanks escaped.
        let sources = fs::read_to_string(built.join("countersign.d")).unwrap().replace("\\ ", "\0");
        for source in sources.split_whitespace().skip(1).map(|source| source.replace('\0', " ")) {
            let changed = fs::metadata(&source).and_then(|data| data.modified());
            let changed = changed.unwrap_or_else(|error| panic!("{source}: {error}; {how}"));
            assert!(changed <= made, "{} is older than {source}; {how}", program.display());
        }
        program
    })
}

/// Returns a loopback port that was free a moment ago, and that nobody else here is given.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().unwrap();
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if !given.contains(&port) {
            given.push(port);
            return port;
        }
    }
}

/// Waits until the question has an answer.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut question: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What is different about a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing is wrong with it.
    Good,
    /// It loses one of so many request slots with each request, and fails its health check when none is left.
    Leak { slots: u32 },
    /// One of its unit tests fails.
    RedTest,
}

/// One release in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampleRelease {
    pub(crate) version: String,
    pub(crate) commit: String,
}

/// A git repository of the sample service.
///
/// 1.0.0, 1.1.0 and 1.3.0 are good, 1.2.0 has a fault that only shows while it runs. Each release has one commit with
/// a ticket id in its message; the authors take turns. The same calls give the same commit ids.
#[derive(Debug)]
pub(crate) struct SampleRepository {
    /// A clone with a work tree.
    pub(crate) work: PathBuf,
    /// The bare repository that is checked out from.
    pub(crate) bare: PathBuf,
    /// The releases, oldest first.
    pub(crate) releases: Vec<SampleRelease>,
}

impl SampleRepository {
    pub(crate) fn create(directory: &Path) -> Self {
        let (work, bare) = (directory.join("service"), directory.join("service.git"));
        copy_directory(&tests_directory().join("sample-service"), &work);
        run(git(directory).args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(&bare));
        run(git(&work).args(["init", "--quiet", "--initial-branch=main"]));
        run(git(&work).args(["remote", "add", "origin"]).arg(&bare));
        let mut repository = Self { work, bare, releases: Vec::new() };
        repository.release("1.0.0", Change::Good);
        repository.release("1.1.0", Change::Good);
        repository.release("1.2.0", Change::Leak { slots: 6 });
        repository.release("1.3.0", Change::Good);
        repository
    }

    /// Commits and tags one more release.
    pub(crate) fn release(&mut self, version: &str, change: Change) -> SampleRelease {
        const AUTHORS: [(&str, &str); 2] = [("Dana Okafor", "dana@acme.example"), ("Erik Lund", "erik@acme.example")];
        let number = self.releases.len();
        let fault = match change {
            Change::Leak { slots } => json!({"kind": "leak", "slots": slots}),
            Change::Good | Change::RedTest => Value::Null,
        };
        fs::write(self.work.join("release.json"), format!("{:#}\n", json!({"version": version, "fault": fault})))
            .unwrap();
        let red = self.work.join("test/red.test.mjs");
        let _ = fs::remove_file(&red);
        if change == Change::RedTest {
            fs::write(red, "import assert from 'node:assert/strict';\nimport { it } from 'node:test';\n\nit('adds up', () => assert.equal(1 + 1, 3));\n").unwrap();
        }
        let (name, email) = AUTHORS[number % AUTHORS.len()];
        let date = format!("2026-11-{:02}T09:00:00Z", 1 + number);
        run(git(&self.work).args(["add", "--all"]));
        run(git(&self.work)
            .args(["commit", "--quiet", "--message"])
            .arg(format!("Release {version}\n\nSHOP-{}: prepare {version}", 101 + number))
            .envs([("GIT_AUTHOR_NAME", name), ("GIT_AUTHOR_EMAIL", email), ("GIT_AUTHOR_DATE", &date)])
            .envs([("GIT_COMMITTER_NAME", name), ("GIT_COMMITTER_EMAIL", email), ("GIT_COMMITTER_DATE", &date)]));
        run(git(&self.work).args(["tag", version]));
        run(git(&self.work).args(["push", "--quiet", "origin", "main", "--tags"]));
        let commit = run(git(&self.work).args(["rev-parse", "HEAD"]));
        let release = SampleRelease { version: version.to_owned(), commit };
        self.releases.push(release.clone());
        release
    }

    /// Returns the release of that version.
    #[track_caller]
    pub(crate) fn get(&self, version: &str) -> &SampleRelease {
        self.releases.iter().find(|release| release.version == version).expect("a release of the repository")
    }
}

/// A git that knows nothing of this user and this machine.
pub(crate) fn git(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for inherited in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(inherited);
    }
    command
}

pub(crate) fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// One place where the sample service can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl Instance {
    /// Where it answers, without the slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The segments of each environment in the order of their waves, and how many instances each has.
const SEGMENTS: [(&str, &str, u16); 3] =
    [("staging", "staging", 1), ("production", "segment", 1), ("production", "everyone", 2)];

/// Instances of the sample service on loopback, none of which runs before something is deployed to it.
#[derive(Debug)]
pub(crate) struct SampleService {
    /// Their state: `instances.json`, `deployments.jsonl`, and what runs.
    pub(crate) state: PathBuf,
    /// Where artifacts lie under their digests.
    pub(crate) store: PathBuf,
    instances: BTreeMap<(&'static str, &'static str), Vec<Instance>>,
}

impl SampleService {
    pub(crate) fn create(directory: &Path) -> Self {
        let (state, store) = (directory.join("state"), directory.join("store"));
        fs::create_dir_all(&state).unwrap();
        fs::create_dir_all(&store).unwrap();
        let mut instances = BTreeMap::new();
        let mut file: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (environment, segment, count) in SEGMENTS {
            let places: Vec<Instance> = (1..=count)
                .map(|number| Instance { name: format!("{environment}-{segment}-{number}"), port: free_port() })
                .collect();
            let listed: Vec<Value> = places.iter().map(|one| json!({"name": one.name, "port": one.port})).collect();
            file.entry(environment).or_default().push(format!("{}:{}", json!(segment), json!(listed)));
            instances.insert((environment, segment), places);
        }
        // Written by hand: the order of the segments is the order of the waves.
        let environments: Vec<String> =
            file.iter().map(|(name, segments)| format!("{}:{{{}}}", json!(name), segments.join(","))).collect();
        fs::write(state.join("instances.json"), format!("{{{}}}\n", environments.join(","))).unwrap();
        Self { state, store, instances }
    }

    /// Returns the instances of a segment: `staging` of staging, `segment` and `everyone` of production.
    #[track_caller]
    pub(crate) fn instances(&self, environment: &str, segment: &str) -> &[Instance] {
        let place = self.instances.iter().find(|((e, s), _)| (*e, *s) == (environment, segment));
        place.expect("a segment of the sample service").1
    }

    /// Builds the artifact of a work tree into the store and returns its digest.
    pub(crate) fn build(&self, work: &Path, commit: &str) -> String {
        run(Command::new("node")
            .arg(work.join("build.mjs"))
            .arg("--source")
            .arg(work)
            .args(["--commit", commit, "--store"])
            .arg(&self.store))
    }

    /// Returns what was deployed, in order: one object for each begin and each end.
    pub(crate) fn deployments(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.state.join("deployments.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asks an instance for a page; the status and the body, or none where nothing listens.
    pub(crate) async fn ask(instance: &Instance, page: &str) -> Option<(u16, Value)> {
        let answer = reqwest::get(format!("{}{page}", instance.url())).await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    /// Returns the version an instance says it runs.
    pub(crate) async fn version(instance: &Instance) -> Option<String> {
        let (status, body) = Self::ask(instance, "/version").await?;
        (status == 200).then(|| body["version"].as_str().unwrap_or_default().to_owned())
    }
}

impl SampleService {
    /// Ends every instance that runs.
    pub(crate) fn stop(&self) {
        let deploy = tests_directory().join("sample-service/deploy.mjs");
        let _ = Command::new("node").arg(deploy).args(["stop", "--state"]).arg(&self.state).status();
    }
}

impl Drop for SampleService {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A certificate authority of our own and a server certificate for this machine.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) ca_file: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) certificate: PathBuf,
}

impl Authority {
    pub(crate) fn create(directory: &Path) -> Self {
        fs::create_dir_all(directory).unwrap();
        let openssl = || {
            let mut command = Command::new("openssl");
            command.current_dir(directory);
            command
        };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        run(openssl().args(["req", "-x509", "-days", "30", "-subj", "/CN=Countersign test CA"]).args(key).args([
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-addext",
            "keyUsage=critical,keyCertSign",
        ]));
        run(openssl().args(["req", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"]).args(key));
        fs::write(
            directory.join("extensions"),
            "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n",
        )
        .unwrap();
        run(openssl().args(["x509", "-req", "-days", "30", "-in", "server.csr", "-out", "server.pem"]).args([
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-extfile",
            "extensions",
        ]));
        Self {
            ca_file: directory.join("ca.pem"),
            key: directory.join("server.key"),
            certificate: directory.join("server.pem"),
        }
    }
}

/// A Buildbot master with its workers, on loopback, over TLS.
#[derive(Debug)]
pub(crate) struct Buildbot {
    /// The base URL, with a slash at the end.
    pub(crate) url: String,
    pub(crate) port: u16,
    pub(crate) ca_file: PathBuf,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) repository: SampleRepository,
    pub(crate) service: SampleService,
    /// The trust of each environment: `TRUST/production`, `TRUST/staging`. Empty at first.
    pub(crate) trust: PathBuf,
    /// Where the gate claims.
    pub(crate) claims: PathBuf,
    master: PathBuf,
    home: PathBuf,
    process: Option<Child>,
    // Last, so that it goes when nothing uses it any more.
    _root: tempfile::TempDir,
}

/// What may be asked of a Buildbot.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    /// How long a log-in lasts; a week without it.
    pub(crate) session_seconds: Option<u32>,
}

impl Buildbot {
    /// Returns a Buildbot that other tests use at the same time: nobody may stop, kill or fill it up.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Buildbot>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let started = Arc::new(Self::start(Options::default())?);
        *shared = Arc::downgrade(&started);
        Some(started)
    }

    /// Starts one of its own; none, said aloud, where its programs cannot be installed. Where `CI` is set, that fails.
    pub(crate) fn start(options: Options) -> Option<Self> {
        let home = installation()?;
        let root = tempfile::Builder::new().prefix("countersign-buildbot-").tempdir().unwrap();
        let authority = Authority::create(&root.path().join("tls"));
        let [trust, claims, work] = ["trust", "claims", "home"].map(|name| root.path().join(name));
        for directory in [&trust, &claims, &work] {
            fs::create_dir_all(directory).unwrap();
        }
        fs::write(root.path().join("gate.sh"), GATE).unwrap();
        let master = root.path().join("master");
        run(clean(&home, &work).arg("create-master").arg("--quiet").arg("--relocatable").arg(&master));
        fs::copy(tests_directory().join("buildbot/master.cfg"), master.join("master.cfg")).unwrap();
        let mut started = Self {
            url: String::new(),
            port: 0,
            ca_file: authority.ca_file.clone(),
            user: "countersign".to_owned(),
            password: "a good long password".to_owned(),
            repository: SampleRepository::create(root.path()),
            service: SampleService::create(root.path()),
            trust,
            claims,
            master,
            home,
            process: None,
            _root: root,
        };
        // Somebody else may take a free port first; then another is tried.
        let up = (0..5).any(|_| {
            started.port = free_port();
            started.url = format!("https://127.0.0.1:{}/", started.port);
            started.configure(&authority, options);
            started.launch()
        });
        assert!(up, "no port was free for Buildbot:\n{}", started.log());
        Some(started)
    }

    fn configure(&self, authority: &Authority, options: Options) {
        let root = self._root.path();
        let harness = json!({
            "url": self.url, "port": self.port, "key": authority.key, "certificate": authority.certificate,
            "user": self.user, "password": self.password, "session_seconds": options.session_seconds,
            "repository": self.repository.bare, "store": self.service.store, "state": self.service.state,
            "trust": self.trust, "claims": self.claims, "gate": root.join("gate.sh"),
            "deploy": tests_directory().join("sample-service/deploy.mjs"),
        });
        fs::write(self.master.join("harness.json"), harness.to_string()).unwrap();
    }

    /// Starts the master; false where its port was taken meanwhile.
    fn launch(&mut self) -> bool {
        let _ = fs::remove_file(self.master.join("twistd.log"));
        let _ = fs::remove_file(self.master.join("twistd.pid"));
        let output = fs::File::create(self.master.join("output")).unwrap();
        let mut command = Command::new(self.home.join("bin/twistd"));
        environment(&mut command, &self._root.path().join("home"));
        command
            .args(["--nodaemon", "--no_save", "--python", "buildbot.tac"])
            .current_dir(&self.master)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let mut child = command.spawn().unwrap();
        let up = wait_for("Buildbot to start", || {
            let log = self.log();
            if log.contains("BuildMaster is running") {
                return Some(true);
            }
            let ended = child.try_wait().unwrap().is_some();
            if log.contains("CannotListenError") || log.contains("Address already in use") {
                return Some(false);
            }
            assert!(!ended, "Buildbot does not start:\n{}", self.log());
            None
        });
        if up {
            self.process = Some(child);
        } else {
            let _ = child.kill();
            let _ = child.wait();
        }
        up
    }

    /// Returns what the master logged and printed.
    pub(crate) fn log(&self) -> String {
        ["output", "twistd.log"].map(|name| fs::read_to_string(self.master.join(name)).unwrap_or_default()).concat()
    }

    /// Kills the master like a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.process.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.is_none(), "it runs");
        assert!(self.launch(), "its port was taken");
    }

    /// Returns how to reach it, with the right authority and the right password.
    pub(crate) fn config(&self) -> buildbot::Config {
        let mut config = buildbot::Config::new(self.url.parse().unwrap(), &self.user, Secret::new(&*self.password));
        config.ca_pem = Some(fs::read(&self.ca_file).unwrap());
        config
    }

    /// Returns a client of it.
    pub(crate) fn connector(&self) -> buildbot::Buildbot {
        buildbot::Buildbot::new(self.config()).unwrap()
    }
}

impl Drop for Buildbot {
    fn drop(&mut self) {
        let Some(mut child) = self.process.take() else { return };
        // Politely first: a master that ends by itself ends the steps it runs.
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(15) {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The environment of Buildbot's programs: its workers log all of it.
fn environment(command: &mut Command, home: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    command.env_clear().env("PATH", path).env("HOME", home).env("LANG", "C.UTF-8").env("GIT_CONFIG_NOSYSTEM", "1");
}

fn clean(installation: &Path, home: &Path) -> Command {
    let mut command = Command::new(installation.join("bin/buildbot"));
    environment(&mut command, home);
    command
}

/// Returns where Buildbot is installed, installing it the first time.
fn installation() -> Option<PathBuf> {
    static HOME: OnceLock<Option<PathBuf>> = OnceLock::new();
    HOME.get_or_init(|| {
        let output = Command::new("sh")
            .arg(tests_directory().join("buildbot/setup.sh"))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .expect("there is a shell");
        if output.status.success() {
            return Some(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end()));
        }
        assert!(std::env::var_os("CI").is_none(), "Buildbot cannot be installed, and here it must be tested");
        // Past the test harness, which would keep it to itself.
        let _ = writeln!(std::io::stderr(), "Buildbot cannot be installed: its tests are SKIPPED");
        None
    })
    .clone()
}

/// What is asked of a job of Buildbot.
pub(crate) fn request(job: &str, inputs: &[(&str, &str)]) -> TriggerRequest {
    TriggerRequest {
        request_id: RequestId::generate(),
        job: job.into(),
        inputs: inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        reason: "a test".into(),
    }
}

/// Triggers and waits until there is a run.
pub(crate) async fn begun(client: &buildbot::Buildbot, request: &TriggerRequest) -> RunRef {
    let accepted = client.trigger(request).await.unwrap();
    assert!(accepted.server_time.is_some(), "the server's clock is known");
    let Handle::Ticket(ticket) = accepted.handle else { panic!("Buildbot queues") };
    loop {
        match client.resolve(&ticket).await.unwrap() {
            Resolved::Run(run) => return run,
            Resolved::Queued => tokio::time::sleep(Duration::from_millis(100)).await,
            dropped => panic!("{dropped:?}"),
        }
    }
}

/// Follows a run to its end.
pub(crate) async fn over(client: &buildbot::Buildbot, run: &RunRef) -> Observation {
    loop {
        let seen = client.observe(run).await.unwrap();
        if matches!(seen.status, RunStatus::Completed(_)) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
