//! State sync over ABCI with the real application, engine and database: a restored node runs the golden blocks to the recorded
//! hashes, under every release that runs the state's rules, and takes nothing from a peer that the chain's header does not bind.

use std::{collections::BTreeMap, path::Path, sync::OnceLock, time::Duration};

use prost::{Message as _, bytes::Bytes};
use swing_localnet::wait;
use swing_node::{
    abci::ReadApplication as _,
    app::{AppOptions, snapshots::SnapshotPolicy},
    lifecycle::{ExitCode, StopReason},
};
use swing_proto::swing::swingset::v1::{QueryDeliveryResultRequest, QueryDeliveryResultResponse};
use swing_store::{
    snapshot::{About, CHUNK_BYTES, Metadata},
    tree::sha256,
};
use swing_tests::{chain::Chain, releases, script};
use tendermint_proto::v0_38::abci::{
    RequestApplySnapshotChunk, RequestLoadSnapshotChunk, RequestOfferSnapshot, ResponseApplySnapshotChunk, Snapshot,
    response_apply_snapshot_chunk::Result as Applied, response_offer_snapshot::Result as Offered,
};

const SOON: Duration = Duration::from_secs(120);

fn options(data: &Path, release: &str) -> AppOptions {
    AppOptions::new(data, releases::release(release).expect("a release of this name"))
}

fn empty(data: &Path, release: &str) -> Chain {
    Chain::open_as_it_is(options(data, release)).expect("an empty home")
}

/// The recorded app hashes.
fn golden() -> BTreeMap<u64, String> {
    let recorded = include_str!("../../golden/script.txt");
    let line = |line: &str| {
        let mut words = line.split(' ');
        Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
    };
    recorded.lines().filter_map(line).collect()
}

/// A snapshot as a peer offers it.
#[derive(Clone, Debug)]
struct Offer {
    snapshot: Snapshot,
    app_hash: Vec<u8>,
    chunks: Vec<Bytes>,
}

impl Offer {
    fn request(&self) -> RequestOfferSnapshot {
        RequestOfferSnapshot { snapshot: Some(self.snapshot.clone()), app_hash: self.app_hash.clone().into() }
    }

    fn metadata(&self) -> Metadata {
        Metadata::decode(&self.snapshot.metadata).expect("metadata")
    }

    /// The same with other metadata, and a hash that belongs to it.
    fn with(&self, edit: impl FnOnce(&mut Metadata)) -> Offer {
        let mut metadata = self.metadata();
        edit(&mut metadata);
        let snapshot = Snapshot {
            height: metadata.height,
            chunks: metadata.chunks(),
            hash: metadata.hash().to_vec().into(),
            metadata: metadata.encode().into(),
            ..self.snapshot.clone()
        };
        Offer { snapshot, ..self.clone() }
    }

    /// A liar's: other chunks, and metadata that has their hashes.
    fn with_stream(&self, stream: &[u8]) -> Offer {
        let chunks: Vec<Bytes> = stream.chunks(CHUNK_BYTES).map(Bytes::copy_from_slice).collect();
        let mut offer = self.with(|metadata| {
            metadata.chunk_hashes = chunks.iter().map(|chunk| sha256(chunk)).collect();
        });
        offer.chunks = chunks;
        offer
    }
}

