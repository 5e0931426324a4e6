//! `target`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use countersign_app::clock;
use countersign_app::error::{Error, ErrorKind};
use countersign_app::products::{self, ConnectorDraft, TargetDraft};
use countersign_app::trust;
use countersign_core::act::ConnectorConfig;
use countersign_core::hash::Digest;
use countersign_core::words::{Line, Slug};
use serde_json::json;

use crate::output::{Answer, count, indented, pairs};
use crate::session::Session;

/// Where and how an environment of a product is reached.
#[expect(clippy::large_enum_variant, reason = "one is parsed, once")]
#[derive(Debug, Subcommand)]
pub(crate) enum Target {
    /// Sign where and how an environment of a product is reached
    Set(Set),
    /// Show every target
    #[command(after_help = "Examples:
  countersign --ledger ./ledger target list
  countersign --ledger ./ledger target list --product pump --json")]
    List {
        /// Only this product
        #[arg(long, value_name = "PRODUCT")]
        product: Option<Slug>,
    },
    /// Write what the pipeline of an environment is to trust, for its protected configuration
    #[command(after_help = "Examples:
  countersign --ledger ./ledger target trust --product pump --environment production \\
      --out ./trust/production")]
    Trust {
        /// The product
        #[arg(long, value_name = "PRODUCT")]
        product: Slug,
        /// The environment
        #[arg(long, value_name = "ENVIRONMENT")]
        environment: Slug,
        /// The directory; a person carries it into the pipeline's protected configuration
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// How a target is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A Buildbot master over TLS
    Buildbot,
    /// A script each desk maps and allows for itself
    LocalCommand,
}

/// Sign where and how an environment of a product is reached.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger target set --file production.toml --reason 'where the pumps are'
  countersign --ledger ./ledger target set --product pump --environment production \\
      --connector buildbot --url https://ci.acme.example/ --ca-file ca.pem --job deploy \\
      --deploy-step deploy \\
      --segment 'canary=https://a.acme.example/health,https://a.acme.example/version' \\
      --reason 'where the pumps are'
  countersign --ledger ./ledger target set --product pump --environment staging \\
      --connector local-command --command deploy --script deploy.sh \\
      --segment 'staging=http://127.0.0.1:8080/health,http://127.0.0.1:8080/version' \\
      --reason 'the staging machine'")]
pub(crate) struct Set {
    /// A TOML file with product, environment, job, deploy_step, [connector] and [[segment]]; flags stand over it
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The product
    #[arg(long, value_name = "PRODUCT")]
    product: Option<Slug>,
    /// The environment on its promotion path
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Option<Slug>,
    /// How it is reached
    #[arg(long, value_name = "KIND")]
    connector: Option<Kind>,
    /// Buildbot: the base URL; the only one this desk knows when not said
    #[arg(long, value_name = "URL")]
    url: Option<Line>,
    /// Buildbot: the file of the certificate authority it must chain to
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Buildbot: that file's SHA-256 in its place
    #[arg(long, value_name = "HEX", conflicts_with = "ca_file")]
    ca_sha256: Option<Digest>,
    /// Local command: the id by which each desk maps it to a script
    #[arg(long, value_name = "ID")]
    command: Option<Slug>,
    /// Local command: the script; the one allowed on this desk when not said
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Local command: the script's SHA-256 in its place
    #[arg(long, value_name = "HEX", conflicts_with = "script")]
    script_sha256: Option<Digest>,
    /// The pipeline that is triggered; of a local command its id
    #[arg(long, value_name = "JOB")]
    job: Option<Line>,
    /// The job whose success means deployed; of a local command its id
    #[arg(long, value_name = "STEP")]
    deploy_step: Option<Line>,
    /// A segment with the URLs of its instances: NAME=HEALTH_URL,VERSION_URL;… (repeatable, in the order of the waves)
    #[arg(long, value_name = "SEGMENT")]
    segment: Vec<String>,
}

impl Target {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::Set(command) => {
                let draft = command.draft()?;
                let entry =
                    session.sign(&mut ledger, "", |ledger, signing| products::set_target(ledger, signing, draft))?;
                let row = products::targets(&ledger, None).into_iter().find(|row| row.entry == entry.index);
                let row = row.ok_or_else(|| Error::not_found("the target was replaced in the same moment"))?;
                let mut text = format!(
                    "{} of {} is reached by {}",
                    row.target.environment,
                    row.target.product,
                    reached(&row.target.connector)
                );
                if let Some(why) = &row.unreachable {
                    text.push_str(&format!("\nThis desk cannot reach it yet: {why}"));
                }
                Ok(Answer::recorded(entry, text, json!({"target": row})))
            }
            Self::List { product } => {
                let rows = products::targets(&ledger, product.as_ref());
                let blocks: Vec<String> = rows
                    .iter()
                    .map(|row| {
                        let target = &row.target;
                        let mut list = vec![
                            ("reached by", reached(&target.connector)),
                            ("job", format!("{}, deployed when step {} succeeds", target.job, target.deploy_step)),
                            ("entry", format!("{} (sha256:{})", row.entry, row.digest)),
                        ];
                        for segment in &target.segments {
                            list.push((
                                "segment",
                                format!("{}: {}", segment.name, count(segment.version.len() as u64, "instance")),
                            ));
                        }
                        list.push(("this desk", row.unreachable.clone().unwrap_or_else(|| "can reach it".into())));
                        format!("{} {}\n{}", target.product, target.environment, indented(&pairs(list)))
                    })
                    .collect();
                Ok(Answer::new(rows, blocks.join("\n")))
            }
            Self::Trust { product, environment, out } => {
                let trust = trust::of(ledger.state(), &product, &environment, clock::now())?;
                trust.write(&out).map_err(|error| Error::new(ErrorKind::Cannot, "trust", error.to_string()))?;
                let text = format!(
                    "{} holds what the pipeline of {environment} is to trust.\n\
                     Compare it, then put it into the pipeline's protected configuration by hand: out of reach of whoever\n\
                     can change the code. Do so again whenever people, roles, dispatchers or the policy change.",
                    out.display()
                );
                Ok(Answer::new(json!({"product": product, "environment": environment, "out": out}), text))
            }
        }
    }
}

