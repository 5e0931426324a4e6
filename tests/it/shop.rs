//! The shop whose releases are walked, and a script that works at its desk: what the walks of the command line and of the
//! window have in common.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Buildbot, SampleRelease, SampleService, begun, countersign, over, request, run};

/// The gate that only Buildbot can fill.
pub(crate) const OBSERVED: &str = r#"
[[evidence]]
gate = "unit tests"
kind = "junit"
observed = true
min = { passed = 5 }
max = { failed = 0, errors = 0 }
"#;

/// The gate that a person's file fills once a second person has confirmed it.
pub(crate) const ATTACHED: &str = r#"
[[evidence]]
gate = "static analysis"
kind = "sarif"
max = { error = 0, warning = 0 }
"#;

pub(crate) fn policy(mode: &str, evidence: &str) -> String {
    format!(
        r#"# What the sample service asks of a release before it may go live.
schema = 1
product = "shop"
mode = "{mode}"
reauth = ["prompt", "file"]
sheet_valid_minutes = 60
soak_seconds = 2
required = ["risk", "security-impact", "backout-plan"]
{evidence}
[[quorum]]
role = "qa"

[[quorum]]
role = "security"

[[wave]]
segment = "segment"
bake_seconds = 3

[[wave]]
segment = "everyone"
bake_seconds = 2
"#
    )
}

/// One desk, and a script that works at it.
pub(crate) struct Desk {
    pub(crate) root: PathBuf,
    /// Where this user's keys lie.
    pub(crate) home: PathBuf,
}

/// What a command ended with.
pub(crate) struct Said {
    pub(crate) line: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "countersign {}\n{}{}", self.line, self.out, self.err);
        self
    }

    /// The answer, where there is one.
    #[track_caller]
    pub(crate) fn answer(&self) -> Value {
        assert_eq!(self.err, "", "countersign {}: an answer comes alone", self.line);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{}: {error}: {}", self.line, self.out))
    }

    /// The error, where there is one.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        assert_eq!(self.out, "", "countersign {}: an error comes alone", self.line);
        let mut all: Value =
            serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("{}: {error}: {}", self.line, self.err));
        all["error"].take()
    }
}

impl Desk {
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), home: root.join("home") }
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(countersign());
        command
            .args(["--json", "--ledger"])
            .arg(self.root.join("ledger"))
            .args(split(line))
            .env("COUNTERSIGN_HOME", &self.home)
            .current_dir(&self.root)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Said {
        let output = self.command(line).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("countersign {line}: {}", output.status));
        Said { line: line.to_owned(), code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs a command whose answer is yes.
    #[track_caller]
    pub(crate) fn yes(&self, line: &str) -> Value {
        self.run(line).expect(0).answer()
    }

    /// Runs commands whose answers are yes, all at the same time: people share a ledger.
    #[track_caller]
    pub(crate) fn together(&self, lines: &[&str]) -> Vec<Value> {
        std::thread::scope(|scope| {
            let all: Vec<_> = lines.iter().map(|line| scope.spawn(|| self.run(line))).collect();
            let all: Vec<Said> = all.into_iter().map(|one| one.join().unwrap()).collect();
            all.iter().map(|said| said.expect(0).answer()).collect()
        })
    }

    /// Runs a command that is refused, and returns the error, which has that code.
    #[track_caller]
    pub(crate) fn no(&self, exit: i32, code: &str, line: &str) -> Value {
        let said = self.run(line);
        let error = said.expect(exit).error();
        assert_eq!(error["code"], code, "countersign {line}: {error}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{error}");
        error
    }

    /// Writes a file that only its owner reads.
    pub(crate) fn secret(&self, name: &str, text: &str) {
        let path = self.root.join(name);
        fs::write(&path, format!("{text}\n")).unwrap();
        run(Command::new("chmod").arg("600").arg(path));
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.root.join(name), text).unwrap();
    }
}

/// Says who signs and why; the passphrase is in that person's own file.
pub(crate) fn by(who: &str, reason: &str) -> String {
    format!("--as {who}@acme.example --passphrase-file {who}.passphrase --reason '{reason}'")
}

