//! What a log, a snapshot and a bundle say about the run they belong to.

use crate::bytes::{Cursor, put, put_bytes};
use crate::error::ReplayError;
use crate::semantics::{TOOL, semantic_hash};

/// An image a run was made from, by its contents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// What it is for: `kernel`, `initrd`, `bios`, `dtb`, `drive0`...
    pub role: String,
    /// Its file's name when the run was made, without directories: for messages.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// BLAKE3.
    pub hash: [u8; 32],
}

/// Who made it, and what the run is made from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Tool and version.
    pub tool: String,
    /// [`semantic_hash`] of that build.
    pub semantics: [u8; 32],
    /// The resolved configuration as TOML.
    pub config: String,
    /// The images it names.
    pub images: Vec<Image>,
}

impl Header {
    /// This build's header for a run.
    pub fn new(config: String, images: Vec<Image>) -> Header {
        Header { tool: TOOL.to_owned(), semantics: semantic_hash(), config, images }
    }

    /// Appends its bytes.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.tool.as_bytes());
        out.extend_from_slice(&self.semantics);
        put_bytes(out, self.config.as_bytes());
        put(out, self.images.len() as u64);
        for i in &self.images {
            put_bytes(out, i.role.as_bytes());
            put_bytes(out, i.name.as_bytes());
            put(out, i.size);
            out.extend_from_slice(&i.hash);
        }
    }

    /// Reads it.
    pub fn take(c: &mut Cursor<'_>) -> Result<Header, ReplayError> {
        let tool = c.text()?;
        let semantics = c.array()?;
        let config = c.text()?;
        let n = c.count()?;
        let mut images = Vec::new();
        for _ in 0..n {
            images.push(Image { role: c.text()?, name: c.text()?, size: c.number()?, hash: c.array()? });
        }
        Ok(Header { tool, semantics, config, images })
    }

    /// Refuses what another build's tables made.
    pub fn check(&self, kind: &'static str) -> Result<(), ReplayError> {
        if self.semantics == semantic_hash() {
            return Ok(());
        }
        let what = "its tables of instructions, CSRs and SBI functions are others".to_owned();
        let remedy = match kind {
            "log" => "use that version, or trapeze replay --force to try all the same",
            _ => "use that version, or make it again with this one",
        };
        Err(ReplayError::Version { kind, found: self.tool.clone(), ours: TOOL.to_owned(), what, remedy })
    }
}
