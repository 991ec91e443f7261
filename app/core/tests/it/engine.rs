//! An engine that counts instead of running guests: every message costs [`MESSAGE_COMPUTRONS`] and is fulfilled, or stops the
//! engine when its method is `trap`. It keeps nothing outside of state.

use swing_core::{
    block::Time,
    error::{Failure, Rejected},
    ports::engine::{
        BundleReceipt, Engine, EngineFailure, InboundMessage, ReleaseBundles, RunReport, StaticVatConfig, SwapReport,
    },
    state::{State, StateError, StateRead},
};

pub const MESSAGE_COMPUTRONS: u64 = 1_000_000;

#[derive(Default)]
pub struct CountingEngine;

fn failure(error: StateError) -> EngineFailure {
    match Failure::from(error) {
        Failure::Rejected(refused) => EngineFailure::Rejected(refused),
        Failure::Halt(halt) => EngineFailure::Halt(halt),
    }
}

fn number(state: &State<'_>, key: &str) -> Result<u64, EngineFailure> {
    let bytes = state.get(key.as_bytes()).map_err(failure)?;
    Ok(bytes.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()).unwrap_or(0))
}

fn set(state: &mut State<'_>, key: &str, value: &str) -> Result<(), EngineFailure> {
    state.set(key, value.as_bytes().to_vec()).map_err(failure)
}

impl CountingEngine {
    fn stopped(state: &State<'_>) -> Result<Option<String>, EngineFailure> {
        let status = state.get(b"swingset/h/status").map_err(failure)?;
        Ok(status.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

impl Engine for CountingEngine {
    fn initialize(
        &mut self,
        state: &mut State<'_>,
        _: &ReleaseBundles,
        vats: &[StaticVatConfig],
    ) -> Result<(), EngineFailure> {
        set(state, "swingset/h/kernelBundleID", "b1-kernel")?;
        set(state, "swingset/k/version", "1")?;
        let names: Vec<_> = vats.iter().map(|vat| vat.name.as_str()).collect();
        set(state, "swingset/k/vat.names", &names.join(","))?;
        for (index, name) in names.iter().enumerate() {
            set(state, &format!("swingset/k/vat.name.{name}"), &format!("v{}", index + 1))?;
        }
        Ok(())
    }

    fn begin_block(&mut self, state: &mut State<'_>, _: u64, _: Time) -> Result<(), EngineFailure> {
        Self::stopped(state)?.map_or(Ok(()), |reason| Err(EngineFailure::Stopped(reason)))
    }

    fn install_bundle(&mut self, state: &mut State<'_>, bytes: &[u8]) -> Result<BundleReceipt, EngineFailure> {
        if bytes.starts_with(b"bad") {
            return Err(Rejected { codespace: "swingset", code: 100, log: "bundle is not admitted".to_owned() }.into());
        }
        let id = format!("b1-{:02x}{}", bytes[0], bytes.len());
        let key = format!("swingset/h/bundle/{id}");
        let already_installed = state.get(key.as_bytes()).map_err(failure)?.is_some();
        set(state, &key, "")?;
        state.set(format!("~swingset/bundle/{id}"), bytes.to_vec()).map_err(failure)?;
        Ok(BundleReceipt { id, kind: "vat".to_owned(), already_installed })
    }

    fn deliver_inbound(
        &mut self,
        state: &mut State<'_>,
        message: &InboundMessage,
    ) -> Result<Option<String>, EngineFailure> {
        if let Some(reason) = Self::stopped(state)? {
            return Err(EngineFailure::Stopped(reason));
        }
        let next = number(state, "swingset/k/kp.nextID")?.max(40);
        set(state, "swingset/k/kp.nextID", &(next + 1).to_string())?;
        set(state, &format!("swingset/k/kp{next}.state"), "unresolved")?;
        set(state, &format!("swingset/k/runQueue.{next:020}"), &format!("{} {}", message.method, message.args_body))?;
        Ok(Some(format!("kp{next}")))
    }

    fn run(&mut self, state: &mut State<'_>, budget: u64) -> Result<RunReport, EngineFailure> {
        let mut report = RunReport { stopped: Self::stopped(state)?, ..RunReport::default() };
        let queued: Vec<_> = state.prefix(b"swingset/k/runQueue.").collect::<Result<_, _>>().map_err(failure)?;
        for (key, message) in &queued {
            if report.stopped.is_some() || report.computrons >= budget {
                return Ok(report);
            }
            if message.starts_with(b"trap") {
                set(state, "swingset/h/status", "kernel trapped")?;
                report.stopped = Some("kernel trapped".to_owned());
                return Ok(report);
            }
            let key = String::from_utf8_lossy(key).into_owned();
            let id: u64 = key.rsplit('.').next().and_then(|id| id.parse().ok()).unwrap_or_default();
            state.delete(key).map_err(failure)?;
            set(state, &format!("swingset/k/kp{id}.state"), "fulfilled")?;
            set(state, &format!("swingset/k/kp{id}.data.body"), "#1")?;
            let cranks = number(state, "swingset/k/crankNumber")?;
            set(state, "swingset/k/crankNumber", &(cranks + 1).to_string())?;
            report.cranks += 1;
            report.computrons += MESSAGE_COMPUTRONS;
        }
        report.idle = report.stopped.is_none();
        Ok(report)
    }

    fn reinitialize(&mut self, state: &mut State<'_>, _: &ReleaseBundles) -> Result<SwapReport, EngineFailure> {
        state.delete("swingset/h/status").map_err(failure)?;
        Ok(SwapReport::default())
    }

    fn end_block(&mut self, _: &mut State<'_>) -> Result<(), EngineFailure> {
        Ok(())
    }

    fn discard(&mut self) {}
}
