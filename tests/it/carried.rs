//! A carried sign-off through the real program: two homes, one ledger that the second of them never sees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{SampleRepository, countersign, run};

/// A home of its own: one person's desk.
pub(crate) struct Desk {
    pub(crate) root: PathBuf,
    home: &'static str,
    /// Where an SSH agent listens.
    pub(crate) agent: Option<PathBuf>,
}

impl Desk {
    pub(crate) fn at(root: &Path, home: &'static str) -> Self {
        Self { root: root.to_owned(), home, agent: None }
    }

    /// Where somebody's key lies on this desk, where it does.
    pub(crate) fn key_of(&self, fingerprint: &str, who: &str) -> PathBuf {
        self.root.join(self.home).join("desks").join(fingerprint).join("keys").join(who)
    }

    fn output(&self, words: &[&str]) -> std::process::Output {
        let mut command = Command::new(countersign());
        command
            .arg("--json")
            .args(words)
            .env("COUNTERSIGN_HOME", self.root.join(self.home))
            .env_remove("COUNTERSIGN_LEDGER")
            .env_remove("SSH_AUTH_SOCK")
            .current_dir(&self.root)
            .stdin(Stdio::null());
        if let Some(agent) = &self.agent {
            command.env("SSH_AUTH_SOCK", agent);
        }
        command.output().unwrap()
    }

    pub(crate) fn program(&self, words: &[&str]) -> (i32, Value) {
        let output = self.output(words);
        let code = output.status.code().unwrap();
        let text = if output.stderr.is_empty() { output.stdout } else { output.stderr };
        let text = String::from_utf8(text).unwrap();
        (code, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words:?}: {code}: {text}: {error}")))
    }

    /// Returns what is answered on standard output, whatever the exit code.
    pub(crate) fn verdict(&self, words: &[&str]) -> Value {
        serde_json::from_slice(&self.output(words).stdout).unwrap()
    }

    #[track_caller]
    pub(crate) fn yes(&self, words: &[&str]) -> Value {
        let (code, answer) = self.program(words);
        assert_eq!(code, 0, "{words:?}: {answer:#}");
        answer
    }

