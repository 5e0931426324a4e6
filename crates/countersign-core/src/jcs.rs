//! Canonical JSON (RFC 8785), the only JSON that is signed, narrowed to strings, integers, booleans, null, arrays and
//! objects.
//!
//! Numbers that two readers may understand differently are refused: anything written with a fraction or an exponent,
//! and integers beyond ±(2^53 − 1) (RFC 7493 §2.2).
//!
//! Absent: tolerance. A text is either its own canonical form or an error; nothing is normalized on the way in.

use serde_json::Value;

/// The largest magnitude of an integer, 2^53 − 1.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;
/// The deepest nesting of arrays and objects.
pub const DEPTH_MAX: usize = 64;
/// The largest text, 16 MiB.
pub const BYTES_MAX: usize = 16 << 20;

/// A value or text that has no canonical form here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JcsError {
    /// The text is larger than [`BYTES_MAX`].
    #[error("the JSON text has {bytes} bytes, at most {BYTES_MAX} are taken")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Arrays and objects nest deeper than [`DEPTH_MAX`].
    #[error("the JSON nests deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// A number is not an integer, or is written as if it were not.
    #[error("the number {0} is not a plain integer: write decimals as strings")]
    Float(String),
    /// An integer that not every reader can hold.
    #[error("the integer {0} is beyond 2^53 - 1: write it as a string")]
    IntegerTooLarge(String),
    /// The text is not JSON.
    #[error("the text is not JSON: {0}")]
    Syntax(String),
    /// The text is JSON and not its own canonical form: a duplicate key, whitespace, key order, an escape.
    #[error("the JSON is not canonical (RFC 8785): it differs from its canonical form at byte {at}")]
    NotCanonical {
        /// The first byte that differs, from 0.
        at: usize,
    },
}

/// Encodes `value` in its canonical form (RFC 8785 §3.2), one line without line feed.
///
/// # Errors
/// A float, an integer beyond [`INTEGER_MAX`], nesting beyond [`DEPTH_MAX`], or a result beyond [`BYTES_MAX`].
pub fn encode(value: &Value) -> Result<String, JcsError> {
    check(value, 0)?;
    let text = serde_json_canonicalizer::to_string(value).map_err(|error| JcsError::Syntax(error.to_string()))?;
    if text.len() > BYTES_MAX {
        return Err(JcsError::TooLarge { bytes: text.len() });
    }
    Ok(text)
}

/// Parses a text that equals its own canonical form byte for byte.
///
/// # Errors
/// Those of [`encode`], text that is not JSON, and JSON that is not canonical; a key written twice is the latter.
pub fn parse(text: &str) -> Result<Value, JcsError> {
    if text.len() > BYTES_MAX {
        return Err(JcsError::TooLarge { bytes: text.len() });
    }
    let value: Value = serde_json::from_str(text).map_err(|error| JcsError::Syntax(error.to_string()))?;
    let canonical = encode(&value)?;
    if canonical == text {
        return Ok(value);
    }
    let same = canonical.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    Err(JcsError::NotCanonical { at: same })
}

