//! Reading a snapshot: everything is checked before anything is believed, and nothing is unpacked that could be larger than it may be.

use emu_core::dev::state::Restorer;
use emu_core::machine::Machine;

use super::{About, END, FORMAT, Id, KIND, MOST_STATE, PAGE, PAGES, PART, Parent, STATE, ZEROES};
use crate::bytes::{CHECK, Cursor};
use crate::error::{ReplayError, bad};
use crate::framed::{Chunk, take_chunk};
use crate::log::Header;
use crate::packed::{unpack, unpack_into};

/// A chunk: where its payload starts, and the payload.
type Part<'a> = (usize, &'a [u8]);

/// A snapshot in memory, whole and sound but not unpacked.
pub struct Snapshot<'a> {
    /// What it says of itself.
    pub about: About,
    /// Its name.
    pub id: Id,
    /// Pages it has.
    pub pages: u64,
    /// Bytes of state beside RAM.
    pub state: u64,
    states: Vec<Part<'a>>,
    stored: Vec<Part<'a>>,
    zeroes: Vec<Part<'a>>,
}

impl<'a> Snapshot<'a> {
    /// What the first bytes of a file say, without a look at the rest.
    pub fn about(bytes: &[u8]) -> Result<About, ReplayError> {
        head(bytes).map(|(about, _, _)| about)
    }

    /// Reads a snapshot file's bytes.
    pub fn read(bytes: &'a [u8]) -> Result<Snapshot<'a>, ReplayError> {
        let (about, mut c, mut before) = head(bytes)?;
        let mut s =
            Snapshot { about, id: before, pages: 0, state: 0, states: Vec::new(), stored: Vec::new(), zeroes: Vec::new() };
        let mut ended = false;
        while !c.is_empty() {
            if ended {
                return Err(bad(KIND, c.place(), "bytes after the end"));
            }
            match take_chunk(&mut c, &mut before)? {
                Chunk::Cut(at) => return Err(bad(KIND, at, "the file breaks off in the chunk")),
                Chunk::Whole(STATE, at, payload) => s.states.push((at, payload)),
                Chunk::Whole(PAGES, at, payload) => s.stored.push((at, payload)),
                Chunk::Whole(ZEROES, at, payload) => s.zeroes.push((at, payload)),
                Chunk::Whole(END, at, payload) => {
                    let mut p = Cursor::new(KIND, payload, at);
                    (s.state, s.pages) = (p.number()?, p.number()?);
                    ended = true;
                }
                Chunk::Whole(tag, at, _) => return Err(bad(KIND, at, format!("a chunk of unknown kind {tag}"))),
            }
        }
        if !ended {
            return Err(bad(KIND, c.place(), "the file ends before the snapshot does"));
        }
        s.id = before;
        Ok(s)
    }

    /// Brings a machine into the saved state. It must be the base: the parent's, or one of the same configuration at its start. After an
    /// error its state is nobody's: it could run, but means nothing.
    pub fn apply(&self, m: &mut Machine) -> Result<(), ReplayError> {
        let filled = self.fill(m);
        // A state that ends early has replaced a part of what was there.
        m.restored();
        filled?;
        if m.state_hash() != self.about.hash {
            return Err(self.other("the state that it makes is not the one that was saved"));
        }
        Ok(())
    }

    /// Puts the saved state into a machine; what follows from it is not up to date yet.
    fn fill(&self, m: &mut Machine) -> Result<(), ReplayError> {
        let mut state = Vec::new();
        for &(at, payload) in &self.states {
            let mut c = Cursor::new(KIND, payload, at);
            let size = c.number()?;
            if size > PART as u64 || state.len() as u64 + size > MOST_STATE.min(self.state) {
                return Err(bad(KIND, at, format!("{size} bytes of state are announced, more than there can be")));
            }
            let place = c.place();
            unpack_into(KIND, c.take(c.left())?, size as usize, place, &mut state)?;
        }
        let mut r = Restorer::new(&state);
        m.visit_saved(&mut r);
        if !r.complete() {
            return Err(self.other("its state is of another machine"));
        }
        let (base, pages) = (m.bus().ram.base(), m.bus().ram.size() / PAGE as u64);
        for &(at, payload) in &self.stored {
            let (numbers, place, frame) = take_numbers(payload, at, pages)?;
            if numbers.len() > PART / PAGE {
                return Err(bad(KIND, at, format!("{} pages in one chunk", numbers.len())));
            }
            let data = unpack(KIND, frame, numbers.len() * PAGE, place)?;
            for (n, page) in numbers.iter().zip(data.chunks(PAGE)) {
                m.bus_mut().ram.write_bytes(base + n * PAGE as u64, page, &mut Vec::new());
            }
        }
        for &(at, payload) in &self.zeroes {
            for n in take_numbers(payload, at, pages)?.0 {
                m.bus_mut().ram.write_bytes(base + n * PAGE as u64, &[0; PAGE], &mut Vec::new());
            }
        }
        Ok(())
    }

    fn other(&self, what: &str) -> ReplayError {
        ReplayError::Misfit {
            what: format!("snapshot: {what}"),
            cycles: self.about.cycles,
            instret: self.about.instret,
            remedy: "give the images, the parent and the configuration that it was saved with",
        }
    }
}

/// Numbers of pages, in ascending order and all in RAM; then where the rest of the payload starts, and the rest.
fn take_numbers(payload: &[u8], at: usize, pages: u64) -> Result<(Vec<u64>, usize, &[u8]), ReplayError> {
    let mut c = Cursor::new(KIND, payload, at);
    let n = c.count()?;
    let (mut all, mut next) = (Vec::new(), 0u64);
    for _ in 0..n {
        let place = c.place();
        let number = next.checked_add(c.number()?).filter(|n| *n < pages);
        let number = number.ok_or_else(|| bad(KIND, place, "a page outside of RAM"))?;
        all.push(number);
        next = number + 1;
    }
    let place = c.place();
    let rest = c.take(c.left())?;
    Ok((all, place, rest))
}

fn head(bytes: &[u8]) -> Result<(About, Cursor<'_>, [u8; CHECK]), ReplayError> {
    let (mut h, c, found) = FORMAT.head(bytes)?;
    let about = About {
        header: Header::take(&mut h)?,
        cycles: h.number()?,
        instret: h.number()?,
        hash: h.array()?,
        parent: match h.take(1)?[0] {
            0 => None,
            1 => Some(Parent { id: h.array()?, name: h.text()? }),
            other => return Err(bad(KIND, h.place() - 1, format!("a base of unknown kind {other}"))),
        },
    };
    Ok((about, c, found))
}
