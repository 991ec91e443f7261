//! Bundles and inbound messages by transaction, and the cranks of the block's end.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use swing_core::{block::TxResult, event::Event};
use swing_proto::{
    agoric::swingset::MsgInstallBundle,
    google::protobuf::Any,
    swing::swingset::v1::{
        EngineStatus, MsgDeliverInbound, MsgReleaseBundle, QueryActionQueueRequest, QueryActionQueueResponse,
        QueryBundleRequest, QueryBundleResponse, QueryDeliveryResultRequest, QueryDeliveryResultResponse,
        QueryKernelRequest, QueryKernelResponse, QueryVatsRequest, QueryVatsResponse,
    },
};

use crate::{
    accounts::{Account, Draft},
    chain::{Chain, Genesis},
};

pub fn deliver(sender: &Account, target: &str, method: &str) -> Any {
    swing_proto::pack(&MsgDeliverInbound {
        sender: sender.text(),
        target: target.to_owned(),
        method: method.to_owned(),
        args: b"#[]".to_vec(),
    })
}

fn rich_gas(messages: Vec<Any>) -> Draft {
    let mut draft = Draft::new(messages);
    draft.fee.gas_limit = 50_000_000;
    draft
}

pub fn run(chain: &mut Chain, account: &Account, message: Any) -> TxResult {
    let tx = chain.sign(&rich_gas(vec![message]), account);
    chain.deliver(tx)
}

fn result_of(chain: &Chain, action_number: u64) -> QueryDeliveryResultResponse {
    let request = QueryDeliveryResultRequest { action_number };
    chain.query("/swing.swingset.v1.Query/DeliveryResult", &request).expect("the action is known")
}

fn queue_length(chain: &Chain) -> u64 {
    let request = QueryActionQueueRequest { limit: 1 };
    chain
        .query::<_, QueryActionQueueResponse>("/swing.swingset.v1.Query/ActionQueue", &request)
        .expect("answers")
        .length
}

fn kernel(chain: &Chain) -> swing_proto::swing::swingset::v1::KernelInfo {
    let answer: QueryKernelResponse =
        chain.query("/swing.swingset.v1.Query/Kernel", &QueryKernelRequest {}).expect("answers");
    answer.kernel.expect("always there")
}

pub fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).filter(|kind| kind.starts_with("swingset")).collect()
}

#[track_caller]
pub fn check_refused(result: &TxResult, code: u32, log: &str) {
    assert_eq!((result.codespace.as_str(), result.code), ("swingset", code), "{}", result.log);
    assert!(result.log.contains(log), "{:?} does not contain {log:?}", result.log);
}

#[test]
fn an_inbound_message_is_delivered_at_the_blocks_end_and_its_result_can_be_asked_for() {
    let alice = Account::new(1);
    let mut chain = Chain::new(&[&alice]);
    let result = run(&mut chain, &alice, deliver(&alice, "counter", "increment"));
    assert_eq!(result.code, 0, "{}", result.log);
    assert_eq!(kinds(&chain.last.events), ["swingset_delivered", "swingset_result", "swingset_cranks"]);
    let answer = result_of(&chain, 1);
    assert_eq!(
        (answer.kpid.as_str(), answer.state.as_str(), answer.body.as_slice()),
        ("kp40", "fulfilled", b"#1".as_slice())
    );
    // 10,000 for the transaction, 1,000 for the message, 20 a byte of it.
    assert_eq!(
        chain.balance(&alice.address),
        1_000_000_000 - 3000 - 11_000 - 20 * ("counter".len() + "increment".len() + 3) as u64
    );
    assert_eq!(kernel(&chain).crank_number, 1);
    assert_eq!(kernel(&chain).engine_status(), EngineStatus::Running);
    assert!(
        chain
            .query::<_, QueryDeliveryResultResponse>(
                "/swing.swingset.v1.Query/DeliveryResult",
                &QueryDeliveryResultRequest { action_number: 9 }
            )
            .is_err()
    );
}

#[test]
fn what_the_budget_does_not_reach_stays_queued_and_comes_first_in_the_next_block() {
    let alice = Account::new(1);
    // By its computrons, and by what else counts against the block's budget.
    for method in ["increment", "create"] {
        let mut chain = with_budget(&alice, "2000000");
        let messages = (0..5).map(|_| deliver(&alice, "counter", method)).collect();
        let tx = chain.sign(&rich_gas(messages), &alice);
        assert_eq!(chain.deliver(tx).code, 0);
        assert_eq!(queue_length(&chain), 3, "{method}");
        assert_eq!(result_of(&chain, 3).state, "queued");
        chain.block(Vec::new());
        assert_eq!(queue_length(&chain), 1);
        chain.block(Vec::new());
        assert_eq!(queue_length(&chain), 0);
        let states: Vec<_> = (1..=5).map(|number| result_of(&chain, number).state).collect();
        assert_eq!(states, ["fulfilled"; 5]);
        assert_eq!(kernel(&chain).crank_number, 5);
    }
}

