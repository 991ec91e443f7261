//! What is done ahead of its turn changes no answer, is done once, and is held within bounds.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use prost::Message;
use swing_core::{ports::signatures::SignatureVerifier, tx::Tx};
use swing_proto::cosmos::tx::v1beta1::{AuthInfo, TxBody, TxRaw};

use super::{AheadVerifier, Checks, FORESEEN_MAX, READY_BYTES_MAX};

fn tx(number: usize) -> Bytes {
    let body = TxBody { memo: number.to_string(), ..TxBody::default() };
    let raw = TxRaw {
        body_bytes: body.encode_to_vec(),
        auth_info_bytes: AuthInfo { fee: Some(Default::default()), ..AuthInfo::default() }.encode_to_vec(),
        signatures: vec![vec![1; 64]],
    };
    raw.encode_to_vec().into()
}

fn counting() -> (Arc<AtomicUsize>, Checks) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let count_one: Checks = Arc::new(move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    (count, count_one)
}

#[test]
fn each_foreseen_transaction_is_worked_on_once_and_comes_out_as_it_went_in() {
    let ahead = AheadVerifier::new(10_000);
    let (count, checks) = counting();
    let txs: Vec<Bytes> = (0..2_000).map(tx).collect();
    for raw in txs.iter().chain(&txs) {
        ahead.foresee(raw, Some(&checks));
    }
    for (number, raw) in txs.iter().enumerate() {
        let decoded = ahead.transaction(raw).expect("it decodes");
        assert_eq!(decoded.body.memo, number.to_string());
    }
    assert_eq!(count.load(Ordering::SeqCst), txs.len());
}

#[test]
fn what_is_no_transaction_is_refused_as_if_it_had_not_been_foreseen() {
    let ahead = AheadVerifier::new(100);
    let (count, checks) = counting();
    let bad = Bytes::from_static(&[0]);
    let plain = AheadVerifier::new(0).transaction(&bad).expect_err("no transaction");
    ahead.foresee(&bad, Some(&checks));
    for _ in 0..3 {
        assert_eq!(ahead.transaction(&bad).expect_err("no transaction"), plain);
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn what_nobody_asks_for_is_bounded_by_number_and_by_bytes() {
    let mut board = super::Board::default();
    let keep = |board: &mut super::Board, raw: &[u8]| {
        let tx = Tx::decode(raw).expect("it decodes");
        drop(board.keep(super::id(raw), Arc::new(tx)));
    };
    for number in 0..FORESEEN_MAX + 100 {
        keep(&mut board, &tx(number));
    }
    assert_eq!((board.entries.len(), board.ready.len()), (FORESEEN_MAX, FORESEEN_MAX));
    for number in 10..30_usize {
        let body = TxBody { memo: number.to_string().repeat(500_000), ..TxBody::default() };
        keep(&mut board, &TxRaw { body_bytes: body.encode_to_vec(), ..TxRaw::default() }.encode_to_vec());
    }
    assert!(board.ready_bytes <= READY_BYTES_MAX);
    assert!(board.entries.len() < 10);
}

#[test]
fn nothing_that_was_foreseen_is_held_once_it_is_dropped() {
    let ahead = AheadVerifier::new(10_000);
    let (count, checks) = counting();
    for number in 0..1_000 {
        ahead.foresee(&tx(number), Some(&checks));
    }
    drop(ahead);
    drop(checks);
    assert_eq!(Arc::strong_count(&count), 1);
}
