//! "VIRTIO 1.2": transport, split virtqueue, block, console, entropy. The driver here is written from the specification.

use super::*;
use crate::dev::virtio::queue::MAX_SIZE;
use crate::dev::virtio::{BlockBackend, BlockError, Model};

const DESC: u64 = RAM + 0x1_0000;
const AVAIL: u64 = RAM + 0x1_2000;
const USED: u64 = RAM + 0x1_3000;
const DATA: u64 = RAM + 0x2_0000;
const LATENCY: u64 = 100;

const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;

const EVENT_IDX: u64 = 1 << 29;
const VERSION_1: u64 = 1 << 32;
const DRIVER_OK: u64 = 4;
const NEEDS_RESET: u64 = 64;

/// A device with a driver bound to it and queue `index` set up.
struct Driver<M> {
    dev: VirtioMmio<M>,
    rig: Rig,
    size: u16,
    avail: u16,
}

impl<M: Model + 'static> Driver<M> {
    fn bind(model: M, index: u64, size: u16, features: u64) -> Driver<M> {
        let mut d = Driver { dev: VirtioMmio::new(0x1000_1000, model, LATENCY), rig: Rig::new(), size, avail: 0 };
        d.set(0x70, 1);
        d.set(0x70, 3);
        for (select, half) in [(0, features & 0xffff_ffff), (1, features >> 32)] {
            d.set(0x24, select);
            d.set(0x20, half);
        }
        d.set(0x70, 11);
        assert_eq!(d.get(0x70) & 8, 8, "FEATURES_OK");
        d.set(0x30, index);
        assert_eq!(d.get(0x34), u64::from(MAX_SIZE));
        d.set(0x38, u64::from(size));
        for (reg, at) in [(0x80, DESC), (0x90, AVAIL), (0xa0, USED)] {
            d.set(reg, at & 0xffff_ffff);
            d.set(reg + 4, at >> 32);
        }
        d.set(0x44, 1);
        d.set(0x70, 15);
        d
    }

    fn get(&mut self, reg: u64) -> u64 {
        self.rig.read(&mut self.dev, reg, 4)
    }

    fn set(&mut self, reg: u64, v: u64) {
        self.rig.write(&mut self.dev, reg, 4, v);
    }

    fn poke(&mut self, at: u64, bytes: &[u8]) {
        assert!(self.rig.ram.write_bytes(at, bytes, &mut Vec::new()), "{at:#x}");
    }

    fn peek<const N: usize>(&self, at: u64) -> [u8; N] {
        let mut b = [0; N];
        assert!(self.rig.ram.read_bytes(at, &mut b));
        b
    }

    fn desc(&mut self, table: u64, i: u16, (addr, len, flags, next): (u64, u32, u16, u16)) {
        let mut b = addr.to_le_bytes().to_vec();
        b.extend(len.to_le_bytes());
        b.extend(flags.to_le_bytes());
        b.extend(next.to_le_bytes());
        self.poke(table + 16 * u64::from(i), &b);
    }

    fn offer(&mut self, head: u16) {
        let slot = u64::from(self.avail % self.size);
        self.poke(AVAIL + 4 + 2 * slot, &head.to_le_bytes());
        self.avail = self.avail.wrapping_add(1);
        self.poke(AVAIL + 2, &self.avail.to_le_bytes());
    }

    fn used_idx(&self) -> u16 {
        u16::from_le_bytes(self.peek(USED + 2))
    }

    fn used(&self, i: u64) -> (u32, u32) {
        let b: [u8; 8] = self.peek(USED + 4 + 8 * i);
        (u32::from_le_bytes([b[0], b[1], b[2], b[3]]), u32::from_le_bytes([b[4], b[5], b[6], b[7]]))
    }

    fn kick(&mut self, queue: u64) {
        self.set(0x50, queue);
        self.settle();
    }

    /// Lets time pass until the device has nothing to do.
    fn settle(&mut self) {
        for _ in 0..4 {
            let Some(at) = self.dev.next_event(&self.rig.cx()) else { return };
            self.rig.now = self.rig.now.max(at);
            self.dev.advance(&mut self.rig.cx());
        }
        panic!("the device always has something to do");
    }

    /// Sends one block request: header, data buffer, status byte. Returns the status.
    fn block(&mut self, kind: u32, sector: u64, data: (u64, u32), device_writes: bool) -> u8 {
        let mut header = kind.to_le_bytes().to_vec();
        header.extend([0; 4]);
        header.extend(sector.to_le_bytes());
        self.poke(DATA, &header);
        self.poke(DATA + 16, &[0xee]);
        self.desc(DESC, 0, (DATA, 16, NEXT, 1));
        self.desc(DESC, 1, (data.0, data.1, NEXT | if device_writes { WRITE } else { 0 }, 2));
        self.desc(DESC, 2, (DATA + 16, 1, WRITE, 0));
        self.offer(0);
        self.kick(0);
        self.peek::<1>(DATA + 16)[0]
    }
}

