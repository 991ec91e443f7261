//! The encoding of the contract: one value has one encoding, and nothing else decodes.

mod samples;

use swingset_abi::wire::{Blob, LENGTH_MAX, Reader, Wire, WireError};

/// What every encoding must hold.
#[track_caller]
fn check<T: Wire + PartialEq + std::fmt::Debug>(value: &T) {
    let bytes = value.to_bytes();
    let decoded = T::from_bytes(&bytes).expect("what was encoded decodes");
    assert_eq!(&decoded, value);
    assert_eq!(decoded.to_bytes(), bytes);
    for cut in 0..bytes.len() {
        // A shorter text may be a whole value of its own only when nothing of it is missing.
        assert!(T::from_bytes(&bytes[..cut]).is_err(), "{value:?} cut at {cut}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(T::from_bytes(&longer), Err(WireError::Trailing), "{value:?}");
    // Whatever else decodes must be canonical too.
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut other = bytes.clone();
            other[at] ^= 1 << bit;
            if let Ok(decoded) = T::from_bytes(&other) {
                assert_eq!(decoded.to_bytes(), other, "{value:?} with bit {bit} of byte {at} changed");
            }
        }
    }
}

#[test]
fn decoding_is_the_inverse_of_encoding() {
    samples::commands().iter().for_each(check);
    samples::replies().iter().for_each(check);
    samples::bridge_answers().iter().for_each(check);
    samples::deliveries().iter().for_each(check);
    samples::syscalls().iter().for_each(check);
    samples::syscall_replies().iter().for_each(check);
    samples::steps().iter().for_each(check);
    samples::inputs().iter().for_each(check);
    samples::outputs().iter().for_each(check);
    samples::events().iter().for_each(check);
    samples::requests().iter().for_each(check);
    samples::answers().iter().for_each(check);
    check(&samples::source());
    check(&samples::options());
}

#[test]
fn integers_have_one_encoding_each() {
    for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
        check(&value);
    }
    let refused = |bytes: &[u8]| u64::from_bytes(bytes).unwrap_err();
    assert_eq!(refused(&[0x80, 0x00]), WireError::Integer, "zero in two bytes");
    assert_eq!(refused(&[0xff, 0x80, 0x00]), WireError::Integer, "127 in three bytes");
    assert_eq!(refused(&[0xff; 10]), WireError::Integer, "more than 64 bits");
    assert_eq!(
        refused(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]),
        WireError::Integer,
        "the 65th bit"
    );
    assert_eq!(refused(&[0x80]), WireError::Truncated);
    assert_eq!(u32::from_bytes(&(u64::from(u32::MAX) + 1).to_bytes()), Err(WireError::Integer));
}

#[test]
fn bools_options_and_tags_have_no_other_values() {
    assert_eq!(bool::from_bytes(&[2]), Err(WireError::Tag));
    assert_eq!(Option::<u64>::from_bytes(&[2, 1]), Err(WireError::Tag));
    assert_eq!(swingset_abi::vat::VatSyscall::from_bytes(&[13]), Err(WireError::Tag));
    assert_eq!(swingset_abi::kernel::Command::from_bytes(&[255]), Err(WireError::Tag));
}

#[test]
fn text_is_utf_8() {
    assert_eq!(String::from_bytes(&[2, 0xc3, 0x28]), Err(WireError::Text));
    assert_eq!(String::from_bytes(&[1, 0xff]), Err(WireError::Text));
    check(&"smallcaps ✓".to_owned());
}

#[test]
fn hostile_lengths_are_refused_before_anything_is_allocated() {
    let huge = |length: u64| {
        let mut bytes = length.to_bytes();
        bytes.extend_from_slice(&[0; 8]);
        bytes
    };
    assert_eq!(Blob::from_bytes(&huge(u64::MAX)), Err(WireError::Length));
    assert_eq!(Blob::from_bytes(&huge(LENGTH_MAX as u64 + 1)), Err(WireError::Length));
    assert_eq!(Blob::from_bytes(&huge(LENGTH_MAX as u64)), Err(WireError::Truncated));
    assert_eq!(Vec::<String>::from_bytes(&huge(LENGTH_MAX as u64)), Err(WireError::Truncated));
    assert_eq!(Vec::<(String, u64)>::from_bytes(&huge(9)), Err(WireError::Truncated));
    let nested = [&[0xff, 0xff, 0x7f][..], &[0x7f; 64]].concat();
    assert!(Vec::<Vec<Vec<u64>>>::from_bytes(&nested).is_err());
}

#[test]
fn a_reader_gives_values_one_after_the_other() {
    let bytes = [7u64.to_bytes(), "x".to_owned().to_bytes(), true.to_bytes()].concat();
    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.u64(), Ok(7));
    assert_eq!(reader.slice(), Ok(&b"x"[..]));
    assert_eq!(reader.rest(), [1]);
    assert_eq!(bool::decode(&mut reader), Ok(true));
    reader.finish().expect("nothing is left");
}
