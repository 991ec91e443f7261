//! The tally: attestations by power and by digest.

use std::collections::BTreeMap;

use swing_proto::swing::upgrade::v1::{DigestTally, MissingValidator, PlanRecord};

use super::super::info;
use crate::{
    modules::staking::{state as staking, validator_set},
    state::{StateError, StateRead},
};

/// What validators of the set have attested for a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Power of the whole set.
    pub total: u64,
    /// Power of those that attested anything.
    pub attested: u64,
    /// Power that the plan asks for; 0 when it asks for none.
    pub required: u64,
    /// Digests with their power, the most first.
    pub digests: Vec<DigestTally>,
    /// Who has attested nothing, by operator.
    pub missing: Vec<MissingValidator>,
}

impl Tally {
    /// The most power that attested one and the same digest.
    pub fn agreeing(&self) -> u64 {
        self.digests.first().map_or(0, |digest| digest.power)
    }

    /// Whether validators of the set attested different digests.
    pub fn conflict(&self) -> bool {
        self.digests.len() > 1
    }
}

/// Counts what validators of the present set have attested.
///
/// # Errors
/// Storage, out of gas.
pub fn tally(state: &dyn StateRead, record: &PlanRecord) -> Result<Tally, StateError> {
    let mut attested: BTreeMap<_, _> = super::attestations(state, record.id)?.into_iter().collect();
    let mut tally = Tally::default();
    let mut digests: BTreeMap<String, DigestTally> = BTreeMap::new();
    for (operator, power) in validator_set::last_powers(state)? {
        tally.total = tally.total.saturating_add(power);
        if let Some(attestation) = attested.remove(&operator) {
            tally.attested = tally.attested.saturating_add(power);
            let of_digest = digests.entry(attestation.digest.clone()).or_default();
            of_digest.digest.clone_from(&attestation.digest);
            of_digest.power = of_digest.power.saturating_add(power);
            of_digest.attestations.push(attestation);
        } else {
            let moniker = staking::validator(state, &operator)?.map(|validator| validator.description.moniker);
            let validator = operator.to_operator();
            tally.missing.push(MissingValidator { validator, moniker: moniker.unwrap_or_default(), power });
        }
    }
    tally.digests = digests.into_values().collect();
    // Equal powers stay in the digests' order.
    tally.digests.sort_by_key(|digest| std::cmp::Reverse(digest.power));
    tally.required =
        info::stored(&record.info).readiness.map_or(0, |readiness| part(tally.total, readiness.power_percent));
    Ok(tally)
}

/// A percentage of a power, rounded up.
fn part(total: u64, percent: u64) -> u64 {
    let wanted = (u128::from(total).saturating_mul(u128::from(percent))).div_ceil(100);
    u64::try_from(wanted).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_percentage_of_power_is_rounded_up() {
        for (total, percent, wanted) in
            [(100, 67, 67), (3, 67, 3), (3, 66, 2), (4, 50, 2), (u64::MAX, 100, u64::MAX), (7, 1, 1)]
        {
            assert_eq!(part(total, percent), wanted, "{percent} % of {total}");
        }
    }
}
