//! The table against the CSR listing of the privileged manual (Privileged ISA, "CSR Listing"), transcribed here.

use std::collections::BTreeMap;

use emu_csr::table;

/// Number and name of every CSR that the listing allocates, apart from the numbered runs below.
#[rustfmt::skip]
const LISTED: &[(u16, &str)] = &[
    (0x001, "fflags"), (0x002, "frm"), (0x003, "fcsr"),
    (0x008, "vstart"), (0x009, "vxsat"), (0x00a, "vxrm"), (0x00f, "vcsr"), (0xc20, "vl"), (0xc21, "vtype"), (0xc22, "vlenb"),
    (0x011, "ssp"), (0x015, "seed"), (0x017, "jvt"),
    (0xc00, "cycle"), (0xc01, "time"), (0xc02, "instret"), (0xc80, "cycleh"), (0xc81, "timeh"), (0xc82, "instreth"),
    (0x100, "sstatus"), (0x104, "sie"), (0x105, "stvec"), (0x106, "scounteren"), (0x114, "sieh"), (0x10a, "senvcfg"),
    (0x120, "scountinhibit"), (0x140, "sscratch"), (0x141, "sepc"), (0x142, "scause"), (0x143, "stval"), (0x144, "sip"),
    (0x154, "siph"), (0x15c, "stopei"), (0xda0, "scountovf"), (0xdb0, "stopi"), (0x150, "siselect"), (0x151, "sireg"),
    (0x152, "sireg2"), (0x153, "sireg3"), (0x155, "sireg4"), (0x156, "sireg5"), (0x157, "sireg6"), (0x180, "satp"),
    (0x14d, "stimecmp"), (0x15d, "stimecmph"), (0x5a8, "scontext"), (0x181, "srmcfg"), (0x10c, "sstateen0"),
    (0x10d, "sstateen1"), (0x10e, "sstateen2"), (0x10f, "sstateen3"), (0x14e, "sctrctl"), (0x14f, "sctrstatus"),
    (0x15f, "sctrdepth"),
    (0x600, "hstatus"), (0x602, "hedeleg"), (0x603, "hideleg"), (0x604, "hie"), (0x606, "hcounteren"), (0x607, "hgeie"),
    (0x608, "hvien"), (0x609, "hvictl"), (0x612, "hedelegh"), (0x613, "hidelegh"), (0x618, "hvienh"), (0x646, "hviprio1"),
    (0x647, "hviprio2"), (0x656, "hviprio1h"), (0x657, "hviprio2h"), (0x643, "htval"), (0x644, "hip"), (0x645, "hvip"),
    (0x64a, "htinst"), (0x655, "hviph"), (0xe12, "hgeip"), (0x60a, "henvcfg"), (0x61a, "henvcfgh"), (0x680, "hgatp"),
    (0x6a8, "hcontext"), (0x605, "htimedelta"), (0x615, "htimedeltah"), (0x60c, "hstateen0"), (0x60d, "hstateen1"),
    (0x60e, "hstateen2"), (0x60f, "hstateen3"), (0x61c, "hstateen0h"), (0x61d, "hstateen1h"), (0x61e, "hstateen2h"),
    (0x61f, "hstateen3h"),
    (0x200, "vsstatus"), (0x204, "vsie"), (0x205, "vstvec"), (0x214, "vsieh"), (0x240, "vsscratch"), (0x241, "vsepc"),
    (0x242, "vscause"), (0x243, "vstval"), (0x244, "vsip"), (0x254, "vsiph"), (0x25c, "vstopei"), (0x280, "vsatp"),
    (0xeb0, "vstopi"), (0x250, "vsiselect"), (0x251, "vsireg"), (0x252, "vsireg2"), (0x253, "vsireg3"), (0x255, "vsireg4"),
    (0x256, "vsireg5"), (0x257, "vsireg6"), (0x24d, "vstimecmp"), (0x25d, "vstimecmph"), (0x24e, "vsctrctl"),
    (0xf11, "mvendorid"), (0xf12, "marchid"), (0xf13, "mimpid"), (0xf14, "mhartid"), (0xf15, "mconfigptr"),
    (0x300, "mstatus"), (0x301, "misa"), (0x302, "medeleg"), (0x303, "mideleg"), (0x304, "mie"), (0x305, "mtvec"),
    (0x306, "mcounteren"), (0x308, "mvien"), (0x309, "mvip"), (0x310, "mstatush"), (0x312, "medelegh"), (0x313, "midelegh"),
    (0x314, "mieh"), (0x318, "mvienh"), (0x319, "mviph"), (0x340, "mscratch"), (0x341, "mepc"), (0x342, "mcause"),
    (0x343, "mtval"), (0x344, "mip"), (0x34a, "mtinst"), (0x34b, "mtval2"), (0x354, "miph"), (0x35c, "mtopei"),
    (0xfb0, "mtopi"), (0x350, "miselect"), (0x351, "mireg"), (0x352, "mireg2"), (0x353, "mireg3"), (0x355, "mireg4"),
    (0x356, "mireg5"), (0x357, "mireg6"), (0x30a, "menvcfg"), (0x31a, "menvcfgh"), (0x747, "mseccfg"), (0x757, "mseccfgh"),
    (0x30c, "mstateen0"), (0x30d, "mstateen1"), (0x30e, "mstateen2"), (0x30f, "mstateen3"), (0x31c, "mstateen0h"),
    (0x31d, "mstateen1h"), (0x31e, "mstateen2h"), (0x31f, "mstateen3h"), (0x740, "mnscratch"), (0x741, "mnepc"),
    (0x742, "mncause"), (0x744, "mnstatus"), (0xb00, "mcycle"), (0xb02, "minstret"), (0xb80, "mcycleh"), (0xb82, "minstreth"),
    (0x320, "mcountinhibit"), (0x321, "mcyclecfg"), (0x322, "minstretcfg"), (0x721, "mcyclecfgh"), (0x722, "minstretcfgh"),
    (0x34e, "mctrctl"), (0x7a0, "tselect"), (0x7a1, "tdata1"), (0x7a2, "tdata2"), (0x7a3, "tdata3"), (0x7a4, "tinfo"),
    (0x7a5, "tcontrol"), (0x7a8, "mcontext"), (0x7b0, "dcsr"), (0x7b1, "dpc"), (0x7b2, "dscratch0"), (0x7b3, "dscratch1"),
];

