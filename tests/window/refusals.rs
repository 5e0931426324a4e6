//! What goes wrong around a decision, in the real window: the ledger moves while somebody signs, the CI system cannot be
//! reached, a passphrase is tried too often. Each says what happened, what is safe, and what to do.

use std::fs;

use serde_json::{Value, json};

use crate::hands::{
    acknowledge, answer, close, fill, go, leave_by, open_release, passphrase, press, press_signing, problems, receipt,
    reviewed, says, sit_down,
};
use crate::harness::{Authority, SampleRepository, free_port};
use crate::shop::{Desk, by, policy};
use crate::whole_job::{QUINN, RITA, SAM, people};
use crate::window::{Window, can_show};

const ID: &str = "shop-1.1.0";
/// Wrong ones that cost nothing but themselves; the next one makes the key rest.
const FREE_TRIES: u32 = 4;

/// A release that is asked about, and a CI system that nobody can reach. Returns where it would be.
fn asked(desk: &Desk) -> String {
    let root = &desk.root;
    people(desk, "production");
    let url = format!("https://127.0.0.1:{}/", free_port());
    let ca = Authority::create(&root.join("tls")).ca_file;
    desk.secret("password", "a good long password");
    desk.yes(&format!(
        "connector add buildbot --url {url} --user countersign --password-file password --ca-file {}",
        ca.display()
    ));
    let segment = |name: &str| {
        let port = free_port();
        format!(
            "[[segment]]\nname = \"{name}\"\nhealth = [\"http://127.0.0.1:{port}/health\"]\n\
             version = [\"http://127.0.0.1:{port}/version\"]\n"
        )
    };
    let target = format!(
        "product = \"shop\"\nenvironment = \"production\"\njob = \"deploy\"\ndeploy_step = \"deploy\"\n
         [connector]\nkind = \"buildbot\"\nbase_url = \"{url}\"\nca_file = {}\n\n{}\n{}",
        json!(ca),
        segment("segment"),
        segment("everyone")
    );
    desk.write("production.toml", &target);
    desk.yes(&format!("target set --file production.toml {}", by("olga", "where it runs")));
    desk.write("policy.toml", &policy("continuous-delivery", "").replace("soak_seconds = 2\n", ""));
    desk.yes(&format!("policy set policy.toml {}", by("olga", "two people sign")));
    let repository = SampleRepository::create(root);
    desk.write("shop.json", "{}\n");
    desk.yes(&format!(
        "release propose --product shop --version 1.1.0 --repository {} --commit 1.1.0 --base 1.0.0 --artifact shop.json=shop.json
         --risk 'one service without stored data' --security-impact 'no new input is read'
         --rollout-plan 'one instance first' --backout-plan 'deploy what was live before' {}",
        repository.bare.display(),
        by("rita", "ready to be decided")
    ));
    desk.yes(&format!("request {ID} {}", by("rita", "everything is there")));
    url
}

fn status(desk: &Desk) -> Value {
    desk.yes(&format!("status {ID}"))
}

/// Returns how many entries there are, as another program counts them.
fn entries(desk: &Desk) -> u64 {
    desk.run("verify").answer()["tree_size"].as_u64().unwrap()
}

#[test]
fn what_goes_wrong_around_a_decision_is_said_and_signs_and_sends_nothing() {
    if !can_show() {
        return;
    }
    let root = tempfile::Builder::new().prefix("countersign-window-").tempdir().unwrap();
    let desk = Desk { root: root.path().to_owned(), home: root.path().join("data") };
    let url = asked(&desk);
    let ledger = desk.root.join("ledger");
    let window = Window::open_in(root.path(), &["--ledger", ledger.to_str().unwrap()]);
    let page = &window.session;
    page.to_main();
    page.until_it_says("Inbox");

    moves_while_signing(&window, &desk);
    sit_down(page, SAM);
    go(page, "Inbox");
    press(page, "Review and sign");
    answer(page, SAM, "GO", "no new input");
    assert_eq!(status(&desk)["state"], "authorized");

    unreachable(&window, &desk, &url);
    too_many_tries(&window, &desk);
}

