//! What the SDK keeps in the vat's memory: its objects, kinds, the closures that wait for promises, and which handles are held.
//!
//! # Invariants
//! - No code of the vat runs while the tables are borrowed.
//! - A request that the supervisor refuses is a mistake of the SDK or of the vat: the vat traps, except where a refusal is an
//!   answer (releasing an object that others may reach; stored data, whose refusals are told).

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    rc::{Rc, Weak},
    string::String,
    vec::Vec,
};
use core::{any::TypeId, cell::RefCell};

use swingset_abi::supervisor::{Handle, Passable, SlotHandle, StoredId, VatAnswer, VatRequest};

use crate::{
    Answer, Error, Kind, Object, Value, boundary,
    reference::Token,
    request::{must, request, try_request},
    smallcaps,
    task::Tasks,
};

/// What runs when a promise settles.
pub type Continuation = Box<dyn FnOnce(Result<Value, Value>)>;

/// An object that may be in use.
pub type Shared = Rc<RefCell<dyn Object>>;

struct Exported {
    of: TypeId,
    object: Shared,
    interface: &'static str,
}

/// A kind, once it is defined.
struct Defined {
    of: TypeId,
    name: &'static str,
    load: fn(Value) -> Result<Shared, Error>,
    save: fn(&dyn Object) -> Option<Value>,
}

/// A stored object that this event has used.
struct Loaded {
    object: Shared,
    /// Its state as it is in the vatstore.
    state: Passable,
}

#[derive(Default)]
pub(crate) struct Tables {
    objects: BTreeMap<Handle, Exported>,
    kinds: BTreeMap<u64, Defined>,
    loaded: BTreeMap<StoredId, Loaded>,
    continuations: BTreeMap<Handle, Vec<Continuation>>,
    held: BTreeMap<SlotHandleKey, Weak<Token>>,
    /// Requests that were put off.
    pub(crate) requests: Vec<u8>,
    pub(crate) tasks: Tasks,
    /// The object whose method is running.
    pub(crate) current: Option<SlotHandle>,
    pub(crate) incarnation: u64,
}

/// A slot's kind and numbers.
type SlotHandleKey = (u8, u64, u64);

#[cfg(target_arch = "wasm32")]
pub(crate) fn with<R>(body: impl FnOnce(&mut Tables) -> R) -> R {
    static TABLES: boundary::Cell<Tables> = boundary::Cell::new();
    TABLES.with(Tables::default, body)
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn with<R>(body: impl FnOnce(&mut Tables) -> R) -> R {
    std::thread_local! {
        static TABLES: RefCell<Tables> = RefCell::default();
    }
    TABLES.with(|tables| body(&mut tables.borrow_mut()))
}

fn key(slot: SlotHandle) -> SlotHandleKey {
    match slot {
        SlotHandle::Local { handle } => (0, handle, 0),
        SlotHandle::Presence { handle } => (1, handle, 0),
        SlotHandle::Promise { handle } => (2, handle, 0),
        SlotHandle::Device { handle } => (3, handle, 0),
        SlotHandle::Stored { object } => (4 + u8::from(object.durable), object.kind, object.instance),
    }
}

/// The one token of a handle that the vat holds.
pub(crate) fn token(slot: SlotHandle) -> Rc<Token> {
    with(|tables| {
        if let Some(token) = tables.held.get(&key(slot)).and_then(Weak::upgrade) {
            return token;
        }
        let token = Rc::new(Token::new(slot));
        tables.held.insert(key(slot), Rc::downgrade(&token));
        token
    })
}

/// Whether the vat's code holds this handle.
pub(crate) fn is_held(slot: SlotHandle) -> bool {
    with(|tables| tables.held.contains_key(&key(slot)))
}

/// What became of a handle that was let go of.
pub(crate) enum Fate {
    /// Something refers to it again.
    Held,
    /// Its token is forgotten now.
    Forgotten,
    /// There was none: it was forgotten before, or never held.
    Unknown,
}

/// Forgets a handle's token if nothing refers to it.
pub(crate) fn forget_if_gone(slot: SlotHandle) -> Fate {
    with(|tables| match tables.held.get(&key(slot)) {
        None => Fate::Unknown,
        Some(token) if token.strong_count() > 0 => Fate::Held,
        Some(_) => {
            tables.held.remove(&key(slot));
            Fate::Forgotten
        }
    })
}

/// Adds an object under its handle.
pub(crate) fn add_object<T: Object>(handle: Handle, object: T) {
    let interface = object.interface();
    let exported = Exported {
        of: TypeId::of::<T>(),
        object: Rc::new(RefCell::new(object)),
        interface,
    };
    with(|tables| tables.objects.insert(handle, exported));
}

/// Forgets an object in memory, if it is there. What it holds is let go of when the result is dropped.
pub(crate) fn remove_object(handle: Handle) -> Option<Shared> {
    with(|tables| tables.objects.remove(&handle)).map(|exported| exported.object)
}

pub(crate) fn has_object(handle: Handle) -> bool {
    with(|tables| tables.objects.contains_key(&handle))
}

/// What one of this vat's objects calls itself.
pub(crate) fn interface(slot: SlotHandle) -> &'static str {
    with(|tables| match slot {
        SlotHandle::Local { handle } => tables.objects.get(&handle).map_or("", |exported| exported.interface),
        SlotHandle::Stored { object } => match tables.kinds.get(&object.kind) {
            Some(kind) => kind.name,
            None => "collection",
        },
        _ => "",
    })
}

