//! The audit report: one model, four renderings with equal figures.
//!
//! [`model::Report`] is plain data. [`pdf`] typesets it for a reader and a file,
//! [`html`] shows it in a browser without a script, [`csv`] gives the population
//! to a spreadsheet, [`json`] keeps every string exactly as it is.
//!
//! PDF and HTML are two renderings of one internal document (chapters, facts,
//! tables, signature manifestations), so neither can say what the other does not.
//!
//! Deliberately absent: file and network access, a clock, randomness, system
//! fonts, any judgment of the ledger. The same model gives the same bytes; what is
//! valid was decided by the core before the model was filled. PDF/A-3a and PDF/UA-1
//! are asked of the typesetter and conformance is not claimed in the text.
//! PDF and HTML show control and direction characters as `‹U+202E›`; the PDF does so as
//! well for characters that the embedded fonts cannot draw. JSON has the exact string.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod from_ledger;
pub mod model;

mod csv_table;
mod document;
#[cfg(test)]
mod fixture;
mod html_page;
mod moment;
#[cfg(test)]
mod parity;
mod pdf_pages;
mod visible;
mod words;
mod write_up;

pub use csv_table::csv;
pub use html_page::html;
pub use pdf_pages::{pdf, pdf_with_fonts};

use serde::{Deserialize, Serialize};

/// Names the shape of the JSON rendering; a reader refuses what it does not know.
pub const SCHEMA: &str = "countersign-report/v1";

/// Says why a rendering could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The typesetter refused the document; the text names its first complaints.
    #[error("the report could not be typeset: {0}")]
    Typeset(String),
    /// A font given by the caller is no TrueType or OpenType font.
    #[error("font {0} of the additional fonts cannot be read; give a TrueType or OpenType file")]
    Font(usize),
    /// The table could not be written.
    #[error("the report could not be written as CSV: {0}")]
    Csv(#[from] csv_error::Error),
    /// The model could not be written as, or read from, JSON.
    #[error("the report could not be handled as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The JSON is of another schema than [`SCHEMA`].
    #[error("the report is of schema {found}, this version reads {SCHEMA}; use the version that wrote it")]
    Schema {
        /// What the file says it is.
        found: String,
    },
}

// The function `csv` of this crate hides the crate of that name in this module.
use ::csv as csv_error;

#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    report: &'a model::Report,
}

#[derive(Deserialize)]
struct Read {
    schema: String,
    report: serde_json::Value,
}

/// Renders the model itself: `{"schema": "countersign-report/v1", "report": {…}}`, indented, with a final line feed.
pub fn json(report: &model::Report) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(&Written { schema: SCHEMA, report })?;
    text.push('\n');
    Ok(text)
}

/// Reads back what [`json`] wrote, so that the other renderings can be made again from it alone.
pub fn parse_json(text: &str) -> Result<model::Report, RenderError> {
    let read: Read = serde_json::from_str(text)?;
    if read.schema != SCHEMA {
        return Err(RenderError::Schema { found: read.schema });
    }
    Ok(serde_json::from_value(read.report)?)
}
