//! Bundles that arrive in chunks.

use sha2::{Digest, Sha512};
use swing_proto::{
    agoric::swingset::{ChunkInfo, ChunkedArtifact, MsgInstallBundle, MsgSendChunk},
    google::protobuf::Any,
    swing::swingset::v1::{QueryPendingInstallationsRequest, QueryPendingInstallationsResponse},
};

use crate::{
    accounts::Account,
    chain::{Chain, Genesis},
    swingset::{check_refused, install, kinds, packed, run},
};

fn sha512(bytes: &[u8]) -> String {
    hex::encode(Sha512::digest(bytes))
}

/// A chunked installation of `bytes` in pieces of 40.
fn chunked(submitter: &Account, bytes: &[u8]) -> MsgInstallBundle {
    let chunks =
        bytes.chunks(40).map(|chunk| ChunkInfo { sha512: sha512(chunk), size_bytes: chunk.len() as u64, state: 0 });
    let artifact = ChunkedArtifact { sha512: sha512(bytes), size_bytes: bytes.len() as u64, chunks: chunks.collect() };
    MsgInstallBundle { chunked_artifact: Some(artifact), ..install(submitter) }
}

fn chunk(submitter: &Account, artifact: u64, index: u64, data: &[u8]) -> Any {
    swing_proto::pack(&MsgSendChunk {
        chunked_artifact_id: artifact,
        submitter: submitter.address.as_bytes().to_vec(),
        chunk_index: index,
        chunk_data: data.to_vec(),
    })
}

fn pending(chain: &Chain) -> usize {
    let request = QueryPendingInstallationsRequest {};
    let answer =
        chain.query::<_, QueryPendingInstallationsResponse>("/swing.swingset.v1.Query/PendingInstallations", &request);
    answer.expect("answers").installations.len()
}

#[test]
fn a_bundle_arrives_in_chunks_in_any_order_from_its_initiator_only() {
    let (alice, bob) = (Account::new(1), Account::new(2));
    let mut chain = Chain::new(&[&alice, &bob]);
    let bytes: Vec<u8> = (0..100).collect();
    let begin = swing_proto::pack(&chunked(&alice, &bytes));
    assert_eq!(run(&mut chain, &alice, begin).code, 0);
    assert_eq!(pending(&chain), 1);
    let stranger = run(&mut chain, &bob, chunk(&bob, 1, 0, &bytes[..40]));
    assert_eq!((stranger.codespace.as_str(), stranger.code), ("sdk", 4), "{}", stranger.log);
    check_refused(&run(&mut chain, &alice, chunk(&alice, 1, 3, &[])), 5, "the artifact has 3 chunks");
    check_refused(&run(&mut chain, &alice, chunk(&alice, 1, 0, &bytes[1..41])), 5, "SHA-512 of chunk 0");
    check_refused(
        &run(&mut chain, &alice, chunk(&alice, 1, 0, &bytes[..39])),
        5,
        "chunk 0 has 39 bytes, 40 were announced",
    );
    assert_eq!(run(&mut chain, &alice, chunk(&alice, 1, 2, &bytes[80..])).code, 0);
    check_refused(&run(&mut chain, &alice, chunk(&alice, 1, 2, &bytes[80..])), 5, "chunk 2 is there already");
    assert_eq!(run(&mut chain, &alice, chunk(&alice, 1, 0, &bytes[..40])).code, 0);
    let last = run(&mut chain, &alice, chunk(&alice, 1, 1, &bytes[40..80]));
    assert_eq!(last.code, 0, "{}", last.log);
    assert!(kinds(&last.events).contains(&"swingset_bundle"));
    assert_eq!(chain.get("~swingset/bundle/b1-00100").as_deref(), Some(bytes.as_slice()));
    assert_eq!(pending(&chain), 0);
    assert!(!chain.state.keys().any(|key| key.starts_with(b"swingset/m/chunk/")));
    assert_eq!(run(&mut chain, &alice, chunk(&alice, 1, 1, &bytes[40..80])).code, 38);
}

#[test]
fn an_installation_that_misses_its_deadline_is_forgotten() {
    let alice = Account::new(1);
    let mut genesis = Genesis::with(&[&alice]);
    genesis.app_state["swingset"]["params"]["installation_deadline_blocks"] = serde_json::json!("3");
    let mut chain = genesis.start().expect("valid");
    let bytes: Vec<u8> = (0..100).collect();
    assert_eq!(run(&mut chain, &alice, swing_proto::pack(&chunked(&alice, &bytes))).code, 0);
    assert_eq!(run(&mut chain, &alice, chunk(&alice, 1, 0, &bytes[..40])).code, 0);
    chain.block(Vec::new());
    assert_eq!(pending(&chain), 1);
    chain.block(Vec::new());
    assert_eq!(kinds(&chain.last.events), ["swingset_installation_expired"]);
    assert_eq!(pending(&chain), 0);
    assert!(!chain.state.keys().any(|key| key.starts_with(b"swingset/m/chunk/")));
}

