//! What a restored version must be beside having the trusted app hash.

use swing_core::state::State;
use swing_store::{View, snapshot::Metadata};

use super::about;
use crate::engine_adapter::StateEnvironment;

/// Checks that pages and bundles, which the app hash binds only through what is in the tree, are those that it binds, and that the
/// metadata told the truth about the state.
///
/// # Errors
/// What is wrong.
pub fn verify(view: &View, metadata: &Metadata) -> Result<(), String> {
    let found = about(view).map_err(|error| error.to_string())?;
    let told = &metadata.about;
    if (&found.chain_id, found.app_version) != (&told.chain_id, told.app_version) {
        return Err(format!(
            "the state is of chain {} with app version {}, the metadata told of {} and {}",
            found.chain_id, found.app_version, told.chain_id, told.app_version
        ));
    }
    let mut state = State::new(view);
    swingset_host::verify_unhashed(&StateEnvironment::new(&mut state)).map_err(|halt| halt.0)
}
