//! A release as data.

use std::{collections::BTreeMap, fmt::Write as _, ops::RangeInclusive, sync::Arc};

use swing_core::{
    error::{Failure, Halt},
    modules::{consensus, upgrade::done},
    ports::{
        engine::ReleaseBundles,
        upgrade::{Decision, DecisionInput, Plan, Release, UpgradeContext, VersionMap},
    },
};

use crate::{
    decision::{Capabilities, decide},
    migrations::{self, Target, Work},
};

/// What an upgrade does to state, beside the bookkeeping of the upgrade module.
pub trait Handler: Send + Sync {
    /// Migrates state from the previous rules to `rules`; gives the new version map.
    ///
    /// # Errors
    /// Any failure drops the block's overlay: state stays at H−1 and the node stops with the reason.
    fn apply(
        &self,
        context: &mut UpgradeContext<'_, '_>,
        plan: &Plan,
        from: &VersionMap,
        rules: &Rules,
    ) -> Result<VersionMap, Failure>;
}

impl<F> Handler for F
where
    F: Fn(&mut UpgradeContext<'_, '_>, &Plan, &VersionMap, &Rules) -> Result<VersionMap, Failure> + Send + Sync,
{
    fn apply(
        &self,
        context: &mut UpgradeContext<'_, '_>,
        plan: &Plan,
        from: &VersionMap,
        rules: &Rules,
    ) -> Result<VersionMap, Failure> {
        self(context, plan, from, rules)
    }
}

/// The rules of one app version.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Kernel, lockdown, supervisor and vats.
    pub bundles: Arc<ReleaseBundles>,
    /// The modules and their layouts.
    pub modules: Vec<Target>,
    /// Schemas that the kernel can wake up in.
    pub kernel_schemas: RangeInclusive<u32>,
}

impl Rules {
    /// What the rules ask of a migration, a line an entry.
    fn describe(&self, text: &mut String) {
        let schemas = &self.kernel_schemas;
        let _ = writeln!(text, "kernel_schemas {}-{}", schemas.start(), schemas.end());
        let mut modules: Vec<&Target> = self.modules.iter().collect();
        modules.sort_by_key(|module| module.name);
        for module in modules {
            let mut steps: Vec<_> = module.steps.iter().collect();
            steps.sort_by_key(|step| step.from);
            let _ = writeln!(text, "module {} {} {}", module.name, module.version, module.genesis.is_some());
            for step in steps {
                let entries = match step.work {
                    Work::Whole(_) => 0,
                    Work::Sliced { entries_per_block, .. } => entries_per_block,
                };
                let _ = writeln!(text, "step {} {entries}", step.from);
            }
        }
    }

    /// The modules' versions.
    pub fn versions(&self) -> VersionMap {
        self.modules.iter().map(|module| (module.name.to_owned(), module.version)).collect()
    }
}

/// A release: what it is called, what it can run, and what it does at its upgrade.
#[derive(Clone)]
pub struct RegisteredRelease {
    name: String,
    app_version: u64,
    rules: BTreeMap<u64, Rules>,
    handlers: BTreeMap<String, (u32, Arc<dyn Handler>)>,
    capabilities: Capabilities,
}

impl std::fmt::Debug for RegisteredRelease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisteredRelease")
            .field("name", &self.name)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

impl RegisteredRelease {
    /// A release that runs `rules` under `app_version` and handles no plan yet.
    pub fn new(name: impl Into<String>, app_version: u64, rules: Rules) -> Self {
        let mut release = RegisteredRelease {
            name: name.into(),
            app_version,
            rules: BTreeMap::new(),
            handlers: BTreeMap::new(),
            capabilities: Capabilities { app_version, ..Capabilities::default() },
        };
        release.rules.insert(app_version, rules);
        release.capabilities.runs.insert(app_version);
        release
    }

