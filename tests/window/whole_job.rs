//! The whole job in the real window against a real Buildbot: evidence comes in, the sheet is frozen, two people sign with
//! their own passphrases, waves go out, a faulty release is halted and taken back, an emergency change goes out under another
//! policy, and what is exported is verified by programs that are not the window.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::emergency::{emergency, replace_policy};
use crate::hands::{
    Person, acknowledge, answer, choose, close, fill, go, heading, open_release, passphrase, press, press_signing,
    problems, receipt, reviewed, says, sign, sit_down, tab, why_not,
};
use crate::harness::{Buildbot, Options, SampleRelease, run, wait_for};
use crate::shop::{
    ATTACHED, Built, Desk, OBSERVED, answers, build, by, pin_trust, policy, sarif, segment_toml, unzipped, verify_sh,
};
use crate::window::{Window, can_show};

pub(crate) const OLGA: Person = Person { name: "Olga Brandt", passphrase: "olga has a passphrase of their own" };
pub(crate) const RITA: Person = Person { name: "Rita Vogel", passphrase: "rita has a passphrase of their own" };
pub(crate) const QUINN: Person = Person { name: "Quinn Moreau", passphrase: "quinn has a passphrase of their own" };
pub(crate) const SAM: Person = Person { name: "Sam Okafor", passphrase: "sam has a passphrase of their own" };

/// A ledger with four people, each with a key and a role, a machine that dispatches, and a product. Returns its fingerprint.
pub(crate) fn people(desk: &Desk, path: &str) -> String {
    let team = [("olga", OLGA), ("rita", RITA), ("quinn", QUINN), ("sam", SAM)];
    for (who, person) in team {
        desk.secret(&format!("{who}.passphrase"), person.passphrase);
    }
    let begun = desk.yes(
        "init --title 'Acme releases' --name 'Olga Brandt' --principal olga@acme.example
         --recovery-person rita@acme.example --recovery-person quinn@acme.example --recovery-needed 2
         --passphrase-file olga.passphrase --reason 'the ledger of our releases begins'",
    );
    let enrol = |(who, person): (&str, Person)| {
        format!(
            "person enrol {who}@acme.example --name '{}' --identity 'passport seen' --new-passphrase-file {who}.passphrase {}",
            person.name,
            by("olga", "joins the team")
        )
    };
    desk.together(&[
        &enrol(team[1]),
        &enrol(team[2]),
        &enrol(team[3]),
        &format!("product set shop --title 'Shop' --path {path} {}", by("olga", "our product")),
    ]);
    let accept = |who: &str| format!("person accept {}", by(who, "I have read it and accept"));
    let enrolled = format!("device enrol-dispatcher --name 'Build room' {}", by("olga", "it runs our rollouts"));
    let did = desk.together(&[&accept("rita"), &accept("quinn"), &accept("sam"), &enrolled]);
    let device = did[3]["device"].as_str().unwrap();
    let grant =
        |who: &str, role: &str| format!("person role grant {who}@acme.example {role} {}", by("olga", "appointed"));
    let confirm = |who: &str, role: &str| {
        format!("person role confirm {who}@acme.example {role} {}", by("rita", "I know them and the appointment"))
    };
    desk.yes(&grant("rita", "release-manager"));
    desk.together(&[&grant("quinn", "qa"), &grant("sam", "security")]);
    desk.together(&[&confirm("quinn", "qa"), &confirm("sam", "security")]);
    desk.yes(&format!("device confirm {device} {}", by("rita", "stood beside it")));
    begun["fingerprint"].as_str().unwrap().to_owned()
}

