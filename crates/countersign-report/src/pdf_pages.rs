//! The PDF rendering: typeset in memory from one constant template and one JSON document.
//!
//! Text of the ledger reaches the template as JSON data and is only ever shown, never parsed as
//! markup. The typesetter's world has two files, the embedded fonts, no clock and no network.

use crate::RenderError;
use crate::document::Document;
use crate::model::Report;
use crate::moment::parse_utc;
use crate::visible::push_code_point;
use crate::write_up::write_up;
use chrono::{Datelike, Timelike};
use std::sync::LazyLock;
use typst::diag::{FileError, FileResult, SourceDiagnostic, Warned};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Feature, Library, LibraryExt, World};
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

/// Typesets the report with the embedded fonts.
///
/// A4, tagged, with bookmarks; the same model gives the same bytes. Characters that the embedded fonts
/// cannot draw are printed as code points, `‹U+5C71›`; see [`pdf_with_fonts`].
pub fn pdf(report: &Report) -> Result<Vec<u8>, RenderError> {
    pdf_with_fonts(report, &[])
}

/// Typesets the report with further fonts, each the bytes of a TrueType or OpenType file, for scripts that the embedded fonts lack.
///
/// The bytes of the PDF then depend on those fonts as well.
pub fn pdf_with_fonts(report: &Report, fonts: &[&[u8]]) -> Result<Vec<u8>, RenderError> {
    let document = write_up(report);
    let fonts = Fonts::with(fonts)?;
    match typeset(report, document.clone(), &fonts, Alphabet::Drawable) {
        // A cluster that no single font can draw: rather a report full of code points than none.
        Err(RenderError::Typeset(_)) => typeset(report, document, &fonts, Alphabet::Latin),
        done => done,
    }
}

static TEMPLATE: &str = include_str!("pdf_pages/report.typ");

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| {
    LazyHash::new(Library::builder().with_features([Feature::A11yExtras].into_iter().collect()).build())
});

static EMBEDDED: LazyLock<Vec<Font>> =
    LazyLock::new(|| typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect());

static MAIN: LazyLock<FileId> = LazyLock::new(|| file_id("report.typ"));
static DATA: LazyLock<FileId> = LazyLock::new(|| file_id("report.json"));

fn file_id(name: &str) -> FileId {
    RootedPath::new(VirtualRoot::Project, VirtualPath::new(name).expect("a plain file name is a virtual path")).intern()
}

struct Fonts {
    list: Vec<Font>,
    book: LazyHash<FontBook>,
}

impl Fonts {
    fn with(additional: &[&[u8]]) -> Result<Self, RenderError> {
        let mut list = EMBEDDED.clone();
        for (at, data) in additional.iter().enumerate() {
            let before = list.len();
            list.extend(Font::iter(Bytes::new(data.to_vec())));
            if list.len() == before {
                return Err(RenderError::Font(at));
            }
        }
        let book = LazyHash::new(FontBook::from_fonts(&list));
        Ok(Self { list, book })
    }

    fn draw(&self, c: char) -> bool {
        self.list.iter().any(|font| font.info().coverage.contains(c.into()))
    }

    fn one_draws(&self, word: &str) -> bool {
        self.list.iter().any(|font| word.chars().all(|c| font.info().coverage.contains(c.into())))
    }
}

