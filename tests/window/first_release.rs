//! From nothing to a signed release, by keyboard alone: no mouse, and no command that a page was not made to call.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::driver::Session;
use crate::keyboard::{
    CONTROL, ENTER, Signing, at, choose, fill, go, palette, pick, press_button, sign, sit_down, tab_to, turn_to,
};
use crate::window::{Window, can_show};

const OLGA: (&str, &str) = ("Olga Brandt", "correct horse battery staple");
const BEN: (&str, &str) = ("Ben Okafor", "second person looks twice");

const POLICY: &str = "schema = 1\nproduct = \"clinic-portal\"\nmode = \"continuous-delivery\"\n\n[[evidence]]\n\
    gate = \"tests\"\nkind = \"junit\"\n\n[[quorum]]\nrole = \"qa\"\n\n[[wave]]\nsegment = \"everyone\"\n";
const REPORT: &str = "<testsuite name=\"portal\"><testcase classname=\"login\" name=\"asks twice\"/>\
    <testcase classname=\"login\" name=\"locks\"/></testsuite>\n";

/// What the person has on the disk: a repository with its first tag, what was built of it, its tests, and how it is
/// deployed.
fn files(root: &Path) -> [std::path::PathBuf; 4] {
    let place = root.join("work");
    let repository = place.join("portal");
    fs::create_dir_all(&repository).unwrap();
    fs::write(repository.join("portal.txt"), "one\n").unwrap();
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=Kenji Mori", "-c", "user.email=kenji@acme.example"];
        let done = Command::new("git").arg("-C").arg(&repository).args(who).args(arguments).output().unwrap();
        assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--no-gpg-sign", "-m", "PORT-1: the portal greets"]);
    git(&["tag", "v1.0.0"]);
    let script = place.join("deploy.sh");
    fs::write(&script, "#!/bin/sh\nexit 0\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let artifact = place.join("portal-1.0.0.tar");
    fs::write(&artifact, "what was built").unwrap();
    let report = place.join("tests.xml");
    fs::write(&report, REPORT).unwrap();
    [script, artifact, repository, report]
}

/// Goes to the button of a form and takes it to the window for signing.
#[track_caller]
fn on_to_sign(page: &Session) {
    press_button(page, "Review and sign");
}

#[test]
fn from_nothing_to_a_signed_release_by_keyboard_alone() {
    if !can_show() {
        return;
    }
    let window = Window::open(&[]);
    let page = &window.session;
    let keep = |name: &str| window.keep_picture(&format!("keys-{name}"));
    let paths = files(&window.root).map(|path| json!(path).to_string());
    fs::write(window.root.join("answers"), paths.join("\n")).unwrap();
    page.to_main();

    // The ledger, and who begins it.
    at(page, "Countersign");
    keep("start");
    tab_to(page, "Create a ledger");
    page.press(ENTER);
    fill(page, "Name of the ledger", "Acme releases");
    fill(page, "Your name", OLGA.0);
    fill(page, "Name in the ledger", "olga@acme.example");
    // Two people are enough for this walk: nobody is left who could confirm a role as a second person.
    tab_to(page, "A role counts once a second person has confirmed it");
    page.press(" ");
    keep("create");
    tab_to(page, "Go on to sign");
    page.press(ENTER);
    let begun = Signing { new_key: Some(OLGA.1), ..Signing::act("begin the ledger", OLGA.1) };
    sign(page, &begun, |step| keep(&format!("begin-{step}")));
    at(page, OLGA.0.split(' ').next().unwrap());
    keep("first-inbox");

    // A second person, whose key is made at this desk: they take the keyboard, choose a passphrase, and accept.
    palette(page, "Enrol a person");
    fill(page, "Name", BEN.0);
    fill(page, "Principal", "ben@acme.example");
    fill(page, "How it was checked who they are", "Passport seen");
    fill(page, "Reason", "He tests what we release");
    keep("enrol");
    on_to_sign(page);
    let enrol = Signing { new_key: Some(BEN.1), ..Signing::act("enrol a person", OLGA.1) };
    sign(page, &enrol, |step| keep(&format!("enrol-{step}")));
    palette(page, "@Ben");
    at(page, BEN.0);
    tab_to(page, "Hand over, so that they accept");
    page.press(ENTER);
    sign(page, &Signing::act("accept", BEN.1), |step| keep(&format!("accept-{step}")));

    // What is released, where it runs, and what is asked of it.
    go(page, "gd", "Products");
    tab_to(page, "Add a product");
    page.press(ENTER);
    fill(page, "Name", "Clinic portal");
    fill(page, "Short name", "clinic-portal");
    fill(page, "Promotion path", "production");
    fill(page, "Reason", "Our first product");
    on_to_sign(page);
    sign(page, &Signing::act("a product", OLGA.1), |_| ());
    go(page, "gn", "Connectors");
    tab_to(page, "Add");
    page.press(ENTER);
    pick(page, "Allow a local command");
    fill(page, "Command", "deploy-portal");
    tab_to(page, "Choose the script");
    page.press(ENTER);
    page.until_it_says("deploy.sh");
    on_to_sign(page);
    sign(page, &Signing::act("a local command", OLGA.1), |step| keep(&format!("command-{step}")));
    go(page, "gd", "Products");
    tab_to(page, "Clinic portal");
    page.press(ENTER);
    at(page, "Clinic portal");
    turn_to(page, "Targets");
    tab_to(page, "Say where it runs");
    page.press(ENTER);
    choose(page, "Reached through", "deploy-portal");
    fill(page, "Segment 1", "everyone");
    fill(page, "Health address", "https://portal.acme.example/health");
    fill(page, "Version address", "https://portal.acme.example/version");
    fill(page, "Reason", "One instance");
    keep("target");
    on_to_sign(page);
    sign(page, &Signing::act("a target", OLGA.1), |_| ());
    turn_to(page, "Policy");
    tab_to(page, "Write the first policy");
    page.press(ENTER);
    tab_to(page, "Policy text");
    page.wait("the first draft of the policy", || {
        let text = page.script("return document.activeElement.value", json!([]));
        text.as_str().is_some_and(|text| text.contains("clinic-portal")).then_some(())
    });
    page.chord(CONTROL, "a");
    page.press(&POLICY.replace('\n', ENTER));
    page.wait("the policy to be found lawful as it stands", || {
        let is_free = "return [...document.querySelectorAll('main button')].some(one => \
            one.innerText.trim() === 'Sign it' && one.getAttribute('aria-disabled') !== 'true')";
        (page.script(is_free, json!([])) == true).then_some(())
    });
    keep("policy");
    page.chord(CONTROL, "s");
    fill(page, "Reason", "What we ask for from now on");
    on_to_sign(page);
    sign(page, &Signing::act("a policy", OLGA.1), |_| ());

    // Who may propose it, and who decides.
    for (person, role, why) in [(BEN.0, "QA", "He tests"), (OLGA.0, "Release manager", "She keeps the calendar")] {
        palette(page, &format!("@{person}"));
        at(page, person);
        tab_to(page, "Give a role");
        page.press(ENTER);
        choose(page, "Role", role);
        fill(page, "Reason", why);
        on_to_sign(page);
        sign(page, &Signing::act("a role", OLGA.1), |step| keep(&format!("role-{step}")));
    }

    // The release.
    page.press("n");
    at(page, "Propose a release");
    tab_to(page, "New proposal");
    page.press(ENTER);
    choose(page, "Product", "Clinic portal");
    fill(page, "Version", "1.0.0");
    tab_to(page, "Add an artifact");
    page.press(ENTER);
    tab_to(page, "Choose a file");
    page.press(ENTER);
    page.until_it_says("portal-1.0.0.tar");
    tab_to(page, "Choose the repository");
    page.press(ENTER);
    page.until_it_says("portal");
    fill(page, "Commit", "v1.0.0");
    fill(page, "Why", "Patients can ask for an appointment");
    tab_to(page, "Check");
    page.press(ENTER);
    page.until_it_says("It can be signed");
    keep("propose");
    on_to_sign(page);
    sign(page, &Signing::act("a proposal", OLGA.1), |step| keep(&format!("propose-{step}")));

    // What was signed has become a release, and that is where one is. Its evidence is confirmed by a second person.
    at(page, "1.0.0 → production");
    keep("proposed");
    page.press("2");
    tab_to(page, "Attach a file");
    page.press(ENTER);
    tab_to(page, "Choose a file");
    page.press(ENTER);
    page.until_it_says("2 passed");
    fill(page, "Reason", "The tests of the tag");
    keep("attach");
    on_to_sign(page);
    sign(page, &Signing::act("evidence", OLGA.1), |_| ());
    sit_down(page, BEN.0);
    go(page, "gi", "Ben");
    keep("ben-inbox");
    tab_to(page, "Look at the evidence");
    page.press(ENTER);
    at(page, "1.0.0");
    page.press("1");
    tab_to(page, "Confirm");
    page.press(ENTER);
    fill(page, "Reason", "I ran them again by hand");
    on_to_sign(page);
    sign(page, &Signing { reason: None, ..Signing::act("", BEN.1) }, |step| keep(&format!("confirm-{step}")));

    // Frozen and asked for; the second person says GO.
    sit_down(page, OLGA.0);
    page.press("r");
    at(page, "Freeze");
    fill(page, "Reason", "The first one");
    keep("request");
    on_to_sign(page);
    sign(page, &Signing::act("freeze and request", OLGA.1), |step| keep(&format!("request-{step}")));
    sit_down(page, BEN.0);
    go(page, "gi", "Ben");
    page.until_it_says("Review and sign");
    page.press("s");
    let answer = Signing { verdict: Some("GO"), reason: Some("Tests read"), ..Signing::act("Sign as", BEN.1) };
    sign(page, &answer, |step| keep(&format!("go-{step}")));

    palette(page, "#1.0.0");
    at(page, "1.0.0");
    page.until_it_says("Everybody who must has said GO.");
    keep("signed");
    let release = page.invoke("release", json!({ "request": { "release": "clinic-portal-1.0.0" } }));
    assert_eq!(release["ok"]["state"], "authorized", "{release}");
}
