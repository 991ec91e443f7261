//! Packs the guests' wasm into bundles and writes `bundles.lock`, or compares. `swingset/guests/build.sh` runs it:
//!
//! `pack_bundles write|check RAW_FOLDER BUNDLES_FOLDER TOOLCHAIN`

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};
use swingset_abi::{HOST_ABI_LEVEL, SUPERVISOR_ABI_LEVEL};
use swingset_host::bundle::{Bundle, BundleKind, LockdownPolicy, Manifest, bundle_id};

/// `bundles.lock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lock {
    /// What the wasm was built with.
    toolchain: String,
    /// All bundles, by path.
    bundles: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Below the bundles' folder.
    path: String,
    /// The bundle's ID.
    id: String,
    /// SHA-512 of its content: the wasm, or the policy.
    content_sha512: String,
}

fn manifest(path: &str) -> Option<Manifest> {
    let (folder, name) = path.split_once('/')?;
    let release: u32 = folder.strip_prefix("version-").and_then(|number| number.parse().ok()).unwrap_or(1);
    let kind = match (folder, name) {
        ("vats", _) => BundleKind::Vat {},
        (_, "lockdown") => BundleKind::Lockdown {},
        (_, "supervisor") => BundleKind::Supervisor {},
        (_, kernel) if kernel.starts_with("kernel") => BundleKind::Kernel {},
        _ => BundleKind::Vat {},
    };
    let is_kernel = kind == (BundleKind::Kernel {});
    // Test kernels are of version-1's schema, but for those whose fault is in the migration to the next, and the one after all releases.
    let release = match name {
        "kernel-3" => 3,
        _ if name.ends_with("-migration") => 2,
        _ => release,
    };
    let speaks_none = kind == (BundleKind::Lockdown {}) || name.starts_with("raw-");
    Some(Manifest {
        kind,
        name: name.to_owned(),
        host_abi: HOST_ABI_LEVEL,
        supervisor_abis: if speaks_none { Vec::new() } else { vec![SUPERVISOR_ABI_LEVEL] },
        schema_from: u32::from(is_kernel),
        schema_to: if is_kernel { release } else { 0 },
    })
}

type Failable<T> = Result<T, Box<dyn Error>>;

fn contents(raw: &Path) -> Failable<Vec<(String, Vec<u8>)>> {
    let policy = LockdownPolicy::default().to_text();
    let mut found = vec![("version-1/lockdown".to_owned(), policy.clone()), ("version-2/lockdown".to_owned(), policy)];
    for folder in ["version-1", "version-2", "vats", "test"] {
        for file in std::fs::read_dir(raw.join(folder))? {
            let file: PathBuf = file?.path();
            if let Some(name) =
                file.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".wasm"))
            {
                found.push((format!("{folder}/{name}"), std::fs::read(&file)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn pack(raw: &Path) -> Failable<Vec<(Entry, Vec<u8>)>> {
    let mut packed = Vec::new();
    for (path, content) in contents(raw)? {
        let manifest = manifest(&path).ok_or_else(|| format!("{path} is in no folder that is known"))?;
        let content_sha512 = hex::encode(Sha512::digest(&content));
        let bytes = Bundle::single(manifest, content)?.encode()?;
        let entry = Entry { path: format!("{path}.bundle"), id: bundle_id(&bytes), content_sha512 };
        packed.push((entry, bytes));
    }
    Ok(packed)
}

fn run(mode: &str, raw: &Path, folder: &Path, toolchain: &str) -> Failable<bool> {
    let packed = pack(raw)?;
    let lock =
        Lock { toolchain: toolchain.to_owned(), bundles: packed.iter().map(|(entry, _)| entry.clone()).collect() };
    let lock_file = folder.join("bundles.lock");
    if mode == "write" {
        for (entry, bytes) in &packed {
            let file = folder.join(&entry.path);
            std::fs::create_dir_all(file.parent().ok_or("a bundle has no folder")?)?;
            std::fs::write(file, bytes)?;
        }
        std::fs::write(&lock_file, serde_json::to_string_pretty(&lock)? + "\n")?;
        println!("wrote {} bundles and {}", packed.len(), lock_file.display());
        return Ok(true);
    }
    let recorded: Lock = serde_json::from_slice(&std::fs::read(&lock_file)?)?;
    let mut same = recorded.bundles.len() == packed.len();
    if recorded.toolchain != lock.toolchain {
        println!("toolchain: recorded {:?}, built with {:?}", recorded.toolchain, lock.toolchain);
        same = false;
    }
    for (entry, bytes) in &packed {
        let locked = recorded.bundles.contains(entry);
        let committed = std::fs::read(folder.join(&entry.path)).is_ok_and(|there| there == *bytes);
        let word = if locked && committed { "same" } else { "DIFFERENT" };
        println!("{word}  {}  {}", entry.path, &entry.id[..19]);
        same &= locked && committed;
    }
    Ok(same)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, raw, folder, toolchain] = arguments.as_slice() else {
        eprintln!("usage: pack_bundles write|check RAW_FOLDER BUNDLES_FOLDER TOOLCHAIN");
        return ExitCode::from(2);
    };
    match run(mode, Path::new(raw), Path::new(folder), toolchain) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("the bundles built from source are not the committed ones");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
