//! The desktop shell of Countersign: windows, tray, notifications, links; thin commands; nothing else.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bindings;
mod clipboard;
mod commands;
mod desk;
mod dialogs;
mod events;
mod grants;
mod links;
mod options;
mod pending;
mod platform;
mod refusals;
mod shell_commands;
mod windows;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tauri::Manager;
use tauri_plugin_window_state::StateFlags;

use desk::Desk;
use options::Options;

/// Where this user's data of the web view lies.
#[derive(Debug)]
struct Place {
    web_data: PathBuf,
}

/// Runs the program on this process's arguments.
pub fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => error.exit(),
    };
    log_to_stderr();
    if let Err(missing) = platform::prepare(options.data_dir.is_some()) {
        say(&format!("countersign-desktop: {missing}. The command line `countersign` does the same without one."));
        return ExitCode::from(3);
    }
    let builder = bindings::builder();
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
            let dialogs: Box<dyn dialogs::DialogPort> = match &options.dialog_answers {
                Some(file) => Box::new(dialogs::Scripted::from_file(file)),
                None => Box::new(dialogs::Native(app.handle().clone())),
            };
            let desk = Arc::new(Desk { dialogs });
            app.manage(Arc::clone(&desk));
            windows::open_main(app.handle(), &desk.look())?;
            Ok(())
        })
        .run(tauri::generate_context!());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("countersign-desktop: the window does not open: {error}"));
            ExitCode::from(3)
        }
    }
}

/// Shows what `COUNTERSIGN_LOG` asks for, as `countersign_desktop=debug`; nothing when it is not set.
fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    if let Ok(filter) = EnvFilter::try_from_env("COUNTERSIGN_LOG") {
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).finish();
        // Only the first subscriber of a process is taken, and this is the first.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}

/// Says something where there is no window to say it in.
fn say(text: &str) {
    use std::io::Write;
    // Nobody is left to hear that nobody could be told.
    let _ = writeln!(std::io::stderr(), "{text}");
}