#[test]
fn artifacts_that_do_not_add_up_are_refused() {
    let alice = Account::new(1);
    let mut chain = Chain::new(&[&alice]);
    let bytes: Vec<u8> = (0..100).collect();
    let mut refuse = |change: &dyn Fn(&mut ChunkedArtifact), code, log| {
        let mut message = chunked(&alice, &bytes);
        message.chunked_artifact.iter_mut().for_each(change);
        check_refused(&run(&mut chain, &alice, swing_proto::pack(&message)), code, log);
    };
    refuse(&|artifact| artifact.size_bytes = 101, 5, "the chunks have 100 bytes, the artifact says 101");
    refuse(&|artifact| artifact.chunks.clear(), 5, "from 1 to 1024 chunks expected, got 0");
    refuse(&|artifact| artifact.chunks[0].size_bytes = 0, 5, "chunks[0]: from 1 to 490000 bytes expected, got 0");
    refuse(
        &|artifact| artifact.chunks[1].sha512 = "AB".repeat(64),
        5,
        "chunks[1]: sha512 must be 128 lower-case hex digits",
    );
    refuse(&|artifact| artifact.size_bytes = u64::MAX, 3, "10485760 are allowed");
}

#[test]
fn a_compressed_artifact_is_unpacked_when_it_is_whole_at_the_price_of_all_its_bytes() {
    let alice = Account::new(1);
    let mut chain = Chain::new(&[&alice]);
    let text = "v".repeat(50_000);
    let artifact = packed(text.as_bytes());
    let mut message = chunked(&alice, &artifact);
    message.uncompressed_size = 50_000;
    assert_eq!(run(&mut chain, &alice, swing_proto::pack(&message)).code, 0);
    let results: Vec<_> = (0..)
        .zip(artifact.chunks(40))
        .map(|(index, bytes)| run(&mut chain, &alice, chunk(&alice, 1, index, bytes)))
        .collect();
    assert!(results.iter().all(|result| result.code == 0), "{results:?}");
    let last = results.last().expect("it has chunks");
    assert!(kinds(&last.events).contains(&"swingset_bundle"));
    assert_eq!(chain.get("~swingset/bundle/b1-7650000").as_deref(), Some(text.as_bytes()));
}

#[test]
fn an_artifact_that_is_not_what_was_announced_is_refused_and_has_paid_for_being_looked_at() {
    let alice = Account::new(1);
    let mut chain = Chain::new(&[&alice]);
    let artifact = packed(&[7; 50_000]);
    let mut message = chunked(&alice, &artifact);
    message.uncompressed_size = 50_000;
    message.chunked_artifact.iter_mut().for_each(|announced| announced.sha512 = sha512(b"another"));
    assert_eq!(run(&mut chain, &alice, swing_proto::pack(&message)).code, 0);
    let mut last = None;
    for (index, bytes) in (0..).zip(artifact.chunks(40)) {
        last = Some(run(&mut chain, &alice, chunk(&alice, 1, index, bytes)));
    }
    let last = last.expect("it has chunks");
    check_refused(&last, 5, "their SHA-512 is not the artifact's");
    assert!(last.gas_used > 50_000, "{} gas for 50,000 bytes", last.gas_used);
    assert_eq!(pending(&chain), 1, "a refusal changes nothing");
}

#[test]
fn an_account_has_few_installations_waiting_and_others_begin_theirs() {
    let (alice, bob) = (Account::new(1), Account::new(2));
    let mut genesis = Genesis::with(&[&alice, &bob]);
    genesis.app_state["swingset"]["params"]["installation_deadline_blocks"] = serde_json::json!("10");
    let mut chain = genesis.start().expect("valid");
    let bytes: Vec<u8> = (0..100).collect();
    let begin = |account: &Account| swing_proto::pack(&chunked(account, &bytes));
    for _ in 0..4 {
        let result = run(&mut chain, &alice, begin(&alice));
        assert_eq!(result.code, 0, "{}", result.log);
    }
    let words = "has 4 installations waiting, 4 may: send the chunks that the artifacts 1, 2, 3, 4 lack; each is forgotten 10 blocks after it began";
    check_refused(&run(&mut chain, &alice, begin(&alice)), 5, words);
    assert_eq!(run(&mut chain, &bob, begin(&bob)).code, 0, "another account is not kept from it");
    for (index, data) in (0..).zip(bytes.chunks(40)) {
        assert_eq!(run(&mut chain, &alice, chunk(&alice, 1, index, data)).code, 0);
    }
    assert_eq!(run(&mut chain, &alice, begin(&alice)).code, 0, "one has come in whole");
    check_refused(&run(&mut chain, &alice, begin(&alice)), 5, "the artifacts 2, 3, 4, 6 lack");
}
