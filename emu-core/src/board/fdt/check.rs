//! Checks a device tree that the user supplies against the machine it is for: a kernel that believes a wrong one fails far away.

use emu_csr::{Ext, Isa};

use super::tree::{Blob, FdtError, Node};
use crate::board::{Config, map};

/// Reads a blob and checks that it describes memory, harts and devices that exist.
pub fn validate(bytes: &[u8], config: &Config) -> Result<Blob, FdtError> {
    let blob = Blob::parse(bytes)?;
    memory(&blob.root, config)?;
    cpus(&blob.root, config)?;
    super::devices::check(&blob.root, config)?;
    Ok(blob)
}

fn content<T>(node: &str, what: String) -> Result<T, FdtError> {
    Err(FdtError::Content { node: node.into(), what })
}

/// The number in `n` 32-bit cells.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |v, &b| v << 8 | u64::from(b))
}

fn memory(root: &Node, config: &Config) -> Result<(), FdtError> {
    let cells = |name, default| root.get_u32(name).unwrap_or(default) as usize;
    let (ac, sc) = (cells("#address-cells", 2), cells("#size-cells", 1));
    if !(1..=2).contains(&ac) || !(1..=2).contains(&sc) {
        return content("/", format!("#address-cells = {ac} and #size-cells = {sc}; a 64-bit machine has 1 or 2 of each"));
    }
    let mut found = false;
    for n in &root.children {
        if n.get("device_type") != Some(b"memory\0") {
            continue;
        }
        found = true;
        let path = format!("/{}", n.name);
        let reg = n.get("reg").unwrap_or_default();
        if reg.is_empty() || reg.len() % (4 * (ac + sc)) != 0 {
            return content(&path, format!("reg has {} bytes, which is no list of addresses and sizes", reg.len()));
        }
        for entry in reg.chunks_exact(4 * (ac + sc)) {
            let (base, size) = (number(&entry[..4 * ac]), number(&entry[4 * ac..]));
            let inside = base >= map::RAM && size <= config.ram_size && base - map::RAM <= config.ram_size - size;
            if !inside {
                let (ram, end) = (map::RAM, map::RAM + config.ram_size);
                let what = format!(
                    "claims memory at {base:#x}, {size:#x} bytes, but the machine has {ram:#x} to {end:#x}; correct the tree or -m"
                );
                return content(&path, what);
            }
        }
    }
    if found { Ok(()) } else { content("/", "no memory node (device_type = \"memory\")".into()) }
}

/// Names of extensions and of the translation mode that a hart's node claims.
fn claimed(n: &Node) -> impl Iterator<Item = String> + '_ {
    let text = |name: &str| n.get(name).map(|b| String::from_utf8_lossy(b).to_lowercase()).unwrap_or_default();
    // Property "riscv,isa": "rv64", single letters, then names behind underscores.
    let isa = text("riscv,isa");
    let mut parts = isa.trim_end_matches('\0').split('_');
    let letters = parts.next().and_then(|p| p.strip_prefix("rv64")).unwrap_or_default();
    let mut names: Vec<String> = letters.chars().map(String::from).chain(parts.map(String::from)).collect();
    names.extend(text("riscv,isa-extensions").split('\0').map(String::from));
    names.extend(text("mmu-type").trim_end_matches('\0').strip_prefix("riscv,").map(String::from));
    names.into_iter()
}

/// Whether harts have what a name claims. Names this machine does not know are taken for parts of what it has, but V is not.
fn has(isa: Isa, name: &str) -> bool {
    match Ext::by_name(name) {
        Some(ext) => isa.has(ext),
        None => name != "v" && !name.starts_with("zv"),
    }
}

fn cpus(root: &Node, config: &Config) -> Result<(), FdtError> {
    let Some(cpus) = root.children.iter().find(|n| n.name == "cpus") else {
        return content("/", "no /cpus node".into());
    };
    if cpus.get_u32("timebase-frequency").is_some_and(|hz| u64::from(hz) != map::TIMEBASE_HZ) {
        return content("/cpus", format!("timebase-frequency is not the machine's {} Hz", map::TIMEBASE_HZ));
    }
    let mut found = false;
    for n in cpus.children.iter().filter(|n| n.get("device_type") == Some(b"cpu\0")) {
        let path = format!("/cpus/{}", n.name);
        let reg = n.get("reg").unwrap_or_default();
        if !matches!(reg.len(), 4 | 8) {
            return content(&path, "reg is no hart number".into());
        }
        let hart = number(reg);
        let ids = config.ids();
        if !ids.contains(&hart) && n.get("status") != Some(b"disabled\0") {
            let what = format!(
                "hart {hart} does not exist: the machine has {}, {ids:?}; correct the tree, -smp or --hart-ids",
                config.harts
            );
            return content(&path, what);
        }
        if let Some(name) = claimed(n).find(|name| !has(config.isa, name)) {
            let what = format!("claims '{name}', which the harts lack; correct the tree or -cpu");
            return content(&path, what);
        }
        found = true;
    }
    if found { Ok(()) } else { content("/cpus", "no hart (device_type = \"cpu\")".into()) }
}
