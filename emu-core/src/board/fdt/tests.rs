//! The board's tree as an independent reader sees it, and what is said of wrong ones.

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node as _, Property as _};
use proptest::prelude::*;

use super::*;
use crate::board::{Config, Partition, map};
use emu_csr::{Ext, Isa};

fn config(harts: usize) -> Config {
    Config { harts, ram_size: 64 << 20, ..Config::default() }
}

fn bytes(n: &FdtNode<'_>, name: &str) -> Vec<u8> {
    n.property(name).unwrap_or_else(|| panic!("no {name}")).value().to_vec()
}

fn cells(n: &FdtNode<'_>, name: &str) -> Vec<u32> {
    bytes(n, name).as_chunks::<4>().0.iter().map(|c| u32::from_be_bytes(*c)).collect()
}

fn strings(n: &FdtNode<'_>, name: &str) -> Vec<String> {
    let b = bytes(n, name);
    let text = std::str::from_utf8(&b).unwrap().strip_suffix('\0').unwrap();
    text.split('\0').map(str::to_string).collect()
}

/// Every device of the board has a node, at the address and with the interrupt that the bus answers at.
#[test]
fn nodes_agree_with_the_bus() {
    let c = config(3);
    let blob = device_tree(&c, &Chosen::default()).unwrap();
    let fdt = Fdt::new(&blob).unwrap();
    let mut bus = crate::board::build(&c, Vec::new()).unwrap();
    let mut seen = 0;
    for node in fdt.find_node("/soc").unwrap().children() {
        let reg = cells(&node, "reg");
        let base = u64::from(reg[0]) << 32 | u64::from(reg[1]);
        let slot = bus.slots.iter().find(|s| (s.base..s.base + s.size).contains(&base)).unwrap_or_else(|| panic!("{base:#x}"));
        let irq = node.property("interrupts").map(|_| cells(&node, "interrupts")[0]).unwrap_or(0);
        assert_eq!(irq, slot.irq, "{}", slot.dev.name());
        assert!(node.name().ends_with(&format!("@{base:x}")), "{}", node.name());
        seen += 1;
    }
    // The CLINT slot has two nodes, MSWI and MTIMER.
    assert_eq!(seen, bus.slots.len() + 1);
    assert_eq!(bus.read(map::FINISHER, 4, 0), Ok(0));
}

#[test]
fn harts_are_wired_to_the_interrupt_controllers() {
    let blob = device_tree(&config(3), &Chosen::default()).unwrap();
    let fdt = Fdt::new(&blob).unwrap();
    let mut intcs = Vec::new();
    for h in 0..3 {
        let cpu = fdt.find_node(&format!("/cpus/cpu@{h}")).unwrap();
        assert_eq!(cells(&cpu, "reg"), [h]);
        let intc = cpu.children().find(|n| n.name() == "interrupt-controller").unwrap();
        intcs.push(cells(&intc, "phandle")[0]);
    }
    for (node, irqs) in
        [("interrupt-controller@c000000", &[11, 9][..]), ("mswi@2000000", &[3]), ("mtimer@200bff8", &[7]), ("sswi@2f00000", &[1])]
    {
        let n = fdt.find_node(&format!("/soc/{node}")).unwrap();
        let want: Vec<u32> = intcs.iter().flat_map(|&p| irqs.iter().flat_map(move |&i| [p, i])).collect();
        assert_eq!(cells(&n, "interrupts-extended"), want, "{node}");
    }
}

/// Binding "riscv,isa-extensions": only Svadu is "always on", only Svade "always off", both "off until the supervisor turns it on".
#[test]
fn the_rule_for_a_and_d_is_the_one_that_holds_at_the_start() {
    let names = |cpu: &str| {
        let c = Config { isa: Isa::parse(cpu).unwrap(), ..config(1) };
        let blob = device_tree(&c, &Chosen::default()).unwrap();
        let fdt = Fdt::new(&blob).unwrap();
        let mut v = strings(&fdt.find_node("/cpus/cpu@0").unwrap(), "riscv,isa-extensions");
        v.retain(|n| n.starts_with("svad"));
        v
    };
    assert_eq!(names("max"), ["svadu"]);
    assert_eq!(names("rva22"), ["svade"]);
    assert_eq!(names("rva23h"), ["svade"]);
    assert_eq!(names("max,svade=on"), ["svade", "svadu"]);
    assert_eq!(names("rva22,svadu=on,svade=off"), ["svadu"]);
}

