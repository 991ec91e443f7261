//! Devices and what governance decides for vats, on the real application, engine and database in one process: peers and wallets by
//! transaction, the bank and published values by vats, the timer by the blocks' time, vats by votes.

use swing_core::address::module_address;
use swing_proto::{
    agoric::{
        swingset::{MsgDeliverInbound, MsgWalletAction, QueryMailboxRequest, QueryMailboxResponse},
        vstorage::{QueryDataRequest, QueryDataResponse},
    },
    cosmos::{
        bank::v1beta1::{MsgSend, QueryBalanceRequest, QueryBalanceResponse},
        base::v1beta1::Coin,
        gov::v1::ProposalStatus,
    },
    pack,
    swing::swingset::v1::{
        MsgCoreEval, MsgUpgradeVat, QueryBundleRequest, QueryBundleResponse, QueryVatRequest, QueryVatResponse, VatInfo,
    },
};
use swing_tests::{
    governed::{Governed, set_kernel},
    releases, script,
};
use swingset_bundles::{release, test_bundle};

/// A chain whose only user of devices is a vat that governance has run.
struct Served {
    chain: Governed,
    sent: u64,
}

/// The message by which governance runs a bundle as a vat with all devices.
fn eval(bundle_id: &str) -> swing_proto::google::protobuf::Any {
    pack(&MsgCoreEval {
        authority: module_address("gov").to_string(),
        bundle_id: bundle_id.to_owned(),
        json_permits: "{\"devices\":[\"timer\",\"mailbox\",\"bridge\"]}".to_owned(),
    })
}

impl Served {
    fn new(folder: &tempfile::TempDir) -> Served {
        let version_1 = releases::release("version-1").expect("a release");
        let mut chain = Governed::open(folder.path(), version_1).expect("the application opens");
        chain.block(Vec::new()).expect("a first block");
        let bundle = chain.install(test_bundle("devices").expect("a bundle for tests")).expect("installed");
        let proposal = chain.decide(vec![eval(&bundle)]).expect("decided");
        assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
        chain.block(Vec::new()).expect("the block in which it runs");
        Served { chain, sent: 0 }
    }

    fn signed(&mut self, message: swing_proto::google::protobuf::Any) {
        let result = self.chain.signed_by_alice(message).expect("a block");
        assert_eq!(result.code, 0, "{}", result.log);
    }

    /// Alice sends a message to the vat by the mailbox, and acknowledges what came before; gives the mailbox as it is then.
    fn send(&mut self, text: &str) -> String {
        self.sent += 1;
        self.again(text)
    }

    /// The last message once more.
    fn again(&mut self, text: &str) -> String {
        self.signed(pack(&MsgDeliverInbound {
            messages: vec![text.to_owned()],
            nums: vec![self.sent],
            ack: self.sent - 1,
            submitter: self.chain.alice().as_bytes().to_vec(),
        }));
        self.mailbox()
    }

    fn mailbox(&self) -> String {
        let request = QueryMailboxRequest { peer: self.chain.alice().as_bytes().to_vec() };
        self.chain.ask::<QueryMailboxResponse>("/agoric.swingset.Query/Mailbox", &request).expect("answers").value
    }

    /// What the mailbox is when the last message was answered so.
    fn answered(&self, answer: &str) -> String {
        format!("{{\"ack\":{0},\"outbox\":[[{0},{answer:?}]]}}", self.sent)
    }

    fn published(&self, path: &str) -> Option<String> {
        let request = QueryDataRequest { path: path.to_owned() };
        self.chain.ask::<QueryDataResponse>("/agoric.vstorage.Query/Data", &request).ok().map(|answer| answer.value)
    }

    fn balance(&self, address: &str) -> String {
        let request = QueryBalanceRequest { address: address.to_owned(), denom: "uswing".to_owned() };
        let answer: QueryBalanceResponse =
            self.chain.ask("/cosmos.bank.v1beta1.Query/Balance", &request).expect("answers");
        answer.balance.map(|coin| coin.amount).unwrap_or_default()
    }

