//! A chain that is governed as it goes: on the script's genesis, with the real application, engine and database, it installs bundles,
//! votes, and sends numbered messages to the contract `counter`, whose count says whether one was lost.

use std::{io::Write as _, path::Path, sync::Arc};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;
use swing_core::{
    address::{Address, module_address},
    ports::upgrade::Release,
};
use swing_node::{app::AppOptions, killpoints::NoKillpoints};
use swing_proto::{
    agoric::swingset::MsgInstallBundle,
    cosmos::auth::v1beta1::{QueryAccountInfoRequest, QueryAccountInfoResponse},
    cosmos::gov::v1::{MsgSubmitProposal, MsgVote, Proposal, QueryProposalRequest, QueryProposalResponse, VoteOption},
    google::protobuf::Any,
    pack,
    swing::swingset::v1::{
        KernelInfo, MsgSetKernelBundle, QueryDeliveryResultRequest, QueryDeliveryResultResponse, QueryKernelRequest,
        QueryKernelResponse, QuerySwapHistoryRequest, QuerySwapHistoryResponse, SwapRecord,
    },
};
use tendermint_proto::v0_38::abci::ExecTxResult;

use crate::{
    chain::Chain,
    script::{self, ScriptedBlock, Signer, coin},
};

/// Gas of a transaction that carries a bundle.
const INSTALL_GAS: u64 = 200_000_000;

/// The chain, with who governs and who sends.
pub struct Governed {
    chain: Chain,
    operator: Signer,
    alice: Signer,
    proposals: u64,
    messages: u64,
    actions: u64,
    hashes: Vec<String>,
}

