//! Actions in words.

use crate::core::Action;

/// An action, for people.
pub fn in_words(action: &Action) -> String {
    match action {
        Action::Link(slot) => format!("point the link at {slot}"),
        Action::Ask(slot) => format!("ask {slot} what committed state is"),
        Action::Fetch(plan, slot) => format!("download {} into {slot}", plan.name),
        Action::Begin(upgrade) => format!("begin the switch from {} to {}", upgrade.from, upgrade.to),
        Action::Backup => "make the backup".to_owned(),
        Action::Check => "ask the new binary whether it takes over".to_owned(),
        Action::Switch => "point the link at the new binary".to_owned(),
        Action::Finish => "end the switch".to_owned(),
        Action::Abandon { reason } => format!("drop the switch under way: {reason}"),
        Action::Start(slot) => format!("start the node in {slot}"),
        Action::Rest { reason } => format!("look again after a rest: {reason}"),
        Action::Leave { code, reason } => format!("end with exit code {code}: {reason}"),
    }
}
