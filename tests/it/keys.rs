//! Private key files, read and written side by side with `ssh-keygen`.

#![allow(clippy::print_stdout, reason = "figures are for whoever asks with --nocapture")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use countersign_app::keyfile::{
    DeviceKeyFile, KeyError, LogKeyFile, PersonKeyFile, ROUNDS_MIN, read_passphrase_file, reencrypt,
};
use countersign_core::sshsig::{PublicKey, SshSig, sign};
use zeroize::Zeroizing;

fn passphrase(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// Runs `ssh-keygen`; none, said aloud, where there is none.
fn ssh_keygen(arguments: &[&str]) -> Option<String> {
    match Command::new("ssh-keygen").args(arguments).output() {
        Ok(output) => {
            assert!(output.status.success(), "ssh-keygen {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("ssh-keygen absent: skipped");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Makes a key as a person would; none where `ssh-keygen` is absent.
fn made_by_ssh_keygen(dir: &Path, name: &str, options: &[&str]) -> Option<PathBuf> {
    let path = dir.join(name);
    let mut arguments = vec!["-q", "-C", "alice@acme.example", "-f", path.to_str().unwrap()];
    arguments.extend(options);
    ssh_keygen(&arguments)?;
    Some(path)
}

/// The public half that `ssh-keygen` wrote beside a key.
fn public(path: &Path) -> PublicKey {
    let text = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ").parse().unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    #[cfg(not(unix))]
    let _ = (path, mode);
}

#[test]
fn a_key_of_ssh_keygen_is_unlocked_by_its_passphrase_alone() {
    let dir = tempfile::tempdir().unwrap();
    for cipher in ["aes256-ctr", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-cbc"] {
        let options = ["-t", "ed25519", "-a", "128", "-Z", cipher, "-N", "correct horse"];
        let Some(path) = made_by_ssh_keygen(dir.path(), &cipher.replace('@', "-at-").replace('.', "-"), &options)
        else {
            return;
        };
        let key = PersonKeyFile::load(&path).unwrap();
        assert_eq!(key.public_key(), public(&path), "{cipher}");
        let started = Instant::now();
        let unlocked = key.unlock(passphrase("correct horse")).unwrap();
        println!("{cipher}: unlocked in {:?}", started.elapsed());
        assert_eq!(unlocked.public_key(), public(&path), "{cipher}");
        let armor = sign(unlocked.signing_key(), "countersign-approval@v1", b"payload\n");
        SshSig::parse(&armor).unwrap().verify("countersign-approval@v1", b"payload\n").unwrap();
        let wrong = key.unlock(passphrase("correct horse ")).unwrap_err();
        assert!(matches!(wrong, KeyError::WrongPassphrase), "{cipher}: {wrong:?}");
    }
}

#[test]
fn ssh_keygen_reads_our_keys() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let started = Instant::now();
    let key = PersonKeyFile::generate(&path, "alice@acme.example", &passphrase("s3cret ü")).unwrap();
    println!("generated in {:?}", started.elapsed());
    let path = path.to_str().unwrap();
    let Some(line) = ssh_keygen(&["-y", "-P", "s3cret ü", "-f", path]) else {
        return;
    };
    assert_eq!(line.trim_end(), format!("{} alice@acme.example", key.public_key()));
    let listed = ssh_keygen(&["-l", "-f", path]).unwrap();
    assert!(listed.contains(&key.public_key().fingerprint()), "{listed}");
    let device = dir.path().join("device.key");
    let key = DeviceKeyFile::generate(&device, "build-7").unwrap();
    let line = ssh_keygen(&["-y", "-P", "", "-f", device.to_str().unwrap()]).unwrap();
    assert_eq!(line.trim_end(), format!("{} countersign device key build-7", key.public_key()));
}

#[test]
fn a_weak_key_is_refused_until_it_is_protected() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, rounds: &str, phrase: &str| {
        made_by_ssh_keygen(dir.path(), name, &["-t", "ed25519", "-a", rounds, "-N", phrase])
    };
    let (Some(bare), Some(weak)) = (make("bare", "16", ""), make("weak", "16", "old")) else {
        return;
    };
    assert!(matches!(PersonKeyFile::load(&bare), Err(KeyError::Unencrypted(_))));
    assert!(matches!(PersonKeyFile::load(&weak), Err(KeyError::WeakProtection { rounds: 16, .. })));

    let (old, new) = (passphrase("old"), passphrase("new"));
    let copy = dir.path().join("copy");
    assert!(matches!(reencrypt(&weak, &copy, None, &new), Err(KeyError::WrongPassphrase)));
    assert!(matches!(reencrypt(&weak, &copy, Some(&new), &new), Err(KeyError::WrongPassphrase)));
    assert!(matches!(reencrypt(&weak, &copy, Some(&old), &passphrase("")), Err(KeyError::NotAPassphrase(_))));
    assert!(matches!(reencrypt(&weak, &bare, Some(&old), &new), Err(KeyError::AlreadyExists(_))));
    assert!(!copy.exists());
    let (before, public) = (std::fs::read(&weak).unwrap(), public(&weak));
    let protected = reencrypt(&weak, &copy, Some(&old), &new).unwrap();
    assert_eq!(std::fs::read(&weak).unwrap(), before, "the source stays");
    assert_eq!(protected.public_key(), public);
    assert_eq!(protected.unlock(passphrase("new")).unwrap().public_key(), public);

    let public = crate::keys::public(&bare);
    assert_eq!(reencrypt(&bare, &bare, None, &new).unwrap().public_key(), public, "in place");
    let listed = ssh_keygen(&["-y", "-P", "new", "-f", bare.to_str().unwrap()]).unwrap();
    assert_eq!(listed.trim_end(), format!("{public} alice@acme.example"), "and the comment stays");
    assert!(PersonKeyFile::load(&bare).is_ok());
}

#[test]
fn only_ed25519_keys_in_openssh_files_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, options) in [("rsa", &["-b", "2048"][..]), ("ecdsa", &[])] {
        let options: Vec<_> = ["-t", kind, "-N", ""].iter().chain(options).copied().collect();
        let Some(path) = made_by_ssh_keygen(dir.path(), kind, &options) else {
            return;
        };
        let refused = PersonKeyFile::load(&path).unwrap_err();
        assert!(matches!(refused, KeyError::NotEd25519 { .. } | KeyError::Unreadable { .. }), "{kind}: {refused:?}");
    }
    for (name, text) in [("empty", ""), ("text", "not a key"), ("pem", "-----BEGIN OPENSSH PRIVATE KEY-----\n")] {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        assert!(matches!(PersonKeyFile::load(&path), Err(KeyError::Unreadable { .. })), "{name}");
    }
    assert!(matches!(PersonKeyFile::load(&dir.path().join("none")), Err(KeyError::NotFound(_))));
    assert!(matches!(PersonKeyFile::load(dir.path()), Err(KeyError::File(_))));
}

#[test]
fn a_key_serves_one_job() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    PersonKeyFile::generate(&path("person"), "countersign device key build-7", &passphrase("p")).unwrap();
    DeviceKeyFile::generate(&path("device"), "build-7").unwrap();
    LogKeyFile::generate(&path("log"), "build-7").unwrap();
    for (name, expected) in
        [("person", [true, false, false]), ("device", [false, true, false]), ("log", [false, false, true])]
    {
        let path = path(name);
        let loads =
            [PersonKeyFile::load(&path).is_ok(), DeviceKeyFile::load(&path).is_ok(), LogKeyFile::load(&path).is_ok()];
        assert_eq!(loads, expected, "{name}");
    }
    assert!(matches!(LogKeyFile::load(&path("device")), Err(KeyError::WrongJob { expected: "log", .. })));
    assert_eq!(DeviceKeyFile::load(&path("device")).unwrap().label(), "build-7");
    if let Some(foreign) = made_by_ssh_keygen(dir.path(), "foreign", &["-t", "ed25519", "-N", ""]) {
        assert!(matches!(DeviceKeyFile::load(&foreign), Err(KeyError::WrongJob { .. })));
    }
}

