//! `connector`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_app::connectors::{self, ConnectorRow, NewCommand};
use countersign_app::error::Error;
use countersign_app::ledger::Ledger;
use countersign_core::act::ConnectorConfig;
use countersign_core::words::Slug;
use serde_json::json;

use super::wait;
use crate::output::{Answer, or_dash, table, words};
use crate::presence;
use crate::session::Session;

/// CI systems and local commands this desk may use.
#[derive(Debug, Subcommand)]
pub(crate) enum Connector {
    /// Tell this desk where a CI system is and who we are there
    #[command(subcommand)]
    Add(Add),
    /// Allow a script to run on this desk, with your passphrase
    AllowCommand(AllowCommand),
    /// Take a command off the list of what may run here
    #[command(after_help = "Examples:
  countersign --ledger ./ledger connector disallow-command deploy")]
    DisallowCommand {
        /// Its id
        id: Slug,
    },
    /// Forget a CI system
    #[command(after_help = "Examples:
  countersign --ledger ./ledger connector remove buildbot")]
    Remove {
        /// Its name on this desk
        name: Slug,
    },
    /// Show what this desk may use; never a secret
    #[command(after_help = "Examples:
  countersign --ledger ./ledger connector list")]
    List,
    /// Ask the other end who it is, and whether the jobs of our targets are there
    #[command(after_help = "Examples:
  countersign --ledger ./ledger connector test buildbot
  countersign --ledger ./ledger connector test buildbot --job deploy")]
    Test {
        /// Its name on this desk, or the id of a command
        name: String,
        /// Also ask for this job (repeatable); those of our targets when not said
        #[arg(long, value_name = "JOB")]
        job: Vec<String>,
    },
}

/// Tell this desk where a CI system is and who we are there.
#[derive(Debug, Subcommand)]
pub(crate) enum Add {
    /// A Buildbot master
    #[command(after_help = "Examples:
  countersign --ledger ./ledger connector add buildbot --url https://ci.acme.example/ \\
      --user countersign --password-file password --ca-file ca.pem")]
    Buildbot {
        /// The base URL; plain http is for this machine only
        #[arg(long, value_name = "URL")]
        url: String,
        /// The user to log in as
        #[arg(long, value_name = "USER")]
        user: String,
        /// A file with that user's password, readable by you alone (0600)
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        /// The only certificate authority to trust, as PEM; the system's when not given
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
        /// Its name on this desk
        #[arg(long, value_name = "NAME", default_value = "buildbot")]
        name: Slug,
    },
}

/// Allow a script to run on this desk.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger connector allow-command deploy --script ./deploy.sh \\
      --interpreter /bin/sh --argument /srv/trust
  countersign --ledger ./ledger connector allow-command build --script ./build.sh \\
      --env 'PATH=/usr/local/bin' --as rita@acme.example")]
