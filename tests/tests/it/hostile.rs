//! Vats and bundles that mean harm, on the whole application: they are refused or die, and the chain goes on.

use std::{io::Write as _, path::Path, sync::Arc};

use flate2::{Compression, write::GzEncoder};
use prost::Message as _;
use serde_json::json;
use swing_core::modules::swingset::queue::RESULTS_KEPT;
use swing_node::killpoints::NoKillpoints;
use swing_proto::{
    agoric::swingset::MsgInstallBundle,
    google::protobuf::Any,
    pack,
    swing::swingset::v1::{
        QueryBundlesResponse, QueryDeliveryResultRequest, QueryDeliveryResultResponse, QueryPromiseRequest,
    },
};
use swing_tests::{
    chain::{Chain, Executed},
    releases,
    script::{self, ScriptedBlock, Signer, message_to, seconds_of},
};
use swingset_host::bundle::{Bundle, BundleKind, LockdownPolicy, Manifest};

/// A chain that is driven block by block, with alice's transactions.
struct Driven {
    chain: Chain,
    alice: Signer,
    height: u64,
}

impl Driven {
    fn new(data: &Path, release: &str, vats: &[(&str, &str)]) -> Self {
        let mut state = script::app_state_of(script::CONSENSUS_KEY);
        state["swingset"]["vats"] = vats
            .iter()
            .map(|(name, bundle)| json!({ "name": name, "bundle_id": bundle, "parameters": "", "critical": false }))
            .collect();
        let release = releases::release(release).expect("a release of this name");
        let state = serde_json::to_vec(&state).expect("JSON");
        let chain = Chain::open_with(data, release, Arc::new(NoKillpoints), state).expect("a chain begins");
        Driven { chain, alice: Signer::alice(), height: 0 }
    }

    fn block(&mut self, messages: Vec<Any>) -> Executed {
        self.height += 1;
        let txs = if messages.is_empty() { Vec::new() } else { vec![self.alice.tx_of(messages, 60_000_000)] };
        let block = ScriptedBlock { height: self.height, seconds: seconds_of(self.height), txs };
        self.chain.execute(&block).expect("blocks go on")
    }

    fn tell(&self, vat: &str, method: &str, args: &str) -> Any {
        message_to(vat, &self.alice.address(), method, args)
    }

    /// What became of the queue's action of this number: its state and body.
    fn result(&self, action_number: u64) -> (String, String) {
        let data = QueryDeliveryResultRequest { action_number }.encode_to_vec();
        let answer = self.chain.query("/swing.swingset.v1.Query/DeliveryResult", data).expect("an answer");
        let result = QueryDeliveryResultResponse::decode(answer.value.as_ref()).expect("a response");
        (result.state, String::from_utf8(result.body).expect("text"))
    }

    /// Whether the kernel still has a promise.
    fn has_promise(&self, kpid: &str) -> bool {
        let data = QueryPromiseRequest { kpid: kpid.to_owned() }.encode_to_vec();
        self.chain.query("/swing.swingset.v1.Query/Promise", data).is_ok()
    }

    fn bundles(&self) -> QueryBundlesResponse {
        let answer = self.chain.query("/swing.swingset.v1.Query/Bundles", Vec::new()).expect("an answer");
        QueryBundlesResponse::decode(answer.value.as_ref()).expect("a response")
    }
}

