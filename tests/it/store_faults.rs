//! What is left after processes are killed, disks are full, calls fail and bits flip: what was acknowledged, whole.
//!
//! The tests with several processes run this very test again as a child, told by an environment variable to do its
//! part.

#![allow(clippy::print_stdout, reason = "figures are for whoever asks with --nocapture")]

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
#[cfg(target_os = "linux")]
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};
use std::time::{Duration, Instant};

use countersign_app::backup::{self, BackupError};
use countersign_app::blob::BlobStore;
use countersign_app::clock;
use countersign_app::desk::{Home, LedgerDir};
use countersign_app::durable;
use countersign_app::error::{Error, ErrorKind};
use countersign_app::keyfile::DeviceKeyFile;
use countersign_app::ledger::{Beginning, KEY_VALID_SECONDS, Ledger, PassphraseSource};
use countersign_app::pin::{PinAlarm, PinFile};
use countersign_app::store::{AppendError, NewLeaf, SqliteStore, Store, landed};
use countersign_app::verification;
use countersign_core::act::{Attempt, Reauth, Recovery, Signer};
use countersign_core::admit::Statement;
use countersign_core::decide::Command as Act;
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::merkle::Tree;
use countersign_core::verify::Verdict;
use countersign_core::words::Principal;
use zeroize::Zeroizing;

use crate::golden;
use crate::store_contract::{Writer, entry};

const NAME: &str = "COUNTERSIGN_TEST_CHILD";
const DIR: &str = "COUNTERSIGN_TEST_DIR";

/// Starts `test` of this binary as a child with a name; what it writes to its standard error comes through a pipe.
fn command(test: &str, name: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(NAME, name).env(DIR, dir).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The name and directory of a child; none in the test itself.
fn child() -> Option<(String, PathBuf)> {
    Some((std::env::var(NAME).ok()?, PathBuf::from(std::env::var_os(DIR)?)))
}

fn say(line: &str) {
    // One write, so that a kill leaves a whole line or none.
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// What a child said, after it has ended.
fn said(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    text
}

/// The `index text` pairs a child acknowledged.
fn acknowledged(said: &str) -> Vec<(u64, String)> {
    let acks = said.lines().filter_map(|line| line.strip_prefix("ack "));
    acks.map(|ack| ack.split_once(' ').unwrap())
        .map(|(index, text)| (index.parse().unwrap(), text.to_owned()))
        .collect()
}

fn open(dir: &Path) -> Writer<SqliteStore> {
    Writer::open(SqliteStore::open(&LedgerDir::at(dir).database()).unwrap())
}

fn create(dir: &Path) -> Writer<SqliteStore> {
    let ledger = LedgerDir::at(dir);
    ledger.create().unwrap();
    let mut writer = Writer::open(SqliteStore::create(&ledger.database()).unwrap());
    writer.append("genesis");
    writer
}

fn pin(dir: &Path) -> PinFile {
    PinFile::new(dir.join("pin"), Digest::of(&entry("genesis").leaf))
}

/// A generator of numbers that is the same in each run; never begun with 0.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn killed_writers_lose_nothing_acknowledged_and_leave_nothing_half() {
    if let Some((name, dir)) = child() {
        // Appends for ever as the application does: blob, entry, pin, acknowledgment.
        let mut writer = open(&dir);
        let blobs = BlobStore::new(LedgerDir::at(&dir).blobs());
        for n in 0.. {
            let text = format!("{name}-{n}");
            blobs.write(text.as_bytes()).unwrap();
            let (index, _) = writer.append(&text);
            pin(&dir).advance(None, &writer.tree).unwrap();
            say(&format!("ack {index} {text}"));
        }
    }

    const KILLS: usize = 200;
    const TEST: &str = "store_faults::killed_writers_lose_nothing_acknowledged_and_leave_nothing_half";
    let started = Instant::now();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut kills, mut acks, mut unacknowledged, mut journals) = (0, 0, 0, 0);
    while kills < KILLS {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path());
        let mut known: BTreeMap<u64, String> = [(0, "genesis".to_owned())].into();
        for round in 0..20 {
            let writers = 1 + round % 2;
            let names = (0..writers).map(|w| format!("{kills}-{round}-{w}"));
            let mut children: Vec<_> = names.map(|name| command(TEST, &name, dir.path()).spawn().unwrap()).collect();
            std::thread::sleep(Duration::from_millis(20 + numbers.below(140)));
            for child in &mut children {
                child.kill().unwrap();
                kills += 1;
            }
            for (index, text) in children.iter_mut().flat_map(|child| acknowledged(&said(child))) {
                acks += 1;
                assert_eq!(known.insert(index, text), None, "two acknowledgments of one entry");
            }
            journals += usize::from(dir.path().join("ledger.db-journal").exists());

            // Opening the writer hashes every leaf and compares with the head.
            let writer = open(dir.path());
            let texts = writer.texts();
            for (index, text) in &known {
                assert_eq!(texts.get(usize::try_from(*index).unwrap()), Some(text), "acknowledged and lost");
            }
            unacknowledged += texts.len() - known.len();
            known = (0..).zip(texts.iter().cloned()).collect();
            if let Some(pin) = pin(dir.path()).load().unwrap() {
                pin.check(&writer.tree).unwrap();
            }
            let blobs = BlobStore::new(LedgerDir::at(dir.path()).blobs());
            for text in &texts[1..] {
                blobs.read(&Digest::of(text.as_bytes())).unwrap();
            }
        }
    }
    println!(
        "{kills} kills in {:.1} s: {acks} acknowledged appends, 0 lost, 0 half; {journals} journals rolled back, {unacknowledged} entries in whose maker was not told",
        started.elapsed().as_secs_f64()
    );
    assert!(acks > KILLS, "the children got to append");
}

