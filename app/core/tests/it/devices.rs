//! What transactions bring to devices, and the order of a block's end.

use swing_core::event::Event;
use swing_proto::{
    agoric::{
        swingset::{
            MsgDeliverInbound, MsgWalletAction, MsgWalletSpendAction, QueryMailboxRequest, QueryMailboxResponse,
        },
        vstorage::{QueryChildrenRequest, QueryChildrenResponse, QueryDataRequest, QueryDataResponse},
    },
    google::protobuf::Any,
    pack,
};

use crate::{
    accounts::{Account, Draft},
    chain::{Chain, Genesis},
    swingset::deliver,
};

fn chain(accounts: &[&Account]) -> Chain {
    let mut genesis = Genesis::with(accounts);
    genesis.app_state["swingset"]["vats"] =
        serde_json::json!([{"name": "counter", "bundle_id": "counter", "parameters": "", "critical": false}]);
    genesis.start().expect("valid")
}

fn run(chain: &mut Chain, account: &Account, message: Any) -> swing_core::block::TxResult {
    let mut draft = Draft::new(vec![message]);
    draft.fee.gas_limit = 5_000_000;
    let tx = chain.sign(&draft, account);
    chain.deliver(tx)
}

fn inbound(account: &Account, nums: &[u64], messages: &[&str], ack: u64) -> Any {
    pack(&MsgDeliverInbound {
        messages: messages.iter().map(|text| (*text).to_owned()).collect(),
        nums: nums.to_vec(),
        ack,
        submitter: account.address.as_bytes().to_vec(),
    })
}

#[test]
fn messages_for_the_mailbox_and_of_wallets_go_through_the_queue_to_the_devices() {
    let alice = Account::new(1);
    let mut chain = chain(&[&alice]);
    let owner = alice.address.as_bytes().to_vec();
    for (message, ran) in [
        (
            inbound(&alice, &[1, 2], &["one", "two"], 5),
            format!("Mailbox {{ peer: {:?}, messages: [(1, \"one\"), (2, \"two\")], ack: 5 }}", alice.text()),
        ),
        (
            pack(&MsgWalletAction { owner: owner.clone(), action: "$look".to_owned() }),
            format!(
                "Bridge {{ bridge: \"wallet\", value: {:?} }}",
                format!(
                    "{{\"type\":\"WALLET_ACTION\",\"owner\":\"{}\",\"action\":\"!$look\",\"blockHeight\":2,\"blockTime\":1800000010}}",
                    alice.text()
                )
            ),
        ),
        (
            pack(&MsgWalletSpendAction { owner, spend_action: "{\"a\":1}".to_owned() }),
            format!(
                "Bridge {{ bridge: \"wallet\", value: {:?} }}",
                format!(
                    "{{\"type\":\"WALLET_SPEND_ACTION\",\"owner\":\"{}\",\"spendAction\":\"{{\\\"a\\\":1}}\",\"blockHeight\":3,\"blockTime\":1800000015}}",
                    alice.text()
                )
            ),
        ),
    ] {
        let result = run(&mut chain, &alice, message);
        assert_eq!(result.code, 0, "{}", result.log);
        assert_eq!(chain.engine.ran.pop(), Some(ran));
    }
}

#[test]
fn malformed_messages_for_devices_are_refused_with_their_codes() {
    let alice = Account::new(1);
    let mut chain = chain(&[&alice]);
    let owner = alice.address.as_bytes().to_vec();
    for message in [
        inbound(&alice, &[1], &[], 0),
        inbound(&alice, &[2, 1], &["b", "a"], 0),
        inbound(&alice, &[0], &["a"], 0),
        inbound(&alice, &[1], &[&"x".repeat(200_000)], 0),
        pack(&MsgWalletAction { owner: owner.clone(), action: "  ".to_owned() }),
        pack(&MsgWalletSpendAction { owner, spend_action: String::new() }),
    ] {
        let result = run(&mut chain, &alice, message);
        assert_eq!((result.codespace.as_str(), result.code), ("swingset", 9), "{}", result.log);
    }
    assert!(chain.engine.ran.is_empty());
}

#[test]
fn a_blocks_end_takes_the_timer_before_actions_and_cleanup_last() {
    let alice = Account::new(1);
    let mut chain = chain(&[&alice]);
    chain.state.insert(b"swingset/k/timer.next".to_vec(), "5".into());
    chain.state.insert(b"swingset/k/vats.terminated".to_vec(), "[1,2,2]".into());
    chain.state.insert(b"swingset/k/runQueue.00000000000000000001".to_vec(), "left over".into());
    let result = run(&mut chain, &alice, deliver(&alice, "counter", "add"));
    assert_eq!(result.code, 0, "{}", result.log);
    assert_eq!(chain.engine.ran, ["left over", "wake", "add #[]", "cleanup"]);
    chain.engine.ran.clear();
    chain.block(Vec::new());
    assert!(chain.engine.ran.is_empty(), "nothing is due: nothing runs");
    assert!(chain.last.events.iter().all(|event: &Event| event.kind != "swingset_cranks"));
}

#[test]
fn the_mailbox_and_what_is_published_are_queried_from_state() {
    let alice = Account::new(1);
    let mut chain = chain(&[&alice]);
    let peer = alice.text();
    for (key, value) in [
        ("swingset/k/device.name.mailbox".to_owned(), "d9"),
        (format!("swingset/k/d9.deviceState.in.{peer}"), "7"),
        (format!("swingset/k/d9.deviceState.out.{peer}.00000000000000000003"), "a \"b\""),
        (format!("swingset/k/d9.deviceState.out.{peer}.00000000000000000010"), "c"),
        ("swingset/m/published/published\0a\0b".to_owned(), "1"),
        ("swingset/m/published/published\0c".to_owned(), "2"),
    ] {
        chain.state.insert(key.into_bytes(), value.into());
    }
    let ask = |bytes: &[u8]| {
        let request = QueryMailboxRequest { peer: bytes.to_vec() };
        chain.query::<_, QueryMailboxResponse>("/agoric.swingset.Query/Mailbox", &request).map(|answer| answer.value)
    };
    assert_eq!(
        ask(alice.address.as_bytes()).expect("there"),
        "{\"ack\":7,\"outbox\":[[3,\"a \\\"b\\\"\"],[10,\"c\"]]}"
    );
    assert_eq!(ask(&[5; 20]).expect("an empty box"), "{\"ack\":0,\"outbox\":[]}");
    assert!(ask(b"short").is_err());
    let data = |path: &str| {
        let request = QueryDataRequest { path: path.to_owned() };
        chain.query::<_, QueryDataResponse>("/agoric.vstorage.Query/Data", &request).map(|answer| answer.value)
    };
    assert_eq!(data("published.a.b").expect("there"), "1");
    assert!(data("published.a").is_err() && data("elsewhere").is_err());
    let request = QueryChildrenRequest { path: "published".to_owned() };
    let children: QueryChildrenResponse = chain.query("/agoric.vstorage.Query/Children", &request).expect("answers");
    assert_eq!(children.children, ["a", "c"]);
}
