//! Several plans on one chain, and migrations that take several blocks: the real application, engine and database in one process.

use std::path::Path;

use serde_json::Value;
use swing_core::{address::module_address, genesis, ports::upgrade::Release, state::StateRead};
use swing_node::app::{DATABASE_FOLDER, snapshots};
use swing_proto::{
    cosmos::{
        gov::v1::ProposalStatus,
        upgrade::v1beta1::{MsgSoftwareUpgrade, Plan, QueryModuleVersionsRequest, QueryModuleVersionsResponse},
    },
    google::protobuf::Any,
    pack,
    swing::{
        swingset::v1::EngineStatus,
        upgrade::v1::{
            MsgSchedulePlan, PlanRecord, QueryHistoryRequest, QueryHistoryResponse, QueryMigrationRequest,
            QueryMigrationResponse,
        },
    },
};
use swing_store::{
    Store, StoreOptions, View,
    snapshot::{FORMAT, Snapshots},
};
use swing_tests::{governed::Governed, releases, slow_release};

fn release(name: &str) -> &'static dyn Release {
    releases::release(name).expect("a release of this name")
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn plan(name: &str, height: u64) -> Plan {
    let height = i64::try_from(height).expect("a small height");
    Plan { name: name.to_owned(), height, info: "{}".to_owned(), ..Plan::default() }
}

fn gov() -> String {
    module_address("gov").to_string()
}

fn software_upgrade(name: &str, height: u64) -> Any {
    pack(&MsgSoftwareUpgrade { authority: gov(), plan: Some(plan(name, height)) })
}

#[track_caller]
fn decide(chain: &mut Governed, message: Any) {
    let proposal = chain.decide(vec![message]).expect("blocks");
    assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
}

/// Sends until the block before `height` is committed.
fn run_to(chain: &mut Governed, height: u64) {
    while chain.height().expect("a height") + 1 < height {
        chain.send().expect("taken");
    }
}

fn history(chain: &Governed) -> Vec<PlanRecord> {
    let answer: QueryHistoryResponse =
        chain.ask("/swing.upgrade.v1.Query/History", &QueryHistoryRequest::default()).expect("answers");
    answer.plans
}

fn migration(chain: &Governed) -> QueryMigrationResponse {
    chain.ask("/swing.upgrade.v1.Query/Migration", &QueryMigrationRequest {}).expect("answers")
}

fn version(chain: &Governed, module: &str) -> u64 {
    let request = QueryModuleVersionsRequest { module_name: module.to_owned() };
    let answer: QueryModuleVersionsResponse =
        chain.ask("/cosmos.upgrade.v1beta1.Query/ModuleVersions", &request).expect("answers");
    answer.module_versions.first().expect("the module is there").version
}

fn committed(data: &Path) -> View {
    Store::peek(data.join(DATABASE_FOLDER), StoreOptions::default()).expect("the database opens").expect("a version")
}

