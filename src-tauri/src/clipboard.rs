//! The clipboard. Only text, only from a command, only on the thread that draws.

/// Puts a text there.
#[cfg(target_os = "linux")]
pub(crate) fn put(text: &str) -> Result<(), String> {
    let clipboard = gtk::Clipboard::get(&gtk::gdk::SELECTION_CLIPBOARD);
    clipboard.set_text(text);
    clipboard.store();
    Ok(())
}

/// Puts a text there.
#[cfg(not(target_os = "linux"))]
pub(crate) fn put(text: &str) -> Result<(), String> {
    let mut clipboard = arboard::Clipboard::new().map_err(|error| error.to_string())?;
    clipboard.set_text(text).map_err(|error| error.to_string())
}
