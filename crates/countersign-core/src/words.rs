//! The small values every act is made of: times, names, references.
//!
//! Each is a newtype that can only hold a lawful value, so that no rule has to ask again.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::Digest;

/// A text that is not a lawful value of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: {rule}")]
pub struct WordError {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

impl WordError {
    fn new(kind: &'static str, text: &str, rule: &'static str) -> Self {
        let text = text.chars().take(80).flat_map(char::escape_default).collect();
        Self { kind, text, rule }
    }
}

/// A moment in UTC with a resolution of one second, written `2026-11-22T10:31:07Z` (RFC 3339).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const TIMESTAMP_RULE: &str = "write it in UTC with seconds, as 2026-11-22T10:31:07Z";
/// 9999-12-31T23:59:59Z: the last moment four year digits can name.
const TIMESTAMP_MAX: i64 = 253_402_300_799;

impl Timestamp {
    /// Returns the moment that many seconds after 1970-01-01T00:00:00Z; `None` outside the years 1970 to 9999.
    pub fn from_epoch_seconds(seconds: i64) -> Option<Self> {
        (0..=TIMESTAMP_MAX).contains(&seconds).then_some(Self(seconds))
    }

    /// Returns the seconds since 1970-01-01T00:00:00Z.
    pub fn epoch_seconds(self) -> i64 {
        self.0
    }

    /// Returns the moment `seconds` later (earlier when negative), held within the lawful range.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds).clamp(0, TIMESTAMP_MAX))
    }

    /// Returns the whole seconds from `earlier` to this moment; negative when it lies before.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Returns the UTC day, counted from 1970-01-01.
    pub fn utc_day(self) -> i64 {
        self.0.div_euclid(86_400)
    }

    /// Returns the same moment as a `chrono` value.
    pub fn to_chrono(self) -> DateTime<Utc> {
        Utc.timestamp_opt(self.0, 0).single().expect("the range is checked when the value is made")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_chrono().to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl FromStr for Timestamp {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Self, WordError> {
        let error = || WordError::new("time", text, TIMESTAMP_RULE);
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| error())?;
        let value = Self::from_epoch_seconds(parsed.timestamp()).ok_or_else(error)?;
        // One moment has one spelling, so that equal times are equal bytes.
        if value.to_string() == text { Ok(value) } else { Err(error()) }
    }
}

/// An IANA time zone name, as `Europe/Paris`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(chrono_tz::Tz::UTC);

    pub(crate) fn tz(self) -> chrono_tz::Tz {
        self.0
    }

    /// Returns the moment as wall-clock time in this zone with its offset, as `2026-11-22 11:31:07 +01:00`.
    pub fn wall_clock(self, time: Timestamp) -> String {
        time.to_chrono().with_timezone(&self.0).format("%Y-%m-%d %H:%M:%S %:z").to_string()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for Zone {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Self, WordError> {
        text.parse().map(Self).map_err(|_| WordError::new("time zone", text, "give an IANA name, as Europe/Paris"))
    }
}

/// Implements serde for a type as the text of its `Display` and `FromStr`.
macro_rules! serde_as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(Timestamp, Zone, Principal, Slug, ReleaseId, CommitId, Nonce, Text, Line);

/// Declares a text newtype with the one rule its values obey.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $lawful:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);
        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = WordError;
            fn from_str(text: &str) -> Result<Self, WordError> {
                let lawful: fn(&str) -> bool = $lawful;
                if lawful(text) { Ok(Self(text.to_owned())) } else { Err(WordError::new($kind, text, $rule)) }
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

fn within(text: &str, max_bytes: usize, allowed: fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= max_bytes && text.bytes().all(allowed)
}

word!(
    /// Who a key belongs to, in the shape `ssh-keygen` matches: `alice@acme.example`.
    ///
    /// No wildcard, comma, quote or space can occur, so that a principal is never read as a pattern.
    Principal, "principal", "use name@domain of a-z 0-9 . _ + - (at most 128)", |text| {
        let Some((local, domain)) = text.split_once('@') else { return false };
        text.len() <= 128
            && within(local, 64, |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'+' | b'-'))
            && within(domain, 100, |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
            && !local.starts_with('-')
    }
);
word!(
    /// A short name people choose: product, role, environment, segment, target.
    Slug, "short name", "use a-z 0-9 . _ - starting with a letter or digit (at most 64)", |text| {
        within(text, 64, |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
            && text.as_bytes()[0].is_ascii_alphanumeric()
    }
);
word!(
    /// The name of a release, unique in its ledger, as `pump-fw-4.2.0`.
    ReleaseId, "release id", "use A-Z a-z 0-9 . _ + - starting with a letter or digit (at most 128)", |text| {
        within(text, 128, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'+' | b'-'))
            && text.as_bytes()[0].is_ascii_alphanumeric()
    }
);
word!(
    /// A full commit id of a version control system: 40 or 64 lower hex digits.
    CommitId, "commit id", "give the full id of 40 or 64 lower hex digits", |text| {
        matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }
);
word!(
    /// Sixteen lower hex digits that make two otherwise equal payloads differ.
    Nonce, "nonce", "give 16 lower hex digits", |text| {
        text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }
);
word!(
    /// What a person wrote: not blank, at most 4,000 characters, no control characters but line breaks and tabs.
    Text, "text", "it must not be blank, may hold at most 4000 characters, and no control characters", |text| {
        !text.trim().is_empty()
            && text.chars().count() <= 4000
            && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
    }
);
word!(
    /// One line for a name or a title: not blank, at most 200 characters, no control or direction-changing characters.
    Line, "line of text", "it must not be blank, may hold at most 200 characters, and no control characters", |text| {
        !text.trim().is_empty()
            && text.chars().count() <= 200
            && !text.chars().any(|c| c.is_control() || changes_direction(c))
    }
);

/// Returns whether the character reorders the text around it (Unicode UAX #9), by which a name could pass for another.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

/// The place of an entry in its ledger and the hash of its leaf: names one entry for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRef {
    /// The 0-based place in the ledger.
    pub index: u64,
    /// The RFC 6962 leaf hash of the entry.
    pub leaf: Digest,
}

impl fmt::Display for EntryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}", self.index)
    }
}

