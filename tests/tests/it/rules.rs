//! Repository rules as tests: the edges between crates, who may name which library, sizes and module docs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

/// Files above this many lines need a reason to be listed in [`LONG_FILES`].
const LINES_MAX: usize = 400;

/// Files that are long because they are one table or one contract.
const LONG_FILES: &[&str] = &[];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository is there")
}

/// Normal dependencies of every package of the workspace, by package name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages is a list");
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().unwrap_or_default().to_owned();
            let wanted = package["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().unwrap_or_default().to_owned())
                .collect();
            (name, wanted)
        })
        .collect()
}

#[test]
fn arrows_between_crates_point_inward() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("swing-proto", &[][..]),
        ("swing-core", &["swing-proto"][..]),
        ("swing-files", &[]),
        ("swing-store", &["swing-core", "swing-proto", "swing-files"]),
        ("swing-upgrades", &["swing-core", "swing-proto", "swingset-bundles"]),
        ("swingset-abi", &[]),
        ("swingset-bundles", &[]),
        ("swingset-host", &["swingset-abi"]),
        ("swingset-embed", &["swingset-host", "swingset-abi", "swingset-bundles"]),
        (
            "swing-node",
            &[
                "swing-proto",
                "swing-core",
                "swing-store",
                "swing-upgrades",
                "swing-files",
                "swingset-host",
                "swingset-abi",
                "swingset-bundles",
            ],
        ),
        ("swing-fuzz", &["swing-core", "swing-proto", "swingset-host", "swingset-abi", "swingset-bundles"]),
        ("swing-localnet", &[]),
        ("swingvisor", &["swing-files"]),
    ]);
    let dependencies = dependencies();
    let own: BTreeSet<&String> = dependencies.keys().collect();
    for (package, wanted) in &dependencies {
        let Some(permitted) = allowed.get(package.as_str()) else {
            assert_eq!(package, "swing-tests", "{package} has no row in this table: say which crates it may depend on");
            continue;
        };
        for dependency in wanted.iter().filter(|name| own.contains(name)) {
            assert!(permitted.contains(&dependency.as_str()), "{package} must not depend on {dependency}");
        }
    }
}

#[test]
fn each_heavy_library_is_named_by_one_crate() {
    let owners = [
        ("rocksdb", "swing-store"),
        ("wasmtime", "swingset-host"),
        ("tendermint-abci", "swing-node"),
        ("axum", "swing-node"),
        ("tonic", "swing-node"),
    ];
    for (library, owner) in owners {
        for (package, wanted) in dependencies() {
            assert!(package == owner || !wanted.contains(library), "{package} names {library}, which only {owner} may");
        }
    }
}

/// Names of everything that a package is built from, itself included.
fn built_from(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// Small, so that it can be audited and replaced on its own.
#[test]
fn the_supervisor_has_no_database_no_wasm_engine_and_no_async_runtime_in_it() {
    let names = built_from("swingvisor");
    assert!(names.contains("rustls"), "the tree is read");
    for heavy in
        ["rocksdb", "librocksdb-sys", "wasmtime", "tokio", "prost", "tendermint-abci", "swing-core", "swing-node"]
    {
        assert!(!names.contains(heavy), "swingvisor depends on {heavy}");
    }
}

/// The engine is of use to a program that is no chain: the example of one takes nothing else of this repository with it.
#[test]
fn a_host_that_is_no_chain_has_no_crate_of_the_chain_no_database_and_no_async_runtime_in_it() {
    let names = built_from("swingset-embed");
    assert!(names.contains("wasmtime"), "the tree is read");
    let own: Vec<_> = names.iter().filter(|name| name.starts_with("swing")).map(String::as_str).collect();
    assert_eq!(own, ["swingset-abi", "swingset-bundles", "swingset-embed", "swingset-host"]);
    for heavy in ["rocksdb", "librocksdb-sys", "tokio", "prost", "tendermint-abci", "axum"] {
        assert!(!names.contains(heavy), "swingset-embed depends on {heavy}");
    }
}

fn tracked_files(extension: &str) -> Vec<PathBuf> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|name| name.ends_with(extension))
        .map(PathBuf::from)
        .filter(|name| root().join(name).is_file())
        .collect()
}

