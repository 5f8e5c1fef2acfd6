//! The page table walker: one stage (Privileged ISA, "Virtual Address Translation Process") and two (Hypervisor, "Two-Stage Address
//! Translation"), each implicit access with its own translation, protection and faults. No caching and no host addresses here.

use emu_csr::field::mstatus::{MXR, SUM};
use emu_csr::{Csrs, Mode, Trap, atp};

use super::Stage;
use super::kind::{Fault, Kind};
use super::permit::{Permit, Rules};
use super::pmp::{Pmp, Rwx};
use super::pte::{self, Class, Format};
use super::record::{PteAccess, Recorder};
use super::refusal::Refusal;
use super::tables::Tables;

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

/// Pseudo-instructions for implicit accesses of the VS-stage (Hypervisor, "Special pseudoinstruction values for guest-page faults").
const READ_64: u64 = 0x3000;
const WRITE_64: u64 = 0x3020;

/// Index bits of one level, and of the G-stage's root, which is four pages (Hypervisor, "Guest Physical Address Translation").
const INDEX: u64 = 0x1ff;
const G_ROOT_INDEX: u64 = 0x7ff;

/// A page table in the making: root, levels and what is special about the stage.
#[derive(Clone, Copy)]
struct Table {
    stage: Stage,
    root: u64,
    levels: u32,
    format: Format,
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
            Mode::M => self.untranslated(Stage::S, va, kind),
            Mode::U | Mode::HS => self.s_stage(va, kind, mode),
            Mode::VU | Mode::VS => self.two_stages(va, kind, mode),
        };
        result.map_err(|fault| kind.trap(fault, va, mode))
    }

    /// Zicfiss: "If satp.MODE (or vsatp.MODE when V=1) is set to Bare ... shadow stack instructions raise a store/AMO access-fault
    /// exception", and SSAMOSWAP in M-mode does.
    fn untranslated(&mut self, stage: Stage, va: u64, kind: Kind) -> Result<Translation, Fault> {
        match kind {
            Kind::Shadow => Err(self.refuse(stage, va, Refusal::ShadowUntranslated, Fault::Access)),
            _ => Ok(Translation::bare(va)),
        }
    }

    fn s_stage(&mut self, va: u64, kind: Kind, mode: Mode) -> Result<Translation, Fault> {
        let (satp, status) = (self.csr.satp, self.csr.mstatus);
        let table = Table { stage: Stage::S, root: atp::root(satp), levels: atp::levels(satp), format: Format::of_s(self.csr) };
        self.first_stage(table, va, Rules { kind, user: mode == Mode::U, sum: status & SUM != 0, mxr: status & MXR != 0 })
    }

    fn two_stages(&mut self, va: u64, kind: Kind, mode: Mode) -> Result<Translation, Fault> {
        let (vsatp, status, mxr) = (self.csr.vsatp, self.csr.vsstatus, self.csr.mstatus & MXR);
        let table =
            Table { stage: Stage::Vs, root: atp::root(vsatp), levels: atp::levels(vsatp), format: Format::of_vs(self.csr) };
        let rules = Rules { kind, user: mode == Mode::VU, sum: status & SUM != 0, mxr: status & MXR | mxr != 0 };
        let first = self.first_stage(table, va, rules)?;
        let second = self.g_stage(first.pa, kind, mxr != 0, 0)?;
        Ok(Translation { pa: second.pa, ..first })
    }

    fn first_stage(&mut self, table: Table, va: u64, rules: Rules) -> Result<Translation, Fault> {
        if table.levels == 0 {
            return self.untranslated(table.stage, va, rules.kind);
        }
        let unused = 64 - (12 + 9 * table.levels);
        if (va << unused) as i64 >> unused != va as i64 {
            return Err(self.refuse(table.stage, va, Refusal::NotCanonical, Fault::Page));
        }
        self.table(table, va, INDEX, rules, Fault::Page)
    }

    /// Guest physical to supervisor physical. `tinst` is 0 for the explicit access itself, otherwise the pseudo-instruction.
    fn g_stage(&mut self, gpa: u64, kind: Kind, mxr: bool, tinst: u64) -> Result<Translation, Fault> {
        let levels = atp::levels(self.csr.hgatp);
        if levels == 0 {
            return Ok(Translation::bare(gpa));
        }
        if gpa >> (14 + 9 * levels) != 0 {
            return Err(self.refuse(Stage::G, gpa, Refusal::GuestAddressTooWide, Fault::Guest { gpa, tinst }));
        }
        let table = Table { stage: Stage::G, root: atp::root(self.csr.hgatp) & !0x3fff, levels, format: Format::of_g(self.csr) };
        // Zicfiss: the G-stage sees a store, which needs a page that is readable and writable.
        let kind = if kind == Kind::Shadow { Kind::Store } else { kind };
        let rules = Rules { kind, user: true, sum: false, mxr };
        self.table(table, gpa, G_ROOT_INDEX, rules, Fault::Guest { gpa, tinst })
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
                Class::Table if level == 0 => return Err(self.refuse(table.stage, va, Refusal::NoLeaf, fault)),
                Class::Table => {
                    level -= 1;
                    mask = INDEX;
                    base = pte::ppn(pte) << 12;
                    continue;
                }
                Class::Leaf => {}
            }
            let (page, size) = match leaf_page(pte, va, level) {
                Ok(page) => page,
                Err(why) => return Err(self.refuse(table.stage, va, why, fault)),
            };
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
            return Ok(Translation { pa: page | va & (size - 1), leaf: size, shadow: pte::is_shadow(pte), global });
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

/// Physical address and bytes of the page that a leaf of a level maps `va` to, or what is wrong with the leaf.
fn leaf_page(pte: u64, va: u64, level: u32) -> Result<(u64, u64), Refusal> {
    let size = 4096u64 << (9 * level);
    let page = pte::ppn(pte) << 12;
    if pte & pte::N != 0 {
        // The one NAPOT size there is: 64 KiB, level 0, ppn[3:0] = 1000. It is cached as the page of it that is asked for.
        let napot = level == 0 && page & 0xf000 == 0x8000;
        return if napot { Ok((page & !0xf000 | va & 0xf000, size)) } else { Err(Refusal::Napot) };
    }
    if page & (size - 1) == 0 { Ok((page, size)) } else { Err(Refusal::MisalignedSuperpage) }
}
