//! The report as a document: every word and figure once, for PDF and HTML alike.
//!
//! A document is a cover and a flat list of blocks. Text of the ledger enters as [`Run`]s and
//! stays text to the end: the typesetter reads it as JSON data, the page as escaped characters.

use crate::words::Badge;
use serde::Serialize;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "k")]
pub(crate) enum Run {
    /// Plain text.
    Text { t: String },
    /// Emphasized text.
    Strong { t: String },
    /// Text that stands back.
    Dim { t: String },
    /// Text in somebody's own words.
    Quote { t: String },
    /// Digests, ids, versions.
    Mono { t: String },
    /// A digest at full length, small.
    Hash { t: String },
    /// A state.
    Badge { badge: Badge },
    /// A reference to a chapter of this report.
    Link { t: String, to: String },
}

/// One line; it may wrap.
pub(crate) type Line = Vec<Run>;
/// The lines of a cell or a value.
pub(crate) type Lines = Vec<Line>;

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fact {
    pub(crate) label: String,
    pub(crate) value: Lines,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Column {
    pub(crate) head: String,
    /// Share of the width, in parts of the sum.
    pub(crate) share: u32,
    pub(crate) right: bool,
}

/// A table; a row has one cell for each column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// Few short columns, which would stand too far apart on the whole width.
    pub(crate) narrow: bool,
    /// What stands there when there are no rows.
    pub(crate) empty: String,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Lines>,
    /// Short enough to be kept on one page.
    pub(crate) whole: bool,
}

/// One place at the go/no-go table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Seat {
    pub(crate) role: String,
    pub(crate) name: String,
    pub(crate) badge: Badge,
    pub(crate) note: Line,
}

/// A signature's manifestation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) principal: String,
    pub(crate) role: String,
    pub(crate) verdict: Badge,
    pub(crate) state: Badge,
    /// Why it is worth what it is, where that is not plain.
    pub(crate) why: Lines,
    pub(crate) facts: Vec<Fact>,
    /// Short enough to be kept on one page.
    pub(crate) whole: bool,
}

/// How loud a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weight {
    Plain,
    Warn,
    Alarm,
}

/// A block of the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub(crate) enum Block {
    /// 1 is a chapter, 2 a release or a topic, 3 a part of it.
    Heading {
        level: u8,
        text: String,
        anchor: String,
        badge: Option<Badge>,
        above: Option<String>,
        short: String,
    },
    Paragraph {
        line: Line,
    },
    Facts {
        facts: Vec<Fact>,
        /// Short enough to be kept on one page.
        whole: bool,
    },
    Table {
        table: Table,
    },
    Board {
        title: Line,
        seats: Vec<Seat>,
    },
    Signature {
        signature: Signature,
    },
    Notice {
        weight: Weight,
        title: String,
        lines: Lines,
    },
    Verbatim {
        text: String,
    },
}

/// The first page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cover {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) scope: String,
    pub(crate) verdict: Badge,
    pub(crate) sentence: String,
    pub(crate) notices: Vec<Block>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) how_to_check: Lines,
}

/// A number and what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Figure {
    pub(crate) figure: String,
    pub(crate) label: String,
}

/// Everything that is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Document {
    pub(crate) title: String,
    pub(crate) origin: String,
    pub(crate) sample: bool,
    pub(crate) head: String,
    pub(crate) root: String,
    pub(crate) cover: Cover,
    pub(crate) blocks: Vec<Block>,
}

/// Plain text.
pub(crate) fn text(t: impl Into<String>) -> Run {
    Run::Text { t: t.into() }
}

/// Emphasized text.
pub(crate) fn strong(t: impl Into<String>) -> Run {
    Run::Strong { t: t.into() }
}

/// Text that stands back.
pub(crate) fn dim(t: impl Into<String>) -> Run {
    Run::Dim { t: t.into() }
}

/// Somebody's own words.
pub(crate) fn quote(t: impl Into<String>) -> Run {
    Run::Quote { t: t.into() }
}

/// An id or version.
pub(crate) fn mono(t: impl Into<String>) -> Run {
    Run::Mono { t: t.into() }
}

/// A digest at full length.
pub(crate) fn hash(t: impl Into<String>) -> Run {
    Run::Hash { t: t.into() }
}

/// A state.
pub(crate) fn state(badge: Badge) -> Run {
    Run::Badge { badge }
}

/// A fact of one line.
pub(crate) fn fact(label: &str, line: Line) -> Fact {
    Fact { label: label.to_owned(), value: vec![line] }
}

/// A fact of several lines.
pub(crate) fn facts(label: &str, value: Lines) -> Fact {
    Fact { label: label.to_owned(), value }
}

/// A column set left.
pub(crate) fn column(head: &str, share: u32) -> Column {
    Column { head: head.to_owned(), share, right: false }
}

/// A column of figures, set right.
pub(crate) fn figures(head: &str, share: u32) -> Column {
    Column { head: head.to_owned(), share, right: true }
}

