//! The main failure of each screen, in the real window: made to happen for real, and what is then said.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_app::connectors;
use countersign_app::desk::{Home, LedgerDir};
use countersign_app::ledger::Ledger;
use serde_json::json;
use zeroize::Zeroizing;

use crate::driver::Session;
use crate::given::{ask, empty_ledger, sample_ledger, sample_window, sit_down, visit};
use crate::keyboard::{CONTROL, ENTER, ESCAPE, fill, tab_to};
use crate::window::{Window, can_show};

const MANAGER: (&str, &str) = ("jonas@northbay.example", "Jonas Weber");
const OWNER: (&str, &str) = ("mathilde@northbay.example", "Mathilde Duval");

/// Waits until the page shows a problem and returns what it says.
#[track_caller]
fn problem(page: &Session) -> String {
    page.wait("a problem to be shown", || {
        let shown = "const one = document.querySelector('.problem'); return one ? one.innerText : ''";
        let text = page.script(shown, json!([]));
        text.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    })
}

/// Asserts that an error says what happened, what is safe and, where there is something, what to do.
#[track_caller]
fn assert_says(told: &str, happened: &str, safe: &str) {
    assert!(told.contains(happened), "{happened:?} is not what it says: {told}");
    assert!(told.contains("What is safe") && told.contains(safe), "{safe:?} is not said to be safe: {told}");
}

/// Has the next dialogs answered with these paths.
fn answer(window: &Window, paths: &[&Path]) {
    let file = window.root.join("answers");
    let mut text = fs::read_to_string(&file).unwrap_or_default();
    for path in paths {
        text += &format!("{}\n", json!(path));
    }
    fs::write(file, text).unwrap();
}

fn entries(page: &Session) -> u64 {
    ask(page, "session", json!({}))["ledger"]["entries"].as_u64().unwrap()
}

