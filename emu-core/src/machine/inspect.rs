//! Memory as a debugger sees it: through the tables of the moment, without a trace in the guest. Devices are left alone, since a read
//! may change them.

use super::Machine;

impl Machine {
    /// Reads at a virtual address of hart index `hart` as it is now, through both stages, with no side effect and no regard to permissions.
    /// Gives the number of bytes that could be read before something unmapped or a device.
    pub fn peek_virtual(&mut self, hart: usize, va: u64, buf: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buf.len() {
            let at = va.wrapping_add(done as u64);
            let end = buf.len().min(done + rest_of_page(at));
            let Some(pa) = self.peek_translate(hart, at) else { break };
            if !self.bus.ram.read_bytes(pa, &mut buf[done..end]) {
                break;
            }
            done = end;
        }
        done
    }

    /// Writes at a virtual address, as [`Machine::peek_virtual`] reads: all of it or, if a part is not RAM, none. Decoded code is dropped.
    pub fn poke_virtual(&mut self, hart: usize, va: u64, bytes: &[u8]) -> bool {
        let mut parts: Vec<(u64, usize, usize)> = Vec::new();
        let mut done = 0;
        while done < bytes.len() {
            let at = va.wrapping_add(done as u64);
            let end = bytes.len().min(done + rest_of_page(at));
            match self.peek_translate(hart, at) {
                Some(pa) if self.bus.ram.contains(pa, (end - done) as u64) => parts.push((pa, done, end)),
                _ => return false,
            }
            done = end;
        }
        parts.into_iter().all(|(pa, from, to)| self.poke_physical(pa, &bytes[from..to]))
    }

    /// Reads RAM at a physical address; false if not all of it is RAM.
    pub fn peek_physical(&self, pa: u64, buf: &mut [u8]) -> bool {
        self.bus.ram.read_bytes(pa, buf)
    }

    /// Writes RAM at a physical address; false, and nothing written, if not all of it is RAM.
    pub fn poke_physical(&mut self, pa: u64, bytes: &[u8]) -> bool {
        self.bus.ram.write_bytes(pa, bytes, &mut self.bus.code_writes)
    }

    /// Where a virtual address of hart index `hart` lies now; see [`crate::hart::Hart::peek_translate`].
    pub fn peek_translate(&mut self, hart: usize, va: u64) -> Option<u64> {
        self.harts.get(hart)?.peek_translate(&mut self.bus, va)
    }

    /// Changes a CSR of hart index `hart` to the legal value nearest to `value`, as a CSR instruction in M-mode would. False if the hart
    /// does not have it, or nobody may write it.
    pub fn poke_csr(&mut self, hart: usize, csr: u16, value: u64) -> bool {
        let Some(h) = self.harts.get_mut(hart) else { return false };
        let now = h.now(&self.bus);
        if emu_csr::table::find(csr).is_none_or(|d| d.read_only() || !d.present(h.csr.isa)) {
            return false;
        }
        let Some(effects) = h.csr.assign(csr, value, &now) else { return false };
        h.apply(effects);
        h.recontext();
        true
    }
}

fn rest_of_page(address: u64) -> usize {
    4096 - (address & 0xfff) as usize
}
