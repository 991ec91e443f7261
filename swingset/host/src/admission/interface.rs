//! What each role may import and must export: allow-lists with exact types (source: the docs of `swingset_abi`).

use wasmparser::{
    FuncType,
    ValType::{self, I32, I64},
};

/// A function's name and type.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    params: &'static [ValType],
    results: &'static [ValType],
}

impl Function {
    /// Whether a module's type is this one.
    pub fn has_type(&self, actual: &FuncType) -> bool {
        actual.params() == self.params && actual.results() == self.results
    }

    /// The type as text.
    pub fn describe(&self) -> String {
        format!("{:?} -> {:?}", self.params, self.results)
    }
}

/// One role's allow-lists.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// Module name of its imports.
    pub import_module: &'static str,
    /// What it may import, one line each.
    pub imports: &'static [Function],
    /// What it must export, beside its memory.
    pub exports: &'static [Function],
}

const fn function(name: &'static str, params: &'static [ValType], results: &'static [ValType]) -> Function {
    Function { name, params, results }
}

/// Exports that linkers add and nobody reads: immutable addresses.
pub(super) const HARMLESS_EXPORTS: [&str; 2] = ["__data_end", "__heap_base"];

/// The kernel's.
pub const KERNEL_INTERFACE: Interface = Interface {
    import_module: swingset_abi::kernel::imports::MODULE,
    imports: &[
        // Reads one kvStore key.
        function("get", &[I32, I32, I32, I32], &[I32]),
        // Whether a kvStore key exists.
        function("has", &[I32, I32], &[I32]),
        // Writes a kvStore key within the crank's overlay.
        function("set", &[I32, I32, I32, I32], &[]),
        // Deletes one.
        function("delete", &[I32, I32], &[]),
        // Writes and deletes many.
        function("write", &[I32, I32, I32, I32], &[]),
        // Walks keys in byte order.
        function("next_key", &[I32, I32, I32, I32, I32, I32], &[I32]),
        // Opens a savepoint within the crank.
        function("mark", &[], &[I32]),
        // Goes back to one.
        function("rollback", &[I32], &[]),
        // Forgets one.
        function("release", &[I32], &[]),
        // Starts a delivery to a vat.
        function("deliver", &[I32, I32, I32, I32, I64, I32, I32], &[I32]),
        // Answers the suspended vat.
        function("resume", &[I32, I32, I32, I32], &[I32]),
        // Drops a vat's instance.
        function("abandon_vat", &[I32, I32], &[]),
        // Drops a vat's instance and memory, for its next incarnation.
        function("replace_vat", &[I32, I32], &[]),
        // Brings the vat of a failed upgrade back.
        function("restore_vat", &[I32, I32], &[]),
        // A device's call to the host, in the same overlay.
        function("bridge", &[I32, I32, I32, I32, I32, I32], &[I32]),
        // The rest of an answer that did not fit.
        function("fetch", &[I32, I32], &[I32]),
        // A trace line; nothing comes back.
        function("log", &[I32, I32, I32], &[]),
    ],
    exports: &[function("kernel_alloc", &[I32], &[I32]), function("kernel_call", &[I32, I32], &[I64])],
};

/// A supervisor's: it imports nothing.
pub const SUPERVISOR_INTERFACE: Interface = Interface {
    import_module: "",
    imports: &[],
    exports: &[function("supervisor_alloc", &[I32], &[I32]), function("supervisor_step", &[I32, I32], &[I64])],
};

/// A vat's.
pub const VAT_INTERFACE: Interface = Interface {
    import_module: swingset_abi::supervisor::imports::MODULE,
    imports: &[
        // A request to the supervisor, or a raw vat's syscall.
        function("call", &[I32, I32, I32, I32], &[I32]),
        // The rest of an answer that did not fit.
        function("fetch", &[I32, I32], &[I32]),
        // A trace line; nothing comes back.
        function("log", &[I32, I32, I32], &[]),
    ],
    exports: &[function("vat_alloc", &[I32], &[I32]), function("vat_deliver", &[I32, I32], &[])],
};
