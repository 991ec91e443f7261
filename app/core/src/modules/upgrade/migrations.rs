//! Migrations of this module's layout, one step each. A released step is never edited.

use super::{params, plans};
use crate::{error::Failure, state::State};

/// From layout 2 to 3: plans get numbers, those that were applied and the pending one first; parameters begin.
///
/// # Errors
/// Storage.
pub fn to_3(state: &mut State<'_>) -> Result<(), Failure> {
    params::set(state, &params::default())?;
    Ok(plans::complete(state)?)
}
