//! Who can write the three bundle IDs: `docs/security.md` lists the ways, and here no other is found, in the source and on a chain.

use std::{collections::BTreeMap, path::Path, process::Command};

use swing_core::address::module_address;
use swing_proto::{
    cosmos::upgrade::v1beta1::{MsgCancelUpgrade, MsgSoftwareUpgrade, Plan},
    google::protobuf::Any,
    pack,
    swing::swingset::v1::{KernelInfo, MsgCancelKernelBundle, MsgSetKernelBundle},
};
use swing_tests::{governed::Governed, releases};
use swingset_bundles::release;

/// Lines of the sources, tests and examples aside, that hold `needle`: how many in each file.
fn lines_with(needle: &str) -> BTreeMap<String, usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new("git")
        .args([
            "grep",
            "--untracked",
            "--fixed-strings",
            "--count",
            needle,
            "--",
            "app/*/src/*.rs",
            "upgrades/*/src/*.rs",
            "swingset/host/src",
        ])
        .current_dir(root)
        .output()
        .expect("git is there");
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names of files");
    let pairs = text.lines().filter_map(|line| line.rsplit_once(':'));
    pairs.map(|(file, count)| (file.to_owned(), count.parse().expect("a count"))).collect()
}

fn table(rows: &[(&str, usize)]) -> BTreeMap<String, usize> {
    rows.iter().map(|(file, count)| ((*file).to_owned(), *count)).collect()
}

#[test]
fn the_bundle_ids_are_written_by_one_function_that_a_start_and_a_swap_call() {
    // Once where it is defined, and a use statement and a call in the swap.
    let controller = "swingset/host/src/controller";
    let writers = [(format!("{controller}/initialize.rs"), 2), (format!("{controller}/swap.rs"), 2)];
    assert_eq!(lines_with("write_release_ids"), writers.into_iter().collect::<BTreeMap<_, _>>());
    let swaps = [(format!("{controller}/swap.rs"), 2), (format!("{controller}/swap_bundles.rs"), 1)];
    assert_eq!(lines_with("controller.swap(env"), swaps.into_iter().collect::<BTreeMap<_, _>>());
}

#[test]
fn the_chain_swaps_bundles_at_genesis_in_a_handler_and_by_a_vote_and_nowhere_else() {
    let announcing = "app/node/src/app/announcing.rs";
    assert_eq!(
        lines_with("engine.initialize("),
        table(&[("app/core/src/modules/swingset/genesis.rs", 1), (announcing, 1)])
    );
    assert_eq!(
        lines_with("engine.reinitialize("),
        table(&[("upgrades/core/src/releases/version_2.rs", 1), (announcing, 1)])
    );
    assert_eq!(
        lines_with("engine.swap("),
        table(&[("app/core/src/modules/swingset/swap/perform.rs", 1), (announcing, 1)])
    );
}

fn ids(kernel: KernelInfo) -> [String; 3] {
    [kernel.kernel_bundle_id, kernel.lockdown_bundle_id, kernel.supervisor_bundle_id]
}

/// What someone who is not governance may try, in the name of `authority`.
fn attempts(authority: &str, kernel: &str) -> Vec<(&'static str, Any)> {
    let authority = authority.to_owned();
    let plan = Plan { name: "version-2".into(), height: 1_000, info: "{}".into(), ..Plan::default() };
    vec![
        (
            "set a kernel",
            pack(&MsgSetKernelBundle {
                authority: authority.clone(),
                kernel_bundle_id: kernel.to_owned(),
                ..MsgSetKernelBundle::default()
            }),
        ),
        ("cancel a swap", pack(&MsgCancelKernelBundle { authority: authority.clone() })),
        ("schedule a release", pack(&MsgSoftwareUpgrade { authority: authority.clone(), plan: Some(plan) })),
        ("cancel a plan", pack(&MsgCancelUpgrade { authority })),
    ]
}

#[test]
fn nobody_but_governance_moves_a_bundle_id_and_an_installed_kernel_is_only_installed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let version_1 = releases::release("version-1").expect("a release");
    let mut chain = Governed::open(folder.path(), version_1).expect("the application opens");
    chain.block(Vec::new()).expect("a first block");
    let before = ids(chain.kernel().expect("a kernel"));
    let kernel = chain.install(release("version-2").expect("a release").kernel).expect("anyone may install");
    assert_eq!(ids(chain.kernel().expect("a kernel")), before, "installing makes it nobody's kernel");
    let mine = chain.alice().to_string();
    for authority in [mine, module_address("gov").to_string()] {
        for (attempt, message) in attempts(&authority, &kernel) {
            let result = chain.signed_by_alice(message).expect("a block");
            assert_ne!(result.code, 0, "{attempt} as {authority} was accepted");
            chain.block(Vec::new()).expect("a block");
            assert_eq!(ids(chain.kernel().expect("a kernel")), before, "{attempt} as {authority}");
        }
    }
    assert!(chain.swaps().expect("a history").is_empty());
}
