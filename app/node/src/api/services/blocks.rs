//! CometBFT's JSON of blocks as the JSON of their protobuf messages: bytes are base64 there and hex here, and a few names differ.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};
use swing_core::address::Address;

use crate::{api::Failure, client::ClientError};

/// Fields that CometBFT shows in hex.
const HEX_FIELDS: [&str; 11] = [
    "hash",
    "last_commit_hash",
    "data_hash",
    "validators_hash",
    "next_validators_hash",
    "consensus_hash",
    "app_hash",
    "last_results_hash",
    "evidence_hash",
    "proposer_address",
    "validator_address",
];

/// `tendermint.types.BlockID`.
pub(super) fn block_id(value: &Value) -> Result<Value, Failure> {
    converted(value)
}

/// `tendermint.types.Header`.
pub(super) fn header(value: &Value) -> Result<Value, Failure> {
    converted(value)
}

/// `tendermint.types.Block`.
pub(super) fn block(value: &Value) -> Result<Value, Failure> {
    let mut block = converted(value)?;
    block["evidence"] = json!({"evidence": evidence(&value["evidence"]["evidence"])?});
    Ok(block)
}

/// The SDK's `Block`: the same with the proposer's address as text.
pub(super) fn sdk_block(value: &Value) -> Result<Value, Failure> {
    let mut shown = block(value)?;
    let address = consensus_address(&value["header"]["proposer_address"])?;
    shown["header"]["proposer_address"] = json!(address);
    Ok(shown)
}

/// The bech32 text of an address that CometBFT shows in hex.
pub(super) fn consensus_address(value: &Value) -> Result<String, Failure> {
    let bytes = value.as_str().and_then(|text| hex::decode(text).ok());
    let address = bytes.and_then(|bytes| Address::from_slice(&bytes).ok());
    Ok(address.ok_or_else(|| unexpected("an address is not one"))?.to_consensus())
}

/// An answer of the engine's that makes no sense.
pub(super) fn unexpected(reason: &str) -> Failure {
    ClientError::answer("the engine's RPC", reason).into()
}

fn converted(value: &Value) -> Result<Value, Failure> {
    Ok(match value {
        Value::Object(fields) => {
            let mut shown = Map::new();
            for (name, field) in fields {
                let name = if name == "parts" { "part_set_header" } else { name };
                let field = match field {
                    Value::String(text) if HEX_FIELDS.contains(&name) => {
                        let bytes = hex::decode(text).map_err(|_| unexpected(&format!("{name} is not hex")))?;
                        Value::String(BASE64.encode(bytes))
                    }
                    other => converted(other)?,
                };
                shown.insert(name.to_owned(), field);
            }
            Value::Object(shown)
        }
        Value::Array(items) => items.iter().map(converted).collect::<Result<_, _>>()?,
        other => other.clone(),
    })
}

/// Evidence of double votes. That of attacks on light clients has a shape of its own in CometBFT's JSON, and is left to its RPC.
fn evidence(list: &Value) -> Result<Vec<Value>, Failure> {
    let one = |item: &Value| match item["type"].as_str() {
        Some("tendermint/DuplicateVoteEvidence") => {
            let value = &item["value"];
            Ok(json!({"duplicate_vote_evidence": {
                "vote_a": converted(&value["vote_a"])?,
                "vote_b": converted(&value["vote_b"])?,
                "total_voting_power": value["TotalVotingPower"],
                "validator_power": value["ValidatorPower"],
                "timestamp": value["Timestamp"],
            }}))
        }
        other => {
            let kind = other.unwrap_or("an unknown kind");
            Err(unexpected(&format!("the block has evidence of {kind}: ask CometBFT's RPC for it")))
        }
    };
    list.as_array().into_iter().flatten().map(one).collect()
}

#[cfg(test)]
mod tests {
    use swing_proto::json::{json_to_wire, wire_to_json};

    use super::*;

    #[test]
    fn recorded_blocks_become_messages_and_keep_their_hashes() {
        let recorded: Vec<Value> =
            serde_json::from_str(include_str!("../../../../../tests/vectors/rpc.json")).expect("JSON");
        let results = recorded.iter().map(|entry| &entry["body"]["result"]);
        let mut seen = 0;
        for result in results.filter(|result| result["block"].is_object()) {
            let wire = json_to_wire("tendermint.types.Block", &block(&result["block"]).expect("converted"));
            let shown = wire_to_json("tendermint.types.Block", &wire.expect("a message")).expect("JSON");
            let hash = result["block"]["header"]["app_hash"].as_str().expect("a hash");
            assert_eq!(shown["header"]["app_hash"], json!(BASE64.encode(hex::decode(hash).expect("hex"))));
            assert_eq!(shown["data"], result["block"]["data"]);
            let sdk = sdk_block(&result["block"]).expect("converted");
            assert!(sdk["header"]["proposer_address"].as_str().expect("text").starts_with("swingvalcons1"));
            seen += 1;
        }
        assert!(seen > 0, "a block is among the recorded bodies");
    }

    #[test]
    fn double_votes_are_shown_and_other_evidence_is_left_to_the_engine() {
        let vote = json!({"type": 2, "height": "5", "round": 0, "block_id": {"hash": "AB", "parts": {"total": 1, "hash": "CD"}},
            "timestamp": "2026-01-01T00:00:00Z", "validator_address": "0A", "validator_index": 0, "signature": "AQ=="});
        let item = json!({"type": "tendermint/DuplicateVoteEvidence", "value": {"vote_a": vote, "vote_b": vote,
            "TotalVotingPower": "10", "ValidatorPower": "1", "Timestamp": "2026-01-01T00:00:00Z"}});
        let shown = evidence(&json!([item])).expect("converted");
        let wire = json_to_wire("tendermint.types.EvidenceList", &json!({"evidence": shown}));
        let shown = wire_to_json("tendermint.types.EvidenceList", &wire.expect("a message")).expect("JSON");
        assert_eq!(shown["evidence"][0]["duplicate_vote_evidence"]["vote_a"]["block_id"]["hash"], "qw==");
        assert!(evidence(&json!([{"type": "tendermint/LightClientAttackEvidence", "value": {}}])).is_err());
    }
}
