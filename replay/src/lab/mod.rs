//! The SSE laboratory: a payload is interrupted by an event at every instruction boundary of a window, and each time the context that
//! `complete` brings back is compared with the one that was interrupted.
//!
//! The event is always sent by a second hart, the injector, in one `sbi_sse_inject` call, while the victim stands still between two
//! instructions. So any firmware can be examined, native or foreign: it needs no hook in it.

mod case;
mod matrix;
mod payload;
mod steps;
mod story;
mod touches;
mod window;

pub use case::{After, Case, Ending, Outcome};
pub use matrix::{Cell, Matrix, Options, Tally, run};
pub use payload::{LabError, Payload, Prepared, Setting};
pub use steps::Steps;
pub use story::{Blame, Story, tell};
pub use touches::Touch;
pub use window::{Boundary, Window};
