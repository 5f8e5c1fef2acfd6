//! A small client of GDB's remote protocol: sends packets, reads answers.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

use super::{Dir, trapeze};

/// The number of CSR 0 in the protocol.
pub const CSR0: usize = 65;

/// A run with a debugger at it.
pub struct Rsp {
    stream: UnixStream,
    /// The process.
    pub child: Child,
    /// What it says it supports.
    pub features: String,
    _dir: Dir,
}

fn sum(body: &[u8]) -> u8 {
    body.iter().fold(0, |s, b| s.wrapping_add(*b))
}

impl Rsp {
    /// Starts a subcommand with `args` and a socket of its own, and connects. The guest stands still.
    pub fn start(name: &str, before: &[&str], args: &[&str]) -> Rsp {
        let dir = Dir::new(name);
        let socket = dir.0.join("s");
        let place = format!("unix:{}", socket.display());
        let mut all = before.to_vec();
        all.extend(["--gdb", place.as_str()]);
        all.extend(args);
        let mut child = trapeze(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        // It says when it listens.
        let mut err = child.stderr.take().expect("standard error");
        let mut seen = Vec::new();
        let mut byte = [0];
        while !seen.ends_with(b"\n") {
            let n = err.read(&mut byte).expect("standard error");
            assert!(n > 0, "it ended: {}", String::from_utf8_lossy(&seen));
            seen.push(byte[0]);
        }
        child.stderr = Some(err);
        let stream = UnixStream::connect(&socket).expect("the socket it named");
        let mut rsp = Rsp { stream, child, features: String::new(), _dir: dir };
        rsp.features = rsp.ask("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+");
        assert!(rsp.features.contains("qXfer:features:read+"), "{}", rsp.features);
        assert_eq!(rsp.ask("QStartNoAckMode"), "OK");
        rsp
    }

    /// Leaves after some last bytes, and comes again.
    pub fn again(&mut self, last: &[u8]) {
        self.stream.write_all(last).expect("the connection");
        self.stream = UnixStream::connect(self._dir.0.join("s")).expect("the socket is still there");
    }

    /// What comes before the stop's own packet (words for the user), and that packet.
    pub fn said_and_stopped(&mut self, packet: &str) -> (String, String) {
        self.send(packet);
        let said = self.answer();
        let text = said.strip_prefix('O').map(|hex| String::from_utf8(bytes(hex)).unwrap()).unwrap_or_default();
        (text, if said.starts_with('O') { self.answer() } else { said })
    }

    pub fn send(&mut self, body: &str) {
        let packet = format!("${body}#{:02x}", sum(body.as_bytes()));
        self.stream.write_all(packet.as_bytes()).expect("the connection");
    }

    /// Ctrl-C.
    pub fn interrupt(&mut self) {
        self.stream.write_all(&[3]).expect("the connection");
    }

    /// The next packet's body, with run-length encoding undone. Empty at the end of the connection.
    pub fn answer(&mut self) -> String {
        let mut byte = [0];
        let mut raw = Vec::new();
        loop {
            if self.stream.read(&mut byte).expect("the connection") == 0 {
                return String::new();
            }
            match byte[0] {
                b'$' => raw.clear(),
                b'#' => break,
                b'+' if raw.is_empty() => {}
                b => raw.push(b),
            }
        }
        let mut check = [0; 2];
        self.stream.read_exact(&mut check).expect("a checksum");
        assert_eq!(String::from_utf8_lossy(&check), format!("{:02x}", sum(&raw)));
        let mut body: Vec<u8> = Vec::new();
        let mut it = raw.into_iter();
        while let Some(b) = it.next() {
            match b {
                b'*' => {
                    let n = usize::from(it.next().expect("a count") - 29);
                    let last = *body.last().expect("something to repeat");
                    body.extend(std::iter::repeat_n(last, n));
                }
                b'}' => body.push(it.next().expect("an escaped byte") ^ 0x20),
                b => body.push(b),
            }
        }
        String::from_utf8_lossy(&body).into_owned()
    }

    pub fn ask(&mut self, body: &str) -> String {
        self.send(body);
        self.answer()
    }

    /// `monitor` with its output.
    pub fn monitor(&mut self, line: &str) -> String {
        let hex: String = line.bytes().map(|b| format!("{b:02x}")).collect();
        self.send(&format!("qRcmd,{hex}"));
        let mut text = String::new();
        loop {
            let a = self.answer();
            match a.strip_prefix('O').filter(|_| a != "OK") {
                Some(hex) => text += &String::from_utf8_lossy(&bytes(hex)),
                None => return text,
            }
        }
    }

    /// A register by its number in the protocol.
    pub fn register(&mut self, number: usize) -> u64 {
        let a = self.ask(&format!("p{number:x}"));
        let b = bytes(&a);
        u64::from_le_bytes(b.try_into().unwrap_or_else(|_| panic!("register {number}: {a}")))
    }

    pub fn pc(&mut self) -> u64 {
        self.register(32)
    }

    /// Reads a file of the protocol's (`features:read:target.xml`) whole.
    pub fn file(&mut self, name: &str) -> String {
        let mut all = String::new();
        loop {
            let a = self.ask(&format!("qXfer:{name}:{:x},800", all.len()));
            all += &a[1..];
            if a.starts_with('l') {
                return all;
            }
            assert!(a.starts_with('m'), "{a}");
        }
    }

    /// Waits for the process: its exit code.
    pub fn wait(&mut self) -> i32 {
        self.child.wait().expect("the process").code().expect("ended by itself")
    }
}

impl Drop for Rsp {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes of hexadecimal text.
pub fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).filter_map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()).collect()
}
