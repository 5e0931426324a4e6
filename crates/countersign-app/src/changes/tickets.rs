//! Ticket ids in commit messages.

/// Words that look like a project key before a number and are none: `SHA-256`, `CVE-2026`.
pub const NOT_PROJECTS: &[&str] = &[
    "AES", "BLAKE", "CRC", "CVE", "CWE", "ECMA", "EN", "FIPS", "GMT", "HTTP", "IEC", "IEEE", "ISO", "JEP", "KB", "MD",
    "NIST", "PEP", "PKCS", "RFC", "RSA", "SHA", "SP", "TLS", "UCS", "UTC", "UTF",
];

/// Trailers whose values name people or other systems, never tickets.
const NOT_TICKET_TRAILERS: &[&str] = &["cc", "change-id", "git-svn-id", "reviewed-on", "link"];
/// Words that bind the rest of a line to a ticket anywhere in a message.
const KEYWORDS: &[&str] =
    &["close", "closes", "closed", "fix", "fixes", "fixed", "ref", "refs", "resolve", "resolves", "resolved"];

/// Returns the tickets a commit's message names, each once, in the order they stand.
///
/// | looked at | |
/// |---|---|
/// | the subject | the first paragraph |
/// | trailers | `Key: value` lines of the last paragraph, but `…-by`, `Cc`, `Change-Id` and the like |
/// | keyword lines | lines that begin with `fixes`, `closes`, `resolves`, `refs` and their forms |
/// | lines of a ticket | lines that begin with one and a colon: `ABC-123: what was done` |
///
/// | taken | |
/// |---|---|
/// | `ABC-123`, `GH-123` | two to ten of `A`–`Z` `0`–`9` `_`, a letter first, then up to nine digits, no zero first; not [`NOT_PROJECTS`] |
/// | `#123` | up to nine digits, no zero first; not `owner/repo#123`, which is another repository's |
///
/// Either stands alone: letters, digits and `_` around it make it something else.
pub fn tickets(message: &str) -> Vec<String> {
    let message = message.trim_start();
    let lines: Vec<&str> = message.lines().map(str::trim_end).collect();
    let subject_lines = lines.iter().position(|line| line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1);
    let last_paragraph =
        lines[..last].iter().rposition(|line| line.is_empty()).map_or(0, |at| at + 1).max(subject_lines);
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let line = match at {
            _ if at < subject_lines => Some(*line),
            _ if is_keyword_line(line) || is_ticket_line(line) => Some(*line),
            _ if at >= last_paragraph => trailer_value(line),
            _ => None,
        };
        scan(line.unwrap_or_default(), &mut found);
    }
    found
}

fn is_keyword_line(line: &str) -> bool {
    let word = line.trim_start().split([' ', ':']).next().unwrap_or_default();
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn is_ticket_line(line: &str) -> bool {
    let line = line.trim_start();
    let bytes = line.as_bytes();
    let length = if line.starts_with('#') { hash_number(bytes) } else { project_number(bytes) };
    length.is_some_and(|length| line[length..].starts_with(':'))
}

fn trailer_value(line: &str) -> Option<&str> {
    let (key, value) = line.split_once(':')?;
    let key = key.to_ascii_lowercase();
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_other = key.ends_with("-by") || NOT_TICKET_TRAILERS.contains(&key.as_str());
    (is_key && !is_other).then_some(value)
}

/// Adds the tickets of one line.
fn scan(line: &str, found: &mut Vec<String>) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        // A character beyond ASCII is a letter to us.
        let before = line[..at].chars().next_back();
        let length = match bytes[at] {
            b'#' => hash_number(&bytes[at..]).filter(|_| !before.is_some_and(|c| is_word(c) || "#&/-".contains(c))),
            b'A'..=b'Z' => {
                project_number(&bytes[at..]).filter(|_| !before.is_some_and(|c| is_word(c) || "-&".contains(c)))
            }
            _ => None,
        };
        match length {
            Some(length) => {
                let ticket = &line[at..at + length];
                if !found.iter().any(|held| held == ticket) {
                    found.push(ticket.to_owned());
                }
                at += length;
            }
            None => at += line[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the length of `#123` at the start of `text`.
fn hash_number(text: &[u8]) -> Option<usize> {
    let length = 1 + number(&text[1..])?;
    ends_well(&text[length..]).then_some(length)
}

/// Returns the length of `ABC-123` at the start of `text`.
fn project_number(text: &[u8]) -> Option<usize> {
    let is_key = |byte: &&u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    let key = text.iter().take_while(is_key).count();
    let is_project = (2..=10).contains(&key) && text.get(key) == Some(&b'-');
    if !is_project || NOT_PROJECTS.iter().any(|other| other.as_bytes() == &text[..key]) {
        return None;
    }
    let length = key + 1 + number(&text[key + 1..])?;
    ends_well(&text[length..]).then_some(length)
}

fn number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    ((1..=9).contains(&digits) && text[0] != b'0').then_some(digits)
}

/// Tells whether what follows a number leaves it a number of its own: no letter, no `-1`, no `.1`.
fn ends_well(rest: &[u8]) -> bool {
    match rest {
        [byte, ..] if byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii() => false,
        [b'-' | b'.', next, ..] => !next.is_ascii_digit(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &[&str]) {
        assert_eq!(tickets(message), expected, "{message:?}");
    }

    #[test]
    fn tickets_stand_in_subjects_trailers_and_keyword_lines() {
        check("ABC-123: fix the pump", &["ABC-123"]);
        check("fix the pump (#42), GH-7 and AB_2-9", &["#42", "GH-7", "AB_2-9"]);
        check("Merge branch 'feature/PUMP-12-valve'", &["PUMP-12"]);
        check("subject\ncontinues with A1-5", &["A1-5"]);
        check("subject\n\nbody about OTHER-1 and #9\n\nTicket: ABC-1\nRefs: #2, ABC-1", &["ABC-1", "#2"]);
        check("subject\n\nFixes #5\nbody\n\nmore body", &["#5"]);
        check("subject\n\ncloses: GH-8, #9\n", &["GH-8", "#9"]);
        check(
            "subject\n\nABC-1: one thing\n#2: another\n\nABC-3: a third, with ABC-4",
            &["ABC-1", "#2", "ABC-3", "ABC-4"],
        );
        check("subject\n\nABC-1 is named\nin prose: ABC-2\nUTF-8: no\n\nmore body", &[]);
        check("subject\n\nbody\n\nSigned-off-by: A B-1 AB-1 <a@b>\nChange-Id: IX-1\nCc: AB-2", &[]);
        check("ABC-1 ABC-1 abc-1", &["ABC-1"]);
        check("\n\nABC-1\n", &["ABC-1"]);
        check("", &[]);
        check("subject\n", &[]);
    }

    #[test]
    fn what_only_looks_like_a_ticket_is_none() {
        for subject in [
            "use SHA-256 and UTF-8",
            "CVE-2020-25649",
            "ISO-8859-1",
            "X-1",
            "A-1",
            "abc-12",
            "ABC-0",
            "ABC-012",
            "ABC-1a",
            "xABC-1",
            "ABC-1-2",
            "ABC-1.5",
            "ABCDEFGHIJK-1",
            "ABC-1234567890",
            "ABC--1",
            "#0",
            "#",
            "#a1",
            "#1a",
            "&#123;",
            "repo#12",
            "o/r#12",
            "##12",
            "é#1",
            "ABC-1é",
            "color #123456789012",
            "GH-",
            "1ABC-2",
        ] {
            check(subject, &[]);
        }
    }
}
