//! What leaves the ledger for an auditor: the report in four forms, and the bundle that holds them.

use std::path::Path;

use countersign_app::error::{Error, ErrorKind};
use countersign_app::export::{self, Exported, Source};
use countersign_app::keyfile::DeviceKeyFile;
use countersign_app::ledger::Ledger;
use countersign_app::verification;
use countersign_app::{clock, ledger as open};
use countersign_core::bundle::Report as Form;
use countersign_core::verify::Verdict;
use countersign_core::words::ReleaseId;
use countersign_report::from_ledger::{self, Input};
use countersign_report::model::{Anchor, Finding, Report, Verification, VerificationVerdict};

/// Makes the report of a ledger, or of one release, after verifying every entry anew.
pub(crate) fn report(ledger: &Ledger, release: Option<&ReleaseId>) -> Result<Report, Error> {
    let verified = verification::ledger(ledger.home(), ledger.dir(), None)?;
    let verification = Verification {
        verdict: match verified.verdict {
            Verdict::Valid => VerificationVerdict::Valid,
            Verdict::Incomplete => VerificationVerdict::Incomplete,
            Verdict::Invalid => VerificationVerdict::Invalid,
        },
        anchor: ledger.pinned()?.map_or(Anchor::Unanchored, |head| Anchor::Pin { size: head.size }),
        witnesses: 0,
        findings: verified
            .findings
            .into_iter()
            .map(|found| Finding { index: found.index, code: found.code, message: found.message })
            .collect(),
    };
    let app = open::app();
    let leaves = ledger.leaves()?;
    Ok(from_ledger::report(&Input {
        state: ledger.state(),
        leaves: &leaves,
        fingerprint: ledger.fingerprint(),
        verification,
        release,
        blobs: &|digest| ledger.blobs().read(digest).ok(),
        generated: clock::now(),
        zone: clock::zone(),
        by: None,
        app_version: app.version.as_str(),
        app_build: Some(app.build.as_str()),
    }))
}

/// Renders a form of the report.
pub(crate) fn render(report: &Report, form: Form) -> Result<Vec<u8>, Error> {
    let failed = |error: countersign_report::RenderError| Error::new(ErrorKind::Cannot, "report", error.to_string());
    match form {
        Form::Pdf => countersign_report::pdf(report).map_err(failed),
        Form::Html => Ok(countersign_report::html(report).into_bytes()),
        Form::Csv => countersign_report::csv(report).map(String::into_bytes).map_err(failed),
        Form::Json => countersign_report::json(report).map(String::into_bytes).map_err(failed),
    }
}

/// Writes a bundle with all forms of the report in it, and judges it as an auditor would.
pub(crate) fn bundle(ledger: &Ledger, release: Option<&ReleaseId>, out: &Path) -> Result<Exported, Error> {
    let report = report(ledger, release)?;
    let mut reports = Vec::new();
    for form in [Form::Html, Form::Pdf, Form::Csv, Form::Json] {
        reports.push((form, render(&report, form)?));
    }
    let key = DeviceKeyFile::load(&ledger.desk().device_key())?;
    let source = Source {
        leaves: ledger.leaves()?,
        checkpoint: ledger.checkpoint(),
        release,
        blob: &mut |digest| ledger.blobs().read(digest),
        reports,
    };
    Ok(export::export(source, key.key().signing_key(), out)?)
}