/// The object that a message is for, or that the vat's code works on; stored ones are loaded. `None` when there is none.
pub(crate) fn object(slot: SlotHandle) -> Result<Option<Shared>, Error> {
    match slot {
        SlotHandle::Local { handle } => Ok(with(|tables| {
            tables.objects.get(&handle).map(|exported| exported.object.clone())
        })),
        SlotHandle::Stored { object } => load(object),
        _ => Ok(None),
    }
}

fn load(id: StoredId) -> Result<Option<Shared>, Error> {
    if let Some(object) = with(|tables| tables.loaded.get(&id).map(|loaded| loaded.object.clone())) {
        return Ok(Some(object));
    }
    let Some(load) = with(|tables| tables.kinds.get(&id.kind).map(|kind| kind.load)) else {
        return Ok(None);
    };
    match try_request(&VatRequest::StateGet { object: id })? {
        VatAnswer::Stored { data: Some(state) } => {
            let object = load(smallcaps::decode(&state)?)?;
            add_loaded(id, object.clone(), state);
            Ok(Some(object))
        }
        VatAnswer::Stored { data: None } => Ok(None),
        _ => crate::trap(),
    }
}

/// A stored object's state is in memory until the event's end.
pub(crate) fn add_loaded(id: StoredId, object: Shared, state: Passable) {
    with(|tables| tables.loaded.insert(id, Loaded { object, state }));
}

/// Writes the states that this event has changed.
pub(crate) fn save() {
    let loaded = with(|tables| core::mem::take(&mut tables.loaded));
    for (id, Loaded { object, state }) in loaded {
        let save = with(|tables| tables.kinds.get(&id.kind).map(|kind| kind.save));
        let value = save.and_then(|save| save(&*object.borrow()));
        let Some(value) = value else { crate::trap() };
        let now = must(smallcaps::encode(&value));
        if now != state {
            // It reads, so it is not put off.
            request(&VatRequest::StateSet { object: id, state: now });
        }
    }
}

/// Defines a kind. [`crate::vat!`] does it for those that it names, in every incarnation.
pub fn define<T: Kind>() {
    let answer = request(&VatRequest::DefineKind {
        name: String::from(T::NAME),
        durable: T::DURABLE,
    });
    let VatAnswer::Handle { handle } = answer else {
        crate::trap()
    };
    let defined = Defined {
        of: TypeId::of::<T>(),
        name: T::NAME,
        load: |state| Ok(Rc::new(RefCell::new(T::from_state(state)?)) as Shared),
        save: |object| {
            let any: &dyn core::any::Any = object;
            any.downcast_ref::<T>().map(Kind::to_state)
        },
    };
    with(|tables| tables.kinds.insert(handle, defined));
}

/// The number of a kind that is defined.
pub(crate) fn kind_of<T: Kind>() -> Option<u64> {
    with(|tables| {
        let mut kinds = tables.kinds.iter();
        kinds.find(|(_, kind)| kind.of == TypeId::of::<T>()).map(|(id, _)| *id)
    })
}

/// Whether this is one of this vat's own objects, of this type.
pub(crate) fn is_own<T: Object>(slot: SlotHandle) -> bool {
    let of = with(|tables| match slot {
        SlotHandle::Local { handle } => tables.objects.get(&handle).map(|exported| exported.of),
        SlotHandle::Stored { object } => tables.kinds.get(&object.kind).map(|kind| kind.of),
        _ => None,
    });
    of == Some(TypeId::of::<T>())
}

/// A type's name without its path.
pub(crate) fn short_name<T>() -> &'static str {
    let name = core::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

/// The object whose method is running.
pub(crate) fn current() -> Option<SlotHandle> {
    with(|tables| tables.current)
}

/// Adds a closure for a promise's settlement; true when it is the first.
pub(crate) fn add_continuation(handle: Handle, continuation: Continuation) -> bool {
    with(|tables| {
        let waiting = tables.continuations.entry(handle).or_default();
        waiting.push(continuation);
        waiting.len() == 1
    })
}

/// The closures that wait for a promise.
pub(crate) fn take_continuations(handle: Handle) -> Vec<Continuation> {
    with(|tables| tables.continuations.remove(&handle)).unwrap_or_default()
}

/// Writes a trace line.
pub fn log(text: &str) {
    boundary::log(2, text);
}

/// How often this vat was upgraded: 0 for its first code.
pub fn incarnation() -> u64 {
    with(|tables| tables.incarnation)
}

/// Ends the vat after this delivery; with `failure`, the delivery is undone.
pub fn exit(failure: bool, info: impl crate::IntoValue) {
    let info = info.into_value();
    request(&VatRequest::Exit {
        failure,
        info: must(smallcaps::encode(&info)),
    });
}

/// For messages: the vat's own words about an unknown method.
pub fn no_method(interface: &str, method: &str) -> Answer {
    Answer::Rejected(Error::type_error([interface, " has no method ", method].concat()).into())
}
