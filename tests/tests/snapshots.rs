//! Snapshots: a machine that was saved and loaded goes on as if nobody had stopped it; what is not a whole snapshot is refused.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

mod random;

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd, Stop};
use replay::ReplayError;
use replay::bytes::{CHECK, put};
use replay::diff::diff;
use replay::framed::put_chunk;
use replay::log::{Header, Image};
use replay::packed::pack;
use replay::snapshot::{Parent, Snapshot, save};
use sbi_model::profile::Profile;
use sbi_model::{Config, Sbi};

use random::{ENGINES, Random, machine, program};

fn header() -> Header {
    Header::new("test = 1\n".into(), vec![Image { role: "kernel".into(), name: "k".into(), size: 3, hash: [7; 32] }])
}

/// The machine saved against a base.
fn saved(m: &mut Machine, base: &Machine, parent: Option<Parent>) -> Vec<u8> {
    let mut bytes = Vec::new();
    save(m, &base.bus().ram, header(), parent, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_loaded_machine_goes_on_as_the_saved_one_at_any_point_with_all_devices_on_both_engines() {
    let mut r = Random(0x5a7e);
    for round in 0..16 {
        let code = program(&mut r, 500);
        let (harts, quantum) = ([1, 3][round % 2], [50, 1000][round / 2 % 2]);
        let (cut, more, end) = (r.below(3000) as u64, r.below(2000) as u64, 7000);
        for engine in ENGINES {
            let new = || machine(engine, harts, quantum, &code);
            let (mut straight, mut m) = (new(), new());
            for m in [&mut straight, &mut m] {
                m.console_input(b"typed, more than the UART's FIFO has room for");
            }
            m.run_until(&Stop { instret: cut, cycles: end, ..Stop::NEVER });
            let first = saved(&mut m, &new(), None);
            // A second one as a difference to the first, on the other engine's way.
            let mut loaded = new();
            loaded.set_engine(ENGINES[round % 2]);
            Snapshot::read(&first).unwrap().apply(&mut loaded).unwrap();
            let base = loaded.fork().unwrap();
            loaded.run_until(&Stop { instret: cut + more, cycles: end, ..Stop::NEVER });
            let parent = Parent { id: Snapshot::read(&first).unwrap().id, name: "first".into() };
            let second = saved(&mut loaded, &base, Some(parent.clone()));
            let mut again = new();
            Snapshot::read(&first).unwrap().apply(&mut again).unwrap();
            let second = Snapshot::read(&second).unwrap();
            assert_eq!(second.about.parent, Some(parent));
            second.apply(&mut again).unwrap();
            let ends: Vec<RunEnd> = [&mut straight, &mut loaded, &mut again].map(|m| m.run(end)).into();
            let printed = straight.take_console_output();
            for (other, text) in [(&mut loaded, "loaded once"), (&mut again, "loaded twice")] {
                let d = diff(&mut straight, other, 5);
                assert!(d.is_empty(), "program {round}, cut {cut}, {engine:?}, {harts} harts, {text}: {d:#?}");
                assert_eq!(printed, other.take_console_output());
            }
            assert!(ends.iter().all(|e| *e == ends[0]), "program {round}, {engine:?}: {ends:?}");
        }
    }
}

const SSE: &[u8] = include_bytes!("../../roms/sse/spv-stale.elf");

fn with_firmware(engine: EngineKind, pause: u64) -> Machine {
    let board = board::Config { harts: 2, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::Native, kernel: Some(File { name: "spv-stale.elf", bytes: SSE }), ..Images::default() };
    let firmware = Sbi::new(Config::new(Profile::find("opensbi-1.9").unwrap()));
    let mut m =
        Machine::new(MachineConfig { board, engine, quantum: 200 }, Vec::new(), &images, Some(Box::new(firmware))).unwrap();
    m.inject("pause", &[pause]).unwrap();
    m
}

#[test]
fn native_firmware_is_saved_in_the_middle_of_its_operations() {
    let mut inside = 0;
    for pause in [3, 70] {
        let mut straight = with_firmware(EngineKind::Block, pause);
        let ended = straight.run(u64::MAX);
        let (hash, total) = (straight.state_hash(), straight.elapsed());
        assert!(matches!(ended, RunEnd::PowerOff(_)), "{ended:?}");
        for cut in (0..total).step_by(37) {
            let mut m = with_firmware(ENGINES[cut as usize % 2], pause);
            if m.run_until(&Stop { elapsed: cut, ..Stop::NEVER }) != RunEnd::Limit {
                break;
            }
            inside += usize::from(m.firmware_pending() != 0);
            let bytes = saved(&mut m, &with_firmware(EngineKind::Step, pause), None);
            let mut n = with_firmware(EngineKind::Block, pause);
            Snapshot::read(&bytes).unwrap().apply(&mut n).unwrap();
            assert_eq!(n.run(u64::MAX), ended, "saved at {cut}");
            assert_eq!(n.state_hash(), hash, "saved at {cut}");
        }
    }
    assert!(inside > 10, "{inside} snapshots were taken inside of an operation");
}

#[test]
fn what_is_not_a_whole_snapshot_is_refused_with_the_place() {
    let mut m = machine(EngineKind::Block, 2, 100, &program(&mut Random(9), 200));
    m.run(3000);
    let bytes = saved(&mut m, &machine(EngineKind::Block, 2, 100, &[]), None);
    let refused = |b: &[u8]| match Snapshot::read(b) {
        Err(e) => e.to_string(),
        Ok(s) => s.apply(&mut machine(EngineKind::Block, 2, 100, &[])).unwrap_err().to_string(),
    };
    for cut in (0..bytes.len()).step_by(11) {
        assert!(Snapshot::read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    for at in (0..bytes.len()).step_by(13) {
        let mut b = bytes.clone();
        b[at] ^= 0x10;
        let e = refused(&b);
        assert!(e.contains("remedy"), "byte {at}: {e}");
    }
    let mut other = bytes.clone();
    other[8] = 9;
    assert!(matches!(Snapshot::read(&other), Err(ReplayError::Version { .. })));
    let mut more = bytes.clone();
    more.push(0);
    assert!(refused(&more).contains("after the end"));
    // A chunk may hold a MiB of pages; one that announces more is refused before anything is unpacked.
    // The last chunk: its kind, four bytes of length, two numbers, the checksum.
    let is_end = |at: &usize| bytes[*at] == 4 && usize::from(bytes[at + 1]) == bytes.len() - CHECK - at - 5;
    let end_at = (0..bytes.len() - CHECK - 5).rev().find(is_end).unwrap();
    let mut large = bytes[..end_at].to_vec();
    let mut before = [0; CHECK];
    before.copy_from_slice(&large[large.len() - CHECK..]);
    let mut p = Vec::new();
    put(&mut p, 257);
    p.extend_from_slice(&[0; 257]);
    p.extend_from_slice(&pack(&vec![1; 257 * 4096]));
    let before = put_chunk(&mut large, &before, 2, &p);
    put_chunk(&mut large, &before, 4, &bytes[end_at + 5..bytes.len() - CHECK]);
    assert!(refused(&large).contains("257 pages in one chunk"), "{}", refused(&large));
    // Another machine: fewer harts, and less memory.
    let e = Snapshot::read(&bytes).unwrap().apply(&mut machine(EngineKind::Block, 1, 100, &[])).unwrap_err();
    assert!(e.to_string().contains("of another machine"), "{e}");
    // The right shape, but RAM began otherwise in a page that was never written.
    let mut other = machine(EngineKind::Block, 2, 100, &[]);
    assert!(other.bus_mut().ram.write_bytes(random::CODE + 0x50_0000, &[1], &mut Vec::new()));
    let e = Snapshot::read(&bytes).unwrap().apply(&mut other).unwrap_err();
    assert!(e.to_string().contains("not the one that was saved"), "{e}");
}
