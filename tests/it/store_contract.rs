//! What every store promises, asked of each: memory and SQLite here, each opened twice as two processes would.

#![allow(clippy::print_stdout, reason = "figures are for whoever asks with --nocapture")]

use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use countersign_app::store::{
    AppendError, LEAF_LIMIT_BYTES, MemoryStore, NewLeaf, SqliteStore, Store, StoreError, landed,
};
use countersign_core::hash::Digest;
use countersign_core::merkle::{Head, Tree, leaf_hash};
use proptest::prelude::*;

/// An entry about `text`; the store does not look at what an armor says.
pub(crate) fn entry(text: &str) -> NewLeaf {
    let leaf = format!("{{\"text\":\"{text}\"}}\narmor of {text}\n").into_bytes();
    NewLeaf { leaf, payload_hash: payload_hash(text) }
}

pub(crate) fn payload_hash(text: &str) -> Digest {
    Digest::of(format!("{{\"text\":\"{text}\"}}\n").as_bytes())
}

/// A process at work on a ledger: a store, and the tree of what it has read from it.
pub(crate) struct Writer<S> {
    pub(crate) store: S,
    pub(crate) tree: Tree,
}

impl<S: Store> Writer<S> {
    /// Reads the whole ledger and checks that it hashes to its head.
    pub(crate) fn open(store: S) -> Self {
        let mut writer = Self { store, tree: Tree::new() };
        writer.catch_up();
        writer
    }

    pub(crate) fn catch_up(&mut self) {
        let Some(stored) = self.store.head().unwrap() else {
            return;
        };
        for leaf in self.store.read(self.tree.size()..stored.head.size).unwrap() {
            self.tree.append(leaf_hash(&leaf));
        }
        assert_eq!(self.tree.head(), stored.head, "leaves and head are of one append");
        assert_eq!(stored.checkpoint, checkpoint(stored.head));
    }

    /// Appends on the head last read, once.
    pub(crate) fn try_append(&mut self, leaves: &[NewLeaf]) -> Result<(), AppendError> {
        let mut tree = self.tree.clone();
        for leaf in leaves {
            tree.append(leaf_hash(&leaf.leaf));
        }
        let new = tree.head();
        self.store.append(self.tree.head(), leaves, new, &checkpoint(new))?;
        self.tree = tree;
        Ok(())
    }

    /// Appends, as often as others come first, and returns the index and the number of conflicts.
    pub(crate) fn append(&mut self, text: &str) -> (u64, u32) {
        for conflicts in 0.. {
            match self.try_append(&[entry(text)]) {
                Ok(()) => return (self.tree.size() - 1, conflicts),
                Err(AppendError::Conflict { .. }) => self.catch_up(),
                Err(error) => panic!("{error}"),
            }
        }
        unreachable!("the loop has no end")
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let leaves = self.store.read(0..self.tree.size()).unwrap();
        leaves.into_iter().map(|leaf| String::from_utf8(leaf).unwrap().split('"').nth(3).unwrap().to_owned()).collect()
    }
}

fn checkpoint(head: Head) -> String {
    format!("countersign.example/ledger\n{}\n{}\n", head.size, head.root.to_base64())
}

/// Asks `law` of each kind of store; it gets a way to open one new ledger as often as it likes.
fn each_store(law: impl Fn(&(dyn Fn() -> Box<dyn Store> + Sync))) {
    let memory = MemoryStore::new();
    law(&move || Box::new(memory.clone()));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    SqliteStore::create(&path).unwrap();
    law(&move || Box::new(SqliteStore::open(&path).unwrap()));
}

#[test]
fn a_new_ledger_is_empty() {
    each_store(|open| {
        let store = open();
        assert_eq!(store.head().unwrap(), None);
        assert_eq!(store.read(0..0).unwrap(), Vec::<Vec<u8>>::new());
        assert!(matches!(store.read(0..1), Err(StoreError::OutOfRange { size: 0, .. })));
        assert_eq!(store.find(&payload_hash("a")).unwrap(), None);
        assert!(!store.changed_since(0).unwrap());
    });
}

