//! Promises that the vat's code or another promise's value refers to.
//!
//! # Invariants
//! - A handle is never used twice. A vref stands in the table exactly while the kernel's c-list has it.

use alloc::{
    collections::{BTreeMap, VecDeque},
    string::String,
    vec::Vec,
};

use swingset_abi::supervisor::{Handle, Passable};

use crate::vref;

/// One promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Its name in the kernel, if it has one now.
    pub vref: Option<String>,
    pub standing: Standing,
    /// The vat's code wants to know of its settlement.
    pub watched: bool,
    /// The vat's code holds its handle.
    pub held_by_vat: bool,
    /// How many settled promises' values name it.
    pub held_by_values: u64,
}

/// Where a promise stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This vat settles it.
    Ours,
    /// Somebody else does.
    Theirs { subscribed: bool },
    /// Done; kept for as long as it is held.
    Settled { rejected: bool, value: Passable },
}

/// The table of promises.
#[derive(Debug, Default)]
pub struct Promises {
    last_handle: Handle,
    last_vref: u64,
    /// The last number that an earlier incarnation gave a promise.
    last_earlier: u64,
    table: BTreeMap<Handle, Promise>,
    by_vref: BTreeMap<String, Handle>,
    /// Those that an earlier incarnation knew and that this one has not subscribed to yet.
    earlier: VecDeque<Handle>,
}

impl Promises {
    /// A new promise under a new handle.
    pub fn add(&mut self, vref: Option<String>, standing: Standing) -> Handle {
        self.last_handle += 1;
        let handle = self.last_handle;
        if let Some(vref) = &vref {
            self.by_vref.insert(vref.clone(), handle);
        }
        let promise = Promise {
            vref,
            standing,
            watched: false,
            held_by_vat: false,
            held_by_values: 0,
        };
        self.table.insert(handle, promise);
        handle
    }

    /// A promise by handle.
    pub fn get(&self, handle: Handle) -> Option<&Promise> {
        self.table.get(&handle)
    }

    /// A promise by handle, to be changed.
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut Promise> {
        self.table.get_mut(&handle)
    }

    /// The handle of a promise that the kernel names.
    pub fn by_vref(&self, vref: &str) -> Option<Handle> {
        self.by_vref.get(vref).copied()
    }

    /// The last number given to a promise.
    pub fn last_number(&self) -> u64 {
        self.last_vref
    }

    /// Earlier incarnations gave their promises the numbers up to this one.
    pub fn go_on_from(&mut self, last: u64) {
        self.last_vref = last;
        self.last_earlier = last;
    }

    /// Whether an earlier incarnation made this promise. The kernel has settled those that it decided; others settle the rest.
    pub fn is_earlier(&self, slot: &str) -> bool {
        matches!(vref::parse(slot), Some(vref::Vref::OwnPromise(number)) if number <= self.last_earlier)
    }

    /// A promise that an earlier incarnation knew: to be subscribed to, since its settlement is of no use to anybody here.
    pub fn known_earlier(&mut self, vref: String) {
        let handle = self.add(Some(vref), Standing::Theirs { subscribed: false });
        self.earlier.push_back(handle);
    }

    /// One of those that an earlier incarnation knew, each once.
    pub fn next_earlier(&mut self) -> Option<Handle> {
        self.earlier.pop_front()
    }

    /// The names of promises that others settle and that this vat has not subscribed to.
    pub fn unsubscribed(&self) -> Vec<String> {
        let waiting = |promise: &&Promise| promise.standing == (Standing::Theirs { subscribed: false });
        self.table
            .values()
            .filter(waiting)
            .filter_map(|promise| promise.vref.clone())
            .collect()
    }

    /// A vref that the kernel does not know yet.
    pub fn new_vref(&mut self) -> String {
        self.last_vref += 1;
        vref::text("p+", self.last_vref)
    }

    /// Gives a promise a name in the kernel.
    pub fn name(&mut self, handle: Handle, vref: &str) {
        if let Some(promise) = self.table.get_mut(&handle) {
            promise.vref = Some(String::from(vref));
            self.by_vref.insert(String::from(vref), handle);
        }
    }

    /// The promise has settled; the kernel forgets its name.
    pub fn settle(&mut self, handle: Handle, rejected: bool, value: Passable) {
        if let Some(promise) = self.table.get_mut(&handle) {
            if let Some(vref) = promise.vref.take() {
                self.by_vref.remove(&vref);
            }
            promise.standing = Standing::Settled { rejected, value };
        }
    }

    /// A settled promise's value.
    pub fn settled_value(&self, handle: Handle) -> Option<(bool, Passable)> {
        match &self.table.get(&handle)?.standing {
            Standing::Settled { rejected, value } => Some((*rejected, value.clone())),
            _ => None,
        }
    }

    /// Forgets a settled promise, or one that the kernel never knew, once nothing holds it; gives its value when it had one.
    pub fn forget_if_unheld(&mut self, handle: Handle) -> Option<Passable> {
        let promise = self.table.get(&handle)?;
        if promise.held_by_vat || promise.held_by_values > 0 || promise.vref.is_some() {
            return None;
        }
        match self.table.remove(&handle)?.standing {
            Standing::Settled { value, .. } => Some(value),
            _ => None,
        }
    }
}
