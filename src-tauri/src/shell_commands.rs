//! The commands that need the platform: windows, dialogs, the clipboard, the browser.

use std::sync::Arc;

use countersign_app::handlers;
use countersign_app::wire::*;
use tauri::{AppHandle, Manager, State, WebviewWindow, WindowEvent};
use tauri_plugin_opener::OpenerExt;

use crate::commands::{check_grant, off_thread};
use crate::desk::Desk;
use crate::dialogs::FileQuestion;
use crate::refusals::{refusal, unavailable};
use crate::{clipboard, navigation, windows};

/// How far a window may be zoomed, in percent.
const ZOOM: std::ops::RangeInclusive<u32> = 80..=200;

/// Opens the signing window on a prepared act.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_signing(
    app: AppHandle,
    window: WebviewWindow,
    desk: State<'_, Arc<Desk>>,
    request: OpenSigning,
) -> Result<(), AppError> {
    check_grant(&window, "open_signing")?;
    let desk = Arc::clone(&desk);
    off_thread(move || {
        handlers::signing::open(&desk.host, &request)?;
        let opened = windows::open_sign(&app, &desk.look());
        let sign = opened.map_err(|error| {
            handlers::signing::closed(&desk.host);
            unavailable("window", "the signing window does not open", &error)
        })?;
        // However it is closed: what was prepared is over with it.
        sign.on_window_event(move |event| {
            if matches!(event, WindowEvent::Destroyed) {
                handlers::signing::closed(&desk.host);
            }
        });
        Ok(())
    })
    .await
}

/// Opens the wallboard: a window that reads and does nothing else.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_board(
    app: AppHandle,
    window: WebviewWindow,
    desk: State<'_, Arc<Desk>>,
) -> Result<(), AppError> {
    check_grant(&window, "open_board")?;
    let desk = Arc::clone(&desk);
    off_thread(move || {
        let opened = windows::open_board(&app, &desk.look());
        opened.map(drop).map_err(|error| unavailable("window", "the wallboard does not open", &error))
    })
    .await
}

/// The system dialog; paths never come from the page.
#[tauri::command]
#[specta::specta]
pub(crate) async fn pick_path(
    window: WebviewWindow,
    desk: State<'_, Arc<Desk>>,
    request: PickPath,
) -> Result<Option<PathRef>, AppError> {
    check_grant(&window, "pick_path")?;
    let (desk, label) = (Arc::clone(&desk), window.label().to_owned());
    off_thread(move || Ok(pick(&desk, label, request).map(|path| desk.host.register_path(path)))).await
}

/// Asks for a path, each purpose in its own way.
fn pick(desk: &Desk, window: String, request: PickPath) -> Option<std::path::PathBuf> {
    use PickPurpose as P;
    let words = desk.words();
    let filter =
        |name: &str, endings: &[&str]| Some((name.to_owned(), endings.iter().map(ToString::to_string).collect()));
    let filter = match request.purpose {
        P::BundleFile | P::SaveBundle => filter("ZIP", &["zip"]),
        P::EvidenceFile => filter("XML, JSON, SARIF", &["xml", "json", "sarif"]),
        P::PublicKeyFile => filter("SSH", &["pub"]),
        P::CertificateFile => filter("PEM", &["pem", "crt", "cer"]),
        P::PolicyFile => filter("TOML", &["toml"]),
        P::SaveTable => filter("CSV", &["csv"]),
        P::RequestFile | P::SaveRequest => filter("Countersign", &["csreq"]),
        P::AnswerFile => filter("Countersign", &["csans"]),
        _ => None,
    };
    let question =
        |title: &str| FileQuestion { window, title: title.into(), file_name: request.suggested_name, filter };
    match request.purpose {
        P::LedgerDirectory
        | P::NewLedgerDirectory
        | P::BackupDirectory
        | P::NewBackupDirectory
        | P::RestoreDirectory
        | P::RepositoryDirectory => desk.dialogs.open_directory(&question(words.choose_directory())),
        P::BundleFile
        | P::EvidenceFile
        | P::ArtifactFile
        | P::PublicKeyFile
        | P::CertificateFile
        | P::ScriptFile
        | P::RequestFile
        | P::AnswerFile
        | P::PolicyFile => desk.dialogs.open_file(&question(words.choose_file())),
        P::SaveBundle | P::SaveReport | P::SaveTable | P::SaveRequest => {
            desk.dialogs.save_file(&question(words.save_as()))
        }
    }
}

/// Shows a picked or written file.
#[tauri::command]
#[specta::specta]
pub(crate) async fn show_in_folder(
    app: AppHandle,
    window: WebviewWindow,
    desk: State<'_, Arc<Desk>>,
    request: OpenPlace,
) -> Result<(), AppError> {
    check_grant(&window, "show_in_folder")?;
    let desk = Arc::clone(&desk);
    off_thread(move || {
        let path = desk.host.path_of(&request.token)?;
        let shown = app.opener().reveal_item_in_dir(&path);
        shown.map_err(|error| unavailable("folder", "the folder is not shown", &error))
    })
    .await
}

/// Opens a run of the journal in the browser.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_link(
    app: AppHandle,
    window: WebviewWindow,
    desk: State<'_, Arc<Desk>>,
    request: OpenLink,
) -> Result<(), AppError> {
    check_grant(&window, "open_link")?;
    let desk = Arc::clone(&desk);
    off_thread(move || {
        let address = handlers::rollout::link_of(&desk.host, &request)?;
        let opened = app.opener().open_url(address, None::<&str>);
        opened.map_err(|error| unavailable("browser", "the browser does not open", &error))
    })
    .await
}

/// To the clipboard.
#[tauri::command]
#[specta::specta]
pub(crate) async fn copy_text(app: AppHandle, window: WebviewWindow, request: CopyText) -> Result<(), AppError> {
    check_grant(&window, "copy_text")?;
    let (done, is_done) = std::sync::mpsc::channel();
    app.run_on_main_thread(move || drop(done.send(clipboard::put(&request.text))))
        .map_err(|error| unavailable("clipboard", "nothing was copied", &error))?;
    off_thread(move || match is_done.recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(unavailable("clipboard", "nothing was copied", &error)),
        Err(error) => Err(unavailable("clipboard", "nothing was copied", &error)),
    })
    .await
}

/// Of the window.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_zoom(app: AppHandle, window: WebviewWindow, request: ZoomRequest) -> Result<(), AppError> {
    check_grant(&window, "set_zoom")?;
    if !ZOOM.contains(&request.percent) {
        let message = format!("{} percent is not between {} and {}", request.percent, ZOOM.start(), ZOOM.end());
        return Err(refusal("zoom", message));
    }
    for window in app.webview_windows().values() {
        window
            .set_zoom(f64::from(request.percent) / 100.0)
            .map_err(|error| unavailable("zoom", "the window stays as it is", &error))?;
    }
    Ok(())
}

/// The first frame is painted: the window may show.
#[tauri::command]
#[specta::specta]
pub(crate) async fn page_ready(window: WebviewWindow) -> Result<(), AppError> {
    check_grant(&window, "page_ready")?;
    if !window.is_visible().unwrap_or(false) {
        windows::show(&window);
    }
    if window.label() == windows::MAIN {
        navigation::main_is_ready(window.app_handle());
    }
    Ok(())
}

/// The own window.
#[tauri::command]
#[specta::specta]
pub(crate) async fn close_window(window: WebviewWindow) -> Result<(), AppError> {
    check_grant(&window, "close_window")?;
    window.close().map_err(|error| unavailable("window", "the window does not close", &error))
}
