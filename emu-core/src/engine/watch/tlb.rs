//! The counted TLBs: the small architectural model whose hits and misses the TLB events count.
//!
//! The hart's own translation cache ([`crate::mmu::Tlb`]) is a matter of the host: its size and fills follow from speed, and no guest
//! may see them. What is counted is this instead: for instructions and for data, 64 direct-mapped entries, found by the low six bits
//! of the virtual page number and compared by page, address space and V. It is kept only while a counter counts an event of it
//! (empty when such counting begins), any address-translation fence of the hart empties it, and it caches nothing but names: what
//! a hit or a miss does to the machine is the same.

use emu_csr::{Csrs, Mode, atp};

use crate::dev::StateIo;

/// Entries of each.
pub const ENTRIES: usize = 64;

/// A name nothing has.
const EMPTY: [u64; 2] = [u64::MAX; 2];

/// A TLB for instructions and one for data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CountedTlbs {
    code: [[u64; 2]; ENTRIES],
    data: [[u64; 2]; ENTRIES],
}

impl Default for CountedTlbs {
    fn default() -> CountedTlbs {
        CountedTlbs { code: [EMPTY; ENTRIES], data: [EMPTY; ENTRIES] }
    }
}

/// The address space of accesses made in `mode`: ASID and, with V=1, VMID. `None` if nothing is translated.
fn space(csr: &Csrs, mode: Mode) -> Option<u64> {
    let asid = |atp: u64| u64::from(atp::asid(atp));
    match mode {
        Mode::M => None,
        Mode::HS | Mode::U => (atp::mode(csr.satp) != 0).then(|| asid(csr.satp)),
        Mode::VS | Mode::VU if atp::mode(csr.vsatp) | atp::mode(csr.hgatp) == 0 => None,
        Mode::VS | Mode::VU => Some(1 << 63 | u64::from(atp::vmid(csr.hgatp)) << 16 | asid(csr.vsatp)),
    }
}

impl CountedTlbs {
    /// Looks the page of `va` up for an access in `mode`, and puts it in if it is not there and `fill` (the access was
    /// translated without a fault). `None` if nothing is translated, otherwise whether it hit.
    pub fn look_up(&mut self, csr: &Csrs, mode: Mode, va: u64, code: bool, fill: bool) -> Option<bool> {
        let page = va >> 12;
        let name = [page, space(csr, mode)?];
        let entry = if code { &mut self.code } else { &mut self.data };
        let entry = &mut entry[page as usize % ENTRIES];
        let hit = *entry == name;
        if !hit && fill {
            *entry = name;
        }
        Some(hit)
    }

    /// Visits the names.
    pub fn state(&mut self, io: &mut dyn StateIo) {
        for word in self.code.iter_mut().chain(&mut self.data).flatten() {
            io.u64("counted tlb", word);
        }
    }
}