/// Numbered runs: number of index 0, name, first and last index.
const RUNS: &[(u16, &str, u16, u16)] = &[
    (0xc00, "hpmcounter", 3, 31),
    (0xb00, "mhpmcounter", 3, 31),
    (0x320, "mhpmevent", 3, 31),
    (0x3a0, "pmpcfg", 0, 15),
    (0x3b0, "pmpaddr", 0, 63),
];

/// Listed registers that no hart of this machine has, by the extension or width that has them. A register that is
/// declared must be taken off here, and one that is not must be on here: leaving one out is a decision.
#[rustfmt::skip]
const ABSENT: &[(&str, &[&str])] = &[
    ("V", &["vstart", "vxsat", "vxrm", "vcsr", "vl", "vtype", "vlenb"]),
    ("Zkr, Zcmt", &["seed", "jvt"]),
    ("RV32", &["cycleh", "timeh", "instreth", "sieh", "siph", "stimecmph", "hedelegh", "hidelegh", "hvienh", "hviprio1h",
        "hviprio2h", "hviph", "henvcfgh", "htimedeltah", "hstateen0h", "hstateen1h", "hstateen2h", "hstateen3h", "vsieh",
        "vsiph", "vstimecmph", "mstatush", "medelegh", "midelegh", "mieh", "mvienh", "mviph", "miph", "menvcfgh", "mseccfgh",
        "mstateen0h", "mstateen1h", "mstateen2h", "mstateen3h", "mcycleh", "minstreth", "mcyclecfgh", "minstretcfgh",
        "pmpcfg1", "pmpcfg3", "pmpcfg5", "pmpcfg7", "pmpcfg9", "pmpcfg11", "pmpcfg13", "pmpcfg15"]),
    ("Smaia, Ssaia", &["stopei", "stopi", "hvien", "hvictl", "hviprio1", "hviprio2", "vstopei", "vstopi", "mvien", "mvip",
        "mtopei", "mtopi"]),
    ("Ssqosid", &["srmcfg"]),
    ("Smctr", &["sctrctl", "sctrstatus", "sctrdepth", "vsctrctl", "mctrctl"]),
    ("debug mode", &["dcsr", "dpc", "dscratch0", "dscratch1"]),
];

