//! What the guide shows, compared with what was printed.

use std::collections::BTreeMap;

/// A piece of text that differs from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// `2026-11-30T20:16:17Z`.
    Time,
    /// An id of 32 hexadecimal digits in groups.
    Uuid,
    /// At least eight hexadecimal digits: a digest, a commit, a part of them.
    Hex,
    /// The fingerprint of a key.
    Key,
    /// A root as a checkpoint has it.
    Root,
    /// A number, which is another than shown only where it is that of an entry.
    Number,
}

/// What the names of the guide stand for in this run.
pub(super) struct Names {
    given: Vec<(String, String)>,
    found: BTreeMap<(Kind, String), String>,
}

/// Whether a line is to be left out: any number of lines.
fn is_gap(line: &str) -> bool {
    line.trim() == "…"
}

/// The prompt that a line begins with, without what was typed before the terminal stopped showing it.
fn prompt(line: &str) -> Option<&str> {
    let asks = ["Passphrase ", "Again, ", "Enter passphrase", "Enter same passphrase"];
    let asks = asks.iter().any(|begin| line.starts_with(begin));
    asks.then(|| line.find(':').map_or(line, |end| &line[..=end]))
}

/// Returns what was printed, from behind the last prompt for a passphrase where the guide shows none.
pub(super) fn without_prompts(printed: &str, shown: &[String]) -> Vec<String> {
    let mut lines: Vec<&str> = Vec::new();
    let mut last = None;
    for line in printed.lines().map(str::trim_end) {
        if let Some(prompt) = prompt(line) {
            last = Some(lines.len());
            lines.push(prompt);
        } else if !line.is_empty() || last.is_none_or(|last| last + 1 < lines.len()) {
            // A terminal may show the line feed of what is typed.
            lines.push(line);
        }
    }
    let wanted = shown.iter().any(|line| prompt(line).is_some());
    let mut lines = lines.split_off(if wanted { 0 } else { last.map_or(0, |last| last + 1) });
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.into_iter().map(str::to_owned).collect()
}

/// One blank for each run of them: columns are as wide as what is in them.
fn narrow(line: &str) -> Vec<char> {
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect()
}

fn hex(c: &char) -> bool {
    matches!(c, '0'..='9' | 'a'..='f')
}

