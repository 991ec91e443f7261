//! Schema migrations, in slices: a step for each schema between the state's and this kernel's. The cursor is the host's to keep; the flag
//! `kernel.migrating` says that one is under way, and the version is written when all of it is done.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{Reply, refusal},
    wire::Blob,
};

use crate::{
    SCHEMA, SCHEMA_FROM_MIN,
    command::{Refused, Served},
    crank::Kernel,
    faults,
    host::Host,
    keys::{self, join},
    store::{Fault, number_text, parse_number},
};

impl<H: Host> Kernel<'_, H> {
    /// One slice, of at most `budget` entries (at least one). Idempotent once done.
    pub fn migrate(&mut self, cursor: &[u8], budget: u64) -> Served<Reply> {
        if cfg!(feature = "trap-in-migration") {
            faults::trap();
        }
        if cfg!(feature = "endless-migration") {
            return Ok(Reply::Migrated {
                cursor: Blob(cursor.to_vec()),
                more: true,
            });
        }
        let version = self.store.get_number(keys::VERSION)?;
        let version = version.ok_or(Refused::new(
            refusal::NOT_INITIALIZED,
            "initialize_swingset has not run",
        ))?;
        let under_way = self.store.has(keys::MIGRATING);
        if version == u64::from(SCHEMA) && !under_way {
            return Ok(Reply::Migrated {
                cursor: Blob(Vec::new()),
                more: false,
            });
        }
        if version < u64::from(SCHEMA_FROM_MIN) || version >= u64::from(SCHEMA) {
            return Err(Refused::new(
                refusal::SCHEMA,
                "this kernel does not migrate from the state's schema",
            ));
        }
        if cursor.is_empty() == under_way {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "the cursor does not fit the state: empty at the start, the last answer's after",
            ));
        }
        let (step, position) = if cursor.is_empty() {
            (version + 1, String::new())
        } else {
            read_cursor(cursor)
                .filter(|(step, _)| (version + 1..=u64::from(SCHEMA)).contains(step))
                .ok_or(Refused::new(refusal::BAD_ARGUMENT, "the cursor is malformed"))?
        };
        self.store.set_text(keys::MIGRATING, &number_text(u64::from(SCHEMA)));
        let next = match self.migrate_slice(step, &position, budget.max(1))? {
            Some(position) => Some((step, position)),
            // The next step begins in the next slice.
            None => (step < u64::from(SCHEMA)).then(|| (step + 1, String::new())),
        };
        match next {
            Some((step, position)) => Ok(Reply::Migrated {
                cursor: Blob(join([&number_text(step), " ", &position]).into_bytes()),
                more: true,
            }),
            None => {
                self.store.set_number(keys::VERSION, u64::from(SCHEMA));
                self.store.delete(keys::MIGRATING);
                // What the migration leaves to be delivered goes before all that comes later.
                self.inject_upgrade_events()?;
                Ok(Reply::Migrated {
                    cursor: Blob(Vec::new()),
                    more: false,
                })
            }
        }
    }

    /// One slice of the step that leads to a schema; gives where the next begins, none when the step is done.
    fn migrate_slice(&mut self, step: u64, position: &str, budget: u64) -> Served<Option<String>> {
        match step {
            2 => self.begin_deliveries(position, budget),
            3 => Ok(self.count_slice(position, budget)?),
            _ => Err(Fault("no step leads to this schema").into()),
        }
    }

    /// 1 → 2: every vat, a terminated one with entries left too, gets a count of deliveries. A position is the next vat's number.
    fn begin_deliveries(&mut self, position: &str, budget: u64) -> Served<Option<String>> {
        let first = if position.is_empty() {
            Some(1)
        } else {
            parse_number(position.as_bytes())
        };
        let first = first.ok_or(Refused::new(refusal::BAD_ARGUMENT, "the cursor is malformed"))?;
        let end = self
            .store
            .get_number(keys::VAT_NEXT_ID)?
            .ok_or(Fault("an ID counter is missing"))?;
        let slice_end = first.saturating_add(budget).min(end);
        for number in first..slice_end {
            let vat_id = keys::numbered("v", number);
            if self.store.has(keys::path([&vat_id, ".source"])) {
                self.store.set_number(keys::path([&vat_id, ".deliveries"]), 0);
            }
        }
        Ok((slice_end < end).then(|| number_text(slice_end)))
    }
}

/// A cursor: the schema that the present step leads to, a space, and the step's position.
fn read_cursor(cursor: &[u8]) -> Option<(u64, String)> {
    let (step, position) = core::str::from_utf8(cursor).ok()?.split_once(' ')?;
    Some((parse_number(step.as_bytes())?, String::from(position)))
}
