//! The book's page of CSRs is the table's.

#[allow(dead_code)] // its `main`
#[path = "../examples/csr-book.rs"]
mod book;

#[test]
fn docs_csrs_md_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/csrs.md");
    let file = std::fs::read_to_string(path).expect("docs/csrs.md");
    assert!(file == book::page(), "docs/csrs.md is stale: cargo run -p emu-csr --example csr-book > docs/csrs.md");
}
