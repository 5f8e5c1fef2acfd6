//! `-cpu`: profiles and features, from the extension table.

use emu_csr::Isa;
use emu_csr::isa::{EXTENSIONS, PROFILES};

use crate::console::output;
use crate::exit::CliError;

/// Parses `NAME,feature=on|off`.
pub fn parse(text: &str) -> Result<Isa, CliError> {
    Isa::parse(text).map_err(|e| CliError::usage(format!("option -cpu: {e}"), "see trapeze cpu list"))
}

/// Prints what `-cpu` accepts.
pub fn list() -> Result<(), CliError> {
    let mut s = String::from("Profiles (-cpu NAME,FEATURE=on|off,...):\n");
    for (name, what) in PROFILES {
        s += &format!("  {name:<10} {what}\n");
    }
    s += "\nFeatures:                         in: ";
    s += &PROFILES.map(|(name, _)| name).join(" ");
    s.push('\n');
    let sets = PROFILES.map(|(name, _)| (name, Isa::profile(name).unwrap_or_default()));
    for e in EXTENSIONS {
        let marks: Vec<String> =
            sets.iter().map(|(n, set)| format!("{:<w$}", if set.has(e.ext) { "x" } else { "." }, w = n.len())).collect();
        s += &format!("  {:<14} {:<60} {}\n", e.name, e.doc, marks.join(" "));
    }
    output::print(&s)
}
