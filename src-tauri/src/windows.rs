//! The windows. All are made here, hidden until their first frame, bound to our own pages, and named so that each has
//! the grants of its capability file and no others.

use std::time::Duration;

use countersign_app::wire::{Settings, Theme};
use tauri::utils::config::Color;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry};

use crate::places::Places;

/// The window of all that is not signing.
pub(crate) const MAIN: &str = "main";
/// The window in which people sign.
pub(crate) const SIGN: &str = "sign";
/// The wallboard: reads, and nothing else.
pub(crate) const BOARD: &str = "board";

/// The longest a window stays hidden: a page that never gets to its first frame must still be seen.
const SHOWN_AT_LATEST: Duration = Duration::from_secs(3);

/// What a new window needs to know before its page runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    /// Its colors.
    pub(crate) theme: Theme,
    /// The language, as a BCP 47 tag.
    pub(crate) language: String,
    /// How large, 1 being as drawn.
    pub(crate) zoom: f64,
}

impl Default for Look {
    fn default() -> Self {
        Self { theme: Theme::System, language: "en".to_owned(), zoom: 1.0 }
    }
}

impl Look {
    /// Returns what the settings say.
    pub(crate) fn of(settings: &Settings) -> Self {
        let zoom = f64::from(settings.zoom) / 100.0;
        Self { theme: settings.theme, language: crate::desk::language(settings), zoom }
    }

    /// Returns what the frame of the window is to look like; none leaves it to the desktop.
    fn frame(&self) -> Option<tauri::Theme> {
        match self.theme {
            Theme::System => None,
            Theme::Dark => Some(tauri::Theme::Dark),
            Theme::Light | Theme::HighContrast => Some(tauri::Theme::Light),
        }
    }

    fn is_dark(&self, desktop: tauri::Theme) -> bool {
        match self.theme {
            Theme::System => desktop == tauri::Theme::Dark,
            Theme::Dark => true,
            Theme::Light | Theme::HighContrast => false,
        }
    }

    /// Returns what is painted before there is a page: `--paper` of the design tokens.
    fn paper(&self, desktop: tauri::Theme) -> Color {
        if self.is_dark(desktop) { Color(0x10, 0x12, 0x16, 0xff) } else { Color(0xfb, 0xfa, 0xf8, 0xff) }
    }

    /// Returns the script that runs before any of the page's own: theme and language are right in the first frame. It sets what
    /// the pages themselves set once they have asked for the settings.
    fn script(&self) -> String {
        let is_dark = match self.theme {
            Theme::Dark => "true",
            Theme::Light => "false",
            Theme::System | Theme::HighContrast => "matchMedia('(prefers-color-scheme: dark)').matches",
        };
        let contrast = if self.theme == Theme::HighContrast { "root.dataset.contrast = 'more'; " } else { "" };
        let language = serde_json::json!(self.language);
        format!(
            "(() => {{ const set = () => {{ const root = document.documentElement; if (!root) return false; \
             root.dataset.theme = {is_dark} ? 'dark' : 'light'; {contrast}root.lang = {language}; return true; }}; \
             if (!set()) new MutationObserver((_, seen) => {{ if (set()) seen.disconnect(); }})\
             .observe(document, {{ childList: true }}); }})();"
        )
    }
}

/// Tells whether a page may be gone to: our own, whatever the platform calls their origin.
pub(crate) fn is_own(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost") && url.port().is_none(),
        _ => false,
    }
}

/// Makes the main window.
pub(crate) fn open_main(app: &AppHandle, look: &Look) -> tauri::Result<WebviewWindow> {
    let builder = builder(app, MAIN, "index.html", look)?.title("Countersign");
    finish(builder.inner_size(1280.0, 800.0).min_inner_size(720.0, 480.0), look)
}

/// Makes the signing window, or brings the one there is to the front.
pub(crate) fn open_sign(app: &AppHandle, look: &Look) -> tauri::Result<WebviewWindow> {
    if let Some(window) = app.get_webview_window(SIGN) {
        show(&window);
        return Ok(window);
    }
    let mut builder = builder(app, SIGN, "sign.html", look)?.title("Countersign: sign");
    if let Some(main) = app.get_webview_window(MAIN) {
        builder = builder.parent(&main)?;
    }
    finish(builder.inner_size(560.0, 720.0).min_inner_size(420.0, 480.0).center(), look)
}

