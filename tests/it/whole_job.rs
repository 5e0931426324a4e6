//! The whole job on the command line, as a user's script does it: every step a process of the built program, against a
//! real Buildbot over TLS, real instances on loopback, and at the end verifiers that are not ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use crate::auditor;
use crate::harness::{Buildbot, Options, SampleRelease, free_port, run, wait_for};
use crate::shop::{
    ATTACHED, Built, Desk, OBSERVED, Said, answers, build, by, pin_trust, policy, sarif, segment_toml, unzipped,
    verify_sh,
};

/// A worker in the background, ended the way a service is.
struct Worker {
    process: Child,
    told: PathBuf,
}

impl Worker {
    fn start(desk: &Desk) -> Self {
        let told = desk.root.join("worker");
        let file = |end: &str| fs::File::create(told.with_extension(end)).unwrap();
        let mut command = desk.command("worker --every 1 --poll-max 1");
        command.stdout(file("out")).stderr(file("err"));
        Self { process: command.spawn().unwrap(), told }
    }

    /// Has it end, and returns what it did.
    fn stop(mut self) -> Said {
        run(Command::new("kill").args(["-TERM", &self.process.id().to_string()]));
        let status = self.process.wait().unwrap();
        let read = |end: &str| fs::read_to_string(self.told.with_extension(end)).unwrap();
        let code = status.code().unwrap_or_else(|| panic!("the worker: {status}"));
        Said { line: "worker".to_owned(), code, out: read("out"), err: read("err") }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The instances of a segment as `target set` takes them.
fn segment(buildbot: &Buildbot, environment: &str, name: &str) -> String {
    let urls: Vec<String> = buildbot
        .service
        .instances(environment, name)
        .iter()
        .map(|one| format!("{0}/health,{0}/version", one.url()))
        .collect();
    format!("{name}={}", urls.join(";"))
}

fn bill_of_materials(commit: &str) -> String {
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "shop", "version": "1"},
            "properties": [{"name": "git.commit", "value": commit}],
        },
        "components": [{"type": "platform", "name": "node", "version": "20.19.0", "purl": "pkg:generic/node@20.19.0"}],
    })
    .to_string()
}

