//! One window for one user: a second start hands its link to the first and ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::window::{Group, can_open, display, program};

/// Starts the program as a user would, its log in a file.
fn start(root: &Path, screen: &str, bus: &str, log: &str, arguments: &[&str]) -> Group {
    let log = fs::File::create(root.join(log)).unwrap();
    let mut command = Command::new(program());
    command
        .args(arguments)
        .env_clear()
        .envs(["PATH", "LD_LIBRARY_PATH"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("HOME", root)
        .env("XDG_RUNTIME_DIR", root)
        .env("DBUS_SESSION_BUS_ADDRESS", bus)
        .env("DISPLAY", screen)
        .env("GDK_BACKEND", "x11")
        .env("LANG", "C.UTF-8")
        .env("COUNTERSIGN_LOG", "countersign_desktop=debug")
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .process_group(0);
    Group(command.spawn().unwrap())
}

#[test]
fn a_second_start_hands_its_link_to_the_first_and_ends() {
    if !can_open() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let (_display, screen) = display();
    let mut daemon = Command::new("dbus-daemon");
    daemon.args(["--session", "--nofork", "--print-address=1"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut daemon = Group(daemon.process_group(0).spawn().unwrap());
    let mut bus = String::new();
    BufReader::new(daemon.0.stdout.take().unwrap()).read_line(&mut bus).unwrap();

    let mut first = start(root, &screen, bus.trim(), "first.log", &[]);
    let says = |log: &str, text: &str| fs::read_to_string(root.join(log)).unwrap().contains(text);
    let wait = |log: &str, text: &str| {
        let started = Instant::now();
        while !says(log, text) {
            let so_far = fs::read_to_string(root.join(log)).unwrap();
            assert!(started.elapsed() < Duration::from_secs(60), "{log} never says {text:?}:\n{so_far}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait("first.log", "main has loaded");
    let mut second = start(root, &screen, bus.trim(), "second.log", &["countersign://audit/7"]);
    let started = Instant::now();
    let ended = loop {
        if let Some(ended) = second.0.try_wait().unwrap() {
            break ended;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "the second start does not end");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(ended.success(), "{ended}");
    assert!(!says("second.log", "main has loaded"), "the second start opened no window");
    wait("first.log", "goes to Entry { index: 7 }");
    assert!(first.0.try_wait().unwrap().is_none(), "the first goes on");

    let mut third = start(root, &screen, bus.trim(), "third.log", &["countersign://release/a?do=approve"]);
    third.0.wait().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(!says("first.log", "do=approve"), "what is no link is not followed");
}