    fn vat(&self, name: &str) -> VatInfo {
        let request = QueryVatRequest { name: name.to_owned() };
        let answer: QueryVatResponse = self.chain.ask("/swing.swingset.v1.Query/Vat", &request).expect("answers");
        answer.vat.expect("it is there")
    }
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn somebody() -> String {
    swing_core::address::Address::new([7; 20]).to_string()
}

#[test]
fn a_vat_that_governance_runs_serves_peers_by_the_mailbox_once_each() {
    let folder = temporary();
    let mut served = Served::new(&folder);
    assert_eq!(served.send("hello"), served.answered("hello"));
    assert_eq!(served.again("hello"), served.answered("hello"), "a message that comes again is passed over");
    assert_eq!(served.send("publish published.greeting good-day"), served.answered("published"));
    assert_eq!(served.published("published.greeting").as_deref(), Some("good-day"));
    served.signed(pack(&MsgWalletAction { owner: served.chain.alice().as_bytes().to_vec(), action: "$look".into() }));
    assert_eq!(served.published("published.wallet").as_deref(), Some("$look"));
}

#[test]
fn a_vat_pays_from_its_modules_account_and_a_crank_that_is_undone_takes_the_payment_back() {
    let folder = temporary();
    let mut served = Served::new(&folder);
    let (vbank, to) = (module_address("vbank").to_string(), somebody());
    let refused = served.send(&format!("pay {to} 5"));
    assert!(refused.contains("insufficient funds"), "{refused}");
    served.signed(pack(&MsgSend {
        from_address: served.chain.alice().to_string(),
        to_address: vbank.clone(),
        amount: vec![Coin { denom: "uswing".to_owned(), amount: "10".to_owned() }],
    }));
    assert_eq!(served.send(&format!("pay {to} 4")), served.answered("paid"));
    assert_eq!((served.balance(&vbank), served.balance(&to)), ("6".to_owned(), "4".to_owned()));
    assert_eq!(served.send(&format!("balance {to}")), served.answered("4"));
    let before = served.mailbox();
    let after = served.send(&format!("break {to} 6"));
    assert_eq!((served.balance(&vbank), served.balance(&to)), ("6".to_owned(), "4".to_owned()), "taken back");
    assert_ne!(after, before, "the message itself was taken");
    assert!(after.ends_with("\"outbox\":[]}"), "the vat is no more, and nothing is answered: {after}");
}

#[test]
fn the_timer_wakes_a_vat_by_the_blocks_time_across_a_kernel_swap_and_restarts() {
    let folder = temporary();
    let mut served = Served::new(&folder);
    let seconds = 12 * (script::seconds_of(3) - script::seconds_of(2));
    assert_eq!(served.send(&format!("wake {seconds}")), served.answered("wake-up 1"));
    let next = served.chain.install(release("version-2").expect("a release").kernel).expect("installed");
    let proposal = served.chain.decide(vec![set_kernel(&next)]).expect("decided");
    assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
    let version_1 = releases::release("version-1").expect("a release");
    served.chain = served.chain.restarted(folder.path(), version_1).expect("it starts again");
    served.chain.block(Vec::new()).expect("a block");
    assert_eq!(served.chain.kernel().expect("a kernel").kernel_bundle_id, next);
    assert_eq!(served.published("published.woken"), None, "not yet");
    for _ in 0..12 {
        served.chain.block(Vec::new()).expect("a block");
    }
    assert_eq!(served.published("published.woken").as_deref(), Some("1"));
}

#[test]
fn a_vote_upgrades_a_static_vat_and_code_that_does_not_start_leaves_it_as_it_was() {
    let folder = temporary();
    let mut served = Served::new(&folder);
    let vats = release("version-1").expect("a release").vats;
    let of = |name: &str| vats.iter().find(|(other, _)| *other == name).expect("it is released").1;
    let upgrade = |bundle: &[u8]| {
        pack(&MsgUpgradeVat {
            authority: module_address("gov").to_string(),
            vat_name: "mint".to_owned(),
            bundle_id: swingset_host::bundle::bundle_id(bundle),
            upgrade_message: "a test".to_owned(),
            ..MsgUpgradeVat::default()
        })
    };
    assert_eq!(served.vat("mint").incarnation, 0);
    for (bundle, incarnation) in [(of("counter"), 0), (of("mint"), 1)] {
        let proposal = served.chain.decide(vec![upgrade(bundle)]).expect("decided");
        assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
        served.chain.block(Vec::new()).expect("the block in which it is upgraded");
        let vat = served.vat("mint");
        assert_eq!((vat.incarnation, vat.terminated), (incarnation, false));
        assert_eq!(vat.bundle_id, swingset_host::bundle::bundle_id(of("mint")));
    }
    let refused =
        served.chain.propose(vec![upgrade(release("version-1").expect("a release").kernel)]).expect("a block");
    assert!(refused.code != 0 && refused.log.contains("not a vat's"), "{}", refused.log);
}

#[test]
fn what_a_new_vat_counts_for_is_taken_from_the_budget_of_the_whole_block() {
    let folder = temporary();
    let mut state = script::app_state_of(script::CONSENSUS_KEY);
    // As much as two vats count for, and a part of a third.
    state["swingset"]["params"]["computrons_per_block"] = serde_json::json!("700000");
    let version_1 = releases::release("version-1").expect("a release");
    let state = serde_json::to_vec(&state).expect("JSON");
    let mut chain = Governed::open_with(folder.path(), version_1, state).expect("the application opens");
    let bundle = chain.install(test_bundle("devices").expect("a bundle for tests")).expect("installed");
    let proposal = chain.decide(vec![eval(&bundle); 8]).expect("decided");
    assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
    let made = |chain: &Governed| {
        let request = QueryBundleRequest { bundle_id: bundle.clone() };
        let answer: QueryBundleResponse = chain.ask("/swing.swingset.v1.Query/Bundle", &request).expect("answers");
        answer.bundle.expect("it is installed").uses
    };
    let mut before = made(&chain);
    for _ in 0..20 {
        chain.block(Vec::new()).expect("a block");
        let now = made(&chain);
        assert!(now <= before + 3, "{} vats in one block", now - before);
        before = now;
    }
    assert_eq!(before, 8, "all are made in the end");
}
