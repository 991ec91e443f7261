//! The kvStore's keys, all of them, as functions. Iteration order is lexicographic and consensus.
//!
//! | key | value |
//! |---|---|
//! | `version` | schema, decimal |
//! | `crankNumber` | cranks done |
//! | `runQueue`, `acceptanceQueue`, `reapQueue` | `[head,tail]`; items at `.$N`, for the reap queue vat IDs |
//! | `gcActions` | how many are pending; each at `gcActions.$vatID.$kind.$kref`; the kernel's own at `gcActions.kernel.free.$kref` |
//! | `vat.names`, `vat.name.$NAME`, `vat.nextID` | names in order of making, comma separated; a name's vat ID |
//! | `vat.dynamicIDs` | how many dynamic vats live; each one's name at `vat.dynamicIDs.$vatID` |
//! | `vats.terminated` | `[head,settled,tail]` of the vats whose state waits for deletion; vat IDs at `.$N` |
//! | `vatAdminRootKref` | the root of vat administration, an object of the kernel's |
//! | `kernel.defaultReapDirtThreshold` | `ReapThreshold` in wire form |
//! | `upgradeEvents` | events that a migration left to be queued, a list in wire form |
//! | `pinnedObjects` | krefs, comma separated |
//! | `ko.nextID`, `ko$N.owner`, `ko$N.refCount`, `ko$N.importer.$vatID` | `reachable,recognizable`; importers are the index of retireImports |
//! | `ko$N.kernel`, `ko$N.done` | what an object of the kernel's is (`objects`); how the vat of an admin node ended |
//! | `device.names`, `device.name.$NAME`, `device.nextID`, `d$N.name`, `d$N.root` | devices: names, comma separated; IDs; the way back; its node |
//! | `d$N.deviceState.$bundleID` | vatAdmin: the node of a bundlecap |
//! | `d$N.deviceState.wake.…`, `.set.…`, `.count.…`, `.nextNumber` | timer: see its module |
//! | `d$N.deviceState.out.…`, `.next.…`, `.in.…` | mailbox: see its module |
//! | `d$N.deviceState.handler` | mailbox, bridge: who is told of what comes in |
//! | `timer.next` | the earliest time for which a wake-up waits, in seconds; absent for none |
//! | `kd.nextID`, `kd$N.owner`, `kd$N.bundleID` | device nodes; the bundle of a bundlecap |
//! | `bundleWait.$bundleID` | promises that wait for a bundle, comma separated |
//! | `meter.nextID`, `m$N.remaining`, `.threshold`, `.refCount`, `.updates`, `.waiting` | computrons or `unlimited`, decimals, promises |
//! | `kp.nextID`, `kp$N.state` | `unresolved`, `fulfilled`, `rejected` |
//! | `kp$N.refCount`, `.decider`, `.policy`, `.subscribers`, `.interest` | decimal, vat ID, word, comma separated vat IDs, decimal; once a vat has settled it, the decider is that vat, which is charged with the data |
//! | `kp$N.queue.nextID`, `kp$N.queue.$i` | messages waiting for the promise |
//! | `kp$N.queue.moving` | while they are routed: the first that is not, and the first that came later |
//! | `kp$N.data.body`, `kp$N.data.slots` | value or reason; krefs, comma separated |
//! | `v$N.source`, `v$N.options` | `VatSource`, `VatOptions` in wire form; options exist exactly as long as the vat lives |
//! | `v$N.vatParameters` | `CapData` in wire form, until startVat |
//! | `v$N.reapDirt`, `v$N.reapQueued` | `deliveries,gcKrefs,computrons` since the last bringOutYourDead; there while it is due |
//! | `v$N.incarnation` | upgrades so far; absent for none |
//! | `v$N.admin`, `v$N.done` | the admin node while it lives; promises that wait for the vat's end |
//! | `v$N.stored` | `bytes,max`: what the vat takes of the store and may take (`stored`); there exactly as long as the vat lives |
//! | `v$N.deliveries` | deliveries so far (schema 2) |
//! | `v$N.references` | `exports,imports,promises,devices`: entries of its c-list (schema 3) |
//! | `v$N.o.nextID`, `.p.nextID`, `.d.nextID` | next ID of an import |
//! | `v$N.c.$kref`, `v$N.c.$vref` | `R $vref` or `_ $vref`; `$kref` |
//! | `v$N.vs.$key` | the vat's own entries |
//! | `kernel.migrating` | the schema that a migration under way leads to |

use alloc::{string::String, vec::Vec};

use crate::{copy::copy, store::decimal};