/// Somebody else's entry arrives from another process while the passphrase is already typed.
fn moves_while_signing(window: &Window, desk: &Desk) {
    let page = &window.session;
    sit_down(page, QUINN);
    go(page, "Inbox");
    press(page, "Review and sign");
    reviewed(page);
    acknowledge(page);
    press(page, "GO");
    fill(page, "Reason", "all unit tests pass");
    passphrase(page, QUINN.passphrase);
    let before = entries(desk);
    let bom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": { "component": { "type": "application", "name": "shop", "version": "1" } },
        "components": [{ "type": "library", "name": "parser", "version": "2.1.0", "purl": "pkg:generic/parser@2.1.0" }],
    });
    fs::write(desk.root.join("bom.json"), bom.to_string()).unwrap();
    desk.yes(&format!("evidence attach {ID} --file bom.json {}", by("rita", "what is inside")));
    page.until_it_says("The ledger moved while you were here. Look again: this is what would be signed now.");
    window.keep_picture("sign-ledger-moved");
    assert!(page.find("[data-secret]").is_none(), "one looks again first, and types again");
    assert_eq!(entries(desk), before + 1, "the other process's entry and no other");
    assert_eq!(status(desk)["sheet"]["sign_offs"], json!([]));

    // What was typed is still there, but for the secret; what is new has to be acknowledged.
    acknowledge(page);
    assert!(
        says(page, "footer").contains("I know that some evidence came after the freeze"),
        "{}",
        says(page, "footer")
    );
    press(page, "GO");
    let kept = page.script("return document.querySelector('#sign-form textarea').value", json!([]));
    assert_eq!(kept, "all unit tests pass");
    passphrase(page, QUINN.passphrase);
    press_signing(page, "Sign GO");
    let said = receipt(page);
    assert!(said.contains("Recorded as entry"), "{said}");
    close(page);
    let seen = status(desk);
    assert_eq!(seen["sheet"]["sign_offs"][0]["state"], "VALID", "{seen:#}");
}

/// Opens the signing window on the first wave, as far as the passphrase.
fn begin_wave(window: &Window) {
    let page = &window.session;
    sit_down(page, RITA);
    open_release(page, ID, "1.1.0");
    press(page, "Start wave 1");
    reviewed(page);
    acknowledge(page);
    press(page, "Continue");
    page.element("[data-secret]");
}

fn unreachable(window: &Window, desk: &Desk, url: &str) {
    let page = &window.session;
    let before = entries(desk);
    begin_wave(window);
    passphrase(page, RITA.passphrase);
    press_signing(page, "Start wave 1");
    let problem = page.wait("what went wrong", || problems(page).first().cloned());
    window.keep_picture("dispatch-unreachable");
    let address = url.trim_end_matches('/');
    assert!(problem.contains(&format!("No connection to {address}")), "what happened: {problem}");
    assert!(problem.contains("The ledger is as it was."), "what is safe: {problem}");
    assert!(problem.contains("Check the address, the network and that the server runs"), "what to do: {problem}");
    let said = says(page, "main");
    assert!(!said.contains("Your signature is recorded"), "nothing was signed: {said}");
    close(page);
    assert_eq!(entries(desk), before, "nothing was sent, and nothing is on record");
    let seen = status(desk);
    assert_eq!(seen["state"], "authorized", "{seen:#}");
    // It can be started again as soon as the CI system answers.
    open_release(page, ID, "1.1.0");
    page.control("Start wave 1");
}

fn too_many_tries(window: &Window, desk: &Desk) {
    let page = &window.session;
    begin_wave(window);
    for wrong in 1..=FREE_TRIES {
        passphrase(page, "not the passphrase");
        press_signing(page, "Start wave 1");
        page.until_it_says(&format!("Wrong ones so far: {wrong}."));
    }
    window.keep_picture("sign-wrong-passphrase");
    passphrase(page, "not the passphrase");
    press_signing(page, "Start wave 1");
    page.until_it_says("Too many wrong passphrases. The key rests until");
    window.keep_picture("sign-locked-out");
    let secret = page.element("[data-secret]");
    assert_eq!(page.property(&secret, "disabled"), true, "nothing more is taken");
    // The key rests for every program of this desk, and for the right passphrase too.
    let refused = desk.run(&format!("dispatch {ID} {}", by("rita", "out with it")));
    assert_ne!(refused.code, 0);
    assert_eq!(refused.error()["code"], "locked");
    assert_eq!(status(desk)["state"], "authorized");
    press(page, "Back");
    leave_by(page, "Not now");
    go(page, "Audit");
    page.wait("the tries on record", || says(page, "[role=grid]").contains("wrong passphrase").then_some(()));
    window.keep_picture("audit-attempts");
}
