//! The expectation file: what every cell of the matrix is known to be. One line a cell that is not healthy:
//! `FIRMWARE LAYOUT POLICY VARIANT POINT: WORST`, and a line `firmware NAME` for each firmware that the file speaks of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use replay::lab::{Cell, Matrix};

use crate::console::output;
use crate::exit::CliError;

/// Known cells.
#[derive(Debug, Default)]
pub struct Expected {
    firmwares: BTreeSet<String>,
    cells: BTreeMap<String, String>,
}

/// A file of the repository's.
pub fn built_in(text: &str) -> Expected {
    parse(text).unwrap_or_default()
}

/// The key of a cell.
pub fn key(c: &Cell) -> String {
    let s = c.setting;
    format!("{} {} {} {} {}", c.firmware, s.layout_name(), s.policy_name(), s.variant_name(), c.point)
}

/// Reads a file.
pub fn read(file: &Path) -> Result<Expected, CliError> {
    let text = std::fs::read_to_string(file).map_err(|e| CliError::file(file, "read the expectations", e))?;
    parse(&text).map_err(|line| CliError::Image {
        file: file.to_owned(),
        what: format!("line {line} is neither 'firmware NAME' nor 'FIRMWARE LAYOUT POLICY VARIANT POINT: WORST'"),
        remedy: "write it anew with --write-expected".into(),
    })
}

fn parse(text: &str) -> Result<Expected, usize> {
    let mut e = Expected::default();
    for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.is_empty() && !l.starts_with('#')) {
        if let Some(name) = line.strip_prefix("firmware ") {
            e.firmwares.insert(name.to_owned());
        } else {
            let (key, worst) = line.split_once(": ").ok_or(i + 1)?;
            e.cells.insert(key.to_owned(), worst.to_owned());
        }
    }
    Ok(e)
}

/// Writes what was seen.
pub fn write(file: &Path, matrix: &Matrix) -> Result<(), CliError> {
    let mut text = "# What every cell of the laboratory's matrix is known to be; cells that are not named are healthy.\n\
                    # trapeze lab --write-expected FILE writes it, trapeze lab compares.\n"
        .to_owned();
    let firmwares: BTreeSet<_> = matrix.keys().map(|c| c.firmware.as_str()).collect();
    firmwares.iter().for_each(|f| text += &format!("firmware {f}\n"));
    for (cell, t) in matrix.iter().filter(|(_, t)| !t.worst.is_empty()) {
        text += &format!("{}: {}\n", key(cell), t.worst);
    }
    output::file(file, text.as_bytes()).map_err(|e| CliError::file(file, "write the expectations", e))
}

/// Cells that are not what they should be, as sentences. Firmware that the expectations do not know is not judged.
pub fn compare(expected: &Expected, matrix: &Matrix) -> Vec<String> {
    matrix
        .iter()
        .filter(|(c, _)| expected.firmwares.contains(&c.firmware))
        .filter_map(|(c, t)| {
            let key = key(c);
            let want = expected.cells.get(&key).map_or("", String::as_str);
            let word = |s: &str| if s.is_empty() { "healthy".to_owned() } else { s.to_owned() };
            (t.worst != want).then(|| format!("{key}: expected {}, found {}", word(want), word(&t.worst)))
        })
        .collect()
}