#[test]
fn cpu_nodes_follow_the_isa() {
    let small = [Ext::M, Ext::A, Ext::C, Ext::S, Ext::U, Ext::Sv39].into_iter().fold(Isa(1), Isa::with);
    let c = Config { isa: small, ..config(1) };
    let blob = device_tree(&c, &Chosen::default()).unwrap();
    let fdt = Fdt::new(&blob).unwrap();
    let cpu = fdt.find_node("/cpus/cpu@0").unwrap();
    assert_eq!(strings(&cpu, "riscv,isa"), ["rv64imac"]);
    assert_eq!(strings(&cpu, "riscv,isa-extensions"), ["i", "m", "a", "c"]);
    assert_eq!(strings(&cpu, "mmu-type"), ["riscv,sv39"]);
    assert!(cpu.property("riscv,cboz-block-size").is_none());

    let blob = device_tree(&config(1), &Chosen::default()).unwrap();
    let fdt = Fdt::new(&blob).unwrap();
    let cpu = fdt.find_node("/cpus/cpu@0").unwrap();
    assert_eq!(strings(&cpu, "mmu-type"), ["riscv,sv57"]);
    assert_eq!(cells(&cpu, "riscv,cboz-block-size"), [64]);
    assert!(strings(&cpu, "riscv,isa-extensions").contains(&"h".to_string()));
}

#[test]
fn chosen_has_bootargs_initrd_console_and_a_seed() {
    let chosen = Chosen { bootargs: "console=ttyS0 quiet".into(), initrd: Some((0x8300_0000, 0x8310_0000)) };
    let blob = device_tree(&config(1), &chosen).unwrap();
    let fdt = Fdt::new(&blob).unwrap();
    let n = fdt.find_node("/chosen").unwrap();
    assert_eq!(strings(&n, "bootargs"), ["console=ttyS0 quiet"]);
    assert_eq!(cells(&n, "linux,initrd-start"), [0, 0x8300_0000]);
    assert_eq!(cells(&n, "linux,initrd-end"), [0, 0x8310_0000]);
    assert!(fdt.find_node(&strings(&n, "stdout-path")[0]).is_some());
    let other = device_tree(&Config { seed: 1, ..config(1) }, &chosen).unwrap();
    let other = Fdt::new(&other).unwrap();
    assert_ne!(bytes(&n, "rng-seed"), bytes(&other.find_node("/chosen").unwrap(), "rng-seed"));
}

#[test]
fn writing_and_reading_are_inverse() {
    let bytes = device_tree(&config(2), &Chosen { bootargs: "x".into(), initrd: None }).unwrap();
    let mut blob = Blob::parse(&bytes).unwrap();
    assert_eq!(blob.to_bytes().unwrap(), bytes);
    blob.reserved.push((0x8000_0000, 0x1000));
    blob.boot_cpu = 1;
    assert_eq!(Blob::parse(&blob.to_bytes().unwrap()).unwrap(), blob);
}

fn lies(change: impl Fn(&mut Node)) -> String {
    let c = config(2);
    let mut blob = Blob::parse(&device_tree(&c, &Chosen::default()).unwrap()).unwrap();
    change(&mut blob.root);
    validate(&blob.to_bytes().unwrap(), &c).expect_err("accepted").to_string()
}

#[test]
fn a_tree_that_lies_is_refused_with_its_node() {
    let ram = "memory@80000000";
    for (says, change) in [
        (
            "claims memory at 0x80000000, 0x8000000 bytes",
            Box::new(|r: &mut Node| {
                r.child_mut(ram).quads("reg", &[map::RAM, 128 << 20]);
            }) as Box<dyn Fn(&mut Node)>,
        ),
        (
            "claims memory at 0x0",
            Box::new(|r| {
                r.child_mut(ram).quads("reg", &[0, 4096]);
            }),
        ),
        (
            "claims memory at 0xfffffffffffff000",
            Box::new(|r| {
                r.child_mut(ram).quads("reg", &[u64::MAX - 4095, 8192]);
            }),
        ),
        ("no memory node", Box::new(|r| r.children.retain(|c| c.name != ram))),
        (
            "no list of addresses and sizes",
            Box::new(|r| {
                r.child_mut(ram).quads("reg", &[map::RAM]);
            }),
        ),
        (
            "#address-cells = 7",
            Box::new(|r| {
                r.cells("#address-cells", &[7]);
            }),
        ),
        ("no /cpus node", Box::new(|r| r.children.retain(|c| c.name != "cpus"))),
        (
            "hart 9 does not exist",
            Box::new(|r| {
                r.child_mut("cpus").child_mut("cpu@1").cells("reg", &[9]);
            }),
        ),
        (
            "timebase-frequency",
            Box::new(|r| {
                r.child_mut("cpus").cells("timebase-frequency", &[1]);
            }),
        ),
        (
            "/soc/serial@10000000: claims the device at 0x10002000, but the board has it at 0x10000000",
            Box::new(|r| {
                r.child_mut("soc").child_mut("serial@10000000").quads("reg", &[0x1000_2000, 0x100]);
            }),
        ),
        (
            "/soc/rtc@101000: claims interrupt 12, but the board wires it to 11",
            Box::new(|r| {
                r.child_mut("soc").child_mut("rtc@101000").cells("interrupts", &[12]);
            }),
        ),
        (
            "/flash@20000000: claims a device at 0x20000000, where the board has nothing",
            Box::new(|r| {
                r.child_mut("flash@20000000").strings("compatible", &["cfi-flash"]).quads("reg", &[0x2000_0000, 0x200_0000]);
            }),
        ),
    ] {
        let message = lies(change);
        assert!(message.contains(says), "{says}: {message}");
    }
}

