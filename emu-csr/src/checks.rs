//! May this mode execute that privileged instruction: yes, illegal instruction, or virtual instruction (Privileged ISA,
//! "mstatus", "menvcfg"; Hypervisor, "Hypervisor Instructions" and "Hypervisor and Virtual Supervisor Trap Causes").

use crate::access::Denied;
use crate::csrs::Csrs;
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::{hstatus, menvcfg, mseccfg, mstatus};

/// A cache-block instruction that xenvcfg controls (Zicbom, Zicboz).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cbo {
    /// cbo.inval.
    Inval,
    /// cbo.clean.
    Clean,
    /// cbo.flush.
    Flush,
    /// cbo.zero.
    Zero,
}

/// Fails with `denied` unless `ok`.
#[inline(always)]
fn require(ok: bool, denied: Denied) -> Result<(), Denied> {
    if ok { Ok(()) } else { Err(denied) }
}

impl Csrs {
    /// Whether the bits of a register are all clear.
    #[inline(always)]
    fn clear(register: u64, bits: u64) -> bool {
        register & bits == 0
    }

    /// SRET: HS unless mstatus.TSR, VS unless hstatus.VTSR.
    pub fn check_sret(&self, mode: Mode) -> Result<(), Denied> {
        require(self.isa.has(Ext::S), Denied::Illegal)?;
        match mode {
            Mode::M => Ok(()),
            Mode::HS => require(Self::clear(self.mstatus, mstatus::TSR), Denied::Illegal),
            Mode::U => Err(Denied::Illegal),
            Mode::VS => require(Self::clear(self.hstatus, hstatus::VTSR), Denied::Virtual),
            Mode::VU => Err(Denied::Virtual),
        }
    }

    /// MRET: M only.
    pub fn check_mret(&self, mode: Mode) -> Result<(), Denied> {
        require(mode == Mode::M, Denied::Illegal)
    }

    /// MNRET (Smrnmi): M only.
    pub fn check_mnret(&self, mode: Mode) -> Result<(), Denied> {
        require(self.isa.has(Ext::Smrnmi) && mode == Mode::M, Denied::Illegal)
    }

    /// yLPE: whether landing pads are enabled in `mode` (Zicfilp, "Landing-Pad-Enabled (LPE) State").
    #[inline]
    pub fn landing_pads(&self, mode: Mode) -> bool {
        let s = self.isa.has(Ext::S);
        !match mode {
            Mode::M => Self::clear(self.mseccfg, mseccfg::MLPE),
            Mode::HS => Self::clear(self.menvcfg, menvcfg::LPE),
            Mode::VS => Self::clear(self.henvcfg, menvcfg::LPE),
            Mode::U | Mode::VU => Self::clear(if s { self.senvcfg } else { self.menvcfg }, menvcfg::LPE),
        }
    }

    /// xSSE: whether shadow stacks are enabled in `mode` (Zicfiss, "Shadow-Stack-Enabled (SSE) State"). A closed bit above reads as zero
    /// below, so every level above must agree.
    #[inline]
    pub fn shadow_stacks(&self, mode: Mode) -> bool {
        mode != Mode::M
            && !Self::clear(self.menvcfg, menvcfg::SSE)
            && (!mode.virt() || !Self::clear(self.henvcfg, menvcfg::SSE))
            && (mode.level() != 0 || !Self::clear(self.senvcfg, menvcfg::SSE))
    }

    /// SSAMOSWAP and ssp (Zicfiss): which exception it is where SSE closes them. Open to M-mode, whose own accesses then fault.
    pub fn check_shadow_stack(&self, mode: Mode) -> Result<(), Denied> {
        if mode == Mode::M {
            return Ok(());
        }
        require(!Self::clear(self.menvcfg, menvcfg::SSE), Denied::Illegal)?;
        require(self.shadow_stacks(mode), if mode.virt() { Denied::Virtual } else { Denied::Illegal })
    }

    /// WFI. The "implementation-specific, bounded time limit" of TW and VTW is zero: WFI that they govern traps even if an
    /// interrupt is pending, as the manual permits, so that the outcome does not depend on interrupt timing. In U-mode
    /// (with S-mode) and in VU-mode it always traps.
    pub fn check_wfi(&self, mode: Mode) -> Result<(), Denied> {
        if mode == Mode::M {
            return Ok(());
        }
        require(Self::clear(self.mstatus, mstatus::TW), Denied::Illegal)?;
        match mode {
            Mode::U => require(!self.isa.has(Ext::S), Denied::Illegal),
            Mode::VS => require(Self::clear(self.hstatus, hstatus::VTW), Denied::Virtual),
            Mode::VU => Err(Denied::Virtual),
            Mode::M | Mode::HS => Ok(()),
        }
    }

