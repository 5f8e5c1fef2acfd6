//! A device tree as values, read from a blob and written to one. Writing is `vm-fdt`'s.

use vm_fdt::{FdtReserveEntry, FdtWriter};

const MAGIC: u32 = 0xd00d_feed;
const HEADER: usize = 40;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROP: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;
/// Nodes inside nodes; real trees have six levels, and a reader that recurses must end.
const MAX_DEPTH: usize = 64;

/// A blob that is no device tree, or a tree that cannot be written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FdtError {
    /// The blob breaks the format.
    #[error("at offset {offset:#x}: {what}")]
    Format {
        /// Where.
        offset: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The tree's content cannot be.
    #[error("{}: {what}", node.escape_debug())]
    Content {
        /// Path or name of the node, which comes from a file and may be anything.
        node: String,
        /// What is wrong.
        what: String,
    },
}

/// A node with its properties and children, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Node {
    /// Name with unit address; empty for the root.
    pub name: String,
    /// Property names and their bytes.
    pub props: Vec<(String, Vec<u8>)>,
    /// Nodes inside.
    pub children: Vec<Node>,
}

impl Node {
    /// A node without content.
    pub fn new(name: impl Into<String>) -> Node {
        Node { name: name.into(), ..Node::default() }
    }

    /// Adds or replaces a property.
    pub fn set(&mut self, name: &str, value: Vec<u8>) -> &mut Node {
        match self.props.iter_mut().find(|p| p.0 == name) {
            Some(p) => p.1 = value,
            None => self.props.push((name.into(), value)),
        }
        self
    }

    /// Adds or replaces a property without value.
    pub fn flag(&mut self, name: &str) -> &mut Node {
        self.set(name, Vec::new())
    }

    /// Adds or replaces a property of 32-bit cells.
    pub fn cells(&mut self, name: &str, cells: &[u32]) -> &mut Node {
        self.set(name, cells.iter().flat_map(|c| c.to_be_bytes()).collect())
    }

    /// Adds or replaces a property of 64-bit numbers.
    pub fn quads(&mut self, name: &str, quads: &[u64]) -> &mut Node {
        self.set(name, quads.iter().flat_map(|c| c.to_be_bytes()).collect())
    }

    /// Adds or replaces a string list.
    pub fn strings(&mut self, name: &str, strings: &[&str]) -> &mut Node {
        self.set(name, strings.iter().flat_map(|s| s.bytes().chain([0])).collect())
    }

    /// Adds a child.
    pub fn child(&mut self, node: Node) -> &mut Node {
        self.children.push(node);
        self
    }

    /// A property's bytes.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.props.iter().find(|p| p.0 == name).map(|p| &p.1[..])
    }

    /// A property of one cell.
    pub fn get_u32(&self, name: &str) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(name)?.try_into().ok()?))
    }

    /// A child by its whole name, made if it is missing.
    pub fn child_mut(&mut self, name: &str) -> &mut Node {
        let i = self.children.iter().position(|c| c.name == name).unwrap_or_else(|| {
            self.children.push(Node::new(name));
            self.children.len() - 1
        });
        &mut self.children[i]
    }
}

/// A blob's content.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Blob {
    /// Memory no one may use: address and size.
    pub reserved: Vec<(u64, u64)>,
    /// Hart that boots.
    pub boot_cpu: u32,
    /// The root.
    pub root: Node,
}

