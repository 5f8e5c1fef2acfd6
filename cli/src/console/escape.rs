//! The escape key: Ctrl-A and a letter talk to the emulator, everything else to the guest. The letters are QEMU's.

/// What a typed byte means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// For the guest.
    Guest(u8),
    /// Ctrl-A x: quit.
    Quit,
    /// Ctrl-A c: monitor on or off.
    Monitor,
    /// Ctrl-A h: list the keys.
    Help,
    /// The first half of an escape, or an unknown letter after it.
    Nothing,
}

/// Remembers whether Ctrl-A was just typed.
#[derive(Default)]
pub struct Escape {
    armed: bool,
}

const CTRL_A: u8 = 1;

/// The list that Ctrl-A h prints.
pub const HELP: &str = "\
Ctrl-A x       quit
Ctrl-A c       monitor on or off
Ctrl-A h       this list
Ctrl-A Ctrl-A  send Ctrl-A to the guest
";

impl Escape {
    /// Takes the next byte.
    pub fn feed(&mut self, byte: u8) -> Key {
        if !std::mem::take(&mut self.armed) {
            if byte == CTRL_A {
                self.armed = true;
                return Key::Nothing;
            }
            return Key::Guest(byte);
        }
        match byte {
            b'x' | b'X' => Key::Quit,
            b'c' | b'C' => Key::Monitor,
            b'h' | b'H' | b'?' => Key::Help,
            CTRL_A => Key::Guest(CTRL_A),
            _ => Key::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_told_from_guest_bytes() {
        let mut e = Escape::default();
        let keys: Vec<_> = b"a\x01x\x01\x01b\x01c\x01z\x01h".iter().map(|&b| e.feed(b)).filter(|k| *k != Key::Nothing).collect();
        let want = [Key::Guest(b'a'), Key::Quit, Key::Guest(1), Key::Guest(b'b'), Key::Monitor, Key::Help];
        assert_eq!(keys, want);
    }
}
