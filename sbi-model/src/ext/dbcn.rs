//! SBI, "Debug Console Extension". Nothing ever blocks: all bytes are written, and what has been typed is read.

use emu_core::hart::event;

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;

/// The extension.
pub static EXTENSION: Extension = Extension::new(0x4442_434e, "DBCN", FUNCTIONS);

const BUFFER: &[&str] = &["num_bytes", "base_addr_lo", "base_addr_hi"];

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_debug_console_write", BUFFER, write),
    function(1, "sbi_debug_console_read", BUFFER, read),
    function(2, "sbi_debug_console_write_byte", &["byte"], write_byte),
];

/// The buffer of the call: its address and length, all of it in main memory.
fn buffer(c: &Call<'_, '_>) -> Result<(u64, u64), SbiError> {
    let [len, low, high, ..] = c.args;
    if high != 0 || !c.platform.bus.ram.contains(low, len) {
        return Err(SbiError::InvalidParam);
    }
    Ok((low, len))
}

fn write(c: &mut Call<'_, '_>) -> Outcome {
    let (at, len) = match buffer(c) {
        Ok(b) => b,
        Err(e) => return e.into(),
    };
    let mut bytes = [0; 256];
    let mut done = 0;
    while done < len {
        let n = (len - done).min(bytes.len() as u64);
        let part = &mut bytes[..n as usize];
        if !c.platform.bus.ram.read_bytes(at + done, part) {
            return SbiError::InvalidParam.into();
        }
        c.platform.console_out.extend_from_slice(part);
        done += n;
    }
    Outcome::Return(Ok(len))
}

fn read(c: &mut Call<'_, '_>) -> Outcome {
    let (at, len) = match buffer(c) {
        Ok(b) => b,
        Err(e) => return e.into(),
    };
    let n = c.platform.console_in.len().min(usize::try_from(len).unwrap_or(usize::MAX));
    let bytes: Vec<u8> = c.platform.console_in.drain(..n).collect();
    let bus = &mut *c.platform.bus;
    bus.ram.write_bytes(at, &bytes, &mut bus.code_writes);
    let h = &mut c.platform.harts[c.hart];
    h.tlb.sync(&bus.ram);
    if !bus.code_writes.is_empty() {
        h.events |= event::CODE;
    }
    Outcome::Return(Ok(n as u64))
}

fn write_byte(c: &mut Call<'_, '_>) -> Outcome {
    c.platform.console_out.push(c.args[0] as u8);
    Outcome::Return(Ok(0))
}
