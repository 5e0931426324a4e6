//! Local commands, run for real: what is digested is what runs, and its outcome outlives us.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use countersign_app::connector::local_command::{AllowList, AllowedCommand, Config, LocalCommand};
use countersign_app::connector::{
    Accepted, Connector, FailureKind, Fate, Handle, Observation, RequestId, Resolved, RunConclusion, RunRef, RunStatus,
    StopAck, TriggerRequest,
};
use countersign_core::hash::Digest;

use crate::harness::wait_for;

/// A desk with one allowed command.
struct Desk {
    root: tempfile::TempDir,
    script: PathBuf,
    digest: Digest,
}

impl Desk {
    fn new(script: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("deploy.sh");
        fs::write(&path, script).unwrap();
        let desk = Self { script: path, digest: Digest::of(script.as_bytes()), root };
        desk.allow(|_| {});
        desk
    }

    fn allow(&self, change: impl FnOnce(&mut AllowedCommand)) {
        let mut allowed = AllowedCommand {
            script: self.script.clone(),
            sha256: self.digest,
            arguments: vec!["first arg".into(), "$(touch owned)".into()],
            interpreter: vec!["/bin/sh".into()],
            environment: BTreeMap::from([("EXTRA".into(), "yes".into())]),
        };
        change(&mut allowed);
        let list = AllowList { command: BTreeMap::from([("deploy".into(), allowed)]) };
        list.write(&self.root.path().join("allowed.toml")).unwrap();
    }

    fn config(&self) -> Config {
        let at = |name: &str| self.root.path().join(name);
        Config::new(at("runs"), at("allowed.toml"), "deploy", self.digest)
    }

    fn connector(&self) -> LocalCommand {
        LocalCommand::new(self.config())
    }

    fn run_directory(&self, id: &str) -> PathBuf {
        self.root.path().join("runs").join(id)
    }
}

fn request(id: &str) -> TriggerRequest {
    TriggerRequest {
        request_id: id.parse().unwrap(),
        job: "deploy".into(),
        inputs: BTreeMap::from([
            ("version".into(), "1.1.0".into()),
            ("note".into(), "two\nlines; $(touch owned)".into()),
        ]),
        reason: "because".into(),
    }
}

fn run_ref(id: &str) -> RunRef {
    RunRef { id: id.into(), attempt: 1 }
}

