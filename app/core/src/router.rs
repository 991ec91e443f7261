//! Messages by type URL: for transactions, gentxs and passed proposals alike.

use std::{collections::BTreeMap, sync::LazyLock};

use swing_proto::google::protobuf::Any;

use crate::{
    address::Address,
    error::{Failure, Rejected},
    modules::{MsgContext, auth, bank, consensus, gov, message, staking, swingset, upgrade},
};

/// Looks at a message of a proposal when it is submitted.
type CheckProposed = fn(&mut MsgContext<'_, '_>, &Any) -> Result<(), Failure>;

/// Modules that look at their messages when a proposal is submitted, by what their type URLs begin with.
const PROPOSED: [(&str, CheckProposed); 3] = [
    ("/swing.swingset.v1.", swingset::handler::check_proposed),
    ("/cosmos.upgrade.v1beta1.", upgrade::handler::check_proposed),
    ("/swing.upgrade.v1.", upgrade::handler::check_proposed),
];

type Handle = fn(&mut MsgContext<'_, '_>, &Any) -> Result<Any, Failure>;

/// Every message of the chain, by type URL.
static ROUTES: LazyLock<BTreeMap<String, Handle>> = LazyLock::new(|| {
    let mut routes = BTreeMap::new();
    let mut add = |names: &[String], handle: Handle| {
        routes.extend(names.iter().map(|name| (format!("/{name}"), handle)));
    };
    add(&auth::msg::names(), auth::handler::handle);
    add(&bank::msg::names(), bank::handler::handle);
    add(&consensus::msg::names(), consensus::handler::handle);
    add(&gov::msg::names(), gov::handler::handle);
    add(&staking::msg::names(), staking::handler::handle);
    add(&swingset::msg::names(), swingset::handler::handle);
    add(&upgrade::msg::names(), upgrade::handler::handle);
    routes
});

/// Whether some module handles messages of this type.
pub fn is_routable(type_url: &str) -> bool {
    type_url == bank::msg::SEND || ROUTES.contains_key(type_url)
}

/// Type URLs of all messages that are handled, in order.
pub fn type_urls() -> impl Iterator<Item = &'static str> {
    ROUTES.keys().map(String::as_str)
}

/// What a message says, as far as it is read before it is done. A function of its bytes.
#[derive(Clone, Debug)]
pub enum Content {
    /// A transfer, or why it is none.
    Send(Result<bank::msg::Send, Rejected>),
    /// A message that its handler reads.
    Unread,
}

/// Reads a message: whose signatures it needs, in order, each once, and what it says.
///
/// # Errors
/// SDK 7 for a signer that is no address; SDK 34 for what does not decode or is no transaction message.
pub fn read(any: &Any) -> Result<(Vec<Address>, Content), Rejected> {
    if any.type_url == bank::msg::SEND {
        let (signer, send) = bank::msg::read_send(any)?;
        Ok((vec![signer], Content::Send(send)))
    } else {
        Ok((message::signers(any)?, Content::Unread))
    }
}

/// Does a message that was read before; gives its response.
///
/// # Errors
/// As [`handle`].
pub fn handle_read(context: &mut MsgContext<'_, '_>, any: &Any, content: &Content) -> Result<Any, Failure> {
    match content {
        Content::Send(Ok(send)) => Ok(swing_proto::pack(&bank::handler::send_read(context, send)?)),
        Content::Send(Err(refused)) => Err(refused.clone().into()),
        Content::Unread => handle(context, any),
    }
}

/// Does a message; gives its response.
///
/// # Errors
/// SDK 6 when no module takes it; the handler's refusal; storage, out of gas.
pub fn handle(context: &mut MsgContext<'_, '_>, any: &Any) -> Result<Any, Failure> {
    if any.type_url == bank::msg::SEND {
        return bank::handler::handle(context, any);
    }
    match ROUTES.get(&any.type_url) {
        Some(handle) => handle(context, any),
        None => Err(message::unroutable(&any.type_url)),
    }
}

/// Asks a message's module whether it makes sense in a proposal submitted now. What the module reads is charged; what it writes is
/// taken back.
///
/// # Errors
/// The module's refusal; storage, out of gas.
pub fn check_proposed(context: &mut MsgContext<'_, '_>, any: &Any) -> Result<(), Failure> {
    let Some((_, check)) = PROPOSED.iter().find(|(package, _)| any.type_url.starts_with(package)) else {
        return Ok(());
    };
    let mark = context.state.mark();
    let checked = check(context, any);
    context.state.rollback(mark);
    checked
}