#[test]
fn racing_processes_wait_their_turn() {
    const PROCESSES: usize = 8;
    const APPENDS: usize = 50;
    if let Some((name, dir)) = child() {
        let mut writer = open(&dir);
        let (mut conflicts, mut slowest) = (0, Duration::ZERO);
        for n in 0..APPENDS {
            let started = Instant::now();
            let (index, lost) = writer.append(&format!("{name}-{n}"));
            conflicts += lost;
            slowest = slowest.max(started.elapsed());
            say(&format!("ack {index} {name}-{n}"));
        }
        say(&format!("conflicts {conflicts} slowest {}", slowest.as_millis()));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    create(dir.path());
    let started = Instant::now();
    let mut children: Vec<_> = (0..PROCESSES)
        .map(|n| command("store_faults::racing_processes_wait_their_turn", &n.to_string(), dir.path()).spawn().unwrap())
        .collect();
    let mut acknowledgments = vec![(0, "genesis".to_owned())];
    let (mut conflicts, mut slowest) = (0, 0);
    for child in &mut children {
        let said = said(child);
        assert!(child.wait().unwrap().success(), "{said}");
        acknowledgments.extend(acknowledged(&said));
        let figures: Vec<u64> = said.lines().last().unwrap().split(' ').filter_map(|word| word.parse().ok()).collect();
        conflicts += figures[0];
        slowest = slowest.max(figures[1]);
    }
    println!(
        "{PROCESSES} processes x {APPENDS} appends in {:.1} s: {conflicts} conflicts decided again, slowest append {slowest} ms, 0 busy",
        started.elapsed().as_secs_f64()
    );
    acknowledgments.sort_unstable();
    let found: Vec<_> = (0..).zip(open(dir.path()).texts()).collect();
    assert_eq!(found.len(), PROCESSES * APPENDS + 1);
    assert_eq!(found, acknowledgments, "each acknowledgment once, no gaps");
}

#[test]
fn a_full_disk_is_said_and_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = create(dir.path());
    let database = LedgerDir::at(dir.path()).database();
    let filler = "x".repeat(3000);
    writer.store.limit_size(std::fs::metadata(&database).unwrap().len() + 64 * 1024).unwrap();
    let mut texts = vec!["genesis".to_owned()];
    let full = loop {
        let text = format!("{}-{filler}", texts.len());
        match writer.try_append(&[entry(&text)]) {
            Ok(()) => texts.push(text),
            Err(error) => break error,
        }
        assert!(texts.len() < 1000, "the limit was never met");
    };
    assert!(matches!(full, AppendError::DiskFull), "{full:?}");
    assert!(texts.len() > 5);
    let before = writer.tree.head();
    assert!(!landed(&writer.store, before, &[entry(&format!("{}-{filler}", texts.len()))]).unwrap());
    // A batch that fits only in part is not there in part.
    let batch: Vec<_> = (0..40).map(|n| entry(&format!("batch{n}-{filler}"))).collect();
    assert!(matches!(writer.try_append(&batch), Err(AppendError::DiskFull)));
    assert_eq!(open(dir.path()).texts(), texts);

    writer.store.limit_size(u64::MAX).unwrap();
    writer.try_append(&batch).unwrap();
    assert_eq!(open(dir.path()).tree.size(), texts.len() as u64 + 40);
}

