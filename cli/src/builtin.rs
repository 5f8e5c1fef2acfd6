//! Programs that are part of the binary: `-kernel rom:NAME`.

use std::path::Path;

macro_rules! roms {
    ($($name:literal $file:literal;)*) => { &[$(($name, include_bytes!(concat!("../../roms/", $file)))),*] };
}

/// Name and ELF file.
const ROMS: &[(&str, &[u8])] = roms! {
    "tour" "tour/tour.elf";
    "pass" "test/pass.elf";
    "fail" "test/fail.elf";
    "echo" "test/echo.elf";
    "flood" "test/flood.elf";
    "reboot" "test/reboot.elf";
    "sleep" "test/sleep.elf";
    "spin" "test/spin.elf";
    "traploop" "test/traploop.elf";
    "hyp" "lab/hyp.elf";
    "cfi" "lab/cfi.elf";
    "integer" "bench/integer.elf";
    "calls" "bench/calls.elf";
    "walk2" "bench/walk2.elf";
    "trap" "bench/trap.elf";
};

/// The name after `rom:`, if a path is one.
pub fn name(path: &Path) -> Option<&str> {
    path.to_str()?.strip_prefix("rom:")
}

/// The program of a name.
pub fn find(name: &str) -> Option<&'static [u8]> {
    ROMS.iter().find(|r| r.0 == name).map(|r| r.1)
}

/// All names, for messages.
pub fn names() -> String {
    ROMS.iter().map(|r| r.0).collect::<Vec<_>>().join(", ")
}