impl Blob {
    /// Writes the blob.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FdtError> {
        let fail =
            |node: &str, e: vm_fdt::Error| FdtError::Content { node: node.into(), what: format!("{e}; correct the device tree") };
        let reserved: Result<Vec<_>, _> = self.reserved.iter().map(|&(a, s)| FdtReserveEntry::new(a, s)).collect();
        let reserved = reserved.map_err(|e| fail("memory reservation", e))?;
        let mut w = FdtWriter::new_with_mem_reserv(&reserved).map_err(|e| fail("memory reservation", e))?;
        w.set_boot_cpuid_phys(self.boot_cpu);
        write_node(&mut w, &self.root).map_err(|(n, e)| fail(&n, e))?;
        w.finish().map_err(|e| fail("/", e))
    }

    /// Reads a blob, and refuses one that breaks the format.
    pub fn parse(bytes: &[u8]) -> Result<Blob, FdtError> {
        let word = |at: usize| {
            bytes
                .get(at..at.saturating_add(4))
                .and_then(|b| b.try_into().ok())
                .map(u32::from_be_bytes)
                .ok_or(FdtError::Format { offset: at, what: "the file ends inside" })
        };
        let bad = |offset, what| Err(FdtError::Format { offset, what });
        if word(0)? != MAGIC {
            return bad(0, "no device tree blob (its magic number 0xd00dfeed is missing); compile sources with dtc");
        }
        if bytes.len() < HEADER {
            return bad(bytes.len(), "the header is cut off");
        }
        let total = word(4)? as usize;
        if total < HEADER || total > bytes.len() {
            return bad(4, "totalsize is not the size of the file: it is cut off or lies");
        }
        let bytes = &bytes[..total];
        let (structure, strings, reserve) = (word(8)? as usize, word(12)? as usize, word(16)? as usize);
        if word(24)? > 17 {
            return bad(24, "a format newer than version 17");
        }
        if word(20)? < 17 {
            return bad(20, "a format older than version 17");
        }
        let (strings_len, structure_len) = (word(32)? as usize, word(36)? as usize);
        let Some(strings_block) = bytes.get(strings..strings.saturating_add(strings_len)) else {
            return bad(12, "the strings block is outside of the file");
        };
        if structure % 4 != 0 || bytes.get(structure..structure.saturating_add(structure_len)).is_none() {
            return bad(8, "the structure block is outside of the file");
        }
        let mut blob = Blob { boot_cpu: word(28)?, ..Blob::default() };
        let mut at = reserve;
        loop {
            let quad = |at: usize| Ok(u64::from(word(at)?) << 32 | u64::from(word(at.saturating_add(4))?));
            let entry = (quad(at)?, quad(at.saturating_add(8))?);
            if entry == (0, 0) {
                break;
            }
            blob.reserved.push(entry);
            at += 16;
        }
        let mut r = Reader { bytes: &bytes[..structure + structure_len], at: structure, strings: strings_block };
        if r.token()? != BEGIN_NODE {
            return bad(structure, "the tree does not begin with a node");
        }
        blob.root = r.node(0)?;
        if r.token()? != END {
            return bad(r.at, "something follows the root node");
        }
        Ok(blob)
    }
}

fn write_node(w: &mut FdtWriter, node: &Node) -> Result<(), (String, vm_fdt::Error)> {
    let at = |e| (node.name.clone(), e);
    let open = w.begin_node(&node.name).map_err(at)?;
    for (name, value) in &node.props {
        w.property(name, value).map_err(at)?;
    }
    for c in &node.children {
        write_node(w, c)?;
    }
    w.end_node(open).map_err(at)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    strings: &'a [u8],
}

impl Reader<'_> {
    fn bad<T>(&self, what: &'static str) -> Result<T, FdtError> {
        Err(FdtError::Format { offset: self.at, what })
    }

    fn word(&mut self) -> Result<u32, FdtError> {
        let Some(b) = self.bytes.get(self.at..self.at + 4) else { return self.bad("the structure block ends too early") };
        self.at += 4;
        Ok(b.iter().fold(0, |v, &x| v << 8 | u32::from(x)))
    }

    fn token(&mut self) -> Result<u32, FdtError> {
        loop {
            let t = self.word()?;
            if t != NOP {
                return Ok(t);
            }
        }
    }

    fn string(bytes: &[u8]) -> Option<&str> {
        let end = bytes.iter().position(|&b| b == 0)?;
        std::str::from_utf8(&bytes[..end]).ok()
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(4);
    }

    /// The node whose BEGIN_NODE token was just read.
    fn node(&mut self, depth: usize) -> Result<Node, FdtError> {
        if depth > MAX_DEPTH {
            return self.bad("nodes are nested too deeply");
        }
        let Some(name) = self.bytes.get(self.at..).and_then(Reader::string) else { return self.bad("a node without name") };
        let mut node = Node::new(name);
        self.at += name.len() + 1;
        self.align();
        loop {
            match self.token()? {
                BEGIN_NODE => node.children.push(self.node(depth + 1)?),
                END_NODE => return Ok(node),
                PROP => {
                    let (len, name) = (self.word()? as usize, self.word()? as usize);
                    let Some(name) = self.strings.get(name..).and_then(Reader::string) else {
                        return self.bad("a property whose name is outside of the strings block");
                    };
                    let Some(value) = self.bytes.get(self.at..self.at.saturating_add(len)) else {
                        return self.bad("a property longer than the structure block");
                    };
                    node.props.push((name.to_string(), value.to_vec()));
                    self.at += len;
                    self.align();
                }
                _ => return self.bad("an unknown token"),
            }
        }
    }
}
