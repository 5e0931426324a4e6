//! The sample in the real window: each screen shows without an error, and two people sign in the window for signing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::driver::{SIGN, Session};
use crate::window::{Window, can_show};

/// Every place of the rail, and a word its page shows.
const SCREENS: &[(&str, &str)] = &[
    ("#/inbox", "Inbox"),
    ("#/board", "Board"),
    ("#/releases", "Releases"),
    ("#/rollouts", "Rollouts"),
    ("#/calendar", "Calendar"),
    ("#/audit", "Audit"),
    ("#/people", "People"),
    ("#/products", "Products"),
    ("#/authorizations", "Authorizations"),
    ("#/connectors", "Connectors"),
    ("#/settings", "Settings"),
    ("#/help", "Help"),
];

/// Asked for by `COUNTERSIGN_WINDOW_SAMPLE=1`: making the sample takes minutes in a program that was not built to be fast.
fn can_show_sample() -> bool {
    let is_asked = std::env::var_os("COUNTERSIGN_WINDOW_SAMPLE").is_some_and(|value| value == "1");
    if !is_asked {
        eprintln!("SKIPPED: the sample in the real window is walked with COUNTERSIGN_WINDOW_SAMPLE=1");
    }
    is_asked && can_show()
}

/// Calls a command that succeeds and returns its answer.
#[track_caller]
fn ask(page: &Session, command: &str, request: Value) -> Value {
    let mut answer = page.invoke(command, request);
    assert!(answer["refused"].is_null(), "{command}: {}", answer["refused"]);
    answer["ok"].take()
}

/// Opens the sample and waits until it is there.
#[track_caller]
fn open_sample() -> Window {
    let window = Window::open(&["--sample"]);
    let page = &window.session;
    page.to_main();
    // It is made anew: some thousand signatures, by a program that was not built to be fast.
    let started = Instant::now();
    loop {
        let session = page.invoke("session", json!({}));
        if session["ok"]["mode"] == "open" {
            break;
        }
        let jobs = session["ok"]["jobs"].clone();
        let has_failed = jobs.as_array().is_some_and(|jobs| jobs.iter().any(|job| job["phase"] == "failed"));
        assert!(!has_failed && started.elapsed() < Duration::from_secs(240), "no sample: {jobs}");
        std::thread::sleep(Duration::from_millis(300));
    }
    page.until_it_says("SAMPLE");
    window
}

/// Makes somebody of the sample the person at the desk.
fn sit_down(page: &Session, person: &Value) {
    ask(page, "choose_person", json!({ "request": { "principal": person["principal"] } }));
    page.script("location.hash = '#/inbox'; location.reload()", json!([]));
    page.until_it_says(person["name"].as_str().unwrap());
}

/// Ticks whatever is to be acknowledged first.
fn acknowledge(page: &Session) {
    for one in page.all("input[type=checkbox]") {
        if page.property(&one, "checked") == false {
            page.click(&one);
        }
    }
}

#[test]
fn each_screen_of_the_sample_shows_without_an_error() {
    if !can_show_sample() {
        return;
    }
    let window = open_sample();
    let page = &window.session;
    window.watch_errors();
    let releases = ask(
        page,
        "releases",
        json!({ "request": { "text": "", "products": [], "states": [], "mine": false, "sort": "proposed",
            "descending": true, "page": { "offset": 0, "limit": 200 } } }),
    );
    assert!(releases["all"].as_u64().unwrap() >= 60, "the sample is rich enough to explore: {}", releases["all"]);
    let first = releases["rows"][0]["release"].as_str().unwrap();
    let tabs = ["decision", "evidence", "changes", "rollout", "timeline", "report"];
    let of_release = tabs.map(|tab| (format!("#/releases/{first}/{tab}"), first));
    let screens = SCREENS.iter().map(|(place, word)| ((*place).to_owned(), *word)).chain(of_release);
    for (place, word) in screens {
        page.script("location.hash = arguments[0]", json!([place]));
        page.wait(&format!("{place} to show"), || {
            let shown = "const main = document.querySelector('main'); const h1 = main && main.querySelector('h1'); \
                return h1 ? h1.innerText + '\n' + main.innerText : ''";
            let text = page.script(shown, json!([]));
            text.as_str().is_some_and(|text| text.contains(word)).then_some(())
        });
        std::thread::sleep(Duration::from_millis(250));
        let errors =
            page.script("return [...document.querySelectorAll('.problem')].map(one => one.innerText)", json!([]));
        assert_eq!(errors, json!([]), "{place} shows an error:\n{}", page.text());
        assert_eq!(window.errors(), Vec::<String>::new(), "{place}");
        assert!(page.text().contains("SAMPLE"), "{place} says that it is a sample");
        window.keep_picture(&place.replace("#/", "").replace('/', "-"));
    }
}

#[test]
fn two_people_sign_in_the_window_for_signing_and_a_wrong_passphrase_signs_nothing() {
    if !can_show_sample() {
        return;
    }
    let window = open_sample();
    let page = &window.session;
    let session = ask(page, "session", json!({}));
    let personas = session["personas"].as_array().unwrap().clone();
    assert!(personas.len() >= 4);
    let mut signed = 0;
    let mut entries = session["ledger"]["entries"].as_u64().unwrap();
    for person in &personas {
        sit_down(page, person);
        let inbox = ask(page, "inbox", json!({}));
        let asked = inbox["items"].as_array().unwrap().iter().any(|item| item["kind"] == "sign");
        if !asked {
            continue;
        }
        // First interaction: the act in the inbox. Nothing is signed by opening it.
        page.click(&page.control("Review and sign"));
        page.to_sign();
        page.until_it_says("What your signature says");
        assert_eq!(
            page.script("return document.activeElement.tagName", json!([])),
            "H1",
            "the focus is on the heading"
        );
        window.keep_picture("sign-review");
        acknowledge(page);
        page.click(&page.button("GO"));
        let secret = page.element("[data-secret]");
        if signed == 0 {
            page.type_into(&secret, "not the passphrase");
            page.click(&page.button("Sign GO"));
            page.until_it_says("That passphrase is wrong");
            window.keep_picture("sign-wrong");
            let now = ask(page, "session", json!({}));
            assert!(now["ledger"]["entries"].as_u64().unwrap() <= entries + 1, "at most the attempt is on record");
            page.script("const one = document.querySelector('[data-secret]'); one.focus(); one.select()", json!([]));
        }
        let secret = page.element("[data-secret]");
        page.type_into(&secret, person["passphrase"].as_str().unwrap());
        page.click(&page.button("Sign GO"));
        page.until_it_says("Recorded as entry");
        window.keep_picture("sign-receipt");
        page.click(&page.button("Close"));
        page.to_main();
        page.until_gone(SIGN);
        let now = ask(page, "session", json!({}))["ledger"]["entries"].as_u64().unwrap();
        assert!(now > entries, "the signature is an entry");
        entries = now;
        signed += 1;
        if signed == 2 {
            return;
        }
    }
    panic!("{signed} of the sample's people were asked to sign: two are needed");
}
