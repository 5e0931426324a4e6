//! What the pages may ask: each command is a handler of `countersign-app`, called off the thread that draws.
//!
//! Deliberately absent: any decision. A command checks that its window was granted it, hands the request on, and hands
//! the answer back.

use std::sync::Arc;

use countersign_app::handlers;
use countersign_app::wire::*;
use tauri::{State, WebviewWindow, Wry};

use crate::desk::Desk;
use crate::grants::GRANTS;
use crate::refusals::refusal;
use crate::shell_commands::*;

/// Refuses a command to a window that was not granted it. The capability files say so already; a signature is worth two locks.
pub(crate) fn check_grant(window: &WebviewWindow, command: &str) -> Result<(), AppError> {
    check_label(window.label(), command)
}

fn check_label(label: &str, command: &str) -> Result<(), AppError> {
    let is_granted = GRANTS.iter().any(|grant| grant.command == command && grant.windows.contains(&label));
    if is_granted { Ok(()) } else { Err(refusal("not_granted", format!("the window {label} may not call {command}"))) }
}

/// Runs what may block on a thread where blocking harms nobody.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    match tauri::async_runtime::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!("a command ended without an answer: {error}");
            Err(refusal("internal", "the program made a mistake and gave no answer"))
        }
    }
}

/// Commands that do not ask which ledger is open; all others wait until that is known.
const AT_ONCE: &[&str] = &["settings", "save_settings", "diagnostics", "job", "cancel_job", "touch"];

fn wait(desk: &Desk, command: &str) {
    if !AT_ONCE.contains(&command) {
        desk.until_opened();
    }
}