/// Where the shop runs, and what is asked of its releases.
fn shop(desk: &Desk, buildbot: &Buildbot) {
    desk.secret("password", &buildbot.password);
    let (url, ca) = (&buildbot.url, buildbot.ca_file.display());
    desk.yes(&format!(
        "connector add buildbot --url {url} --user {} --password-file password --ca-file {ca}",
        buildbot.user
    ));
    for (environment, segments) in [("staging", &["staging"][..]), ("production", &["segment", "everyone"])] {
        let segments: Vec<String> =
            segments.iter().map(|segment| segment_toml(buildbot, environment, segment)).collect();
        let target = format!(
            "product = \"shop\"\nenvironment = \"{environment}\"\njob = \"deploy\"\ndeploy_step = \"deploy\"\n
             [connector]\nkind = \"buildbot\"\nbase_url = \"{url}\"\nca_file = {}\n\n{}",
            json!(buildbot.ca_file),
            segments.join("\n")
        );
        desk.write(&format!("{environment}.toml"), &target);
        desk.yes(&format!("target set --file {environment}.toml {}", by("olga", "where it runs")));
    }
    // A live log is looked at while the wave bakes.
    let text =
        policy("continuous-delivery", &[OBSERVED, ATTACHED].concat()).replace("bake_seconds = 3", "bake_seconds = 12");
    desk.write("policy.toml", &text);
    desk.yes(&format!("policy set policy.toml {}", by("olga", "two people sign, one instance first")));
    pin_trust(desk, buildbot);
}

/// Proposes a candidate as the release manager's script does.
fn propose(desk: &Desk, buildbot: &Buildbot, release: &SampleRelease, built: &Built) -> String {
    let version = &release.version;
    // The first says where its list of changes begins; that of a later one begins at what is live.
    let base = if version == "1.1.0" { "--base 1.0.0" } else { "" };
    desk.yes(&format!(
        "release propose --product shop --version {version} --repository {} --commit {version} {base}
         --artifact shop.json={} --risk 'one service without stored data' --security-impact 'no new input is read'
         --rollout-plan 'one instance first' --backout-plan 'deploy what was live before' {}",
        buildbot.repository.bare.display(),
        buildbot.service.store.join(&built.artifact).display(),
        by("rita", "ready to be decided")
    ));
    format!("shop-{version}")
}

/// What the command line, another program, says of a release.
fn status(desk: &Desk, id: &str) -> Value {
    desk.yes(&format!("status {id}"))
}

/// Puts an answer where the next native dialog of the program finds it.
pub(crate) fn answer_dialog(window: &Window, path: &Path) {
    let file = window.root.join("answers");
    let mut answers = fs::read_to_string(&file).unwrap_or_default();
    answers.push_str(&format!("{}\n", json!(path)));
    fs::write(file, answers).unwrap();
}

/// Two kinds of evidence: what this desk reads from CI itself, and a file that a person brings and another confirms.
fn evidence(window: &Window, desk: &Desk, release: &SampleRelease, built: &Built) {
    let (page, id) = (&window.session, format!("shop-{}", release.version));
    sit_down(page, RITA);
    open_release(page, &id, &release.version);
    tab(page, "Evidence");
    page.until_it_says("No evidence has come in");
    press(page, "Read from CI");
    page.until_it_says("This desk fetches the file itself");
    fill(page, "Run", &built.run);
    fill(page, "Step", "test");
    fill(page, "Log", "junit");
    press(page, "Fetch it");
    page.wait("what was read from CI", || says(page, "[role=dialog]").contains("Pass").then_some(()));
    window.keep_picture("evidence-observed");
    press(page, "Close");
    page.wait("the dialog to go", || page.find("[role=dialog]").is_none().then_some(()));

    desk.write("scan.sarif", &sarif(&release.commit));
    answer_dialog(window, &desk.root.join("scan.sarif"));
    press(page, "Attach a file");
    press(page, "Choose a file");
    page.until_it_says(&format!("It says it is about commit {}", &release.commit[..12]));
    fill(page, "Reason", "made for this commit");
    window.keep_picture("evidence-attach");
    press(page, "Review and sign");
    let said = sign(page, RITA, "Sign");
    assert!(said.contains("Recorded as entry") && said.contains(RITA.name), "{said}");
    page.wait("both files", || says(page, "[role=grid]").contains("scan.sarif").then_some(()));
    let files = says(page, "[role=grid]");
    assert!(files.contains("read from CI") && files.contains("attached"), "{files}");
    window.keep_picture("evidence-both");

    tab(page, "Decision");
    page.until_it_says("A second person must confirm the attached file.");
    sit_down(page, QUINN);
    tab(page, "Decision");
    press(page, "Confirm");
    fill(page, "Reason", "compared with the scanner");
    press(page, "Review and sign");
    sign(page, QUINN, "Sign");
    let seen = status(desk, &id);
    let gates: Vec<&str> =
        seen["gates"].as_array().unwrap().iter().filter_map(|gate| gate["conclusion"].as_str()).collect();
    assert!(gates.iter().filter(|conclusion| **conclusion == "pass").count() >= 2, "{seen:#}");
}

