//! Causes in words: what raises them, who takes them, what the handler is told. All of it is asked of the code that takes traps.

use emu_csr::interrupts::PRIORITY;
use emu_csr::{Cause, Csrs, Exception, Interrupt, Isa, Mode, Now};

use crate::exit::CliError;
use crate::trace::filter::is_cause;

/// `load page fault (exception 13)`.
pub fn name(c: Cause) -> String {
    let (kind, code) = match c {
        Cause::Exception(e) => ("exception", e as u8),
        Cause::Interrupt(i) => ("interrupt", i as u8),
    };
    format!("{} ({kind} {code})", c.name())
}

/// What raises it, and the clause.
pub fn raised(c: Cause) -> (&'static str, &'static str) {
    match c {
        Cause::Exception(e) => e.raised(),
        Cause::Interrupt(i) => i.raised(),
    }
}

/// All causes that a number or words mean; at least one.
pub fn named(wanted: &str) -> Result<Vec<Cause>, CliError> {
    let lower = wanted.to_lowercase();
    let exceptions = Exception::ALL.into_iter().map(Cause::Exception);
    let all = exceptions.chain(Interrupt::ALL.into_iter().map(Cause::Interrupt));
    let found: Vec<Cause> = all.filter(|&c| is_cause(c, &lower)).collect();
    if found.is_empty() {
        return Err(CliError::usage(
            format!("there is no cause '{wanted}'"),
            "give a number (an interrupt's with i before it) or words of the name, for example 'page fault'",
        ));
    }
    Ok(found)
}

/// They, explained. A whole name means that cause alone.
pub fn text(wanted: &str) -> Result<String, CliError> {
    let mut found = named(wanted)?;
    if let Some(exact) = found.iter().copied().find(|c| c.name().eq_ignore_ascii_case(wanted)) {
        found = vec![exact];
    }
    Ok(found.into_iter().map(one).collect::<Vec<_>>().join("\n"))
}

fn one(c: Cause) -> String {
    let (why, clause) = raised(c);
    let mut s = format!("{}\n  comes of  {why} ({clause})\n", name(c));
    for text in takers(c) {
        s += &format!("  taken by  {text}\n");
    }
    match c {
        Cause::Exception(e) => {
            s += &format!("  xtval     {}\n", tval(e));
            if let Some(text) = more(e) {
                s += &format!("  also      {text}\n");
            }
        }
        Cause::Interrupt(i) => {
            let place = PRIORITY.iter().position(|&p| p == i);
            if let Some(at) = place {
                let before: Vec<&str> = PRIORITY[..at].iter().map(|p| p.name()).collect();
                let rank = if before.is_empty() { "nothing".to_owned() } else { before.join(", ") };
                s += &format!("  priority  after {rank} (of those for the same mode; Privileged ISA, \"mip and mie\")\n");
            }
            s += "  xtval     0\n";
            if matches!(i, Interrupt::VSSoft | Interrupt::VSTimer | Interrupt::VSExt) {
                let code = i as u8;
                s += &format!(
                    "  also      VS-mode finds {} in vscause, as for its own level (Hypervisor, \"Trap Cause Codes\")\n",
                    code - 1
                );
            }
        }
    }
    s
}