fn listing() -> BTreeMap<u16, String> {
    let mut listing = BTreeMap::new();
    for &(number, name) in LISTED {
        assert_eq!(listing.insert(number, name.to_string()), None, "{number:#x} twice in the transcription");
    }
    for &(base, name, first, last) in RUNS {
        for i in first..=last {
            assert_eq!(listing.insert(base + i, format!("{name}{i}")), None, "{:#x} twice in the transcription", base + i);
        }
    }
    listing
}

#[test]
fn every_declared_number_and_name_is_the_manuals() {
    let listing = listing();
    for decl in table::all() {
        assert_eq!(listing.get(&decl.number).map(String::as_str), Some(decl.name), "{:#x}", decl.number);
    }
}

#[test]
fn every_listed_register_is_declared_or_absent_for_a_stated_reason() {
    let absent: Vec<&str> = ABSENT.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    for (number, name) in listing() {
        let declared = table::find(number).is_some();
        assert_ne!(declared, absent.contains(&name.as_str()), "{name} ({number:#x})");
    }
    for name in absent {
        assert!(listing().values().any(|listed| listed == name), "{name} is not in the manual's listing");
    }
}

#[test]
fn every_number_and_name_is_unique_and_found() {
    let mut numbers = BTreeMap::new();
    let mut names = BTreeMap::new();
    for decl in table::all() {
        assert!(numbers.insert(decl.number, decl.name).is_none(), "{:#x} twice", decl.number);
        assert!(names.insert(decl.name, decl.number).is_none(), "{} twice", decl.name);
        assert_eq!(table::by_name(decl.name), Some(decl.number));
        assert_eq!(table::name(decl.number), Some(decl.name));
        assert!(!decl.doc.trim().is_empty());
    }
    let count = (0..=0xfff).filter(|&csr| table::find(csr).is_some()).count();
    assert_eq!(count, numbers.len(), "the index knows numbers that the table does not");
}

#[test]
fn fields_are_disjoint_and_stand_highest_first() {
    for decl in table::all() {
        for field in decl.fields {
            assert!(field.lo <= field.hi && field.hi < 64, "{}.{}", decl.name, field.name);
        }
        for pair in decl.fields.windows(2) {
            assert!(pair[1].hi < pair[0].lo, "{}: {} before {}", decl.name, pair[0].name, pair[1].name);
        }
    }
}

#[test]
fn vs_registers_take_the_place_of_the_supervisors() {
    let swapped: Vec<(&str, &str)> = table::all()
        .map(|decl| (decl.name, table::all().nth(usize::from(decl.virt)).map_or("", |virt| virt.name)))
        .filter(|(name, virt)| name != virt)
        .collect();
    // Hypervisor, "Hypervisor and Virtual Supervisor CSRs".
    let mut expected = vec![
        ("sstatus", "vsstatus"),
        ("sie", "vsie"),
        ("stvec", "vstvec"),
        ("sscratch", "vsscratch"),
        ("sepc", "vsepc"),
        ("scause", "vscause"),
        ("stval", "vstval"),
        ("sip", "vsip"),
        ("satp", "vsatp"),
        ("stimecmp", "vstimecmp"),
        ("siselect", "vsiselect"),
        ("sireg", "vsireg"),
        ("sireg2", "vsireg2"),
        ("sireg3", "vsireg3"),
        ("sireg4", "vsireg4"),
        ("sireg5", "vsireg5"),
        ("sireg6", "vsireg6"),
    ];
    let mut swapped = swapped;
    swapped.sort_unstable();
    expected.sort_unstable();
    assert_eq!(swapped, expected);
}
