//! Transactions that fill the mempools of a network and keep them full: small ones of one account, given to every node in one order.

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
use swing_localnet::{network::Network, wait};
use swing_node::{
    client::{
        Fee, RpcClient, TxPlan, query,
        sign::{SignMode, SignerData},
        tx::broadcast,
    },
    keyring::SecretKey,
};
use swing_proto::{cosmos::bank::v1beta1::MsgSend, pack};

use crate::script::coin;

/// What each transaction may use.
const GAS: u64 = 200_000;
/// What the account gets to pay for them.
const FUNDS: &str = "1000000000uswing";
/// The rest after a refusal.
const REST: Duration = Duration::from_millis(50);

/// The SDK's codes of a transaction that is not taken.
const IN_MEMPOOL: u32 = 19;
const MEMPOOL_FULL: u32 = 20;
const WRONG_SEQUENCE: u32 = 32;

/// An account that the chain knows, and all that it has signed.
#[derive(Debug)]
struct Account {
    key: SecretKey,
    signer: SignerData,
    signed: Mutex<Vec<Vec<u8>>>,
}

/// A running flood.
#[derive(Debug)]
pub struct Flood {
    account: Arc<Account>,
    clients: Vec<RpcClient>,
    stop: Arc<AtomicBool>,
    refused: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Result<u64>>>,
}

impl Account {
    fn address(&self) -> String {
        self.key.address().to_string()
    }

    /// The transaction of this sequence number, the same for every node.
    fn tx(&self, sequence: u64) -> Result<Vec<u8>> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let at = usize::try_from(sequence)?;
        while signed.len() <= at {
            let signer = SignerData { sequence: u64::try_from(signed.len())?, ..self.signer.clone() };
            let (from, to) = (self.address(), self.address());
            let send = pack(&MsgSend { from_address: from, to_address: to, amount: vec![coin(1)] });
            let plan = TxPlan::new(vec![send], Fee { amount: vec![coin(20_000)], gas_limit: GAS });
            signed.push(plan.sign(&signer, SignMode::Direct, &self.key)?.encode_to_vec());
        }
        signed.get(at).cloned().context("just signed")
    }

    fn sequence(&self, client: &RpcClient) -> Result<u64> {
        Ok(query::account(client, &self.address())?.sequence)
    }

    /// Gives a node one transaction after the other; gives how many it was given.
    fn fill(&self, client: &RpcClient, stop: &AtomicBool, refused: &AtomicU64) -> Result<u64> {
        let mut next = 0;
        while !stop.load(Ordering::SeqCst) {
            match broadcast(client, &self.tx(next)?, true)?.code {
                0 | IN_MEMPOOL => next += 1,
                MEMPOOL_FULL => {
                    refused.fetch_add(1, Ordering::SeqCst);
                    std::thread::park_timeout(REST);
                }
                // It is in a block already, or one before it came to other nodes alone and was refused here.
                WRONG_SEQUENCE => {
                    next = self.sequence(client)?;
                    std::thread::park_timeout(REST);
                }
                code => bail!("transaction {next} was refused with code {code}"),
            }
        }
        Ok(next)
    }
}

impl Flood {
    /// Makes an account, and begins.
    ///
    /// # Errors
    /// When the account cannot be made.
    pub fn start(network: &Network) -> Result<Self> {
        let (first, chain_id) = (network.first()?, &network.plan.chain_id);
        let key = SecretKey::from_bytes(&[9; 32])?;
        let address = key.address().to_string();
        first.swingd.tx(&first.rpc_url(), chain_id, "operator", &["bank", "send", "operator", &address, FUNDS])?;
        let clients: Vec<_> =
            network.validators.iter().map(|node| RpcClient::new(&node.rpc_url())).collect::<Result<_, _>>()?;
        let client = clients.first().context("a network has a validator")?;
        let account_number = query::account(client, &address)?.account_number;
        let signer = SignerData { chain_id: chain_id.clone(), account_number, sequence: 0 };
        let account = Arc::new(Account { key, signer, signed: Mutex::default() });
        let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let fill = |client: &RpcClient| {
            let (account, client) = (Arc::clone(&account), client.clone());
            let (stop, refused) = (Arc::clone(&stop), Arc::clone(&refused));
            std::thread::spawn(move || account.fill(&client, &stop, &refused))
        };
        let threads = clients.iter().map(fill).collect();
        Ok(Flood { account, clients, stop, refused, threads })
    }

    /// How many transactions were refused so far since a mempool was full.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::SeqCst)
    }

    /// Ends it, and waits until every transaction that was taken is in a block; gives how many.
    ///
    /// # Errors
    /// When one is lost, or a node answered as it must not.
    pub fn finish(mut self, limit: Duration) -> Result<u64> {
        self.stop.store(true, Ordering::SeqCst);
        let mut taken = 0;
        for thread in std::mem::take(&mut self.threads) {
            taken = thread.join().map_err(|_| anyhow!("a thread of the flood panicked"))??.max(taken);
        }
        let client = self.clients.first().context("a network has a validator")?;
        wait::until_ok("all that was taken to be in blocks", limit, || {
            let sequence = self.account.sequence(client)?;
            Ok((sequence >= taken).then_some(taken))
        })
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}
