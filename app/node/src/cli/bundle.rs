//! `bundle`: making bundles and looking at them, before a transaction carries them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use swingset_abi::{HOST_ABI_LEVEL, SUPERVISOR_ABI_LEVEL};
use swingset_host::{
    EngineError, EngineRuntime,
    admission::{self, ModuleRole},
    bundle::{Bundle, BundleKind, LockdownPolicy, Manifest, bundle_id, verify},
    controller::{SwingsetBundles, admit, try_bundle},
};

use super::{
    Context, Failure,
    context::read_input,
    output::{self, Format},
};
use crate::{config::files, engine_adapter};

/// Commands of `bundle`.
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Pack a module or a policy into a bundle that a chain of this release would take
    Build(BuildArgs),
    /// Say what is in a bundle
    Inspect(InspectArgs),
    /// Check a bundle as installing does, and start it on an empty state in memory
    Verify(VerifyArgs),
}

/// Arguments of `bundle build`.
#[derive(Args, Debug)]
pub struct BuildArgs {
    /// The wasm module, or the lockdown policy in JSON; - for standard input
    file: PathBuf,
    /// What it is for
    #[arg(long, value_parser = ["kernel", "lockdown", "supervisor", "vat"], default_value = "vat")]
    kind: String,
    /// Its name; the file's by default
    #[arg(long)]
    name: Option<String>,
    /// Supervisor ABI levels: those that a kernel drives, the one that a supervisor or a vat speaks
    #[arg(long, value_delimiter = ',', value_name = "LEVEL", conflicts_with = "raw")]
    supervisor_abi: Vec<u32>,
    /// A vat that speaks syscalls itself, with no supervisor
    #[arg(long)]
    raw: bool,
    /// Schemas of a kernel: the least that it starts from and the one that it works with, as 1-2
    #[arg(long, value_name = "FROM-TO", value_parser = schemas)]
    schemas: Option<(u32, u32)>,
    /// Another part, beside the one that the kind must have
    #[arg(long, value_name = "NAME=FILE", value_parser = named_file)]
    part: Vec<(String, PathBuf)>,
    /// Where the bundle goes
    #[arg(long, value_name = "FILE")]
    output_document: PathBuf,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Arguments of `bundle inspect`.
#[derive(Args, Debug)]
pub struct InspectArgs {
    /// The bundle; - for standard input
    file: PathBuf,
    /// Write this part to standard output instead
    #[arg(long, value_name = "NAME", conflicts_with = "output")]
    part: Option<String>,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Arguments of `bundle verify`.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The bundle; - for standard input
    file: PathBuf,
    /// The ID that it must have
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

fn schemas(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    parsed.ok_or_else(|| "expected two schemas as 1-2".to_owned())
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), PathBuf::from(file))),
        _ => Err("expected NAME=FILE".to_owned()),
    }
}

/// Runs one.
pub fn run(context: &Context, command: &BundleCommand) -> Result<(), Failure> {
    match command {
        BundleCommand::Build(arguments) => build(context, arguments),
        BundleCommand::Inspect(arguments) => inspect(arguments),
        BundleCommand::Verify(arguments) => verify_file(context, arguments),
    }
}

fn wrong(file: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::new(format!("{}: {reason}", file.display()))
}

fn build(context: &Context, arguments: &BuildArgs) -> Result<(), Failure> {
    let file = &arguments.file;
    let kind = BundleKind::from_name(&arguments.kind)
        .ok_or_else(|| Failure::Usage(format!("there is no kind {:?}", arguments.kind)))?;
    let manifest = manifest(arguments, kind)?;
    let mut content = read_input(file)?;
    if kind == (BundleKind::Lockdown {}) {
        content = canonical_policy(&content).map_err(|reason| wrong(file, reason))?;
    }
    let mut parts = vec![(kind.part_name().to_owned(), content)];
    for (name, part) in &arguments.part {
        if parts.iter().any(|(there, _)| there == name) {
            return Err(Failure::Usage(format!("part {name} is given twice")));
        }
        parts.push((name.clone(), read_input(part)?));
    }
    let bundle = Bundle::new(manifest, parts).map_err(|error| wrong(file, error))?;
    let lockdown = release_bundles(context)?.lockdown;
    let floats = engine_adapter::floats(&lockdown).map_err(|halt| Failure::new(halt.0))?;
    admit(&bundle, floats).map_err(|error| wrong(file, error))?;
    let bytes = bundle.encode().map_err(|error| wrong(file, error))?;
    files::write(&arguments.output_document, &bytes, 0o644)?;
    output::value(arguments.output, &description(&bundle, &bytes))
}

