//! A ledger in one SQLite file.
//!
//! The file uses a rollback journal that is deleted at commit (`journal_mode=DELETE`), with every flush SQLite knows
//! (`synchronous=EXTRA`, and `F_FULLFSYNC` on macOS). A commit is the moment the journal's name disappears from the
//! flushed directory. What a crash leaves behind, gap by gap:
//!
//! - before the journal is flushed: the file was not touched; the journal is ignored or rolled back to the same bytes;
//! - after that, while pages of the file are written: the journal is whole, the next one to open the file puts the
//!   old pages back;
//! - after the file is flushed, before the journal is gone: as above, the append is undone although it was complete;
//!   nobody had been told of it;
//! - the journal's name is gone but the directory not flushed: a power cut may bring it back and undo the append;
//!   nobody had been told of it, and no other process could read it, as the file is still locked;
//! - the directory is flushed, the caller not yet told: the entries are in. Whoever tries again with the same
//!   payload learns so from [`landed`](super::landed) or from a conflict.
//!
//! So leaves and head are both there or both absent, and what was acknowledged stays.
//!
//! One gap SQLite leaves open: where it cannot open the directory at that last step (the process has run out of file
//! descriptors), it skips the flush and says nothing. So an append first opens the directory itself, and is refused
//! where it cannot.
//!
//! The triggers are guard rails against accidents with other tools, not protection against somebody who owns the
//! file: that is the work of signatures, `seen` and the pin.
//!
//! Refused where it can be told: network file systems (Linux by the kind of file system, macOS by its "local" mark,
//! Windows by a network path). A network file system behind FUSE looks like a local one and is not noticed.
//!
//! Nothing else in the process may open the file: closing any handle of it would drop SQLite's locks (POSIX
//! advisory locks belong to the process).

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use countersign_core::hash::Digest;
use countersign_core::merkle::Head;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{AppendError, NewLeaf, Store, StoreError, StoredHead, check_append};
use crate::durable;

/// "CsgL" in the header of every ledger file.
const APPLICATION_ID: i64 = 0x4373_674c;

/// The storage format, `user_version` of the file; an older program refuses a newer one.
const FORMAT: i64 = 1;

/// How long a reader or writer waits for others before it reports [`StoreError::Busy`].
const WAIT: Duration = Duration::from_secs(30);

/// Every table and guard of a ledger file, by name; a file with others, or without one of these, is refused.
const SCHEMA: [(&str, &str); 9] = [
    (
        "entry",
        "CREATE TABLE entry (
    idx INTEGER PRIMARY KEY CHECK (idx >= 0),
    payload_hash BLOB NOT NULL UNIQUE CHECK (length(payload_hash) = 32),
    leaf BLOB NOT NULL CHECK (length(leaf) BETWEEN 1 AND 65536)
) STRICT",
    ),
    (
        "head",
        "CREATE TABLE head (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    size INTEGER NOT NULL CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    checkpoint TEXT NOT NULL
) STRICT",
    ),
    (
        "entry_insert",
        "CREATE TRIGGER entry_insert BEFORE INSERT ON entry
WHEN NEW.idx IS NOT (SELECT coalesce(max(idx), -1) + 1 FROM entry)
    OR EXISTS (SELECT 1 FROM entry WHERE payload_hash = NEW.payload_hash)
BEGIN SELECT RAISE(ABORT, 'a ledger grows at its end, each payload once'); END",
    ),
    (
        "entry_update",
        "CREATE TRIGGER entry_update BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'an entry never changes'); END",
    ),
    (
        "entry_delete",
        "CREATE TRIGGER entry_delete BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'an entry is never removed'); END",
    ),
    (
        "head_insert",
        "CREATE TRIGGER head_insert BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head)
BEGIN SELECT RAISE(ABORT, 'a ledger has one head'); END",
    ),
    (
        "head_update",
        "CREATE TRIGGER head_update BEFORE UPDATE ON head
WHEN NEW.size <= OLD.size OR NEW.size IS NOT (SELECT max(idx) + 1 FROM entry)
BEGIN SELECT RAISE(ABORT, 'the head moves forward, to the last entry'); END",
    ),
    (
        "head_delete",
        "CREATE TRIGGER head_delete BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'a ledger has one head'); END",
    ),
    // The index behind UNIQUE; SQLite keeps no text for it.
    ("sqlite_autoindex_entry_1", ""),
];

