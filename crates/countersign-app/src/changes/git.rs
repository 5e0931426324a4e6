//! The `git` program, asked in its machine formats.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use countersign_core::words::CommitId;

use super::{COMMITS_MAX, ChangesError, Commit, DiffStat, co_authors, tickets};
use crate::evidence::visible;

/// The fields of one commit; `git log -z` ends each commit with one NUL more.
const FORMAT: &str = "--format=tformat:%H%x00%P%x00%an%x00%ae%x00%ct%x00%s%x00%B";
const FIELDS: usize = 7;

/// A repository that git can read, with its whole history.
pub(super) struct Git {
    folder: PathBuf,
}

impl Git {
    /// Opens the repository around `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, ChangesError> {
        let git = Self { folder: folder.to_owned() };
        let output = git.run(&["rev-parse", "--is-shallow-repository"])?;
        match (output.status.success(), output.stdout.trim_ascii()) {
            (false, _) => Err(ChangesError::NotARepository { reason: said(&output.stderr) }),
            (true, b"false") => Ok(git),
            (true, _) => Err(ChangesError::Shallow),
        }
    }

    /// Resolves what names one commit.
    pub(super) fn resolve(&self, revision: &str) -> Result<CommitId, ChangesError> {
        let unresolved = || ChangesError::Unresolved { revision: visible(revision).chars().take(200).collect() };
        // Ranges, options and searches through messages or reflogs by date are no names of one commit.
        let is_name = !revision.is_empty()
            && !revision.starts_with(['-', ':', '^'])
            && !revision.contains("..")
            && !revision.contains(|c: char| c.is_control() || c.is_whitespace());
        if !is_name {
            return Err(unresolved());
        }
        let commit = format!("{revision}^{{commit}}");
        let output = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
        if !output.status.success() {
            return Err(unresolved());
        }
        commit_id("rev-parse", &String::from_utf8_lossy(output.stdout.trim_ascii()))
    }

    /// Refuses two commits without a common ancestor.
    pub(super) fn check_related(&self, base: &CommitId, head: &CommitId) -> Result<(), ChangesError> {
        let output = self.run(&["merge-base", base.as_str(), head.as_str()])?;
        match output.status.code() {
            Some(0) => Ok(()),
            Some(1) => Err(ChangesError::Unrelated { base: base.clone(), head: head.clone() }),
            _ => Err(ChangesError::Failed { command: "merge-base", reason: said(&output.stderr) }),
        }
    }

    /// Returns the commits reachable from `head` and not from `base`.
    pub(super) fn commits_between(
        &self,
        base: Option<&CommitId>,
        head: &CommitId,
    ) -> Result<Vec<Commit>, ChangesError> {
        let max = format!("--max-count={}", COMMITS_MAX + 1);
        let without = base.map(|base| format!("^{}", base.as_str()));
        let mut arguments =
            vec!["log", "-z", "--topo-order", "--no-color", "--no-show-signature", "--no-notes", "--no-mailmap"];
        arguments.extend(["--encoding=UTF-8", "--no-patch", &max, FORMAT, head.as_str()]);
        arguments.extend(without.as_deref());
        arguments.push("--");
        let stdout = self.ask("log", &arguments)?;
        let commits = parse_log(&stdout)?;
        if commits.len() > COMMITS_MAX { Err(ChangesError::TooMany) } else { Ok(commits) }
    }

    pub(super) fn diff_stat(&self, base: Option<&CommitId>, head: &CommitId) -> Result<DiffStat, ChangesError> {
        let base = match base {
            Some(base) => base.as_str().to_owned(),
            // The tree without files; its id depends on the repository's hash function.
            None => {
                let id = self.ask("hash-object", &["hash-object", "-t", "tree", "--stdin"])?;
                String::from_utf8_lossy(id.trim_ascii()).into_owned()
            }
        };
        let mut arguments = vec!["diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff"];
        arguments.extend(["--no-textconv", "--no-color", &base, head.as_str(), "--"]);
        parse_numstat(&self.ask("diff-tree", &arguments)?)
    }

    /// Returns the repository's name: the last part of where it was cloned from, else of where it is.
    pub(super) fn name(&self) -> Result<String, ChangesError> {
        let questions: [&[&str]; 3] = [
            &["config", "--get", "remote.origin.url"],
            &["rev-parse", "--show-toplevel"],
            &["rev-parse", "--absolute-git-dir"],
        ];
        for question in questions {
            let output = self.run(question)?;
            let place = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success()
                && let Some(name) = last_part(&place)
            {
                return Ok(name.to_owned());
            }
        }
        Ok("repository".to_owned())
    }

    /// Runs git and returns what it wrote when it succeeded.
    fn ask(&self, command: &'static str, arguments: &[&str]) -> Result<Vec<u8>, ChangesError> {
        let output = self.run(arguments)?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(ChangesError::Failed { command, reason: said(&output.stderr) })
        }
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, ChangesError> {
        let inherited = std::env::vars_os().map(|(name, _)| name);
        let mut command = command(&self.folder, inherited);
        command.args(arguments).output().map_err(|source| ChangesError::NoGit { source })
    }
}

