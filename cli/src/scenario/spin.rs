//! Harts that go round and round: a lock that its holder wants again, a wait for what nobody will do.

use emu_core::machine::{Machine, RunEnd, Stop};
use emu_csr::Mode;
use replay::symbols::Symbols;

/// Instructions of a loop, at most.
const PERIOD: u64 = 500;
/// Cycles after which the loop must still be the same one with the same registers.
const LONG: u64 = 10_000_000;
/// Frames of a stack that are told.
const FRAMES: usize = 32;

type State = (Mode, u64, Vec<u64>);

fn state(m: &Machine, hart: usize) -> Option<State> {
    m.harts().get(hart).map(|h| (h.mode, h.pc, h.x[..32].to_vec()))
}

/// Goes on by one instruction of a hart; false if it does not come to one.
fn step(m: &mut Machine, hart: usize) -> bool {
    let Some(h) = m.harts().get(hart) else { return false };
    let stop = Stop { hart: Some((hart, h.instret + 1)), cycles: m.cycles().saturating_add(1_000_000), ..Stop::NEVER };
    let before = h.instret;
    m.run_until(&stop) == RunEnd::Limit && m.harts().get(hart).is_some_and(|h| h.instret > before)
}

/// Whether a hart does nothing but go round a few instructions with the same registers each time, and still does ten million cycles
/// later. The machine given is used up; take a fork.
pub fn spins(m: &mut Machine, hart: usize) -> bool {
    let Some(first) = state(m, hart) else { return false };
    // A hart that waits goes round nothing; the others would run on for each of its steps.
    let again =
        |m: &mut Machine| (0..PERIOD).map_while(|_| step(m, hart).then(|| state(m, hart))).any(|s| s.as_ref() == Some(&first));
    if !again(m) {
        return false;
    }
    let stop = Stop { cycles: m.cycles().saturating_add(LONG), ..Stop::NEVER };
    while m.cycles() < stop.cycles {
        if m.run_until(&stop) != RunEnd::Limit {
            return false;
        }
    }
    again(m)
}

/// Where a hart is and who called, innermost first, by the frame pointers that compiled code keeps (return address at fp - 8, the caller's
/// frame pointer at fp - 16).
pub fn stack(m: &mut Machine, hart: usize) -> Vec<u64> {
    let Some(h) = m.harts().get(hart) else { return Vec::new() };
    let (mut fp, mut pcs) = (h.x[8], vec![h.pc]);
    while fp != 0 && fp.is_multiple_of(8) && pcs.len() < FRAMES {
        let mut frame = [0; 16];
        if m.peek_virtual(hart, fp.wrapping_sub(16), &mut frame) < frame.len() {
            break;
        }
        let word = |i: usize| frame[i..i + 8].iter().rev().fold(0, |v, b| v << 8 | u64::from(*b));
        let (caller, pc) = (word(0), word(8));
        if pc == 0 {
            break;
        }
        pcs.push(pc);
        // Stacks grow down, so a caller's frame lies above.
        if caller <= fp {
            break;
        }
        fp = caller;
    }
    pcs
}

/// All harts that spin, with their stacks, in words; empty if none does.
pub fn diagnosis(m: &Machine, symbols: &Symbols) -> String {
    let mut text = String::new();
    for hart in 0..m.harts().len() {
        let Ok(mut copy) = m.fork() else { continue };
        if spins(&mut copy, hart) {
            let Ok(mut copy) = m.fork() else { continue };
            let list: Vec<String> = stack(&mut copy, hart).into_iter().map(|pc| symbols.text(pc)).collect();
            text += &format!("\n  hart {hart} goes round the same instructions for ever; its stack: {}", list.join(", "));
        }
    }
    text
}
