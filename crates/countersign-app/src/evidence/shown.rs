//! Texts that are safe to show, and a bounded list of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Item, ItemLevel, MAX_ITEMS, MAX_TEXT_BYTES};

/// Returns `text` with every character that could deceive the eye or a terminal written out.
///
/// Controls, line ends, tabs, bidirectional controls (Unicode Standard Annex 9), invisible and
/// deprecated format characters and tags become `\n`, `\t`, `\r` or `\u{…}`; all else stays as it is.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(deceives) { Cow::Owned(line(text, usize::MAX)) } else { Cow::Borrowed(text) }
}

/// Returns `text` like [`visible`], but keeps line feeds and tabs; CR LF becomes LF.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| deceives(c) && !matches!(c, '\n' | '\t')) {
        Cow::Owned(lines(text, usize::MAX))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns one safe line of at most `limit_bytes`.
pub(super) fn line(text: &str, limit_bytes: usize) -> String {
    write_out(text.chars(), limit_bytes, |_| false)
}

/// Returns safe lines of at most `limit_bytes`.
pub(super) fn lines(text: &str, limit_bytes: usize) -> String {
    let mut rest = text.chars().peekable();
    let chars = std::iter::from_fn(move || {
        let c = rest.next()?;
        if c == '\r' && rest.peek() == Some(&'\n') { rest.next() } else { Some(c) }
    });
    write_out(chars, limit_bytes, |c| matches!(c, '\n' | '\t'))
}

const CUT: &str = "…";

fn write_out(chars: impl Iterator<Item = char>, limit: usize, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    // Where to cut when a later character does not fit any more.
    let mut fits_with_mark = 0;
    for c in chars {
        match c {
            _ if keep(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if deceives(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            _ => out.push(c),
        }
        if out.len() > limit {
            out.truncate(fits_with_mark);
            out.push_str(CUT);
            return out;
        }
        if out.len() + CUT.len() <= limit {
            fits_with_mark = out.len();
        }
    }
    out
}

/// Tells the characters that are not what they look like.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Keeps the worst [`MAX_ITEMS`] items, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Items {
    by_level: BTreeMap<ItemLevel, Vec<(u64, Item)>>,
    held: usize,
    seen: u64,
}

impl Items {
    /// Adds an item; texts are made safe and short.
    pub(super) fn push(&mut self, level: ItemLevel, name: &str, location: Option<&str>, message: Option<&str>) {
        self.seen += 1;
        if self.held == MAX_ITEMS {
            // Of equally bad ones the first stay.
            let mildest = self.by_level.last_entry().filter(|mildest| *mildest.key() > level);
            let Some(mut mildest) = mildest else { return };
            mildest.get_mut().pop();
            if mildest.get().is_empty() {
                mildest.remove();
            }
            self.held -= 1;
        }
        let item = Item {
            name: line(name, MAX_TEXT_BYTES),
            location: location.filter(|text| !text.is_empty()).map(|text| line(text, MAX_TEXT_BYTES)),
            level,
            message: message.filter(|text| !text.is_empty()).map(|text| lines(text, MAX_TEXT_BYTES)),
        };
        self.by_level.entry(level).or_default().push((self.seen, item));
        self.held += 1;
    }

    /// Returns the items and how many more there were.
    pub(super) fn into_list(self) -> (Vec<Item>, u64) {
        let omitted = self.seen - self.held as u64;
        let mut items: Vec<_> = self.by_level.into_values().flatten().collect();
        items.sort_by_key(|(seen, _)| *seen);
        (items.into_iter().map(|(_, item)| item).collect(), omitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_written_out() {
        for (text, one_line, many_lines) in [
            ("plain é 漢 👍 c:\\dir", "plain é 漢 👍 c:\\dir", "plain é 漢 👍 c:\\dir"),
            ("a\u{1b}[31mred", "a\\u{1b}[31mred", "a\\u{1b}[31mred"),
            ("a\u{202e}b\u{2066}c", "a\\u{202e}b\\u{2066}c", "a\\u{202e}b\\u{2066}c"),
            ("a\r\nb\tc\rd", "a\\r\\nb\\tc\\rd", "a\nb\tc\\rd"),
            ("\u{0}\u{7f}\u{9b}", "\\u{0}\\u{7f}\\u{9b}", "\\u{0}\\u{7f}\\u{9b}"),
            ("zero\u{200b}width\u{e0041}", "zero\\u{200b}width\\u{e0041}", "zero\\u{200b}width\\u{e0041}"),
        ] {
            assert_eq!(visible(text), one_line);
            assert_eq!(visible_lines(text), many_lines);
            assert_eq!(visible(&visible(text)), one_line, "showing twice changes nothing");
        }
    }

    #[test]
    fn a_cut_text_keeps_the_limit_and_says_so() {
        for text in ["x".repeat(5000), "é".repeat(5000), "\u{1b}".repeat(5000), "👍".repeat(2000)] {
            for limit in [8, 9, 10, 11, 4096] {
                let cut = line(&text, limit);
                assert!(cut.len() <= limit, "{} > {limit}", cut.len());
                assert!(cut.len() + 12 > limit, "{} is far below {limit}", cut.len());
                assert!(cut.ends_with(CUT));
            }
        }
        assert_eq!(line("abc", 3), "abc");
    }

    #[test]
    fn the_worst_items_stay_when_there_are_too_many() {
        let mut items = Items::default();
        for number in 0..MAX_ITEMS + 5 {
            items.push(ItemLevel::Skipped, &number.to_string(), None, None);
        }
        for name in ["a", "b"] {
            items.push(ItemLevel::Failed, name, Some(""), Some("m"));
        }
        let (list, omitted) = items.into_list();
        assert_eq!(list.len(), MAX_ITEMS);
        assert_eq!(omitted, 7);
        assert_eq!(list[MAX_ITEMS - 1].name, "b");
        assert_eq!(list[MAX_ITEMS - 2].name, "a");
        assert_eq!(list[MAX_ITEMS - 3].name, (MAX_ITEMS - 3).to_string());
        assert_eq!(list[MAX_ITEMS - 1].location, None);
    }
}
