//! Every command and the windows that may call it; read by the build script too, so it holds nothing else.
//!
//! The capability files of `capabilities/` are written from this table and held to it by a test: what a window may do is
//! decided here and seen in review.

/// A command and the windows it is granted to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    /// The command.
    pub(crate) command: &'static str,
    /// The labels of the windows.
    pub(crate) windows: &'static [&'static str],
}

const fn grant(command: &'static str, windows: &'static [&'static str]) -> Grant {
    Grant { command, windows }
}

const MAIN: &[&str] = &["main"];
const SIGN: &[&str] = &["sign"];
const MAIN_SIGN: &[&str] = &["main", "sign"];
const MAIN_BOARD: &[&str] = &["board", "main"];
const SIGN_BOARD: &[&str] = &["board", "sign"];
const ALL: &[&str] = &["board", "main", "sign"];

/// The table. A window may call what it says, and nothing else.
pub(crate) const GRANTS: &[Grant] = &[
    grant("session", ALL),
    grant("choose_person", MAIN),
    grant("lock", MAIN),
    grant("touch", MAIN_SIGN),
    grant("start_info", MAIN),
    grant("open_ledger", MAIN),
    grant("close_ledger", MAIN),
    grant("create_sample", MAIN),
    grant("inspect_backup", MAIN),
    grant("restore_backup", MAIN),
    grant("open_bundle", MAIN),
    grant("settings", ALL),
    grant("save_settings", MAIN),
    grant("diagnostics", MAIN),
    grant("search", MAIN),
    grant("job", ALL),
    grant("cancel_job", MAIN),
    grant("inbox", MAIN_BOARD),
    grant("board", MAIN_BOARD),
    grant("releases", MAIN_BOARD),
    grant("release", MAIN_BOARD),
    grant("quorum", MAIN),
    grant("evidence", MAIN),
    grant("evidence_items", MAIN),
    grant("inspect_evidence", MAIN),
    grant("observe_evidence", MAIN),
    grant("changes", MAIN),
    grant("timeline", MAIN),
    grant("hold", MAIN),
    grant("halt", MAIN),
    grant("rollouts", MAIN_BOARD),
    grant("rollout", MAIN_BOARD),
    grant("rollout_log", MAIN),
    grant("reconcile", MAIN),
    grant("drafts", MAIN),
    grant("new_draft", MAIN),
    grant("save_draft", MAIN),
    grant("delete_draft", MAIN),
    grant("check_draft", MAIN),
    grant("preview_request", MAIN),
    grant("prepare", MAIN),
    grant("open_signing", MAIN),
    grant("open_board", MAIN),
    grant("signing_challenge", SIGN),
    grant("signing_choose", SIGN),
    grant("signing_new_key", SIGN),
    grant("signing_commit", SIGN),
    grant("signing_cancel", SIGN),
    grant("carry_request", MAIN),
    grant("carry_import", MAIN),
    grant("carry_open", MAIN),
    grant("audit", MAIN),
    grant("entry", MAIN),
    grant("verify", MAIN),
    grant("export_bundle", MAIN),
    grant("export_report", MAIN),
    grant("save_audit", MAIN),
    grant("back_up", MAIN),
    grant("people", MAIN),
    grant("products", MAIN),
    grant("product", MAIN),
    grant("policy", MAIN),
    grant("check_policy", MAIN),
    grant("freezes", MAIN_BOARD),
    grant("authorizations", MAIN),
    grant("connectors", MAIN),
    grant("test_connector", MAIN),
    grant("remove_connector", MAIN),
    grant("pick_path", MAIN),
    grant("show_in_folder", MAIN),
    grant("open_link", MAIN),
    grant("copy_text", MAIN_SIGN),
    grant("set_zoom", MAIN),
    grant("page_ready", ALL),
    grant("close_window", SIGN_BOARD),
];
