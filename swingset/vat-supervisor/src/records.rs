//! What the supervisor writes into the vatstore: keys and values.
//!
//! | key | value |
//! |---|---|
//! | `m`, `m1`, … | [`Meta`]: what outlives the incarnation's memory, in parts of [`PART_BYTES`]; the last one is shorter |
//! | `h` | [`Heap`]: imports and promises that only memory holds, as of the last bringOutYourDead |
//! | `o.$ID` | an object's state, or a collection's [`CollectionRecord`]; `$ID` is `dK/I` or `vK/I` |
//! | `c.$ID.$KEY` | a collection's entry |
//! | `r.$ID`, `r.-N` | [`Holders`] of a stored object or an import, where there are any |
//! | `w.$ID\|$COLLECTION`, `w.-N\|$COLLECTION` | a weak collection has this object as a key |
//! | `s.$KEY` | the vat code's own area |

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use swingset_abi::{
    supervisor::{Passable, StoredId},
    wire::{Reader, Wire, WireError},
    wire_struct,
};

use crate::vref;

/// Key of [`Meta`].
pub const META: &str = "m";
/// Bytes of each part of [`Meta`] but the last: it has no bound, and a value has one.
pub const PART_BYTES: usize = Passable::BYTES_MAX;

/// Key of a part of [`Meta`].
pub fn meta_key(part: usize) -> String {
    if part == 0 {
        String::from(META)
    } else {
        vref::text(META, part as u64)
    }
}

/// Key of [`Heap`].
pub const HEAP: &str = "h";
/// Begins every vatstore key that belongs to vat code.
pub const STORE_PREFIX: &str = "s.";

/// What can be counted: an import or a stored object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    Import(u64),
    Stored(StoredId),
}

impl Counted {
    fn text(self, prefix: &str) -> String {
        match self {
            Counted::Import(number) => vref::text(&[prefix, "-"].concat(), number),
            Counted::Stored(id) => vref::stored_text(prefix, id),
        }
    }

    /// Key of its [`Holders`].
    pub fn holders_key(self) -> String {
        self.text("r.")
    }

    /// Begins the keys of the weak collections that know it.
    pub fn recognizers_prefix(self) -> String {
        let mut prefix = self.text("w.");
        prefix.push('|');
        prefix
    }

    /// Its vref.
    pub fn vref(self) -> String {
        match self {
            Counted::Import(number) => vref::text("o-", number),
            Counted::Stored(id) => vref::stored_text("o+", id),
        }
    }
}

/// Key of an object's state.
pub fn state_key(id: StoredId) -> String {
    vref::stored_text("o.", id)
}

/// Begins a collection's entries.
pub fn entries_prefix(collection: StoredId) -> String {
    let mut prefix = vref::stored_text("c.", collection);
    prefix.push('.');
    prefix
}

/// Who holds something, as far as the vatstore and the kernel know. Absent when nobody does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// How many states and entries name it.
    pub strong: u64,
    /// In how many weak collections it is a key.
    pub weak: u64,
    /// A stored object: 0 not exported, 1 others can recognize it, 2 others can reach it.
    pub export: u64,
}
wire_struct!(Holders { strong, weak, export });

/// Others can recognize it.
pub const RECOGNIZABLE: u64 = 1;
/// Others can reach it.
pub const REACHABLE: u64 = 2;

/// A collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectionRecord {
    pub label: String,
    pub schema: String,
    pub size: u64,
}
wire_struct!(CollectionRecord { label, schema, size });

/// A kind of stored objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindRecord {
    pub id: u64,
    pub name: String,
    pub durable: bool,
    /// The last instance's number.
    pub instances: u64,
}
wire_struct!(KindRecord {
    id,
    name,
    durable,
    instances
});

/// A set, written in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids<T: Ord>(pub BTreeSet<T>);

impl<T: Ord> Default for Ids<T> {
    fn default() -> Self {
        Ids(BTreeSet::new())
    }
}

impl<T: Ord + Wire> Wire for Ids<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.0.len() as u64).encode(out);
        self.0.iter().for_each(|id| id.encode(out));
    }
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let ids = Vec::<T>::decode(reader)?;
        if ids.is_sorted_by(|left, right| left < right) {
            Ok(Ids(ids.into_iter().collect()))
        } else {
            Err(WireError::Integer)
        }
    }
}

/// What an incarnation leaves to the next. Written at the end of startVat and of bringOutYourDead, which comes before every
/// upgrade; in between memory has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    pub incarnation: u64,
    /// The next local object's number.
    pub next_export: u64,
    /// The last promise's number.
    pub last_promise: u64,
    pub last_kind: u64,
    /// The last number of any collection.
    pub last_collection: u64,
    /// How many imports have [`Holders`].
    pub imports_in_store: u64,
    pub kinds: Vec<KindRecord>,
    /// Imports that were dropped, and are keys of weak collections.
    pub weak_imports: Ids<u64>,
    /// Objects whose entries are being deleted.
    pub dying: Ids<StoredId>,
    /// Gone objects that weak collections are still to forget: imports, and stored ones.
    pub gone_imports: Ids<u64>,
    pub gone_stored: Ids<StoredId>,
    /// Virtual collections up to this number, and virtual kinds that are not in `kinds`, are an earlier incarnation's.
    pub stale_collections: u64,
    /// Some of those may be left.
    pub stale: bool,
}
wire_struct!(Meta {
    incarnation,
    next_export,
    last_promise,
    last_kind,
    last_collection,
    imports_in_store,
    kinds,
    weak_imports,
    dying,
    gone_imports,
    gone_stored,
    stale_collections,
    stale
});

/// What only memory holds. After an upgrade the imports are given back and the promises are subscribed to, so that the kernel's
/// table does not keep them for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heap {
    pub imports: Vec<u64>,
    pub promises: Vec<String>,
}
wire_struct!(Heap { imports, promises });

/// Reads a record that this supervisor wrote.
pub fn read<T: Wire>(bytes: &[u8]) -> Result<T, &'static str> {
    T::from_bytes(bytes).map_err(|_| "a record in the vatstore is malformed")
}
