//! libFuzzer on `swing_fuzz::syscalls`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swing_fuzz::syscalls(data));
