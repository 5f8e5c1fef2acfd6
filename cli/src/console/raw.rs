//! Raw mode, undone on every way out: the guard's drop, a panic, and [`restore`] for whoever ends the process otherwise.

use std::io::stdin;
use std::sync::Mutex;

use rustix::termios::{OptionalActions, OutputModes, Termios, isatty, tcgetattr, tcsetattr};

use crate::exit::CliError;

/// The terminal's settings as they were found, while it is raw.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

/// Raw mode for as long as it lives.
pub struct Raw(());

impl Raw {
    /// Switches standard input to raw mode if it is a terminal; None if it is not.
    pub fn enter() -> Result<Option<Raw>, CliError> {
        if !isatty(stdin()) {
            return Ok(None);
        }
        let found = tcgetattr(stdin()).map_err(|e| terminal("read the terminal's settings", e))?;
        let mut raw = found.clone();
        raw.make_raw();
        // The emulator's own lines end in \n; the guest's tty sends \r\n itself and an extra \r does no harm.
        raw.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
        if let Ok(mut s) = SAVED.lock() {
            s.get_or_insert(found);
        }
        static HOOK: std::sync::Once = std::sync::Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                restore();
                before(info);
            }));
        });
        tcsetattr(stdin(), OptionalActions::Now, &raw).map_err(|e| terminal("switch the terminal to raw mode", e))?;
        Ok(Some(Raw(())))
    }

    /// Enters raw mode again after the process was stopped and continued: the shell may have changed the settings.
    pub fn again(&self) {
        if let Ok(Some(twin)) = Raw::enter() {
            std::mem::forget(twin); // the first guard still owns the way back
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts the terminal back as it was found for as long as the process is stopped.
pub fn suspend() {
    if let Ok(saved) = SAVED.lock()
        && let Some(t) = saved.as_ref()
    {
        let _ = tcsetattr(stdin(), OptionalActions::Now, t);
    }
}

/// Puts the terminal back as it was found. Harmless if it is not raw.
pub fn restore() {
    let saved = match SAVED.lock() {
        Ok(mut s) => s.take(),
        Err(poisoned) => poisoned.into_inner().take(),
    };
    if let Some(t) = saved {
        // Nothing is left to report to if this fails.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &t);
    }
}

fn terminal(doing: &'static str, e: rustix::io::Errno) -> CliError {
    CliError::Terminal { doing, source: e.into() }
}
