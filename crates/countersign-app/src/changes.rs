//! The change list of a release: what lies between two commits of a local git repository.
//!
//! The `git` program is run and asked in its machine formats; arguments are never given to a shell, revisions are
//! resolved to full ids first, and nothing inherited can point it elsewhere: `GIT_*` variables, replace refs, grafts,
//! pagers, external diff programs and lazy fetches are all off.
//!
//! A [`ChangeList`] has one canonical encoding (RFC 8785), so that a blob's digest names it in the ledger.
//!
//! Deliberately absent: writing to the repository, the network, mail maps (a person's addresses are the ledger's
//! business), and diffs themselves: only their size is kept.

mod git;
mod tickets;

use std::collections::BTreeSet;
use std::path::Path;

use countersign_core::act;
use countersign_core::hash::Digest;
use countersign_core::jcs::{self, JcsError};
use countersign_core::words::{CommitId, Line, WordError};
use serde::{Deserialize, Serialize};

use crate::evidence::visible;
use git::Git;

pub use tickets::{NOT_PROJECTS, tickets};

/// The most commits of one list.
pub const COMMITS_MAX: usize = 20_000;

/// The commits a release brings, as they are kept in a blob.
///
/// Fields stand in canonical order; there are only strings, integers, arrays and objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeList {
    /// The commit that is live before; absent for a first release, whose list is the whole history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<CommitId>,
    /// The commits reachable from `head` and not from `base`, children before parents.
    pub commits: Vec<Commit>,
    /// How much the files of `head` differ from those of `base`.
    pub diff_stat: DiffStat,
    /// The commit that is released.
    pub head: CommitId,
    /// The repository's name, without any path.
    pub repository: String,
}

/// One commit, as its own bytes have it; texts may hold anything, show them through [`visible`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// The author's address.
    pub author_email: String,
    /// The author's name.
    pub author_name: String,
    /// Who wrote it with the author: every `Co-authored-by` and `Co-developed-by` line of the message.
    pub co_authors: Vec<Author>,
    /// The committer's time in seconds since 1970-01-01T00:00:00Z, by the committer's clock.
    pub committed_at: i64,
    /// The commit.
    pub id: CommitId,
    /// Its parents; none for a first commit, several for a merge.
    pub parents: Vec<CommitId>,
    /// The first paragraph of the message on one line.
    pub subject: String,
    /// The tickets the message names, see [`tickets`].
    pub tickets: Vec<String>,
}

/// A name and an address out of a commit's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The address; empty when the line gives none.
    pub email: String,
    /// The name.
    pub name: String,
}

/// How much two trees differ; a rename is a deletion and an addition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffStat {
    /// Files without lines among the changed ones.
    pub binary_files: u64,
    /// Lines that are gone.
    pub deletions: u64,
    /// Files that changed.
    pub files: u64,
    /// Lines that are new.
    pub insertions: u64,
}