/// A ledger of real entries; the hashes of their payloads.
fn small_ledger(dir: &LedgerDir, leaves: &[Vec<u8>]) -> Vec<Digest> {
    let new: Vec<NewLeaf> = leaves
        .iter()
        .map(|leaf| NewLeaf { payload_hash: Entry::parse(leaf.clone()).unwrap().payload_hash(), leaf: leaf.clone() })
        .collect();
    dir.create().unwrap();
    let store = SqliteStore::create(&dir.database()).unwrap();
    store.append(Tree::new().head(), &new, golden::head(leaves), &golden::checkpoint(leaves)).unwrap();
    new.into_iter().map(|new| new.payload_hash).collect()
}

#[test]
fn an_append_that_was_cut_off_does_not_keep_a_ledger_from_being_verified() {
    let dir = tempfile::tempdir().unwrap();
    let golden = golden::founded();
    let leaves = &golden.leaves[..6];
    let ledger = LedgerDir::at(dir.path().join("ledger"));
    small_ledger(&ledger, leaves);
    // As a kill leaves it: pages of the append are in the file, and its journal lies beside it.
    let writer = rusqlite::Connection::open(ledger.database()).unwrap();
    writer.execute_batch("PRAGMA journal_mode=DELETE; PRAGMA cache_size=1; BEGIN IMMEDIATE").unwrap();
    for index in 6_u8..40 {
        let row = rusqlite::params![index, [index; 32], vec![index; 3000]];
        writer.execute("INSERT INTO entry (idx, payload_hash, leaf) VALUES (?1, ?2, ?3)", row).unwrap();
    }
    let left = LedgerDir::at(dir.path().join("left"));
    left.create().unwrap();
    let (journal, copy) = (ledger.path().join("ledger.db-journal"), left.path().join("ledger.db-journal"));
    std::fs::copy(journal, &copy).unwrap();
    std::fs::copy(ledger.database(), left.database()).unwrap();
    let grown = std::fs::metadata(left.database()).unwrap().len();

    let home = Home::at(dir.path().join("home"));
    let verified = verification::ledger(&home, &left, Some(golden.fingerprint())).unwrap();
    assert_eq!((verified.verdict, verified.tree_size), (Verdict::Valid, 6), "{:?}", verified.findings);
    assert!(!copy.exists() && std::fs::metadata(left.database()).unwrap().len() < grown, "the half append is gone");
}

