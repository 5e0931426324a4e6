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
    #[error(
        "the JSON is not canonical (RFC 8785): it differs from its canonical form at byte {at}"
    )]
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
    let text = serde_json_canonicalizer::to_string(value)
        .map_err(|error| JcsError::Syntax(error.to_string()))?;
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
    let value: Value =
        serde_json::from_str(text).map_err(|error| JcsError::Syntax(error.to_string()))?;
    let canonical = encode(&value)?;
    if canonical == text {
        return Ok(value);
    }
    let same = canonical
        .bytes()
        .zip(text.bytes())
        .take_while(|(a, b)| a == b)
        .count();
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
                let magnitude = unsigned
                    .or(signed.map(i64::unsigned_abs))
                    .unwrap_or(u64::MAX);
                if magnitude > INTEGER_MAX {
                    return Err(JcsError::IntegerTooLarge(number.to_string()));
                }
                Ok(())
            }
        },
        Value::Array(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Value::Object(members) => members
            .values()
            .try_for_each(|member| check(member, depth + 1)),
    }
}
