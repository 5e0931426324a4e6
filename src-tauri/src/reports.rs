//! The report of a ledger, for the host: this shell joins the typesetter, which `countersign-app` does without.

use countersign_app::error::{Error, ErrorKind};
use countersign_app::handlers::Reports;
use countersign_app::ledger::{self, Ledger};
use countersign_app::{clock, verification};
use countersign_core::bundle::Report as Form;
use countersign_core::verify::Verdict;
use countersign_core::words::ReleaseId;
use countersign_report::RenderError;
use countersign_report::from_ledger::{self, Input};
use countersign_report::model::{Anchor, Finding, Verification, VerificationVerdict};

/// Renders reports with `countersign-report`.
#[derive(Debug)]
pub(crate) struct Typeset;

impl Reports for Typeset {
    fn render(&self, ledger: &Ledger, release: Option<&ReleaseId>, form: Form) -> Result<Vec<u8>, Error> {
        let app = ledger::app();
        let leaves = ledger.leaves()?;
        let report = from_ledger::report(&Input {
            state: ledger.state(),
            leaves: &leaves,
            fingerprint: ledger.fingerprint(),
            verification: verify(ledger)?,
            release,
            blobs: &|digest| ledger.blobs().read(digest).ok(),
            generated: clock::now(),
            zone: clock::zone(),
            by: None,
            app_version: app.version.as_str(),
            app_build: Some(app.build.as_str()),
        });
        let failed = |error: RenderError| Error::new(ErrorKind::Cannot, "report", error.to_string());
        match form {
            Form::Pdf => countersign_report::pdf(&report).map_err(failed),
            Form::Html => Ok(countersign_report::html(&report).into_bytes()),
            Form::Csv => countersign_report::csv(&report).map(String::into_bytes).map_err(failed),
            Form::Json => countersign_report::json(&report).map(String::into_bytes).map_err(failed),
        }
    }
}

/// Verifies every entry anew: a report says what its ledger is worth.
fn verify(ledger: &Ledger) -> Result<Verification, Error> {
    let verified = verification::ledger(ledger.home(), ledger.dir(), None)?;
    let finding = |found: verification::Found| Finding { index: found.index, code: found.code, message: found.message };
    Ok(Verification {
        verdict: match verified.verdict {
            Verdict::Valid => VerificationVerdict::Valid,
            Verdict::Incomplete => VerificationVerdict::Incomplete,
            Verdict::Invalid => VerificationVerdict::Invalid,
        },
        anchor: ledger.pinned()?.map_or(Anchor::Unanchored, |head| Anchor::Pin { size: head.size }),
        witnesses: 0,
        findings: verified.findings.into_iter().map(finding).collect(),
    })
}
