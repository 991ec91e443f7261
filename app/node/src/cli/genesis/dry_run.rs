//! A genesis tried out: written into a state that is thrown away, by the very code of InitChain.

use swing_core::{
    block::Time,
    error::Rejected,
    genesis::init_chain,
    ports::{
        Ports,
        engine::{
            BundleId, BundleReceipt, BundleSwap, Engine, EngineFailure, Inbound, ReleaseBundles, RunBudget, RunReport,
            StaticVatConfig, SwapForecast, SwapReport,
        },
    },
    state::{Empty, State},
};

use crate::{
    cli::{Context, Failure},
    config::GenesisDoc,
    signatures::Secp256k1Verifier,
};

/// Tries a document out. Vats are not started: their bundles' names are checked, their code runs at InitChain only.
///
/// # Errors
/// What is wrong with the document, with its path.
pub fn run(context: &Context, doc: &GenesisDoc) -> Result<(), Failure> {
    let request = doc.init_chain().map_err(Failure::new)?;
    let mut state = State::new(&Empty);
    let mut engine = NoVats;
    let mut ports = Ports { engine: &mut engine, signatures: &Secp256k1Verifier::default(), release: context.release };
    init_chain(&mut state, &request, &mut ports).map_err(|error| Failure::new(error.to_string()))?;
    Ok(())
}

/// The engine of a chain that is not started.
struct NoVats;

fn nothing_runs<T>() -> Result<T, EngineFailure> {
    Err(EngineFailure::Rejected(Rejected::sdk(18, "nothing runs before the chain is started")))
}

impl Engine for NoVats {
    fn initialize(
        &mut self,
        _: &mut State<'_>,
        _: &ReleaseBundles,
        _: &[StaticVatConfig],
    ) -> Result<(), EngineFailure> {
        Ok(())
    }

    fn begin_block(&mut self, _: &mut State<'_>, _: u64, _: Time) -> Result<(), EngineFailure> {
        Ok(())
    }

    fn install_bundle(&mut self, _: &mut State<'_>, _: &[u8]) -> Result<BundleReceipt, EngineFailure> {
        nothing_runs()
    }

    fn release_bundle(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        nothing_runs()
    }

    fn free_bundles(&mut self, _: &mut State<'_>) -> Result<Vec<BundleId>, EngineFailure> {
        Ok(Vec::new())
    }

    fn deliver_inbound(&mut self, _: &mut State<'_>, _: &Inbound) -> Result<Option<String>, EngineFailure> {
        nothing_runs()
    }

    fn forget_result(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        nothing_runs()
    }

    fn poll_timer(&mut self, _: &mut State<'_>) -> Result<bool, EngineFailure> {
        nothing_runs()
    }

    fn check_vat_bundle(&mut self, _: &mut State<'_>, _: &str) -> Result<(), EngineFailure> {
        nothing_runs()
    }

    fn run(&mut self, _: &mut State<'_>, _: RunBudget) -> Result<RunReport, EngineFailure> {
        nothing_runs()
    }

    fn reinitialize(&mut self, _: &mut State<'_>, _: &ReleaseBundles) -> Result<SwapReport, EngineFailure> {
        nothing_runs()
    }

    fn check_swap(&mut self, _: &mut State<'_>, _: &BundleSwap) -> Result<SwapForecast, EngineFailure> {
        nothing_runs()
    }

    fn swap(&mut self, _: &mut State<'_>, _: &BundleSwap) -> Result<SwapReport, EngineFailure> {
        nothing_runs()
    }

    fn end_block(&mut self, _: &mut State<'_>) -> Result<(), EngineFailure> {
        Ok(())
    }

    fn discard(&mut self) {}
}
