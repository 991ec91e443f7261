//! What follows from where the machine stands, after each input: forwarding, parking, putting off.

use super::{
    machine::{DRAIN_MS_MAX, Event, Machine, Output, QUIET_MS, QUIET_WITHOUT_RECHECK_MS},
    message::Role,
    phase::{Drain, Parking, Phase},
};

/// Requests that the consensus connection can have waiting: CometBFT sends one, and a Flush, and waits.
const CONSENSUS_WAITING_MAX: usize = 8;
/// What one connection can have waiting at all, bytes.
const HELD_BYTES_MAX: usize = 256 << 20;

impl Machine {
    /// What follows from where things stand: forwarding, putting off, parking.
    pub(super) fn settle(&mut self) {
        if let Phase::Draining(drain) = &mut self.phase {
            let rechecking = self.lines.values().any(|line| line.unanswered() > 0 && line.role() != Some(Role::Query));
            let quiet_ms = if drain.rechecks { QUIET_MS } else { QUIET_WITHOUT_RECHECK_MS };
            if !rechecking && self.now_ms.saturating_sub(drain.heard_ms) >= quiet_ms {
                drain.recheck_is_over(self.now_ms);
            }
        }
        self.forward();
        match self.phase {
            Phase::Draining(drain @ Drain { over_ms: Some(over_ms), .. }) => {
                let idle = self.lines.values().all(|line| line.unanswered() == 0);
                if idle || self.now_ms.saturating_sub(over_ms) >= DRAIN_MS_MAX {
                    self.park(Parking::begin(&drain, self.now_ms));
                    self.relieve();
                }
            }
            Phase::Parked(Parking { started_ms, listens, .. }) => {
                self.relieve();
                self.tell_if_late();
                let late = started_ms.is_some_and(|at| self.now_ms.saturating_sub(at) >= self.start_ms_max);
                if late {
                    let step =
                        if listens { "it listens, and had not answered Info" } else { "it had not opened its socket" };
                    self.unfit(format!("{step} {} ms after its start (SWINGVISOR_START_TIMEOUT)", self.start_ms_max));
                }
            }
            _ => {}
        }
        self.check_bounds();
    }

    /// Tells once when requests have waited for too long.
    fn tell_if_late(&mut self) {
        let now_ms = self.now_ms;
        if let Phase::Parked(parking) = &mut self.phase
            && !parking.late
            && now_ms.saturating_sub(parking.since_ms) >= self.parked_ms_max
        {
            parking.late = true;
            self.out.push(Output::Tell(Event::Late(now_ms.saturating_sub(parking.since_ms))));
        }
    }

    fn forward(&mut self) {
        let keep = matches!(self.phase, Phase::Proving(_) | Phase::Draining(_));
        // Consensus first: the others can wait, and a block does not.
        let (first, others): (Vec<_>, Vec<_>) =
            self.lines.iter_mut().partition(|(_, line)| line.role() == Some(Role::Consensus));
        for (id, line) in first.into_iter().chain(others) {
            while let Some(kind) = line.head()
                && self.phase.forwards(line.role(), kind)
                && let Some(frame) = line.forward(keep)
            {
                self.out.push(Output::ToNode(*id, frame));
            }
        }
    }

    fn relieve(&mut self) {
        let told = self.told.clone().unwrap_or_default();
        for (id, line) in &mut self.lines {
            let replies = line.relieve(&told, self.now_ms);
            self.out.extend(replies.into_iter().map(|reply| Output::ToComet(*id, reply)));
        }
    }

    /// What is beyond anything that CometBFT does ends it.
    fn check_bounds(&mut self) {
        let beyond = self.lines.values().any(|line| {
            let consensus = line.role() == Some(Role::Consensus);
            line.waiting_bytes() > HELD_BYTES_MAX || (consensus && line.waiting() > CONSENSUS_WAITING_MAX)
        });
        if beyond {
            self.drop_all("more requests wait than CometBFT sends".to_owned());
        }
    }
}
