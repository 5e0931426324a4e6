//! `meeting`.

use clap::{Args, Subcommand};
use countersign_app::error::Error;
use countersign_app::meetings::{self, MeetingView, SECONDS};
use countersign_core::act::Asked;
use countersign_core::words::{ReleaseId, Text};
use serde_json::json;

use crate::commands::request::asked;
use crate::output::{Answer, indented, said, table};
use crate::session::Session;

/// Go/no-go meetings: a roll is called, each seat answers, and the record says who was not there.
#[derive(Debug, Subcommand)]
pub(crate) enum Meeting {
    /// Call the roll over the sheet that waits
    Open(Open),
    /// Show whose turn it is, and what was said
    #[command(after_help = "Examples:
  countersign --ledger ./ledger meeting show pump-4.2.0")]
    Show {
        /// The release
        release: ReleaseId,
    },
    /// Close it with its minutes; every seat that has not answered is named absent
    #[command(after_help = "Examples:
  countersign --ledger ./ledger meeting close pump-4.2.0 \\
      --minutes 'the bearing was discussed; security is asked tomorrow' --reason 'all were called'")]
    Close {
        /// The release
        release: ReleaseId,
        /// What was said
        #[arg(long, value_name = "TEXT")]
        minutes: Text,
    },
}

/// Call the roll over the sheet that waits.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger meeting open pump-4.2.0 --reason 'the meeting of Tuesday'
  countersign --ledger ./ledger meeting open pump-4.2.0 --call security \\
      --call qa=quinn@acme.example --seconds 90 --reason 'the meeting of Tuesday'")]
pub(crate) struct Open {
    /// The release
    release: ReleaseId,
    /// A seat, in the order they are called (repeatable); the seats that are empty when not said
    #[arg(long, value_name = "ROLE[=PRINCIPAL]", value_parser = asked)]
    call: Vec<Asked>,
    /// For how many seconds each has the word
    #[arg(long, value_name = "N", default_value_t = SECONDS)]
    seconds: u64,
}

impl Meeting {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let (release, entry, what) = match self {
            Self::Show { release } => {
                let all = meetings::list(ledger.state(), &release)?;
                let text: Vec<String> = all.iter().map(|meeting| shown(&release, meeting)).collect();
                let text = if text.is_empty() { format!("{release} had no meeting.") } else { text.join("\n") };
                return Ok(Answer::new(all, text));
            }
            Self::Open(Open { release, call, seconds }) => {
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    meetings::open(ledger, signing, &release, call, seconds)
                })?;
                (release, entry, "the meeting is open")
            }
            Self::Close { release, minutes } => {
                let entry = session
                    .sign(&mut ledger, "", |ledger, signing| meetings::close(ledger, signing, &release, minutes))?;
                (release, entry, "the meeting is closed")
            }
        };
        let last = meetings::list(ledger.state(), &release)?.pop();
        let text = last.as_ref().map_or_else(String::new, |meeting| shown(&release, meeting));
        Ok(Answer::recorded(entry, format!("{what}\n{text}"), json!({"release": release, "meeting": last})))
    }
}

fn shown(release: &ReleaseId, meeting: &MeetingView) -> String {
    let row = |seat: &meetings::Seat| {
        let whom = seat.person.as_ref().map_or_else(|| "whoever holds it".to_owned(), ToString::to_string);
        let says = match (&seat.answer, seat.absent) {
            (Some(answer), _) => format!("{} ({}, entry {})", said(answer.verdict), answer.principal, answer.entry),
            (None, true) => "absent".to_owned(),
            (None, false) => "has not answered".to_owned(),
        };
        [seat.seat.to_string(), seat.role.to_string(), whom, says]
    };
    let rows: Vec<_> = meeting.roll.iter().map(row).collect();
    let mut text = format!("meeting of entry {} over the sheet of entry {}\n", meeting.entry, meeting.sheet);
    text.push_str(&indented(&table(["SEAT", "ROLE", "WHO", "SAID"], &rows)));
    if let Some(minutes) = &meeting.minutes {
        text.push_str(&format!("\nminutes: {minutes}"));
    }
    if let Some(seat) = meeting.turn() {
        let signer = seat.person.as_ref().map_or_else(|| "PRINCIPAL".to_owned(), ToString::to_string);
        text.push_str(&format!(
            "\nseat {} has the word, for {} seconds: countersign sign {release} --role {} --verdict VERDICT --as {signer}",
            seat.seat, meeting.seconds, seat.role
        ));
    }
    text
}