fn disk() -> Block {
    let image = (0..8u8).flat_map(|i| [i; 512]).collect();
    Block::new(Box::new(Overlay::new(Box::new(MemoryDisk::new(image)))), false, "serial")
}

/// "4.2.2.2": the driver must not change an enabled queue; "3.1.1": nor the features once the device has taken them.
#[test]
fn an_enabled_queue_and_accepted_features_stay_as_they_are() {
    let mut d = Driver::bind(disk(), 0, 8, VERSION_1);
    for (reg, v) in [(0x38, 3), (0x80, 4), (0x90, 4), (0xa0, 4), (0x24, 0), (0x20, EVENT_IDX)] {
        d.set(reg, v);
    }
    // With the event index the device would look for the driver's wish behind the ring, where it finds another.
    d.set(0x70, 15);
    d.poke(AVAIL + 4 + 2 * 8, &100u16.to_le_bytes());
    assert_eq!(d.block(0, 2, (DATA + 512, 512), true), 0);
    assert_eq!((d.used_idx(), d.get(0x60)), (1, 1), "done, and an interrupt");
    assert_eq!(d.peek::<4>(DATA + 512), [2; 4]);
}

#[test]
fn identification_registers_are_those_of_a_modern_transport() {
    let (mut d, mut rig) = (VirtioMmio::new(0, disk(), LATENCY), Rig::new());
    assert_eq!([0, 4, 8, 12].map(|r| rig.read(&mut d, r, 4)), [0x7472_6976, 2, 2, 0x554d_4551]);
    assert_eq!(rig.read(&mut d, 0x100, 8), 8, "capacity in sectors");
    let (mut none, mut rig) = (VirtioMmio::empty(0), Rig::new());
    assert_eq!(rig.read(&mut none, 8, 4), 0, "no device");
}

/// "2.2.2": FEATURES_OK is for a subset of what is offered. "6.1": without VERSION_1 a device may go on, and drivers of small systems
/// that never look at the upper half of the features need that.
#[test]
fn features_ok_is_refused_for_unknown_features_but_not_without_version_1() {
    for (features, ok) in [(0, true), (VERSION_1, true), (VERSION_1 | 1 << 63, false), (1 << 9, false), (EVENT_IDX, true)] {
        let (mut d, mut rig) = (VirtioMmio::new(0, Rng::new(0), 0), Rig::new());
        for (select, half) in [(0, features & 0xffff_ffff), (1u64, features >> 32)] {
            rig.write(&mut d, 0x24, 4, select);
            rig.write(&mut d, 0x20, 4, half);
        }
        rig.write(&mut d, 0x70, 4, 11);
        assert_eq!(rig.read(&mut d, 0x70, 4) & 8 != 0, ok, "{features:#x}");
    }
}

#[test]
fn a_block_request_completes_at_its_time_and_interrupts() {
    let mut d = Driver::bind(disk(), 0, 8, VERSION_1);
    let header = [0u8; 16];
    d.poke(DATA, &header);
    d.desc(DESC, 0, (DATA, 16, NEXT, 1));
    d.desc(DESC, 1, (DATA + 0x1000, 512, NEXT | WRITE, 2));
    d.desc(DESC, 2, (DATA + 16, 1, WRITE, 0));
    d.offer(0);
    d.rig.now = 1000;
    d.set(0x50, 0);
    assert_eq!(d.dev.next_event(&d.rig.cx()), Some(1000 + LATENCY));
    d.rig.now = 1000 + LATENCY - 1;
    d.dev.advance(&mut d.rig.cx());
    assert_eq!((d.used_idx(), d.dev.irq()), (0, false));
    d.rig.now += 1;
    d.dev.advance(&mut d.rig.cx());
    assert_eq!((d.used_idx(), d.dev.irq()), (1, true));
    assert_eq!(d.used(0), (0, 513));
    assert_eq!(d.get(0x60), 1);
    d.set(0x64, 1);
    assert!(!d.dev.irq());
}

