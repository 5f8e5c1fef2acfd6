//! Disassembly in the assembler's syntax.

use super::{Bench, asm};
use crate::insn::{Fields, disassemble};

#[test]
fn text_is_what_an_assembler_takes() {
    let t = Bench::new();
    let f = Fields { rd: 10, rs1: 11, rs2: 12, rs3: 13, imm: 0 };
    let cases: &[(u32, u8, &str)] = &[
        (asm("add", f), 4, "add a0,a1,a2"),
        (asm("addi", Fields { imm: -5, ..f }), 4, "addi a0,a1,-5"),
        (asm("slli", Fields { imm: 33, ..f }), 4, "slli a0,a1,0x21"),
        (asm("lui", Fields { imm: 0x8_0000 << 12, ..f }), 4, "lui a0,0x80000"),
        (asm("lw", Fields { imm: -8, ..f }), 4, "lw a0,-8(a1)"),
        (asm("sd", Fields { imm: 2047, ..f }), 4, "sd a2,2047(a1)"),
        (asm("bltu", Fields { imm: -4, ..f }), 4, "bltu a1,a2,ffc"),
        (asm("jal", Fields { rd: 5, imm: 0x100, ..f }), 4, "jal t0,1100"),
        (asm("csrrw", Fields { imm: 0x180, ..f }), 4, "csrrw a0,satp,a1"),
        (asm("csrrci", Fields { rs1: 7, imm: 0x7ff, ..f }), 4, "csrrci a0,0x7ff,7"),
        (asm("amoadd.w", f) | 3 << 25, 4, "amoadd.w.aqrl a0,a2,(a1)"),
        (asm("lr.d", f) | 2 << 25, 4, "lr.d.aq a0,(a1)"),
        (asm("sc.w", f), 4, "sc.w a0,a2,(a1)"),
        (asm("fadd.s", f), 4, "fadd.s fa0,fa1,fa2,rne"),
        (asm("fadd.d", Fields { imm: 7, ..f }), 4, "fadd.d fa0,fa1,fa2"),
        (asm("fmadd.h", Fields { imm: 4, ..f }), 4, "fmadd.h fa0,fa1,fa2,fa3,rmm"),
        (asm("fcvt.w.s", Fields { imm: 1, ..f }), 4, "fcvt.w.s a0,fa1,rtz"),
        (asm("feq.d", f), 4, "feq.d a0,fa1,fa2"),
        (asm("fli.s", Fields { rs1: 8, ..f }), 4, "fli.s fa0,0.25"),
        (asm("fld", Fields { imm: 16, ..f }), 4, "fld fa0,16(a1)"),
        (asm("fsw", Fields { imm: 16, ..f }), 4, "fsw fa2,16(a1)"),
        (asm("hlv.d", f), 4, "hlv.d a0,(a1)"),
        (asm("hsv.b", f), 4, "hsv.b a2,(a1)"),
        (asm("cbo.zero", f), 4, "cbo.zero (a1)"),
        (asm("prefetch.r", Fields { imm: 64, ..f }), 4, "prefetch.r 64(a1)"),
        (asm("hfence.gvma", f), 4, "hfence.gvma a1,a2"),
        (asm("sfence.vma", Fields::default()), 4, "sfence.vma"),
        (asm("mop.r.N", f) | 1 << 30 | 1 << 20, 4, "mop.r.17 a0,a1"),
        (asm("mop.rr.N", f) | 1 << 27, 4, "mop.rr.2 a0,a1,a2"),
        (asm("fence.i", Fields::default()), 4, "fence.i"),
        (0x0330_000f, 4, "fence rw,rw"),
        (0x0100_000f, 4, "pause"),
        (0x8330_000f, 4, "fence.tso"),
        (0x0030_0033, 4, "ntl.pall"),
        (0x0000_8067, 4, "ret"),
        (0x0000_0013, 4, "nop"),
        (0x1420_2573, 4, "csrr a0,scause"),
        (0x3000_9073, 4, "csrw mstatus,ra"),
        (0x4501, 2, "li a0,0"),
        (0x852e, 2, "mv a0,a1"),
        (0x9002, 2, "ebreak"),
        (0x0000, 2, ".2byte 0x0000"),
        (0xffff_ffff, 4, ".4byte 0xffffffff"),
    ];
    for &(raw, len, text) in cases {
        assert_eq!(disassemble(&t.decoder.decode(raw, len), 0x1000), text, "{raw:08x}");
    }
}
