//! Who may access a CSR, and which exception it is otherwise (Zicsr; Privileged ISA, "CSR Address Mapping Conventions";
//! Hypervisor, "Hypervisor and Virtual Supervisor Trap Causes").

use crate::access::Denied;
use crate::csrs::Csrs;
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::{hstatus, menvcfg, mstatus};
use crate::table::{Decl, Gate};

impl Csrs {
    /// Checks an access of a CSR instruction. A virtual-instruction exception is raised only with V=1 and only if HS-mode
    /// could make the same access with mstatus.TVM=0; every other refusal is an illegal instruction.
    #[inline]
    pub(crate) fn check_access(&self, decl: &Decl, write: bool, mode: Mode) -> Result<(), Denied> {
        if !decl.present(self.isa) || write && decl.read_only() {
            return Err(Denied::Illegal);
        }
        let level = decl.level();
        // HS stands for level 2; without V, mode's encoding 1 reaches levels 0 to 2, with V 0 to 1.
        let reach = match mode {
            Mode::M => 3,
            Mode::HS => 2,
            Mode::VS => 1,
            Mode::U | Mode::VU => 0,
        };
        if level > reach {
            // Privilege decides only between the two exceptions once HS could have made the access.
            let virtual_instruction = mode.virt() && level <= 2 && decl.gates.iter().all(|&gate| self.open_to_hs(gate, mode));
            return Err(if virtual_instruction { Denied::Virtual } else { Denied::Illegal });
        }
        for &gate in decl.gates {
            self.check_gate(gate, mode)?;
        }
        Ok(())
    }

    /// Whether M-mode's part of the gate is open to the modes below (mstatus.TVM aside), and floating point is on.
    fn open_to_hs(&self, gate: Gate, mode: Mode) -> bool {
        match gate {
            Gate::Fs => self.check_fp(mode).is_ok(),
            Gate::Counter(i) => self.mcounteren >> i & 1 != 0,
            Gate::Tvm | Gate::Gtvm | Gate::WithoutS | Gate::Sireg(_) | Gate::Mireg | Gate::Overflows => true,
            Gate::Cde => self.menvcfg & menvcfg::CDE != 0,
            Gate::Ssp => self.menvcfg & menvcfg::SSE != 0,
            Gate::Stce => self.menvcfg & menvcfg::STCE != 0 && self.mcounteren & 2 != 0,
            Gate::StateEn0(bit) => !self.isa.has(Ext::Smstateen) || self.mstateen0 >> bit & 1 != 0,
            Gate::StateEn(n) => !self.isa.has(Ext::Smstateen) || self.mstateen(n) >> 63 != 0,
        }
    }

    /// One gate, for a mode whose privilege suffices.
    #[inline]
    fn check_gate(&self, gate: Gate, mode: Mode) -> Result<(), Denied> {
        if gate == Gate::Fs {
            return self.check_fp(mode);
        }
        if gate == Gate::WithoutS && self.isa.has(Ext::S) {
            return Err(Denied::Illegal);
        }
        match gate {
            Gate::Sireg(i) => return self.check_sireg(i, mode),
            Gate::Mireg => return Err(Denied::Illegal),
            Gate::Cde if self.menvcfg & menvcfg::CDE == 0 => return Err(Denied::Illegal),
            _ => {}
        }
        if mode == Mode::M {
            return Ok(());
        }
        if !self.open_to_hs(gate, mode) {
            return Err(Denied::Illegal);
        }
        let open = match gate {
            Gate::Ssp => return self.check_shadow_stack(mode),
            Gate::Tvm if mode == Mode::HS && self.mstatus & mstatus::TVM != 0 => return Err(Denied::Illegal),
            Gate::Gtvm if mode == Mode::HS && self.mstatus & mstatus::TVM != 0 => return Err(Denied::Illegal),
            Gate::Tvm => !mode.virt() || self.hstatus & hstatus::VTVM == 0,
            Gate::Counter(i) => {
                let s = mode.level() != 0 || !self.isa.has(Ext::S) || self.scounteren >> i & 1 != 0;
                if !mode.virt() {
                    return if s { Ok(()) } else { Err(Denied::Illegal) };
                }
                s && self.hcounteren >> i & 1 != 0
            }
            Gate::Stce => !mode.virt() || self.henvcfg & menvcfg::STCE != 0 && self.hcounteren & 2 != 0,
            Gate::StateEn0(bit) => !self.isa.has(Ext::Smstateen) || !mode.virt() || self.hstateen0 >> bit & 1 != 0,
            Gate::StateEn(n) => !self.isa.has(Ext::Smstateen) || !mode.virt() || self.hstateen(n) >> 63 != 0,
            Gate::Cde => !mode.virt(),
            Gate::Overflows => !mode.virt() || self.menvcfg & menvcfg::CDE == 0,
            Gate::Fs | Gate::Gtvm | Gate::WithoutS | Gate::Sireg(_) | Gate::Mireg => true,
        };
        if open { Ok(()) } else { Err(Denied::Virtual) }
    }

    /// mstateen `n`.
    fn mstateen(&self, n: u8) -> u64 {
        [self.mstateen0, self.mstateen1, self.mstateen2, self.mstateen3][usize::from(n & 3)]
    }

    /// The stored bits of hstateen `n`; the gate has checked mstateen already.
    fn hstateen(&self, n: u8) -> u64 {
        [self.hstateen0, self.hstateen1, self.hstateen2, self.hstateen3][usize::from(n & 3)]
    }
}
