//! libFuzzer on `swing_fuzz::capdata`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swing_fuzz::capdata(data));
