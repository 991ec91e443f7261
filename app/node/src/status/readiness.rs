//! How ready the validators say that they are for a plan.

use serde_json::{Value, json};
use swing_core::{modules::upgrade::readiness, state::StateError};
use swing_proto::swing::upgrade::v1::PlanRecord;
use swing_store::View;

/// Power for a plan: the most that agrees, what the plan asks for, and all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    agreeing: u64,
    required: u64,
    total: u64,
}

impl Readiness {
    pub(super) fn of(view: &View, record: &PlanRecord) -> Result<Option<Self>, StateError> {
        let tally = readiness::tally(view, record)?;
        let (agreeing, required, total) = (tally.agreeing(), tally.required, tally.total);
        Ok((required > 0).then_some(Readiness { agreeing, required, total }))
    }

    pub(super) fn to_json(self) -> Value {
        json!({
            "agreeing_power": self.agreeing.to_string(),
            "required_power": self.required.to_string(),
            "total_power": self.total.to_string(),
        })
    }
}
