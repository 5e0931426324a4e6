//! Keys and owners through the real program: a key that an SSH agent holds, and a ledger whose owner is gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::carried::{Desk, OLGA, RITA, passphrase, signed, waiting, words};
use crate::harness::{run, wait_for};

const SAM: &str = "sam@acme.example";
const PAUL: &str = "paul@acme.example";

/// A real `ssh-agent`; none, said aloud, where there is none.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(root: &Path) -> Option<Self> {
        let socket = root.join("agent");
        let started = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
        let Ok(child) = started else {
            println!("ssh-agent absent: skipped");
            return None;
        };
        wait_for("the agent", || socket.exists().then_some(()));
        Some(Self { child, socket })
    }

    /// Gives it a key whose passphrase a program answers, as a desktop would.
    fn add(&self, key: &Path, passphrase: &str) {
        let ask = self.socket.with_extension("ask");
        fs::write(&ask, format!("#!/bin/sh\necho '{passphrase}'\n")).unwrap();
        run(Command::new("chmod").arg("700").arg(&ask));
        let mut add = Command::new("ssh-add");
        add.arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).env("SSH_ASKPASS", ask);
        run(add.env("SSH_ASKPASS_REQUIRE", "force").stdin(Stdio::null()));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn by_agent(who: &str, act: &[&str]) -> Vec<String> {
    let more = ["--ledger", "ledger", "--as", who, "--agent", "--reason", "as agreed"];
    act.iter().chain(&more).map(|word| (*word).to_owned()).collect()
}

fn enrolled(desk: &Desk, who: &str, name: &str) {
    let more = ["--name", name, "--identity", "passport seen", "--new-passphrase-file", "passphrase"];
    desk.signs(OLGA, &[&["person", "enrol", who][..], &more].concat());
    desk.signs(who, &["person", "accept"]);
}

#[test]
fn a_key_that_an_agent_holds_signs_what_the_policy_accepts_it_for() {
    let dir = tempfile::tempdir().unwrap();
    let (mut desk, _, fingerprint) = waiting(dir.path());
    enrolled(&desk, SAM, "Sam Okafor");
    desk.signs(OLGA, &["person", "role", "grant", SAM, "qa"]);
    desk.signs(RITA, &["person", "role", "confirm", SAM, "qa"]);
    let go = by_agent(SAM, &["sign", "shop-1.0.0", "--verdict", "go"]);
    let said = desk.no(1, "agent", &words(&go));
    assert!(said.contains("SSH_AUTH_SOCK"), "{said}");

    let Some(agent) = Agent::start(dir.path()) else { return };
    desk.agent = Some(agent.socket.clone());
    let said = desk.no(1, "agent", &words(&go));
    assert!(said.contains("did not sign with SHA256:"), "{said}");
    // From now on the agent alone has the key.
    let key = desk.key_of(&fingerprint, SAM);
    agent.add(&key, "only its owner knows it");
    fs::remove_file(&key).unwrap();
    desk.no(2, "usage", &words(&[go.clone(), vec!["--passphrase-file".into(), "passphrase".into()]].concat()));
    let status = desk.yes(&words(&go));
    assert_eq!(status["sheet"]["outcome"], "go", "{status:#}");
    let row = &status["sheet"]["sign_offs"][0];
    assert_eq!((&row["principal"], &row["reauth"], &row["state"]), (&json!(SAM), &json!("agent"), &json!("VALID")));

    // What no policy speaks of asks for the passphrase, from the same agent.
    agent.add(&desk.key_of(&fingerprint, OLGA), "only its owner knows it");
    let grant = ["person", "role", "grant", SAM, "auditor"];
    let said = desk.no(1, "reauth_refused", &words(&by_agent(OLGA, &grant)));
    assert!(said.contains("no policy accepts"), "{said}");
    desk.no(2, "usage", &words(&by_agent(OLGA, &["person", "rotate"])));
    desk.signs(OLGA, &grant);

    // Anybody verifies it with OpenSSH alone, as every other signature.
    let verified = desk.yes(&["verify", "--ledger", "ledger", "--fingerprint", &fingerprint]);
    assert_eq!((&verified["verdict"], &verified["findings"]), (&json!("valid"), &json!([])));
}

#[test]
fn a_ledger_without_its_owner_is_recovered_by_those_its_first_entry_names() {
    for (hours, at_once) in [("0", true), ("72", false)] {
        let dir = tempfile::tempdir().unwrap();
        let desk = Desk::at(dir.path(), "home");
        passphrase(dir.path());
        let begin =
            ["init", "--title", "Acme", "--name", "Olga Brandt", "--principal", OLGA, "--recovery-person", RITA];
        let more = ["--recovery-person", SAM, "--recovery-needed", "2", "--recovery-wait-hours", hours];
        let begun = desk.signs(OLGA, &[&begin[..], &more].concat());
        let fingerprint = begun["fingerprint"].as_str().unwrap();
        for (who, name) in [(RITA, "Rita Vogel"), (SAM, "Sam Okafor"), (PAUL, "Paul Lang")] {
            enrolled(&desk, who, name);
        }
        desk.signs(OLGA, &["product", "set", "shop", "--title", "Shop", "--path", "production"]);

        // The owner is gone, and the key with them.
        fs::remove_file(desk.key_of(fingerprint, OLGA)).unwrap();
        let recover = ["person", "role", "recover", PAUL];
        desk.no(1, "role_missing", &words(&signed(PAUL, &recover)));
        desk.signs(RITA, &recover);
        let change = ["product", "set", "shop", "--title", "The shop", "--path", "staging,production"];
        desk.no(1, "role_missing", &words(&signed(PAUL, &change)));
        desk.no(1, "already_done", &words(&signed(SAM, &recover)));
        desk.signs(SAM, &["person", "role", "confirm", PAUL, "process-owner"]);
        if at_once {
            desk.signs(PAUL, &change);
        } else {
            // Everybody can see it coming for three days, and until then nothing has changed.
            desk.no(1, "role_missing", &words(&signed(PAUL, &change)));
            let waiting = desk.yes(&["person", "list", "--ledger", "ledger"]).to_string();
            assert!(waiting.contains("process-owner"), "{waiting}");
        }
        let verified = desk.yes(&["verify", "--ledger", "ledger", "--fingerprint", fingerprint]);
        assert_eq!((&verified["verdict"], &verified["findings"]), (&json!("valid"), &json!([])));
    }
}
