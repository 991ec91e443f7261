//! Local objects: handle N is `o+N`, the root is 0.

use alloc::{collections::BTreeMap, string::String};

use crate::vref;

/// What the kernel knows of a local object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing.
    Private,
    /// Others may reach it.
    Exported,
    /// Nobody reaches it; somebody may recognize it.
    Dropped,
}

/// The table of local objects.
#[derive(Debug)]
pub struct Exports {
    next: u64,
    objects: BTreeMap<u64, Standing>,
}

impl Default for Exports {
    fn default() -> Self {
        Exports {
            next: 1,
            objects: BTreeMap::from([(0, Standing::Exported)]),
        }
    }
}

impl Exports {
    /// The next object's number.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Earlier incarnations gave their objects the numbers below this one.
    pub fn go_on_from(&mut self, next: u64) {
        self.next = next.max(1);
    }

    /// A new object's handle.
    pub fn make(&mut self) -> u64 {
        let handle = self.next;
        self.next += 1;
        self.objects.insert(handle, Standing::Private);
        handle
    }

    /// Whether there is such an object.
    pub fn has(&self, handle: u64) -> bool {
        self.objects.contains_key(&handle)
    }

    /// The vref of an object that is about to be named to the kernel.
    pub fn export(&mut self, handle: u64) -> String {
        self.objects.insert(handle, Standing::Exported);
        vref::text("o+", handle)
    }

    /// The kernel says that nobody reaches these.
    pub fn dropped(&mut self, handles: &[u64]) {
        for handle in handles {
            self.mark(*handle, Standing::Dropped);
        }
    }

    /// The kernel says that nobody recognizes these.
    pub fn retired(&mut self, handles: &[u64]) {
        for handle in handles {
            self.mark(*handle, Standing::Private);
        }
    }

    fn mark(&mut self, handle: u64, standing: Standing) {
        if let Some(object) = self.objects.get_mut(&handle) {
            *object = standing;
        }
    }

    /// Whether the vat may forget this object.
    pub fn releasable(&self, handle: u64) -> bool {
        handle != 0 && matches!(self.objects.get(&handle), Some(Standing::Private | Standing::Dropped))
    }

    /// The vat forgets an object; gives the vref to retire when the kernel still knows it.
    pub fn release(&mut self, handle: u64) -> Option<String> {
        match self.objects.remove(&handle) {
            Some(Standing::Dropped) => Some(vref::text("o+", handle)),
            _ => None,
        }
    }

    /// Whether there was such an object once.
    pub fn was_made(&self, handle: u64) -> bool {
        handle < self.next
    }
}