#[test]
fn no_flipped_bit_passes_for_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let golden = golden::founded();
    let leaves = &golden.leaves[..2];
    let sound = LedgerDir::at(dir.path().join("sound"));
    let hashes = small_ledger(&sound, leaves);
    // A stranger's desk, which has seen nothing before: what it knows is the fingerprint, and what it is given.
    let home = Home::at(dir.path().join("home"));
    let verdict = |ledger: &LedgerDir| verification::ledger(&home, ledger, Some(golden.fingerprint()));
    let verified = verdict(&sound).unwrap();
    assert_eq!(verified.verdict, Verdict::Valid, "{:?}", verified.findings);
    let sound = std::fs::read(sound.database()).unwrap();

    let started = Instant::now();
    let halves = std::thread::scope(|scope| {
        let threads = [0, 1].map(|half| {
            let (sound, hashes, verdict, dir) = (&sound, &hashes, &verdict, dir.path());
            scope.spawn(move || {
                let ledger = LedgerDir::at(dir.join(format!("flipped{half}")));
                ledger.create().unwrap();
                let path = ledger.database();
                std::fs::write(&path, sound).unwrap();
                let mut file = std::fs::File::options().write(true).open(&path).unwrap();
                let mut put = |place: usize, byte: u8| {
                    file.seek(SeekFrom::Start(place as u64)).unwrap();
                    file.write_all(&[byte]).unwrap();
                };
                let (mut refused, mut found, mut harmless) = (0_u32, 0_u32, 0_u32);
                for place in (half..sound.len()).step_by(2) {
                    put(place, sound[place] ^ (1 << (place / 2 % 8)));
                    match verdict(&ledger) {
                        Err(_) => refused += 1,
                        Ok(verified) if verified.verdict != Verdict::Valid => found += 1,
                        Ok(_) => {
                            let read = SqliteStore::open_read_only(&path).unwrap().read(0..leaves.len() as u64);
                            assert_eq!(read.unwrap(), leaves, "byte {place} passed for the ledger");
                            harmless += 1;
                        }
                    }
                    // The index of payloads never points at another entry.
                    if let Ok(store) = SqliteStore::open_read_only(&path) {
                        for (index, hash) in (0..).zip(hashes) {
                            if let Ok(Some(answer)) = store.find(hash) {
                                assert_eq!(answer, index, "byte {place}");
                            }
                        }
                    }
                    put(place, sound[place]);
                }
                [refused, found, harmless]
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    let [refused, found, harmless] = [0, 1, 2].map(|n| halves[0][n] + halves[1][n]);
    println!(
        "{} flips in {:.1} s: {refused} files not read, {found} called invalid, {harmless} in dead space (same entries), 0 missed",
        sound.len(),
        started.elapsed().as_secs_f64()
    );
    assert_eq!((refused + found + harmless) as usize, sound.len());
    let entries: usize = leaves.iter().map(Vec::len).sum();
    assert!(found as usize >= entries, "each flip in an entry is found");
}

/// One append with each of its file calls failing or ending the process, in turn (Linux, where `strace` is there).
#[cfg(target_os = "linux")]
#[test]
fn each_failing_call_of_an_append_leaves_old_or_new_and_is_told_truly() {
    if let Some((_, dir)) = child() {
        let mut writer = open(&dir);
        let before = writer.tree.head();
        match writer.try_append(&[entry("new")]) {
            Ok(()) => say("ack 1 new"),
            Err(AppendError::Unknown { .. }) => match landed(&writer.store, before, &[entry("new")]) {
                Ok(true) => say("landed"),
                Ok(false) => say("not landed"),
                Err(_) => say("unknown"),
            },
            Err(_) => say("refused"),
        }
        return;
    }
    const TEST: &str = "store_faults::each_failing_call_of_an_append_leaves_old_or_new_and_is_told_truly";
    const CALLS: [&str; 10] =
        ["openat", "pread64", "pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "fcntl", "lseek"];
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        println!("strace absent: skipped");
        return;
    }
    let strace = |dir: &Path, options: &[&str]| {
        let child = command(TEST, "append", dir);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o"]).arg(dir.join("trace")).args(options);
        strace.arg(child.get_program()).args(child.get_args());
        strace.env(NAME, "append").env(DIR, dir).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = strace.spawn().unwrap();
        let said = said(&mut child);
        let trace = std::fs::read_to_string(dir.join("trace")).unwrap_or_default();
        std::fs::remove_file(dir.join("trace")).unwrap();
        (said, trace)
    };
    let template = tempfile::tempdir().unwrap();
    drop(create(template.path()));
    let fresh = || {
        let dir = tempfile::tempdir().unwrap();
        let copy = LedgerDir::at(dir.path()).database();
        std::fs::copy(LedgerDir::at(template.path()).database(), copy).unwrap();
        dir
    };
    // Which calls the appending thread makes from its first look at the ledger on, and where they stand among all
    // calls of that name, which is how a fault is placed.
    let dir = fresh();
    let (said, trace) = strace(dir.path(), &["-e", &format!("trace={}", CALLS.join(","))]);
    assert_eq!(acknowledged(&said).len(), 1, "{said}");
    let calls = trace.lines().filter_map(|line| line.split_once(' '));
    let calls = calls.filter_map(|(thread, rest)| Some((thread, rest.trim_start().split_once('(')?)));
    let appending = calls.clone().find(|(_, (_, rest))| rest.contains("ledger.db")).unwrap().0;
    let (mut seen, mut begun, mut faults) = (BTreeMap::<&str, u32>::new(), false, Vec::new());
    for (_, (call, rest)) in calls.filter(|(thread, _)| *thread == appending) {
        begun |= rest.contains("ledger.db");
        let place = seen.entry(call).or_default();
        *place += 1;
        if begun && CALLS.contains(&call) {
            let faulty = ["signal=KILL", "error=EIO", "error=ENOSPC"];
            faults.extend(faulty.map(|fault| (call, format!("inject={call}:{fault}:when={place}"))));
        }
    }

    let started = Instant::now();
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<String, u32>::new()));
    let work = || {
        while let Some((call, injection)) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
            let dir = fresh();
            let (said, _) = strace(dir.path(), &["-e", &format!("trace={call}"), "-e", injection]);
            // Opening rolls back what was left, hashes all leaves and compares with the head.
            let texts = open(dir.path()).texts();
            let there = texts == ["genesis", "new"];
            assert!(there || texts == ["genesis"], "{injection}: {texts:?}");
            let told =
                said.lines().find(|line| ["refused", "unknown", "landed", "not landed", "ack 1 new"].contains(line));
            match told {
                Some("ack 1 new" | "landed") => assert!(there, "{injection}: acknowledged and lost"),
                Some("refused" | "not landed") => assert!(!there, "{injection}: said to be refused, and there"),
                _ => {}
            }
            let told = told.unwrap_or("ended by the fault").to_owned();
            *outcomes.lock().unwrap().entry(told).or_default() += 1;
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let outcomes = outcomes.into_inner().unwrap();
    println!("{} faults in {:.1} s: {outcomes:?}, 0 told wrong", faults.len(), started.elapsed().as_secs_f64());
    for told in ["refused", "landed", "ended by the fault"] {
        assert!(outcomes.contains_key(told), "{outcomes:?}");
    }
}

#[test]
fn a_backup_is_whole_holds_no_key_and_restores_to_the_same_root() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("home"));
    let mut writer = create(&dir.path().join("ledger"));
    let ledger = LedgerDir::at(dir.path().join("ledger"));
    let desk = home.create_desk(&Digest::of(&entry("genesis").leaf)).unwrap();
    DeviceKeyFile::generate(&desk.device_key(), "laptop").unwrap();
    let blobs = BlobStore::new(ledger.blobs());
    for n in 0..20 {
        blobs.write(format!("evidence {n}").as_bytes()).unwrap();
        writer.append(&n.to_string());
    }
    let destination = dir.path().join("backups").join("monday");
    // Another process goes on appending meanwhile.
    let made = std::thread::scope(|scope| {
        let appending = scope.spawn(|| {
            for n in 0..20 {
                writer.append(&format!("meanwhile {n}"));
            }
        });
        let store = SqliteStore::open(&ledger.database()).unwrap();
        let made = backup::back_up(&store, &blobs, &destination).unwrap();
        appending.join().unwrap();
        made
    });
    assert!(made.head.size >= 21);
    assert_eq!(writer.tree.root_at(made.head.size), Some(made.head.root), "a prefix of the ledger");
    assert_eq!((made.blobs, &made.damaged), (20, &vec![]));
    assert_eq!(backup::verify_backup(&destination).unwrap(), made);
    let again = backup::back_up(&writer.store, &blobs, &destination);
    assert!(matches!(again, Err(BackupError::AlreadyExists(_))));

    let mut files = Vec::new();
    let mut dirs = vec![destination.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { dirs.push(path) } else { files.push(path) }
        }
    }
    assert_eq!(files.len(), 20 + 3);
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"PRIVATE KEY"), "{}", file.display());
    }

    let restored = LedgerDir::at(dir.path().join("restored"));
    assert_eq!(backup::restore(&destination, &restored).unwrap(), made);
    let copy = open(restored.path());
    assert_eq!(copy.tree.head(), made.head);
    let copies = BlobStore::new(restored.blobs());
    assert_eq!(copies.list().unwrap(), blobs.list().unwrap());
    for digest in copies.list().unwrap() {
        assert_eq!(copies.read(&digest).unwrap(), blobs.read(&digest).unwrap());
    }
    assert!(matches!(backup::restore(&destination, &restored), Err(BackupError::AlreadyExists(_))));
    let mut copy = copy;
    copy.append("life goes on");
}