/// Everything before the first release.
fn set_up(desk: &Desk, buildbot: &Buildbot) -> String {
    for who in ["olga", "rita", "quinn", "sam", "erik.lund"] {
        desk.secret(&format!("{who}.passphrase"), &format!("{who} has a passphrase of their own"));
    }
    let begun = desk.yes(
        "init --title 'Acme releases' --name 'Olga Brandt' --principal olga@acme.example
         --recovery-person rita@acme.example --recovery-person quinn@acme.example --recovery-needed 2
         --passphrase-file olga.passphrase --reason 'the ledger of our releases begins'",
    );
    let fingerprint = begun["fingerprint"].as_str().unwrap().to_owned();
    assert_eq!((fingerprint.len(), &begun["sample"], &begun["entries"]), (64, &json!(false), &json!(1)));
    assert_eq!(begun["personas"], json!([]), "nobody is made up");
    desk.no(1, "ledger_exists", "init --title 'Acme releases' --name 'Olga Brandt' --principal olga@acme.example --passphrase-file olga.passphrase
         --reason 'once more'");

    // Three choose a passphrase at this desk; Sam brings the public half of a key made elsewhere.
    // Erik commits under another address than he signs with.
    let enrol = |who: &str, name: &str, more: &str| {
        format!("person enrol {who}@acme.example --name '{name}' {more} {}", by("olga", "joins the team"))
    };
    let here = |who: &str| format!("--identity 'passport seen' --new-passphrase-file {who}.passphrase");
    desk.together(&[
        &enrol("rita", "Rita Vogel", &here("rita")),
        &enrol("quinn", "Quinn Moreau", &here("quinn")),
        &enrol("erik.lund", "Erik Lund", &format!("{} --email erik@acme.example", here("erik.lund"))),
    ]);
    let key = desk.root.join("sam-key");
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "what Sam had before", "-f"]).arg(&key));
    desk.secret("sam.before", "what Sam had before");
    let sam = "--public-key sam-key.pub --identity 'fingerprint read over the phone'";
    let did = desk.together(&[
        &enrol("sam", "Sam Okafor", sam),
        &format!("device enrol-dispatcher --name 'Build room' {}", by("olga", "it runs our rollouts")),
        &format!("product set shop --title 'Shop' --path staging,production {}", by("olga", "our product")),
    ]);
    let (sam, device) = (&did[0], &did[1]);
    let shown = run(Command::new("ssh-keygen").arg("-lf").arg(desk.root.join("sam-key.pub")));
    assert!(shown.contains(sam["fingerprint"].as_str().unwrap()), "{shown}: {sam}");
    desk.no(1, "key_not_here", &format!("person accept {}", by("sam", "I accept")));
    desk.yes(
        "person protect sam@acme.example --key sam-key --passphrase-file sam.before --new-passphrase-file sam.passphrase",
    );
    let accept = |who: &str| format!("person accept {}", by(who, "I have read it and accept"));
    desk.together(&[&accept("rita"), &accept("quinn"), &accept("sam"), &accept("erik.lund")]);
    let grant =
        |who: &str, role: &str| format!("person role grant {who}@acme.example {role} {}", by("olga", "appointed"));
    let confirm = |who: &str, role: &str| {
        format!("person role confirm {who}@acme.example {role} {}", by("rita", "I know them and the appointment"))
    };
    assert_eq!(desk.yes(&grant("rita", "release-manager"))["waits_for_second_person"], false);
    let did = desk.together(&[&grant("quinn", "qa"), &grant("erik.lund", "qa")]);
    assert!(did.iter().all(|did| did["waits_for_second_person"] == true), "{did:?}");
    let alone = format!("person role confirm quinn@acme.example qa {}", by("olga", "I say so myself"));
    desk.no(1, "segregation_failed", &alone);
    desk.together(&[&confirm("quinn", "qa"), &confirm("erik.lund", "qa")]);

    // The CI system that brings it out.
    desk.secret("password", &buildbot.password);
    let (url, ca) = (&buildbot.url, buildbot.ca_file.display());
    let reach = format!("--user {} --password-file password --ca-file {ca}", buildbot.user);
    desk.yes(&format!("connector add buildbot --url {url} {reach}"));
    let tried = desk.yes("connector test buildbot --job deploy");
    assert_eq!((&tried["product"], &tried["jobs"][0]["missing"]), (&json!("Buildbot"), &json!([])));
    desk.no(1, "connector", "connector test buildbot --job nothing");
    desk.yes(&format!("connector add buildbot --name gone --url https://127.0.0.1:{}/ {reach}", free_port()));
    desk.no(3, "connector", "connector test gone");
    desk.yes("connector remove gone");
    assert!(!desk.run("connector list").expect(0).out.contains(&buildbot.password), "no secret is shown");

    desk.write(
        "production.toml",
        &format!(
            "product = \"shop\"\nenvironment = \"production\"\njob = \"deploy\"\ndeploy_step = \"deploy\"\n
             [connector]\nkind = \"buildbot\"\nbase_url = \"{url}\"\nca_file = {}\n\n{}\n{}",
            json!(buildbot.ca_file),
            segment_toml(buildbot, "production", "segment"),
            segment_toml(buildbot, "production", "everyone")
        ),
    );
    desk.together(&[
        &grant("sam", "security"),
        &format!(
            "target set --product shop --environment staging --connector buildbot --url {url} --ca-file {ca} --job deploy
             --deploy-step deploy --segment '{}' {}",
            segment(buildbot, "staging", "staging"),
            by("olga", "where staging runs")
        ),
        &format!("target set --file production.toml {}", by("olga", "where production runs")),
    ]);
    desk.yes(&confirm("sam", "security"));
    let waiting = desk.yes("person waiting");
    assert_eq!(waiting, json!({"waiting": [], "without_process_owner": []}));
    for row in desk.yes("target list --product shop").as_array().unwrap() {
        assert_eq!(row["unreachable"], Value::Null, "{row}");
    }
    let people = desk.yes("person list");
    let of = |who: &str| people.as_array().unwrap().iter().find(|row| row["principal"] == who).unwrap();
    let origins = ["quinn@acme.example", "sam@acme.example"].map(|who| &of(who)["keys"][0]["origin"]);
    assert_eq!(origins, [&json!("made-here"), &json!("imported")]);

    // A machine that dispatches is what two people say it is.
    assert_eq!(device["waits_for_second_person"], true);
    let device = device["device"].as_str().unwrap();
    desk.no(1, "not_a_dispatcher", "worker --once");
    desk.no(1, "segregation_failed", &format!("device confirm {device} {}", by("olga", "I say so myself")));

    // The policy is kept byte for byte.
    let text = policy("continuous-delivery", &[OBSERVED, ATTACHED].concat());
    desk.write("policy.toml", &text);
    assert_eq!(desk.yes("policy check policy.toml")["warnings"], json!([]));
    desk.no(2, "usage", "policy set policy.toml --as olga@acme.example --passphrase-file olga.passphrase");
    let did = desk.together(&[
        &format!("device confirm {device} {}", by("rita", "stood beside it")),
        &format!("policy set policy.toml {}", by("olga", "two people sign, one instance first")),
    ]);
    let set = &did[1]["policy"];
    assert_eq!((&set["version"], &set["status"]), (&json!(1), &json!("in force")));
    let shown = desk.yes("policy show shop");
    assert_eq!(shown["toml"], text);
    pin_trust(desk, buildbot);
    fingerprint
}

