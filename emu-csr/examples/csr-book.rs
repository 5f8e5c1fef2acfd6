//! Prints the book's page of CSRs, `docs/csrs.md`, from the table: `cargo run -p emu-csr --example csr-book > docs/csrs.md`.

use emu_csr::Isa;
use emu_csr::table::{self, Decl};

fn main() {
    print!("{}", page());
}

/// The page. A test compares it with the file.
pub fn page() -> String {
    let mut page = String::from(
        "# Control and status registers\n\n\
         Made from the table in `emu-csr/src/table/list.rs` by `cargo run -p emu-csr --example csr-book`; a test keeps it current.\n\
         A register exists when the CPU has the extensions it needs (`-cpu`). Fields stand highest first; bits without a field\n\
         read as zero unless the register is one number. Behaviour below privilege and fields (gates, aliases, legal values) is\n\
         the manuals'.\n",
    );
    let groups: [(&str, u16); 4] = [("Unprivileged", 0), ("Supervisor", 1), ("Hypervisor and VS", 2), ("Machine", 3)];
    for (title, level) in groups {
        page += &format!("\n## {title}\n\n| number | name | needs | what | fields |\n|---|---|---|---|---|\n");
        let mut lines: Vec<&Decl> = table::all().filter(|decl| u16::from(decl.level()) == level).collect();
        lines.sort_by_key(|decl| decl.number);
        for decl in lines.iter().filter(|decl| !follows(decl, &lines)) {
            page += &line(decl, last_of_run(decl, &lines));
        }
    }
    page
}

/// A name without its trailing index, and the index.
fn stem(name: &str) -> (&str, Option<u16>) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (stem, name[stem.len()..].parse().ok())
}

/// The register of the same run with the previous index, if there is one with the same text.
fn previous<'a>(decl: &Decl, lines: &[&'a Decl]) -> Option<&'a Decl> {
    let (name, index) = stem(decl.name);
    let index = index?;
    lines
        .iter()
        .copied()
        .filter(|other| other.doc == decl.doc && stem(other.name).0 == name)
        .rfind(|other| stem(other.name).1.is_some_and(|other_index| other_index < index))
}

/// Whether a line of its own would only repeat the run's first.
fn follows(decl: &Decl, lines: &[&Decl]) -> bool {
    previous(decl, lines).is_some()
}

/// The last register of the run that `first` begins.
fn last_of_run<'a>(first: &'a Decl, lines: &[&'a Decl]) -> Option<&'a Decl> {
    let (name, index) = stem(first.name);
    index?;
    lines.iter().copied().rfind(|other| other.doc == first.doc && stem(other.name).0 == name && other.number != first.number)
}

/// A row of the page.
fn line(decl: &Decl, last: Option<&Decl>) -> String {
    let mut needs: Vec<String> = Isa::all().iter().filter(|info| decl.needs.has(info.ext)).map(|info| info.name.into()).collect();
    needs.extend(Isa::all().iter().filter(|info| decl.or.has(info.ext)).map(|info| format!("or {}", info.name)));
    let fields: Vec<String> = decl
        .fields
        .iter()
        .map(|field| match field.hi == field.lo {
            true => format!("{}[{}] {}", field.name, field.hi, field.doc),
            false => format!("{}[{}:{}] {}", field.name, field.hi, field.lo, field.doc),
        })
        .collect();
    let (number, name) = match last {
        Some(last) => (format!("{:#05x} to {:#05x}", decl.number, last.number), format!("`{}` to `{}`", decl.name, last.name)),
        None => (format!("{:#05x}", decl.number), format!("`{}`", decl.name)),
    };
    format!("| {number} | {name} | {} | {} | {} |\n", needs.join(", "), decl.doc.trim(), fields.join("; "))
}