#[test]
fn blocks_are_read_written_flushed_and_identified() {
    let mut d = Driver::bind(disk(), 0, 8, VERSION_1);
    let buf = DATA + 0x1000;
    assert_eq!(d.block(0, 3, (buf, 1024), true), 0);
    assert_eq!((d.peek::<1>(buf), d.peek::<1>(buf + 512)), ([3], [4]));
    d.poke(buf, &[9; 512]);
    assert_eq!(d.block(1, 5, (buf, 512), false), 0);
    assert_eq!(d.block(0, 4, (buf, 1536), true), 0);
    assert_eq!([0, 512, 1024].map(|o| d.peek::<1>(buf + o)[0]), [4, 9, 6], "the overlay covers one sector");
    assert_eq!(d.block(8, 0, (buf, 20), true), 0);
    assert_eq!(d.peek::<7>(buf), *b"serial\0");
    assert_eq!(d.block(99, 0, (buf, 20), true), 2, "UNSUPP");
}

#[test]
fn a_driver_without_version_1_is_served_too() {
    let mut d = Driver::bind(disk(), 0, 8, 0);
    assert_eq!(d.block(0, 3, (DATA + 0x1000, 512), true), 0);
    assert_eq!((d.used_idx(), d.peek::<1>(DATA + 0x1000)), (1, [3]));
}

#[test]
fn blocks_beyond_the_end_odd_lengths_and_writes_to_a_read_only_disk_are_io_errors() {
    let mut d = Driver::bind(disk(), 0, 8, VERSION_1);
    let buf = DATA + 0x1000;
    for (sector, len) in [(8, 512), (7, 1024), (u64::MAX, 512), (u64::MAX - 1, 1024), (0, 100)] {
        assert_eq!(d.block(0, sector, (buf, len), true), 1, "{sector:#x} {len}");
    }
    let locked = Block::new(Box::new(MemoryDisk::new(vec![0; 4096])), true, "");
    let mut d = Driver::bind(locked, 0, 8, VERSION_1 | 1 << 5);
    assert_eq!(d.block(1, 0, (buf, 512), false), 1);
}

/// "2.7.8.2": the device writes at least `len` bytes, beginning at the first device-writable buffer.
#[test]
fn the_used_length_counts_no_byte_that_was_not_written() {
    let mut d = Driver::bind(disk(), 0, 8, VERSION_1);
    let buf = DATA + 0x1000;
    for (n, (kind, sector, len, used)) in
        [(0, 1, 1024, 1025), (0, 8, 512, 0), (99, 0, 512, 0), (8, 0, 20, 21), (8, 0, 40, 20), (4, 0, 0, 1)]
            .into_iter()
            .enumerate()
    {
        d.block(kind, sector, (buf, len), true);
        assert_eq!(d.used(n as u64), (0, used), "kind {kind}, sector {sector}, {len} bytes");
    }
}

#[test]
fn the_base_of_an_overlay_is_never_written() {
    struct ReadOnly(MemoryDisk);
    impl BlockBackend for ReadOnly {
        fn sectors(&self) -> u64 {
            self.0.sectors()
        }
        fn read(&mut self, sector: u64, buf: &mut [u8]) -> Result<(), BlockError> {
            self.0.read(sector, buf)
        }
        fn write(&mut self, _: u64, _: &[u8]) -> Result<(), BlockError> {
            panic!("the base was written");
        }
        fn fork(&self) -> Option<Box<dyn BlockBackend>> {
            None
        }
        fn state(&mut self, _: &mut dyn StateIo) {}
    }
    let mut o = Overlay::new(Box::new(ReadOnly(MemoryDisk::new(vec![1; 4096]))));
    o.write(2, &[5; 1024]).unwrap();
    let mut b = [0; 2048];
    o.read(1, &mut b).unwrap();
    assert_eq!([b[0], b[512], b[1024], b[1536]], [1, 5, 5, 1]);
    assert_eq!(o.written(), 2);
}

