//! Migrations of the chain side's layout, one step each. A released step is never edited.

use super::state as params;
use crate::{error::Failure, state::State};

/// From layout 1 to 2: the limit of an inbound message's arguments becomes a parameter, at the value that was fixed before.
///
/// # Errors
/// Storage.
pub fn to_2(state: &mut State<'_>) -> Result<(), Failure> {
    let migrated = params::completed(params::params(state)?, 2);
    Ok(params::set_params(state, &migrated)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Empty;

    #[test]
    fn the_limit_of_arguments_becomes_a_parameter_and_all_others_stay() {
        let mut state = State::new(&Empty);
        let mut before = params::default_params();
        before.inbound_queue_max = 7;
        params::set_params(&mut state, &before).unwrap();
        to_2(&mut state).unwrap();
        before.inbound_args_size_limit_bytes = 128 << 10;
        assert_eq!(params::params(&state).unwrap(), before);
        params::validate_params(&before, 2).unwrap();
    }
}