#[test]
fn a_changed_backup_is_refused_and_nothing_is_restored_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let writer = create(&dir.path().join("ledger"));
    let blobs = BlobStore::new(LedgerDir::at(dir.path().join("ledger")).blobs());
    let blob = blobs.write(b"evidence").unwrap();
    let backup = dir.path().join("backup");
    backup::back_up(&writer.store, &blobs, &backup).unwrap();
    let files = ["ledger.db", "checkpoint", "manifest.json"].map(|name| backup.join(name));
    let files: Vec<_> = files.into_iter().chain([BlobStore::new(backup.join("blobs")).path(&blob)]).collect();
    let target = LedgerDir::at(dir.path().join("restored"));
    let refused = |what: &str| {
        let error = backup::restore(&backup, &target).unwrap_err();
        assert!(matches!(error, BackupError::Damaged(_) | BackupError::NotABackup { .. }), "{what}: {error:?}");
        assert!(!target.path().exists(), "{what}");
    };
    for file in &files {
        let sound = std::fs::read(file).unwrap();
        let mut flipped = sound.clone();
        flipped[sound.len() / 2] ^= 1;
        std::fs::write(file, &flipped).unwrap();
        refused("a flipped bit");
        std::fs::write(file, &sound[..sound.len() - 1]).unwrap();
        refused("a file cut short");
        std::fs::remove_file(file).unwrap();
        refused("a missing file");
        std::fs::write(file, &sound).unwrap();
    }
    for added in ["ledger.db-journal", "device.key", "blobs/sha256/zz"] {
        std::fs::write(backup.join(added), b"x").unwrap();
        refused(added);
        std::fs::remove_file(backup.join(added)).unwrap();
    }
    backup::restore(&backup, &target).unwrap();
}

