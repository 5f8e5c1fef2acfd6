//! The target description: registers by name, made from the CSR table, so that a new CSR is in GDB without another line.

use emu_core::insn::{F_NAMES, X_NAMES};
use emu_csr::table::{self, Decl};
use emu_csr::{Ext, Isa};

use super::arch::{CSR0, F0, PRIV, VIRT};

/// The description of harts with these extensions. With an operating system's ABI GDB would step by breakpoints behind the instruction, and
/// never see where a trap leads; with none it asks for steps.
pub fn target(isa: Isa) -> String {
    let mut s = "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n\
                 <architecture>riscv:rv64</architecture>\n<osabi>none</osabi>\n"
        .to_owned();
    s += "<feature name=\"org.gnu.gdb.riscv.cpu\">\n";
    for (i, name) in X_NAMES.iter().enumerate() {
        let kind = match *name {
            "sp" | "gp" | "tp" | "s0" => "data_ptr",
            "ra" => "code_ptr",
            _ => "int",
        };
        // GDB's name of s0 in this feature.
        let name = if *name == "s0" { "fp" } else { name };
        s += &format!("<reg name=\"{name}\" bitsize=\"64\" type=\"{kind}\" regnum=\"{i}\"/>\n");
    }
    s += "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\" regnum=\"32\"/>\n</feature>\n";
    if isa.has(Ext::D) {
        s += "<feature name=\"org.gnu.gdb.riscv.fpu\">\n";
        s += "<union id=\"riscv_double\"><field name=\"float\" type=\"ieee_single\"/><field name=\"double\" type=\"ieee_double\"/></union>\n";
        for (i, name) in F_NAMES.iter().enumerate() {
            s += &format!("<reg name=\"{name}\" bitsize=\"64\" type=\"riscv_double\" regnum=\"{}\"/>\n", F0 + i);
        }
        s += "</feature>\n";
    }
    s += "<feature name=\"org.gnu.gdb.riscv.virtual\">\n";
    s += &format!("<reg name=\"priv\" bitsize=\"64\" type=\"int\" regnum=\"{PRIV}\" group=\"general\"/>\n");
    s += &format!("<reg name=\"virt\" bitsize=\"64\" type=\"int\" regnum=\"{VIRT}\" group=\"general\"/>\n</feature>\n");
    s += "<feature name=\"org.gnu.gdb.riscv.csr\">\n";
    for d in table::all().filter(|d| d.present(isa)) {
        csr(&mut s, d);
    }
    s + "</feature>\n</target>\n"
}

/// One CSR. With fields it has a type of its own, so that `print $mstatus` shows them by name.
fn csr(s: &mut String, d: &Decl) {
    let mut kind = "int".to_owned();
    if !d.fields.is_empty() {
        kind = format!("{}_fields", d.name);
        *s += &format!("<flags id=\"{kind}\" size=\"8\">");
        for f in d.fields.iter().rev() {
            *s += &format!("<field name=\"{}\" start=\"{}\" end=\"{}\"", f.name, f.lo, f.hi);
            *s += if f.lo == f.hi { " type=\"bool\"/>" } else { " type=\"uint64\"/>" };
        }
        *s += "</flags>\n";
    }
    let number = CSR0 + usize::from(d.number);
    // Not saved around calls that GDB makes in the guest: many CSRs cannot be written back.
    *s += &format!(
        "<reg name=\"{}\" bitsize=\"64\" type=\"{kind}\" regnum=\"{number}\" group=\"csr\" save-restore=\"no\"/>\n",
        d.name
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_csr_of_the_hart_is_described_once_by_name_and_number() {
        let xml = target(Isa::max());
        for d in table::all().filter(|d| d.present(Isa::max())) {
            let reg = format!("<reg name=\"{}\" bitsize=\"64\"", d.name);
            assert_eq!(xml.matches(&reg).count(), 1, "{}", d.name);
            assert!(xml.contains(&format!("regnum=\"{}\" group=\"csr\"", 65 + usize::from(d.number))), "{}", d.name);
        }
        for name in ["hstatus", "hgatp", "vsatp", "htinst", "mtval2", "vstimecmp"] {
            assert!(xml.contains(&format!("name=\"{name}\"")), "{name}");
        }
        assert!(xml.contains("<field name=\"MPP\" start=\"11\" end=\"12\" type=\"uint64\"/>"));
    }

    #[test]
    fn a_hart_without_h_shows_no_register_of_h() {
        let isa = Isa::max().without(Ext::H);
        assert!(!target(isa).contains("name=\"hstatus\""));
    }
}
