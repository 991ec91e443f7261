//! Schema migrations, in slices. The cursor is the host's to keep; the flag `kernel.migrating` says that one is under way.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{Reply, refusal},
    wire::Blob,
};

use crate::{
    SCHEMA,
    command::{Refused, Served},
    crank::Kernel,
    faults,
    host::Host,
    keys,
    store::{Fault, number_text},
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
        if version.checked_add(1) != Some(u64::from(SCHEMA)) {
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
        self.store.set_text(keys::MIGRATING, &number_text(u64::from(SCHEMA)));
        let next = self.migrate_slice(cursor, budget.max(1))?;
        match next {
            Some(cursor) => Ok(Reply::Migrated {
                cursor: Blob(cursor.into_bytes()),
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

    /// 1 → 2: every vat, a terminated one with entries left too, gets a count of deliveries. The cursor is the next vat's number.
    #[cfg(feature = "schema-2")]
    fn migrate_slice(&mut self, cursor: &[u8], budget: u64) -> Served<Option<String>> {
        let first = if cursor.is_empty() {
            Some(1)
        } else {
            crate::store::parse_number(cursor)
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

    /// Schema 1 is the first: nothing leads to it.
    #[cfg(not(feature = "schema-2"))]
    fn migrate_slice(&mut self, _cursor: &[u8], _budget: u64) -> Served<Option<String>> {
        Err(Fault("schema 1 has no predecessor").into())
    }
}
