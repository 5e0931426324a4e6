//! Bundles, and the verification of a ledger they rest on: what is altered is found, whoever alters it.
#![allow(clippy::print_stdout, reason = "figures are for whoever asks with --nocapture")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use countersign_core::act::{ACTS, Evidence, EvidenceOrigin};
use countersign_core::bundle::zip::{self, File, ZipError};
use countersign_core::bundle::{BundleError, Content, Files, Report, judge, pack};
use countersign_core::checkpoint::{Checkpoint, cosign};
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::merkle::{Head, Tree, leaf_hash};
use countersign_core::note::KeyName;
use countersign_core::proof::Proof;
use countersign_core::sshsig::sign;
use countersign_core::verify::{Anchor, Availability, Options, Verdict, Verification, verify};
use countersign_core::words::ReleaseId;
use ed25519_dalek::SigningKey;
use serde_json::json;

use crate::golden::{self, DESK, Golden, ORIGIN, RELEASE, key, parse};

pub(crate) type FileTree = BTreeMap<String, Vec<u8>>;

/// Packs what the ledger holds, with a report.
pub(crate) fn packed(golden: &Golden, release: Option<&str>) -> Vec<u8> {
    let release: Option<ReleaseId> = release.map(parse);
    let blobs = golden.blobs.clone();
    let content = Content {
        leaves: golden.leaves.clone(),
        checkpoint: &golden.checkpoint(),
        release: release.as_ref(),
        blob: &mut |digest| blobs.get(digest).cloned(),
        reports: vec![(Report::Html, b"<p>A report.</p>\n".to_vec()), (Report::Json, b"{}\n".to_vec())],
    };
    pack(content, &golden.key_of(DESK)).unwrap()
}

pub(crate) fn known(golden: &Golden) -> Anchor {
    Anchor { fingerprint: Some(golden.fingerprint()), pin: None }
}

/// The files of a bundle, to be altered.
pub(crate) fn unpacked(bytes: &[u8]) -> FileTree {
    Files::read(bytes).unwrap().iter().map(|(name, data)| (name.to_owned(), data.to_vec())).collect()
}

pub(crate) fn zipped(files: &FileTree) -> Vec<u8> {
    let files: Vec<_> = files.iter().map(|(name, data)| File { name, data }).collect();
    zip::write(&files).unwrap()
}

/// Lists the digests anew, as anybody can, and signs the list, as whoever has the key can.
pub(crate) fn sign_sums(files: &mut FileTree, key: &SigningKey, namespace: &str) {
    let listed = files.iter().filter(|(name, _)| !name.starts_with("SHA256SUMS"));
    let list: String = listed.map(|(name, data)| format!("{}  {name}\n", Digest::of(data))).collect();
    files.insert("SHA256SUMS.sig".to_owned(), sign(key, namespace, list.as_bytes()).into_bytes());
    files.insert("SHA256SUMS".to_owned(), list.into_bytes());
}

pub(crate) fn resign(files: &mut FileTree) {
    sign_sums(files, &key(DESK), "countersign-export@v1");
}

fn codes(verification: &Verification) -> Vec<(Option<u64>, &'static str)> {
    verification.findings.iter().map(|finding| (finding.index, finding.code.as_str())).collect()
}

fn verified(leaves: &[Vec<u8>], anchor: Anchor, checkpoint: Option<&str>) -> Verification {
    let blobs = |_: &Digest| Availability::Present;
    verify(leaves.to_vec(), &Options { anchor, checkpoint, blobs: &blobs })
}

#[test]
fn a_whole_copy_is_as_good_as_the_ledger_for_whoever_knows_its_fingerprint() {
    let golden = golden::ledger();
    let bytes = packed(&golden, None);
    assert_eq!(bytes, packed(&golden, None), "equal content gives equal bytes");
    let Head { size, root } = golden.state.head();
    let check = |anchor: Anchor, verdict: Verdict, expected: &[(Option<u64>, &str)]| {
        for verification in [judge(&bytes, &anchor), verified(&golden.leaves, anchor, Some(&golden.checkpoint()))] {
            assert_eq!((verification.verdict, codes(&verification).as_slice()), (verdict, expected), "{anchor:?}");
            assert_eq!((verification.tree_size, verification.root), (size, root));
            assert_eq!(verification.state.releases.len(), 2);
        }
    };
    let fingerprint = Some(golden.fingerprint());
    let pin = |size| Some(Head { size, root: golden.state.tree.root_at(size).unwrap() });
    check(known(&golden), Verdict::Valid, &[]);
    check(Anchor { fingerprint: None, pin: pin(40) }, Verdict::Valid, &[]);
    check(Anchor { fingerprint, pin: pin(size) }, Verdict::Valid, &[]);
    check(Anchor::default(), Verdict::Incomplete, &[(None, "unanchored")]);
    check(Anchor { fingerprint: None, pin: pin(0) }, Verdict::Incomplete, &[(None, "unanchored")]);
    let other = Some(Digest::of(b"another ledger"));
    check(Anchor { fingerprint: other, pin: None }, Verdict::Invalid, &[(Some(0), "fingerprint")]);
    let rewritten = Some(Head { size: 40, root: Digest::of(b"another history") });
    check(Anchor { fingerprint, pin: rewritten }, Verdict::Invalid, &[(None, "history_rewritten")]);
    let cut = Some(Head { size: size + 1, root });
    check(Anchor { fingerprint, pin: cut }, Verdict::Invalid, &[(Some(size), "entries_cut_off")]);
}