/// Why there is no change list.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// The `git` program could not be started.
    #[error("the program git cannot be run ({source}): install git 2.30 or later and have it in PATH")]
    NoGit {
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The folder is in no repository, or git will not read it.
    #[error("git cannot read a repository there: {reason}")]
    NotARepository {
        /// What git says.
        reason: String,
    },
    /// The clone lacks history, so that a list could lack commits.
    #[error("the clone is shallow and a list could lack commits: run `git fetch --unshallow`")]
    Shallow,
    /// A revision names no commit.
    #[error("`{revision}` is no commit of this repository: give a commit id, tag or branch that is there")]
    Unresolved {
        /// As given, made safe to show.
        revision: String,
    },
    /// The two commits share no ancestor, so that nothing lies between them.
    #[error("{base} and {head} have no common history: is this the same repository?")]
    Unrelated {
        /// The earlier commit.
        base: CommitId,
        /// The later commit.
        head: CommitId,
    },
    /// The list is too long to be reviewed or kept.
    #[error("there are more than {COMMITS_MAX} commits: name the commit that is live as base")]
    TooMany,
    /// Git failed.
    #[error("git {command} failed: {reason}")]
    Failed {
        /// The subcommand.
        command: &'static str,
        /// What git says.
        reason: String,
    },
    /// Git answered something else than its documentation tells.
    #[error("git {command} answered what cannot be read: {reason}")]
    Answer {
        /// The subcommand.
        command: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A kept list has no canonical form or is damaged.
    #[error("the change list cannot be read: {0}")]
    Encoding(#[from] JcsError),
    /// A kept list is sound JSON and not a change list.
    #[error("this is no change list: {reason}")]
    NotAList {
        /// What is wrong.
        reason: String,
    },
    /// An author or ticket cannot stand in a ledger entry.
    #[error(transparent)]
    Word(#[from] WordError),
}

/// Reads the change list between two revisions of the repository around `folder`.
///
/// `base` and `head` are anything that names one commit. Without `base` the list is the history of `head`. `base` need
/// not be an ancestor of `head`: what the release takes away is told by [`commits_removed_by`].
///
/// # Errors
/// Every [`ChangesError`] but those of kept lists.
pub fn read(folder: &Path, base: Option<&str>, head: &str) -> Result<ChangeList, ChangesError> {
    let git = Git::open(folder)?;
    let head = git.resolve(head)?;
    let base = base.map(|base| git.resolve(base)).transpose()?;
    if let Some(base) = &base {
        git.check_related(base, &head)?;
    }
    Ok(ChangeList {
        commits: git.commits_between(base.as_ref(), &head)?,
        diff_stat: git.diff_stat(base.as_ref(), &head)?,
        repository: git.name()?,
        base,
        head,
    })
}

/// Returns the commits that are in `live` and would be gone when `next` replaces it, children before parents.
///
/// For a step forward there are none; for a downgrade these are the commits it removes.
///
/// # Errors
/// As [`read`].
pub fn commits_removed_by(folder: &Path, live: &str, next: &str) -> Result<Vec<Commit>, ChangesError> {
    let git = Git::open(folder)?;
    let (live, next) = (git.resolve(live)?, git.resolve(next)?);
    git.check_related(&live, &next)?;
    git.commits_between(Some(&next), &live)
}

/// Returns how much two commits differ; without `base`, all of `head`.
///
/// # Errors
/// As [`read`].
pub fn diff_stat(folder: &Path, base: Option<&str>, head: &str) -> Result<DiffStat, ChangesError> {
    let git = Git::open(folder)?;
    let base = base.map(|base| git.resolve(base)).transpose()?;
    git.diff_stat(base.as_ref(), &git.resolve(head)?)
}

/// Resolves anything that names one commit to its full id.
///
/// # Errors
/// As [`read`].
pub fn resolve(folder: &Path, revision: &str) -> Result<CommitId, ChangesError> {
    Git::open(folder)?.resolve(revision)
}

impl ChangeList {
    /// Returns the addresses of everybody who wrote one of the commits, in lower case.
    ///
    /// Who gives no address stands with the name in its place.
    pub fn authors(&self) -> BTreeSet<String> {
        self.commits.iter().flat_map(Commit::authors).collect()
    }

    /// Returns the tickets of all commits.
    pub fn tickets(&self) -> BTreeSet<String> {
        self.commits.iter().flat_map(|commit| commit.tickets.iter().cloned()).collect()
    }

    /// Encodes the list in its canonical form (RFC 8785).
    ///
    /// # Errors
    /// [`ChangesError::Encoding`] for a list beyond 16 MiB.
    pub fn encode(&self) -> Result<Vec<u8>, ChangesError> {
        let value = serde_json::to_value(self).map_err(|error| ChangesError::NotAList { reason: error.to_string() })?;
        Ok(jcs::encode(&value)?.into_bytes())
    }

    /// Parses what [`ChangeList::encode`] wrote, and no other spelling of it.
    ///
    /// # Errors
    /// [`ChangesError::Encoding`] and [`ChangesError::NotAList`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ChangesError> {
        let not_a_list = |reason: String| ChangesError::NotAList { reason };
        let text = std::str::from_utf8(bytes).map_err(|error| not_a_list(error.to_string()))?;
        serde_json::from_value(jcs::parse(text)?).map_err(|error| not_a_list(error.to_string()))
    }

    /// Returns what a ledger entry says of the list: its figures, and the digest of [`ChangeList::encode`].
    ///
    /// # Errors
    /// Those of [`ChangeList::encode`], and [`ChangesError::Word`] for an author or ticket of more than 200 characters.
    pub fn summary(&self) -> Result<act::ChangeList, ChangesError> {
        let lines = |texts: BTreeSet<String>| -> Result<Vec<Line>, WordError> {
            // Making them safe to show may change their order.
            let safe: BTreeSet<String> = texts.iter().map(|text| visible(text).into_owned()).collect();
            safe.iter().map(|text| text.parse()).collect()
        };
        Ok(act::ChangeList {
            authors: lines(self.authors())?,
            base: self.base.clone(),
            commits: self.commits.len() as u64,
            digest: Digest::of(&self.encode()?),
            tickets: lines(self.tickets())?,
        })
    }
}

impl Commit {
    /// Returns the addresses of the author and the co-authors, in lower case.
    pub fn authors(&self) -> impl Iterator<Item = String> {
        std::iter::once((&self.author_email, &self.author_name))
            .chain(self.co_authors.iter().map(|author| (&author.email, &author.name)))
            .map(|(email, name)| {
                let known = [email, name].map(|text| text.trim()).into_iter().find(|text| !text.is_empty());
                known.unwrap_or("unknown").to_lowercase()
            })
    }
}

/// Returns everybody a message names as having written the commit with its author.
fn co_authors(message: &str) -> Vec<Author> {
    const KEYS: [&str; 2] = ["co-authored-by:", "co-developed-by:"];
    let mut authors: Vec<Author> = Vec::new();
    for line in message.lines().map(str::trim_start) {
        let Some(rest) = KEYS.iter().find_map(|key| {
            let (start, rest) = line.split_at_checked(key.len())?;
            start.eq_ignore_ascii_case(key).then_some(rest)
        }) else {
            continue;
        };
        let (name, email) = match rest.split_once('<') {
            Some((name, email)) => (name, email.split('>').next().unwrap_or_default()),
            None if rest.contains('@') => ("", rest),
            None => (rest, ""),
        };
        let author = Author { email: email.trim().to_owned(), name: name.trim().to_owned() };
        let named = !author.email.is_empty() || !author.name.is_empty();
        if named && !authors.contains(&author) {
            authors.push(author);
        }
    }
    authors
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use tempfile::TempDir;

    use super::*;

    /// A real repository in a temporary folder.
    struct Repository {
        folder: TempDir,
        clock: i64,
    }

    impl Repository {
        fn new() -> Self {
            let repository = Self { folder: TempDir::with_prefix("pump-fw").unwrap(), clock: 1_780_000_000 };
            repository.git(&["init", "--quiet", "--initial-branch=main"]);
            repository
        }

        fn path(&self) -> &Path {
            self.folder.path()
        }

        fn git(&self, arguments: &[&str]) -> String {
            let date = format!("{} +0200", self.clock);
            let mut command = Command::new("git");
            for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
                command.env_remove(name);
            }
            command
                .current_dir(self.path())
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_NOSYSTEM", "1")
                .env("GIT_AUTHOR_DATE", &date)
                .env("GIT_COMMITTER_DATE", &date)
                .args([
                    "-c",
                    "commit.gpgsign=false",
                    "-c",
                    "user.name=Committer",
                    "-c",
                    "user.email=committer@x.example",
                ])
                .args(arguments);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        }

        fn write(&self, name: &str, content: &[u8]) {
            fs::write(self.path().join(name), content).unwrap();
            self.git(&["add", "--all"]);
        }

        /// Commits what is staged, or nothing, and returns the commit's id.
        fn commit(&mut self, author: &str, message: &str) -> CommitId {
            self.clock += 60;
            let author = format!("--author={author}");
            self.git(&["commit", "--quiet", "--allow-empty", "--cleanup=verbatim", &author, "-m", message]);
            self.git(&["rev-parse", "HEAD"]).parse().unwrap()
        }
    }

    const ALICE: &str = "Alice Moreau <Alice@Acme.example>";
    const BOB: &str = "Bob <bob@acme.example>";

    #[test]
    fn a_list_tells_commits_authors_tickets_and_size() {
        let mut repository = Repository::new();
        repository.write("a.txt", b"1\n2\n3\n");
        let base = repository.commit(ALICE, "start");
        repository.git(&["tag", "v1"]);
        repository.write("a.txt", b"1\nzwei\n3\n4\n");
        repository.write("b.bin", b"\0\x01\x02");
        let first = repository.commit(
            BOB,
            "PUMP-7: new valve\n\nText about #99.\n\nFixes: #12\nCo-authored-by: Carol <CAROL@acme.example>\n\
             co-developed-by: Dan <dan@acme.example>\nReviewed-by: Eve <eve@acme.example>\n",
        );
        let second = repository.commit(ALICE, "tidy é \u{202e}\u{1b}[31m up\nover two lines\n\nbody");
        let list = read(repository.path(), Some("v1"), "main").unwrap();

        assert_eq!((list.base.as_ref(), &list.head), (Some(&base), &second));
        assert!(list.repository.starts_with("pump-fw"), "{}", list.repository);
        let ids: Vec<_> = list.commits.iter().map(|commit| commit.id.clone()).collect();
        assert_eq!(ids, [second, first.clone()]);
        let expected = Commit {
            author_email: "bob@acme.example".into(),
            author_name: "Bob".into(),
            co_authors: vec![
                Author { email: "CAROL@acme.example".into(), name: "Carol".into() },
                Author { email: "dan@acme.example".into(), name: "Dan".into() },
            ],
            committed_at: 1_780_000_120,
            id: first,
            parents: vec![base],
            subject: "PUMP-7: new valve".into(),
            tickets: vec!["PUMP-7".into(), "#12".into()],
        };
        assert_eq!(list.commits[1], expected);
        assert_eq!(list.commits[0].subject, "tidy é \u{202e}\u{1b}[31m up over two lines");
        let authors: Vec<_> = list.authors().into_iter().collect();
        assert_eq!(authors, ["alice@acme.example", "bob@acme.example", "carol@acme.example", "dan@acme.example"]);
        assert_eq!(list.diff_stat, DiffStat { files: 2, insertions: 2, deletions: 1, binary_files: 1 });
        assert_eq!(diff_stat(repository.path(), Some("v1"), "main").unwrap(), list.diff_stat);
    }

    #[test]
    fn a_first_release_lists_the_whole_history() {
        let mut repository = Repository::new();
        repository.write("a.txt", b"1\n2\n");
        let first = repository.commit(ALICE, "one");
        repository.commit(BOB, "two");
        repository.git(&["remote", "add", "origin", "https://user:secret@example.org/acme/pump.git"]);
        let list = read(repository.path(), None, "HEAD").unwrap();
        assert_eq!((list.base.clone(), list.commits.len()), (None, 2));
        assert_eq!(list.commits[1].id, first);
        assert_eq!(list.commits[1].parents, []);
        assert_eq!(list.diff_stat, DiffStat { files: 1, insertions: 2, deletions: 0, binary_files: 0 });
        assert_eq!(list.repository, "pump");
        assert!(!String::from_utf8(list.encode().unwrap()).unwrap().contains("secret"));
    }

    #[test]
    fn both_sides_of_a_merge_are_listed_and_a_downgrade_tells_what_it_removes() {
        let mut repository = Repository::new();
        let base = repository.commit(ALICE, "base");
        repository.git(&["switch", "--quiet", "--create", "side"]);
        let side = repository.commit(BOB, "side ABC-1");
        repository.git(&["switch", "--quiet", "main"]);
        let main = repository.commit(ALICE, "main");
        repository.clock += 60;
        repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge side", "side"]);
        let merge: CommitId = repository.git(&["rev-parse", "HEAD"]).parse().unwrap();

        let list = read(repository.path(), Some(base.as_str()), "HEAD").unwrap();
        let mut ids: Vec<_> = list.commits.iter().map(|commit| commit.id.clone()).collect();
        assert_eq!(ids[0], merge);
        assert_eq!(list.commits[0].parents, [main.clone(), side.clone()]);
        ids.sort();
        let mut expected = vec![merge.clone(), main.clone(), side.clone()];
        expected.sort();
        assert_eq!(ids, expected);

        let removed = |live: &CommitId, next: &CommitId| -> Vec<CommitId> {
            let commits = commits_removed_by(repository.path(), live.as_str(), next.as_str()).unwrap();
            commits.into_iter().map(|commit| commit.id).collect()
        };
        assert_eq!(removed(&base, &merge), []);
        assert_eq!(removed(&merge, &main), [merge.clone(), side.clone()]);
        assert_eq!(removed(&side, &main), [side]);
        assert_eq!(read(repository.path(), Some(merge.as_str()), main.as_str()).unwrap().commits, []);
    }

    #[test]
    fn a_range_that_does_not_resolve_is_refused() {
        let mut repository = Repository::new();
        repository.commit(ALICE, "one");
        let blob = {
            repository.write("a", b"x");
            repository.git(&["rev-parse", ":a"])
        };
        for revision in [
            "",
            "nothing",
            "v9",
            "HEAD~9",
            "HEAD..HEAD",
            "HEAD...HEAD",
            "--all",
            "-n1",
            "^HEAD",
            ":a",
            ":/one",
            "HEAD HEAD",
            "HEAD\n",
            "0000000000000000000000000000000000000000",
            "HEAD^{tree}",
            "HEAD:a",
            &blob,
            "--output=x",
        ] {
            for (base, head) in [(None, revision), (Some(revision), "HEAD")] {
                let found = read(repository.path(), base, head);
                assert!(matches!(found, Err(ChangesError::Unresolved { .. })), "{revision:?}: {found:?}");
            }
        }
        assert!(!repository.path().join("x").exists());
        repository.git(&["switch", "--quiet", "--orphan", "other"]);
        repository.commit(BOB, "unrelated");
        let found = read(repository.path(), Some("main"), "other");
        assert!(matches!(found, Err(ChangesError::Unrelated { .. })), "{found:?}");
    }

    #[test]
    fn a_folder_without_whole_history_is_refused() {
        let folder = TempDir::new().unwrap();
        for path in [folder.path(), &folder.path().join("absent")] {
            let found = read(path, None, "HEAD");
            assert!(matches!(found, Err(ChangesError::NotARepository { .. })), "{found:?}");
        }
        let mut repository = Repository::new();
        repository.commit(ALICE, "one");
        repository.commit(ALICE, "two");
        let clone = folder.path().join("clone");
        let origin = format!("file://{}", repository.path().display().to_string().replace('\\', "/"));
        repository.git(&["clone", "--quiet", "--depth=1", &origin, &clone.display().to_string()]);
        let found = read(&clone, None, "HEAD");
        assert!(matches!(found, Err(ChangesError::Shallow)), "{found:?}");
    }

    #[test]
    fn what_a_repository_configures_changes_nothing() {
        let mut repository = Repository::new();
        repository.write("a", b"1\n");
        let base = repository.commit(ALICE, "one");
        repository.write("a", b"2\n");
        let hidden = repository.commit(BOB, "two");
        let head = repository.commit(ALICE, "three");
        let before = read(repository.path(), Some(base.as_str()), "HEAD").unwrap();
        assert_eq!(before.commits.len(), 2);

        // Each of these would hide the second commit, rename its author, or run a program.
        repository.git(&["replace", "--graft", head.as_str(), base.as_str()]);
        let info = repository.path().join(".git/info");
        fs::create_dir_all(&info).unwrap();
        fs::write(info.join("grafts"), format!("{} {}\n", head.as_str(), base.as_str())).unwrap();
        repository.write(".mailmap", b"Nobody <nobody@x.example> <bob@acme.example>\n");
        for (key, value) in [
            ("log.showSignature", "true"),
            ("log.mailmap", "true"),
            ("diff.external", "false"),
            ("core.pager", "false"),
            ("log.decorate", "full"),
            ("color.ui", "always"),
            ("core.fsmonitor", "false"),
            ("i18n.logOutputEncoding", "UTF-16"),
            ("diff.renames", "copies"),
        ] {
            repository.git(&["config", key, value]);
        }
        let after = read(repository.path(), Some(base.as_str()), head.as_str()).unwrap();
        assert_eq!(after, before);
        assert!(after.commits.iter().any(|commit| commit.id == hidden));
    }

    #[test]
    fn the_encoding_is_canonical_and_comes_back() {
        let mut repository = Repository::new();
        repository.commit("Zoë \"Z\" <Z@Acme.example>", "subject with \u{1b} and \\ and \u{202e} ABC-2");
        repository.commit(ALICE, "two #1");
        let list = read(repository.path(), None, "HEAD").unwrap();
        let bytes = list.encode().unwrap();
        assert_eq!(ChangeList::parse(&bytes).unwrap(), list);
        let spaced = String::from_utf8(bytes.clone()).unwrap().replacen(',', ", ", 1);
        for other in [spaced.as_bytes(), b"{}", b"", b"\xff", &bytes[1..]] {
            assert!(ChangeList::parse(other).is_err());
        }
        let summary = list.summary().unwrap();
        assert_eq!(summary.digest, Digest::of(&bytes));
        assert_eq!(summary.commits, 2);
        let texts = |lines: &[Line]| lines.iter().map(|line| line.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(texts(&summary.authors), ["alice@acme.example", "z@acme.example"]);
        assert_eq!(texts(&summary.tickets), ["#1", "ABC-2"]);
    }

    #[test]
    fn co_authors_are_found_wherever_they_stand() {
        for (message, expected) in [
            ("s\n\nCo-authored-by: A B <a@x>\n", &[("A B", "a@x")][..]),
            ("s\n\nCO-AUTHORED-BY:A<a@x>\n\nlater text", &[("A", "a@x")]),
            ("s\n  Co-Developed-By: A < a@x >", &[("A", "a@x")]),
            ("s\n\nCo-authored-by: a@x", &[("", "a@x")]),
            ("s\n\nCo-authored-by: Just Name", &[("Just Name", "")]),
            (
                "s\n\nCo-authored-by: A <a@x>\nCo-authored-by: A <a@x>\nCo-authored-by: B <b@x>",
                &[("A", "a@x"), ("B", "b@x")],
            ),
            ("s\n\nCo-authored-by:\nSigned-off-by: C <c@x>\nnot Co-authored-by: D <d@x>", &[]),
            ("s\n\nCo-authored-by: É", &[("É", "")]),
        ] {
            let found = co_authors(message);
            let found: Vec<_> = found.iter().map(|author| (author.name.as_str(), author.email.as_str())).collect();
            assert_eq!(found, expected, "{message:?}");
        }
    }

    #[test]
    fn an_author_without_an_address_is_still_somebody() {
        let mut repository = Repository::new();
        repository.commit("Nameless Address <>", "one\n\nCo-authored-by: Only Name");
        let list = read(repository.path(), None, "HEAD").unwrap();
        let authors: Vec<_> = list.authors().into_iter().collect();
        assert_eq!(authors, ["nameless address", "only name"]);
        assert_eq!(list.summary().unwrap().authors.len(), 2);
    }
}
