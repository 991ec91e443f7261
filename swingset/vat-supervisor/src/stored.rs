//! Virtual and durable objects: kinds, states, and how they end.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use swingset_abi::{
    supervisor::{Passable, SlotHandle, StoredId, VatAnswer},
    vat::CapData,
    wire::Wire,
};

use crate::{
    machine::{Requested, Supervisor, Then, done},
    records::{self, CollectionRecord, KindRecord, Meta, state_key},
    slots::Announced,
    vref,
};

/// Longest name of a kind, in bytes.
const NAME_BYTES_MAX: usize = 200;
/// Most kinds of a vat: all are written at once.
const KINDS_MAX: usize = 1_000;

/// What the machine keeps of stored objects.
#[derive(Debug, Default)]
pub struct Stored {
    pub meta: Meta,
    /// Kinds that this incarnation has defined.
    defined: BTreeSet<u64>,
    /// `meta` as it was last written.
    pub(crate) meta_written: Vec<u8>,
    pub(crate) heap_written: Vec<u8>,
    /// To be written at this delivery's end.
    pub(crate) save_meta: bool,
    pub(crate) save_heap: bool,
    /// The vat's code is starting: every durable kind must be defined when it has.
    pub(crate) starting: bool,
    /// How much more of what is gone this delivery may delete.
    pub(crate) sweep_budget: u64,
    /// How many more imports and promises this delivery may give back.
    pub(crate) give_back_budget: u64,
    /// How far the search for an earlier incarnation's objects has come.
    pub(crate) stale_after: String,
    /// What the states that this delivery has read or written name.
    pub(crate) named: BTreeMap<StoredId, Vec<String>>,
    /// Collections that this delivery has touched.
    pub(crate) open: BTreeMap<StoredId, OpenCollection>,
}

/// A collection as this delivery sees it.
#[derive(Clone, Debug)]
pub struct OpenCollection {
    pub record: CollectionRecord,
    pub changed: bool,
}

impl Stored {
    /// Whether there can be such an object: its kind is defined, or it is a collection.
    pub fn knows(&self, id: StoredId) -> bool {
        if id.kind < StoredId::KINDS_FROM {
            let stale = !id.durable && id.instance <= self.meta.stale_collections;
            return id == StoredId::BAGGAGE || (id.instance <= self.meta.last_collection && !stale);
        }
        self.defined.contains(&id.kind)
            && self
                .kind(id.kind)
                .is_some_and(|kind| kind.durable == id.durable && id.instance <= kind.instances)
    }

    /// Whether a virtual object or collection is an earlier incarnation's.
    pub fn is_stale(&self, id: StoredId) -> bool {
        !id.durable
            && if id.kind < StoredId::KINDS_FROM {
                id.instance <= self.meta.stale_collections
            } else {
                self.kind(id.kind).is_none()
            }
    }

    fn kind(&self, id: u64) -> Option<&KindRecord> {
        self.meta.kinds.iter().find(|kind| kind.id == id)
    }

    /// Whether there is a durable kind that this incarnation has not defined.
    pub fn lacks_a_kind(&self) -> bool {
        let missing = |kind: &KindRecord| kind.durable && !self.defined.contains(&kind.id);
        self.meta.kinds.iter().any(missing)
    }

    /// An import is reachable again, or gone; true when it was known only as a weak collection's key.
    pub fn forget_weak_import(&mut self, handle: u64) -> bool {
        self.meta.weak_imports.0.remove(&handle)
    }
}

