//! Transactions that fill the mempools of a network and keep them full: those of one account, given to every node in one order.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use prost::Message as _;
use swing_core::sdk_error::SdkError;
use swing_localnet::network::Network;
use swing_node::{
    client::{
        ClientError, Fee, RpcClient, TxPlan, query,
        sign::{SignMode, SignerData},
        tx::broadcast,
    },
    keyring::SecretKey,
};
use swing_proto::{cosmos::bank::v1beta1::MsgSend, pack};

use crate::script::coin;

/// What the account gets to pay for them.
const FUNDS: &str = "1000000000uswing";
/// The rest after a refusal.
const REST: Duration = Duration::from_millis(50);

/// The SDK's codes of a transaction that is not taken.
const IN_MEMPOOL: u32 = SdkError::TxInMempool as u32;
const MEMPOOL_FULL: u32 = SdkError::MempoolFull as u32;
const WRONG_SEQUENCE: u32 = SdkError::WrongSequence as u32;
/// What a client hears while a binary is replaced begins so.
const UPGRADING: &str = "upgrading";

/// An account that the chain knows, and all that it has signed.
#[derive(Debug)]
struct Account {
    key: SecretKey,
    signer: SignerData,
    gas: u64,
    signed: Mutex<Vec<Vec<u8>>>,
}

/// How often a node refused a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Its mempool was full.
    pub full: u64,
    /// Its binary was being replaced.
    pub put_off: u64,
}

#[derive(Debug, Default)]
struct Counts {
    full: AtomicU64,
    put_off: AtomicU64,
}

impl Counts {
    fn refused(&self) -> Refused {
        Refused { full: self.full.load(Ordering::SeqCst), put_off: self.put_off.load(Ordering::SeqCst) }
    }
}

/// A running flood.
#[derive(Debug)]
pub struct Flood {
    stop: Arc<AtomicBool>,
    nodes: Vec<(Arc<Counts>, JoinHandle<Result<()>>)>,
}

impl Account {
    /// The transaction of this sequence number, the same for every node.
    fn tx(&self, sequence: u64) -> Result<Vec<u8>> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let at = usize::try_from(sequence)?;
        while signed.len() <= at {
            let signer = SignerData { sequence: u64::try_from(signed.len())?, ..self.signer.clone() };
            let address = self.key.address().to_string();
            let send = pack(&MsgSend { from_address: address.clone(), to_address: address, amount: vec![coin(1)] });
            let plan = TxPlan::new(vec![send], Fee { amount: vec![coin(1)], gas_limit: self.gas });
            signed.push(plan.sign(&signer, SignMode::Direct, &self.key)?.encode_to_vec());
        }
        signed.get(at).cloned().context("just signed")
    }

    /// Gives a node one transaction after the other.
    fn fill(&self, client: &RpcClient, stop: &AtomicBool, counts: &Counts) -> Result<()> {
        let mut next = 0;
        while !stop.load(Ordering::SeqCst) {
            let answer = broadcast(client, &self.tx(next)?, true)?;
            match answer.code {
                0 | IN_MEMPOOL => {
                    next += 1;
                    continue;
                }
                MEMPOOL_FULL => {
                    let put_off = answer.log.starts_with(UPGRADING);
                    let count = if put_off { &counts.put_off } else { &counts.full };
                    count.fetch_add(1, Ordering::SeqCst);
                }
                // It is in a block already, or one before it came to other nodes alone and was refused here.
                WRONG_SEQUENCE => next = self.sequence(client, next)?,
                code => bail!("transaction {next} was refused with code {code}: {}", answer.log),
            }
            std::thread::park_timeout(REST);
        }
        Ok(())
    }

    /// The chain's sequence number; while a node puts queries off, the one that was meant.
    fn sequence(&self, client: &RpcClient, meant: u64) -> Result<u64> {
        match query::account(client, &self.key.address().to_string()) {
            Ok(account) => Ok(account.sequence),
            Err(ClientError::Query { log, .. }) if log.starts_with(UPGRADING) => Ok(meant),
            Err(error) => Err(error.into()),
        }
    }
}

impl Flood {
    /// Makes an account, and begins; each transaction has this gas limit.
    ///
    /// # Errors
    /// When the account cannot be made.
    pub fn start(network: &Network, gas: u64) -> Result<Self> {
        let (first, chain_id) = (network.first()?, &network.plan.chain_id);
        let key = SecretKey::from_bytes(&[9; 32])?;
        let address = key.address().to_string();
        first.swingd.tx(&first.rpc_url(), chain_id, "operator", &["bank", "send", "operator", &address, FUNDS])?;
        let account_number = query::account(&RpcClient::new(&first.rpc_url())?, &address)?.account_number;
        let signer = SignerData { chain_id: chain_id.clone(), account_number, sequence: 0 };
        let account = Arc::new(Account { key, signer, gas, signed: Mutex::default() });
        let stop = Arc::new(AtomicBool::new(false));
        let fill = |node: &swing_localnet::validator::Validator| {
            let (client, counts) = (RpcClient::new(&node.rpc_url())?, Arc::new(Counts::default()));
            let (account, told, counted) = (Arc::clone(&account), Arc::clone(&stop), Arc::clone(&counts));
            Ok((counts, std::thread::spawn(move || account.fill(&client, &told, &counted))))
        };
        let nodes = network.validators.iter().map(fill).collect::<Result<_>>()?;
        Ok(Flood { stop, nodes })
    }

    /// How often each node refused a transaction so far.
    pub fn refused(&self) -> Vec<Refused> {
        self.nodes.iter().map(|(counts, _)| counts.refused()).collect()
    }

    /// Ends it: nothing is sent any more, nor again. How often each node refused a transaction.
    ///
    /// # Errors
    /// When a node answered as it must not, or did not.
    pub fn finish(mut self) -> Result<Vec<Refused>> {
        self.stop.store(true, Ordering::SeqCst);
        let end = |(counts, thread): (Arc<Counts>, JoinHandle<Result<()>>)| {
            thread.join().map_err(|_| anyhow!("a thread of the flood panicked"))??;
            Ok(counts.refused())
        };
        std::mem::take(&mut self.nodes).into_iter().map(end).collect()
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}