#[test]
fn a_damaged_blob_does_not_cost_the_backup() {
    let dir = tempfile::tempdir().unwrap();
    let writer = create(&dir.path().join("ledger"));
    let blobs = BlobStore::new(LedgerDir::at(dir.path().join("ledger")).blobs());
    let (sound, damaged) = (blobs.write(b"sound").unwrap(), blobs.write(b"damaged").unwrap());
    std::fs::write(blobs.path(&damaged), b"damagee").unwrap();
    let made = backup::back_up(&writer.store, &blobs, &dir.path().join("backup")).unwrap();
    assert_eq!((made.blobs, made.damaged), (1, vec![damaged]));
    assert_eq!(BlobStore::new(dir.path().join("backup/blobs")).list().unwrap(), [sound]);
}

#[test]
fn an_older_copy_raises_the_alarm_of_the_pin() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("home"));
    let mut writer = create(&dir.path().join("ledger"));
    let fingerprint = Digest::of(&entry("genesis").leaf);
    let pin = PinFile::new(home.create_desk(&fingerprint).unwrap().pin(), fingerprint);
    let blobs = BlobStore::new(LedgerDir::at(dir.path().join("ledger")).blobs());
    writer.append("go");
    backup::back_up(&writer.store, &blobs, &dir.path().join("backup")).unwrap();
    writer.append("no-go");
    pin.advance(None, &writer.tree).unwrap();

    let restored = LedgerDir::at(dir.path().join("restored"));
    let made = backup::restore(&dir.path().join("backup"), &restored).unwrap();
    assert_eq!(made.fingerprint, fingerprint);
    let mut copy = open(restored.path());
    let seen = pin.load().unwrap().unwrap();
    assert_eq!(seen.check(&copy.tree), Err(PinAlarm::Rollback { pinned: writer.tree.head(), found: 2 }));
    assert_eq!(seen.check(&writer.tree), Ok(()));
    // And grown again past the pin, it is a fork: the no-go does not come back by itself.
    copy.append("go again");
    copy.append("and again");
    assert!(matches!(seen.check(&copy.tree), Err(PinAlarm::Fork { .. })));
    assert!(pin.advance(Some(&seen), &copy.tree).is_err());
}