    /// WRS.NTO that would stall (Zawrs). Under TW and VTW it traps as WFI does, but U and VU may use it otherwise. WRS.STO
    /// has no check. The engine may also complete WRS.NTO at once without asking: its stall is optional.
    pub fn check_wrs_nto(&self, mode: Mode) -> Result<(), Denied> {
        if mode == Mode::M {
            return Ok(());
        }
        require(Self::clear(self.mstatus, mstatus::TW), Denied::Illegal)?;
        require(!mode.virt() || Self::clear(self.hstatus, hstatus::VTW), Denied::Virtual)
    }

    /// SFENCE.VMA, and SINVAL.VMA (Svinval), which has the same rules.
    pub fn check_sfence_vma(&self, mode: Mode) -> Result<(), Denied> {
        require(self.isa.has(Ext::S), Denied::Illegal)?;
        match mode {
            Mode::M => Ok(()),
            Mode::HS => require(Self::clear(self.mstatus, mstatus::TVM), Denied::Illegal),
            Mode::U => Err(Denied::Illegal),
            Mode::VS => require(Self::clear(self.hstatus, hstatus::VTVM), Denied::Virtual),
            Mode::VU => Err(Denied::Virtual),
        }
    }

    /// SINVAL.VMA (Svinval).
    pub fn check_sinval_vma(&self, mode: Mode) -> Result<(), Denied> {
        require(self.isa.has(Ext::Svinval), Denied::Illegal)?;
        self.check_sfence_vma(mode)
    }

    /// SFENCE.W.INVAL and SFENCE.INVAL.IR (Svinval): every mode but U and VU; TVM and VTVM do not touch them.
    pub fn check_sfence_inval(&self, mode: Mode) -> Result<(), Denied> {
        require(self.isa.has(Ext::Svinval), Denied::Illegal)?;
        match mode {
            Mode::U => Err(Denied::Illegal),
            Mode::VU => Err(Denied::Virtual),
            Mode::M | Mode::HS | Mode::VS => Ok(()),
        }
    }

    /// HFENCE.VVMA and HINVAL.VVMA: M and HS.
    pub fn check_hfence_vvma(&self, mode: Mode) -> Result<(), Denied> {
        require(self.isa.has(Ext::H), Denied::Illegal)?;
        require(!mode.virt(), Denied::Virtual)?;
        require(mode != Mode::U, Denied::Illegal)
    }

    /// HFENCE.GVMA and HINVAL.GVMA: M, and HS unless mstatus.TVM.
    pub fn check_hfence_gvma(&self, mode: Mode) -> Result<(), Denied> {
        self.check_hfence_vvma(mode)?;
        require(mode == Mode::M || Self::clear(self.mstatus, mstatus::TVM), Denied::Illegal)
    }

    /// HLV, HLVX and HSV: M and HS, and U with hstatus.HU.
    pub fn check_hlv(&self, mode: Mode) -> Result<(), Denied> {
        require(self.isa.has(Ext::H), Denied::Illegal)?;
        require(!mode.virt(), Denied::Virtual)?;
        require(mode != Mode::U || !Self::clear(self.hstatus, hstatus::HU), Denied::Illegal)
    }

    /// Floating-point instructions and CSRs: FS=Off in mstatus, or with V=1 in vsstatus, is illegal, never virtual.
    #[inline(always)]
    pub fn check_fp(&self, mode: Mode) -> Result<(), Denied> {
        let off = Self::clear(self.mstatus, mstatus::FS) || mode.virt() && Self::clear(self.vsstatus, mstatus::FS);
        require(!off, Denied::Illegal)
    }

    /// Cache-block instructions ("CSR controls for CMO instructions"). `Ok` gives what to perform, which differs from
    /// what was asked for in one case: a cbo.inval that CBIE=01 turns into a flush.
    pub fn check_cbo(&self, cbo: Cbo, mode: Mode) -> Result<Cbo, Denied> {
        let (ext, field) = match cbo {
            Cbo::Inval => (Ext::Zicbom, menvcfg::CBIE),
            Cbo::Clean | Cbo::Flush => (Ext::Zicbom, menvcfg::CBCFE),
            Cbo::Zero => (Ext::Zicboz, menvcfg::CBZE),
        };
        require(self.isa.has(ext), Denied::Illegal)?;
        if mode == Mode::M {
            return Ok(cbo);
        }
        // Which registers govern the mode besides menvcfg.
        let h = mode.virt();
        let s = mode.level() == 0 && self.isa.has(Ext::S);
        require(!Self::clear(self.menvcfg, field), Denied::Illegal)?;
        require(!h || !Self::clear(self.henvcfg, field), Denied::Virtual)?;
        require(!s || !Self::clear(self.senvcfg, field), if h { Denied::Virtual } else { Denied::Illegal })?;
        const FLUSH: u64 = 1 << 4;
        let flush = cbo == Cbo::Inval
            && [(true, self.menvcfg), (h, self.henvcfg), (s, self.senvcfg)]
                .into_iter()
                .any(|(governs, envcfg)| governs && envcfg & field == FLUSH);
        Ok(if flush { Cbo::Flush } else { cbo })
    }
}
