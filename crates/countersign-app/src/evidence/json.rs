//! JSON read strictly (RFC 8259): no key twice in an object, bounded nesting and bounded counts.
//!
//! A file is walked twice: [`outline`] judges the whole text, then [`parse`] takes what a format
//! needs out of it. The second walk may ignore what it does not know, because the first has judged it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{MAX_DEPTH, ReadError, shown};

/// The largest number of keys in one object.
const MAX_KEYS: usize = 100_000;
/// The largest number of objects and arrays in a file.
const MAX_CONTAINERS: usize = 4_000_000;

/// Tells what the top-level object of a file promises, also of a broken file.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Outline {
    pub(super) has_runs: bool,
    pub(super) has_sarif_schema: bool,
    pub(super) has_bom_format: bool,
}

/// Walks the whole text and judges it.
pub(super) fn outline(bytes: &[u8]) -> (Outline, Result<(), ReadError>) {
    let state = RefCell::new(State::default());
    let checked = text(bytes).and_then(|text| {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        Walk { state: &state, depth: 0 }
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end())
            .map_err(|error| broken(&error, state.borrow_mut().refusal.take()))
    });
    let outline = state.borrow().outline;
    (outline, checked)
}

/// Judges the text, then takes a `T` out of it; `kind` names the format in errors.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8], kind: &'static str) -> Result<T, ReadError> {
    outline(bytes).1?;
    serde_json::from_str(text(bytes)?).map_err(|error| {
        let reason = reason(&error);
        match reason.strip_prefix(TOO_MANY).and_then(|limit| limit.parse().ok()) {
            Some(limit) => ReadError::TooMany { what: "elements in one array", limit },
            None => ReadError::NotThisKind { kind, reason: format!("{reason}, in line {}", error.line()) },
        }
    })
}

fn text(bytes: &[u8]) -> Result<&str, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes)
        .map_err(|error| ReadError::Encoding { reason: format!("byte {} is not", error.valid_up_to()) })
}

/// Returns the message of an error without its position, which serde_json puts at the end.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    shown::line(&message[..end], 300)
}

fn broken(error: &serde_json::Error, refusal: Option<Refusal>) -> ReadError {
    let line = error.line() as u64;
    match refusal {
        Some(Refusal::TooDeep) => ReadError::TooDeep { limit: MAX_DEPTH, line },
        Some(Refusal::TooManyKeys) => ReadError::TooMany { what: "keys in one object", limit: MAX_KEYS },
        Some(Refusal::TooManyContainers) => ReadError::TooMany { what: "objects and arrays", limit: MAX_CONTAINERS },
        Some(Refusal::Duplicate(key)) => ReadError::DuplicateKey { key: shown::line(&key, 100), line },
        None => ReadError::Malformed { language: "JSON", line, reason: reason(error) },
    }
}

#[derive(Debug, Default)]
struct State {
    outline: Outline,
    containers: usize,
    refusal: Option<Refusal>,
}

#[derive(Debug)]
enum Refusal {
    TooDeep,
    TooManyKeys,
    TooManyContainers,
    Duplicate(String),
}

#[derive(Clone, Copy)]
struct Walk<'s> {
    state: &'s RefCell<State>,
    depth: usize,
}

impl Walk<'_> {
    fn refuse<E: serde::de::Error>(&self, refusal: Refusal) -> E {
        self.state.borrow_mut().refusal = Some(refusal);
        E::custom("refused")
    }

    fn enter<E: serde::de::Error>(self) -> Result<Self, E> {
        let mut state = self.state.borrow_mut();
        state.containers += 1;
        let too_many = state.containers > MAX_CONTAINERS;
        drop(state);
        if too_many {
            return Err(self.refuse(Refusal::TooManyContainers));
        }
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(Refusal::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn see_top_key(&self, key: &str) {
        let outline = &mut self.state.borrow_mut().outline;
        match key {
            "runs" => outline.has_runs = true,
            "bomFormat" => outline.has_bom_format = true,
            _ => {}
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = self.enter()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.enter()?;
        let mut keys: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            if keys.len() == MAX_KEYS {
                return Err(self.refuse(Refusal::TooManyKeys));
            }
            if self.depth == 0 {
                self.see_top_key(&key);
            }
            if self.depth == 0 && key == "$schema" {
                let value: Option<String> = map.next_value_seed(MaybeText(inner))?;
                let is_sarif = value.is_some_and(|v| v.to_ascii_lowercase().contains("sarif"));
                self.state.borrow_mut().outline.has_sarif_schema |= is_sarif;
            } else {
                map.next_value_seed(inner)?;
            }
            if keys.contains(&key) {
                return Err(self.refuse(Refusal::Duplicate(key.into_owned())));
            }
            keys.insert(key);
        }
        Ok(())
    }
}

/// Walks a value like [`Walk`] and keeps it when it is a text.
struct MaybeText<'s>(Walk<'s>);

