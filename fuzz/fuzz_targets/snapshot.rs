#![no_main]

libfuzzer_sys::fuzz_target!(init: trapeze_fuzz::seeds::offer("snapshot"), |data: &[u8]| {
    trapeze_fuzz::files::snapshot(data);
});
