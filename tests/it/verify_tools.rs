//! Second opinions: what common tools say of a bundle, beside what we say.
//!
//! One good bundle and many altered ones go through three verifiers: ours, `verify.sh`, and the checks an auditor types
//! by hand (`ssh-keygen`, `sha256sum`). All take the good one; ours takes no altered one; so none refuses what ours
//! takes. What the tools let through, ours has to catch alone: the test prints how often.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use base64ct::{Base64, Encoding};
use countersign_core::bundle::{VERIFY_SH, judge};
use countersign_core::checkpoint::Checkpoint;
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::jcs;
use countersign_core::merkle::Head;
use countersign_core::note::{Algorithm, KeyName, VerifierKey};
use countersign_core::sshsig::{PublicKey, SshSig, sign};
use countersign_core::verify::Verdict;
use serde_json::{Value, json};

use crate::auditor;
use crate::bundle::{FileTree, known, packed, resign, sign_sums, unpacked, zipped};
use crate::golden::{self, DESK, DISPATCHER, Golden, ORIGIN, RELEASE, key};

/// Whether the tools are here. Where they are not the test says so aloud; our own verifier needs none of them.
fn tools() -> bool {
    let has = |tool: &str, argument: &str| Command::new(tool).arg(argument).output().is_ok();
    let here = has("bash", "--version")
        && has("ssh-keygen", "-?")
        && has("openssl", "version")
        && has("sha256sum", "--version");
    if !here {
        println!("bash, ssh-keygen, openssl or sha256sum absent: skipped");
    }
    here
}

fn write_tree(dir: &Path, files: &FileTree) {
    for (name, data) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }
}

/// Runs the script as an auditor does who brought it along; returns its exit code and what it printed.
fn verify_sh(dir: &Path, fingerprint: Option<&Digest>) -> (i32, String) {
    let script = dir.with_extension("sh");
    fs::write(&script, VERIFY_SH).unwrap();
    let mut command = Command::new("bash");
    command.arg(&script);
    if let Some(fingerprint) = fingerprint {
        command.args(["--fingerprint", &fingerprint.to_string()]);
    }
    let output = command.arg(dir).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&printed).into_owned())
}

/// Replaces the leaves, renumbered, and the checkpoint over them, as the keeper of the log can.
fn with_leaves(files: &mut FileTree, leaves: &[Vec<u8>]) {
    files.retain(|name, _| !name.starts_with("leaves/"));
    for (index, leaf) in leaves.iter().enumerate() {
        files.insert(format!("leaves/{index:08}.leaf"), leaf.clone());
    }
    files.insert("checkpoint".to_owned(), golden::checkpoint(leaves).into_bytes());
}

/// The order of the group, which a signature's second half may be raised by (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn malleated(leaf: &[u8]) -> Vec<u8> {
    let text = str::from_utf8(leaf).unwrap();
    let (line, armor) = text.split_once('\n').unwrap();
    let mut signature = SshSig::parse(armor).unwrap();
    let mut carry = 0;
    for (byte, order) in signature.signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    format!("{line}\n{}", signature.encode()).into_bytes()
}

fn rewrapped(leaf: &[u8]) -> Vec<u8> {
    let text = str::from_utf8(leaf).unwrap();
    let (line, armor) = text.split_once('\n').unwrap();
    let body: String = armor.lines().filter(|line| !line.starts_with('-')).collect();
    let lines: Vec<_> = body.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect();
    let armor = format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"));
    format!("{line}\n{armor}").into_bytes()
}

struct Case {
    name: &'static str,
    files: FileTree,
}

