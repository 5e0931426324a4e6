//! What was derived from the ledger, kept so that a screen need not wait for a replay; deleting it loses nothing.
//!
//! The file belongs to one ledger (its fingerprint) and one version of the code that derived it. Another owner,
//! another version, or damage: the file is made again, empty, and [`Opened`] says why. Everything in it is stored
//! with the head it was derived from, and a hash; the caller uses it only where that head is a prefix of what its pin
//! vouches for. A row whose hash does not fit is answered as absent, never as it stands: nobody is to read "approved"
//! out of a flipped bit. Against somebody who can write the file that is no protection; verdicts that matter are
//! derived again from signed bytes.
//!
//! Two kinds of content: snapshots, each one blob of bytes under a name, and lists, each of rows in an order, for
//! screens that page through them.
//!
//! Deliberately absent: what the bytes mean, queries other than by place and key, truth.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_core::hash::Digest;
use countersign_core::merkle::Head;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row as SqlRow, TransactionBehavior, params};

use crate::durable::{self, FileError};

/// "CsgP" in the header of every projection file.
const APPLICATION_ID: i64 = 0x4373_6750;

/// Changes whenever the tables below do.
const FORMAT: i64 = 1;

const WAIT: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
CREATE TABLE owner (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    fingerprint BLOB NOT NULL,
    code_version TEXT NOT NULL
) STRICT;
CREATE TABLE snapshot (
    name TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE TABLE list (
    name TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL
) STRICT;
CREATE TABLE item (
    list TEXT NOT NULL,
    key TEXT NOT NULL,
    place TEXT NOT NULL,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (list, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_by_place ON item (list, place, key);
";

/// Why a projection could not be used; the answer is always to derive it from the ledger.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// A process with another version of the code, or of another ledger, has taken the file over.
    #[error("another version of Countersign has taken over the cache at {}: open it again", .0.display())]
    TakenOver(PathBuf),
    /// A list is not at the head the change starts from.
    #[error("the list `{list}` is not at the head this change starts from: load it again")]
    Moved {
        /// The list.
        list: String,
    },
    /// The file cannot be read or written.
    #[error("the cache at {} cannot be used: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The answer of SQLite.
        source: rusqlite::Error,
    },
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// How a projection came to be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// With the content it had.
    Kept,
    /// There was none.
    Created,
    /// Empty, in place of one that could not be used.
    Recreated {
        /// What was wrong with that one.
        why: String,
    },
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is about; once in a list.
    pub key: String,
    /// Where it stands in the list: rows are in the order of these bytes, then of the keys.
    pub place: String,
    /// What the screen shows.
    pub bytes: Vec<u8>,
}

/// A projection, open.
#[derive(Debug)]
pub struct ProjectionFile {
    path: PathBuf,
    owner: Digest,
    code_version: String,
    connection: Mutex<Connection>,
}

impl ProjectionFile {
    /// Opens the projection of the ledger with the fingerprint `owner`, derived by `code_version`; makes it anew
    /// where there is none that fits.
    ///
    /// # Errors
    /// [`ProjectionError`] where the file can neither be used nor be made anew.
    pub fn open_or_recreate(
        path: &Path,
        owner: &Digest,
        code_version: &str,
    ) -> Result<(Self, Opened), ProjectionError> {
        // Two processes that find the same damage must not remove each other's new file.
        let _lock = durable::lock(&path.with_extension("lock"))?;
        let existed = path.symlink_metadata().is_ok();
        let fail = |source| ProjectionError::Sqlite { path: path.to_owned(), source };
        let (connection, opened) = match connect(path).and_then(|mut connection| {
            let why = adopt(&mut connection, owner, code_version)?;
            Ok((connection, why))
        }) {
            Ok((connection, None)) => (connection, Opened::Kept),
            Ok((connection, Some(_))) if !existed => (connection, Opened::Created),
            Ok((connection, Some(why))) => (connection, Opened::Recreated { why }),
            Err(error) if is_damage(&error) => {
                remove(path)?;
                let mut connection = connect(path).map_err(fail)?;
                adopt(&mut connection, owner, code_version).map_err(fail)?;
                (connection, Opened::Recreated { why: error.to_string() })
            }
            Err(error) => return Err(fail(error)),
        };
        let file = Self {
            path: path.to_owned(),
            owner: *owner,
            code_version: code_version.to_owned(),
            connection: Mutex::new(connection),
        };
        Ok((file, opened))
    }

    /// Deletes the projection at `path`, whatever it holds; that there is none is no error.
    ///
    /// # Errors
    /// [`ProjectionError::File`].
    pub fn remove(path: &Path) -> Result<(), ProjectionError> {
        let _lock = durable::lock(&path.with_extension("lock"))?;
        Ok(remove(path)?)
    }

    /// Loads a snapshot and the head it was derived from; none where there is none, or a damaged one.
    ///
    /// # Errors
    /// [`ProjectionError::TakenOver`] or [`ProjectionError::Sqlite`].
    pub fn load(&self, name: &str) -> Result<Option<(Head, Vec<u8>)>, ProjectionError> {
        self.read(|connection| {
            let found = connection
                .prepare_cached("SELECT size, root, hash, bytes FROM snapshot WHERE name = ?1")?
                .query_row([name], |row| Ok((head(row)?, row.get::<_, [u8; 32]>(2)?, row.get::<_, Vec<u8>>(3)?)))
                .optional()?;
            Ok(found
                .and_then(|(head, hash, bytes)| (hash == snapshot_hash(name, head, &bytes)).then_some((head, bytes))))
        })
    }

    /// Stores a snapshot derived from `head`, in place of the one of that name.
    ///
    /// # Errors
    /// [`ProjectionError::TakenOver`] or [`ProjectionError::Sqlite`].
    pub fn store(&self, name: &str, head: Head, bytes: &[u8]) -> Result<(), ProjectionError> {
        self.write(|connection| {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO snapshot (name, size, root, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![name, size(head), head.root.as_bytes(), snapshot_hash(name, head, bytes), bytes])?;
            Ok(())
        })
    }

    /// Returns the head a list was derived from; none where it was never stored.
    ///
    /// # Errors
    /// [`ProjectionError::TakenOver`] or [`ProjectionError::Sqlite`].
    pub fn list_head(&self, list: &str) -> Result<Option<Head>, ProjectionError> {
        self.read(|connection| list_head(connection, list))
    }

    /// Loads up to `limit` rows of a list in its order, those after the row `after` (its place and key), or the first.
    ///
    /// # Errors
    /// [`ProjectionError::TakenOver`]; [`ProjectionError::Sqlite`], also where a row does not fit its hash: then the
    /// list is to be stored anew.
    pub fn rows(&self, list: &str, after: Option<(&str, &str)>, limit: u32) -> Result<Vec<Row>, ProjectionError> {
        let (place, key) = after.unwrap_or(("", ""));
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT key, place, hash, bytes FROM item WHERE list = ?1 AND (place, key) > (?2, ?3)
                     ORDER BY place, key LIMIT ?4",
                )?
                .query_map(params![list, place, key, limit], |row| row_of(list, row))?
                .collect()
        })
    }

    /// Loads the row of a list with this key; none where there is none.
    ///
    /// # Errors
    /// Those of [`rows`](Self::rows).
    pub fn row(&self, list: &str, key: &str) -> Result<Option<Row>, ProjectionError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT key, place, hash, bytes FROM item WHERE list = ?1 AND key = ?2")?
                .query_row([list, key], |row| row_of(list, row))
                .optional()
        })
    }

    /// Counts the rows of a list.
    ///
    /// # Errors
    /// [`ProjectionError::TakenOver`] or [`ProjectionError::Sqlite`].
    pub fn row_count(&self, list: &str) -> Result<u64, ProjectionError> {
        self.read(|connection| {
            let count: i64 = connection
                .prepare_cached("SELECT count(*) FROM item WHERE list = ?1")?
                .query_row([list], |row| row.get(0))?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }

    /// Moves a list from one head to the next: puts the changed rows, takes the removed keys out.
    ///
    /// From none, the list is stored anew and what it had is gone.
    ///
    /// # Errors
    /// [`ProjectionError::Moved`] where the list is not at `from`; [`ProjectionError::TakenOver`] or
    /// [`ProjectionError::Sqlite`].
    pub fn store_rows(
        &self,
        list: &str,
        from: Option<Head>,
        to: Head,
        changed: &[Row],
        removed: &[&str],
    ) -> Result<(), ProjectionError> {
        let mut moved = false;
        self.write(|connection| {
            match from {
                None => {
                    connection.execute("DELETE FROM item WHERE list = ?1", [list])?;
                }
                Some(_) => {
                    moved = list_head(connection, list)? != from;
                    if moved {
                        return Ok(());
                    }
                }
            }
            let mut remove = connection.prepare_cached("DELETE FROM item WHERE list = ?1 AND key = ?2")?;
            for key in removed {
                remove.execute([list, key])?;
            }
            let mut put = connection.prepare_cached(
                "INSERT OR REPLACE INTO item (list, key, place, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for row in changed {
                put.execute(params![list, row.key, row.place, row_hash(list, row), row.bytes])?;
            }
            connection
                .prepare_cached("INSERT OR REPLACE INTO list (name, size, root) VALUES (?1, ?2, ?3)")?
                .execute(params![list, size(to), to.root.as_bytes()])?;
            Ok(())
        })?;
        if moved { Err(ProjectionError::Moved { list: list.to_owned() }) } else { Ok(()) }
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, ProjectionError> {
        self.within(TransactionBehavior::Deferred, read)
    }

    fn write<T>(&self, write: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, ProjectionError> {
        self.within(TransactionBehavior::Immediate, write)
    }

    /// Runs `act` in one transaction, in which the file is still ours.
    fn within<T>(
        &self,
        behavior: TransactionBehavior,
        act: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, ProjectionError> {
        let fail = |source| ProjectionError::Sqlite { path: self.path.clone(), source };
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(behavior).map_err(fail)?;
        if owner(&transaction).map_err(fail)? != Some((self.owner, self.code_version.clone())) {
            return Err(ProjectionError::TakenOver(self.path.clone()));
        }
        let result = act(&transaction).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        Ok(result)
    }
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    if !path.exists() {
        // Made here, so that it is private from its first moment (0600); SQLite gives its other files the same mode.
        let _ = durable::write_new(path, b"");
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(WAIT)?;
    connection.pragma_update(None, "trusted_schema", 0)?;
    connection.pragma_update(None, "cell_size_check", 1)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // After a power cut the newest changes may be gone, which is no loss here; the file is whole all the same.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

/// Makes the file ours; answers why it had to be emptied first, or none where it was ours.
fn adopt(
    connection: &mut Connection,
    owner_wanted: &Digest,
    code_version: &str,
) -> Result<Option<String>, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let application_id: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let why = if application_id != APPLICATION_ID || format != FORMAT {
        format!("it has another format ({application_id:#x}, {format})")
    } else {
        match owner(&transaction)? {
            Some((found, version)) if found == *owner_wanted && version == code_version => {
                return Ok(None);
            }
            Some((found, _)) if found != *owner_wanted => {
                format!("it belongs to the ledger {found}")
            }
            Some((_, version)) => format!("it was derived by version {version}"),
            None => "it has no owner".to_owned(),
        }
    };
    let tables: Vec<String> = transaction
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in tables {
        transaction.execute_batch(&format!("DROP TABLE \"{}\"", table.replace('"', "\"\"")))?;
    }
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.execute(
        "INSERT INTO owner (only, fingerprint, code_version) VALUES (0, ?1, ?2)",
        params![owner_wanted.as_bytes(), code_version],
    )?;
    transaction.commit()?;
    Ok(Some(why))
}

fn owner(connection: &Connection) -> Result<Option<(Digest, String)>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT fingerprint, code_version FROM owner WHERE only = 0")?
        .query_row([], |row| Ok((Digest::from_bytes(row.get(0)?), row.get(1)?)))
        .optional()
}

fn list_head(connection: &Connection, list: &str) -> Result<Option<Head>, rusqlite::Error> {
    connection.prepare_cached("SELECT size, root FROM list WHERE name = ?1")?.query_row([list], head).optional()
}

/// Removes a file that is no projection, and SQLite's files beside it.
fn remove(path: &Path) -> Result<(), FileError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(FileError::io("remove", Path::new(&name))(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Says whether the file itself is at fault, rather than the disk or another process.
fn is_damage(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown | ErrorCode::ConstraintViolation
        ),
        // A value of the wrong type in our own tables.
        None => true,
    }
}

fn head(row: &SqlRow<'_>) -> Result<Head, rusqlite::Error> {
    let size: i64 = row.get(0)?;
    let size = u64::try_from(size).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, size))?;
    Ok(Head { size, root: Digest::from_bytes(row.get(1)?) })
}

fn size(head: Head) -> i64 {
    i64::try_from(head.size).unwrap_or(i64::MAX)
}

fn row_of(list: &str, row: &SqlRow<'_>) -> Result<Row, rusqlite::Error> {
    let hash: [u8; 32] = row.get(2)?;
    let row = Row { key: row.get(0)?, place: row.get(1)?, bytes: row.get(3)? };
    if hash == row_hash(list, &row) {
        Ok(row)
    } else {
        let damaged = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        Err(rusqlite::Error::SqliteFailure(damaged, Some(format!("a row of the list `{list}` is damaged"))))
    }
}

fn snapshot_hash(name: &str, head: Head, bytes: &[u8]) -> [u8; 32] {
    hash(&[name.as_bytes(), &head.size.to_be_bytes(), head.root.as_bytes(), bytes])
}

fn row_hash(list: &str, row: &Row) -> [u8; 32] {
    hash(&[list.as_bytes(), row.key.as_bytes(), row.place.as_bytes(), &row.bytes])
}

/// Each part is preceded by its length, so that no two lists of parts hash alike.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Digest = Digest::from_bytes([7; 32]);

    fn head_at(size: u64) -> Head {
        Head { size, root: Digest::of(&size.to_be_bytes()) }
    }

    fn row(key: &str, place: &str) -> Row {
        Row { key: key.to_owned(), place: place.to_owned(), bytes: format!("row {key}").into_bytes() }
    }

    fn keys(file: &ProjectionFile, after: Option<(&str, &str)>, limit: u32) -> Vec<String> {
        file.rows("releases", after, limit).unwrap().into_iter().map(|row| row.key).collect()
    }

    fn open(path: &Path) -> (ProjectionFile, Opened) {
        ProjectionFile::open_or_recreate(path, &OWNER, "1.0.0 abc").unwrap()
    }

    #[test]
    fn a_snapshot_comes_back_with_the_head_it_was_derived_from() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("projection.db");
        let (file, opened) = open(&path);
        assert_eq!((opened, file.load("state").unwrap()), (Opened::Created, None));
        file.store("state", head_at(3), b"three").unwrap();
        file.store("state", head_at(4), b"four").unwrap();
        let (again, opened) = open(&path);
        assert_eq!((opened, again.load("state").unwrap()), (Opened::Kept, Some((head_at(4), b"four".to_vec()))));
    }

    #[test]
    fn a_list_is_paged_in_order_and_moves_from_head_to_head() {
        let dir = tempfile::tempdir().unwrap();
        let (file, _) = open(&dir.path().join("projection.db"));
        let rows = [row("c", "2"), row("a", "2"), row("b", "1"), row("d", "3")];
        file.store_rows("releases", None, head_at(1), &rows, &[]).unwrap();
        assert_eq!(keys(&file, None, 3), ["b", "a", "c"]);
        assert_eq!(keys(&file, Some(("2", "a")), 9), ["c", "d"]);
        let stale = file.store_rows("releases", Some(head_at(9)), head_at(10), &[], &["a"]);
        assert!(matches!(stale, Err(ProjectionError::Moved { .. })));
        file.store_rows("releases", Some(head_at(1)), head_at(2), &[row("d", "0")], &["a"]).unwrap();
        assert_eq!(keys(&file, None, 9), ["d", "b", "c"]);
        assert_eq!((file.list_head("releases").unwrap(), file.row_count("releases").unwrap()), (Some(head_at(2)), 3));
        assert_eq!(file.row("releases", "d").unwrap(), Some(row("d", "0")));
        assert_eq!((file.row("releases", "a").unwrap(), file.row("other", "d").unwrap()), (None, None));
        file.store_rows("releases", None, head_at(3), &[row("x", "1")], &[]).unwrap();
        assert_eq!(keys(&file, None, 9), ["x"]);
    }

    #[test]
    fn what_is_not_ours_is_made_anew_and_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("projection.db");
        let recreated = |owner: &Digest, version: &str| {
            let (file, opened) = ProjectionFile::open_or_recreate(&path, owner, version).unwrap();
            let content = file.load("state").unwrap();
            file.store("state", head_at(1), b"state").unwrap();
            assert_eq!(content, None);
            match opened {
                Opened::Recreated { why } => why,
                other => panic!("{other:?}"),
            }
        };
        let (file, _) = open(&path);
        file.store("state", head_at(1), b"state").unwrap();
        assert!(recreated(&OWNER, "2.0.0").contains("version 1.0.0"));
        assert!(matches!(file.load("state"), Err(ProjectionError::TakenOver(_))), "the older process notices");
        assert!(matches!(file.store("state", head_at(2), b""), Err(ProjectionError::TakenOver(_))));
        drop(file);
        assert!(recreated(&Digest::of(b"other"), "2.0.0").contains("belongs to the ledger"));
        for rubbish in [&b"not a database, but long enough to be taken for the header of one"[..], &[0; 4096]] {
            remove(&path).unwrap();
            fs::write(&path, rubbish).unwrap();
            recreated(&OWNER, "2.0.0");
        }
        remove(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE owner (x); CREATE TABLE y (z)").unwrap();
        assert!(recreated(&OWNER, "2.0.0").contains("another format"));
    }

    #[test]
    fn a_flipped_bit_never_becomes_an_answer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("projection.db");
        let (file, _) = open(&path);
        let rows = [row("a", "1"), row("b", "2")];
        file.store("state", head_at(3), b"not approved").unwrap();
        file.store_rows("releases", None, head_at(3), &rows, &[]).unwrap();
        file.connection.lock().unwrap().pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).unwrap();
        drop(file);
        let sound = fs::read(&path).unwrap();
        let (mut answered, mut refused, mut recreated) = (0, 0, 0);
        // One bit of every 127th byte meets every page and takes seconds.
        for place in (0..sound.len()).step_by(127) {
            let mut flipped = sound.clone();
            flipped[place] ^= 1 << (place % 8);
            remove(&path).unwrap();
            fs::write(&path, &flipped).unwrap();
            let Ok((file, opened)) = ProjectionFile::open_or_recreate(&path, &OWNER, "1.0.0 abc") else {
                refused += 1;
                continue;
            };
            recreated += usize::from(opened != Opened::Kept);
            if let Ok(Some(state)) = file.load("state") {
                assert_eq!(state, (head_at(3), b"not approved".to_vec()), "bit {} of byte {place}", place % 8);
                answered += 1;
            }
            for found in file.rows("releases", None, 9).unwrap_or_default() {
                assert!(rows.contains(&found), "bit {} of byte {place}", place % 8);
            }
        }
        assert!(answered > 0 && recreated > 0, "{answered} answered, {refused} refused, {recreated} recreated");
    }
}
