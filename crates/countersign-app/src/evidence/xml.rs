//! XML 1.0 read strictly: well-formed, bounded, and without any document type definition.
//!
//! Stricter than the tokenizer below it: one root, matching ends, no attribute twice, no undefined
//! entity. Laxer than the specification in one point: control characters are let through, because
//! test runners write the terminal colors of failure messages into their reports.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::reader::Reader;

use super::{MAX_DEPTH, ReadError, shown};

/// The largest number of attributes of one element.
const MAX_ATTRIBUTES: usize = 256;

/// Encodings whose ASCII half is ASCII; a text of ASCII alone means the same in all of them.
const ASCII_BASED: &[&str] = &["us-ascii", "ascii", "iso-8859-", "iso8859-", "latin1", "windows-125", "cp125"];

/// One step through a document.
pub(super) enum Node<'a> {
    Open(Element),
    Text(Cow<'a, str>),
    Comment(String),
    Close,
    End,
}

/// An element's name without its prefix, and its attributes as they are named.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Returns the text of a file, without a byte order mark.
pub(super) fn text(bytes: &[u8]) -> Result<&str, ReadError> {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', 0, ..] | [0, b'<', ..] = bytes {
        return Err(ReadError::Encoding { reason: "it looks like UTF-16".to_owned() });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes)
        .map_err(|error| ReadError::Encoding { reason: format!("byte {} is not", error.valid_up_to()) })
}

/// Tells whether a file starts like XML does.
pub(super) fn has_declaration(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.trim_ascii_start().starts_with(b"<?xml")
}

