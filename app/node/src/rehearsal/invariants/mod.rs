//! What must be true of committed state whatever release wrote it. Each check reads state by the documented keys and trusts no code of
//! the modules that wrote it.

mod actions;
mod bank;
mod clists;
mod entries;
mod kernel_queues;
mod pages;
mod stored;

use swing_core::state::{StateError, StateRead};

/// Breaches that are told in words; the others are counted.
const TOLD_MAX: usize = 20;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What was checked.
    pub name: &'static str,
    /// How many things were looked at.
    pub looked_at: u64,
    /// How many of them are not as they must be.
    pub broken: u64,
    /// The first of them, in words.
    pub told: Vec<String>,
}

impl Checked {
    fn new(name: &'static str) -> Self {
        Checked { name, looked_at: 0, broken: 0, told: Vec::new() }
    }

    /// One thing was looked at, and is as it must be or is not.
    fn look(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        self.looked_at = self.looked_at.saturating_add(1);
        if holds {
            return;
        }
        self.broken = self.broken.saturating_add(1);
        if self.told.len() < TOLD_MAX {
            self.told.push(otherwise());
        }
    }
}

/// Checks them all.
///
/// # Errors
/// State that cannot be read.
pub fn check(state: &dyn StateRead) -> Result<Vec<Checked>, StateError> {
    Ok(vec![
        bank::supply_is_the_sum_of_balances(state)?,
        actions::queues_have_what_their_numbers_say(state)?,
        kernel_queues::queues_have_what_their_bounds_say(state)?,
        clists::entries_come_in_pairs_and_are_counted(state)?,
        stored::stored_bytes_are_what_is_stored(state)?,
        pages::roots_are_those_of_the_pages(state)?,
    ])
}
