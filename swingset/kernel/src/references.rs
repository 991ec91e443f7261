//! How many references a vat's c-list has, by kind (schema 3): `v$N.references` is `exports,imports,promises,devices`. Without it whoever
//! asks has to walk the whole c-list, which a vat may make long.
//!
//! # Invariants
//! - From schema 3 on the counts of a vat, one that ended included, are those of the entries `v$N.c.k…`.

use alloc::string::String;

use crate::{
    crank::Kernel,
    host::Host,
    keys::{self, join, path},
    refcount::Change,
    store::{Fault, Kept, Numbers, number_text, parse_number, parse_numbers},
};

/// The kinds, in the order of the counts.
pub const KINDS: [&str; 4] = ["exports", "imports", "promises", "devices"];

fn kind_of(vref: &str) -> Kept<usize> {
    match vref.as_bytes() {
        [b'o', b'+', ..] => Ok(0),
        [b'o', b'-', ..] => Ok(1),
        [b'p', ..] => Ok(2),
        [b'd', ..] => Ok(3),
        _ => Err(Fault("a c-list entry's vref is malformed")),
    }
}

impl<H: Host> Kernel<'_, H> {
    /// A vat's counts.
    pub fn references(&mut self, vat_id: &str) -> Kept<Option<[u64; 4]>> {
        let Some(text) = self.store.get(path([vat_id, ".references"])) else {
            return Ok(None);
        };
        let counts = parse_numbers(text).ok_or(Fault("a vat's counts of references are malformed"))?;
        Ok(Some(counts))
    }

    fn set_references(&mut self, vat_id: &str, counts: [u64; 4]) {
        self.store.set(path([vat_id, ".references"]), Numbers::of(counts));
    }

    /// A vat begins without references.
    pub fn begin_references(&mut self, vat_id: &str) {
        if cfg!(feature = "schema-3") {
            self.set_references(vat_id, [0; 4]);
        }
    }

    /// An entry was made or deleted.
    pub fn count_reference(&mut self, vat_id: &str, vref: &str, change: Change) -> Kept<()> {
        if cfg!(feature = "schema-3") {
            let counts = self.references(vat_id)?;
            let mut counts = counts.ok_or(Fault("a vat has no counts of references"))?;
            let count = &mut counts[kind_of(vref)?];
            *count = change.apply(*count)?;
            self.set_references(vat_id, counts);
        }
        Ok(())
    }

    /// 2 → 3: counts what is there. A position is a vat's number, with the kref counted last when its c-list is not through; each vat
    /// and each entry is one of the budget.
    pub fn count_slice(&mut self, position: &str, budget: u64) -> Kept<Option<String>> {
        let (number, mut last) = position.split_once(' ').unwrap_or((position, ""));
        let first = if number.is_empty() {
            Some(1)
        } else {
            parse_number(number.as_bytes())
        };
        let mut number = first.ok_or(Fault("the cursor of the migration is malformed"))?;
        let end = self.store.get_number(keys::VAT_NEXT_ID)?;
        let end = end.ok_or(Fault("an ID counter is missing"))?;
        let mut left = budget;
        while number < end {
            if left == 0 {
                return Ok(Some(number_text(number)));
            }
            // A vat that was begun before has been paid for: each slice gets further.
            left -= u64::from(last.is_empty());
            let vat_id = keys::numbered("v", number);
            if self.store.has(path([&vat_id, ".source"]))
                && let Some(kref) = self.count_entries(&vat_id, last, &mut left)?
            {
                return Ok(Some(join([&number_text(number), " ", &kref])));
            }
            last = "";
            number += 1;
        }
        Ok(None)
    }

    /// Counts a vat's entries after a kref; gives the last one when the budget ends first.
    fn count_entries(&mut self, vat_id: &str, last: &str, left: &mut u64) -> Kept<Option<String>> {
        let mut counts = match self.references(vat_id)? {
            Some(counts) if !last.is_empty() => counts,
            _ => [0; 4],
        };
        let clist = join([vat_id, ".c."]);
        let krefs = join([&clist, "k"]);
        let mut prior = if last.is_empty() {
            krefs.clone()
        } else {
            join([&clist, last])
        };
        let mut stopped = None;
        while let Some(key) = self.store.next_key(&prior, &krefs)? {
            if *left == 0 {
                stopped = Some(String::from(prior.get(clist.len()..).unwrap_or_default()));
                break;
            }
            *left -= 1;
            let kref = key.get(clist.len()..).unwrap_or_default();
            let entry = self.entry(vat_id, kref)?;
            let entry = entry.ok_or(Fault("a c-list entry to count is missing"))?;
            counts[kind_of(&entry.vref)?] += 1;
            prior = key;
        }
        self.set_references(vat_id, counts);
        Ok(stopped)
    }
}
