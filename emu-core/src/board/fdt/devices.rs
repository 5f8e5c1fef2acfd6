//! Compares the devices of a tree that the user supplies with those of the board: a driver that believes a wrong address ends in a fault
//! far from its cause.

use super::tree::{FdtError, Node};
use super::virt;
use crate::board::{Config, map};

/// Width in cells of addresses and sizes below a node, as its parent gives them ("Devicetree Specification", 2.3.5).
#[derive(Clone, Copy)]
struct Cells {
    address: usize,
    size: usize,
}

impl Cells {
    fn of(node: &Node) -> Cells {
        let cells = |name, default| node.get_u32(name).unwrap_or(default) as usize;
        Cells { address: cells("#address-cells", 2), size: cells("#size-cells", 1) }
    }

    /// Address and size of each entry of `reg`; none if it is no such list.
    fn reg(self, node: &Node) -> Vec<(u64, u64)> {
        let number = |b: &[u8]| b.iter().fold(0, |v: u64, &x| v << 8 | u64::from(x));
        let Some(entry) = self.address.checked_add(self.size).filter(|n| (1..=4).contains(n)).map(|n| 4 * n) else {
            return Vec::new();
        };
        let reg = node.get("reg").unwrap_or_default();
        reg.chunks_exact(entry).map(|e| e.split_at(4 * self.address)).map(|(a, s)| (number(a), number(s))).collect()
    }
}

fn compatible(node: &Node) -> impl Iterator<Item = &[u8]> {
    node.get("compatible").unwrap_or_default().split(|&b| b == 0).filter(|s| !s.is_empty())
}

/// Checks every enabled device at the root and on simple buses: one the board has must be at an address and an interrupt the board has it
/// at, and any other must at least lie where something answers.
pub fn check(root: &Node, config: &Config) -> Result<(), FdtError> {
    let board = virt::soc(config);
    bus(root, "", &board, config)
}

fn bus(parent: &Node, path: &str, board: &Node, config: &Config) -> Result<(), FdtError> {
    let cells = Cells::of(parent);
    for n in &parent.children {
        let path = format!("{path}/{}", n.name);
        let off = n.get("status").is_some_and(|s| s != b"okay\0" && s != b"ok\0");
        if off || n.get("compatible").is_none() {
            continue;
        }
        if compatible(n).any(|c| c == b"simple-bus") {
            // A bus that translates its addresses (`ranges` with content) is read as it stands nowhere on this board.
            if n.get("ranges").is_some_and(<[u8]>::is_empty) {
                bus(n, &path, board, config)?;
            }
            continue;
        }
        device(n, &path, cells.reg(n).first().copied(), board, config)?;
    }
    Ok(())
}

fn device(n: &Node, path: &str, reg: Option<(u64, u64)>, board: &Node, config: &Config) -> Result<(), FdtError> {
    let Some((base, _)) = reg else { return Ok(()) };
    let fail = |what: String| Err(FdtError::Content { node: path.into(), what });
    let ours = || board.children.iter().map(|d| (d, Cells::of(board).reg(d)));
    let same: Vec<_> = ours().filter(|(d, _)| compatible(d).any(|c| compatible(n).any(|x| x == c))).collect();
    if same.is_empty() {
        let answers = ours().any(|(_, reg)| reg.iter().any(|&(b, size)| base >= b && base - b < size));
        let ram = base >= map::RAM && base - map::RAM < config.ram_size;
        if answers || ram {
            return Ok(());
        }
        return fail(format!(
            "claims a device at {base:#x}, where the board has nothing; remove the node, or give it status = \"disabled\""
        ));
    }
    let Some((found, _)) = same.iter().find(|(_, reg)| reg.iter().any(|r| r.0 == base)) else {
        let at: Vec<String> = same.iter().filter_map(|(_, reg)| reg.first()).map(|r| format!("{:#x}", r.0)).collect();
        return fail(format!("claims the device at {base:#x}, but the board has it at {}; correct reg", at.join(", ")));
    };
    match (n.get_u32("interrupts"), found.get_u32("interrupts")) {
        (Some(claimed), Some(wired)) if claimed != wired => {
            fail(format!("claims interrupt {claimed}, but the board wires it to {wired}; correct interrupts"))
        }
        _ => Ok(()),
    }
}
