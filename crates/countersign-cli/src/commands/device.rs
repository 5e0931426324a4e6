//! `device`.

use clap::Subcommand;
use countersign_app::error::Error;
use countersign_app::people;
use countersign_core::words::{Line, Principal, Slug};
use serde_json::json;

use crate::output::{Answer, table};
use crate::session::Session;

/// Machines that sign what they observe and dispatch.
#[derive(Debug, Subcommand)]
pub(crate) enum Device {
    /// Show every device
    #[command(after_help = "Examples:
  countersign --ledger ./ledger device list")]
    List,
    /// Make this machine a dispatcher, with a key of its own
    #[command(after_help = "Examples:
  countersign --ledger ./ledger device enrol-dispatcher \\
      --reason 'the build room machine runs our rollouts'")]
    EnrolDispatcher {
        /// The printed name
        #[arg(long, value_name = "NAME")]
        name: Option<Line>,
    },
    /// Confirm as a second person that a dispatcher is what it is said to be
    #[command(after_help = "Examples:
  countersign --ledger ./ledger device confirm dispatcher-1a2b3c4d@devices.countersign \\
      --as rita@acme.example --reason 'stood beside it and compared the fingerprint'")]
    Confirm {
        /// The device
        principal: Principal,
        /// As which of your roles; any you hold when not said
        #[arg(long, value_name = "ROLE")]
        role: Option<Slug>,
    },
    /// End the use of a device
    #[command(after_help = "Examples:
  countersign --ledger ./ledger device revoke dispatcher-1a2b3c4d@devices.countersign \\
      --reason 'the machine is gone'")]
    Revoke {
        /// The device
        principal: Principal,
    },
}

impl Device {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::List => {
                let rows = people::devices(&ledger);
                let lines: Vec<[String; 5]> = rows
                    .iter()
                    .map(|row| {
                        [
                            format!("{}{}", row.principal, if row.this_machine { " *" } else { "" }),
                            row.name.to_string(),
                            row.purpose.to_string(),
                            row.status.to_owned(),
                            row.fingerprint.clone(),
                        ]
                    })
                    .collect();
                let text = table(["PRINCIPAL", "NAME", "FOR", "STATUS", "FINGERPRINT"], &lines);
                Ok(Answer::new(rows, format!("{text}\n\n* this machine")))
            }
            Self::EnrolDispatcher { name } => {
                let (entry, device) =
                    session.sign(&mut ledger, "", |ledger, signing| people::enrol_dispatcher(ledger, signing, name))?;
                let waits = !ledger.state().sample();
                let key = ledger.state().devices.get(&device).map(|device| device.card.key.fingerprint());
                let mut text = format!("this machine is the dispatcher {device}");
                if let Some(key) = &key {
                    text.push_str(&format!("\nkey: {key}"));
                }
                if waits {
                    text.push_str(&format!(
                        "\nIt dispatches nothing until a second person confirms it: countersign device confirm {device} --as PRINCIPAL"
                    ));
                }
                let more = json!({"device": device, "fingerprint": key, "waits_for_second_person": waits});
                Ok(Answer::recorded(entry, text, more))
            }
            Self::Confirm { principal, role } => {
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    people::confirm_device(ledger, signing, &principal, role)
                })?;
                Ok(Answer::recorded(entry, format!("{principal} is confirmed"), json!({"device": principal})))
            }
            Self::Revoke { principal } => {
                let device = principal.clone();
                let entry = session
                    .sign(&mut ledger, "", |ledger, signing| people::revoke_device(ledger, signing, principal))?;
                Ok(Answer::recorded(entry, format!("{device} signs nothing any more"), json!({"device": device})))
            }
        }
    }
}
