#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trapeze_fuzz::files::log(data));
