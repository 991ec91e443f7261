//! What the sources have of the three bundle IDs: each line of production code that names one, that makes a key of the host's, or that
//! writes under a key which its own file did not make. Whoever adds one comes here, says what it does, and finds `docs/security.md`.

use std::{collections::BTreeMap, path::Path, process::Command};

/// What a line does with what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Reads,
    Writes,
    /// It only says a name: where it is defined, or to people.
    Says,
}

type Row = (Does, &'static str, &'static str);

/// Lines that name one of the three IDs.
#[rustfmt::skip]
const NAMING: &[Row] = &[
    (Does::Reads, "app/core/src/modules/swingset/block.rs", r#"Ok(state.get(&keys::host("kernelBundleID")).map_err(storage)?.is_some())"#),
    (Does::Reads, "app/core/src/modules/swingset/query.rs", r#"kernel_bundle_id: host_text(state, "kernelBundleID")?,"#),
    (Does::Reads, "app/core/src/modules/swingset/query.rs", r#"lockdown_bundle_id: host_text(state, "lockdownBundleID")?,"#),
    (Does::Reads, "app/core/src/modules/swingset/query.rs", r#"supervisor_bundle_id: host_text(state, "supervisorBundleID")?,"#),
    (Does::Reads, "app/core/src/modules/swingset/simulated.rs", r#"if let Some(supervisor) = view::text(state, &keys::host("supervisorBundleID"))? {"#),
    (Does::Reads, "app/core/src/modules/swingset/swap/way.rs", r#"|| state.get(&keys::host("kernelBundleID"))?.is_none()"#),
    (Does::Reads, "app/core/src/modules/swingset/view.rs", r#"if state.get(&keys::host("kernelBundleID"))?.is_none() {"#),
    (Does::Reads, "app/node/src/cli/engine/dump.rs", "for name in [keys::KERNEL_BUNDLE_ID, keys::LOCKDOWN_BUNDLE_ID, keys::SUPERVISOR_BUNDLE_ID, keys::ACTIVITY_HASH] {"),
    (Does::Reads, "app/node/src/cli/engine/kernel_state.rs", "match kernel.host_text(keys::KERNEL_BUNDLE_ID)? {"),
    (Does::Says, "app/node/src/cli/engine/vats.rs", r#"shown["supervisorBundleID"] = json!(vat.source.supervisor_bundle_id);"#),
    (Does::Says, "app/node/src/cli/engine/vats.rs", r#"shown["lockdownBundleID"] = json!(vat.source.lockdown_bundle_id);"#),
    (Does::Reads, "swingset/host/src/controller/admin.rs", "let supervisor = match self.host_text(env, keys::SUPERVISOR_BUNDLE_ID)? {"),
    (Does::Reads, "swingset/host/src/controller/crank.rs", "let id = self.host_text(env, keys::KERNEL_BUNDLE_ID)?;"),
    (Does::Writes, "swingset/host/src/controller/initialize.rs", "write(keys::KERNEL_BUNDLE_ID, &release.kernel)?;"),
    (Does::Writes, "swingset/host/src/controller/initialize.rs", "write(keys::LOCKDOWN_BUNDLE_ID, &release.lockdown)?;"),
    (Does::Writes, "swingset/host/src/controller/initialize.rs", "write(keys::SUPERVISOR_BUNDLE_ID, &release.supervisor)?;"),
    (Does::Reads, "swingset/host/src/controller/inspect.rs", "kernel_bundle_id: self.host_text(env, keys::KERNEL_BUNDLE_ID)?,"),
    (Does::Reads, "swingset/host/src/controller/inspect.rs", "lockdown_bundle_id: self.host_text(env, keys::LOCKDOWN_BUNDLE_ID)?,"),
    (Does::Reads, "swingset/host/src/controller/inspect.rs", "supervisor_bundle_id: self.host_text(env, keys::SUPERVISOR_BUNDLE_ID)?,"),
    (Does::Reads, "swingset/host/src/controller/install.rs", "let Some(id) = self.host_text(env, keys::LOCKDOWN_BUNDLE_ID)? else {"),
    (Does::Reads, "swingset/host/src/controller/migrate.rs", "let kernel = self.host_text(env, keys::KERNEL_BUNDLE_ID)?.unwrap_or_default();"),
    (Does::Reads, "swingset/host/src/controller/migrate.rs", "let present = self.host_text(env, keys::KERNEL_BUNDLE_ID)?.unwrap_or_default();"),
    (Does::Reads, "swingset/host/src/controller/swap.rs", "let (lockdown, supervisor) = (named(keys::LOCKDOWN_BUNDLE_ID)?, named(keys::SUPERVISOR_BUNDLE_ID)?);"),
    (Does::Reads, "swingset/host/src/controller/swap.rs", "let kernel_before = self.host_text(env, keys::KERNEL_BUNDLE_ID)?.unwrap_or_default();"),
    (Does::Reads, "swingset/host/src/controller/swap_bundles.rs", "(&swap.kernel, keys::KERNEL_BUNDLE_ID),"),
    (Does::Reads, "swingset/host/src/controller/swap_bundles.rs", "(&swap.lockdown, keys::LOCKDOWN_BUNDLE_ID),"),
    (Does::Reads, "swingset/host/src/controller/swap_bundles.rs", "(&swap.supervisor, keys::SUPERVISOR_BUNDLE_ID),"),
    (Does::Reads, "swingset/host/src/controller/swap_bundles.rs", "kernel: or_present(&swap.kernel, keys::KERNEL_BUNDLE_ID)?,"),
    (Does::Reads, "swingset/host/src/controller/swap_bundles.rs", "lockdown: or_present(&swap.lockdown, keys::LOCKDOWN_BUNDLE_ID)?,"),
    (Does::Reads, "swingset/host/src/controller/swap_bundles.rs", "supervisor: or_present(&swap.supervisor, keys::SUPERVISOR_BUNDLE_ID)?,"),
    (Does::Says, "swingset/host/src/keys.rs", r#"pub const KERNEL_BUNDLE_ID: &str = "kernelBundleID";"#),
    (Does::Says, "swingset/host/src/keys.rs", r#"pub const LOCKDOWN_BUNDLE_ID: &str = "lockdownBundleID";"#),
    (Does::Says, "swingset/host/src/keys.rs", r#"pub const SUPERVISOR_BUNDLE_ID: &str = "supervisorBundleID";"#),
    (Does::Says, "swingset/host/src/keys.rs", "[KERNEL_BUNDLE_ID, LOCKDOWN_BUNDLE_ID, SUPERVISOR_BUNDLE_ID, ACTIVITY_HASH]"),
    (Does::Reads, "swingset/host/src/uses.rs", "for name in [keys::KERNEL_BUNDLE_ID, keys::LOCKDOWN_BUNDLE_ID, keys::SUPERVISOR_BUNDLE_ID] {"),
];

/// Lines that make a key of the host's and do not read there at once.
#[rustfmt::skip]
const KEYS_OF_THE_HOST: &[Row] = &[
    (Does::Writes, "app/core/src/modules/swingset/simulated.rs", r#"state.set(keys::host(&format!("released/{id}")), b"1".to_vec()).map_err(failed)"#),
    (Does::Writes, "swingset/host/src/controller/initialize.rs", "env.set(&keys::host(keys::ENGINE), Bytes::copy_from_slice(self.runtime.identity().as_bytes()))?;"),
    (Does::Writes, "swingset/host/src/controller/initialize.rs", "env.set(&keys::host(keys::HOST_ABI), Bytes::from(HOST_ABI_LEVEL.to_string()))?;"),
    // The one that a start and a swap call, for the three IDs and for names.
    (Does::Writes, "swingset/host/src/controller/initialize.rs", "let key = keys::host(name);"),
    (Does::Writes, "swingset/host/src/controller/install.rs", "Ok(env.set(&keys::host(keys::INSTALLED), Bytes::from(ids.to_bytes()))?)"),
    (Does::Writes, "swingset/host/src/controller/migrate.rs", "env.set(&keys::host(keys::MIGRATION), Bytes::from(cursor.to_bytes()))?;"),
    (Does::Writes, "swingset/host/src/controller/migrate.rs", "let key = keys::host(keys::MIGRATION);"),
    (Does::Writes, "swingset/host/src/controller/run.rs", "Reply::Done {} => Ok(env.delete(&keys::host(keys::INSTALLED))?),"),
    (Does::Writes, "swingset/host/src/controller/status.rs", "env.set(&keys::host(keys::STATUS), Bytes::from(status.to_bytes()))?;"),
    (Does::Writes, "swingset/host/src/controller/swap.rs", "env.delete(&keys::host(keys::STATUS))?;"),
    (Does::Writes, "swingset/host/src/controller/swap_bundles.rs", "let status = keys::host(keys::STATUS);"),
    // The activity hash, which alone of what is the host's passes through the kernel's cache.
    (Does::Writes, "swingset/host/src/kernel/kv.rs", "env.set(&keys::host(key), Bytes::copy_from_slice(value))?;"),
];

/// Lines that say the host's prefix itself.
#[rustfmt::skip]
const PREFIX: &[Row] = &[
    (Does::Says, "app/core/src/modules/swingset/keys.rs", r#"pub const HOST: &[u8] = b"swingset/h/";"#),
    (Does::Reads, "app/node/src/rehearsal/invariants/pages.rs", r#"const LEAVES: &[u8] = b"swingset/h/vat/";"#),
    (Does::Says, "swingset/host/src/keys.rs", r#"pub const HOST: &[u8] = b"swingset/h/";"#),
    (Does::Writes, "swingset/host/src/keys.rs", r#"pub const FREEABLE: &[u8] = b"swingset/h/freeable/";"#),
];

/// Lines that write under a key which comes from elsewhere, and why that is none of the three.
#[rustfmt::skip]
const OTHERS_KEYS: &[(&str, &str, &str)] = &[
    ("begins with the module's prefix", "app/core/src/modules/bank/keeper.rs", "if amount.is_zero() { state.delete(key) } else { state.set(key, amount.to_be_bytes_trimmed()) }"),
    ("begins with the module's prefix", "app/core/src/modules/bank/state.rs", "Some(enabled) => state.set(key, vec![u8::from(enabled)]),"),
    ("begins with the module's prefix", "app/core/src/modules/gov/state.rs", "Some(key) => state.set(key, Vec::new()),"),
    ("begins with the module's prefix", "app/core/src/modules/staking/redelegation.rs", "state.set(at, Vec::new())?;"),
    ("begins with the module's prefix", "app/core/src/modules/staking/redelegation.rs", "state.set(index, Vec::new())"),
    ("begins with the module's prefix", "app/core/src/modules/staking/unbonding.rs", "if unbonding.entries.is_empty() { state.delete(key) } else { state.set(key, unbonding.encode_to_vec()) }"),
    ("a published path, under its own prefix", "app/core/src/modules/swingset/bridge/storage.rs", "Some(value) => state.set(key, value.as_bytes().to_vec())?,"),
    ("ANY KEY OF THE ENGINE: a genesis's kernel_state", "app/core/src/modules/swingset/genesis.rs", "context.state.set(key, value)?;"),
    ("ANY KEY: what the controller writes goes through here", "app/node/src/engine_adapter/environment.rs", "self.state.set(key, value).map_err(|error| self.failed(error))"),
    ("THE THREE IDS: what a start and a swap call", "swingset/host/src/controller/initialize.rs", "env.set(&key, Bytes::copy_from_slice(id.as_bytes()))?;"),
    ("the migration's cursor", "swingset/host/src/controller/migrate.rs", "Reply::Migrated { cursor, .. } => env.set(&key, Bytes::from(cursor.to_bytes()))?,"),
    ("why the engine stopped", "swingset/host/src/controller/swap_bundles.rs", "env.set(&status, stopped)?;"),
    ("the kernel's own, under its prefix", "swingset/host/src/kernel/kv.rs", "Value::Present(value) => env.set(&full, Bytes::from(value))?,"),
    ("a page of a vat", "swingset/host/src/pages/restore.rs", "Some(bytes) => env.set(&key, bytes.into())?,"),
];

/// Lines that bring changes of state to the database, and whose state that is.
#[rustfmt::skip]
const STAGING: &[(&str, &str, &str)] = &[
    ("genesis", "app/node/src/app/consensus.rs", "let app_hash = self.shared.store.stage(initial_height, genesis.clone()).map_err(stored)?.root_hash().to_vec();"),
    ("a block", "app/node/src/app/consensus.rs", "let mut staged = self.shared.store.stage(block.height, executed.changes).map_err(stored)?;"),
    ("a copy for an operator, that no validator can run", "app/node/src/cli/engine/rekernelize.rs", "let staged = self.store.stage(height, state.into_changes()).map_err(failed)?;"),
    ("a rehearsal's copy", "app/node/src/rehearsal/run.rs", "let staged = self.store.stage(height, changes)?;"),
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The chain's production code: its files, each with its lines but comments and tests.
fn sources() -> Vec<(String, Vec<String>)> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"])
        .args(["app/*/src/*.rs", "upgrades/*/src/*.rs", "swingset/host/src/*.rs"])
        .current_dir(root())
        .output()
        .expect("git is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = String::from_utf8(output.stdout).expect("names of files");
    let mut sources = Vec::new();
    for file in files.split('\0').filter(|file| !file.is_empty() && !file.ends_with("tests.rs")) {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = production.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        sources.push((file.to_owned(), lines.map(str::to_owned).collect()));
    }
    assert!(sources.len() > 300, "the sources are found");
    sources
}

/// Lines of the sources, each as `file: line`, in order.
fn lines(wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let found = |(file, lines): (String, Vec<String>)| {
        let lines = lines.into_iter().filter(|line| wanted(line)).collect::<Vec<_>>();
        lines.into_iter().map(move |line| format!("{file}: {line}"))
    };
    let mut all: Vec<String> = sources().into_iter().flat_map(found).collect();
    all.sort();
    all
}

#[track_caller]
fn check<'a>(found: &[String], table: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut known: Vec<String> = table.into_iter().map(|(file, line)| format!("{file}: {line}")).collect();
    known.sort();
    let unknown: Vec<_> = found.iter().filter(|line| !known.contains(line)).collect();
    assert!(unknown.is_empty(), "say in the table what these do, and in docs/security.md if they write: {unknown:#?}");
    assert_eq!(found, known, "the table has lines that are gone");
}

fn of(rows: &'static [Row]) -> impl Iterator<Item = (&'static str, &'static str)> {
    rows.iter().map(|(_, file, line)| (*file, *line))
}

fn without_why(
    rows: &'static [(&'static str, &'static str, &'static str)],
) -> impl Iterator<Item = (&'static str, &'static str)> {
    rows.iter().map(|(_, file, line)| (*file, *line))
}

#[test]
fn every_line_that_names_a_bundle_id_is_known_and_one_function_alone_writes_them() {
    const NAMES: [&str; 3] = ["kernel", "lockdown", "supervisor"];
    let names = |line: &str| {
        NAMES.iter().any(|name| {
            let constant = format!("{}_BUNDLE_ID", name.to_ascii_uppercase());
            line.contains(&constant) || line.contains(&format!("{name}BundleID"))
        })
    };
    check(&lines(names), of(NAMING));
    for (does, file, line) in NAMING {
        let writes = [".set(", ".delete(", "write("].iter().any(|call| line.contains(call));
        assert_eq!(*does == Does::Writes, writes, "{file}: {line}");
        let expected = "swingset/host/src/controller/initialize.rs";
        assert!(*does != Does::Writes || *file == expected, "{file} writes an ID: {line}");
    }
}

#[test]
fn every_line_that_makes_a_key_of_the_hosts_reads_there_or_is_known() {
    let reads = |line: &str| {
        [".get(&", "view::text(state, &", "page(state, &", "for_each_entry(env, &"].iter().any(|call| {
            line.contains(&format!("{call}keys::host(")) || line.contains(&format!("{call}swingset::keys::host("))
        })
    };
    check(&lines(|line| line.contains("keys::host(") && !reads(line)), of(KEYS_OF_THE_HOST));
    check(&lines(|line| line.contains("swingset/h/")), of(PREFIX));
}

#[test]
fn every_line_that_writes_under_a_key_from_elsewhere_is_known_and_so_is_whose_state_reaches_the_database() {
    let plain = |key: &str| {
        let key = key.strip_prefix('&').unwrap_or(key);
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let elsewhere = |line: &str| {
        ["state.set(", "env.set("]
            .iter()
            .any(|call| line.split(call).skip(1).any(|rest| rest.split_once(',').is_some_and(|(key, _)| plain(key))))
    };
    check(&lines(elsewhere), without_why(OTHERS_KEYS));
    check(&lines(|line| line.contains("store.stage(")), without_why(STAGING));
}

/// How many lines of each file hold a text.
fn counts(needle: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (file, lines) in sources() {
        let count = lines.iter().filter(|line| line.contains(needle)).count();
        if count > 0 {
            counts.insert(file, count);
        }
    }
    counts
}

fn table(rows: &[(&str, usize)]) -> BTreeMap<String, usize> {
    rows.iter().map(|(file, count)| ((*file).to_owned(), *count)).collect()
}

#[test]
fn the_bundle_ids_are_written_by_one_function_that_a_start_and_a_swap_call() {
    // Once where it is defined, and a use statement and a call in the swap.
    let controller = "swingset/host/src/controller";
    let writers = [(format!("{controller}/initialize.rs"), 2), (format!("{controller}/swap.rs"), 2)];
    assert_eq!(counts("write_release_ids"), writers.into_iter().collect::<BTreeMap<_, _>>());
    let swaps = [(format!("{controller}/swap.rs"), 2), (format!("{controller}/swap_bundles.rs"), 1)];
    assert_eq!(counts("controller.swap(env"), swaps.into_iter().collect::<BTreeMap<_, _>>());
}

#[test]
fn the_chain_swaps_bundles_at_genesis_in_a_handler_and_by_a_vote_and_nowhere_else() {
    let announcing = "app/node/src/app/announcing.rs";
    assert_eq!(
        counts("engine.initialize("),
        table(&[("app/core/src/modules/swingset/genesis.rs", 1), (announcing, 1)])
    );
    assert_eq!(
        counts("engine.reinitialize("),
        table(&[("upgrades/core/src/releases/version_2.rs", 1), (announcing, 1)])
    );
    assert_eq!(counts("engine.swap("), table(&[("app/core/src/modules/swingset/swap/perform.rs", 1), (announcing, 1)]));
}