/// Delivers it to staging from the window.
fn stage(window: &Window, release: &SampleRelease) {
    let (page, id) = (&window.session, format!("shop-{}", release.version));
    sit_down(page, RITA);
    open_release(page, &id, &release.version);
    press(page, "Deliver to staging");
    started(window, RITA, "Deliver to staging", "delivery of shop", None);
}

/// Proves presence in the signing window, and waits there until what it began has ended; without an end, closes it at once.
pub(crate) fn started(window: &Window, who: Person, verb: &str, declares: &str, ends: Option<&str>) {
    let page = &window.session;
    let shown = reviewed(page);
    assert!(shown.contains(declares), "{shown}");
    acknowledge(page);
    press(page, "Continue");
    passphrase(page, who.passphrase);
    press_signing(page, verb);
    receipt(page);
    match ends {
        Some(ends) => page.until_it_says(ends),
        None => page.until_it_says("It has begun"),
    }
    close(page);
}

/// Freezes the sheet in the window and asks for signatures.
pub(crate) fn request(window: &Window, desk: &Desk, release: &SampleRelease) {
    let (page, id) = (&window.session, format!("shop-{}", release.version));
    wait_for("the soak", || (status(desk, &id)["blockers"][0]["code"] == "request").then_some(()));
    sit_down(page, RITA);
    open_release(page, &id, &release.version);
    press(page, "Freeze and request");
    page.until_it_says("The sheet as it would be frozen");
    assert_eq!(why_not(page, "Review and sign"), "Say why first.");
    fill(page, "Reason", "everything is there");
    page.wait("the sheet", || says(page, "main").contains("Way back").then_some(()));
    assert_eq!(problems(page), Vec::<String>::new());
    window.keep_picture(&format!("request-{}", release.version));
    press(page, "Review and sign");
    let said = sign(page, RITA, "Sign");
    assert!(said.contains("Recorded as entry"), "{said}");
    let seen = status(desk, &id);
    assert_eq!((&seen["state"], &seen["sheet"]["outcome"]), (&json!("ready"), &json!("incomplete")), "{seen:#}");
}

