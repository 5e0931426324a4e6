//! How fast and how large the window is, in the real engine, beside a bare page in the same engine: `make bench`.
//!
//! Every figure is of the program that was built last. Absolute times depend on the machine; what is claimed are the ratios
//! to the bare page of the same run.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints its figures")]
#![allow(dead_code, reason = "driver and window are shared with the tests")]

mod driver;
mod window;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use countersign_app::clock;
use countersign_app::desk::{Home, LedgerDir};
use countersign_app::sample;
use serde_json::json;

use crate::driver::Session;
use crate::window::{Window, can_open};

/// How many releases the ledgers hold.
const SIZES: [u32; 3] = [10, 1_000, 10_000];
/// How often each start and each switch is measured; the median is printed.
const TIMES: usize = 5;
/// The screens that are switched to, and a word of each.
const SCREENS: [(&str, &str); 6] = [
    ("#/board", "Board"),
    ("#/releases", "Releases"),
    ("#/audit", "Audit"),
    ("#/people", "People"),
    ("#/products", "Products"),
    ("#/inbox", "Good"),
];
/// How long nothing is done while the processor time is watched.
const IDLE: Duration = Duration::from_secs(30);
/// How long it is left alone before that.
const SETTLED: Duration = Duration::from_secs(10);

/// True once the page of this word is there, and nothing that is still loading.
const USABLE: &str = "const main = document.querySelector('main'); \
    return !!(main && main.querySelector('h1') && main.innerText.includes(arguments[0]) \
        && !main.querySelector('[aria-busy=true], .skeleton') && main.innerText.length > 40)";

fn main() {
    // `cargo test --benches` asks with flags of its own.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") || !can_open() {
        return;
    }
    println!(
        "| releases | entries | made in | cold start to a usable inbox | screen switch | memory: program + web view | idle CPU |"
    );
    println!("|---|---|---|---|---|---|---|");
    for releases in SIZES {
        println!("{}", measured(releases));
    }
    println!("\n{}", bare());
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

fn ms(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}

fn until(session: &Session, script: &str, argument: &str) {
    let started = Instant::now();
    while !session.try_script(script, json!([argument])).is_ok_and(|answer| answer == true) {
        assert!(started.elapsed() < Duration::from_secs(120), "never: {script}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn measured(releases: u32) -> String {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("ledger");
    let started = Instant::now();
    let ledger = sample::large(
        &Home::at(dir.path().join("data")),
        &LedgerDir::at(&place),
        releases,
        clock::now(),
        &mut |_, _| true,
    )
    .unwrap();
    let (made, entries) = (started.elapsed(), ledger.state().tree.size());
    drop(ledger);
    let arguments = ["--ledger", place.to_str().unwrap()];
    let mut starts = Vec::new();
    let mut switches = Vec::new();
    let (mut memory, mut idle) = (String::new(), String::new());
    for time in 0..TIMES {
        let started = Instant::now();
        let window = Window::open_in(dir.path(), &arguments);
        window.session.to_main();
        until(&window.session, USABLE, "Good");
        starts.push(started.elapsed());
        if time + 1 < TIMES {
            continue;
        }
        for _ in 0..TIMES {
            for (screen, word) in SCREENS {
                let started = Instant::now();
                window.session.script("location.hash = arguments[0]", json!([screen]));
                until(&window.session, USABLE, word);
                switches.push(started.elapsed());
            }
        }
        let (program, web) = memory_of(dir.path());
        memory = format!("{program} MB + {web} MB");
        std::thread::sleep(SETTLED);
        let before = processor_of(dir.path());
        std::thread::sleep(IDLE);
        let used = processor_of(dir.path()) - before;
        idle = format!("{:.1} %", used / IDLE.as_secs_f64() * 100.0);
    }
    format!(
        "| {releases} | {entries} | {:.1} s | {} | {} | {memory} | {idle} |",
        made.as_secs_f64(),
        ms(median(starts)),
        ms(median(switches)),
    )
}

/// The same driver and engine with a page that says one word.
fn bare() -> String {
    let Some(browser) = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|machine| format!("/usr/lib/{machine}/webkit2gtk-4.1/MiniBrowser"))
        .into_iter()
        .find(|path| Path::new(path).exists())
    else {
        return "bare page: MiniBrowser of WebKitGTK is not here".to_owned();
    };
    let dir = tempfile::tempdir().unwrap();
    let mut starts = Vec::new();
    let mut memory = String::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        let arguments = ["--automation", "data:text/html,<main><h1>bare</h1></main>"];
        let window = Window::open_program(dir.path(), Path::new(&browser), &arguments);
        window.session.script("document.body.innerHTML = '<main><h1>bare</h1></main>'", json!([]));
        until(&window.session, "return !!document.querySelector('main h1')", "");
        starts.push(started.elapsed());
        let (program, web) = memory_of(dir.path());
        memory = format!("{program} MB + {web} MB");
    }
    format!("bare page in the same engine: {} to its first word, memory {memory}", ms(median(starts)))
}

/// The processes whose home is below this directory: what they are called and where the system tells of them.
fn processes(root: &Path) -> Vec<(String, std::path::PathBuf)> {
    let mark = format!("HOME={}/user", root.display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let own = fs::read(entry.path().join("environ")).unwrap_or_default();
        if own.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            found.push((name.trim().to_owned(), entry.path()));
        }
    }
    found
}

fn is_ours(name: &str) -> bool {
    name.starts_with("countersign") || name.starts_with("MiniBrowser")
}

fn is_web_view(name: &str) -> bool {
    name.starts_with("WebKit") && name != "WebKitWebDriver"
}

/// Resident megabytes of the program itself, and of all that the web view started.
fn memory_of(root: &Path) -> (u64, u64) {
    let (mut program, mut web) = (0, 0);
    for (name, place) in processes(root) {
        let status = fs::read_to_string(place.join("status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
        let kilobytes: u64 = resident.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0);
        if is_ours(&name) {
            program += kilobytes;
        } else if is_web_view(&name) {
            web += kilobytes;
        }
    }
    (program / 1024, web / 1024)
}

/// Seconds of processor time that the program and its web view have used.
fn processor_of(root: &Path) -> f64 {
    let mut ticks = 0.0;
    for (name, place) in processes(root) {
        if !is_ours(&name) && !is_web_view(&name) {
            continue;
        }
        let line = fs::read_to_string(place.join("stat")).unwrap_or_default();
        let fields: Vec<&str> = line.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        ticks += [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum::<f64>();
    }
    ticks / 100.0
}
