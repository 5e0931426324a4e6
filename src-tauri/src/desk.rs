//! What the program holds while it runs, and the little that the shell itself asks of the host.

use countersign_app::wire::Theme;

use crate::dialogs::DialogPort;
use crate::notices::Notice;
use crate::windows::Look;
use crate::words::Words;

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

    /// Returns the language of the shell's own words.
    pub(crate) fn words(&self) -> Words {
        Words::of(&self.look().language)
    }

    /// Tells whether closing the window leaves the program in the tray.
    pub(crate) fn closes_to_tray(&self) -> bool {
        false
    }

    /// Returns how many rollouts this desk is at.
    pub(crate) fn running_rollouts(&self) -> u32 {
        0
    }

    /// Locks the desk.
    pub(crate) fn lock(&self) {}

    /// Looks at the ledger, the clock and what is prepared; tells whether anything is new.
    pub(crate) fn poll(&self) -> bool {
        false
    }

    /// Returns what is to be told now; each is told once.
    pub(crate) fn due_notices(&self) -> Vec<Notice> {
        Vec::new()
    }

    /// Returns how many acts wait for the person at this desk.
    pub(crate) fn waiting(&self) -> u32 {
        0
    }
}