/// A ledger file, open.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    access: Access,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// None after a failure that leaves the outcome to be found out from the file: the next call opens it afresh,
    /// which rolls back or adopts what the disk holds.
    connection: Option<Connection>,
    size_limit_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Append,
    ReadOnly,
}

impl SqliteStore {
    /// Creates an empty ledger file, private to this user (0600), in a directory that exists.
    ///
    /// The file appears under its name only when it is complete and flushed.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`], [`StoreError::NetworkFileSystem`], or what the disk refuses.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let (dir, path) = locate(path)?;
        refuse_network_file_system(&dir)?;
        if path.symlink_metadata().is_ok() {
            return Err(StoreError::AlreadyExists { path: path.display().to_string() });
        }
        let file = tempfile::Builder::new()
            .prefix(durable::TEMPORARY_PREFIX)
            .tempfile_in(&dir)
            .map_err(durable::FileError::io("create a file in", &dir))?
            .into_temp_path();
        let connection = connect(&file, Access::Append, None)?;
        lay_schema(&connection).map_err(|error| read_error("create the ledger", error))?;
        connection.close().map_err(|(_, error)| read_error("close the new ledger", error))?;
        file.persist_noclobber(&path).map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::AlreadyExists { path: path.display().to_string() },
            _ => durable::FileError::io("create", &path)(error.error).into(),
        })?;
        durable::sync_dir(&dir)?;
        Self::open(&path)
    }

    /// Opens a ledger to read and append; never creates one.
    ///
    /// Permissions for other users are taken away from the file.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NotALedger`], [`StoreError::NewerFormat`], [`StoreError::Altered`],
    /// [`StoreError::NetworkFileSystem`], [`StoreError::Corrupt`], or what the disk refuses.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, Access::Append)
    }

    /// Opens a ledger that must not be touched, such as the one in a backup.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); also [`StoreError::Storage`] where the last writer crashed and its append would
    /// have to be undone first.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, Access::ReadOnly)
    }

    fn open_as(path: &Path, access: Access) -> Result<Self, StoreError> {
        let (_, path) = locate(path)?;
        let connection = open_ledger(&path, access, None)?;
        let state = Mutex::new(State { connection: Some(connection), size_limit_bytes: None });
        Ok(Self { path, access, state })
    }

    /// Returns the path of the ledger file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets the largest size this handle lets the file grow to; beyond it an append ends in
    /// [`AppendError::DiskFull`].
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn limit_size(&self, bytes: u64) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.size_limit_bytes = Some(bytes);
        // The limit is set when a connection is opened.
        state.connection = None;
        drop(state);
        self.with("limit the ledger", |_| Ok(()))
    }

    /// Copies the ledger as it is at one moment into a new file, by SQLite's backup interface; other processes may
    /// read and append meanwhile.
    ///
    /// The copy is flushed, its name is not.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`], [`StoreError::Busy`], or what the disk refuses.
    pub(crate) fn copy_to(&self, destination: &Path) -> Result<(), StoreError> {
        let (_, destination) = locate(destination)?;
        let destination = destination.as_path();
        durable::write_new(destination, b"").map_err(|error| match error {
            error if error.is_already_there() => StoreError::AlreadyExists { path: destination.display().to_string() },
            error => error.into(),
        })?;
        let mut copy = connect(destination, Access::Append, None)?;
        self.with("copy the ledger", |source| {
            use rusqlite::backup::{Backup, StepResult};
            let backup = Backup::new(source, &mut copy)?;
            let started = Instant::now();
            loop {
                // All pages in one step: a copy in pieces starts over whenever another process appends.
                match backup.step(-1)? {
                    StepResult::Done => return Ok(()),
                    _ if started.elapsed() >= WAIT => return Err(busy()),
                    _ => thread::sleep(Duration::from_millis(5)),
                }
            }
        })?;
        copy.close().map_err(|(_, error)| read_error("close the copy", error))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic inside a transaction rolls it back, so what a poisoned lock guards is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `read` on the connection, which it opens again first where the last failure closed it.
    fn with<T>(
        &self,
        act: &'static str,
        read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let mut state = self.lock();
        let connection = self.connection(&mut state)?;
        read(connection).map_err(|error| read_error(act, error))
    }

    fn connection<'state>(&self, state: &'state mut State) -> Result<&'state mut Connection, StoreError> {
        let limit = state.size_limit_bytes;
        match &mut state.connection {
            Some(connection) => Ok(connection),
            closed => Ok(closed.insert(open_ledger(&self.path, self.access, limit)?)),
        }
    }
}

