//! What people do around a decision, through the real program: a meeting, an answer taken back, one decision at a time, a run
//! for later.

use serde_json::json;

use crate::carried::{OLGA, RITA, propose, signed, waiting, words};

const SAM: &str = "sam@acme.example";

#[test]
fn a_meeting_is_held_an_answer_taken_back_and_one_release_is_decided_on_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, _, fingerprint) = waiting(dir.path());
    let more = ["--name", "Sam Okafor", "--identity", "passport seen", "--new-passphrase-file", "passphrase"];
    desk.signs(OLGA, &[&["person", "enrol", SAM][..], &more].concat());
    desk.signs(SAM, &["person", "accept"]);
    desk.signs(OLGA, &["person", "role", "grant", SAM, "qa"]);
    desk.signs(RITA, &["person", "role", "confirm", SAM, "qa"]);

    // The meeting: Sam is called, answers, and the minutes say so.
    let called = format!("qa={SAM}");
    let open = ["meeting", "open", "shop-1.0.0", "--call", &called, "--call", "qa", "--seconds", "90"];
    let opened = desk.signs(RITA, &open);
    assert_eq!(opened["meeting"]["roll"][0]["person"], SAM);
    assert_eq!(opened["meeting"]["seconds"], 90);
    desk.no(1, "already_done", &words(&signed(RITA, &open)));
    desk.signs(SAM, &["sign", "shop-1.0.0", "--verdict", "go"]);
    let show = || desk.yes(&["meeting", "show", "shop-1.0.0", "--ledger", "ledger"])[0].clone();
    assert_eq!(show()["roll"][0]["answer"]["verdict"], "go");
    desk.signs(RITA, &["meeting", "close", "shop-1.0.0", "--minutes", "no open question"]);
    let closed = show();
    assert_eq!((&closed["minutes"], &closed["roll"][1]["absent"]), (&json!("no open question"), &json!(true)));
    desk.no(1, "not_found", &words(&signed(RITA, &["meeting", "close", "shop-1.0.0", "--minutes", "again"])));

    // Sam thinks again.
    let sheet = || desk.yes(&["status", "shop-1.0.0", "--ledger", "ledger"])["sheet"].clone();
    assert_eq!(sheet()["outcome"], "go");
    desk.no(2, "usage", &words(&signed(SAM, &["sign", "shop-1.0.0", "--verdict", "withdrawn"])));
    let withdraw = signed(SAM, &["sign", "shop-1.0.0", "--withdraw"]);
    let said = desk.yes(&words(&withdraw));
    assert_eq!(said["sheet"]["outcome"], "incomplete", "{said:#}");
    desk.no(1, "not_found", &words(&withdraw));

    // Nothing else is decided on meanwhile, but the same release anew.
    let bare = dir.path().join("repository/service.git");
    propose(&desk, bare.to_str().unwrap(), "1.1.0");
    let said = desk.no(1, "decision_open", &words(&signed(RITA, &["request", "shop-1.1.0"])));
    assert!(said.contains("shop-1.0.0"), "{said}");
    desk.signs(RITA, &["request", "shop-1.0.0", "--scheduled", "--window", "now/+8h"]);
    assert!(sheet().to_string().contains("the worker starts it then"), "{}", sheet());
    desk.signs(RITA, &["release", "withdraw", "shop-1.0.0", "--superseded-by", "shop-1.1.0"]);
    desk.signs(RITA, &["request", "shop-1.1.0"]);

    // A template of standard changes waits for the quorum it stands in for.
    let grant = |span: &'static str| {
        let kind = ["--template", "alarm texts", "--change-type", "standard", "--max-commits", "5", "--per-day", "2"];
        signed(OLGA, &[&["authorization", "grant", "shop"][..], &kind, &["--valid", span]].concat())
    };
    desk.no(1, "field", &words(&grant("now/+181d")));
    let granted = desk.yes(&words(&grant("now/+90d")));
    let index = granted["authorization"].to_string();
    desk.signs(SAM, &["authorization", "adopt", &index, "--verdict", "go"]);
    let rows = desk.yes(&["authorization", "list", "--ledger", "ledger"]);
    assert_eq!((&rows[0]["template"], &rows[0]["state"]), (&json!("alarm texts"), &json!("VALID")), "{rows:#}");
    assert_eq!(rows[0]["failures"], json!([]));

    let verified = desk.yes(&["verify", "--ledger", "ledger", "--fingerprint", &fingerprint]);
    assert_eq!((&verified["verdict"], &verified["findings"]), (&json!("valid"), &json!([])));
}
