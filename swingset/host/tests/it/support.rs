//! What the tests build on: one engine for all, bundles of the released kernels, and guests in text form.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use swingset_abi::{
    kernel::{ResolutionPolicy, VatOptions},
    vat::CapData,
};
use swingset_host::{
    Controller, ControllerOptions, EngineRuntime,
    bundle::{Bundle, BundleKind, LockdownPolicy, Manifest, bundle_id},
    controller::{RunForever, RunSummary, SwingsetBundles, SwingsetConfig, VatConfig},
    env::MemoryEnvironment,
};

/// One engine for all tests: compiled modules are shared.
pub fn runtime() -> Arc<EngineRuntime> {
    static RUNTIME: OnceLock<Arc<EngineRuntime>> = OnceLock::new();
    RUNTIME.get_or_init(|| EngineRuntime::new().unwrap()).clone()
}

/// The module in a released bundle: `version-1/kernel.wasm` is the content of `version-1/kernel.bundle`.
pub fn released(path: &str) -> Vec<u8> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../bundles").join(path).with_extension("bundle");
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    Bundle::decode(&bytes).unwrap().content().to_vec()
}

/// Bytes as a string in a text of wasm has them.
pub fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

/// The wasm of a text.
pub fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

pub fn pack(kind: BundleKind, name: &str, content: Vec<u8>) -> Vec<u8> {
    pack_for_schema(kind, name, content, (1, 1))
}

pub fn pack_for_schema(kind: BundleKind, name: &str, content: Vec<u8>, schema: (u32, u32)) -> Vec<u8> {
    let kernel = kind == (BundleKind::Kernel {});
    let manifest = Manifest {
        kind,
        name: name.to_owned(),
        host_abi: 1,
        supervisor_abis: if kind == (BundleKind::Lockdown {}) { vec![] } else { vec![1] },
        schema_from: if kernel { schema.0 } else { 0 },
        schema_to: if kernel { schema.1 } else { 0 },
    };
    Bundle::single(manifest, content).unwrap().encode().unwrap()
}

pub fn kernel_1() -> Vec<u8> {
    pack(BundleKind::Kernel {}, "kernel", released("version-1/kernel.wasm"))
}

pub fn kernel_2() -> Vec<u8> {
    pack_for_schema(BundleKind::Kernel {}, "kernel", released("version-2/kernel.wasm"), (1, 2))
}

/// A supervisor that no raw vat ever meets.
pub fn idle_supervisor() -> Vec<u8> {
    let wasm = wat(r#"(module (memory (export "memory") 1 1)
          (func (export "supervisor_alloc") (param i32) (result i32) i32.const 0)
          (func (export "supervisor_step") (param i32 i32) (result i64) unreachable))"#);
    pack(BundleKind::Supervisor {}, "idle", wasm)
}

/// A lockdown bundle of a policy.
pub fn lockdown(policy: &LockdownPolicy) -> Vec<u8> {
    pack(BundleKind::Lockdown {}, "lockdown", policy.to_text())
}

/// A release of a kernel, with these vats' code.
pub fn release(kernel: Vec<u8>, vats: &[(&str, Vec<u8>)]) -> SwingsetBundles {
    SwingsetBundles {
        kernel,
        lockdown: lockdown(&LockdownPolicy::default()),
        supervisor: idle_supervisor(),
        vats: vats
            .iter()
            .map(|(name, wasm)| ((*name).to_owned(), pack(BundleKind::Vat {}, name, wasm.clone())))
            .collect(),
    }
}

/// The released supervisor.
pub fn supervisor() -> Vec<u8> {
    pack(BundleKind::Supervisor {}, "supervisor", released("version-1/supervisor.wasm"))
}

/// A vat under the released supervisor.
pub fn vat(name: &str) -> VatConfig {
    VatConfig { options: VatOptions::default(), ..raw_vat(name) }
}

/// A raw vat whose name is its bundle's, or `name=bundle`.
pub fn raw_vat(name: &str) -> VatConfig {
    let (name, bundle) = name.split_once('=').unwrap_or((name, name));
    VatConfig {
        name: name.to_owned(),
        bundle: bundle.to_owned(),
        parameters: CapData { body: "#{}".to_owned(), slots: vec![] },
        options: VatOptions { raw: true, ..VatOptions::default() },
    }
}

/// An engine with its state.
pub struct World {
    pub env: MemoryEnvironment,
    pub controller: Controller,
}

impl World {
    /// Initialized with raw vats.
    pub fn with_raw_vats(vats: &[VatConfig], code: &[(&str, Vec<u8>)]) -> World {
        World::start(&release(kernel_1(), code), vats, ControllerOptions::default())
    }

    pub fn start(bundles: &SwingsetBundles, vats: &[VatConfig], options: ControllerOptions) -> World {
        let mut env = MemoryEnvironment::new();
        let mut controller = Controller::new(runtime(), options);
        controller.initialize_swingset(&mut env, &SwingsetConfig { vats: vats.to_vec() }, bundles).unwrap();
        controller.begin_block(&env, 1, 0).unwrap();
        World { env, controller }
    }

    /// Runs until nothing is left.
    pub fn run(&mut self) -> RunSummary {
        self.controller.run(&mut self.env, &mut RunForever).unwrap()
    }

    /// Queues a message to a vat's root; the argument list is given as JSON.
    pub fn queue(&mut self, vat: &str, method: &str, args: &str) -> Option<String> {
        let args = CapData { body: format!("#{args}"), slots: vec![] };
        let policy = ResolutionPolicy::Ignore {};
        self.controller.queue_to_vat_root(&mut self.env, vat, method, args, policy).unwrap()
    }

    pub fn activity(&self) -> String {
        self.controller.get_activityhash(&self.env).unwrap()
    }

    /// All of state, host-owned and unhashed entries included.
    pub fn state(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.env.entries().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    }

    pub fn kernel_key(&self, key: &str) -> Option<String> {
        let dump = self.controller.dump(&self.env).unwrap();
        dump.get(key.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

pub fn id_of(bundle: &[u8]) -> String {
    bundle_id(bundle)
}
