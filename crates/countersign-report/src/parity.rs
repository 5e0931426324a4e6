//! The laws that hold over all four renderings.

use crate::document::{Block, Document, Line};
use crate::fixture::{self, HOSTILE};
use crate::model::*;
use crate::moment::tell;
use crate::visible::visible;
use crate::words::{counts, meaning, verdict};
use crate::write_up::write_up;
use crate::{csv, html, json, parse_json, pdf};
use std::path::PathBuf;
use std::process::Command;

/// Leaves only what is read: no white space.
pub(crate) fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Runs one of the tools that read PDF files; `None`, said aloud, where it is not installed.
fn tool(name: &str, args: &[&str], pages: &[u8]) -> Option<(bool, String)> {
    let dir = tempfile::tempdir().unwrap();
    let file: PathBuf = dir.path().join("report.pdf");
    std::fs::write(&file, pages).unwrap();
    let args = args.iter().map(|arg| if *arg == "FILE" { file.as_os_str() } else { arg.as_ref() });
    match Command::new(name).args(args).output() {
        Ok(out) => Some((
            out.status.success(),
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)),
        )),
        Err(error) => {
            // Whoever reads the log must see that this law was not checked.
            #[allow(clippy::print_stderr)]
            {
                eprintln!("{name} absent: skipped ({error})");
            }
            None
        }
    }
}

pub(crate) fn pdf_text(pages: &[u8]) -> Option<String> {
    tool("pdftotext", &["-raw", "-enc", "UTF-8", "FILE", "-"], pages).map(|(done, text)| {
        assert!(done, "{text}");
        bare(&text)
    })
}

/// The text of a page as a reader sees it: no markup, no style, entities resolved.
pub(crate) fn html_text(page: &str) -> String {
    let body = &page[page.find("<main").unwrap()..];
    let mut text = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    bare(&text)
}

