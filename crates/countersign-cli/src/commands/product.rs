//! `product`.

use clap::Subcommand;
use countersign_app::error::Error;
use countersign_app::products;
use countersign_core::words::{Line, Slug};
use serde_json::json;

use crate::output::{Answer, or_dash, table, words};
use crate::session::Session;

/// Products and their promotion paths.
#[derive(Debug, Subcommand)]
pub(crate) enum Product {
    /// Describe a product and the environments its releases walk through
    #[command(after_help = "Examples:
  countersign --ledger ./ledger product set pump --title 'Infusion pump firmware' \\
      --path staging,production --reason 'our first product'")]
    Set {
        /// Its short name
        product: Slug,
        /// The name people know it by
        #[arg(long, value_name = "TEXT")]
        title: Line,
        /// The environments in order, with commas between; the last one is behind the go/no-go
        #[arg(long, value_name = "ENVIRONMENTS", value_delimiter = ',', required = true)]
        path: Vec<Slug>,
    },
    /// Show every product
    #[command(after_help = "Examples:
  countersign --ledger ./ledger product list")]
    List,
}

impl Product {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::Set { product, title, path } => {
                let (name, walk) = (product.clone(), words(&path));
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    products::set_product(ledger, signing, product, title, path)
                })?;
                Ok(Answer::recorded(entry, format!("{name} walks through {walk}"), json!({"product": name})))
            }
            Self::List => {
                let rows = products::list(ledger.state());
                let lines: Vec<[String; 6]> = rows
                    .iter()
                    .map(|row| {
                        [
                            row.product.to_string(),
                            row.title.to_string(),
                            row.path.iter().map(Slug::as_str).collect::<Vec<_>>().join(" > "),
                            or_dash(row.policy_version.map(|version| format!("version {version}"))),
                            or_dash(row.live.as_ref()),
                            words(&row.without_target),
                        ]
                    })
                    .collect();
                let headings = ["PRODUCT", "TITLE", "PATH", "POLICY", "LIVE", "WITHOUT TARGET"];
                Ok(Answer::new(rows, table(headings, &lines)))
            }
        }
    }
}
