#![no_main]

libfuzzer_sys::fuzz_target!(init: trapeze_fuzz::seeds::offer("loaders"), |data: &[u8]| {
    trapeze_fuzz::loaders::run(data);
});