async fn over(connector: &LocalCommand, id: &str) -> Observation {
    for _ in 0..1200 {
        let seen = connector.observe(&run_ref(id)).await.unwrap();
        if matches!(seen.status, RunStatus::Completed(_)) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{id} does not end");
}

async fn running(connector: &LocalCommand, id: &str) {
    for _ in 0..1200 {
        if connector.observe(&run_ref(id)).await.unwrap().status == RunStatus::InProgress {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{id} does not start");
}

#[tokio::test]
async fn a_command_runs_with_what_it_is_given_and_nothing_else() {
    let desk = Desk::new(
        "env | sort\necho \"args: $*\"\npwd\necho trouble >&2\nread line || echo no input\n\
         echo '<testsuite/>' >\"$COUNTERSIGN_FILES/junit\"\n\
         printf 'artifact_sha256=abc\\nversion=9\\nnot a pair\\n' >\"$COUNTERSIGN_RESULT\"\n",
    );
    let connector = desk.connector();
    assert_eq!(connector.preflight("deploy").await.unwrap().inputs, None);
    let accepted = connector.trigger(&request("r-1")).await.unwrap();
    assert_eq!(accepted, Accepted { handle: Handle::Run(run_ref("r-1")), server_time: None });

    let seen = over(&connector, "r-1").await;
    let chunk = connector.log(&run_ref("r-1"), "deploy", 0).await.unwrap();
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Success), "{}", chunk.text);
    assert_eq!((seen.raw.as_str(), seen.steps.len()), ("exit 0", 1));
    assert!(seen.completed.is_some());
    let property = |name: &str| seen.properties.get(name).map(|one| (one.value.as_str(), one.source.as_str()));
    assert_eq!(property("artifact_sha256"), Some(("abc", "command")));
    assert_eq!(property("version"), Some(("1.1.0", "input")), "what was asked for is not overwritten");
    assert_eq!(property("request_id"), Some(("r-1", "input")));

    assert!(chunk.complete);
    let names: Vec<&str> = chunk
        .text
        .lines()
        .map_while(|line| if line.starts_with("args:") { None } else { line.split('=').next() })
        .collect();
    for name in names {
        let ours = name.starts_with("COUNTERSIGN_") || ["PATH", "EXTRA", "PWD", "OLDPWD", "SHLVL", "_"].contains(&name);
        assert!(ours || name == "lines; $(touch owned)", "{name} came through");
    }
    for line in [
        "COUNTERSIGN_VERSION=1.1.0",
        "COUNTERSIGN_REASON=because",
        "PATH=/usr/bin:/bin",
        "EXTRA=yes",
        "trouble",
        "no input",
    ] {
        assert!(chunk.text.lines().any(|found| found == line), "{line} is missing from\n{}", chunk.text);
    }
    assert!(chunk.text.contains("args: first arg $(touch owned)\n"));
    assert!(!desk.root.path().join("owned").exists());
    assert!(chunk.text.contains(&format!("\n{}\n", desk.root.path().canonicalize().unwrap().display())));

    let file = connector.file(&run_ref("r-1"), "deploy", "junit").await.unwrap();
    assert_eq!(file.bytes, b"<testsuite/>\n");
    assert_eq!(file.digest, Digest::of(b"<testsuite/>\n"));
    for (name, kind) in
        [("none", FailureKind::HiddenOrMissing), ("../exit", FailureKind::Invalid), ("", FailureKind::Invalid)]
    {
        assert_eq!(connector.file(&run_ref("r-1"), "deploy", name).await.unwrap_err().kind, kind, "{name}");
    }
    let mode = fs::metadata(desk.run_directory("r-1")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "others look at nothing");
}

#[tokio::test]
async fn a_log_is_followed_in_whole_lines() {
    let desk = Desk::new("echo one\nprintf half\nwhile [ ! -e go ]; do sleep 0.05; done\necho\necho three\nexit 3\n");
    let connector = desk.connector();
    connector.trigger(&request("r-1")).await.unwrap();
    let run = run_ref("r-1");
    let log = desk.run_directory("r-1").join("log");
    wait_for("the log", || fs::read_to_string(&log).is_ok_and(|text| text == "one\nhalf").then_some(()));
    let first = connector.log(&run, "deploy", 0).await.unwrap();
    assert_eq!((first.text.as_str(), first.next, first.complete), ("one\n", 4, false));
    let waiting = connector.log(&run, "deploy", first.next).await.unwrap();
    assert_eq!((waiting.text.as_str(), waiting.next), ("", 4));
    assert_eq!(connector.log(&run, "other", 0).await.unwrap_err().kind, FailureKind::HiddenOrMissing);
    assert_eq!(connector.file(&run, "deploy", "junit").await.unwrap_err().kind, FailureKind::Conflict);

    fs::write(desk.root.path().join("go"), "").unwrap();
    let seen = over(&connector, "r-1").await;
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Failure));
    assert_eq!(seen.raw, "exit 3");
    let rest = connector.log(&run, "deploy", first.next).await.unwrap();
    assert_eq!((rest.text.as_str(), rest.complete), ("half\nthree\n", true));
    let end = connector.log(&run, "deploy", rest.next).await.unwrap();
    assert_eq!((end.text.as_str(), end.complete), ("", true));
}

#[tokio::test]
async fn a_stop_ends_the_whole_process_group() {
    // The command has a child of its own, which must not survive it.
    let desk = Desk::new("sleep 600 & echo $! >\"$COUNTERSIGN_FILES/child\"\nwait\n");
    let connector = desk.connector();
    connector.trigger(&request("r-1")).await.unwrap();
    running(&connector, "r-1").await;
    let child = desk.run_directory("r-1").join("files/child");
    let child = wait_for("the child", || fs::read_to_string(&child).ok().filter(|text| text.ends_with('\n')));
    let ack = connector.stop(&Handle::Run(run_ref("r-1")), "enough").await.unwrap();
    assert_eq!(ack, StopAck::Requested);
    let seen = over(&connector, "r-1").await;
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Cancelled));
    assert_eq!(seen.raw, "exit 143");
    wait_for("the child to end", || (!alive(child.trim())).then_some(()));
    let again = connector.stop(&Handle::Run(run_ref("r-1")), "again").await.unwrap();
    assert_eq!(again, StopAck::AlreadyOver);
}

#[tokio::test]
async fn what_does_not_listen_is_killed() {
    let desk = Desk::new("trap '' TERM\necho ready\nwhile :; do sleep 0.1; done\n");
    let connector = LocalCommand::new(Config { stop_grace: Duration::from_millis(300), ..desk.config() });
    connector.trigger(&request("r-1")).await.unwrap();
    running(&connector, "r-1").await;
    let log = desk.run_directory("r-1").join("log");
    wait_for("the trap", || fs::read_to_string(&log).is_ok_and(|text| text.contains("ready")).then_some(()));
    connector.stop(&Handle::Run(run_ref("r-1")), "enough").await.unwrap();
    let seen = over(&connector, "r-1").await;
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Cancelled));
    assert_eq!(seen.raw, "killed");
}

