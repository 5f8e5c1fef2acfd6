//! Domains: memory that PMP and the firmware keep apart, and harts that only their own domain may name.
#![allow(clippy::expect_used)] // tests

mod common;

use common::*;
use emu_core::mmu::Access;
use emu_csr::{Exception, Mode, table};
use proptest::prelude::*;
use sbi_model::Config;
use sbi_model::domain::{Boot, Domain, DomainError, Domains, Region, permission};
use sbi_model::memory::Access as Shared;

const SAFE: u64 = RAM + 0x4_0000;
const SHARED: u64 = RAM + 0x8_0000;
const READ_ONLY: u64 = RAM + 0x9_0000;
const SIZE: u64 = 0x1_0000;
const FIRMWARE: (u64, u64) = (RAM + 0xf_0000, 0x1_0000);
const SSE: u64 = 0x53_5345;

fn region(base: u64, allowed: u8) -> Region {
    Region { base, size: SIZE, allowed }
}

/// Harts 1 and 2 in a domain of their own, which shares two ranges with the root domain, to which all the rest is open.
fn domains() -> Vec<Domain> {
    use permission::{ALL, READ};
    let safe = Domain {
        name: "safe".into(),
        harts: vec![1, 2],
        regions: vec![region(SAFE, ALL), region(SHARED, 3), region(READ_ONLY, READ)],
        boot: Some(Boot { hart: 1, entry: SAFE, arg: 0x77 }),
        may_reset: false,
    };
    let regions = vec![region(SAFE, 0), Region::WHOLE];
    vec![safe, Domain { name: "root".into(), harts: vec![], regions, boot: None, may_reset: true }]
}

fn rig() -> Rig {
    Rig::of(4, "max", Config { domains: domains(), reserved: vec![FIRMWARE], ..Config::default() })
}

/// Whether S-mode of a hart may access a physical address, as the hart itself says.
fn reaches(rig: &mut Rig, hart: usize, at: u64, write: bool) -> bool {
    let h = &mut rig.harts[hart];
    let access = Access { mode: Mode::HS, hlvx: false, forced: false };
    if write { h.store_as(&mut rig.bus, at, 8, 1, access).is_ok() } else { h.load_as(&mut rig.bus, at, 8, access).is_ok() }
}

#[test]
fn pmp_lets_each_domain_reach_its_own_memory_only() {
    let mut rig = rig();
    for (at, safe, root) in [
        (SAFE, (true, true), (false, false)),
        (SAFE + SIZE - 8, (true, true), (false, false)),
        (SHARED, (true, true), (true, true)),
        (READ_ONLY, (true, false), (true, true)),
        (RAM, (false, false), (true, true)),
        (FIRMWARE.0, (false, false), (false, false)),
    ] {
        assert_eq!((reaches(&mut rig, 1, at, false), reaches(&mut rig, 1, at, true)), safe, "{at:#x} from the domain");
        assert_eq!((reaches(&mut rig, 0, at, false), reaches(&mut rig, 0, at, true)), root, "{at:#x} from the root domain");
    }
}

#[test]
fn a_domain_starts_by_itself_on_its_boot_hart() {
    let rig = rig();
    let h = &rig.harts[1];
    assert_eq!((h.mode, h.pc, h.x[10], h.x[11]), (Mode::HS, SAFE, 1, 0x77));
    assert_eq!(rig.harts[2].mode, Mode::M, "held");
}

