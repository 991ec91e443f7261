//! The mempool's bounds.

use bytes::Bytes;
use swing_node::solo::{Mempool, MempoolError, MempoolLimits};

use crate::support::counting::{Counting, REFUSED};

const LIMITS: MempoolLimits =
    MempoolLimits { count_max: 3, bytes_max: 100, tx_bytes_max: 60, cache_max: 4, recheck: true };

fn tx(letter: u8, len: usize) -> Bytes {
    Bytes::from(vec![letter; len])
}

#[track_caller]
fn add(mempool: &mut Mempool, app: &Counting, tx: Bytes) -> Result<u32, MempoolError> {
    mempool.add(tx, app).expect("no fault").map(|response| response.code)
}

#[test]
fn what_is_too_large_too_much_or_known_is_refused_and_the_rest_kept_in_order() {
    let (mut mempool, app) = (Mempool::new(LIMITS), Counting::default());
    assert_eq!(add(&mut mempool, &app, tx(b'a', 61)), Err(MempoolError::TooLarge { max: 60, size: 61 }));
    assert_eq!(add(&mut mempool, &app, tx(b'a', 60)), Ok(0));
    assert_eq!(
        add(&mut mempool, &app, tx(b'a', 60)),
        Err(MempoolError::Full { count: 1, count_max: 3, bytes: 60, bytes_max: 100 })
    );
    assert_eq!(add(&mut mempool, &app, tx(b'b', 10)), Ok(0));
    assert_eq!(add(&mut mempool, &app, tx(b'b', 10)), Err(MempoolError::InCache));
    assert_eq!(add(&mut mempool, &app, tx(b'c', 10)), Ok(0));
    assert_eq!(
        add(&mut mempool, &app, tx(b'd', 10)),
        Err(MempoolError::Full { count: 3, count_max: 3, bytes: 80, bytes_max: 100 })
    );
    assert_eq!((mempool.len(), mempool.bytes()), (3, 80));
    assert_eq!(mempool.first(9), [tx(b'a', 60), tx(b'b', 10), tx(b'c', 10)]);
}

#[test]
fn a_block_takes_the_first_that_fit_in_bytes_and_gas() {
    let (mut mempool, app) = (Mempool::new(LIMITS), Counting::default());
    for letter in [b'a', b'b', b'c'] {
        assert_eq!(add(&mut mempool, &app, tx(letter, 20)), Ok(0));
    }
    assert_eq!(mempool.reap(1_000, None).len(), 3);
    assert_eq!(mempool.reap(60, None), [tx(b'a', 20), tx(b'b', 20)]);
    assert_eq!(mempool.reap(1_000, Some(25)), [tx(b'a', 20), tx(b'b', 20)]);
    assert_eq!(mempool.reap(1_000, Some(9)), Vec::<Bytes>::new());
    assert_eq!(mempool.reap(-1, None), Vec::<Bytes>::new());
}

#[test]
fn after_a_block_its_transactions_are_gone_and_those_that_became_invalid_too() {
    let (mut mempool, app) = (Mempool::new(LIMITS), Counting::default());
    for letter in [b'a', b'b', b'c'] {
        assert_eq!(add(&mut mempool, &app, tx(letter, 20)), Ok(0));
    }
    // The application refuses what it has executed; it executed `b` by another way.
    app.disk().txs.extend([tx(b'a', 20), tx(b'b', 20)]);
    mempool.update(&[tx(b'a', 20).to_vec()], &[Default::default()], &app).expect("no fault");
    assert_eq!(mempool.first(9), [tx(b'c', 20)]);
    assert_eq!(mempool.bytes(), 20);
    assert_eq!(add(&mut mempool, &app, tx(b'a', 20)), Err(MempoolError::InCache), "committed ones are remembered");
    assert_eq!(add(&mut mempool, &app, tx(b'b', 20)), Ok(2), "others may come again, to CheckTx");
}

#[test]
fn a_refused_transaction_may_come_again_and_old_hashes_are_forgotten() {
    let (mut mempool, app) = (Mempool::new(LIMITS), Counting::default());
    for _ in 0..2 {
        assert_eq!(add(&mut mempool, &app, Bytes::from_static(REFUSED)), Ok(2));
    }
    for letter in 0..5u8 {
        assert_eq!(add(&mut mempool, &app, tx(letter, 8)), Ok(0));
        mempool.update(&[tx(letter, 8).to_vec()], &[Default::default()], &app).expect("no fault");
    }
    assert_eq!(add(&mut mempool, &app, tx(4, 8)), Err(MempoolError::InCache));
    assert_eq!(add(&mut mempool, &app, tx(0, 8)), Ok(0), "only four are remembered");
}
