//! A terminal, and the people at it: each command is run as a shell at a real terminal runs it, and who is asked for a
//! passphrase types it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{countersign, free_port, tests_directory};

/// The ports of the guide, and what they are for.
const PORTS: [&str; 4] = ["8101", "8201", "8202", "8203"];
/// How long one command may take.
const SECONDS_MAX: &str = "180";

/// A walk through the guide.
pub(super) struct Walk {
    root: tempfile::TempDir,
    ports: Vec<u16>,
}

impl Walk {
    /// Begins in an empty home, but for the sources that the guide copies from.
    pub(super) fn begin() -> Self {
        let root = tempfile::Builder::new().prefix("countersign-guide-").tempdir().unwrap();
        let walk = Self { root, ports: PORTS.iter().map(|_| free_port()).collect() };
        let (home, work) = (walk.home(), walk.root.path());
        fs::create_dir_all(home.join("src")).unwrap();
        let sources = tests_directory().parent().unwrap();
        std::os::unix::fs::symlink(sources, home.join("src/countersign")).unwrap();
        fs::create_dir(work.join("bin")).unwrap();
        std::os::unix::fs::symlink(countersign(), work.join("bin/countersign")).unwrap();
        fs::write(walk.state(), format!("cd '{}'\n", home.display())).unwrap();
        walk
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// What a shell hands on to the next: its directory and what it exports.
    fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// What some words of the guide are here.
    pub(super) fn given(&self) -> Vec<(String, String)> {
        PORTS.iter().zip(&self.ports).map(|(shown, here)| ((*shown).to_owned(), here.to_string())).collect()
    }

    /// Writes a file where the shell is.
    pub(super) fn write(&self, path: &Path, text: &str) {
        let state = fs::read_to_string(self.state()).unwrap();
        let line = state.lines().rev().find_map(|line| line.strip_prefix("cd ")).unwrap();
        let path = Path::new(line.trim_matches('\'')).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a line in a shell at a terminal, and returns the exit code and all that appeared.
    pub(super) fn run(&self, line: &str) -> (i32, String) {
        let (script, state) = (self.root.path().join("line"), self.state());
        let state = state.display();
        let text = format!(
            ". '{state}'\n{line}\nended=$?\n{{ export -p; printf \"cd '%s'\\n\" \"$PWD\"; }} >'{state}'\nexit $ended\n"
        );
        fs::write(&script, text).unwrap();
        let path = std::env::var("PATH").unwrap();
        // Passes on how the line ended, and shows at once what appears; what it would log goes nowhere.
        let mut child = Command::new("timeout")
            .args(["--kill-after=5", SECONDS_MAX, "script", "--quiet", "--flush", "--return", "--command"])
            .arg(format!("bash '{}'", script.display()))
            .arg("/dev/null")
            .env_clear()
            .env("PATH", format!("{}:{path}", self.root.path().join("bin").display()))
            .env("HOME", self.home())
            .env("SHELL", "/bin/sh")
            .env("LANG", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut seen, mut answered, mut part) = (Vec::new(), 0, [0; 4096]);
        loop {
            let length = screen.read(&mut part).unwrap();
            if length == 0 {
                break;
            }
            seen.extend_from_slice(&part[..length]);
            let asked = seen.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
            let question = String::from_utf8_lossy(&seen[asked..]).into_owned();
            if asked >= answered
                && (question.ends_with("@acme.example: ")
                    || question.ends_with("again: ")
                    || question.ends_with("passphrase): "))
            {
                writeln!(keyboard, "{}", passphrase(&question)).unwrap();
                answered = asked + 1;
            }
        }
        drop(keyboard);
        let ended = child.wait().unwrap().code().unwrap();
        (ended, String::from_utf8(seen).unwrap().replace('\r', ""))
    }
}

/// What whoever is asked types: each has a passphrase of their own. The key that Sam makes elsewhere asks without a name.
fn passphrase(question: &str) -> String {
    let who = question.split_once('@').and_then(|(before, _)| before.rsplit(' ').next()).unwrap_or("sam");
    format!("{who} has a passphrase of their own")
}

impl Drop for Walk {
    fn drop(&mut self) {
        let state = self.home().join("shop-releases/pipeline/state");
        let deploy = tests_directory().join("sample-service/deploy.mjs");
        let _ = Command::new("node").arg(deploy).args(["stop", "--state"]).arg(state).status();
    }
}
