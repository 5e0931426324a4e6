//! Writes the model up as a document: which words, in which order.

mod back_matter;
mod front_matter;
mod releases;

use crate::document::{Block, Document, Line, Lines, Run, Weight, dim, hash, mono, quote, text};
use crate::model::{Adverse, Moment, Party, Report, Scope, Stamp};
use crate::moment::tell;
use crate::visible::{brief, visible};
use crate::words::{Badge, Badged};

/// How long a heading may be; the whole text stands in the facts below it.
const HEADING_CHARS: usize = 90;

/// How long a heading may be at the top of the pages that follow.
const RUNNING_HEAD_CHARS: usize = 44;

/// Writes the report up; every text of the ledger has been made visible.
pub(crate) fn write_up(report: &Report) -> Document {
    let mut blocks = Vec::new();
    front_matter::verification(report, &mut blocks);
    releases::releases(report, &mut blocks);
    back_matter::against(report, &mut blocks);
    back_matter::people(report, &mut blocks);
    back_matter::policies(report, &mut blocks);
    back_matter::trail(report, &mut blocks);
    back_matter::reading_aid(&mut blocks);
    let mut document = Document {
        title: format!("Audit report: {}", report.ledger.title),
        origin: report.ledger.origin.clone(),
        sample: report.ledger.sample,
        head: format!("tree size {}", report.ledger.tree_size),
        root: report.ledger.root.clone(),
        cover: front_matter::cover(report),
        blocks,
    };
    document.title = brief(&document.title, HEADING_CHARS);
    document.each_text(&mut |text| {
        if let std::borrow::Cow::Owned(shown) = visible(text) {
            *text = shown;
        }
    });
    document
}

fn heading(level: u8, text: impl AsRef<str>, anchor: impl Into<String>) -> Block {
    Block::Heading {
        level,
        text: brief(text.as_ref(), HEADING_CHARS),
        anchor: anchor.into(),
        badge: None,
        above: None,
        short: String::new(),
    }
}

fn state_heading(text: impl AsRef<str>, anchor: impl Into<String>, badge: Badge, above: &str) -> Block {
    Block::Heading {
        level: 2,
        text: brief(text.as_ref(), HEADING_CHARS),
        anchor: anchor.into(),
        badge: Some(badge),
        above: Some(brief(above, HEADING_CHARS)),
        short: brief(text.as_ref(), RUNNING_HEAD_CHARS),
    }
}

fn paragraph(t: impl Into<String>) -> Block {
    Block::Paragraph { line: vec![text(t)] }
}

fn notice(weight: Weight, title: impl Into<String>, lines: Lines) -> Block {
    Block::Notice { weight, title: title.into(), lines }
}

/// A cell of one plain line.
fn cell(t: impl Into<String>) -> Lines {
    vec![vec![text(t)]]
}

/// Name and principal.
fn party(party: &Party) -> Line {
    vec![text(&party.name), text(" "), dim(&party.principal)]
}

/// Local time, then UTC.
fn moment(moment: &Moment) -> Lines {
    let told = tell(moment);
    vec![vec![text(told.local)], vec![mono(told.utc)]]
}

/// Local time in short, then UTC, for tables.
fn short_moment(moment: &Moment) -> Lines {
    let told = tell(moment);
    vec![vec![text(told.short)], vec![mono(told.utc)]]
}

/// Who, when, where it stands, in lines.
fn stamp(stamp: &Stamp) -> Lines {
    let mut lines = vec![party(&stamp.by)];
    lines.extend(moment(&stamp.at));
    lines.last_mut().expect("a moment has two lines").push(dim(format!(", entry {}", stamp.entry)));
    lines
}

/// Who, when, where it stands, for tables.
fn short_stamp(stamp: &Stamp) -> Lines {
    let mut lines = vec![vec![text(&stamp.by.name), dim(format!(", entry {}", stamp.entry))]];
    lines.extend(short_moment(&stamp.at));
    lines
}

/// Somebody's own words, or that there are none.
fn words(t: &str) -> Line {
    match t.is_empty() {
        true => vec![dim("empty")],
        false => vec![quote(t)],
    }
}

/// A digest on a line of its own.
fn digest(t: &str) -> Line {
    vec![hash(t)]
}

/// What an empty table may claim: nothing was recorded, or nothing is in this export.
fn none(report: &Report, what: &str) -> String {
    match report.scope {
        Scope::WholeLedger => format!("No {what} in this ledger."),
        Scope::Release { .. } => format!("No {what} in this export, which does not hold the whole ledger."),
    }
}

/// A row about something that stands against a release or the ledger.
fn adverse_cells(adverse: &Adverse) -> Vec<Lines> {
    let mut who = Lines::new();
    if let Some(by) = &adverse.by {
        who.push(vec![text(&by.name)]);
        who.push(vec![dim(&by.principal)]);
    }
    vec![
        vec![vec![crate::document::state(adverse.kind.badge())]],
        cell(&adverse.what),
        who,
        adverse.at.as_ref().map(short_moment).unwrap_or_default(),
        entry(adverse.entry),
    ]
}

/// An entry's index, where there is one.
fn entry(index: Option<u64>) -> Lines {
    index.map(|index| vec![vec![mono(index.to_string())]]).unwrap_or_default()
}

/// Joins runs of the same kind with a separator.
fn joined<'a>(items: impl IntoIterator<Item = &'a str>, separator: &str, run: fn(String) -> Run) -> Line {
    let mut line = Line::new();
    for item in items {
        if !line.is_empty() {
            line.push(text(separator));
        }
        line.push(run(item.to_owned()));
    }
    line
}
