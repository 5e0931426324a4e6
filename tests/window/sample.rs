//! The sample in the real window: each screen shows without an error, and two people sign in the window for signing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::driver::{SIGN, Session};
use crate::given::{ask, sample_window, sit_down, visit};
use crate::hands::acknowledge;
use crate::keyboard::{ENTER, TAB, tab_to, until_ready, until_secret};
use crate::window::{Window, can_show};

/// Places of the rail and parts of pages, each with words that its page shows.
const SCREENS: &[(&str, &str)] = &[
    ("#/inbox", "Good"),
    ("#/board", "Board"),
    ("#/releases", "Releases"),
    ("#/rollouts", "Rollouts"),
    ("#/calendar", "Calendar"),
    ("#/audit", "Audit"),
    ("#/audit/0", "Entry 0"),
    ("#/audit?verify=1", "Every entry, every signature"),
    ("#/people", "Mathilde Duval"),
    ("#/people?tab=devices", "this machine"),
    ("#/people?tab=roles", "Held by"),
    ("#/people?tab=reviews", "Access"),
    ("#/people/alice@northbay.example", "Alice Moreau"),
    ("#/people/leo@northbay.example", "Leo Brandt"),
    ("#/products", "Products"),
    ("#/products/infusion-pump-fw/overview", "Promotion path"),
    ("#/products/infusion-pump-fw/policy", "Policy 3 waits to be in force"),
    ("#/products/infusion-pump-fw/targets", "Segments"),
    ("#/products/infusion-pump-fw/edit", "A lawful policy"),
    ("#/authorizations", "Authorizations"),
    ("#/connectors", "Connectors"),
    ("#/propose", "Propose a release"),
    ("#/settings", "Settings"),
    ("#/help", "Help"),
    ("#/start", "Opened before"),
    ("#/start/create", "Name of the ledger"),
    ("#/start/restore", "Restore from a backup"),
    ("#/start/bundle", "Check a bundle"),
];
const TABS: [(&str, &str); 6] = [
    ("decision", "Go / no-go"),
    ("evidence", "Gates"),
    ("changes", "Commits"),
    ("rollout", "Rollout"),
    ("timeline", "proposed"),
    ("report", "Take it with you"),
];
/// One release of each of these states, all of its tabs.
const STATES: [&str; 6] = ["ready", "rollingOut", "halted", "onHold", "reviewed", "rolledBack"];

/// Draws what is in front in both themes, a page also in two sizes, where pictures are kept at all.
fn draw(window: &Window, name: &str) {
    if std::env::var_os("COUNTERSIGN_PICTURES").is_none() {
        return;
    }
    let page = &window.session;
    let is_signing = page.script("return location.href", json!([])).as_str().unwrap().contains(SIGN);
    let back = || if is_signing { page.to_sign() } else { page.to_main() };
    for theme in ["dark", "light"] {
        page.to_main();
        let mut settings = ask(page, "settings", json!({}));
        settings["theme"] = json!(theme);
        ask(page, "save_settings", json!({ "request": settings }));
        back();
        page.wait("the theme", || {
            let shown = page.script("return document.documentElement.dataset.theme", json!([]));
            (shown == theme).then_some(())
        });
        std::thread::sleep(Duration::from_millis(250));
        if is_signing {
            window.keep_picture(&format!("{name}-{theme}"));
            continue;
        }
        for (width, height) in [(1920, 1080), (1280, 800)] {
            page.resize(width, height);
            std::thread::sleep(Duration::from_millis(250));
            window.keep_picture(&format!("{name}-{theme}-{width}"));
        }
    }
}

/// Asserts that the page in front shows no error, and that nothing went wrong behind it.
#[track_caller]
fn assert_sound(window: &Window, place: &str) {
    let page = &window.session;
    let problems =
        page.script("return [...document.querySelectorAll('.problem')].map(one => one.innerText)", json!([]));
    assert_eq!(problems, json!([]), "{place} shows an error:\n{}", page.text());
    assert_eq!(window.errors(), Vec::<String>::new(), "{place}");
}

