//! Transfers by message. Source: x/bank msg server.

use swing_proto::{
    cosmos::bank::v1beta1::{
        MsgMultiSend, MsgMultiSendResponse, MsgSend, MsgSendResponse, MsgSetSendEnabled, MsgSetSendEnabledResponse,
        MsgUpdateParams, MsgUpdateParamsResponse,
    },
    google::protobuf::Any,
    type_url,
};

use super::{
    events, keeper,
    msg::{self, Send, address, coins},
    state as params,
};
use crate::{
    address::Address,
    error::{Failure, Rejected},
    math::{Coins, validate_denom},
    modules::{MsgContext, auth::keeper as auth, authority, message},
    sdk_error::SdkError,
};

/// Recipients of one message that are looked at.
const OUTPUTS_MAX: usize = 1000;

/// Does a message of this module; gives its response.
///
/// # Errors
/// The message's refusal; storage, out of gas.
pub fn handle(context: &mut MsgContext<'_, '_>, message: &Any) -> Result<Any, Failure> {
    let url = message.type_url.as_str();
    if url == msg::SEND {
        message::run(message, |message| send(context, &message))
    } else if url == type_url::<MsgMultiSend>() {
        message::run(message, |message| multi_send(context, &message))
    } else if url == type_url::<MsgUpdateParams>() {
        message::run(message, |message| update_params(context, message))
    } else if url == type_url::<MsgSetSendEnabled>() {
        message::run(message, |message| set_send_enabled(context, &message))
    } else {
        Err(message::unroutable(url))
    }
}

fn check_recipient(to: &Address) -> Result<(), Rejected> {
    if keeper::is_blocked(to) {
        return Err(SdkError::Unauthorized.wrap(format!("{to} is not allowed to receive funds")));
    }
    Ok(())
}

/// Sends coins from one account to another.
///
/// # Errors
/// SDK 7, 10, 5, 4; bank 5 when a denom may not be sent.
pub fn send(context: &mut MsgContext<'_, '_>, message: &MsgSend) -> Result<MsgSendResponse, Failure> {
    send_read(context, &Send::read(message)?)
}

/// A [`send`] that was read before.
///
/// # Errors
/// SDK 4, 5; bank 5 when a denom may not be sent.
pub fn send_read(context: &mut MsgContext<'_, '_>, message: &Send) -> Result<MsgSendResponse, Failure> {
    params::check_send_enabled(context.state, &message.amount)?;
    check_recipient(&message.to.address)?;
    keeper::send(context.state, message)?;
    Ok(MsgSendResponse {})
}

fn refuse(code: u32, log: &str) -> Failure {
    Failure::Rejected(Rejected { codespace: "bank", code, log: log.to_owned() })
}

/// Sends coins from one account to many. Source: SDK `InputOutputCoins`.
///
/// # Errors
/// As [`send`]; bank 2 to 4 for inputs and outputs that do not fit.
pub fn multi_send(context: &mut MsgContext<'_, '_>, message: &MsgMultiSend) -> Result<MsgMultiSendResponse, Failure> {
    let [input] = message.inputs.as_slice() else {
        return Err(match message.inputs.len() {
            0 => refuse(2, "no inputs to send transaction"),
            _ => refuse(6, "multiple senders not allowed"),
        });
    };
    if message.outputs.is_empty() {
        return Err(refuse(3, "no outputs to send transaction"));
    }
    if message.outputs.len() > OUTPUTS_MAX {
        let reason =
            format!("{} outputs are more than the {OUTPUTS_MAX} that a message may have", message.outputs.len());
        return Err(SdkError::InvalidRequest.wrap(reason).into());
    }
    let from = address("input", &input.address)?;
    let total = coins(&input.coins)?;
    let mut outputs = Vec::with_capacity(message.outputs.len());
    let mut sum = Coins::EMPTY;
    for output in &message.outputs {
        let to = address("output", &output.address)?;
        let amount = coins(&output.coins)?;
        sum = sum.add(&amount)?;
        outputs.push((to, amount));
    }
    if sum != total {
        return Err(refuse(4, "sum inputs != sum outputs"));
    }
    params::check_send_enabled(context.state, &total)?;
    for (to, _) in &outputs {
        check_recipient(to)?;
    }
    let sender = from.to_string();
    keeper::spend(context.state, &from, &total)?;
    context.state.emit(events::message_sender(&sender));
    for (to, amount) in &outputs {
        keeper::receive(context.state, to, amount)?;
        context.state.emit(events::transfer_without_sender(&to.to_string(), &amount.to_string()));
        auth::ensure_account(context.state, to)?;
    }
    Ok(MsgMultiSendResponse {})
}