#[test]
fn harts_of_another_domain_are_no_harts_of_the_callers() {
    let mut rig = rig();
    for (hart, other) in [(0, 2), (1, 3)] {
        assert_eq!(rig.call(hart, HSM, 0, &[other, if hart == 0 { ENTRY } else { SAFE }, 0]).0, INVALID_PARAM);
        assert_eq!(rig.call(hart, HSM, 2, &[other]).0, INVALID_PARAM);
        assert_eq!(rig.call(hart, IPI, 0, &[1, other]).0, INVALID_PARAM);
        assert_eq!(rig.call(hart, RFENCE, 1, &[1, other, 0, 0]).0, INVALID_PARAM);
        assert_eq!(rig.call(hart, SSE, 7, &[0xffff_0000, other]).0, INVALID_PARAM);
    }
    assert_eq!(rig.call(1, HSM, 0, &[2, SAFE + 0x100, 0]).0, 0);
    assert_eq!(rig.call(0, HSM, 0, &[3, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(1, IPI, 0, &[0, u64::MAX]).0, 0);
    assert_eq!([0, 1, 2, 3].map(|i| rig.ssip(i)), [false, true, true, false], "all harts are all of the domain's");
    let (a, b) = (rig.harts[2].csr.pmpcfg, rig.harts[1].csr.pmpcfg);
    assert_eq!(a, b, "a hart that is started has its domain's PMP");
}

#[test]
fn shared_memory_and_addresses_to_run_at_must_be_the_domains() {
    let mut rig = rig();
    // From the domain: the root's memory, memory it may only read, memory it may not execute.
    assert_eq!(rig.call(1, DBCN, 0, &[8, RAM, 0]).0, INVALID_PARAM);
    assert_eq!(rig.call(1, DBCN, 0, &[8, READ_ONLY, 0]).0, 0);
    assert_eq!(rig.call(1, DBCN, 1, &[8, READ_ONLY, 0]).0, INVALID_PARAM, "a read from the console writes");
    assert_eq!(rig.call(1, DBCN, 0, &[8, SAFE + SIZE - 4, 0]).0, INVALID_PARAM, "across its end");
    assert_eq!(rig.call(1, HSM, 0, &[2, SHARED, 0]).0, INVALID_ADDRESS);
    assert_eq!(rig.call(1, SSE, 0, &[0xffff_0000, 0, 1, RAM, 0]).0, INVALID_ADDRESS);
    // And from the root: the domain's.
    assert_eq!(rig.call(0, DBCN, 0, &[8, SAFE, 0]).0, INVALID_PARAM);
    assert_eq!(rig.call(0, DBCN, 0, &[8, SHARED, 0]).0, 0);
    assert_eq!(rig.call(0, HSM, 0, &[3, SAFE, 0]).0, INVALID_ADDRESS);
    assert_eq!(rig.call(0, DBCN, 0, &[8, FIRMWARE.0, 0]).0, INVALID_PARAM);
}

#[test]
fn a_domain_that_may_not_reset_the_machine_is_told_so() {
    let mut rig = rig();
    assert_eq!(rig.call(1, SRST, 0, &[0, 0]).0, NOT_SUPPORTED);
    assert_eq!(rig.call(1, SRST, 0, &[9, 0]).0, INVALID_PARAM);
    use emu_core::firmware::FwStep::{Done, Request};
    assert!(matches!(rig.step_call(0, SRST, 0, &[0, 0]), Request(_)));
    // The legacy shutdown does not return, whatever comes of it.
    let mut rig = self::rig();
    assert!(matches!(rig.step_call(0, 8, 0, &[]), Request(_)));
    assert!(matches!(rig.step_call(1, 8, 0, &[]), Done { .. }));
    assert_eq!(rig.harts[1].wait, emu_core::hart::Wait::Held, "the machine goes on without the hart");
}

#[test]
fn an_access_outside_is_the_supervisors_access_fault() {
    let mut rig = rig();
    rig.harts[1].csr.stvec = SAFE + 0x200;
    rig.raise(1, emu_csr::Trap::new(Exception::LoadAccessFault, RAM));
    assert_eq!((rig.harts[1].pc, rig.harts[1].csr.scause, rig.harts[1].csr.stval), (SAFE + 0x200, 5, RAM));
}

#[test]
fn a_machine_without_domains_has_one_open_entry() {
    let rig = Rig::new(1);
    let now = Default::default();
    assert_eq!(rig.harts[0].csr.peek(table::PMPCFG0, &now), Some(0x1f));
    assert_eq!(Domains::default().pmp(0), [(u64::MAX, 0x1f)]);
}

#[test]
fn configurations_that_cannot_be_are_refused() {
    let check = |change: fn(&mut Vec<Domain>)| {
        let mut list = domains();
        change(&mut list);
        Domains::new(&list, &[FIRMWARE]).check()
    };
    assert_eq!(check(|_| {}), Ok(()));
    assert!(matches!(check(|l| l[1].name = "safe".into()), Err(DomainError::Twice(_))));
    assert!(matches!(check(|l| l[1].harts = vec![0]), Err(DomainError::Root)));
    assert!(matches!(check(|l| (l[1].name, l[1].harts) = ("b".into(), vec![2])), Err(DomainError::Hart(_, 2))));
    assert!(matches!(check(|l| l[0].regions[0].base += 8), Err(DomainError::Region(..))));
    assert!(matches!(check(|l| l[0].regions[0].size = 0), Err(DomainError::Region(..))));
    assert!(matches!(check(|l| l[0].boot = Some(Boot { hart: 0, entry: SAFE, arg: 0 })), Err(DomainError::Boot(..))));
    assert!(matches!(check(|l| l[0].boot = Some(Boot { hart: 1, entry: SHARED, arg: 0 })), Err(DomainError::Boot(..))));
    let many = |l: &mut Vec<Domain>| {
        l[0].regions = (0..9).map(|i| Region { base: RAM + i * 0x8000, size: 0x3000, allowed: 7 }).collect()
    };
    assert!(matches!(check(many), Err(DomainError::Entries(..))));
}

/// The device tree and the loader are told the part of the board that is another's: other harts, and memory by what may be done there.
#[test]
fn what_a_domain_has_not_is_named_to_the_board() {
    let list = Domains::new(&domains(), &[FIRMWARE]);
    let ids = [0, 1, 2, 3];
    let root = list.partition(0, &ids);
    assert_eq!(root.harts, [1, 2]);
    assert_eq!(root.memory, [(SAFE, SIZE), FIRMWARE]);
    assert_eq!(root.devices, root.memory);
    let safe = list.partition(2, &ids);
    assert_eq!(safe.harts, [0, 3]);
    // All but what it may also execute in; memory it shares it may read and write.
    assert_eq!(safe.memory, [(0, SAFE), (SAFE + SIZE, (1 << 56) - SAFE - SIZE)]);
    let after = SHARED + SIZE;
    assert_eq!(safe.devices, [(0, SAFE), (SAFE + SIZE, SHARED - SAFE - SIZE), (after, (1 << 56) - after)]);
    assert_eq!(Domains::default().partition(0, &ids), emu_core::board::Partition::default());
    let sbi = sbi_model::Sbi::new(Config { domains: domains(), reserved: vec![FIRMWARE], ..Config::default() });
    assert_eq!(emu_core::firmware::Firmware::partition(&sbi, &ids), root);
}

proptest! {
    /// What the firmware says of a byte is what PMP does with it.
    #[test]
    fn the_firmwares_check_agrees_with_pmp(
        regions in prop::collection::vec((0u64..16, 1u64..16, 0u8..8), 0..6),
        probes in prop::collection::vec((0u64..32, 0u64..512), 16),
    ) {
        // A configuration that can write can read: the other is reserved.
        let regions = regions.into_iter().map(|(at, pages, allowed)| {
            let allowed = if allowed & 3 == 2 { allowed | 1 } else { allowed };
            Region { base: RAM + at * 4096, size: pages * 4096, allowed }
        });
        let list = vec![Domain { name: "root".into(), harts: vec![], regions: regions.collect(), boot: None, may_reset: true }];
        let domains = Domains::new(&list, &[]);
        prop_assume!(domains.check().is_ok());
        let mut rig = Rig::of(1, "max", Config { domains: list, ..Config::default() });
        for (page, word) in probes {
            let at = RAM + page * 4096 + word * 8;
            for (access, write) in [(Shared::Read, false), (Shared::Write, true)] {
                prop_assert_eq!(domains.allow(0, at, 8, access), reaches(&mut rig, 0, at, write), "{:#x} {:?}", at, access);
            }
            // And what the board hears of it.
            let closed = |ranges: &[(u64, u64)]| ranges.iter().any(|r| (r.0..r.0 + r.1).contains(&at));
            let part = domains.partition(0, &[0]);
            let may = |access| domains.allow(0, at, 8, access);
            prop_assert_eq!(closed(&part.devices), !(may(Shared::Read) && may(Shared::Write)), "{:#x}", at);
            prop_assert_eq!(closed(&part.memory), closed(&part.devices) || !may(Shared::Execute), "{:#x}", at);
            for w in part.memory.windows(2) {
                prop_assert!(w[0].0 + w[0].1 < w[1].0, "{:?}", part);
            }
        }
    }
}
