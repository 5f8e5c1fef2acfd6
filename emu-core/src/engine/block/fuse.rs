//! Fused pairs: one handler for two instructions that follow each other, chosen from the pairs that guest code is full of.
//!
//! The second instruction keeps its own slot, so a block can still be entered or resumed there.

use std::sync::LazyLock;

use super::Fast;
use super::handlers::{Auipc, Ld, Lui, RI, RR, St, two, two_br, two_br_fwd, two_fwd, two_jal, two_jalr};
use crate::insn::{Insn, InsnDef, TABLES, i};

/// Expands to a table of handlers: a row for each first instruction, a column for each second.
macro_rules! grid {
    ($h:ident; [$($a:ty),* $(,)?]; $b:tt) => { [$(grid!(@row $h; $a; $b)),*] };
    (@row $h:ident; $a:ty; [$($b:ty),* $(,)?]) => { [$($h::<$a, $b> as Fast),*] };
}

/// Names and types of the instructions that pair up. The order is the index in the tables.
macro_rules! members {
    ($($name:literal $t:ty),* $(,)?) => {
        const NAMES: &[&str] = &[$($name),*];
        static PLAIN: [[Fast; NAMES.len()]; NAMES.len()] = grid!(two; [$($t),*]; [$($t),*]);
        static FORWARD: [[Fast; NAMES.len()]; NAMES.len()] = grid!(two_fwd; [$($t),*]; [$($t),*]);
        static BRANCH: [[Fast; 6]; NAMES.len()] = grid!(two_br; [$($t),*]; [i::Beq, i::Bne, i::Blt, i::Bge, i::Bltu, i::Bgeu]);
        static JAL: [Fast; NAMES.len()] = [$(two_jal::<$t>),*];
        static JALR: [Fast; NAMES.len()] = [$(two_jalr::<$t>),*];
        static BRANCH_FORWARD: [[Fast; 6]; NAMES.len()] = grid!(two_br_fwd; [$($t),*]; [i::Beq, i::Bne, i::Blt, i::Bge, i::Bltu, i::Bgeu]);
    };
}

members! {
    "addi" RI<i::Addi>, "addiw" RI<i::Addiw>, "andi" RI<i::Andi>, "slli" RI<i::Slli>, "srli" RI<i::Srli>, "xori" RI<i::Xori>,
    "add" RR<i::Add>, "sub" RR<i::Sub>, "and" RR<i::And>, "or" RR<i::Or>, "xor" RR<i::Xor>, "addw" RR<i::Addw>,
    "ld" Ld<i::Ld>, "lw" Ld<i::Lw>, "lbu" Ld<i::Lbu>, "lhu" Ld<i::Lhu>, "sd" St<i::Sd>, "sw" St<i::Sw>, "sb" St<i::Sb>,
    "lui" Lui, "auipc" Auipc, "sltu" RR<i::Sltu>,
}

const BRANCHES: [&str; 6] = ["beq", "bne", "blt", "bge", "bltu", "bgeu"];

/// What a declaration is to the tables above.
#[derive(Clone, Copy)]
enum Part {
    Member(u8),
    Branch(u8),
    Jal,
    Jalr,
}

/// Sorted by the declaration's address, which does not change while the program runs and reaches no guest state.
static PARTS: LazyLock<Vec<(usize, Part)>> = LazyLock::new(|| {
    let mut v: Vec<(usize, Part)> = TABLES
        .iter()
        .flat_map(|t| t.iter())
        .filter_map(|d| {
            let at = |names: &[&str]| names.iter().position(|n| *n == d.name).map(|i| i as u8);
            let jump = || match d.name {
                "jal" => Some(Part::Jal),
                "jalr" => Some(Part::Jalr),
                _ => None,
            };
            let part = at(NAMES).map(Part::Member).or_else(|| at(&BRANCHES).map(Part::Branch)).or_else(jump)?;
            Some((std::ptr::from_ref(d) as usize, part))
        })
        .collect();
    v.sort_by_key(|p| p.0);
    v
});

fn part(d: &'static InsnDef) -> Option<Part> {
    let at = PARTS.binary_search_by_key(&(std::ptr::from_ref(d) as usize), |p| p.0).ok()?;
    Some(PARTS[at].1)
}

/// The handler for `a` followed by `b`, if there is one.
pub(super) fn pair(a: &Insn, b: &Insn) -> Option<Fast> {
    let Part::Member(x) = part(a.def)? else { return None };
    // x0 as destination goes to the sink, whose value must not be forwarded.
    let forward = a.def.writes_int() && a.rd != 0 && a.rd == b.rs1;
    let x = x as usize;
    Some(match (part(b.def)?, forward) {
        (Part::Member(y), false) => PLAIN[x][y as usize],
        (Part::Member(y), true) => FORWARD[x][y as usize],
        (Part::Branch(y), false) => BRANCH[x][y as usize],
        (Part::Branch(y), true) => BRANCH_FORWARD[x][y as usize],
        (Part::Jal, _) => JAL[x],
        (Part::Jalr, _) => JALR[x],
    })
}
