//! `init`.

use clap::Args;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::ledger::{Beginning, Ledger};
use countersign_app::people::{PERSONAS, begin_sample};
use countersign_core::act::{Charter, Recovery, Signer};
use countersign_core::words::{Line, Principal};
use serde_json::json;

use crate::output::{self, Answer};
use crate::presence::Presence;
use crate::session::Session;

/// Begins a ledger.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger init --title 'Acme releases' --name 'Olga Brandt' \\
      --principal olga@acme.example --recovery-person rita@acme.example \\
      --recovery-person paul@acme.example --recovery-needed 2 --recovery-wait-hours 72 \\
      --reason 'the ledger of our releases begins'
  countersign --ledger ./sample init --sample --reason 'to try it out'")]
pub(crate) struct Init {
    /// The name people give the ledger
    #[arg(long, value_name = "TEXT", required_unless_present = "sample")]
    title: Option<Line>,
    /// Printed name of the first process owner
    #[arg(long, value_name = "NAME", required_unless_present = "sample")]
    name: Option<Line>,
    /// Principal of the first process owner, as olga@acme.example
    #[arg(long, value_name = "PRINCIPAL", required_unless_present = "sample")]
    principal: Option<Principal>,
    /// Another address the owner commits under (repeatable)
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<Line>,
    /// Somebody who may recover the ledger together with others (repeatable)
    #[arg(long, value_name = "PRINCIPAL")]
    recovery_person: Vec<Principal>,
    /// How many of them must act together; 0 where only a successor ledger can follow
    #[arg(long, value_name = "K", default_value_t = 0)]
    recovery_needed: u64,
    /// A second person states the identity of each newcomer before they can sign
    #[arg(long, conflicts_with = "sample")]
    two_state_identity: bool,
    /// For how many days a person's key may be valid at most
    #[arg(long, value_name = "DAYS", default_value_t = 366, value_parser = clap::value_parser!(u32).range(1..=3660))]
    key_days: u32,
    /// After how many days somebody looks again at who may do what, and at the trail; `due` lists it
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3660))]
    review_days: u32,
    /// How long everybody is told before a recovery takes effect
    #[arg(long, value_name = "HOURS", default_value_t = 72)]
    recovery_wait_hours: u64,
    /// How many days the owner's key is valid
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
    valid_days: u32,
    /// Begin a sample with made-up people whose passphrases are shown: nothing in it is a real approval
    #[arg(long, conflicts_with_all = ["name", "principal", "email", "recovery_person"])]
    sample: bool,
}

impl Init {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let (home, dir, reason) = (session.home()?, session.ledger_dir()?, session.reason()?);
        let title = self.title.unwrap_or_else(|| "Sample".parse().expect("a lawful title"));
        if self.sample {
            output::note(session.io, "making the keys of five made-up people; each takes a few seconds");
            let ledger = begin_sample(&home, &dir, title, reason)?;
            return Ok(begun(&ledger, true));
        }
        let (Some(name), Some(principal)) = (self.name, self.principal) else {
            return Err(Error::usage("the first process owner is not named").hint("give --name and --principal"));
        };
        let beginning = Beginning {
            title,
            owner: Signer { name, principal },
            emails: self.email,
            reason,
            charter: Some(Charter {
                co_signed_identity: self.two_state_identity,
                co_signed_roles: true,
                key_days: u64::from(self.key_days),
                review_days: Some(u64::from(self.review_days)),
            }),
            recovery: Recovery {
                needed: self.recovery_needed,
                people: self.recovery_person,
                wait_hours: self.recovery_wait_hours,
            },
            sample: false,
            valid_until: clock::now().plus_seconds(i64::from(self.valid_days) * 86_400),
        };
        let file = session.passphrase_file()?;
        let about = format!("By signing you accept:\n{}", output::indented(countersign_core::act::ACCOUNTABILITY_TEXT));
        let mut presence = Presence { io: &mut *session.io, file, agent: false, about, shown: None, twice: true };
        let ledger = Ledger::begin(&home, &dir, beginning, &mut presence)?;
        Ok(begun(&ledger, false))
    }
}

fn begun(ledger: &Ledger, sample: bool) -> Answer {
    let state = ledger.state();
    let genesis = state.genesis.as_ref().expect("a ledger that was begun has its first entry");
    let json = json!({
        "title": genesis.title,
        "fingerprint": ledger.fingerprint(),
        "origin": state.origin,
        "sample": sample,
        "ledger": ledger.dir().path(),
        "desk": ledger.desk().path(),
        "owner": genesis.owner.principal,
        "recovery": genesis.recovery,
        "entries": state.tree.size(),
        "personas": if sample { json!(PERSONAS) } else { json!([]) },
    });
    let mut text = format!(
        "The ledger \"{}\" has begun.\n\n{}\n\n",
        genesis.title,
        output::pairs([
            ("fingerprint", ledger.fingerprint().to_string()),
            ("ledger", ledger.dir().path().display().to_string()),
            ("desk", format!("{} (keys; never copy or back it up with the ledger)", ledger.desk().path().display())),
            ("owner", format!("{} <{}>", genesis.owner.name, genesis.owner.principal)),
        ])
    );
    text.push_str(
        "Keep the fingerprint somewhere else, on paper or with your auditor: whoever has it can tell this ledger from\n\
         any other with `countersign verify --fingerprint`.\n",
    );
    if sample {
        text.push_str("\nSAMPLE: made-up people whose passphrases everybody may know.\n");
        let rows: Vec<[String; 4]> = PERSONAS
            .iter()
            .map(|persona| {
                let words = [persona.principal, persona.name, &persona.roles.join(", "), persona.passphrase];
                words.map(str::to_owned)
            })
            .collect();
        text.push_str(&output::table(["PRINCIPAL", "NAME", "ROLE", "PASSPHRASE"], &rows));
    } else if genesis.recovery.needed == 0 {
        text.push_str(
            "\nNobody can recover this ledger: if its owner's key is lost, only a successor ledger can follow.\n",
        );
    }
    Answer::new(json, text)
}