#[test]
fn entries_are_read_in_order_by_every_handle_then_and_later() {
    each_store(|open| {
        let other = open();
        let mut writer = Writer::open(open());
        writer.try_append(&[entry("0")]).unwrap();
        writer.try_append(&[entry("1"), entry("2"), entry("3")]).unwrap();
        assert!(other.changed_since(1).unwrap() && !other.changed_since(4).unwrap());
        writer.try_append(&[entry("4")]).unwrap();
        for reader in [other, open()] {
            let reader = Writer::open(reader);
            assert_eq!(reader.tree.head(), writer.tree.head());
            assert_eq!(reader.texts(), ["0", "1", "2", "3", "4"]);
            assert_eq!(reader.store.read(1..3).unwrap(), [entry("1").leaf, entry("2").leaf]);
            assert_eq!(reader.store.read(5..5).unwrap(), Vec::<Vec<u8>>::new());
            for range in [0..6, 5..6, 6..6, 4..u64::MAX, u64::MAX..u64::MAX, std::ops::Range { start: 3, end: 1 }] {
                let answer = reader.store.read(range.clone());
                assert!(matches!(answer, Err(StoreError::OutOfRange { size: 5, .. })), "{range:?}");
            }
            for (index, text) in (0..).zip(["0", "1", "2", "3", "4"]) {
                assert_eq!(reader.store.find(&payload_hash(text)).unwrap(), Some(index));
            }
            assert_eq!(reader.store.find(&payload_hash("5")).unwrap(), None);
        }
    });
}