/// Tells whether a text is an HTML page, whose document type is no definition.
pub(super) fn is_html(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(14).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// Returns the name of the root element.
pub(super) fn root(text: &str) -> Result<String, ReadError> {
    let mut document = Document::new(text);
    loop {
        match document.next()? {
            Node::Open(element) => return Ok(element.name),
            Node::End => return Err(document.malformed("there is no element".to_owned())),
            _ => {}
        }
    }
}

/// Walks a document from start to end.
pub(super) struct Document<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    depth: usize,
    has_root: bool,
    at_start: bool,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        config.check_end_names = true;
        Self { reader, text, depth: 0, has_root: false, at_start: true }
    }

    /// Returns the next step; after [`Node::End`] there is none.
    pub(super) fn next(&mut self) -> Result<Node<'a>, ReadError> {
        loop {
            let before = self.reader.buffer_position();
            let event = self.reader.read_event().map_err(|error| self.refused(before, &error))?;
            let at_start = std::mem::replace(&mut self.at_start, false);
            let node = match event {
                Event::Start(start) => Node::Open(self.open(&start)?),
                Event::End(_) => {
                    self.depth -= 1;
                    Node::Close
                }
                // `expand_empty_elements` leaves none.
                Event::Empty(_) => {
                    return Err(self.malformed("an empty tag is out of place".to_owned()));
                }
                Event::Text(text) => {
                    let text = text.into_inner();
                    if self.depth == 0 {
                        self.check_outside(&text)?;
                        continue;
                    }
                    Node::Text(text)
                }
                Event::CData(data) if self.depth > 0 => Node::Text(data.into_inner()),
                Event::GeneralRef(reference) if self.depth > 0 => Node::Text(self.resolve(&reference)?),
                Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(self.malformed("there is text outside the root element".to_owned()));
                }
                Event::Comment(comment) => Node::Comment(comment.to_string()),
                Event::Decl(declaration) => {
                    if !at_start {
                        return Err(self.malformed("the XML declaration is not at the start".to_owned()));
                    }
                    self.check_declaration(&declaration)?;
                    continue;
                }
                Event::PI(_) => continue,
                Event::DocType(_) => {
                    return Err(ReadError::Hostile {
                        what: "a document type definition (DTD)",
                        line: self.line(before),
                    });
                }
                Event::Eof if self.depth > 0 => {
                    return Err(self.malformed(format!("{} elements are not closed", self.depth)));
                }
                Event::Eof if !self.has_root => {
                    return Err(self.malformed("there is no element".to_owned()));
                }
                Event::Eof => Node::End,
            };
            return Ok(node);
        }
    }

    /// Returns the line the document has been read up to, from 1.
    pub(super) fn line_now(&self) -> u64 {
        self.line(self.reader.buffer_position())
    }

    fn line(&self, offset: u64) -> u64 {
        let end = usize::try_from(offset).unwrap_or(usize::MAX).min(self.text.len());
        let line_feeds = self.text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count();
        line_feeds as u64 + 1
    }

    pub(super) fn malformed(&self, reason: String) -> ReadError {
        ReadError::Malformed { language: "XML", line: self.line_now(), reason }
    }

    /// Turns a tokenizer's error into ours; a declaration outside a DTD is part of one.
    fn refused(&self, before: u64, error: &quick_xml::Error) -> ReadError {
        let at = self.reader.error_position().max(before);
        let rest = usize::try_from(at).ok().and_then(|at| self.text.as_bytes().get(at..));
        let line = self.line(at);
        let is_declaration = rest.is_some_and(|rest| {
            let rest = rest.trim_ascii_start();
            rest.starts_with(b"<!") && !rest.starts_with(b"<!--") && !rest.starts_with(b"<![")
        });
        if is_declaration {
            return ReadError::Hostile { what: "a document type definition (DTD)", line };
        }
        ReadError::Malformed { language: "XML", line, reason: shown::line(&error.to_string(), 300) }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<Element, ReadError> {
        if self.depth == 0 && self.has_root {
            return Err(self.malformed("there is a second root element".to_owned()));
        }
        if self.depth == MAX_DEPTH {
            return Err(ReadError::TooDeep { limit: MAX_DEPTH, line: self.line_now() });
        }
        self.has_root = true;
        self.depth += 1;
        self.check_name(start.name().as_ref())?;
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            if attributes.len() == MAX_ATTRIBUTES {
                return Err(ReadError::TooMany { what: "attributes of one element", limit: MAX_ATTRIBUTES });
            }
            let attribute = attribute.map_err(|error| self.malformed(shown::line(&error.to_string(), 300)))?;
            self.check_name(attribute.key.as_ref())?;
            if attribute.value.contains('<') {
                return Err(self.malformed("an attribute's value holds `<`".to_owned()));
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| self.malformed(shown::line(&error.to_string(), 300)))?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Element { name: start.local_name().as_ref().to_owned(), attributes })
    }

    fn check_name(&self, name: &str) -> Result<(), ReadError> {
        let starts_well = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii());
        let is_name =
            starts_well && !name.contains(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && !"_:-.".contains(c));
        if is_name { Ok(()) } else { Err(self.malformed(format!("`{}` is no name", shown::line(name, 60)))) }
    }

    fn check_outside(&self, text: &str) -> Result<(), ReadError> {
        if text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            Ok(())
        } else {
            Err(self.malformed("there is text outside the root element".to_owned()))
        }
    }

    fn resolve(&self, reference: &quick_xml::events::BytesRef<'a>) -> Result<Cow<'a, str>, ReadError> {
        match reference.resolve_char_ref() {
            Ok(Some(c)) => Ok(Cow::Owned(c.to_string())),
            Ok(None) => resolve_predefined_entity(reference)
                .map(Cow::Borrowed)
                .ok_or_else(|| self.malformed(format!("the entity `&{};` is not defined", shown::line(reference, 60)))),
            Err(error) => Err(self.malformed(shown::line(&error.to_string(), 300))),
        }
    }

    fn check_declaration(&self, declaration: &BytesDecl<'_>) -> Result<(), ReadError> {
        let error = |error: &dyn std::fmt::Display| self.malformed(shown::line(&error.to_string(), 300));
        match declaration.version().map_err(|e| error(&e))?.as_ref() {
            "1.0" | "1.1" => {}
            other => return Err(error(&format_args!("XML version `{other}` is not known"))),
        }
        let Some(encoding) = declaration.encoding() else {
            return Ok(());
        };
        let encoding = encoding.map_err(|e| error(&e))?.to_ascii_lowercase();
        let is_ascii_based = ASCII_BASED.iter().any(|start| encoding.starts_with(start));
        if encoding == "utf-8" || encoding == "utf8" || is_ascii_based && self.text.is_ascii() {
            Ok(())
        } else {
            let reason = format!("it says that it is `{}`", shown::line(&encoding, 60));
            Err(ReadError::Encoding { reason })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8]) -> Result<usize, ReadError> {
        let mut document = Document::new(text(bytes)?);
        let mut opened = 0;
        loop {
            match document.next()? {
                Node::Open(_) => opened += 1,
                Node::End => return Ok(opened),
                _ => {}
            }
        }
    }

    #[track_caller]
    fn check(xml: &str, expected: Result<usize, &str>) {
        let found = walk(xml.as_bytes()).map_err(|error| error.to_string());
        match (&found, expected) {
            (Ok(count), Ok(wanted)) => assert_eq!(*count, wanted, "{xml}"),
            (Err(message), Err(part)) => assert!(message.contains(part), "{xml:.80}: {message}"),
            _ => panic!("{xml:.80}: {found:?}"),
        }
    }

    #[test]
    fn well_formed_documents_are_walked() {
        check("<a/>", Ok(1));
        check(
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><a b='1'>t<c/>&lt;&#65;<![CDATA[<x>]]></a>\n<!-- d -->",
            Ok(2),
        );
        check("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", Ok(1));
        check("<x:a xmlns:x='u' x:b='1' b='2'/>", Ok(1));
        check("<a>\u{1b}[31m&#27;</a>", Ok(1));
    }

    #[test]
    fn a_document_type_is_refused_wherever_it_stands() {
        for xml in [
            "<!DOCTYPE a><a/>",
            "<!doctype a><a/>",
            "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>\n<a>&e;</a>",
            "<a/><!DOCTYPE a>",
            "<a><!DOCTYPE a></a>",
            "<!ENTITY % p \"<!ENTITY o SYSTEM 'x'>\">",
            "<!ELEMENT a ANY><a/>",
            "<!DOCTYPE a [",
            "<a><!ENTITY x 'y'></a>",
        ] {
            check(xml, Err("refused as hostile"));
        }
    }

    #[test]
    fn a_broken_document_is_refused_with_its_line() {
        for (xml, part) in [
            ("<a>\n<b></a>", "line 2"),
            ("<a>\n\n<b>", "line 3: 2 elements are not closed"),
            ("<a", "line 1"),
            ("<a b=\"1>", "line 1"),
            ("<a b='1' b='2'/>", "duplicate"),
            ("<a/><b/>", "second root"),
            ("<a/>text", "outside the root"),
            ("text<a/>", "outside the root"),
            ("<a/>&lt;", "outside the root"),
            ("<a>&e;</a>", "`&e;` is not defined"),
            ("<a b='&e;'/>", "e"),
            ("<a>& b</a>", "XML"),
            ("<a>&#0;</a>", "XML"),
            ("<a b='<'/>", "holds `<`"),
            ("<a b/>", "XML"),
            ("<a b=1/>", "XML"),
            ("<1a/>", "is no name"),
            ("<a<b/>", "is no name"),
            ("<a><!-- x -- y --></a>", "--"),
            ("<a></b>", "`</b>`"),
            ("</a>", "`</a>`"),
            ("", "no element"),
            ("<!-- only -->", "no element"),
            (" <?xml version='1.0'?><a/>", "not at the start"),
            ("<?xml version='2.0'?><a/>", "not known"),
            ("<a><![CDATA[x</a>", "CDATA"),
        ] {
            check(xml, Err(part));
        }
    }

    #[test]
    fn another_encoding_is_refused() {
        let encodings: [&[u8]; 6] = [
            b"\xff\xfe<\0a\0/\0>\0",
            b"\xfe\xff\0<\0a\0/\0>",
            b"<\0a\0/\0>\0",
            b"<a>\xe9</a>",
            b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xc3\xa9</a>",
            b"<?xml version='1.0' encoding='UTF-16'?><a/>",
        ];
        for bytes in encodings {
            let found = walk(bytes);
            assert!(matches!(found, Err(ReadError::Encoding { .. })), "{found:?}");
        }
    }

    #[test]
    fn nesting_and_attributes_have_an_end() {
        let nested = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        check(&nested(MAX_DEPTH), Ok(MAX_DEPTH));
        check(&nested(MAX_DEPTH + 1), Err("deeper than 100"));
        check(&"<a>".repeat(100_000), Err("deeper than 100"));
        let attributes: String = (0..100_000).map(|n| format!(" a{n}=''")).collect();
        check(&format!("<a{attributes}/>"), Err("attributes of one element"));
    }
}
