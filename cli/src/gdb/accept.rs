//! Which packets the protocol's library may see. It gives a connection up at one that it cannot make sense of, and takes others for what they
//! do not say (an address behind `c`, a length that is not the data's); those are answered here, so that a debugger keeps its connection
//! whatever it sends.

/// What to do with a packet's body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// The library takes this one, which may be in other words than it came in.
    Pass(Vec<u8>),
    /// It cannot be done. EINVAL.
    Refused,
    /// It is not known here: the answer is empty.
    Unknown,
}
use Accepted::{Pass, Refused, Unknown};

/// Bytes of memory that one answer holds: twice as many characters are what `qSupported` announces.
const MOST: u64 = 2048;
/// Characters of a `G` packet: 32 integer registers and pc.
const CORE: usize = 33 * 16;

/// Looks at the body of a packet for a machine with so many harts.
pub fn accept(body: &[u8], harts: usize) -> Accepted {
    let fits = |yes: bool| if yes { Pass(body.to_vec()) } else { Refused };
    let Some((first, rest)) = body.split_first() else { return Unknown };
    match first {
        b'?' | b'g' | b'k' | b's' if rest.is_empty() => Pass(body.to_vec()),
        // All harts go on, whichever was chosen.
        b'c' if rest.is_empty() => Pass(b"vCont;c".to_vec()),
        // To go on at another address: set pc, then go on.
        b'c' | b's' => Refused,
        b'b' if matches!(rest, b"c" | b"s") => Pass(body.to_vec()),
        b'D' => fits(rest.is_empty() || process(rest)),
        b'G' => fits(rest.len() == CORE && rest.iter().all(u8::is_ascii_hexdigit)),
        b'H' => match rest.split_first().map(|(what, id)| (what, thread(id, harts))) {
            // A step is one hart's, the first one's if all are chosen.
            Some((b'c', Some(Thread::All))) => Pass(b"Hc0".to_vec()),
            Some((b'c', Some(_)) | (b'g', Some(Thread::One(_) | Thread::Any))) => Pass(body.to_vec()),
            _ => Refused,
        },
        b'T' => fits(matches!(thread(rest, harts), Some(Thread::One(_)))),
        b'm' => memory(rest).map_or(Refused, |(at, n)| Pass(format!("m{at:x},{:x}", n.min(MOST)).into_bytes())),
        b'M' | b'X' => fits(written(*first == b'X', rest).is_some()),
        b'p' => fits(number(rest).is_some()),
        b'P' => fits(match rest.iter().position(|b| *b == b'=') {
            Some(i) => {
                let value = &rest[i + 1..];
                number(&rest[..i]).is_some() && value.len() == 16 && value.iter().all(u8::is_ascii_hexdigit)
            }
            None => false,
        }),
        b'z' | b'Z' => match rest {
            // Conditions and commands of breakpoints are not announced.
            [b'0'..=b'4', b',', place @ ..] => fits(memory(place).is_some()),
            [b'0'..=b'4', ..] | [] => Refused,
            _ => Unknown,
        },
        b'v' | b'q' | b'Q' => named(body, harts),
        _ => Unknown,
    }
}

/// Packets whose name is a word.
fn named(body: &[u8], harts: usize) -> Accepted {
    let fits = |yes: bool| if yes { Pass(body.to_vec()) } else { Refused };
    if let b"vCont?" | b"qfThreadInfo" | b"qsThreadInfo" | b"QStartNoAckMode" | b"qAttached" | b"qRcmd" = body {
        return Pass(body.to_vec());
    }
    if let Some(actions) = body.strip_prefix(b"vCont") {
        return resume(actions, harts);
    }
    if let Some(pid) = body.strip_prefix(b"vKill") {
        return fits(process(pid));
    }
    if let Some(pid) = body.strip_prefix(b"qAttached:") {
        return fits(matches!(number(pid), Some(1..)));
    }
    if let Some(hex) = body.strip_prefix(b"qRcmd,") {
        return fits(hex.len().is_multiple_of(2) && hex.iter().all(u8::is_ascii_hexdigit));
    }
    if let Some(file) = body.strip_prefix(b"qXfer:features:read:") {
        let colon = file.iter().position(|b| *b == b':');
        return fits(colon.is_some_and(|i| memory(&file[i + 1..]).is_some()));
    }
    if let Some(id) = body.strip_prefix(b"qThreadExtraInfo,") {
        return fits(matches!(thread(id, harts), Some(Thread::One(_))));
    }
    match body.strip_prefix(b"qSupported") {
        Some(features @ ([] | [b':', ..])) => {
            let list: Vec<&[u8]> = features.split(|b| matches!(b, b':' | b';')).filter(|f| !f.is_empty()).collect();
            // The library wants one at least.
            let list = if list.is_empty() { b"none".to_vec() } else { list.join(&b';') };
            Pass([b"qSupported:".as_slice(), &list].concat())
        }
        _ => Unknown,
    }
}