#[test]
fn devices_that_are_off_or_lie_where_something_answers_are_accepted() {
    let c = config(2);
    let mut blob = Blob::parse(&device_tree(&c, &Chosen::default()).unwrap()).unwrap();
    let flash = blob.root.child_mut("flash@20000000");
    flash.strings("compatible", &["cfi-flash"]).quads("reg", &[0x2000_0000, 0x200_0000]).strings("status", &["disabled"]);
    let soc = blob.root.child_mut("soc");
    soc.child_mut("clint@2000000").strings("compatible", &["sifive,clint0"]).quads("reg", &[map::CLINT, map::CLINT_SIZE]);
    soc.children.retain(|n| !n.name.starts_with("virtio_mmio@10002"));
    validate(&blob.to_bytes().unwrap(), &c).unwrap();
}

/// Names come from a file: a line break in one would make two lines of the message.
#[test]
fn a_name_that_no_tree_can_have_is_refused_in_one_line_with_a_remedy() {
    let c = config(1);
    let mut blob = Blob::parse(&device_tree(&c, &Chosen::default()).unwrap()).unwrap();
    blob.root.children[0].name = "uart\n@0".into();
    let message = blob.to_bytes().unwrap_err().to_string();
    assert!(message.starts_with(r"uart\n@0: ") && message.ends_with("; correct the device tree"), "{message:?}");
}

