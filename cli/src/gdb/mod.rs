//! A GDB server: the protocol is the gdbstub library's, the target is a run, live or with a history ([`Guest`]). What a debugger sets is kept in the engine
//! (`emu_core::engine::breaks`), so that a debugged guest does exactly what it does alone.

mod accept;
mod arch;
mod guest;
#[cfg(test)]
mod hostile;
pub mod listen;
mod monitor;
mod packets;
mod stops;
mod target;
mod xml;

pub use guest::{Advance, Back, Guest, Resume, Say, Writer};
pub use stops::{Stops, tid, trapped};

use emu_core::machine::RunEnd;
use gdbstub::common::Signal;
use gdbstub::conn::Connection;
use gdbstub::stub::state_machine::{GdbStubStateMachine as Stub, GdbStubStateMachineInner, state};
use gdbstub::stub::{DisconnectReason, GdbStub, MultiThreadStopReason};

use crate::exit::CliError;
use crate::session::End;
use listen::{Inbound, Stream, Wire};
use packets::{Packets, Piece};
use target::Debugged;

/// How a debugger left.
#[derive(Debug)]
pub enum Served {
    /// The guest goes on without it.
    Detached,
    /// The run is to end.
    Killed,
    /// The run has ended.
    Ended(End),
}

/// The protocol's state with our types.
type State<'s> = Stub<'static, Debugged<'s>, Wire>;

/// Serves one debugger until it leaves or the run ends. The guest stands still when it comes.
pub fn serve(guest: &mut dyn Guest, stream: Stream) -> Result<Served, CliError> {
    guest.attach();
    let served = talk(guest, stream);
    guest.detach();
    served
}

fn talk(guest: &mut dyn Guest, stream: Stream) -> Result<Served, CliError> {
    let mut target = Debugged::new(guest);
    let stub = match GdbStub::new(Wire::new(stream)).run_state_machine(&mut target) {
        Ok(s) => s,
        Err(e) => return lost(&e.to_string()),
    };
    let mut stub = Some(stub);
    let mut packets = Packets::new(target.machine().harts().len());
    loop {
        target.guest.poll()?;
        if let Some(end) = target.guest.take_stop() {
            if let Some(Stub::Running(r)) = stub {
                // The debugger hears of it if it still can; the run ends anyway.
                let _ = r.report_stop(&mut target, MultiThreadStopReason::Exited(end.code()));
            }
            return Ok(Served::Ended(end));
        }
        let Some(state) = stub.take() else { return lost("the connection is out of step") };
        let next = match target.guest.inbound() {
            Some(Inbound::Bytes(bytes)) => feed(state, &mut target, &mut packets, &bytes),
            Some(Inbound::Gone) => return lost("it has gone without detaching"),
            Some(Inbound::Connected(_)) => Ok(state),
            None => match state {
                Stub::Running(r) if std::mem::take(&mut target.interrupted) => {
                    let tid = target.answering(target.active());
                    told(r, &mut target, Vec::new(), MultiThreadStopReason::SignalWithThread { tid, signal: Signal::SIGINT })
                }
                Stub::Running(r) => match target.guest.advance()? {
                    Advance::Going => Ok(r.into()),
                    Advance::Stopped(reason) => told(r, &mut target, Vec::new(), reason),
                    Advance::Said(text, reason) => told(r, &mut target, vec![text], reason),
                    Advance::Ended(end) if stays(&end) => {
                        let words = match &end {
                            End::Machine(end) => vec![end.to_string()],
                            _ => Vec::new(),
                        };
                        let tid = target.answering(target.active());
                        told(r, &mut target, words, MultiThreadStopReason::SignalWithThread { tid, signal: Signal::SIGABRT })
                    }
                    Advance::Ended(end) => {
                        if let Ok(Stub::Disconnected(mut d)) =
                            r.report_stop(&mut target, MultiThreadStopReason::Exited(end.code()))
                        {
                            d.borrow_conn().close();
                        }
                        return Ok(Served::Ended(end));
                    }
                },
                state => {
                    target.guest.wait_for_more()?;
                    Ok(state)
                }
            },
        };
        match next {
            Ok(Stub::Disconnected(mut d)) => {
                if matches!(d.get_reason(), DisconnectReason::Kill) {
                    // The library answers no vKill; GDB waits for this.
                    let wire = d.borrow_conn();
                    let _ = wire.write_all(packets::framed("OK").as_bytes()).and_then(|()| wire.flush());
                }
                d.borrow_conn().close();
                return Ok(match d.get_reason() {
                    DisconnectReason::Kill => Served::Killed,
                    _ => Served::Detached,
                });
            }
            Ok(state) => stub = Some(state),
            Err(e) => return lost(&e),
        }
    }
}

