//! The `virt` board's device tree: what QEMU's says of the devices that this board has, with the ACLINT devices on.

use emu_csr::events::EVENTS;
use emu_csr::{Ext, Isa};

use super::tree::{Blob, FdtError, Node};
use crate::board::{Config, map};
use crate::dev::plic::LAST_SOURCE;

/// Clock of the serial port; only the divisor a driver computes from it depends on it.
const UART_CLOCK_HZ: u32 = 3_686_400;
const CACHE_BLOCK: u32 = 64;

const CONSOLE: &str = "/soc/serial@10000000";
const PLIC_PHANDLE: u32 = 1;
const TEST_PHANDLE: u32 = 2;
/// A hart has two phandles from here on: itself and its interrupt controller.
const HART_PHANDLES: u32 = 0x10;

const IRQ_S_SOFT: u32 = 1;
const IRQ_M_SOFT: u32 = 3;
const IRQ_M_TIMER: u32 = 7;
const IRQ_S_EXT: u32 = 9;
const IRQ_M_EXT: u32 = 11;

/// What goes into `/chosen`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chosen {
    /// Kernel command line.
    pub bootargs: String,
    /// First address of the initrd and the one behind its last.
    pub initrd: Option<(u64, u64)>,
}

impl Chosen {
    /// Writes the properties into a tree's `/chosen`, leaving others as they are.
    pub fn apply(&self, root: &mut Node) {
        let node = root.child_mut("chosen");
        if !self.bootargs.is_empty() {
            node.strings("bootargs", &[&self.bootargs]);
        }
        if let Some((start, end)) = self.initrd {
            node.quads("linux,initrd-start", &[start]).quads("linux,initrd-end", &[end]);
        }
    }
}

/// The board's device tree blob.
pub fn device_tree(config: &Config, chosen: &Chosen) -> Result<Vec<u8>, FdtError> {
    let mut root = Node::new("");
    root.cells("#address-cells", &[2]).cells("#size-cells", &[2]);
    root.strings("compatible", &["riscv-virtio"]).strings("model", &["riscv-virtio,trapeze"]);

    let mut node = Node::new("chosen");
    node.strings("stdout-path", &[CONSOLE]).set("rng-seed", rng_seed(config.seed));
    root.child(node);
    chosen.apply(&mut root);
    let mut node = Node::new("aliases");
    node.strings("serial0", &[CONSOLE]);
    root.child(node);

    let mut node = Node::new(format!("memory@{:x}", map::RAM));
    node.strings("device_type", &["memory"]).quads("reg", &[map::RAM, config.ram_size]);
    root.child(node);
    let closed = config.partition.closed_ram(map::RAM, config.ram_size);
    if !closed.is_empty() {
        root.child(reserved_memory(&closed));
    }
    root.child(cpus(config));
    if config.isa.has(Ext::Zihpm) {
        root.child(pmu());
    }
    let mut switches = [syscon("poweroff", "syscon-poweroff", 0x5555), syscon("reboot", "syscon-reboot", 0x7777)];
    if config.partition.closes_device(map::FINISHER, map::PAGE) {
        switches.iter_mut().for_each(disable);
    }
    root.children.extend(switches);
    let mut soc = soc(config);
    soc.children.iter_mut().filter(|n| closed_device(n, config)).for_each(disable);
    root.child(soc);
    Blob { reserved: Vec::new(), boot_cpu: config.hart_id(0) as u32, root }.to_bytes()
}

fn rng_seed(seed: u64) -> Vec<u8> {
    blake3::derive_key("trapeze device tree rng-seed 1", &seed.to_le_bytes()).to_vec()
}

/// Memory that is another domain's or the firmware's, named as OpenSBI names it ("Reserved Memory": no-map keeps the operating system
/// from mapping it).
fn reserved_memory(closed: &[(u64, u64)]) -> Node {
    let mut reserved = Node::new("reserved-memory");
    reserved.cells("#address-cells", &[2]).cells("#size-cells", &[2]).flag("ranges");
    for (i, &(base, size)) in closed.iter().enumerate() {
        let mut n = Node::new(format!("mmode_resv{i}@{base:x}"));
        n.flag("no-map").quads("reg", &[base, size]);
        reserved.child(n);
    }
    reserved
}

fn disable(node: &mut Node) {
    node.strings("status", &["disabled"]);
}

