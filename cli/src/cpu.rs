//! `-cpu`: profiles and features, from the extension table.

use emu_csr::isa::{EXTENSIONS, PROFILES};
use emu_csr::{Ext, Isa};

use crate::console::output;
use crate::exit::CliError;

/// What `-cpu` says of every hart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cpu {
    /// Its extensions.
    pub isa: Isa,
    /// Whether it refuses misaligned loads and stores.
    pub trap_misaligned: bool,
}

/// Parses `NAME,feature=on|off`. `misaligned` is a feature that is no extension: without it harts refuse misaligned accesses, and so do not
/// have Zicclsm.
pub fn parse(text: &str) -> Result<Cpu, CliError> {
    let mut trap_misaligned = false;
    let rest: Vec<&str> = text
        .split(',')
        .filter(|part| match *part {
            "misaligned=off" => {
                trap_misaligned = true;
                false
            }
            "misaligned=on" => {
                trap_misaligned = false;
                false
            }
            _ => true,
        })
        .collect();
    let isa = Isa::parse(&rest.join(",")).map_err(|e| CliError::usage(format!("option -cpu: {e}"), "see trapeze cpu list"))?;
    Ok(Cpu { isa: if trap_misaligned { isa.without(Ext::Zicclsm) } else { isa }, trap_misaligned })
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
    s +=
        &format!("  {:<14} {}\n", "misaligned", "Misaligned loads and stores are done, not refused (on in all; off: no zicclsm)");
    output::print(&s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misaligned_accesses_are_a_feature_of_the_hart() {
        let with = |text: &str| parse(text).map(|c| (c.trap_misaligned, c.isa.has(Ext::Zicclsm), c.isa.has(Ext::H))).unwrap();
        assert_eq!(with("max"), (false, true, true));
        assert_eq!(with("max,misaligned=off,h=off"), (true, false, false));
        assert_eq!(with("max,misaligned=off,misaligned=on"), (false, true, true));
        assert!(parse("max,misaligned=trap").is_err());
    }
}
