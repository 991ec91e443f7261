//! What the node does, as the machine takes it: replies, its start, its answer to Info, its end.

use super::{
    frame::Frame,
    line::Line,
    machine::{ConnId, Event, Machine, Output},
    message::{self, Committed, Kind},
    phase::{Drain, Phase, Swap},
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
                if matches!(self.phase, Phase::Proving { .. }) {
                    self.lines.values_mut().for_each(Line::forget);
                    self.phase = Phase::Serving;
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
            Phase::Parked { started_ms, .. } => *started_ms = Some(self.now_ms),
            Phase::Serving | Phase::Draining(_) | Phase::Proving { .. } => {
                self.drop_all("a node was started while another one served".to_owned());
                self.phase = Phase::Asking;
            }
        }
    }

    pub(super) fn node_says(&mut self, committed: &Committed) {
        match self.phase {
            Phase::Asking => {
                self.phase = Phase::Serving;
                self.out.extend([Output::Connect, Output::Tell(Event::Up)]);
            }
            Phase::Parked { since_ms, asked_ms, started_ms: Some(_) } => {
                let told = self.told.clone().unwrap_or_default();
                if *committed != told {
                    return self.unfit(format!("it is at {committed}, CometBFT was told {told}"));
                }
                let swap = Swap {
                    committed_height: told.height,
                    parked_ms: self.now_ms.saturating_sub(since_ms),
                    extra_ms: asked_ms.map_or(0, |asked_ms| self.now_ms.saturating_sub(asked_ms)),
                    replayed: self.lines.values().map(Line::waiting).sum(),
                };
                self.phase = Phase::Proving { since_ms, asked_ms };
                self.out.extend([Output::Connect, Output::Tell(Event::TakenOver(swap))]);
            }
            Phase::Parked { .. } | Phase::Away | Phase::Serving | Phase::Draining(_) | Phase::Proving { .. } => {}
        }
    }

    pub(super) fn unfit(&mut self, reason: String) {
        if let Phase::Parked { started_ms, .. } = &mut self.phase {
            *started_ms = None;
        }
        self.out.push(Output::Tell(Event::Unfit(reason)));
    }

    pub(super) fn node_lost(&mut self) {
        match &mut self.phase {
            Phase::Away => {}
            Phase::Asking => self.phase = Phase::Away,
            Phase::Parked { started_ms, .. } => *started_ms = None,
            Phase::Draining(drain) => {
                let asked_ms = drain.asked_ms;
                self.park(self.now_ms, asked_ms);
            }
            Phase::Proving { since_ms, asked_ms } => {
                let (since_ms, asked_ms) = (*since_ms, *asked_ms);
                self.park(since_ms, asked_ms);
            }
            Phase::Serving => self.drop_all("the node is gone".to_owned()),
        }
    }

    /// No node: what it was asked and did not answer waits with the rest.
    pub(super) fn park(&mut self, since_ms: u64, asked_ms: Option<u64>) {
        let told = self.told.clone().unwrap_or_default();
        self.out.push(Output::LeaveNode);
        for (id, line) in &mut self.lines {
            match line.call_back(&told, self.now_ms) {
                Ok(replies) => self.out.extend(replies.into_iter().map(|reply| Output::ToComet(*id, reply))),
                Err(lost) => return self.drop_all(format!("a reply is lost for ever: {lost:?}")),
            }
        }
        self.phase = Phase::Parked { since_ms, asked_ms, started_ms: None };
        self.out.push(Output::Tell(Event::Parked(told)));
    }

    pub(super) fn drop_all(&mut self, reason: String) {
        let started = matches!(self.phase, Phase::Asking | Phase::Parked { started_ms: Some(_), .. });
        self.phase = if started { Phase::Asking } else { Phase::Away };
        self.lines.clear();
        (self.told, self.announced, self.finalized) = (None, None, Committed::default());
        self.out.extend([Output::DropAll(reason.clone()), Output::Tell(Event::Dropped(reason))]);
    }
}