/// Types a passphrase whenever asked.
struct Typed;

impl PassphraseSource for Typed {
    fn passphrase(&mut self, _: &Principal, _: &Statement) -> Result<Zeroizing<String>, Error> {
        Ok(Zeroizing::new("correct horse battery staple".to_owned()))
    }

    fn reauth(&self) -> Reauth {
        Reauth::Prompt
    }
}

#[test]
fn a_desk_does_not_open_a_ledger_that_went_back() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("home"));
    let at = LedgerDir::at(dir.path().join("ledger"));
    let owner: Principal = "ann@acme.example".parse().unwrap();
    let beginning = Beginning {
        title: "Pumps".parse().unwrap(),
        owner: Signer { name: "Ann Moreau".parse().unwrap(), principal: owner.clone() },
        emails: Vec::new(),
        reason: "to begin".parse().unwrap(),
        charter: None,
        recovery: Recovery { needed: 0, people: Vec::new(), wait_hours: 0 },
        sample: false,
        valid_until: clock::now().plus_seconds(KEY_VALID_SECONDS),
    };
    let mut ledger = Ledger::begin(&home, &at, beginning, &mut Typed).unwrap();
    let backup = dir.path().join("backup");
    let made = backup::back_up(ledger.store(), ledger.blobs(), &backup).unwrap();
    assert_eq!(made.fingerprint, ledger.fingerprint());
    let act = Attempt { count: 5, principal: owner };
    ledger.as_desk(&Act::Record(act.into()), None).unwrap();
    drop(ledger);
    assert_eq!(Ledger::open(&home, &at).unwrap().state().tree.size(), 2);

    let older = LedgerDir::at(dir.path().join("older"));
    backup::restore(&backup, &older).unwrap();
    let error = Ledger::open(&home, &older).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Integrity, "{error:?}");
    // A desk that has not seen more opens it.
    assert_eq!(Ledger::open(&Home::at(dir.path().join("newcomer")), &older).unwrap().state().tree.size(), 1);
}

#[test]
fn a_lock_is_let_go_of_by_the_dead() {
    if let Some((_, dir)) = child() {
        let _lock = durable::lock(&dir.join("lock")).unwrap();
        say("locked");
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut child = command("store_faults::a_lock_is_let_go_of_by_the_dead", "holder", dir.path()).spawn().unwrap();
    let mut word = [0; 6];
    child.stderr.as_mut().unwrap().read_exact(&mut word).unwrap();
    assert_eq!(&word, b"locked");
    let waiting = std::thread::spawn({
        let path = dir.path().join("lock");
        move || durable::lock(&path).is_ok()
    });
    std::thread::sleep(Duration::from_millis(100));
    assert!(!waiting.is_finished(), "the lock holds");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(waiting.join().unwrap());
}