/// Every altered bundle; `with_device` cases are listed and signed anew by the desk that made the copy.
fn altered(golden: &Golden, good: &FileTree) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: &'static str, change: &dyn Fn(&mut FileTree)| {
        let mut files = good.clone();
        change(&mut files);
        cases.push(Case { name, files });
    };
    let leaf = |index: usize| format!("leaves/{index:08}.leaf");
    let leaves = &golden.leaves;
    let last = leaves.len() - 1;
    // The last two entries are the approvals of Carol and Dora.
    let (carol, dora) = (last - 1, last);
    let edit = |files: &mut FileTree, name: &str, change: &dyn Fn(&str) -> String| {
        let text = String::from_utf8(files[name].clone()).unwrap();
        let changed = change(&text);
        assert_ne!(changed, text, "{name} is changed");
        files.insert(name.to_owned(), changed.into_bytes());
    };
    // The keeper's new tree over changed leaves.
    let rebuilt = |files: &mut FileTree, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut leaves = leaves.clone();
        change(&mut leaves);
        with_leaves(files, &leaves);
        resign(files);
    };
    // An entry in place of another, signed by a key.
    let signed = |index: usize, key_name: &str, change: &dyn Fn(&mut Value)| {
        let entry = Entry::parse(leaves[index].clone()).unwrap();
        let mut payload = entry.payload().clone();
        change(&mut payload);
        let line = format!("{}\n", jcs::encode(&payload).unwrap());
        let act = payload["predicateType"].as_str().unwrap().split('/').nth(3).unwrap().to_owned();
        let armor = sign(&key(key_name), &format!("countersign-{act}@v1"), line.as_bytes());
        format!("{line}{armor}").into_bytes()
    };
    let carols = "carol@acme.example";

    // Nobody's key.
    case("byte of an entry", &|files| edit(files, &leaf(carol), &|text| text.replacen("\"go\"", "\"Go\"", 1)));
    case("byte of a report", &|files| edit(files, "report.html", &|text| text.replace("report", "repast")));
    case("byte of the script", &|files| edit(files, "verify.sh", &|text| text.replace("exit 4", "exit 0")));
    case("byte of evidence", &|files| {
        let name = format!("evidence/sha256/{}", Digest::of(golden::JUNIT));
        edit(files, &name, &|text| text.replace("pumps", "pomps"));
    });
    case("byte of the checkpoint", &|files| edit(files, "checkpoint", &|text| text.replacen('\n', "\n1", 1)));
    case("byte of the list", &|files| edit(files, "SHA256SUMS", &|text| text.replacen('a', "b", 1)));
    case("byte of the list's signature", &|files| {
        edit(files, "SHA256SUMS.sig", &|text| text.replacen("AAAA", "AAAB", 1));
    });
    case("list made anew, old signature", &|files| {
        edit(files, "report.html", &|text| text.replace("report", "repast"));
        let signature = files["SHA256SUMS.sig"].clone();
        resign(files);
        files.insert("SHA256SUMS.sig".into(), signature);
    });

    // The desk's key: the list is made anew.
    let mut with_device = |name: &'static str, change: &dyn Fn(&mut FileTree)| {
        case(name, &|files| {
            change(files);
            resign(files);
        });
    };
    with_device("verdict of an entry", &|files| {
        edit(files, &leaf(carol), &|text| text.replacen("\"go\"", "\"no-go\"", 1))
    });
    with_device("signature of another entry", &|files| {
        let armor = Entry::parse(leaves[dora].clone()).unwrap().armor().to_owned();
        let line = Entry::parse(leaves[carol].clone()).unwrap().payload_line().to_owned();
        files.insert(leaf(carol), format!("{line}\n{armor}").into_bytes());
    });
    with_device("last entry left out", &|files| drop(files.remove(&leaf(last))));
    with_device("entry left out", &|files| drop(files.remove(&leaf(17))));
    with_device("entry added far away", &|files| drop(files.insert(leaf(99_999_999), leaves[3].clone())));
    with_device("evidence left out", &|files| {
        assert!(files.remove(&format!("evidence/sha256/{}", Digest::of(golden::JUNIT))).is_some());
    });
    with_device("evidence changed", &|files| {
        let name = format!("evidence/sha256/{}", Digest::of(golden::JUNIT));
        edit(files, &name, &|text| text.replace("pumps", "pomps"));
    });
    with_device("evidence that nobody names", &|files| {
        files.insert(format!("evidence/sha256/{}", Digest::of(b"stray")), b"stray".to_vec());
    });
    with_device("a file too many", &|files| drop(files.insert("report.docx".into(), b"x".to_vec())));
    with_device("no README", &|files| drop(files.remove("README.txt")));
    with_device("no checkpoint", &|files| drop(files.remove("checkpoint")));
    with_device("checkpoint over another root", &|files| {
        let other = golden::checkpoint(&leaves[1..]);
        files.insert("checkpoint".into(), other.into_bytes());
    });
    with_device("checkpoint over fewer entries", &|files| {
        files.insert("checkpoint".into(), golden::checkpoint(&leaves[..last]).into_bytes());
    });
    with_device("checkpoint by another log", &|files| {
        let Head { size, root } = golden::head(leaves);
        let checkpoint = Checkpoint { origin: KeyName::new(ORIGIN).unwrap(), size, root };
        files.insert("checkpoint".into(), checkpoint.sign(&key("mallory")).into_bytes());
    });
    with_device("checkpoint and policy by another log", &|files| {
        let Head { size, root } = golden::head(leaves);
        let origin = KeyName::new(ORIGIN).unwrap();
        let checkpoint = Checkpoint { origin: origin.clone(), size, root };
        files.insert("checkpoint".into(), checkpoint.sign(&key("mallory")).into_bytes());
        let verifier = VerifierKey::new(origin, Algorithm::Ed25519, PublicKey::of(&key("mallory")));
        files.insert("policy".into(), format!("log {verifier}\nquorum none\n").into_bytes());
    });
    with_device("checkpoint of another origin", &|files| {
        let Head { size, root } = golden::head(leaves);
        let checkpoint = Checkpoint { origin: KeyName::new("countersign.example/other").unwrap(), size, root };
        files.insert("checkpoint".into(), checkpoint.sign(&key("log of desk 1")).into_bytes());
    });
    with_device("checkpoint with its signature changed", &|files| {
        edit(files, "checkpoint", &|text| {
            let (before, line) = text.rsplit_once(' ').unwrap();
            let mut bytes = Base64::decode_vec(line.trim_end()).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            format!("{before} {}\n", Base64::encode_string(&bytes))
        });
    });
    with_device("policy with a log key more", &|files| {
        let origin = KeyName::new(ORIGIN).unwrap();
        let verifier = VerifierKey::new(origin, Algorithm::Ed25519, PublicKey::of(&key("mallory")));
        edit(files, "policy", &|text| format!("log {verifier}\n{text}"));
    });
    with_device("signer left out", &|files| {
        edit(files, "allowed_signers", &|text| text.lines().skip(1).map(|line| format!("{line}\n")).collect());
    });
    with_device("signer added", &|files| {
        let mallory = PublicKey::of(&key("mallory"));
        edit(files, "allowed_signers", &|text| {
            format!(
                "{text}mallory@acme.example namespaces=\"countersign-approval@v1\",valid-after=\"20260101000000Z\" {mallory}\n"
            )
        });
    });
    with_device("signer for everybody", &|files| {
        edit(files, "allowed_signers", &|text| text.replacen("carol@acme.example", "*", 1));
    });
    with_device("signer for longer", &|files| {
        edit(files, "allowed_signers", &|text| text.replace(",valid-before=\"20271122", ",valid-before=\"20371122"))
    });
    with_device("device that may approve", &|files| {
        edit(files, "allowed_signers", &|text| {
            text.replacen("\"countersign-evidence@v1", "\"countersign-approval@v1,countersign-evidence@v1", 1)
        });
    });
    with_device("plain signers changed", &|files| {
        edit(files, "allowed_signers.plain", &|text| text.replacen("carol", "karol", 1))
    });
    with_device("somebody revoked", &|files| {
        files.insert("revoked".into(), format!("{}\n", PublicKey::of(&key(carols))).into_bytes());
    });
    with_device("proof for one entry", &|files| drop(files.insert("proofs/00000000.tlog-proof".into(), b"x".to_vec())));

    // The list itself.
    let mut listed = |name: &'static str, change: &dyn Fn(&mut FileTree)| {
        let mut files = good.clone();
        change(&mut files);
        cases.push(Case { name, files });
    };
    listed("list by a person", &|files| sign_sums(files, &key(carols), "countersign-export@v1"));
    listed("list by nobody known", &|files| sign_sums(files, &key("mallory"), "countersign-export@v1"));
    listed("list for another act", &|files| sign_sums(files, &key(DESK), "countersign-evidence@v1"));
    listed("list with a file too many", &|files| {
        let list = [&files["SHA256SUMS"][..], format!("{}  gone\n", Digest::of(b"")).as_bytes()].concat();
        files.insert("SHA256SUMS.sig".into(), sign(&key(DESK), "countersign-export@v1", &list).into_bytes());
        files.insert("SHA256SUMS".into(), list);
    });
    listed("list with a file too few", &|files| {
        let list: String = String::from_utf8(files["SHA256SUMS"].clone()).unwrap();
        let list: String =
            list.lines().filter(|line| !line.ends_with("report.html")).map(|line| format!("{line}\n")).collect();
        files.insert("SHA256SUMS.sig".into(), sign(&key(DESK), "countersign-export@v1", list.as_bytes()).into_bytes());
        files.insert("SHA256SUMS".into(), list.into_bytes());
    });

    // The log's key and the desk's: a new tree over other entries.
    let mut with_log = |name: &'static str, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut files = good.clone();
        rebuilt(&mut files, change);
        cases.push(Case { name, files });
    };
    with_log("entry deleted, new tree", &|leaves| drop(leaves.remove(17)));
    with_log("entries swapped, new tree", &|leaves| leaves.swap(16, 17));
    with_log("entry again, new tree", &|leaves| leaves.push(leaves[carol].clone()));
    with_log("entry by nobody, new tree", &|leaves| leaves[dora] = signed(dora, "mallory", &|_| {}));
    with_log("entry changed, new tree", &|leaves| {
        let text = String::from_utf8(leaves[dora].clone()).unwrap();
        leaves[dora] = text.replacen("no open finding", "no open issues!", 1).into_bytes();
    });
    with_log("noise for an entry, new tree", &|leaves| leaves.push(b"noise\n".to_vec()));
    with_log("armor in other lines, new tree", &|leaves| leaves[dora] = rewrapped(&leaves[dora]));
    with_log("signature raised by the order, new tree", &|leaves| leaves[dora] = malleated(&leaves[dora]));
    with_log("line end too many, new tree", &|leaves| leaves[dora].push(b'\n'));
    with_log("carriage returns, new tree", &|leaves| {
        leaves[dora] = String::from_utf8(leaves[dora].clone()).unwrap().replace('\n', "\r\n").into_bytes();
    });

    // A person's own key, too: what they sign is still judged.
    with_log("Dora's GO signed by Carol", &|leaves| leaves[dora] = signed(dora, carols, &|_| {}));
    with_log("a worker's GO in Dora's name", &|leaves| leaves[dora] = signed(dora, DISPATCHER, &|_| {}));
    let doras = "dora@acme.example";
    with_log("GO in a role she does not hold", &|leaves| {
        leaves[dora] = signed(dora, doras, &|payload| payload["predicate"]["role"] = json!("qa"));
    });
    with_log("GO after another history", &|leaves| {
        let other = json!(Digest::of(b"another history").to_base64());
        leaves[dora] = signed(dora, doras, &|payload| payload["predicate"]["seen"]["root"] = other.clone());
    });
    with_log("GO that saw the future", &|leaves| {
        leaves[dora] = signed(dora, doras, &|payload| payload["predicate"]["seen"]["size"] = json!(leaves.len() + 5));
    });
    with_log("GO for another build", &|leaves| {
        let other = json!(Digest::of(b"another build"));
        leaves[dora] = signed(dora, doras, &|payload| payload["subject"][0]["digest"]["sha256"] = other.clone());
    });
    with_log("GO under another name", &|leaves| {
        leaves[dora] = signed(dora, doras, &|payload| payload["predicate"]["signer"]["name"] = json!("Alice Moreau"));
    });
    with_log("GO ten years on", &|leaves| {
        leaves[dora] = signed(dora, doras, &|payload| payload["predicate"]["time"] = json!("2036-11-22T10:00:00Z"));
    });
    with_log("GO on another ledger", &|leaves| {
        leaves[dora] = signed(dora, doras, &|payload| payload["predicate"]["seen"]["origin"] = json!("other"));
    });
    with_log("GO that is not canonical", &|leaves| {
        let line =
            Entry::parse(leaves[dora].clone()).unwrap().payload_line().replacen("{\"_type\":", "{\"_type\": ", 1)
                + "\n";
        let armor = sign(&key(doras), "countersign-approval@v1", line.as_bytes());
        leaves[dora] = format!("{line}{armor}").into_bytes();
    });
    with_log("a second founding", &|leaves| {
        let mut genesis = Entry::parse(leaves[0].clone()).unwrap().payload().clone();
        genesis["predicate"]["nonce"] = json!("00000000deadbeef");
        leaves.push(Entry::sign(&genesis, "genesis", &key("alice@acme.example")).unwrap().into_leaf());
    });
    with_log("a friend brought in by one who may not", &|leaves| {
        let head = golden::head(leaves);
        leaves.push(signed(1, carols, &|payload| {
            let predicate = &mut payload["predicate"];
            predicate["nonce"] = json!("00000000deadbeef");
            predicate["seen"] = json!({"origin": ORIGIN, "root": head.root.to_base64(), "size": head.size});
            predicate["signer"] = json!({"name": "Carol Ångström", "principal": carols});
            predicate["time"] = json!("2026-11-22T11:00:00Z");
            predicate["person"]["principal"] = json!("mallory@acme.example");
            predicate["person"]["key"] = json!(PublicKey::of(&key("mallory")));
        }));
    });
    cases
}

