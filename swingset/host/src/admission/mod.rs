//! Admission: which modules may run at all, decided from their bytes alone.
//!
//! Judging is structural and cheap (no compiler, no guest). What is admitted is rewritten before it is compiled
//! ([`rewrite()`]); the bundle's ID stays that of the original bytes, and [`REWRITER_VERSION`] is part of the engine's identity.
//!
//! # Invariants
//! - What is admitted keeps no state but its one memory and its mutable globals of number type, which the rewriter exports
//!   (held by `tests::it::admission` and `tests::it::pages`).
//! - A rewritten module passes its engine's validation (held by the corpus in `tests::it::rewrite`).

mod effort;
mod features;
mod interface;
mod judge;
mod limits;
mod rewrite;
mod sections;
mod work;

use crate::bundle::BundleKind;

pub use features::wasm_features;
pub use interface::{KERNEL_INTERFACE, SUPERVISOR_INTERFACE, VAT_INTERFACE};
pub use judge::{Admitted, FunctionFrame, judge};
pub use limits::*;
pub(crate) use rewrite::work_global;
pub use rewrite::{GLOBAL_EXPORT_PREFIX, REWRITER_VERSION, RewriteError, rewrite};

/// Whose rules a module must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModuleRole {
    /// The kernel.
    Kernel,
    /// A vat supervisor.
    Supervisor,
    /// A vat's code.
    Vat,
}

impl ModuleRole {
    /// The role of a bundle kind's module, if that kind has one that this engine runs.
    pub fn of(kind: BundleKind) -> Option<Self> {
        match kind {
            BundleKind::Kernel {} => Some(ModuleRole::Kernel),
            BundleKind::Supervisor {} => Some(ModuleRole::Supervisor),
            BundleKind::Vat {} => Some(ModuleRole::Vat),
            BundleKind::Lockdown {} | BundleKind::Device {} => None,
        }
    }
}

/// Why a module is not admitted. The text says what was found and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("module is not admitted: {0}")]
pub struct AdmissionError(
    /// What was found, and what is allowed.
    pub String,
);

impl AdmissionError {
    fn new(problem: impl Into<String>) -> Self {
        AdmissionError(problem.into())
    }
}