/// Schema.
pub const VERSION: &str = "version";
/// Cranks done.
pub const CRANK_NUMBER: &str = "crankNumber";
/// How many GC actions are pending, and their prefix with a dot.
pub const GC_ACTIONS: &str = "gcActions";
/// Names of static vats.
pub const VAT_NAMES: &str = "vat.names";
/// Next vat.
pub const VAT_NEXT_ID: &str = "vat.nextID";
/// Dynamic vats.
pub const VAT_DYNAMIC_IDS: &str = "vat.dynamicIDs";
/// Terminated vats whose state is not yet deleted.
pub const VATS_TERMINATED: &str = "vats.terminated";
/// Krefs held for ever.
pub const PINNED_OBJECTS: &str = "pinnedObjects";
/// Next device.
pub const DEVICE_NEXT_ID: &str = "device.nextID";
/// Next object.
pub const KO_NEXT_ID: &str = "ko.nextID";
/// Next device node.
pub const KD_NEXT_ID: &str = "kd.nextID";
/// Next promise.
pub const KP_NEXT_ID: &str = "kp.nextID";
/// Next meter.
pub const METER_NEXT_ID: &str = "meter.nextID";
/// Names of devices.
pub const DEVICE_NAMES: &str = "device.names";
/// The earliest time for which a wake-up waits.
pub const TIMER_NEXT: &str = "timer.next";
/// The root of vat administration.
pub const VAT_ADMIN_ROOT: &str = "vatAdminRootKref";
/// Default thresholds of dirt.
pub const REAP_DEFAULT: &str = "kernel.defaultReapDirtThreshold";
/// Events that a migration left.
pub const UPGRADE_EVENTS: &str = "upgradeEvents";
/// The host's: supervisor of vats to come.
pub const SUPERVISOR_BUNDLE_ID: &str = "supervisorBundleID";
/// The host's: lockdown policy of vats to come.
pub const LOCKDOWN_BUNDLE_ID: &str = "lockdownBundleID";
/// Flag of a migration under way.
pub const MIGRATING: &str = "kernel.migrating";

/// All parts, one after another.
pub fn join<const N: usize>(parts: [&str; N]) -> String {
    let mut key = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        key.push_str(part);
    }
    key
}

/// A text that is put together: a short one takes no memory from the allocator.
#[derive(Clone, Debug)]
pub struct Path {
    short: [u8; SHORT],
    length: usize,
    long: Vec<u8>,
}

const SHORT: usize = 48;

impl AsRef<[u8]> for Path {
    fn as_ref(&self) -> &[u8] {
        self.short.get(..self.length).unwrap_or(&self.long)
    }
}

impl Path {
    fn new() -> Path {
        Path {
            short: [0; SHORT],
            length: 0,
            long: Vec::new(),
        }
    }

    // Inlined: a call costs about as much, its work is counted, and its stack.
    #[inline(always)]
    fn push(&mut self, part: &[u8]) {
        let end = self.length + part.len();
        if let Some(room) = self.short.get_mut(self.length..end) {
            copy(room, part);
        } else {
            if self.length <= SHORT {
                self.long.extend_from_slice(&self.short[..self.length]);
            }
            self.long.extend_from_slice(part);
        }
        self.length = end;
    }
}

/// All parts, one after another.
pub fn path<const N: usize>(parts: [&str; N]) -> Path {
    let mut path = Path::new();
    for part in parts {
        path.push(part.as_bytes());
    }
    path
}

/// A static vat's ID by name.
pub fn vat_name(name: &str) -> Path {
    path(["vat.name.", name])
}

/// A dynamic vat's name.
pub fn dynamic_vat(vat_id: &str) -> Path {
    path([VAT_DYNAMIC_IDS, ".", vat_id])
}

/// A device's ID by name.
pub fn device_name(name: &str) -> Path {
    path(["device.name.", name])
}

/// The host's: there while the bundle is installed.
pub fn bundle(id: &str) -> Path {
    path(["bundle/", id])
}

/// The host's: bytes that a vat under this lockdown policy may have stored, decimal.
pub fn stored_max(lockdown: &str) -> Path {
    path(["storedBytesMax.", lockdown])
}

/// The host's: a named bundle's ID.
pub fn named_bundle(name: &str) -> Path {
    path(["namedBundleID.", name])
}

/// Promises that wait for a bundle.
pub fn bundle_wait(id: &str) -> Path {
    path(["bundleWait.", id])
}

/// An item of a numbered list.
pub fn item(queue: &str, number: u64) -> Path {
    let mut digits = [0u8; 20];
    let at = decimal(&mut digits, number);
    let mut key = path([queue, "."]);
    key.push(&digits[at..]);
    key
}

/// A reference with a number: `ko`, `kp`, `v`, `o-`, `p-`.
pub fn numbered(kind: &str, number: u64) -> String {
    let mut text = String::with_capacity(kind.len() + 12);
    text.push_str(kind);
    push_decimal(&mut text, number);
    text
}

/// A c-list entry, by kref or vref.
pub fn clist(vat_id: &str, reference: &str) -> Path {
    path([vat_id, ".c.", reference])
}

/// An object's importer.
pub fn importer(kref: &str, vat_id: &str) -> String {
    join([kref, ".importer.", vat_id])
}

/// A pending GC action. In key order: by vat, then dropExport before retireExport before retireImport, then by kref.
pub fn gc_action(vat_id: &str, kind: &str, kref: &str) -> String {
    join([GC_ACTIONS, ".", vat_id, ".", kind, ".", kref])
}

fn push_decimal(out: &mut String, value: u64) {
    let mut digits = [0u8; 20];
    let at = decimal(&mut digits, value);
    out.extend(digits[at..].iter().copied().map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_its_parts_however_long_they_are() {
        for length in [0, 1, 46, 47, 48, 49, 500] {
            let tail = "x".repeat(length);
            let whole = ["v1.vs.", &tail, ".y"].concat();
            assert_eq!(path(["v1.vs.", &tail, ".y"]).as_ref(), whole.as_bytes());
        }
        assert_eq!(item("runQueue", 120).as_ref(), b"runQueue.120");
    }
}
