//! Transactions through the ante handler, the messages and the block.

use swing_core::{
    address::Address,
    block::TxResult,
    execute::{CheckMode, simulate},
    tx::{SignatureForm, Tx, signature_checks},
};
use swing_proto::{
    cosmos::{
        bank::v1beta1::{Input, MsgMultiSend, MsgSetSendEnabled, Output, SendEnabled},
        base::abci::v1beta1::TxMsgData,
    },
    google::protobuf::{Any, Timestamp},
};

use prost::Message;

use crate::{
    accounts::{Account, Draft, Signer, coin, send},
    chain::{Chain, Genesis},
    signers::K256,
};

const FEE: u64 = 3000;

fn pair() -> (Account, Account) {
    (Account::new(1), Account::new(2))
}

#[track_caller]
fn check_refused(result: &TxResult, code: u32, log: &str) {
    assert_eq!((result.codespace.as_str(), result.code), ("sdk", code), "{}", result.log);
    assert!(result.log.contains(log), "{:?} does not contain {log:?}", result.log);
}

#[test]
fn a_send_pays_its_fee_and_moves_its_coins() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let tx = chain.sign(&Draft::new(vec![send(&alice, &bob.address, 500)]), &alice);
    let result = chain.deliver(tx);
    assert_eq!(result.code, 0, "{}", result.log);
    assert!(result.gas_used > 0 && result.gas_used < result.gas_wanted);
    assert_eq!(chain.balance(&alice.address), 1_000_000_000 - FEE - 500);
    assert_eq!(chain.balance(&bob.address), 1_000_000_500);
    assert_eq!(chain.signer(&alice).sequence, 1);
}

#[test]
fn amino_json_signatures_are_accepted() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let mut draft = Draft::new(vec![send(&alice, &bob.address, 5)]);
    draft.form = SignatureForm::AminoJson;
    draft.body.memo = "<é&".to_owned();
    let tx = chain.sign(&draft, &alice);
    assert_eq!(chain.deliver(tx).code, 0);
}

#[test]
fn a_failing_message_keeps_the_fee_and_the_sequence_and_undoes_the_messages_before_it() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let draft = Draft::new(vec![send(&alice, &bob.address, 500), send(&alice, &bob.address, 2_000_000_000)]);
    let tx = chain.sign(&draft, &alice);
    let result = chain.deliver(tx);
    check_refused(
        &result,
        5,
        "failed to execute message; message index: 1: spendable balance 999996500uswing is smaller than",
    );
    assert!(result.data.is_empty());
    let kinds: Vec<_> = result.events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["coin_spent", "coin_received", "transfer", "message", "tx", "tx", "tx"]);
    assert_eq!(chain.balance(&alice.address), 1_000_000_000 - FEE);
    assert_eq!(chain.balance(&bob.address), 1_000_000_000);
    assert_eq!(chain.signer(&alice).sequence, 1);
}

#[test]
fn a_transaction_refused_by_the_ante_handler_changes_nothing() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    chain.block(Vec::new());
    let before = chain.state.clone();
    let mut draft = Draft::new(vec![send(&alice, &bob.address, 500)]);
    draft.chain_id = "other-1".to_owned();
    let tx = chain.sign(&draft, &alice);
    let result = chain.deliver(tx);
    check_refused(&result, 4, "signature verification failed; please verify account number (0) and chain-id (test-1)");
    assert!(result.events.is_empty() && result.gas_wanted == 300_000);
    let changed: Vec<_> =
        chain.state.iter().filter(|(key, value)| before.get(*key) != Some(value)).map(|(key, _)| key).collect();
    assert_eq!(changed, [b"chain/last"]);
}

