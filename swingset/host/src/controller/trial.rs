//! A bundle tried before it is sent anywhere: on an empty state in memory, with a release's other bundles.

use std::sync::Arc;

use swingset_abi::{
    kernel::{CrankKind, VatOptions},
    vat::CapData,
};

use super::{Controller, ControllerOptions, Result, SwingsetBundles, SwingsetConfig, VatConfig};
use crate::{
    bundle::{Bundle, BundleKind, BundleRecord},
    engine::EngineRuntime,
    env::MemoryEnvironment,
    error::{EngineError, RejectCode},
};

/// Name of the vat that a trial starts, and of its bundle.
const VAT: &str = "trial";

/// Starts a bundle: initializes SwingSet in memory with it in the place of the release's bundle of its kind, and starts one vat. A
/// kernel must describe itself as its manifest does; a vat whose bundle names no supervisor ABI is started without a supervisor.
/// A kernel or supervisor is tried with the first of the release's vats.
///
/// # Errors
/// As `initialize_swingset`; `Compatibility` for a kernel that describes itself otherwise; `Argument` when the vat does not start, or
/// when the release has none to start; Stopped, when the kernel fails; Halt, also for a module that is admitted and does not compile.
pub fn try_bundle(runtime: Arc<EngineRuntime>, release: &SwingsetBundles, bytes: &[u8]) -> Result<()> {
    let bundle = Bundle::decode(bytes)?;
    let mut bundles = release.clone();
    bundles.vats.truncate(1);
    let mut raw = false;
    match bundle.manifest.kind {
        BundleKind::Kernel {} => bundles.kernel = bytes.to_vec(),
        BundleKind::Lockdown {} => bundles.lockdown = bytes.to_vec(),
        BundleKind::Supervisor {} => bundles.supervisor = bytes.to_vec(),
        // Installing refuses the kinds that this engine does not run.
        BundleKind::Vat {} | BundleKind::Device {} => {
            raw = bundle.manifest.supervisor_abis.is_empty();
            bundles.vats = vec![(VAT.to_owned(), bytes.to_vec())];
        }
    }
    let Some(vat) = bundles.vats.first_mut() else {
        return Err(EngineError::rejected(RejectCode::Argument, "the release has no vat to try the bundle with"));
    };
    VAT.clone_into(&mut vat.0);
    let config = SwingsetConfig {
        vats: vec![VatConfig {
            name: VAT.to_owned(),
            bundle: VAT.to_owned(),
            parameters: CapData { body: "#{}".to_owned(), slots: Vec::new() },
            options: VatOptions { raw, ..VatOptions::default() },
        }],
    };
    let mut env = MemoryEnvironment::new();
    let mut controller = Controller::new(runtime, ControllerOptions::default());
    controller.initialize_swingset(&mut env, &config, &bundles)?;
    if bundle.manifest.kind == (BundleKind::Kernel {}) {
        controller.check_description(&mut env, &BundleRecord::of(&bundle, bytes.len()))?;
    }
    controller.start_trial(&mut env)
}

impl Controller {
    /// Runs until the vat has had its first delivery, `startVat`.
    fn start_trial(&mut self, env: &mut MemoryEnvironment) -> Result<()> {
        let refuse = |problem: String| Err(EngineError::rejected(RejectCode::Argument, problem));
        while let Some(report) = self.step(env)? {
            if let Some(reason) = report.terminated.or(report.panic) {
                return refuse(format!("the vat does not start: {reason}"));
            }
            match report.kind {
                CrankKind::Delivery {} if report.aborted => {
                    return refuse("the vat does not start: its first delivery was undone".to_owned());
                }
                CrankKind::Delivery {} => return Ok(()),
                _ => {}
            }
        }
        refuse("the vat does not start: it was never delivered to".to_owned())
    }
}