fn csv_cells(table: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Every string that the document prints, line by line.
fn printed(document: &Document) -> Vec<String> {
    fn line(line: &Line) -> String {
        line.iter().map(|run| run.as_str()).collect()
    }
    let mut all = vec![
        document.cover.title.clone(),
        document.cover.subtitle.clone(),
        document.cover.scope.clone(),
        document.cover.sentence.clone(),
    ];
    let mut facts = |facts: &[crate::document::Fact]| {
        all.extend(
            facts.iter().flat_map(|fact| fact.value.iter().map(line).chain([fact.label.clone()]).collect::<Vec<_>>()),
        );
    };
    facts(&document.cover.facts);
    for block in document.cover.notices.iter().chain(&document.blocks) {
        if let Block::Facts { facts: list, whole: _ } = block {
            facts(list);
        }
        if let Block::Signature { signature } = block {
            facts(&signature.facts);
        }
    }
    for block in document.cover.notices.iter().chain(&document.blocks) {
        match block {
            Block::Heading { text, .. } => all.push(text.clone()),
            Block::Paragraph { line: it } => all.push(line(it)),
            Block::Table { table } if table.rows.is_empty() => all.push(table.empty.clone()),
            Block::Table { table } => {
                all.push(table.caption.clone());
                all.extend(table.columns.iter().map(|it| it.head.clone()));
                all.extend(table.rows.iter().flat_map(|row| &row.cells).flatten().map(line));
            }
            Block::Board { title, seats } => {
                all.push(line(title));
                all.extend(seats.iter().flat_map(|it| [it.name.clone(), it.badge.word.clone()]));
            }
            Block::Signature { signature: it } => {
                all.extend([it.name.clone(), it.principal.clone(), it.verdict.word.clone(), it.state.word.clone()]);
                all.extend(it.why.iter().map(line));
            }
            Block::Notice { title, lines, weight: _ } => {
                all.push(title.clone());
                all.extend(lines.iter().map(line));
            }
            Block::Verbatim { text } => all.extend(text.lines().map(str::to_owned)),
            Block::Facts { .. } => {}
        }
    }
    all
}

/// Quotation marks are set by the renderings, not by the document.
fn without_quotes(text: &str) -> String {
    text.replace(['“', '”'], "")
}

#[test]
fn pdf_and_html_print_every_line_of_the_document() {
    for (name, report) in fixture::all().into_iter().filter(|(name, _)| *name != "hostile") {
        let page = without_quotes(&html_text(&html(&report)));
        let pages = pdf_text(&pdf(&report).unwrap()).map(|text| without_quotes(&text));
        let lines = printed(&write_up(&report));
        assert!(lines.len() > 50, "{name} prints {} lines", lines.len());
        for line in lines {
            let line = without_quotes(&bare(&line));
            assert!(page.contains(&line), "{name}.html lacks {line}");
            if let Some(pages) = &pages {
                assert!(pages.contains(&line), "{name}.pdf lacks {line}");
            }
        }
    }
}

/// The figures, names, meanings and times that all four must have.
fn figures(report: &Report) -> Vec<String> {
    let mut all = vec![
        report.ledger.origin.clone(),
        report.ledger.tree_size.to_string(),
        report.ledger.root.clone(),
        report.ledger.fingerprint.clone(),
        report.made.at.utc.clone(),
    ];
    for it in report.sign_offs() {
        all.extend([
            it.by.name.clone(),
            it.role.clone(),
            verdict(it.verdict).to_owned(),
            meaning(it.meaning).to_owned(),
            it.at.utc.clone(),
        ]);
        all.extend([it.key_fingerprint.clone(), it.state.to_string(), it.reason.clone()]);
    }
    for it in report.releases.iter().flat_map(|release| &release.evidence) {
        all.extend([it.name.clone(), counts(&it.counts), it.sha256.clone(), it.conclusion.to_string()]);
    }
    for it in &report.trail {
        all.extend([
            it.index.to_string(),
            it.at.utc.clone(),
            it.by.name.clone(),
            it.summary.clone(),
            it.leaf_sha256.clone(),
        ]);
    }
    all
}

#[test]
fn all_four_have_the_same_figures_names_meanings_and_times() {
    for (name, report) in [
        ("full", fixture::full()),
        ("invalid", fixture::invalid()),
        ("one release", fixture::one_release()),
        ("forty", fixture::forty_sign_offs()),
    ] {
        let table = csv_cells(&csv(&report).unwrap());
        let cells: std::collections::HashSet<&str> = table.iter().flatten().map(String::as_str).collect();
        let page = html_text(&html(&report));
        let pages = pdf_text(&pdf(&report).unwrap());
        let data = json(&report).unwrap();
        assert_eq!(parse_json(&data).unwrap(), report, "{name}");
        for figure in figures(&report) {
            assert!(cells.contains(figure.as_str()), "{name}.csv lacks {figure}");
            assert!(page.contains(&bare(&figure)), "{name}.html lacks {figure}");
            if let Some(pages) = &pages {
                assert!(pages.contains(&bare(&figure)), "{name}.pdf lacks {figure}");
            }
        }
        let local: Vec<String> = report.sign_offs().map(|it| tell(&it.at).local).collect();
        for time in local {
            assert!(page.contains(&bare(&time)), "{name}.html lacks {time}");
            assert!(pages.as_ref().is_none_or(|pages| pages.contains(&bare(&time))), "{name}.pdf lacks {time}");
        }
    }
}

#[test]
fn a_digest_can_be_copied_whole() {
    let report = fixture::full();
    let Some((done, text)) = tool("pdftotext", &["-raw", "-enc", "UTF-8", "FILE", "-"], &pdf(&report).unwrap()) else {
        return;
    };
    assert!(done, "{text}");
    assert!(!text.contains('\u{200b}'), "no invisible character is in the file");
    let leaves = report.trail.iter().map(|it| &it.leaf_sha256);
    let files = report.releases.iter().flat_map(|it| &it.evidence).map(|it| &it.sha256);
    let sheets = report.releases.iter().flat_map(|it| &it.sheets).map(|it| &it.digest);
    let keys = report.sign_offs().map(|it| &it.key_fingerprint);
    for digest in leaves.chain(files).chain(sheets).chain(keys).chain([&report.ledger.root, &report.ledger.fingerprint])
    {
        assert!(text.contains(digest.as_str()), "{digest} is broken");
    }
}

/// A word where it stands on its page, in points.
struct Placed {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    word: String,
}

impl Placed {
    fn read(line: &str) -> Option<Self> {
        let (places, word) = line.trim().strip_prefix("<word ")?.strip_suffix("</word>")?.split_once('>')?;
        let mut places = places.split('"').skip(1).step_by(2).map(|place| place.parse().unwrap());
        let mut next = || places.next().unwrap();
        Some(Self { left: next(), top: next(), right: next(), bottom: next(), word: word.to_owned() })
    }

    /// Whether the two are printed over each other, beyond what lines that follow each other share of their boxes.
    fn covers(&self, other: &Self) -> bool {
        let across = self.right.min(other.right) - self.left.max(other.left);
        let down = self.bottom.min(other.bottom) - self.top.max(other.top);
        across > 1.0 && down > 0.5 * (self.bottom - self.top).min(other.bottom - other.top)
    }
}

#[test]
fn no_word_lies_over_another_or_beyond_the_margin() {
    let mut narrow = fixture::full();
    let order = &mut narrow.releases[0].dispatches[0];
    order.run = Some("01a22163-35c1-705b-b6c0-27bc8e74ed1e attempt 1".to_owned());
    order.url = Some(format!("https://ci.acme.example/{}/runs/01a22163-35c1-705b-b6c0-27bc8e74ed1e", "a1".repeat(32)));
    order.observations[0].run = order.run.clone().unwrap();
    order.observations[0].url.clone_from(&order.url);
    for it in &mut narrow.releases[0].adverse {
        it.by =
            Some(Party { name: "Desk f9ca3700".to_owned(), principal: "desk-f9ca3700@devices.countersign".to_owned() });
    }
    for (name, report) in [("narrow", narrow), ("forty", fixture::forty_sign_offs()), ("invalid", fixture::invalid())] {
        let Some((done, text)) = tool("pdftotext", &["-bbox", "FILE", "-"], &pdf(&report).unwrap()) else { return };
        assert!(done, "{text}");
        for (page, text) in text.split("<page ").skip(1).enumerate() {
            let words: Vec<Placed> = text.lines().filter_map(Placed::read).collect();
            assert!(!words.is_empty(), "{name}: page {} is empty", page + 1);
            for (at, one) in words.iter().enumerate() {
                // A4 is 595 points wide, its margins 62.
                assert!(
                    one.left > 61.0 && one.right < 535.0,
                    "{name}, page {}: {} leaves the page",
                    page + 1,
                    one.word
                );
                for other in &words[at + 1..] {
                    assert!(!one.covers(other), "{name}, page {}: {} lies over {}", page + 1, one.word, other.word);
                }
            }
        }
    }
}

#[test]
fn the_table_has_one_row_for_each_entry_of_the_tree() {
    let report = fixture::full();
    let table = csv_cells(&csv(&report).unwrap());
    let entry = table[0].iter().position(|name| name == "entry").unwrap();
    let act = table[0].iter().position(|name| name == "act").unwrap();
    let indices: Vec<u64> = table[1..].iter().map(|row| row[entry].parse().unwrap()).collect();
    assert_eq!(indices, (0..report.ledger.tree_size).collect::<Vec<_>>());
    for it in &report.acts {
        assert_eq!(table[1..].iter().filter(|row| row[act] == it.act).count() as u64, it.count, "{}", it.act);
    }
    assert!(table.iter().all(|row| row.len() == table[0].len()));
}

#[test]
fn a_sign_off_without_its_entry_is_in_the_table_and_on_the_first_page() {
    let mut report = fixture::full();
    let lost = report.releases[0].sheets[1].sign_offs[0].entry;
    report.trail.retain(|it| it.index != lost);
    let table = csv_cells(&csv(&report).unwrap());
    let key = report.releases[0].sheets[1].sign_offs[0].key_fingerprint.clone();
    assert_eq!(table.iter().filter(|row| row.contains(&key)).count(), 1);
    let page = html(&report);
    assert!(page.contains("This report contradicts itself"));
    assert!(page.contains(&format!("names entry {lost}, which the trail does not list")));
    assert!(page.contains("The population is NOT complete."));
}

#[test]
fn a_report_that_contradicts_itself_says_so() {
    let check = |change: &dyn Fn(&mut Report), says: &str| {
        let mut report = fixture::full();
        assert_eq!(report.discrepancies(), [], "before");
        change(&mut report);
        let found: Vec<String> = report.discrepancies().into_iter().map(|it| it.0).collect();
        assert!(found.iter().any(|it| it.contains(says)), "{says}: {found:?}");
    };
    check(&|it| it.acts[0].count += 1, "sum to");
    check(
        &|it| {
            it.trail.pop();
        },
        "the trail lists",
    );
    check(&|it| it.ledger.tree_size += 1, "the tree holds");
    check(&|it| it.trail.swap(1, 2), "follows entry");
    check(&|it| it.releases[0].sheets[1].sign_offs[1].verdict = Verdict::NoGo, "answered otherwise");
    check(
        &|it| it.releases[0].sheets[1].sign_offs[1].state_at_dispatch = Some(SignOffState::Stale),
        "0 valid GO of distinct people",
    );
    check(&|it| it.releases[0].sheets[1].sign_offs[1].replaced_by = Some(30), "0 valid GO of distinct people");
    check(&|it| it.releases[0].sheets[1].quorum[0].needed = 2, "needs 2");
    check(&|it| it.releases[0].sheets[1].quorum.clear(), "without a quorum");
    check(&|it| it.releases[2].sheets[0].automatic_go = None, "without a quorum");
    check(
        &|it| it.verification.findings.push(Finding { index: Some(3), code: "hash".into(), message: "x".into() }),
        "found something",
    );
}

#[test]
fn the_same_person_twice_is_one_person() {
    let mut report = fixture::full();
    let sheet = &mut report.releases[0].sheets[1];
    sheet.quorum[0] = QuorumRule { role: "QA lead".to_owned(), needed: 2, counted: 2 };
    let mut again = sheet.sign_offs[0].clone();
    again.entry = sheet.sign_offs[1].entry;
    sheet.sign_offs.push(again);
    assert!(report.discrepancies().iter().any(|it| it.0.contains("1 valid GO of distinct people")));
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let report = fixture::full();
    assert_eq!(pdf(&report).unwrap(), pdf(&report).unwrap());
    let again = parse_json(&json(&report).unwrap()).unwrap();
    assert_eq!(pdf(&report).unwrap(), pdf(&again).unwrap());
    assert_eq!((html(&report), csv(&report).unwrap()), (html(&again), csv(&again).unwrap()));
    let mut later = report.clone();
    later.made.at.utc = "2026-11-22T13:05:32Z".to_owned();
    assert_ne!(pdf(&report).unwrap(), pdf(&later).unwrap());
}

#[test]
fn hostile_texts_stay_texts() {
    let report = fixture::hostile();
    let page = html(&report);
    assert!(!page.contains("<script") && !page.contains("<img"), "markup came through");
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}') && !page.contains('\0'));
    let read = html_text(&page);
    let pages = pdf_text(&pdf(&report).unwrap());
    for text in HOSTILE {
        let shown = bare(&visible(text));
        assert!(read.contains(&shown), "html lacks {shown}");
        if text.is_ascii()
            && let Some(pages) = &pages
        {
            assert!(pages.contains(&shown), "pdf lacks {shown}");
        }
    }
    assert!(read.contains(&"n".repeat(10_000)));
    if let Some(pages) = pages {
        assert!(pages.contains("GO‹U+202E›OG-ON"), "direction marks are shown");
        assert!(pages.contains("‹U+5C71›"), "undrawable characters are shown");
        assert!(pages.contains("‹U+001B›[32mVALID"));
    }
    for cell in csv_cells(&csv(&report).unwrap()).into_iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\n', '\r']), "{cell}");
    }
    assert_eq!(parse_json(&json(&report).unwrap()).unwrap(), report, "JSON keeps every string exactly");
}

