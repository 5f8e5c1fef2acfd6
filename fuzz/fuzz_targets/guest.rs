#![no_main]

libfuzzer_sys::fuzz_target!(init: trapeze_fuzz::seeds::offer("guest"), |data: &[u8]| {
    trapeze_fuzz::guest::run(data);
});