impl Store for SqliteStore {
    fn head(&self) -> Result<Option<StoredHead>, StoreError> {
        let stored = self.with("read the head", load_head)??;
        Ok((stored.head.size > 0).then_some(stored))
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
        self.with("read entries", |connection| {
            // One read transaction, so that head and rows are of the same moment.
            let moment = connection.unchecked_transaction()?;
            let size = match load_head(&moment)? {
                Ok(stored) => stored.head.size,
                Err(error) => return Ok(Err(error)),
            };
            if range.start > range.end || range.end > size {
                return Ok(Err(StoreError::OutOfRange { start: range.start, end: range.end, size }));
            }
            let mut leaves = Vec::new();
            let mut statement =
                moment.prepare_cached("SELECT idx, leaf FROM entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx")?;
            let mut rows = statement.query([to_sql(range.start), to_sql(range.end)])?;
            for index in range {
                match rows.next()? {
                    Some(row) if row.get::<_, i64>(0)? == to_sql(index) => leaves.push(row.get(1)?),
                    _ => return Ok(Err(StoreError::Missing { index })),
                }
            }
            Ok(Ok(leaves))
        })?
    }

    fn find(&self, payload_hash: &Digest) -> Result<Option<u64>, StoreError> {
        self.with("find an entry", |connection| find(connection, payload_hash))?
    }

    fn append(&self, expected: Head, leaves: &[NewLeaf], new: Head, checkpoint: &str) -> Result<(), AppendError> {
        check_append(expected, leaves, new)?;
        let mut state = self.lock();
        let connection = self.connection(&mut state)?;
        let result = append(connection, expected, leaves, new, checkpoint, &self.path);
        if !matches!(
            result,
            Ok(())
                | Err(AppendError::Conflict { .. }
                    | AppendError::DuplicatePayload { .. }
                    | AppendError::Busy { .. }
                    | AppendError::Invalid(_))
        ) {
            // Whatever this connection still believes, the file decides: closing and opening it again rolls back a
            // journal that was left, and flushes the directory if that is what failed.
            state.connection = None;
        }
        result
    }
}

/// The one atomic step of a ledger.
fn append(
    connection: &mut Connection,
    expected: Head,
    leaves: &[NewLeaf],
    new: Head,
    checkpoint: &str,
    path: &Path,
) -> Result<(), AppendError> {
    // IMMEDIATE takes the write lock before anything is read, so the head compared is the head swapped.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(append_error)?;
    let actual = load_head(&transaction).map_err(append_error)??.head;
    if actual != expected {
        return Err(AppendError::Conflict { expected, actual });
    }
    for leaf in leaves {
        if let Some(index) = find(&transaction, &leaf.payload_hash).map_err(append_error)?? {
            return Err(AppendError::DuplicatePayload { payload_hash: leaf.payload_hash, index });
        }
    }
    insert(&transaction, expected, leaves, new, checkpoint).map_err(append_error)?;
    check_dir_opens(path)?;
    transaction.commit().map_err(|error| match code(&error) {
        // Both come before the journal goes: the transaction is still open, or undone.
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull) => append_error(error),
        _ => AppendError::Unknown { source: error.into() },
    })
}

fn insert(
    transaction: &Transaction<'_>,
    expected: Head,
    leaves: &[NewLeaf],
    new: Head,
    checkpoint: &str,
) -> Result<(), rusqlite::Error> {
    let mut statement =
        transaction.prepare_cached("INSERT INTO entry (idx, payload_hash, leaf) VALUES (?1, ?2, ?3)")?;
    for (index, leaf) in (expected.size..).zip(leaves) {
        statement.execute(params![to_sql(index), leaf.payload_hash.as_bytes(), leaf.leaf])?;
    }
    let mut swap = transaction.prepare_cached(
        "UPDATE head SET size = ?1, root = ?2, checkpoint = ?3 WHERE only = 0 AND size = ?4 AND root = ?5",
    )?;
    let (new_size, old_size) = (to_sql(new.size), to_sql(expected.size));
    match swap.execute(params![new_size, new.root.as_bytes(), checkpoint, old_size, expected.root.as_bytes()])? {
        1 => Ok(()),
        changed => Err(rusqlite::Error::StatementChangedRows(changed)),
    }
}

