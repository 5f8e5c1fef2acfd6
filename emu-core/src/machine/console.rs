//! Bytes to and from outside. Output collects until it is taken; input waits until the UART has room or an HTIF
//! program asks for it, which is a matter of guest state.

use super::Machine;

impl Machine {
    /// Gives bytes to the console. They enter before the next instruction that [`Machine::run`] executes.
    pub fn console_input(&mut self, bytes: &[u8]) {
        self.console_in.extend(bytes);
        self.feed();
    }

    /// Takes what UART, virtio console, firmware and HTIF have printed since the last call.
    pub fn take_console_output(&mut self) -> Vec<u8> {
        self.collect();
        std::mem::take(&mut self.console_out)
    }

    /// Moves waiting input to the guest as far as it takes it.
    pub(super) fn feed(&mut self) {
        if self.console_in.is_empty() {
            return;
        }
        let bytes = self.console_in.make_contiguous();
        let taken = self.bus.push_input(bytes);
        self.console_in.drain(..taken);
    }

    /// Keeps output in the order in which it was made.
    pub(super) fn collect(&mut self) {
        let mut out = self.bus.take_output();
        self.console_out.append(&mut out);
    }
}