#[test]
fn an_append_on_another_head_is_a_conflict_and_changes_nothing() {
    each_store(|open| {
        let mut writer = Writer::open(open());
        writer.try_append(&[entry("0"), entry("1")]).unwrap();
        let actual = writer.tree.head();
        let wrong_root = Head { root: Digest::of(b"x"), ..actual };
        let behind = Head { size: 1, root: writer.tree.root_at(1).unwrap() };
        let ahead = Head { size: 3, ..actual };
        for expected in [wrong_root, behind, ahead, Head::EMPTY] {
            let new = Head { size: expected.size + 1, root: Digest::of(b"new") };
            match writer.store.append(expected, &[entry("2")], new, "") {
                Err(AppendError::Conflict { expected: e, actual: a }) => assert_eq!((e, a), (expected, actual)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(Writer::open(open()).texts(), ["0", "1"]);
        writer.try_append(&[entry("2")]).unwrap();
    });
}

#[test]
fn a_payload_stands_in_a_ledger_once() {
    each_store(|open| {
        let mut writer = Writer::open(open());
        writer.try_append(&[entry("0"), entry("1")]).unwrap();
        let rearmored = NewLeaf { leaf: b"{\"text\":\"1\"}\nother armor\n".to_vec(), ..entry("1") };
        for (leaves, first) in [
            (vec![entry("1")], 1),
            (vec![rearmored], 1),
            (vec![entry("2"), entry("0")], 0),
            (vec![entry("2"), entry("3"), entry("2")], 2),
        ] {
            match writer.try_append(&leaves) {
                Err(AppendError::DuplicatePayload { index, .. }) => assert_eq!(index, first),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(Writer::open(open()).texts(), ["0", "1"], "no part of a refused append stays");
        writer.try_append(&[entry("2")]).unwrap();
    });
}

#[test]
fn contradicting_arguments_are_refused() {
    each_store(|open| {
        let mut writer = Writer::open(open());
        let sized = |bytes| NewLeaf { leaf: vec![b'x'; bytes], payload_hash: Digest::of(&[0]) };
        let head = |size| Head { size, root: Digest::of(b"new") };
        let huge = Head { size: u64::MAX, root: Digest::of(b"x") };
        for (expected, leaves, new) in [
            (Head::EMPTY, vec![], Head::EMPTY),
            (Head::EMPTY, vec![entry("0")], head(2)),
            (Head::EMPTY, vec![entry("0")], head(0)),
            (Head::EMPTY, vec![sized(0)], head(1)),
            (Head::EMPTY, vec![sized(LEAF_LIMIT_BYTES + 1)], head(1)),
            (huge, vec![entry("0")], head(0)),
        ] {
            assert!(matches!(writer.store.append(expected, &leaves, new, ""), Err(AppendError::Invalid(_))));
        }
        writer.try_append(&[sized(LEAF_LIMIT_BYTES)]).unwrap();
    });
}

#[test]
fn after_an_unknown_outcome_the_payload_tells_whether_it_landed() {
    each_store(|open| {
        let mut writer = Writer::open(open());
        writer.try_append(&[entry("0")]).unwrap();
        let before = writer.tree.head();
        let ours = [entry("1"), entry("2")];
        assert!(!landed(&writer.store, before, &ours).unwrap());
        let mut other = Writer::open(open());
        other.try_append(&[entry("x")]).unwrap();
        assert!(!landed(&writer.store, before, &ours).unwrap(), "somebody else's entry is not ours");
        other.try_append(&ours).unwrap();
        assert!(!landed(&writer.store, before, &ours).unwrap(), "ours, but not by that append");
        let after = Head { size: 2, root: other.tree.root_at(2).unwrap() };
        assert!(landed(&writer.store, after, &ours).unwrap());
    });
}

#[test]
fn racing_writers_leave_no_gap_and_lose_nothing() {
    each_store(|open| {
        let start = Barrier::new(2);
        let acknowledged: Vec<(u64, String)> = std::thread::scope(|scope| {
            let writers = ["a", "b"].map(|name| {
                let start = &start;
                scope.spawn(move || {
                    let mut writer = Writer::open(open());
                    start.wait();
                    let texts = (0..50).map(|n| format!("{name}{n}"));
                    texts.map(|text| (writer.append(&text).0, text)).collect::<Vec<_>>()
                })
            });
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
        });
        let texts = Writer::open(open()).texts();
        assert_eq!((texts.len(), acknowledged.len()), (100, 100));
        for (index, text) in acknowledged {
            assert_eq!(texts[usize::try_from(index).unwrap()], text);
        }
    });
}

#[test]
fn a_process_sees_the_entries_of_another_at_once() {
    each_store(|open| {
        let (mut writer, reader) = (Writer::open(open()), open());
        for size in 1..=20 {
            writer.append(&size.to_string());
            let appended = Instant::now();
            while !reader.changed_since(size - 1).unwrap() {
                assert!(appended.elapsed() < Duration::from_secs(1));
            }
        }
        let polls = 1000;
        let started = Instant::now();
        for _ in 0..polls {
            assert!(!reader.changed_since(20).unwrap());
        }
        println!("changed_since: {:?} a poll", started.elapsed() / polls);
    });
}

/// What a random caller does: appends texts out of a few, on a head it believes in.
#[derive(Debug, Clone)]
struct Try {
    texts: Vec<u8>,
    expected: Believed,
}

#[derive(Debug, Clone)]
enum Believed {
    Actual,
    Prefix(u64),
    Other,
}

fn a_try() -> impl Strategy<Value = Try> {
    let believed = prop_oneof![
        6 => Just(Believed::Actual),
        1 => (0..8_u64).prop_map(Believed::Prefix),
        1 => Just(Believed::Other),
    ];
    (prop::collection::vec(0..24_u8, 0..4), believed).prop_map(|(texts, expected)| Try { texts, expected })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The file answers as memory does, whatever is asked of both.
    #[test]
    fn sqlite_answers_as_memory_does(tries in prop::collection::vec(a_try(), 1..24)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let stores: [Box<dyn Store>; 2] =
            [Box::new(MemoryStore::new()), Box::new(SqliteStore::create(&path).unwrap())];
        let mut tree = Tree::new();
        for Try { texts, expected } in tries {
            let leaves: Vec<_> = texts.iter().map(|text| entry(&text.to_string())).collect();
            let expected = match expected {
                Believed::Actual => tree.head(),
                Believed::Prefix(size) => Head { size, root: tree.root_at(size).unwrap_or(Digest::of(b"none")) },
                Believed::Other => Head { root: Digest::of(b"other"), ..tree.head() },
            };
            let mut grown = tree.clone();
            leaves.iter().for_each(|leaf| { grown.append(leaf_hash(&leaf.leaf)); });
            let new = Head { size: expected.size + leaves.len() as u64, root: grown.root() };
            let [memory, sqlite] = stores.each_ref().map(|store| store.append(expected, &leaves, new, &checkpoint(new)));
            prop_assert_eq!(format!("{memory:?}"), format!("{sqlite:?}"));
            if memory.is_ok() {
                tree = grown;
            }
            let [memory, sqlite] = stores.each_ref().map(|store| store.head().unwrap());
            prop_assert_eq!(&memory, &sqlite);
            prop_assert_eq!(memory.map_or(Head::EMPTY, |stored| stored.head), tree.head());
        }
        let [memory, sqlite] = stores.each_ref().map(|store| store.read(0..tree.size()).unwrap());
        prop_assert_eq!(memory, sqlite);
    }
}

fn sqlite() -> (tempfile::TempDir, std::path::PathBuf, Writer<SqliteStore>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let mut writer = Writer::open(SqliteStore::create(&path).unwrap());
    for text in ["0", "1", "2"] {
        writer.append(text);
    }
    (dir, path, writer)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_wrong_path_never_starts_a_ledger() {
    let (dir, path, writer) = sqlite();
    for absent in ["other.db", "none/ledger.db"] {
        assert!(matches!(SqliteStore::open(&dir.path().join(absent)), Err(StoreError::NotFound { .. })));
    }
    assert!(matches!(SqliteStore::create(&path), Err(StoreError::AlreadyExists { .. })));
    assert!(matches!(SqliteStore::create(&dir.path().join("none/ledger.db")), Err(StoreError::NotFound { .. })));
    let not_a_ledger = |name: &str| {
        let opened = SqliteStore::open(&dir.path().join(name));
        assert!(matches!(opened, Err(StoreError::NotALedger { .. })), "{name}: {opened:?}");
    };
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("text", b"a text long enough to have the size of a header, or so"),
        ("zeros", &[0; 8192]),
    ] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
        not_a_ledger(name);
        assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), bytes, "and is left as it was");
    }
    rusqlite::Connection::open(dir.path().join("foreign")).unwrap().execute_batch("CREATE TABLE entry (x)").unwrap();
    not_a_ledger("foreign");
    std::fs::create_dir(dir.path().join("dir")).unwrap();
    not_a_ledger("dir");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&path, dir.path().join("link")).unwrap();
        not_a_ledger("link");
    }
    drop(writer);
    let left: Vec<_> = names(dir.path()).into_iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_ledger_file_is_private_and_made_so_again() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, path, writer) = sqlite();
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    drop(writer);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    SqliteStore::open(&path).unwrap();
    assert_eq!(mode(), 0o600);
}

