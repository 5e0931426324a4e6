//! The tray: how many acts wait, and a way back to the window. Never the only way to anything: many desktops have none.

use std::panic::{AssertUnwindSafe, catch_unwind};

use countersign_app::wire::Place;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Wry};

use crate::words::Words;
use crate::{navigation, platform};

const ON_LIGHT: tauri::image::Image<'_> = tauri::include_image!("../icons/tray-on-light-32.png");
const ON_DARK: tauri::image::Image<'_> = tauri::include_image!("../icons/tray-on-dark-32.png");

/// The tray icon of this desk, where there is a place for one.
pub(crate) struct Tray {
    icon: Option<TrayIcon>,
    count: Option<MenuItem<Wry>>,
}

impl std::fmt::Debug for Tray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tray").field("is_there", &self.is_there()).finish_non_exhaustive()
    }
}

impl Tray {
    /// Puts the icon up. Without a tray, and without the library that draws it, there is none and nobody is told.
    pub(crate) fn open(app: &AppHandle, words: Words) -> Self {
        if !platform::has_tray() {
            tracing::debug!("no library for a tray icon");
            return Self { icon: None, count: None };
        }
        // The libraries below panic on what they cannot load; a desktop without a tray is no reason to end.
        match catch_unwind(AssertUnwindSafe(|| build(app, words))) {
            Ok(Ok((icon, count))) => Self { icon: Some(icon), count: Some(count) },
            Ok(Err(error)) => {
                tracing::warn!("no tray icon: {error}");
                Self { icon: None, count: None }
            }
            Err(_) => {
                tracing::warn!("no tray icon: its library could not be used");
                Self { icon: None, count: None }
            }
        }
    }

    /// Tells whether there is an icon to come back from.
    pub(crate) fn is_there(&self) -> bool {
        self.icon.is_some()
    }

    /// Says how many acts wait for this person.
    pub(crate) fn set_count(&self, words: Words, waiting: u32) {
        let Some((icon, count)) = self.icon.as_ref().zip(self.count.as_ref()) else { return };
        let text = words.waiting(waiting);
        let title = (waiting > 0).then(|| waiting.to_string());
        for step in [count.set_text(&text), icon.set_title(title), icon.set_tooltip(Some(&text))] {
            if let Err(error) = step {
                tracing::debug!("tray: {error}");
            }
        }
    }
}

fn build(app: &AppHandle, words: Words) -> tauri::Result<(TrayIcon, MenuItem<Wry>)> {
    let count = MenuItem::with_id(app, "inbox", words.waiting(0), true, None::<&str>)?;
    let open = MenuItem::with_id(app, "open", words.open(), true, None::<&str>)?;
    let lock = MenuItem::with_id(app, "lock", words.lock(), true, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", words.quit(), true, None::<&str>)?;
    let line = PredefinedMenuItem::separator(app)?;
    let menu = Menu::with_items(app, &[&count, &open, &line, &lock, &quit])?;
    let icon = TrayIconBuilder::with_id("countersign")
        .icon(if cfg!(target_os = "linux") { ON_DARK } else { ON_LIGHT })
        .icon_as_template(cfg!(target_os = "macos"))
        .menu(&menu)
        .show_menu_on_left_click(cfg!(target_os = "linux"))
        .on_menu_event(|app, event| match event.id().as_ref() {
            "inbox" => navigation::go(app, Place::Inbox {}),
            "open" => navigation::bring_back(app),
            "lock" => crate::locking::lock_now(app),
            "quit" => crate::closing::quit(app),
            other => tracing::debug!("tray: no such item: {other}"),
        })
        .on_tray_icon_event(|icon, event| {
            if matches!(event, TrayIconEvent::DoubleClick { .. }) {
                navigation::bring_back(icon.app_handle());
            }
        })
        .build(app)?;
    Ok((icon, count))
}
