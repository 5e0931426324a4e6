//! The commit a file says it was made from.

use countersign_core::words::CommitId;
use serde::Serialize;

use super::shown;

/// Carries the commit a file names, and where in the file it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitClaim {
    /// The id as the file has it, hexadecimal digits in lower case.
    #[serde(rename = "commit")]
    pub value: String,
    /// The place in the file, for people: `property git.commit`.
    #[serde(rename = "commit_source")]
    pub source: String,
}

impl CommitClaim {
    /// Tells whether the claim is this commit, or an abbreviation of it of at least seven digits.
    #[must_use]
    pub fn agrees_with(&self, commit: &CommitId) -> bool {
        is_git_id(&self.value) && commit.as_str().starts_with(&self.value)
    }
}

/// The property names that carry a commit, in lower case with `.` for `_` and `-`.
///
/// The dotted ones are written by build plug-ins and image builders, the last group is what CI
/// systems put into the environment and test runners copy from there.
pub const COMMIT_PROPERTIES: &[&str] = &[
    "commit",
    "commit.hash",
    "commit.id",
    "commit.sha",
    "git.commit",
    "git.commit.id",
    "git.commit.id.full",
    "git.commit.sha",
    "git.revision",
    "git.sha",
    "git.sha1",
    "revision",
    "scm.commit",
    "scm.revision",
    "vcs.commit",
    "vcs.ref.head.revision",
    "vcs.revision",
    "build.commit",
    "build.revision",
    "org.opencontainers.image.revision",
    // Azure DevOps, Bitbucket, Buildbot, Buildkite, CircleCI, GitHub, GitLab, TeamCity, Travis CI
    "build.sourceversion",
    "bitbucket.commit",
    "got.revision",
    "buildkite.commit",
    "circle.sha1",
    "github.sha",
    "ci.commit.sha",
    "build.vcs.number",
    "travis.commit",
];

/// The longest commit id of any system, in bytes.
const MAX_ID_BYTES: usize = 128;
/// More different commits than this are not told apart.
const MAX_CLAIMS: usize = 8;

/// Tells whether a property of this name carries a commit.
pub(super) fn is_commit_property(name: &str) -> bool {
    let name: String =
        name.trim().chars().map(|c| if matches!(c, '_' | '-') { '.' } else { c.to_ascii_lowercase() }).collect();
    COMMIT_PROPERTIES.contains(&name.as_str())
}

/// Tells whether a text is a git object id, abbreviated or full.
pub(super) fn is_git_id(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the full git object id a repository address ends in, after `#`, `@`, `/commit/` or `/tree/`.
pub(super) fn commit_of_address(address: &str) -> Option<&str> {
    let start = address.rfind(['#', '@', '/', '='])? + 1;
    let id = &address[start..];
    (matches!(id.len(), 40 | 64) && is_git_id(id)).then_some(id)
}

/// Gathers claims; equal ones and abbreviations of one another are one.
#[derive(Debug, Default)]
pub(super) struct Claims(Vec<CommitClaim>);

pub(super) enum Resolved {
    None,
    One(CommitClaim),
    Several(Vec<String>),
}

impl Claims {
    /// Adds what a property says, when its name carries commits and its value is one.
    pub(super) fn add_property(&mut self, name: &str, value: &str) {
        if is_commit_property(name) && is_git_id(value.trim()) {
            self.add(value, &format!("property {}", name.trim()));
        }
    }

    pub(super) fn add(&mut self, value: &str, source: &str) {
        let value = value.trim();
        if value.is_empty() || self.0.len() > MAX_CLAIMS {
            return;
        }
        let is_git_id = is_git_id(value);
        let value = if is_git_id { value.to_ascii_lowercase() } else { shown::line(value, MAX_ID_BYTES) };
        let same = |held: &str| held == value || is_git_id && (held.starts_with(&value) || value.starts_with(held));
        match self.0.iter_mut().find(|claim| same(&claim.value)) {
            Some(held) if held.value.len() >= value.len() => {}
            Some(held) => held.value = value,
            None => self.0.push(CommitClaim { value, source: shown::line(source, MAX_ID_BYTES) }),
        }
    }

    pub(super) fn resolve(mut self) -> Resolved {
        match (self.0.pop(), self.0.is_empty()) {
            (None, _) => Resolved::None,
            (Some(claim), true) => Resolved::One(claim),
            (Some(last), false) => {
                Resolved::Several(self.0.into_iter().chain([last]).map(|claim| claim.value).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0123456789abcdef0123456789abcdef01234567";
    const B: &str = "89abcdef0123456789abcdef0123456789abcdef";

    fn check(properties: &[(&str, &str)], expected: &[&str]) {
        let mut claims = Claims::default();
        for (name, value) in properties {
            claims.add_property(name, value);
        }
        let found = match claims.resolve() {
            Resolved::None => vec![],
            Resolved::One(claim) => vec![claim.value],
            Resolved::Several(values) => values,
        };
        assert_eq!(found, expected, "{properties:?}");
    }

    #[test]
    fn a_commit_is_found_by_its_property_and_never_guessed() {
        check(&[("git.commit", A)], &[A]);
        check(&[("GIT_COMMIT", &A.to_uppercase())], &[A]);
        check(&[("GitHub-SHA", A), ("revision", A)], &[A]);
        check(&[("git.commit", &A[..8]), ("commit", A)], &[A]);
        check(&[("commit", A), ("git.commit", &A[..8])], &[A]);
        check(&[("commit", A), ("git.commit", B)], &[A, B]);
        check(&[("revision", "4.2.0")], &[]);
        check(&[("commit", "")], &[]);
        check(&[("java.version", A)], &[]);
    }

    #[test]
    fn a_claim_agrees_with_its_commit_alone() {
        let commit: CommitId = A.parse().unwrap();
        for (value, expected) in
            [(A, true), (&A[..7], true), (&A[..6], false), (B, false), ("r4711", false), ("", false)]
        {
            let claim = CommitClaim { value: value.to_owned(), source: String::new() };
            assert_eq!(claim.agrees_with(&commit), expected, "{value}");
        }
    }

    #[test]
    fn an_address_names_a_commit_only_by_a_full_id_at_its_end() {
        for (address, expected) in [
            (format!("https://example.org/r.git#{A}"), Some(A)),
            (format!("git+https://example.org/r@{A}"), Some(A)),
            (format!("https://example.org/o/r/commit/{A}"), Some(A)),
            ("https://example.org/o/r".to_owned(), None),
            (format!("https://example.org/o/r/commit/{}", &A[..10]), None),
        ] {
            assert_eq!(commit_of_address(&address), expected, "{address}");
        }
    }
}
