//! A release that runs every app version and applies a plan of its own name.

use std::collections::BTreeMap;

use swing_core::{
    error::Failure,
    modules::upgrade::migration,
    ports::{
        engine::ReleaseBundles,
        upgrade::{Decision, DecisionInput, Plan, Release, UpgradeContext, VersionMap},
    },
};

pub struct TestRelease;

impl Release for TestRelease {
    fn name(&self) -> &str {
        "version-2"
    }

    fn app_version(&self) -> u64 {
        2
    }

    fn can_handle(&self, plan_name: &str) -> bool {
        plan_name == self.name()
    }

    fn decide(&self, input: &DecisionInput) -> Decision {
        match &input.plan {
            Some(plan) if plan.height > input.height => Decision::Continue,
            Some(plan) if self.can_handle(&plan.name) => Decision::Apply(plan.clone()),
            Some(plan) => Decision::Needed(plan.clone()),
            None => Decision::Continue,
        }
    }

    fn apply(&self, context: &mut UpgradeContext<'_, '_>, _: &Plan, from: &VersionMap) -> Result<VersionMap, Failure> {
        context.state.set("test/upgraded", context.height.to_be_bytes().to_vec())?;
        Ok(from.clone())
    }

    /// A migration that a test put into state: it goes on for ever.
    fn migrate(&self, context: &mut UpgradeContext<'_, '_>, from: &VersionMap) -> Result<VersionMap, Failure> {
        let mut migration = migration::under_way(context.state)?.unwrap_or_default();
        migration.slices += 1;
        migration.cursor = migration.slices.to_be_bytes().to_vec();
        migration::set(context.state, &migration)?;
        Ok(from.clone())
    }

    fn bundles(&self, _: u64) -> Option<ReleaseBundles> {
        let vats = ["counter", "mint"].map(|name| (name.to_owned(), name.as_bytes().to_vec()));
        Some(ReleaseBundles {
            kernel: b"kernel".to_vec(),
            lockdown: b"lockdown".to_vec(),
            supervisor: b"supervisor".to_vec(),
            vats: vats.to_vec(),
        })
    }

    fn module_versions(&self, _: u64) -> Option<VersionMap> {
        Some(BTreeMap::from([("bank".to_owned(), 4), ("swingset".to_owned(), 1)]))
    }
}
