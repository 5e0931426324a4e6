//! What an auditor does by hand with an unpacked bundle: `ssh-keygen` and `sha256sum`, and none of our code.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use serde_json::Value;

/// Checks every listed digest, the signature of the list, every entry's signature, the root and the fingerprint; returns
/// what is not as it should be, nothing where all of it is.
pub(crate) fn check(dir: &Path, fingerprint: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let listed = Command::new("sha256sum").current_dir(dir).args(["-c", "--quiet", "SHA256SUMS"]).output().unwrap();
    if !listed.status.success() {
        let said = String::from_utf8_lossy(&listed.stdout).into_owned();
        wrong.push(format!("not as listed: {}", said.trim_end().replace('\n', ", ")));
    }

    let mut names: Vec<String> = fs::read_dir(dir.join("leaves"))
        .map(|all| all.map(|one| one.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    let leaves: Vec<Vec<u8>> = names.iter().map(|name| fs::read(dir.join("leaves").join(name)).unwrap()).collect();
    let scratch = tempfile::tempdir().unwrap();
    if leaves.first().map(|leaf| hashes(scratch.path(), std::slice::from_ref(leaf))[0].clone()).as_deref()
        != Some(fingerprint)
    {
        wrong.push("entry 0 does not have the fingerprint".to_owned());
    }
    let checkpoint = fs::read_to_string(dir.join("checkpoint")).unwrap_or_default();
    let claimed = checkpoint.lines().nth(2).and_then(|root| Base64::decode_vec(root).ok()).map(|root| hex(&root));
    if claimed.is_none() || claimed != root(scratch.path(), &leaves) {
        wrong.push("the entries do not lead to the root of the checkpoint".to_owned());
    }

    let mut last = String::new();
    for (name, leaf) in names.iter().zip(&leaves) {
        let Some(signed) = Signed::read(leaf) else {
            wrong.push(format!("{name} is not a line of JSON and a signature"));
            continue;
        };
        let armor = scratch.path().join("signature");
        fs::write(&armor, &leaf[signed.line.len()..]).unwrap();
        if !verifies(dir, &signed.who, &signed.act, &signed.time, &armor, signed.line) {
            wrong.push(format!("{name} is not signed by {} as it says", signed.who));
        }
        last = signed.time;
    }

    let list = fs::read(dir.join("SHA256SUMS")).unwrap_or_default();
    let found = Command::new("ssh-keygen")
        .current_dir(dir)
        .args(["-Y", "find-principals", "-f", "allowed_signers", "-s", "SHA256SUMS.sig"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let who = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    if !verifies(dir, &who, "export", &last, Path::new("SHA256SUMS.sig"), &list) {
        wrong.push("SHA256SUMS is not signed by a device of the ledger".to_owned());
    }
    wrong
}

/// Who an entry says did what, and when.
struct Signed<'a> {
    /// The line that is signed, with its line feed.
    line: &'a [u8],
    who: String,
    act: String,
    /// As `ssh-keygen` wants it.
    time: String,
}

impl<'a> Signed<'a> {
    fn read(leaf: &'a [u8]) -> Option<Self> {
        let end = leaf.iter().position(|byte| *byte == b'\n')?;
        let payload: Value = serde_json::from_slice(&leaf[..end]).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            line: &leaf[..=end],
            who: text(&payload["predicate"]["signer"]["principal"])?,
            act: text(&payload["predicateType"])?.split('/').nth(3)?.to_owned(),
            time: text(&payload["predicate"]["time"])?.replace(['-', ':', 'T'], ""),
        })
    }
}

fn verifies(dir: &Path, who: &str, act: &str, time: &str, signature: &Path, message: &[u8]) -> bool {
    let mut child = Command::new("ssh-keygen")
        .current_dir(dir)
        .args(["-Y", "verify", "-f", "allowed_signers", "-r", "revoked", "-I", who])
        .args(["-n", &format!("countersign-{act}@v1"), &format!("-Overify-time={time}"), "-s"])
        .arg(signature)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It may be gone before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(message);
    child.wait().unwrap().success()
}

/// The root of RFC 6962 section 2.1, in hexadecimal digits: neighbors are hashed together, one without waits.
fn root(scratch: &Path, leaves: &[Vec<u8>]) -> Option<String> {
    let mut level = hashes(scratch, &leaves.iter().map(|leaf| [&[0], leaf.as_slice()].concat()).collect::<Vec<_>>());
    while level.len() > 1 {
        let pairs: Vec<_> =
            level.chunks_exact(2).map(|pair| [&[1], &*unhex(&pair[0]), &*unhex(&pair[1])].concat()).collect();
        let alone = if level.len() % 2 == 1 { level.pop() } else { None };
        level = hashes(scratch, &pairs);
        level.extend(alone);
    }
    level.pop()
}

/// What `sha256sum` says of each message.
fn hashes(scratch: &Path, messages: &[Vec<u8>]) -> Vec<String> {
    if messages.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = (0..messages.len()).map(|place| place.to_string()).collect();
    for (name, message) in names.iter().zip(messages) {
        fs::write(scratch.join(name), message).unwrap();
    }
    let output = Command::new("sha256sum").current_dir(scratch).args(&names).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let found: Vec<String> = said.lines().map(|line| line[..64].to_owned()).collect();
    assert_eq!(found.len(), messages.len(), "{said}");
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}