/// Two people sit down one after the other and sign, each with their own passphrase.
pub(crate) fn two_sign(window: &Window, desk: &Desk, release: &SampleRelease) {
    let (page, id) = (&window.session, format!("shop-{}", release.version));
    sit_down(page, QUINN);
    go(page, "Inbox");
    page.wait("the question in the inbox", || says(page, "main").contains(&release.version).then_some(()));
    window.keep_picture(&format!("inbox-{}", release.version));
    press(page, "Review and sign");
    let shown = reviewed(page);
    assert!(shown.contains("I, Quinn Moreau") && shown.contains("production"), "{shown}");
    window.keep_picture(&format!("sign-{}", release.version));
    let said = answer(page, QUINN, "GO", "all unit tests pass");
    assert!(said.contains("Quinn Moreau") && said.contains("Others still have to sign"), "{said}");
    let seen = status(desk, &id);
    assert_eq!((&seen["state"], &seen["sheet"]["outcome"]), (&json!("ready"), &json!("incomplete")), "{seen:#}");

    sit_down(page, SAM);
    go(page, "Inbox");
    page.until_it_says("You are the last signature.");
    press(page, "Review and sign");
    let said = answer(page, SAM, "GO", "no new input, no new dependency");
    assert!(said.contains("Sam Okafor") && said.contains("That was the last signature."), "{said}");
    let seen = status(desk, &id);
    assert_eq!((&seen["state"], &seen["sheet"]["outcome"]), (&json!("authorized"), &json!("go")), "{seen:#}");
    let signed = seen["sheet"]["sign_offs"].as_array().unwrap();
    let who: Vec<&str> = signed.iter().filter_map(|one| one["principal"].as_str()).collect();
    assert_eq!(who, ["quinn@acme.example", "sam@acme.example"], "{seen:#}");
    assert!(signed.iter().all(|one| one["state"] == "VALID" && one["reauth"] == "prompt"), "{seen:#}");
    open_release(page, &id, &release.version);
    page.until_it_says("Everybody who must has said GO.");
    window.keep_picture(&format!("decided-{}", release.version));
}

