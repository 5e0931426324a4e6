//! What the program holds while it runs.

use countersign_app::wire::Theme;

use crate::dialogs::DialogPort;
use crate::windows::Look;

/// The desk at which the windows work.
#[derive(Debug)]
pub(crate) struct Desk {
    /// Who answers questions about files.
    pub(crate) dialogs: Box<dyn DialogPort>,
}

impl Desk {
    /// Returns how a new window is to look.
    pub(crate) fn look(&self) -> Look {
        Look { theme: Theme::System, language: "en".into(), zoom: 1.0 }
    }
}