#[test]
fn no_tool_refuses_what_we_take_and_we_take_nothing_altered() {
    if !tools() {
        return;
    }
    let golden = golden::decided();
    let good = unpacked(&packed(&golden, None));
    let fingerprint = golden.fingerprint();
    let temporary = tempfile::tempdir().unwrap();
    let opinions = |place: usize, files: &FileTree| -> (Verdict, i32, bool, String) {
        let dir: PathBuf = temporary.path().join(format!("case-{place}"));
        write_tree(&dir, files);
        let (exit, printed) = verify_sh(&dir, Some(&fingerprint));
        let ours = judge(&zipped(files), &known(&golden));
        let by_hand = auditor::check(&dir, &fingerprint.to_string()).is_empty();
        fs::remove_dir_all(&dir).unwrap();
        (ours.verdict, exit, by_hand, format!("{:?}\n{printed}", ours.findings))
    };
    let (ours, exit, hand, told) = opinions(0, &good);
    assert_eq!((ours, exit, hand), (Verdict::Valid, 0, true), "the good one: {told}");

    let cases = altered(&golden, &good);
    assert!(cases.len() >= 40, "{}", cases.len());
    let passed_by_tools = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (cases, opinions, passed_by_tools) = (&cases, &opinions, &passed_by_tools);
            scope.spawn(move || {
                for (place, case) in cases.iter().enumerate().filter(|(place, _)| place % 2 == half) {
                    let (ours, exit, hand, told) = opinions(place + 1, &case.files);
                    assert_ne!(ours, Verdict::Valid, "{}: {told}", case.name);
                    assert!([0, 1, 4].contains(&exit), "{}: {exit} {told}", case.name);
                    if exit == 0 || hand {
                        let which = [(exit == 0).then_some("verify.sh"), hand.then_some("by hand")];
                        let which: Vec<_> = which.into_iter().flatten().collect();
                        passed_by_tools.lock().unwrap().push(format!("{} ({})", case.name, which.join(", ")));
                    }
                }
            });
        }
    });
    let mut passed = passed_by_tools.into_inner().unwrap();
    passed.sort();
    println!("{} altered bundles, ours takes none; taken by a tool: {}", cases.len(), passed.len());
    passed.iter().for_each(|name| println!("  {name}"));
    let by_script: Vec<_> = passed.iter().filter(|name| name.contains("verify.sh")).collect();
    // Roles, subjects, names, the grammar of entries and the plain signers are ours to judge; the script says so.
    assert!(by_script.len() <= 12, "{by_script:#?}");
}

