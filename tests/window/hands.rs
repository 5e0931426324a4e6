//! What a person does at the window with a mouse and a keyboard: finds a word, presses it, types, and reads what is said.

use serde_json::{Value, json};

use crate::driver::{Element, SIGN, Session};

/// A person with a key at this desk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) passphrase: &'static str,
}

/// Returns an element by its XPath, as soon as there is one.
#[track_caller]
fn path(page: &Session, what: &str, path: &str) -> Element {
    page.wait(what, || page.locate("xpath", path))
}

/// Presses the button with these words, as soon as it can be pressed: a key that also does it may stand beside them.
#[track_caller]
pub(crate) fn press(page: &Session, words: &str) {
    let ready = format!(
        "//button[not(@aria-disabled=\"true\")][.//*[contains(@class, 'label')][normalize-space(.)=\"{words}\"] or \
         normalize-space(.)=\"{words}\"]"
    );
    page.click(&path(page, &format!("a button {words:?} that can be pressed"), &ready));
}

/// Returns why the button with these words cannot be pressed now.
#[track_caller]
pub(crate) fn why_not(page: &Session, words: &str) -> String {
    let button = format!("//button[@aria-disabled=\"true\"][.//*[normalize-space(.)=\"{words}\"]]");
    path(page, &format!("a button {words:?} that cannot be pressed"), &button);
    let script = "const wanted = arguments[0]; \
        const button = [...document.querySelectorAll('button[aria-disabled=true]')].find(one => one.innerText.trim().startsWith(wanted)); \
        const why = button && document.getElementById(button.getAttribute('aria-describedby')); \
        return why ? why.textContent : ''";
    page.script(script, json!([words])).as_str().unwrap_or_default().to_owned()
}

/// Follows the link with these words.
#[track_caller]
pub(crate) fn follow(page: &Session, words: &str) {
    let link = format!("//a[contains(normalize-space(.), \"{words}\")]");
    page.click(&path(page, &format!("a link {words:?}"), &link));
}

/// Chooses a tab by its first word.
#[track_caller]
pub(crate) fn tab(page: &Session, words: &str) {
    let tab = format!("//*[@role='tab'][starts-with(normalize-space(.), \"{words}\")]");
    page.click(&path(page, &format!("a tab {words:?}"), &tab));
}

/// Chooses what is in an open menu.
#[track_caller]
pub(crate) fn choose(page: &Session, words: &str) {
    let item = format!("//*[@role='menuitem'][contains(normalize-space(.), \"{words}\")]");
    page.click(&path(page, &format!("a choice {words:?}"), &item));
}

/// Types into the field with this label, in the dialog where one is open.
#[track_caller]
pub(crate) fn fill(page: &Session, label: &str, text: &str) {
    let within = "[ancestor::*[@role='dialog'] or not(//*[@role='dialog'])]";
    let field = format!("//*[@id = //label[starts-with(normalize-space(.), \"{label}\")]/@for]{within}");
    page.type_into(&path(page, &format!("a field {label:?}"), &field), text);
}

/// Goes to a place of the rail.
#[track_caller]
pub(crate) fn go(page: &Session, place: &str) {
    let link = format!("//nav//a[starts-with(normalize-space(.), \"{place}\")]");
    page.click(&path(page, &format!("{place} in the rail"), &link));
    page.wait(&format!("the page {place}"), || says(page, "nav a[aria-current=page]").starts_with(place).then_some(()));
}

/// Returns the heading of the page.
pub(crate) fn heading(page: &Session) -> String {
    let text = page.script("const h1 = document.querySelector('h1'); return h1 ? h1.innerText : ''", json!([]));
    text.as_str().unwrap_or_default().to_owned()
}

/// Returns what a part of the page says.
pub(crate) fn says(page: &Session, css: &str) -> String {
    let script = "return [...document.querySelectorAll(arguments[0])].map(one => one.innerText).join('\\n')";
    page.script(script, json!([css])).as_str().unwrap_or_default().to_owned()
}

/// Goes to a release through the list of them.
#[track_caller]
pub(crate) fn open_release(page: &Session, release: &str, version: &str) {
    page.to_main();
    go(page, "Releases");
    let row = page.element(&format!("[data-key='{release}'] [role=gridcell]"));
    page.click(&row);
    page.wait(&format!("the page of {release}"), || heading(page).starts_with(version).then_some(()));
}