impl Governed {
    /// A new chain in `data`, or the one that is there from before it made a block.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn open(data: &Path, release: &'static dyn Release) -> Result<Self> {
        Self::open_with(data, release, script::app_state())
    }

    /// The same with another genesis, in which nobody has sent a transaction.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn open_with(data: &Path, release: &'static dyn Release, app_state: Vec<u8>) -> Result<Self> {
        Self::begin(AppOptions::new(data, release), app_state)
    }

    /// The same with options of the test's own.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn begin(options: AppOptions, app_state: Vec<u8>) -> Result<Self> {
        Ok(Governed {
            chain: Chain::begin(options, app_state)?,
            operator: Signer::new(1, 0),
            alice: Signer::new(2, 1),
            proposals: 0,
            messages: 0,
            actions: 0,
            hashes: Vec::new(),
        })
    }

    /// The same chain after the process has ended and started again.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn restarted(self, data: &Path, release: &'static dyn Release) -> Result<Self> {
        let Governed { chain, operator, alice, proposals, messages, actions, hashes } = self;
        drop(chain);
        let chain = Chain::open(data, release, Arc::new(NoKillpoints))?;
        Ok(Governed { chain, operator, alice, proposals, messages, actions, hashes })
    }

    /// As [`Governed::restarted`], after the process died with an executed block that was not committed.
    ///
    /// # Errors
    /// As [`Chain::open`]; whatever ends the node.
    pub fn crashed(mut self, data: &Path, release: &'static dyn Release) -> Result<Self> {
        let height = self.chain.height()?.saturating_add(1);
        let block = ScriptedBlock { height, seconds: script::seconds_of(height), txs: Vec::new() };
        self.chain.finalize(&block).map_err(|stop| anyhow!("block {height}: {stop:?}"))?;
        self.restarted(data, release)
    }

    /// App hashes of all blocks so far.
    pub fn hashes(&self) -> &[String] {
        &self.hashes
    }

    /// The committed height.
    ///
    /// # Errors
    /// A local fault.
    pub fn height(&self) -> Result<u64> {
        self.chain.height()
    }

    /// One block; gives the results of its transactions.
    ///
    /// # Errors
    /// Whatever ends the node.
    pub fn block(&mut self, txs: Vec<Vec<u8>>) -> Result<Vec<ExecTxResult>> {
        let height = self.chain.height()?.saturating_add(1);
        let block = ScriptedBlock { height, seconds: script::seconds_of(height), txs };
        let executed = self.chain.execute(&block).map_err(|stop| anyhow!("block {height}: {stop:?}"))?;
        self.hashes.push(hex::encode(&executed.answer.app_hash));
        Ok(executed.answer.tx_results)
    }

    fn accepted(&mut self, txs: Vec<Vec<u8>>) -> Result<()> {
        for result in self.block(txs)? {
            ensure!(result.code == 0, "code {}: {}", result.code, result.log);
        }
        Ok(())
    }

    /// A block in which alice sends the next message to the contract.
    ///
    /// # Errors
    /// As [`Governed::block`], or when the chain does not take it.
    pub fn send(&mut self) -> Result<()> {
        self.messages += 1;
        self.actions += 1;
        let message = script::message(&self.alice.address(), "add", &format!("#[{}]", self.messages));
        let tx = self.alice.tx(message);
        self.accepted(vec![tx])
    }

    /// Who sends.
    pub fn alice(&self) -> Address {
        self.alice.address()
    }

    /// A block with one message that alice signs, whether it is hers or not; gives the transaction's result.
    ///
    /// # Errors
    /// As [`Governed::block`].
    pub fn signed_by_alice(&mut self, message: Any) -> Result<ExecTxResult> {
        let tx = self.alice.tx(message);
        let result = self.block(vec![tx])?.pop().context("a result for each transaction")?;
        // What the ante handler refuses uses up no sequence.
        let request = QueryAccountInfoRequest { address: self.alice.address().to_string() };
        let account: QueryAccountInfoResponse = self.ask("/cosmos.auth.v1beta1.Query/AccountInfo", &request)?;
        self.alice.go_on_from(account.info.context("she has an account")?.sequence);
        Ok(result)
    }

    /// How many messages were sent.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// A block in which alice installs a bundle; gives its ID.
    ///
    /// # Errors
    /// As [`Governed::block`], or when it is refused.
    pub fn install(&mut self, bundle: &[u8]) -> Result<String> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bundle)?;
        let message = MsgInstallBundle {
            submitter: self.alice.address().as_bytes().to_vec(),
            compressed_bundle: encoder.finish()?,
            uncompressed_size: i64::try_from(bundle.len())?,
            ..MsgInstallBundle::default()
        };
        let tx = self.alice.tx_of(vec![pack(&message)], INSTALL_GAS);
        self.accepted(vec![tx])?;
        Ok(swingset_host::bundle::bundle_id(bundle))
    }

    /// Proposes messages; gives the transaction's result.
    ///
    /// # Errors
    /// As [`Governed::block`].
    pub fn propose(&mut self, messages: Vec<Any>) -> Result<ExecTxResult> {
        let proposal = MsgSubmitProposal {
            messages,
            initial_deposit: vec![coin(1_000)],
            proposer: self.operator.address().to_string(),
            title: "t".into(),
            summary: "s".into(),
            ..MsgSubmitProposal::default()
        };
        let tx = self.operator.tx(pack(&proposal));
        let result = self.block(vec![tx])?.pop().context("a result for each transaction")?;
        self.proposals += u64::from(result.code == 0);
        Ok(result)
    }

    /// Proposes and votes; the last block is the one in which the vote ends.
    ///
    /// # Errors
    /// As [`Governed::block`], or when proposal or vote are refused.
    pub fn decide(&mut self, messages: Vec<Any>) -> Result<Proposal> {
        let proposed = self.propose(messages)?;
        ensure!(proposed.code == 0, "code {}: {}", proposed.code, proposed.log);
        let vote = MsgVote {
            proposal_id: self.proposals,
            voter: self.operator.address().to_string(),
            option: VoteOption::Yes.into(),
            metadata: String::new(),
        };
        let tx = self.operator.tx(pack(&vote));
        self.accepted(vec![tx])?;
        self.block(Vec::new())?;
        let request = QueryProposalRequest { proposal_id: self.proposals };
        let answer: QueryProposalResponse = self.ask("/cosmos.gov.v1.Query/Proposal", &request)?;
        answer.proposal.context("the proposal is there")
    }

    /// As [`Governed::decide`], for a kernel that is swapped in at the begin of the next block.
    ///
    /// # Errors
    /// As [`Governed::decide`].
    pub fn decide_kernel(&mut self, id: &str) -> Result<Proposal> {
        self.decide(vec![set_kernel(id)])
    }

    /// A query by gRPC path.
    ///
    /// # Errors
    /// A local fault, or another code than 0.
    pub fn ask<A: prost::Message + Default>(&self, path: &str, request: &impl prost::Message) -> Result<A> {
        let answer = self.chain.query(path, request.encode_to_vec())?;
        Ok(A::decode(answer.value.as_ref())?)
    }

    /// What the engine is made of, and whether it runs.
    ///
    /// # Errors
    /// A local fault.
    pub fn kernel(&self) -> Result<KernelInfo> {
        let answer: QueryKernelResponse = self.ask("/swing.swingset.v1.Query/Kernel", &QueryKernelRequest {})?;
        answer.kernel.context("always there")
    }

    /// The swaps that have ended.
    ///
    /// # Errors
    /// A local fault.
    pub fn swaps(&self) -> Result<Vec<SwapRecord>> {
        let request = QuerySwapHistoryRequest::default();
        Ok(self.ask::<QuerySwapHistoryResponse>("/swing.swingset.v1.Query/SwapHistory", &request)?.swaps)
    }

    /// Asks the contract what it counted: messages, and different ones among them.
    ///
    /// # Errors
    /// When the contract does not answer within ten blocks.
    pub fn counted(&mut self) -> Result<(u64, u64)> {
        self.actions += 1;
        let tx = self.alice.tx(script::message(&self.alice.address(), "read", "#[]"));
        self.accepted(vec![tx])?;
        let request = QueryDeliveryResultRequest { action_number: self.actions };
        for _ in 0..10 {
            let answer: QueryDeliveryResultResponse = self.ask("/swing.swingset.v1.Query/DeliveryResult", &request)?;
            if answer.state == "fulfilled" {
                let body = String::from_utf8(answer.body)?;
                let value: Value = serde_json::from_str(body.trim_start_matches('#'))?;
                return Ok((number(&value["count"])?, number(&value["distinct"])?));
            }
            self.block(Vec::new())?;
        }
        anyhow::bail!("the contract does not answer: {:?}", self.kernel()?)
    }
}

impl std::fmt::Debug for Governed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Governed").field("messages", &self.messages).finish_non_exhaustive()
    }
}

/// The message that names a kernel for the next block.
pub fn set_kernel(id: &str) -> Any {
    set_kernel_at(id, 0)
}

/// The same for the block of a height.
pub fn set_kernel_at(id: &str, height: i64) -> Any {
    pack(&MsgSetKernelBundle {
        authority: module_address("gov").to_string(),
        kernel_bundle_id: id.to_owned(),
        height,
        ..MsgSetKernelBundle::default()
    })
}

/// A number of smallcaps.
fn number(value: &Value) -> Result<u64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(text.trim_start_matches('+').parse()?)
}
