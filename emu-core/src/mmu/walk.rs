//! The page table walker: one stage (Privileged ISA, "Virtual Address Translation Process") and two (Hypervisor, "Two-Stage Address
//! Translation"), each implicit access with its own translation, protection and faults. No caching and no host addresses here.

use emu_csr::{Csrs, Exception, Mode, Trap};

use super::Stage;
use super::context::{MXR, SUM};
use super::pmp::{Pmp, Rwx};
use super::pte::{self, Class, Format};
use super::refusal::Refusal;
use crate::mem::Ram;

/// What an explicit access does, as far as translation and protection care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Instruction fetch.
    Fetch,
    /// Load, LR.
    Load,
    /// HLVX: execute permission takes the place of read permission.
    LoadExec,
    /// Store, SC, AMO, CBO.ZERO.
    Store,
    /// A shadow-stack instruction, which has a store's faults even if it only loads (Zicfiss).
    Shadow,
    /// Cache-block management: permitted where a load is, but its faults are those of a store (CMO extensions).
    Block,
}

impl Kind {
    pub(super) fn rwx(self) -> Rwx {
        match self {
            Kind::Fetch => Rwx::X,
            Kind::Load | Kind::Block => Rwx::R,
            Kind::LoadExec => Rwx::RX,
            Kind::Store => Rwx::W,
            Kind::Shadow => Rwx::RW,
        }
    }

    fn pick(self, fetch: Exception, load: Exception, store: Exception) -> Exception {
        match self {
            Kind::Fetch => fetch,
            Kind::Load | Kind::LoadExec => load,
            Kind::Store | Kind::Shadow | Kind::Block => store,
        }
    }

    /// What the access does, in words.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Fetch => "fetch",
            Kind::Load => "load",
            Kind::LoadExec => "HLVX load",
            Kind::Store => "store",
            Kind::Shadow => "shadow-stack access",
            Kind::Block => "cache-block operation",
        }
    }

    /// The access-fault trap of this kind.
    pub(super) fn access_fault(self, va: u64, mode: Mode) -> Trap {
        use Exception::*;
        Trap { gva: mode.virt(), ..Trap::new(self.pick(InstAccessFault, LoadAccessFault, StoreAccessFault), va) }
    }

    /// The hardware-error trap: "corrupted or uncorrectable data is accessed, either explicitly or implicitly, by an instruction".
    pub(super) fn hardware_error(va: u64, mode: Mode) -> Trap {
        Trap { gva: mode.virt(), ..Trap::new(Exception::HardwareError, va) }
    }

    /// The address-misaligned trap of this kind.
    pub(super) fn misaligned(self, va: u64, mode: Mode) -> Trap {
        use Exception::*;
        Trap { gva: mode.virt(), ..Trap::new(self.pick(InstAddrMisaligned, LoadAddrMisaligned, StoreAddrMisaligned), va) }
    }

    fn trap(self, fault: Fault, va: u64, mode: Mode) -> Trap {
        use Exception::*;
        match fault {
            Fault::Page => Trap { gva: mode.virt(), ..Trap::new(self.pick(InstPageFault, LoadPageFault, StorePageFault), va) },
            Fault::Access => self.access_fault(va, mode),
            Fault::Poison => Kind::hardware_error(va, mode),
            Fault::Guest { gpa, tinst } => Trap {
                cause: self.pick(InstGuestPageFault, LoadGuestPageFault, StoreGuestPageFault),
                tval: va,
                tval2: gpa >> 2,
                tinst,
                gva: true,
            },
        }
    }
}

/// The result of a walk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Translation {
    /// Physical address of the byte asked for.
    pub pa: u64,
    /// Size in bytes of the first stage's leaf, which a fence with a virtual address covers; 4096 without translation.
    pub leaf: u64,
    /// The first stage's leaf is a shadow-stack page.
    pub shadow: bool,
    /// The mapping is global: G is set in the leaf or in a table on the way. Never of a guest's.
    pub global: bool,
}

impl Translation {
    /// Without translation: the address itself.
    fn bare(address: u64) -> Translation {
        Translation { pa: address, leaf: 4096, shadow: false, global: false }
    }
}

/// One implicit access of a walk, for those who want to show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PteAccess {
    /// Whose table.
    pub stage: Stage,
    /// The address that is translated: virtual, or guest physical for the G-stage.
    pub input: u64,
    /// Level, 0 for the last.
    pub level: u8,
    /// Address the table is known by: guest physical for the VS-stage, physical otherwise.
    pub address: u64,
    /// Physical address.
    pub pa: u64,
    /// The entry as read, or as written by an A/D update.
    pub value: u64,
    /// Whether it was written.
    pub write: bool,
}

