//! Compiled modules in memory: the ones used last, so that bundles which come and go do not stay for as long as the process does.

use std::{collections::BTreeMap, sync::Arc};

use super::PreparedModule;
use crate::admission::ModuleRole;

/// Modules kept. An instance holds its own, kept or not.
const KEPT_MAX: usize = 256;

/// Which compiled form is meant: bundle, role, and whether floats were allowed when it was judged.
pub(super) type ModuleKey = (String, ModuleRole, bool);

/// The modules, each with when it was used last.
#[derive(Debug, Default)]
pub(super) struct Modules {
    kept: BTreeMap<ModuleKey, (u64, Arc<PreparedModule>)>,
    uses: u64,
}

impl Modules {
    /// A module that is used now.
    pub(super) fn get(&mut self, key: &ModuleKey) -> Option<Arc<PreparedModule>> {
        let (used, module) = self.kept.get_mut(key)?;
        self.uses = self.uses.wrapping_add(1);
        *used = self.uses;
        Some(module.clone())
    }

    /// Keeps a module; one that was not used for longest goes when there are too many.
    pub(super) fn insert(&mut self, key: ModuleKey, module: Arc<PreparedModule>) {
        self.uses = self.uses.wrapping_add(1);
        self.kept.insert(key, (self.uses, module));
        if self.kept.len() > KEPT_MAX {
            let oldest = self.kept.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.kept.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineRuntime;

    #[test]
    fn the_modules_used_last_are_kept() {
        let runtime = EngineRuntime::new().unwrap();
        let wasm = wat::parse_str(
            r#"(module (memory (export "memory") 1 1)
            (func (export "supervisor_alloc") (param i32) (result i32) i32.const 0)
            (func (export "supervisor_step") (param i32 i32) (result i64) unreachable))"#,
        );
        let module = runtime.prepare("b1-one", ModuleRole::Supervisor, false, &wasm.unwrap()).unwrap();
        let key = |number: usize| (format!("b1-{number}"), ModuleRole::Supervisor, false);
        let mut modules = Modules::default();
        for number in 0..KEPT_MAX {
            modules.insert(key(number), module.clone());
        }
        assert!(modules.get(&key(0)).is_some());
        modules.insert(key(KEPT_MAX), module);
        assert!(modules.get(&key(1)).is_none(), "it was not used for longest");
        for number in [0, 2, KEPT_MAX] {
            assert!(modules.get(&key(number)).is_some(), "{number}");
        }
    }
}