#[test]
fn what_is_not_go_is_never_printed_as_go() {
    let mut report = fixture::full();
    report.releases[0].sheets[1].sign_offs[0].replaced_by = Some(30);
    for block in write_up(&report).blocks {
        if let Block::Signature { signature: it } = block {
            let good = it.state.word == "VALID" && it.verdict.word == "GO";
            let green = [&it.state, &it.verdict].iter().all(|badge| badge.tone == crate::words::Tone::Go);
            assert_eq!(good, green, "{}", it.name);
        }
    }
}

#[test]
fn an_unsound_ledger_says_so_first() {
    let page = html(&fixture::invalid());
    let (verdict, facts) =
        (page.find("does not verify. The first bad entry is 17").unwrap(), page.find("<dl>").unwrap());
    assert!(verdict < facts);
    assert!(page.contains("root-mismatch"));
}

#[test]
fn one_release_never_claims_that_nothing_else_is_there() {
    let report = fixture::one_release();
    let page = html(&report);
    assert!(page.contains("never that a NO-GO or another entry is absent"));
    assert!(!page.contains("in this ledger."), "a claim about the whole ledger");
}

#[test]
fn a_sample_is_marked_on_every_page() {
    let Some((done, text)) = tool("pdftotext", &["-raw", "FILE", "-"], &pdf(&fixture::sample()).unwrap()) else {
        return;
    };
    assert!(done, "{text}");
    let pages: Vec<&str> = text.split('\u{c}').filter(|page| !page.trim().is_empty()).collect();
    assert!(pages.len() > 10);
    for (at, page) in pages.iter().enumerate() {
        assert!(page.contains("SAMPLE"), "page {}", at + 1);
    }
    assert!(html(&fixture::sample()).contains("<p class=\"sample\">SAMPLE</p>"));
    assert!(!html(&fixture::full()).contains("SAMPLE"));
}

