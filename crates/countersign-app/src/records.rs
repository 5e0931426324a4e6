//! What is put on record afterwards: corrections, paper records, and files that must not stay.
//!
//! Nothing is ever taken out of the ledger. A correction stands beside what it corrects. A file that must not stay is asked to
//! be removed by one person and confirmed by another; then the desk deletes its bytes. Its digest, who asked, who confirmed
//! and why stay, and every verification says `incomplete`, naming it.
//!
//! The crash story: the confirmation is in the ledger before the file goes; [`sweep`] deletes what a crash in between left.

use std::path::Path;

use countersign_core::act::{Approval, Correction, Late, Meaning, Verdict};
use countersign_core::hash::Digest;
use countersign_core::words::{EntryRef, Line, Slug, Text, Timestamp};

use crate::clock;
use crate::durable;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::people::Signing;

/// The largest scan of a paper record.
const PAPER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Corrects a field of an earlier entry; the old value stays readable.
///
/// # Errors
/// There is no such entry, or a rule refuses.
pub fn correct(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    index: u64,
    field: Line,
    old: Text,
    new: Text,
) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let entry = ledger.entry_ref(index)?;
    signing.record(ledger, Correction { entry, field, new, old, removes: None })
}

/// Brings a paper record in, with both times: when it happened, and now.
///
/// # Errors
/// The scan cannot be read, or a rule refuses.
pub fn late(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    happened: Timestamp,
    paper: &Path,
    record: Text,
) -> Result<EntryRef, Error> {
    let bytes = durable::read(paper, PAPER_BYTES_MAX)?;
    if bytes.is_empty() {
        return Err(Error::usage(format!("{} is empty", paper.display())));
    }
    signing.rehearse(ledger, Late { happened, paper: Digest::of(&bytes), record: record.clone() })?;
    let paper = ledger.blobs().write(&bytes)?;
    signing.record(ledger, Late { happened, paper, record })
}

/// Asks for a file to be removed that an entry names.
///
/// # Errors
/// There is no such entry, or a rule refuses.
pub fn remove(ledger: &mut Ledger, signing: &mut Signing<'_>, index: u64, digest: Digest) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let entry = ledger.entry_ref(index)?;
    let word = |text: &str| text.parse().expect("a lawful text");
    let old = format!("sha256:{digest}").parse().expect("a digest is a lawful text");
    let act = Correction {
        entry,
        field: "file".parse().expect("a lawful line"),
        new: word("removed"),
        old,
        removes: Some(digest),
    };
    signing.record(ledger, act)
}

/// Confirms as a second person that a file must not stay, and deletes it on this desk; returns its digest, too.
///
/// # Errors
/// Nobody asked for it, a rule refuses, or the file cannot be deleted: then [`sweep`] tries again.
pub fn confirm_removal(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    index: u64,
    role: Option<Slug>,
) -> Result<(EntryRef, Digest), Error> {
    ledger.refresh()?;
    let request = ledger.entry_ref(index)?;
    let state = ledger.state();
    let digest = state.removals.iter().find(|(_, removal)| removal.entry == request).map(|(digest, _)| *digest);
    let digest = digest.ok_or_else(|| Error::not_found(format!("entry {index} asks for no removal")))?;
    let role = match role {
        Some(role) => role,
        None => {
            let now = clock::now();
            let person = state.people.get(&signing.by);
            let held = person.and_then(|person| {
                let roles = person.roles.iter().filter(|record| record.in_force(now) && record.product.is_none());
                roles.map(|record| &record.role).find(|role| person.holds(role.as_str(), None, now)).cloned()
            });
            held.ok_or_else(|| {
                Error::new(ErrorKind::No, "role_missing", format!("{} holds no role in the whole ledger", signing.by))
            })?
        }
    };
    let act = Approval {
        authorization: None,
        conditions: Vec::new(),
        meaning: Meaning::Confirmation,
        request,
        role,
        verdict: Verdict::Go,
    };
    let entry = signing.record(ledger, act)?;
    sweep(ledger)?;
    Ok((entry, digest))
}

/// Deletes on this desk every file whose removal two people have signed; returns those that were still there.
///
/// # Errors
/// A file cannot be deleted.
pub fn sweep(ledger: &Ledger) -> Result<Vec<Digest>, Error> {
    let mut gone = Vec::new();
    for (digest, _) in ledger.state().removals.iter().filter(|(_, removal)| removal.confirmed.is_some()) {
        if ledger.blobs().remove(digest)? {
            gone.push(*digest);
        }
    }
    Ok(gone)
}