#[test]
fn each_wrong_transaction_has_the_sdks_code() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    chain.block(Vec::new());
    let draft = |change: &dyn Fn(&mut Draft)| {
        let mut draft = Draft::new(vec![send(&alice, &bob.address, 1)]);
        change(&mut draft);
        draft
    };
    type Change<'a> = &'a dyn Fn(&mut Draft);
    let cases: [(Change<'_>, u32, &str); 12] = [
        (
            &|draft| draft.body.memo = "x".repeat(257),
            12,
            "maximum number of characters is 256 but received 257 characters: memo too large",
        ),
        (&|draft| draft.body.timeout_height = 1, 30, ", timeout height: 1: tx timeout height"),
        (&|draft| draft.body.timeout_timestamp = Some(Timestamp { seconds: 5, nanos: 0 }), 42, "tx timeout"),
        (&|draft| draft.body.unordered = true, 37, "unordered transactions are not supported"),
        (&|draft| draft.fee.gas_limit = 0, 11, "out of gas in location: ReadFlat; gasWanted: 0"),
        (&|draft| draft.fee.gas_limit = 10_000, 11, "gasWanted: 10000"),
        (&|draft| draft.fee.gas_limit = u64::MAX, 18, "invalid gas supplied"),
        (&|draft| draft.fee.amount = vec![coin("uswing", 2_000_000_000)], 5, "insufficient funds: insufficient funds"),
        (&|draft| draft.fee.amount = vec![coin("uswing", 1), coin("atom", 1)], 13, "denomination atom is not sorted"),
        (&|draft| draft.fee.granter = bob.text(), 18, "fee grants are not enabled"),
        (&|draft| draft.body.messages.clear(), 18, "must contain at least one message"),
        (&|draft| draft.body.extension_options.push(send(&alice, &bob.address, 1)), 31, "unknown extension options"),
    ];
    for (change, code, log) in cases {
        let tx = chain.sign(&draft(change), &alice);
        check_refused(&chain.check(&tx, CheckMode::New, ""), code, log);
        check_refused(&chain.block(vec![tx]).tx_results[0].clone(), code, log);
    }
    assert_eq!(chain.signer(&alice).sequence, 0);
}

#[test]
fn unknown_messages_are_refused_while_decoding() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let mut tx = chain.sign(&Draft::new(vec![send(&alice, &bob.address, 1)]), &alice);
    let at = tx.windows(7).position(|window| window == b"MsgSend").expect("the type URL is there");
    tx[at + 3] = b'X';
    let result = chain.deliver(tx);
    check_refused(
        &result,
        2,
        "unable to resolve type URL /cosmos.bank.v1beta1.MsgXend: tx parse error: tx parse error",
    );
    assert_eq!((result.gas_wanted, result.gas_used), (0, 0));
}

#[test]
fn known_types_that_are_no_message_of_this_chain_are_refused() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let core_eval = Any { type_url: "/agoric.swingset.MsgCoreEval".to_owned(), value: Vec::new() };
    let draft = Draft::new(vec![send(&alice, &bob.address, 1), core_eval]);
    let tx = chain.sign(&draft, &alice);
    check_refused(&chain.deliver(tx), 6, "no message handler found for /agoric.swingset.MsgCoreEval");
}

#[test]
fn sequences_are_used_once_and_in_order() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let draft = Draft::new(vec![send(&alice, &bob.address, 1)]);
    let at = |sequence| draft.sign(&[Signer { account: &alice, number: 0, sequence }]);
    let results = &chain.block(vec![at(1), at(0), at(0), at(1)]).tx_results;
    let codes: Vec<_> = results.iter().map(|result| result.code).collect();
    assert_eq!(codes, [32, 0, 32, 0]);
    assert_eq!(results[0].log, "account sequence mismatch, expected 0, got 1: incorrect account sequence");
    assert_eq!(results[2].log, "account sequence mismatch, expected 1, got 0: incorrect account sequence");
}

#[test]
fn only_an_account_that_exists_pays() {
    let (alice, nobody) = (Account::new(1), Account::new(3));
    let mut chain = Chain::new(&[&alice]);
    let tx = chain.sign(&Draft::new(vec![send(&nobody, &alice.address, 1)]), &nobody);
    check_refused(
        &chain.deliver(tx),
        9,
        &format!("fee payer address: {} does not exist: unknown address", nobody.text()),
    );
}

#[test]
fn another_accounts_key_is_refused() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let tx = Draft::new(vec![send(&alice, &bob.address, 1)]).sign(&[Signer { account: &bob, number: 0, sequence: 0 }]);
    check_refused(&chain.deliver(tx), 8, "pubKey does not match signer address");
}

#[test]
fn several_signers_sign_in_the_order_of_the_messages_and_the_first_pays() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let draft =
        Draft::new(vec![send(&bob, &alice.address, 10), send(&alice, &bob.address, 3), send(&bob, &alice.address, 1)]);
    let wrong = draft.sign(&[chain.signer(&alice), chain.signer(&bob)]);
    check_refused(&chain.deliver(wrong), 8, "signer index: 0");
    let right = draft.sign(&[chain.signer(&bob), chain.signer(&alice)]);
    assert_eq!(chain.deliver(right).code, 0);
    assert_eq!(chain.balance(&bob.address), 1_000_000_000 - FEE - 10 + 3 - 1);
    assert_eq!((chain.signer(&alice).sequence, chain.signer(&bob).sequence), (1, 1));
    let lonely = draft.sign(&[chain.signer(&bob)]);
    check_refused(&chain.deliver(lonely), 4, "wrong number of signers; expected 2, got 1");
}

