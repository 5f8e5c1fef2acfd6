//! RV64 as GDB knows it: which number of the remote protocol is which register.

use std::num::NonZeroUsize;

use emu_csr::table;
use gdbstub::arch::{Arch, RegId, Registers};

/// Numbers of the first floating-point register, of CSR 0, and of the two registers behind the last CSR.
pub const F0: usize = 33;
/// Number of CSR 0; CSR n is n behind it.
pub const CSR0: usize = 65;
/// The privilege level, without V.
pub const PRIV: usize = CSR0 + 4096;
/// The virtualization mode V.
pub const VIRT: usize = PRIV + 1;

/// A register by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Register {
    /// Integer register.
    X(u8),
    /// Program counter.
    Pc,
    /// Floating-point register.
    F(u8),
    /// CSR.
    Csr(u16),
    /// Privilege level: 0 U, 1 S, 3 M.
    Priv,
    /// Virtualization mode: 0 or 1.
    Virt,
}

impl RegId for Register {
    fn from_raw_id(id: usize) -> Option<(Register, Option<NonZeroUsize>)> {
        let r = match id {
            0..32 => Register::X(id as u8),
            32 => Register::Pc,
            F0..CSR0 => Register::F((id - F0) as u8),
            CSR0..PRIV => Register::Csr((id - CSR0) as u16),
            PRIV => Register::Priv,
            VIRT => Register::Virt,
            _ => return None,
        };
        if let Register::Csr(number) = r {
            table::find(number)?;
        }
        Some((r, NonZeroUsize::new(8)))
    }
}

/// What the `g` packet carries: integer registers and pc. Everything else is asked for by number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Core {
    /// Integer registers.
    pub x: [u64; 32],
    /// Program counter.
    pub pc: u64,
}

impl Registers for Core {
    type ProgramCounter = u64;

    fn pc(&self) -> u64 {
        self.pc
    }

    fn gdb_serialize(&self, mut write_byte: impl FnMut(Option<u8>)) {
        let all = self.x.iter().chain([&self.pc]);
        all.flat_map(|v| v.to_le_bytes()).for_each(|b| write_byte(Some(b)));
    }

    fn gdb_deserialize(&mut self, bytes: &[u8]) -> Result<(), ()> {
        let mut words = bytes.as_chunks::<8>().0.iter().map(|c| u64::from_le_bytes(*c));
        for x in &mut self.x {
            *x = words.next().ok_or(())?;
        }
        self.pc = words.next().ok_or(())?;
        Ok(())
    }
}

/// RV64 with the registers above.
pub enum Rv64 {}

impl Arch for Rv64 {
    type Usize = u64;
    type Registers = Core;
    /// Bytes of the instruction: of no importance, since nothing is written over it.
    type BreakpointKind = usize;
    type RegId = Register;
}