#[test]
fn the_script_names_what_is_altered_and_tells_the_verdicts_apart() {
    if !tools() {
        return;
    }
    let golden = golden::decided();
    let good = unpacked(&packed(&golden, None));
    let fingerprint = golden.fingerprint();
    let check = |what: &str, fingerprint: Option<&Digest>, exit: i32, says: &[&str], change: &dyn Fn(&mut FileTree)| {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().join("copy");
        let mut files = good.clone();
        change(&mut files);
        write_tree(&dir, &files);
        let (found, printed) = verify_sh(&dir, fingerprint);
        assert_eq!(found, exit, "{what}: {printed}");
        for says in says {
            assert!(printed.contains(says), "{what}: {says}: {printed}");
        }
    };
    let fingerprint = Some(&fingerprint);
    check("good", fingerprint, 0, &["verdict: valid", "not judged"], &|_| {});
    check("no fingerprint", None, 1, &["verdict: incomplete", "fingerprint"], &|_| {});
    let other = Digest::of(b"another");
    check("another ledger", Some(&other), 4, &["entry 0 (leaves/00000000.leaf) is of another ledger"], &|_| {});
    let junit = format!("evidence/sha256/{}", Digest::of(golden::JUNIT));
    check("evidence missing", fingerprint, 1, &["verdict: incomplete", "entry 17"], &|files| {
        files.remove(&junit);
        resign(files);
    });
    check("evidence changed", fingerprint, 4, &[&junit], &|files| files.get_mut(&junit).unwrap().push(b'x'));
    check("entry changed", fingerprint, 4, &["leaves/00000012.leaf is not the file", "entry 12 "], &|files| {
        files.get_mut("leaves/00000012.leaf").unwrap()[300] ^= 1;
    });
    check("entry missing", fingerprint, 4, &["entry 12 (leaves/00000012.leaf) is missing"], &|files| {
        files.remove("leaves/00000012.leaf");
    });
    check("report changed", fingerprint, 4, &["report.html is not the file"], &|files| {
        files.get_mut("report.html").unwrap().push(b' ');
    });
    check("no list", fingerprint, 4, &["SHA256SUMS is missing"], &|files| drop(files.remove("SHA256SUMS")));

    let release = unpacked(&packed(&golden, Some(RELEASE)));
    let alone = |files: &mut FileTree| *files = release.clone();
    check("one release", fingerprint, 1, &["never that there is no NO-GO"], &alone);
    check("proof changed", fingerprint, 4, &["entry 17 (proofs/00000017.tlog-proof) does not lead"], &|files| {
        alone(files);
        let text = String::from_utf8(files["proofs/00000017.tlog-proof"].clone()).unwrap();
        let mut lines: Vec<_> = text.split('\n').collect();
        lines.swap(2, 3);
        files.insert("proofs/00000017.tlog-proof".into(), lines.join("\n").into_bytes());
        resign(files);
    });
    check("proof missing", fingerprint, 4, &["entry 17 (proofs/00000017.tlog-proof) has no proof"], &|files| {
        alone(files);
        files.remove("proofs/00000017.tlog-proof");
        resign(files);
    });
}

