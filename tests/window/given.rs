//! Ledgers that a window is opened on: made once by this process, copied for each window.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use countersign_app::clock;
use countersign_app::desk::{Home, LedgerDir};
use countersign_app::error::Error;
use countersign_app::ledger::{Beginning, KEY_VALID_SECONDS, Ledger, PassphraseSource};
use countersign_app::sample;
use countersign_core::act::{Reauth, Recovery, Signer};
use countersign_core::admit::Statement;
use countersign_core::words::Principal;
use serde_json::{Value, json};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::driver::Session;
use crate::window::Window;

/// The passphrase of everybody whose key these tests make.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

struct Known;

impl PassphraseSource for Known {
    fn passphrase(&mut self, _: &Principal, _: &Statement) -> Result<Zeroizing<String>, Error> {
        Ok(Zeroizing::new(PASSPHRASE.to_owned()))
    }

    fn reauth(&self) -> Reauth {
        Reauth::Prompt
    }
}

fn places(root: &Path) -> (Home, LedgerDir) {
    (Home::at(root.join("data")), LedgerDir::at(root.join("ledger")))
}

/// Begins a ledger with nothing in it but its first entry.
pub(crate) fn empty_ledger(root: &Path) -> PathBuf {
    let (home, place) = places(root);
    let beginning = Beginning {
        title: "Acme releases".parse().unwrap(),
        owner: Signer { name: "Olga Brandt".parse().unwrap(), principal: "olga@acme.example".parse().unwrap() },
        emails: Vec::new(),
        reason: "we begin".parse().unwrap(),
        charter: None,
        recovery: Recovery { needed: 0, people: Vec::new(), wait_hours: 0 },
        sample: false,
        valid_until: clock::now().plus_seconds(KEY_VALID_SECONDS),
    };
    Ledger::begin(&home, &place, beginning, &mut Known).unwrap();
    place.path().to_owned()
}

/// Puts a copy of the sample, with its desk, below `root` and returns where it lies.
pub(crate) fn sample_ledger(root: &Path) -> PathBuf {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let (home, place) = places(dir.path());
        sample::create(&home, &place, &mut |_, _| true).unwrap();
        dir
    });
    for part in ["data", "ledger"] {
        let copied = Command::new("cp").arg("-a").arg(made.path().join(part)).arg(root.join(part)).status().unwrap();
        assert!(copied.success());
    }
    // The scripts that are allowed on this desk are named by their place.
    let (home, place) = places(root);
    let ledger = Ledger::open(&home, &place).unwrap();
    let commands = ledger.desk().commands();
    let text = std::fs::read_to_string(&commands).unwrap();
    let moved = text.replace(&made.path().display().to_string(), &root.display().to_string());
    std::fs::write(&commands, moved).unwrap();
    place.path().to_owned()
}

/// A window on a copy of the sample, in a directory of its own.
#[track_caller]
pub(crate) fn sample_window() -> Window {
    let dir = tempfile::tempdir().unwrap();
    let place = sample_ledger(dir.path());
    let window = Window::open_in_dir(dir, &["--ledger", place.to_str().unwrap()]);
    window.session.to_main();
    window.session.until_it_says("SAMPLE");
    window
}

/// Calls a command that succeeds and returns its answer.
#[track_caller]
pub(crate) fn ask(page: &Session, command: &str, request: Value) -> Value {
    let mut answer = page.invoke(command, request);
    assert!(answer["refused"].is_null(), "{command}: {}", answer["refused"]);
    answer["ok"].take()
}

/// Makes somebody of the sample the person at the desk, and waits for their inbox.
#[track_caller]
pub(crate) fn sit_down(page: &Session, principal: &str, name: &str) {
    ask(page, "choose_person", json!({ "request": { "principal": principal } }));
    page.script("location.hash = '#/inbox'; location.reload()", json!([]));
    page.wait(&format!("the inbox of {name}"), || {
        let text = page.text();
        (text.contains(name) && text.contains("SAMPLE")).then_some(())
    });
}

/// Goes to a place and waits until its page says these words and waits for nothing.
#[track_caller]
pub(crate) fn visit(page: &Session, place: &str, words: &str) {
    page.script("location.hash = arguments[0]", json!([place]));
    let shows = "const main = document.querySelector('main'); \
        return !!main && main.innerText.includes(arguments[0]) && !main.querySelector('[aria-busy=true], .skeleton')";
    page.wait(&format!("{place} to show {words:?}"), || {
        (page.try_script(shows, json!([words])).ok()? == true).then_some(())
    });
}