/// Checks that SQLite will be able to open the ledger's directory to flush it.
fn check_dir_opens(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        let dir = path.parent().unwrap_or(Path::new("."));
        fs::File::open(dir).map_err(durable::FileError::io("open", dir))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn load_head(connection: &Connection) -> Result<Result<StoredHead, StoreError>, rusqlite::Error> {
    let row = connection
        .prepare_cached("SELECT size, root, checkpoint FROM head WHERE only = 0")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, String>(2)?)))
        .optional()?;
    Ok(match row {
        Some((size, root, checkpoint)) => match u64::try_from(size) {
            Ok(size) => Ok(StoredHead { head: Head { size, root: Digest::from_bytes(root) }, checkpoint }),
            Err(_) => Err(StoreError::Corrupt { what: format!("its head has size {size}") }),
        },
        None => Err(StoreError::Altered { what: "it has no head".to_owned() }),
    })
}

fn find(connection: &Connection, payload_hash: &Digest) -> Result<Result<Option<u64>, StoreError>, rusqlite::Error> {
    let index: Option<i64> = connection
        .prepare_cached("SELECT idx FROM entry WHERE payload_hash = ?1")?
        .query_row([payload_hash.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(index) = index else {
        return Ok(Ok(None));
    };
    // The first answer came from the index alone; the row has to say the same.
    let in_row: Option<[u8; 32]> = connection
        .prepare_cached("SELECT payload_hash FROM entry WHERE idx = ?1")?
        .query_row([index], |row| row.get(0))
        .optional()?;
    Ok(match (in_row, u64::try_from(index)) {
        (Some(hash), Ok(index)) if hash == *payload_hash.as_bytes() => Ok(Some(index)),
        _ => Err(StoreError::Corrupt { what: format!("its index of payloads does not fit entry {index}") }),
    })
}

/// An index or size as SQL has it. Beyond `i64::MAX` there are no rows, so the largest value stands for all of them.
fn to_sql(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

fn lay_schema(connection: &Connection) -> Result<(), rusqlite::Error> {
    let transaction = connection.unchecked_transaction()?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    for (_, sql) in SCHEMA.iter().filter(|(_, sql)| !sql.is_empty()) {
        transaction.execute_batch(sql)?;
    }
    transaction.execute(
        "INSERT INTO head (only, size, root, checkpoint) VALUES (0, 0, ?1, '')",
        [Head::EMPTY.root.as_bytes()],
    )?;
    transaction.commit()
}

fn open_ledger(path: &Path, access: Access, size_limit_bytes: Option<u64>) -> Result<Connection, StoreError> {
    let named = || path.display().to_string();
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => {}
        // A link is refused: the journal belongs beside the real file, and two names would mean two journals.
        Ok(_) => {
            return Err(StoreError::NotALedger { path: named(), why: "it is not a regular file".to_owned() });
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::NotFound { path: named() });
        }
        Err(error) => return Err(durable::FileError::io("inspect", path)(error).into()),
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    if access == Access::Append {
        refuse_network_file_system(dir)?;
        restrict(path)?;
    }
    let connection = connect(path, access, size_limit_bytes)?;
    check_identity(&connection, path)?;
    if access == Access::Append {
        // A crash may have come between the end of a journal and the flush of its directory: from here on, what is
        // read is also what stays.
        durable::sync_dir(dir)?;
    }
    Ok(connection)
}

fn connect(path: &Path, access: Access, size_limit_bytes: Option<u64>) -> Result<Connection, StoreError> {
    let flags = match access {
        Access::Append => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let open = || -> Result<Connection, rusqlite::Error> {
        let mut connection = Connection::open_with_flags(path, flags)?;
        wait_for_others(&mut connection)?;
        for (setting, value) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
        ] {
            connection.set_db_config(setting, value)?;
        }
        for (pragma, value) in [("mmap_size", 0), ("cell_size_check", 1), ("recursive_triggers", 1), ("temp_store", 2)]
        {
            connection.pragma_update(None, pragma, value)?;
        }
        if access == Access::Append {
            connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| {
                let mode: String = row.get(0)?;
                if mode == "delete" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
            })?;
            connection.pragma_update(None, "synchronous", "EXTRA")?;
            connection.pragma_update(None, "fullfsync", 1)?;
        }
        if let Some(bytes) = size_limit_bytes {
            let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page_bytes.max(1);
            connection.pragma_update(None, "max_page_count", pages)?;
        }
        Ok(connection)
    };
    open().map_err(|error| match (code(&error), error) {
        (Some(ErrorCode::NotADatabase), error) => {
            StoreError::NotALedger { path: path.display().to_string(), why: error.to_string() }
        }
        (_, error) => read_error("open the ledger", error),
    })
}

/// Lets every statement wait its turn, at most [`WAIT`], at uneven intervals so that writers do not march in step.
fn wait_for_others(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    let mut started = Instant::now();
    connection.busy_handler(Some(move |times: i32| {
        if times == 0 {
            started = Instant::now();
        }
        let span_ms = u32::try_from(times).unwrap_or(0).clamp(1, 8) * 2;
        let pause_ms = 1 + getrandom::u32().unwrap_or(0) % span_ms;
        thread::sleep(Duration::from_millis(pause_ms.into()));
        started.elapsed() < WAIT
    }))
}

fn check_identity(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    type Identity = (i64, i64, Vec<(String, String)>);
    let load = || -> Result<Identity, rusqlite::Error> {
        let application_id = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let format = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let schema = connection
            .prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        Ok((application_id, format, schema))
    };
    let not_a_ledger = |why: String| StoreError::NotALedger { path: path.display().to_string(), why };
    let (application_id, format, found) = load().map_err(|error| match code(&error) {
        Some(ErrorCode::NotADatabase) => not_a_ledger(error.to_string()),
        _ => read_error("open the ledger", error),
    })?;
    if application_id != APPLICATION_ID {
        return Err(not_a_ledger(format!("its application id is {application_id:#x}")));
    }
    if format > FORMAT {
        return Err(StoreError::NewerFormat { found: format, known: FORMAT });
    }
    if format != FORMAT {
        return Err(StoreError::Altered { what: format!("its storage format says {format}") });
    }
    for (name, sql) in SCHEMA {
        if !found.iter().any(|found| found.0 == name && found.1 == sql) {
            return Err(StoreError::Altered { what: format!("`{name}` is missing or changed") });
        }
    }
    match found.iter().find(|found| !SCHEMA.iter().any(|(name, _)| *name == found.0)) {
        Some((name, _)) => Err(StoreError::Altered { what: format!("`{name}` was added") }),
        None if found.len() != SCHEMA.len() => Err(StoreError::Altered { what: "its tables are doubled".to_owned() }),
        None => Ok(()),
    }
}

fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}

