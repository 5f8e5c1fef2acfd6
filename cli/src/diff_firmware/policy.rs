//! Differences that are expected, and why.

use std::path::Path;

use serde::Deserialize;

use crate::exit::CliError;

const BUILT_IN: &str = include_str!("expected.toml");

/// The list.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    #[serde(default)]
    expected: Vec<Policy>,
}

/// One kind of difference.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Function or exception, or `*`.
    call: String,
    /// Which part of it, or `*`.
    field: String,
    /// The reason.
    pub why: String,
}

impl Policies {
    /// The list in `file`, or the built-in one.
    pub fn read(file: Option<&Path>) -> Result<Policies, CliError> {
        let (name, text) = match file {
            None => ("the built-in list".to_owned(), BUILT_IN.to_owned()),
            Some(f) => {
                let text =
                    std::fs::read_to_string(f).map_err(|e| CliError::file(f, "read the list of expected differences", e))?;
                (f.display().to_string(), text)
            }
        };
        toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(1, |s| text[..s.start].matches('\n').count() + 1);
            CliError::usage(format!("{name}:{line}: {}", e.message()), "see trapeze diff-firmware --list-expected")
        })
    }

    /// The built-in list as text.
    pub fn text() -> &'static str {
        BUILT_IN
    }

    /// The entry that expects a difference.
    pub fn find(&self, call: &str, field: &str) -> Option<&Policy> {
        let is = |pattern: &str, name: &str| pattern == "*" || pattern == name;
        self.expected.iter().find(|p| is(&p.call, call) && is(&p.field, field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_is_read_and_names_calls_and_fields() {
        let list = Policies::read(None).unwrap();
        assert_eq!(list.find("sbi_get_impl_id", "value").map(|p| p.why.as_str()), Some("every implementation has its own id"));
        assert!(list.find("sbi_get_impl_id", "error").is_none());
        assert!(list.find("sbi_hart_start", "sip").is_some());
    }
}
