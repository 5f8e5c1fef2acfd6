//! docs/sbi.md names tests; they exist.
#![allow(clippy::expect_used)] // tests

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sbi_model::profile::Profile;

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory of tests") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Names of the functions that are tests, of this crate and of whole machines.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for dir in ["tests", "../tests/tests"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).expect("text");
        let mut lines = text.lines().map(str::trim);
        while let Some(line) = lines.next() {
            if line == "#[test]" {
                let name = lines.find_map(|l| l.strip_prefix("fn ")).and_then(|l| l.split('(').next());
                names.extend(name.map(str::to_owned));
            }
        }
    }
    names
}

#[test]
fn every_test_that_the_page_of_clauses_names_exists() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sbi.md");
    let page = std::fs::read_to_string(page).expect("docs/sbi.md");
    let known = tests();
    let is_name = |w: &str| w.contains('_') && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let policies = Profile::spec().policies.rows();
    let named: Vec<_> =
        page.split('`').skip(1).step_by(2).filter(|w| is_name(w) && policies.iter().all(|p| p.name != *w)).collect();
    assert!(named.len() > 80, "{}", named.len());
    let missing: Vec<_> = named.iter().filter(|n| !known.contains(**n)).collect();
    assert_eq!(missing, Vec::<&&str>::new());
}
