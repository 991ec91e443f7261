//! Tests of the bundle format.

use super::*;
use crate::bundle::{bundle_id, is_bundle_id, verify};

fn vat(content: &[u8]) -> Bundle {
    let manifest = Manifest {
        kind: BundleKind::Vat {},
        name: "counter".to_owned(),
        host_abi: 1,
        supervisor_abis: vec![1],
        schema_from: 0,
        schema_to: 0,
    };
    Bundle::single(manifest, content.to_vec()).unwrap()
}

#[track_caller]
fn check_refused(bytes: &[u8], expected: &BundleError) {
    assert_eq!(&decode(bytes).unwrap_err(), expected);
}

/// Derived by hand from the format's description, not by this code.
const GOLDEN: &str = "535742554e444c45\
    01\
    03\
    07636f756e746572\
    01\
    0101\
    00\
    00\
    01\
    087661742e7761736d\
    40ca605e60dd2067fe78ea238dd870ae6aea18d75f3da401790b4fcfcbbbbe1708\
    094f11c5a967d75ccb6b84df404af425835dda9faaa08e56067189dea3b3fc74\
    04\
    0061736d";
const GOLDEN_ID: &str = "b1-af190a29b82ee89688b8c41604f77b8f7cde34516e78057dbcc01333cefc347c\
    8e35103a6cdc2618f6db1ceaa7baee62d1f22f6538dab59d7001a98c1b028441";

#[test]
fn the_bytes_and_the_id_are_the_golden_ones() {
    let bytes = vat(b"\0asm").encode().unwrap();
    assert_eq!(hex::encode(&bytes), GOLDEN);
    assert_eq!(bundle_id(&bytes), GOLDEN_ID);
    assert!(is_bundle_id(GOLDEN_ID));
    assert_eq!(decode(&bytes).unwrap(), vat(b"\0asm"));
}

#[test]
fn decoding_is_the_inverse_of_encoding() {
    let bundle = vat(&[7; 1000]);
    let bytes = bundle.encode().unwrap();
    let decoded = decode(&bytes).unwrap();
    assert_eq!(decoded, bundle);
    assert_eq!(decoded.encode().unwrap(), bytes);
    assert_eq!(verify(&bytes, &bundle_id(&bytes)).unwrap(), bundle);
}

#[test]
fn every_flipped_or_missing_byte_is_refused_or_gives_another_id() {
    let bytes = vat(b"content").encode().unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        if let Ok(bundle) = decode(&changed) {
            assert_eq!(bundle.encode().unwrap(), changed, "byte {at}: what decodes is canonical");
        }
        assert!(decode(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn malformed_bundles_are_refused_with_the_reason() {
    let bytes = vat(b"content").encode().unwrap();
    check_refused(b"PK\x03\x04", &BundleError::Magic);
    check_refused(b"SWBUNDLE\x02", &BundleError::Format(2));
    check_refused(&[&bytes[..], b"x"].concat(), &BundleError::PartSizes { declared: 7, actual: 8 });
    let mut changed = bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    check_refused(&changed, &BundleError::PartHash("vat.wasm".to_owned()));
    check_refused(&vec![0; BUNDLE_BYTES_MAX + 1], &BundleError::Size { size: BUNDLE_BYTES_MAX + 1 });
}

#[test]
fn parts_that_make_no_bundle_are_refused() {
    let good = vat(b"x");
    let with = |change: fn(&mut Manifest)| {
        let mut manifest = good.manifest.clone();
        change(&mut manifest);
        Bundle::single(manifest, b"x".to_vec()).unwrap_err()
    };
    assert!(matches!(with(|m| m.name = "Upper".to_owned()), BundleError::Name(_)));
    assert_eq!(with(|m| m.supervisor_abis = vec![2, 1]), BundleError::Order("supervisor ABI levels"));
    assert!(matches!(with(|m| m.schema_to = 1), BundleError::Schema { .. }));
    assert!(matches!(with(|m| m.kind = BundleKind::Kernel {}), BundleError::Schema { .. }));
    let missing = Bundle::new(good.manifest.clone(), vec![("other".to_owned(), vec![])]).unwrap_err();
    assert_eq!(missing, BundleError::MissingPart { kind: "vat", part: "vat.wasm" });
    let twice = vec![("vat.wasm".to_owned(), vec![]), ("vat.wasm".to_owned(), vec![1])];
    assert_eq!(Bundle::new(good.manifest.clone(), twice).unwrap_err(), BundleError::Order("parts"));
}