/// Replaces the parameters.
///
/// # Errors
/// gov 13 for another authority; SDK 18 for the list that the SDK gave up.
pub fn update_params(
    context: &mut MsgContext<'_, '_>,
    message: MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, Failure> {
    authority::check(&message.authority)?;
    let new = message.params.unwrap_or_default();
    if !new.send_enabled.is_empty() {
        return Err(SdkError::InvalidRequest.wrap("use of send_enabled in params is no longer supported").into());
    }
    params::set_params(context.state, &new)?;
    Ok(MsgUpdateParamsResponse {})
}

/// Sets which denoms may be sent.
///
/// # Errors
/// gov 13 for another authority; SDK 18 for denoms that cannot be, or named twice.
pub fn set_send_enabled(
    context: &mut MsgContext<'_, '_>,
    message: &MsgSetSendEnabled,
) -> Result<MsgSetSendEnabledResponse, Failure> {
    authority::check(&message.authority)?;
    let mut seen = std::collections::BTreeSet::new();
    let set = message.send_enabled.iter().map(|entry| (entry.denom.as_str(), Some(entry.enabled)));
    let default = message.use_default_for.iter().map(|denom| (denom.as_str(), None));
    for (denom, enabled) in set.chain(default) {
        validate_denom(denom).map_err(|error| SdkError::InvalidRequest.wrap(error))?;
        if enabled.is_some() && !seen.insert(denom) {
            return Err(SdkError::InvalidRequest
                .wrap(format!("duplicate send enabled entry for denom {denom}"))
                .into());
        }
        params::set_send_enabled(context.state, denom, enabled)?;
    }
    Ok(MsgSetSendEnabledResponse {})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        math::Coin,
        modules::{BlockContext, swingset::SimulatedEngine},
        state::{Empty, State},
    };

    fn with_context<T>(run: impl FnOnce(&mut MsgContext<'_, '_>) -> T) -> T {
        let mut state = State::new(&Empty);
        keeper::set_balance(&mut state, &Address::new([1; 20]), &Coin::new("uswing", 10_u64).unwrap()).unwrap();
        let block = BlockContext::default();
        run(&mut MsgContext { state: &mut state, block: &block, engine: &mut SimulatedEngine })
    }

    fn send_of(to: &str, amount: &str, denom: &str) -> MsgSend {
        MsgSend {
            from_address: Address::new([1; 20]).to_string(),
            to_address: to.to_owned(),
            amount: vec![swing_proto::cosmos::base::v1beta1::Coin { denom: denom.into(), amount: amount.into() }],
        }
    }

    #[track_caller]
    fn check_refused(message: MsgSend, codespace: &str, code: u32, log: &str) {
        let Err(Failure::Rejected(refused)) = with_context(|context| send(context, &message)) else {
            panic!("the message was accepted")
        };
        assert_eq!((refused.codespace, refused.code, refused.log.as_str()), (codespace, code, log));
    }

    #[test]
    fn sends_that_cannot_be_are_refused_in_the_sdks_words() {
        let bob = Address::new([2; 20]).to_string();
        check_refused(
            send_of("nobody", "1", "uswing"),
            "sdk",
            7,
            "invalid to address: decoding bech32 failed: invalid bech32 string length 6: invalid address",
        );
        check_refused(send_of(&bob, "0", "uswing"), "sdk", 10, "0uswing: invalid coins");
        check_refused(send_of(&bob, "-1", "uswing"), "sdk", 10, "-1uswing: invalid coins");
        check_refused(send_of(&bob, "1", "!"), "sdk", 10, "1!: invalid coins");
        let pool = crate::address::module_address("bonded_tokens_pool").to_string();
        let log = format!("{pool} is not allowed to receive funds: unauthorized");
        check_refused(send_of(&pool, "1", "uswing"), "sdk", 4, &log);
    }

    #[test]
    fn a_denom_that_may_not_be_sent_is_refused() {
        let message = send_of(&Address::new([2; 20]).to_string(), "1", "uswing");
        let refused = with_context(|context| {
            params::set_send_enabled(context.state, "uswing", Some(false)).unwrap();
            send(context, &message).unwrap_err()
        });
        assert_eq!(refused.to_string(), "uswing transfers are currently disabled: send transactions are disabled");
    }
}
