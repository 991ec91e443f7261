//! The chain behind the kernel's bridge device: what a vat that holds the device may ask of the chain's modules, and what they tell it.
//!
//! | bridge | direction | what |
//! |---|---|---|
//! | `bank` | vats ask | balances, and sending from the account of module `vbank` ([`bank`]) |
//! | `storage` | vats ask | published values, which anyone can query ([`storage`]) |
//! | `wallet` | the chain tells | actions of wallets' owners ([`super::wallet`]) |
//!
//! # Invariants
//! - A call works on the block's own overlay, in the crank of the vat that makes it: a crank that is undone takes it back.
//! - A call that is refused has changed nothing. The refusal's words reach a vat, so they are the same on every node.
//! - Who may use it is who holds the device: bootstrap, and whom it or governance passes it on to.

pub mod bank;
mod smallcaps;
pub mod storage;

use serde_json::Value;

use super::{actions, queue};
use crate::{
    error::{Failure, Halt, Rejected},
    modules::BlockContext,
    sdk_error::SdkError,
    state::State,
};

/// Bytes of a message for a vat.
const INBOUND_BYTES_MAX: usize = 512 << 10;

/// What a call comes to: a smallcaps value (without `#`), or why it is refused.
pub type Answer = Result<String, String>;

type Call = fn(&mut State<'_>, &Value) -> Result<Value, Failure>;

/// A vat's call; none when the chain has no bridge of this name. The body is a smallcaps value without references.
///
/// # Errors
/// A fault of this node.
pub fn call(state: &mut State<'_>, bridge: &str, body: &[u8]) -> Result<Option<Answer>, Halt> {
    let handler: Call = match bridge {
        "bank" => bank::call,
        "storage" => storage::call,
        _ => return Ok(None),
    };
    let mark = state.mark();
    let done = match serde_json::from_slice(body) {
        Ok(request) => handler(state, &request),
        // The words of the reader are not consensus.
        Err(_) => Err(malformed("the value is not JSON").into()),
    };
    match done {
        Ok(value) => Ok(Some(Ok(value.to_string()))),
        Err(Failure::Rejected(refused)) => {
            state.rollback(mark);
            Ok(Some(Err(refused.log)))
        }
        Err(Failure::Halt(halt)) => Err(halt),
    }
}

/// A request that cannot be one.
fn malformed(reason: impl std::fmt::Display) -> Rejected {
    SdkError::InvalidRequest.wrap(reason)
}

/// A request's field of text.
fn text<'a>(request: &'a Value, field: &str) -> Result<std::borrow::Cow<'a, str>, Rejected> {
    let value = request.get(field).and_then(smallcaps::text);
    value.ok_or_else(|| malformed(format!("{field}: text expected")))
}

/// Queues a message of one of the chain's modules for whoever registered with the bridge; gives the action's number. The value is plain
/// JSON: its texts are made smallcaps here.
///
/// # Errors
/// swingset 6 when the queue is full; SDK 18 when the message is too large; storage, out of gas.
pub fn inbound(
    state: &mut State<'_>,
    block: &BlockContext,
    bridge: &str,
    value: Value,
    length_max: u64,
) -> Result<u64, Failure> {
    let value = smallcaps::of_plain(value).to_string();
    if value.len() > INBOUND_BYTES_MAX {
        return Err(malformed(format!("{} bytes are more than {INBOUND_BYTES_MAX}", value.len())).into());
    }
    let body = serde_json::json!({"bridge": bridge, "value": value});
    let action = actions::action(actions::BRIDGE.to_owned(), &body, block);
    queue::push(state, queue::Queue::Actions, action, length_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Empty, StateRead};

    #[test]
    fn a_bridge_that_is_not_there_is_none_and_what_is_refused_changed_nothing() {
        let mut state = State::new(&Empty);
        assert_eq!(call(&mut state, "dibc", b"{}").unwrap(), None);
        for (bridge, body, problem) in [
            ("bank", &b"{"[..], "the value is not JSON"),
            ("bank", b"{\"type\":\"VBANK_GRAB\"}", "VBANK_GRAB"),
            ("storage", b"{\"method\":\"set\",\"args\":[[\"published.a\",\"x\"],[\"elsewhere\",\"y\"]]}", "elsewhere"),
        ] {
            let answer = call(&mut state, bridge, body).unwrap().expect("there is such a bridge");
            assert!(answer.as_ref().is_err_and(|refused| refused.contains(problem)), "{answer:?}");
        }
        assert_eq!(state.prefix(b"").count(), 0);
    }
}