/// Makes the wallboard, or brings the one there is to the front.
pub(crate) fn open_board(app: &AppHandle, look: &Look) -> tauri::Result<WebviewWindow> {
    if let Some(window) = app.get_webview_window(BOARD) {
        show(&window);
        return Ok(window);
    }
    let builder = builder(app, BOARD, "index.html#/wallboard", look)?.title("Countersign: board");
    finish(builder.inner_size(1600.0, 900.0), look)
}

fn builder<'a>(
    app: &'a AppHandle,
    label: &str,
    page: &str,
    look: &Look,
) -> tauri::Result<WebviewWindowBuilder<'a, Wry, AppHandle>> {
    let desktop = app.webview_windows().values().next().and_then(|window| window.theme().ok());
    let data = app.state::<Places>().web.clone();
    Ok(WebviewWindowBuilder::new(app, label, WebviewUrl::App(page.into()))
        .visible(false)
        .theme(look.frame())
        .background_color(look.paper(desktop.unwrap_or(tauri::Theme::Light)))
        .initialization_script(look.script())
        .data_directory(data)
        .devtools(false)
        .zoom_hotkeys_enabled(false)
        .disable_drag_drop_handler()
        .on_navigation(is_own)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_page_load(|window, load| {
            if load.event() == PageLoadEvent::Finished {
                tracing::debug!("{} has loaded {}", window.label(), load.url().path());
            }
        }))
}

/// Builds the window and sees to it that it is shown.
fn finish(builder: WebviewWindowBuilder<'_, Wry, AppHandle>, look: &Look) -> tauri::Result<WebviewWindow> {
    let window = builder.build()?;
    window.set_zoom(look.zoom)?;
    let shown_at_latest = window.clone();
    std::thread::Builder::new().name("first-frame".into()).spawn(move || {
        std::thread::sleep(SHOWN_AT_LATEST);
        if !shown_at_latest.is_visible().unwrap_or(true) {
            tracing::warn!("{} did not say that it is drawn", shown_at_latest.label());
            show(&shown_at_latest);
        }
    })?;
    Ok(window)
}

/// Gives all windows another look. The pages set their own colors; this is the frame around them.
pub(crate) fn apply(app: &AppHandle, look: &Look) {
    for window in app.webview_windows().values() {
        for step in [window.set_theme(look.frame()), window.set_zoom(look.zoom)] {
            if let Err(error) = step {
                tracing::warn!("{} looks as before: {error}", window.label());
            }
        }
    }
}

/// Shows a window and brings it to the front.
pub(crate) fn show(window: &WebviewWindow) {
    for step in [window.show(), window.unminimize(), window.set_focus()] {
        if let Err(error) = step {
            tracing::warn!("{} cannot be shown: {error}", window.label());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_be_gone_to() {
        let own = |text: &str| is_own(&text.parse().unwrap());
        for page in ["tauri://localhost/index.html", "tauri://localhost/#/inbox", "http://tauri.localhost/sign.html"] {
            assert!(own(page), "{page}");
        }
        for page in [
            "https://example.org/",
            "http://localhost/",
            "http://tauri.localhost:8080/",
            "http://tauri.localhost.example.org/",
            "http://x@example.org/tauri.localhost",
            "tauri://example.org/",
            "file:///etc/passwd",
            "data:text/html,x",
            "about:blank",
            "javascript:alert(1)",
            "blob:tauri://localhost/1",
            "countersign://inbox",
        ] {
            assert!(!own(page), "{page}");
        }
    }

    #[test]
    fn the_first_script_holds_no_text_that_could_end_it() {
        let look = Look { theme: Theme::Dark, language: "de\"; alert(1); //".into(), zoom: 1.0 };
        assert!(look.script().contains(r#""de\"; alert(1); //""#), "{}", look.script());
        assert!(look.script().contains("dataset.theme = true ?"));
        let strong = Look { theme: Theme::HighContrast, ..look };
        assert!(strong.script().contains("dataset.contrast = 'more'"));
    }
}
