#![no_main]

libfuzzer_sys::fuzz_target!(init: trapeze_fuzz::seeds::offer("decoder"), |data: &[u8]| {
    trapeze_fuzz::decoder::run(data);
});