/// Hands the desk over: whoever sits down chooses their name in the menu at the foot of the rail.
#[track_caller]
pub(crate) fn sit_down(page: &Session, who: Person) {
    page.to_main();
    page.click(&page.element("button.me"));
    choose(page, who.name);
    page.wait(&format!("{} at the desk", who.name), || {
        (says(page, "button.me").contains(who.name) && page.find("[role=menu]").is_none()).then_some(())
    });
}

/// Presses the button that signs, once everything is prepared and whatever is asked first is acknowledged.
#[track_caller]
pub(crate) fn press_signing(page: &Session, verb: &str) {
    page.wait(&format!("{verb:?} to be ready"), || {
        acknowledge(page);
        ready(page, verb).then_some(())
    });
    press(page, verb);
}

/// Tells whether the button with these words can be pressed.
fn ready(page: &Session, words: &str) -> bool {
    let script = "return [...document.querySelectorAll('button:not([aria-disabled=true])')] \
        .some(one => one.innerText.trim() === arguments[0])";
    page.script(script, json!([words])) == true
}

/// Ticks whatever is to be acknowledged first.
pub(crate) fn acknowledge(page: &Session) {
    for one in page.all("footer input[type=checkbox]") {
        if page.property(&one, "checked") == false {
            page.click(&one);
        }
    }
}

/// Types a passphrase where the signing window asks for it.
#[track_caller]
pub(crate) fn passphrase(page: &Session, text: &str) {
    let secret = page.element("[data-secret]");
    page.script("const one = document.querySelector('[data-secret]'); one.focus(); one.select()", json!([]));
    page.type_into(&secret, text);
}

/// Waits for the signing window to say what is signed, and returns the sentence.
#[track_caller]
pub(crate) fn reviewed(page: &Session) -> String {
    page.to_sign();
    page.wait("what is signed, in the signer's own voice", || {
        let text = says(page, "main");
        text.contains("I, ").then_some(text)
    })
}

/// Signs what the signing window shows, closes it, and returns what its receipt says.
#[track_caller]
pub(crate) fn sign(page: &Session, who: Person, verb: &str) -> String {
    reviewed(page);
    acknowledge(page);
    press(page, "Continue");
    passphrase(page, who.passphrase);
    press_signing(page, verb);
    let receipt = receipt(page);
    close(page);
    receipt
}

/// Answers what the signing window shows, closes it, and returns what its receipt says.
#[track_caller]
pub(crate) fn answer(page: &Session, who: Person, verdict: &str, reason: &str) -> String {
    reviewed(page);
    acknowledge(page);
    press(page, verdict);
    fill(page, "Reason", reason);
    passphrase(page, who.passphrase);
    press_signing(page, &format!("Sign {verdict}"));
    let receipt = receipt(page);
    close(page);
    receipt
}

/// Waits for the receipt.
#[track_caller]
pub(crate) fn receipt(page: &Session) -> String {
    page.wait("a receipt", || {
        let text = says(page, "main");
        text.contains("Printed name").then_some(text)
    })
}

/// Closes the signing window and goes back to the main one.
#[track_caller]
pub(crate) fn close(page: &Session) {
    leave_by(page, "Close");
}

/// Presses a button at the foot of the signing window that closes it.
#[track_caller]
pub(crate) fn leave_by(page: &Session, words: &str) {
    // The window goes with the click, and with it whoever would answer that it was clicked.
    let script = "const [words] = arguments; \
        const close = [...document.querySelectorAll('footer button')].find(one => one.innerText.trim() === words); \
        setTimeout(() => close.click(), 250); return !!close";
    // On a slow machine it may be gone before it answers; that it is gone is waited for below.
    if let Ok(found) = page.try_script(script, json!([words])) {
        assert_eq!(found, true, "there is a button {words:?}");
    }
    page.to_main();
    page.until_gone(SIGN);
    page.to_main();
}

/// Returns what went wrong, where a page shows it.
pub(crate) fn problems(page: &Session) -> Vec<String> {
    let script = "return [...document.querySelectorAll('.problem')].map(one => one.innerText)";
    let found = page.script(script, json!([]));
    found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