fn with_budget(account: &Account, computrons_per_block: &str) -> Chain {
    let mut genesis = Genesis::with(&[account]);
    genesis.app_state["swingset"]["params"]["computrons_per_block"] = serde_json::json!(computrons_per_block);
    genesis.start().expect("valid")
}

#[test]
fn a_kernel_whose_timer_is_always_due_takes_a_blocks_budget_and_no_more() {
    let alice = Account::new(1);
    let mut chain = with_budget(&alice, "2000");
    chain.state.insert(b"swingset/k/timer.next".to_vec(), "always".into());
    let result = run(&mut chain, &alice, deliver(&alice, "counter", "increment"));
    assert_eq!(result.code, 0, "{}", result.log);
    assert_eq!(chain.engine.ran, vec!["polled"; 20], "each counts for a hundred computrons");
    assert_eq!(queue_length(&chain), 1, "the chain goes on, and messages wait");
}

#[test]
fn a_full_queue_refuses_and_keeps_what_it_has() {
    let alice = Account::new(1);
    let mut genesis = Genesis::with(&[&alice]);
    genesis.app_state["swingset"]["params"]["inbound_queue_max"] = serde_json::json!("2");
    let mut chain = genesis.start().expect("valid");
    let messages = (0..3).map(|_| deliver(&alice, "counter", "increment")).collect();
    let tx = chain.sign(&rich_gas(messages), &alice);
    check_refused(
        &chain.deliver(tx),
        6,
        "message index: 2: 2 actions are waiting, 2 may: try again later: inbound queue is full",
    );
    assert_eq!(queue_length(&chain), 0);
    assert_eq!(run(&mut chain, &alice, deliver(&alice, "counter", "increment")).code, 0);
}

#[test]
fn a_stopped_engine_stops_no_chain_and_loses_no_message() {
    let alice = Account::new(1);
    let mut chain = Chain::new(&[&alice]);
    assert_eq!(run(&mut chain, &alice, deliver(&alice, "counter", "trap")).code, 0);
    assert_eq!(kinds(&chain.last.events), ["swingset_delivered", "swingset_engine_stopped"]);
    assert_eq!(run(&mut chain, &alice, deliver(&alice, "counter", "increment")).code, 0);
    assert!(kinds(&chain.last.events).is_empty());
    assert_eq!(queue_length(&chain), 1);
    let info = kernel(&chain);
    assert_eq!((info.engine_status(), info.engine_reason.as_str()), (EngineStatus::Stopped, "kernel trapped"));
    // What repairs an engine is an upgrade; here it is what the upgrade does to state.
    chain.state.remove(b"swingset/h/status".as_slice());
    chain.state.retain(|_, value| !value.starts_with(b"trap"));
    chain.block(Vec::new());
    assert_eq!(kinds(&chain.last.events).last(), Some(&"swingset_engine_running"));
    assert_eq!(queue_length(&chain), 0);
    assert_eq!(result_of(&chain, 2).state, "fulfilled");
}

#[test]
fn messages_to_nobody_and_without_arguments_are_refused() {
    let alice = Account::new(1);
    let mut chain = Chain::new(&[&alice]);
    check_refused(&run(&mut chain, &alice, deliver(&alice, "nobody", "x")), 8, "no vat is called \"nobody\"");
    check_refused(&run(&mut chain, &alice, deliver(&alice, "counter", "")), 9, "method: from 1 to 256 bytes expected");
    let bare =
        MsgDeliverInbound { sender: alice.text(), target: "counter".into(), method: "m".into(), args: Vec::new() };
    check_refused(&run(&mut chain, &alice, swing_proto::pack(&bare)), 9, "a smallcaps body of a list expected");
}

#[test]
fn vats_are_listed_with_their_names() {
    let chain = Chain::new(&[&Account::new(1)]);
    let answer: QueryVatsResponse =
        chain.query("/swing.swingset.v1.Query/Vats", &QueryVatsRequest::default()).expect("answers");
    let vats: Vec<_> = answer.vats.iter().map(|vat| (vat.name.as_str(), vat.vat_id.as_str())).collect();
    assert_eq!(vats, [("counter", "v1"), ("mint", "v2")]);
}

pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub fn install(submitter: &Account) -> MsgInstallBundle {
    MsgInstallBundle { submitter: submitter.address.as_bytes().to_vec(), ..MsgInstallBundle::default() }
}

