//! A program under test: its display, its D-Bus session, its driver, and data that nobody else uses.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::driver::Session;

/// One window at a time: two programs that draw without a GPU on two cores make each other's patience run out.
static TURN: Mutex<()> = Mutex::new(());

/// What every test of the window needs, and where Debian has it.
const TOOLS: &[(&str, &str)] =
    &[("Xvfb", "xvfb"), ("WebKitWebDriver", "webkit2gtk-driver"), ("dbus-run-session", "dbus-daemon")];

/// Tells whether the tools are here; says aloud which are not.
pub(crate) fn can_open() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|(tool, _)| !std::env::split_paths(&path).any(|dir| dir.join(tool).is_file()))
        .map(|(_, package)| *package)
        .collect();
    if !missing.is_empty() {
        eprintln!("SKIPPED: a real window needs {}", missing.join(", "));
    }
    missing.is_empty()
}

/// Tells whether there is also something to see: the pages are built by `make`, not by cargo.
pub(crate) fn can_show() -> bool {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/dist/index.html");
    let is_built = fs::read_to_string(page).is_ok_and(|page| !page.contains("not-built"));
    if !is_built {
        eprintln!("SKIPPED: the pages of the window are not built; `make pages` builds them");
    }
    is_built && can_open()
}

/// Returns the program as it was built last.
pub(crate) fn program() -> PathBuf {
    let suite = std::env::current_exe().unwrap();
    let built = suite.ancestors().nth(2).unwrap();
    let program = built.join("countersign-desktop");
    assert!(program.is_file(), "{}: build it first: cargo build --locked --workspace --all-targets", program.display());
    program
}

/// Processes that end together.
#[derive(Debug)]
pub(crate) struct Group(pub(crate) Child);

impl Drop for Group {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.0.wait();
    }
}

/// A program with a window. Dropped, it and all it has started end.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) session: Session,
    pub(crate) root: PathBuf,
    _driver: Group,
    _display: Group,
    _dir: Option<tempfile::TempDir>,
    _turn: MutexGuard<'static, ()>,
}

impl Window {
    /// Starts the program with these arguments, in a home of its own.
    pub(crate) fn open(arguments: &[&str]) -> Self {
        Self::open_in_dir(tempfile::tempdir().unwrap(), arguments)
    }

    /// Starts the program in a home that goes with the window.
    pub(crate) fn open_in_dir(dir: tempfile::TempDir, arguments: &[&str]) -> Self {
        let root = dir.path().to_owned();
        let mut window = Self::open_in(&root, arguments);
        window._dir = Some(dir);
        window
    }

    /// Starts the program in a home that may have been used before.
    pub(crate) fn open_in(root: &Path, arguments: &[&str]) -> Self {
        let own = [root.join("data"), root.join("answers")].map(|path| path.to_str().unwrap().to_owned());
        let mut all = vec!["--data-dir", &own[0], "--dialog-answers", &own[1]];
        all.extend(arguments);
        Self::open_program(root, &program(), &all)
    }

    /// Starts any program with a web view of this engine.
    pub(crate) fn open_program(root: &Path, program: &Path, arguments: &[&str]) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (display, name) = display();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = root.join("user");
        let runtime = root.join("runtime");
        for dir in [&home, &runtime] {
            fs::create_dir_all(dir).unwrap();
            fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        }
        let log = fs::File::create(root.join("driver.log")).unwrap();
        let mut command = Command::new("dbus-run-session");
        command
            .args(["--", "WebKitWebDriver", "--host=127.0.0.1"])
            .arg(format!("--port={port}"))
            .env_clear()
            .envs(["PATH", "LD_LIBRARY_PATH"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs([("HOME", &home), ("XDG_RUNTIME_DIR", &runtime), ("COUNTERSIGN_HOME", &root.join("data"))])
            .env("DISPLAY", name)
            .env("GDK_BACKEND", "x11")
            .env("LANG", "C.UTF-8")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            // Pictures hang when pages are drawn through shared memory; that path has timings of its own.
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "0")
            .env("COUNTERSIGN_LOG", "countersign_desktop=debug,countersign_app=info")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        let driver = Group(command.spawn().unwrap());
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "WebKitWebDriver does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let session = Session::start(&format!("http://127.0.0.1:{port}"), program, &arguments)
            .unwrap_or_else(|refused| panic!("{refused:?}\n{}", fs::read_to_string(root.join("driver.log")).unwrap()));
        Self { session, root: root.to_owned(), _driver: driver, _display: display, _dir: None, _turn: turn }
    }

    /// Returns what program and driver have written so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.root.join("driver.log")).unwrap_or_default()
    }

    /// Keeps a picture where `COUNTERSIGN_PICTURES` says; without it nothing is drawn.
    pub(crate) fn keep_picture(&self, name: &str) {
        if let Some(dir) = std::env::var_os("COUNTERSIGN_PICTURES") {
            fs::create_dir_all(&dir).unwrap();
            // What was drawn last may still be the page before.
            self.session.script_later(
                "const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(() => done(true)))",
            );
            fs::write(Path::new(&dir).join(format!("{name}.png")), self.session.picture()).unwrap();
        }
    }

    /// From here on, what goes wrong in the page is remembered.
    pub(crate) fn watch_errors(&self) {
        self.session.script(
            "if (window.__seen) return; const seen = []; \
             Object.defineProperty(window, '__seen', { value: seen }); \
             const error = console.error; \
             console.error = (...parts) => { seen.push('console: ' + parts.map(String).join(' ')); error(...parts); }; \
             addEventListener('error', event => seen.push('error: ' + event.message)); \
             addEventListener('unhandledrejection', event => seen.push('rejection: ' + JSON.stringify(event.reason) + event.reason)); \
             document.addEventListener('securitypolicyviolation', event => \
                 seen.push('policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));",
            serde_json::json!([]),
        );
    }

    /// Returns what went wrong in the page since [`watch_errors`](Self::watch_errors).
    pub(crate) fn errors(&self) -> Vec<String> {
        let seen = self.session.script("return window.__seen", serde_json::json!([]));
        serde_json::from_value(seen).unwrap()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what program and driver wrote:\n{}", self.log());
        }
        self.session.end();
    }
}

/// Starts a display and returns its name.
pub(crate) fn display() -> (Group, String) {
    let mut command = Command::new("Xvfb");
    command
        .args(["-displayfd", "1", "-screen", "0", "1920x1200x24", "-nolisten", "tcp"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    let mut child = command.spawn().unwrap();
    let mut number = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
    (Group(child), format!(":{}", number.trim()))
}