/// Proposes a candidate as the release manager does, with its evidence, and delivers it to staging.
fn propose(desk: &Desk, buildbot: &Buildbot, release: &SampleRelease, built: &Built, more: &str) -> String {
    let SampleRelease { version, commit } = release;
    let artifact = buildbot.service.store.join(&built.artifact);
    let id = format!("shop-{version}");
    let proposed = desk.yes(&format!(
        "release propose --product shop --version {version} --repository {} --commit {version} {more}
         --artifact shop.json={} --risk 'one service without stored data' --security-impact 'no new input is read'
         --rollout-plan 'one instance first' --backout-plan 'deploy what was live before' {}",
        buildbot.repository.bare.display(),
        artifact.display(),
        by("rita", "ready to be decided")
    ));
    let candidate = &proposed["candidate"];
    assert_eq!((&candidate["commit"], &candidate["artifacts"][0]["sha256"]), (&json!(commit), &json!(built.artifact)));
    assert_eq!(proposed["release"], id);
    is(desk, &id, "draft");

    let observed =
        desk.yes(&format!("evidence attach {id} --connector buildbot --run {} --step test --log junit", built.run));
    assert_eq!((&observed["kind"], &observed["conclusion"]), (&json!("junit"), &json!("pass")));
    assert_eq!((&observed["commit"], &observed["commit_source"]), (&json!(commit), &json!("run")));
    assert_eq!(observed["counts"]["passed"], built.cases, "{observed}");

    // What a person attaches counts once somebody else has confirmed it.
    desk.write("scan.sarif", &sarif(commit));
    let attached = desk.yes(&format!("evidence attach {id} --file scan.sarif {}", by("rita", "made for this commit")));
    assert_eq!(attached["commit_source"], "file", "{attached}");
    let entry = &attached["entry"]["index"];
    let waits = is(desk, &id, "collecting");
    assert_eq!(waits["blockers"][0]["act"], format!("countersign evidence confirm {entry}"), "{waits:#}");
    desk.no(1, "segregation_failed", &format!("evidence confirm {entry} {}", by("rita", "it is right")));
    desk.yes(&format!("evidence confirm {entry} {}", by("quinn", "compared with the scanner")));
    is(desk, &id, "collecting");
    let early = desk.no(1, "gate_open", &format!("request {id} {}", by("rita", "everything is there")));
    assert!(early["message"].as_str().unwrap().contains("staging"), "{early}");
    desk.yes(&format!("stage {id} --poll-max 1"));
    id
}

fn status(desk: &Desk, id: &str) -> Value {
    desk.yes(&format!("status {id}"))
}

