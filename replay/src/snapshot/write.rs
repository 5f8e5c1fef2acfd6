//! Writing a snapshot.

use std::io::{self, Write};

use emu_core::dev::state::Saver;
use emu_core::machine::Machine;
use emu_core::mem::Ram;

use super::{About, END, FORMAT, Id, PAGE, PAGES, PART, Parent, STATE, ZEROES};
use crate::bytes::{put, put_bytes};
use crate::framed::ChunkWriter;
use crate::log::Header;
use crate::packed::pack;

/// Pages in a chunk.
const RUN: usize = PART / PAGE;

/// Writes a snapshot of `m` as a difference to `base`: the RAM of the parent's machine if there is a parent, otherwise of the machine at its
/// start. Returns the snapshot's name. The machine is the same afterwards.
pub fn save<W: Write>(m: &mut Machine, base: &Ram, header: Header, parent: Option<Parent>, out: W) -> io::Result<Id> {
    let about = About { header, cycles: m.cycles(), instret: m.instret(), hash: m.state_hash(), parent };
    let mut c = ChunkWriter::new(out, &FORMAT, &about.bytes())?;
    let mut state = Saver::default();
    m.visit_saved(&mut state);
    for part in state.0.chunks(PART) {
        let mut p = Vec::new();
        put(&mut p, part.len() as u64);
        p.extend_from_slice(&pack(part));
        c.put(STATE, &p)?;
    }
    let (mut stored, mut zeroes, mut failed) = (Pages::default(), Vec::new(), None);
    let (ram, mut count) = (&m.bus().ram, 0u64);
    ram.for_each_difference(base, &mut |pa, here, _| {
        let number = (pa - ram.base()) / PAGE as u64;
        count += 1;
        if here.iter().all(|b| *b == 0) {
            zeroes.push(number);
        } else {
            stored.add(number, here);
            if stored.numbers.len() == RUN && failed.is_none() {
                failed = stored.flush(&mut c).err();
            }
        }
    });
    if let Some(e) = failed {
        return Err(e);
    }
    stored.flush(&mut c)?;
    if !zeroes.is_empty() {
        c.put(ZEROES, &numbers(&zeroes))?;
    }
    let mut end = Vec::new();
    put(&mut end, state.0.len() as u64);
    put(&mut end, count);
    c.put(END, &end)?;
    c.flush()?;
    Ok(c.last())
}

/// How many, and each as its distance from the one before (from -1 for the first) less one.
fn numbers(of: &[u64]) -> Vec<u8> {
    let mut p = Vec::new();
    put(&mut p, of.len() as u64);
    let mut next = 0;
    for n in of {
        put(&mut p, n - next);
        next = n + 1;
    }
    p
}

#[derive(Default)]
struct Pages {
    numbers: Vec<u64>,
    data: Vec<u8>,
}

impl Pages {
    fn add(&mut self, number: u64, page: &[u8; PAGE]) {
        self.numbers.push(number);
        self.data.extend_from_slice(page);
    }

    fn flush<W: Write>(&mut self, c: &mut ChunkWriter<W>) -> io::Result<()> {
        if self.numbers.is_empty() {
            return Ok(());
        }
        let mut p = numbers(&self.numbers);
        p.extend_from_slice(&pack(&self.data));
        *self = Pages::default();
        c.put(PAGES, &p)
    }
}

impl About {
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.header.put(&mut out);
        put(&mut out, self.cycles);
        put(&mut out, self.instret);
        out.extend_from_slice(&self.hash);
        match &self.parent {
            None => out.push(0),
            Some(p) => {
                out.push(1);
                out.extend_from_slice(&p.id);
                put_bytes(&mut out, p.name.as_bytes());
            }
        }
        out
    }
}
