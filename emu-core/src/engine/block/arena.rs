//! Memory for blocks: pieces cut from large chunks, so that code that runs in one go lies close together.

use std::ptr::NonNull;

/// What pieces are measured in: 16 bytes, the size of an op.
#[repr(C, align(16))]
#[derive(Clone, Copy)]
pub(super) struct Unit([u64; 2]);

/// Units in a chunk: 1 MiB, which the host gives when it is first touched.
const CHUNK: usize = 1 << 16;

/// Pieces by their length; what is freed serves the next of its length. Everything goes when the arena is dropped.
pub(super) struct Arena {
    chunks: Vec<NonNull<[Unit]>>,
    /// Units used of the last chunk.
    used: usize,
    free: Vec<Vec<NonNull<Unit>>>,
}

impl Arena {
    /// An empty one.
    pub(super) fn new() -> Arena {
        Arena { chunks: Vec::new(), used: CHUNK, free: Vec::new() }
    }

    /// A piece of `units` (at most a chunk), with any contents.
    pub(super) fn get(&mut self, units: usize) -> NonNull<Unit> {
        debug_assert!(units <= CHUNK);
        if let Some(p) = self.free.get_mut(units).and_then(Vec::pop) {
            return p;
        }
        if self.used + units > CHUNK {
            self.chunks.push(NonNull::from(Box::leak(vec![Unit([0; 2]); CHUNK].into_boxed_slice())));
            self.used = 0;
        }
        let at = self.used;
        self.used += units;
        let chunk = self.chunks[self.chunks.len() - 1].cast::<Unit>();
        // SAFETY: `at + units` is at most the chunk's length.
        unsafe { chunk.add(at) }
    }

    /// Takes a piece back.
    pub(super) fn give(&mut self, piece: NonNull<Unit>, units: usize) {
        if self.free.len() <= units {
            self.free.resize_with(units + 1, Vec::new);
        }
        self.free[units].push(piece);
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for c in &self.chunks {
            // SAFETY: each came from `Box::leak` and is released once.
            drop(unsafe { Box::from_raw(c.as_ptr()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_piece_serves_the_next_of_its_length_only() {
        let mut a = Arena::new();
        let (p, q) = (a.get(7), a.get(9));
        // SAFETY: both pieces are in one chunk.
        assert_eq!(unsafe { q.offset_from(p) }, 7);
        a.give(p, 7);
        assert_ne!(a.get(9), p);
        assert_eq!(a.get(7), p);
    }

    #[test]
    fn pieces_never_cross_a_chunk() {
        let mut a = Arena::new();
        let mut before = a.get(CHUNK - 1);
        for _ in 0..3 {
            let p = a.get(2);
            assert_eq!(p.as_ptr() as usize % 16, 0);
            assert_ne!(p, before);
            before = p;
        }
        assert_eq!(a.chunks.len(), 2);
    }
}