/// Asserts where a release stands, and that whatever it names as the way on is a command with such flags.
#[track_caller]
fn is(desk: &Desk, id: &str, state: &str) -> Value {
    let view = status(desk, id);
    assert_eq!(view["state"], state, "{view:#}");
    for blocker in view["blockers"].as_array().unwrap() {
        for act in blocker["act"].as_str().unwrap().split(", or ").filter(|act| act.starts_with("countersign ")) {
            let line = act.trim_start_matches("countersign ").split(" (").next().unwrap();
            let line = line.replace("VERDICT", "go").replace("MOMENT", "+7d").replace("PRINCIPAL", "rita@acme.example");
            desk.run(&format!("{line} --help")).expect(0);
        }
    }
    view
}

/// Waits out the soak, freezes the sheet and has both people sign it.
fn decide(desk: &Desk, id: &str) {
    wait_for("the soak", || (status(desk, id)["blockers"][0]["code"] == "request").then_some(()));
    let asked = desk.yes(&format!("request {id} {}", by("rita", "everything is there")));
    assert_eq!((&asked["sheet"]["outcome"], &asked["sheet"]["sign_offs"]), (&json!("incomplete"), &json!([])));
    is(desk, id, "ready");
    desk.yes(&format!("sign {id} --role qa --verdict go {}", by("quinn", "all unit tests pass")));
    let early = desk.no(1, "quorum_missing", &format!("dispatch {id} {}", by("rita", "out with it")));
    assert!(early["message"].as_str().unwrap().contains("security"), "{early}");
    let signed = desk.yes(&format!("sign {id} --verdict go {}", by("sam", "no new input, no new dependency")));
    assert_eq!((&signed["state"], &signed["sheet"]["outcome"]), (&json!("authorized"), &json!("go")), "{signed:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_releases_walk_the_whole_job_on_the_command_line() {
    let Some(buildbot) = Buildbot::start(Options::default()).map(Arc::new) else { return };
    let root = tempfile::Builder::new().prefix("countersign-job-").tempdir().unwrap();
    let desk = Desk::at(root.path());
    let started = Instant::now();
    let done = |what: &str| println!("{:6.1} s  {what}", started.elapsed().as_secs_f64());

    // Developers have pushed; Buildbot tests and builds while the house is set up.
    let built = tokio::spawn({
        let buildbot = Arc::clone(&buildbot);
        async move {
            let mut all = Vec::new();
            for version in ["1.1.0", "1.2.0", "1.3.0"] {
                all.push(build(&buildbot, buildbot.repository.get(version)).await);
            }
            all
        }
    });
    let fingerprint = set_up(&desk, &buildbot);
    done("people, machine, product, connector, targets, policy, trust");
    let built = built.await.unwrap();
    done("three commits built and tested");

    let first = first_release(&desk, &buildbot, &built[0]).await;
    done("1.1.0 is live");
    second_release(&desk, &buildbot, &built[1], &built[0].artifact).await;
    done("1.2.0 was halted in the segment and taken back");
    let authorization = third_release(&desk, &buildbot, &built[2]).await;
    done("1.3.0 is live, nobody signed");

    audit(&desk, &fingerprint, &first, authorization);
    done("exported, verified by three, altered and refused by three, reported in four forms");
}

/// 1.1.0: two people sign, a third may not; wave by wave to everyone. Returns its id.
async fn first_release(desk: &Desk, buildbot: &Buildbot, built: &Built) -> String {
    let release = buildbot.repository.get("1.1.0");

    // What a file is worth, before there is anything to attach it to.
    desk.write("scan.sarif", &sarif(&release.commit));
    desk.write("bom.json", &bill_of_materials(&release.commit));
    let digest = |name: &str| run(Command::new("sha256sum").arg(desk.root.join(name)))[..64].to_owned();
    let shape = |file: &str, kind: &str, counts: Value| {
        let expected = json!({
            "kind": kind, "conclusion": "pass", "counts": counts, "digest": digest(file), "commit": release.commit,
        });
        assert_eq!(desk.yes(&format!("evidence inspect {file}")), expected);
    };
    shape("scan.sarif", "sarif", json!({"error": 0, "warning": 0, "note": 1, "none": 0, "suppressed": 1}));
    shape("bom.json", "cyclonedx", json!({"components": 1, "vulnerabilities": 0}));
    desk.write("red.xml", "<testsuite><testcase name='a'><failure/></testcase><testcase name='b'/></testsuite>");
    let red = desk.run("evidence inspect red.xml").expect(1).answer();
    let counts = json!({"total": 2, "passed": 1, "failed": 1, "errors": 0, "skipped": 0, "flaky": 0});
    assert_eq!(red, json!({"kind": "junit", "conclusion": "fail", "counts": counts, "digest": digest("red.xml")}));
    desk.no(3, "file", "evidence inspect nothing.xml");

    let id = propose(desk, buildbot, release, built, "--base 1.0.0");
    desk.write("other.sarif", &sarif(&buildbot.repository.get("1.0.0").commit));
    desk.no(1, "other_commit", &format!("evidence attach {id} --file other.sarif {}", by("rita", "the wrong one")));
    // Nobody asks for it, so nobody has to confirm it.
    let attached = desk.yes(&format!("evidence attach {id} --file bom.json {}", by("rita", "what is inside")));
    assert_eq!((&attached["kind"], &attached["counts"]["components"]), (&json!("cyclonedx"), &json!(1)));
    answers(buildbot, "staging", "staging", "1.1.0", &built.artifact).await;
    let shown = desk.yes(&format!("release show {id}"));
    let commits = shown["changes"]["commits"].as_array().unwrap();
    assert_eq!(commits.len(), 1, "{shown:#}");
    assert_eq!(shown["candidate"]["changes"]["authors"], json!(["erik@acme.example"]));
    assert_eq!(shown["candidate"]["changes"]["tickets"], json!(["SHOP-102"]));

    decide(desk, &id);
    // Erik holds the role and wrote the commit: refused before his passphrase is read, and on record.
    let own =
        desk.no(1, "segregation_failed", &format!("sign {id} --role qa --verdict go {}", by("erik.lund", "mine")));
    assert!(own["message"].as_str().unwrap().contains("wrote a commit"), "{own}");
    desk.no(1, "role_missing", &format!("dispatch {id} {}", by("quinn", "I signed it")));
    let wrong = "--as rita@acme.example --passphrase-file quinn.passphrase";
    desk.no(1, "wrong_passphrase", &format!("dispatch {id} {wrong}"));
    let deployed = |environment: &str| {
        let all = buildbot.service.deployments();
        all.iter().filter(|line| line["environment"] == environment && line["result"] == "up").count()
    };
    assert_eq!((deployed("staging"), deployed("production")), (1, 0), "nothing is out before it is dispatched");

    let first = desk.yes(&format!("dispatch {id} --poll-max 1 {}", by("rita", "one instance first")));
    assert_eq!((&first["result"], &first["state"]), (&json!("passed"), &json!("rolling_out")));
    answers(buildbot, "production", "segment", "1.1.0", &built.artifact).await;
    assert_eq!(deployed("production"), 1, "everyone waits for the segment");
    let second = desk.yes(&format!("dispatch {id} --poll-max 1 {}", by("rita", "then the others")));
    assert_eq!((&second["result"], &second["state"]), (&json!("live"), &json!("live")));
    answers(buildbot, "production", "everyone", "1.1.0", &built.artifact).await;
    assert_eq!(deployed("production"), 3);

    let view = is(desk, &id, "live");
    assert_eq!((&view["live"]["this_release"], &view["blockers"]), (&json!(true), &json!([])));
    let valid = view["sheet"]["sign_offs"].as_array().unwrap();
    assert_eq!(valid.len(), 2);
    assert!(valid.iter().all(|one| one["state"] == "VALID" && one["reauth"] == "file"), "{view:#}");
    desk.no(1, "already_dispatched", &format!("dispatch {id} {}", by("rita", "once more")));
    desk.yes(&format!("release close {id} --result 'no incident' {}", by("rita", "review after a week")));
    id
}

/// 1.2.0: every test is green, and it fails while it runs.
async fn second_release(desk: &Desk, buildbot: &Buildbot, built: &Built, old: &str) {
    let release = buildbot.repository.get("1.2.0");
    let id = propose(desk, buildbot, release, built, "");
    let shown = desk.yes(&format!("release show {id}"));
    assert_eq!(shown["live"]["now"]["version"], "1.1.0");
    assert_eq!(shown["live"]["list_begins_at_live"], true);
    decide(desk, &id);
    let facts = status(desk, &id)["sheet"]["facts"].clone();
    let way_back = facts.as_array().unwrap().iter().find(|fact| fact["name"] == "way back").unwrap();
    assert!(way_back["value"].as_str().unwrap().contains(old), "{way_back}");

    let halted = desk.run(&format!("dispatch {id} --all-waves --poll-max 1 {}", by("rita", "one instance first")));
    let halted = halted.expect(1).answer();
    assert_eq!((&halted["result"], &halted["state"]), (&json!("halted"), &json!("rollout_halted")), "{halted:#}");
    assert_eq!(halted["rollout"][0]["verdict"], "fail");
    assert_eq!(halted["rollout"][1]["verdict"], Value::Null, "nobody else got it");
    let blocked = is(desk, &id, "rollout_halted");
    assert_eq!(blocked["blockers"][0]["act"], format!("countersign rollback {id}"));
    desk.no(1, "already_dispatched", &format!("dispatch {id} {}", by("rita", "perhaps it passes now")));

    let back = desk.yes(&format!("rollback {id} --poll-max 1 {}", by("rita", "back by the slot of the sheet")));
    assert_eq!(back["live"], "1.1.0");
    is(desk, &id, "rolled_back");
    for segment in ["segment", "everyone"] {
        answers(buildbot, "production", segment, "1.1.0", old).await;
    }
    let bad = |line: &&Value| line["environment"] == "production" && line["version"] == "1.2.0";
    let reached: Vec<Value> = buildbot.service.deployments().iter().filter(bad).cloned().collect();
    assert!(!reached.is_empty() && reached.iter().all(|line| line["wave"] == "segment"), "{reached:?}");
}

/// 1.3.0: the quorum has signed for releases like it; nobody signs this one. Returns the entry of the authorization.
async fn third_release(desk: &Desk, buildbot: &Buildbot, built: &Built) -> u64 {
    desk.write("policy-2.toml", &policy("continuous-deployment", OBSERVED));
    let set = desk.yes(&format!("policy set policy-2.toml {}", by("olga", "small changes go by themselves")));
    assert_eq!(set["policy"]["status"], "proposed");
    desk.yes(&format!("policy approve shop --verdict go {}", by("quinn", "on observed evidence alone")));
    let set = desk.yes(&format!("policy approve shop --verdict go {}", by("sam", "the bounds are narrow")));
    assert_eq!((&set["policy"]["version"], &set["policy"]["status"]), (&json!(2), &json!("in force")));
    let granted = desk.yes(&format!(
        "authorization grant shop --change-type standard --max-commits 5 --per-day 2 --valid now/+90d {}",
        by("olga", "the segment catches what tests do not")
    ));
    let authorization = granted["authorization"].as_u64().unwrap();
    desk.yes(&format!("authorization adopt {authorization} --verdict go {}", by("quinn", "within these bounds")));
    let adopted =
        desk.yes(&format!("authorization adopt {authorization} --verdict go {}", by("sam", "within these bounds")));
    assert_eq!(adopted["authorization"]["state"], "VALID", "{adopted:#}");
    pin_trust(desk, buildbot);

    let worker = Worker::start(desk);
    let proposed = desk.yes(&format!(
        "release propose --product shop --version 1.3.0 --repository {} --commit 1.3.0 --change-type standard
         --artifact shop.json=sha256:{} --risk 'small' --security-impact 'none' --backout-plan 'what was live'
         --authorization {authorization}",
        buildbot.repository.bare.display(),
        built.artifact
    ));
    let id = proposed["release"].as_str().unwrap().to_owned();
    desk.yes(&format!("evidence attach {id} --connector buildbot --run {} --step test --log junit", built.run));
    wait_for("the worker to bring 1.3.0 out", || (status(desk, &id)["state"] == "live").then_some(()));
    let did = worker.stop().expect(0).answer();
    let tasks: Vec<&str> = did["done"].as_array().unwrap().iter().filter_map(|one| one["task"].as_str()).collect();
    assert_eq!(tasks, ["stage", "freeze", "automatic-go", "wave", "wave"], "{did}");
    for segment in ["segment", "everyone"] {
        answers(buildbot, "production", segment, "1.3.0", &built.artifact).await;
    }
    let view = status(desk, &id);
    let signed = view["sheet"]["sign_offs"].as_array().unwrap();
    assert_eq!(signed.len(), 1, "{view:#}");
    assert_eq!((&signed[0]["authorization"], &signed[0]["reauth"]), (&json!(authorization), &Value::Null));
    assert!(signed[0]["principal"].as_str().unwrap().starts_with("dispatcher-"), "a machine, and it says so: {view:#}");
    authorization
}

/// Export, and everything that is said of it by others.
fn audit(desk: &Desk, fingerprint: &str, first: &str, authorization: u64) {
    assert_eq!(desk.yes(&format!("verify --fingerprint {fingerprint}"))["verdict"], "valid");
    let exported = desk.yes("export --out bundle.zip");
    let bundle = desk.root.join("bundle.zip");
    let digest = run(Command::new("sha256sum").arg(&bundle))[..64].to_owned();
    assert_eq!((&exported["sha256"], &exported["fingerprint"]), (&json!(digest), &json!(fingerprint)));
    desk.no(1, "exists", "export --out bundle.zip");

    let entries = exported["tree_size"].as_u64().unwrap();
    let valid = desk.yes(&format!("verify bundle.zip --fingerprint {fingerprint}"));
    let root = valid["root"].as_str().unwrap().to_owned();
    assert_eq!(valid, json!({"verdict": "valid", "tree_size": entries, "root": root, "findings": []}));
    let unanchored = desk.run("verify bundle.zip").expect(1).answer();
    assert_eq!(
        (&unanchored["verdict"], &unanchored["findings"][0]["code"]),
        (&json!("incomplete"), &json!("unanchored"))
    );
    let copy = unzipped(desk, "bundle.zip", "copy");
    let (code, said) = verify_sh(&copy, fingerprint);
    assert_eq!(code, 0, "{said}");
    assert_eq!(auditor::check(&copy, fingerprint), Vec::<String>::new());

    // A byte of somebody's GO.
    let (entry, place) = a_byte_of_a_go(&copy, &bundle);
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[place] ^= 1;
    fs::write(desk.root.join("altered.zip"), bytes).unwrap();
    let refused = desk.run(&format!("verify altered.zip --fingerprint {fingerprint}")).expect(4).answer();
    assert_eq!((&refused["verdict"], &refused["findings"][0]["index"]), (&json!("invalid"), &json!(entry)));
    let altered = unzipped(desk, "altered.zip", "altered");
    let (code, said) = verify_sh(&altered, fingerprint);
    assert!(code == 4 && said.contains(&format!("entry {entry} ")), "{code}: {said}");
    let by_hand = auditor::check(&altered, fingerprint).join("\n");
    assert!(by_hand.contains(&format!("{entry:08}.leaf is not signed")), "{by_hand}");

    // One release alone proves what is in it.
    desk.yes(&format!("export --out one.zip --release {first}"));
    let one = desk.run(&format!("verify one.zip --fingerprint {fingerprint}")).expect(1).answer();
    assert_eq!((&one["verdict"], &one["tree_size"]), (&json!("incomplete"), &json!(entries)));

    reports(desk, fingerprint, &root, authorization);
}

/// Finds the first GO of a person: which entry it is, and where in the bundle a byte of its reason lies.
fn a_byte_of_a_go(copy: &Path, bundle: &Path) -> (usize, usize) {
    let reason = b"all unit tests pass";
    let contains = |bytes: &[u8]| bytes.windows(reason.len()).position(|part| part == reason);
    let found = (0..).find_map(|index| {
        let leaf = fs::read(copy.join(format!("leaves/{index:08}.leaf"))).expect("one of the entries is a GO");
        contains(&leaf).map(|place| (index, leaf[..place + reason.len()].to_vec()))
    });
    let (index, begin) = found.unwrap();
    let bytes = fs::read(bundle).unwrap();
    let place = bytes.windows(begin.len()).position(|part| part == begin).expect("entries are stored as they are");
    (index, place + begin.len() - 1)
}

/// Four forms, one set of figures.
fn reports(desk: &Desk, fingerprint: &str, root: &str, authorization: u64) {
    for form in ["json", "html", "csv", "pdf"] {
        desk.yes(&format!("report --format {form} --out report.{form}"));
    }
    let read = |form: &str| fs::read_to_string(desk.root.join(format!("report.{form}"))).unwrap();
    let mut report: Value = serde_json::from_str(&read("json")).unwrap();
    let report = report["report"].take();
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let mut page = String::new();
    let mut inside = false;
    for c in read("html").chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => page.push(c),
            _ => {}
        }
    }
    let page = bare(&page.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'"));
    let pages = bare(&run(Command::new("pdftotext")
        .args(["-raw", "-enc", "UTF-8"])
        .arg(desk.root.join("report.pdf"))
        .arg("-")));
    let table = read("csv");

    let ledger = &report["ledger"];
    assert_eq!(
        (&ledger["fingerprint"], &ledger["root"], &ledger["sample"]),
        (&json!(fingerprint), &json!(root), &json!(false))
    );
    assert_eq!(report["verification"]["verdict"], "valid");
    let releases = report["releases"].as_array().unwrap();
    let states: Vec<(&str, &str)> =
        releases.iter().map(|one| (one["version"].as_str().unwrap(), one["state"].as_str().unwrap())).collect();
    assert_eq!(states, [("1.1.0", "reviewed"), ("1.2.0", "rolled_back"), ("1.3.0", "live")]);
    assert_eq!(releases[2]["sheets"][0]["automatic_go"]["authorization"], authorization);
    assert_eq!(releases[2]["sheets"][0]["sign_offs"], json!([]));

    let mut figures: Vec<String> = vec![fingerprint.to_owned(), root.to_owned(), ledger["tree_size"].to_string()];
    let mut figure = |value: &Value| match value {
        Value::String(text) => figures.push(text.clone()),
        other => figures.push(other.to_string()),
    };
    for release in releases {
        for sign_off in
            release["sheets"].as_array().unwrap().iter().flat_map(|sheet| sheet["sign_offs"].as_array().unwrap())
        {
            figure(&sign_off["by"]["name"]);
            figure(&sign_off["at"]["utc"]);
            figure(&sign_off["role"]);
            figure(&sign_off["reason"]);
            figure(&sign_off["key_fingerprint"]);
            figure(&sign_off["state"]);
        }
        for evidence in release["evidence"].as_array().unwrap() {
            figure(&evidence["sha256"]);
            figure(&evidence["name"]);
        }
        for dispatch in release["dispatches"].as_array().unwrap() {
            figure(&dispatch["request_id"]);
        }
        release["artifacts"].as_array().unwrap().iter().for_each(|artifact| figure(&artifact["sha256"]));
    }
    for entry in report["trail"].as_array().unwrap() {
        figure(&entry["leaf_sha256"]);
        figure(&entry["at"]["utc"]);
    }
    assert!(figures.len() > 200, "{}", figures.len());
    for figure in figures {
        assert!(table.contains(&figure), "the table lacks {figure}");
        assert!(page.contains(&bare(&figure)), "the page lacks {figure}");
        assert!(pages.contains(&bare(&figure)), "the print lacks {figure}");
    }
    // What was refused is on record, under the name of whoever tried.
    let refused = format!("{}", report["releases"][0]["adverse"]);
    assert!(refused.contains("Erik Lund") && refused.contains("wrote a commit"), "{refused}");
}