/// version-1 → version-2 → version-3, whose migrations take several blocks; the process dies with each further block executed and
/// not committed, and starts again, if asked to. Gives all app hashes.
fn migrated(crashing: bool) -> Vec<String> {
    let folder = temporary();
    let (two, three) = (release("version-2"), release(slow_release::NAME));
    let mut chain = Governed::open(folder.path(), two).expect("version-2 runs version-1's rules until its height");
    chain.block(Vec::new()).expect("a first block");
    decide(&mut chain, software_upgrade("version-2", 8));
    run_to(&mut chain, 9);
    let [first] = history(&chain).try_into().expect("one plan");
    let done = first.done.expect("it is applied");
    assert_eq!((first.end_height, done.release.as_str(), done.app_version), (8, "version-2", 2));
    assert_eq!([done.handler_digest.len(), done.bundles_digest.len(), done.changes_digest.len()], [64; 3]);

    let next = pack(&MsgSchedulePlan { authority: gov(), plan: Some(plan(slow_release::NAME, 30)), replaces: 0 });
    decide(&mut chain, next);
    let later = pack(&MsgSchedulePlan { authority: gov(), plan: Some(plan("version-4", 32)), replaces: 0 });
    decide(&mut chain, later);
    run_to(&mut chain, 30);
    chain = chain.restarted(folder.path(), three).expect("it starts before its height");
    chain.send().expect("the upgrade's block");
    let mut modules = Vec::new();
    while let Some(migration) = migration(&chain).migration {
        modules.push(migration.module);
        assert_eq!(history(&chain)[1].done.as_ref().map(|done| done.migrated_height), Some(0));
        if crashing {
            chain = chain.crashed(folder.path(), three).expect("it starts within a migration");
        }
        chain.send().expect("blocks go on, one slice each");
    }
    let slices = |name: &str| modules.iter().filter(|module| *module == name).count();
    assert!(slices("auth") >= 2 && slices("bank") >= 2, "both take several blocks: {modules:?}");
    assert_eq!((version(&chain, "auth"), version(&chain, "bank")), (7, 5));
    let records = history(&chain);
    let ended = i64::try_from(chain.height().expect("a height")).expect("small");
    assert_eq!(records[1].done.as_ref().map(|done| done.migrated_height), Some(ended));
    // The plan behind it would have become due meanwhile.
    assert_eq!((records[2].planned_height, records[2].postponements.len()), (32, 1));
    assert!(records[2].height > ended, "{records:?}");
    let sent = chain.messages();
    assert_eq!(chain.counted().expect("the contract answers"), (sent, sent), "none lost, none twice");
    let hashes = chain.hashes().to_vec();
    drop(chain);
    let state = committed(folder.path());
    for (module, prefix) in [("auth", b"auth/".as_slice()), ("bank", b"bank/")] {
        for entry in state.prefix(prefix) {
            let (key, _) = entry.expect("it reads");
            let copy = state.get(&slow_release::migrated(module, &key)).expect("it reads");
            assert!(copy.is_some(), "{} was not migrated", String::from_utf8_lossy(&key));
        }
    }
    assert_eq!(state.get(b"test/behind").expect("it reads").as_deref(), Some(b"done".as_slice()));
    hashes
}

#[test]
fn a_migration_over_several_blocks_goes_on_from_its_cursor_after_a_crash_with_the_same_hashes() {
    assert_eq!(migrated(false), migrated(true));
}

/// A chain that has just gone through the upgrade which begins a migration over several blocks.
fn begun(folder: &Path) -> Governed {
    let mut chain = Governed::open(folder, release("version-2")).expect("it opens");
    chain.block(Vec::new()).expect("a first block");
    decide(&mut chain, software_upgrade("version-2", 8));
    run_to(&mut chain, 9);
    decide(&mut chain, software_upgrade(slow_release::NAME, 24));
    run_to(&mut chain, 24);
    let mut chain = chain.restarted(folder, release(slow_release::NAME)).expect("it starts");
    chain.send().expect("the upgrade's block");
    chain
}

#[test]
fn a_binary_that_does_not_know_the_rules_under_migration_does_not_go_on_with_it() {
    let folder = temporary();
    let chain = begun(folder.path());
    assert!(migration(&chain).migration.is_some());
    let refused = chain.restarted(folder.path(), release("version-2")).expect_err("it is older than state");
    assert!(swing_tests::chain::refusal_in(&refused).is_some(), "{refused:?}");
}

/// Makes a snapshot of what a running node has committed, and restores it in a folder of its own.
fn moved_by_snapshot(from: &Path) -> tempfile::TempDir {
    let other = temporary();
    let view = committed(from);
    let snapshots = Snapshots::new(other.path().join(snapshots::FOLDER));
    let metadata = snapshots.make(&view, snapshots::about(&view).expect("it reads")).expect("made");
    let store = Store::open(other.path().join(DATABASE_FOLDER), StoreOptions::default()).expect("it opens");
    let mut restore = store.restore(metadata.clone()).expect("it is empty");
    for index in 0..metadata.chunks() {
        let chunk = snapshots.chunk(metadata.height, FORMAT, index).expect("whole").expect("there");
        restore.apply(index, &chunk).expect("taken");
    }
    restore.finish(&metadata.app_hash, |view| snapshots::verify(view, &metadata)).expect("what the app hash binds");
    other
}

