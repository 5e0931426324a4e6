//! From nothing to a signed proposal, by keyboard alone: no mouse, and no command that a page was not made to call.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::driver::Session;
use crate::keyboard::{
    CONTROL, ENTER, Signing, at, choose, fill, go, palette, pick, press_button, sign, tab_to, turn_to,
};
use crate::window::{Window, can_show};

const OLGA: (&str, &str) = ("Olga Brandt", "correct horse battery staple");
const BEN: (&str, &str) = ("Ben Okafor", "second person looks twice");

const POLICY: &str = "schema = 1\nproduct = \"clinic-portal\"\nmode = \"continuous-delivery\"\n\n[[evidence]]\n\
    gate = \"tests\"\nkind = \"junit\"\n\n[[quorum]]\nrole = \"qa\"\n\n[[wave]]\nsegment = \"everyone\"\n";
/// What the person has on the disk: how it is deployed, what was built, and the repository with its first tag.
fn files(root: &Path) -> [std::path::PathBuf; 3] {
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
    [script, artifact, repository]
}

/// Goes to the button of a form and takes it to the window for signing.
#[track_caller]
fn on_to_sign(page: &Session) {
    press_button(page, "Review and sign");
}

#[test]
fn from_nothing_to_a_signed_proposal_by_keyboard_alone() {
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

    let release = page.invoke("release", json!({ "request": { "release": "clinic-portal-1.0.0" } }));
    assert_eq!(release["ok"]["version"], "1.0.0", "{release}");
}
