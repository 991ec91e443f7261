//! What the host brings to the kernel's devices: the time, messages of peers, messages of the host's own modules.

use swingset_abi::kernel::Command;

use super::{Controller, Result};
use crate::{
    env::Environment,
    error::{EngineError, RejectCode},
    keys,
};

/// Largest message for a device, in bytes.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

impl Controller {
    /// Queues the timer's messages that are due at the present block's time, up to a limit of the kernel's; says whether it did. While
    /// nothing is due no guest is entered. Whoever calls it until it says no has queued all.
    ///
    /// # Errors
    /// Where something is due: `Migrating`; Stopped, also for a `timer.next` that is no number: it is the kernel's own key. Halt.
    pub fn poll_timer(&mut self, env: &mut dyn Environment) -> Result<bool> {
        let next = env.get(&keys::kernel(keys::KERNEL_TIMER_NEXT.as_bytes()))?;
        let Some(next) = next else { return Ok(false) };
        match std::str::from_utf8(&next).ok().and_then(|text| text.parse::<u64>().ok()) {
            Some(next) if next > self.now => Ok(false),
            Some(_) => self.done(env, &Command::PollTimer { now: self.now }).map(|()| true),
            None => {
                self.check_serving(env)?;
                Err(self.stop(env, "timer.next is not a number")?)
            }
        }
    }

    /// Gives the mailbox what a peer sent, by number in growing order, and how far the peer has got what was sent to it. Messages that
    /// came before are passed over.
    ///
    /// # Errors
    /// `Argument` for more than a megabyte; `Kernel` when no vat takes them, for a malformed peer, and for an acknowledgement of what was
    /// never sent; `NotInitialized`, `Migrating`; Stopped; Halt.
    pub fn mailbox_inbound(
        &mut self,
        env: &mut dyn Environment,
        peer: &str,
        messages: Vec<(u64, String)>,
        ack: u64,
    ) -> Result<()> {
        let sizes = messages.iter().map(|(_, text)| text.len().saturating_add(16));
        check_size(sizes.fold(peer.len(), usize::saturating_add))?;
        self.done(env, &Command::MailboxInbound { peer: peer.to_owned(), messages, ack })
    }

    /// Gives the bridge a message of one of the host's modules: a smallcaps value (without `#`) that holds no references.
    ///
    /// # Errors
    /// `Argument` for more than a megabyte; `Kernel` when no vat takes it and for a value that is none; `NotInitialized`, `Migrating`;
    /// Stopped; Halt.
    pub fn bridge_inbound(&mut self, env: &mut dyn Environment, bridge: &str, value: &str) -> Result<()> {
        check_size(bridge.len().saturating_add(value.len()))?;
        self.done(env, &Command::BridgeInbound { bridge: bridge.to_owned(), value: value.to_owned() })
    }
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes > MESSAGE_BYTES_MAX {
        let problem = format!("a message for a device may have {MESSAGE_BYTES_MAX} bytes; this one has {bytes}");
        return Err(EngineError::rejected(RejectCode::Argument, problem));
    }
    Ok(())
}
