//! What comes from outside while the guest runs, in one queue: typed bytes, end of input, signals.

use std::io::Read;

use crossbeam::channel::{Receiver, Sender, bounded};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::low_level::emulate_default_handler;

use super::raw;
use crate::exit::{CliError, Exit};
use crate::gdb::listen::Inbound;

/// Something from outside.
#[derive(Debug)]
pub enum Event {
    /// Bytes of standard input.
    Bytes(Vec<u8>),
    /// Standard input has ended; no more bytes will come.
    End,
    /// A signal that asks the process to end.
    Stop(i32),
    /// The process was stopped and continued.
    Continued,
    /// A debugger's connection.
    Debugger(Inbound),
}

/// Starts the reader of standard input and the signal thread. Signals that end the process come as events, so that the
/// run ends in the ordinary way; a second one ends it on the spot. Also gives the queue's other end, for more to come in.
pub fn start() -> Result<(Sender<Event>, Receiver<Event>), CliError> {
    let (tx, rx) = bounded(16);
    signals(tx.clone())?;
    let stdin = tx.clone();
    spawn("stdin", move || read(&stdin))?;
    Ok((tx, rx))
}

fn read(tx: &Sender<Event>) {
    let mut stdin = std::io::stdin().lock();
    let mut buf = [0; 1024];
    loop {
        let event = match stdin.read(&mut buf) {
            Ok(0) => Event::End,
            Ok(n) => Event::Bytes(buf[..n].to_vec()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            // A terminal that has gone away reads as an error: no more input will come.
            Err(_) => Event::End,
        };
        let last = matches!(event, Event::End);
        if tx.send(event).is_err() || last {
            return;
        }
    }
}

fn signals(tx: Sender<Event>) -> Result<(), CliError> {
    let failed = |source| CliError::Terminal { doing: "install signal handlers", source };
    let mut set = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT]).map_err(failed)?;
    spawn("signals", move || {
        let mut asked = false;
        for s in &mut set {
            if s == SIGTSTP {
                // The shell gets the terminal as it was; what follows SIGCONT makes it raw again.
                raw::suspend();
                let _ = emulate_default_handler(s);
                continue;
            }
            if s == SIGCONT {
                let _ = tx.try_send(Event::Continued);
                continue;
            }
            if asked || tx.try_send(Event::Stop(s)).is_err() {
                raw::restore();
                std::process::exit(Exit::Interrupt as i32);
            }
            asked = true;
        }
    })
}

fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> Result<(), CliError> {
    let r = std::thread::Builder::new().name(name.to_owned()).spawn(f);
    r.map(drop).map_err(|source| CliError::Terminal { doing: "start a thread", source })
}
