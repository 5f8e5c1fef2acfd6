//! Packets that the protocol's library does not know, taken out of the stream before it sees them, and output for the debugger's user.

use super::accept::{Accepted, accept};

/// What to do with bytes that came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// For the library.
    Pass(Vec<u8>),
    /// `Qqemu.PhyMemMode:N`: addresses are physical from here on, or not.
    Physical(bool),
    /// `qqemu.PhyMemMode`: are they?
    AskPhysical,
    /// It is answered with this.
    Answer(&'static str),
    /// It was damaged on its way: the debugger is to send it again.
    Again,
}

/// Cuts the stream into packets.
pub struct Packets {
    packet: Vec<u8>,
    /// The packet is larger than what was announced; its bytes are not kept.
    large: bool,
    /// Harts of the machine, which are the threads.
    harts: usize,
    /// Whether packets are acknowledged no more.
    pub quiet: bool,
}

/// Bytes of a packet with its frame that the library has room for.
const LONGEST: usize = 4096;
/// EINVAL.
const REFUSED: &str = "E16";

impl Packets {
    /// For a machine with so many harts.
    pub fn new(harts: usize) -> Packets {
        Packets { packet: Vec::new(), large: false, harts, quiet: false }
    }

    /// Takes a byte; gives what is complete with it.
    pub fn feed(&mut self, byte: u8) -> Option<Piece> {
        if self.packet.is_empty() {
            return match byte {
                b'$' => {
                    self.packet.push(byte);
                    None
                }
                // Ctrl-C.
                3 => Some(Piece::Pass(vec![byte])),
                // Acknowledgements: these connections lose nothing. GDB also asks again when an answer takes more than two seconds; the
                // answer is on its way. Anything else between packets is noise.
                _ => None,
            };
        }
        self.packet.push(byte);
        let n = self.packet.len();
        if n < 4 || self.packet[n - 3] != b'#' {
            if n > LONGEST {
                self.large = true;
                // What tells its end.
                self.packet.drain(1..n - 2);
            }
            return None;
        }
        let packet = std::mem::take(&mut self.packet);
        if std::mem::take(&mut self.large) || n > LONGEST {
            return Some(Piece::Answer(REFUSED));
        }
        let body = &packet[1..n - 3];
        let sum = format!("{:02x}", body.iter().fold(0u8, |s, b| s.wrapping_add(*b)));
        if !packet[n - 2..].eq_ignore_ascii_case(sum.as_bytes()) {
            return Some(if self.quiet { Piece::Answer(REFUSED) } else { Piece::Again });
        }
        Some(match body {
            b"Qqemu.PhyMemMode:1" => Piece::Physical(true),
            b"Qqemu.PhyMemMode:0" => Piece::Physical(false),
            b"qqemu.PhyMemMode" => Piece::AskPhysical,
            body => match accept(body, self.harts) {
                Accepted::Pass(body) => {
                    self.quiet |= body == b"QStartNoAckMode";
                    Piece::Pass(frame(&body))
                }
                Accepted::Refused => Piece::Answer(REFUSED),
                Accepted::Unknown => Piece::Answer(""),
            },
        })
    }

    /// An answer to a packet that was taken out.
    pub fn answer(&self, body: &str) -> Vec<u8> {
        let ack = if self.quiet { "" } else { "+" };
        format!("{ack}{}", framed(body)).into_bytes()
    }
}

/// A packet of text.
pub fn framed(body: &str) -> String {
    let sum = body.bytes().fold(0u8, u8::wrapping_add);
    format!("${body}#{sum:02x}")
}

/// A packet of bytes that need no escape.
fn frame(body: &[u8]) -> Vec<u8> {
    let sum = body.iter().fold(0u8, |s, b| s.wrapping_add(*b));
    [b"$", body, format!("#{sum:02x}").as_bytes()].concat()
}

/// Text for the debugger's console, which it takes while the guest runs.
pub fn output(text: &str) -> Vec<u8> {
    framed(&format!("O{}", crate::report::hex(text.as_bytes()))).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(p: &mut Packets, bytes: &[u8]) -> Vec<Piece> {
        bytes.iter().filter_map(|b| p.feed(*b)).collect()
    }

    #[test]
    fn qemus_packets_are_taken_out_and_others_pass_whole() {
        let mut p = Packets::new(1);
        assert_eq!(feed(&mut p, framed("Qqemu.PhyMemMode:1").as_bytes()), [Piece::Physical(true)]);
        assert_eq!(p.answer("OK"), b"+$OK#9a");
        assert_eq!(feed(&mut p, b"+$m0,4#fd"), [Piece::Pass(b"$m0,4#fd".to_vec())]);
        assert_eq!(feed(&mut p, framed("QStartNoAckMode").as_bytes()).len(), 1);
        assert_eq!(p.answer("1"), b"$1#31");
        assert!(feed(&mut p, b"-").is_empty(), "an impatient debugger");
        // An interrupt is no packet.
        assert_eq!(feed(&mut p, b"\x03"), [Piece::Pass(vec![3])]);
    }
}
