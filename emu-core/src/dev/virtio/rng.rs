//! Entropy device ("VIRTIO 1.2, 5.4"): bytes of BLAKE3's extendable output over the seed, so that a run can be repeated.

use virtio_bindings::virtio_ids::VIRTIO_ID_RNG;

use super::mmio::Model;
use super::queue::{BadQueue, Mem, Queue};
use crate::dev::StateIo;

const CONTEXT: &str = "trapeze virtio-rng 1";
/// Longest answer to one request; a driver asks again for more.
const MAX_ANSWER: u64 = 1 << 16;

/// The generator: its state is the seed and the position in its stream.
pub struct Rng {
    seed: u64,
    position: u64,
}

impl Rng {
    /// A stream that is a function of the seed.
    pub fn new(seed: u64) -> Rng {
        Rng { seed, position: 0 }
    }

    fn fill(&mut self, buf: &mut [u8]) {
        let mut stream = blake3::Hasher::new_derive_key(CONTEXT).update(&self.seed.to_le_bytes()).finalize_xof();
        stream.set_position(self.position);
        stream.fill(buf);
        self.position = self.position.wrapping_add(buf.len() as u64);
    }
}

impl Model for Rng {
    fn id(&self) -> u32 {
        VIRTIO_ID_RNG
    }

    fn queues(&self) -> usize {
        1
    }

    fn serve(&mut self, _index: usize, queue: &mut Queue, mem: &mut Mem<'_>) -> Result<(), BadQueue> {
        for _ in 0..queue.budget() {
            let Some(chain) = queue.pop(mem)? else { break };
            let mut data = vec![0; chain.writable_len().min(MAX_ANSWER) as usize];
            self.fill(&mut data);
            chain.write(mem, 0, &data)?;
            queue.push(mem, chain.head, data.len() as u32)?;
        }
        Ok(())
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        io.u64("seed", &mut self.seed);
        io.u64("position", &mut self.position);
    }

    fn fork(&self) -> Option<Rng> {
        Some(Rng { ..*self })
    }
}