#[test]
fn other_tools_meet_the_guards() {
    let (_dir, path, writer) = sqlite();
    let tool = rusqlite::Connection::open(&path).unwrap();
    let hash = "x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'";
    for sql in [
        "UPDATE entry SET leaf = x'00' WHERE idx = 1".to_owned(),
        "UPDATE entry SET idx = 7 WHERE idx = 1".to_owned(),
        "DELETE FROM entry WHERE idx = 2".to_owned(),
        "DELETE FROM entry".to_owned(),
        format!("INSERT INTO entry VALUES (4, {hash}, x'00')"),
        format!("INSERT INTO entry VALUES (1, {hash}, x'00')"),
        format!("INSERT OR REPLACE INTO entry VALUES (1, {hash}, x'00')"),
        "INSERT OR REPLACE INTO entry SELECT 3, payload_hash, leaf FROM entry WHERE idx = 1".to_owned(),
        "UPDATE head SET size = 2".to_owned(),
        "UPDATE head SET size = 4".to_owned(),
        format!("UPDATE head SET root = {hash}"),
        "DELETE FROM head".to_owned(),
        "INSERT INTO head SELECT 0, 9, root, checkpoint FROM head".to_owned(),
        "INSERT OR REPLACE INTO head SELECT 0, 9, root, checkpoint FROM head".to_owned(),
        "INSERT INTO head SELECT 1, size, root, checkpoint FROM head".to_owned(),
    ] {
        assert!(tool.execute_batch(&sql).is_err(), "{sql}");
    }
    drop(tool);
    assert_eq!(Writer::open(writer.store).texts(), ["0", "1", "2"]);
}

