//! Balances against supplies.

use std::collections::BTreeMap;

use swing_core::{
    math::Int,
    modules::bank::keys,
    state::{StateError, StateRead},
};

use super::Checked;

/// Of every denom there is as much as all accounts have.
pub fn supply_is_the_sum_of_balances(state: &dyn StateRead) -> Result<Checked, StateError> {
    let amount = |bytes: &[u8]| Int::from_be_bytes(bytes).map_err(|error| StateError::Storage(error.to_string()));
    let mut sums: BTreeMap<String, Int> = BTreeMap::new();
    let mut checked = Checked::new("bank: supply is the sum of balances");
    for entry in state.prefix(keys::BALANCES) {
        let (key, value) = entry?;
        let Some((_, denom)) = keys::parse_balance(&key) else {
            checked.look(false, || format!("key {} is no balance's", key.escape_ascii()));
            continue;
        };
        let sum = sums.get(denom).copied().unwrap_or_default();
        let sum = sum.add(amount(&value)?).map_err(|error| StateError::Storage(format!("sum of {denom}: {error}")))?;
        sums.insert(denom.to_owned(), sum);
    }
    for entry in state.prefix(keys::SUPPLIES) {
        let (key, value) = entry?;
        let denom = String::from_utf8_lossy(key.strip_prefix(keys::SUPPLIES).unwrap_or_default()).into_owned();
        let (supply, sum) = (amount(&value)?, sums.remove(&denom).unwrap_or_default());
        checked.look(supply == sum, || format!("{denom}: supply {supply}, balances {sum}"));
    }
    for (denom, sum) in sums {
        checked.look(sum.is_zero(), || format!("{denom}: balances {sum}, and no supply"));
    }
    Ok(checked)
}
