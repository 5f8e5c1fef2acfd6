//! Behaviour of every device: what all have in common here, each device's clauses in its own file.

use proptest::prelude::*;

use super::state::{Restorer, Saver};
use super::virtio::{Block, Console, MemoryDisk, Overlay, Rng, VirtioMmio};
use super::*;
use crate::bus::{Clock, Request};
use crate::mem::Ram;

mod clint;
mod htif;
mod plic;
mod reri;
mod rtc;
mod uart;
mod virtio;

pub(super) const RAM: u64 = 0x8000_0000;
pub(super) const RAM_SIZE: u64 = 1 << 20;

/// The part of a machine that a device sees.
pub(super) struct Rig {
    pub ram: Ram,
    pub clock: Clock,
    pub now: u64,
    pub request: Option<Request>,
    pub code_writes: Vec<u64>,
}

impl Rig {
    pub fn new() -> Rig {
        let clock = Clock { cycle_hz: 1_000_000_000, timebase_hz: 10_000_000, offset: 0 };
        Rig { ram: Ram::new(RAM, RAM_SIZE), clock, now: 0, request: None, code_writes: Vec::new() }
    }

    pub fn cx(&mut self) -> DevCx<'_> {
        DevCx {
            ram: &mut self.ram,
            clock: &mut self.clock,
            now: self.now,
            request: &mut self.request,
            code_writes: &mut self.code_writes,
        }
    }

    pub fn read(&mut self, d: &mut dyn Device, offset: u64, size: u8) -> u64 {
        d.read(offset, size, &mut self.cx()).expect("readable")
    }

    pub fn write(&mut self, d: &mut dyn Device, offset: u64, size: u8, v: u64) {
        d.write(offset, size, v, &mut self.cx()).expect("writable");
    }
}

pub(super) fn save(d: &mut dyn Device) -> Vec<u8> {
    let mut s = Saver::default();
    d.state(&mut s);
    s.0
}

/// One thing that can happen to a device.
#[derive(Clone, Debug)]
enum Op {
    Read { offset: u64, size: u8 },
    Write { offset: u64, size: u8, value: u64 },
    Wait(u64),
}

/// Accesses that prefer the first registers and small values, where the meaning is.
fn ops(window: u64) -> impl Strategy<Value = Vec<Op>> {
    let size = prop_oneof![4 => Just(4u8), 1 => Just(1), 1 => Just(2), 1 => Just(8)];
    let offset = prop_oneof![4 => 0..window.min(0x200), 1 => 0..window];
    let value = prop_oneof![4 => 0..16u64, 2 => (0..64u32).prop_map(|b| 1 << b), 1 => any::<u64>()];
    let op = prop_oneof![
        4 => (offset.clone(), size.clone()).prop_map(|(o, size)| Op::Read { offset: o & !(u64::from(size) - 1), size }),
        6 => (offset, size, value).prop_map(|(o, size, value)| Op::Write { offset: o & !(u64::from(size) - 1), size, value }),
        1 => prop_oneof![0..1000u64, any::<u64>()].prop_map(Op::Wait),
    ];
    prop::collection::vec(op, 0..200)
}

/// Carries out operations and returns all that a guest could have seen.
fn run(d: &mut dyn Device, rig: &mut Rig, ops: &[Op]) -> Vec<String> {
    ops.iter()
        .map(|op| {
            let seen = match *op {
                Op::Read { offset, size } => format!("{:x?}", d.read(offset, size, &mut rig.cx())),
                Op::Write { offset, size, value } => format!("{:x?}", d.write(offset, size, value, &mut rig.cx())),
                Op::Wait(n) => {
                    rig.now = rig.now.saturating_add(n);
                    d.advance(&mut rig.cx());
                    String::new()
                }
            };
            format!("{seen} irq {} next {:?} request {:?}", d.irq(), d.next_event(&rig.cx()), rig.request)
        })
        .collect()
}

/// What every device promises: any access is answered or refused, never a panic; a restored device cannot be told from the
/// original; any bytes at all can be restored.
macro_rules! device_contract {
    ($($name:ident: $window:expr, $make:expr;)*) => { $(mod $name {
        use super::*;

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(128))]

            #[test]
            fn a_restored_device_behaves_as_the_original(before in ops($window), after in ops($window)) {
                let (mut a, mut rig) = ($make, Rig::new());
                run(&mut a, &mut rig, &before);
                let saved = save(&mut a);
                prop_assert_eq!(&save(&mut a), &saved, "saving changes the device");
                let mut b = $make;
                let mut restorer = Restorer::new(&saved);
                b.state(&mut restorer);
                prop_assert!(restorer.complete());
                prop_assert_eq!(&save(&mut b), &saved);
                let mut twin = Rig { ram: rig.ram.clone(), code_writes: Vec::new(), ..rig };
                prop_assert_eq!(run(&mut a, &mut rig, &after), run(&mut b, &mut twin, &after));
                prop_assert_eq!(save(&mut a), save(&mut b));
            }

            #[test]
            fn any_bytes_can_be_restored(bytes in prop::collection::vec(any::<u8>(), 0..2000), after in ops($window)) {
                let (mut d, mut rig) = ($make, Rig::new());
                d.state(&mut Restorer::new(&bytes));
                run(&mut d, &mut rig, &after);
            }
        }
    })* };
}

device_contract! {
    finisher: 0x1000, Finisher;
    goldfish: 0x1000, Rtc::new(1_700_000_000_000_000_000);
    aclint: 0x1_0000, Clint::new(4);
    sswi: 0x4000, Sswi::new(4);
    plic_device: 0x60_0000, Plic::new(4);
    error_bank: 0x1000, Reri::new(2);
    serial: 0x100, Uart::new();
    virtio_empty: 0x1000, VirtioMmio::empty(0);
    virtio_block: 0x1000, VirtioMmio::new(0, Block::new(Box::new(Overlay::new(Box::new(MemoryDisk::new(vec![7; 8192])))), false, "d"), 100);
    virtio_console: 0x1000, VirtioMmio::new(0, Console::new(), 100);
    virtio_rng: 0x1000, VirtioMmio::new(0, Rng::new(1), 100);
}

#[test]
fn finisher_values_are_power_off_failure_with_code_and_reset() {
    let (mut d, mut rig) = (Finisher, Rig::new());
    for (value, request) in [
        (0x5555, Some(Request::PowerOff(0))),
        (0x3333 | 7 << 16, Some(Request::PowerOff(7))),
        (0x7777, Some(Request::Reset)),
        (0x1234, None),
    ] {
        rig.request = None;
        rig.write(&mut d, 0, 4, value);
        assert_eq!(rig.request, request, "{value:#x}");
    }
    rig.request = None;
    rig.write(&mut d, 4, 4, 0x5555);
    assert_eq!(rig.request, None, "the register is the first word only");
}