#[test]
fn an_altered_file_is_refused_or_the_missing_entry_named() {
    let check = |sql: &str, expected: &str| {
        let (_dir, path, writer) = sqlite();
        let head = writer.tree.head();
        drop(writer);
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let error = match SqliteStore::open(&path) {
            Err(error) => error.to_string(),
            Ok(store) => match store.read(0..3) {
                Err(error) => error.to_string(),
                Ok(_) => {
                    let leaf = entry("3");
                    let new = Head { size: 4, root: Digest::of(b"new") };
                    store.append(head, &[leaf], new, "").unwrap_err().to_string()
                }
            },
        };
        assert!(error.contains(expected), "{sql}: {error}");
    };
    let guard = "CREATE TRIGGER entry_delete BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'an entry is never removed'); END";
    check("DROP TRIGGER entry_delete", "`entry_delete` is missing");
    check(
        "DROP TRIGGER entry_delete; CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT 1; END",
        "changed",
    );
    check("CREATE TRIGGER extra AFTER INSERT ON entry BEGIN SELECT 1; END", "`extra` was added");
    check("CREATE VIEW extra AS SELECT 1", "`extra` was added");
    check("CREATE TABLE extra (x)", "`extra` was added");
    check("PRAGMA user_version = 2", "storage format 2");
    check("PRAGMA user_version = 0", "storage format says 0");
    check("PRAGMA application_id = 1", "not a ledger");
    check(&format!("DROP TRIGGER entry_delete; DELETE FROM entry WHERE idx = 1; {guard}"), "entry 1 is missing");
    check(&format!("DROP TRIGGER entry_delete; DELETE FROM entry WHERE idx = 2; {guard}"), "entry 2 is missing");
    // A row that nobody counted in the head: reading does not show it, and appending stops.
    let row = "INSERT INTO entry VALUES (3, zeroblob(32), x'00')";
    check(row, "altered from outside");
}

#[test]
fn appending_costs_little_more_than_bare_sqlite() {
    const APPENDS: usize = 200;
    let dir = tempfile::tempdir().unwrap();
    let bare = rusqlite::Connection::open(dir.path().join("bare.db")).unwrap();
    bare.execute_batch(
        "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA fullfsync = 1;
         CREATE TABLE entry (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL)",
    )
    .unwrap();
    let mut writer = Writer::open(SqliteStore::create(&dir.path().join("ledger.db")).unwrap());
    // In turns, so that the disk's moods meet both.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let filler = "x".repeat(1000);
    for n in 0..APPENDS {
        let text = format!("{n}{filler}");
        let started = Instant::now();
        writer.append(&text);
        ours.push(started.elapsed());
        let started = Instant::now();
        bare.execute("INSERT INTO entry (leaf) VALUES (?1)", [entry(&text).leaf]).unwrap();
        theirs.push(started.elapsed());
    }
    let figures = |mut times: Vec<Duration>| {
        times.sort_unstable();
        (times[APPENDS / 2], times[APPENDS * 99 / 100])
    };
    let ((p50, p99), (bare_p50, bare_p99)) = (figures(ours), figures(theirs));
    println!("append of 1 KiB: p50 {p50:?} p99 {p99:?}; bare SQLite p50 {bare_p50:?} p99 {bare_p99:?}");
    println!("append at {:.2} of the rate of bare SQLite", bare_p50.as_secs_f64() / p50.as_secs_f64());
    assert_eq!(writer.tree.size() as usize, APPENDS);
}
