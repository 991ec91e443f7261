//! The time that a node runs: what happens meanwhile, and when it must be ended.

use std::{io, time::Duration};

use signal_hook::consts::SIGTERM;

use super::{Event, Look, Looker, Supervisor, node::Node};
use crate::{
    clock::Moment,
    core::{Child, EXIT_UPGRADE_NEEDED},
    report::Seen,
};

/// How often a running node is looked at when no signal tells of its end.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Supervisor {
    /// Stays with a node until its end, and sees to it that it ends when it must.
    pub(super) fn stay(&mut self, node: &mut Node, looker: &mut Looker) -> io::Result<Child> {
        let mut leaves_since: Option<Moment> = None;
        loop {
            if let Some(code) = node.ended()? {
                self.facts.ended_because = None;
                return Ok(Child::Ended { code });
            }
            // With its last words the looker was dismissed, who would have found it.
            if let Some(ms) = leaves_since.map(Moment::elapsed_ms)
                && ms >= self.facts.policy.stop_grace_ms
            {
                return self.end_overdue(node, &format!("the node said its last words {ms} ms ago and still runs"));
            }
            match self.events.next(LOOK_EVERY) {
                None | Some(Event::Child) => {}
                Some(Event::Signal(signal)) => {
                    self.end_comet();
                    tracing::info!(signal, "passed on to the node");
                    let code = node.end(signal, self.config.shutdown_grace_ms)?;
                    return Ok(Child::Stopped { code });
                }
                // One that was interrupted by the node's last words says nothing of the plan's binary.
                Some(Event::Look(_)) if leaves_since.is_some() => {}
                Some(Event::Look(look)) => {
                    self.take_in(&look);
                    self.keep_standby(&look)?;
                    if let Some(reason) = &look.end {
                        return self.end_overdue(node, reason);
                    }
                }
                Some(Event::LastWords(status)) => {
                    // Nothing is to be found out any more, and the change of processes needs the machine.
                    looker.dismiss();
                    leaves_since = Some(Moment::now());
                    self.note_last_words(*status);
                }
                Some(Event::Front(event)) => {
                    if let Some(reason) = self.hear_front(event)? {
                        return self.end_useless(node, &reason);
                    }
                }
            }
            if let Some(reason) = self.look_at_front()? {
                return self.end_useless(node, &reason);
            }
            if self.told.is_told() {
                self.end_comet();
                return Ok(Child::Stopped { code: node.end(SIGTERM, self.config.shutdown_grace_ms)? });
            }
        }
    }

    /// Ends a node that was to end by itself.
    fn end_overdue(&mut self, node: &mut Node, reason: &str) -> io::Result<Child> {
        self.note_hung(reason);
        let code = node.end(SIGTERM, self.config.shutdown_grace_ms)?;
        // It was to end with the code of a needed upgrade; with 0 the work would seem done.
        Ok(Child::Ended { code: if code == 0 { EXIT_UPGRADE_NEEDED } else { code } })
    }

    /// What is told of a node that must be ended, until a block is committed.
    pub(super) fn note_hung(&mut self, reason: &str) {
        tracing::error!(reason, "the node is ended");
        self.facts.ended_because = Some(reason.to_owned());
        self.ended_at = self.board.report().committed_height.unwrap_or_default();
    }

    /// The same as a trouble.
    pub(super) fn hung(&self) -> Vec<String> {
        self.facts.ended_because.iter().map(|reason| format!("the node was ended: {reason}")).collect()
    }

    fn take_in(&mut self, look: &Look) {
        if look.answer.as_ref().is_ok_and(|status| status.committed_height > self.ended_at) {
            self.facts.ended_because = None;
        }
        let troubles = self.troubles(Some(&look.answer), &look.installed);
        let seen = Seen {
            answer: Some(&look.answer),
            installed: &look.installed,
            current: self.facts.current.as_ref(),
            own: look.own.as_ref(),
            armed: look.armed.as_ref(),
            problem: look.problem.as_deref(),
            block_ms: look.block_ms,
            troubles: &troubles,
        };
        self.board.change(|report| {
            report.see(&seen, &self.facts.policy);
            report.next_action = match &report.plan {
                Some(plan) if report.current.as_ref() != Some(&plan.slot) => {
                    format!("switch to {} when the node stops for height {}", plan.slot, plan.height)
                }
                // Also once a plan is taken back.
                _ => format!("the node in {} runs", report.current.as_deref().unwrap_or("no slot")),
            };
        });
    }
}
