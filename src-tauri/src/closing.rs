//! Closing: a rollout that this desk watches is not left by accident.

use std::sync::Arc;

use tauri::{AppHandle, Manager, WebviewWindow, WindowEvent};

use crate::desk::Desk;
use crate::dialogs::YesNo;
use crate::tray::Tray;
use crate::windows;

/// What happens when the main window is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// The window goes; the program stays in the tray.
    Hide,
    /// The person is asked first.
    Ask,
    /// The program ends.
    Quit,
}

fn decide(is_quit: bool, wants_tray: bool, has_tray: bool, running: u32) -> Closing {
    match (is_quit, wants_tray && has_tray, running) {
        (false, true, _) => Closing::Hide,
        (_, _, 0) => Closing::Quit,
        _ => Closing::Ask,
    }
}

/// Sees to what closing the main window means.
pub(crate) fn watch_main(window: &WebviewWindow) {
    let app = window.app_handle().clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            close(&app, false);
        }
    });
}

/// Ends the program, having asked where something runs.
pub(crate) fn quit(app: &AppHandle) {
    close(app, true);
}

/// Decides off the thread that draws: it may have to ask.
fn close(app: &AppHandle, is_quit: bool) {
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || {
        let desk = Arc::clone(&app.state::<Arc<Desk>>());
        let has_tray = app.try_state::<Tray>().is_some_and(|tray| tray.is_there());
        match decide(is_quit, desk.closes_to_tray(), has_tray, desk.running_rollouts()) {
            Closing::Quit => app.exit(0),
            Closing::Hide => {
                if let Some(main) = app.get_webview_window(windows::MAIN) {
                    // Hidden or not, the program goes on; a window that stays is the lesser surprise.
                    if let Err(error) = main.hide() {
                        tracing::warn!("the window does not hide: {error}");
                    }
                }
            }
            Closing::Ask => {
                let words = desk.words();
                let question = YesNo {
                    window: windows::MAIN.into(),
                    title: words.close_title().into(),
                    message: words.close_message().into(),
                    yes: words.close_yes().into(),
                    no: words.close_no().into(),
                };
                if desk.dialogs.confirm(&question) {
                    app.exit(0);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_not_left_without_a_question() {
        assert_eq!(decide(false, false, true, 0), Closing::Quit);
        assert_eq!(decide(false, false, true, 1), Closing::Ask);
        assert_eq!(decide(true, true, true, 1), Closing::Ask, "quitting from the tray asks too");
        assert_eq!(decide(true, true, true, 0), Closing::Quit);
        assert_eq!(decide(false, true, true, 1), Closing::Hide, "the program goes on watching");
        assert_eq!(decide(false, true, false, 0), Closing::Quit, "without a tray there would be no way back");
        assert_eq!(decide(false, true, false, 1), Closing::Ask);
    }
}