/// A chain in the middle of a migration; `moving`, it goes on from a snapshot of that moment. Gives all app hashes.
fn within_a_migration(moving: bool) -> Vec<String> {
    let folder = temporary();
    let three = release(slow_release::NAME);
    let mut chain = begun(folder.path());
    chain.send().expect("one more slice");
    let cursor = migration(&chain).migration.expect("under way").cursor;
    assert!(!cursor.is_empty(), "it is in the middle of a step");
    let refused =
        genesis::export(&committed(folder.path()), false).expect_err("half a layout has no section").to_string();
    assert!(refused.contains("swingd snapshots export"), "it says what can be done now: {refused}");
    let other = moved_by_snapshot(folder.path());
    let place = if moving { other.path() } else { folder.path() };
    chain = chain.restarted(place, three).expect("it starts");
    assert_eq!(migration(&chain).migration.expect("under way").cursor, cursor);
    while migration(&chain).migration.is_some() {
        chain.send().expect("blocks go on");
    }
    chain.send().expect("blocks go on");
    let sent = chain.messages();
    assert_eq!(chain.counted().expect("the contract answers"), (sent, sent), "none lost, none twice");
    chain.hashes().to_vec()
}

#[test]
fn an_export_waits_for_a_migrations_end_and_a_snapshot_of_its_middle_has_the_cursor_to_go_on_from() {
    assert_eq!(within_a_migration(true), within_a_migration(false));
}

/// A genesis whose kernel counts many more vats than there are: the migration of its schema looks at each number.
fn genesis_with_vat_numbers(next: u64) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
    let folder = temporary();
    let mut chain = Governed::open(folder.path(), release("version-1")).expect("it opens");
    chain.block(Vec::new()).expect("a first block");
    drop(chain);
    let mut state = genesis::export(&committed(folder.path()), true).expect("an export").app_state;
    let key = BASE64.encode("swingset/k/vat.nextID");
    let entries = state["swingset"]["kernel_state"].as_array_mut().expect("a list");
    let entry = entries.iter_mut().find(|entry| entry["key"] == key.as_str()).expect("the kernel counts vats");
    entry["value"] = Value::String(BASE64.encode(next.to_string()));
    serde_json::to_vec(&state).expect("JSON of JSON")
}

/// version-2's kernel migrates its schema over several blocks. Gives all app hashes.
fn kernel_migrated(app_state: &[u8], crashing: bool) -> Vec<String> {
    let folder = temporary();
    let two = release("version-2");
    let mut chain = Governed::open_with(folder.path(), two, app_state.to_vec()).expect("it opens");
    chain.block(Vec::new()).expect("a first block");
    decide(&mut chain, software_upgrade("version-2", 8));
    run_to(&mut chain, 9);
    let mut blocks = 0;
    while migration(&chain).kernel_migrating {
        blocks += 1;
        assert_eq!(chain.kernel().expect("a kernel").engine_status(), EngineStatus::Migrating);
        assert_eq!(history(&chain)[0].done.as_ref().map(|done| done.migrated_height), Some(0));
        if crashing {
            chain = chain.crashed(folder.path(), two).expect("it starts within a migration");
        }
        chain.send().expect("messages are taken, and wait");
    }
    assert!(blocks >= 2, "it took {blocks} blocks after the upgrade's");
    let ended = i64::try_from(chain.height().expect("a height")).expect("small");
    assert_eq!(history(&chain)[0].done.as_ref().map(|done| done.migrated_height), Some(ended));
    let kernel = chain.kernel().expect("a kernel");
    assert_eq!((kernel.schema_version, kernel.engine_status()), (2, EngineStatus::Running));
    let sent = chain.messages();
    assert_eq!(chain.counted().expect("the contract answers"), (sent, sent), "none lost, none twice");
    chain.hashes().to_vec()
}

#[test]
fn a_kernels_migration_over_several_blocks_goes_on_after_a_crash_and_no_message_is_lost() {
    let app_state = genesis_with_vat_numbers(50_001);
    assert_eq!(kernel_migrated(&app_state, false), kernel_migrated(&app_state, true));
}