pub(crate) struct AllowCommand {
    /// The id by which targets name it
    id: Slug,
    /// The script; its digest is taken now and checked at every run
    #[arg(long, value_name = "FILE")]
    script: PathBuf,
    /// A program by its full path, then its arguments, to run the script with (repeatable)
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    interpreter: Vec<String>,
    /// An argument for the script (repeatable)
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    argument: Vec<String>,
    /// A variable for the script as NAME=VALUE (repeatable); nothing else is in its environment
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn row_text(row: &ConnectorRow) -> [String; 4] {
    match row {
        ConnectorRow::Buildbot { name, base_url, user, ca_sha256, system_authorities } => {
            let trust = if *system_authorities {
                "trusts the system's authorities".to_owned()
            } else {
                format!("CA sha256:{ca_sha256}")
            };
            [name.to_string(), "buildbot".into(), format!("{base_url} as {user}"), trust]
        }
        ConnectorRow::LocalCommand { name, script, script_sha256, refused } => {
            let state = refused.as_ref().map_or_else(
                || format!("sha256:{script_sha256}"),
                |why| format!("does not run: {why} (allowed sha256:{script_sha256})"),
            );
            [name.clone(), "local-command".into(), script.display().to_string(), state]
        }
    }
}

/// The jobs of the ledger's targets that are reached by this connector.
fn jobs_of(ledger: &Ledger, name: &str) -> Vec<String> {
    let rows = connectors::list(ledger.desk()).unwrap_or_default();
    let mut jobs: Vec<String> = ledger
        .state()
        .targets
        .values()
        .filter(|(_, target)| match &target.connector {
            ConnectorConfig::LocalCommand { command, .. } => command.as_str() == name,
            ConnectorConfig::Buildbot { base_url, .. } => rows.iter().any(|row| {
                matches!(row, ConnectorRow::Buildbot { name: known, base_url: url, .. }
                    if known.as_str() == name && url.trim_end_matches('/') == base_url.as_str().trim_end_matches('/'))
            }),
        })
        .map(|(_, target)| target.job.to_string())
        .collect();
    jobs.sort();
    jobs.dedup();
    jobs
}

impl Connector {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::Add(Add::Buildbot { url, user, password_file, ca_file, name }) => {
                let password = presence::in_file(&password_file)?;
                let row = connectors::add_buildbot(ledger.desk(), &name, &url, &user, &password, ca_file.as_deref())?;
                let text =
                    format!("this desk knows {name}: {url} as {user}\nTry it: countersign connector test {name}");
                Ok(Answer::new(row, text))
            }
            Self::AllowCommand(AllowCommand { id, script, interpreter, argument, env }) => {
                let by = session.signer(&ledger)?;
                let environment: BTreeMap<String, String> = env.into_iter().collect();
                let command = NewCommand { id, script, arguments: argument, interpreter, environment };
                let file = session.passphrase_file()?;
                let io = &mut *session.io;
                let mut ask = |about: &str| presence::ask(io, file.as_ref(), &by, about);
                let row = connectors::allow_command(&mut ledger, &by, command, &mut ask)?;
                let [name, _, script, digest] = row_text(&row);
                Ok(Answer::new(row, format!("this desk may run {name}: {script} ({digest})")))
            }
            Self::DisallowCommand { id } => {
                connectors::disallow_command(ledger.desk(), &id)?;
                Ok(Answer::new(json!({"removed": id}), format!("this desk no longer runs {id}")))
            }
            Self::Remove { name } => {
                connectors::remove_buildbot(ledger.desk(), &name)?;
                Ok(Answer::new(json!({"removed": name}), format!("this desk has forgotten {name}")))
            }
            Self::List => {
                let rows = connectors::list(ledger.desk())?;
                let lines: Vec<_> = rows.iter().map(row_text).collect();
                Ok(Answer::new(rows, table(["NAME", "KIND", "WHERE", "TRUST"], &lines)))
            }
            Self::Test { name, job } => {
                let (connector, described) = connectors::named(ledger.desk(), &name)?;
                let jobs = if job.is_empty() { jobs_of(&ledger, &name) } else { job };
                let tried = wait(connectors::try_out(connector.as_ref(), &jobs))?;
                let mut text = match (&tried.version, &tried.user) {
                    // What runs on this desk has nobody to log in as.
                    (None, None) => format!("{described} can be used"),
                    (version, user) => format!(
                        "{described} answers: {} {}, as {}",
                        tried.product,
                        or_dash(version.as_ref()),
                        or_dash(user.as_ref())
                    ),
                };
                if let Some(ahead) = tried.clock_ahead_seconds.filter(|ahead| ahead.abs() > 5) {
                    text.push_str(&format!("\nIts clock is {ahead} s ahead of this desk's."));
                }
                for job in &tried.jobs {
                    let inputs = job.inputs.as_ref().map_or("any inputs".to_owned(), words);
                    text.push_str(&format!("\njob {}: takes {inputs}", job.job));
                    if !job.missing.is_empty() {
                        text.push_str(&format!(
                            "\n  it does not declare {}: nothing could be dispatched",
                            words(&job.missing)
                        ));
                    }
                }
                let complete = tried.jobs.iter().all(|job| job.missing.is_empty());
                Ok(Answer::new(tried, text).code(u8::from(!complete)))
            }
        }
    }
}
