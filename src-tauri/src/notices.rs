//! Notifications of the desktop: only when an act of this person is needed. A click leads to the exact place.

use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;

use crate::links::{self, Link};
use crate::navigation;

/// The key under which a notification keeps where it leads to.
const LINK: &str = "link";

/// Something to be told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// What it is about, in one line.
    pub(crate) title: String,
    /// What is asked and by when.
    pub(crate) body: String,
    /// Where it leads to.
    pub(crate) link: Link,
}

/// From here on, a click on a notification goes to its place.
pub(crate) fn listen(app: &AppHandle) {
    let handle = app.clone();
    let listening = app.notification().on_action(move |action| {
        let link = action.notification().and_then(|one| one.extra().get(LINK)).and_then(|link| link.as_str());
        // The notification server is another program: what it hands back is read like any link.
        match link.and_then(|link| links::among([link])) {
            Some(link) => navigation::go(&handle, &link),
            None => navigation::bring_back(&handle),
        }
    });
    if let Err(error) = listening {
        tracing::warn!("clicks on notifications are not heard: {error}");
    }
}

/// Tells something. A desktop without notifications is normal: the inbox says it too.
pub(crate) fn tell(app: &AppHandle, notice: &Notice) {
    let shown = app
        .notification()
        .builder()
        .title(&notice.title)
        .body(&notice.body)
        .extra(LINK, notice.link.to_string())
        .show();
    if let Err(error) = shown {
        tracing::debug!("no notification: {error}");
    }
}
