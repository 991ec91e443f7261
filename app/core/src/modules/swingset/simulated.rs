//! The engine of a simulation: transactions may queue and install, at the price of what they would write, and nothing runs.

use sha2::{Digest, Sha256};

use crate::{
    block::Time,
    error::Halt,
    ports::engine::{
        BundleReceipt, Engine, EngineFailure, InboundMessage, ReleaseBundles, RunReport, StaticVatConfig, SwapReport,
    },
    state::State,
};

/// An engine that enters no guest and no compiler.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedEngine;

fn never<T>(call: &str) -> Result<T, EngineFailure> {
    Err(EngineFailure::Halt(Halt::new(format!("a simulation asked the engine to {call}: only blocks do that"))))
}

impl Engine for SimulatedEngine {
    fn initialize(
        &mut self,
        _: &mut State<'_>,
        _: &ReleaseBundles,
        _: &[StaticVatConfig],
    ) -> Result<(), EngineFailure> {
        never("initialize")
    }

    fn begin_block(&mut self, _: &mut State<'_>, _: u64, _: Time) -> Result<(), EngineFailure> {
        never("begin a block")
    }

    fn install_bundle(&mut self, state: &mut State<'_>, bytes: &[u8]) -> Result<BundleReceipt, EngineFailure> {
        let id = format!("b1-{}", hex::encode(Sha256::digest(bytes)));
        let written = state.set(format!("~swingset/simulated/{id}"), bytes.to_vec());
        written.map_err(|error| match crate::error::Failure::from(error) {
            crate::error::Failure::Rejected(refused) => EngineFailure::Rejected(refused),
            crate::error::Failure::Halt(halt) => EngineFailure::Halt(halt),
        })?;
        Ok(BundleReceipt { id, kind: "unknown".to_owned(), already_installed: false })
    }

    fn deliver_inbound(&mut self, _: &mut State<'_>, _: &InboundMessage) -> Result<Option<String>, EngineFailure> {
        never("deliver")
    }

    fn run(&mut self, _: &mut State<'_>, _: u64) -> Result<RunReport, EngineFailure> {
        never("run cranks")
    }

    fn reinitialize(&mut self, _: &mut State<'_>, _: &ReleaseBundles) -> Result<SwapReport, EngineFailure> {
        never("reinitialize")
    }

    fn end_block(&mut self, _: &mut State<'_>) -> Result<(), EngineFailure> {
        never("end a block")
    }

    fn discard(&mut self) {}
}