/// The snapshots that a node of the scripted chain made, one a block, by height: version-1 below the plan's height, version-2 from
/// there on.
fn offers() -> &'static BTreeMap<u64, Offer> {
    static OFFERS: OnceLock<BTreeMap<u64, Offer>> = OnceLock::new();
    OFFERS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let open = |release: &str| {
            let snapshots = SnapshotPolicy { interval: 1, keep_recent: 3, ..SnapshotPolicy::new(folder.path()) };
            Chain::open_as_it_is(AppOptions { snapshots, ..options(folder.path(), release) }).expect("it opens")
        };
        let mut chain = open("version-1");
        chain.app().init_chain(swing_tests::chain::genesis(script::app_state())).expect("a genesis");
        let mut offers = BTreeMap::new();
        for block in script::blocks() {
            if block.height == script::UPGRADE_HEIGHT {
                drop(chain);
                chain = open("version-2");
            }
            let executed = chain.execute(&block).expect("the script's blocks execute");
            let read = chain.app().read();
            let snapshot = wait::until("the snapshot", SOON, || {
                let listed = read.list_snapshots().expect("no fault").snapshots;
                assert!(listed.len() <= 4, "three are kept, and one is being made");
                Ok(listed.into_iter().find(|snapshot| snapshot.height == block.height))
            });
            let snapshot = snapshot.expect("one is made at every height");
            let chunk = |chunk| {
                let request = RequestLoadSnapshotChunk { height: block.height, format: snapshot.format, chunk };
                read.load_snapshot_chunk(request).expect("no fault").chunk
            };
            let chunks = (0..snapshot.chunks).map(chunk).collect();
            let app_hash = executed.answer.app_hash.to_vec();
            offers.insert(block.height, Offer { snapshot, app_hash, chunks });
        }
        offers
    })
}

fn offered(chain: &mut Chain, offer: &Offer) -> Offered {
    chain.app().offer_snapshot(offer.request()).expect("no fault").result()
}

fn apply(chain: &mut Chain, index: u32, chunk: &Bytes) -> ResponseApplySnapshotChunk {
    let request = RequestApplySnapshotChunk { index, chunk: chunk.clone(), sender: "peer".into() };
    chain.app().apply_snapshot_chunk(request).expect("no fault")
}

/// The result of the last chunk; those before it are taken.
#[track_caller]
fn apply_all(chain: &mut Chain, offer: &Offer) -> ResponseApplySnapshotChunk {
    assert_eq!(offered(chain, offer), Offered::Accept);
    let (last, first) = offer.chunks.split_last().expect("there is a chunk");
    for (index, chunk) in (0..).zip(first) {
        assert_eq!(apply(chain, index, chunk).result(), Applied::Accept, "chunk {index}");
    }
    apply(chain, offer.snapshot.chunks - 1, last)
}

#[track_caller]
fn restore(data: &Path, release: &str, height: u64) -> Chain {
    let mut chain = empty(data, release);
    let offer = &offers()[&height];
    assert_eq!(apply_all(&mut chain, offer).result(), Applied::Accept);
    let info = chain.app().info().expect("no fault");
    // The script's genesis names none.
    let app_version = if height < script::UPGRADE_HEIGHT { 0 } else { 2 };
    assert_eq!(
        (info.last_block_height, info.last_block_app_hash.to_vec(), info.app_version),
        (i64::try_from(height).expect("small"), offer.app_hash.clone(), app_version),
        "what CometBFT compares"
    );
    chain
}

/// Runs the script's blocks above the restored height, and one in which the contract is asked what it counted.
#[track_caller]
fn goes_on(chain: &mut Chain, height: u64) {
    let golden = golden();
    for block in script::blocks().iter().filter(|block| block.height > height) {
        let executed = chain.execute(block).expect("the blocks execute");
        assert_eq!(hex::encode(&executed.answer.app_hash), golden[&block.height], "block {}", block.height);
    }
    chain.execute(&script::reading_block()).expect("one more block");
    let action_number = script::messages() + 1;
    let request = QueryDeliveryResultRequest { action_number }.encode_to_vec();
    let answer = chain.query("/swing.swingset.v1.Query/DeliveryResult", request).expect("an answer");
    let result = QueryDeliveryResultResponse::decode(answer.value.as_ref()).expect("a response");
    let body = String::from_utf8(result.body).expect("text");
    let value: serde_json::Value = serde_json::from_str(body.trim_start_matches('#')).expect("a smallcaps body");
    let count = value["count"].as_str().map_or_else(|| value["count"].to_string(), str::to_owned);
    assert_eq!(count.trim_start_matches('+'), script::messages().to_string(), "every message is counted once: {body}");
}