fn read(name: &Path) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{}: {error}", name.display()))
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<_> =
        tracked_files(".rs").into_iter().filter(|name| !read(name).trim_start().starts_with("//!")).collect();
    assert!(silent.is_empty(), "these modules do not begin with `//!` docs: {silent:#?}");
}

#[test]
fn files_stay_small() {
    let long: Vec<_> = tracked_files(".rs")
        .into_iter()
        .filter(|name| !LONG_FILES.contains(&name.to_string_lossy().as_ref()))
        .map(|name| (read(&name).lines().count(), name))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "files of more than {LINES_MAX} lines: {long:#?}");
}

#[test]
fn no_test_is_ignored_and_none_sleeps() {
    // Written in two halves so that this file does not find itself.
    let forbidden =
        [concat!("#[ign", "ore"), concat!("thread::", "sleep"), concat!("todo", "!("), concat!("unimpl", "emented!(")];
    for name in tracked_files(".rs") {
        let text = read(&name);
        for word in forbidden {
            assert!(!text.contains(word), "{} contains {word}", name.display());
        }
    }
}

/// Who changes files beside the port `upgrades/files`, and what these files are.
const BESIDE_THE_PORT: &[(&str, &str)] = &[
    ("app/node/src/abci/net.rs", "sockets"),
    ("app/node/src/control/server.rs", "sockets"),
    ("app/node/src/cli/engine/rekernelize.rs", "a copy that an operator asked for, made anew when it fails"),
    ("app/node/src/config/files.rs", "folders of a new home, and keys that their owner removes"),
    ("app/node/src/solo/store/log.rs", "an engine's blocks, which are no part of an upgrade"),
    ("app/node/src/start/slogfile.rs", "a trace: nothing is decided by it"),
    ("upgrades/swingvisor/src/front/net.rs", "sockets"),
    ("upgrades/swingvisor/src/home.rs", "the lock that is taken before anything else"),
    ("upgrades/swingvisor/src/run/comet.rs", "the home's lock"),
];

/// A fault is tried at every operation on files that goes through the port: what goes beside it is not tried.
#[test]
fn whoever_changes_files_does_it_through_the_port_where_faults_are_tried() {
    let changes = [
        "fs::write",
        "fs::rename",
        "fs::copy",
        "fs::create_dir",
        "fs::remove_",
        "fs::hard_link",
        "fs::set_permissions",
        "DirBuilder::new",
        "OpenOptions::new",
        "File::options",
        "File::create",
        ".sync_all()",
        ".sync_data()",
        ".set_len(",
        "renameat",
    ];
    let folders = ["app/node/src", "app/store/src", "upgrades/core/src", "upgrades/swingvisor/src"];
    let mut found = BTreeSet::new();
    for name in tracked_files(".rs").into_iter().filter(|name| folders.iter().any(|folder| name.starts_with(folder))) {
        let text = read(&name);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        if changes.iter().any(|change| code.contains(change)) {
            found.insert(name.to_string_lossy().into_owned());
        }
    }
    let listed: BTreeSet<String> = BESIDE_THE_PORT.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, listed, "use swing_files::Files, or say what the files are");
}

#[test]
fn consensus_code_reads_no_clock_environment_or_random_order() {
    let names = ["HashMap", "HashSet", "f64", "f32"];
    let paths = ["std::time", "std::env", "std::fs", "std::net", "std::thread", "rand::"];
    let pure =
        ["app/core/src", "upgrades/core/src", "swingset/abi/src", "swingset/kernel/src", "swingset/vat-supervisor/src"];
    for name in tracked_files(".rs").into_iter().filter(|name| pure.iter().any(|folder| name.starts_with(folder))) {
        for (number, line) in read(&name).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let mut words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let named =
                words.find(|word| names.contains(word)).or_else(|| paths.into_iter().find(|path| code.contains(path)));
            assert!(named.is_none(), "{}:{} names {named:?}", name.display(), number + 1);
        }
    }
}