#[test]
fn the_pdf_is_well_formed_and_carries_its_fonts() {
    for (name, report) in fixture::all() {
        let pages = pdf(&report).unwrap();
        if let Some((sound, said)) = tool("qpdf", &["--check", "FILE"], &pages) {
            assert!(sound && said.contains("No syntax or stream encoding errors"), "{name}: {said}");
        }
        if let Some((done, said)) = tool("pdffonts", &["FILE"], &pages) {
            assert!(done, "{name}: {said}");
            let fonts: Vec<&str> = said.lines().skip(2).collect();
            assert!(!fonts.is_empty(), "{name}");
            for font in fonts {
                // name, type, encoding, embedded, subset, unicode, object
                let words: Vec<&str> = font.split_whitespace().collect();
                assert_eq!(words[words.len() - 5..words.len() - 2], ["yes", "yes", "yes"], "{name}: {font}");
            }
        }
        if let Some((done, said)) = tool("pdfinfo", &["FILE"], &pages) {
            assert!(done && said.contains("Tagged:          yes") && said.contains("A4"), "{name}: {said}");
        }
    }
}

#[test]
fn the_page_allows_itself_nothing_but_its_own_style() {
    use base64ct::{Base64, Encoding};
    use sha2::Digest;
    let page = html(&fixture::full());
    let style = &page[page.find("<style>").unwrap() + 7..page.find("</style>").unwrap()];
    let hash = Base64::encode_string(&sha2::Sha256::digest(style.as_bytes()));
    assert!(page.contains(&format!(
        "content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\""
    )));
    for forbidden in ["<script", " style=", "javascript:", " on", "http-equiv=\"refresh\"", "<link", "src=", "url("] {
        let markup: String =
            page.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()).collect::<Vec<_>>().join("\n<");
        assert!(!format!("<{markup}").contains(forbidden), "{forbidden}");
    }
}

