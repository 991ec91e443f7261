//! Which vats have instances: this node's business alone. Storing a vat's pages and dropping its instance changes no hash and no price
//! (`docs/adr/0033-which-vats-are-awake.md`).

use std::sync::Arc;

use super::Vats;
use crate::{
    engine::EngineRuntime,
    env::Environment,
    error::Halt,
    pages,
    worker::{Event, Order},
};

impl Vats {
    /// Vats that have instances now.
    pub(crate) fn live_count(&self) -> usize {
        self.live.values().filter(|live| live.worker.is_some()).count()
    }

    /// Bytes of memory of the vats that have instances now.
    pub(crate) fn live_memory_bytes(&self) -> u64 {
        let live = self.live.values().filter(|live| live.worker.is_some());
        live.fold(0, |sum, live| sum.saturating_add(live.memory_bytes))
    }

    /// Stores the pages of all vats that ran.
    pub(crate) fn flush(&mut self, env: &mut dyn Environment, runtime: &Arc<EngineRuntime>) -> Result<(), Halt> {
        let ran = self.live.iter().filter(|(_, live)| !live.remembered.is_empty());
        let ran: Vec<String> = ran.map(|(vat, _)| vat.clone()).collect();
        for vat in ran {
            self.flush_one(env, runtime, &vat)?;
        }
        Ok(())
    }

    pub(super) fn flush_one(
        &mut self,
        env: &mut dyn Environment,
        runtime: &Arc<EngineRuntime>,
        vat: &str,
    ) -> Result<(), Halt> {
        let height = self.height;
        let Some(live) = self.live.get_mut(vat) else {
            return Ok(());
        };
        if live.remembered.is_empty() {
            return Ok(());
        }
        if let Err(word) = live.wake(env, runtime, vat)? {
            return Err(Halt::new(format!("vat {vat} ran before and cannot be made again: {word}")));
        }
        let Event::Captured(capture) = live.order(Order::Capture)? else {
            return Err(Halt::new("a vat's worker answered something else than its pages"));
        };
        live.leaf = Some(pages::store(env, vat, *capture, height)?);
        live.forget_since(0);
        Ok(())
    }

    /// Evicts the vats used longest ago, their pages stored first.
    pub(crate) fn evict_down_to(
        &mut self,
        env: &mut dyn Environment,
        runtime: &Arc<EngineRuntime>,
        most: usize,
    ) -> Result<(), Halt> {
        while self.live.len() > most {
            let oldest = self.live.iter().min_by_key(|(_, live)| live.last_used).map(|(vat, _)| vat.clone());
            let Some(vat) = oldest else { break };
            self.evict(env, runtime, &vat)?;
        }
        Ok(())
    }

    /// Stores a vat's pages and drops its instance. Changes no hash.
    pub(crate) fn evict(
        &mut self,
        env: &mut dyn Environment,
        runtime: &Arc<EngineRuntime>,
        vat: &str,
    ) -> Result<(), Halt> {
        self.flush_one(env, runtime, vat)?;
        self.live.remove(vat);
        Ok(())
    }
}
