//! Bundles, policies and modules.

use swingset_host::{
    admission::{self, ModuleRole},
    bundle::{Bundle, BundleKind, LockdownPolicy, Manifest, bundle_id, verify},
};

/// Bytes as a whole bundle, or as the content of one: the first byte says which. What decodes has one encoding; what is admitted is
/// rewritten to a module that the engine's own parser validates.
pub fn bundles(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let kind = match first % 5 {
        0 => return whole(rest),
        1 => BundleKind::Kernel {},
        2 => BundleKind::Lockdown {},
        3 => BundleKind::Supervisor {},
        _ => BundleKind::Vat {},
    };
    let schema = u32::from(kind == (BundleKind::Kernel {}));
    let manifest = Manifest {
        kind,
        name: "fuzz".to_owned(),
        host_abi: 1,
        supervisor_abis: vec![1],
        schema_from: schema,
        schema_to: schema,
    };
    let Ok(bundle) = Bundle::single(manifest, rest.to_vec()) else { return };
    let Ok(bytes) = bundle.encode() else { return };
    whole(&bytes);
    assert_eq!(verify(&bytes, &bundle_id(&bytes)).as_ref(), Ok(&bundle), "what was packed can be read");
}

fn whole(bytes: &[u8]) {
    let Ok(bundle) = Bundle::decode(bytes) else { return };
    assert_eq!(bundle.encode().as_deref(), Ok(bytes), "what decodes has one encoding");
    match ModuleRole::of(bundle.manifest.kind) {
        Some(role) => {
            module(bundle.content(), role, false);
            module(bundle.content(), role, true);
        }
        None => policy(bundle.content()),
    }
}

fn policy(text: &[u8]) {
    if let Ok(policy) = LockdownPolicy::parse(text) {
        assert_eq!(policy.to_text(), text, "a policy has one text");
    }
}

fn module(wasm: &[u8], role: ModuleRole, floats: bool) {
    let Ok(admitted) = admission::judge(wasm, role, floats) else { return };
    assert!(admitted.memory_pages_max >= admitted.memory_pages_min);
    let Ok(rewritten) = admission::rewrite(wasm, &admitted, role) else { return };
    let valid = wasmparser::Validator::new_with_features(admission::wasm_features(floats)).validate_all(&rewritten);
    if let Err(error) = valid {
        panic!("what was admitted is not valid after it was rewritten: {error}");
    }
}