fn manifest(arguments: &BuildArgs, kind: BundleKind) -> Result<Manifest, Failure> {
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => arguments.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned(),
    };
    let is_kernel = kind == (BundleKind::Kernel {});
    if arguments.schemas.is_some() != is_kernel {
        let problem = "--schemas FROM-TO belongs to a kernel: a kernel needs it, no other kind has schemas";
        return Err(Failure::Usage(problem.to_owned()));
    }
    if arguments.raw && kind != (BundleKind::Vat {}) {
        return Err(Failure::Usage("--raw belongs to a vat".to_owned()));
    }
    let speaks_none = arguments.raw || kind == (BundleKind::Lockdown {});
    let mut supervisor_abis = arguments.supervisor_abi.clone();
    if supervisor_abis.is_empty() && !speaks_none {
        supervisor_abis.push(SUPERVISOR_ABI_LEVEL);
    }
    supervisor_abis.sort_unstable();
    let (schema_from, schema_to) = arguments.schemas.unwrap_or_default();
    Ok(Manifest { kind, name, host_abi: HOST_ABI_LEVEL, supervisor_abis, schema_from, schema_to })
}

/// A policy in its one text: people write JSON with white space and in the order that they like.
fn canonical_policy(text: &[u8]) -> Result<Vec<u8>, String> {
    let policy: LockdownPolicy =
        serde_json::from_slice(text).map_err(|error| format!("lockdown policy is not readable: {error}"))?;
    Ok(policy.to_text())
}

fn inspect(arguments: &InspectArgs) -> Result<(), Failure> {
    let bytes = read_input(&arguments.file)?;
    let bundle = Bundle::decode(&bytes).map_err(|error| wrong(&arguments.file, error))?;
    let Some(name) = &arguments.part else {
        return output::value(arguments.output, &description(&bundle, &bytes));
    };
    let part = bundle.part(name).ok_or_else(|| {
        let there: Vec<_> = bundle.parts().map(|(name, _)| name).collect();
        wrong(&arguments.file, format!("there is no part {name:?}; there are {}", there.join(", ")))
    })?;
    output::bytes(part)
}

fn verify_file(context: &Context, arguments: &VerifyArgs) -> Result<(), Failure> {
    let file = &arguments.file;
    let bytes = read_input(file)?;
    let bundle = match &arguments.id {
        Some(id) => verify(&bytes, id),
        None => Bundle::decode(&bytes),
    };
    let bundle = bundle.map_err(|error| wrong(file, error))?;
    let release = release_bundles(context)?;
    let runtime = EngineRuntime::new().map_err(|halt| Failure::new(halt.0))?;
    // Installing, which asks for admission, is the first thing that it does.
    try_bundle(runtime, &release, &bytes).map_err(|error| {
        let reason = match error {
            EngineError::Rejected(rejection) => rejection.problem,
            other => other.to_string(),
        };
        wrong(file, reason)
    })?;
    let mut description = description(&bundle, &bytes);
    description["verified_with"] = json!(context.release.name());
    output::value(arguments.output, &description)
}

/// The bundles of the newest rules of this binary.
fn release_bundles(context: &Context) -> Result<SwingsetBundles, Failure> {
    let release = context.release;
    let bundles = release
        .bundles(release.app_version())
        .ok_or_else(|| Failure::new(format!("{} has no bundles of its own", release.name())))?;
    Ok(engine_adapter::bundles(&bundles))
}

fn description(bundle: &Bundle, bytes: &[u8]) -> Value {
    let manifest = &bundle.manifest;
    let parts = bundle.parts().map(|(name, size)| {
        let content = bundle.part(name).unwrap_or_default();
        json!({ "name": name, "size": size.to_string(), "sha512": hex::encode(Sha512::digest(content)) })
    });
    let mut described = json!({
        "id": bundle_id(bytes),
        "kind": manifest.kind.name(),
        "name": manifest.name,
        "size": bytes.len().to_string(),
        "host_abi": manifest.host_abi,
        "supervisor_abis": manifest.supervisor_abis,
        "parts": parts.collect::<Vec<_>>(),
    });
    if manifest.kind == (BundleKind::Kernel {}) {
        described["schemas"] = json!(format!("{}-{}", manifest.schema_from, manifest.schema_to));
    }
    match (ModuleRole::of(manifest.kind), serde_json::from_slice::<Value>(bundle.content())) {
        (Some(role), _) => described["module"] = module(bundle.content(), role),
        (None, Ok(policy)) => described["policy"] = policy,
        (None, Err(_)) => {}
    }
    described
}

/// What admission sees of a module: with floats, so that a module that no default policy lets in is still described.
fn module(wasm: &[u8], role: ModuleRole) -> Value {
    match admission::judge(wasm, role, role == ModuleRole::Vat) {
        Ok(admitted) => json!({
            "functions": admitted.frames.len(),
            "mutable_globals": admitted.mutable_globals.len(),
            "memory_pages_min": admitted.memory_pages_min,
            "memory_pages_max": admitted.memory_pages_max,
            "floats": admission::judge(wasm, role, false).is_err(),
        }),
        Err(error) => json!({ "not_admitted": error.to_string() }),
    }
}
