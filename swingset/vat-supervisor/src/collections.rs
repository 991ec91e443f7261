//! Collections: entries in the vatstore, in the order of their keys.
//!
//! # Invariants
//! - A strong collection's size is the number of its entries. A key that is an object is held like a value; a weak collection's
//!   is not, and its entry goes with the object.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    supervisor::{CollectionShape, Entry, EntryKey, Passable, SlotHandle, StoredId, VatAnswer},
    vat::CapData,
    wire::Wire,
};

use crate::{
    machine::{Requested, Supervisor, Then},
    records::{self, CollectionRecord, Counted, entries_prefix, state_key},
    stored::OpenCollection,
    vref::{self, Vref},
};

/// Longest key, label or schema in bytes: with its prefix a key stays below the kernel's limit.
const KEY_BYTES_MAX: usize = 400;
/// Begins the keys that are objects.
const OBJECT_KEY: char = 'o';

const WEAK_MAP: u64 = CollectionShape::WeakMap {}.kind();
const WEAK_SET: u64 = CollectionShape::WeakSet {}.kind();

/// Whether a collection holds its keys weakly.
pub fn is_weak(collection: StoredId) -> bool {
    matches!(collection.kind, WEAK_MAP | WEAK_SET)
}

/// The object that a key's text names.
pub fn object_of(key: &str) -> Option<&str> {
    key.strip_prefix(OBJECT_KEY)
}

/// What is counted of an object that is a key.
pub fn counted(vref: &str) -> Option<Counted> {
    match vref::parse(vref) {
        Some(Vref::Import(handle)) => Some(Counted::Import(handle)),
        Some(Vref::Stored(id)) => Some(Counted::Stored(id)),
        _ => None,
    }
}

impl Supervisor {
    /// A new collection.
    pub(crate) fn new_collection(
        &mut self,
        durable: bool,
        shape: &CollectionShape,
        label: String,
        schema: String,
    ) -> Requested {
        if label.len() > KEY_BYTES_MAX || schema.len() > KEY_BYTES_MAX {
            return Err("a collection's label and schema are at most 400 bytes long");
        }
        let instance = self.stored.meta.last_collection + 1;
        self.stored.meta.last_collection = instance;
        let id = StoredId {
            durable,
            kind: shape.kind(),
            instance,
        };
        let record = CollectionRecord { label, schema, size: 0 };
        self.write(state_key(id), record.to_bytes());
        self.counts.hold(id);
        Ok(Then::Answer(VatAnswer::Handle { handle: instance }))
    }

    /// What a collection is.
    pub(crate) fn collection_info(&mut self, id: StoredId) -> Requested {
        self.with_collection(id, move |supervisor| {
            let record = supervisor.opened(id)?.record.clone();
            Ok(Then::Answer(VatAnswer::Collection {
                label: record.label,
                schema: record.schema,
                size: record.size,
            }))
        })
    }

    /// The value of a key.
    pub(crate) fn entry_get(&mut self, id: StoredId, key: &EntryKey) -> Requested {
        let key = self.entry_key(id, key)?;
        self.with_collection(id, move |supervisor| {
            supervisor.read(key, |supervisor, found| supervisor.answer_stored(found))
        })
    }

    /// Sets the value of a key.
    pub(crate) fn entry_set(&mut self, id: StoredId, key: &EntryKey, value: &Passable, only_new: bool) -> Requested {
        let text = self.key_text(id, key)?;
        let value = self.store_value(value, id.durable)?;
        let full = [&entries_prefix(id), text.as_str()].concat();
        self.with_collection(id, move |supervisor| {
            supervisor.read(full.clone(), move |supervisor, found| {
                let existed = found.is_some();
                let answer = Ok(Then::Answer(VatAnswer::Existed { existed }));
                match found {
                    Some(_) if only_new => return answer,
                    Some(bytes) => {
                        let before: CapData = records::read(&bytes)?;
                        supervisor.count_slots(&value.slots, 1);
                        supervisor.count_slots(&before.slots, -1);
                    }
                    None => {
                        supervisor.count_slots(&value.slots, 1);
                        supervisor.count_key(id, &text, 1)?;
                    }
                }
                supervisor.write(full, value.to_bytes());
                answer
            })
        })
    }

    /// Deletes a key.
    pub(crate) fn entry_delete(&mut self, id: StoredId, key: &EntryKey) -> Requested {
        let text = self.key_text(id, key)?;
        let full = [&entries_prefix(id), text.as_str()].concat();
        self.with_collection(id, move |supervisor| {
            supervisor.read(full, move |supervisor, found| {
                let existed = found.is_some();
                if let Some(bytes) = found {
                    supervisor.drop_entry(id, &text, &bytes)?;
                }
                Ok(Then::Answer(VatAnswer::Existed { existed }))
            })
        })
    }

