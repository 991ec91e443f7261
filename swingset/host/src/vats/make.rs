//! What a vat is made from, as the kernel recorded it.

use std::sync::Arc;

use swingset_abi::{
    kernel::{VatOptions, VatSource},
    wire::Wire,
};

use super::{Vats, kernel, live::Live};
use crate::{
    admission::ModuleRole,
    bundle::{BundleKind, LockdownPolicy},
    engine::EngineRuntime,
    env::Environment,
    error::Halt,
    installed,
    kernel::{KernelFault, KvStore},
};

impl Vats {
    /// Finds a vat's modules and policy. The inner error is the vat's own fault, in a fixed word.
    pub(super) fn make(
        &mut self,
        env: &dyn Environment,
        runtime: &EngineRuntime,
        kv: &mut KvStore,
        vat: &str,
    ) -> Result<Result<Live, &'static str>, KernelFault> {
        let source =
            record(env, kv, &format!("{vat}.source"))?.ok_or(kernel("delivery to a vat without v$N.source"))?;
        let source = VatSource::from_bytes(&source).map_err(|_| kernel("v$N.source is malformed"))?;
        let options =
            record(env, kv, &format!("{vat}.options"))?.ok_or(kernel("delivery to a vat without v$N.options"))?;
        let options = VatOptions::from_bytes(&options).map_err(|_| kernel("v$N.options is malformed"))?;
        let policy = self.policy(env, &source.lockdown_bundle_id)?;
        let supervisor = if options.raw {
            None
        } else {
            let id = &source.supervisor_bundle_id;
            let module = installed::module(env, runtime, id, ModuleRole::Supervisor, false)?;
            Some(module.ok_or(kernel("a vat's supervisor is not installed"))?)
        };
        // A module that was admitted under a policy with floats may meet one without.
        let Some(bundle) = installed::record(env, &source.bundle_id)? else {
            return Ok(Err("bundle is not installed"));
        };
        if bundle.kind != (BundleKind::Vat {}) {
            return Ok(Err("bundle is not a vat's"));
        }
        if !admitted(env, runtime, &source.bundle_id, policy.floats)? {
            return Ok(Err("bundle is not admitted under the vat's policy"));
        }
        let module = installed::module(env, runtime, &source.bundle_id, ModuleRole::Vat, policy.floats)?;
        let Some(module) = module else {
            return Ok(Err("bundle is not installed"));
        };
        Ok(Ok(Live {
            worker: None,
            vat: module,
            supervisor,
            policy,
            source,
            leaf: None,
            remembered: Vec::new(),
            remembered_bytes: 0,
            pending: None,
            memory_bytes: 0,
            last_used: 0,
            anew: false,
        }))
    }

    fn policy(&mut self, env: &dyn Environment, id: &str) -> Result<Arc<LockdownPolicy>, KernelFault> {
        // A policy that was read before may be one that this state has not installed: presence is asked of the state.
        let not_installed = || kernel("a vat's lockdown is not installed");
        let record = installed::record(env, id)?.filter(|record| record.kind == BundleKind::Lockdown {});
        record.ok_or_else(not_installed)?;
        if let Some(policy) = self.policies.get(id) {
            return Ok(policy.clone());
        }
        let bundle = installed::read(env, id)?.ok_or_else(not_installed)?;
        let damaged = || Halt::new(format!("lockdown policy {id} is damaged in this node's store"));
        let policy = Arc::new(LockdownPolicy::parse(bundle.content()).map_err(|_| damaged())?);
        self.policies.insert(id.to_owned(), policy.clone());
        Ok(policy)
    }
}

fn admitted(env: &dyn Environment, runtime: &EngineRuntime, id: &str, floats: bool) -> Result<bool, Halt> {
    if floats || runtime.prepared(id, ModuleRole::Vat, floats).is_some() {
        return Ok(true);
    }
    let bundle = installed::read(env, id)?;
    Ok(bundle.is_some_and(|bundle| crate::admission::judge(bundle.content(), ModuleRole::Vat, floats).is_ok()))
}

fn record(env: &dyn Environment, kv: &mut KvStore, key: &str) -> Result<Option<Vec<u8>>, Halt> {
    Ok(kv.get(env, key.as_bytes())?.map(<[u8]>::to_vec))
}