fn alive(process: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}

#[tokio::test]
async fn only_what_was_digested_and_allowed_runs() {
    let refused = async |desk: &Desk, connector: &LocalCommand| {
        let failure = connector.trigger(&request("r-1")).await.unwrap_err();
        assert_eq!((failure.fate, failure.kind), (Fate::NotSent, FailureKind::NotAllowed), "{failure}");
        assert_eq!(connector.preflight("deploy").await.unwrap_err().kind, FailureKind::NotAllowed);
        assert!(!desk.run_directory("r-1").exists());
        failure.message
    };
    let desk = Desk::new("echo good\n");
    let connector = desk.connector();

    fs::write(&desk.script, "echo evil\n").unwrap();
    assert!(refused(&desk, &connector).await.contains("is not the one the ledger names"));
    desk.allow(|allowed| allowed.sha256 = Digest::of(b"echo evil\n"));
    assert!(refused(&desk, &connector).await.contains("is not the one the ledger names"));
    fs::write(&desk.script, "echo good\n").unwrap();
    assert!(refused(&desk, &connector).await.contains("is not the one this desk allowed"));

    desk.allow(|allowed| allowed.script = "deploy.sh".into());
    assert!(refused(&desk, &connector).await.contains("absolute path"));
    desk.allow(|allowed| allowed.interpreter = vec!["sh".into()]);
    assert!(refused(&desk, &connector).await.contains("absolute path"));
    fs::remove_file(desk.root.path().join("allowed.toml")).unwrap();
    assert!(refused(&desk, &connector).await.contains("does not allow"));
    desk.allow(|_| {});
    let path = desk.root.path().join("allowed.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refused(&desk, &connector).await.contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let other = TriggerRequest { job: "other".into(), ..request("r-1") };
    assert_eq!(connector.trigger(&other).await.unwrap_err().kind, FailureKind::NotAllowed);

    // What is changed after the check is not what runs.
    connector.trigger(&request("r-1")).await.unwrap();
    fs::write(&desk.script, "echo evil\n").unwrap();
    over(&connector, "r-1").await;
    assert_eq!(connector.log(&run_ref("r-1"), "deploy", 0).await.unwrap().text, "good\n");
}

#[tokio::test]
async fn a_request_id_is_used_once_and_found_again() {
    let desk = Desk::new("echo run >>count\n");
    let connector = desk.connector();
    let id: RequestId = "r-1".parse().unwrap();
    assert_eq!(connector.find(&id, None).await.unwrap(), []);
    connector.trigger(&request("r-1")).await.unwrap();
    over(&connector, "r-1").await;
    let again = connector.trigger(&request("r-1")).await.unwrap_err();
    assert_eq!((again.fate, again.kind), (Fate::Refused, FailureKind::Conflict));
    assert_eq!(fs::read_to_string(desk.root.path().join("count")).unwrap(), "run\n");

    let found = connector.find(&id, None).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].resolved, Resolved::Run(run_ref("r-1")));
    assert_eq!(connector.resolve(&found[0].ticket).await.unwrap(), found[0].resolved);
    let later = found[0].submitted.unwrap() + chrono::Duration::seconds(1);
    assert_eq!(connector.find(&id, Some(later)).await.unwrap(), []);
    let missing = connector.observe(&run_ref("r-2")).await.unwrap_err();
    assert_eq!(missing.kind, FailureKind::HiddenOrMissing);
    let path = connector.observe(&run_ref("../r-1")).await.unwrap_err();
    assert_eq!(path.kind, FailureKind::Invalid);
}

#[tokio::test]
async fn nobody_can_say_how_a_run_without_its_supervisor_ended() {
    let desk = Desk::new("echo $PPID >\"$COUNTERSIGN_FILES/supervisor\"\nsleep 600\n");
    let connector = desk.connector();
    connector.trigger(&request("r-1")).await.unwrap();
    let note = desk.run_directory("r-1").join("files/supervisor");
    let group = wait_for("the supervisor", || fs::read_to_string(&note).ok().filter(|text| text.ends_with('\n')));
    // As a power cut would: all of it at once, and nobody asked for it.
    let status = std::process::Command::new("kill").args(["-KILL", "--", &format!("-{}", group.trim())]).status();
    assert!(status.unwrap().success());
    let seen = over(&connector, "r-1").await;
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Unknown("lost".into())));

    // The same after a reboot: what has that process id now is somebody else.
    let record = desk.run_directory("r-1").join("supervisor");
    let text = fs::read_to_string(&record).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let me = std::process::id().to_string();
    (lines[0], lines[1]) = (&me, "00000000-0000-0000-0000-000000000000");
    fs::write(&record, lines.join("\n")).unwrap();
    assert_eq!(over(&connector, "r-1").await.status, RunStatus::Completed(RunConclusion::Unknown("lost".into())));
    assert_eq!(connector.stop(&Handle::Run(run_ref("r-1")), "no").await.unwrap(), StopAck::AlreadyOver);
}

