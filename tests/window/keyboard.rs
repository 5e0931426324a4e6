//! Somebody who has a keyboard and no mouse: Tab, arrows, Enter, letters, and the shortcuts the program ships.
//!
//! Nothing here calls a command or sets a field; what cannot be reached by keys fails, and says what was reached instead.

use serde_json::json;

use crate::driver::{SIGN, Session};

pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
const RIGHT: &str = "\u{e014}";
pub(crate) const DOWN: &str = "\u{e015}";
pub(crate) const CONTROL: &str = "\u{e009}";
const SPACE: &str = " ";
/// More stops than any page has.
const STOPS_MAX: usize = 160;

/// The words of what has the focus: its label, or what stands on it.
const FOCUSED: &str = "const one = document.activeElement; \
    if (!one || one === document.body) return ''; \
    const label = one.labels && one.labels[0] && one.labels[0].innerText; \
    return (one.getAttribute('aria-label') || label || one.innerText || '').trim().replaceAll('\\n', ' ')";
/// The words of what an open list or menu would choose.
const HIGHLIGHTED: &str = "const one = document.querySelector('[data-highlighted]'); \
    return one ? one.innerText.trim().replaceAll('\\n', ' ') : ''";
/// Whose desk it is, by the button of the rail that says so.
const WHO: &str = "return document.querySelector('button.me').innerText";
const OPEN_ACKNOWLEDGEMENTS: &str =
    "return [...document.querySelectorAll('input[type=checkbox]')].filter(one => !one.checked).length";

fn said(page: &Session, script: &str) -> String {
    page.script(script, json!([])).as_str().unwrap_or_default().to_owned()
}

/// Returns the words of what has the focus.
pub(crate) fn focused(page: &Session) -> String {
    said(page, FOCUSED)
}

/// Presses Tab until what begins with these words has the focus.
#[track_caller]
pub(crate) fn tab_to(page: &Session, words: &str) {
    let mut passed = vec![focused(page)];
    // What is drawn a moment later is reached in the next round.
    for _ in 0..STOPS_MAX {
        if passed.last().is_some_and(|now| now.starts_with(words)) {
            return;
        }
        page.press(TAB);
        passed.push(focused(page));
    }
    panic!("{words:?} is not reached by keyboard, only {passed:?}; the page says:\n{}", page.text());
}

/// Goes to a field and types into it what it is to hold.
#[track_caller]
pub(crate) fn fill(page: &Session, label: &str, text: &str) {
    tab_to(page, label);
    page.chord(CONTROL, "a");
    page.press(text);
    let now = page.script("return document.activeElement.value", json!([]));
    assert_eq!(now, text, "what {label:?} holds");
}

/// Goes to a button and presses it, as soon as it is not held back.
#[track_caller]
pub(crate) fn press_button(page: &Session, words: &str) {
    tab_to(page, words);
    page.wait(&format!("{words:?} to be free"), || {
        let is_free = "return document.activeElement.getAttribute('aria-disabled') !== 'true'";
        (page.script(is_free, json!([])) == true).then_some(())
    });
    page.press(ENTER);
}

/// Opens a choice and takes what begins with these words.
#[track_caller]
pub(crate) fn choose(page: &Session, label: &str, option: &str) {
    tab_to(page, &format!("{label}:"));
    page.press(ENTER);
    pick(page, option);
    page.wait(&format!("{label:?} to be {option:?}"), || focused(page).contains(option).then_some(()));
}

/// Goes down in an open list or menu to what begins with these words, and takes it.
#[track_caller]
pub(crate) fn pick(page: &Session, words: &str) {
    page.wait("an open list", || {
        page.find("[role=listbox], [role=menu]").filter(|_| !said(page, HIGHLIGHTED).is_empty()).or_else(|| {
            page.press(DOWN);
            None
        })
    });
    let mut passed = Vec::new();
    for _ in 0..40 {
        let now = said(page, HIGHLIGHTED);
        if now.starts_with(words) {
            page.press(ENTER);
            return;
        }
        passed.push(now);
        page.press(DOWN);
    }
    panic!("{words:?} is not in the list, only {passed:?}");
}

/// Goes to the tabs of the page and along them to the one with this name.
#[track_caller]
pub(crate) fn turn_to(page: &Session, name: &str) {
    tab_while(page, "return document.activeElement.getAttribute('role') !== 'tab'");
    let mut passed = vec![focused(page)];
    while !passed.last().is_some_and(|now| now.starts_with(name)) {
        assert!(passed.len() < 12, "there is no tab {name:?}, only {passed:?}");
        page.press(RIGHT);
        passed.push(focused(page));
    }
}

/// Goes somewhere by its shortcut of two letters.
#[track_caller]
pub(crate) fn go(page: &Session, letters: &str, heading: &str) {
    page.press(letters);
    at(page, heading);
}

/// Takes the desk as somebody else, through the menu of the rail that says whose desk it is now.
#[track_caller]
pub(crate) fn sit_down(page: &Session, name: &str) {
    tab_to(page, "You and this desk");
    page.press(ENTER);
    pick(page, name);
    page.wait(&format!("{name} at the desk"), || said(page, WHO).contains(name).then_some(()));
}

/// Waits until the page has this heading.
#[track_caller]
pub(crate) fn at(page: &Session, heading: &str) {
    page.wait(&format!("the heading {heading:?}"), || {
        let text = said(page, "const h1 = document.querySelector('main h1'); return h1 ? h1.innerText : ''");
        text.contains(heading).then_some(())
    });
}