#[test]
fn an_indirect_table_is_followed() {
    let mut d = Driver::bind(disk(), 0, 8, VERSION_1 | 1 << 28);
    let table = DATA + 0x4000;
    d.poke(DATA, &[0; 16]);
    d.desc(table, 0, (DATA, 16, NEXT, 1));
    d.desc(table, 1, (DATA + 0x1000, 512, NEXT | WRITE, 2));
    d.desc(table, 2, (DATA + 16, 1, WRITE, 0));
    d.desc(DESC, 3, (table, 48, INDIRECT, 0));
    d.offer(3);
    d.kick(0);
    assert_eq!((d.used_idx(), d.used(0)), (1, (3, 513)));
}

#[test]
fn event_index_suppresses_interrupts_until_the_driver_wants_one() {
    let mut d = Driver::bind(Rng::new(0), 0, 4, VERSION_1 | EVENT_IDX);
    d.desc(DESC, 0, (DATA, 8, WRITE, 0));
    // used_event = 2: interrupt when the third buffer is given back.
    d.poke(AVAIL + 4 + 2 * 4, &2u16.to_le_bytes());
    let seen: Vec<bool> = (0..4)
        .map(|_| {
            d.offer(0);
            d.kick(0);
            let irq = d.dev.irq();
            d.set(0x64, 1);
            irq
        })
        .collect();
    assert_eq!(seen, [false, false, true, false]);
    assert_eq!(u16::from_le_bytes(d.peek(USED + 4 + 8 * 4)), 4, "avail_event asks for the next one");
}

#[test]
fn the_driver_can_suppress_interrupts_by_flag() {
    let mut d = Driver::bind(Rng::new(0), 0, 4, VERSION_1);
    d.desc(DESC, 0, (DATA, 8, WRITE, 0));
    d.poke(AVAIL, &1u16.to_le_bytes());
    d.offer(0);
    d.kick(0);
    assert_eq!((d.used_idx(), d.dev.irq()), (1, false));
}

#[test]
fn the_ring_wraps() {
    let mut d = Driver::bind(Rng::new(0), 0, 2, VERSION_1);
    d.desc(DESC, 1, (DATA, 4, WRITE, 0));
    d.avail = 0;
    for i in 1..=70_000u32 {
        d.offer(1);
        d.kick(0);
        assert_eq!(d.used_idx(), i as u16);
    }
}

