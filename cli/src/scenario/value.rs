//! Numbers and names as scenarios write them.

use replay::symbols::Symbols;
use serde::{Deserialize, Deserializer, de};

use crate::args::values;

/// A count: a TOML integer, or text with a unit (`"5M"`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count(pub u64);

/// What a register, a field or memory is compared with, and where memory is: a number, or text that is one (`"0xffff_ffff_ffff_ffff"`: TOML's
/// integers have 63 bits), or a symbol, also with a number added (`"handler+0x10"`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A symbol and what is added to it.
    Symbol(String, u64),
}

impl Value {
    /// The number. The error names the symbol that there is not.
    pub fn resolve(&self, symbols: &Symbols) -> Result<u64, String> {
        match self {
            Value::Number(n) => Ok(*n),
            Value::Symbol(name, by) => match symbols.find(name) {
                Some(at) => Ok(at.wrapping_add(*by)),
                None => Err(format!("the guest has no symbol '{name}'")),
            },
        }
    }

    fn parse(text: &str) -> Result<Value, String> {
        let text = text.trim();
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return values::number(text).map(Value::Number);
        }
        let (name, by) = text.split_once('+').unwrap_or((text, "0"));
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(format!("'{text}' is neither a number nor a symbol"));
        }
        Ok(Value::Symbol(name.to_owned(), values::number(by.trim())?))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Number(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Value, D::Error> {
        match Raw::deserialize(d).map_err(|_| de::Error::custom("this is neither a number nor text"))? {
            Raw::Number(n) => Ok(Value::Number(n as u64)),
            Raw::Text(t) => Value::parse(&t).map_err(de::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Count, D::Error> {
        match Raw::deserialize(d).map_err(|_| de::Error::custom("this is neither a count nor text"))? {
            Raw::Number(n) => u64::try_from(n).map(Count).map_err(|_| de::Error::custom(format!("{n} is no count"))),
            Raw::Text(t) => values::count(&t).map(Count).map_err(de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_symbols_and_sums_are_told_apart() {
        assert_eq!(Value::parse("0xffff_ffff_ffff_ffff"), Ok(Value::Number(u64::MAX)));
        assert_eq!(Value::parse("handler"), Ok(Value::Symbol("handler".into(), 0)));
        assert_eq!(Value::parse("handler+0x10"), Ok(Value::Symbol("handler".into(), 16)));
        for bad in ["", "1x", "two words", "+4", "a+b"] {
            assert!(Value::parse(bad).is_err(), "{bad}");
        }
    }
}
