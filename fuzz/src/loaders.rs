//! Hostile files through the functions that `trapeze run` loads with: firmware, kernel (ELF, Image, gzip, zstd, zboot), initrd, device
//! tree. Whatever they hold, the answer is a machine or one message with a remedy.

use emu_core::board::load::{Bios, File, Images, symbols};
use emu_core::board::{self, fdt};
use emu_core::firmware::Firmware;
use emu_core::machine::{EngineKind, Machine, MachineConfig};
use sbi_model::Sbi;

use crate::bytes::Bytes;

const FIRMWARE: u8 = 1;
const NATIVE: u8 = 2;
const INITRD: u8 = 4;
const TREE: u8 = 8;
const KERNEL: u8 = 16;
const BOOTARGS: u8 = 32;

/// One input: which files there are, the size of memory, then the files, all but the last behind their 16-bit length.
pub fn run(data: &[u8]) {
    let mut b = Bytes(data);
    let what = b.u8();
    let ram_size = (u64::from(b.u8() & 31) + 1) << 20;
    let mut left = (what & (FIRMWARE | INITRD | TREE | KERNEL)).count_ones();
    let mut file = |bit: u8| {
        if what & bit == 0 {
            return None;
        }
        left -= 1;
        let n = if left == 0 { usize::MAX } else { usize::from(b.u16()) };
        Some(b.take(n))
    };
    let named = |name: &'static str| move |bytes| File { name, bytes };
    let firmware = file(FIRMWARE).map(named("firmware"));
    let initrd = file(INITRD).map(named("initrd"));
    let dtb = file(TREE).map(named("tree"));
    let kernel = file(KERNEL).map(named("kernel"));
    let bios = match firmware {
        Some(f) => Bios::File(f),
        None if what & NATIVE != 0 => Bios::Native,
        None => Bios::None,
    };
    let bootargs = if what & BOOTARGS != 0 { "console=ttyS0 quiet".to_owned() } else { String::new() };
    let native: Option<Box<dyn Firmware>> = match bios {
        Bios::Native => Some(Box::new(Sbi::new(sbi_model::Config::default()))),
        Bios::None | Bios::File(_) => None,
    };
    let board = board::Config { harts: 2, ram_size, ..board::Config::default() };
    for f in [firmware, kernel].into_iter().flatten() {
        // What the disassembler and debuggers read.
        if let Err(e) = symbols(&f) {
            sentence(&e.to_string());
        }
    }
    if let Some(f) = dtb
        && let Ok(tree) = fdt::validate(f.bytes, &board)
    {
        // A tree that was read can be written.
        let _ = tree.to_bytes();
    }
    let images = Images { bios, kernel, initrd, bootargs, dtb, ..Images::default() };
    let config = MachineConfig { board, engine: EngineKind::Block, quantum: 1000 };
    match Machine::new(config, Vec::new(), &images, native) {
        Ok(mut m) => {
            // Whatever was loaded starts to run, and cannot harm the host.
            m.run(2_000);
        }
        Err(e) => sentence(&e.to_string()),
    }
}

/// A message is one line, with a remedy behind its last semicolon or after a colon.
fn sentence(text: &str) {
    assert!(!text.is_empty() && !text.contains('\n'), "not one line: {text:?}");
}