/// Which mode takes it, by the delegation bits that can be set for it.
fn takers(c: Cause) -> Vec<String> {
    let mut csrs = Csrs::new(Isa::max(), 0);
    let interrupt = matches!(c, Cause::Interrupt(_));
    let (m, h, code) = match c {
        Cause::Interrupt(Interrupt::Rnmi) => return vec!["M-mode, always (Smrnmi, \"RNMI Operation\")".to_owned()],
        Cause::Exception(e) => ("medeleg", "hedeleg", e as u8),
        Cause::Interrupt(i) => ("mideleg", "hideleg", i as u8),
    };
    let settable = |csrs: &mut Csrs, register: &str, value: u64| {
        let now = Now { cycles: 0, instret: 0, time: 0 };
        emu_csr::table::by_name(register).is_some_and(|csr| {
            csrs.poke(csr, value, &now);
            csrs.peek(csr, &now).unwrap_or(0) >> code & 1 != 0
        })
    };
    let hs_always = settable(&mut csrs, m, 0);
    let hs = settable(&mut csrs, m, u64::MAX);
    let vs = settable(&mut csrs, h, u64::MAX);
    let mut list = Vec::new();
    let to = |csrs: &Csrs, from: Mode| csrs.delegate(from, c).0.name();
    if !hs {
        list.push(format!("M-mode: {m}[{code}] is read-only 0 (Privileged ISA, \"Machine Trap Delegation\")"));
        return list;
    }
    if hs_always {
        list.push(format!(
            "{}-mode: {m}[{code}] is read-only 1 (Privileged ISA, \"Machine Trap Delegation\")",
            to(&csrs, Mode::U)
        ));
    } else {
        list.push(format!(
            "M-mode if {m}[{code}]=0{}, else {}-mode{} (Privileged ISA, \"Machine Trap Delegation\")",
            if interrupt { "" } else { " or it is raised in M-mode" },
            to(&csrs, Mode::U),
            if interrupt { ", and then not while the hart is in M-mode" } else { "" }
        ));
    }
    list.push(if vs {
        format!("and with V=1, if {h}[{code}]=1 too, {}-mode (Hypervisor, \"Hypervisor Trap Delegation\")", to(&csrs, Mode::VS))
    } else {
        format!("never VS-mode: {h}[{code}] is read-only 0 (Hypervisor, \"Hypervisor Trap Delegation\")")
    });
    list
}

fn tval(e: Exception) -> &'static str {
    match e {
        Exception::IllegalInst | Exception::VirtualInst => "the instruction's bits (Privileged ISA, \"mtval\")",
        Exception::SoftwareCheck => "2 for a landing pad, 3 for a shadow stack (Zicfilp, Zicfiss)",
        Exception::DoubleTrap => "that of the trap that could not be taken (\"Double Trap Control in mstatus Register\")",
        e if e.has_address() => {
            "the virtual address; GVA tells whether it is a guest's (Privileged ISA, \"mtval\"; Hypervisor, \"hstatus\")"
        }
        _ => "0",
    }
}

fn more(e: Exception) -> Option<&'static str> {
    match e {
        Exception::InstGuestPageFault | Exception::LoadGuestPageFault | Exception::StoreGuestPageFault => Some(
            "mtval2 or htval is the guest physical address shifted right by 2; mtinst or htinst 0x3000 or 0x3020 if a VS-stage entry was accessed (Hypervisor, \"htval\", \"htinst\")",
        ),
        Exception::DoubleTrap => Some("mtval2 is the cause of the trap that could not be taken"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takers_are_what_the_delegation_registers_allow() {
        let guest = text("21").unwrap();
        assert!(guest.starts_with("load guest-page fault (exception 21)"), "{guest}");
        assert!(guest.contains("M-mode if medeleg[21]=0") && guest.contains("never VS-mode: hedeleg[21]"), "{guest}");
        let page = text("load page fault").unwrap();
        assert!(page.contains("if hedeleg[13]=1 too, VS-mode") && !page.contains("store"), "{page}");
        let virt = text("i10").unwrap();
        assert!(virt.contains("mideleg[10] is read-only 1") && virt.contains("if hideleg[10]=1 too, VS-mode"), "{virt}");
        assert!(text("11").unwrap().contains("M-mode: medeleg[11] is read-only 0"));
        assert!(text("nothing of the kind").is_err());
    }

    #[test]
    fn every_cause_has_words_and_a_clause() {
        for c in Exception::ALL.map(Cause::Exception).into_iter().chain(Interrupt::ALL.map(Cause::Interrupt)) {
            let (why, clause) = raised(c);
            assert!(!why.is_empty() && !clause.is_empty());
            assert!(one(c).contains("taken by"), "{}", c.name());
        }
    }
}