    #[track_caller]
    pub(crate) fn no(&self, exit: i32, code: &str, words: &[&str]) -> String {
        let (exited, answer) = self.program(words);
        assert_eq!((exited, &answer["error"]["code"]), (exit, &json!(code)), "{words:?}: {answer:#}");
        answer["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Does something on the ledger, signed by somebody.
    #[track_caller]
    pub(crate) fn signs(&self, who: &str, words: &[&str]) -> Value {
        self.yes(&signed(who, words).iter().map(String::as_str).collect::<Vec<_>>())
    }
}

pub(crate) fn signed(who: &str, words: &[&str]) -> Vec<String> {
    let more = ["--ledger", "ledger", "--as", who, "--passphrase-file", "passphrase", "--reason", "as agreed"];
    words.iter().chain(&more).map(|word| (*word).to_owned()).collect()
}

pub(crate) const OLGA: &str = "olga@acme.example";
pub(crate) const RITA: &str = "rita@acme.example";
const QUINN: &str = "quinn@acme.example";

const POLICY: &str = "\
schema = 1
product = \"shop\"
mode = \"continuous-delivery\"
reauth = [\"prompt\", \"file\", \"agent\"]

[[quorum]]
role = \"qa\"

[[wave]]
segment = \"everyone\"
";

/// A file with the passphrase that everybody at these desks has.
pub(crate) fn passphrase(root: &Path) {
    let passphrase = root.join("passphrase");
    fs::write(&passphrase, "only its owner knows it\n").unwrap();
    run(Command::new("chmod").arg("600").arg(&passphrase));
}

/// A ledger whose release waits for Quinn, whose key is on another desk; returns the fingerprint.
pub(crate) fn waiting(root: &Path) -> (Desk, Desk, String) {
    let here = Desk::at(root, "home");
    let away = Desk::at(root, "away");
    passphrase(root);
    let begun = here.signs(OLGA, &["init", "--title", "Acme", "--name", "Olga Brandt", "--principal", OLGA]);
    let fingerprint = begun["fingerprint"].as_str().unwrap().to_owned();
    here.signs(
        OLGA,
        &["person", "enrol", RITA, "--name", "Rita Vogel", "--identity", "seen", "--new-passphrase-file", "passphrase"],
    );
    here.signs(RITA, &["person", "accept"]);
    here.signs(OLGA, &["person", "role", "grant", RITA, "release-manager"]);

    // Quinn makes the key where it stays, and hands over the public half alone.
    let key = [
        "carry",
        "key",
        QUINN,
        "--out",
        "quinn.pub",
        "--fingerprint",
        &fingerprint,
        "--new-passphrase-file",
        "passphrase",
    ];
    let made = away.yes(&key);
    away.no(1, "exists", &key);
    let enrolled = here.signs(
        OLGA,
        &[
            "person",
            "enrol",
            QUINN,
            "--name",
            "Quinn Moreau",
            "--identity",
            "read over the phone",
            "--public-key",
            "quinn.pub",
        ],
    );
    assert_eq!(enrolled["fingerprint"], made["key"]);
    here.signs(OLGA, &["person", "role", "grant", QUINN, "qa"]);
    here.signs(RITA, &["person", "role", "confirm", QUINN, "qa"]);

    here.signs(OLGA, &["product", "set", "shop", "--title", "Shop", "--path", "production"]);
    fs::write(root.join("ca.pem"), "not asked in this test\n").unwrap();
    fs::write(
        root.join("production.toml"),
        "product = \"shop\"\nenvironment = \"production\"\njob = \"deploy\"\ndeploy_step = \"deploy\"\n\n\
         [connector]\nkind = \"buildbot\"\nbase_url = \"https://ci.acme.example/\"\nca_file = \"ca.pem\"\n\n\
         [[segment]]\nname = \"everyone\"\nhealth = [\"https://shop.acme.example/health\"]\n\
         version = [\"https://shop.acme.example/version\"]\n",
    )
    .unwrap();
    here.signs(OLGA, &["target", "set", "--file", "production.toml"]);
    fs::write(root.join("policy.toml"), POLICY).unwrap();
    here.signs(OLGA, &["policy", "set", "policy.toml"]);
    let repository = SampleRepository::create(&root.join("repository"));
    propose(&here, repository.bare.to_str().unwrap(), "1.0.0");
    here.signs(RITA, &["request", "shop-1.0.0"]);
    (here, away, fingerprint)
}

pub(crate) fn propose(here: &Desk, bare: &str, version: &str) {
    fs::write(here.root.join("shop.tar"), version).unwrap();
    let words =
        ["release", "propose", "--product", "shop", "--version", version, "--repository", bare, "--commit", version];
    here.signs(RITA, &[&words[..], &["--artifact", "shop.tar=shop.tar"]].concat());
}

/// Answers the request on the desk that has no ledger.
fn answer(out: &str, verdict: &str) -> Vec<String> {
    let words = ["carry", "sign", "shop.csreq", "--verdict", verdict, "--out", out];
    let more = ["--passphrase-file", "passphrase", "--reason", "all tests pass"];
    words.iter().chain(&more).map(|word| (*word).to_owned()).collect()
}

pub(crate) fn words(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

#[test]
fn a_request_is_answered_on_a_desk_without_the_ledger_and_counts_once_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let (here, away, fingerprint) = waiting(dir.path());
    let asked = here.yes(&["carry", "request", "shop-1.0.0", "--out", "shop.csreq", "--ledger", "ledger"]);
    assert_eq!(asked["fingerprint"], fingerprint);

    // A desk that was told nothing believes nothing; Quinn's was told the fingerprint when the key was made.
    let stranger = Desk::at(dir.path(), "stranger");
    stranger.no(1, "unanchored", &["carry", "open", "shop.csreq"]);
    stranger.no(4, "fingerprint", &["carry", "open", "shop.csreq", "--fingerprint", &"0".repeat(64)]);
    let shown = away.yes(&["carry", "open", "shop.csreq"]);
    let there = here.yes(&["status", "shop-1.0.0", "--ledger", "ledger"]);
    assert_eq!(shown["sheet"], there["sheet"], "both desks show the same sheet");
    assert_eq!(shown["signers_here"], json!([QUINN]));

    // The answer, with the acceptance before it, since Quinn has not been at the ledger.
    stranger.no(1, "unanchored", &words(&answer("stranger.csans", "go")));
    let said = away.yes(&words(&answer("quinn.csans", "go")));
    assert_eq!(said["signed"], json!(["enrol-accept", "approval"]));
    let private = fs::read(away.key_of(&fingerprint, QUINN)).unwrap();
    assert!(!here.key_of(&fingerprint, QUINN).exists());
    let sent = fs::read(dir.path().join("quinn.csans")).unwrap();
    assert!(!sent.windows(private.len().min(64)).any(|window| private.starts_with(window)));

    let import = ["carry", "import", "quinn.csans", "--ledger", "ledger"];
    let brought = here.yes(&import);
    assert_eq!(brought["entries"][1]["act"], "approval");
    assert_eq!(brought["sheet"]["outcome"], "go", "{brought:#}");
    let row = &brought["sheet"]["sign_offs"][0];
    assert_eq!((&row["state"], &row["seen_basis"]), (&json!("VALID"), &json!("proofs")));

    // Twice is once.
    let before = here.yes(&["status", "--ledger", "ledger"])["entries"].clone();
    let again = here.yes(&import);
    assert_eq!((&again["entries"][0]["again"], &again["entries"][1]["again"]), (&json!(true), &json!(true)));
    assert_eq!(here.yes(&["status", "--ledger", "ledger"])["entries"], before);

    // What came in is in every copy, and verifies.
    let verified = here.yes(&["verify", "--ledger", "ledger", "--fingerprint", &fingerprint]);
    assert_eq!((&verified["verdict"], &verified["findings"]), (&json!("valid"), &json!([])));
}

#[test]
fn what_is_forged_altered_replayed_or_late_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (here, away, _) = waiting(dir.path());
    let request = ["carry", "request", "shop-1.0.0", "--out", "shop.csreq", "--ledger", "ledger"];
    here.yes(&request);
    here.no(1, "exists", &request);

    // The request: one byte of the sheet, one byte of a digest, cut short.
    let bytes = fs::read(dir.path().join("shop.csreq")).unwrap();
    let find = |text: &str| bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    for (place, codes) in [(find("\"artifacts\"") + 20, &["container"][..]), (bytes.len() / 2, &["container"])] {
        let mut altered = bytes.clone();
        altered[place] ^= 1;
        fs::write(dir.path().join("altered.csreq"), &altered).unwrap();
        let (exit, said) = away.program(&["carry", "open", "altered.csreq"]);
        assert_eq!(exit, 4, "{said:#}");
        assert!(codes.contains(&said["error"]["code"].as_str().unwrap()), "{said:#}");
    }
    fs::write(dir.path().join("altered.csreq"), &bytes[..bytes.len() - 100]).unwrap();
    away.no(4, "container", &["carry", "open", "altered.csreq"]);

    // The answer: altered, forged, not one.
    away.yes(&words(&answer("quinn.csans", "no-go")));
    let answered = fs::read_to_string(dir.path().join("quinn.csans")).unwrap();
    let import = |name: &str| -> Vec<String> {
        ["carry", "import", name, "--ledger", "ledger"].iter().map(|word| (*word).to_owned()).collect()
    };
    let altered = answered.replacen("\"verdict\":\"no-go\"", "\"verdict\":\"go\"", 1);
    fs::write(dir.path().join("altered.csans"), altered).unwrap();
    here.no(1, "malformed", &words(&import("altered.csans")));
    fs::write(dir.path().join("none.csans"), "GO, says Quinn\n").unwrap();
    here.no(1, "malformed", &words(&import("none.csans")));

    // Of another ledger: the same people, another history.
    let other = tempfile::tempdir().unwrap();
    let (elsewhere, ..) = waiting(other.path());
    fs::copy(dir.path().join("quinn.csans"), other.path().join("quinn.csans")).unwrap();
    elsewhere.no(1, "wrong_key", &words(&import("quinn.csans")));

    // A newer sheet was frozen meanwhile: the acceptance stands, the answer is of the sheet before.
    here.signs(RITA, &["request", "shop-1.0.0"]);
    let said = here.no(1, "stale", &words(&import("quinn.csans")));
    assert!(said.contains("newer sheet"), "{said}");
    let sheet = here.yes(&["status", "shop-1.0.0", "--ledger", "ledger"])["sheet"].clone();
    assert_eq!(sheet["sign_offs"], json!([]), "nothing of it counts");

    // The one that is asked now can be answered, NO-GO as it is.
    fs::remove_file(dir.path().join("shop.csreq")).unwrap();
    here.yes(&request);
    away.yes(&words(&answer("now.csans", "no-go")));
    assert_eq!(here.yes(&words(&import("now.csans")))["sheet"]["outcome"], "no-go");
}