impl Supervisor {
    /// A kind's number. The same name has the same number in every incarnation.
    pub(crate) fn define_kind(&mut self, name: String, durable: bool) -> Requested {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err("a kind's name is 1 to 200 bytes long");
        }
        let known = self.stored.meta.kinds.iter().find(|kind| kind.name == name);
        let id = match known {
            Some(kind) if self.stored.defined.contains(&kind.id) => return Err("a kind is defined once"),
            Some(kind) if kind.durable != durable => return Err("a durable kind stays durable"),
            Some(kind) => kind.id,
            None => {
                if self.stored.meta.kinds.len() >= KINDS_MAX {
                    return Err("a vat has at most 1,000 kinds");
                }
                let id = self.stored.meta.last_kind.max(StoredId::KINDS_FROM - 1) + 1;
                self.stored.meta.last_kind = id;
                self.stored.meta.kinds.push(KindRecord {
                    id,
                    name,
                    durable,
                    instances: 0,
                });
                id
            }
        };
        self.stored.defined.insert(id);
        Ok(Then::Answer(VatAnswer::Handle { handle: id }))
    }

    /// A new object.
    pub(crate) fn new_stored(&mut self, kind: u64, state: &Passable) -> Requested {
        if !self.stored.defined.contains(&kind) {
            return Err("a kind that this vat has not defined");
        }
        let Some(at) = self.stored.meta.kinds.iter().position(|record| record.id == kind) else {
            return Err("a kind that this vat has not defined");
        };
        let durable = self.stored.meta.kinds[at].durable;
        let state = self.store_value(state, durable)?;
        self.stored.meta.kinds[at].instances += 1;
        let instance = self.stored.meta.kinds[at].instances;
        let id = StoredId {
            durable,
            kind,
            instance,
        };
        self.count_slots(&state.slots, 1);
        self.write(state_key(id), state.to_bytes());
        self.stored.named.insert(id, state.slots);
        self.counts.hold(id);
        Ok(Then::Answer(VatAnswer::Handle { handle: instance }))
    }

    /// The vat's code keeps the object that a message was for.
    pub(crate) fn hold_stored(&mut self, id: StoredId) -> Requested {
        self.check_object(id)?;
        self.counts.hold(id);
        done()
    }

    fn check_object(&self, id: StoredId) -> Result<(), &'static str> {
        if id.kind < StoredId::KINDS_FROM || !self.stored.knows(id) {
            return Err("an object of no kind that this vat has defined");
        }
        Ok(())
    }

    /// An object's state.
    pub(crate) fn state_get(&mut self, id: StoredId) -> Requested {
        self.check_object(id)?;
        self.read(state_key(id), move |supervisor, found| {
            let Some(bytes) = found else {
                return Ok(Then::Answer(VatAnswer::Stored { data: None }));
            };
            let state: CapData = records::read(&bytes)?;
            supervisor.stored.named.insert(id, state.slots.clone());
            let data = Some(supervisor.given_from_store(state)?);
            Ok(Then::Answer(VatAnswer::Stored { data }))
        })
    }

    /// Answers with a stored value.
    pub(crate) fn answer_stored(&mut self, found: Option<Vec<u8>>) -> Requested {
        let data = match found {
            Some(bytes) => Some(self.given_from_store(records::read(&bytes)?)?),
            None => None,
        };
        Ok(Then::Answer(VatAnswer::Stored { data }))
    }

    /// Replaces an object's state.
    pub(crate) fn state_set(&mut self, id: StoredId, state: &Passable) -> Requested {
        self.check_object(id)?;
        let state = self.store_value(state, id.durable)?;
        if let Some(before) = self.stored.named.remove(&id) {
            return self.replace_state(id, state, &before);
        }
        self.read(state_key(id), move |supervisor, found| {
            let before: CapData = records::read(&found.ok_or("no such object")?)?;
            supervisor.replace_state(id, state, &before.slots)
        })
    }

    fn replace_state(&mut self, id: StoredId, state: CapData, before: &[String]) -> Requested {
        self.count_slots(&state.slots, 1);
        self.count_slots(before, -1);
        self.write(state_key(id), state.to_bytes());
        self.stored.named.insert(id, state.slots);
        done()
    }

    /// A value for the vatstore: no promises, and in durable data nothing that ends with this incarnation.
    pub(crate) fn store_value(&mut self, value: &Passable, durable: bool) -> Result<CapData, &'static str> {
        self.check_value(value)?;
        let mut slots = Vec::with_capacity(value.slots.len());
        for slot in &value.slots {
            slots.push(match *slot {
                SlotHandle::Promise { .. } => return Err("a promise cannot be stored"),
                SlotHandle::Local { .. } if durable => {
                    return Err("an object in memory cannot be stored in durable data: make it of a durable kind");
                }
                SlotHandle::Stored { object } if durable && !object.durable => {
                    return Err("a virtual object cannot be stored in durable data: make it of a durable kind");
                }
                SlotHandle::Local { handle } => vref::text("o+", handle),
                SlotHandle::Stored { object } => vref::stored_text("o+", object),
                other => self.slot_out(other, &mut Announced::default()),
            });
        }
        Ok(CapData {
            body: value.body.clone(),
            slots,
        })
    }

    /// A stored value that the vat's code is about to get.
    pub(crate) fn given_from_store(&mut self, data: CapData) -> Result<Passable, &'static str> {
        let value = self
            .value_in(data)
            .map_err(|_| "a stored value names an object whose kind is not defined yet")?;
        self.note_given(&value);
        Ok(value)
    }
}