#[test]
fn a_key_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let key = LogKeyFile::generate(&path, "build-7").unwrap();
    assert!(matches!(LogKeyFile::generate(&path, "build-7"), Err(KeyError::AlreadyExists(_))));
    assert!(matches!(DeviceKeyFile::generate(&path, "build-7"), Err(KeyError::AlreadyExists(_))));
    let person = PersonKeyFile::generate(&path, "a@b", &passphrase("p"));
    assert!(matches!(person, Err(KeyError::AlreadyExists(_))));
    assert_eq!(LogKeyFile::load(&path).unwrap().public_key(), key.public_key());
    let other = LogKeyFile::generate(&dir.path().join("other"), "build-7").unwrap();
    assert_ne!(other.public_key(), key.public_key());
}

#[cfg(unix)]
#[test]
fn keys_are_written_private_and_refused_when_others_can_read_them() {
    use countersign_app::durable::FileError;
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    DeviceKeyFile::generate(&path, "build-7").unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for (mode, loads) in
        [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false), (0o601, false), (0o644, false)]
    {
        set_mode(&path, mode);
        match DeviceKeyFile::load(&path) {
            Ok(_) => assert!(loads, "{mode:o}"),
            Err(KeyError::File(FileError::Exposed { mode: found, .. })) => {
                assert_eq!((found, loads), (mode, false))
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_flipped_bit_of_a_key_file_gives_no_other_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let public = DeviceKeyFile::generate(&path, "build-7").unwrap().public_key();
    let sound = std::fs::read(&path).unwrap();
    let mut same = 0;
    for bit in 0..sound.len() * 8 {
        let mut flipped = sound.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, flipped).unwrap();
        if let Ok(key) = DeviceKeyFile::load(&path) {
            assert_eq!(key.public_key(), public, "bit {bit}");
            same += 1;
        }
    }
    println!("{} bits flipped: {same} in what is not key, the others refused", sound.len() * 8);
    assert!(same < sound.len() * 4);
}

#[test]
fn a_cost_beyond_reason_is_refused_before_it_is_paid() {
    // The rounds stand in clear near the beginning of the file, after the salt.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    PersonKeyFile::generate(&path, "a@b", &passphrase("p")).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let mut bytes = <base64ct::Base64 as base64ct::Encoding>::decode_vec(&body).unwrap();
    let rounds = ROUNDS_MIN.to_be_bytes();
    let place = bytes.windows(4).position(|window| window == rounds).unwrap();
    bytes[place..place + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    let body = <base64ct::Base64 as base64ct::Encoding>::encode_string(&bytes);
    let lines: Vec<_> = body.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let text =
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", lines.join("\n"));
    std::fs::write(&path, text).unwrap();
    assert!(matches!(PersonKeyFile::load(&path), Err(KeyError::CostTooHigh { rounds: u32::MAX, .. })));
}

#[test]
fn a_passphrase_file_is_private_and_holds_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("passphrase");
    let check = |bytes: &[u8], expected: Option<&str>| {
        std::fs::write(&path, bytes).unwrap();
        set_mode(&path, 0o600);
        let read = read_passphrase_file(&path);
        assert_eq!(read.as_ref().ok().map(|phrase| phrase.as_str()), expected, "{bytes:?}: {read:?}");
    };
    check(b"correct horse", Some("correct horse"));
    check(b"correct horse\n", Some("correct horse"));
    check(b"correct horse\r\n", Some("correct horse"));
    check(b" spaces stay \n", Some(" spaces stay "));
    check("für alle\n".as_bytes(), Some("für alle"));
    for refused in [&b""[..], b"\n", b"\r\n", b"two\nlines", b"one\n\n", b"nul\0", b"\xff\xfe", &[b'x'; 5000]] {
        check(refused, None);
    }
    #[cfg(unix)]
    {
        check(b"correct horse\n", Some("correct horse"));
        set_mode(&path, 0o644);
        assert!(read_passphrase_file(&path).is_err());
    }
    assert!(read_passphrase_file(&dir.path().join("none")).is_err());
}
