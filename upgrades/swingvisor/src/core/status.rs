//! What a binary says of the home's committed state: the answer of `<binary> status -o json`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A plan, as committed state has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// The block that it upgrades.
    pub height: u64,
    /// Free text; JSON that names downloads where its author followed the custom.
    pub info: String,
}

/// A plan among those that are pending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its number; none under rules that number no plans.
    pub id: Option<u64>,
    /// The plan.
    pub plan: Plan,
    /// How ready the validators say that they are, where the plan asks for that.
    pub readiness: Option<Readiness>,
}

impl Pending {
    /// One that no list has.
    fn alone(plan: Plan) -> Self {
        Pending { id: None, plan, readiness: None }
    }
}

/// Power that attested that it is ready for a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// The most that attested one and the same result of a rehearsal.
    pub agreeing_power: u64,
    /// What the plan asks for.
    pub required_power: u64,
    /// Of the whole set.
    pub total_power: u64,
}

/// Why the asked binary goes no further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The exit code that it would end with.
    pub exit_code: u8,
    /// What it would say.
    pub lines: Vec<String>,
}

/// An answer of a binary that looked at committed state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The release of the asked binary.
    pub release: String,
    /// The committed height; 0 before the first block.
    pub committed_height: u64,
    /// The app hash after it, upper-case hex.
    pub app_hash: String,
    /// The pending plan; the nearest, where there are several.
    pub plan: Option<Plan>,
    /// All pending plans, the nearest first.
    pub plans: Vec<Pending>,
    /// Why the asked binary goes no further, if it does not.
    pub stop: Option<Stop>,
    /// Why the node could make no checkpoint before an upgrade, if it says so.
    pub checkpoint_problem: Option<String>,
}

/// The answer to a question, or why there is none. A failure is never "no upgrade".
pub type Answer = Result<Status, String>;

/// Why an output is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// No JSON.
    #[error("the answer is no JSON: {reason}")]
    NotJson {
        /// What the parser said.
        reason: String,
    },
    /// A field is missing or has another type.
    #[error("the answer's `{field}` is missing or not {expected}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

fn field(field: &'static str, expected: &'static str) -> StatusError {
    StatusError::Field { field, expected }
}

/// A number that JSON carries as text.
fn number(value: &Value) -> Option<u64> {
    value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_u64())
}

impl Status {
    /// From the command's output.
    ///
    /// # Errors
    /// [`StatusError`]: an output that leaves open what state says. Nothing is assumed for what is missing.
    pub fn parse(output: &[u8]) -> Result<Self, StatusError> {
        let answer: Value =
            serde_json::from_slice(output).map_err(|error| StatusError::NotJson { reason: error.to_string() })?;
        Status::of(&answer)
    }

    /// From the answer.
    ///
    /// # Errors
    /// As [`Status::parse`].
    pub fn of(answer: &Value) -> Result<Self, StatusError> {
        let application = &answer["application"];
        let release = application["release"].as_str().ok_or(field("application.release", "a text"))?.to_owned();
        let committed_height =
            number(&application["committed_height"]).ok_or(field("application.committed_height", "a number"))?;
        let app_hash = answer["sync_info"]["latest_app_hash"].as_str().unwrap_or_default().to_owned();
        let plan = match application.get("plan") {
            Some(Value::Null) => None,
            Some(plan) => Some(Self::plan(plan)?),
            None => return Err(field("application.plan", "a plan or null")),
        };
        let plans = match application.get("plans").map(Value::as_array) {
            Some(Some(plans)) => plans.iter().map(Self::pending).collect::<Result<_, _>>()?,
            Some(None) => return Err(field("application.plans", "a list")),
            // A binary of before says the nearest only.
            None => plan.iter().cloned().map(Pending::alone).collect(),
        };
        let stop = match application.get("stop") {
            Some(Value::Null) => None,
            Some(stop) => Some(Self::stop(stop)?),
            None => return Err(field("application.stop", "a reason or null")),
        };
        let checkpoint = [&application["checkpoint"], &answer["checkpoint"]].into_iter().find(|told| told.is_object());
        let checkpoint_problem = checkpoint
            .filter(|told| told["possible"].as_bool() == Some(false))
            .map(|told| told["reason"].as_str().unwrap_or("it does not say why").to_owned());
        Ok(Status { release, committed_height, app_hash, plan, plans, stop, checkpoint_problem })
    }

    fn plan(plan: &Value) -> Result<Plan, StatusError> {
        Ok(Plan {
            name: plan["name"].as_str().ok_or(field("application.plan.name", "a text"))?.to_owned(),
            height: number(&plan["height"]).ok_or(field("application.plan.height", "a number"))?,
            info: plan["info"].as_str().unwrap_or_default().to_owned(),
        })
    }

    fn pending(plan: &Value) -> Result<Pending, StatusError> {
        let id = match plan.get("id") {
            None | Some(Value::Null) => None,
            Some(id) => Some(number(id).ok_or(field("application.plans.id", "a number"))?),
        };
        let readiness = &plan["readiness"];
        let power = |name: &str| number(&readiness[name]);
        // It is shown, and decides nothing: a node of before does not tell it.
        let readiness = power("required_power").map(|required_power| Readiness {
            required_power,
            agreeing_power: power("agreeing_power").unwrap_or_default(),
            total_power: power("total_power").unwrap_or_default(),
        });
        Ok(Pending { id, plan: Self::plan(plan)?, readiness })
    }

    fn stop(stop: &Value) -> Result<Stop, StatusError> {
        let exit_code = stop["exit_code"].as_u64().and_then(|code| u8::try_from(code).ok());
        let lines = stop["lines"].as_array().into_iter().flatten();
        Ok(Stop {
            exit_code: exit_code.ok_or(field("application.stop.exit_code", "an exit code"))?,
            lines: lines.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }

    /// The nearest plan, with its number where the list has it.
    pub fn nearest(&self) -> Option<Pending> {
        let plan = self.plan.as_ref()?;
        let listed = self.plans.iter().find(|pending| pending.plan == *plan);
        Some(listed.cloned().unwrap_or_else(|| Pending::alone(plan.clone())))
    }

    /// The height of the next block.
    pub fn next_height(&self) -> u64 {
        self.committed_height.saturating_add(1)
    }
}
