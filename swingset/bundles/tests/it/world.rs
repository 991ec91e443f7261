//! A chain's SwingSet without the chain.

use std::sync::{Arc, OnceLock};

use swingset_abi::{
    kernel::{PromiseState, ResolutionPolicy, VatOptions},
    vat::CapData,
};
use swingset_bundles::{Release, release, test_bundle};
use swingset_host::{
    Controller, ControllerOptions, EngineRuntime,
    bundle::{Bundle, BundleKind, LockdownPolicy, Manifest},
    controller::{RunForever, RunSummary, SwingsetBundles, SwingsetConfig, VatConfig},
    env::MemoryEnvironment,
};

fn runtime() -> Arc<EngineRuntime> {
    static RUNTIME: OnceLock<Arc<EngineRuntime>> = OnceLock::new();
    RUNTIME.get_or_init(|| EngineRuntime::new().expect("the engine starts")).clone()
}

/// A release as the controller takes it, with the test vats.
pub fn bundles(name: &str) -> SwingsetBundles {
    let Release { kernel, lockdown, supervisor, vats, .. } = release(name).expect("a release of this name");
    let owned = |(name, bytes): &(&str, &[u8])| ((*name).to_owned(), bytes.to_vec());
    let mut all: Vec<(String, Vec<u8>)> = vats.iter().map(owned).collect();
    for name in ["devices", "founder", "hostile", "pingpong", "raw-pingpong", "stories", "tutorial"] {
        all.push((name.to_owned(), test_bundle(name).expect("a test bundle of this name").to_vec()));
    }
    SwingsetBundles { kernel: kernel.to_vec(), lockdown: lockdown.to_vec(), supervisor: supervisor.to_vec(), vats: all }
}

pub struct World {
    pub env: MemoryEnvironment,
    pub controller: Controller,
    height: u64,
    now: u64,
}

impl World {
    /// Version-1 with these vats, each `name` or `name=bundle`, run until idle.
    pub fn version_1(vats: &[&str]) -> World {
        World::with_options(vats, ControllerOptions::default())
    }

    /// The same with a controller of these options.
    pub fn with_options(vats: &[&str], options: ControllerOptions) -> World {
        World::of(vats, options, &bundles("version-1"))
    }

    /// The same under another lockdown policy.
    pub fn under(policy: &LockdownPolicy, vats: &[&str]) -> World {
        let manifest = Manifest {
            kind: BundleKind::Lockdown {},
            name: "lockdown".to_owned(),
            host_abi: 1,
            supervisor_abis: vec![],
            schema_from: 0,
            schema_to: 0,
        };
        let lockdown = Bundle::single(manifest, policy.to_text()).and_then(|bundle| bundle.encode());
        let lockdown = lockdown.expect("it is well formed");
        World::of(vats, ControllerOptions::default(), &SwingsetBundles { lockdown, ..bundles("version-1") })
    }

    fn of(vats: &[&str], options: ControllerOptions, bundles: &SwingsetBundles) -> World {
        let mut env = MemoryEnvironment::new();
        let mut controller = Controller::new(runtime(), options);
        let vats = vats.iter().map(|vat| {
            let (name, bundle) = vat.split_once('=').unwrap_or((vat, vat));
            let raw = bundle.starts_with("raw-");
            VatConfig {
                name: name.to_owned(),
                bundle: bundle.to_owned(),
                parameters: CapData { body: "#{}".to_owned(), slots: vec![] },
                options: VatOptions { raw, ..VatOptions::default() },
            }
        });
        let config = SwingsetConfig { vats: vats.collect() };
        controller.initialize_swingset(&mut env, &config, bundles).expect("it initializes");
        controller.begin_block(&env, 1, 1_000).expect("a block begins");
        let mut world = World { env, controller, height: 1, now: 1_000 };
        world.run();
        world
    }

    pub fn run(&mut self) -> RunSummary {
        self.controller.run(&mut self.env, &mut RunForever).expect("cranks run")
    }

    /// Ends the block, forgets every instance, and begins the next block: all that goes on is in state.
    pub fn restart(&mut self) {
        self.controller.end_block(&mut self.env).expect("a block ends");
        self.controller.discard();
        self.height += 1;
        self.controller =
            Controller::build(runtime(), &self.env, ControllerOptions::default()).expect("the controller is rebuilt");
        self.controller.begin_block(&self.env, self.height, self.now).expect("a block begins");
    }

    /// Ends the block, and begins one of this time, with what is due then.
    pub fn at(&mut self, now: u64) {
        self.now = now;
        self.height += 1;
        self.controller.end_block(&mut self.env).expect("a block ends");
        self.controller.begin_block(&self.env, self.height, now).expect("a block begins");
        while self.controller.poll_timer(&mut self.env).expect("the timer is polled") {}
        self.run();
    }

    /// As [`World::queue_with`], without references.
    pub fn queue(&mut self, target: &str, method: &str, args: &str) -> String {
        self.queue_with(target, method, args, &[])
    }

    /// The body of a promise's value, or `!` and the reason's.
    pub fn outcome(&mut self, kpid: &str) -> String {
        match self.controller.kp_status(&mut self.env, kpid).expect("a promise has a status") {
            PromiseState::Fulfilled { data } => data.body,
            PromiseState::Rejected { data } => format!("!{}", data.body),
            other => format!("{other:?}"),
        }
    }

    /// Queues a message with references (krefs) to a vat's root, by its name, or to an object, by its kref. The result is kept.
    pub fn queue_with(&mut self, target: &str, method: &str, args: &str, krefs: &[&str]) -> String {
        let slots = krefs.iter().map(|kref| (*kref).to_owned()).collect();
        let args = CapData { body: format!("#{args}"), slots };
        let policy = ResolutionPolicy::Ignore {};
        let (controller, env) = (&mut self.controller, &mut self.env);
        let queued = if target.starts_with("ko") {
            controller.queue_to_vat_object(env, target, method, args, policy)
        } else {
            controller.queue_to_vat_root(env, target, method, args, policy)
        };
        let kpid = queued.expect("it is queued").expect("a result promise");
        self.controller.kp_register_interest(&mut self.env, &kpid).expect("interest is registered");
        kpid
    }

    /// Asks and runs until idle.
    pub fn ask(&mut self, vat: &str, method: &str, args: &str) -> String {
        let kpid = self.queue(vat, method, args);
        self.run();
        self.outcome(&kpid)
    }

    /// As [`World::queue_with`], and runs until idle.
    fn settle(&mut self, target: &str, method: &str, args: &str, krefs: &[&str]) -> (bool, CapData) {
        let kpid = self.queue_with(target, method, args, krefs);
        self.run();
        self.controller.kp_resolution(&mut self.env, &kpid).expect("a promise has a status").expect("it is settled")
    }

    /// As [`World::ask`], with references, also to an object.
    pub fn pass(&mut self, target: &str, method: &str, args: &str, krefs: &[&str]) -> String {
        let (rejected, data) = self.settle(target, method, args, krefs);
        if rejected { format!("!{}", data.body) } else { data.body }
    }

    /// Asks for an object, and gives its kref. The result's promise holds it.
    pub fn make(&mut self, target: &str, method: &str, args: &str) -> String {
        self.make_with(target, method, args, &[])
    }

    /// As [`World::make`], with references.
    pub fn make_with(&mut self, target: &str, method: &str, args: &str, krefs: &[&str]) -> String {
        let (rejected, data) = self.settle(target, method, args, krefs);
        assert!(!rejected, "{method}: {}", data.body);
        data.slots.into_iter().next().expect("the result is an object")
    }
}
