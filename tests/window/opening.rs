//! The program comes up, and what its pages may do is what was granted to them.

use serde_json::json;

use crate::window::{Window, can_open};

#[test]
fn the_main_window_opens_under_the_policy_as_written() {
    if !can_open() {
        return;
    }
    let window = Window::open(&[]);
    let page = &window.session;
    page.to_main();
    let script = |text: &str| page.script(text, json!([]));
    assert_eq!(script("return Object.isFrozen(Object.prototype)"), true);
    assert_eq!(script("return typeof window.__TAURI__"), "undefined");
    assert_eq!(
        script(
            "try { document.createElement('p').innerHTML = '<b>x</b>'; return 'taken' } catch (e) { return e.name }"
        ),
        "TypeError",
        "a string is no markup"
    );
    assert_eq!(
        script("try { return eval('1 + 1') } catch (e) { return e.name }"),
        "EvalError",
        "a string is no program"
    );
    window.keep_picture("opening");
}