/// The fixed service roles. Every other role is a name a policy gives (qa, security, …).
pub mod role {
    /// Accountable: people, policies, standing authorizations.
    pub const PROCESS_OWNER: &str = "process-owner";
    /// The process manager: queue, freeze of the decision sheet, dispatch.
    pub const RELEASE_MANAGER: &str = "release-manager";
    /// Assembles and executes; cannot approve.
    pub const PRACTITIONER: &str = "practitioner";
    /// May decide in an emergency, with a second person.
    pub const EMERGENCY_AUTHORITY: &str = "emergency-authority";
    /// Reads.
    pub const AUDITOR: &str = "auditor";
    /// All of them.
    pub const FIXED: [&str; 5] = [PROCESS_OWNER, RELEASE_MANAGER, PRACTITIONER, EMERGENCY_AUTHORITY, AUDITOR];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_one_spelling() {
        for good in ["1970-01-01T00:00:00Z", "2026-11-22T10:31:07Z", "2038-01-19T03:14:08Z", "9999-12-31T23:59:59Z"] {
            assert_eq!(good.parse::<Timestamp>().unwrap().to_string(), good);
        }
        for bad in [
            "2026-11-22T10:31:07+00:00",
            "2026-11-22t10:31:07z",
            "2026-11-22T10:31:07.0Z",
            "2026-11-22 10:31:07Z",
            "1969-12-31T23:59:59Z",
            "2026-02-30T00:00:00Z",
            "",
            "now",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_principal_is_never_a_pattern() {
        for good in ["alice@acme.example", "a+b.c_d-e@x"] {
            assert!(good.parse::<Principal>().is_ok(), "{good}");
        }
        for bad in [
            "*",
            "*@acme.example",
            "alice",
            "a@b,c@d",
            "Alice@acme",
            "a b@c",
            "\"a\"@b",
            "@b",
            "a@",
            "!a@b",
            "a@b@c",
            "-a@b",
        ] {
            assert!(bad.parse::<Principal>().is_err(), "{bad}");
        }
    }

    #[test]
    fn blank_or_disguised_text_is_refused() {
        assert!("All green".parse::<Text>().is_ok());
        assert!("two\nlines".parse::<Text>().is_ok());
        for bad in ["", "  \n", "bell \u{7}", "\u{1b}[31mred"] {
            assert!(bad.parse::<Text>().is_err(), "{bad:?}");
        }
        assert!("Alice Moreau".parse::<Line>().is_ok());
        for bad in ["a\nb", "evil \u{202e}eman", ""] {
            assert!(bad.parse::<Line>().is_err(), "{bad:?}");
        }
    }
}
