//! Who may sign as what, from the window: roles given, lent, ended and recovered, a second person's word, people who leave,
//! keys and devices that end.

use countersign_core::act::{
    Act, Device, DeviceChange, EnrolAccept, Key, KeyChange, Qualification, Role, accountability,
};
use countersign_core::decide::Command;
use countersign_core::words::{Principal, Slug, Text, Timestamp};

use super::host::{Host, Open};
use super::intents::{command_by, record, with_new_keys};
use super::show::{moment, optional, word};
use super::signing::{Deed, Prepared};
use crate::error::{Error, ErrorKind};
use crate::wire as w;
use crate::{authority, products};

pub(super) fn compose(host: &Host, open: &mut Open, intent: w::Intent, at: Timestamp) -> Result<Prepared, Error> {
    match intent {
        w::Intent::Accept { principal } => {
            let by: Principal = word(&principal, "principal")?;
            let act = EnrolAccept { accountability: accountability() };
            command_by(open, by, Command::Record(act.into()), accepting(), vec![])
        }
        w::Intent::ChangeRole { principal, role, product, until, training, change, reason } => {
            let product: Option<Slug> = optional(product.as_deref(), "product")?;
            if let Some(product) = &product {
                products::known(open.ledger.state(), product)?;
            }
            let until = until.as_deref().filter(|until| !until.is_empty());
            let act = Role {
                change: change.into(),
                principal: word(&principal, "principal")?,
                product,
                qualification: training.map(qualification).transpose()?,
                role: word(&role, "role")?,
                until: until.map(|until| moment(until, "until")).transpose()?,
            };
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::ConfirmPeople { entry, reason } => {
            let by = open.me()?;
            let act = authority::confirmation(open.ledger.state(), &by, u64::from(entry), None, at)?;
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::Leave { principal, reason } => {
            let principal: Principal = word(&principal, "principal")?;
            let acts = authority::leaving(open.ledger.state(), &principal)?;
            in_series(open, acts, &reason)
        }
        w::Intent::EndKey { principal, lost, reason } => {
            let change = if lost { KeyChange::Lost {} } else { KeyChange::Revoke {} };
            record(open, Key { change, principal: word(&principal, "principal")? }.into(), &reason, vec![])
        }
        w::Intent::RevokeDevice { principal, reason } => {
            let change = DeviceChange::Revoke { principal: word(&principal, "principal")? };
            record(open, Device { change }.into(), &reason, vec![])
        }
        intent => with_new_keys(host, open, intent, at),
    }
}

fn qualification(training: w::Training) -> Result<Qualification, Error> {
    Ok(Qualification {
        reference: word(&training.reference, "training")?,
        until: moment(&training.until, "trainedUntil")?,
    })
}

/// Keeps acts of one matter: the rules are asked for each now, and again when its turn comes.
pub(super) fn in_series(open: &mut Open, acts: Vec<Act>, reason: &str) -> Result<Prepared, Error> {
    let mut acts = acts.into_iter();
    let Some(first) = acts.next() else {
        return Err(Error::new(ErrorKind::No, "already_done", "there is nothing left to end"));
    };
    for act in acts.clone() {
        record(open, act, reason, vec![])?;
    }
    let mut prepared = record(open, first, reason, vec![])?;
    if let Deed::Record { then, .. } = &mut prepared.deed {
        then.left = acts.collect();
    }
    Ok(prepared)
}

/// Why somebody accepts to be accountable, as the record says it.
pub(super) fn accepting() -> Text {
    "accepted after reading".parse().expect("a lawful text")
}
