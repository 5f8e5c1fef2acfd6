//! SiFive test finisher, which the device tree also presents as a syscon for power off and reboot.

use super::{Device, StateIo};
use crate::bus::{BusError, DevCx, Request};

const FAIL: u64 = 0x3333;
const PASS: u64 = 0x5555;
const RESET: u64 = 0x7777;

/// One 32-bit register: the low half says what to do, the high half is the code of a failure.
#[derive(Clone, Default)]
pub struct Finisher;

impl Device for Finisher {
    fn name(&self) -> &str {
        "test@100000"
    }

    fn read(&mut self, _offset: u64, _size: u8, _cx: &mut DevCx<'_>) -> Result<u64, BusError> {
        Ok(0)
    }

    fn write(&mut self, offset: u64, size: u8, value: u64, cx: &mut DevCx<'_>) -> Result<(), BusError> {
        if offset == 0 && size >= 2 {
            let code = (super::low_bytes(value, size) >> 16) as u32 & 0xffff;
            match value & 0xffff {
                FAIL => *cx.request = Some(Request::PowerOff(code)),
                PASS => *cx.request = Some(Request::PowerOff(0)),
                RESET => *cx.request = Some(Request::Reset),
                _ => {}
            }
        }
        Ok(())
    }

    fn state(&mut self, _io: &mut dyn StateIo) {}

    fn fork(&self) -> Option<Box<dyn Device>> {
        Some(Box::new(self.clone()))
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}