/// Receives the implicit accesses of a walk, in order. `()` costs nothing.
pub trait Recorder {
    /// One access.
    fn pte(&mut self, access: PteAccess);
    /// The check that ended the walk, of the stage that translates `input`.
    fn refused(&mut self, _stage: Stage, _input: u64, _why: Refusal) {}
}

impl Recorder for () {
    #[inline(always)]
    fn pte(&mut self, _access: PteAccess) {}
}

impl Recorder for Vec<PteAccess> {
    fn pte(&mut self, access: PteAccess) {
        self.push(access);
    }
}

#[derive(Clone, Copy)]
enum Fault {
    Page,
    Access,
    /// The entry lies in a poisoned line.
    Poison,
    Guest {
        gpa: u64,
        tinst: u64,
    },
}

/// Pseudo-instructions for implicit accesses of the VS-stage (Hypervisor, "Special pseudoinstruction values for guest-page faults").
const READ_64: u64 = 0x3000;
const WRITE_64: u64 = 0x3020;

/// Access rules of one stage for one access.
#[derive(Clone, Copy)]
struct Rules {
    kind: Kind,
    /// The access is made as U-mode.
    user: bool,
    sum: bool,
    mxr: bool,
}

/// What a leaf says to an access.
enum Permit {
    Yes,
    /// A page fault of the stage.
    Page(Refusal),
    /// An access fault: only where shadow stacks come into it.
    Access(Refusal),
}

impl Rules {
    fn permit(&self, pte: u64) -> Permit {
        if let Some(why) = self.user_refuses(pte) {
            return Permit::Page(why);
        }
        // Zicfiss, "Shadow Stack Memory Protection". Whatever only loads may read a shadow stack.
        if pte::is_shadow(pte) {
            return match self.kind {
                Kind::Load | Kind::Shadow => Permit::Yes,
                Kind::LoadExec => Permit::Page(Refusal::ShadowNotExecutable),
                Kind::Fetch | Kind::Store | Kind::Block => Permit::Access(Refusal::ShadowPage),
            };
        }
        let readable = pte & pte::R != 0 || (self.mxr && pte & pte::X != 0);
        let (permitted, why) = match self.kind {
            Kind::Fetch | Kind::LoadExec => (pte & pte::X != 0, Refusal::NotExecutable),
            Kind::Load | Kind::Block => (readable, Refusal::NotReadable),
            Kind::Store => (pte & pte::W != 0, Refusal::NotWritable),
            // A read-only page may be a shadow stack to copy on write; any other is a fatal mistake.
            Kind::Shadow if pte & (pte::W | pte::X) == 0 => (false, Refusal::ShadowOnReadOnly),
            Kind::Shadow => return Permit::Access(Refusal::ShadowElsewhere),
        };
        if permitted { Permit::Yes } else { Permit::Page(why) }
    }

    /// U, and SUM for a supervisor.
    fn user_refuses(&self, pte: u64) -> Option<Refusal> {
        match (self.user, pte & pte::U != 0) {
            (true, u) => (!u).then_some(Refusal::NotUser),
            (false, false) => None,
            // Supervisor on a user page: never to execute; HLVX is a load.
            (false, true) if self.kind == Kind::Fetch => Some(Refusal::SupervisorFetchesUser),
            (false, true) => (!self.sum).then_some(Refusal::UserWithoutSum),
        }
    }
}

/// A page table in the making: root, levels and what is special about the stage.
#[derive(Clone, Copy)]
struct Table {
    stage: Stage,
    root: u64,
    levels: u32,
    format: Format,
}

/// Levels of a satp, vsatp or hgatp MODE; 0 is Bare.
fn levels(atp: u64) -> u32 {
    match atp >> 60 {
        8 => 3,
        9 => 4,
        10 => 5,
        _ => 0,
    }
}

fn root(atp: u64) -> u64 {
    (atp & ((1 << 44) - 1)) << 12
}

/// Where the page tables are.
pub(super) trait Tables {
    /// The entry at a physical address; none outside of RAM.
    fn read(&self, pa: u64) -> Option<u64>;
    /// Writes an entry that was read.
    fn write(&mut self, pa: u64, value: u64);
    /// The poisoned line that the entry lies in, if it does.
    fn poisoned(&self, _pa: u64) -> Option<u64> {
        None
    }
}

/// The guest's memory itself.
pub(super) struct Memory<'a> {
    pub ram: &'a mut Ram,
    pub code_writes: &'a mut Vec<u64>,
}

impl Tables for Memory<'_> {
    #[inline(always)]
    fn read(&self, pa: u64) -> Option<u64> {
        self.ram.read(pa, 8)
    }

    #[inline(always)]
    fn write(&mut self, pa: u64, value: u64) {
        self.ram.write(pa, 8, value, self.code_writes);
    }

    #[inline(always)]
    fn poisoned(&self, pa: u64) -> Option<u64> {
        if self.ram.poison().is_empty() { None } else { self.ram.poison().find(pa, 8) }
    }
}

