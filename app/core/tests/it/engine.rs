//! An engine that counts instead of running guests: every message costs [`MESSAGE_COMPUTRONS`] and is fulfilled, or stops the
//! engine when its method is `trap`; one called `create` takes as much of the budget by making vats. Its kernels are texts, `kernel FROM TO FAULT`: the schemas that they start from and work with, and
//! what is wrong with them. It keeps nothing outside of state but what a test may look at.

use sha2::{Digest, Sha512};
use swing_core::{
    block::Time,
    error::{Failure, Halt, Rejected},
    ports::engine::{
        BundleId, BundleReceipt, BundleSwap, Engine, EngineFailure, Inbound, ReleaseBundles, RunBudget, RunReport,
        StaticVatConfig, SwapForecast, SwapReport,
    },
    state::{State, StateError, StateRead},
};

pub const MESSAGE_COMPUTRONS: u64 = 1_000_000;

#[derive(Default)]
pub struct CountingEngine {
    /// For tests to look at: what ran, in order.
    pub ran: Vec<String>,
}

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

/// The ID of one of the texts that are bundles here.
pub fn bundle_id(text: &str) -> String {
    format!("b1-{}", hex::encode(Sha512::digest(text)))
}

fn refused(code: u32, log: &str) -> EngineFailure {
    Rejected { codespace: "swingset-engine", code, log: log.to_owned() }.into()
}

/// A kernel's schemas and its fault.
struct Kernel {
    from: u64,
    to: u64,
    fault: String,
}

impl Kernel {
    fn parse(text: &str) -> Self {
        let mut words = text.split(' ').skip(1);
        let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let (from, to) = (number(), number());
        Kernel { from, to, fault: words.next().unwrap_or_default().to_owned() }
    }
}

impl CountingEngine {
    fn record(state: &State<'_>, kind: &str, id: &str) -> Result<String, EngineFailure> {
        let record = state.get(format!("swingset/h/bundle/{id}").as_bytes()).map_err(failure)?;
        let text = record.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match text {
            None => Err(refused(6, "bundle is not installed")),
            Some(text) if text.starts_with(kind) => Ok(text),
            Some(_) => Err(refused(5, &format!("bundle is not a {kind}"))),
        }
    }