#[test]
fn a_copy_of_one_release_shows_its_entries_and_claims_no_more() {
    let golden = golden::ledger();
    for (release, other, left_out) in [(RELEASE, "pump-fw-4.2.1", 13), ("pump-fw-4.2.1", RELEASE, 27)] {
        let bytes = packed(&golden, Some(release));
        let files = unpacked(&bytes);
        let proven = files.keys().filter_map(|name| name.strip_prefix("proofs/")?.strip_suffix(".tlog-proof"));
        let copied = files.keys().filter_map(|name| name.strip_prefix("leaves/")?.strip_suffix(".leaf"));
        let copied: Vec<usize> = copied.map(parse).collect();
        assert_eq!(proven.map(parse::<usize>).collect::<Vec<_>>(), copied);
        // Only what names the other release stays behind, and what answers that.
        let mut foreign = BTreeSet::new();
        for leaf in &golden.leaves {
            let entry = Entry::parse(leaf.clone()).unwrap();
            let said = &entry.payload()["predicate"];
            let answers = said["request"]["leaf"].as_str().is_some_and(|leaf| foreign.contains(leaf));
            if said["release"] == other || answers {
                foreign.insert(entry.leaf_hash().to_string());
            }
        }
        assert_eq!(foreign.len(), left_out, "{release}");
        let stays = |index: &usize| !foreign.contains(&leaf_hash(&golden.leaves[*index]).to_string());
        assert_eq!(copied, (0..golden.leaves.len()).filter(stays).collect::<Vec<_>>(), "{release}");
        let verification = judge(&bytes, &known(&golden));
        assert_eq!(codes(&verification), [(None, "one_release_only")]);
        assert_eq!(verification.verdict, Verdict::Incomplete);
        assert!(verification.findings[0].message.contains("never that there is no NO-GO"));
        assert_eq!((verification.tree_size, verification.root), (golden.leaves.len() as u64, golden.state.tree.root()));
        assert_eq!(codes(&judge(&bytes, &Anchor::default()))[0], (None, "unanchored"));
    }
}

