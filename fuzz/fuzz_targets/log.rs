#![no_main]

libfuzzer_sys::fuzz_target!(init: trapeze_fuzz::seeds::offer("log"), |data: &[u8]| {
    trapeze_fuzz::files::log(data);
});
