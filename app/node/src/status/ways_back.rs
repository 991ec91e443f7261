//! What the status says of ways back: whether a checkpoint can be made before the next upgrade, and to which of those that there are it
//! is still possible to go.

use serde_json::{Value, json};

use crate::{
    checkpoint::{self, Outlook},
    config::Home,
};

/// Whether one can be made; null before there is a database.
pub(super) fn next(home: &Home, committed: u64) -> Value {
    if committed == 0 {
        return Value::Null;
    }
    let possible = checkpoint::check_possible(home);
    json!({ "possible": possible.is_ok(), "reason": possible.err() })
}

/// Those that there are, the oldest first. A folder or a manifest that cannot be read has no row: `checkpoint list` tells of these.
pub(super) fn kept(home: &Home, committed: u64) -> Value {
    let list = checkpoint::of_home(home).list().unwrap_or_default();
    let outlook = Outlook::of_home(home, committed);
    let rows = list.iter().flatten().map(|manifest| {
        let rollback = outlook.rollback(manifest.height);
        json!({ "id": manifest.id, "height": manifest.height.to_string(), "rollback": rollback })
    });
    rows.collect()
}
