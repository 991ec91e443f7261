//! The chain side of the mailbox device: peers are accounts, which send by transaction and read what waits for them by query. Source:
//! upstream's `MsgDeliverInbound` and `Mailbox`.

use serde_json::{Value, json};
use swing_proto::{
    agoric::swingset::{MsgDeliverInbound, MsgDeliverInboundResponse, QueryMailboxRequest, QueryMailboxResponse},
    type_url,
};

use super::{
    Refusal, actions, events,
    fees::{self, Unit},
    install, keys, queue, state as params, view,
};
use crate::{
    address::Address,
    error::{Failure, Rejected},
    modules::MsgContext,
    query::QueryError,
    state::StateRead,
};

/// Messages in one transaction message.
const MESSAGES_MAX: usize = 1_000;

fn check(message: &MsgDeliverInbound, bytes_max: u64) -> Result<u64, Rejected> {
    let refuse = |reason: String| Err(Refusal::Message.because(reason));
    if message.messages.len() != message.nums.len() || message.messages.len() > MESSAGES_MAX {
        let (messages, nums) = (message.messages.len(), message.nums.len());
        return refuse(format!("as many nums as messages expected, up to {MESSAGES_MAX}: got {messages} and {nums}"));
    }
    if message.nums.first() == Some(&0) || !message.nums.is_sorted_by(|before, after| before < after) {
        return refuse("nums: numbers above 0 in growing order expected".to_owned());
    }
    let bytes = message.messages.iter().map(|text| text.len() as u64).fold(0, u64::saturating_add);
    if bytes > bytes_max {
        return refuse(format!("messages: {bytes} bytes are more than {bytes_max}"));
    }
    Ok(bytes)
}

/// Queues an account's messages for the mailbox.
///
/// # Errors
/// swingset 6, 9; SDK 5 for the price; storage, out of gas.
pub fn deliver_inbound(
    context: &mut MsgContext<'_, '_>,
    message: &MsgDeliverInbound,
) -> Result<MsgDeliverInboundResponse, Failure> {
    let submitter = install::submitter(&message.submitter)?;
    let params = params::params(context.state)?;
    let bytes = check(message, params::args_limit(&params))?;
    let count = message.messages.len() as u64;
    let work = [(Unit::InboundTx, 1), (Unit::Message, count), (Unit::MessageByte, bytes)];
    fees::charge(context.state, &params, &submitter, &work)?;
    let peer = submitter.to_string();
    let numbered: Vec<Value> =
        message.nums.iter().zip(&message.messages).map(|(num, text)| json!([num, text])).collect();
    let body = json!({"ack": message.ack, "messages": numbered, "peer": peer});
    let action = actions::action(type_url::<MsgDeliverInbound>(), &body, context.block);
    let number = queue::push(context.state, queue::Queue::Actions, action, params.inbound_queue_max)?;
    context.state.emit(events::action_queued(number, "mailbox", "deliverInbound", &peer));
    Ok(MsgDeliverInboundResponse {})
}

/// What waits for a peer: what it is acknowledged, and the messages that it did not acknowledge.
///
/// # Errors
/// A peer that is no address; storage.
pub fn query(state: &dyn StateRead, request: &QueryMailboxRequest) -> Result<QueryMailboxResponse, QueryError> {
    let peer = Address::from_slice(&request.peer).map_err(|error| QueryError::invalid(error.to_string()))?.to_string();
    let device = view::text(state, &keys::kernel("device.name.mailbox"))?.unwrap_or_default();
    let ack = view::number(state, &format!("{device}.deviceState.in.{peer}"))?;
    let prefix = keys::kernel(&format!("{device}.deviceState.out.{peer}."));
    let mut outbox = Vec::new();
    for entry in state.prefix(&prefix) {
        let (key, text) = entry?;
        let digits = String::from_utf8_lossy(key.strip_prefix(prefix.as_slice()).unwrap_or_default()).into_owned();
        outbox.push(json!([digits.parse::<u64>().unwrap_or_default(), String::from_utf8_lossy(&text)]));
    }
    Ok(QueryMailboxResponse { value: json!({"ack": ack, "outbox": outbox}).to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_message(nums: &[u64], texts: &[&str], accepted: bool) {
        let messages = texts.iter().map(|text| (*text).to_owned()).collect();
        let message = MsgDeliverInbound { messages, nums: nums.to_vec(), ..MsgDeliverInbound::default() };
        assert_eq!(check(&message, 10).is_ok(), accepted, "{nums:?} {texts:?}");
    }

    #[test]
    fn messages_are_numbered_in_growing_order_each_with_a_number() {
        check_message(&[], &[], true);
        check_message(&[1, 2, 7], &["a", "", "c"], true);
        check_message(&[1], &[], false);
        check_message(&[], &["a"], false);
        check_message(&[0], &["a"], false);
        check_message(&[2, 1], &["a", "b"], false);
        check_message(&[1, 1], &["a", "b"], false);
        check_message(&[1, 2], &["123456", "12345"], false);
    }
}