/// A walk over the page tables in `tables`, which it may update (A and D).
pub(super) struct Walker<'a, T: Tables, R: Recorder> {
    pub csr: &'a Csrs,
    pub pmp: &'a Pmp,
    pub tables: T,
    pub record: &'a mut R,
    /// For a debugger: nothing is written, and neither permissions nor A, D and PMP matter.
    pub peek: bool,
    /// The poisoned line that a walk has met.
    pub poisoned: Option<u64>,
}

impl<T: Tables, R: Recorder> Walker<'_, T, R> {
    /// Notes why the walk ends, and gives the fault it ends with.
    #[inline(always)]
    fn refuse(&mut self, stage: Stage, input: u64, why: Refusal, fault: Fault) -> Fault {
        self.record.refused(stage, input, why);
        fault
    }

    /// Translates `va` for an explicit access with the given effective mode. PMP is checked for the implicit accesses only.
    pub(super) fn walk(&mut self, va: u64, kind: Kind, mode: Mode) -> Result<Translation, Trap> {
        let result = match mode {
            // Zicfiss: "If satp.MODE (or vsatp.MODE when V=1) is set to Bare ... shadow stack instructions raise a store/AMO access-fault
            // exception", and SSAMOSWAP in M-mode does.
            Mode::M if kind == Kind::Shadow => Err(self.refuse(Stage::S, va, Refusal::ShadowUntranslated, Fault::Access)),
            Mode::M => return Ok(Translation::bare(va)),
            Mode::U | Mode::HS => {
                let n = levels(self.csr.satp);
                if n == 0 && kind == Kind::Shadow {
                    self.record.refused(Stage::S, va, Refusal::ShadowUntranslated);
                    return Err(kind.access_fault(va, mode));
                }
                if n == 0 {
                    return Ok(Translation::bare(va));
                }
                let table = Table { stage: Stage::S, root: root(self.csr.satp), levels: n, format: Format::of_s(self.csr) };
                let rules =
                    Rules { kind, user: mode == Mode::U, sum: self.csr.mstatus & SUM != 0, mxr: self.csr.mstatus & MXR != 0 };
                self.first_stage(table, va, rules)
            }
            Mode::VU | Mode::VS => self.two_stages(va, kind, mode),
        };
        result.map_err(|fault| kind.trap(fault, va, mode))
    }

    fn two_stages(&mut self, va: u64, kind: Kind, mode: Mode) -> Result<Translation, Fault> {
        let n = levels(self.csr.vsatp);
        let first = if n == 0 && kind == Kind::Shadow {
            return Err(self.refuse(Stage::Vs, va, Refusal::ShadowUntranslated, Fault::Access));
        } else if n == 0 {
            Translation::bare(va)
        } else {
            let table = Table { stage: Stage::Vs, root: root(self.csr.vsatp), levels: n, format: Format::of_vs(self.csr) };
            let rules = Rules {
                kind,
                user: mode == Mode::VU,
                sum: self.csr.vsstatus & SUM != 0,
                mxr: (self.csr.vsstatus | self.csr.mstatus) & MXR != 0,
            };
            self.first_stage(table, va, rules)?
        };
        let second = self.g_stage(first.pa, kind, self.csr.mstatus & MXR != 0, 0)?;
        Ok(Translation { pa: second.pa, ..first })
    }

    fn first_stage(&mut self, table: Table, va: u64, rules: Rules) -> Result<Translation, Fault> {
        let unused = 64 - (12 + 9 * table.levels);
        if (va << unused) as i64 >> unused != va as i64 {
            return Err(self.refuse(table.stage, va, Refusal::NotCanonical, Fault::Page));
        }
        self.table(table, va, 0x1ff, rules, Fault::Page)
    }

    /// Guest physical to supervisor physical. `tinst` is 0 for the explicit access itself, otherwise the pseudo-instruction.
    fn g_stage(&mut self, gpa: u64, kind: Kind, mxr: bool, tinst: u64) -> Result<Translation, Fault> {
        let n = levels(self.csr.hgatp);
        if n == 0 {
            return Ok(Translation::bare(gpa));
        }
        if gpa >> (14 + 9 * n) != 0 {
            return Err(self.refuse(Stage::G, gpa, Refusal::GuestAddressTooWide, Fault::Guest { gpa, tinst }));
        }
        let table = Table { stage: Stage::G, root: root(self.csr.hgatp) & !0x3fff, levels: n, format: Format::of_g(self.csr) };
        // Zicfiss: the G-stage sees a store, which needs a page that is readable and writable.
        let kind = if kind == Kind::Shadow { Kind::Store } else { kind };
        let rules = Rules { kind, user: true, sum: false, mxr };
        self.table(table, gpa, 0x7ff, rules, Fault::Guest { gpa, tinst })
    }

    /// Steps 2 to 10 of the manual's algorithm. `root_mask` selects the index bits of the root level; `fault` is the stage's page fault.
    fn table(&mut self, table: Table, va: u64, root_mask: u64, rules: Rules, fault: Fault) -> Result<Translation, Fault> {
        let mut base = table.root;
        let mut level = table.levels - 1;
        let mut mask = root_mask;
        let mut path = 0;
        loop {
            let address = base + (va >> (12 + 9 * level) & mask) * 8;
            let (pa, pte) = self.read_pte(&table, va, level, address)?;
            path |= pte;
            match table.format.class(pte) {
                Class::Invalid(why) => return Err(self.refuse(table.stage, va, why, fault)),
                Class::Table => {
                    if level == 0 {
                        return Err(self.refuse(table.stage, va, Refusal::NoLeaf, fault));
                    }
                    level -= 1;
                    mask = 0x1ff;
                    base = pte::ppn(pte) << 12;
                    continue;
                }
                Class::Leaf => {}
            }
            let mut size = 4096u64 << (9 * level);
            let mut ppn = pte::ppn(pte);
            if pte & pte::N != 0 {
                // The one NAPOT size there is: 64 KiB, level 0, ppn[3:0] = 1000.
                if level != 0 || ppn & 0xf != 8 {
                    return Err(self.refuse(table.stage, va, Refusal::Napot, fault));
                }
                ppn = ppn & !0xf | va >> 12 & 0xf;
                size = 4096;
            }
            if level != 0 && (ppn << 12) & (size - 1) != 0 {
                return Err(self.refuse(table.stage, va, Refusal::MisalignedSuperpage, fault));
            }
            let shadow = pte::is_shadow(pte);
            match rules.permit(pte) {
                _ if self.peek => {}
                Permit::Yes => {}
                Permit::Page(why) => return Err(self.refuse(table.stage, va, why, fault)),
                Permit::Access(why) => return Err(self.refuse(table.stage, va, why, Fault::Access)),
            }
            let need = pte::A | if matches!(rules.kind, Kind::Store | Kind::Shadow) { pte::D } else { 0 };
            if pte & need != need && !self.peek {
                if !table.format.update {
                    let why = if pte & pte::A == 0 { Refusal::NotAccessed } else { Refusal::NotDirty };
                    return Err(self.refuse(table.stage, va, why, fault));
                }
                if !self.update_pte(&table, (va, level), address, pa, pte, pte | need)? {
                    continue;
                }
            }
            let global = table.stage == Stage::S && path & pte::G != 0;
            return Ok(Translation { pa: (ppn << 12) & !(size - 1) | va & (size - 1), leaf: size, shadow, global });
        }
    }

    fn read_pte(&mut self, table: &Table, input: u64, level: u32, address: u64) -> Result<(u64, u64), Fault> {
        let pa = match table.stage {
            // As an implicit load: MXR is for explicit loads only.
            Stage::Vs => self.g_stage(address, Kind::Load, false, READ_64)?.pa,
            _ => address,
        };
        if !self.peek && !self.pmp.allows(pa, 8, Rwx::R, false) {
            return Err(self.refuse(table.stage, input, Refusal::PteRead, Fault::Access));
        }
        let Some(value) = self.tables.read(pa) else {
            return Err(self.refuse(table.stage, input, Refusal::PteNotRam, Fault::Access));
        };
        if !self.peek
            && let Some(line) = self.tables.poisoned(pa)
        {
            self.poisoned = Some(line);
            return Err(Fault::Poison);
        }
        self.record.pte(PteAccess { stage: table.stage, input, level: level as u8, address, pa, value, write: false });
        Ok((pa, value))
    }

    /// Sets A and D by compare and swap; false if the entry is no longer what was read (the G-stage's own update may have changed it).
    fn update_pte(&mut self, table: &Table, of: (u64, u32), address: u64, pa: u64, old: u64, new: u64) -> Result<bool, Fault> {
        let (input, level) = of;
        if table.stage == Stage::Vs {
            self.g_stage(address, Kind::Store, false, WRITE_64)?;
        }
        if !self.pmp.allows(pa, 8, Rwx::W, false) {
            return Err(self.refuse(table.stage, input, Refusal::PteWrite, Fault::Access));
        }
        if self.tables.read(pa) != Some(old) {
            return Ok(false);
        }
        self.tables.write(pa, new);
        self.record.pte(PteAccess { stage: table.stage, input, level: level as u8, address, pa, value: new, write: true });
        Ok(true)
    }
}