#[test]
fn the_answer_for_programs_has_one_shape() {
    let golden = golden::founded();
    let mut leaves = golden.leaves.clone();
    leaves[3][40] ^= 1;
    let verification = verified(&leaves[..4], Anchor::default(), None);
    let root = golden::head(&leaves[..4]).root.to_base64();
    let malformed = &verification.findings[1].message;
    let expected = json!({
        "verdict": "invalid",
        "tree_size": 4,
        "root": root,
        "findings": [
            {"index": null, "code": "unanchored", "message": verification.findings[0].message},
            {"index": 3, "code": "malformed", "message": malformed},
        ],
    });
    assert_eq!(serde_json::to_value(&verification).unwrap(), expected);
    let text = serde_json::to_string(&verification).unwrap();
    assert!(text.starts_with(r#"{"verdict":"invalid","tree_size":4,"root":""#), "{text}");
    let none = verified(&[], Anchor::default(), None);
    assert_eq!(codes(&none), [(None, "unanchored"), (None, "empty")]);
    assert_eq!(none.verdict, Verdict::Invalid);
}

#[test]
fn a_file_that_an_entry_names_is_there_or_missed() {
    let golden = golden::ledger();
    let whole = packed(&golden, None);
    let reads = Digest::of(golden::JUNIT);
    let evidence = |leaf: &Vec<u8>| Entry::parse(leaf.clone()).unwrap().act() == "evidence";
    let named_by = golden.leaves.iter().position(evidence).map(|index| index as u64);
    let check = |availability: Availability, verdict: Verdict, code: &str| {
        let blobs = |digest: &Digest| if *digest == reads { availability } else { Availability::Present };
        let options = Options { anchor: known(&golden), checkpoint: None, blobs: &blobs };
        let verification = verify(golden.leaves.clone(), &options);
        assert_eq!(verification.verdict, verdict, "{code}");
        let first = verification.findings.first().map(|finding| (finding.index, finding.code.as_str()));
        assert_eq!(first, (verdict != Verdict::Valid).then_some((named_by, code)));
    };
    check(Availability::Present, Verdict::Valid, "");
    check(Availability::Missing, Verdict::Incomplete, "blob_missing");
    check(Availability::Removed, Verdict::Incomplete, "blob_removed");
    check(Availability::Corrupt, Verdict::Invalid, "blob_corrupt");

    // In a bundle: each file in turn is left out, changed or put in another's place.
    let files = unpacked(&whole);
    let names: Vec<_> = files.keys().filter(|name| name.starts_with("evidence/")).cloned().collect();
    let judged = |change: &dyn Fn(&mut FileTree)| {
        let mut files = files.clone();
        change(&mut files);
        resign(&mut files);
        judge(&zipped(&files), &known(&golden))
    };
    let manifests: Vec<Digest> =
        golden.state.releases.values().map(|release| release.sheets[0].body.evidence.digest).collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in &names {
        let left_out = judged(&|files| drop(files.remove(name)));
        // A manifest follows from the entries and is not missed.
        let derived = manifests.iter().any(|digest| name.ends_with(&digest.to_string()));
        let expected = if derived { Verdict::Valid } else { Verdict::Incomplete };
        assert_eq!(left_out.verdict, expected, "{name}: {:?}", left_out.findings);
        assert!(derived || left_out.findings[0].code.as_str() == "blob_missing");
        let changed = judged(&|files| files.get_mut(name).unwrap().push(b'x'));
        assert_eq!(changed.verdict, Verdict::Invalid, "{name}");
        assert_eq!(changed.findings[0].code.as_str(), "blob_corrupt", "{name}");
    }
    let stray = Digest::of(b"stray");
    let added = judged(&|files| drop(files.insert(format!("evidence/sha256/{stray}"), b"stray".to_vec())));
    assert_eq!(codes(&added), [(None, "layout")]);
    let raw = golden.state.releases[&parse::<ReleaseId>(RELEASE)].evidence[0].body.origin.clone();
    let EvidenceOrigin::Observed { raw_sha256, .. } = raw else { panic!("it was observed") };
    assert!(!names.iter().any(|name| name.ends_with(&raw_sha256.to_string())), "a raw reply need not be kept");
}

/// Named first as a reply that need not be kept, and then as evidence, a file is needed.
#[test]
fn a_file_is_needed_as_soon_as_one_entry_needs_it() {
    let mut golden = golden::decided();
    let release: ReleaseId = parse(RELEASE);
    let known = golden.state.releases[&release].evidence[0].body.clone();
    let EvidenceOrigin::Observed { connector, raw_sha256, run } = known.origin.clone() else { panic!("observed") };
    let missing = |golden: &Golden| {
        let blobs = |digest: &Digest| if *digest == raw_sha256 { Availability::Missing } else { Availability::Present };
        let anchor = self::known(golden);
        let verification = verify(golden.leaves.clone(), &Options { anchor, checkpoint: None, blobs: &blobs });
        (verification.verdict, verification.findings.first().and_then(|finding| finding.index))
    };
    assert_eq!(missing(&golden), (Verdict::Valid, None));
    let origin = EvidenceOrigin::Observed { connector, raw_sha256: Digest::of(b"another reply"), run };
    let entry = golden.act(DESK, Evidence { digest: raw_sha256, origin, ..known });
    assert_eq!(missing(&golden), (Verdict::Incomplete, Some(entry.index)));
}

#[test]
fn a_bundle_is_made_only_of_what_fits_together() {
    let golden = golden::founded();
    let check = |leaves: &[Vec<u8>], checkpoint: &str, release: Option<&str>, reports: usize, key: &SigningKey| {
        let release: Option<ReleaseId> = release.map(parse);
        let content = Content {
            leaves: leaves.to_vec(),
            checkpoint,
            release: release.as_ref(),
            blob: &mut |_| None,
            reports: vec![(Report::Pdf, b"%PDF".to_vec()); reports],
        };
        pack(content, key).map(|_| ())
    };
    let (leaves, checkpoint, desk) = (&golden.leaves, golden.checkpoint(), key(DESK));
    assert_eq!(check(leaves, &checkpoint, None, 1, &desk), Ok(()));
    assert_eq!(check(leaves, &checkpoint, None, 2, &desk), Err(BundleError::ReportTwice(Report::Pdf)));
    assert_eq!(check(leaves, &checkpoint, None, 0, &key("mallory")), Err(BundleError::NotADevice));
    let no_release = BundleError::NoRelease(parse("pump-fw-9"));
    assert_eq!(check(leaves, &checkpoint, Some("pump-fw-9"), 0, &desk), Err(no_release));
    for (leaves, checkpoint) in [(&leaves[1..], &checkpoint), (&leaves[..5], &checkpoint), (leaves, &String::new())] {
        assert!(matches!(check(leaves, checkpoint, None, 0, &desk), Err(BundleError::Checkpoint(_))));
    }
}

/// Somebody without any key: one bit of every byte of the container.
#[test]
fn one_flipped_bit_of_a_bundle_is_never_called_valid() {
    let golden = golden::founded();
    let bytes = packed(&golden, None);
    assert_eq!(judge(&bytes, &known(&golden)).verdict, Verdict::Valid);
    // Where the data of each file lie: a header of 30 bytes and its name stand before.
    let mut end = 0;
    let mut places = Vec::new();
    for (name, data) in unpacked(&bytes) {
        let start = end + 30 + name.len();
        end = start + data.len();
        places.push((start..end, name));
    }
    let flip = |first: usize| {
        for at in (first..bytes.len()).step_by(2) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let verification = judge(&flipped, &known(&golden));
            assert_eq!(verification.verdict, Verdict::Invalid, "byte {at}");
            let finding = &verification.findings[0];
            assert_eq!(finding.code.as_str(), "container");
            if let Some((_, name)) = places.iter().find(|(place, _)| place.contains(&at)) {
                assert_eq!(finding.message, format!("{name} is damaged"));
                let index = name.strip_prefix("leaves/").and_then(|name| name.strip_suffix(".leaf"));
                assert_eq!(finding.index, index.and_then(|index| index.parse().ok()));
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| flip(0));
        flip(1);
    });
    println!("{} bytes, one bit of each flipped", bytes.len());
}

/// Somebody with the desk's device key, who lists and signs the digests anew: what follows from the entries still has
/// to follow.
#[test]
fn one_flipped_bit_of_a_file_is_found_behind_a_new_list() {
    let golden = golden::ledger();
    let mut flips = 0;
    for (release, verdict) in [(None, Verdict::Valid), (Some(RELEASE), Verdict::Incomplete)] {
        let bytes = packed(&golden, release);
        assert_eq!(judge(&bytes, &known(&golden)).verdict, verdict);
        let files = unpacked(&bytes);
        for (name, data) in &files {
            // Nothing but the signature of the list vouches for these.
            let vouched = name.starts_with("report.") || matches!(name.as_str(), "README.txt" | "verify.sh");
            let stride = if vouched || name.starts_with("SHA256SUMS") { continue } else { data.len() / 5 + 1 };
            for at in (0..data.len()).step_by(stride) {
                let mut files = files.clone();
                files.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
                resign(&mut files);
                let verification = judge(&zipped(&files), &known(&golden));
                assert_eq!(verification.verdict, Verdict::Invalid, "{name} at {at}");
                if let Some(index) = name.strip_prefix("leaves/").and_then(|name| name.strip_suffix(".leaf")) {
                    assert_eq!(verification.first_bad(), index.parse().ok(), "{name}: {:?}", codes(&verification));
                }
                flips += 1;
            }
        }
    }
    println!("{flips} flips behind a new list");
}

/// An entry that the log's keeper makes up: genuinely signed, by a key of nobody.
fn forged(golden: &Golden, after: &[Vec<u8>]) -> Vec<u8> {
    let mut payload = Entry::parse(golden.leaves[2].clone()).unwrap().payload().clone();
    let Head { size, root } = golden::head(after);
    payload["predicate"]["seen"] = json!({"origin": ORIGIN, "root": root.to_base64(), "size": size});
    payload["predicate"]["nonce"] = json!("00000000deadbeef");
    Entry::sign(&payload, "enrol-accept", &key("mallory")).unwrap().into_leaf()
}

/// Whoever keeps the log has its key and the database, and nobody else's key: they alter the entries and compute anew
/// whatever nobody signed.
#[test]
fn the_keeper_of_the_log_cannot_alter_it_unseen() {
    const ENTRIES: usize = 50;
    let mut golden = golden::ledger();
    golden.leaves.truncate(ENTRIES);
    let last_human = golden.human[..ENTRIES].iter().rposition(|human| *human).unwrap();
    let pin = Some(golden::head(&golden.leaves));
    let fingerprint = Some(golden.fingerprint());
    let (mut altered, mut cut) = (0, 0);
    for k in 0..ENTRIES {
        let mut cases: Vec<(&str, Vec<Vec<u8>>, usize)> = Vec::new();
        let mut case = |name: &'static str, first_bad: usize, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut leaves = golden.leaves.clone();
            change(&mut leaves);
            cases.push((name, leaves, first_bad));
        };
        case("edit", k, &|leaves| {
            let text = String::from_utf8(leaves[k].clone()).unwrap();
            leaves[k] = text.replacen("2026-11-22T", "2026-11-23T", 1).into_bytes();
        });
        case("edit the signature", k, &|leaves| {
            let at = leaves[k].len() - 60;
            leaves[k][at] ^= 1;
        });
        case("insert what nobody signed", k, &|leaves| leaves.insert(k, forged(&golden, &leaves[..k])));
        case("insert noise", k, &|leaves| leaves.insert(k, b"noise\n".to_vec()));
        if k > 0 {
            case("insert an entry again", k, &|leaves| leaves.insert(k, leaves[k - 1].clone()));
        }
        if k + 1 < ENTRIES {
            case("delete", k, &|leaves| drop(leaves.remove(k)));
            case("swap", k, &|leaves| leaves.swap(k, k + 1));
        }
        for (name, leaves, first_bad) in cases {
            let checkpoint = golden::checkpoint(&leaves);
            for anchor in [Anchor { fingerprint, pin }, Anchor { fingerprint, pin: None }, Anchor::default()] {
                let verification = verified(&leaves, anchor, Some(&checkpoint));
                assert_eq!(verification.verdict, Verdict::Invalid, "{name} {k}");
                assert_eq!(verification.first_bad(), Some(first_bad as u64), "{name} {k}: {:?}", codes(&verification));
            }
            altered += 1;
        }
        // What is cut off behind leaves no trace in what is left: only a head seen earlier tells.
        let leaves = &golden.leaves[..k];
        let checkpoint = golden::checkpoint(leaves);
        let with_pin = verified(leaves, Anchor { fingerprint, pin }, (k > 0).then_some(checkpoint.as_str()));
        assert_eq!(with_pin.verdict, Verdict::Invalid, "cut {k}");
        assert!(codes(&with_pin).contains(&(Some(k as u64), "entries_cut_off")));
        assert!(k == 0 || with_pin.first_bad() == Some(k as u64));
        let without = verified(leaves, Anchor { fingerprint, pin: None }, (k > 0).then_some(checkpoint.as_str()));
        assert_eq!(without.verdict, if k == 0 { Verdict::Invalid } else { Verdict::Valid });
        cut += 1;
    }
    println!(
        "{altered} altered ledgers and {cut} cut ones of {ENTRIES} entries; the last human signature is at {last_human}"
    );
    assert!(last_human > ENTRIES / 2);
}