impl<'de> DeserializeSeed<'de> for MaybeText<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MaybeText<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        self.0.visit_seq(seq).map(|()| None)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.visit_map(map).map(|()| None)
    }
}

/// A key, borrowed from the text where it holds no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

const TOO_MANY: &str = "too many: ";

/// Holds a list of at most `MAX` elements, so that a hostile file cannot make it huge.
#[derive(Debug)]
pub(super) struct Limited<T, const MAX: usize>(pub(super) Vec<T>);

impl<T, const MAX: usize> Default for Limited<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Limited<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
            type Value = Limited<T, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = seq.next_element()? {
                    if list.len() == MAX {
                        return Err(A::Error::custom(format_args!("{TOO_MANY}{MAX}")));
                    }
                    list.push(value);
                }
                Ok(Limited(list))
            }
        }
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

/// Holds the first element of an array and ignores the others.
#[derive(Debug)]
pub(super) struct First<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FirstVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstVisitor<T> {
            type Value = First<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<First<T>, A::Error> {
                let first = seq.next_element()?;
                while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        deserializer.deserialize_seq(FirstVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(), &str>) {
        let found = outline(text.as_bytes()).1.map_err(|error| error.to_string());
        match (&found, expected) {
            (Ok(()), Ok(())) => {}
            (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
            _ => panic!("{text:.60}: {found:?}"),
        }
    }

    #[test]
    fn what_readers_could_disagree_about_is_refused() {
        check("\u{feff}{\"a\":[1,-2,3.5e3,true,null,\"x\"],\"b\":{}}", Ok(()));
        check("{\"a\":1,\"a\":2}", Err("`a` stands twice"));
        check("{\"x\":[{\"a\":1,\n\"\\u0061\":2}]}", Err("`a` stands twice in one object, in line 2"));
        check("{\"a\":{\"a\":{\"a\":1}}}", Ok(()));
        check("{\"a\":1} x", Err("line 1"));
        check("{\"a\":1", Err("EOF"));
        check("{\"a\":\"\\ud800\"}", Err("broken JSON"));
        check("{\"a\":NaN}", Err("broken JSON"));
        check("{\"a\":01}", Err("broken JSON"));
        check("{'a':1}", Err("broken JSON"));
        check("{\"a\":1,}", Err("broken JSON"));
        check("{\"$schema\":{\"a\":1,\"a\":1}}", Err("stands twice"));
    }

    #[test]
    fn nesting_and_counts_have_an_end() {
        check(&format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH)), Ok(()));
        check(&"[".repeat(MAX_DEPTH + 1), Err("deeper than 100 levels"));
        check(&"[".repeat(100_000), Err("deeper than 100 levels"));
        check(&"{\"a\":".repeat(100_000), Err("deeper than 100 levels"));
        check(&format!("[{}[]]", "[],".repeat(MAX_CONTAINERS)), Err("objects and arrays"));
        let keys: String = (0..=MAX_KEYS).map(|key| format!("\"{key}\":0,")).collect();
        check(&format!("{{{keys}\"x\":0}}"), Err("keys in one object"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        let (_, checked) = outline(b"{\"a\":\"\xff\"}");
        assert!(matches!(checked, Err(ReadError::Encoding { .. })), "{checked:?}");
    }

    #[test]
    fn a_broken_file_still_shows_what_it_promised() {
        let (outline, checked) = outline(b"{\"runs\": [");
        assert!(outline.has_runs && checked.is_err());
    }
}
