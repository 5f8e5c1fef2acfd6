//! Forks of a machine: both sides go on as the one would have, and neither sees the other.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self, Drive, map};
use emu_core::dev::virtio::{BlockBackend, BlockError, MemoryDisk};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};

const TOUR: &[u8] = include_bytes!("../../roms/tour/tour.elf");

fn machine(engine: EngineKind, drives: Vec<Drive>) -> Machine {
    let board = board::Config { ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "tour.elf", bytes: TOUR }), ..Images::default() };
    Machine::new(MachineConfig { board, engine, quantum: 1000 }, drives, &images, None).unwrap()
}

#[test]
fn a_fork_goes_on_as_the_machine_itself_at_any_point_on_both_engines() {
    for engine in [EngineKind::Step, EngineKind::Block] {
        let mut straight = machine(engine, Vec::new());
        let mut at = 0;
        let mut forks = Vec::new();
        loop {
            at += 433;
            let end = straight.run(at);
            if end != RunEnd::Limit {
                break;
            }
            let mut fork = straight.fork().unwrap();
            assert_eq!(fork.state_hash(), straight.state_hash());
            forks.push((at, fork));
        }
        assert!(forks.len() > 10);
        let last = straight.state_hash();
        for (at, mut fork) in forks {
            assert_eq!(fork.run(u64::MAX), RunEnd::PowerOff(0), "forked at {at}");
            assert_eq!(fork.state_hash(), last, "forked at {at}");
        }
    }
}

#[test]
fn neither_side_sees_what_the_other_writes() {
    let mut a = machine(EngineKind::Step, Vec::new());
    let at = map::RAM + 0x8_0000;
    assert!(a.bus_mut().ram.write_bytes(at, &[1], &mut Vec::new()));
    let mut b = a.fork().unwrap();
    assert!(a.bus_mut().ram.write_bytes(at, &[2], &mut Vec::new()));
    assert!(b.bus_mut().ram.write_bytes(at, &[3], &mut Vec::new()));
    b.harts_mut()[0].x[5] = 7;
    assert_eq!((a.bus().ram.read(at, 1), b.bus().ram.read(at, 1)), (Some(2), Some(3)));
    assert_ne!(a.harts()[0].x[5], 7);
}

struct HostFile;

impl BlockBackend for HostFile {
    fn sectors(&self) -> u64 {
        8
    }
    fn read(&mut self, _: u64, _: &mut [u8]) -> Result<(), BlockError> {
        Ok(())
    }
    fn write(&mut self, _: u64, _: &[u8]) -> Result<(), BlockError> {
        Ok(())
    }
    fn state(&mut self, _: &mut dyn emu_core::dev::StateIo) {}
    fn fork(&self) -> Option<Box<dyn BlockBackend>> {
        None
    }
}

#[test]
fn a_drive_that_cannot_be_shared_is_named() {
    let drive = |backend: Box<dyn BlockBackend>| Drive { backend, read_only: false, serial: String::new() };
    let memory = machine(EngineKind::Step, vec![drive(Box::new(MemoryDisk::new(vec![0; 4096])))]);
    assert!(memory.fork().is_ok());
    let file = machine(EngineKind::Step, vec![drive(Box::new(HostFile))]);
    let e = file.fork().err().unwrap();
    assert!(e.to_string().contains("virtio_mmio@") && e.to_string().contains("snapshot=on"), "{e}");
}
