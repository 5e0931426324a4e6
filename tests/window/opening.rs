//! The program comes up under the policy that is written down.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::window::{Window, can_open};

/// Returns the directives of a content security policy, each with its sources.
fn directives(policy: &str) -> BTreeMap<String, Vec<String>> {
    let words = |directive: &str| {
        let mut words = directive.split_whitespace().map(str::to_owned);
        Some((words.next()?, words.collect()))
    };
    policy.split(';').filter_map(words).collect()
}

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

    let policy = page.script_later(
        "const [done] = arguments; \
         document.addEventListener('securitypolicyviolation', event => done(event.originalPolicy), { once: true }); \
         fetch('https://example.org/').catch(() => undefined);",
    );
    let in_force = directives(policy.as_str().unwrap());
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src-tauri/tauri.conf.json");
    let conf: Value = serde_json::from_str(&fs::read_to_string(conf).unwrap()).unwrap();
    let written = conf["app"]["security"]["csp"].as_object().unwrap();
    assert!(written.len() >= 12);
    assert_eq!(
        in_force.keys().collect::<Vec<_>>(),
        written.keys().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    );
    for (directive, sources) in written {
        // The build adds the hash of its own script and a nonce, and nothing else.
        let mut is = in_force[directive].clone();
        is.retain(|source| !source.starts_with("'sha256-") && !source.starts_with("'nonce-"));
        is.dedup();
        assert_eq!(is.join(" "), sources.as_str().unwrap(), "{directive}");
    }
    window.keep_picture("opening");
}
