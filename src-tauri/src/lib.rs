//! The desktop shell of Countersign: windows, tray, notifications, links; thin commands; nothing else.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod dialogs;
mod grants;
pub mod links;
mod options;
mod platform;
mod windows;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tauri::Manager;
use tauri_plugin_window_state::StateFlags;

use options::Options;
use windows::{Look, Theme};

/// Where this user's data of the web view lies.
#[derive(Debug)]
struct Place {
    web_data: PathBuf,
}

#[tauri::command]
#[specta::specta]
fn about() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Runs the program on this process's arguments.
pub fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => error.exit(),
    };
    platform::prepare(options.data_dir.is_some());
    let builder = tauri_specta::Builder::<tauri::Wry>::new().commands(tauri_specta::collect_commands![about]);
    let flags = StateFlags::all() - StateFlags::VISIBLE;
    let mut state = tauri_plugin_window_state::Builder::new().with_state_flags(flags);
    if let Some(dir) = &options.data_dir {
        state = state.with_filename(dir.join("windows.json").to_string_lossy());
    }
    let mut app = tauri::Builder::default();
    if options.data_dir.is_none() {
        app = app.plugin(tauri_plugin_single_instance::init(|_, _, _| {}));
    }
    let result = app
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
        .plugin(state.build())
        .invoke_handler(builder.invoke_handler())
        .setup(move |app| {
            builder.mount_events(app);
            let web_data = match &options.data_dir {
                Some(dir) => dir.join("web"),
                None => app.path().app_local_data_dir()?.join("web"),
            };
            app.manage(Place { web_data });
            let look = Look { theme: Theme::System, language: "en".into(), zoom: 1.0 };
            let main = windows::open_main(app.handle(), &look)?;
            windows::show(&main);
            Ok(())
        })
        .run(tauri::generate_context!());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(3)
        }
    }
}
