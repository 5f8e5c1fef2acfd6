//! The table of events, and the book's page of it.

use emu_csr::Event;
use emu_csr::events::{EVENTS, EXCEPTION_SELECTOR, INTERRUPT_SELECTOR, TrapEvent};
use emu_csr::{Exception, Interrupt};

#[test]
fn each_selector_has_one_event() {
    for (i, e) in EVENTS.iter().enumerate() {
        assert_eq!(Event::of_selector(e.selector), e.event, "{}", e.name);
        assert!(EVENTS[..i].iter().all(|other| other.selector != e.selector && other.name != e.name), "{}", e.name);
        assert!(e.selector < EXCEPTION_SELECTOR || e.selector >= 0x1_0000, "{} is where traps by cause are", e.name);
    }
    assert!(
        Exception::ALL
            .iter()
            .all(|&c| { Event::of_selector(EXCEPTION_SELECTOR + c as u64) == Event::Trap(TrapEvent::Exception(c as u8)) })
    );
    assert!(
        Interrupt::ALL
            .iter()
            .all(|&c| { Event::of_selector(INTERRUPT_SELECTOR + c as u64) == Event::Trap(TrapEvent::Interrupt(c as u8)) })
    );
}

#[test]
fn docs_pmu_md_has_every_event() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/pmu.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    for e in EVENTS {
        let line = format!("| {:#x} | {} | {} |", e.selector, e.name, e.doc);
        assert!(page.contains(&line), "docs/pmu.md lacks: {line}");
    }
}