/// Returns the kind and the length of what begins at that place, where a word begins there.
fn token(line: &[char], at: usize) -> Option<(Kind, usize)> {
    if at > 0 && line[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let rest = &line[at..];
    let ends = |length: usize| rest.get(length).is_none_or(|c| !c.is_ascii_alphanumeric());
    let form = |pattern: &str| {
        let fits = |(c, p): (&char, char)| if p == '0' { c.is_ascii_digit() } else { *c == p };
        rest.len() >= pattern.len() && rest.iter().zip(pattern.chars()).all(fits) && ends(pattern.len())
    };
    let time = "0000-00-00T00:00:00Z";
    if form(time) {
        return Some((Kind::Time, time.len()));
    }
    let uuid = |(place, c): (usize, &char)| if [8, 13, 18, 23].contains(&place) { *c == '-' } else { hex(c) };
    if rest.len() >= 36 && rest[..36].iter().enumerate().all(uuid) && ends(36) {
        return Some((Kind::Uuid, 36));
    }
    let base64 = |c: &&char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    if rest.starts_with(&['S', 'H', 'A', '2', '5', '6', ':']) && rest[7..].iter().take_while(base64).count() == 43 {
        return Some((Kind::Key, 50));
    }
    if rest.iter().take_while(base64).count() == 43 && rest.get(43) == Some(&'=') {
        return Some((Kind::Root, 44));
    }
    if let Some((kind, length)) =
        hexadecimal(line, at).filter(|(_, length)| rest[..*length].iter().any(char::is_ascii_digit))
    {
        return Some((kind, length));
    }
    let length = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    (length > 0 && ends(length)).then_some((Kind::Number, length))
}

/// Returns the length of the hexadecimal digits at that place, where they are a word and enough of them.
fn hexadecimal(line: &[char], at: usize) -> Option<(Kind, usize)> {
    let inside = |c: Option<&char>| c.is_some_and(char::is_ascii_alphanumeric);
    let length = line[at..].iter().take_while(|c| hex(c)).count();
    let word = !inside(line[..at].last()) && !inside(line.get(at + length));
    (length >= 8 && word).then_some((Kind::Hex, length))
}

/// What stands before the number of an entry, in commands and in what they print.
const BEFORE_ENTRY: [&str; 13] = [
    "entry ",
    "entries ",
    "confirm ",
    "--resume ",
    "lift ",
    "--condition-met ",
    "adopt ",
    "--authorization ",
    "suspend ",
    " resume ",
    "--replaces ",
    "of which ",
    "\"tree_size\": ",
];

/// Whether the number at that place is that of an entry, or how many there are.
fn is_entry(line: &[char], at: usize, length: usize) -> bool {
    let before: String = line[..at].iter().collect();
    let after: String = line[at + length..].iter().collect();
    BEFORE_ENTRY.iter().any(|words| before.ends_with(words)) || after.starts_with(" entries")
}

type Pair = (Kind, String, String);

impl Names {
    /// Takes what is known beforehand: a word of the guide, and what it is here.
    pub(super) fn new(given: Vec<(String, String)>) -> Self {
        Self { given, found: BTreeMap::new() }
    }

    fn translated(&self, text: &str) -> String {
        self.given.iter().fold(text.to_owned(), |text, (here, there)| {
            let mut result = String::new();
            let mut rest = text.as_str();
            while let Some(at) = rest.find(here.as_str()) {
                let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                let inside = word(rest[..at].chars().next_back()) || word(rest[at + here.len()..].chars().next());
                result.push_str(&rest[..at]);
                result.push_str(if inside { here } else { there });
                rest = &rest[at + here.len()..];
            }
            result + rest
        })
    }

    /// Returns a command or a file of the guide with the names of this run.
    pub(super) fn in_text(&self, text: &str) -> String {
        let line: Vec<char> = self.translated(text).chars().collect();
        let (mut result, mut at) = (String::new(), 0);
        while at < line.len() {
            let (length, name) = match token(&line, at) {
                Some((kind, length)) => {
                    let shown: String = line[at..at + length].iter().collect();
                    let found = self.found.get(&(kind, shown.clone())).cloned();
                    let differs = kind != Kind::Number || is_entry(&line, at, length);
                    (length, found.filter(|_| differs).unwrap_or(shown))
                }
                None => (1, line[at].to_string()),
            };
            result.push_str(&name);
            at += length;
        }
        result
    }

    /// Compares what the guide shows with what was printed, and remembers what stands for what.
    pub(super) fn compare(&mut self, shown: &[String], printed: &[String]) -> Result<(), String> {
        let shown: Vec<String> = shown.iter().map(|line| self.translated(line)).collect();
        let mut rest = printed.iter();
        let mut gap = false;
        for line in &shown {
            if is_gap(line) {
                gap = true;
                continue;
            }
            let mut looked = false;
            loop {
                let Some(next) = rest.next() else { return Err(format!("this is not printed: {line}")) };
                if self.line(line, next) {
                    break;
                }
                if !gap {
                    let place = if looked { "after that" } else { "next" };
                    return Err(format!("not printed {place}: {line}\nbut: {next}"));
                }
                looked = true;
            }
            gap = false;
        }
        match rest.next() {
            Some(more) if !gap => Err(format!("not shown: {more}")),
            _ => Ok(()),
        }
    }

    fn line(&mut self, shown: &str, printed: &str) -> bool {
        let mut pairs = Vec::new();
        let fits = self.rest(&narrow(shown), 0, &narrow(printed), 0, &mut pairs);
        if fits {
            for (kind, shown, printed) in pairs {
                if kind == Kind::Number {
                    // The name of the entry's file has its number in eight digits.
                    let padded = |number: &str| format!("{number:0>8}");
                    self.found.insert((Kind::Hex, padded(&shown)), padded(&printed));
                }
                self.found.insert((kind, shown), printed);
            }
        }
        fits
    }

    fn rest(&self, shown: &[char], i: usize, printed: &[char], j: usize, pairs: &mut Vec<Pair>) -> bool {
        let Some(c) = shown.get(i) else { return j == printed.len() };
        if *c == '…' {
            return (j..=printed.len()).any(|j| self.rest(shown, i + 1, printed, j, pairs));
        }
        if let Some((kind, length)) = token(shown, i) {
            // A digest may be without any figure by chance; that of the guide is not.
            let here = if kind == Kind::Hex { hexadecimal(printed, j) } else { token(printed, j) };
            let Some((other, found)) = here else { return false };
            let [name, here]: [String; 2] =
                [shown[i..i + length].iter().collect(), printed[j..j + found].iter().collect()];
            let may_differ = kind != Kind::Number || is_entry(shown, i, length);
            let same_form = kind == other && (length == found || kind == Kind::Number);
            if !same_form || !self.stands_for(kind, &name, &here, may_differ, pairs) {
                return false;
            }
            let known = pairs.len();
            if may_differ && kind != Kind::Time {
                pairs.push((kind, name, here));
            }
            let fits = self.rest(shown, i + length, printed, j + found, pairs);
            if !fits {
                pairs.truncate(known);
            }
            return fits;
        }
        printed.get(j) == Some(c) && self.rest(shown, i + 1, printed, j + 1, pairs)
    }

    /// Whether that name may stand for that: it has not stood for anything else, and nothing else for that.
    fn stands_for(&self, kind: Kind, name: &str, here: &str, may_differ: bool, pairs: &[Pair]) -> bool {
        if !may_differ || kind == Kind::Time {
            return may_differ || name == here;
        }
        let mine = |(k, n, _): &&Pair| (*k, n.as_str()) == (kind, name);
        let known = pairs.iter().find(mine).map(|(.., here)| here).or_else(|| self.found.get(&(kind, name.to_owned())));
        match known {
            Some(known) => known == here,
            None if kind == Kind::Number => true,
            None => {
                let taken = |(k, there): (Kind, &String)| k == kind && there == here;
                !pairs.iter().any(|(k, _, there)| taken((*k, there)))
                    && !self.found.iter().any(|((k, _), there)| taken((*k, there)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    const A: &str = "5a9bd8fd16a8d8f2e3761e5d1ca91301627817b5dd30358c49ba46c1b177b600";
    const B: &str = "81bf1bb50713fb8da6569d302eee003ae3370e6c5eb8a75145c3397ac8ea3f99";

    #[test]
    fn only_digests_times_ids_and_numbers_of_entries_may_differ() {
        let mut names = Names::new(vec![("8101".to_owned(), "40001".to_owned())]);
        let mut compare = |shown: &str, printed: &str| names.compare(&lines(shown), &lines(printed)).is_ok();
        let x = A.replace('a', "0");
        assert!(compare(&format!("shop {A}  (entry 12)"), &format!("shop {x} (entry 14)")));
        assert!(!compare(&format!("shop {A}"), &format!("shop {B}")), "one name for two digests");
        assert!(!compare(&format!("shop {B}"), &format!("shop {x}")), "two names for one digest");
        assert!(compare("confirmed: entry 12, 2026-11-30T20:16:17Z", "confirmed: entry 14, 2027-01-01T00:00:00Z"));
        assert!(!compare("entry 12", "entry 12"), "it is 14");
        assert!(
            compare("desk-1db1cd9a@devices", "desk-abcdefab@devices") && !compare("desk-2db1cd9a@x", "desk-desk@x")
        );
        assert!(compare("port 8101", "port 40001") && !compare("port 8101", "port 8101"));
        assert!(compare("12 tests of entry 12", "12 tests of entry 14") && !compare("12 tests", "14 tests"));
        assert!(!compare("1.0.0 is live", "1.0.1 is live") && !compare("PASS", "FAIL"));
        assert_eq!(
            names.in_text(&format!("confirm 12 --x {A} leaves/00000012.leaf")),
            format!("confirm 14 --x {x} leaves/00000014.leaf")
        );
    }

    #[test]
    fn a_gap_stands_for_anything_and_nothing_else_does() {
        let mut names = Names::new(Vec::new());
        let mut compare = |shown: &str, printed: &str| names.compare(&lines(shown), &lines(printed)).is_ok();
        assert!(compare("a\n…\nd", "a\nb\nc\nd") && compare("a\n…", "a") && compare("…\nd", "a\nd"));
        assert!(!compare("a\nd", "a\nb\nd") && !compare("a", "a\nb") && !compare("a\nb", "a") && !compare("", "a"));
        assert!(compare("report (… bytes); valid", "report (123 bytes); valid"));
        assert!(!compare("report (… bytes); valid", "report (123 bytes); invalid"));
    }

    #[test]
    fn what_comes_before_the_last_prompt_is_left_out_where_no_prompt_is_shown() {
        let printed = "You are about to sign\nPassphrase of a: \nPassphrase of b:\ndone\n\n";
        assert_eq!(without_prompts(printed, &lines("done")), ["done"]);
        let typed = "Passphrase of a: secret\n\nPassphrase of b: \n\ndone\n";
        assert_eq!(
            without_prompts(typed, &lines("Passphrase of a:")),
            ["Passphrase of a:", "Passphrase of b:", "done"]
        );
        assert_eq!(without_prompts("Passphrase of a:\n\ndone\n\nmore", &lines("done")), ["done", "", "more"]);
        assert_eq!(without_prompts(printed, &lines("Passphrase of a:")).len(), 4);
        assert_eq!(without_prompts("done\n", &lines("done")), ["done"]);
    }
}