impl Signature {
    /// Sets whether the block is short enough to be kept on one page.
    pub(crate) fn measured(mut self) -> Self {
        let own = self.name.len() + self.role.len() + chars(&self.why);
        self.whole = own < WHOLE_BLOCK_CHARS / 4 && short(&self.facts);
        self
    }
}

/// How much text a block may have to be kept on one page.
const WHOLE_BLOCK_CHARS: usize = 2_400;
/// How many lines it may have.
const WHOLE_BLOCK_LINES: usize = 18;

fn chars(lines: &[Line]) -> usize {
    lines.iter().flatten().map(|run| run.as_str().len()).sum()
}

fn short(facts: &[Fact]) -> bool {
    let lines: usize = facts.iter().map(|fact| fact.value.len().max(1)).sum();
    lines < WHOLE_BLOCK_LINES && facts.iter().map(|fact| chars(&fact.value)).sum::<usize>() < WHOLE_BLOCK_CHARS
}

/// A block of facts, kept on one page where it is short.
pub(crate) fn facts_block(facts: Vec<Fact>) -> Block {
    Block::Facts { whole: short(&facts), facts }
}

/// How much text a row may have to be kept on one page.
const WHOLE_ROW_CHARS: usize = 1_500;

/// A row from its cells.
pub(crate) fn row(cells: Vec<Lines>) -> Row {
    let chars: usize = cells.iter().flatten().flatten().map(|run| run.as_str().len()).sum();
    let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
    Row { cells, whole: chars < WHOLE_ROW_CHARS && lines < 20 }
}

impl Run {
    /// The text of the run, as it is read.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Text { t }
            | Self::Strong { t }
            | Self::Dim { t }
            | Self::Quote { t }
            | Self::Mono { t }
            | Self::Hash { t }
            | Self::Link { t, .. } => t,
            Self::Badge { badge } => &badge.word,
        }
    }
}

impl Document {
    /// Visits every string that is printed.
    pub(crate) fn each_text(&mut self, visit: &mut dyn FnMut(&mut String)) {
        let Self { title, origin, sample: _, head, root, cover, blocks } = self;
        for text in
            [title, origin, head, root, &mut cover.title, &mut cover.subtitle, &mut cover.scope, &mut cover.sentence]
        {
            visit(text);
        }
        visit(&mut cover.verdict.word);
        for Figure { figure, label } in &mut cover.figures {
            visit(figure);
            visit(label);
        }
        each_fact(&mut cover.facts, visit);
        each_line(&mut cover.how_to_check, visit);
        for block in cover.notices.iter_mut().chain(blocks) {
            each_block(block, visit);
        }
    }
}

fn each_block(block: &mut Block, visit: &mut dyn FnMut(&mut String)) {
    match block {
        Block::Heading { text, badge, above, short, level: _, anchor: _ } => {
            visit(text);
            visit(short);
            if let Some(badge) = badge {
                visit(&mut badge.word);
            }
            if let Some(above) = above {
                visit(above);
            }
        }
        Block::Paragraph { line } => each_run(line, visit),
        Block::Facts { facts, whole: _ } => each_fact(facts, visit),
        Block::Table { table } => {
            visit(&mut table.caption);
            visit(&mut table.empty);
            for column in &mut table.columns {
                visit(&mut column.head);
            }
            for cell in table.rows.iter_mut().flat_map(|row| &mut row.cells) {
                each_line(cell, visit);
            }
        }
        Block::Board { title, seats } => {
            each_run(title, visit);
            for Seat { role, name, badge, note } in seats {
                visit(role);
                visit(name);
                visit(&mut badge.word);
                each_run(note, visit);
            }
        }
        Block::Signature { signature: Signature { name, principal, role, verdict, state, why, facts, whole: _ } } => {
            for text in [name, principal, role, &mut verdict.word, &mut state.word] {
                visit(text);
            }
            each_line(why, visit);
            each_fact(facts, visit);
        }
        Block::Notice { title, lines, weight: _ } => {
            visit(title);
            each_line(lines, visit);
        }
        Block::Verbatim { text } => visit(text),
    }
}

fn each_fact(facts: &mut [Fact], visit: &mut dyn FnMut(&mut String)) {
    for Fact { label, value } in facts {
        visit(label);
        each_line(value, visit);
    }
}

fn each_line(lines: &mut [Line], visit: &mut dyn FnMut(&mut String)) {
    for line in lines {
        each_run(line, visit);
    }
}

fn each_run(line: &mut [Run], visit: &mut dyn FnMut(&mut String)) {
    for run in line {
        match run {
            Run::Text { t }
            | Run::Strong { t }
            | Run::Dim { t }
            | Run::Quote { t }
            | Run::Mono { t }
            | Run::Hash { t }
            | Run::Link { t, .. } => visit(t),
            Run::Badge { badge } => visit(&mut badge.word),
        }
    }
}
