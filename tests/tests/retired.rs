//! What an observer hears of instructions that retire.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

mod small;

use std::cell::RefCell;
use std::rc::Rc;

use emu_core::engine::breaks::Hit;
use emu_core::machine::{RunEnd, Stop};
use emu_core::observer::{Observer, Retired};
use small::{CODE, ENGINES, machine, op};

/// pc and what was stored.
type Line = (u64, Option<u64>);

#[derive(Clone, Default)]
struct Told(Rc<RefCell<Vec<Line>>>);

impl Observer for Told {
    fn wants_instructions(&self) -> bool {
        true
    }

    fn retired(&mut self, r: &Retired<'_>) {
        self.0.borrow_mut().push((r.pc, r.stored));
    }
}

#[test]
fn a_store_conditional_is_told_as_a_store_only_if_it_stored() {
    // x10 points to memory.
    let code = [
        op("addi", 6, 0, 0, 7),
        op("sc.w", 0, 10, 6, 0),
        op("lr.w", 5, 10, 0, 0),
        op("sc.w", 0, 10, 6, 0),
        op("sc.w", 7, 10, 6, 0),
        op("lr.d", 5, 10, 0, 0),
        op("addi", 11, 10, 0, 64),
        op("sc.d", 0, 11, 6, 0),
        op("sd", 0, 10, 5, 0),
    ];
    for engine in ENGINES {
        let mut m = machine(engine, &code);
        let told = Told::default();
        m.set_observer(Box::new(told.clone()));
        assert_eq!(m.run_until(&Stop { instret: code.len() as u64, ..Stop::NEVER }), RunEnd::Limit);
        let stored: Vec<_> = told.0.borrow().iter().map(|t| t.1).collect();
        assert_eq!(stored, [None, None, None, Some(7), None, None, None, None, Some(7)], "{engine:?}");
    }
}

#[test]
fn a_breakpoint_stops_whoever_listens() {
    let code = [op("addi", 6, 6, 0, 1); 8];
    for engine in ENGINES {
        let mut m = machine(engine, &code);
        let told = Told::default();
        m.set_observer(Box::new(told.clone()));
        m.set_breaks(&[CODE + 12], &[]);
        assert_eq!(
            m.run_until(&Stop { instret: 8, ..Stop::NEVER }),
            RunEnd::Break { hart: 0, hit: Hit::Breakpoint },
            "{engine:?}"
        );
        assert_eq!(m.harts()[0].pc, CODE + 12);
        assert_eq!(told.0.borrow().iter().map(|t| t.0).collect::<Vec<_>>(), [CODE, CODE + 4, CODE + 8], "{engine:?}");
    }
}
