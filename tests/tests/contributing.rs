//! The examples of CONTRIBUTING.md are lines of the sources: every indented line is in one of the files named before its block.

use std::path::Path;

/// The file names in a text: between backquotes, with a slash and an ending.
fn files(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).filter(|w| w.contains('/') && w.contains(".rs") && !w.contains(' ')).collect()
}

#[test]
fn the_examples_are_in_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let book = std::fs::read_to_string(root.join("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let (_, examples) = book.split_once("## An instruction").expect("the first example");
    let (examples, _) = examples.split_once("## A guest program").expect("what follows the last");
    let (mut prose, mut in_code, mut seen) = (String::new(), false, 0);
    for line in examples.lines() {
        match line.strip_prefix("    ") {
            Some(code) => {
                in_code = true;
                let (code, names) = (code.trim(), files(&prose));
                let found = names.iter().any(|f| {
                    let text = std::fs::read_to_string(root.join(f)).unwrap_or_else(|e| panic!("{f}: {e}"));
                    text.lines().any(|l| l.trim().contains(code))
                });
                assert!(found, "none of {names:?} has: {code}");
                seen += 1;
            }
            None if line.is_empty() => {}
            None => {
                if std::mem::take(&mut in_code) {
                    prose.clear();
                }
                prose += line;
                prose.push('\n');
            }
        }
    }
    assert!(seen > 60, "only {seen} lines of examples were found");
}
