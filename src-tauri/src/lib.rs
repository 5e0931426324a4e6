//! The desktop shell of Countersign: windows, tray, notifications, links; thin commands; nothing else.
//!
//! What the pages may do is in `grants.rs`. What the platform does is behind small ports. No rule is here.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod background;
mod bindings;
mod clipboard;
mod closing;
mod commands;
mod desk;
mod dialogs;
mod events;
mod grants;
mod links;
mod locking;
mod navigation;
mod notices;
mod options;
mod places;
mod platform;
mod refusals;
mod reports;
mod shell_commands;
mod tray;
mod windows;
mod words;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use countersign_app::wire::Place;
use tauri::{App, AppHandle, Manager};
use tauri_plugin_deep_link::DeepLinkExt;
use tauri_plugin_window_state::StateFlags;

use desk::Desk;
use dialogs::{DialogPort, Native, Scripted};
use navigation::Ahead;
use options::Options;
use places::Places;
use tray::Tray;

/// Runs the program on this process's arguments.
pub fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => error.exit(),
    };
    log_to_stderr();
    let places = match Places::find(&options) {
        Ok(places) => places,
        Err(error) => {
            say(&format!("countersign-desktop: there is no place for your data: {error}"));
            return ExitCode::from(3);
        }
    };
    if let Err(missing) = platform::prepare(options.data_dir.is_some(), places.wants_software_rendering()) {
        say(&format!("countersign-desktop: {missing}. The command line `countersign` does the same without one."));
        return ExitCode::from(3);
    }
    match run(options, places) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("countersign-desktop: the window does not open: {error}"));
            ExitCode::from(3)
        }
    }
}

fn run(options: Options, places: Places) -> tauri::Result<()> {
    let builder = bindings::builder();
    // Restoring that a window was visible would show it before its first frame.
    let state = tauri_plugin_window_state::Builder::new()
        .with_state_flags(StateFlags::all() - StateFlags::VISIBLE)
        .with_filename(places.windows().to_string_lossy());
    let mut app = tauri::Builder::default();
    if options.data_dir.is_none() {
        // First of all plugins: a second start hands its arguments over and ends before it does anything.
        app = app.plugin(tauri_plugin_single_instance::init(|app, arguments, dir| {
            navigation::bring_back(app);
            follow(app, Path::new(&dir), arguments.iter().map(String::as_str));
        }));
    }
    app.plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::Builder::new().open_js_links_on_click(false).build())
        .plugin(state.build())
        .invoke_handler(builder.invoke_handler())
        .setup(move |app| {
            builder.mount_events(app);
            open(app, options, places)?;
            Ok(())
        })
        .run(tauri::generate_context!())
}

/// Opens the desk and its first window.
fn open(app: &mut App, options: Options, places: Places) -> Result<(), Box<dyn std::error::Error>> {
    let handle = app.handle().clone();
    app.manage(places.clone());
    app.manage(Ahead::default());
    let dialogs: Box<dyn DialogPort> = match &options.dialog_answers {
        Some(file) => Box::new(Scripted::from_file(file)),
        None => Box::new(Native(handle.clone())),
    };
    let desk = Arc::new(Desk::new(&handle, &places, dialogs)?);
    app.manage(Arc::clone(&desk));
    let main = windows::open_main(&handle, &desk.look())?;
    closing::watch_main(&main);
    app.manage(Tray::open(&handle, desk.words()));
    notices::listen(&handle);
    locking::lock_at_sleep(&handle);
    background::start(&handle)?;
    // Where links come from is the platform's affair: an argument, an event, another instance. What they may say is not.
    let linked = handle.clone();
    app.deep_link().on_open_url(move |event| {
        let urls: Vec<String> = event.urls().iter().map(ToString::to_string).collect();
        follow(&linked, Path::new(""), urls.iter().map(String::as_str));
    });
    follow(&handle, Path::new(""), options.link.as_deref());
    std::thread::Builder::new().name("opening".into()).spawn(move || desk.open_first(&options, &places))?;
    Ok(())
}

/// Goes to the first link among these, or to the first request that was carried here; what it says is judged there.
fn follow<'a>(app: &AppHandle, dir: &Path, texts: impl IntoIterator<Item = &'a str> + Clone) {
    if let Some(link) = links::among(texts.clone()) {
        navigation::go(app, (&link).into());
    } else if let Some(path) = links::request_among(dir, texts) {
        let file = app.state::<Arc<Desk>>().host.register_path(path);
        navigation::go(app, Place::CarriedRequest { file });
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
