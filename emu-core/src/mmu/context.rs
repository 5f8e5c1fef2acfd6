//! Everything outside the page tables that decides what a virtual address means: the key of a TLB bank.

use emu_csr::field::mstatus::{MPP, MPRV, MPV, MXR, SUM};
use emu_csr::{Csrs, Mode, atp};

/// Flag of [`Context`] for fetches.
const LANDING_PADS: u8 = 8;

/// A translation context. Two accesses with equal contexts translate alike as long as no fence, PMP or envcfg change comes between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Context {
    /// Effective privilege mode.
    pub mode: Mode,
    /// SUM of the status register that applies, MXR of mstatus, MXR of vsstatus, where they matter.
    pub flags: u8,
    /// satp or vsatp.
    pub satp: u64,
    /// hgatp if V=1.
    pub hgatp: u64,
}

impl Context {
    /// M-mode: no translation.
    pub(super) const M: Context = Context { mode: Mode::M, flags: 0, satp: 0, hgatp: 0 };

    /// The context of explicit accesses with an effective mode.
    #[inline]
    pub(super) fn of(csr: &Csrs, mode: Mode) -> Context {
        let mxr = (csr.mstatus & MXR != 0) as u8 * 2;
        match mode {
            Mode::M => Context::M,
            Mode::U | Mode::HS if atp::mode(csr.satp) == 0 => Context { mode, flags: 0, satp: 0, hgatp: 0 },
            Mode::U => Context { mode, flags: mxr, satp: csr.satp, hgatp: 0 },
            Mode::HS => Context { mode, flags: mxr | (csr.mstatus & SUM != 0) as u8, satp: csr.satp, hgatp: 0 },
            Mode::VU | Mode::VS => {
                let sum = (mode == Mode::VS && csr.vsstatus & SUM != 0) as u8;
                let vmxr = (csr.vsstatus & MXR != 0) as u8 * 4;
                Context { mode, flags: mxr | vmxr | sum, satp: csr.vsatp, hgatp: csr.hgatp }
            }
        }
    }

    /// The context of instruction fetches in the same mode. Landing pads change no translation, but what is decoded from the code.
    #[inline]
    pub(super) fn fetch(self, csr: &Csrs) -> Context {
        Context { flags: if csr.landing_pads(self.mode) { LANDING_PADS } else { 0 }, ..self }
    }

    /// Contexts of equal class share what is global: supervisor mode (V=0) with translation. MODE of satp, and whether landing pads matter.
    pub(super) fn class(&self) -> Option<u8> {
        let mode = atp::mode(self.satp);
        (self.mode == Mode::HS && mode != 0).then_some(mode | (self.flags & LANDING_PADS) << 4)
    }

    /// ASID of satp or vsatp.
    pub(super) fn asid(&self) -> u16 {
        atp::asid(self.satp)
    }

    /// VMID of hgatp.
    pub(super) fn vmid(&self) -> u16 {
        atp::vmid(self.hgatp)
    }
}

/// The effective mode of loads and stores: MPRV and what it names (Privileged ISA, "Memory Privilege in mstatus Register"; Hypervisor,
/// "Effect of MPRV on the translation and protection of explicit memory accesses"; Smrnmi: not while NMIE is clear).
#[inline]
pub(super) fn data_mode(csr: &Csrs, mode: Mode) -> Mode {
    if csr.mstatus & MPRV != 0 && csr.nmi_enabled() {
        Mode::from_parts(csr.mstatus >> MPP.trailing_zeros(), csr.mstatus & MPV != 0)
    } else {
        mode
    }
}