/// Computrons of the block's cranks, as its event tells them.
fn computrons(executed: &Executed) -> u64 {
    let event = executed.answer.events.iter().find(|event| event.r#type == "swingset_cranks").expect("cranks were run");
    let told = event.attributes.iter().find(|attribute| attribute.key == "computrons").expect("a figure");
    told.value.parse().expect("a number")
}

const ATTACKS: [(&str, &str); 7] = [
    ("looper", "#[]"),
    ("trapper", "#[]"),
    ("flooder", "#[1000000]"),
    ("hog", "#[]"),
    ("burner", "#[1000]"),
    ("deep", "#[]"),
    ("exit", "#[true]"),
];

/// A vat for each attack, then a message to the counter after all; gives the app hashes.
fn attacked(data: &Path) -> Vec<String> {
    let mut vats = vec![("bootstrap", "bootstrap"), ("counter", "counter")];
    vats.extend(ATTACKS.map(|(method, _)| (method, "hostile")));
    let mut driven = Driven::new(data, "hostile-version-1", &vats);
    let mut attacks: Vec<Any> = ATTACKS.iter().map(|(method, args)| driven.tell(method, method, args)).collect();
    attacks.push(driven.tell("counter", "add", "#[1]"));
    let executed = driven.block(attacks);
    assert_eq!(executed.answer.tx_results[0].code, 0, "{}", executed.answer.tx_results[0].log);
    let mut hashes = vec![driven.chain.app_hash().expect("committed")];
    // Each death takes a crank's whole allowance, so that one block's budget does not hold them all.
    for _ in 0..10 {
        driven.block(Vec::new());
        hashes.push(driven.chain.app_hash().expect("committed"));
    }
    for (index, (method, _)) in ATTACKS.iter().enumerate() {
        let (state, body) = driven.result(index as u64 + 1);
        assert_eq!(state, "rejected", "{method}");
        assert!(body.contains("vat terminated"), "{method}: {body}");
    }
    assert_eq!(driven.result(ATTACKS.len() as u64 + 1), ("fulfilled".into(), "#\"+1\"".into()), "others are served");
    let late = driven.tell("looper", "nothing", "#[1]");
    let told = driven.block(vec![late]).answer.events;
    assert!(told.iter().any(|event| event.r#type == "swingset_refused"), "nobody is there any more: {told:?}");
    hashes
}

#[test]
fn a_vat_that_loops_traps_floods_or_hoards_dies_and_the_chain_goes_on_alike_everywhere() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder"));
    let [first, second] = folders.each_ref().map(|folder| attacked(folder.path()));
    assert_eq!(first, second);
}

#[test]
fn a_vat_that_burns_its_fuel_and_then_traps_is_charged_in_full() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let vats = [("bootstrap", "bootstrap"), ("trapper", "hostile"), ("burner", "hostile")];
    let mut driven = Driven::new(folder.path(), "hostile-version-1", &vats);
    driven.block(Vec::new());
    for (vat, args) in [("trapper", "#[]"), ("burner", "#[1000]")] {
        let attack = driven.tell(vat, vat, args);
        let charged = computrons(&driven.block(vec![attack]));
        let allowance = LockdownPolicy::default().crank_computrons_default;
        assert!(charged >= allowance, "{vat}: {charged} charged, a crank's allowance is {allowance}");
    }
}

/// Result promises that the block's actions were given, in order.
fn promises(executed: &Executed) -> Vec<String> {
    let delivered = executed.answer.events.iter().filter(|event| event.r#type == "swingset_delivered");
    let kpid = |event: &tendermint_proto::v0_38::abci::Event| {
        event.attributes.iter().find(|attribute| attribute.key == "kpid").map(|attribute| attribute.value.clone())
    };
    delivered.map(|event| kpid(event).expect("a result promise")).collect()
}

#[test]
fn whoever_sends_messages_leaves_nothing_in_the_kernel_that_grows_for_ever() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut driven = Driven::new(folder.path(), "version-1", &[]);
    let mut sent = Vec::new();
    while sent.len() as u64 <= RESULTS_KEPT {
        let messages = (0..400).map(|_| driven.tell("counter", "add", "#[1]")).collect();
        sent.extend(promises(&driven.block(messages)));
    }
    let [forgotten, kept] = [sent.len() - RESULTS_KEPT as usize - 1, sent.len() - RESULTS_KEPT as usize];
    assert!(!driven.has_promise(&sent[forgotten]), "freed with the result that nobody can ask for any more");
    assert!(driven.has_promise(&sent[kept]), "kept as long as somebody may ask");
    assert_eq!(driven.result(kept as u64 + 1), ("fulfilled".into(), format!("#\"+{}\"", kept + 1)));
}

fn vat_of(module: &str, host_abi: u32) -> Vec<u8> {
    let kind = BundleKind::Vat {};
    let name = "bad".to_owned();
    let manifest = Manifest { kind, name, host_abi, supervisor_abis: vec![1], schema_from: 0, schema_to: 0 };
    let wasm = wat::parse_str(module).expect("a module");
    Bundle::single(manifest, wasm).expect("well-formed").encode().expect("encoded")
}

fn plain_vat(rest: &str) -> Vec<u8> {
    let module = format!(
        r#"(module {rest} (memory (export "memory") 1 4)
           (func (export "vat_alloc") (param i32) (result i32) i32.const 0) (func (export "vat_deliver") (param i32 i32)))"#
    );
    vat_of(&module, 1)
}

fn damaged() -> Vec<u8> {
    let mut bytes = plain_vat("");
    *bytes.last_mut().expect("it has bytes") ^= 1;
    bytes
}

#[test]
fn bundles_whose_hash_size_imports_floats_memory_or_abi_are_wrong_are_refused_and_leave_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut driven = Driven::new(folder.path(), "version-1", &[]);
    driven.block(Vec::new());
    let submitter = driven.alice.address().as_bytes().to_vec();
    let install = |bytes: &[u8]| {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(bytes).expect("memory");
        pack(&MsgInstallBundle {
            compressed_bundle: packer.finish().expect("memory"),
            uncompressed_size: i64::try_from(bytes.len()).expect("a small bundle"),
            submitter: submitter.clone(),
            ..MsgInstallBundle::default()
        })
    };
    let before = driven.bundles();
    let no_maximum = r#"(module (memory (export "memory") 1)
        (func (export "vat_alloc") (param i32) (result i32) i32.const 0) (func (export "vat_deliver") (param i32 i32)))"#;
    let no_allocator = r#"(module (memory (export "memory") 1 1) (func (export "vat_deliver") (param i32 i32)))"#;
    let floats = "(func (param f64) (result f64) local.get 0 local.get 0 f64.add)";
    for (what, bytes, word) in [
        ("hash", damaged(), "does not have the SHA-512"),
        ("size", vec![0; 11 << 20], "10485760 are allowed"),
        ("imports", plain_vat(r#"(import "env" "clock" (func))"#), "not on the list"),
        ("floats", plain_vat(floats), "floating-point"),
        ("memory", vat_of(no_maximum, 1), "no maximum"),
        ("exports", vat_of(no_allocator, 1), "vat_alloc"),
        ("ABI", vat_of(no_allocator, 2), "ABI"),
        ("garbage", b"no bundle".to_vec(), "bundle"),
    ] {
        let result = driven.block(vec![install(&bytes)]).answer.tx_results[0].clone();
        assert!(result.codespace.starts_with("swingset"), "{what}: {} {}", result.codespace, result.log);
        assert!(result.code > 1 && result.log.contains(word), "{what}: {} {}", result.code, result.log);
        assert_eq!(driven.bundles(), before, "{what}");
    }
    let result = driven.block(vec![install(&plain_vat(""))]).answer.tx_results[0].clone();
    assert_eq!(result.code, 0, "a good one is taken: {}", result.log);
    assert_eq!(driven.bundles().bundles.len(), before.bundles.len() + 1);
}