/// Counts what was deployed to production, by the service's own list.
pub(crate) fn deployed(buildbot: &Buildbot, version: &str) -> Vec<String> {
    let all = buildbot.service.deployments();
    let up = all.iter().filter(|line| line["environment"] == "production" && line["result"] == "up");
    up.filter(|line| line["version"] == version).map(|line| line["wave"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_whole_job_in_the_window_against_a_real_buildbot() {
    if !can_show() {
        return;
    }
    let Some(buildbot) = Buildbot::start(Options::default()) else { return };
    let root = tempfile::Builder::new().prefix("countersign-window-").tempdir().unwrap();
    let desk = Desk { root: root.path().to_owned(), home: root.path().join("data") };
    let began = Instant::now();
    let done = |what: &str| println!("{:6.1} s  {what}", began.elapsed().as_secs_f64());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();

    // Developers have pushed; Buildbot tests and builds while the house is set up.
    let (fingerprint, built) = std::thread::scope(|scope| {
        let built = scope.spawn(|| {
            let all = ["1.1.0", "1.2.0", "1.3.0"].map(|version| buildbot.repository.get(version));
            all.map(|release| runtime.block_on(build(&buildbot, release)))
        });
        let fingerprint = people(&desk, "staging,production");
        shop(&desk, &buildbot);
        (fingerprint, built.join().unwrap())
    });
    done("people, machine, product, connector, targets, policy, trust; three commits built and tested");

    let ledger = desk.root.join("ledger");
    let window = Window::open_in(root.path(), &["--ledger", ledger.to_str().unwrap()]);
    let page = &window.session;
    page.to_main();
    page.until_it_says("Inbox");
    window.watch_errors();

    let good = buildbot.repository.get("1.1.0");
    let id = propose(&desk, &buildbot, good, &built[0]);
    evidence(&window, &desk, good, &built[0]);
    done("evidence read from CI and brought by a person, confirmed by another");
    stage(&window, good);
    request(&window, &desk, good);
    two_sign(&window, &desk, good);
    done("1.1.0 delivered to staging, frozen, signed by two");
    assert_eq!(deployed(&buildbot, "1.1.0"), Vec::<String>::new(), "nothing is out before it is dispatched");
    roll_out(&window, &desk, &buildbot, good);
    for segment in ["segment", "everyone"] {
        runtime.block_on(answers(&buildbot, "production", segment, "1.1.0", &built[0].artifact));
    }
    assert_eq!(status(&desk, &id)["live"]["this_release"], true);
    done("1.1.0 is live, wave by wave");

    let bad = buildbot.repository.get("1.2.0");
    let id = propose(&desk, &buildbot, bad, &built[1]);
    desk.yes(&format!("evidence attach {id} --connector buildbot --run {} --step test --log junit", built[1].run));
    desk.write("scan.sarif", &sarif(&bad.commit));
    let attached = desk.yes(&format!("evidence attach {id} --file scan.sarif {}", by("rita", "made for this commit")));
    desk.yes(&format!("evidence confirm {} {}", attached["entry"]["index"], by("quinn", "compared with the scanner")));
    desk.yes(&format!("stage {id} --poll-max 1"));
    request(&window, &desk, bad);
    two_sign(&window, &desk, bad);
    done("1.2.0 delivered, frozen, signed by two");
    taken_back(&window, &desk, &buildbot, bad);
    for segment in ["segment", "everyone"] {
        runtime.block_on(answers(&buildbot, "production", segment, "1.1.0", &built[0].artifact));
    }
    done("1.2.0 was halted in the segment and taken back");

    replace_policy(&window, &desk);
    done("another policy is in force, decided under the one before it");
    emergency(&window, &desk, &buildbot, buildbot.repository.get("1.3.0"), &built[2]);
    done("1.3.0 went out as an emergency change, and was looked back at");

    export(&window, &desk, &fingerprint);
    done("exported from the window, verified by three");
    assert_eq!(window.errors(), Vec::<String>::new());
}

/// Starts each wave with its own act, and looks at the log while the first one goes.
fn roll_out(window: &Window, desk: &Desk, buildbot: &Buildbot, release: &SampleRelease) {
    let (page, id, version) = (&window.session, format!("shop-{}", release.version), &release.version);
    sit_down(page, QUINN);
    open_release(page, &id, version);
    tab(page, "Rollout");
    let refused = why_not(page, "Start wave 1");
    assert!(!refused.is_empty(), "who signed does not start it");

    sit_down(page, RITA);
    open_release(page, &id, version);
    press(page, "Start wave 1");
    let declares = format!("I, Rita Vogel, start wave 1 of {id} in production: the segment segment.");
    started(window, RITA, "Start wave 1", &declares, None);
    page.to_main();
    tab(page, "Rollout");
    // The log of the delivery to staging is there already; the wave's comes with its first line.
    let button = page.wait("the log of the wave", || {
        let path = "(//button[.//*[normalize-space(.)='Show the log']])[2]";
        page.locate("xpath", path)
    });
    page.click(&button);
    page.wait("the log, live", || {
        let badges = "return [...document.querySelectorAll('main span')].some(one => one.innerText.trim() === 'live')";
        let log = says(page, "[role=log]");
        let of_wave = log.contains("gate: accepted: deploy of 1.1.0") && log.contains("to production, wave segment");
        (of_wave && page.script(badges, json!([])) == true).then_some(())
    });
    window.keep_picture("rollout-live-log");
    page.wait("the wave to pass", || says(page, "main").contains("Start wave 2").then_some(()));
    assert_eq!(deployed(buildbot, version), ["segment"], "everyone waits for the segment, and for a person");
    window.keep_picture("rollout-wave-1-passed");

    open_release(page, &id, version);
    press(page, "Start wave 2");
    started(window, RITA, "Start wave 2", "start wave 2", Some("It has come to its end."));
    page.control("Close with its outcome");
    let seen = status(desk, &id);
    assert_eq!((&seen["state"], &seen["blockers"]), (&json!("live"), &json!([])), "{seen:#}");
    window.keep_picture("release-live");
}

/// The faulty one: its first wave fails while it runs, the rollout stands, and a person takes it back.
fn taken_back(window: &Window, desk: &Desk, buildbot: &Buildbot, release: &SampleRelease) {
    let (page, id, version) = (&window.session, format!("shop-{}", release.version), &release.version);
    sit_down(page, RITA);
    open_release(page, &id, version);
    press(page, "Start wave 1");
    started(window, RITA, "Start wave 1", "start wave 1", None);
    page.to_main();
    go(page, "Rollouts");
    page.wait("the halt on the rollouts", || says(page, "main").contains("Rollout halted").then_some(()));
    window.keep_picture("rollouts-halted");
    let seen = status(desk, &id);
    assert_eq!(seen["state"], "rollout_halted", "{seen:#}");
    crate::hands::follow(page, version);
    page.wait("the rollout", || heading(page).contains(version).then_some(()));
    page.wait("the wave that failed", || says(page, "main").contains("Failed").then_some(()));
    let shown = says(page, "main");
    assert!(shown.contains("What answered wrongly"), "{shown}");
    assert!(shown.contains("1.1.0, which was approved with the sheet"), "the way back is said: {shown}");
    window.keep_picture("rollout-halted");
    press(page, "Roll back");
    started(window, RITA, "Roll back", "take back shop-1.2.0 in production", Some("It has come to its end."));
    page.wait("it to be taken back", || says(page, "main").contains("Rolled back").then_some(()));
    window.keep_picture("rollout-taken-back");
    let seen = status(desk, &id);
    assert_eq!(seen["state"], "rolled_back", "{seen:#}");
    let reached = buildbot.service.deployments();
    let reached: Vec<&Value> =
        reached.iter().filter(|line| line["environment"] == "production" && line["version"] == *version).collect();
    assert!(!reached.is_empty() && reached.iter().all(|line| line["wave"] == "segment"), "{reached:?}");
}

/// The ledger leaves by the window, and is judged by others.
fn export(window: &Window, desk: &Desk, fingerprint: &str) {
    let page = &window.session;
    let bundle = desk.root.join("bundle.zip");
    answer_dialog(window, &bundle);
    go(page, "Audit");
    press(page, "Export");
    choose(page, "Evidence bundle");
    page.wait("what was written", || says(page, "section.write").contains("bundle.zip").then_some(()));
    let digest = run(Command::new("sha256sum").arg(&bundle))[..64].to_owned();
    let shown = says(page, "section.write").replace([' ', '\u{a0}', '\u{2009}'], "");
    assert!(shown.contains(&digest[..4]) && shown.contains(&digest[60..]), "{shown}: {digest}");
    window.keep_picture("exported");

    press(page, "Verify");
    fill(page, "Fingerprint", fingerprint);
    press(page, "Verify now");
    page.wait("a verdict", || says(page, "main").contains("Everything is there and sound.").then_some(()));
    window.keep_picture("verified");

    let valid = desk.yes(&format!("verify bundle.zip --fingerprint {fingerprint}"));
    assert_eq!((&valid["verdict"], &valid["findings"]), (&json!("valid"), &json!([])), "{valid}");
    let copy = unzipped(desk, "bundle.zip", "copy");
    let (code, said) = verify_sh(&copy, fingerprint);
    assert_eq!(code, 0, "{said}");
    // What was signed in the window is in it, by name and in the people's own words.
    let all: Vec<String> = (0..valid["tree_size"].as_u64().unwrap())
        .map(|index| fs::read_to_string(copy.join(format!("leaves/{index:08}.leaf"))).unwrap())
        .collect();
    let said = |who: &str, reason: &str| {
        all.iter()
            .filter(|leaf| leaf.contains("\"verdict\":\"go\"") && leaf.contains(who) && leaf.contains(reason))
            .count()
    };
    assert_eq!(said("quinn@acme.example", "all unit tests pass"), 3, "each release");
    assert_eq!(said("sam@acme.example", "no new input, no new dependency"), 3, "each release");
    let mut altered = fs::read(&bundle).unwrap();
    let reason = b"no new input, no new dependency";
    let place = altered.windows(reason.len()).position(|part| part == reason).expect("entries are stored as they are");
    altered[place] ^= 1;
    fs::write(desk.root.join("altered.zip"), altered).unwrap();
    let refused = desk.run(&format!("verify altered.zip --fingerprint {fingerprint}"));
    assert_eq!(refused.expect(4).answer()["verdict"], "invalid");
}