/// A hexadecimal number of 64 bits at most.
fn number(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok().filter(|t| t.len() <= 16 && t.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u64::from_str_radix(digits, 16).ok()
}

/// `ADDRESS,LENGTH`.
fn memory(text: &[u8]) -> Option<(u64, u64)> {
    let comma = text.iter().position(|b| *b == b',')?;
    Some((number(&text[..comma])?, number(&text[comma + 1..])?))
}

/// `ADDRESS,LENGTH:DATA`, in hexadecimal or as escaped bytes, with as much data as it says.
fn written(binary: bool, text: &[u8]) -> Option<()> {
    let colon = text.iter().position(|b| *b == b':')?;
    let (_, n) = memory(&text[..colon])?;
    let data = &text[colon + 1..];
    let found = if binary {
        let mut count = 0;
        let mut bytes = data.iter();
        while let Some(b) = bytes.next() {
            if *b == b'}' {
                bytes.next()?;
            }
            count += 1;
        }
        count
    } else {
        data.iter().all(u8::is_ascii_hexdigit).then_some(())?;
        data.len().is_multiple_of(2).then_some(data.len() as u64 / 2)?
    };
    (found == n).then_some(())
}

/// `;PID`. There is one process; its number is not looked at.
fn process(text: &[u8]) -> bool {
    text.strip_prefix(b";").is_some_and(|n| matches!(number(n), Some(1..)))
}

/// A thread id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Thread {
    All,
    Any,
    /// By hart index.
    One(usize),
}

/// `TID`, `pPID` or `pPID.TID` of a thread that is there.
fn thread(text: &[u8], harts: usize) -> Option<Thread> {
    let tid = match text.strip_prefix(b"p") {
        Some(both) => {
            let mut parts = both.splitn(2, |b| *b == b'.');
            let pid = parts.next()?;
            (matches!(pid, b"-1" | b"0" | b"1") || number(pid) == Some(1)).then_some(())?;
            parts.next().unwrap_or(b"-1")
        }
        None => text,
    };
    match tid {
        b"-1" => Some(Thread::All),
        b"0" => Some(Thread::Any),
        id => {
            let index = usize::try_from(number(id)?.checked_sub(1)?).ok()?;
            (index < harts).then_some(Thread::One(index))
        }
    }
}

/// The actions of `vCont`, of which the first that fits a thread is its own. One to step that fits many is told for each.
fn resume(actions: &[u8], harts: usize) -> Accepted {
    let mut told = b"vCont".to_vec();
    let mut named = vec![false; harts];
    let mut tell = |action: &[u8], index: Option<usize>| {
        told.push(b';');
        told.extend(action);
        told.extend(index.map_or(String::new(), |i| format!(":{:x}", i + 1)).bytes());
    };
    let mut parts = actions.split(|b| *b == b';');
    // What stands before the first semicolon.
    if parts.next().is_none_or(|p| !p.is_empty()) {
        return Unknown;
    }
    let mut any = false;
    let mut rest = false;
    for part in parts {
        let (action, id) = match part.iter().position(|b| *b == b':') {
            Some(i) => (&part[..i], thread(&part[i + 1..], harts)),
            None => (part, Some(Thread::All)),
        };
        let steps = match action {
            b"c" => false,
            b"s" => true,
            [kind @ (b'C' | b'S'), signal @ ..] if matches!(number(signal), Some(0..256)) => *kind == b'S',
            [b'r', range @ ..] if memory(range).is_some() => true,
            _ => return Refused,
        };
        any = true;
        match id {
            None => return Refused,
            Some(Thread::One(i)) => {
                if !rest && !std::mem::replace(&mut named[i], true) {
                    tell(action, Some(i));
                }
            }
            Some(Thread::All | Thread::Any) if rest => {}
            Some(Thread::All | Thread::Any) => {
                rest = true;
                if steps {
                    (0..harts).filter(|i| !named[*i]).for_each(|i| tell(action, Some(i)));
                } else {
                    tell(action, None);
                }
            }
        }
    }
    if any { Pass(told) } else { Refused }
}
