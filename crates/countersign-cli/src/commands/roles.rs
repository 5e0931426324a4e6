//! `person role`: who may sign as what, given by two, lent for a while, recovered.

use clap::{Args, Subcommand};
use countersign_app::authority::{self, Appointment};
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::ledger::Ledger;
use countersign_core::act::{Grant, Qualification};
use countersign_core::judge;
use countersign_core::words::{Line, Principal, Slug, Timestamp};
use serde_json::json;

use crate::moments::moment;
use crate::output::{Answer, table, words};
use crate::session::Session;

/// Give a role, confirm it as a second person, lend it, or end it.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Give a role
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person role grant quinn@acme.example qa --reason 'appointed'
  countersign --ledger ./ledger person role grant quinn@acme.example qa \\
      --training 'GxP course 2026-114' --trained-until +365d --reason 'appointed'
  countersign --ledger ./ledger person role grant rita@acme.example release-manager \\
      --product pump --until +90d --reason 'stands in for Jonas'")]
    Grant(GrantRole),
    /// Confirm as a second person a role that somebody else gave; until then it counts for nothing
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person role confirm quinn@acme.example qa \\
      --as rita@acme.example --reason 'I know Quinn, and the appointment'")]
    Confirm {
        /// Whose role
        principal: Principal,
        /// The role
        role: Slug,
        /// As which of your roles; any you hold when not said
        #[arg(long, value_name = "ROLE")]
        with_role: Option<Slug>,
    },
    /// Let somebody sign in your place for a while; you and they stay one pair of eyes
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person role delegate paul@acme.example qa --until +14d \\
      --product pump --as quinn@acme.example --reason 'on leave until the 14th'")]
    Delegate(DelegateRole),
    /// Make a new process owner where the others are gone: by those the ledger's first entry names
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person role recover paul@acme.example \\
      --as rita@acme.example --reason 'Olga has left, and her key with her'")]
    Recover {
        /// Who is to own the ledger
        principal: Principal,
    },
    /// End a role, or take back one you lent
    #[command(after_help = "Examples:
  countersign --ledger ./ledger person role lapse quinn@acme.example qa \\
      --reason 'moved to another team'")]
    Lapse(LapseRole),
}

/// A role of a person.
#[derive(Debug, Args)]
pub(crate) struct GrantRole {
    /// Who
    principal: Principal,
    /// process-owner, release-manager, practitioner, emergency-authority, auditor, or a role your policies name
    role: Slug,
    /// Only for this product
    #[arg(long, value_name = "PRODUCT")]
    product: Option<Slug>,
    /// The role ends after this moment
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    until: Option<Timestamp>,
    /// The training record for this role
    #[arg(long, value_name = "REFERENCE", requires = "trained_until")]
    training: Option<Line>,
    /// Nothing is signed as this role after this moment, until the training is renewed by a new grant
    #[arg(long, value_name = "MOMENT", value_parser = moment, requires = "training")]
    trained_until: Option<Timestamp>,
}

/// A role lent to a person.
#[derive(Debug, Args)]
pub(crate) struct DelegateRole {
    /// Who signs in your place
    principal: Principal,
    /// The role you hold
    role: Slug,
    /// When it ends; at most 92 days from now
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    until: Timestamp,
    /// Only for this product
    #[arg(long, value_name = "PRODUCT")]
    product: Option<Slug>,
}

/// A role that ends.
#[derive(Debug, Args)]
pub(crate) struct LapseRole {
    /// Who
    principal: Principal,
    /// The role
    role: Slug,
    /// Where it was given for this product only
    #[arg(long, value_name = "PRODUCT")]
    product: Option<Slug>,
}

