//! Entries that were signed elsewhere and come in as they are.

use countersign_core::admit::Statement;
use countersign_core::decide::Command;
use countersign_core::entry::Entry;
use countersign_core::rejection::{Code, Rejection};
use countersign_core::words::EntryRef;

use super::{Appended, Error, ErrorKind, Ledger, RACES_MAX, Store as _, busy};

impl Ledger {
    /// Says whether an entry with the same payload is in the ledger.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn holds_payload(&self, entry: &Entry) -> Result<bool, Error> {
        Ok(self.store.find(&entry.payload_hash())?.is_some())
    }

    /// Appends an entry that was signed elsewhere, to the byte; the second of the pair says that it was there before.
    ///
    /// # Errors
    /// A rule refuses it here and now, or the ledger cannot be written.
    pub(crate) fn import(&mut self, entry: Entry, statement: &Statement) -> Result<(EntryRef, bool), Error> {
        for _ in 0..RACES_MAX {
            self.refresh()?;
            if let Some(index) = self.store.find(&entry.payload_hash())? {
                return Ok((self.entry_ref(index)?, true));
            }
            match self.append(entry.clone()) {
                Err(Appended::Raced) => {}
                Err(Appended::Failed(error)) => {
                    self.record_refused_import(statement, &error);
                    return Err(error);
                }
                Ok(entry) => return Ok((entry, false)),
            }
        }
        Err(busy())
    }

    /// Records that a rule refused it; a forged one is no act of the person it names, and is not put down to them.
    fn record_refused_import(&mut self, statement: &Statement, error: &Error) {
        let code = error.code.parse::<Code>().ok().filter(|_| error.kind == ErrorKind::No);
        let Some(code) = code else { return };
        if matches!(code, Code::WrongKey | Code::UnknownSigner | Code::UnknownDevice | Code::Duplicate) {
            return;
        }
        let command = Command::Record(statement.act.clone());
        let who = statement.common.signer.principal.clone();
        self.record_refusal(&command, &who, &Rejection::new(code, error.message.clone()));
    }
}
