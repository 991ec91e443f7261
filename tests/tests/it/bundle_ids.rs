//! Who can write the three bundle IDs: `docs/security.md` lists the ways, and here no other is found, in the source and on a chain.

mod sources;

use std::{collections::BTreeSet, path::Path};

use swing_core::{address::module_address, router};
use swing_proto::{
    agoric::swingset::{self as agoric, MsgInstallBundle, MsgSendChunk, MsgWalletAction, MsgWalletSpendAction},
    cosmos::{
        base::v1beta1::Coin,
        gov::v1::{MsgSubmitProposal, ProposalStatus},
        upgrade::v1beta1::{MsgCancelUpgrade, MsgSoftwareUpgrade, Plan},
    },
    google::protobuf::Any,
    pack,
    swing::{
        swingset::v1::{
            KernelInfo, MsgCancelKernelBundle, MsgCoreEval, MsgDeliverInbound, MsgReleaseBundle, MsgSetKernelBundle,
            MsgUpdateParams, MsgUpgradeVat,
        },
        upgrade::v1::{self as plans, MsgAttestUpgrade, MsgCancelPlan, MsgSchedulePlan},
    },
};
use swing_tests::{
    governed::{Governed, set_kernel},
    releases,
};
use swingset_bundles::release;

fn open(folder: &Path, release: &str) -> Governed {
    let release = releases::release(release).expect("a release");
    let mut chain = Governed::open(folder, release).expect("the application opens");
    chain.block(Vec::new()).expect("a first block");
    chain
}

fn ids(kernel: KernelInfo) -> [String; 3] {
    [kernel.kernel_bundle_id, kernel.lockdown_bundle_id, kernel.supervisor_bundle_id]
}

fn plan(height: i64) -> Option<Plan> {
    Some(Plan { name: "version-3".into(), height, info: "{}".into(), ..Plan::default() })
}

/// What governance alone may do, tried in the name of `authority`.
fn governed(authority: &str, kernel: &str, height: i64) -> Vec<Any> {
    let authority = || authority.to_owned();
    vec![
        pack(&MsgSetKernelBundle {
            authority: authority(),
            kernel_bundle_id: kernel.to_owned(),
            ..MsgSetKernelBundle::default()
        }),
        pack(&MsgCancelKernelBundle { authority: authority() }),
        pack(&MsgUpdateParams { authority: authority(), params: None }),
        pack(&MsgUpgradeVat {
            authority: authority(),
            vat_name: "counter".into(),
            bundle_id: kernel.to_owned(),
            ..MsgUpgradeVat::default()
        }),
        pack(&MsgCoreEval { authority: authority(), bundle_id: kernel.to_owned(), ..MsgCoreEval::default() }),
        pack(&MsgSoftwareUpgrade { authority: authority(), plan: plan(height) }),
        pack(&MsgCancelUpgrade { authority: authority() }),
        pack(&MsgSchedulePlan { authority: authority(), plan: plan(height), replaces: 0 }),
        pack(&MsgCancelPlan { authority: authority(), id: 1, reason: String::new() }),
        pack(&plans::MsgUpdateParams { authority: authority(), params: None }),
    ]
}

/// What is anybody's to do, with a kernel where a bundle is named; and whether it is done.
fn own(alice: &swing_core::address::Address, kernel: &str) -> Vec<(Any, bool)> {
    let (bytes, text) = (|| alice.as_bytes().to_vec(), || alice.to_string());
    let bundle = release("version-1").expect("a release").kernel;
    vec![
        (
            pack(&MsgInstallBundle {
                submitter: bytes(),
                bundle: String::from_utf8_lossy(bundle).into_owned(),
                ..MsgInstallBundle::default()
            }),
            false,
        ),
        (
            pack(&MsgSendChunk { submitter: bytes(), chunk_data: bundle[..100].to_vec(), ..MsgSendChunk::default() }),
            false,
        ),
        (
            pack(&MsgDeliverInbound {
                sender: text(),
                target: "counter".into(),
                method: "add".into(),
                args: b"#[1]".to_vec(),
            }),
            true,
        ),
        (pack(&agoric::MsgDeliverInbound { submitter: bytes(), ..agoric::MsgDeliverInbound::default() }), true),
        (pack(&MsgWalletAction { owner: bytes(), action: kernel.to_owned() }), true),
        (pack(&MsgWalletSpendAction { owner: bytes(), spend_action: kernel.to_owned() }), true),
        (
            pack(&MsgAttestUpgrade {
                validator: alice.to_operator(),
                plan_id: 1,
                plan_name: "version-2".into(),
                ..MsgAttestUpgrade::default()
            }),
            false,
        ),
        (
            pack(&MsgSubmitProposal {
                messages: vec![set_kernel(kernel)],
                proposer: text(),
                initial_deposit: vec![Coin { denom: "uswing".into(), amount: "1000".into() }],
                title: "t".into(),
                summary: "s".into(),
                ..MsgSubmitProposal::default()
            }),
            true,
        ),
        // The last, for it frees the kernel.
        (pack(&MsgReleaseBundle { submitter: text(), bundle_id: kernel.to_owned() }), true),
    ]
}

