//! The amino JSON of messages, as the SDK writes it.

use ripemd::Ripemd160;
use sha2::{Digest, Sha256};
use swing_proto::amino;
use swing_proto::cosmos::bank::v1beta1 as bank;
use swing_proto::cosmos::base::v1beta1::Coin;
use swing_proto::cosmos::crypto::{ed25519, multisig::LegacyAminoPubKey, secp256k1 as keys};
use swing_proto::cosmos::gov::{v1 as gov, v1beta1 as gov_v1beta1};
use swing_proto::cosmos::staking::v1beta1 as staking;
use swing_proto::cosmos::upgrade::v1beta1 as upgrade;
use swing_proto::google::protobuf::{Duration, Timestamp};
use swing_proto::strict::decode_tx;
use swing_proto::{Message, Name, pack};

use crate::vectors;

#[track_caller]
fn check<M: Message + Name>(message: &M, expected: &str) {
    assert_eq!(amino::message_json(&pack(message)).as_deref(), Ok(expected));
}

#[test]
fn bank_and_gov_messages_have_their_amino_json() {
    check(&bank::MsgSend::default(), r#"{"type":"cosmos-sdk/MsgSend","value":{"amount":[]}}"#);
    check(
        &bank::MsgMultiSend::default(),
        r#"{"type":"cosmos-sdk/MsgMultiSend","value":{"inputs":null,"outputs":null}}"#,
    );
    check(
        &gov::MsgVote { voter: "v".to_string(), option: 3, ..Default::default() },
        r#"{"type":"cosmos-sdk/v1/MsgVote","value":{"option":3,"proposal_id":"0","voter":"v"}}"#,
    );
    let options = vec![gov::WeightedVoteOption { option: 1, weight: "0.600000000000000000".to_string() }];
    check(
        &gov::MsgVoteWeighted { proposal_id: 1, options, ..Default::default() },
        concat!(
            r#"{"type":"cosmos-sdk/v1/MsgVoteWeighted","value":{"options":"#,
            r#"[{"option":1,"weight":"0.600000000000000000"}],"proposal_id":"1"}}"#,
        ),
    );
    let options = vec![gov_v1beta1::WeightedVoteOption { option: 1, weight: "600000000000000000".to_string() }];
    check(
        &gov_v1beta1::MsgVoteWeighted { proposal_id: 1, options, ..Default::default() },
        concat!(
            r#"{"type":"cosmos-sdk/MsgVoteWeighted","value":{"options":"#,
            r#"[{"option":1,"weight":"0.600000000000000000"}],"proposal_id":"1"}}"#,
        ),
    );
}

#[test]
fn a_proposal_holds_its_messages_under_their_amino_names() {
    let plan = upgrade::Plan {
        name: "version-2".to_string(),
        height: 76,
        time: Some(Timestamp { seconds: -62_135_596_800, nanos: 0 }),
        ..Default::default()
    };
    let software_upgrade = upgrade::MsgSoftwareUpgrade { authority: "gov".to_string(), plan: Some(plan) };
    check(
        &gov::MsgSubmitProposal { messages: vec![pack(&software_upgrade)], expedited: true, ..Default::default() },
        concat!(
            r#"{"type":"cosmos-sdk/v1/MsgSubmitProposal","value":{"expedited":true,"initial_deposit":[],"messages":["#,
            r#"{"type":"cosmos-sdk/MsgSoftwareUpgrade","value":{"authority":"gov","plan":"#,
            r#"{"height":"76","name":"version-2","time":"0001-01-01T00:00:00Z"}}}]}}"#,
        ),
    );
}

#[test]
fn staking_messages_have_their_amino_json() {
    let rate = |scaled: &str| scaled.to_string();
    check(
        &staking::MsgCreateValidator {
            description: Some(staking::Description { moniker: "v".to_string(), ..Default::default() }),
            commission: Some(staking::CommissionRates {
                rate: rate("100000000000000000"),
                max_rate: rate("200000000000000000"),
                max_change_rate: rate("10000000000000000"),
            }),
            min_self_delegation: "1".to_string(),
            validator_address: "op".to_string(),
            pubkey: Some(pack(&ed25519::PubKey { key: vec![1, 2, 3] })),
            value: Some(Coin { denom: "uswing".to_string(), amount: "5".to_string() }),
            ..Default::default()
        },
        concat!(
            r#"{"type":"cosmos-sdk/MsgCreateValidator","value":{"commission":{"max_change_rate":"0.010000000000000000","#,
            r#""max_rate":"0.200000000000000000","rate":"0.100000000000000000"},"description":{"moniker":"v"},"#,
            r#""min_self_delegation":"1","pubkey":{"type":"tendermint/PubKeyEd25519","value":"AQID"},"#,
            r#""validator_address":"op","value":{"amount":"5","denom":"uswing"}}}"#,
        ),
    );
    let params = staking::Params {
        unbonding_time: Some(Duration { seconds: 1_814_400, nanos: 0 }),
        max_validators: 100,
        ..Default::default()
    };
    check(
        &staking::MsgUpdateParams { authority: "gov".to_string(), params: Some(params) },
        concat!(
            r#"{"type":"cosmos-sdk/x/staking/MsgUpdateParams","value":{"authority":"gov","params":{"max_validators":100,"#,
            r#""min_commission_rate":"0","unbonding_time":"1814400000000000"}}}"#,
        ),
    );
}

#[test]
fn multisignature_keys_have_their_amino_json() {
    let key = pack(&keys::PubKey { key: vec![1, 2, 3] });
    check(
        &LegacyAminoPubKey { threshold: 1, public_keys: vec![key] },
        concat!(
            r#"{"type":"tendermint/PubKeyMultisigThreshold","value":{"pubkeys":"#,
            r#"[{"type":"tendermint/PubKeySecp256k1","value":"AQID"}],"threshold":"1"}}"#,
        ),
    );
}

#[test]
fn our_own_messages_have_their_amino_json() {
    check(
        &swing_proto::swing::swingset::v1::MsgDeliverInbound {
            sender: "s".to_string(),
            target: "counter".to_string(),
            method: "increment".to_string(),
            args: b"[]".to_vec(),
        },
        concat!(
            r#"{"type":"swingset/DeliverToVat","value":"#,
            r#"{"args":"W10=","method":"increment","sender":"s","target":"counter"}}"#,
        ),
    );
    check(
        &swing_proto::swing::swingset::v1::MsgSetKernelBundle {
            authority: "gov".to_string(),
            kernel_bundle_id: "b1-0".to_string(),
            height: 12,
            ..Default::default()
        },
        concat!(
            r#"{"type":"swingset/SetKernelBundle","value":"#,
            r#"{"authority":"gov","height":"12","kernel_bundle_id":"b1-0"}}"#,
        ),
    );
    check(
        &swing_proto::swing::swingset::v1::MsgReleaseBundle {
            submitter: "s".to_string(),
            bundle_id: "b1-0".to_string(),
        },
        r#"{"type":"swingset/ReleaseBundle","value":{"bundle_id":"b1-0","submitter":"s"}}"#,
    );
    check(
        &swing_proto::swing::swingset::v1::MsgCancelKernelBundle { authority: "gov".to_string() },
        r#"{"type":"swingset/CancelKernelBundle","value":{"authority":"gov"}}"#,
    );
    check(
        &swing_proto::swing::upgrade::v1::MsgAttestUpgrade {
            validator: "v".to_string(),
            plan_id: 3,
            binary_sha256: "ab".to_string(),
            platform: "linux/amd64".to_string(),
            ..Default::default()
        },
        concat!(
            r#"{"type":"swing/upgrade/AttestUpgrade","value":"#,
            r#"{"binary_sha256":"ab","plan_id":"3","platform":"linux/amd64","validator":"v"}}"#,
        ),
    );
    check(
        &swing_proto::swing::upgrade::v1::MsgCancelPlan { authority: "gov".to_string(), id: 2, reason: String::new() },
        r#"{"type":"swing/upgrade/CancelPlan","value":{"authority":"gov","id":"2"}}"#,
    );
    // Account bytes are shown in bech32: these are alice's, and the text is the recorded one.
    let alice = decode_tx(&vectors::tx("send").bytes).expect("a transaction");
    let key = alice.auth_info.signer_infos[0].public_key.as_ref().expect("a key");
    let key = swing_proto::unpack::<keys::PubKey>(key).expect("a secp256k1 key");
    let submitter = Ripemd160::digest(Sha256::digest(&key.key)).to_vec();
    check(
        &swing_proto::agoric::swingset::MsgSendChunk { submitter, chunk_index: 2, ..Default::default() },
        concat!(
            r#"{"type":"swingset/SendChunk","value":{"chunk_index":"2","#,
            r#""submitter":"swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd"}}"#,
        ),
    );
}
