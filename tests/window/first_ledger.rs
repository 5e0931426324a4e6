//! From nothing to a signed first entry, by a page that lies.

use serde_json::{Value, json};

use crate::driver::Session;
use crate::window::{Window, can_show};

const PASSPHRASE: &str = "correct horse battery staple";

/// Calls a command that succeeds and returns its answer.
#[track_caller]
fn ask(page: &Session, command: &str, arguments: Value) -> Value {
    let mut answer = page.invoke(command, arguments);
    assert!(answer["refused"].is_null(), "{command}: {}", answer["refused"]);
    answer["ok"].take()
}

/// Calls a command that is refused by a handler and returns the code.
#[track_caller]
fn refused(page: &Session, command: &str, arguments: Value) -> String {
    let answer = page.invoke(command, arguments);
    let code = answer["refused"]["code"].as_str();
    code.unwrap_or_else(|| panic!("{command} is not refused: {answer}")).to_owned()
}

#[test]
fn a_page_that_lies_cannot_make_rust_sign_other_bytes_than_it_showed() {
    if !can_show() {
        return;
    }
    let window = Window::open(&[]);
    let page = &window.session;
    page.to_main();
    let place = ask(page, "start_info", json!({}))["suggested"]["token"].take();
    let act = json!({ "kind": "createLedger", "title": "Acme releases", "directory": place, "name": "Olga Brandt",
        "principal": "olga@acme.example", "emails": [], "reason": "we begin", "recovery": [], "recoveryNeeded": 0,
        "recoveryWaitHours": 0, "charter": { "rolesByTwo": true, "identityByTwo": false, "keyDays": 366 } });
    let unpicked = json!({ "request": { "kind": "createLedger", "title": "x", "directory": "/tmp", "name": "x",
        "principal": "x@x.example", "emails": [], "reason": "x", "recovery": [], "recoveryNeeded": 0,
        "recoveryWaitHours": 0, "charter": { "rolesByTwo": true, "identityByTwo": false, "keyDays": 366 } } });
    assert_eq!(refused(page, "prepare", unpicked), "not_picked", "a page names no path");
    let draft = ask(page, "prepare", json!({ "request": act }))["draftId"].take();
    refused(page, "open_signing", json!({ "request": { "draftId": "00000000-0000-0000-0000-000000000000" } }));
    ask(page, "open_signing", json!({ "request": { "draftId": draft } }));

    page.to_sign();
    let first = ask(page, "signing_challenge", json!({}));
    let before_key =
        json!({ "request": { "nonce": first["nonce"], "secret": PASSPHRASE, "acknowledged": first["acknowledge"] } });
    refused(page, "signing_commit", before_key);
    let first = ask(page, "signing_challenge", json!({}));
    let shown =
        ask(page, "signing_new_key", json!({ "request": { "nonce": first["nonce"], "passphrase": PASSPHRASE } }));
    assert_ne!(shown["nonce"], first["nonce"]);
    assert!(shown["payloadSha256"].is_string(), "the bytes are known before they are signed: {shown}");

    let commit = |nonce: &Value, secret: &str| {
        json!({ "request": { "nonce": nonce, "secret": secret, "acknowledged": shown["acknowledge"],
            "payload": "{\"title\":\"Another ledger\"}", "title": "Another ledger", "verdict": "go" } })
    };
    for nonce in [&first["nonce"], &json!("0"), &json!("")] {
        let code = refused(page, "signing_commit", commit(nonce, PASSPHRASE));
        assert_ne!(code, "wrong_passphrase", "an old nonce gets as far as the key");
    }
    // What is on the page is the page's own affair.
    page.script(
        "document.title = 'x'; document.body.dataset.lie = 'I sign something else'; \
         for (const one of document.querySelectorAll('h1')) one.textContent = 'Sign: nothing at all'",
        json!([]),
    );
    let again = ask(page, "signing_challenge", json!({}));
    let signed = ask(page, "signing_commit", commit(&again["nonce"], PASSPHRASE));
    assert_eq!(signed["kind"], "signed", "{signed}");
    assert_eq!(
        signed["receipt"]["payloadSha256"], again["payloadSha256"],
        "what was shown, and nothing else, is signed"
    );
    refused(page, "signing_commit", commit(&again["nonce"], PASSPHRASE));
    refused(page, "signing_challenge", json!({}));

    page.to_main();
    let entry = ask(page, "entry", json!({ "request": { "index": 0 } }));
    assert_eq!(entry["payload"], again["payload"]);
    assert!(!entry["payload"].as_str().unwrap().contains("Another ledger"));
}