#[test]
fn a_named_payer_signs_and_pays() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let mut draft = Draft::new(vec![send(&alice, &bob.address, 10)]);
    draft.fee.payer = bob.text();
    let tx = draft.sign(&[chain.signer(&alice), chain.signer(&bob)]);
    assert_eq!(chain.deliver(tx).code, 0);
    assert_eq!(chain.balance(&alice.address), 1_000_000_000 - 10);
    assert_eq!(chain.balance(&bob.address), 1_000_000_000 + 10 - FEE);
}

#[test]
fn this_nodes_gas_price_counts_in_the_mempool_and_not_in_blocks() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let tx = chain.sign(&Draft::new(vec![send(&alice, &bob.address, 1)]), &alice);
    let refused = chain.check(&tx, CheckMode::New, "0.02uswing");
    check_refused(&refused, 13, "insufficient fees; got: 3000uswing required: 6000uswing: insufficient fee");
    assert_eq!(chain.check(&tx, CheckMode::New, "0.01uswing,5atom").code, 0);
    assert_eq!(chain.deliver(tx).code, 0);
}

#[test]
fn a_recheck_trusts_the_signature_and_looks_at_the_sequence() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let draft = Draft::new(vec![send(&alice, &bob.address, 1)]);
    let tx = chain.sign(&draft, &alice);
    let mut forged = tx.clone();
    *forged.last_mut().expect("bytes") ^= 1;
    assert_eq!(chain.check(&forged, CheckMode::New, "").code, 4);
    assert_eq!(chain.check(&forged, CheckMode::Recheck, "").code, 0);
    chain.deliver(tx.clone());
    assert_eq!(chain.check(&tx, CheckMode::Recheck, "").code, 32);
}

#[test]
fn a_block_stops_at_its_gas_limit() {
    let (alice, bob) = pair();
    let mut genesis = Genesis::with(&[&alice, &bob]);
    genesis.max_gas = 300_000;
    let mut chain = genesis.start().expect("valid");
    let draft = Draft::new(vec![send(&alice, &bob.address, 1)]);
    let txs = (0..12).map(|sequence| draft.sign(&[Signer { account: &alice, number: 0, sequence }])).collect();
    let results = chain.block(txs).tx_results.clone();
    let done = results.iter().filter(|result| result.code == 0).count();
    assert!((2..11).contains(&done), "{done}");
    let crossing = &results[done];
    check_refused(crossing, 11, "out of gas in location: block gas meter");
    assert!(results[done + 1..].iter().all(|result| result.code == 11 && result.gas_used == 0));
    // The one that crossed the limit has paid and used its sequence; those after it have not run.
    assert_eq!(chain.signer(&alice).sequence, done as u64 + 1);
    assert_eq!(chain.balance(&bob.address), 1_000_000_000 + done as u64);
    let mut greedy = Draft::new(vec![send(&alice, &bob.address, 1)]);
    greedy.fee.gas_limit = 300_001;
    let tx = chain.sign(&greedy, &alice);
    check_refused(&chain.check(&tx, CheckMode::New, ""), 41, "tx gas limit 300001 exceeds block max gas 300000");
}

#[test]
fn running_out_of_gas_in_a_message_keeps_the_fee() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let messages = (0..40).map(|_| send(&alice, &bob.address, 1)).collect();
    let tx = chain.sign(&Draft::new(messages), &alice);
    let result = chain.deliver(tx);
    assert_eq!(result.code, 11);
    assert!(result.log.starts_with("out of gas in location: "), "{}", result.log);
    assert!(result.gas_used > result.gas_wanted);
    assert_eq!(chain.balance(&alice.address), 1_000_000_000 - FEE);
}

