//! What the shell itself says: in the tray, in notifications and in the dialogs of the platform. Everything else is said by
//! the pages.

/// The language the shell speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Words {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

/// Declares one short text in both languages.
macro_rules! says {
    ($($(#[$doc:meta])* $name:ident: $english:literal | $german:literal;)*) => {
        impl Words {
            $($(#[$doc])* pub(crate) fn $name(self) -> &'static str {
                match self { Self::English => $english, Self::German => $german }
            })*
        }
        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $german)),*];
    };
}

says! {
    /// Item: show the window.
    open: "Open Countersign" | "Countersign öffnen";
    /// Item: lock.
    lock: "Lock" | "Sperren";
    /// Item: end the program.
    quit: "Quit" | "Beenden";
    /// Title of the question whether to close.
    close_title: "A rollout is running" | "Ein Rollout läuft";
    /// What closing does to a rollout.
    close_message: "If you quit, this desk stops watching the rollout. What runs in the CI system goes on, no further wave starts, and the next start of Countersign picks it up where it is." | "Wenn Sie beenden, beobachtet dieser Arbeitsplatz den Rollout nicht mehr. Was im CI-System läuft, läuft weiter, keine weitere Welle beginnt, und der nächste Start von Countersign nimmt ihn auf, wo er steht.";
    /// Button: end all the same.
    close_yes: "Quit all the same" | "Trotzdem beenden";
    /// Button: do not end.
    close_no: "Keep watching" | "Weiter beobachten";
    /// Title of a dialog that asks for a directory.
    choose_directory: "Choose a directory" | "Verzeichnis wählen";
    /// Title of a dialog that asks for a file to read.
    choose_file: "Choose a file" | "Datei wählen";
    /// Title of a dialog that asks where to write.
    save_as: "Save" | "Speichern";
}

impl Words {
    /// Returns the language of a BCP 47 tag; English when it is none of ours.
    pub(crate) fn of(tag: &str) -> Self {
        match tag.split(['-', '_']).next() {
            Some("de") => Self::German,
            _ => Self::English,
        }
    }

    /// Says how many acts wait.
    pub(crate) fn waiting(self, count: u32) -> String {
        match (self, count) {
            (Self::English, 0) => "Nothing waits for you".into(),
            (Self::English, 1) => "1 act waits for you".into(),
            (Self::English, _) => format!("{count} acts wait for you"),
            (Self::German, 0) => "Nichts wartet auf Sie".into(),
            (Self::German, 1) => "1 Vorgang wartet auf Sie".into(),
            (Self::German, _) => format!("{count} Vorgänge warten auf Sie"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_both_languages() {
        for (name, english, german) in ALL {
            assert!(!english.is_empty() && !german.is_empty(), "{name}");
            assert!(english != german, "{name} is not translated");
        }
        assert_eq!(
            (Words::of("de-AT"), Words::of("C"), Words::of("")),
            (Words::German, Words::English, Words::English)
        );
        assert_eq!(Words::German.waiting(1), "1 Vorgang wartet auf Sie");
        assert_eq!(Words::English.waiting(12), "12 acts wait for you");
    }
}
