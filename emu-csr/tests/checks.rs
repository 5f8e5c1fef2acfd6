//! Privileged instructions: who may, and which exception otherwise, each against the manual's sentences.

mod common;

use common::{MODES, hart_of};
use emu_csr::{Cbo, Csrs, Denied, Isa, Mode};
use proptest::prelude::*;

const ILLEGAL: Result<(), Denied> = Err(Denied::Illegal);
const VIRTUAL: Result<(), Denied> = Err(Denied::Virtual);

fn bit(register: u64, bit: u32) -> bool {
    register >> bit & 1 == 1
}

/// The outcome of CMO's pseudocode ("CSR controls for CMO instructions"), by the register fields.
fn cmo(c: &Csrs, mode: Mode, field: impl Fn(u64) -> u64) -> Result<(), Denied> {
    let (m, h, s) = (field(c.menvcfg), field(c.henvcfg), field(c.senvcfg));
    if mode != Mode::M && m == 0 || mode == Mode::U && s == 0 {
        ILLEGAL
    } else if mode == Mode::VS && h == 0 || mode == Mode::VU && (h == 0 || s == 0) {
        VIRTUAL
    } else {
        Ok(())
    }
}

proptest! {
    #[test]
    fn checks_are_the_manuals(seed: u64) {
        let c = hart_of(Isa::max(), seed);
        let (tw, tvm, tsr) = (bit(c.mstatus, 21), bit(c.mstatus, 20), bit(c.mstatus, 22));
        let (vtw, vtvm, vtsr, hu) = (bit(c.hstatus, 21), bit(c.hstatus, 20), bit(c.hstatus, 22), bit(c.hstatus, 9));
        for mode in MODES {
            // "When TSR=1, attempts to execute SRET while executing in S-mode raise an illegal-instruction exception."
            let sret = match mode {
                Mode::HS if tsr => ILLEGAL,
                Mode::U => ILLEGAL,
                Mode::VS if vtsr => VIRTUAL,
                Mode::VU => VIRTUAL,
                _ => Ok(()),
            };
            prop_assert_eq!(c.check_sret(mode), sret);
            prop_assert_eq!(c.check_mret(mode), if mode == Mode::M { Ok(()) } else { ILLEGAL });
            // "When TW=1, if WFI is executed in any less-privileged mode, and it does not complete within an
            // implementation-specific, bounded time limit" (ours is none), illegal; "in VU-mode, attempts to execute WFI
            // when mstatus.TW=0" virtual; VTW=1 and TW=0 in VS virtual; in U with S-mode illegal.
            let wfi = match mode {
                Mode::M => Ok(()),
                _ if tw => ILLEGAL,
                Mode::U => ILLEGAL,
                Mode::VU => VIRTUAL,
                Mode::VS if vtw => VIRTUAL,
                _ => Ok(()),
            };
            prop_assert_eq!(c.check_wfi(mode), wfi);
            // Zawrs: the same two bits; nothing else.
            let wrs = match mode {
                Mode::M => Ok(()),
                _ if tw => ILLEGAL,
                Mode::VS | Mode::VU if vtw => VIRTUAL,
                _ => Ok(()),
            };
            prop_assert_eq!(c.check_wrs_nto(mode), wrs);
            // "When TVM=1, SFENCE.VMA or SINVAL.VMA in S-mode illegal"; VTVM the same for VS, virtual.
            let sfence = match mode {
                Mode::HS if tvm => ILLEGAL,
                Mode::U => ILLEGAL,
                Mode::VS if vtvm => VIRTUAL,
                Mode::VU => VIRTUAL,
                _ => Ok(()),
            };
            prop_assert_eq!(c.check_sfence_vma(mode), sfence);
            prop_assert_eq!(c.check_sinval_vma(mode), sfence);
            // Svinval: SFENCE.W.INVAL and SFENCE.INVAL.IR are unaffected by TVM and VTVM.
            let order = match mode {
                Mode::U => ILLEGAL,
                Mode::VU => VIRTUAL,
                _ => Ok(()),
            };
            prop_assert_eq!(c.check_sfence_inval(mode), order);
            let hfence = match mode {
                Mode::M | Mode::HS => Ok(()),
                Mode::U => ILLEGAL,
                Mode::VS | Mode::VU => VIRTUAL,
            };
            prop_assert_eq!(c.check_hfence_vvma(mode), hfence);
            prop_assert_eq!(c.check_hfence_gvma(mode), if mode == Mode::HS && tvm { ILLEGAL } else { hfence });
            prop_assert_eq!(c.check_hlv(mode), if mode == Mode::U && hu { Ok(()) } else { hfence });
            // "If an instruction is prevented from executing because FS is zero in either sstatus or vsstatus, the
            // exception raised is always an illegal-instruction exception."
            let fs_off = c.mstatus >> 13 & 3 == 0 || mode.virt() && c.vsstatus >> 13 & 3 == 0;
            prop_assert_eq!(c.check_fp(mode), if fs_off { ILLEGAL } else { Ok(()) });

            prop_assert_eq!(c.check_cbo(Cbo::Zero, mode).map(|_| ()), cmo(&c, mode, |r| r >> 7 & 1));
            for cbo in [Cbo::Clean, Cbo::Flush] {
                prop_assert_eq!(c.check_cbo(cbo, mode).map(|_| ()), cmo(&c, mode, |r| r >> 6 & 1));
                prop_assert!(c.check_cbo(cbo, mode).is_err() || c.check_cbo(cbo, mode) == Ok(cbo));
            }
            let inval = c.check_cbo(Cbo::Inval, mode);
            let cbie = |r: u64| r >> 4 & 3;
            prop_assert_eq!(inval.map(|_| ()), cmo(&c, mode, cbie));
            let flush = mode != Mode::M && cbie(c.menvcfg) == 1
                || mode == Mode::U && cbie(c.senvcfg) == 1
                || mode == Mode::VS && cbie(c.henvcfg) == 1
                || mode == Mode::VU && (cbie(c.henvcfg) == 1 || cbie(c.senvcfg) == 1);
            let performed = if flush { Cbo::Flush } else { Cbo::Inval };
            prop_assert!(inval.is_err() || inval == Ok(performed));
        }
    }
}

#[test]
fn instructions_of_missing_extensions_are_illegal() {
    let c = Csrs::new(Isa::parse("rv64gc").unwrap_or_default(), 0);
    assert_eq!(c.check_hlv(Mode::M), ILLEGAL);
    assert_eq!(c.check_hfence_gvma(Mode::M), ILLEGAL);
    assert_eq!(c.check_sinval_vma(Mode::M), ILLEGAL);
    assert_eq!(c.check_cbo(Cbo::Zero, Mode::M), Err(Denied::Illegal));
    assert_eq!(c.check_sret(Mode::M), Ok(()));
    let c = Csrs::new(Isa::parse("rv64gc,s=off").unwrap_or_default(), 0);
    assert_eq!(c.check_sret(Mode::M), ILLEGAL);
    assert_eq!(c.check_wfi(Mode::U), Ok(()), "without S-mode U may wait");
}
