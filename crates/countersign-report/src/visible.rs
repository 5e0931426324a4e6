//! Makes characters visible that could make a page say something else than its bytes.

use std::borrow::Cow;

/// Tells whether a character acts on its neighbors or hides: controls, direction marks, zero-width and tag characters.
fn acts(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Writes a character as its code point, `‹U+202E›`.
pub(crate) fn push_code_point(text: &mut String, c: char) {
    text.push_str(&format!("‹U+{:04X}›", u32::from(c)));
}

/// Replaces each acting or hidden character by its code point; line feed and tab stay.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match acts(c) {
            true => push_code_point(&mut out, c),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Cuts a heading to so many characters; the whole text must stand elsewhere.
pub(crate) fn brief(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown_and_what_reads_stays() {
        for (text, shown) in [
            ("Zoë Ångström, 山田, علي", "Zoë Ångström, 山田, علي"),
            ("GO\u{202e}ON", "GO‹U+202E›ON"),
            ("\u{1b}[32mVALID\u{1b}[0m", "‹U+001B›[32mVALID‹U+001B›[0m"),
            ("a\0b\u{200b}c\u{feff}", "a‹U+0000›b‹U+200B›c‹U+FEFF›"),
            ("two\nlines\tand a tab", "two\nlines\tand a tab"),
            ("\u{e0041}", "‹U+E0041›"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn a_heading_is_cut_between_characters() {
        assert_eq!(brief("héé héé", 4), "héé…");
        assert_eq!(brief("short", 5), "short");
    }
}