#[test]
fn files_that_are_no_device_tree_are_named_by_offset() {
    let good = device_tree(&config(1), &Chosen::default()).unwrap();
    assert!(validate(&good, &config(1)).is_ok());
    let says = |b: &[u8]| validate(b, &config(1)).expect_err("accepted").to_string();
    assert!(says(b"/dts-v1/;").contains("compile sources with dtc"));
    assert!(says(&[]).contains("ends inside"));
    assert!(says(&good[..good.len() - 8]).contains("totalsize"));
    for (at, what) in [(8, "structure block"), (12, "strings block"), (20, "older than version 17")] {
        let mut b = good.clone();
        b[at..at + 4].copy_from_slice(&[0, 0, 0, if at == 20 { 3 } else { 1 }]);
        b[at + 2] = if at == 20 { 0 } else { 0xff };
        assert!(says(&b).contains(what), "{what}: {}", says(&b));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_blobs_are_refused_or_read_but_never_panic(
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut b = device_tree(&config(1), &Chosen::default()).unwrap();
        for (at, v) in hits {
            let at = at.index(b.len());
            b[at] = v;
        }
        if let Some(cut) = cut {
            b.truncate(cut.index(b.len()));
        }
        if let Ok(blob) = validate(&b, &config(1)) {
            let _may_have_names_the_writer_refuses = blob.to_bytes();
        }
    }

    #[test]
    fn deep_nesting_is_refused(depth in 60..5000usize) {
        let mut s: Vec<u8> = [1u32, 0].iter().flat_map(|w| w.to_be_bytes()).collect();
        s = s.repeat(depth);
        let header = [0xd00d_feedu32, 40 + 16 + s.len() as u32, 56, 56, 40, 17, 16, 0, 0, s.len() as u32];
        let mut b: Vec<u8> = header.iter().flat_map(|w| w.to_be_bytes()).collect();
        b.extend([0; 16]);
        b.extend(s);
        prop_assert!(Blob::parse(&b).is_err());
    }
}

#[test]
fn harts_of_any_ids_are_named_by_them_and_wired_in_their_order() {
    let c = Config { hart_ids: vec![9, 2, 0x105], ..config(3) };
    let blob = device_tree(&c, &Chosen::default()).unwrap();
    let fdt = Fdt::new(&blob).unwrap();
    let cpus = fdt.find_node("/cpus").unwrap();
    let nodes: Vec<_> = cpus.children().filter(|n| n.name().starts_with("cpu@")).collect();
    assert_eq!(nodes.iter().map(|n| n.name().to_string()).collect::<Vec<_>>(), ["cpu@9", "cpu@2", "cpu@105"]);
    assert_eq!(nodes.iter().map(|n| cells(n, "reg")[0]).collect::<Vec<_>>(), [9, 2, 0x105]);
    let intc: Vec<_> = nodes.iter().map(|n| cells(&n.children().next().unwrap(), "phandle")[0]).collect();
    let soc = fdt.find_node("/soc").unwrap();
    let node = |name: &str| soc.children().find(|n| n.name().starts_with(name)).unwrap();
    let sswi = node("sswi");
    assert_eq!(cells(&sswi, "riscv,hart-indexes"), [7, 0, 0x103]);
    assert_eq!(cells(&sswi, "interrupts-extended").chunks(2).map(|c| c[0]).collect::<Vec<_>>(), intc);
    // Two contexts of the PLIC a hart, in order.
    let plic: Vec<_> = cells(&node("interrupt-controller"), "interrupts-extended").chunks(2).map(|c| c[0]).collect();
    assert_eq!(plic, intc.iter().flat_map(|&i| [i, i]).collect::<Vec<_>>());
    assert_eq!(Blob::parse(&blob).unwrap().boot_cpu, 9);
    assert!(validate(&blob, &c).is_ok());
    assert!(validate(&blob, &config(3)).is_err(), "a machine of harts 0 to 2 has no hart 9");
}

/// What native firmware keeps for itself and for other domains: no hart to start, no memory to map, no device to drive.
#[test]
fn what_a_partition_closes_is_disabled_or_reserved() {
    let open_end = map::RAM + (16 << 20);
    let partition = Partition {
        harts: vec![1],
        memory: vec![(0, map::RAM + 0x1000), (open_end, u64::MAX - open_end)],
        devices: vec![(map::FINISHER, 0x1000), (map::CLINT + 0x4100, 8)],
    };
    let blob = device_tree(&Config { partition, ..config(3) }, &Chosen::default()).unwrap();
    let fdt = Fdt::new(&blob).unwrap();
    let cpus = fdt.find_node("/cpus").unwrap();
    let status: Vec<_> =
        cpus.children().filter(|n| n.name().starts_with("cpu@")).map(|n| strings(&n, "status")[0].clone()).collect();
    assert_eq!(status, ["okay", "disabled", "okay"]);

    let reserved = fdt.find_node("/reserved-memory").unwrap();
    assert_eq!((cells(&reserved, "#address-cells"), cells(&reserved, "#size-cells")), (vec![2], vec![2]));
    assert_eq!(bytes(&reserved, "ranges"), []);
    let nodes: Vec<_> = reserved.children().map(|n| (n.name().to_string(), cells(&n, "reg"), bytes(&n, "no-map"))).collect();
    // Only what is RAM: 64 MiB of it.
    let want = [
        ("mmode_resv0@80000000".to_string(), vec![0, 0x8000_0000, 0, 0x1000], vec![]),
        ("mmode_resv1@81000000".to_string(), vec![0, 0x8100_0000, 0, 48 << 20], vec![]),
    ];
    assert_eq!(nodes, want);

    let soc = fdt.find_node("/soc").unwrap();
    let off: Vec<_> = soc
        .children()
        .filter(|n| n.property("status").is_some())
        .map(|n| (n.name().to_string(), strings(&n, "status")))
        .collect();
    let disabled = vec!["disabled".to_string()];
    // MTIMER has a second range of registers than the one it is named by, and what switches the machine off is the finisher.
    assert_eq!(off, [("test@100000".to_string(), disabled.clone()), ("mtimer@200bff8".to_string(), disabled.clone())]);
    for switch in ["/poweroff", "/reboot"] {
        assert_eq!(strings(&fdt.find_node(switch).unwrap(), "status"), disabled, "{switch}");
    }
    let open = device_tree(&config(3), &Chosen::default()).unwrap();
    assert!(Fdt::new(&open).unwrap().find_node("/reserved-memory").is_none());
}