#[test]
fn a_node_restored_below_and_above_the_upgrade_runs_the_next_blocks_to_the_recorded_hashes() {
    for height in [2, script::UPGRADE_HEIGHT - 1, script::UPGRADE_HEIGHT, script::LAST_HEIGHT - 1] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut chain = restore(folder.path(), "version-2", height);
        goes_on(&mut chain, height);
        let listed = swing_store::checkpoint::Checkpoints::new(folder.path().join("checkpoints")).list();
        let before_h = height < script::UPGRADE_HEIGHT;
        assert_eq!(listed.expect("listed").len(), usize::from(before_h), "the way back before H is kept here too");
    }
}

#[test]
fn a_node_restored_on_the_old_release_stops_before_the_plan_as_every_other() {
    for height in [script::UPGRADE_HEIGHT - 2, script::UPGRADE_HEIGHT - 1] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut chain = restore(folder.path(), "version-1", height);
        let mut blocks = script::blocks().into_iter().filter(|block| block.height > height);
        let stop = blocks.find_map(|block| chain.execute(&block).err().map(|stop| (block.height, stop)));
        let (at, stop) = stop.expect("it refuses");
        assert_eq!((at, stop.exit_code()), (script::UPGRADE_HEIGHT, ExitCode::UpgradeNeeded), "{stop}");
        assert!(matches!(stop, StopReason::Upgrade(_)), "{stop}");
        drop(chain);
        let mut chain = empty(folder.path(), "version-2");
        goes_on(&mut chain, script::UPGRADE_HEIGHT - 1);
    }
}

#[test]
fn snapshots_of_one_state_are_the_same_whichever_release_makes_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let height = script::UPGRADE_HEIGHT - 1;
    let mut early = restore(folder.path(), "version-2", height);
    let view = early.app().read().view(height).expect("the version");
    let snapshots = swing_store::snapshot::Snapshots::new(folder.path().join("again"));
    let about = swing_node::app::snapshots::about(&view).expect("read");
    assert_eq!(about, About { chain_id: script::CHAIN_ID.into(), app_version: 0, release: "version-1".into() });
    let metadata = snapshots.make(&view, about).expect("made");
    assert_eq!(metadata, offers()[&height].metadata());
}

#[test]
fn an_offer_that_this_binary_cannot_run_or_that_contradicts_itself_is_refused_for_what_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut chain = empty(folder.path(), "version-1");
    let (old, new) = (&offers()[&6], &offers()[&10]);
    assert_eq!(offered(&mut chain, new), Offered::Reject, "app version 2");
    let claims_1 = new.with(|metadata| metadata.about.app_version = 1);
    assert_eq!(apply_all(&mut chain, &claims_1).result(), Applied::RejectSnapshot, "the state itself says 2");
    let mut other_format = old.clone();
    other_format.snapshot.format = 2;
    assert_eq!(offered(&mut chain, &other_format), Offered::RejectFormat);
    let none = RequestOfferSnapshot { snapshot: None, ..old.request() };
    assert_eq!(chain.app().offer_snapshot(none).expect("no fault").result(), Offered::Reject);
    let lies: [fn(&mut Offer); 6] = [
        |offer| offer.app_hash[0] ^= 1,
        |offer| offer.snapshot.hash = vec![0; 32].into(),
        |offer| offer.snapshot.height += 1,
        |offer| offer.snapshot.chunks += 1,
        |offer| offer.snapshot.metadata = Bytes::new(),
        |offer| offer.snapshot.metadata = vec![0xff; 4_000_000].into(),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let mut offer = old.clone();
        lie(&mut offer);
        assert_eq!(offered(&mut chain, &offer), Offered::RejectSender, "lie {number}");
    }
    assert_eq!(apply(&mut chain, 0, &old.chunks[0]).result(), Applied::Abort, "none was accepted");
    assert_eq!(chain.height().expect("no fault"), 0);
    assert_eq!(apply_all(&mut chain, old).result(), Applied::Accept, "an honest one is taken after all that");
}

