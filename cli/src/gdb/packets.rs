//! Packets that the protocol's library does not know, taken out of the stream before it sees them, and output for the debugger's user.

/// What to do with bytes that came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// For the library.
    Pass(Vec<u8>),
    /// `Qqemu.PhyMemMode:N`: addresses are physical from here on, or not.
    Physical(bool),
    /// `qqemu.PhyMemMode`: are they?
    AskPhysical,
}

/// Cuts the stream into packets.
#[derive(Default)]
pub struct Packets {
    packet: Vec<u8>,
    /// Whether packets are acknowledged no more.
    pub quiet: bool,
}

/// A packet that never ends is not kept beyond this.
const LONGEST: usize = 1 << 16;

impl Packets {
    /// Takes a byte; gives what is complete with it.
    pub fn feed(&mut self, byte: u8) -> Option<Piece> {
        if self.packet.is_empty() && byte == b'-' {
            // GDB asks again when an answer takes more than two seconds. These connections lose nothing: the answer is on its way.
            return None;
        }
        if self.packet.is_empty() && byte != b'$' {
            return Some(Piece::Pass(vec![byte]));
        }
        self.packet.push(byte);
        let n = self.packet.len();
        if n < 4 || self.packet[n - 3] != b'#' {
            return (n > LONGEST).then(|| Piece::Pass(std::mem::take(&mut self.packet)));
        }
        let packet = std::mem::take(&mut self.packet);
        Some(match &packet[1..n - 3] {
            b"Qqemu.PhyMemMode:1" => Piece::Physical(true),
            b"Qqemu.PhyMemMode:0" => Piece::Physical(false),
            b"qqemu.PhyMemMode" => Piece::AskPhysical,
            body => {
                self.quiet |= body == b"QStartNoAckMode";
                Piece::Pass(packet)
            }
        })
    }

    /// An answer to a packet that was taken out.
    pub fn answer(&self, body: &str) -> Vec<u8> {
        let ack = if self.quiet { "" } else { "+" };
        format!("{ack}{}", framed(body)).into_bytes()
    }
}

/// A packet.
pub fn framed(body: &str) -> String {
    let sum = body.bytes().fold(0u8, u8::wrapping_add);
    format!("${body}#{sum:02x}")
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
        let mut p = Packets::default();
        assert_eq!(feed(&mut p, framed("Qqemu.PhyMemMode:1").as_bytes()), [Piece::Physical(true)]);
        assert_eq!(p.answer("OK"), b"+$OK#9a");
        assert_eq!(feed(&mut p, b"+$m0,4#fd"), [Piece::Pass(b"+".to_vec()), Piece::Pass(b"$m0,4#fd".to_vec())]);
        assert_eq!(feed(&mut p, framed("QStartNoAckMode").as_bytes()).len(), 1);
        assert_eq!(p.answer("1"), b"$1#31");
        assert!(feed(&mut p, b"-").is_empty(), "an impatient debugger");
        // An interrupt is no packet.
        assert_eq!(feed(&mut p, b"\x03"), [Piece::Pass(vec![3])]);
    }
}