#[test]
fn the_page_is_a_tree_with_scoped_tables() {
    for (name, report) in fixture::all() {
        let page = html(&report);
        for tag in [
            "table", "caption", "thead", "tbody", "tr", "dl", "main", "nav", "ol", "li", "section", "article", "aside",
            "span", "p", "div", "bdi", "code", "b",
        ] {
            let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{name}: <{tag}>");
        }
        assert_eq!(page.matches("<table").count(), page.matches("<caption>").count(), "{name}");
        assert_eq!(
            page.matches("<th").count() - page.matches("<thead").count(),
            page.matches("scope=\"").count(),
            "{name}"
        );
        let mut ids: Vec<&str> = page.split(" id=\"").skip(1).map(|it| it.split('"').next().unwrap()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id twice");
        for link in page.split("href=\"#").skip(1).map(|it| it.split('"').next().unwrap()) {
            assert!(ids.binary_search(&link).is_ok(), "{name}: #{link}");
        }
    }
}

#[test]
fn an_unknown_schema_is_refused() {
    let text = json(&fixture::empty()).unwrap().replace("countersign-report/v1", "countersign-report/v9");
    assert!(matches!(parse_json(&text), Err(crate::RenderError::Schema { found }) if found == "countersign-report/v9"));
}

#[test]
fn a_font_that_is_none_is_refused() {
    assert!(matches!(crate::pdf_with_fonts(&fixture::empty(), &[b"no font"]), Err(crate::RenderError::Font(0))));
}

/// Prints the figure; an optimized build is held to 5 s for 300 pages.
#[test]
#[allow(clippy::print_stderr)]
fn three_hundred_pages_are_typeset_in_time() {
    let entries = if cfg!(debug_assertions) { 600 } else { 5_000 };
    let report = fixture::long(entries);
    let start = std::time::Instant::now();
    let pages = pdf(&report).unwrap();
    let took = start.elapsed();
    let count = tool("pdfinfo", &["FILE"], &pages).and_then(|(_, said)| {
        said.lines().find_map(|line| line.strip_prefix("Pages:").and_then(|it| it.trim().parse::<u64>().ok()))
    });
    eprintln!("{entries} entries, {count:?} pages, {} bytes: {took:.2?}", pages.len());
    if !cfg!(debug_assertions) {
        assert!(count.is_none_or(|count| count >= 300), "{count:?}");
        assert!(took.as_secs_f64() <= 5.0, "{took:.2?}");
    }
}
