//! What a handler's own traps do to the context it has interrupted, for each profile: every cell that a small model of inject and complete
//! predicts, on the real hart.

#![allow(clippy::expect_used)] // helpers of tests, which clippy takes for other code

mod common;

use common::sse::*;
use common::*;
use emu_csr::Mode;
use emu_csr::table;
use sbi_model::sse::id;

/// What the handler does before it completes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Handler {
    /// Nothing.
    Plain,
    /// Traps, and restores sepc.
    Sepc,
    /// Traps, and restores sepc and sstatus.
    Sstatus,
    /// Traps, and restores sepc, sstatus and hstatus.
    Hstatus,
}

use Handler::*;

const GUEST: Context = Context {
    pc: 0x8_0000,
    mode: Mode::VS,
    sie: true,
    spie: true,
    spp: false,
    spv: false,
    spvp: true,
    gva: true,
    sepc: 0x9_0000,
    a6: 6,
    a7: 7,
};

fn contexts() -> [(&'static str, Context); 4] {
    let kvm = Context { mode: Mode::HS, sie: false, spv: true, spp: true, ..GUEST };
    let entry = Context { mode: Mode::HS, sie: false, spie: true, spp: false, spv: false, spvp: false, gva: false, ..GUEST };
    [("VS", GUEST), ("VU", Context { mode: Mode::VU, ..GUEST }), ("HS with SPV=1", kvm), ("HS syscall entry", entry)]
}

/// Interrupts the context and lets the handler complete; the names of what has changed.
fn run(profile: &str, before: Context, handler_does: Handler) -> String {
    let mut rig = Rig::running(1, config(profile));
    rig.arm(0, LOCAL);
    assert_eq!(rig.sse(0, UNMASK, &[]), 0);
    before.put(&mut rig.harts[0]);
    rig.signal(0, LOCAL).expect("enabled");
    rig.interrupts(0);
    assert_eq!((rig.harts[0].mode, rig.harts[0].pc), (Mode::HS, handler(LOCAL)));
    let c = &rig.harts[0].csr;
    let (sepc, sstatus, hstatus) = (c.sepc, c.mstatus, c.hstatus);
    if handler_does != Plain {
        rig.nested(0);
        rig.poke(0, table::SEPC, sepc);
    }
    if matches!(handler_does, Sstatus | Hstatus) {
        rig.poke(0, table::SSTATUS, sstatus);
    }
    if handler_does == Hstatus {
        rig.poke(0, table::HSTATUS, hstatus);
    }
    rig.step_call(0, SSE, COMPLETE, &[]);
    let after = Context::of(&rig.harts[0]);
    let mut wrong = Vec::new();
    let mut seen = |name, differs: bool| {
        if differs {
            wrong.push(name);
        }
    };
    seen("pc", before.pc != after.pc);
    seen("mode", before.mode.level() != after.mode.level());
    seen("V", before.mode.virt() != after.mode.virt());
    seen("SIE", before.sie != after.sie);
    seen("SPIE", before.spie != after.spie);
    seen("SPP", before.spp != after.spp);
    seen("SPV", before.spv != after.spv);
    seen("SPVP", before.spvp != after.spvp);
    seen("GVA", before.gva != after.gva);
    seen("sepc", before.sepc != after.sepc);
    seen("a6", before.a6 != after.a6);
    seen("a7", before.a7 != after.a7);
    wrong.join(" ")
}

/// For each context the changed fields after Plain, Sepc, Sstatus, Hstatus.
fn expect(profile: &str, table: [[&str; 4]; 4]) {
    for ((name, context), row) in contexts().into_iter().zip(table) {
        for (handler, want) in [Plain, Sepc, Sstatus, Hstatus].into_iter().zip(row) {
            assert_eq!(run(profile, context, handler), want, "{profile}: {name}, {handler:?}");
        }
    }
}

#[test]
fn spec_restores_what_the_handler_leaves_in_sstatus_and_hstatus() {
    expect(
        "spec",
        [["", "mode V GVA", "V GVA", ""], ["", "V GVA", "V GVA", ""], ["", "mode SIE GVA", "GVA", ""], ["", "mode SIE", "", ""]],
    );
}

#[test]
fn opensbi_resumes_with_v_1_where_spv_was_1_before() {
    for profile in ["opensbi-1.9", "opensbi-1.6"] {
        expect(
            profile,
            [
                ["", "mode V GVA", "V GVA", ""],
                ["", "V GVA", "V GVA", ""],
                ["V", "mode SIE GVA", "GVA", "V"],
                ["", "mode SIE", "", ""],
            ],
        );
    }
}

#[test]
fn private_resume_needs_only_sepc_and_spp_of_the_handler() {
    expect("private-resume", [["", "mode", "", ""], ["", "", "", ""], ["", "mode", "", ""], ["", "mode", "", ""]]);
}

#[test]
fn a_handler_may_resume_elsewhere_and_private_resume_lets_it_change_the_pc_only() {
    let elsewhere = RAM + 0x7000;
    for (profile, mode) in [("spec", Mode::HS), ("opensbi-1.9", Mode::HS), ("private-resume", Mode::VS)] {
        let mut rig = Rig::running(1, config(profile));
        rig.arm(0, id::LOCAL_SOFTWARE);
        rig.sse(0, UNMASK, &[]);
        GUEST.put(&mut rig.harts[0]);
        rig.signal(0, LOCAL).expect("enabled");
        rig.interrupts(0);
        rig.poke(0, table::SEPC, elsewhere);
        let c = &rig.harts[0].csr;
        let (sstatus, hstatus) = (c.mstatus | 1 << 8, c.hstatus & !(1 << 7));
        rig.poke(0, table::SSTATUS, sstatus);
        rig.poke(0, table::HSTATUS, hstatus);
        rig.step_call(0, SSE, COMPLETE, &[]);
        assert_eq!((rig.harts[0].pc, rig.harts[0].mode), (elsewhere, mode), "{profile}");
    }
}
