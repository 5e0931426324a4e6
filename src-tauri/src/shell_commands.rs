//! The commands that need the platform: windows, dialogs, the clipboard, the browser.

use std::sync::Arc;

use countersign_app::wire::*;
use tauri::{AppHandle, Manager, State, WebviewWindow};

use crate::commands::{check_grant, off_thread};
use crate::desk::Desk;
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
        let _ = request;
        windows::open_sign(&app, &desk.look())
            .map_err(|error| unavailable("window", "the signing window does not open", &error))?;
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

/// A report; the shell joins the report crate (handlers::audit::report_source).
#[tauri::command]
#[specta::specta]
pub(crate) async fn export_report(
    window: WebviewWindow,
    desk: State<'_, Arc<Desk>>,
    request: ExportReport,
) -> Result<JobRef, AppError> {
    check_grant(&window, "export_report")?;
    let _ = request;
    crate::pending::later(&desk, "export_report")
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
    let _ = request;
    crate::pending::later(&desk, "pick_path")
}

/// Shows a picked or written file.
#[tauri::command]
#[specta::specta]
pub(crate) async fn show_in_folder(
    window: WebviewWindow,
    desk: State<'_, Arc<Desk>>,
    request: OpenPlace,
) -> Result<(), AppError> {
    check_grant(&window, "show_in_folder")?;
    let _ = request;
    crate::pending::later(&desk, "show_in_folder")
}

/// Opens a run of the journal in the browser.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_link(
    window: WebviewWindow,
    desk: State<'_, Arc<Desk>>,
    request: OpenLink,
) -> Result<(), AppError> {
    check_grant(&window, "open_link")?;
    let _ = request;
    crate::pending::later(&desk, "open_link")
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
