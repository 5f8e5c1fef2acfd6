#![no_main]

libfuzzer_sys::fuzz_target!(init: trapeze_fuzz::seeds::offer("scenarios"), |data: &[u8]| {
    trapeze_fuzz::scenarios::run(data);
});
