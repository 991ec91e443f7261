//! What the node does, as the machine takes it: replies, its start, its answer to Info, its end.

use super::{
    frame::Frame,
    line::Line,
    machine::{ConnId, Event, Machine, Output},
    message::{self, Committed, Kind},
    phase::{Drain, Parking, Phase, Proof, Swap},
};

impl Machine {
    pub(super) fn reply(&mut self, id: ConnId, frame: Frame) {
        // For a connection that is gone, nobody waits.
        let Some(line) = self.lines.get_mut(&id) else { return };
        let Some(kind) = line.answered() else {
            return self.drop_all("the node answered what nobody asked".to_owned());
        };
        let seen = (message::told_by_info(&frame), message::hash_of_finalized(&frame), message::is_committed(&frame));
        self.out.push(Output::ToComet(id, frame));
        match (kind, seen) {
            (Kind::Info, (Some(committed), _, _)) if committed.height > 0 => self.told = Some(committed),
            (Kind::Finalize(height), (_, Some(app_hash), _)) => {
                self.finalized = Committed { height, app_hash };
                if let Phase::Proving(proof) = self.phase {
                    self.lines.values_mut().for_each(Line::forget);
                    self.phase = Phase::Serving;
                    let block_ms = Some(self.now_ms.saturating_sub(proof.since_ms));
                    self.out.push(Output::Tell(Event::Proved(Swap { block_ms, ..proof.swap })));
                }
            }
            (Kind::Commit, (_, _, true)) => self.committed(),
            _ => {}
        }
    }

    pub(super) fn committed(&mut self) {
        let told = std::mem::take(&mut self.finalized);
        if self.announced.take().as_ref() == Some(&told) && matches!(self.phase, Phase::Serving) {
            self.phase = Phase::Draining(Drain::begin(self.now_ms));
        }
        self.told = Some(told);
    }

    pub(super) fn node_started(&mut self) {
        match &mut self.phase {
            Phase::Away | Phase::Asking => self.phase = Phase::Asking,
            Phase::Parked(parking) => (parking.started_ms, parking.listens) = (Some(self.now_ms), false),
            Phase::Serving | Phase::Draining(_) | Phase::Proving(_) => {
                self.drop_all("a node was started while another one served".to_owned());
                self.phase = Phase::Asking;
            }
        }
    }

    pub(super) fn node_listens(&mut self) {
        if let Phase::Parked(parking) = &mut self.phase {
            parking.listens = true;
        }
    }

    pub(super) fn node_says(&mut self, committed: &Committed) {
        match self.phase {
            Phase::Asking => {
                self.phase = Phase::Serving;
                self.out.extend([Output::Connect, Output::Tell(Event::Up)]);
            }
            Phase::Parked(parking @ Parking { started_ms: Some(started_ms), .. }) => {
                let told = self.told.clone().unwrap_or_default();
                if *committed != told {
                    return self.unfit(format!("it is at {committed}, CometBFT was told {told}"));
                }
                let swap = self.swap(&parking, told.height, started_ms);
                self.phase = Phase::Proving(Proof { parking, swap, since_ms: self.now_ms });
                self.out.extend([Output::Connect, Output::Tell(Event::TakenOver(swap))]);
            }
            Phase::Parked(_) | Phase::Away | Phase::Serving | Phase::Draining(_) | Phase::Proving(_) => {}
        }
    }

    /// What is told of a change of processes that comes to its end now.
    fn swap(&self, parking: &Parking, committed_height: u64, started_ms: u64) -> Swap {
        let now_ms = self.now_ms;
        let gone_ms = parking.gone_ms.unwrap_or(parking.since_ms);
        Swap {
            committed_height,
            drain_ms: parking.since_ms.saturating_sub(parking.committed_ms),
            parked_ms: now_ms.saturating_sub(parking.since_ms),
            exit_ms: gone_ms.saturating_sub(parking.since_ms),
            switch_ms: started_ms.saturating_sub(gone_ms),
            start_ms: now_ms.saturating_sub(started_ms),
            extra_ms: parking.asked_ms.map_or(0, |asked_ms| now_ms.saturating_sub(asked_ms)),
            replayed: self.lines.values().map(Line::waiting).sum(),
            block_ms: None,
        }
    }

    pub(super) fn unfit(&mut self, reason: String) {
        if let Phase::Parked(parking) = &mut self.phase {
            parking.started_ms = None;
        }
        self.out.push(Output::Tell(Event::Unfit(reason)));
    }

    pub(super) fn node_lost(&mut self) {
        match &mut self.phase {
            Phase::Away => {}
            Phase::Asking => self.phase = Phase::Away,
            Phase::Parked(parking) => {
                parking.started_ms = None;
                parking.gone_ms.get_or_insert(self.now_ms);
            }
            Phase::Draining(drain) => {
                let parking = Parking::begin(drain, self.now_ms);
                self.park(Parking { gone_ms: Some(self.now_ms), ..parking });
            }
            Phase::Proving(proof) => {
                let parking = proof.parking;
                self.park(parking);
            }
            Phase::Serving => self.drop_all("the node is gone".to_owned()),
        }
    }

    /// No node: what it was asked and did not answer waits with the rest.
    pub(super) fn park(&mut self, parking: Parking) {
        let told = self.told.clone().unwrap_or_default();
        self.out.push(Output::LeaveNode);
        for (id, line) in &mut self.lines {
            match line.call_back(&told, self.now_ms) {
                Ok(replies) => self.out.extend(replies.into_iter().map(|reply| Output::ToComet(*id, reply))),
                Err(lost) => return self.drop_all(format!("a reply is lost for ever: {lost:?}")),
            }
        }
        self.phase = Phase::Parked(Parking { started_ms: None, ..parking });
        self.out.push(Output::Tell(Event::Parked(told)));
    }

    pub(super) fn drop_all(&mut self, reason: String) {
        let started = matches!(self.phase, Phase::Asking | Phase::Parked(Parking { started_ms: Some(_), .. }));
        self.phase = if started { Phase::Asking } else { Phase::Away };
        self.lines.clear();
        (self.told, self.announced, self.finalized) = (None, None, Committed::default());
        self.out.extend([Output::DropAll(reason.clone()), Output::Tell(Event::Dropped(reason))]);
    }
}