#[test]
fn entropy_is_a_function_of_the_seed_and_never_repeats_itself() {
    let draw = |seed| {
        let mut d = Driver::bind(Rng::new(seed), 0, 4, VERSION_1);
        d.desc(DESC, 0, (DATA, 64, WRITE, 1));
        d.offer(0);
        d.kick(0);
        let first: [u8; 64] = d.peek(DATA);
        d.offer(0);
        d.kick(0);
        (first, d.peek::<64>(DATA))
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_ne!(draw(1).0, draw(1).1);
}

#[test]
fn console_output_is_collected_and_input_waits_for_a_buffer() {
    let mut d = Driver::bind(Console::new(), 1, 4, VERSION_1);
    d.poke(DATA, b"hello");
    d.desc(DESC, 0, (DATA, 5, 0, 0));
    d.offer(0);
    d.kick(1);
    assert_eq!(d.dev.model().unwrap().take_output(), b"hello");

    let mut d = Driver::bind(Console::new(), 0, 4, VERSION_1);
    assert_eq!(d.dev.model().unwrap().push_input(b"typed"), 5);
    d.settle();
    assert_eq!(d.used_idx(), 0, "no buffer yet");
    d.desc(DESC, 0, (DATA, 3, WRITE, 0));
    d.desc(DESC, 1, (DATA + 3, 3, WRITE, 0));
    d.offer(0);
    d.offer(1);
    d.kick(0);
    assert_eq!((d.used(0), d.used(1)), ((0, 3), (1, 2)));
    assert_eq!(d.peek::<5>(DATA), *b"typed");
    assert_eq!(d.dev.model().unwrap().push_input(b"!"), 1);
    d.offer(0);
    d.settle();
    assert_eq!(d.used_idx(), 3, "input that comes later needs no notification");
}

/// Buffers may overlap, so that a queue of them holds more than memory: the device takes what it can keep and goes on when that is gone.
#[test]
fn console_output_that_nobody_takes_holds_up_what_follows() {
    let mut d = Driver::bind(Console::new(), 1, 8, VERSION_1);
    for i in 0..8 {
        d.desc(DESC, i, (RAM, 512 << 10, if i < 7 { NEXT } else { 0 }, i + 1));
    }
    d.offer(0);
    d.offer(0);
    d.set(0x50, 1);
    d.rig.now += LATENCY;
    d.dev.advance(&mut d.rig.cx());
    assert_eq!(d.used_idx(), 1);
    assert_eq!(d.dev.model().unwrap().take_output().len(), 4 << 20);
    assert_eq!(d.dev.next_event(&d.rig.cx()), Some(d.rig.now));
    d.dev.advance(&mut d.rig.cx());
    assert_eq!((d.used_idx(), d.dev.model().unwrap().take_output().len()), (2, 4 << 20));
    d.settle();
}

#[test]
fn reset_returns_the_device_to_its_first_state() {
    let mut d = Driver::bind(Rng::new(0), 0, 4, VERSION_1);
    d.desc(DESC, 0, (DATA, 8, WRITE, 0));
    d.offer(0);
    d.set(0x50, 0);
    d.set(0x70, 0);
    assert_eq!(save(&mut d.dev), save(&mut VirtioMmio::new(0, Rng::new(0), LATENCY)));
}

/// What a driver may do wrong, and the rule the device names.
#[test]
fn a_driver_that_breaks_the_ring_makes_the_device_need_a_reset() {
    type Break = fn(&mut Driver<Block>);
    let cases: [(&str, Break); 12] = [
        ("beyond the table", |d| d.offer(77)),
        ("longer than the queue", |d| {
            d.desc(DESC, 0, (DATA, 16, NEXT, 1));
            d.desc(DESC, 1, (DATA, 16, NEXT, 0));
            d.offer(0);
        }),
        ("outside of main memory", |d| {
            d.desc(DESC, 0, (0x1000, 16, 0, 0));
            d.offer(0);
        }),
        ("outside of main memory", |d| {
            d.desc(DESC, 0, (RAM + RAM_SIZE - 8, 16, 0, 0));
            d.offer(0);
        }),
        ("outside of main memory", |d| {
            d.desc(DESC, 0, (u64::MAX - 4, 16, 0, 0));
            d.offer(0);
        }),
        ("more than 64 MiB", |d| {
            d.desc(DESC, 0, (DATA, u32::MAX, 0, 0));
            d.offer(0);
        }),
        ("after a device-writable", |d| {
            d.desc(DESC, 0, (DATA, 16, NEXT | WRITE, 1));
            d.desc(DESC, 1, (DATA, 16, 0, 0));
            d.offer(0);
        }),
        ("wrong length", |d| {
            d.desc(DESC, 0, (DATA, 17, INDIRECT, 0));
            d.offer(0);
        }),
        ("where none may be", |d| {
            d.desc(DESC, 0, (DESC, 32, INDIRECT, 0));
            d.offer(0);
        }),
        ("more requests available", |d| d.poke(AVAIL + 2, &999u16.to_le_bytes())),
        ("without header", |d| {
            d.desc(DESC, 0, (DATA, 8, NEXT, 1));
            d.desc(DESC, 1, (DATA, 1, WRITE, 0));
            d.offer(0);
        }),
        ("without room for its status", |d| {
            d.desc(DESC, 0, (DATA, 16, 0, 0));
            d.offer(0);
        }),
    ];
    for (rule, breaks) in cases {
        let mut d = Driver::bind(disk(), 0, 8, VERSION_1);
        breaks(&mut d);
        d.kick(0);
        assert_eq!(d.get(0x70), 15 | NEEDS_RESET, "{rule}");
        assert_eq!(d.get(0x60), 2, "a configuration change tells the driver");
        assert!(d.dev.fault().is_some_and(|f| f.to_string().contains(rule)), "{rule}: {:?}", d.dev.fault());
        d.offer(0);
        d.kick(0);
        assert_eq!(d.used_idx(), 0, "and nothing works until it resets");
        d.set(0x70, 0);
        assert_eq!(d.get(0x70), 0);
    }
}

#[test]
fn misaligned_or_oversized_queues_are_refused_when_used() {
    for (reg, v) in [(0x38, 3), (0x38, 0), (0x38, 512), (0x80, 8), (0x90, 1), (0xa0, 2)] {
        let mut d = Driver::bind(Rng::new(0), 0, 4, VERSION_1);
        d.set(0x44, 0);
        d.set(reg, v);
        d.set(0x44, 1);
        d.offer(0);
        d.kick(0);
        assert_eq!(d.get(0x70) & NEEDS_RESET, NEEDS_RESET, "{reg:#x} {v}");
    }
}

/// A buffer over code: the page is reported, so that stale decoded instructions are dropped.
#[test]
fn a_buffer_written_over_code_is_reported() {
    let mut d = Driver::bind(Rng::new(0), 0, 4, VERSION_1);
    d.poke(DATA, &[1]);
    let _no_pointers_exist = d.rig.ram.set_code(DATA, true);
    d.desc(DESC, 0, (DATA, 8, WRITE, 0));
    d.offer(0);
    d.kick(0);
    assert!(d.rig.code_writes.contains(&(DATA >> 12)));
}

/// Descriptors that are wrong in interesting ways more often than chance would have it.
fn wild_desc() -> impl Strategy<Value = (u64, u32, u16, u16)> {
    let addr = prop_oneof![6 => DATA..DATA + 0x8000, 2 => DESC..USED + 0x100, 1 => any::<u64>()];
    let len = prop_oneof![6 => 0..600u32, 2 => (0..20u32).prop_map(|n| 16 * n), 1 => any::<u32>()];
    (addr, len, prop_oneof![8 => 0..4u16, 2 => 4..8u16], prop_oneof![9 => 0..9u16, 1 => any::<u16>()])
}

/// Lets a device loose on rings full of nonsense; returns whether it gave anything back.
fn nonsense<M: Model + 'static>(model: M, queue: u64, descs: &[(u64, u32, u16, u16)], heads: &[u16], used_at: u64) -> bool {
    let mut d = Driver::bind(model, queue, 8, VERSION_1 | EVENT_IDX);
    d.set(0x44, 0);
    d.set(0xa0, used_at & 0xffff_ffff);
    d.set(0x44, 1);
    for (i, desc) in descs.iter().enumerate() {
        d.desc(DESC, i as u16, *desc);
        d.desc(DATA, i as u16, *desc);
    }
    for (i, &h) in heads.iter().enumerate() {
        d.offer(h);
        if i % 3 == 0 {
            d.kick(queue);
        }
    }
    d.kick(queue);
    let idle = d.dev.next_event(&d.rig.cx()).is_none();
    assert!(idle, "comes to rest");
    d.get(0x70) & NEEDS_RESET == 0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nonsense_in_the_rings_never_panics_or_hangs(
        descs in prop::collection::vec(wild_desc(), 8),
        heads in prop::collection::vec(prop_oneof![9 => 0..8u16, 1 => any::<u16>()], 1..12),
        used_at in prop_oneof![8 => Just(USED), 1 => (AVAIL..AVAIL + 32).prop_map(|a| a & !3), 1 => (DESC..DESC + 128).prop_map(|a| a & !3)],
    ) {
        nonsense(disk(), 0, &descs, &heads, used_at);
        nonsense(Rng::new(3), 0, &descs, &heads, used_at);
        nonsense(Console::new(), 1, &descs, &heads, used_at);
        let mut typed = Console::new();
        typed.push_input(&[b'x'; 3000]);
        nonsense(typed, 0, &descs, &heads, used_at);
    }
}

#[test]
fn a_status_written_before_the_features_is_not_enough_to_run() {
    let (mut d, mut rig) = (VirtioMmio::new(0, Rng::new(0), 0), Rig::new());
    rig.write(&mut d, 0x70, 4, DRIVER_OK);
    rig.write(&mut d, 0x50, 4, 0);
    assert!(d.next_event(&rig.cx()).is_none_or(|at| at <= rig.now));
    d.advance(&mut rig.cx());
    assert!(!d.irq());
}