#[tokio::test]
async fn a_run_that_never_started_never_will() {
    let desk = Desk::new("echo run >>count\n");
    let connector = desk.connector();
    connector.trigger(&request("r-1")).await.unwrap();
    over(&connector, "r-1").await;
    // As if we had been killed between preparing a run and starting its supervisor, a minute ago.
    let (old, new) = (desk.run_directory("r-1"), desk.run_directory("r-2"));
    fs::create_dir_all(new.join("files")).unwrap();
    let record = fs::read_to_string(old.join("request.json")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
    fs::write(new.join("request.json"), record.to_string()).unwrap();
    assert_eq!(connector.observe(&run_ref("r-2")).await.unwrap().status, RunStatus::Queued, "it may still be coming");
    let id: RequestId = "r-2".parse().unwrap();
    let found = connector.find(&id, None).await.unwrap();
    assert_eq!(found[0].resolved, Resolved::Queued);
    record["submitted"] = "2026-01-01T00:00:00Z".into();
    fs::write(new.join("request.json"), record.to_string()).unwrap();
    let seen = connector.observe(&run_ref("r-2")).await.unwrap();
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Skipped));
    assert_eq!(seen.raw, "never started");
    let dropped = |conclusion, raw: &str| Resolved::Dropped { conclusion, raw: raw.into() };
    let never = dropped(RunConclusion::Skipped, "never started");
    assert_eq!(connector.find(&id, None).await.unwrap()[0].resolved, never);
    assert_eq!(connector.resolve(&found[0].ticket).await.unwrap(), never);
    // That somebody stopped it is another matter: they meant it.
    fs::write(new.join("stop"), "enough").unwrap();
    let stopped = dropped(RunConclusion::Cancelled, "stopped before it started");
    assert_eq!(connector.resolve(&found[0].ticket).await.unwrap(), stopped);

    // A supervisor that comes too late finds the decision made.
    let supervisor = std::process::Command::new("/bin/sh")
        .args(["-c", "ln /dev/null \"$1\" 2>/dev/null || ln \"$2\" \"$1\"", "late"])
        .arg(new.join("supervisor"))
        .arg(new.join("request.json"))
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!supervisor.success());
    assert_eq!(fs::read_to_string(desk.root.path().join("count")).unwrap(), "run\n");
}

/// This test starts itself again as a program that triggers a run and is killed while the command is still at it.
#[test]
fn an_outcome_survives_the_program_that_asked_for_it() {
    const HOME: &str = "COUNTERSIGN_TEST_DESK";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(home) = std::env::var_os(HOME) {
        let at = |name: &str| PathBuf::from(&home).join(name);
        let digest = Digest::of(&fs::read(at("deploy.sh")).unwrap());
        let connector = LocalCommand::new(Config::new(at("runs"), at("allowed.toml"), "deploy", digest));
        runtime.block_on(connector.trigger(&request("r-1"))).unwrap();
        loop {
            std::thread::sleep(Duration::from_secs(60));
        }
    }
    let desk = Desk::new("echo begun\nwhile [ ! -e go ]; do sleep 0.05; done\necho done\n");
    let mut asker = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "local_command::an_outcome_survives_the_program_that_asked_for_it"])
        .env(HOME, desk.root.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let log = desk.run_directory("r-1").join("log");
    wait_for("the command", || fs::read_to_string(&log).is_ok_and(|text| text == "begun\n").then_some(()));
    asker.kill().unwrap();
    asker.wait().unwrap();

    let connector = desk.connector();
    let id: RequestId = "r-1".parse().unwrap();
    let found = runtime.block_on(connector.find(&id, None)).unwrap();
    assert_eq!(found[0].resolved, Resolved::Run(run_ref("r-1")));
    assert_eq!(runtime.block_on(connector.observe(&run_ref("r-1"))).unwrap().status, RunStatus::InProgress);
    fs::write(desk.root.path().join("go"), "").unwrap();
    let seen = runtime.block_on(over(&connector, "r-1"));
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Success));
    assert_eq!(runtime.block_on(connector.log(&run_ref("r-1"), "deploy", 0)).unwrap().text, "begun\ndone\n");
}
