//! The few calls of the W3C WebDriver protocol that the tests of the window need.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

/// How the protocol marks an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What only the address of the signing window holds.
pub(crate) const SIGN: &str = "sign.html";
/// What only the address of the wallboard holds.
pub(crate) const BOARD: &str = "wallboard";

/// What the driver refused, as its `error` and `message`.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) error: String,
    #[allow(dead_code, reason = "shown with `{:?}` where a test fails")]
    pub(crate) message: String,
}

/// A session of one program.
#[derive(Debug)]
pub(crate) struct Session {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    base: String,
    id: String,
}

/// An element of the page that was in front when it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element(String);

impl Session {
    /// Starts the program through the driver at this address.
    pub(crate) fn start(base: &str, program: &std::path::Path, arguments: &[String]) -> Result<Self, Refused> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(90)).build().unwrap();
        let mut session = Self { client, runtime, base: base.to_owned(), id: String::new() };
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "webkitgtk:browserOptions": { "binary": program, "args": arguments },
            "timeouts": { "script": 60_000, "pageLoad": 60_000, "implicit": 0 },
        } } });
        let begun = session.send(Method::POST, "/session", Some(capabilities))?;
        session.id = begun["sessionId"].as_str().unwrap().to_owned();
        Ok(session)
    }

    fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Refused> {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        self.runtime.block_on(async {
            let lost = |error: reqwest::Error| Refused { error: "lost".into(), message: format!("{error:?}") };
            let answer = request.send().await.map_err(lost)?;
            let is_good = answer.status().is_success();
            let mut answer: Value = answer.json().await.map_err(lost)?;
            let mut value = answer["value"].take();
            if is_good {
                return Ok(value);
            }
            let mut text = |key: &str| value[key].take().as_str().unwrap_or_default().to_owned();
            Err(Refused { error: text("error"), message: text("message") })
        })
    }

    fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Refused> {
        self.send(method, &format!("/session/{}{path}", self.id), body)
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).unwrap_or_else(|refused| panic!("GET {path}: {refused:?}"))
    }

    #[track_caller]
    fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, Some(body)).unwrap_or_else(|refused| panic!("POST {path}: {refused:?}"))
    }

    /// Ends the session, and with it the program.
    pub(crate) fn end(&self) {
        let _ = self.call(Method::DELETE, "", None);
    }

    /// Returns the address of each window, in no order.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let handles = self.get("/window/handles");
        let handles: Vec<String> =
            handles.as_array().unwrap().iter().map(|handle| handle.as_str().unwrap().to_owned()).collect();
        // A window may close between two questions.
        handles.iter().filter_map(|handle| self.address_of(handle)).collect()
    }

    fn address_of(&self, handle: &str) -> Option<String> {
        self.call(Method::POST, "/window", Some(json!({ "handle": handle }))).ok()?;
        Some(self.call(Method::GET, "/url", None).ok()?.as_str()?.to_owned())
    }

    /// Goes to the signing window, as soon as there is one.
    #[track_caller]
    pub(crate) fn to_sign(&self) {
        self.to_window("the signing window", |address| address.contains(SIGN));
    }

    /// Goes to the main window. Tauri leaves the name of its first page out of the address.
    #[track_caller]
    pub(crate) fn to_main(&self) {
        self.to_window("the main window", |address| !address.contains(SIGN) && !address.contains(BOARD));
    }

    /// Goes to the wallboard, as soon as there is one.
    #[track_caller]
    pub(crate) fn to_board(&self) {
        self.to_window("the wallboard", |address| address.contains(BOARD));
    }

    #[track_caller]
    fn to_window(&self, what: &str, is_wanted: impl Fn(&str) -> bool) {
        self.wait(what, || {
            let handles = self.get("/window/handles");
            let mut handles = handles.as_array()?.iter().filter_map(Value::as_str);
            handles.find(|handle| self.address_of(handle).is_some_and(|address| is_wanted(&address))).map(drop)
        });
    }

    /// Waits until no window's address holds this text.
    #[track_caller]
    pub(crate) fn until_gone(&self, part: &str) {
        self.wait(&format!("no window at {part}"), || {
            (!self.addresses().iter().any(|address| address.contains(part))).then_some(())
        });
    }

    /// Waits until the question has an answer.
    #[track_caller]
    pub(crate) fn wait<T>(&self, what: &str, mut question: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        let patience = Duration::from_secs(60);
        loop {
            if let Some(answer) = question() {
                return answer;
            }
            if started.elapsed() > patience {
                panic!("waited {patience:?} for {what}; the page says:\n{}", self.text());
            }
            std::thread::sleep(Duration::from_millis(60));
        }
    }

    /// Returns what can be read on the page.
    pub(crate) fn text(&self) -> String {
        let script = "return document.body ? document.body.innerText : ''";
        self.try_script(script, json!([])).ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until the page says this.
    #[track_caller]
    pub(crate) fn until_it_says(&self, text: &str) {
        self.wait(&format!("the words {text:?}"), || self.text().contains(text).then_some(()));
    }

    /// Returns what a script returns, or how it failed.
    pub(crate) fn try_script(&self, script: &str, arguments: Value) -> Result<Value, Refused> {
        self.call(Method::POST, "/execute/sync", Some(json!({ "script": script, "args": arguments })))
    }

    /// Returns what a script returns.
    #[track_caller]
    pub(crate) fn script(&self, script: &str, arguments: Value) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": arguments }))
    }

    /// Returns what a script hands to the function that is its last argument.
    #[track_caller]
    pub(crate) fn script_later(&self, script: &str) -> Value {
        self.post("/execute/async", json!({ "script": script, "args": [] }))
    }

    /// Calls a command as the page could, and returns `{ok}` or `{refused}`.
    #[track_caller]
    pub(crate) fn invoke(&self, command: &str, arguments: Value) -> Value {
        let script = "const [command, args, done] = arguments; \
            window.__TAURI_INTERNALS__.invoke(command, args).then(ok => done({ ok }), refused => done({ refused }));";
        self.post("/execute/async", json!({ "script": script, "args": [command, arguments] }))
    }

    /// Returns the first element that a CSS selector finds.
    pub(crate) fn find(&self, css: &str) -> Option<Element> {
        self.locate("css selector", css)
    }

    pub(crate) fn locate(&self, using: &str, value: &str) -> Option<Element> {
        let found = self.call(Method::POST, "/element", Some(json!({ "using": using, "value": value }))).ok()?;
        Some(Element(found[ELEMENT].as_str()?.to_owned()))
    }

    /// Returns the first element that a CSS selector finds, as soon as there is one.
    #[track_caller]
    pub(crate) fn element(&self, css: &str) -> Element {
        self.wait(css, || self.find(css))
    }

    /// Returns the first button, link, tab or option with these words, as soon as there is one.
    #[track_caller]
    pub(crate) fn control(&self, words: &str) -> Element {
        let path = format!(
            "//*[self::button or self::a or @role='button' or @role='tab' or @role='menuitem' or @role='option' or \
             @role='radio' or self::label or self::summary][contains(normalize-space(.), \"{words}\")]"
        );
        self.wait(&format!("a control {words:?}"), || self.locate("xpath", &path))
    }

    /// Returns the first button with exactly these words, as soon as there is one.
    #[track_caller]
    pub(crate) fn button(&self, words: &str) -> Element {
        let path = format!("//button[normalize-space(.)=\"{words}\"]");
        self.wait(&format!("a button {words:?}"), || self.locate("xpath", &path))
    }

    /// Returns all elements that a CSS selector finds.
    #[track_caller]
    pub(crate) fn all(&self, css: &str) -> Vec<Element> {
        let found = self.post("/elements", json!({ "using": "css selector", "value": css }));
        found.as_array().unwrap().iter().map(|one| Element(one[ELEMENT].as_str().unwrap().to_owned())).collect()
    }

    /// Clicks, once the element takes clicks.
    #[track_caller]
    pub(crate) fn click(&self, element: &Element) {
        self.wait("a click", || {
            let clicked = self.call(Method::POST, &format!("/element/{}/click", element.0), Some(json!({})));
            match clicked {
                Ok(_) => Some(()),
                Err(refused) if refused.error.contains("intercepted") || refused.error.contains("interactable") => None,
                Err(refused) => panic!("click: {refused:?}"),
            }
        });
    }

    /// Types into an element.
    #[track_caller]
    pub(crate) fn type_into(&self, element: &Element, text: &str) {
        self.post(&format!("/element/{}/value", element.0), json!({ "text": text }));
    }

    /// Presses and lets go of each key in turn, wherever the focus is. Keys without a sign have the code points that
    /// WebDriver gives them.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|stroke| json!({ "type": stroke, "value": key.to_string() })))
            .collect();
        self.keys(&strokes);
    }

    /// Presses a key that closes the window in front: the key may come up after it has gone.
    pub(crate) fn press_last(&self, key: &str) {
        let stroke = |stroke: &str| json!({ "type": stroke, "value": key });
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": [stroke("keyDown"), stroke("keyUp")] });
        let _ = self.call(Method::POST, "/actions", Some(json!({ "actions": [keyboard] })));
    }

    /// Presses a key while others are held.
    #[track_caller]
    pub(crate) fn chord(&self, held: &str, key: &str) {
        let stroke = |stroke: &str, key: &str| json!({ "type": stroke, "value": key });
        self.keys(&[stroke("keyDown", held), stroke("keyDown", key), stroke("keyUp", key), stroke("keyUp", held)]);
    }

    /// Holds a key down and does not let go of it, for so many repeats of the keyboard.
    #[track_caller]
    pub(crate) fn hold_down(&self, key: &str, repeats: usize) {
        let mut strokes = vec![json!({ "type": "keyDown", "value": key }); repeats];
        strokes.push(json!({ "type": "keyUp", "value": key }));
        self.keys(&strokes);
    }

    #[track_caller]
    fn keys(&self, strokes: &[Value]) {
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.post("/actions", json!({ "actions": [keyboard] }));
    }

    /// Clicks twice, as fast as a hand that trembles.
    #[track_caller]
    pub(crate) fn double_click(&self, element: &Element) {
        let origin = json!({ ELEMENT: element.0 });
        let move_there = json!({ "type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin });
        let press = |stroke: &str| json!({ "type": stroke, "button": 0 });
        let strokes = [move_there, press("pointerDown"), press("pointerUp"), press("pointerDown"), press("pointerUp")];
        let mouse = json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" },
            "actions": strokes });
        self.post("/actions", json!({ "actions": [mouse] }));
    }

    /// Makes the window in front so large.
    #[track_caller]
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.post("/window/rect", json!({ "width": width, "height": height }));
    }

    /// Returns the value of a property of an element.
    #[track_caller]
    pub(crate) fn property(&self, element: &Element, name: &str) -> Value {
        self.get(&format!("/element/{}/property/{name}", element.0))
    }

    /// Returns a picture of the page as PNG.
    #[track_caller]
    pub(crate) fn picture(&self) -> Vec<u8> {
        use base64ct::Encoding;
        let text = self.get("/screenshot");
        base64ct::Base64::decode_vec(text.as_str().unwrap()).unwrap()
    }
}
