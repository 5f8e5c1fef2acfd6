//! What the guest asks of the platform: power-off, reset, and the requests of a program through `tohost`.

use super::{Machine, RunEnd};
use crate::bus::Request;

impl Machine {
    /// A power-off or reset that a device or firmware asked for.
    #[inline]
    pub(super) fn request(&mut self) -> Option<RunEnd> {
        self.bus.request?;
        self.requested()
    }

    #[cold]
    fn requested(&mut self) -> Option<RunEnd> {
        self.collect();
        Some(match self.bus.request.take()? {
            Request::PowerOff(code) if self.htif => RunEnd::HtifExit(code as u64),
            Request::PowerOff(code) => RunEnd::PowerOff(code),
            Request::Reset => RunEnd::Reset,
        })
    }

    /// What a program asked for through `tohost`.
    pub(super) fn htif_request(&mut self) -> Option<RunEnd> {
        self.bus.htif.as_ref()?;
        let mut out = self.bus.poll_htif();
        self.console_out.append(&mut out);
        self.htif = self.bus.request.is_some();
        let end = self.request();
        self.htif = false;
        end
    }
}
