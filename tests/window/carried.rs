//! A sign-off that travels between two windows, each with a data directory of its own: the request leaves as a file, is
//! answered where the signer's key is, and the answer counts once it is in the ledger. What was altered is refused by name.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::hands::{answer, open_release, press, problems, says, sit_down};
use crate::harness::{SampleRepository, run};
use crate::shop::{Desk, by};
use crate::whole_job::{RITA, SAM, answer_dialog, people};
use crate::window::{Window, can_show};

const TARGET: &str = "product = \"shop\"\nenvironment = \"production\"\njob = \"deploy\"\ndeploy_step = \"deploy\"\n\n\
    [connector]\nkind = \"buildbot\"\nbase_url = \"https://ci.acme.example/\"\nca_file = \"ca.pem\"\n\n\
    [[segment]]\nname = \"everyone\"\nhealth = [\"https://shop.acme.example/health\"]\n\
    version = [\"https://shop.acme.example/version\"]\n";
const POLICY: &str = "schema = 1\nproduct = \"shop\"\nmode = \"continuous-delivery\"\nreauth = [\"prompt\", \"file\"]\n\n\
    [[quorum]]\nrole = \"security\"\n\n[[wave]]\nsegment = \"everyone\"\n";

/// A release that waits for Sam alone, by script.
fn waiting(desk: &Desk) {
    desk.write("ca.pem", "not asked in this walk\n");
    desk.write("production.toml", TARGET);
    desk.write("policy.toml", POLICY);
    desk.write("shop.tar", "1.0.0");
    desk.yes(&format!("target set --file production.toml {}", by("olga", "where it runs")));
    desk.yes(&format!("policy set policy.toml {}", by("olga", "security decides")));
    let repository = SampleRepository::create(&desk.root.join("repository"));
    desk.yes(&format!(
        "release propose --product shop --version 1.0.0 --repository {} --commit 1.0.0 --artifact shop.tar=shop.tar {}",
        repository.bare.display(),
        by("rita", "ready to be decided")
    ));
    desk.yes(&format!("request shop-1.0.0 {}", by("rita", "everything is there")));
}

#[test]
fn a_request_is_answered_in_another_window_and_counts_once_it_is_back() {
    if !can_show() {
        return;
    }
    let [here, away] = ["here", "away"].map(|name| tempfile::Builder::new().prefix(name).tempdir().unwrap());
    let desk = Desk { root: here.path().to_owned(), home: here.path().join("data") };
    let fingerprint = people(&desk, "production");
    waiting(&desk);
    // Sam's key is on the other desk alone.
    let keys = |root: &std::path::Path| root.join("data/desks").join(&fingerprint).join("keys");
    run(Command::new("mkdir").args(["-p", "-m", "700"]).arg(away.path().join("data/desks")));
    let [own, other] = [&here, &away].map(|dir| keys(dir.path()));
    for dir in other.ancestors().take(2).collect::<Vec<_>>().into_iter().rev() {
        run(Command::new("mkdir").args(["-m", "700"]).arg(dir));
    }
    fs::rename(own.join("sam@acme.example"), other.join("sam@acme.example")).unwrap();

    let request = away.path().join("shop.csreq");
    let at_release = || {
        // What dialogs are answered is told anew each time the program starts.
        let _ = fs::remove_file(here.path().join("answers"));
        let ledger = desk.root.join("ledger");
        let window = Window::open_in(here.path(), &["--ledger", ledger.to_str().unwrap()]);
        let page = &window.session;
        page.to_main();
        page.until_it_says("Inbox");
        sit_down(page, RITA);
        open_release(page, "shop-1.0.0", "1.0.0");
        window
    };
    let outcome = || desk.yes("status shop-1.0.0")["sheet"]["outcome"].clone();
    {
        let window = at_release();
        answer_dialog(&window, &request);
        press(&window.session, "Write the request");
        window.session.until_it_says("The request is in");
        window.keep_picture("carried-out");
    }
    {
        // The other desk is started with the file, as a mail program does.
        let window = Window::open_in(away.path(), &[request.to_str().unwrap()]);
        let page = &window.session;
        page.to_main();
        page.until_it_says("shop 1.0.0 to production");
        window.watch_errors();
        let shown = says(page, "main");
        assert!(shown.contains("Rita Vogel") && shown.contains("Sam Okafor"), "{shown}");
        assert!(shown.replace([' ', '\u{a0}'], "").contains(&fingerprint[..8]), "the ledger is named: {shown}");
        window.keep_picture("carried-request");
        press(page, "Review and answer");
        let said = answer(page, SAM, "GO", "no new input, no new dependency");
        assert!(said.contains("It counts once it is in the ledger") && said.contains("shop-sam.csans"), "{said}");
        assert_eq!(window.errors(), Vec::<String>::new());
    }
    assert_eq!(outcome(), "incomplete", "an answer that is on its way counts for nothing");

    // What was altered on its way is refused by name, and nothing of it is recorded.
    let window = at_release();
    let page = &window.session;
    let sent = fs::read_to_string(away.path().join("shop-sam.csans")).unwrap();
    fs::write(here.path().join("altered.csans"), sent.replace("no new input", "no old input")).unwrap();
    answer_dialog(&window, &here.path().join("altered.csans"));
    press(page, "Bring an answer in");
    page.wait("the refusal", || (!problems(page).is_empty()).then_some(()));
    let refused = problems(page).join(" ");
    assert!(refused.contains("not an answer as it was signed"), "{refused}");
    window.keep_picture("carried-altered");
    assert_eq!(outcome(), "incomplete");
    for again in [false, true] {
        answer_dialog(&window, &away.path().join("shop-sam.csans"));
        press(page, "Bring an answer in");
        page.until_it_says("Sam Okafor said GO.");
        if again {
            page.until_it_says("It was in the ledger already.");
        }
    }
    window.keep_picture("carried-in");
    assert_eq!(outcome(), "go");
    let row = desk.yes("status shop-1.0.0")["sheet"]["sign_offs"][0].clone();
    assert_eq!((&row["principal"], &row["state"]), (&json!("sam@acme.example"), &json!("VALID")), "{row}");
    let verified = desk.yes(&format!("verify --fingerprint {fingerprint}"));
    assert_eq!((&verified["verdict"], &verified["findings"]), (&json!("valid"), &json!([])));
}
