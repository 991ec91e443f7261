//! `query swingset result`: what became of a message.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;
use swing_proto::{
    Message, cosmos::base::abci::v1beta1::TxMsgData, swing::swingset::v1::MsgDeliverInboundResponse, unpack,
};

use super::{Asker, swingset::SwingsetQuery};
use crate::{
    cli::{Failure, smallcaps},
    client::{
        ClientError,
        rpc::{code_of, text_of},
    },
};

/// The result under a transaction's hash, a number in the queue or a promise, with the resolution as plain JSON in `value`.
pub(super) fn find(asker: &Asker, id: &str) -> Result<Value, Failure> {
    let is_hash = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = if is_hash { number_of_tx(asker, id)?.to_string() } else { id.to_owned() };
    if !id.starts_with("kp") && id.parse::<u64>().is_err() {
        return Err(Failure::Usage(format!(
            "{id:?} is neither a transaction's hash, nor a number, nor a promise (kp…)"
        )));
    }
    let mut result = asker.ask(&SwingsetQuery::Result { id }.ask(&Value::Null))?;
    result["value"] = plain(&result).unwrap_or(Value::Null);
    Ok(result)
}

fn plain(result: &Value) -> Option<Value> {
    let body = BASE64.decode(result["body"].as_str()?).ok()?;
    smallcaps::value(std::str::from_utf8(&body).ok()?)
}

/// The message's number, from the response of the first delivery in the transaction.
fn number_of_tx(asker: &Asker, hash: &str) -> Result<u64, Failure> {
    let included = asker.client.tx(hash)?.ok_or_else(|| Failure::new(format!("tx ({hash}) not found")))?;
    let result = &included["tx_result"];
    let code = code_of(result);
    if code != 0 {
        let (codespace, log) = (text_of(result, "codespace"), text_of(result, "log"));
        return Err(ClientError::TxFailed { hash: hash.to_owned(), codespace, code, log }.into());
    }
    let data = BASE64.decode(text_of(result, "data")).unwrap_or_default();
    let data = TxMsgData::decode(data.as_slice()).unwrap_or_default();
    let number = data.msg_responses.iter().find_map(|response| unpack::<MsgDeliverInboundResponse>(response).ok());
    number
        .map(|response| response.action_number)
        .ok_or_else(|| Failure::new(format!("tx ({hash}) delivered no message to a vat")))
}
