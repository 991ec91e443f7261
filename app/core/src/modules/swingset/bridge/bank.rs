//! Bridge `bank`. Source: upstream's `vbank`, its requests; a vat cannot take coins from anybody's account here.
//!
//! - `{type: "VBANK_GET_BALANCE", address, denom}` → the amount as text.
//! - `{type: "VBANK_GET_MODULE_ACCOUNT_ADDRESS", moduleName: "vbank"}` → the address that vats' coins are at; anyone may send there.
//! - `{type: "VBANK_GIVE", recipient, denom, amount}` → true: sends from that address.
//!
//! # Invariants
//! - Coins leave no account but the module's own.
//! - An account that may not receive coins by a message does not receive them from here.

use serde_json::Value;

use super::{malformed, smallcaps, text};
use crate::{
    address::{Address, module_address},
    error::{Failure, Rejected},
    math::{Coin, Coins, Int},
    modules::bank::keeper as bank,
    state::State,
};

/// The module whose account holds the coins that vats may send.
pub const MODULE: &str = "vbank";

/// Answers a request.
///
/// # Errors
/// SDK 18 for what is no request; SDK 4 for a recipient that may not receive; SDK 5; storage.
pub fn call(state: &mut State<'_>, request: &Value) -> Result<Value, Failure> {
    match &*text(request, "type")? {
        "VBANK_GET_BALANCE" => {
            let holder = address(request, "address")?;
            let amount = bank::balance(state, &holder, &text(request, "denom")?)?;
            Ok(Value::String(amount.to_string()))
        }
        "VBANK_GET_MODULE_ACCOUNT_ADDRESS" => match &*text(request, "moduleName")? {
            MODULE => Ok(Value::String(module_address(MODULE).to_string())),
            other => Err(malformed(format!("moduleName: {MODULE} expected, got {other}")).into()),
        },
        "VBANK_GIVE" => {
            let recipient = address(request, "recipient")?;
            bank::send_from_module_to_account(state, MODULE, &recipient, &coins(request)?)?;
            Ok(Value::Bool(true))
        }
        other => Err(malformed(format!("type: there is no request {other}")).into()),
    }
}

fn address(request: &Value, field: &str) -> Result<Address, Rejected> {
    Address::parse(&text(request, field)?).map_err(|error| malformed(format!("{field}: {error}")))
}

fn coins(request: &Value) -> Result<Coins, Failure> {
    let denom = text(request, "denom")?.into_owned();
    let amount = request.get("amount").and_then(smallcaps::amount).filter(|amount| *amount > Int::ZERO);
    let amount = amount.ok_or_else(|| malformed("amount: a number above 0 expected"))?;
    let mut coins = Coins::EMPTY;
    coins.add_coin(&Coin { denom, amount })?;
    Ok(coins)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        modules::{auth, bank::keys},
        state::Empty,
    };

    fn fund(state: &mut State<'_>, amount: u64) {
        let key = keys::balance(&module_address(MODULE), "uswing");
        state.set(key, Int::from(amount).to_be_bytes_trimmed()).unwrap();
    }

    #[track_caller]
    fn check(state: &mut State<'_>, request: &Value, expected: &Result<Value, &str>) {
        match (call(state, request), expected) {
            (Ok(value), Ok(expected)) => assert_eq!(&value, expected),
            (Err(Failure::Rejected(refused)), Err(part)) => assert!(refused.log.contains(part), "{refused}"),
            (other, _) => panic!("{request}: {other:?}"),
        }
    }

    #[test]
    fn a_vat_sends_what_its_module_holds_and_nothing_else() {
        let mut state = State::new(&Empty);
        fund(&mut state, 10);
        let to = Address::new([1; 20]).to_string();
        let give = |recipient: &str, amount: Value| json!({"type": "VBANK_GIVE", "recipient": recipient, "denom": "uswing", "amount": amount});
        let balance = |address: &str| json!({"type": "VBANK_GET_BALANCE", "address": address, "denom": "uswing"});
        let module = json!({"type": "VBANK_GET_MODULE_ACCOUNT_ADDRESS", "moduleName": "vbank"});
        check(&mut state, &module, &Ok(json!(module_address(MODULE).to_string())));
        check(&mut state, &give(&to, json!("+7")), &Ok(json!(true)));
        check(&mut state, &give(&to, json!("1")), &Ok(json!(true)));
        check(&mut state, &balance(&to), &Ok(json!("8")));
        for (request, part) in [
            (give(&to, json!("+3")), "insufficient funds"),
            (give(&to, json!("+0")), "above 0"),
            (give("swing1", json!("+1")), "recipient"),
            (give(&module_address(auth::keeper::FEE_COLLECTOR).to_string(), json!("+1")), "not allowed to receive"),
            (json!({"type": "VBANK_GRAB", "sender": to, "denom": "uswing", "amount": "+1"}), "VBANK_GRAB"),
            (json!({"type": "VBANK_GET_MODULE_ACCOUNT_ADDRESS", "moduleName": "gov"}), "vbank expected"),
            (json!([]), "type"),
        ] {
            check(&mut state, &request, &Err(part));
        }
        check(&mut state, &balance(&to), &Ok(json!("8")));
    }
}
