//! A block: what was planned, the begin, the transactions, the end. ABCI: FinalizeBlock, CheckTx, Simulate.

mod block;
mod check;
mod deliver;
mod simulate;

pub(crate) use block::gas_max;
pub use block::{Flags, execute_block};
pub use check::{CheckContext, CheckMode, check_tx};
pub(crate) use deliver::deliver_genesis;
pub use simulate::simulate;
