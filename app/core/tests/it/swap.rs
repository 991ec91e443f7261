//! Swaps of the engine's bundles by governance: decided, refused, made, failing, replaced, taken back, exported.

mod decided;
mod made;
mod numbered;
mod plans;

use swing_core::{address::module_address, block::TxResult, event::Event, genesis::default_app_state};
use swing_proto::{
    agoric::swingset::MsgInstallBundle,
    cosmos::{
        base::v1beta1::Coin,
        gov::v1::{
            MsgSubmitProposal, MsgVote, Proposal, ProposalStatus, QueryProposalRequest, QueryProposalResponse,
            VoteOption,
        },
        upgrade::v1beta1::{MsgSoftwareUpgrade, Plan},
    },
    google::protobuf::Any,
    pack,
    swing::swingset::v1::{
        MsgCancelKernelBundle, MsgSetKernelBundle, PendingSwap, QueryPendingSwapRequest, QueryPendingSwapResponse,
        QuerySwapHistoryRequest, QuerySwapHistoryResponse, SwapOutcome, SwapRecord,
    },
};

use crate::{
    accounts::{Account, Draft},
    chain::{Chain, Genesis},
    engine::bundle_id,
};

/// A kernel that starts from schema 1 and works with it.
const SAME: &str = "kernel 1 1";
/// A kernel that brings schema 2.
const NEXT: &str = "kernel 1 2";
/// A kernel that starts from schema 2 only.
const LATER: &str = "kernel 2 3";

/// A chain whose votes take two blocks and are alice's alone.
pub struct Voting {
    pub chain: Chain,
    pub alice: Account,
    proposals: u64,
}

impl Voting {
    pub fn new() -> Self {
        let alice = Account::new(1);
        let mut genesis = Genesis::with(&[&alice]);
        genesis.app_state["staking"]["delegations"][0]["delegator_address"] = alice.text().into();
        let params = &mut genesis.app_state["gov"]["params"];
        *params = default_app_state()["gov"]["params"].clone();
        params["voting_period"] = "10s".into();
        params["expedited_voting_period"] = "5s".into();
        params["min_deposit"] = serde_json::json!([{"denom": "uswing", "amount": "1000"}]);
        params["expedited_min_deposit"] = serde_json::json!([{"denom": "uswing", "amount": "2000"}]);
        Voting { chain: genesis.start().expect("valid"), alice, proposals: 0 }
    }

    /// A chain with bundles installed.
    pub fn with(bundles: &[&str]) -> Self {
        let mut voting = Voting::new();
        for bundle in bundles {
            let message = MsgInstallBundle {
                bundle: (*bundle).to_owned(),
                submitter: voting.alice.address.as_bytes().to_vec(),
                ..MsgInstallBundle::default()
            };
            let result = voting.run(pack(&message));
            assert_eq!(result.code, 0, "{}", result.log);
        }
        voting
    }

    pub fn run(&mut self, message: Any) -> TxResult {
        let mut draft = Draft::new(vec![message]);
        draft.fee.gas_limit = 5_000_000;
        let tx = self.chain.sign(&draft, &self.alice);
        self.chain.deliver(tx)
    }

    pub fn submit(&mut self, messages: Vec<Any>) -> TxResult {
        let result = self.run(pack(&MsgSubmitProposal {
            messages,
            initial_deposit: vec![Coin { denom: "uswing".to_owned(), amount: "1000".to_owned() }],
            proposer: self.alice.text(),
            title: "t".to_owned(),
            summary: "s".to_owned(),
            ..MsgSubmitProposal::default()
        }));
        self.proposals += u64::from(result.code == 0);
        result
    }

    /// Proposes and votes; the block in which the vote ends is the last one then.
    #[track_caller]
    pub fn decide(&mut self, messages: Vec<Any>) -> Proposal {
        let result = self.submit(messages);
        assert_eq!(result.code, 0, "{}", result.log);
        self.vote()
    }

    /// Votes on the last proposal, to the block in which the vote ends.
    pub fn vote(&mut self) -> Proposal {
        self.cast(self.proposals);
        self.chain.block(Vec::new());
        self.proposal(self.proposals)
    }

    /// A block with a vote.
    fn cast(&mut self, proposal_id: u64) {
        let voter = self.alice.text();
        let vote = MsgVote { proposal_id, voter, option: VoteOption::Yes.into(), metadata: String::new() };
        let result = self.run(pack(&vote));
        assert_eq!(result.code, 0, "{}", result.log);
    }

    fn proposal(&self, proposal_id: u64) -> Proposal {
        let request = QueryProposalRequest { proposal_id };
        let answer: QueryProposalResponse =
            self.chain.query("/cosmos.gov.v1.Query/Proposal", &request).expect("the proposal is there");
        answer.proposal.expect("always there")
    }

    fn pending(&self) -> Option<PendingSwap> {
        let answer: QueryPendingSwapResponse =
            self.chain.query("/swing.swingset.v1.Query/PendingSwap", &QueryPendingSwapRequest {}).expect("answers");
        answer.swap
    }

    fn history(&self) -> Vec<SwapRecord> {
        let answer: QuerySwapHistoryResponse = self
            .chain
            .query("/swing.swingset.v1.Query/SwapHistory", &QuerySwapHistoryRequest::default())
            .expect("answers");
        answer.swaps
    }

    /// Outcomes of all swaps that ended, in order.
    fn outcomes(&self) -> Vec<SwapOutcome> {
        self.history().iter().map(SwapRecord::outcome).collect()
    }

    fn kernel(&self) -> String {
        String::from_utf8(self.chain.get("swingset/h/kernelBundleID").expect("a kernel").to_vec()).expect("text")
    }

    fn schema(&self) -> String {
        String::from_utf8(self.chain.get("swingset/k/version").expect("a schema").to_vec()).expect("text")
    }

    /// Events of the last block about swaps, by kind.
    fn told(&self) -> Vec<&str> {
        let kinds = self.chain.last.events.iter().map(|event| event.kind.as_str());
        kinds.filter(|kind| kind.starts_with("swingset_swap")).collect()
    }

    fn event(&self, kind: &str) -> &Event {
        self.chain.last.events.iter().find(|event| event.kind == kind).expect("the event was emitted")
    }
}

fn gov() -> String {
    module_address("gov").to_string()
}

fn set(kernel: &str, height: i64) -> Any {
    let kernel_bundle_id = bundle_id(kernel);
    pack(&MsgSetKernelBundle { authority: gov(), kernel_bundle_id, height, ..MsgSetKernelBundle::default() })
}

fn cancel() -> Any {
    pack(&MsgCancelKernelBundle { authority: gov() })
}

fn plan(height: i64, info: &str) -> Any {
    let plan = Plan { name: "version-3".to_owned(), height, info: info.to_owned(), ..Plan::default() };
    pack(&MsgSoftwareUpgrade { authority: gov(), plan: Some(plan) })
}

fn attribute<'a>(event: &'a Event, name: &str) -> &'a str {
    event.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).expect("the attribute")
}

#[track_caller]
fn check_failed(proposal: &Proposal, part: &str) {
    assert_eq!(proposal.status(), ProposalStatus::Failed, "{}", proposal.failed_reason);
    assert!(proposal.failed_reason.contains(part), "{}", proposal.failed_reason);
}
