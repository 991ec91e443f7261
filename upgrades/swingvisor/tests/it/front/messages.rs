//! Frames, made by the generated code of the protocol.

use prost::Message as _;
use swingvisor::front::frame::Frame;
use tendermint_proto::v0_38::abci::{
    CheckTxType, Request, RequestCheckTx, RequestCommit, RequestFinalizeBlock, RequestFlush, RequestInfo,
    RequestListSnapshots, RequestPrepareProposal, RequestQuery, Response, ResponseCheckTx, ResponseCommit,
    ResponseFinalizeBlock, ResponseFlush, ResponseInfo, ResponseQuery, request, response,
};

pub fn request(value: request::Value) -> Frame {
    Frame::of(&Request { value: Some(value) }.encode_to_vec())
}

pub fn response(value: response::Value) -> Frame {
    Frame::of(&Response { value: Some(value) }.encode_to_vec())
}

/// What a frame of the node's or the front's says.
#[track_caller]
pub fn read_response(frame: &Frame) -> response::Value {
    Response::decode(frame.body()).expect("a response").value.expect("of a known kind")
}

pub fn check(tx: &[u8], again: bool) -> Frame {
    let kind = if again { CheckTxType::Recheck } else { CheckTxType::New };
    request(request::Value::CheckTx(RequestCheckTx { tx: tx.to_vec().into(), r#type: kind.into() }))
}

pub fn flush() -> Frame {
    request(request::Value::Flush(RequestFlush {}))
}

pub fn commit() -> Frame {
    request(request::Value::Commit(RequestCommit {}))
}

pub fn query(path: &str) -> Frame {
    request(request::Value::Query(RequestQuery { path: path.to_owned(), ..RequestQuery::default() }))
}

pub fn info() -> Frame {
    request(request::Value::Info(RequestInfo::default()))
}

pub fn list_snapshots() -> Frame {
    request(request::Value::ListSnapshots(RequestListSnapshots {}))
}

pub fn prepare(height: i64) -> Frame {
    request(request::Value::PrepareProposal(RequestPrepareProposal { height, ..RequestPrepareProposal::default() }))
}

pub fn finalize(height: i64) -> Frame {
    let txs = vec![b"a transaction".to_vec().into(); 3];
    request(request::Value::FinalizeBlock(RequestFinalizeBlock {
        height,
        txs,
        hash: vec![9; 32].into(),
        ..RequestFinalizeBlock::default()
    }))
}

/// The app hash of a height in these tests.
pub fn hash(height: u8) -> Vec<u8> {
    vec![height; 32]
}

pub fn flushed() -> Frame {
    response(response::Value::Flush(ResponseFlush {}))
}

pub fn committed() -> Frame {
    response(response::Value::Commit(ResponseCommit { retain_height: 0 }))
}

pub fn finalized(height: u8) -> Frame {
    let app_hash = hash(height).into();
    response(response::Value::FinalizeBlock(ResponseFinalizeBlock { app_hash, ..ResponseFinalizeBlock::default() }))
}

pub fn checked() -> Frame {
    response(response::Value::CheckTx(ResponseCheckTx { gas_wanted: 5, ..ResponseCheckTx::default() }))
}

pub fn queried() -> Frame {
    response(response::Value::Query(ResponseQuery { log: "from a node".to_owned(), ..ResponseQuery::default() }))
}

pub fn informed(height: u8) -> Frame {
    response(response::Value::Info(ResponseInfo {
        data: "node".to_owned(),
        version: "1".to_owned(),
        app_version: 7,
        last_block_height: height.into(),
        last_block_app_hash: hash(height).into(),
    }))
}