/// The library's state while the guest runs.
type Running<'s> = GdbStubStateMachineInner<'static, state::Running, Debugged<'s>, Wire>;

/// Tells of a stop, with words for the debugger's user before it.
fn told<'s>(
    mut r: Running<'s>,
    target: &mut Debugged<'s>,
    mut words: Vec<String>,
    reason: MultiThreadStopReason<u64>,
) -> Result<State<'s>, String> {
    let (more, reason) = target.answer(reason);
    words.extend(more);
    for text in words {
        let _ = r.borrow_conn().write_all(&packets::output(&format!("trapeze: {text}\n")));
    }
    r.report_stop(target, reason).map_err(|e| e.to_string())
}

/// Whether the guest can still be looked at: it cannot go on, but it has not gone.
fn stays(end: &End) -> bool {
    matches!(
        end,
        End::Machine(RunEnd::TrapLoop { .. } | RunEnd::CriticalError { .. } | RunEnd::AllAsleep { .. } | RunEnd::Fatal(_))
    )
}

/// The connection is no use any more. The guest goes on.
fn lost(why: &str) -> Result<Served, CliError> {
    // Standard error may be closed; the guest goes on all the same.
    let _ =
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("trapeze: the debugger's connection ended: {why}\r\n"));
    Ok(Served::Detached)
}

/// Bytes of the debugger.
fn feed<'s>(mut state: State<'s>, target: &mut Debugged<'s>, packets: &mut Packets, bytes: &[u8]) -> Result<State<'s>, String> {
    for byte in bytes {
        let Some(piece) = packets.feed(*byte) else { continue };
        let answer = match piece {
            // An interrupt while nothing runs counts when something does. Whose stop it is told as is known only then.
            Piece::Pass(bytes) if bytes == [3] && matches!(state, Stub::Idle(_)) => {
                target.interrupted = true;
                continue;
            }
            Piece::Pass(bytes) => {
                for b in bytes {
                    state = one(state, target, b)?;
                }
                continue;
            }
            Piece::Physical(on) => {
                target.physical = on;
                packets.answer("OK")
            }
            Piece::AskPhysical => packets.answer(if target.physical { "1" } else { "0" }),
            Piece::Answer(body) => packets.answer(body),
            Piece::Again => b"-".to_vec(),
        };
        let wire = match &mut state {
            Stub::Idle(s) => s.borrow_conn(),
            Stub::Running(s) => s.borrow_conn(),
            Stub::CtrlCInterrupt(s) => s.borrow_conn(),
            Stub::Disconnected(s) => s.borrow_conn(),
        };
        wire.write_all(&answer).and_then(|()| wire.flush()).map_err(|e| e.to_string())?;
    }
    Ok(state)
}

fn one<'s>(state: State<'s>, target: &mut Debugged<'s>, byte: u8) -> Result<State<'s>, String> {
    let next = match state {
        Stub::Idle(s) => s.incoming_data(target, byte),
        Stub::Running(s) => s.incoming_data(target, byte),
        other => Ok(other),
    };
    let next = match next {
        Ok(Stub::CtrlCInterrupt(s)) => {
            let tid = target.answering(target.active());
            let reason = MultiThreadStopReason::SignalWithThread { tid, signal: Signal::SIGINT };
            s.interrupt_handled(target, Some(reason))
        }
        next => next,
    };
    next.map_err(|e| e.to_string())
}
