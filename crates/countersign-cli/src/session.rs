//! One run of the program: where the desk and the ledger are, who signs, and why.

use std::path::{Path, PathBuf};

use countersign_app::desk::{Home, LedgerDir};
use countersign_app::error::{Error, ErrorKind};
use countersign_app::ledger::Ledger;
use countersign_app::people::{self, Signing};
use countersign_core::words::{Principal, Text};

use crate::arguments::Globals;
use crate::output::Io;
use crate::presence::Presence;

/// What every command has at hand.
pub(crate) struct Session<'a, 'io> {
    pub(crate) globals: Globals,
    pub(crate) io: &'a mut Io<'io>,
}

impl Session<'_, '_> {
    /// Returns the directory of desks.
    pub(crate) fn home(&self) -> Result<Home, Error> {
        match &self.io.home {
            Some(path) => Ok(Home::at(path)),
            None => Ok(Home::find()?),
        }
    }

    /// Returns the directory of the ledger that was named.
    pub(crate) fn ledger_dir(&self) -> Result<LedgerDir, Error> {
        match &self.globals.ledger {
            Some(path) => Ok(LedgerDir::at(full(path)?)),
            None => Err(Error::usage("no ledger is named").hint("give --ledger DIR, or set COUNTERSIGN_LEDGER")),
        }
    }

    /// Opens the ledger.
    pub(crate) fn open(&self) -> Result<Ledger, Error> {
        let ledger = Ledger::open(&self.home()?, &self.ledger_dir()?)?;
        people::settle_keys(&ledger)?;
        Ok(ledger)
    }

    /// Opens the ledger where one is named.
    pub(crate) fn open_if_named(&self) -> Result<Option<Ledger>, Error> {
        if self.globals.ledger.is_some() { self.open().map(Some) } else { Ok(None) }
    }

    /// Returns who signs: who was named, else the only person whose key is here.
    pub(crate) fn signer(&self, ledger: &Ledger) -> Result<Principal, Error> {
        match &self.globals.signer {
            Some(principal) => Ok(principal.clone()),
            None => people::sole_signer(ledger),
        }
    }

    /// Returns whose inbox is meant, where that is clear.
    pub(crate) fn reader(&self, ledger: &Ledger) -> Option<Principal> {
        self.signer(ledger).ok()
    }

    /// Returns the reason that was given.
    pub(crate) fn reason(&self) -> Result<Text, Error> {
        self.globals.reason.clone().ok_or_else(|| {
            Error::usage("the reason is missing")
                .hint("give --reason TEXT: it stands beside the signature in the record")
        })
    }

    /// Returns the file the passphrase is read from, if any, for what needs the passphrase itself.
    pub(crate) fn passphrase_file(&self) -> Result<Option<PathBuf>, Error> {
        if self.globals.agent {
            return Err(Error::usage(
                "an agent signs decisions where a policy accepts it; this asks for the passphrase",
            )
            .hint("leave --agent out"));
        }
        Ok(self.globals.passphrase_file.clone())
    }

    /// Lends the means to sign to `act`; `about` is shown before a passphrase is asked.
    pub(crate) fn sign<T>(
        &mut self,
        ledger: &mut Ledger,
        about: &str,
        act: impl FnOnce(&mut Ledger, &mut Signing<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (by, reason) = (self.signer(ledger)?, self.reason()?);
        let file = self.globals.passphrase_file.clone();
        let sample = if ledger.state().sample() { "SAMPLE: nothing in this ledger is a real approval" } else { "" };
        let shown = (!about.is_empty()).then(|| ledger.state().tree.size());
        let about = [sample, about].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
        let agent = self.globals.agent;
        let mut presence = Presence { io: &mut *self.io, file, agent, about, shown, twice: false };
        act(ledger, &mut Signing { by, reason, passphrase: &mut presence })
    }
}

/// Refuses, before any work is done, a file that is there already or has no directory to lie in.
pub(crate) fn new_file(path: &Path) -> Result<(), Error> {
    if path.exists() {
        let message = format!("{} exists already", path.display());
        return Err(Error::new(ErrorKind::No, "exists", message).hint("nothing is overwritten; choose another name"));
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        let message = format!("there is no directory {}", directory.display());
        return Err(Error::new(ErrorKind::Cannot, "file", message).hint("create it first"));
    }
    Ok(())
}

/// Returns the path from the root, so that a ledger is the same from wherever it is named.
pub(crate) fn full(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|error| Error::usage(format!("`{}` is not a path: {error}", path.display())))
}