/// The log's keeper alters the ledger and hands out a bundle with everything made anew that needs only the log's and
/// the desk's key.
#[test]
fn an_altered_ledger_makes_no_sound_bundle() {
    let golden = golden::ledger();
    let last = golden.leaves.len() - 1;
    for k in (0..last).step_by(9) {
        let mut leaves = golden.leaves.clone();
        leaves.remove(k);
        let mut files = unpacked(&packed(&golden, None));
        files.retain(|name, _| !name.starts_with("leaves/"));
        for (index, leaf) in leaves.iter().enumerate() {
            files.insert(format!("leaves/{index:08}.leaf"), leaf.clone());
        }
        files.insert("checkpoint".to_owned(), golden::checkpoint(&leaves).into_bytes());
        resign(&mut files);
        let verification = judge(&zipped(&files), &known(&golden));
        assert_eq!(verification.verdict, Verdict::Invalid);
        assert_eq!(verification.first_bad(), Some(k as u64), "{:?}", codes(&verification));
    }
}

/// Builds containers of any shape, by the header fields of APPNOTE.
#[derive(Clone)]
struct Hostile {
    name: Vec<u8>,
    data: Vec<u8>,
    /// Offset within the local header, and the bytes put there.
    local: Vec<(usize, Vec<u8>)>,
    central: Vec<(usize, Vec<u8>)>,
    local_extra: Vec<u8>,
    central_extra: Vec<u8>,
    in_directory: bool,
    has_data: bool,
}