#[test]
fn a_damaged_chunk_is_fetched_again_from_another_and_one_out_of_turn_begins_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut chain = empty(folder.path(), "version-2");
    let offer = &offers()[&10];
    assert_eq!(offered(&mut chain, offer), Offered::Accept);
    let mut damaged = offer.chunks[0].to_vec();
    damaged[100] ^= 1;
    for bad in [damaged, Vec::new(), vec![0; CHUNK_BYTES + 1]] {
        let response = apply(&mut chain, 0, &bad.into());
        assert_eq!(
            (response.result(), response.refetch_chunks.as_slice(), response.reject_senders.as_slice()),
            (Applied::Retry, &[0][..], &["peer".to_owned()][..])
        );
    }
    assert_eq!(apply(&mut chain, 7, &offer.chunks[0]).result(), Applied::RetrySnapshot);
    assert_eq!(apply_all(&mut chain, offer).result(), Applied::Accept);
    goes_on(&mut chain, 10);
}

/// Where bytes begin in others, which have them once.
fn position(stream: &[u8], bytes: &[u8]) -> usize {
    let mut found = stream.windows(bytes.len()).enumerate().filter(|(_, window)| *window == bytes);
    found.next().expect("it is there").0
}

#[test]
fn pages_and_bundles_that_the_state_does_not_bind_are_refused_and_nothing_of_them_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut chain = empty(folder.path(), "version-2");
    let offer = &offers()[&10];
    let stream: Vec<u8> = offer.chunks.iter().flat_map(|chunk| chunk.to_vec()).collect();
    for key in [&b"~swingset/page/v1/"[..], b"~swingset/vat/v1", b"~swingset/bundle/b1-"] {
        let entry = position(&stream, key);
        let length = |at: usize| u32::from_be_bytes(stream[at..at + 4].try_into().expect("four")) as usize;
        let (key_length, value_length) = (length(entry - 8), length(entry - 4));
        let value = entry + key_length;
        let mut changed = stream.clone();
        changed[value + value_length - 1] ^= 1;
        let mut without = stream.clone();
        without.drain(entry - 8..value + value_length);
        for lie in [changed, without] {
            let response = apply_all(&mut chain, &offer.with_stream(&lie));
            assert_eq!(response.result(), Applied::RejectSnapshot, "{}", key.escape_ascii());
            assert_eq!(chain.height().expect("no fault"), 0);
        }
    }
    // In the tree: another balance, say.
    let in_tree = position(&stream, b"bank/");
    let mut changed = stream.clone();
    let key_length = u32::from_be_bytes(stream[in_tree - 8..in_tree - 4].try_into().expect("four")) as usize;
    changed[in_tree + key_length] ^= 1;
    assert_eq!(apply_all(&mut chain, &offer.with_stream(&changed)).result(), Applied::RejectSnapshot);
    assert_eq!(apply_all(&mut chain, offer).result(), Applied::Accept);
    goes_on(&mut chain, 10);
}

#[test]
fn a_node_that_ends_while_it_restores_begins_anew_and_one_that_ends_right_after_is_there_already() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let offer = &offers()[&10];
    let mut chain = empty(folder.path(), "version-2");
    assert_eq!(offered(&mut chain, offer), Offered::Accept);
    drop(chain);
    let mut chain = empty(folder.path(), "version-2");
    assert_eq!(chain.height().expect("no fault"), 0, "nothing is there");
    assert_eq!(apply(&mut chain, 0, &offer.chunks[0]).result(), Applied::Abort, "and nothing is begun");
    assert_eq!(apply_all(&mut chain, offer).result(), Applied::Accept);
    drop(chain);
    // CometBFT has not saved that it is done, and offers again.
    let mut chain = empty(folder.path(), "version-2");
    assert_eq!(apply_all(&mut chain, offer).result(), Applied::Accept);
    assert_eq!(offered(&mut chain, &offers()[&11]), Offered::Reject, "state is not replaced under anybody's feet");
    goes_on(&mut chain, 10);
}