/// The script promises to need these and nothing else.
#[cfg(unix)]
#[test]
fn the_script_needs_no_tool_it_does_not_name() {
    if !tools() {
        return;
    }
    let golden = golden::decided();
    let temporary = tempfile::tempdir().unwrap();
    let (bin, dir) = (temporary.path().join("bin"), temporary.path().join("copy"));
    fs::create_dir(&bin).unwrap();
    let named = "bash cat comm head mkdir mktemp od rm sort tail wc sha256sum ssh-keygen openssl";
    for tool in named.split(' ') {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap().stdout;
        let found = String::from_utf8(found).unwrap();
        std::os::unix::fs::symlink(found.trim(), bin.join(tool)).unwrap();
    }
    for release in [None, Some(RELEASE)] {
        write_tree(&dir, &unpacked(&packed(&golden, release)));
        let script = temporary.path().join("verify.sh");
        fs::write(&script, VERIFY_SH).unwrap();
        let mut command = Command::new(bin.join("bash"));
        command.arg(&script).args(["--fingerprint", &golden.fingerprint().to_string()]).arg(&dir).env_clear();
        let output = command.env("PATH", &bin).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(i32::from(release.is_some())), "{printed}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{printed}");
        fs::remove_dir_all(&dir).unwrap();
    }
}