#[test]
fn the_first_screen_says_what_is_wrong_with_a_path_a_backup_and_a_bundle() {
    if !can_show() {
        return;
    }
    let window = Window::open(&[]);
    let page = &window.session;
    page.to_main();
    page.until_it_says("Create a ledger");
    let place = window.root.join("somewhere");
    fs::create_dir(&place).unwrap();
    let junk = place.join("bundle.zip");
    fs::write(&junk, "no bundle at all").unwrap();

    // A folder without a ledger, one that is not there, a file where a folder is wanted.
    let wrong = [
        (place.clone(), "No ledger at", "Nothing happened"),
        (place.join("gone"), "No ledger at", "Nothing happened"),
        (junk.clone(), "Not a directory", "The ledger is as it was"),
    ];
    for (path, happened, safe) in wrong {
        answer(&window, &[&path]);
        page.click(&page.control("Choose a folder"));
        assert_says(&problem(page), happened, safe);
        assert_eq!(page.invoke("session", json!({}))["ok"]["mode"], "start");
        page.script("location.reload()", json!([]));
        page.until_it_says("Create a ledger");
    }
    window.keep_picture("fail-open");

    page.script("location.hash = '#/start/restore'", json!([]));
    page.until_it_says("The backup is verified before anything is written");
    answer(&window, &[&place]);
    page.click(&page.button("Choose a backup"));
    let told = problem(page);
    assert!(told.contains("What is safe"), "{told}");
    assert!(!page.text().contains("The backup is sound"));
    window.keep_picture("fail-restore");

    page.script("location.hash = '#/start/bundle'", json!([]));
    page.until_it_says("judged from its bytes alone");
    answer(&window, &[&junk]);
    page.click(&page.button("Choose a bundle"));
    page.until_it_says("This is not a bundle");
    page.until_it_says("Do not rely on it.");
    window.keep_picture("fail-bundle");

    // A bundle in which one byte was changed is judged, and the entry is named.
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/ledger-v1.zip");
    let mut bytes = fs::read(&golden).unwrap();
    let at = find(&bytes, b"countersign-propose@v1").expect("the golden ledger proposes a release");
    let place_of_reason = at + find(&bytes[at..], b"\"reason\":\"").unwrap() + 10;
    bytes[place_of_reason] ^= 1;
    let changed = place.join("changed.zip");
    fs::write(&changed, bytes).unwrap();
    answer(&window, &[&changed]);
    page.click(&page.button("Choose a bundle"));
    page.wait("a verdict on the changed bundle", || {
        (page.text().contains("Invalid") || page.find(".problem").is_some()).then_some(())
    });
    assert!(!page.text().contains("Every entry, every signature and every file in it holds"));
    window.keep_picture("fail-bundle-changed");
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Every screen of a ledger that holds only its first entry, and what it says instead of nothing.
const EMPTY: &[(&str, &str)] = &[
    ("#/inbox", "First steps"),
    ("#/board", "No products yet"),
    ("#/releases", "No release yet"),
    ("#/rollouts", "Nothing is rolling out"),
    ("#/calendar", "Calendar"),
    ("#/audit", "began the ledger"),
    ("#/people", "Olga Brandt"),
    ("#/people?tab=reviews", "No review yet"),
    ("#/products", "No products yet"),
    ("#/authorizations", "No standing authorization"),
    ("#/connectors", "This desk reaches nothing yet"),
    ("#/propose", "No draft"),
];

#[test]
fn a_ledger_with_nothing_in_it_says_what_will_be_where() {
    if !can_show() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let place = empty_ledger(dir.path());
    let window = Window::open_in_dir(dir, &["--ledger", place.to_str().unwrap()]);
    let page = &window.session;
    page.to_main();
    page.until_it_says("Olga");
    window.watch_errors();
    for (place, words) in EMPTY {
        visit(page, place, words);
        let problems = page.script("return document.querySelectorAll('.problem').length", json!([]));
        assert_eq!(problems, 0, "{place}: {}", page.text());
        assert_eq!(window.errors(), Vec::<String>::new(), "{place}");
        assert!(!page.text().contains("SAMPLE"), "{place}: a real ledger is no sample");
        window.keep_picture(&format!("empty-{}", place.replace("#/", "").replace(['/', '?', '='], "-")));
    }
}

/// Places that are not there, as an old link may name them, and what is said.
const UNKNOWN: &[(&str, &str)] = &[
    ("#/releases/never-1.0.0", "There is no such release in this ledger"),
    ("#/request/never-1.0.0", "never-1.0.0"),
    ("#/rollouts/never-1.0.0", "never-1.0.0"),
    ("#/people/nobody@northbay.example", "Nobody of that name"),
    ("#/products/never", "never"),
    ("#/authorizations/4", "authorization"),
    ("#/audit/999999", "999999"),
    ("#/propose/never", "This draft is no longer there"),
    ("#/nowhere", "Good"),
];

#[test]
fn a_link_to_what_is_not_there_says_so_and_leads_back() {
    if !can_show() {
        return;
    }
    let window = sample_window();
    let page = &window.session;
    for (place, words) in UNKNOWN {
        visit(page, place, words);
        assert!(page.script("return document.querySelectorAll('nav.rail a').length", json!([])).as_u64() > Some(8));
        window.keep_picture(&format!("unknown-{}", place.replace("#/", "").replace(['/', '@'], "-")));
    }
}

#[test]
fn policies_connectors_evidence_and_exports_say_why_not() {
    if !can_show() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let place = sample_ledger(dir.path());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ledger = Ledger::open(&Home::at(dir.path().join("data")), &LedgerDir::at(&place)).unwrap();
    let address = format!("http://127.0.0.1:{closed}/");
    let password = Zeroizing::new("secret".to_owned());
    connectors::add_buildbot(ledger.desk(), &"a-closed".parse().unwrap(), &address, "countersign", &password, None)
        .unwrap();
    drop(ledger);
    let window = Window::open_in_dir(dir, &["--ledger", place.to_str().unwrap()]);
    let page = &window.session;
    page.to_main();
    page.until_it_says("SAMPLE");
    let before = entries(page);

    // A policy that is none: the line is named, and it cannot be signed.
    sit_down(page, OWNER.0, OWNER.1);
    visit(page, "#/products/patient-portal/edit", "A lawful policy");
    tab_to(page, "Policy text");
    page.chord(CONTROL, "a");
    page.press(&format!("schema = 1{ENTER}product = \"patient-portal\"{ENTER}mood = \"careless\"{ENTER}"));
    page.until_it_says("Line 3");
    page.until_it_says("mood");
    page.chord(CONTROL, "s");
    std::thread::sleep(Duration::from_millis(300));
    assert!(page.find("[role=dialog]").is_none(), "what is no policy is not offered for signing");
    window.keep_picture("fail-policy");

    // A CI system that does not answer.
    sit_down(page, MANAGER.0, MANAGER.1);
    visit(page, "#/connectors/a-closed", "a-closed");
    tab_to(page, "Test");
    page.press(ENTER);
    tab_to(page, "Test it now");
    page.press(ENTER);
    page.until_it_says("Does not work");
    let told = page.text();
    assert!(told.contains("It answers, and its certificate is the one trusted"), "{told}");
    window.keep_picture("fail-connector");

    // Evidence that is no report.
    let request = json!({ "request": { "text": "", "products": [], "states": ["collecting"], "mine": false,
        "sort": "proposed", "descending": true, "page": { "offset": 0, "limit": 5 } } });
    let found = ask(page, "releases", request);
    let release = found["rows"][0]["release"].as_str().unwrap().to_owned();
    visit(page, &format!("#/releases/{release}/evidence"), "Gates");
    let broken = window.root.join("broken.xml");
    fs::write(&broken, "<testsuite><testcase name='a'>").unwrap();
    answer(&window, &[&broken]);
    page.click(&page.button("Attach a file"));
    page.click(&page.button("Choose a file"));
    let told = problem(page);
    assert!(told.contains("broken.xml") || told.to_lowercase().contains("xml"), "{told}");
    assert!(told.contains("What is safe"), "{told}");
    window.keep_picture("fail-evidence");
    page.press(ESCAPE);
    page.wait("the form to close", || page.find("[role=dialog]").is_none().then_some(()));

    // An export that cannot be written.
    visit(page, "#/audit", "Audit");
    answer(&window, &[&window.root.join("no such folder/entries.csv")]);
    page.click(&page.button("Export"));
    page.click(&page.control("These entries as a table"));
    let told = problem(page);
    assert!(told.contains("no such folder"), "it says where: {told}");
    assert!(told.contains("What is safe"), "{told}");
    window.keep_picture("fail-export");
    assert_eq!(entries(page), before, "nothing of all this is recorded");
}

#[test]
fn a_ledger_that_another_process_writes_to_can_be_read_and_takes_the_act_once_it_is_free() {
    if !can_show() {
        return;
    }
    let window = sample_window();
    let page = &window.session;
    sit_down(page, MANAGER.0, MANAGER.1);
    let database = LedgerDir::at(window.root.join("ledger")).database();
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let request = json!({ "request": { "text": "", "products": [], "states": ["staged"], "mine": false,
        "sort": "proposed", "descending": true, "page": { "offset": 0, "limit": 5 } } });
    let release = ask(page, "releases", request)["rows"][0]["release"].as_str().unwrap().to_owned();
    let before = entries(page);
    visit(page, &format!("#/releases/{release}/timeline"), "proposed");
    page.press("h");
    page.element("[role=dialog] textarea");
    fill(page, "Reason", "The pharmacy is closed for stocktaking");
    page.press("\u{e004}");
    tab_to(page, "Hold");
    page.press(ENTER);
    let told = problem(page);
    assert!(told.contains("busy"), "{told}");
    assert!(told.contains("What is safe") && told.contains("try again"), "{told}");
    window.keep_picture("fail-busy");
    assert_eq!(entries(page), before);
    let kept = page.script(
        "return [...document.querySelectorAll('[role=dialog] textarea')].map(one => one.value).join('|')",
        json!([]),
    );
    assert!(kept.as_str().unwrap().contains("stocktaking"), "what was typed stays: {kept}");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    tab_to(page, "Hold");
    page.press(ENTER);
    page.until_it_says("It is on hold");
    assert_eq!(entries(page), before + 1);
}

/// Changes one byte of an entry in the file itself, past every guard of the store.
fn damage(place: &Path, words: &[u8]) -> PathBuf {
    let database = LedgerDir::at(place).database();
    let mut bytes = fs::read(&database).unwrap();
    let at = find(&bytes, words).expect("the words stand in the file as they are");
    bytes[at] ^= 1;
    fs::write(&database, bytes).unwrap();
    database
}

#[test]
fn a_damaged_ledger_opens_for_reading_names_the_entry_and_shows_the_way_out() {
    if !can_show() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let place = sample_ledger(dir.path());
    let words = b"After the audit: regression on real pumps";
    let index = {
        let ledger = Ledger::open(&Home::at(dir.path().join("data")), &LedgerDir::at(&place)).unwrap();
        let leaves = ledger.leaves().unwrap();
        leaves.iter().position(|leaf| find(leaf, words).is_some()).expect("somebody said so")
    };
    damage(&place, words);
    let window = Window::open_in_dir(dir, &["--ledger", place.to_str().unwrap()]);
    let page = &window.session;
    page.to_main();
    page.until_it_says("This ledger does not verify from some entry on");
    assert_eq!(page.invoke("session", json!({}))["ok"]["mode"], "damaged");
    window.keep_picture("fail-damaged");
    // Nothing can be signed: the acts say why.
    visit(page, "#/releases", "Releases");
    assert!(page.text().contains("reading only"), "{}", page.text());

    visit(page, "#/audit?verify=1", "This ledger does not verify");
    for way in ["Find out exactly where", "Keep the files as they are", "Go on from a backup"] {
        assert!(page.text().contains(way), "{way}: {}", page.text());
    }
    page.wait("a verification that can be begun", || {
        let begin = page
            .try_script("return [...document.querySelectorAll('.verify button[type=submit]')].length > 0", json!([]));
        (begin.ok()? == true).then_some(())
    });
    page.click(&page.element(".verify button[type=submit]"));
    let named = format!("Entry {} is the first that does not hold", grouped(index));
    page.until_it_says(&named);
    window.keep_picture("fail-verify");
    page.click(&page.control("Make a copy"));
}

/// Returns a number as the page groups it.
fn grouped(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}
