//! The kvStore's keys, all of them, as functions. Iteration order is lexicographic and consensus.
//!
//! | key | value |
//! |---|---|
//! | `version` | schema, decimal |
//! | `crankNumber` | cranks done |
//! | `runQueue`, `acceptanceQueue`, `reapQueue` | `[head,tail]`; items at `.$N`, for the reap queue vat IDs |
//! | `gcActions` | how many are pending; each at `gcActions.$vatID.$kind.$kref` |
//! | `vat.names`, `vat.name.$NAME`, `vat.nextID` | names in order of making, comma separated; a name's vat ID |
//! | `vats.terminated` | vat IDs whose state waits for deletion, comma separated |
//! | `pinnedObjects` | krefs, comma separated |
//! | `ko.nextID`, `ko$N.owner`, `ko$N.refCount`, `ko$N.importer.$vatID` | `reachable,recognizable`; importers are the index of retireImports |
//! | `kp.nextID`, `kp$N.state` | `unresolved`, `fulfilled`, `rejected` |
//! | `kp$N.refCount`, `.decider`, `.policy`, `.subscribers`, `.interest` | decimal, vat ID, word, comma separated vat IDs, decimal |
//! | `kp$N.queue.nextID`, `kp$N.queue.$i` | messages waiting for the promise |
//! | `kp$N.data.body`, `kp$N.data.slots` | value or reason; krefs, comma separated |
//! | `v$N.source`, `v$N.options` | `VatSource`, `VatOptions` in wire form; options exist exactly as long as the vat lives |
//! | `v$N.vatParameters` | `CapData` in wire form, until startVat |
//! | `v$N.reapDirt` | deliveries since the last bringOutYourDead |
//! | `v$N.deliveries` | deliveries so far (schema 2) |
//! | `v$N.o.nextID`, `.p.nextID`, `.d.nextID` | next ID of an import |
//! | `v$N.c.$kref`, `v$N.c.$vref` | `R $vref` or `_ $vref`; `$kref` |
//! | `v$N.vs.$key` | the vat's own entries |
//! | `kernel.migrating` | the schema that a migration under way leads to |

use alloc::string::String;

/// Schema.
pub const VERSION: &str = "version";
/// Cranks done.
pub const CRANK_NUMBER: &str = "crankNumber";
/// Events from vats and from outside, not routed yet.
pub const ACCEPTANCE_QUEUE: &str = "acceptanceQueue";
/// Events for a delivery crank.
pub const RUN_QUEUE: &str = "runQueue";
/// Vats due for bringOutYourDead.
pub const REAP_QUEUE: &str = "reapQueue";
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

/// A static vat's ID by name.
pub fn vat_name(name: &str) -> String {
    join(["vat.name.", name])
}

/// A queue's item.
pub fn item(queue: &str, number: u64) -> String {
    let mut key = String::with_capacity(queue.len() + 12);
    key.push_str(queue);
    key.push('.');
    push_decimal(&mut key, number);
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
pub fn clist(vat_id: &str, reference: &str) -> String {
    join([vat_id, ".c.", reference])
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
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    for digit in &digits[at..] {
        out.push(char::from(*digit));
    }
}