impl Role {
    pub(crate) fn run(self, session: &mut Session<'_, '_>, ledger: &mut Ledger) -> Result<Answer, Error> {
        match self {
            Self::Grant(grant) => grant.run(session, ledger),
            Self::Lapse(LapseRole { principal, role, product }) => {
                let told = format!("{principal} is no longer {role}{}", of(product.as_ref()));
                let json = json!({"person": principal, "role": role});
                let appointment = Appointment { principal, role, product, until: None, qualification: None };
                let entry = session.sign(ledger, "", |ledger, signing| {
                    authority::appoint(ledger, signing, Grant::Lapse, appointment)
                })?;
                Ok(Answer::recorded(entry, told, json))
            }
            Self::Delegate(DelegateRole { principal, role, until, product }) => {
                let by = session.signer(ledger)?;
                let told = format!(
                    "{principal} may sign as {role}{} in the place of {by} until {until}",
                    of(product.as_ref())
                );
                let json = json!({"person": principal, "role": role, "in_place_of": by, "until": until});
                let appointment = Appointment { principal, role, product, until: Some(until), qualification: None };
                let entry = session.sign(ledger, "", |ledger, signing| {
                    authority::appoint(ledger, signing, Grant::Delegate, appointment)
                })?;
                Ok(Answer::recorded(entry, told, json))
            }
            Self::Recover { principal } => {
                let appointment = Appointment {
                    principal: principal.clone(),
                    role: "process-owner".parse().expect("a lawful name"),
                    product: None,
                    until: None,
                    qualification: None,
                };
                let entry = session.sign(ledger, "", |ledger, signing| {
                    authority::appoint(ledger, signing, Grant::Recover, appointment)
                })?;
                let told = format!("{principal} is to own this ledger\n{}", recovery(ledger, &principal));
                Ok(Answer::recorded(entry, told, json!({"person": principal})))
            }
            Self::Confirm { principal, role, with_role } => {
                let entry = session.sign(ledger, "", |ledger, signing| {
                    authority::confirm(ledger, signing, &principal, Some(&role), with_role)
                })?;
                let told = if recovery_of(ledger, &principal).is_some() {
                    recovery(ledger, &principal)
                } else {
                    format!("{principal} is now {role}: two people have said so")
                };
                Ok(Answer::recorded(entry, told, json!({"person": principal, "role": role})))
            }
        }
    }
}

impl GrantRole {
    fn run(self, session: &mut Session<'_, '_>, ledger: &mut Ledger) -> Result<Answer, Error> {
        let Self { principal, role, product, until, training, trained_until } = self;
        let qualification = training.zip(trained_until).map(|(reference, until)| Qualification { reference, until });
        let appointment = Appointment {
            principal: principal.clone(),
            role: role.clone(),
            product: product.clone(),
            until,
            qualification,
        };
        let entry = session
            .sign(ledger, "", |ledger, signing| authority::appoint(ledger, signing, Grant::Grant, appointment))?;
        let waits = ledger
            .state()
            .people
            .get(&principal)
            .is_some_and(|person| person.roles.iter().any(|record| record.granted == entry && record.waits()));
        let of = of(product.as_ref());
        let told = if waits {
            format!(
                "{principal} is to be {role}{of}\nIt counts once a second person confirms it: countersign person role confirm {principal} {role} --as PRINCIPAL"
            )
        } else {
            format!("{principal} is now {role}{of}")
        };
        Ok(Answer::recorded(entry, told, json!({"person": principal, "role": role, "waits_for_second_person": waits})))
    }
}

fn of(product: Option<&Slug>) -> String {
    product.map(|product| format!(" of {product}")).unwrap_or_default()
}

fn recovery_of<'a>(ledger: &'a Ledger, who: &Principal) -> Option<(&'a [Principal], Option<Timestamp>)> {
    let person = ledger.state().people.get(who)?;
    person.roles.iter().filter(|record| record.lapsed.is_none()).find_map(|record| match &record.origin {
        countersign_core::state::RoleOrigin::Recovered { by, from } => Some((by.as_slice(), *from)),
        _ => None,
    })
}

/// Says how far the recovery has come.
fn recovery(ledger: &Ledger, who: &Principal) -> String {
    let Some((by, from)) = recovery_of(ledger, who) else { return String::new() };
    let needed = ledger.state().genesis.as_ref().map_or(0, |genesis| genesis.recovery.needed);
    match from {
        Some(from) => format!(
            "Enough have signed. {who} owns the ledger from {from} on, unless a process owner ends it before: countersign person role lapse {who} process-owner"
        ),
        None => format!(
            "{} of {needed} have signed; another does with: countersign person role confirm {who} process-owner --as PRINCIPAL",
            by.len()
        ),
    }
}

/// Shows what waits for a second person.
pub(crate) fn waiting(ledger: &Ledger) -> Answer {
    let rows = authority::waiting(ledger.state(), clock::now());
    let lines: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            let what = match &row.role {
                Some(_) if row.recovery => "recovery of the ledger".to_owned(),
                Some(role) => format!("{role}{}", of(row.product.as_ref())),
                None => "identity".to_owned(),
            };
            [row.principal.to_string(), what, words(&row.by), words(&row.can_confirm), row.entry.to_string()]
        })
        .collect();
    let vacant: Vec<String> =
        judge::vacancies(ledger.state(), clock::now()).into_iter().map(ToString::to_string).collect();
    let mut text = if rows.is_empty() {
        "nothing waits for a second person".to_owned()
    } else {
        table(["PERSON", "WHAT", "ASKED BY", "WHO CAN CONFIRM", "ENTRY"], &lines)
    };
    for product in &vacant {
        text.push_str(&format!("\n{product} has no process owner: its policy cannot change until one is appointed"));
    }
    Answer::new(json!({"waiting": rows, "without_process_owner": vacant}), text)
}