/// Splits a line as a shell does, without expanding anything.
pub(crate) fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut open, mut any) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '\'' => (open, any) = (!open, true),
            c if c.is_whitespace() && !open => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => word.push(c),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// What Buildbot made of a commit.
pub(crate) struct Built {
    /// The run, by the id that Buildbot gave it.
    pub(crate) run: String,
    /// The artifact's digest, as the run says it.
    pub(crate) artifact: String,
    /// How many cases the run's own report lists.
    pub(crate) cases: usize,
}

/// What a developer's push does: Buildbot checks out, tests and builds.
pub(crate) async fn build(buildbot: &Buildbot, release: &SampleRelease) -> Built {
    let client = buildbot.connector();
    let started = begun(&client, &request("build", &[("commit_wanted", &release.commit)])).await;
    let seen = over(&client, &started).await;
    let report = countersign_app::connector::Connector::file(&client, &started, "test", "junit").await.unwrap();
    Built {
        run: started.id,
        artifact: seen.properties["artifact_sha256"].value.clone(),
        cases: String::from_utf8(report.bytes).unwrap().matches("<testcase").count(),
    }
}

/// Asserts what every instance of a segment answers: version, digest and good health.
pub(crate) async fn answers(buildbot: &Buildbot, environment: &str, segment: &str, version: &str, artifact: &str) {
    let instances = buildbot.service.instances(environment, segment);
    assert!(!instances.is_empty());
    for instance in instances {
        let (status, body) = SampleService::ask(instance, "/version").await.expect("it answers");
        assert_eq!(status, 200, "{body}");
        assert_eq!((&body["version"], &body["artifact"]), (&json!(version), &json!(artifact)), "{}", instance.name);
        let (status, body) = SampleService::ask(instance, "/health").await.expect("it answers");
        assert_eq!((status, &body["status"]), (200, &json!("ok")), "{}", instance.name);
    }
}

/// The same as a target's file says it.
pub(crate) fn segment_toml(buildbot: &Buildbot, environment: &str, name: &str) -> String {
    let urls = |page: &str| -> Vec<String> {
        let instances = buildbot.service.instances(environment, name).iter();
        instances.map(|one| format!("{}/{page}", one.url())).collect()
    };
    format!(
        "[[segment]]\nname = \"{name}\"\nhealth = {}\nversion = {}\n",
        json!(urls("health")),
        json!(urls("version"))
    )
}

/// A scan without a finding that counts: one note, one warning that somebody has looked at and suppressed.
pub(crate) fn sarif(commit: &str) -> String {
    let result = |level: &str, text: &str| json!({"ruleId": text, "level": level, "message": {"text": text}});
    let mut suppressed = result("warning", "a port is read from the command line");
    suppressed["suppressions"] = json!([{"kind": "external", "status": "accepted"}]);
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "Shop scan", "version": "1.0"}},
            "versionControlProvenance": [{"repositoryUri": "https://git.acme.example/shop", "revisionId": commit}],
            "results": [result("note", "the answer is not cached"), suppressed],
        }],
    })
    .to_string()
}

/// What a person carries into the pipeline's protected configuration.
pub(crate) fn pin_trust(desk: &Desk, buildbot: &Buildbot) {
    for environment in ["staging", "production"] {
        let out = buildbot.trust.join(environment);
        desk.yes(&format!("target trust --product shop --environment {environment} --out {}", out.display()));
    }
}

/// Unpacks a bundle as anybody does. Of a damaged one `unzip` complains, and unpacks it all the same.
pub(crate) fn unzipped(desk: &Desk, bundle: &str, to: &str) -> PathBuf {
    let to = desk.root.join(to);
    let output = Command::new("unzip").arg("-q").arg(desk.root.join(bundle)).arg("-d").arg(&to).output().unwrap();
    assert!(matches!(output.status.code(), Some(0..=2)), "{output:?}");
    to
}

/// Runs the script that came with the bundle.
pub(crate) fn verify_sh(copy: &Path, fingerprint: &str) -> (i32, String) {
    let output = Command::new("bash")
        .arg(copy.join("verify.sh"))
        .args(["--fingerprint", fingerprint])
        .arg(copy)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
}
