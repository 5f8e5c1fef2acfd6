//! SBI, "Debug Console Extension". Nothing ever blocks: a call writes at most [`CHUNK`] bytes, and reads what has
//! been typed.

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;
use crate::memory::Access;
use crate::profile::policy::ConsoleHigh;

/// The extension.
pub static EXTENSION: Extension = Extension::new(0x4442_434e, "DBCN", FUNCTIONS);

const BUFFER: &[&str] = &["num_bytes", "base_addr_lo", "base_addr_hi"];

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_debug_console_write", BUFFER, |c| write(c).into()),
    function(1, "sbi_debug_console_read", BUFFER, |c| read(c).into()),
    function(2, "sbi_debug_console_write_byte", &["byte"], write_byte),
];

/// Bytes that one call moves at most; the rest is the caller's to ask for again, as with every non-blocking device.
const CHUNK: u64 = 4096;

/// The buffer of the call, all of it main memory that the caller may access so: its address, and how much of it this call moves.
fn buffer(c: &Call<'_, '_>, access: Access) -> Result<(u64, usize), SbiError> {
    let [len, low, high, ..] = c.args;
    if high != 0 && c.rules.policies.console_high == ConsoleHigh::Failed {
        return Err(SbiError::Failed);
    }
    let at = c.shared(low, high, len, 1, access).ok_or(SbiError::InvalidParam)?;
    Ok((at, len.min(CHUNK) as usize))
}

/// SBI, "Console Write" (FID 0).
fn write(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let (at, len) = buffer(c, Access::Read)?;
    let mut bytes = [0; CHUNK as usize];
    let bytes = &mut bytes[..len];
    if !c.read_bytes(at, bytes) {
        return Err(SbiError::InvalidParam);
    }
    c.platform.console_out.extend_from_slice(bytes);
    Ok(len as u64)
}

/// SBI, "Console Read" (FID 1).
fn read(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let (at, len) = buffer(c, Access::Write)?;
    let n = c.platform.console_in.len().min(len);
    let bytes: Vec<u8> = c.platform.console_in.drain(..n).collect();
    c.write_bytes(at, &bytes);
    Ok(n as u64)
}

/// SBI, "Console Write Byte" (FID 2).
fn write_byte(c: &mut Call<'_, '_>) -> Outcome {
    c.platform.console_out.push(c.args[0] as u8);
    Outcome::Return(Ok(0))
}
