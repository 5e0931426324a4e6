//! Linux: how the web view draws, whether there is a tray, when the machine goes to sleep.

use std::path::{Path, PathBuf};

use zbus::blocking::{Connection, Proxy};

/// Makes WebKitGTK hand over its pictures through shared memory; without a GPU its usual way is two to three times slower.
const SHARED_MEMORY: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
/// Lets another program drive the web view.
const AUTOMATION: &str = "TAURI_WEBVIEW_AUTOMATION";

/// Sets what the web view reads from the environment and finds the display. Called first in `main`, before any other
/// thread runs. The error says what is missing.
pub(crate) fn prepare(is_test: bool, wants_software: bool) -> Result<(), String> {
    let render_nodes = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten().map(|entry| entry.file_name());
    let names: Vec<String> = render_nodes.map(|name| name.to_string_lossy().into_owned()).collect();
    let is_set = std::env::var_os(SHARED_MEMORY).is_some();
    if wants_shared_memory(is_set, wants_software, &names) {
        set(SHARED_MEMORY, Some("1"));
    }
    // A window in which people sign is not driven by others, but in a test that keeps its data apart.
    if !is_test && std::env::var_os(AUTOMATION).is_some() {
        set(AUTOMATION, None);
    }
    gtk::init()
        .map_err(|_| "there is no display to open a window on: DISPLAY and WAYLAND_DISPLAY lead to none".to_owned())
}

/// Sets or removes a variable.
#[allow(unsafe_code)]
fn set(name: &str, value: Option<&str>) {
    // SAFETY: `main` calls `prepare` before it starts anything else, so no other thread reads the environment.
    unsafe {
        match value {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    }
}

/// Tells whether to draw without a GPU: the settings say so or there is no render node, and no variable says otherwise.
fn wants_shared_memory(is_set: bool, wants_software: bool, devices: &[String]) -> bool {
    !is_set && (wants_software || !devices.iter().any(|name| name.starts_with("renderD")))
}

/// Tells whether the library of the tray can be loaded: the code below us panics when it cannot.
pub(crate) fn has_tray() -> bool {
    let from_environment = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let app_image = std::env::var_os("APPDIR").map(|dir| Path::new(&dir).join("usr/lib"));
    let usual = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"]
        .into_iter()
        .flat_map(|dir| [PathBuf::from(dir), Path::new(dir).join(format!("{}-linux-gnu", std::env::consts::ARCH))]);
    let dirs: Vec<PathBuf> = std::env::split_paths(&from_environment).chain(app_image).chain(usual).collect();
    holds_indicator(&dirs)
}

fn holds_indicator(dirs: &[PathBuf]) -> bool {
    ["libayatana-appindicator3.so.1", "libappindicator3.so.1"]
        .iter()
        .any(|library| dirs.iter().any(|dir| dir.join(library).exists()))
}

/// Calls `asleep` each time the machine is about to sleep. Does nothing where there is no login manager to say so.
pub(crate) fn watch_sleep(asleep: impl Fn() + Send + 'static) {
    let watch = move || -> zbus::Result<()> {
        let system = Connection::system()?;
        let path = "/org/freedesktop/login1";
        let manager = Proxy::new(&system, "org.freedesktop.login1", path, "org.freedesktop.login1.Manager")?;
        for signal in manager.receive_signal("PrepareForSleep")? {
            if signal.body().deserialize::<bool>()? {
                asleep();
            }
        }
        Ok(())
    };
    let spawned = std::thread::Builder::new().name("sleep".into()).spawn(move || {
        if let Err(error) = watch() {
            tracing::debug!("sleep is not watched: {error}");
        }
    });
    if let Err(error) = spawned {
        tracing::warn!("sleep is not watched: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_memory_is_for_machines_without_a_gpu_whose_user_said_nothing() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let gpu = names(&["card0", "renderD128"]);
        assert!(wants_shared_memory(false, false, &[]));
        assert!(wants_shared_memory(false, false, &names(&["card0", "by-path"])), "a card that draws nothing");
        assert!(!wants_shared_memory(false, false, &gpu));
        assert!(wants_shared_memory(false, true, &gpu), "the settings say so");
        assert!(!wants_shared_memory(true, false, &[]), "what is set already stands");
        assert!(!wants_shared_memory(true, true, &gpu));
    }

    #[test]
    fn a_tray_needs_its_library() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = [dir.path().to_owned()];
        assert!(!holds_indicator(&dirs));
        std::fs::write(dir.path().join("libayatana-appindicator3.so.1"), b"").unwrap();
        assert!(holds_indicator(&dirs));
    }
}