fn busy() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}

fn read_error(act: &'static str, error: rusqlite::Error) -> StoreError {
    match (code(&error), &error) {
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => {
            StoreError::Busy { waited_seconds: WAIT.as_secs() }
        }
        (Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase), _) => {
            StoreError::Corrupt { what: error.to_string() }
        }
        // A value of the wrong kind or length in a column of ours.
        (
            None,
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..),
        ) => StoreError::Corrupt { what: error.to_string() },
        _ => StoreError::Storage { act, source: error.into() },
    }
}

/// An error before the commit: nothing was appended.
fn append_error(error: rusqlite::Error) -> AppendError {
    match (code(&error), &error) {
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => {
            AppendError::Busy { waited_seconds: WAIT.as_secs() }
        }
        (Some(ErrorCode::DiskFull), _) => AppendError::DiskFull,
        // Head and duplicates were checked under the write lock, so a guard that still speaks up has met rows that
        // were not written by us.
        (Some(ErrorCode::ConstraintViolation), _) | (None, rusqlite::Error::StatementChangedRows(_)) => {
            StoreError::Altered { what: error.to_string() }.into()
        }
        _ => read_error("append", error).into(),
    }
}

/// Resolves the directory a ledger file lies in, and the file's path in it.
fn locate(path: &Path) -> Result<(PathBuf, PathBuf), StoreError> {
    let not_found = || StoreError::NotFound { path: path.display().to_string() };
    let name = path.file_name().ok_or_else(not_found)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = fs::canonicalize(parent).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => not_found(),
        _ => durable::FileError::io("open", parent)(error).into(),
    })?;
    let path = dir.join(name);
    Ok((dir, path))
}

