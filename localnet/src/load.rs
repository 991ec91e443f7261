//! A steady stream of contract messages from one account, that survives restarts of the nodes it talks to.
//!
//! A message is a transaction with a fixed sequence number and a deterministic signature, so sending it again gives the same
//! bytes: a mempool that was lost in a restart is filled again, and no message can be counted twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    rpc::{Rpc, number},
    swingd::Swingd,
    wait,
};

/// SDK code: account sequence mismatch.
const WRONG_SEQUENCE: u64 = 32;
/// SDK code: the transaction is in the mempool already.
const IN_MEMPOOL: u64 = 19;

/// A running load.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Sender>>>,
}

/// What the load did.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Messages whose transaction is in a block with code 0.
    pub accepted: u64,
    /// What the contract's `sum` must be for them: it does not depend on their order, and a lost or repeated one changes it.
    pub sum: u64,
}

#[derive(Debug)]
struct Sender {
    swingd: Swingd,
    rpcs: Vec<Rpc>,
    chain_id: String,
    account: String,
    address: String,
    account_number: u64,
    hashes: Vec<String>,
    tries: usize,
}

impl Load {
    /// Starts sending `add(n)` to the vat `counter`, n = 1, 2, …, from `account` (a key in `swingd`'s home), turning from one
    /// node to the next.
    ///
    /// # Errors
    /// When the account is not on the chain.
    pub fn start(swingd: Swingd, rpcs: Vec<Rpc>, chain_id: &str, account: &str) -> Result<Self> {
        let address = swingd.run(&["keys", "show", account, "-a", "--keyring-backend", "test"])?.trim().to_owned();
        let mut sender = Sender {
            swingd,
            rpcs,
            chain_id: chain_id.to_owned(),
            account: account.to_owned(),
            address,
            account_number: 0,
            hashes: Vec::new(),
            tries: 0,
        };
        sender.account_number = number(&sender.account_state()?["account_number"])?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::SeqCst) {
                sender.send_next();
            }
            Ok(sender)
        });
        Ok(Load { stop, thread: Some(thread) })
    }

    /// Stops sending, sees to it that every message is in a block, and says how many were accepted.
    ///
    /// # Errors
    /// When the chain does not take them all within `limit`.
    pub fn finish(mut self, limit: Duration) -> Result<Sent> {
        self.stop.store(true, Ordering::SeqCst);
        let thread = self.thread.take().context("the load was finished before")?;
        let sender = thread.join().map_err(|_| anyhow::anyhow!("the load's thread panicked"))??;
        sender.settle(limit)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

impl Sender {
    fn rpc(&self, turn: usize) -> Result<&Rpc> {
        self.rpcs.get(turn % self.rpcs.len().max(1)).context("no node to send to")
    }

    fn account_state(&self) -> Result<Value> {
        for turn in 0..self.rpcs.len() {
            if let Ok(answer) = self.swingd.query(&self.rpc(turn)?.url, &["auth", "account", &self.address]) {
                let account = if answer["account"].is_object() { &answer["account"] } else { &answer };
                return Ok(if account["value"].is_object() { account["value"].clone() } else { account.clone() });
            }
        }
        bail!("no node answers for {}", self.address)
    }

    /// Signs and sends the message of this sequence number; gives the answer's code.
    fn send(&self, sequence: usize, rpc: &Rpc) -> Result<(u64, String)> {
        let args = format!("[{}]", sequence.saturating_add(1));
        let number = self.account_number.to_string();
        let answer = self.swingd.json(&[
            "tx",
            "swingset",
            "deliver",
            "counter",
            "add",
            &args,
            "--from",
            &self.account,
            "--chain-id",
            &self.chain_id,
            "--node",
            &rpc.url,
            "--keyring-backend",
            "test",
            "--account-number",
            &number,
            "--sequence",
            &sequence.to_string(),
            "--gas",
            "400000",
            "--fees",
            "20000uswing",
            "--yes",
        ])?;
        let code = answer["code"].as_u64().context("no code")?;
        Ok((code, answer["txhash"].as_str().unwrap_or_default().to_owned()))
    }

    /// One try, at the next node. A node that is down, or a mempool that lost what it had, is met by sending the rest again.
    fn send_next(&mut self) {
        let sequence = self.hashes.len();
        self.tries = self.tries.wrapping_add(1);
        let Ok(rpc) = self.rpc(self.tries) else { return };
        match self.send(sequence, rpc) {
            Ok((0 | IN_MEMPOOL, hash)) => self.hashes.push(hash),
            Ok((WRONG_SEQUENCE, _)) => {
                let _ = self.resend();
                std::thread::park_timeout(Duration::from_millis(200));
            }
            Ok(_) | Err(_) => std::thread::park_timeout(Duration::from_millis(200)),
        }
    }

    /// Sends again what the chain has not taken yet, to every node; gives the chain's sequence number.
    fn resend(&self) -> Result<usize> {
        let at = usize::try_from(number(&self.account_state()?["sequence"])?)?;
        for sequence in at..self.hashes.len().min(at.saturating_add(20)) {
            for rpc in &self.rpcs {
                let _ = self.send(sequence, rpc);
            }
        }
        Ok(at)
    }

    fn settle(&self, limit: Duration) -> Result<Sent> {
        let total = self.hashes.len();
        wait::until_ok("all messages to be in blocks", limit, || Ok((self.resend()? >= total).then_some(())))?;
        let mut sent = Sent::default();
        for (sequence, hash) in self.hashes.iter().enumerate() {
            // An indexer follows the blocks by a moment, and that of a killed CometBFT never learns of its last block.
            let code = wait::until_ok("a transaction's result", Duration::from_secs(30), || {
                let found = self.rpcs.iter().find_map(|rpc| tx_code(rpc, hash).ok());
                found.with_context(|| format!("no node has {hash}")).map(Some)
            })?;
            if code == 0 {
                sent.accepted = sent.accepted.saturating_add(1);
                sent.sum = sent.sum.wrapping_add(counter_hash(sequence.saturating_add(1)));
            }
        }
        Ok(sent)
    }
}

/// The counter vat's hash of one ID: FNV-1a of its decimal text.
fn counter_hash(id: usize) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    id.to_string().bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn tx_code(rpc: &Rpc, hash: &str) -> Result<u64> {
    let bytes: Option<Vec<u8>> =
        (0..hash.len()).step_by(2).map(|at| u8::from_str_radix(hash.get(at..at + 2)?, 16).ok()).collect();
    rpc.tx_code(&bytes.context("a hash that is not hex")?)
}