/// Tries a message; the three IDs stay.
#[track_caller]
fn tried(chain: &mut Governed, message: Any, before: &[String; 3], done: bool) {
    let what = message.type_url.clone();
    let result = chain.signed_by_alice(message).expect("a block");
    assert_eq!(result.code == 0, done, "{what}: {}", result.log);
    chain.block(Vec::new()).expect("a block");
    assert_eq!(ids(chain.kernel().expect("a kernel")), *before, "{what}");
}

#[test]
fn nobody_but_governance_moves_a_bundle_id_and_an_installed_kernel_is_only_installed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut chain = open(folder.path(), "version-1");
    let before = ids(chain.kernel().expect("a kernel"));
    let kernel = chain.install(release("version-2").expect("a release").kernel).expect("anyone may install");
    assert_eq!(ids(chain.kernel().expect("a kernel")), before, "installing makes it nobody's kernel");
    let mine = chain.alice().to_string();
    for authority in [mine, module_address("gov").to_string()] {
        for message in governed(&authority, &kernel, 1_000) {
            tried(&mut chain, message, &before, false);
        }
    }
    assert!(chain.swaps().expect("a history").is_empty());
}

/// Every message that the modules take which have to do with bundles and plans, from somebody who has no power, under the newest rules.
#[test]
fn under_version_2s_rules_no_message_of_an_ordinary_account_moves_a_bundle_id() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut chain = open(folder.path(), "version-2");
    let upgrade = MsgSoftwareUpgrade {
        authority: module_address("gov").to_string(),
        plan: plan(8).map(|plan| Plan { name: "version-2".into(), ..plan }),
    };
    let decided = chain.decide(vec![pack(&upgrade)]).expect("blocks");
    assert_eq!(decided.status(), ProposalStatus::Passed, "{}", decided.failed_reason);
    while chain.height().expect("a height") < 8 {
        chain.send().expect("taken");
    }
    let kernel =
        chain.install(swingset_bundles::test_bundle("kernel-3").expect("a bundle")).expect("anyone may install");
    let before = ids(chain.kernel().expect("a kernel"));
    assert_eq!(chain.kernel().expect("a kernel").schema_version, 2, "version-2's rules are in force");

    let alice = chain.alice();
    let height = i64::try_from(chain.height().expect("a height") + 30).expect("small");
    let mut types = BTreeSet::new();
    for authority in [alice.to_string(), module_address("gov").to_string()] {
        for message in governed(&authority, &kernel, height) {
            types.insert(message.type_url.clone());
            tried(&mut chain, message, &before, false);
        }
    }
    for (message, done) in own(&alice, &kernel) {
        types.insert(message.type_url.clone());
        tried(&mut chain, message, &before, done);
    }
    for (name, id) in ["kernel", "lockdown", "supervisor"].into_iter().zip(&before) {
        let release = MsgReleaseBundle { submitter: alice.to_string(), bundle_id: id.clone() };
        let result = chain.signed_by_alice(pack(&release)).expect("a block");
        assert_ne!(result.code, 0, "the {name} in force was released");
    }
    assert!(chain.swaps().expect("a history").is_empty());
    let of_bundles_and_plans = ["/swing.", "/agoric.", "/cosmos.upgrade."];
    let missing: Vec<_> = router::type_urls()
        .filter(|kind| of_bundles_and_plans.iter().any(|package| kind.starts_with(package)) && !types.contains(*kind))
        .collect();
    assert!(missing.is_empty(), "try these too: {missing:?}");
}