/// Makes one command of each handler.
macro_rules! relay {
    ($($(#[doc = $doc:literal])* $module:ident::$name:ident($($request:ty)?) -> $response:ty;)*) => {
        $(relay!(@one [$(#[doc = $doc])*] $module $name ($($request)?) $response);)*
    };
    (@one [$($doc:tt)*] $module:ident $name:ident () $response:ty) => {
        $($doc)*
        #[tauri::command]
        #[specta::specta]
        pub(crate) async fn $name(window: WebviewWindow, desk: State<'_, Arc<Desk>>) -> Result<$response, AppError> {
            check_grant(&window, stringify!($name))?;
            let desk = Arc::clone(&desk);
            off_thread(move || {
                wait(&desk, stringify!($name));
                handlers::$module::$name(&desk.host)
            })
            .await
        }
    };
    (@one [$($doc:tt)*] $module:ident $name:ident ($request:ty) $response:ty) => {
        $($doc)*
        #[tauri::command]
        #[specta::specta]
        pub(crate) async fn $name(
            window: WebviewWindow,
            desk: State<'_, Arc<Desk>>,
            request: $request,
        ) -> Result<$response, AppError> {
            check_grant(&window, stringify!($name))?;
            let desk = Arc::clone(&desk);
            off_thread(move || {
                wait(&desk, stringify!($name));
                handlers::$module::$name(&desk.host, request)
            })
            .await
        }
    };
}

relay! {
    /// Who, where, what is open: the frame of every screen.
    desk::session() -> Session;
    /// Whose inbox is shown; proves nothing.
    desk::choose_person(ChoosePerson) -> Session;
    /// Locks the desk at once; unlocking is an intent.
    desk::lock() -> Session;
    /// The person is there: the idle clock starts again.
    desk::touch() -> ();
    /// What the first screen offers.
    desk::start_info() -> StartInfo;
    /// Opens a ledger; a damaged one opens read-only.
    desk::open_ledger(OpenLedger) -> JobRef;
    /// Closes it; running jobs go on.
    desk::close_ledger() -> Session;
    /// Builds the sample beside the real ledgers and opens it.
    desk::create_sample(CreateSample) -> JobRef;
    /// Verifies a backup and says what it holds.
    desk::inspect_backup(InspectBackup) -> BackupInfo;
    /// Restores into a new directory and opens it.
    desk::restore_backup(RestoreBackup) -> JobRef;
    /// Judges an exported bundle from its bytes.
    desk::open_bundle(OpenBundle) -> BundleView;
    /// Of this user on this machine.
    desk::settings() -> Settings;
    /// Keeps them; the shell tells every window.
    desk::save_settings(Settings) -> Settings;
    /// Version, build, places.
    desk::diagnostics() -> Diagnostics;
    /// For the palette.
    desk::search(SearchRequest) -> SearchResult;
    /// How a long act stands.
    desk::job(JobId) -> JobState;
    /// Asks a long act to stop; what is recorded stays.
    desk::cancel_job(JobId) -> JobState;
    /// What waits for the person at this desk.
    overview::inbox() -> Inbox;
    /// Products by place, problems first.
    overview::board() -> Board;
    /// A page of releases.
    overview::releases(ReleasesRequest) -> ReleasePage;
    /// Header and decision.
    release::release(ReleaseRef) -> ReleaseView;
    /// Who can complete its sign-off.
    quorum::quorum(QuorumRequest) -> QuorumView;
    /// Gates and files.
    release::evidence(ReleaseRef) -> EvidenceView;
    /// The failing cases or findings of one file.
    release::evidence_items(EvidenceItemsRequest) -> EvidenceItems;
    /// What a picked file would be worth.
    release::inspect_evidence(InspectEvidence) -> InspectedEvidence;
    /// Fetches a file from a CI run; signed by the device.
    release::observe_evidence(ObserveForm) -> JobRef;
    /// Commits, tickets, authors, diff to live.
    release::changes(ChangesRequest) -> ChangesView;
    /// Newest first.
    release::timeline(TimelineRequest) -> TimelinePage;
    /// Stops; needs no passphrase.
    release::hold(HoldForm) -> Recorded;
    /// Halts a running rollout; needs no passphrase.
    release::halt(HoldForm) -> Recorded;
    /// What runs, what ran last.
    rollout::rollouts() -> Rollouts;
    /// Waves, journal, bake, samples.
    rollout::rollout(ReleaseRef) -> RolloutView;
    /// Lines of a run from a line on.
    rollout::rollout_log(LogRequest) -> LogPage;
    /// Looks again for a dispatch of unknown fate; sends nothing.
    rollout::reconcile(ReconcileForm) -> JobRef;
    /// Proposals not yet signed.
    forms::drafts() -> DraftList;
    /// Prefilled from what is live, or from the release it amends.
    forms::new_draft(NewDraft) -> ProposalDraft;
    /// Autosave; nothing is checked.
    forms::save_draft(SaveDraft) -> ProposalDraft;
    /// Gone; keep the form for Undo.
    forms::delete_draft(DraftId) -> DraftList;
    /// Reads artifacts and repository, asks the rules.
    forms::check_draft(DraftId) -> ProposalPreview;
    /// The sheet as it would be frozen.
    forms::preview_request(RequestForm) -> RequestPreview;
    /// Composes the act and asks the rules; refused here, not in the signing window.
    forms::prepare(Intent) -> DraftRef;
    /// What is to be signed.
    signing::signing_challenge() -> Challenge;
    /// Verdict, role, meaning, reason, conditions; prepared anew.
    signing::signing_choose(Choose) -> Challenge;
    /// The passphrase of a key that is made now.
    signing::signing_new_key(NewKey) -> Challenge;
    /// Signs what was shown, once.
    signing::signing_commit(Commit) -> SigningResult;
    /// Nothing is recorded; the window closes.
    signing::signing_cancel(Cancel) -> ();
    /// The request of a release, into a file that travels.
    carried::carry_request(CarryRequest) -> JobRef;
    /// An answer that came back.
    carried::carry_import(CarryImport) -> CarriedIn;
    /// A request that was sent here, judged from its bytes.
    carried::carry_open(CarryOpen) -> CarriedRequest;
    /// A page of entries with facets.
    audit::audit(AuditRequest) -> AuditPage;
    /// Bytes, checks, proof, neighbours.
    audit::entry(EntryIndex) -> EntryView;
    /// The whole ledger and its files.
    audit::verify(VerifyRequest) -> JobRef;
    /// An evidence bundle.
    audit::export_bundle(ExportBundle) -> JobRef;
    /// A report, in one of its forms.
    audit::export_report(ExportReport) -> JobRef;
    /// The filtered entries as CSV with the filter in its head.
    audit::save_audit(SaveAudit) -> JobRef;
    /// A backup into a new directory.
    audit::back_up(BackUp) -> JobRef;
    /// Persons, keys, devices, roles.
    people::people() -> People;
    /// All products.
    products::products() -> Products;
    /// Path, targets, policy, versions.
    products::product(ProductRef) -> ProductView;
    /// One version, with its diff to the one in force.
    products::policy(PolicyRequest) -> PolicyView;
    /// Line, column, meaning, warnings, who must sign.
    products::check_policy(CheckPolicy) -> PolicyCheck;
    /// Freezes and the agenda.
    products::freezes() -> Freezes;
    /// Standing authorizations.
    products::authorizations() -> Authorizations;
    /// What this desk can reach.
    connectors::connectors() -> Connectors;
    /// Steps with result; measures enforcement.
    connectors::test_connector(TestConnector) -> JobRef;
    /// Forgets address and secret.
    connectors::remove_connector(ConnectorName) -> Connectors;
}

/// Returns every command with its types. A test holds this list to the table of grants.
pub(crate) fn all() -> tauri_specta::Commands<Wry> {
    tauri_specta::collect_commands![
        session,
        choose_person,
        lock,
        touch,
        start_info,
        open_ledger,
        close_ledger,
        create_sample,
        inspect_backup,
        restore_backup,
        open_bundle,
        settings,
        save_settings,
        diagnostics,
        search,
        job,
        cancel_job,
        inbox,
        board,
        releases,
        release,
        quorum,
        evidence,
        evidence_items,
        inspect_evidence,
        observe_evidence,
        changes,
        timeline,
        hold,
        halt,
        rollouts,
        rollout,
        rollout_log,
        reconcile,
        drafts,
        new_draft,
        save_draft,
        delete_draft,
        check_draft,
        preview_request,
        prepare,
        open_signing,
        open_board,
        signing_challenge,
        signing_choose,
        signing_new_key,
        signing_commit,
        signing_cancel,
        carry_request,
        carry_import,
        carry_open,
        audit,
        entry,
        verify,
        export_bundle,
        export_report,
        save_audit,
        back_up,
        people,
        products,
        product,
        policy,
        check_policy,
        freezes,
        authorizations,
        connectors,
        test_connector,
        remove_connector,
        pick_path,
        show_in_folder,
        open_link,
        copy_text,
        set_zoom,
        page_ready,
        close_window,
    ]
}
