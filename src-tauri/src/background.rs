//! What the desk does by itself: it sees what other programs have added, locks when nobody is there, and tells what is due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tauri::{AppHandle, Manager};

use crate::desk::Desk;
use crate::notices;
use crate::tray::Tray;

/// How often it looks. What another program wrote is seen within a second.
const LOOK: Duration = Duration::from_millis(500);
/// How often it asks what is due.
const DUE: Duration = Duration::from_secs(20);

/// Starts the thread. It ends with the program.
pub(crate) fn start(app: &AppHandle) -> std::io::Result<()> {
    let app = app.clone();
    std::thread::Builder::new().name("background".into()).spawn(move || run(&app)).map(drop)
}

fn run(app: &AppHandle) {
    let desk = Arc::clone(&app.state::<Arc<Desk>>());
    desk.until_opened();
    let mut asked: Option<Instant> = None;
    let mut waiting = None;
    loop {
        desk.host.poll();
        if desk.has_news() || asked.is_none_or(|at| at.elapsed() >= DUE) {
            asked = Some(Instant::now());
            for notice in desk.due_notices() {
                notices::tell(app, &notice);
            }
            let now = (desk.waiting(), desk.words());
            if waiting != Some(now) {
                waiting = Some(now);
                show_waiting(app, now.0);
            }
        }
        std::thread::sleep(LOOK);
    }
}

/// Shows in the tray how many acts wait.
fn show_waiting(app: &AppHandle, count: u32) {
    let handle = app.clone();
    let shown = app.run_on_main_thread(move || {
        if let Some(tray) = handle.try_state::<Tray>() {
            tray.set_count(handle.state::<Arc<Desk>>().words(), count);
        }
    });
    if let Err(error) = shown {
        tracing::debug!("the tray is not told: {error}");
    }
}
