//! Console device ("VIRTIO 1.2, 5.3"), one port: queue 0 receives, queue 1 transmits.

use std::collections::VecDeque;

use virtio_bindings::virtio_ids::VIRTIO_ID_CONSOLE;

use super::mmio::Model;
use super::queue::{BadQueue, Mem, Queue};
use crate::dev::StateIo;

/// Input kept for a guest that does not read; more is refused.
const INPUT_MAX: usize = 4096;
/// Output kept before more is looked at: the buffers of a full queue may have far more bytes than main memory.
const OUTPUT_MAX: usize = 1 << 20;
const TRANSMIT: usize = 1;

/// The port.
#[derive(Clone, Default)]
pub struct Console {
    input: VecDeque<u8>,
    output: Vec<u8>,
    /// Input has come that no receive buffer was tried for, or output waits until earlier one is taken.
    news: bool,
}

impl Console {
    /// A port without input.
    pub fn new() -> Console {
        Console::default()
    }

    /// Gives received bytes; returns how many were taken.
    pub fn push_input(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(INPUT_MAX.saturating_sub(self.input.len()));
        self.input.extend(&bytes[..n]);
        self.news |= n > 0;
        n
    }

    /// Takes what the guest sent since the last call.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn receive(&mut self, queue: &mut Queue, mem: &mut Mem<'_>) -> Result<(), BadQueue> {
        for _ in 0..queue.budget() {
            if self.input.is_empty() {
                break;
            }
            let Some(chain) = queue.pop(mem)? else { break };
            let n = chain.writable_len().min(self.input.len() as u64) as usize;
            let data: Vec<u8> = self.input.drain(..n).collect();
            chain.write(mem, 0, &data)?;
            queue.push(mem, chain.head, n as u32)?;
        }
        Ok(())
    }

    fn transmit(&mut self, queue: &mut Queue, mem: &mut Mem<'_>) -> Result<(), BadQueue> {
        for _ in 0..queue.budget() {
            if self.output.len() >= OUTPUT_MAX {
                self.news = true;
                break;
            }
            let Some(chain) = queue.pop(mem)? else { break };
            let at = self.output.len();
            self.output.resize(at + chain.readable_len() as usize, 0);
            chain.read(mem, 0, &mut self.output[at..])?;
            queue.push(mem, chain.head, 0)?;
        }
        Ok(())
    }
}

impl Model for Console {
    fn id(&self) -> u32 {
        VIRTIO_ID_CONSOLE
    }

    fn queues(&self) -> usize {
        2
    }

    fn serve(&mut self, index: usize, queue: &mut Queue, mem: &mut Mem<'_>) -> Result<(), BadQueue> {
        if index == TRANSMIT { self.transmit(queue, mem) } else { self.receive(queue, mem) }
    }

    fn has_news(&self) -> bool {
        self.news
    }

    fn seen(&mut self) {
        self.news = false;
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        let mut input = std::mem::take(&mut self.input).into();
        io.bytes("input", &mut input);
        input.truncate(INPUT_MAX);
        self.input = input.into();
        io.bytes("output", &mut self.output);
        crate::dev::state::bool(io, "news", &mut self.news);
    }

    fn fork(&self) -> Option<Console> {
        Some(self.clone())
    }
}
