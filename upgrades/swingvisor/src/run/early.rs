//! What is done before a node's end so that little is left to do after it: the next binary stands by, and the node's own last words are
//! taken for its answer.

use std::{io, time::Duration};

use super::{Event, Look, Supervisor, node::Node, standby::Standby};
use crate::{
    core::{Answer, Child, EXIT_UPGRADE_NEEDED, Slot, Status, stands_by},
    front,
    probe::signature,
};

/// How long a binary that stands by may take to answer: CometBFT waits for it, and its command can be asked too.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Has the plan's binary stand by when its height is near, and ends one that is not needed, or is not what lies in its slot.
    pub(super) fn keep_standby(&mut self, look: &Look) -> io::Result<()> {
        // What is not known changes nothing.
        let Ok(status) = &look.answer else { return Ok(()) };
        let armed = look.armed.as_ref().filter(|(_, identity)| identity.standby).map(|(slot, _)| slot);
        let wanted = armed
            .filter(|slot| self.config.standby && self.fronted.is_some() && stands_by(status, slot, &self.facts))
            .cloned();
        self.drop_standby_unless(wanted.as_ref())?;
        let (Some(slot), None, Some(fronted)) = (wanted, &self.standby, &self.fronted) else { return Ok(()) };
        let binary = self.config.layout.binary(&slot);
        if self.standby_failed.is_some() && self.standby_failed == signature(&binary).ok() {
            return Ok(());
        }
        let standby = Standby::start(&binary, &slot, &fronted.arguments(&self.node_arguments()), &self.sockets)?;
        tracing::info!(%slot, pid = standby.id(), "the plan's binary stands by");
        self.board.change(|report| report.standby_pid = Some(standby.id()));
        self.standby = Some(standby);
        Ok(())
    }

    fn drop_standby_unless(&mut self, wanted: Option<&Slot>) -> io::Result<()> {
        let Some(standby) = &mut self.standby else { return Ok(()) };
        let slot = standby.slot().clone();
        let binary = self.config.layout.binary(&slot);
        if standby.has_ended()? {
            // The same file would do so again.
            self.standby_failed = Some(standby.signature());
            self.drop_standby("it has ended by itself");
        } else if !standby.is_fit(&binary)? {
            self.drop_standby("another file lies in its place");
        } else if wanted != Some(&slot) {
            self.drop_standby("no upgrade to it is near any more");
        }
        Ok(())
    }

    /// The binary that stands by is ended: it has nothing open.
    pub(super) fn drop_standby(&mut self, reason: &str) {
        if let Some(standby) = self.standby.take() {
            tracing::info!(slot = %standby.slot(), reason, "the binary that stood by is ended");
            self.board.change(|report| report.standby_pid = None);
        }
    }

    /// What happened in a node's life and was not looked at yet.
    pub(super) fn hear_the_rest(&mut self) {
        while let Some(event) = self.events.next(Duration::ZERO) {
            match event {
                Event::LastWords(status) => self.last_words = Some(*status),
                Event::Front(front::Event::Late(parked_ms)) => self.tell_late(parked_ms),
                // A signal has set `told`.
                Event::Front(_) | Event::Look(_) | Event::Child | Event::Signal(_) => {}
            }
        }
    }

    /// Takes what the node of `slot` said with its last commit for its answer, if it ended as it said. It could not commit anything
    /// after that, so asking its binary gives the same again.
    pub(super) fn take_last_words(&mut self, slot: &Slot) {
        let Some(status) = self.last_words.take() else { return };
        let as_said = status.stop.as_ref().is_some_and(|stop| stop.exit_code == EXIT_UPGRADE_NEEDED);
        if self.config.standby && as_said && self.facts.child == (Child::Ended { code: EXIT_UPGRADE_NEEDED }) {
            self.facts.asked.insert(slot.clone(), Ok(status));
        }
    }

    /// What the binary of a slot says of committed state: the one that stands by, where it does, else the command.
    pub(super) fn ask(&mut self, slot: &Slot) -> Answer {
        let binary = self.config.layout.binary(slot);
        if let Some(standby) = &mut self.standby
            && standby.slot() == slot
            && standby.is_fit(&binary).is_ok_and(|fit| fit)
        {
            match standby.ask(self.prober.limit.min(ANSWER_TIME_MAX)) {
                Ok(answer) => return answer,
                Err(reason) => self.drop_standby(&reason),
            }
        }
        self.prober.status(&binary)
    }

    /// Whether the binary that stands by in `slot` has said that it takes over.
    pub(super) fn standby_agrees(&self, slot: &Slot) -> bool {
        self.standby.as_ref().is_some_and(|standby| standby.slot() == slot && standby.agrees())
    }

    /// The binary that stands by in `slot` begins; none where there is no such one.
    pub(super) fn standby_goes(&mut self, slot: &Slot) -> io::Result<Option<Node>> {
        let binary = self.config.layout.binary(slot);
        let (Some(mut standby), Some(fronted)) = (self.standby.take_if(|it| it.slot() == slot), &self.fronted) else {
            return Ok(None);
        };
        self.board.change(|report| report.standby_pid = None);
        if !standby.is_fit(&binary)? {
            return Ok(None);
        }
        match standby.go() {
            Ok((node, control)) => {
                fronted.node_started(control);
                Ok(Some(node))
            }
            Err(error) => {
                tracing::warn!(%slot, %error, "the binary that stood by is gone: it is started anew");
                Ok(None)
            }
        }
    }

    /// What a node says with its last commit.
    pub(super) fn note_last_words(&mut self, status: Status) {
        self.last_words = Some(status);
    }
}