fn check(value: &Value, depth: usize) -> Result<(), JcsError> {
    if depth > DEPTH_MAX {
        return Err(JcsError::TooDeep);
    }
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (None, None) => Err(JcsError::Float(number.to_string())),
            (unsigned, signed) => {
                let magnitude = unsigned.or(signed.map(i64::unsigned_abs)).unwrap_or(u64::MAX);
                if magnitude > INTEGER_MAX {
                    return Err(JcsError::IntegerTooLarge(number.to_string()));
                }
                Ok(())
            }
        },
        Value::Array(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Value::Object(members) => members.values().try_for_each(|member| check(member, depth + 1)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(text: &str, error: &JcsError) {
        assert_eq!(parse(text).as_ref(), Err(error), "{text}");
    }

    /// RFC 8785 §3.2.2 to §3.2.4, the string and the literals; its numbers are floats and refused below.
    #[test]
    fn strings_and_literals_come_out_as_in_rfc_8785_section_3_2() {
        let input = r#"{
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        let expected: Vec<u8> = [
            b"{\"literals\":[null,true,false],\"string\":\"".as_slice(),
            &[0xe2, 0x82, 0xac, 0x24],
            b"\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
        ]
        .concat();
        let value: Value = serde_json::from_str(input).unwrap();
        let text = encode(&value).unwrap();
        assert_eq!(text.as_bytes(), expected);
        assert_eq!(parse(&text), Ok(value));
    }

    /// RFC 8785 §3.2.3: keys sort by UTF-16 code units, so a surrogate pair comes before U+FB33.
    #[test]
    fn keys_sort_by_utf_16_code_units_as_in_rfc_8785_section_3_2_3() {
        let value = json!({
            "\u{20ac}": "Euro Sign",
            "\r": "Carriage Return",
            "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One",
            "\u{1f600}": "Emoji: Grinning Face",
            "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let text = encode(&value).unwrap();
        let order = [
            "Carriage Return",
            "One",
            "Control",
            "Latin Small Letter O With Diaeresis",
            "Euro Sign",
            "Emoji: Grinning Face",
            "Hebrew Letter Dalet With Dagesh",
        ];
        let places: Vec<_> = order.map(|name| text.find(name).unwrap()).to_vec();
        assert!(places.is_sorted(), "{text}");
        assert_eq!(parse(&text), Ok(value));
    }

    /// RFC 8785 appendix B, those of its numbers that are integers every reader can hold, and those that are not.
    #[test]
    fn integers_to_2_53_are_kept_and_all_other_numbers_refused() {
        for text in ["0", "1", "-1", "9007199254740991", "-9007199254740991"] {
            assert_eq!(encode(&parse(text).unwrap()).unwrap(), text);
        }
        for text in ["9007199254740992", "-9007199254740992", "18446744073709551615"] {
            refused(text, &JcsError::IntegerTooLarge(text.to_owned()));
        }
        for text in [
            "-0",
            "0.0",
            "1.0",
            "4.5",
            "5e-324",
            "1e23",
            "1E30",
            "2e-3",
            "295147905179352830000",
            "18446744073709551616",
            "333333333.3333333",
        ] {
            assert!(matches!(parse(text), Err(JcsError::Float(_))), "{text}: {:?}", parse(text));
            assert!(parse(&format!(r#"{{"a":[{text}]}}"#)).is_err(), "{text} deep inside");
        }
        assert!(matches!(encode(&json!({"a": 1.0})), Err(JcsError::Float(_))));
        assert!(matches!(encode(&json!([u64::MAX])), Err(JcsError::IntegerTooLarge(_))));
        assert!(matches!(encode(&json!([i64::MIN])), Err(JcsError::IntegerTooLarge(_))));
    }

    #[test]
    fn a_text_that_is_not_its_own_canonical_form_is_refused() {
        for (text, at) in [
            (r#"{"verdict":"no-go","verdict":"go"}"#, 12),
            (r#"{"a":1,"a":1}"#, 6),
            (r#"{"b":1,"a":2}"#, 2),
            (r#"{"a": 1}"#, 5),
            ("{\"a\":1}\n", 7),
            (" {}", 0),
            ("{} ", 2),
            (r#"["\u0041"]"#, 2),
            (r#"["\/"]"#, 2),
            (r#"["\u000A"]"#, 3),
        ] {
            refused(text, &JcsError::NotCanonical { at });
        }
        for text in ["", "{", "nul", "\u{feff}{}", "{}{}", "[1,]", r#"["\ud800"]"#, "01", "+1", "NaN"] {
            assert!(matches!(parse(text), Err(JcsError::Syntax(_))), "{text:?}: {:?}", parse(text));
        }
    }

    #[test]
    fn depth_and_size_have_limits() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(DEPTH_MAX + 1)).is_ok(), "the innermost array is empty");
        refused(&nested(DEPTH_MAX + 2), &JcsError::TooDeep);
        assert!(matches!(parse(&nested(100_000)), Err(JcsError::Syntax(_))));
        let mut value = json!([]);
        for _ in 0..=DEPTH_MAX {
            value = json!([value]);
        }
        assert_eq!(encode(&value), Err(JcsError::TooDeep));
        let large = format!("\"{}\"", "a".repeat(BYTES_MAX - 1));
        refused(&large, &JcsError::TooLarge { bytes: BYTES_MAX + 1 });
    }

    fn json() -> impl Strategy<Value = Value> {
        let integer = -(INTEGER_MAX as i64)..=INTEGER_MAX as i64;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            integer.prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_parses_back(value in json()) {
            let text = encode(&value).unwrap();
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(parse(&text), Ok(value));
        }

        #[test]
        fn what_parses_encodes_back(text in r#"[\[\]{}",:0-9a-c\\ue.\-]{0,24}"#) {
            if let Ok(value) = parse(&text) {
                prop_assert_eq!(encode(&value).unwrap(), text);
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
