//! What each window of the built program may call is what its capability file lists: no more, and no less.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::driver::{BOARD, Session};
use crate::window::{Window, can_open};

/// Returns the commands a window is granted, as its capability file says.
fn granted(window: &str) -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../src-tauri/capabilities/{window}.json"));
    let file: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let permissions = file["permissions"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
    permissions.filter_map(|one| Some(one.strip_prefix("allow-")?.replace('-', "_"))).collect()
}

fn all() -> BTreeSet<String> {
    ["main", "sign", "board"].iter().flat_map(|window| granted(window)).collect()
}

/// Returns which commands the page in front may call. None is given what it asks for, so that none does anything.
fn callable(page: &Session) -> BTreeSet<String> {
    let may = |command: &&String| {
        let answer = page.invoke(command, json!({ "request": null }));
        let refused = answer["refused"].as_str().unwrap_or_default();
        let is_refused_by_name = refused.contains("not allowed") && refused.contains(command.as_str());
        assert!(is_refused_by_name || !refused.contains("not allowed"), "{command}: {answer}");
        !is_refused_by_name
    };
    // Closing itself is the one command without a request that would end the question.
    all().iter().filter(|command| *command != "close_window").filter(may).cloned().collect()
}

/// Returns `granted`, but for the command that is not tried.
fn expected(window: &str) -> BTreeSet<String> {
    let mut granted = granted(window);
    granted.remove("close_window");
    granted
}

#[test]
fn the_main_window_may_call_what_is_listed_and_cannot_sign() {
    if !can_open() {
        return;
    }
    let window = Window::open(&[]);
    let page = &window.session;
    page.to_main();
    assert_eq!(callable(page), expected("main"));
    for command in ["signing_challenge", "signing_choose", "signing_new_key", "signing_commit", "signing_cancel"] {
        let request = json!({ "request": { "nonce": "0", "secret": "correct horse", "acknowledged": [] } });
        let refused = page.invoke(command, request)["refused"].as_str().unwrap_or_default().to_owned();
        assert!(refused.contains(command) && refused.contains("not allowed"), "{command}: {refused}");
    }
    for plugin in [
        "plugin:window|create",
        "plugin:webview|create_webview_window",
        "plugin:event|emit",
        "plugin:event|emit_to",
        "plugin:dialog|open",
        "plugin:dialog|save",
        "plugin:opener|open_url",
        "plugin:opener|open_path",
        "plugin:notification|notify",
        "plugin:window-state|restore_state",
        "plugin:deep-link|register",
        "plugin:path|resolve_directory",
        "plugin:app|version",
        "plugin:fs|read_file",
    ] {
        let refused = page.invoke(plugin, json!({}))["refused"].clone();
        assert!(refused.as_str().is_some_and(|text| text.contains("not")), "{plugin}: {refused}");
    }
}

#[test]
fn the_wallboard_reads_and_does_nothing_else() {
    if !can_open() {
        return;
    }
    let window = Window::open(&[]);
    let page = &window.session;
    page.to_main();
    assert_eq!(page.invoke("open_board", json!({})), json!({ "ok": null }));
    page.to_board();
    assert_eq!(callable(page), expected("board"));
    // The window may be gone before it can answer.
    let _ = page.try_script("setTimeout(() => window.__TAURI_INTERNALS__.invoke('close_window'), 10)", json!([]));
    page.to_main();
    page.until_gone(BOARD);
}

#[test]
fn a_page_cannot_leave_or_open_another() {
    if !can_open() {
        return;
    }
    let window = Window::open(&[]);
    let page = &window.session;
    page.to_main();
    let before = page.addresses();
    for address in ["https://example.org/", "file:///etc/passwd", "data:text/html,gone", "about:blank"] {
        page.script("window.stayed = true; location.href = arguments[0]", json!([address]));
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert_eq!(page.script("return window.stayed", json!([])), true, "{address}");
    }
    assert_eq!(page.script("return window.open('https://example.org/') === null", json!([])), true);
    assert_eq!(page.addresses(), before);
    let fetched =
        "const done = arguments[0]; fetch('https://example.org/').then(() => done('fetched'), () => done('refused'))";
    assert_eq!(page.script_later(fetched), "refused");
    let script = "const [done] = arguments; const s = document.createElement('script'); \
        try { s.textContent = 'window.ran = true'; document.head.append(s) } catch (e) {} setTimeout(() => done(window.ran === true), 100)";
    assert_eq!(page.script_later(script), false, "no script but our own runs");
}
