//! `countersign://` links: a closed grammar, and all they can do is show a place.
//!
//! ```text
//! countersign://inbox
//! countersign://release/ID      ID as the core's release ids
//! countersign://audit/N         N a decimal number without leading zero, below 2^32
//! countersign://sign/ID         the release, with its question in sight; nothing is signed or opened by itself
//! ```

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use countersign_core::words::ReleaseId;

/// The scheme, with what follows it in every link.
pub(crate) const PREFIX: &str = "countersign://";

/// A place a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// What needs this person.
    Inbox,
    /// A release.
    Release(ReleaseId),
    /// An entry of the ledger.
    Audit(u32),
    /// A release whose sheet waits for an answer.
    Sign(ReleaseId),
}

impl FromStr for Link {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let place = text.strip_prefix(PREFIX).ok_or(())?;
        let (head, rest) = match place.split_once('/') {
            Some((head, rest)) => (head, Some(rest)),
            None => (place, None),
        };
        match (head, rest) {
            ("inbox", None) => Ok(Self::Inbox),
            ("release", Some(id)) => id.parse().map(Self::Release).map_err(drop),
            ("sign", Some(id)) => id.parse().map(Self::Sign).map_err(drop),
            ("audit", Some(index)) => number(index).map(Self::Audit).ok_or(()),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inbox => write!(f, "{PREFIX}inbox"),
            Self::Release(id) => write!(f, "{PREFIX}release/{id}"),
            Self::Audit(index) => write!(f, "{PREFIX}audit/{index}"),
            Self::Sign(id) => write!(f, "{PREFIX}sign/{id}"),
        }
    }
}

/// Returns a number that is spelled the one way it can be spelled.
fn number(text: &str) -> Option<u32> {
    let value: u32 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

/// Returns the first link among the arguments of a program; anything else is left alone.
pub(crate) fn among<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Option<Link> {
    arguments.into_iter().find_map(|argument| argument.parse().ok())
}

/// Returns the first file among the arguments of a program started in `dir` that is named like a request for a signature.
pub(crate) fn request_among<'a>(dir: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Option<PathBuf> {
    let path = arguments.into_iter().map(Path::new).find(|path| path.extension().is_some_and(|end| end == "csreq"))?;
    std::path::absolute(dir.join(path)).ok().filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_file_that_is_there_and_is_named_like_one() {
        let dir = tempfile::tempdir().unwrap();
        let request = dir.path().join("pump.csreq");
        std::fs::write(&request, "judged where it is opened").unwrap();
        std::fs::create_dir(dir.path().join("folder.csreq")).unwrap();
        let among = |arguments: &[&str]| request_among(dir.path(), arguments.iter().copied());
        assert_eq!(among(&["program", "--sample", "pump.csreq"]), Some(request.clone()));
        assert_eq!(among(&[request.to_str().unwrap()]), Some(request));
        for none in ["pump.csans", "gone.csreq", "folder.csreq", "countersign://inbox", ""] {
            assert_eq!(among(&["program", none]), None, "{none}");
        }
    }

    #[test]
    fn a_link_names_a_place() {
        let release = |id: &str| id.parse::<ReleaseId>().unwrap();
        for (text, link) in [
            ("countersign://inbox", Link::Inbox),
            ("countersign://release/pump-fw-4.2.0", Link::Release(release("pump-fw-4.2.0"))),
            ("countersign://sign/pump-fw-4.2.0+b1", Link::Sign(release("pump-fw-4.2.0+b1"))),
            ("countersign://audit/0", Link::Audit(0)),
            ("countersign://audit/4294967295", Link::Audit(u32::MAX)),
        ] {
            assert_eq!(link.to_string(), text);
            assert_eq!(text.parse(), Ok(link), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_a_link() {
        for text in [
            "",
            "inbox",
            "countersign:",
            "countersign://",
            "countersign:inbox",
            "Countersign://inbox",
            "countersign://Inbox",
            "countersign://inbox/",
            "countersign://inbox?x=1",
            "countersign://inbox#x",
            " countersign://inbox",
            "countersign://inbox\n",
            "countersign://user@inbox",
            "countersign://release",
            "countersign://release/",
            "countersign://release/../inbox",
            "countersign://release/a/b",
            "countersign://release/a%2fb",
            "countersign://release/a b",
            "countersign://release/-a",
            "countersign://release/a?do=approve",
            "countersign://audit/",
            "countersign://audit/-1",
            "countersign://audit/+1",
            "countersign://audit/01",
            "countersign://audit/4294967296",
            "countersign://audit/1/2",
            "countersign://approve/pump-fw-4.2.0",
            "countersign://sign/pump-fw-4.2.0/go",
            "javascript:alert(1)",
            "https://example.org/",
            "file:///etc/passwd",
        ] {
            assert_eq!(text.parse::<Link>(), Err(()), "{text:?}");
        }
        let long = format!("countersign://release/{}", "a".repeat(129));
        assert_eq!(long.parse::<Link>(), Err(()));
    }

    #[test]
    fn a_link_is_found_among_arguments() {
        assert_eq!(among(["countersign-desktop", "--sample", "countersign://audit/7"]), Some(Link::Audit(7)));
        assert_eq!(among(["countersign-desktop", "--sample"]), None);
    }
}