/// Whether a device's node names registers that are not open.
fn closed_device(node: &Node, config: &Config) -> bool {
    let quad = |b: &[u8]| b.iter().fold(0, |v, &x| v << 8 | u64::from(x));
    let reg = node.get("reg").unwrap_or_default();
    reg.as_chunks::<16>().0.iter().any(|r| config.partition.closes_device(quad(&r[..8]), quad(&r[8..])))
}

fn syscon(name: &str, compatible: &str, value: u32) -> Node {
    let mut n = Node::new(name);
    n.strings("compatible", &[compatible]).cells("regmap", &[TEST_PHANDLE]).cells("offset", &[0]).cells("value", &[value]);
    n
}

/// What firmware in the machine needs to know of the counters (`riscv,pmu` binding): which events there are, mhpmevent's value for
/// each, and that every programmable counter counts all of them. cycle and instret count their own event besides.
fn pmu() -> Node {
    const PROGRAMMABLE: u32 = 0xffff_fff8;
    // event_idx of hardware general and cache events (SBI, "PMU Extension").
    let named = |s: u64| matches!(s, 1..=10 | 0x1_0000..=0x1_ffff);
    let (mut selectors, mut counters) = (Vec::new(), Vec::new());
    for e in EVENTS.iter().filter(|e| named(e.selector)) {
        let index = e.selector as u32;
        selectors.extend([index, (e.selector >> 32) as u32, e.selector as u32]);
        let fixed = match e.selector {
            1 => 1,
            2 => 4,
            _ => 0,
        };
        counters.extend([index, index, PROGRAMMABLE | fixed]);
    }
    // The machine's own selectors: two ranges of 256, by value and mask.
    let raw = [0x100u32, 0x200].map(|s| [0, s, 0xffff_ffff, 0xffff_ff00, PROGRAMMABLE]).concat();
    let mut n = Node::new("pmu");
    n.strings("compatible", &["riscv,pmu"]).cells("riscv,event-to-mhpmevent", &selectors);
    n.cells("riscv,event-to-mhpmcounters", &counters).cells("riscv,raw-event-to-mhpmcounters", &raw);
    n
}

fn cpu_phandle(hart: usize) -> u32 {
    HART_PHANDLES + 2 * hart as u32
}

fn intc_phandle(hart: usize) -> u32 {
    cpu_phandle(hart) + 1
}

fn mmu_type(isa: Isa) -> Option<&'static str> {
    [(Ext::Sv57, "riscv,sv57"), (Ext::Sv48, "riscv,sv48"), (Ext::Sv39, "riscv,sv39")]
        .into_iter()
        .find(|(e, _)| isa.has(*e))
        .map(|(_, name)| name)
}

fn cpus(config: &Config) -> Node {
    let mut cpus = Node::new("cpus");
    cpus.cells("#address-cells", &[1]).cells("#size-cells", &[0]).cells("timebase-frequency", &[map::TIMEBASE_HZ as u32]);
    // `mmu-type` says which address translation there is.
    let extensions: Vec<&str> = config.isa.extensions().into_iter().filter(|e| !e.starts_with("sv") || e.len() > 4).collect();
    let isa = extensions.iter().fold(String::from("rv64"), |s, e| s + if e.len() > 1 { "_" } else { "" } + e);
    let mut cluster = Node::new("cluster0");
    for hart in 0..config.harts {
        let mut n = Node::new(format!("cpu@{:x}", config.hart_id(hart)));
        let status = if config.partition.harts.contains(&config.hart_id(hart)) { "disabled" } else { "okay" };
        n.strings("device_type", &["cpu"]).cells("reg", &[config.hart_id(hart) as u32]).strings("status", &[status]);
        n.strings("compatible", &["riscv"]).cells("phandle", &[cpu_phandle(hart)]);
        for (ext, name) in [
            (Ext::Zicbop, "riscv,cbop-block-size"),
            (Ext::Zicboz, "riscv,cboz-block-size"),
            (Ext::Zicbom, "riscv,cbom-block-size"),
        ] {
            if config.isa.has(ext) {
                n.cells(name, &[CACHE_BLOCK]);
            }
        }
        n.strings("riscv,isa-extensions", &extensions).strings("riscv,isa-base", &["rv64i"]).strings("riscv,isa", &[&isa]);
        if let Some(mmu) = mmu_type(config.isa) {
            n.strings("mmu-type", &[mmu]);
        }
        let mut intc = Node::new("interrupt-controller");
        intc.cells("#interrupt-cells", &[1]).flag("interrupt-controller").strings("compatible", &["riscv,cpu-intc"]);
        intc.cells("phandle", &[intc_phandle(hart)]);
        n.child(intc);
        cpus.child(n);
        let mut core = Node::new(format!("core{hart}"));
        core.cells("cpu", &[cpu_phandle(hart)]);
        cluster.child(core);
    }
    let mut map = Node::new("cpu-map");
    map.child(cluster);
    cpus.child(map);
    cpus
}