/// Takes the file's permissions for others away (0600).
fn restrict(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(durable::FileError::io("inspect", path))?.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))
                .map_err(durable::FileError::io("restrict", path))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn refuse_network_file_system(dir: &Path) -> Result<(), StoreError> {
    match network_file_system(dir) {
        Some(kind) => Err(StoreError::NetworkFileSystem { path: dir.display().to_string(), kind }),
        None => Ok(()),
    }
}

/// Names the network file system a directory lies on; none where it is local or cannot be told.
#[cfg(target_os = "linux")]
#[allow(clippy::useless_conversion, reason = "the number has another type on other processors")]
fn network_file_system(dir: &Path) -> Option<String> {
    kind_by_magic(i64::try_from(rustix::fs::statfs(dir).ok()?.f_type).ok()?).map(str::to_owned)
}

/// The numbers of statfs(2), `f_type`.
#[cfg(target_os = "linux")]
fn kind_by_magic(magic: i64) -> Option<&'static str> {
    // Some platforms hand out the number sign-extended from 32 bits.
    Some(match magic & 0xffff_ffff {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x0102_1997 => "9P",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x00c3_6400 => "Ceph",
        0x7375_7245 => "Coda",
        0x564c => "NCP",
        0x0bd0_0bd0 => "Lustre",
        0x0116_1970 => "GFS2",
        0x7461_636f => "OCFS2",
        _ => return None,
    })
}

/// Names the network file system a directory lies on; none where it is local or cannot be told.
#[cfg(target_os = "macos")]
fn network_file_system(dir: &Path) -> Option<String> {
    // MNT_LOCAL of <sys/mount.h>.
    const LOCAL: u32 = 0x1000;
    (rustix::fs::statfs(dir).ok()?.f_flags & LOCAL == 0).then(|| "not local".to_owned())
}

/// Names the network file system a directory lies on; none where it is local or cannot be told.
#[cfg(windows)]
fn network_file_system(dir: &Path) -> Option<String> {
    use std::path::{Component, Prefix};
    // The path is canonical, so a drive letter of the network shows as the share behind it.
    match dir.components().next() {
        Some(Component::Prefix(prefix)) if matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..)) => {
            Some("network share".to_owned())
        }
        _ => None,
    }
}

/// Names the network file system a directory lies on; never known on other systems.
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn network_file_system(_dir: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LEAF_LIMIT_BYTES;

    #[test]
    fn the_limit_of_a_leaf_is_the_limit_of_its_column() {
        assert!(SCHEMA[0].1.contains(&format!("BETWEEN 1 AND {LEAF_LIMIT_BYTES})")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_known_by_their_number() {
        assert_eq!(kind_by_magic(0x6969), Some("NFS"));
        assert_eq!(kind_by_magic(i64::from(0xff53_4d42_u32 as i32)), Some("SMB"));
        assert_eq!(kind_by_magic(0xef53), None, "ext4");
        assert_eq!(kind_by_magic(0x0102_1994), None, "tmpfs");
    }

    #[test]
    fn every_connection_has_the_settings_the_crash_story_rests_on() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(&dir.path().join("ledger.db")).unwrap();
        let settings = store
            .with("read settings", |connection| {
                let text = |name| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
                let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
                Ok((
                    text("journal_mode")?,
                    number("synchronous")?,
                    number("fullfsync")?,
                    number("cell_size_check")?,
                    number("trusted_schema")?,
                    number("recursive_triggers")?,
                    connection.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE)?,
                    rusqlite::version().to_owned(),
                ))
            })
            .unwrap();
        assert_eq!(settings, ("delete".to_owned(), 3, 1, 1, 0, 1, true, "3.54.1".to_owned()));
    }
}
