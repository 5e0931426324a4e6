//! The HTML rendering: one file, no script, nothing fetched, every text escaped.
//!
//! The page allows itself its own style sheet by hash and nothing else (Content Security Policy
//! Level 3, `style-src` with a hash source). Tables have captions and scoped headers, states have
//! a shape and a word beside their color, and the print style repeats table heads on every page.

use crate::document::{Block, Cover, Document, Fact, Line, Lines, Run, Signature, Table, Weight};
use crate::model::Report;
use crate::words::{Badge, Mark, Tone};
use crate::write_up::write_up;
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Renders the report as one self-contained page.
pub fn html(report: &Report) -> String {
    let document = write_up(report);
    let mut page = Page(String::with_capacity(64 * 1024));
    page.document(&document);
    page.0
}

const STYLE: &str = include_str!("html_page/page.css");

/// The shapes of [`Mark`], drawn on a 16 × 16 grid.
fn shape(mark: Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::Check => ("check", r#"<path d="M3 8.5l3.2 3.2L13 4.8"/>"#),
        Mark::Cross => ("cross", r#"<path d="M4 4l8 8M12 4l-8 8"/>"#),
        Mark::Bars => ("bars", r#"<path d="M5.5 3.5v9M10.5 3.5v9"/>"#),
        Mark::Half => ("half", r#"<circle cx="8" cy="8" r="5.4"/><path d="M8 2.6a5.4 5.4 0 0 1 0 10.8z" class="f"/>"#),
        Mark::Turn => (
            "turn",
            r#"<path d="M13 7a5.2 5.2 0 0 0-9.4-2L2.8 6.2M3 9a5.2 5.2 0 0 0 9.4 2l.8-1.2M2.8 2.8v3.4h3.4M13.2 13.2V9.800H9.800"/>"#,
        ),
        Mark::Clock => ("clock", r#"<circle cx="8" cy="8" r="5.6"/><path d="M8 5v3.2l2 1.3"/>"#),
        Mark::Slash => ("slash", r#"<circle cx="8" cy="8" r="5.4"/><path d="M4.200 11.800l7.600-7.600"/>"#),
        Mark::Ring => ("ring", r#"<circle cx="8" cy="8" r="5.4" stroke-dasharray="2.2 2.2"/>"#),
        Mark::Back => ("back", r#"<path d="M6.500 3.500L3 7l3.500 3.500M3 7h6.500a3.200 3.200 0 0 1 0 6.400H7"/>"#),
        Mark::Question => {
            ("question", r#"<path d="M5.200 5.800a2.800 2.800 0 1 1 4 2.600c-.9.4-1.2.9-1.200 1.700M8 12.800v.01"/>"#)
        }
        Mark::Arrow => ("arrow", r#"<path d="M2.500 8h10.500M9 4l4 4-4 4"/>"#),
    }
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Go => "go",
        Tone::Nogo => "nogo",
        Tone::Hold => "hold",
        Tone::Stale => "stale",
        Tone::Wait => "wait",
    }
}

struct Page(String);

impl Page {
    fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Appends text; the only way by which text of the ledger comes to the page.
    fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    fn document(&mut self, document: &Document) {
        let allowed = Base64::encode_string(&Sha256::digest(STYLE.as_bytes()));
        self.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-");
        self.raw(&allowed);
        self.raw("'; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
        self.text(&document.title).raw("</title>\n<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
        self.shapes();
        self.raw("<a class=\"skip\" href=\"#main\">Skip to the report</a>\n");
        self.contents(document);
        self.raw("<main id=\"main\">\n");
        self.cover(document);
        for block in &document.blocks {
            self.block(block);
        }
        self.raw("</main>\n</body>\n</html>\n");
    }

    fn shapes(&mut self) {
        self.raw("<svg class=\"shapes\" aria-hidden=\"true\">");
        for mark in Mark::ALL {
            let (name, drawing) = shape(mark);
            let _ = write!(self.0, "<symbol id=\"mark-{name}\" viewBox=\"0 0 16 16\">{drawing}</symbol>");
        }
        self.raw("</svg>\n");
    }

    fn contents(&mut self, document: &Document) {
        self.raw("<nav aria-label=\"Contents\">\n<p class=\"brand\">Countersign</p>\n");
        if document.sample {
            self.raw("<p class=\"sample\">SAMPLE</p>\n");
        }
        self.raw("<ol>\n");
        let mut inner = false;
        for block in &document.blocks {
            let Block::Heading { level, text, anchor, .. } = block else { continue };
            match (level, inner) {
                (1, true) => {
                    self.raw("</ol></li>\n");
                    inner = false;
                }
                (2, false) => {
                    // The chapter's item stays open for its parts.
                    self.0.truncate(self.0.len() - "</li>\n".len());
                    self.raw("<ol>");
                    inner = true;
                }
                (1 | 2, _) => {}
                _ => continue,
            }
            self.raw("<li><a href=\"#").text(anchor).raw("\">").text(text).raw("</a></li>\n");
        }
        if inner {
            self.raw("</ol></li>\n");
        }
        self.raw("</ol>\n</nav>\n");
    }

    fn cover(&mut self, document: &Document) {
        let Cover { title, subtitle, scope, verdict, sentence, notices, figures, facts, how_to_check } =
            &document.cover;
        self.raw("<header class=\"cover\">\n<p class=\"kind\">Audit report</p>\n");
        if !subtitle.is_empty() {
            self.raw("<p class=\"above\">").text(subtitle).raw("</p>\n");
        }
        self.raw("<h1>");
        self.text(title).raw("</h1>\n<p class=\"scope\">").text(scope).raw("</p>\n");
        self.raw("<p class=\"verdict ").raw(tone(verdict.tone)).raw("\">");
        self.badge(verdict).raw(" <span>").text(sentence).raw("</span></p>\n");
        for notice in notices {
            self.block(notice);
        }
        self.raw("<ul class=\"figures\">");
        for it in figures {
            self.raw("<li><b>").text(&it.figure).raw("</b> ").text(&it.label).raw("</li>");
        }
        self.raw("</ul>\n");
        self.facts(facts);
        self.raw("<div class=\"check\">");
        for line in how_to_check {
            self.raw("<p>").line(line).raw("</p>");
        }
        self.raw("</div>\n</header>\n");
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { level, text, anchor, badge, above, short: _ } => {
                if let Some(above) = above {
                    self.raw("<p class=\"above\">").text(above).raw("</p>\n");
                }
                let tag = ["h2", "h3", "h4"][usize::from(level.saturating_sub(1).min(2))];
                self.raw("<").raw(tag).raw(" id=\"").text(anchor).raw("\">").text(text);
                if let Some(badge) = badge {
                    self.raw(" ").badge(badge);
                }
                self.raw("</").raw(tag).raw(">\n");
            }
            Block::Paragraph { line } => {
                self.raw("<p>").line(line).raw("</p>\n");
            }
            Block::Facts { facts, whole: _ } => self.facts(facts),
            Block::Table { table } => self.table(table),
            Block::Board { title, seats } => {
                self.raw("<section class=\"board\" aria-label=\"Go or no-go\"><p>").line(title).raw("</p><ul>");
                for seat in seats {
                    self.raw("<li><span class=\"role\">")
                        .text(&seat.role)
                        .raw("</span><span class=\"who\"><bdi>")
                        .text(&seat.name);
                    self.raw("</bdi></span>")
                        .badge(&seat.badge)
                        .raw("<span class=\"note\">")
                        .line(&seat.note)
                        .raw("</span></li>");
                }
                self.raw("</ul></section>\n");
            }
            Block::Signature { signature } => self.signature(signature),
            Block::Notice { weight, title, lines } => {
                let class = match weight {
                    Weight::Plain => "plain",
                    Weight::Warn => "warn",
                    Weight::Alarm => "alarm",
                };
                self.raw("<aside class=\"notice ")
                    .raw(class)
                    .raw("\"><b>")
                    .text(title)
                    .raw("</b>")
                    .lines(lines)
                    .raw("</aside>\n");
            }
            Block::Verbatim { text } => {
                self.raw("<pre tabindex=\"0\">").text(text).raw("</pre>\n");
            }
        }
    }

    fn signature(&mut self, signature: &Signature) {
        let Signature { name, principal, role, verdict, state, why, facts, whole: _ } = signature;
        self.raw("<article class=\"signature\"><header><p><b><bdi>")
            .text(name)
            .raw("</bdi></b><code>")
            .text(principal)
            .raw("</code><span class=\"role\">")
            .text(role)
            .raw("</span></p><p>");
        self.badge(verdict).raw(" ").badge(state).raw("</p></header>");
        for line in why {
            self.raw("<p class=\"why\">").line(line).raw("</p>");
        }
        self.facts(facts);
        self.raw("</article>\n");
    }

    fn facts(&mut self, facts: &[Fact]) {
        self.raw("<dl>");
        for Fact { label, value } in facts {
            self.raw("<dt>").text(label).raw("</dt><dd>").lines(value).raw("</dd>");
        }
        self.raw("</dl>\n");
    }

    fn table(&mut self, table: &Table) {
        if table.rows.is_empty() {
            self.raw("<p class=\"none\">").text(&table.empty).raw("</p>\n");
            return;
        }
        self.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"").text(&table.caption);
        self.raw(if table.narrow { "\"><table class=\"narrow\"><caption>" } else { "\"><table><caption>" })
            .text(&table.caption)
            .raw("</caption><thead><tr>");
        for column in &table.columns {
            self.raw(if column.right { "<th scope=\"col\" class=\"n\">" } else { "<th scope=\"col\">" })
                .text(&column.head)
                .raw("</th>");
        }
        self.raw("</tr></thead><tbody>\n");
        for row in &table.rows {
            self.raw("<tr>");
            for (at, (cell, column)) in row.cells.iter().zip(&table.columns).enumerate() {
                let (open, close) = if at == 0 { ("<th scope=\"row\"", "</th>") } else { ("<td", "</td>") };
                self.raw(open).raw(if column.right { " class=\"n\">" } else { ">" }).lines(cell).raw(close);
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody></table></div>\n");
    }

    fn lines(&mut self, lines: &Lines) -> &mut Self {
        match lines.as_slice() {
            [] => self,
            [line] => self.line(line),
            many => {
                for line in many {
                    self.raw("<div>").line(line).raw("</div>");
                }
                self
            }
        }
    }

    fn line(&mut self, line: &Line) -> &mut Self {
        for run in line {
            // Each text keeps its own direction, so that none turns its neighbors around.
            match run {
                Run::Text { t } if t.is_ascii() => self.text(t),
                Run::Text { t } => self.raw("<bdi>").text(t).raw("</bdi>"),
                Run::Strong { t } => self.raw("<b><bdi>").text(t).raw("</bdi></b>"),
                Run::Dim { t } => self.raw("<bdi class=\"dim\">").text(t).raw("</bdi>"),
                Run::Quote { t } => self.raw("<q><bdi>").text(t).raw("</bdi></q>"),
                Run::Mono { t } => self.raw("<code>").text(t).raw("</code>"),
                Run::Hash { t } => self.raw("<code class=\"hash\">").text(t).raw("</code>"),
                Run::Badge { badge } => self.badge(badge),
                Run::Link { t, to } => self.raw("<a href=\"#").text(to).raw("\"><bdi>").text(t).raw("</bdi></a>"),
            };
        }
        self
    }

    fn badge(&mut self, badge: &Badge) -> &mut Self {
        let (name, _) = shape(badge.mark);
        self.raw("<span class=\"badge ")
            .raw(tone(badge.tone))
            .raw("\"><svg aria-hidden=\"true\"><use href=\"#mark-")
            .raw(name);
        self.raw("\"/></svg>").text(&badge.word).raw("</span>")
    }
}