/// Finds and does something in the palette.
#[track_caller]
pub(crate) fn palette(page: &Session, words: &str) {
    page.chord(CONTROL, "k");
    page.wait("the palette", || (page.property(&page.find(".palette input")?, "value") == "").then_some(()));
    page.wait("the palette to listen", || {
        (page.script("return document.activeElement.matches('.palette input')", json!([])) == true).then_some(())
    });
    page.press(words);
    page.wait(&format!("{words:?} to be found"), || {
        page.script(
            "const one = document.querySelector('.palette [data-selected]'); \
             return !!one && one.innerText.toLowerCase().includes(arguments[0].toLowerCase())",
            json!([words.trim_start_matches(['>', '#', '@', '/'])]),
        )
        .as_bool()
        .filter(|is_found| *is_found)
    });
    page.press(ENTER);
    page.wait("the palette to close", || page.find(".palette").is_none().then_some(()));
}

/// Ticks whatever is to be acknowledged.
#[track_caller]
pub(crate) fn acknowledge(page: &Session) {
    while open_acknowledgements(page) > 0 {
        tab_while(page, "const one = document.activeElement; return one.type !== 'checkbox' || one.checked");
        page.press(SPACE);
    }
}

/// How the window for signing is gone through.
pub(crate) struct Signing<'a> {
    /// What its heading says.
    pub(crate) heading: &'a str,
    /// The answer, where one is asked for.
    pub(crate) verdict: Option<&'a str>,
    /// Why, where it is asked for there.
    pub(crate) reason: Option<&'a str>,
    /// A passphrase for a key that is made now.
    pub(crate) new_key: Option<&'a str>,
    /// What proves who signs.
    pub(crate) passphrase: &'a str,
}

impl<'a> Signing<'a> {
    pub(crate) fn act(heading: &'a str, passphrase: &'a str) -> Self {
        Self { heading, verdict: None, reason: None, new_key: None, passphrase }
    }
}

/// Waits until the field for the passphrase has the focus and is empty.
#[track_caller]
pub(crate) fn until_secret(page: &Session) {
    page.wait("the passphrase to be asked for", || {
        let ready = "const one = document.activeElement; return one.hasAttribute('data-secret') && !one.disabled";
        (page.script(ready, json!([])) == true).then_some(())
    });
}

/// Waits until what is to be signed is prepared: the last button is no longer held back.
#[track_caller]
pub(crate) fn until_ready(page: &Session) {
    page.wait("the act to be ready to be signed", || is_ready(page).then_some(()));
}

fn is_ready(page: &Session) -> bool {
    let ready = "return [...document.querySelectorAll('footer button[type=submit]')]\
        .some(one => one.getAttribute('aria-disabled') !== 'true')";
    page.script(ready, json!([])) == true
}

fn open_acknowledgements(page: &Session) -> u64 {
    page.script(OPEN_ACKNOWLEDGEMENTS, json!([])).as_u64().unwrap_or_default()
}

/// Presses Tab as long as this is true of what has the focus.
#[track_caller]
fn tab_while(page: &Session, script: &str) {
    for _ in 0..STOPS_MAX {
        if page.script(script, json!([])) != true {
            return;
        }
        page.press(TAB);
    }
    panic!("{script:?} is never over; the page says:\n{}", page.text());
}

/// Signs in the window that has opened, and closes it; `kept` draws what is seen before the passphrase is typed.
#[track_caller]
pub(crate) fn sign(page: &Session, signing: &Signing<'_>, kept: impl Fn(&str)) {
    page.to_sign();
    at(page, signing.heading);
    page.wait("the heading to have the focus", || {
        (page.script("return document.activeElement.tagName", json!([])) == "H1").then_some(())
    });
    kept("review");
    acknowledge(page);
    match signing.verdict {
        Some(verdict) => tab_to(page, verdict),
        None => tab_to(page, "Continue"),
    }
    page.press(ENTER);
    if let Some(passphrase) = signing.new_key {
        fill(page, "New passphrase", passphrase);
        fill(page, "The same once more", passphrase);
        kept("new-key");
        page.press(ENTER);
    }
    if let Some(reason) = signing.reason {
        page.wait("the reason to be asked for", || {
            (page.script("return document.activeElement.tagName", json!([])) == "TEXTAREA").then_some(())
        });
        page.press(reason);
        tab_to(page, "Passphrase");
    }
    until_secret(page);
    page.chord(CONTROL, "a");
    page.press(signing.passphrase);
    // What weighs in an answer is known once it is chosen.
    page.wait("the act to be prepared", || (is_ready(page) || open_acknowledgements(page) > 0).then_some(()));
    if open_acknowledgements(page) > 0 {
        acknowledge(page);
        until_ready(page);
        tab_while(page, "return document.activeElement.type !== 'submit'");
    }
    until_ready(page);
    kept("identify");
    page.press(ENTER);
    let recorded = page.wait("the receipt", || {
        let text = page.text();
        (text.contains("Recorded as entry") || text.contains("Done")).then_some(text)
    });
    kept("receipt");
    assert!(!recorded.contains("That did not work"), "{recorded}");
    tab_to(page, "Close");
    page.press_last(ENTER);
    page.to_main();
    page.until_gone(SIGN);
    page.to_main();
}
