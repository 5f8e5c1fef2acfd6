//! One case in words: where the event came, what the firmware did, what came back wrong, who wrote it and why.

use emu_csr::Change;
use replay::context::Origin;
use replay::lab::{After, Ending, Payload, Setting, Story};
use replay::ledger::Entry;

/// What the registers of a trap say to a reader of the story; others are left out.
const SHOWN: [&str; 9] = ["mstatus", "hstatus", "vsstatus", "sepc", "scause", "stvec", "htval", "mepc", "vsepc"];

/// The whole story.
pub fn text(story: &Story, payload: &Payload, firmware: &str, setting: Setting) -> String {
    let b = &story.boundary;
    let mut s = format!(
        "firmware {firmware}; the kernel saves up to {}; its handler: {}; hstatus swapped in {}\n",
        setting.policy_name(),
        setting.variant_name(),
        setting.layout_name()
    );
    s += &format!(
        "the event comes at step {}, victim in {}, {}-mode, before the instruction at {}\n",
        b.step,
        b.point,
        b.mode.name(),
        payload.symbols.text(b.pc)
    );
    for (i, e) in story.entries.iter().enumerate().skip(story.sent) {
        if i == story.delivered {
            s += "  -- the handler begins\n";
        }
        if i == story.completed {
            s += "  -- the handler calls sbi_sse_complete\n";
        }
        if i >= story.resumed {
            break;
        }
        s += &entry(i, e, payload);
    }
    s += &verdict(story, payload);
    story.violations.iter().fold(s, |s, v| s + &v.text(|a| payload.symbols.text(a)) + "\n")
}

/// One ledger entry, with the fields that changed and that matter here; nothing for writes of other registers.
fn entry(i: usize, e: &Entry, payload: &Payload) -> String {
    let matters = |c: &Change| SHOWN.contains(&c.name());
    if matches!(e, Entry::Write(w) if !w.changes.0.iter().any(matters)) {
        return String::new();
    }
    line(i, e, payload, &matters)
}

/// One ledger entry, with the changes of the registers that are `shown`.
fn line(i: usize, e: &Entry, payload: &Payload, shown: &dyn Fn(&Change) -> bool) -> String {
    format!("  #{i:<4} hart {} {}\n", e.hart(), crate::entry::text(e, &payload.symbols, shown))
}

fn verdict(story: &Story, payload: &Payload) -> String {
    let mut s = match &story.outcome.ending {
        Ending::Healthy => "healthy: everything that was interrupted came back\n".to_owned(),
        Ending::Leftover(_) => "healthy but for registers that any trap overwrites:\n".to_owned(),
        Ending::Corrupt(_) => "CORRUPTED: what came back is not what was interrupted:\n".to_owned(),
        Ending::NeverDelivered => "LOST: the firmware took the event and never delivered it\n".to_owned(),
        Ending::NeverCompleted { .. } => "STUCK: the handler never came to its complete\n".to_owned(),
    };
    for b in &story.blames {
        s += &format!("  {}\n", b.difference.text());
        s += &match b.origin {
            Origin::Field(source) => format!("      complete makes it of {source} (SBI 3.0, SSE, \"Complete\")\n"),
            Origin::Attribute(a) => format!("      complete restores it from the attribute {a} (SBI 3.0, SSE, \"Complete\")\n"),
            Origin::Untouched => "      neither inject nor complete touches it: it stays as the handler leaves it\n".to_owned(),
        };
        let what = b.made_of().map_or_else(|| b.difference.name(), str::to_owned);
        if let Some(t) = &b.touch {
            s += &format!(
                "      {what} was last changed by the instruction of {}-mode at {} @{}\n",
                t.mode.name(),
                payload.symbols.text(t.pc),
                t.instret
            );
        }
        if b.touch.is_none() && b.writer.is_none() {
            s += &format!("      nothing has written {what} since the window began: nor has the firmware's inject\n");
        }
        if let Some(i) = b.writer {
            let register = what.split('.').next().unwrap_or_default();
            let shown = |c: &Change| SHOWN.contains(&c.name()) || c.name() == register;
            s += &format!("      {what} was last written by {}", line(i, &story.entries[i], payload, &shown).trim_start());
            if i < story.sent {
                s += &format!(
                    "      that was before the event: neither the firmware's inject nor the handler changed {what} since\n"
                );
            }
        }
    }
    if let Some((i, e)) = story.stray() {
        s += &format!("  the handler's first trap went astray, for stvec was not the kernel's:\n{}", entry(i, e, payload));
    }
    s + &format!("afterwards: {}\n", after(story.outcome.after))
}

/// What became of the program.
fn after(a: After) -> &'static str {
    match a {
        After::WindowEnd => "the program went on to its end",
        After::HtvalLost => "the hypervisor read a wrong guest-physical address from htval",
        After::Elsewhere => "the victim went on where the handler had sent it",
        After::Panic => "the kernel or the hypervisor panicked",
        After::Lost => "the program never came to an end that it names",
    }
}
