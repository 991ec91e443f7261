//! What a crank does to vats beside delivering to them, and how it ends: kept, or undone.

use std::sync::Arc;

use swingset_abi::kernel::CrankReport;

use super::{Touched, Vats, is_vat_id, kernel, touched};
use crate::{engine::EngineRuntime, env::Environment, error::Halt, kernel::KernelFault, pages};

/// Bytes of remembered deliveries after which a vat's pages are stored.
const RECORD_BYTES_MAX: usize = 1024 * 1024;

impl Vats {
    /// Drops a vat's instance; its state is deleted when the crank is committed.
    pub(crate) fn abandon(&mut self, vat: &str) -> Result<(), KernelFault> {
        if !is_vat_id(vat) {
            return Err(kernel("abandoning what is no vat"));
        }
        if self.suspended.as_deref() == Some(vat) {
            self.suspended = None;
        }
        let remembered = self.live.get(vat).map_or(0, |live| live.remembered.len());
        touched(&mut self.crank, vat, remembered).abandoned = true;
        if let Some(live) = self.live.get_mut(vat) {
            live.drop_worker();
        }
        Ok(())
    }

    /// Drops a vat's instance and memory: its next delivery in this crank makes it anew, from what the kernel recorded by then. What is
    /// stored of it stays until the crank is committed.
    pub(crate) fn replace(&mut self, vat: &str) -> Result<(), KernelFault> {
        if self.suspended.is_some() || !is_vat_id(vat) {
            return Err(kernel("replacing a vat that is suspended, or what is no vat"));
        }
        let remembered = self.live.get(vat).map_or(0, |live| live.remembered.len());
        let touched = touched(&mut self.crank, vat, remembered);
        if touched.abandoned || touched.failed || touched.replaced.is_some() {
            return Err(kernel("replacing a vat that failed or was replaced in this crank"));
        }
        let mut old = self.live.remove(vat).map(Box::new);
        if let Some(old) = &mut old {
            old.drop_worker();
        }
        touched.replaced = Some(old);
        Ok(())
    }

    /// A vat is again as it was when the crank began, and may be delivered to.
    pub(crate) fn restore(&mut self, vat: &str) -> Result<(), KernelFault> {
        let Some(at) = self.crank.iter().position(|(touched, _)| touched == vat) else {
            return Err(kernel("restoring a vat that this crank did not touch"));
        };
        let (vat, touched) = self.crank.swap_remove(at);
        if touched.abandoned {
            return Err(kernel("restoring a vat that was abandoned"));
        }
        self.suspended.take_if(|suspended| *suspended == vat);
        self.unusable.take_if(|(unusable, _)| *unusable == vat);
        self.watchers.vat_restored(&vat);
        self.put_back(vat, touched);
        Ok(())
    }

    /// Undoes what a crank did to a vat. Its instance is made again, from what is stored and remembered, when it is next needed.
    fn put_back(&mut self, vat: String, touched: Touched) {
        if let Some(old) = touched.replaced {
            self.live.remove(&vat);
            if let Some(old) = old {
                self.live.insert(vat.clone(), *old);
            }
        }
        if let Some(live) = self.live.get_mut(&vat) {
            live.drop_worker();
            live.forget_since(touched.remembered);
            if live.remembered.is_empty() {
                self.live.remove(&vat);
            }
        }
    }

    /// Whether a crank with this report may be committed; the kernel's fault otherwise.
    pub(crate) fn check_crank(&self, report: Option<&CrankReport>) -> Result<(), &'static str> {
        if self.suspended.is_some() {
            return Err("crank ended with a suspended vat");
        }
        let aborted = report.is_some_and(|report| report.aborted);
        for touched in self.crank.iter().map(|(_, touched)| touched).filter(|touched| !touched.abandoned) {
            if touched.failed {
                return Err("crank ended with a failed vat that was not abandoned");
            }
            if aborted && touched.delivered {
                return Err("crank was undone and its vat was not abandoned");
            }
        }
        Ok(())
    }

    /// Ends a crank that is kept.
    pub(crate) fn commit_crank(&mut self, env: &mut dyn Environment, runtime: &Arc<EngineRuntime>) -> Result<(), Halt> {
        let mut due = Vec::new();
        for (vat, touched) in self.crank.drain(..) {
            if touched.abandoned {
                self.live.remove(&vat);
                pages::delete_vat(env, &vat)?;
                continue;
            }
            if touched.replaced.is_some() {
                pages::delete_vat(env, &vat)?;
                if let Some(live) = self.live.get_mut(&vat) {
                    live.anew = false;
                }
            }
            if self.live.get(&vat).is_some_and(|live| live.remembered_bytes > RECORD_BYTES_MAX) {
                due.push(vat);
            }
        }
        for vat in due {
            self.flush_one(env, runtime, &vat)?;
        }
        self.evict_down_to(env, runtime, self.live_max)
    }

    /// Ends a crank that is undone: every vat that it touched goes back to where it was.
    pub(crate) fn rollback_crank(&mut self) {
        self.suspended = None;
        self.unusable = None;
        for (vat, touched) in std::mem::take(&mut self.crank) {
            self.put_back(vat, touched);
        }
    }
}