#[test]
fn a_simulation_tells_the_gas_and_changes_nothing() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let mut draft = Draft::new(vec![send(&alice, &bob.address, 1)]);
    draft.fee.gas_limit = 0;
    draft.fee.amount.clear();
    let tx = draft.sign(&[chain.signer(&alice)]);
    let before = chain.state.clone();
    let simulated = simulate(&chain.state, &tx).expect("no fault");
    assert_eq!(simulated.code, 0, "{}", simulated.log);
    assert_eq!(chain.state, before);
    let tx = chain.sign(&Draft::new(vec![send(&alice, &bob.address, 1)]), &alice);
    let real = chain.deliver(tx);
    // The fee's own transfer is what the simulation without a fee does not have.
    assert!(simulated.gas_used > real.gas_used / 3 && simulated.gas_used < real.gas_used * 2);
}

#[test]
fn responses_and_indices_follow_the_messages() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let tx = chain.sign(&Draft::new(vec![send(&alice, &bob.address, 1), send(&alice, &bob.address, 2)]), &alice);
    let result = chain.deliver(tx);
    let data = TxMsgData::decode(result.data.as_slice()).expect("data decodes");
    let urls: Vec<_> = data.msg_responses.iter().map(|any| any.type_url.as_str()).collect();
    assert_eq!(urls, ["/cosmos.bank.v1beta1.MsgSendResponse"; 2]);
    let indices =
        result.events.iter().filter_map(|event| event.attributes.last().filter(|(key, _)| key == "msg_index"));
    let indices: Vec<_> = indices.map(|(_, index)| index.as_str()).collect();
    assert_eq!(indices, ["0", "0", "0", "0", "0", "1", "1", "1", "1", "1"]);
}

#[test]
fn one_account_pays_many() {
    let (alice, bob) = pair();
    let new = Address::new([5; 20]);
    let mut chain = Chain::new(&[&alice, &bob]);
    let output = |address: String, amount| Output { address, coins: vec![coin("uswing", amount)] };
    let mut message = MsgMultiSend {
        inputs: vec![Input { address: alice.text(), coins: vec![coin("uswing", 30)] }],
        outputs: vec![output(bob.text(), 10), output(new.to_string(), 20)],
    };
    let tx = chain.sign(&Draft::new(vec![swing_proto::pack(&message)]), &alice);
    let result = chain.deliver(tx);
    assert_eq!(result.code, 0, "{}", result.log);
    assert_eq!((chain.balance(&bob.address), chain.balance(&new)), (1_000_000_010, 20));
    message.outputs[0].coins[0].amount = "11".to_owned();
    let tx = chain.sign(&Draft::new(vec![swing_proto::pack(&message)]), &alice);
    let result = chain.deliver(tx);
    assert_eq!((result.codespace.as_str(), result.code), ("bank", 4), "{}", result.log);
}

#[test]
fn governances_messages_are_not_taken_from_accounts() {
    let (alice, bob) = pair();
    let mut chain = Chain::new(&[&alice, &bob]);
    let message = MsgSetSendEnabled {
        authority: alice.text(),
        send_enabled: vec![SendEnabled { denom: "uswing".to_owned(), enabled: false }],
        use_default_for: Vec::new(),
    };
    let tx = chain.sign(&Draft::new(vec![swing_proto::pack(&message)]), &alice);
    let result = chain.deliver(tx);
    assert_eq!((result.codespace.as_str(), result.code), ("gov", 13), "{}", result.log);
}

#[test]
fn signatures_that_are_checked_beforehand_are_those_that_execution_asks_for() {
    let (alice, bob) = pair();
    let chain = Chain::new(&[&alice, &bob]);
    let draft = Draft::new(vec![send(&alice, &bob.address, 1), send(&bob, &alice.address, 1)]);
    let tx = draft.sign(&[chain.signer(&alice), chain.signer(&bob)]);
    let tx = Tx::decode(&tx).expect("it decodes");
    let checks = signature_checks(&chain.state, "test-1", &tx).expect("state reads");
    assert_eq!(checks.len(), 2);
    assert!(checks.iter().all(|check| check.verify(&K256)));
    let elsewhere = signature_checks(&chain.state, "other-1", &tx).expect("state reads");
    assert!(elsewhere.iter().all(|check| !check.verify(&K256)));
}

#[test]
fn the_same_blocks_give_the_same_state() {
    let (alice, bob) = pair();
    let run = || {
        let mut chain = Chain::new(&[&alice, &bob]);
        for height in 0..3 {
            let tx = chain.sign(&Draft::new(vec![send(&alice, &Address::new([height; 20]), 10)]), &alice);
            chain.block(vec![tx, vec![0], Vec::new()]);
        }
        chain.state
    };
    assert_eq!(run(), run());
}
