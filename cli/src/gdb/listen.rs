//! Where a debugger connects: a TCP port of this host or a Unix socket. A thread takes one connection at a time and passes on what comes
//! in, in the same queue as typed bytes, so that the run has one place to wait at.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::str::FromStr;

use crossbeam::channel::Sender;
use gdbstub::conn::Connection;

use crate::console::input::Event;
use crate::exit::CliError;

/// Where to listen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// `tcp:[HOST]:PORT`; without a host only this one can connect.
    Tcp(String),
    /// `unix:PATH`.
    Unix(PathBuf),
}

/// QEMU's port of `-s`.
pub const USUAL: &str = "tcp::1234";

impl FromStr for Place {
    type Err = String;

    fn from_str(s: &str) -> Result<Place, String> {
        // QEMU takes further options behind a comma; a server that does not wait is the only kind here.
        let s = s.split(',').next().unwrap_or(s);
        if let Some(path) = s.strip_prefix("unix:").filter(|p| !p.is_empty()) {
            return Ok(Place::Unix(path.into()));
        }
        let bad = || format!("'{s}' is neither tcp:[HOST]:PORT nor unix:PATH");
        let (host, port) = match s.strip_prefix("tcp:") {
            Some(address) => address.rsplit_once(':').ok_or_else(bad)?,
            None => ("", s),
        };
        let host = if host.is_empty() { "127.0.0.1" } else { host };
        match port.parse::<u16>() {
            Ok(port) => Ok(Place::Tcp(format!("{host}:{port}"))),
            Err(_) => Err(bad()),
        }
    }
}

/// A connection's writing side.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// Unix socket.
    Unix(UnixStream),
}

/// What a debugger's connection does.
#[derive(Debug)]
pub enum Inbound {
    /// A debugger is there.
    Connected(Stream),
    /// It has sent something.
    Bytes(Vec<u8>),
    /// It has gone.
    Gone,
}

/// The packets that a debugger gets, written when they are whole.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    pending: Vec<u8>,
}

impl Wire {
    /// A connection.
    pub fn new(stream: Stream) -> Wire {
        Wire { stream, pending: Vec::new() }
    }

    /// Ends the connection; the reader then looks for the next one.
    pub fn close(&mut self) {
        // It may be closed already, which is as good.
        let _ = match &self.stream {
            Stream::Tcp(s) => s.shutdown(std::net::Shutdown::Both),
            Stream::Unix(s) => s.shutdown(std::net::Shutdown::Both),
        };
    }
}

impl Drop for Wire {
    /// The thread that reads holds the connection open, too: a debugger that nobody listens to would wait for ever, and another could not come.
    fn drop(&mut self) {
        self.close();
    }
}

impl Connection for Wire {
    type Error = std::io::Error;

    fn write(&mut self, byte: u8) -> std::io::Result<()> {
        self.pending.push(byte);
        Ok(())
    }

    fn write_all(&mut self, buf: &[u8]) -> std::io::Result<()> {
        self.pending.extend_from_slice(buf);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let bytes = std::mem::take(&mut self.pending);
        match &mut self.stream {
            Stream::Tcp(s) => Write::write_all(s, &bytes),
            Stream::Unix(s) => Write::write_all(s, &bytes),
        }
    }
}

/// Starts to listen. The place is taken when this returns; its name comes back (with the port that was chosen for port 0).
pub fn start(place: &Place, tx: Sender<Event>) -> Result<String, CliError> {
    match place {
        Place::Tcp(address) => {
            let listener = TcpListener::bind(address).map_err(|e| refused(&format!("tcp:{address}"), &e))?;
            let name = listener.local_addr().map_or_else(|_| address.clone(), |a| a.to_string());
            spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    // A packet answers a packet: waiting to fill a segment would cost a debugger its speed.
                    let _ = stream.set_nodelay(true);
                    let Ok(reader) = stream.try_clone() else { continue };
                    if !pass(reader, Stream::Tcp(stream), &tx) {
                        return;
                    }
                }
            })?;
            Ok(format!("tcp:{name}"))
        }
        Place::Unix(path) => {
            if let Ok(meta) = std::fs::symlink_metadata(path)
                && std::os::unix::fs::FileTypeExt::is_socket(&meta.file_type())
                && UnixStream::connect(path).is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused)
            {
                // What a process that is gone has left behind.
                let _ = std::fs::remove_file(path);
            }
            let listener = UnixListener::bind(path).map_err(|e| refused(&format!("unix:{}", path.display()), &e))?;
            spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    let Ok(reader) = stream.try_clone() else { continue };
                    if !pass(reader, Stream::Unix(stream), &tx) {
                        return;
                    }
                }
            })?;
            Ok(format!("unix:{}", path.display()))
        }
    }
}

fn refused(place: &str, e: &std::io::Error) -> CliError {
    let remedy = match e.kind() {
        ErrorKind::NotFound => "check the path; it is taken relative to the current directory",
        ErrorKind::PermissionDenied => "give a port above 1023, or a path that you may write",
        _ => "give another port or path, or end what uses it",
    };
    CliError::Host { what: format!("option -gdb: cannot listen at {place}: {e}"), remedy: remedy.to_owned() }
}

fn spawn(f: impl FnOnce() + Send + 'static) -> Result<(), CliError> {
    let r = std::thread::Builder::new().name("debugger".into()).spawn(f);
    r.map(drop).map_err(|source| CliError::Terminal { doing: "start a thread", source })
}

/// Passes on one connection from its start to its end; false if nobody listens any more.
fn pass(mut reader: impl Read, stream: Stream, tx: &Sender<Event>) -> bool {
    let mut buf = [0; 4096];
    let mut next = Inbound::Connected(stream);
    loop {
        let last = matches!(next, Inbound::Gone);
        if tx.send(Event::Debugger(next)).is_err() {
            return false;
        }
        if last {
            return true;
        }
        next = match reader.read(&mut buf) {
            Ok(n) if n > 0 => Inbound::Bytes(buf[..n].to_vec()),
            Err(e) if e.kind() == ErrorKind::Interrupted => Inbound::Bytes(Vec::new()),
            _ => Inbound::Gone,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_spelled_as_qemu_spells_them() {
        assert_eq!("tcp::1234".parse(), Ok(Place::Tcp("127.0.0.1:1234".into())));
        assert_eq!("tcp:0.0.0.0:99,server=on,wait=off".parse(), Ok(Place::Tcp("0.0.0.0:99".into())));
        assert_eq!("1234".parse(), Ok(Place::Tcp("127.0.0.1:1234".into())));
        assert_eq!("unix:/tmp/x".parse(), Ok(Place::Unix("/tmp/x".into())));
        for bad in ["", "tcp:", "unix:", "tcp::70000", "stdio", "udp::1"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