fn reached(connector: &ConnectorConfig) -> String {
    match connector {
        ConnectorConfig::Buildbot { base_url, ca_sha256 } => format!("Buildbot {base_url} (CA sha256:{ca_sha256})"),
        ConnectorConfig::LocalCommand { command, script_sha256 } => {
            format!("local command {command} (script sha256:{script_sha256})")
        }
    }
}

impl Set {
    fn draft(self) -> Result<TargetDraft, Error> {
        let file = self.file.as_deref().map(products::read_target).transpose()?.unwrap_or_default();
        let buildbot = self.url.is_some() || self.ca_file.is_some() || self.ca_sha256.is_some();
        let command = self.command.is_some() || self.script.is_some() || self.script_sha256.is_some();
        let connector = match (self.connector, buildbot, command) {
            (Some(Kind::LocalCommand), true, _) | (Some(Kind::Buildbot), _, true) | (None, true, true) => {
                return Err(Error::usage("flags of a Buildbot and of a local command do not go together"));
            }
            (Some(Kind::Buildbot), ..) | (None, true, false) => {
                Some(ConnectorDraft::Buildbot { base_url: self.url, ca_file: self.ca_file, ca_sha256: self.ca_sha256 })
            }
            (Some(Kind::LocalCommand), ..) | (None, false, true) => Some(ConnectorDraft::LocalCommand {
                command: self
                    .command
                    .ok_or_else(|| Error::usage("the local command has no id").hint("give --command ID"))?,
                script: self.script,
                script_sha256: self.script_sha256,
            }),
            (None, false, false) => None,
        };
        let segments = self.segment.iter().map(|text| products::parse_segment(text)).collect::<Result<_, _>>()?;
        let flags = TargetDraft {
            product: self.product,
            environment: self.environment,
            connector,
            job: self.job,
            deploy_step: self.deploy_step,
            segments,
        };
        Ok(file.overlaid(flags))
    }
}