/// Returns the ids of releases in a state, the newest first.
fn releases_in(page: &Session, state: &str) -> Vec<String> {
    let request = json!({ "request": { "text": "", "products": [], "states": [state], "mine": false,
        "sort": "proposed", "descending": true, "page": { "offset": 0, "limit": 200 } } });
    let found = ask(page, "releases", request);
    found["rows"].as_array().unwrap().iter().map(|row| row["release"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_user_is_shown_how_far_the_sample_is_and_then_the_sample() {
    if !can_show() {
        return;
    }
    let window = Window::open(&["--sample"]);
    let page = &window.session;
    page.to_main();
    let started = Instant::now();
    let mut said = String::new();
    loop {
        let session = page.invoke("session", json!({}));
        if session["ok"]["mode"] == "open" {
            break;
        }
        said += &page.text();
        let jobs = session["ok"]["jobs"].clone();
        let has_failed = jobs.as_array().is_some_and(|jobs| jobs.iter().any(|job| job["phase"] == "failed"));
        assert!(!has_failed && started.elapsed() < Duration::from_secs(120), "no sample: {jobs}");
        std::thread::sleep(Duration::from_millis(200));
    }
    eprintln!("the sample was there after {:.1} s", started.elapsed().as_secs_f64());
    page.until_it_says("SAMPLE");
    assert!(said.contains("Building the sample"), "nobody is told what is awaited: {said}");
    let personas = ask(page, "session", json!({}))["personas"].take();
    assert!(personas.as_array().unwrap().iter().all(|one| !one["passphrase"].as_str().unwrap().is_empty()));
}

#[test]
fn each_screen_of_the_sample_shows_without_an_error() {
    if !can_show() {
        return;
    }
    let window = sample_window();
    let page = &window.session;
    page.resize(1280, 800);
    window.watch_errors();
    let mut places: Vec<(String, String)> =
        SCREENS.iter().map(|(place, words)| ((*place).to_owned(), (*words).to_owned())).collect();
    let mut releases = 0;
    for state in STATES {
        let found = releases_in(page, state);
        let release = found.first().unwrap_or_else(|| panic!("no release is {state}"));
        places.extend(TABS.map(|(tab, words)| (format!("#/releases/{release}/{tab}"), words.to_owned())));
        releases += found.len();
        if ["rollingOut", "rolledBack"].contains(&state) {
            places.push((format!("#/rollouts/{release}"), "Rollout".to_owned()));
        }
    }
    assert!(releases >= 30, "the sample is rich enough to explore: {releases}");
    let authorizations = ask(page, "authorizations", json!({}));
    let authorization = authorizations["authorizations"][0]["entry"].as_u64().unwrap();
    places.push((format!("#/authorizations/{authorization}"), "telemetry-collector".to_owned()));
    for (place, words) in &places {
        visit(page, place, words);
        std::thread::sleep(Duration::from_millis(150));
        assert_sound(&window, place);
        if !place.starts_with("#/start") {
            assert!(page.text().contains("SAMPLE"), "{place} says that it is a sample");
        }
        draw(&window, &place.replace("#/", "").replace(['/', '?', '='], "-"));
    }

    // Whoever may freeze sees the sheet as it would be.
    let ready = releases_in(page, "ready")[0].clone();
    sit_down(page, "jonas@northbay.example", "Jonas Weber");
    window.watch_errors();
    visit(page, &format!("#/request/{ready}"), "The sheet as it would be frozen");
    assert_sound(&window, "the form of a request");
    draw(&window, "request");

    // Forms and what lies over a page.
    visit(page, "#/connectors", "Connectors");
    page.click(&page.control("Add"));
    page.click(&page.control("Buildbot"));
    page.until_it_says("Next you type its password in the signing window");
    assert_sound(&window, "the form of a connector");
    draw(&window, "connector-form");
    page.press("\u{e00c}");
    visit(page, "#/help", "Help");
    page.press("?");
    page.until_it_says("Sign what waits first");
    draw(&window, "keyboard");
    page.press("\u{e00c}");
    page.chord("\u{e009}", "k");
    page.element(".palette input");
    page.press("portal");
    page.until_it_says("Found");
    draw(&window, "palette");
    page.press("\u{e00c}");

    assert_eq!(page.invoke("open_board", json!({})), json!({ "ok": null }));
    page.to_board();
    window.watch_errors();
    page.until_it_says("SAMPLE");
    assert_sound(&window, "the wallboard");
    window.keep_picture("wallboard");
}

/// Returns the personas of whom a signature is asked.
fn asked(page: &Session) -> Vec<Value> {
    let personas = ask(page, "session", json!({}))["personas"].take();
    let all = personas.as_array().unwrap().clone();
    let is_asked = |person: &&Value| {
        ask(page, "choose_person", json!({ "request": { "principal": person["principal"] } }));
        let inbox = ask(page, "inbox", json!({}));
        inbox["items"].as_array().unwrap().iter().any(|item| item["kind"] == "sign")
    };
    all.iter().filter(is_asked).cloned().collect()
}

fn entries(page: &Session) -> u64 {
    ask(page, "session", json!({}))["ledger"]["entries"].as_u64().unwrap()
}

/// Acknowledges what weighs in an answer, which this release has, and goes back to the passphrase.
#[track_caller]
fn weigh(page: &Session) {
    page.wait("what is to be acknowledged", || page.find("footer input[type=checkbox]").map(|_| ()));
    acknowledge(page);
    page.script("document.querySelector('[data-secret]').focus()", json!([]));
    until_secret(page);
}

/// Opens the signing window from the inbox, as the first of three interactions.
#[track_caller]
fn open_from_inbox(page: &Session, person: &Value) {
    sit_down(page, person["principal"].as_str().unwrap(), person["name"].as_str().unwrap());
    page.click(&page.control("Review and sign"));
    page.to_sign();
    page.until_it_says("What you decide on");
    page.wait("the focus on the heading", || {
        (page.script("return document.activeElement.tagName", json!([])) == "H1").then_some(())
    });
}

#[test]
fn two_people_sign_in_the_window_for_signing_and_a_wrong_passphrase_signs_nothing() {
    if !can_show() {
        return;
    }
    let window = sample_window();
    let page = &window.session;
    let people = asked(page);
    assert!(people.len() >= 2, "two people of the sample are asked to sign: {people:?}");
    for (turn, person) in people.iter().take(2).enumerate() {
        let before = entries(page);
        open_from_inbox(page, person);
        if turn == 0 {
            draw(&window, "sign-review");
        }
        page.click(&page.button("GO"));
        page.wait("the reason to be asked for", || {
            (page.script("return document.activeElement.tagName", json!([])) == "TEXTAREA").then_some(())
        });
        page.press("Read the evidence, and ran the alarm by hand");
        page.press(TAB);
        until_secret(page);
        weigh(page);
        if turn == 0 {
            page.press("not the passphrase");
            until_ready(page);
            page.press(ENTER);
            page.until_it_says("That passphrase is wrong");
            window.keep_picture("sign-wrong");
            assert!(entries(page) <= before + 1, "at most the attempt is on record");
            until_secret(page);
        }
        page.press(person["passphrase"].as_str().unwrap());
        until_ready(page);
        if turn == 0 {
            draw(&window, "sign-identify");
        }
        page.press(ENTER);
        page.until_it_says("Recorded as entry");
        if turn == 0 {
            draw(&window, "sign-receipt");
        }
        page.click(&page.button("Close"));
        page.to_main();
        page.until_gone(SIGN);
        page.to_main();
        let recorded = ask(page, "entry", json!({ "request": { "index": entries(page) - 1 } }));
        assert_eq!(recorded["act"], "approval", "the signature is the last entry: {recorded}");
        assert!(recorded["payload"].as_str().unwrap().contains(person["principal"].as_str().unwrap()));
    }
}

#[test]
fn three_interactions_sign_from_a_notification_and_no_accident_does() {
    if !can_show() {
        return;
    }
    let window = sample_window();
    let page = &window.session;
    let person = &asked(page)[0];
    sit_down(page, person["principal"].as_str().unwrap(), person["name"].as_str().unwrap());
    let inbox = ask(page, "inbox", json!({}));
    let item = inbox["items"].as_array().unwrap().iter().find(|item| item["kind"] == "sign").unwrap().clone();
    let before = entries(page);

    // The notification itself is the first interaction: it opens the sheet, and its page signs nothing. Whoever still leans
    // on Enter, or clicks twice, only opens it.
    let release = item["release"].as_str().unwrap();
    page.script("location.hash = arguments[0]", json!([format!("#/releases/{release}/decision?sign=1")]));
    page.to_sign();
    page.until_it_says("What you decide on");
    page.hold_down(ENTER, 30);
    std::thread::sleep(Duration::from_millis(400));
    assert!(page.find("[data-secret]").is_none(), "Enter held down chooses no answer");

    // The second: the answer. A double click on it, or Enter held down there, ends at an empty field and signs nothing.
    let go = page.button("GO");
    page.double_click(&go);
    page.element("[data-secret]");
    std::thread::sleep(Duration::from_millis(400));
    tab_to(page, "Reason");
    page.press("Read");
    page.press(TAB);
    until_secret(page);
    weigh(page);
    page.hold_down(ENTER, 30);
    page.wait("only the passphrase to be missing", || {
        let told = page.script("return document.querySelector('footer').textContent", json!([]));
        told.as_str().is_some_and(|text| text.contains("Type your passphrase first")).then_some(())
    });
    page.hold_down(ENTER, 30);
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(entries(page), before, "nothing is signed without a passphrase");
    assert!(page.find("[data-secret]").is_some(), "and the window still asks for it");

    // The third: who it is. Enter held down signs once.
    until_secret(page);
    page.press(person["passphrase"].as_str().unwrap());
    until_ready(page);
    page.hold_down(ENTER, 30);
    page.until_it_says("Recorded as entry");
    page.hold_down(ENTER, 30);
    std::thread::sleep(Duration::from_millis(600));
    page.to_main();
    let is_mine = |index: &u64| ask(page, "entry", json!({ "request": { "index": index } }))["act"] == "approval";
    let signed: Vec<u64> = (before..entries(page)).filter(is_mine).collect();
    assert_eq!(signed.len(), 1, "one signature: {signed:?}");
}