/// Everything the typesetter can reach.
struct Desk<'a> {
    fonts: &'a Fonts,
    template: Source,
    data: Bytes,
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.fonts.book
    }

    fn main(&self) -> FileId {
        *MAIN
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == *MAIN { Ok(self.template.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == *DATA { Ok(self.data.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.list.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn typeset(report: &Report, mut document: Document, fonts: &Fonts, alphabet: Alphabet) -> Result<Vec<u8>, RenderError> {
    document.each_text(&mut |text| {
        if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || longest_word(text) > UNBROKEN_CHARS {
            *text = drawable(text, fonts, alphabet);
        }
    });
    let desk = Desk {
        fonts,
        template: Source::new(*MAIN, TEMPLATE.to_owned()),
        data: Bytes::new(serde_json::to_vec(&document)?),
    };
    let Warned { output, warnings: _ } = typst::compile(&desk);
    let bytes = output.and_then(|pages| {
        let options = PdfOptions {
            ident: Smart::Custom(identity(report)),
            creator: Smart::Custom(Some(format!("Countersign {}", report.made.app_version))),
            timestamp: timestamp(report),
            standards: standards(),
            ..PdfOptions::default()
        };
        typst_pdf::pdf(&pages, &options)
    });
    // The typesetter remembers what it computed; a report is made once.
    typst::comemo::evict(0);
    bytes.map_err(|errors| RenderError::Typeset(complaints(&errors)))
}

fn standards() -> PdfStandards {
    PdfStandards::new(&[PdfStandard::A_3a, PdfStandard::Ua_1]).unwrap_or_default()
}

fn complaints(errors: &[SourceDiagnostic]) -> String {
    errors.iter().take(3).map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// What makes this copy this copy: ledger, head, scope, time.
fn identity(report: &Report) -> String {
    format!(
        "{} {} {} {:?} {}",
        report.ledger.origin, report.ledger.tree_size, report.ledger.root, report.scope, report.made.at.utc
    )
}

fn timestamp(report: &Report) -> Option<Timestamp> {
    let time = parse_utc(&report.made.at)?;
    let part = |part: u32| u8::try_from(part).ok();
    let (month, day) = (part(time.month())?, part(time.day())?);
    let (hour, minute, second) = (part(time.hour())?, part(time.minute())?, part(time.second())?);
    Datetime::from_ymd_hms(time.year(), month, day, hour, minute, second).map(Timestamp::new_utc)
}

/// Which characters are printed as themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    /// Whatever the fonts draw.
    Drawable,
    /// Latin letters and general punctuation only.
    Latin,
}

/// From how many characters on a word gets places to break at.
const UNBROKEN_CHARS: usize = 16;
/// Stands for a place where a line may break; the template replaces it by an empty space, so no such character is in the
/// PDF and a digest can be copied. Text of the ledger cannot hold it, because it would have been made visible.
const BREAK: char = '\u{200b}';

/// Writes a long word with places to break at: behind punctuation, and after so many characters without any.
fn push_breakable(out: &mut String, word: &str) {
    let mut since = 0;
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        since += 1;
        let natural = matches!(c, '@' | '.' | '/' | '_' | '-' | ':' | '?' | '&' | '=' | ',' | ';') && since > 3;
        if (natural || since >= UNBROKEN_CHARS) && chars.peek().is_some_and(|next| !combines(*next)) {
            out.push(BREAK);
            since = 0;
        }
    }
}

fn longest_word(text: &str) -> usize {
    text.split([' ', '\n']).map(str::len).max().unwrap_or(0)
}

/// Writes what cannot be drawn as code points, and lets overlong words break.
fn drawable(text: &str, fonts: &Fonts, alphabet: Alphabet) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for piece in text.split_inclusive([' ', '\n']) {
        let word = piece.trim_end_matches([' ', '\n']);
        let mut shown = String::with_capacity(word.len());
        let together = alphabet == Alphabet::Drawable && (word.is_ascii() || fonts.one_draws(word));
        for c in word.chars() {
            let as_itself = match alphabet {
                _ if c == '\t' || private(c) => false,
                Alphabet::Drawable if together => true,
                Alphabet::Drawable => !combines(c) && fonts.draw(c),
                Alphabet::Latin => {
                    matches!(c, ' '..='~' | '\u{a1}'..='\u{17f}' | '–' | '—' | '‘' | '’' | '“' | '”' | '‹' | '›' | '…' | '→')
                }
            };
            match as_itself {
                true => shown.push(c),
                false if c == '\t' => shown.push_str("    "),
                false => push_code_point(&mut shown, c),
            }
        }
        match shown.chars().count() > UNBROKEN_CHARS {
            true => push_breakable(&mut out, &shown),
            false => out.push_str(&shown),
        }
        out.push_str(&piece[word.len()..]);
    }
    out
}

/// Private use has no meaning that could be read back from a file.
fn private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

/// Marks that attach to the letter before them.
fn combines(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{670}' | '\u{6d6}'..='\u{6ed}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{302a}'..='\u{302f}' | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}')
}
