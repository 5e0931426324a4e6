//! Going to a place: from a link, a notification or the tray. It shows; it never acts.

use std::sync::{Mutex, PoisonError};

use countersign_app::wire::{Place, ReleaseTab};
use tauri::{AppHandle, Manager};
use tauri_specta::Event;

use crate::events::Navigate;
use crate::links::Link;
use crate::windows;

/// Where the main page is to go once it is there to hear of it.
#[derive(Debug, Default)]
pub(crate) struct Ahead(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_ready: bool,
    place: Option<Place>,
}

impl Ahead {
    /// Keeps a place for a page that does not listen yet; gives it back for one that does.
    fn keep_or_go(&self, place: Place) -> Option<Place> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_ready {
            return Some(place);
        }
        state.place = Some(place);
        None
    }

    /// The page listens now: returns where it is to go.
    fn ready(&self) -> Option<Place> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_ready = true;
        state.place.take()
    }
}

/// Returns the place a link leads to.
impl From<&Link> for Place {
    fn from(link: &Link) -> Self {
        match link {
            Link::Inbox => Self::Inbox {},
            Link::Release(id) => Self::Release { release: id.to_string(), tab: ReleaseTab::Decision },
            Link::Sign(id) => Self::Sign { release: id.to_string() },
            Link::Audit(index) => Self::Entry { index: *index },
        }
    }
}

/// Brings the main window to the front and goes there.
pub(crate) fn go(app: &AppHandle, place: Place) {
    tracing::debug!("goes to {place:?}");
    bring_back(app);
    if let Some(place) = app.state::<Ahead>().keep_or_go(place) {
        tell(app, place);
    }
}

/// The main page listens now.
pub(crate) fn main_is_ready(app: &AppHandle) {
    if let Some(place) = app.state::<Ahead>().ready() {
        tell(app, place);
    }
}

fn tell(app: &AppHandle, place: Place) {
    if let Err(error) = (Navigate { to: place }).emit_to(app, windows::MAIN) {
        tracing::warn!("the page does not hear where to go: {error}");
    }
}

/// Brings the main window to the front.
pub(crate) fn bring_back(app: &AppHandle) {
    if let Some(main) = app.get_webview_window(windows::MAIN) {
        windows::show(&main);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_comes_before_the_page_waits_for_it_and_the_last_one_wins() {
        let ahead = Ahead::default();
        assert_eq!(ahead.keep_or_go(Place::Inbox {}), None);
        assert_eq!(ahead.keep_or_go(Place::from(&Link::Audit(7))), None);
        assert_eq!(ahead.ready(), Some(Place::Entry { index: 7 }));
        assert_eq!(ahead.ready(), None, "told once");
        assert_eq!(ahead.keep_or_go(Place::Inbox {}), Some(Place::Inbox {}), "the page listens");
    }
}