    fn check(state: &State<'_>, swap: &BundleSwap) -> Result<(SwapForecast, Kernel), EngineFailure> {
        if state.get(b"swingset/h/migration").map_err(failure)?.is_some() {
            return Err(refused(12, "a schema migration is under way"));
        }
        let schema = number(state, "swingset/k/version")?;
        for (kind, id) in [("lockdown", &swap.lockdown), ("supervisor", &swap.supervisor)] {
            id.as_ref().map(|id| Self::record(state, kind, id)).transpose()?;
        }
        let kernel = match &swap.kernel {
            Some(id) => Kernel::parse(&Self::record(state, "kernel", id)?),
            None => Kernel { from: schema, to: schema, fault: String::new() },
        };
        if !(kernel.from..=kernel.to).contains(&schema) {
            return Err(refused(
                9,
                &format!("kernel starts from {} to {}, the state has {schema}", kernel.from, kernel.to),
            ));
        }
        let narrow = |schema| u32::try_from(schema).expect("a test's schema is small");
        Ok((SwapForecast { schema_before: narrow(schema), schema_after: narrow(kernel.to) }, kernel))
    }

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
        let text = String::from_utf8_lossy(bytes).into_owned();
        let first = text.split(' ').next().unwrap_or_default();
        let is_engine = ["kernel", "lockdown", "supervisor"].contains(&first);
        let id = if is_engine { bundle_id(&text) } else { format!("b1-{:02x}{}", bytes[0], bytes.len()) };
        let key = format!("swingset/h/bundle/{id}");
        let already_installed = state.get(key.as_bytes()).map_err(failure)?.is_some();
        set(state, &key, if is_engine { &text } else { "" })?;
        state.set(format!("~swingset/bundle/{id}"), bytes.to_vec()).map_err(failure)?;
        let kind = if is_engine { first.to_owned() } else { "vat".to_owned() };
        let released = format!("swingset/h/released/{id}");
        let held_again = state.get(released.as_bytes()).map_err(failure)?.is_some();
        if held_again {
            state.delete(released).map_err(failure)?;
        }
        Ok(BundleReceipt { id, kind, already_installed, held_again })
    }

    fn release_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure> {
        if state.get(format!("swingset/h/bundle/{id}").as_bytes()).map_err(failure)?.is_none() {
            return Err(refused(6, "bundle is not installed"));
        }
        set(state, &format!("swingset/h/released/{id}"), "1")
    }

    fn free_bundles(&mut self, state: &mut State<'_>) -> Result<Vec<BundleId>, EngineFailure> {
        let released: Vec<_> = state.prefix(b"swingset/h/released/").collect::<Result<_, _>>().map_err(failure)?;
        let mut freed = Vec::new();
        for (key, _) in released {
            let id = String::from_utf8_lossy(&key).rsplit('/').next().unwrap_or_default().to_owned();
            if state.get(format!("swingset/h/uses/{id}").as_bytes()).map_err(failure)?.is_some() {
                continue;
            }
            for prefix in ["swingset/h/released", "swingset/h/bundle", "~swingset/bundle"] {
                state.delete(format!("{prefix}/{id}")).map_err(failure)?;
            }
            freed.push(id);
        }
        Ok(freed)
    }

    fn deliver_inbound(&mut self, state: &mut State<'_>, inbound: &Inbound) -> Result<Option<String>, EngineFailure> {
        if let Some(reason) = Self::stopped(state)? {
            return Err(EngineFailure::Stopped(reason));
        }
        let (line, has_result) = match inbound {
            Inbound::Message(message) => (format!("{} {}", message.method, message.args_body), true),
            Inbound::UpgradeVat(upgrade) if upgrade.vat_name == "gone" => {
                return Err(refused(10, "no vat has this name"));
            }
            other => (format!("{other:?}"), matches!(other, Inbound::UpgradeVat(_) | Inbound::Evaluate(_))),
        };
        let next = number(state, "swingset/k/kp.nextID")?.max(40);
        set(state, "swingset/k/kp.nextID", &(next + 1).to_string())?;
        set(state, &format!("swingset/k/kp{next}.state"), "unresolved")?;
        set(state, &format!("swingset/k/runQueue.{next:020}"), &line)?;
        Ok(Some(format!("kp{next}")).filter(|_| has_result))
    }

    fn forget_result(&mut self, state: &mut State<'_>, kpid: &str) -> Result<(), EngineFailure> {
        if let Some(reason) = Self::stopped(state)? {
            return Err(EngineFailure::Stopped(reason));
        }
        state.delete(format!("swingset/k/{kpid}.state")).map_err(failure)
    }

    fn poll_timer(&mut self, state: &mut State<'_>) -> Result<bool, EngineFailure> {
        let due = state.get(b"swingset/k/timer.next").map_err(failure)?;
        if due.as_deref() == Some(b"always") {
            self.ran.push("polled".to_owned());
            return Ok(true);
        }
        let due = due.is_some();
        if due {
            let next = number(state, "swingset/k/kp.nextID")?.max(40);
            set(state, "swingset/k/kp.nextID", &(next + 1).to_string())?;
            set(state, &format!("swingset/k/runQueue.{next:020}"), "wake")?;
            state.delete("swingset/k/timer.next").map_err(failure)?;
        }
        Ok(due)
    }

    fn check_vat_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure> {
        Self::record(state, "", id).map(drop)
    }

    fn run(&mut self, state: &mut State<'_>, budget: RunBudget) -> Result<RunReport, EngineFailure> {
        let RunBudget { computrons: budget, cleanup } = budget;
        if cleanup {
            // What a kernel does when it may delete: it notes that all is deleted.
            set(state, "swingset/k/vats.terminated", "[2,2,2]")?;
            self.ran.push("cleanup".to_owned());
        }
        let mut report = RunReport { stopped: Self::stopped(state)?, ..RunReport::default() };
        let queued: Vec<_> = state.prefix(b"swingset/k/runQueue.").collect::<Result<_, _>>().map_err(failure)?;
        for (key, message) in &queued {
            if report.stopped.is_some() || report.spent >= budget {
                return Ok(report);
            }
            if message.starts_with(b"trap") {
                set(state, "swingset/h/status", "kernel trapped")?;
                report.stopped = Some("kernel trapped".to_owned());
                return Ok(report);
            }
            self.ran.push(String::from_utf8_lossy(message).into_owned());
            let key = String::from_utf8_lossy(key).into_owned();
            let id: u64 = key.rsplit('.').next().and_then(|id| id.parse().ok()).unwrap_or_default();
            state.delete(key).map_err(failure)?;
            set(state, &format!("swingset/k/kp{id}.state"), "fulfilled")?;
            set(state, &format!("swingset/k/kp{id}.data.body"), "#1")?;
            let cranks = number(state, "swingset/k/crankNumber")?;
            set(state, "swingset/k/crankNumber", &(cranks + 1).to_string())?;
            report.cranks += 1;
            report.spent += MESSAGE_COMPUTRONS;
            if !message.starts_with(b"create") {
                report.computrons += MESSAGE_COMPUTRONS;
            }
        }
        report.idle = report.stopped.is_none();
        Ok(report)
    }

    fn reinitialize(&mut self, state: &mut State<'_>, _: &ReleaseBundles) -> Result<SwapReport, EngineFailure> {
        state.delete("swingset/h/status").map_err(failure)?;
        Ok(SwapReport::default())
    }

    fn check_swap(&mut self, state: &mut State<'_>, swap: &BundleSwap) -> Result<SwapForecast, EngineFailure> {
        Ok(Self::check(state, swap)?.0)
    }

    fn swap(&mut self, state: &mut State<'_>, swap: &BundleSwap) -> Result<SwapReport, EngineFailure> {
        let (SwapForecast { schema_before, schema_after }, kernel) = Self::check(state, swap)?;
        let text = |state: &State<'_>, key: &str| -> Result<String, EngineFailure> {
            let bytes = state.get(key.as_bytes()).map_err(failure)?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default())
        };
        let kernel_before = text(state, "swingset/h/kernelBundleID")?;
        for (name, id) in [("kernel", &swap.kernel), ("lockdown", &swap.lockdown), ("supervisor", &swap.supervisor)] {
            if let Some(id) = id {
                set(state, &format!("swingset/h/{name}BundleID"), id)?;
            }
        }
        set(state, "swingset/k/version", &schema_after.to_string())?;
        match kernel.fault.as_str() {
            "traps" => return Err(refused(13, &format!("kernel failed: {}", "unreachable ".repeat(40)))),
            "halts" => return Err(EngineFailure::Halt(Halt::new("the disk is gone"))),
            "stops" => set(state, "swingset/h/status", "kernel trapped")?,
            _ if swap.kernel.is_some() => state.delete("swingset/h/status").map_err(failure)?,
            _ => {}
        }
        Ok(SwapReport {
            kernel_before,
            kernel_after: text(state, "swingset/h/kernelBundleID")?,
            lockdown_after: text(state, "swingset/h/lockdownBundleID")?,
            supervisor_after: text(state, "swingset/h/supervisorBundleID")?,
            schema_before,
            schema_after,
        })
    }

    fn end_block(&mut self, _: &mut State<'_>) -> Result<(), EngineFailure> {
        Ok(())
    }

    fn discard(&mut self) {}
}