fn plain(name: impl AsRef<[u8]>, data: &[u8]) -> Hostile {
    Hostile {
        name: name.as_ref().to_vec(),
        data: data.to_vec(),
        local: Vec::new(),
        central: Vec::new(),
        local_extra: Vec::new(),
        central_extra: Vec::new(),
        in_directory: true,
        has_data: true,
    }
}

/// The checksum of the data, as the writer computes it.
fn checksum(data: &[u8]) -> [u8; 4] {
    zip::write(&[File { name: "a", data }]).unwrap()[14..18].try_into().unwrap()
}

fn container(files: &[Hostile]) -> Vec<u8> {
    let (mut bytes, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u16);
    for file in files {
        let offset = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let size = u32::try_from(file.data.len()).unwrap().to_le_bytes();
        let name_length = u16::try_from(file.name.len()).unwrap().to_le_bytes();
        let length = |extra: &[u8]| u16::try_from(extra.len()).unwrap().to_le_bytes();
        let shared =
            [&[10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &checksum(&file.data), &size, &size, &name_length].concat();
        let mut local =
            [b"PK\x03\x04", &shared[..], &length(&file.local_extra), &file.name, &file.local_extra].concat();
        let mut central = [
            b"PK\x01\x02\x0a\0",
            &shared[..],
            &length(&file.central_extra),
            &[0; 10],
            &offset,
            &file.name,
            &file.central_extra,
        ]
        .concat();
        for (fields, header) in [(&file.local, &mut local), (&file.central, &mut central)] {
            for (at, field) in fields {
                header[*at..*at + field.len()].copy_from_slice(field);
            }
        }
        if file.has_data {
            bytes.extend([local, file.data.clone()].concat());
        }
        if file.in_directory {
            directory.extend(central);
            count += 1;
        }
    }
    let lengths = [u32::try_from(directory.len()).unwrap(), u32::try_from(bytes.len()).unwrap()].map(u32::to_le_bytes);
    let end =
        [&b"PK\x05\x06\0\0\0\0"[..], &count.to_le_bytes(), &count.to_le_bytes(), &lengths.concat(), &[0, 0]].concat();
    [bytes, directory, end].concat()
}

#[test]
fn a_hostile_container_is_refused_with_a_reason() {
    let good = container(&[plain("a", b"one"), plain("b/c", b"two")]);
    assert_eq!(good, zip::write(&[File { name: "a", data: b"one" }, File { name: "b/c", data: b"two" }]).unwrap());
    assert!(zip::read(&good).is_ok(), "the hostile ones differ from this one in one thing each");

    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    let mut case = |name: &str, bytes: Vec<u8>| cases.push((name.to_owned(), bytes));
    case("nothing", Vec::new());
    case("noise", b"not a container".to_vec());
    case("no file", container(&[]));
    case("cut", good[..good.len() - 1].to_vec());
    case("byte behind", [&good[..], b"\0"].concat());
    case("container behind", [&good[..], &good[..]].concat());
    case("byte before", [b"#", &good[..]].concat());
    let mut comment = good.clone();
    *comment.iter_mut().nth_back(1).unwrap() = 4;
    comment.extend(b"text");
    case("comment", comment);
    for name in [
        "../evil",
        "/etc/passwd",
        "a/../../evil",
        "C:\\evil",
        "a\\b",
        "..",
        ".",
        "",
        "a//b",
        "b/",
        "./a",
        ".hidden",
        "a\0b",
        "a\nb",
        "a\u{202e}b",
        "a b",
        "a:stream",
        "~",
        "con*",
        "%2e%2e/evil",
        "é",
    ] {
        case(&format!("name {name:?}"), container(&[plain(name, b"x")]));
    }
    case("name that is not UTF-8", container(&[plain([0xff, 0xfe], b"x")]));
    case("long name", container(&[plain("a".repeat(zip::NAME_BYTES_MAX + 1), b"x")]));
    case("name twice", container(&[plain("a", b"one"), plain("a", b"two")]));
    case("names that differ in case", container(&[plain("A", b"one"), plain("a", b"two")]));
    case("not sorted", container(&[plain("b", b"one"), plain("a", b"two")]));
    let of = |change: &dyn Fn(&mut Hostile)| {
        let mut file = plain("a", b"one");
        change(&mut file);
        container(&[file])
    };
    case("link", of(&|file| file.central.push((38, 0xa1ff_0000_u32.to_le_bytes().to_vec()))));
    case("folder", of(&|file| file.central.push((38, 0x10_u32.to_le_bytes().to_vec()))));
    case("made by unix", of(&|file| file.central.push((4, vec![10, 3]))));
    for (name, at, field) in [
        ("encrypted", 6, vec![1, 0]),
        ("data descriptor", 6, vec![8, 0]),
        ("flag for UTF-8", 6, vec![0, 8]),
        ("deflated", 8, vec![8, 0]),
        ("another time", 10, vec![1, 0]),
        ("another date", 12, vec![0x22, 0]),
        ("wrong checksum", 14, vec![0, 0, 0, 0]),
        ("compressed size that lies", 18, vec![2, 0, 0, 0]),
        ("size that lies", 22, vec![2, 0, 0, 0]),
        ("size of a bomb", 22, vec![0xff, 0xff, 0xff, 0xff]),
        ("sizes of ZIP64", 18, vec![0xff; 8]),
        ("newer version", 4, vec![45, 0]),
    ] {
        case(&format!("{name} in the header"), of(&|file| file.local.push((at, field.clone()))));
        case(&format!("{name} in the directory"), of(&|file| file.central.push((at + 2, field.clone()))));
        case(
            &format!("{name} in both"),
            of(&|file| {
                file.local.push((at, field.clone()));
                file.central.push((at + 2, field.clone()));
            }),
        );
    }
    let zip64 = [&[1, 0, 16, 0][..], &3_u64.to_le_bytes(), &3_u64.to_le_bytes()].concat();
    case(
        "ZIP64",
        of(&|file| {
            file.local_extra.clone_from(&zip64);
            file.central_extra.clone_from(&zip64);
            file.local.push((18, vec![0xff; 8]));
            file.central.push((20, vec![0xff; 8]));
        }),
    );
    case("extra field in the header", of(&|file| file.local_extra = vec![9, 9, 0, 0]));
    case("extra field in the directory", of(&|file| file.central_extra = vec![9, 9, 0, 0]));
    case("comment of a file", of(&|file| file.central.push((32, vec![1, 0]))));
    case("another disk", of(&|file| file.central.push((34, vec![1, 0]))));
    case("another offset", of(&|file| file.central.push((42, vec![1, 0, 0, 0]))));
    case("another name in the directory", of(&|file| file.central.push((46, b"b".to_vec()))));
    case(
        "file that the directory hides",
        container(&[plain("a", b"one"), Hostile { in_directory: false, ..plain("b", b"two") }]),
    );
    case(
        "file that only the directory has",
        container(&[plain("a", b"one"), Hostile { has_data: false, ..plain("b", b"") }]),
    );
    for (what, at) in
        [("disk", 18), ("files on this disk", 14), ("files", 12), ("directory size", 10), ("directory offset", 6)]
    {
        let mut bytes = good.clone();
        let at = bytes.len() - at;
        bytes[at] ^= 1;
        case(&format!("end: {what}"), bytes);
    }
    let gap = good.iter().position(|byte| *byte == b'o').unwrap() + 3;
    case("gap between files", [&good[..gap], b"\0", &good[gap..]].concat());
    let many = [&good[..], &vec![0; zip::BYTES_MAX]].concat();
    assert_eq!(zip::read(&many), Err(ZipError::TooLarge { bytes: many.len() }));
    drop(many);

    println!("{} hostile containers", cases.len() + 1);
    for (name, bytes) in &cases {
        let verification = judge(bytes, &Anchor::default());
        assert_eq!(verification.verdict, Verdict::Invalid, "{name}");
        assert_eq!(verification.findings[0].code.as_str(), "container", "{name}");
        assert!(verification.findings[0].message.contains(' '), "{name}: {}", verification.findings[0]);
        assert!(Files::read(bytes).is_err(), "{name}");
        if std::env::var_os("COUNTERSIGN_SHOW").is_some() {
            println!("{name}: {}", verification.findings[0].message);
        }
    }
}

/// Sound containers with hostile content.
#[test]
fn a_file_without_a_place_or_an_unsound_one_is_refused_by_name() {
    let golden = golden::founded();
    let good = unpacked(&packed(&golden, None));
    let check = |what: &str, code: &str, change: &dyn Fn(&mut FileTree)| {
        let mut files = good.clone();
        change(&mut files);
        resign(&mut files);
        let verification = judge(&zipped(&files), &known(&golden));
        assert_eq!(verification.verdict, Verdict::Invalid, "{what}");
        let found = codes(&verification);
        assert!(found.iter().any(|(_, found)| *found == code), "{what}: {found:?}");
    };
    for name in [
        "extra",
        "leaves/0.leaf",
        "leaves/9223372036854775808.leaf",
        "leaves/-0000001.leaf",
        "leaves/00000000.leaf.txt",
        "evidence/sha256/00",
        "evidence/x",
        "proofs/00000000.leaf",
        "report.exe",
        "verify.bat",
        "leaves/sub/00000000.leaf",
    ] {
        check(name, "layout", &|files| drop(files.insert(name.to_owned(), b"x".to_vec())));
    }
    let always =
        ["README.txt", "verify.sh", "checkpoint", "policy", "allowed_signers", "allowed_signers.plain", "revoked"];
    for name in always {
        check(name, "layout", &|files| drop(files.remove(name)));
    }
    check("entry far away", "entry_missing", &|files| {
        drop(files.insert("leaves/99999999.leaf".into(), good["leaves/00000001.leaf"].clone()))
    });
    check("no entries", "empty", &|files| files.retain(|name, _| !name.starts_with("leaves/")));
    check("entry 0 missing", "entry_missing", &|files| drop(files.remove("leaves/00000000.leaf")));
    check("entry 7 missing", "entry_missing", &|files| drop(files.remove("leaves/00000007.leaf")));
    let edit = |name: &'static str, change: &'static dyn Fn(String) -> String| {
        move |files: &mut FileTree| {
            let text = String::from_utf8(files[name].clone()).unwrap();
            let changed = change(text.clone());
            assert_ne!(changed, text, "the change changes something");
            files.insert(name.to_owned(), changed.into_bytes());
        }
    };
    check("CRLF", "malformed", &edit("leaves/00000003.leaf", &|text| text.replace('\n', "\r\n")));
    check("BOM", "malformed", &edit("leaves/00000003.leaf", &|text| format!("\u{feff}{text}")));
    check("everybody", "not_derived", &edit("allowed_signers", &|text| text.replacen("alice@acme.example", "*", 1)));
    check(
        "two principals",
        "not_derived",
        &edit("allowed_signers", &|text| text.replacen("alice@", "mallory@x,alice@", 1)),
    );
    check("quote", "not_derived", &edit("allowed_signers", &|text| text.replacen("alice", "\"alice", 1)));
    check("comment", "not_derived", &edit("allowed_signers.plain", &|text| format!("# ok\n{text}")));
    check("log key", "not_derived", &edit("policy", &|text| text.replacen("log ", "log x", 1)));
    check("origin with a plus", "checkpoint", &edit("checkpoint", &|text| text.replacen("ledger/", "ledger+", 1)));
    check("origin with a line end", "checkpoint", &edit("checkpoint", &|text| text.replacen("ledger/", "ledger\n", 1)));
    check("17 signatures", "checkpoint", &|files| {
        let text = String::from_utf8(files["checkpoint"].clone()).unwrap();
        let line = text.lines().last().unwrap().replacen(ORIGIN, "other", 1);
        files.insert("checkpoint".into(), [text, format!("{line}\n").repeat(16)].concat().into_bytes());
    });
    check("two log lines, one bad", "checkpoint", &|files| {
        let text = String::from_utf8(files["checkpoint"].clone()).unwrap();
        let other = golden::checkpoint(&golden.leaves[..4]);
        files.insert("checkpoint".into(), format!("{text}{}\n", other.lines().last().unwrap()).into_bytes());
    });
    check("cosignature alone", "checkpoint", &|files| {
        let Head { size, root } = golden::head(&golden.leaves);
        let body = Checkpoint { origin: KeyName::new(ORIGIN).unwrap(), size, root }.body();
        let mut note = countersign_core::note::Note::new(body).unwrap();
        cosign(&mut note, &KeyName::new(ORIGIN).unwrap(), &key("log of desk 1"), 1).unwrap();
        files.insert("checkpoint".into(), note.encode().into_bytes());
    });
    check("proof of another entry", "proof", &|files| {
        let mut tree = Tree::new();
        for leaf in &golden.leaves {
            tree.append(leaf_hash(leaf));
        }
        let checkpoint = countersign_core::note::Note::parse(&golden.checkpoint()).unwrap();
        for index in 0..golden.leaves.len() as u64 {
            let hashes = tree.inclusion_proof(index / 2, tree.size()).unwrap();
            let proof = Proof { index, hashes, checkpoint: checkpoint.clone() };
            files.insert(format!("proofs/{index:08}.tlog-proof"), proof.to_string().into_bytes());
        }
    });
    // The list itself.
    let check_list = |what: &str, code: &str, key: &SigningKey, namespace: &str, change: &dyn Fn(&mut FileTree)| {
        let mut files = good.clone();
        sign_sums(&mut files, key, namespace);
        change(&mut files);
        let verification = judge(&zipped(&files), &known(&golden));
        assert_eq!(verification.verdict, Verdict::Invalid, "{what}");
        assert!(codes(&verification).iter().any(|(_, found)| *found == code), "{what}: {:?}", codes(&verification));
    };
    let desk = key(DESK);
    check_list("by a person", "sums_signature", &key("alice@acme.example"), "countersign-export@v1", &|_| {});
    check_list("by nobody", "sums_signature", &key("mallory"), "countersign-export@v1", &|_| {});
    check_list("by the log", "sums_signature", &key("log of desk 1"), "countersign-export@v1", &|_| {});
    check_list("for another act", "sums_signature", &desk, "countersign-evidence@v1", &|_| {});
    check_list("changed", "sums", &desk, "countersign-export@v1", &|files| {
        files.get_mut("SHA256SUMS").unwrap()[0] ^= 1
    });
    check_list("added to", "sums", &desk, "countersign-export@v1", &|files| {
        files.get_mut("report.html").unwrap().push(b'x')
    });
    check_list("unsorted", "sums", &desk, "countersign-export@v1", &|files| {
        let mut lines: Vec<_> = str::from_utf8(&files["SHA256SUMS"]).unwrap().lines().collect();
        lines.reverse();
        let list = lines.join("\n") + "\n";
        files.insert("SHA256SUMS.sig".into(), sign(&desk, "countersign-export@v1", list.as_bytes()).into_bytes());
        files.insert("SHA256SUMS".into(), list.into_bytes());
    });
}

#[test]
fn a_changed_file_is_named() {
    let golden = golden::founded();
    let good = unpacked(&packed(&golden, None));
    for (name, data) in &good {
        if name.starts_with("SHA256SUMS") {
            continue;
        }
        let mut files = good.clone();
        let mut changed = data.clone();
        changed.push(b' ');
        files.insert(name.clone(), changed);
        let verification = judge(&zipped(&files), &known(&golden));
        assert_eq!(verification.verdict, Verdict::Invalid);
        let named = verification.findings.iter().find(|finding| finding.code.as_str() == "sums").unwrap();
        assert!(named.message.starts_with(name.as_str()), "{name}: {named}");
        let index = name.strip_prefix("leaves/").and_then(|name| name.strip_suffix(".leaf"));
        assert_eq!(named.index, index.and_then(|index| index.parse().ok()));
    }
}

/// A format that somebody holds a copy of is read for ever: a file is never made again, only others are added. Each holds
/// every act there was, with every file that its entries name.
#[test]
fn every_format_that_was_ever_released_verifies() {
    const FORMATS: [(&str, u64); 1] = [("v1", 108)];
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    if std::env::var_os("COUNTERSIGN_MAKE_FIXTURES").is_some() {
        make_fixtures(&dir, FORMATS[FORMATS.len() - 1].0);
    }
    for (format, size) in FORMATS {
        let fingerprint = std::fs::read_to_string(dir.join(format!("fingerprint-{format}.txt"))).unwrap();
        let anchor = Anchor { fingerprint: Some(parse(fingerprint.trim())), pin: None };
        let fixtures = [("ledger", Verdict::Valid, &[][..]), ("release", Verdict::Incomplete, &["one_release_only"])];
        for (name, verdict, expected) in fixtures {
            let bytes = std::fs::read(dir.join(format!("{name}-{format}.zip"))).unwrap();
            let verification = judge(&bytes, &anchor);
            let found: Vec<&str> = verification.findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!(found, expected, "{name}-{format}: {:?}", verification.findings);
            assert_eq!((verification.verdict, verification.tree_size), (verdict, size), "{name}-{format}");
            let another = Anchor { fingerprint: Some(Digest::of(b"another")), pin: None };
            assert_eq!(judge(&bytes, &another).verdict, Verdict::Invalid);
        }
    }
}

/// Makes the files of a format, once.
fn make_fixtures(dir: &Path, format: &str) {
    let golden = golden::every_act();
    let said: BTreeSet<_> =
        golden.leaves.iter().map(|leaf| Entry::parse(leaf.clone()).unwrap().act().to_owned()).collect();
    assert!(ACTS.iter().all(|row| said.contains(row.act)), "an act is missing: {said:?}");
    std::fs::create_dir_all(dir).unwrap();
    let write = |name: String, bytes: &[u8]| {
        let path = dir.join(&name);
        assert!(!path.exists(), "{name} is there: a fixture is never made again");
        std::fs::write(path, bytes).unwrap();
    };
    write(format!("ledger-{format}.zip"), &packed(&golden, None));
    write(format!("release-{format}.zip"), &packed(&golden, Some("pump-fw-4.2.2")));
    write(format!("fingerprint-{format}.txt"), format!("{}\n", golden.fingerprint()).as_bytes());
}