    /// The release, which also runs the rules of an earlier app version. Not declared but earned: the previous release's
    /// golden blocks are replayed on it.
    #[must_use]
    pub fn running(mut self, app_version: u64, rules: Rules) -> Self {
        self.rules.insert(app_version, rules);
        self.capabilities.runs.insert(app_version);
        self
    }

    /// The release, which no longer (or does not yet) run an earlier app version: installed early, it stops as the SDK's does.
    #[must_use]
    pub fn not_running(mut self, app_version: u64) -> Self {
        self.capabilities.runs.remove(&app_version);
        self
    }

    /// The release with a handler for a plan, in place of the one that it had; its first edition.
    #[must_use]
    pub fn handling(self, plan_name: impl Into<String>, handler: Arc<dyn Handler>) -> Self {
        self.handling_as(plan_name, 1, handler)
    }

    /// The same with an edition: each repair of a handler that operators may already have gets the next one, so that two repairs
    /// under one name leave different records.
    #[must_use]
    pub fn handling_as(mut self, plan_name: impl Into<String>, edition: u32, handler: Arc<dyn Handler>) -> Self {
        let plan_name = plan_name.into();
        self.capabilities.plans.insert(plan_name.clone());
        self.handlers.insert(plan_name, (edition, handler));
        self
    }

    /// The release under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What the decision is made with.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The rules of an app version that it runs.
    pub fn rules(&self, app_version: u64) -> Option<&Rules> {
        self.rules.get(&app_version).filter(|_| self.capabilities.runs.contains(&app_version))
    }

    /// The handler of a plan.
    pub fn handler(&self, plan_name: &str) -> Option<Arc<dyn Handler>> {
        self.handlers.get(plan_name).map(|(_, handler)| Arc::clone(handler))
    }
}

impl Release for RegisteredRelease {
    fn name(&self) -> &str {
        &self.name
    }

    fn app_version(&self) -> u64 {
        self.app_version
    }

    fn can_handle(&self, plan_name: &str) -> bool {
        self.capabilities.can_handle(plan_name)
    }

    fn decide(&self, input: &DecisionInput) -> Decision {
        decide(input, &self.capabilities)
    }

    fn apply(
        &self,
        context: &mut UpgradeContext<'_, '_>,
        plan: &Plan,
        from: &VersionMap,
    ) -> Result<VersionMap, Failure> {
        let (Some((_, handler)), Some(rules)) = (self.handlers.get(&plan.name), self.rules.get(&self.app_version))
        else {
            return Err(Failure::Halt(Halt::new(format!(
                "{} was asked to apply plan {} and has no handler for it: the decision must be asked first",
                self.name, plan.name
            ))));
        };
        handler.apply(context, plan, from, rules)
    }

    fn migrate(&self, context: &mut UpgradeContext<'_, '_>, from: &VersionMap) -> Result<VersionMap, Failure> {
        let app_version = consensus::state::app_version(context.state)?;
        let Some(rules) = self.rules(app_version) else {
            let reason = format!("{} does not run app version {app_version}, whose migration is under way", self.name);
            return Err(Failure::Halt(Halt::new(reason)));
        };
        migrations::go_on(context.state, from, &rules.modules)
    }

    fn handler_digest(&self, plan_name: &str) -> [u8; 32] {
        let edition = self.handlers.get(plan_name).map_or(0, |(edition, _)| *edition);
        let mut text = format!("release {}\nplan {plan_name}\nedition {edition}\n", self.name);
        if let Some(rules) = self.rules.get(&self.app_version) {
            rules.describe(&mut text);
        }
        done::of_parts([b"handler".as_slice(), text.as_bytes()])
    }

    fn bundles(&self, app_version: u64) -> Option<ReleaseBundles> {
        self.rules(app_version).map(|rules| rules.bundles.as_ref().clone())
    }

    fn module_versions(&self, app_version: u64) -> Option<VersionMap> {
        self.rules(app_version).map(Rules::versions)
    }
}
