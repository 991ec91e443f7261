//! Letting go of installed bundles: who installed one holds it until it is released, and it is freed when nothing names it any more
//! (`docs/adr/0035-bundles-are-freed.md`).

use bytes::Bytes;

use super::{Controller, Result, swap::refuse};
use crate::{
    env::{Environment, prefix_end},
    error::RejectCode,
    installed, keys, uses,
};

/// Bundles that one call looks at: each may have ten megabytes to delete.
const FREED_MAX: usize = 16;

impl Controller {
    /// Nobody holds a bundle any more for its own sake. It stays as long as a living vat, one of the three IDs or a name stands for it,
    /// and installing it again holds it again. A bundlecap does not hold it: making a vat of it then fails as for a bundle that was
    /// never installed.
    ///
    /// # Errors
    /// `BundleUnknown`; `Argument` when it was released before. Nothing is changed then. Halt.
    pub fn release_bundle(&mut self, env: &mut dyn Environment, id: &str) -> Result<()> {
        self.settle(env)?;
        if installed::record(env, id)?.is_none() {
            return refuse(RejectCode::BundleUnknown, format!("bundle {id} is not installed"));
        }
        if env.get(&keys::bundle_released(id))?.is_some() {
            return refuse(RejectCode::Argument, format!("bundle {id} was released before"));
        }
        env.set(&keys::bundle_released(id), Bytes::from_static(b"1"))?;
        Ok(uses::lost_a_name(env, id)?)
    }

    /// Deletes released bundles that nothing names, some at most; gives their IDs, in order. What could be freed and was not is looked
    /// at in the next call.
    ///
    /// # Errors
    /// Halt.
    pub fn free_bundles(&mut self, env: &mut dyn Environment) -> Result<Vec<String>> {
        self.settle(env)?;
        let mut freed = Vec::new();
        for _ in 0..FREED_MAX {
            let Some((key, _)) = env.next_entry(keys::FREEABLE, prefix_end(keys::FREEABLE).as_deref())? else { break };
            let id = String::from_utf8_lossy(key.strip_prefix(keys::FREEABLE).unwrap_or_default()).into_owned();
            env.delete(&key)?;
            let kept = env.get(&keys::bundle_released(&id))?.is_none();
            if kept || uses::of(env, &id)? > 0 || uses::is_named(env, &id)? {
                continue;
            }
            for key in [keys::bundle_released(&id), keys::bundle_record(&id), keys::bundle_bytes(&id)] {
                env.delete(&key)?;
            }
            if env.get(&keys::stored_bytes_max(&id))?.is_some() {
                env.delete(&keys::stored_bytes_max(&id))?;
            }
            freed.push(id);
        }
        Ok(freed)
    }

    /// How many living vats are made of a bundle, and whether it is released.
    ///
    /// # Errors
    /// Halt.
    pub fn bundle_uses(&self, env: &dyn Environment, id: &str) -> Result<(u64, bool)> {
        Ok((uses::of(env, id)?, env.get(&keys::bundle_released(id))?.is_some()))
    }
}
