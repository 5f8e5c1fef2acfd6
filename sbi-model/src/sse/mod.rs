//! Supervisor Software Events (SBI 3.0, "Supervisor Software Events Extension"): the events, where they come from and how they are
//! delivered. The calls are in `ext::sse`.
//!
//! All state is plain data: the events of every hart, the global ones, each hart's mask and its queue of signals from other harts.

mod attrs;
mod context;
mod deliver;
mod event;
mod lifecycle;
mod lock;
mod signal;
mod sources;
mod state;

pub use attrs::{Write, check, read, write};
pub(crate) use deliver::endless;
pub use deliver::{candidate, complete, deliver};
pub use event::{Event, Place, attr, flag, id, state as status};
pub(crate) use lifecycle::{forward, resume};
pub use lifecycle::{start, stop};
pub(crate) use lock::{lock, unlock};
pub use signal::{Signalled, drain, kick, raise, ready, set_pending, signal, target};
pub(crate) use signal::{disable, enable, must_wait};
pub use sources::{Source, notify, overflowed, trapped_twice};
pub use state::{HartEvents, Sse};
