//! The TypeScript of all commands and events: generated, committed, and held to them by a test.

use tauri::Wry;

use crate::{commands, events};

/// Returns commands and events with their types.
pub(crate) fn builder() -> tauri_specta::Builder<Wry> {
    tauri_specta::Builder::<Wry>::new().disable_serde_phases().commands(commands::all()).events(events::all())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::grants::GRANTS;

    const WRITE: &str = "COUNTERSIGN_WRITE_BINDINGS";

    fn here() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// Compares a committed file with what it is generated to, or writes it when asked to.
    #[track_caller]
    fn hold(committed: &Path, generated: &str) {
        if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
            fs::write(committed, generated).unwrap();
        }
        let there = fs::read_to_string(committed).unwrap_or_default().replace("\r\n", "\n");
        let first = there.lines().zip(generated.lines()).position(|(old, new)| old != new);
        assert!(
            there == generated,
            "{} is not what the commands are (first at line {:?}): run the tests of countersign-desktop with {WRITE}=1",
            committed.display(),
            first.map(|line| line + 1)
        );
    }

    fn generated() -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bindings.ts");
        builder().export(specta_typescript::Typescript::default(), &file).unwrap();
        fs::read_to_string(file).unwrap()
    }

    #[test]
    fn the_bindings_are_what_the_commands_are() {
        hold(&here().join("../ui/src/lib/ipc/bindings.ts"), &generated());
    }

    #[test]
    fn the_capabilities_are_what_the_table_grants() {
        for (window, about) in [
            ("main", "Everything but signing: the window that asks, shows and prepares."),
            ("sign", "The only window that signs, and it does nothing else."),
            ("board", "The wallboard: it reads."),
        ] {
            let mut permissions: Vec<String> =
                ["core:event:allow-listen", "core:event:allow-unlisten"].map(str::to_owned).to_vec();
            let granted = GRANTS.iter().filter(|grant| grant.windows.contains(&window));
            permissions.extend(granted.map(|grant| format!("allow-{}", grant.command.replace('_', "-"))));
            let file = serde_json::json!({
                "identifier": window,
                "description": about,
                "windows": [window],
                "permissions": permissions,
            });
            let text = serde_json::to_string_pretty(&file).unwrap() + "\n";
            hold(&here().join(format!("capabilities/{window}.json")), &text);
        }
        let files: BTreeSet<PathBuf> =
            fs::read_dir(here().join("capabilities")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 3, "no capability beside those of the three windows: {files:?}");
    }

    #[test]
    fn every_command_is_granted_to_somebody_and_every_grant_is_of_a_command() {
        let generated = generated();
        let called: BTreeSet<&str> =
            generated.split("__TAURI_INVOKE(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let granted: BTreeSet<&str> = GRANTS.iter().map(|grant| grant.command).collect();
        assert_eq!(called, granted);
        assert_eq!(granted.len(), GRANTS.len(), "a command stands twice in the table");
        for grant in GRANTS {
            assert!(!grant.windows.is_empty(), "{} is granted to nobody", grant.command);
            assert!(grant.windows.is_sorted(), "{}", grant.command);
        }
    }

    #[test]
    fn only_the_signing_window_signs_and_the_board_only_reads() {
        let may = |window: &'static str| {
            GRANTS.iter().filter(move |grant| grant.windows.contains(&window)).map(|grant| grant.command)
        };
        let signing: BTreeSet<&str> =
            GRANTS.iter().map(|grant| grant.command).filter(|name| name.starts_with("signing_")).collect();
        assert_eq!(signing.len(), 5);
        for grant in GRANTS.iter().filter(|grant| signing.contains(grant.command)) {
            assert_eq!(grant.windows, ["sign"], "{}", grant.command);
        }
        let reads = [
            "session",
            "settings",
            "job",
            "inbox",
            "board",
            "releases",
            "release",
            "rollouts",
            "rollout",
            "freezes",
            "page_ready",
            "close_window",
        ];
        let more: Vec<_> = may("board").filter(|command| !reads.contains(command)).collect();
        assert!(more.is_empty(), "the wallboard may not call {more:?}");
        let beside = ["session", "settings", "touch", "job", "copy_text", "page_ready", "close_window"];
        let more: Vec<_> = may("sign").filter(|name| !signing.contains(name) && !beside.contains(name)).collect();
        assert!(more.is_empty(), "the signing window may not call {more:?}");
    }
}