/// Returns a git command that only what it is given can steer.
fn command(folder: &Path, inherited: impl Iterator<Item = OsString>) -> Command {
    let mut command = Command::new("git");
    for name in inherited {
        if name.as_encoded_bytes().to_ascii_uppercase().starts_with(b"GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        // Git opens this name on every system; a graft would hide commits.
        .env("GIT_GRAFT_FILE", "/dev/null")
        .args(["--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never", "-C"])
        .arg(folder)
        .stdin(Stdio::null());
    command
}

fn commit_id(command: &'static str, text: &str) -> Result<CommitId, ChangesError> {
    text.parse().map_err(|error| ChangesError::Answer { command, reason: format!("{error}") })
}

/// Returns what git complained about, without what comes before the point.
fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
    let line = line.trim_start_matches("fatal: ").trim_start_matches("error: ");
    visible(line).chars().take(300).collect()
}

/// Returns the last part of a path or address, without `.git`.
fn last_part(place: &str) -> Option<&str> {
    let place = place.trim().trim_end_matches(['/', '\\']);
    let place = place.strip_suffix("/.git").or(place.strip_suffix("\\.git")).unwrap_or(place);
    let last = place.rsplit(['/', '\\', ':']).next()?;
    let last = last.strip_suffix(".git").unwrap_or(last);
    // What stands before an `@` or after a `?` may be a secret.
    let is_name = !last.is_empty() && last.chars().all(|c| c.is_alphanumeric() || "._-+ ".contains(c));
    (is_name && last.len() <= 200).then_some(last)
}

fn parse_log(stdout: &[u8]) -> Result<Vec<Commit>, ChangesError> {
    let odd = |reason: &str| ChangesError::Answer { command: "log", reason: reason.to_owned() };
    if stdout.is_empty() {
        return Ok(Vec::new());
    }
    let stdout = stdout.strip_suffix(b"\0").ok_or_else(|| odd("it is cut off"))?;
    let fields: Vec<_> = stdout.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    if !fields.len().is_multiple_of(FIELDS) {
        return Err(odd("the number of fields is odd"));
    }
    fields
        .chunks_exact(FIELDS)
        .map(|fields| {
            let [id, parents, name, email, time, subject, message] = fields else {
                return Err(odd("the number of fields is odd"));
            };
            Ok(Commit {
                author_email: email.to_string(),
                author_name: name.to_string(),
                co_authors: co_authors(message),
                committed_at: time.parse().map_err(|_| odd("a time is no number"))?,
                id: commit_id("log", id)?,
                parents: parents.split_whitespace().map(|id| commit_id("log", id)).collect::<Result<_, _>>()?,
                subject: subject.to_string(),
                tickets: tickets(message),
            })
        })
        .collect()
}

fn parse_numstat(stdout: &[u8]) -> Result<DiffStat, ChangesError> {
    let odd = || ChangesError::Answer { command: "diff-tree", reason: "a file has no figures".to_owned() };
    let mut stat = DiffStat::default();
    for record in stdout.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        let mut fields = record.splitn(3, |byte| *byte == b'\t');
        let mut figure = || -> Result<Option<u64>, ChangesError> {
            let text = std::str::from_utf8(fields.next().ok_or_else(odd)?).map_err(|_| odd())?;
            if text == "-" { Ok(None) } else { text.parse().map(Some).map_err(|_| odd()) }
        };
        match (figure()?, figure()?) {
            (Some(insertions), Some(deletions)) => {
                stat.insertions += insertions;
                stat.deletions += deletions;
            }
            (None, None) => stat.binary_files += 1,
            _ => return Err(odd()),
        }
        stat.files += 1;
    }
    Ok(stat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_inherited_git_variable_reaches_git() {
        let inherited = ["GIT_DIR", "GIT_WORK_TREE", "Git_Config_Global", "GIT_OBJECT_DIRECTORY", "HOME", "GITTER"];
        let command = command(Path::new("-folder"), inherited.iter().map(OsString::from));
        let removed: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        assert_eq!(removed, ["GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE", "Git_Config_Global"]);
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments[arguments.len() - 2..], ["-C", "-folder"], "a folder is never an option");
    }

    #[test]
    fn a_name_holds_no_path_and_no_secret() {
        for (place, expected) in [
            ("https://example.org/group/pump-fw.git\n", Some("pump-fw")),
            ("git@example.org:pump-fw.git", Some("pump-fw")),
            ("C:\\src\\pump fw\\", Some("pump fw")),
            ("/srv/pump/.git", Some("pump")),
            ("/srv/pump.git/", Some("pump")),
            ("https://token@example.org", None),
            ("https://example.org/x?key=1", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(last_part(place), expected, "{place:?}");
        }
    }

    #[test]
    fn odd_answers_are_refused() {
        for answer in ["x", "a\0", "a\0b\0c\0d\0e\0f\0g\0", "1\0\0\0\0\0\0"] {
            assert!(parse_log(answer.as_bytes()).is_err(), "{answer:?}");
        }
        for answer in ["x", "1\tx\tp\0", "1\t-\tp\0", "1"] {
            assert!(parse_numstat(answer.as_bytes()).is_err(), "{answer:?}");
        }
        assert!(parse_log(b"").unwrap().is_empty());
        assert_eq!(parse_numstat(b"").unwrap(), DiffStat::default());
    }
}