#[test]
fn a_bundle_is_installed_plain_or_compressed_at_the_price_of_its_bytes() {
    let alice = Account::new(1);
    let mut chain = Chain::new(&[&alice]);
    let text = "v".repeat(1000);
    let plain = MsgInstallBundle { bundle: text.clone(), ..install(&alice) };
    let result = run(&mut chain, &alice, swing_proto::pack(&plain));
    assert_eq!(result.code, 0, "{}", result.log);
    let paid = 11_000 + 1000 * 20 + 1000 * 2000;
    assert_eq!(chain.balance(&alice.address), 1_000_000_000 - 3000 - paid);
    let request = QueryBundleRequest { bundle_id: "b1-761000".to_owned() };
    let answer: QueryBundleResponse = chain.query("/swing.swingset.v1.Query/Bundle", &request).expect("installed");
    let bundle = answer.bundle.expect("there");
    assert_eq!((bundle.size_bytes, bundle.installed_height, bundle.installed_by), (1000, 1, alice.text()));

    let compressed_bundle = packed("w".repeat(1000).as_bytes());
    let compressed = MsgInstallBundle { compressed_bundle, uncompressed_size: 1000, ..install(&alice) };
    assert_eq!(run(&mut chain, &alice, swing_proto::pack(&compressed)).code, 0);
    let request = QueryBundleRequest { bundle_id: "b1-771000".to_owned() };
    assert!(chain.query::<_, QueryBundleResponse>("/swing.swingset.v1.Query/Bundle", &request).is_ok());
}

fn let_go(submitter: &Account, id: &str) -> Any {
    swing_proto::pack(&MsgReleaseBundle { submitter: submitter.text(), bundle_id: id.to_owned() })
}

#[test]
fn who_installed_a_bundle_lets_go_of_it_and_it_is_freed_at_the_blocks_end_once_nothing_is_made_of_it() {
    let (alice, bob) = (Account::new(1), Account::new(2));
    let mut chain = Chain::new(&[&alice, &bob]);
    let id = "b1-761000";
    let plain = || swing_proto::pack(&MsgInstallBundle { bundle: "v".repeat(1000), ..install(&alice) });
    let known = |chain: &Chain| {
        let request = QueryBundleRequest { bundle_id: id.to_owned() };
        chain.query::<_, QueryBundleResponse>("/swing.swingset.v1.Query/Bundle", &request).ok()?.bundle
    };
    assert_eq!(run(&mut chain, &alice, plain()).code, 0);
    let stranger = run(&mut chain, &bob, let_go(&bob, id));
    assert_eq!((stranger.codespace.as_str(), stranger.code), ("sdk", 4), "{}", stranger.log);
    assert!(stranger.log.contains(&alice.text()), "{}", stranger.log);
    let released_bundles = run(&mut chain, &alice, let_go(&alice, "b1-00"));
    assert!(released_bundles.log.contains("only governance may release it"), "{}", released_bundles.log);

    let uses = format!("swingset/h/uses/{id}");
    chain.state.insert(uses.clone().into_bytes(), b"2".to_vec().into());
    assert_eq!(run(&mut chain, &alice, let_go(&alice, id)).code, 0);
    let bundle = known(&chain).expect("two vats are made of it");
    assert_eq!((bundle.uses, bundle.released, bundle.installed_by), (2, true, alice.text()));

    chain.state.remove(uses.as_bytes());
    chain.block(Vec::new());
    assert_eq!(kinds(&chain.last.events), ["swingset_bundle_freed"]);
    assert_eq!(known(&chain), None);
    let left = chain.state.keys().filter(|key| String::from_utf8_lossy(key).contains(id)).count();
    assert_eq!(left, 0, "record, bytes and metadata are gone");
    assert_eq!(run(&mut chain, &alice, plain()).code, 0, "it can be installed again");
}

#[test]
fn installations_that_cannot_be_are_refused() {
    let alice = Account::new(1);
    let mut chain = Chain::new(&[&alice]);
    let mut refuse = |message: MsgInstallBundle, code, log| {
        check_refused(&run(&mut chain, &alice, swing_proto::pack(&message)), code, log);
    };
    refuse(install(&alice), 2, "expected exactly one of");
    let two = MsgInstallBundle { bundle: "v".into(), compressed_bundle: vec![1], ..install(&alice) };
    refuse(two, 2, "expected exactly one of");
    let bomb = packed(&vec![0; 1 << 20]);
    refuse(
        MsgInstallBundle { compressed_bundle: bomb.clone(), uncompressed_size: 100, ..install(&alice) },
        4,
        "found more",
    );
    refuse(
        MsgInstallBundle { compressed_bundle: bomb.clone(), ..install(&alice) },
        4,
        "uncompressed_size must be above 0",
    );
    let huge = MsgInstallBundle { compressed_bundle: bomb, uncompressed_size: 1 << 40, ..install(&alice) };
    refuse(huge, 3, "10485760 are allowed");
    refuse(MsgInstallBundle { bundle: "bad".into(), ..install(&alice) }, 100, "bundle is not admitted");
}
