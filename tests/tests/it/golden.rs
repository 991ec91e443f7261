//! App hashes of the scripted chain, recorded. A change of one is a change of consensus: rewrite them on purpose only, with
//! `SWINGD_BLESS=1 cargo test -p swing-tests golden`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use prost::Message as _;
use swing_node::{engine_adapter::SwingsetEngine, killpoints::NoKillpoints};
use swing_proto::swing::swingset::v1::{
    EngineStatus, QueryDeliveryResultRequest, QueryDeliveryResultResponse, QueryKernelRequest, QueryKernelResponse,
};
use swing_tests::{chain::Chain, releases, script};

fn open(data: &Path, release: &str) -> Chain {
    let release = releases::release(release).expect("a release of this name");
    Chain::open(data, release, Arc::new(NoKillpoints)).expect("the application opens")
}

/// Runs the whole script on `data`, version-1 and then version-2, each on an engine that `engine` makes; gives a line a block.
pub fn play(data: &Path, engine: &dyn Fn() -> SwingsetEngine) -> String {
    let open = |release: &str| {
        let release = releases::release(release).expect("a release of this name");
        Chain::open_on(data, release, engine()).expect("the application opens")
    };
    let mut lines = String::new();
    let mut chain = open("version-1");
    for block in script::blocks() {
        if block.height == script::UPGRADE_HEIGHT {
            drop(chain);
            chain = open("version-2");
        }
        let executed = chain.execute(&block).expect("the script's blocks execute");
        let codes: Vec<String> =
            executed.answer.tx_results.iter().map(|result| format!("{}:{}", result.code, result.gas_used)).collect();
        writeln!(lines, "{} {} [{}]", block.height, hex::encode(&executed.answer.app_hash), codes.join(" "))
            .expect("text");
    }
    lines
}

/// What is recorded.
pub fn recorded() -> String {
    std::fs::read_to_string(path()).expect("the golden file is there")
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/script.txt")
}

fn usual() -> SwingsetEngine {
    SwingsetEngine::new().expect("an engine")
}

#[test]
fn the_scripted_chain_has_the_recorded_hashes_codes_and_gas() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let played = play(folder.path(), &usual);
    if std::env::var_os("SWINGD_BLESS").is_some() {
        std::fs::write(path(), &played).expect("the golden file is written");
    }
    assert_eq!(played, recorded(), "consensus has changed: see the head of this file");
    let codes = played.split(['[', ' ', ']']).filter_map(|word| word.split_once(':')).map(|(code, _)| code);
    assert!(
        codes.clone().count() > 0 && codes.into_iter().all(|code| code == "0"),
        "every transaction of the script succeeds"
    );
}

#[test]
fn every_message_sent_before_at_and_after_the_upgrade_is_counted_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    play(folder.path(), &usual);
    let mut chain = open(folder.path(), "version-2");
    chain.execute(&script::reading_block()).expect("one more block");
    // The reading is the last action: they are numbered from one.
    let answer = (0..=script::messages() + 1)
        .rev()
        .find_map(|action_number| {
            let data = QueryDeliveryResultRequest { action_number }.encode_to_vec();
            chain.query("/swing.swingset.v1.Query/DeliveryResult", data).ok()
        })
        .expect("the last message has a result");
    let result = QueryDeliveryResultResponse::decode(answer.value.as_ref()).expect("a response");
    assert_eq!(result.state, "fulfilled", "{result:?}");
    let body = String::from_utf8(result.body).expect("text");
    let value: serde_json::Value = serde_json::from_str(body.trim_start_matches('#')).expect("a smallcaps body");
    for field in ["count", "distinct"] {
        let text = value[field].as_str().map_or_else(|| value[field].to_string(), str::to_owned);
        assert_eq!(text.trim_start_matches('+'), script::messages().to_string(), "{field} in {body}");
    }
}

fn kernel(chain: &Chain) -> swing_proto::swing::swingset::v1::KernelInfo {
    let answer =
        chain.query("/swing.swingset.v1.Query/Kernel", QueryKernelRequest {}.encode_to_vec()).expect("an answer");
    QueryKernelResponse::decode(answer.value.as_ref()).expect("a response").kernel.expect("a kernel")
}

#[test]
fn a_trapping_kernel_stops_the_engine_and_not_the_chain_and_the_upgrade_repairs_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut chain = open(folder.path(), "trapping-version-1");
    for block in script::blocks() {
        if block.height == script::UPGRADE_HEIGHT {
            assert_eq!(
                kernel(&chain).engine_status(),
                EngineStatus::Stopped,
                "the kernel trapped: {:?}",
                kernel(&chain)
            );
            drop(chain);
            chain = open(folder.path(), "version-2");
        }
        chain.execute(&block).expect("blocks go on: governance must be able to repair the engine");
    }
    assert_eq!(kernel(&chain).engine_status(), EngineStatus::Running, "{:?}", kernel(&chain));
    chain.execute(&script::reading_block()).expect("one more block");
}
