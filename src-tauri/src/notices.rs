//! Notifications of the desktop: only when an act of this person is needed. A click leads to the exact place.

use countersign_app::handlers::Notice;
use countersign_app::wire::Place;
use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;

use crate::navigation;

/// The key under which a notification keeps where it leads to.
const PLACE: &str = "place";

/// From here on, a click on a notification goes to its place.
pub(crate) fn listen(app: &AppHandle) {
    let handle = app.clone();
    let listening = app.notification().on_action(move |action| {
        // The notification server is another program: what it hands back leads to a place or nowhere.
        let place = action.notification().and_then(|one| one.extra().get(PLACE)).cloned();
        match place.and_then(|place| serde_json::from_value::<Place>(place).ok()) {
            Some(place) => navigation::go(&handle, place),
            None => navigation::bring_back(&handle),
        }
    });
    if let Err(error) = listening {
        tracing::warn!("clicks on notifications are not heard: {error}");
    }
}

/// Tells something. A desktop without notifications is normal: the inbox says it too.
pub(crate) fn tell(app: &AppHandle, notice: &Notice) {
    let shown = app.notification().builder().title(&notice.title).body(&notice.body).extra(PLACE, &notice.place).show();
    if let Err(error) = shown {
        tracing::debug!("no notification: {error}");
    }
}
