//! Text of an instruction, in the assembler's own syntax, with the usual pseudo-instructions.

use emu_csr::table;

use super::{File, Format, ILLEGAL, Insn};
use crate::fp::{F64, fli};

/// ABI names of the integer registers.
pub const X_NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3",
    "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];

/// ABI names of the floating-point registers.
pub const F_NAMES: [&str; 32] = [
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7",
    "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
];

const ROUNDING: [&str; 8] = ["rne", "rtz", "rdn", "rup", "rmm", "5", "6", "dyn"];

/// The instruction as assembly text; `pc` is its address, from which branch targets follow. A compressed instruction reads as
/// the one it stands for.
pub fn disassemble(insn: &Insn, pc: u64) -> String {
    if std::ptr::eq(insn.def, &ILLEGAL) {
        return if insn.len == 2 { format!(".2byte {:#06x}", insn.raw) } else { format!(".4byte {:#010x}", insn.raw) };
    }
    if let Some(text) = pseudo(insn, pc) {
        return text;
    }
    let (name, operands) = (mnemonic(insn), operands(insn, pc));
    if operands.is_empty() { name } else { format!("{name} {operands}") }
}

fn register(file: File, number: u8) -> &'static str {
    let number = usize::from(number & 31);
    if file == File::F { F_NAMES[number] } else { X_NAMES[number] }
}

fn target(insn: &Insn, pc: u64) -> u64 {
    pc.wrapping_add(insn.imm as i64 as u64)
}

/// The name, with the ordering suffix of atomics and the number of may-be-operations.
fn mnemonic(insn: &Insn) -> String {
    let (w, def) = (insn.wide, insn.def);
    let number = (w >> 30 & 1) << 2 | w >> 26 & 3;
    match def.name {
        "mop.rr.N" => format!("mop.rr.{number}"),
        "mop.r.N" => format!("mop.r.{}", number << 2 | w >> 20 & 3),
        name if matches!(def.format, Format::Amo | Format::Addr) && def.mask >> 25 & 3 == 0 => {
            format!("{name}{}", ["", ".rl", ".aq", ".aqrl"][(w >> 25 & 3) as usize])
        }
        name => name.to_owned(),
    }
}

fn operands(insn: &Insn, pc: u64) -> String {
    let o = insn.def.operands;
    let (rd, rs1) = (register(o.0, insn.rd), register(o.1, insn.rs1));
    let (rs2, rs3) = (register(o.2, insn.rs2), register(o.3, insn.rs3));
    let imm = insn.imm;
    match insn.def.format {
        Format::R => format!("{rd},{rs1},{rs2}{}", rounding(insn)),
        Format::R4 => format!("{rd},{rs1},{rs2},{rs3}{}", rounding(insn)),
        Format::R1 if o.1 == File::None => format!("{rd},{}", constant(insn.rs1)),
        Format::R1 => format!("{rd},{rs1}{}", rounding(insn)),
        Format::I => format!("{rd},{rs1},{imm}"),
        Format::Shift | Format::ShiftW => format!("{rd},{rs1},{imm:#x}"),
        Format::Load => format!("{rd},{imm}({rs1})"),
        Format::Store => format!("{rs2},{imm}({rs1})"),
        Format::B => format!("{rs1},{rs2},{:x}", target(insn, pc)),
        Format::U if insn.def.mask & 0xf80 != 0 => format!("{:#x}", imm as u32 >> 12),
        Format::U => format!("{rd},{:#x}", imm as u32 >> 12),
        Format::J => format!("{rd},{:x}", target(insn, pc)),
        Format::Csr => format!("{rd},{},{rs1}", csr(insn)),
        Format::CsrI => format!("{rd},{},{}", csr(insn), insn.rs1),
        Format::Addr => format!("{rd},({rs1})"),
        Format::Amo => format!("{rd},{rs2},({rs1})"),
        Format::AddrStore => format!("{rs2},({rs1})"),
        Format::Block => format!("({rs1})"),
        Format::Prefetch => format!("{imm}({rs1})"),
        Format::Fence2 => format!("{rs1},{rs2}"),
        Format::None if insn.def.name == "fence" => format!("{},{}", set(insn.wide >> 24), set(insn.wide >> 20)),
        // Those of Zicfiss have one register.
        Format::None => [(o.0, &rd), (o.1, &rs1), (o.2, &rs2)]
            .into_iter()
            .find(|(file, _)| *file != File::None)
            .map_or_else(String::new, |(_, name)| name.to_string()),
    }
}

/// The static rounding mode of an instruction that has one.
fn rounding(insn: &Insn) -> String {
    if insn.def.mask & 0x7000 != 0 || insn.imm == 7 {
        return String::new();
    }
    format!(",{}", ROUNDING[(insn.imm & 7) as usize])
}

