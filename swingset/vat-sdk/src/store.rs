//! The vat's own key-value area, which outlives an upgrade of its code.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    supervisor::{VatAnswer, VatRequest},
    wire::Blob,
};

use crate::request::request;

/// The value of a key.
pub fn get(key: &str) -> Option<Vec<u8>> {
    match request(&VatRequest::StoreGet { key: String::from(key) }) {
        VatAnswer::Value { value } => value.map(|value| value.0),
        _ => None,
    }
}

/// Writes a key. A key is 1 to 500 bytes long and a value at most 260,000; anything else ends the vat.
pub fn set(key: &str, value: &[u8]) {
    request(&VatRequest::StoreSet {
        key: String::from(key),
        value: Blob(Vec::from(value)),
    });
}

/// Deletes a key; absent is no error.
pub fn delete(key: &str) {
    request(&VatRequest::StoreDelete { key: String::from(key) });
}

/// The least key above `prior`.
pub fn next_key(prior: &str) -> Option<String> {
    match request(&VatRequest::StoreNextKey {
        prior: String::from(prior),
    }) {
        VatAnswer::Key { key } => key,
        _ => None,
    }
}
