//! Signing with a key that an SSH agent holds, by `ssh-keygen -Y sign`: it speaks to the agent that `SSH_AUTH_SOCK` names,
//! whatever that is on this system, and writes the armor that entries are made of.

use std::io::Write;
use std::process::{Command, Stdio};

use countersign_core::admit::Statement;
use countersign_core::entry::{Entry, namespace};
use countersign_core::sshsig::PublicKey;

use super::unfit;
use crate::error::{Error, ErrorKind};

fn failed(message: String) -> Error {
    Error::new(ErrorKind::No, "agent", message)
        .hint("`ssh-add -l` shows the keys your agent holds, `ssh-add FILE` gives it one; nothing was signed")
}

/// Has the agent sign the statement with that key.
///
/// # Errors
/// There is no agent or no OpenSSH, it does not hold the key, or it refused.
pub(super) fn sign(key: &PublicKey, statement: &Statement) -> Result<Entry, Error> {
    let act = statement.act.name();
    let line = Entry::to_sign(&statement.payload(), act).map_err(|error| unfit(&error))?;
    if std::env::var_os("SSH_AUTH_SOCK").is_none() && cfg!(unix) {
        return Err(failed("no SSH agent is at hand: SSH_AUTH_SOCK is not set".into()));
    }
    let begun = |error: std::io::Error| failed(format!("ssh-keygen cannot ask the agent: {error}"));
    // It reads which key is meant from a file; of a public key alone it looks for the private one at the agent.
    let mut public = tempfile::NamedTempFile::new().map_err(begun)?;
    writeln!(public, "{key}").map_err(begun)?;
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-q", "-n", &namespace(act), "-f"])
        .arg(public.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(begun)?;
    let given = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(line.as_bytes()));
    let output = child.wait_with_output().map_err(begun)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        return Err(failed(format!("the agent did not sign with {}: {said}", key.fingerprint())));
    }
    given.map_err(begun)?;
    let armor = String::from_utf8(output.stdout).map_err(|_| failed("ssh-keygen wrote no armor".into()))?;
    let entry = Entry::parse((line + &armor).into_bytes()).map_err(|error| failed(error.to_string()))?;
    if entry.signer_key() != *key {
        return Err(failed("the agent signed with another key".into()));
    }
    Ok(entry)
}
