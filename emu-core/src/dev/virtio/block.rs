//! Block device ("VIRTIO 1.2, 5.2"): read, write, flush, identify.

use virtio_bindings::virtio_blk::*;
use virtio_bindings::virtio_ids::VIRTIO_ID_BLOCK;

use super::backend::{BlockBackend, SECTOR};
use super::mmio::Model;
use super::queue::{BadQueue, Chain, MAX_SIZE, Mem, Queue};
use crate::dev::StateIo;

/// Sectors copied at a time: requests may be large, host buffers need not.
const BATCH: u64 = 128;
const HEADER: u64 = 16;
const ID_LEN: usize = 20;

/// A disk over a [`BlockBackend`].
pub struct Block {
    backend: Box<dyn BlockBackend>,
    read_only: bool,
    serial: [u8; ID_LEN],
}

impl Block {
    /// `serial` is what GET_ID answers, cut to 20 bytes.
    pub fn new(backend: Box<dyn BlockBackend>, read_only: bool, serial: &str) -> Block {
        let mut id = [0; ID_LEN];
        for (to, from) in id.iter_mut().zip(serial.bytes()) {
            *to = from;
        }
        Block { backend, read_only, serial: id }
    }

    /// The disk image.
    pub fn backend(&mut self) -> &mut dyn BlockBackend {
        &mut *self.backend
    }

    /// Carries out one request; returns its status and the bytes written before the status byte.
    fn request(&mut self, chain: &Chain, mem: &mut Mem<'_>) -> Result<(u32, u64), BadQueue> {
        let mut header = [0; HEADER as usize];
        if chain.read(mem, 0, &mut header)? < header.len() {
            return Err(BadQueue("a block request without header"));
        }
        let kind = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let sector = u64::from_le_bytes(std::array::from_fn(|i| header[8 + i]));
        let room = chain.writable_len() - 1;
        match kind {
            VIRTIO_BLK_T_IN => self.copy(chain, mem, sector, room, false),
            VIRTIO_BLK_T_OUT if self.read_only => Ok((VIRTIO_BLK_S_IOERR, 0)),
            VIRTIO_BLK_T_OUT => self.copy(chain, mem, sector, chain.readable_len() - HEADER, true),
            VIRTIO_BLK_T_FLUSH => Ok((if self.backend.flush().is_ok() { VIRTIO_BLK_S_OK } else { VIRTIO_BLK_S_IOERR }, 0)),
            VIRTIO_BLK_T_GET_ID => {
                let n = room.min(ID_LEN as u64) as usize;
                chain.write(mem, 0, &self.serial[..n])?;
                Ok((VIRTIO_BLK_S_OK, n as u64))
            }
            _ => Ok((VIRTIO_BLK_S_UNSUPP, 0)),
        }
    }

    fn copy(&mut self, chain: &Chain, mem: &mut Mem<'_>, sector: u64, len: u64, write: bool) -> Result<(u32, u64), BadQueue> {
        let count = len / SECTOR;
        let fits = sector.checked_add(count).is_some_and(|end| end <= self.backend.sectors());
        if !len.is_multiple_of(SECTOR) || !fits {
            return Ok((VIRTIO_BLK_S_IOERR, 0));
        }
        let mut buf = vec![0; (count.min(BATCH) * SECTOR) as usize];
        let mut done = 0;
        while done < count {
            let n = (count - done).min(BATCH);
            let part = &mut buf[..(n * SECTOR) as usize];
            let ok = if write {
                chain.read(mem, HEADER + done * SECTOR, part)?;
                self.backend.write(sector + done, part).is_ok()
            } else {
                let ok = self.backend.read(sector + done, part).is_ok();
                if ok {
                    chain.write(mem, done * SECTOR, part)?;
                }
                ok
            };
            if !ok {
                return Ok((VIRTIO_BLK_S_IOERR, 0));
            }
            done += n;
        }
        Ok((VIRTIO_BLK_S_OK, if write { 0 } else { len }))
    }
}

impl Model for Block {
    fn id(&self) -> u32 {
        VIRTIO_ID_BLOCK
    }

    fn features(&self) -> u64 {
        let ro = u64::from(self.read_only) << VIRTIO_BLK_F_RO;
        1 << VIRTIO_BLK_F_SEG_MAX | 1 << VIRTIO_BLK_F_BLK_SIZE | 1 << VIRTIO_BLK_F_FLUSH | ro
    }

    fn queues(&self) -> usize {
        1
    }

    /// "5.2.4 Device configuration layout": capacity, seg_max at 12, blk_size at 20.
    fn config(&self) -> Vec<u8> {
        let mut c = vec![0; 24];
        c[..8].copy_from_slice(&self.backend.sectors().to_le_bytes());
        c[12..16].copy_from_slice(&u32::from(MAX_SIZE - 2).to_le_bytes());
        c[20..24].copy_from_slice(&(SECTOR as u32).to_le_bytes());
        c
    }

    fn serve(&mut self, _index: usize, queue: &mut Queue, mem: &mut Mem<'_>) -> Result<(), BadQueue> {
        for _ in 0..queue.budget() {
            let Some(chain) = queue.pop(mem)? else { break };
            let Some(status_at) = chain.writable_len().checked_sub(1) else {
                return Err(BadQueue("a block request without room for its status"));
            };
            let (status, written) = self.request(&chain, mem)?;
            chain.write(mem, status_at, &[status as u8])?;
            // "2.7.8.2": that many bytes from the first on were written. The status is the last byte: it counts if no gap is before it.
            let len = if written == status_at { written + 1 } else { written };
            queue.push(mem, chain.head, len as u32)?;
        }
        Ok(())
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        self.backend.state(io);
    }

    fn fork(&self) -> Option<Block> {
        Some(Block { backend: self.backend.fork()?, read_only: self.read_only, serial: self.serial })
    }
}