/// `interrupts-extended`: for each hart, its controller with each of the given interrupts.
fn wires(config: &Config, irqs: &[u32]) -> Vec<u32> {
    (0..config.harts).flat_map(|h| irqs.iter().flat_map(move |&i| [intc_phandle(h), i])).collect()
}

/// The interruptors' hart indexes, in the order of [`wires`].
fn indexes(config: &Config) -> Vec<u32> {
    let ids = config.ids();
    let low = ids.iter().min().copied().unwrap_or(0);
    ids.iter().map(|id| (id - low) as u32).collect()
}

fn device(name: &str, base: u64, size: u64, compatible: &[&str], irq: u32) -> Node {
    let mut n = Node::new(format!("{name}@{base:x}"));
    n.strings("compatible", compatible).quads("reg", &[base, size]);
    if irq != 0 {
        n.cells("interrupt-parent", &[PLIC_PHANDLE]).cells("interrupts", &[irq]);
    }
    n
}

/// The bus with all of the board's devices.
pub(super) fn soc(config: &Config) -> Node {
    let mut soc = Node::new("soc");
    soc.cells("#address-cells", &[2]).cells("#size-cells", &[2]).strings("compatible", &["simple-bus"]).flag("ranges");

    let mut n = device("test", map::FINISHER, map::PAGE, &["sifive,test1", "sifive,test0", "syscon"], 0);
    n.cells("phandle", &[TEST_PHANDLE]);
    soc.child(n);
    soc.child(device("rtc", map::RTC, map::PAGE, &["google,goldfish-rtc"], map::RTC_IRQ));

    let mut n = device("mswi", map::CLINT, 0x4000, &["riscv,aclint-mswi"], 0);
    n.flag("interrupt-controller").cells("#interrupt-cells", &[0]);
    n.cells("interrupts-extended", &wires(config, &[IRQ_M_SOFT]));
    soc.child(n);
    // "ACLINT, MTIMER": mtime first, then the mtimecmp registers.
    let mut n = device("mtimer", map::CLINT + 0xbff8, 0, &["riscv,aclint-mtimer"], 0);
    n.quads("reg", &[map::CLINT + 0xbff8, 0x4008, map::CLINT + 0x4000, 0x7ff8]);
    n.cells("interrupts-extended", &wires(config, &[IRQ_M_TIMER]));
    soc.child(n);
    let mut n = device("sswi", map::SSWI, map::SSWI_SIZE, &["riscv,aclint-sswi"], 0);
    n.flag("interrupt-controller").cells("#interrupt-cells", &[0]);
    n.cells("interrupts-extended", &wires(config, &[IRQ_S_SOFT]));
    if !config.hart_ids.is_empty() {
        // Whose register is which, where that is not their order.
        n.cells("riscv,hart-indexes", &indexes(config));
    }
    soc.child(n);

    let mut n = device("interrupt-controller", map::PLIC, map::PLIC_SIZE, &["sifive,plic-1.0.0", "riscv,plic0"], 0);
    n.flag("interrupt-controller").cells("#interrupt-cells", &[1]).cells("#address-cells", &[0]);
    n.cells("riscv,ndev", &[LAST_SOURCE]).cells("phandle", &[PLIC_PHANDLE]);
    n.cells("interrupts-extended", &wires(config, &[IRQ_M_EXT, IRQ_S_EXT]));
    soc.child(n);

    let mut n = device("serial", map::UART, map::UART_SIZE, &["ns16550a"], map::UART_IRQ);
    n.cells("clock-frequency", &[UART_CLOCK_HZ]);
    soc.child(n);
    if config.ras {
        soc.child(device("reri", map::RERI, map::PAGE, &["riscv,reri"], map::RERI_IRQ));
    }
    for i in 0..map::VIRTIO_COUNT {
        let base = map::VIRTIO + i as u64 * map::PAGE;
        soc.child(device("virtio_mmio", base, map::PAGE, &["virtio,mmio"], map::VIRTIO_IRQ + i as u32));
    }
    soc
}