/// FLI's constant.
fn constant(index: u8) -> String {
    match index {
        1 => "min".to_owned(),
        30 => "inf".to_owned(),
        31 => "nan".to_owned(),
        _ => f64::from_bits(fli::<F64>(index)).to_string(),
    }
}

fn csr(insn: &Insn) -> String {
    table::name(insn.csr()).map_or_else(|| format!("{:#x}", insn.csr()), str::to_owned)
}

/// A fence's predecessor or successor set.
fn set(bits: u32) -> String {
    let text: String = [(8, 'i'), (4, 'o'), (2, 'r'), (1, 'w')].iter().filter(|(b, _)| bits & b != 0).map(|(_, c)| c).collect();
    if text.is_empty() { "0".to_owned() } else { text }
}

/// The pseudo-instruction an encoding is better known as.
fn pseudo(insn: &Insn, pc: u64) -> Option<String> {
    let (rd, rs1, rs2, imm) = (insn.rd, insn.rs1, insn.rs2, insn.imm);
    let (d, a, b) = (X_NAMES[usize::from(rd & 31)], X_NAMES[usize::from(rs1 & 31)], X_NAMES[usize::from(rs2 & 31)]);
    let (f, g) = (F_NAMES[usize::from(rd & 31)], F_NAMES[usize::from(rs1 & 31)]);
    let to = target(insn, pc);
    Some(match (insn.def.name, rd, rs1, rs2, imm) {
        ("addi", 0, 0, _, 0) => "nop".to_owned(),
        ("addi", _, 0, _, _) => format!("li {d},{imm}"),
        ("addi", _, _, _, 0) => format!("mv {d},{a}"),
        ("addiw", _, _, _, 0) => format!("sext.w {d},{a}"),
        ("andi", _, _, _, 255) => format!("zext.b {d},{a}"),
        ("xori", _, _, _, -1) => format!("not {d},{a}"),
        ("sltiu", _, _, _, 1) => format!("seqz {d},{a}"),
        ("sltu", _, 0, _, _) => format!("snez {d},{b}"),
        ("sub", _, 0, _, _) => format!("neg {d},{b}"),
        ("subw", _, 0, _, _) => format!("negw {d},{b}"),
        ("add.uw", _, _, 0, _) => format!("zext.w {d},{a}"),
        ("add", 0, 0, 2..=5, _) => ["ntl.p1", "ntl.pall", "ntl.s1", "ntl.all"][usize::from(rs2 - 2)].to_owned(),
        ("add", _, 0, _, _) if insn.len == 2 => format!("mv {d},{b}"),
        ("jal", 0, ..) => format!("j {to:x}"),
        ("jal", 1, ..) => format!("jal {to:x}"),
        ("jalr", 0, 1, _, 0) => "ret".to_owned(),
        ("jalr", 0, _, _, 0) => format!("jr {a}"),
        ("jalr", 1, _, _, 0) => format!("jalr {a}"),
        ("beq" | "bne" | "bge" | "blt", _, _, 0, _) => format!("{}z {a},{to:x}", insn.def.name),
        ("bge", _, 0, ..) => format!("blez {b},{to:x}"),
        ("blt", _, 0, ..) => format!("bgtz {b},{to:x}"),
        ("csrrs", _, 0, ..) => format!("csrr {d},{}", csr(insn)),
        ("csrrw" | "csrrs" | "csrrc", 0, ..) => format!("csr{} {},{a}", &insn.def.name[4..], csr(insn)),
        ("csrrwi" | "csrrsi" | "csrrci", 0, ..) => format!("csr{} {},{rs1}", &insn.def.name[4..], csr(insn)),
        ("fsgnj.h" | "fsgnj.s" | "fsgnj.d", ..) if rs1 == rs2 => format!("fmv{} {f},{g}", &insn.def.name[5..]),
        ("fsgnjn.h" | "fsgnjn.s" | "fsgnjn.d", ..) if rs1 == rs2 => format!("fneg{} {f},{g}", &insn.def.name[6..]),
        ("fsgnjx.h" | "fsgnjx.s" | "fsgnjx.d", ..) if rs1 == rs2 => format!("fabs{} {f},{g}", &insn.def.name[6..]),
        ("sfence.vma", _, 0, 0, _) => "sfence.vma".to_owned(),
        ("fence", ..) if insn.wide == 0x0100_000f => "pause".to_owned(),
        ("fence", ..) if insn.wide == 0x8330_000f => "fence.tso".to_owned(),
        ("fence", ..) if insn.wide == 0x0ff0_000f => "fence".to_owned(),
        _ => return None,
    })
}