    /// Deletes an entry that was read.
    pub(crate) fn drop_entry(&mut self, id: StoredId, text: &str, bytes: &[u8]) -> Result<(), &'static str> {
        let value: CapData = records::read(bytes)?;
        self.count_slots(&value.slots, -1);
        self.count_key(id, text, -1)?;
        self.delete([&entries_prefix(id), text].concat());
        Ok(())
    }

    /// The first entry, or the first after a key.
    pub(crate) fn entry_next(&mut self, id: StoredId, after: Option<&EntryKey>) -> Requested {
        if is_weak(id) {
            return Err("a weak collection cannot be walked");
        }
        let after = match after {
            Some(key) => self.key_text(id, key)?,
            None => String::new(),
        };
        self.with_collection(id, move |supervisor| {
            supervisor.next_key(entries_prefix(id), &after, move |supervisor, found| {
                let Some(text) = found else {
                    return Ok(Then::Answer(VatAnswer::Entry { entry: None }));
                };
                let full = [&entries_prefix(id), text.as_str()].concat();
                supervisor.read(full, move |supervisor, found| {
                    let bytes = found.ok_or("an entry in the vatstore is missing")?;
                    let value = supervisor.given_from_store(records::read(&bytes)?)?;
                    let key = supervisor.given_key(text)?;
                    let entry = Some(Entry { key, value });
                    Ok(Then::Answer(VatAnswer::Entry { entry }))
                })
            })
        })
    }

    fn given_key(&mut self, text: String) -> Result<EntryKey, &'static str> {
        let Some(vref) = object_of(&text) else {
            return Ok(EntryKey::Data { text });
        };
        let data = CapData {
            body: String::new(),
            slots: Vec::from([String::from(vref)]),
        };
        let value = self.given_from_store(data)?;
        let slot = value.slots.first().copied().ok_or("a key names nothing")?;
        Ok(EntryKey::Object { slot })
    }

    /// A collection gains (1) or loses (-1) a key.
    fn count_key(&mut self, id: StoredId, text: &str, change: i64) -> Result<(), &'static str> {
        if is_weak(id) {
            let counted = object_of(text)
                .and_then(counted)
                .ok_or("a weak collection's key is no object")?;
            self.counts.count_weak(counted, change);
            let key = vref::stored_text(&counted.recognizers_prefix(), id);
            if change > 0 {
                self.write(key, Vec::new());
            } else {
                self.delete(key);
            }
            return Ok(());
        }
        if let Some(vref) = object_of(text) {
            self.count_slots(&[String::from(vref)], change);
        }
        if let Some(open) = self.stored.open.get_mut(&id) {
            let size = open.record.size.checked_add_signed(change);
            open.record.size = size.ok_or("a collection's size in the vatstore is too low")?;
            open.changed = true;
        }
        Ok(())
    }

    fn entry_key(&self, id: StoredId, key: &EntryKey) -> Result<String, &'static str> {
        Ok([&entries_prefix(id), self.key_text(id, key)?.as_str()].concat())
    }

    fn key_text(&self, id: StoredId, key: &EntryKey) -> Result<String, &'static str> {
        let mut text = String::from(OBJECT_KEY);
        match key {
            EntryKey::Data { .. } if is_weak(id) => return Err("a weak collection's keys are objects"),
            EntryKey::Data { text } => {
                if text.is_empty() || text.len() > KEY_BYTES_MAX || text.starts_with(OBJECT_KEY) {
                    return Err("a key is 1 to 400 bytes long");
                }
                return Ok(text.clone());
            }
            EntryKey::Object { slot } => {
                self.check_slots(&[*slot])?;
                text.push_str(&match *slot {
                    SlotHandle::Presence { handle } => vref::text("o-", handle),
                    SlotHandle::Stored { object } if object.durable || !id.durable => vref::stored_text("o+", object),
                    SlotHandle::Local { handle } if !id.durable && !is_weak(id) => vref::text("o+", handle),
                    SlotHandle::Stored { .. } | SlotHandle::Local { .. } => {
                        return Err("an object that ends with this incarnation cannot be a key here");
                    }
                    SlotHandle::Promise { .. } | SlotHandle::Device { .. } => return Err("a key is data or an object"),
                });
            }
        }
        Ok(text)
    }

    fn opened(&self, id: StoredId) -> Result<&OpenCollection, &'static str> {
        self.stored.open.get(&id).ok_or("no such collection")
    }

    /// Reads a collection's record once a delivery.
    fn with_collection(
        &mut self,
        id: StoredId,
        after: impl FnOnce(&mut Supervisor) -> Requested + 'static,
    ) -> Requested {
        self.check_slots(&[SlotHandle::Stored { object: id }])?;
        if id.kind >= StoredId::KINDS_FROM {
            return Err("an object that is no collection");
        }
        if self.stored.open.contains_key(&id) {
            return after(self);
        }
        self.read(state_key(id), move |supervisor, found| {
            let record = match found {
                Some(bytes) => records::read(&bytes)?,
                None if id == StoredId::BAGGAGE => CollectionRecord::default(),
                None => return Err("no such collection"),
            };
            let open = OpenCollection { record, changed: false };
            supervisor.stored.open.insert(id, open);
            after(supervisor)
        })
    }

    /// Writes the sizes that this delivery has changed.
    pub(crate) fn save_sizes(&mut self) {
        for (id, open) in core::mem::take(&mut self.stored.open) {
            if open.changed {
                self.write(state_key(id), open.record.to_bytes());
            }
        }
    }
}
