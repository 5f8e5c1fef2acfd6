//! The log's text twin: one JSON object a line. What [`dump`] prints [`assemble`] reads back to the same
//! records; chunks end where they are full, no longer where a recorder wrote them out.

use super::{Decision, End, Header, Image, Log, LogWriter, Parts, Position, Record};
use crate::error::ReplayError;

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Line {
    Log {
        tool: String,
        semantics: String,
        config: String,
    },
    Image {
        role: String,
        name: String,
        size: u64,
        hash: String,
    },
    Input {
        at: (u64, u64),
        exact: bool,
        bytes: String,
    },
    Inject {
        at: (u64, u64),
        exact: bool,
        name: String,
        args: Vec<u64>,
    },
    Step {
        at: (u64, u64),
        exact: bool,
        hart: u64,
        count: u64,
    },
    Reboot {
        at: (u64, u64),
        exact: bool,
    },
    Command {
        at: (u64, u64),
        exact: bool,
        text: String,
    },
    Mark {
        at: (u64, u64),
        exact: bool,
        hash: String,
    },
    State {
        at: (u64, u64),
        exact: bool,
        hash: String,
    },
    Parts {
        at: (u64, u64),
        exact: bool,
        parts: Vec<(String, String)>,
    },
    End {
        at: (u64, u64),
        exact: bool,
        reason: String,
        hash: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<(String, String)>,
    },
}

fn pairs(p: &Parts) -> Vec<(String, String)> {
    p.names.iter().zip(&p.hashes).map(|(n, h)| (n.clone(), hex(h))).collect()
}

/// None if a hash is none.
fn parts(pairs: Vec<(String, String)>) -> Option<Parts> {
    let one = |(n, h): (String, String)| Some((n, unhex(&h)?.try_into().ok()?));
    pairs.into_iter().map(one).collect::<Option<Vec<_>>>().map(Parts::from)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let t = text.as_bytes();
    if !t.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: u8| (b as char).to_digit(16);
    t.chunks(2).map(|p| Some((digit(p[0])? << 4 | digit(p[1])?) as u8)).collect()
}

/// A log as lines of JSON.
pub fn dump(log: &Log) -> String {
    let mut lines = vec![Line::Log {
        tool: log.header.tool.clone(),
        semantics: hex(&log.header.semantics),
        config: log.header.config.clone(),
    }];
    for i in &log.header.images {
        lines.push(Line::Image { role: i.role.clone(), name: i.name.clone(), size: i.size, hash: hex(&i.hash) });
    }
    for r in &log.records {
        let (at, exact) = ((r.at.cycles, r.at.instret), r.at.exact);
        lines.push(match &r.what {
            Decision::Input(b) => Line::Input { at, exact, bytes: hex(b) },
            Decision::Inject { name, args } => Line::Inject { at, exact, name: name.clone(), args: args.clone() },
            Decision::Step { hart, count } => Line::Step { at, exact, hart: *hart, count: *count },
            Decision::Reboot => Line::Reboot { at, exact },
            Decision::Command(text) => Line::Command { at, exact, text: text.clone() },
            Decision::Mark(h) => Line::Mark { at, exact, hash: hex(&h[..16]) },
            Decision::State(h) => Line::State { at, exact, hash: hex(h) },
            Decision::Parts(p) => Line::Parts { at, exact, parts: pairs(p) },
        });
    }
    if let Some(e) = &log.end {
        lines.push(Line::End {
            at: (e.at.cycles, e.at.instret),
            exact: e.at.exact,
            reason: e.reason.clone(),
            hash: hex(&e.hash),
            parts: pairs(&e.parts),
        });
    }
    lines.iter().filter_map(|l| serde_json::to_string(l).ok()).map(|l| l + "\n").collect()
}

/// The bytes of the log that lines of JSON describe. Errors name the line.
pub fn assemble(text: &str) -> Result<Vec<u8>, ReplayError> {
    let mut header = None;
    let mut records = Vec::new();
    let mut end = None;
    for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let fail = |what: String| ReplayError::Format {
            kind: "log text",
            what: format!("line {}: {what}", n + 1),
            at: 0,
            remedy: "compare with what 'trapeze log dump' prints",
        };
        let line: Line = serde_json::from_str(line).map_err(|e| fail(e.to_string()))?;
        let bytes = |t: &str| unhex(t).ok_or_else(|| fail("not hexadecimal".into()));
        let hash = |t: &str| bytes(t)?.try_into().map_err(|_| fail("a hash has 64 digits".into()));
        if end.is_some() {
            return Err(fail("nothing may follow the end".into()));
        }
        let pos = |at: (u64, u64), exact| Position { cycles: at.0, instret: at.1, exact };
        let mut add = |at, exact, what| records.push(Record { at: pos(at, exact), what });
        match line {
            Line::Log { tool, semantics, config } => {
                header = Some(Header { tool, semantics: hash(&semantics)?, config, images: Vec::new() });
            }
            Line::Image { role, name, size, hash: h } => match &mut header {
                Some(header) => header.images.push(Image { role, name, size, hash: hash(&h)? }),
                None => return Err(fail("the first line must be the log's".into())),
            },
            Line::Input { at, exact, bytes: b } => add(at, exact, Decision::Input(bytes(&b)?)),
            Line::Inject { at, exact, name, args } => add(at, exact, Decision::Inject { name, args }),
            Line::Step { at, exact, hart, count } => add(at, exact, Decision::Step { hart, count }),
            Line::Reboot { at, exact } => add(at, exact, Decision::Reboot),
            Line::Command { at, exact, text } => add(at, exact, Decision::Command(text)),
            Line::Mark { at, exact, hash: h } => {
                let half: [u8; 16] = bytes(&h)?.try_into().map_err(|_| fail("a mark has 32 digits".into()))?;
                let mut hash = [0; 32];
                hash[..16].copy_from_slice(&half);
                add(at, exact, Decision::Mark(hash));
            }
            Line::State { at, exact, hash: h } => add(at, exact, Decision::State(hash(&h)?)),
            Line::Parts { at, exact, parts: p } => {
                let p = parts(p).ok_or_else(|| fail("the hash of a part has 8 digits".into()))?;
                add(at, exact, Decision::Parts(p));
            }
            Line::End { at, exact, reason, hash: h, parts: p } => {
                let parts = parts(p).ok_or_else(|| fail("the hash of a part has 8 digits".into()))?;
                end = Some(End { at: pos(at, exact), reason, hash: hash(&h)?, parts });
            }
        }
    }
    let fail = |what: &str| ReplayError::Format {
        kind: "log text",
        what: what.into(),
        at: 0,
        remedy: "start from what 'trapeze log dump' prints",
    };
    let header = header.ok_or_else(|| fail("there is no line of the log itself"))?;
    let io = |_| fail("memory is exhausted");
    let mut w = LogWriter::new(Vec::new(), &header).map_err(io)?;
    for r in &records {
        w.record(r).map_err(io)?;
    }
    match end {
        Some(e) => w.finish(&e).map_err(io),
        None => {
            w.flush().map_err(io)?;
            Ok(w.into_inner())
        }
    }
}
