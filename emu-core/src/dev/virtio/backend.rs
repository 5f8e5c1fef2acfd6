//! What a block device stores its sectors in. Files stay outside of the model: the caller gives a [`BlockBackend`] over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dev::StateIo;

/// Bytes in a sector.
pub const SECTOR: u64 = 512;

/// The host could not read or write; the guest sees an I/O error.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("disk image {image}: {what}")]
pub struct BlockError {
    /// Which image.
    pub image: String,
    /// What failed, at which sector.
    pub what: String,
}

/// A disk image. Sector numbers and whole sectors are checked by the device.
pub trait BlockBackend {
    /// Size in sectors.
    fn sectors(&self) -> u64;
    /// Reads whole sectors.
    fn read(&mut self, sector: u64, buf: &mut [u8]) -> Result<(), BlockError>;
    /// Writes whole sectors.
    fn write(&mut self, sector: u64, buf: &[u8]) -> Result<(), BlockError>;
    /// Makes earlier writes durable.
    fn flush(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
    /// Visits what the guest wrote, if the backend keeps it in memory.
    fn state(&mut self, io: &mut dyn StateIo);
    /// The same contents for a fork of the machine, which must never see what this one writes from now on, nor the other way round.
    /// None where writes go to a file.
    fn fork(&self) -> Option<Box<dyn BlockBackend>>;
}

/// A disk in memory.
#[derive(Clone)]
pub struct MemoryDisk(Arc<Vec<u8>>);

impl MemoryDisk {
    /// From an image; an incomplete last sector is filled with zeroes.
    pub fn new(mut image: Vec<u8>) -> MemoryDisk {
        image.resize(image.len().next_multiple_of(SECTOR as usize), 0);
        MemoryDisk(Arc::new(image))
    }

    fn range(&mut self, sector: u64, len: usize) -> Result<&mut [u8], BlockError> {
        let start = usize::try_from(sector.saturating_mul(SECTOR)).unwrap_or(usize::MAX);
        let range = start..start.saturating_add(len);
        Arc::make_mut(&mut self.0).get_mut(range).ok_or_else(|| beyond(sector))
    }
}

fn beyond(sector: u64) -> BlockError {
    BlockError { image: "in memory".into(), what: format!("sector {sector} is beyond its end") }
}

impl BlockBackend for MemoryDisk {
    fn sectors(&self) -> u64 {
        self.0.len() as u64 / SECTOR
    }

    fn read(&mut self, sector: u64, buf: &mut [u8]) -> Result<(), BlockError> {
        let start = usize::try_from(sector.saturating_mul(SECTOR)).unwrap_or(usize::MAX);
        match self.0.get(start..start.saturating_add(buf.len())) {
            Some(data) => buf.copy_from_slice(data),
            None => return Err(beyond(sector)),
        }
        Ok(())
    }

    fn write(&mut self, sector: u64, buf: &[u8]) -> Result<(), BlockError> {
        self.range(sector, buf.len())?.copy_from_slice(buf);
        Ok(())
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        if io.skips_disks() {
            return;
        }
        let n = self.0.len();
        let image = Arc::make_mut(&mut self.0);
        io.bytes("disk", image);
        image.resize(n, 0);
    }

    fn fork(&self) -> Option<Box<dyn BlockBackend>> {
        Some(Box::new(self.clone()))
    }
}

/// Keeps what the guest writes in memory, over a base that is only read.
pub struct Overlay {
    base: Box<dyn BlockBackend>,
    written: Arc<BTreeMap<u64, [u8; SECTOR as usize]>>,
}

impl Overlay {
    /// Over `base`.
    pub fn new(base: Box<dyn BlockBackend>) -> Overlay {
        Overlay { base, written: Arc::default() }
    }

    /// Sectors the guest has written.
    pub fn written(&self) -> usize {
        self.written.len()
    }
}

impl BlockBackend for Overlay {
    fn sectors(&self) -> u64 {
        self.base.sectors()
    }

    fn read(&mut self, sector: u64, buf: &mut [u8]) -> Result<(), BlockError> {
        let n = buf.len() as u64 / SECTOR;
        let whole = self.written.range(sector..sector.saturating_add(n)).count() as u64 == n;
        if !whole {
            self.base.read(sector, buf)?;
        }
        for (s, data) in self.written.range(sector..sector.saturating_add(n)) {
            let at = ((s - sector) * SECTOR) as usize;
            buf[at..at + SECTOR as usize].copy_from_slice(data);
        }
        Ok(())
    }

    fn write(&mut self, sector: u64, buf: &[u8]) -> Result<(), BlockError> {
        let (sectors, _) = buf.as_chunks();
        let written = Arc::make_mut(&mut self.written);
        for (s, data) in (sector..).zip(sectors) {
            written.insert(s, *data);
        }
        Ok(())
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        if io.skips_disks() {
            return;
        }
        let mut flat = Vec::with_capacity(self.written.len() * (SECTOR as usize + 8));
        for (s, data) in self.written.iter() {
            flat.extend_from_slice(&s.to_le_bytes());
            flat.extend_from_slice(data);
        }
        io.bytes("overlay", &mut flat);
        let written = Arc::make_mut(&mut self.written);
        written.clear();
        let end = self.base.sectors();
        for entry in flat.as_chunks::<{ SECTOR as usize + 8 }>().0 {
            let (number, data) = entry.split_at(8);
            if let (Ok(n), Ok(d)) = (<[u8; 8]>::try_from(number), data.try_into())
                && u64::from_le_bytes(n) < end
            {
                written.insert(u64::from_le_bytes(n), d);
            }
        }
    }

    fn fork(&self) -> Option<Box<dyn BlockBackend>> {
        Some(Box::new(Overlay { base: self.base.fork()?, written: self.written.clone() }))
    }
}
