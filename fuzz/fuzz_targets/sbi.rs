#![no_main]

libfuzzer_sys::fuzz_target!(init: trapeze_fuzz::seeds::offer("sbi"), |data: &[u8]| {
    trapeze_fuzz::sbi::run(data);
});
