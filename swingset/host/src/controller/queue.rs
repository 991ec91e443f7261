//! Queueing messages and looking after their results.

use swingset_abi::{
    kernel::{Command, PromiseState, Reply, ResolutionPolicy},
    vat::CapData,
};

use super::{Controller, Result, crank::unexpected};
use crate::{
    env::Environment,
    error::{EngineError, RejectCode},
    keys,
};

/// Largest body plus slots that may be queued from outside, in bytes.
const ARGS_BYTES_MAX: usize = 1024 * 1024;
/// Longest name, method or reference.
const NAME_BYTES_MAX: usize = 1024;

impl Controller {
    /// Queues a message to the root object of a named vat; gives the result promise, if the policy makes one.
    ///
    /// # Errors
    /// `Argument` for a name or arguments that are too large; `Kernel` (no such vat, or one that ended; arguments that are no list or name
    /// nothing); `NotInitialized`, `Migrating`; Stopped; Halt. Nothing is queued then.
    pub fn queue_to_vat_root(
        &mut self,
        env: &mut dyn Environment,
        vat_name: &str,
        method: &str,
        args: CapData,
        policy: ResolutionPolicy,
    ) -> Result<Option<String>> {
        check_message(vat_name, method, &args)?;
        let (vat_name, method) = (vat_name.to_owned(), method.to_owned());
        self.queue(env, &Command::QueueToVatRoot { vat_name, method, args, policy })
    }

    /// Queues a message to an object, by kref.
    ///
    /// # Errors
    /// As [`Controller::queue_to_vat_root`]; `Kernel` when there is no such object.
    pub fn queue_to_vat_object(
        &mut self,
        env: &mut dyn Environment,
        target: &str,
        method: &str,
        args: CapData,
        policy: ResolutionPolicy,
    ) -> Result<Option<String>> {
        check_message(target, method, &args)?;
        let (target, method) = (target.to_owned(), method.to_owned());
        self.queue(env, &Command::QueueToVatObject { target, method, args, policy })
    }

    fn queue(&mut self, env: &mut dyn Environment, command: &Command) -> Result<Option<String>> {
        match self.public_command(env, command)? {
            Reply::Queued { kpid } => Ok(kpid),
            other => Err(unexpected(&other)),
        }
    }

    /// Takes a reference on a promise, so that its value can be asked for after it is settled.
    ///
    /// # Errors
    /// `Kernel` (no such promise); `NotInitialized`, `Migrating`; Stopped; Halt.
    pub fn kp_register_interest(&mut self, env: &mut dyn Environment, kpid: &str) -> Result<()> {
        self.done(env, &Command::RegisterInterest { kpid: kpid.to_owned() })
    }

    /// Gives that reference back.
    ///
    /// # Errors
    /// As [`Controller::kp_register_interest`]; `Kernel` when none was taken.
    pub fn kp_release_interest(&mut self, env: &mut dyn Environment, kpid: &str) -> Result<()> {
        self.done(env, &Command::ReleaseInterest { kpid: kpid.to_owned() })
    }

    /// State of a promise, with its value when it is settled (`kpStatus`, `kpResolution`). One that there is none of is unknown.
    ///
    /// # Errors
    /// `Kernel` (a broken state); `NotInitialized`, `Migrating`; Stopped; Halt.
    pub fn kp_status(&mut self, env: &mut dyn Environment, kpid: &str) -> Result<PromiseState> {
        match self.public_command(env, &Command::PromiseStatus { kpid: kpid.to_owned() })? {
            Reply::PromiseState { state } => Ok(state),
            other => Err(unexpected(&other)),
        }
    }

    /// Value of a promise, once it is settled: whether it was rejected, and the data.
    ///
    /// # Errors
    /// As [`Controller::kp_status`].
    pub fn kp_resolution(&mut self, env: &mut dyn Environment, kpid: &str) -> Result<Option<(bool, CapData)>> {
        Ok(match self.kp_status(env, kpid)? {
            PromiseState::Unknown {} | PromiseState::Unresolved {} => None,
            PromiseState::Fulfilled { data } => Some((false, data)),
            PromiseState::Rejected { data } => Some((true, data)),
        })
    }

    /// Makes a static vat's root object permanent (`pinVatRoot`). All are, from the beginning and until their vat ends, since they are spoken
    /// to by name at any time: for a vat that lives nothing is left to do, which is what this says, and for others it is refused.
    ///
    /// # Errors
    /// `Kernel` (no such vat, or one that ended); `NotInitialized`, `Migrating`; Stopped; Halt.
    pub fn pin_vat_root(&mut self, env: &mut dyn Environment, vat_name: &str) -> Result<()> {
        self.done(env, &Command::PinVatRoot { vat_name: vat_name.to_owned() })
    }

    /// Terminates a vat: at once in state, slowly on disk. A reason whose slots name nothing is replaced by fixed words.
    ///
    /// # Errors
    /// `Kernel` (no such vat, one that ended, or a critical one); `NotInitialized`, `Migrating`; Stopped; Halt.
    pub fn terminate_vat(&mut self, env: &mut dyn Environment, vat_id: &str, reason: CapData) -> Result<()> {
        self.done(env, &Command::TerminateVat { vat_id: vat_id.to_owned(), reason })
    }

    /// Figures of the kernel, in its own order (`getStats`). Changes nothing.
    ///
    /// # Errors
    /// `Kernel` (a broken state); `NotInitialized`, `Migrating`; Stopped; Halt.
    pub fn get_stats(&mut self, env: &mut dyn Environment) -> Result<Vec<(String, u64)>> {
        match self.public_command(env, &Command::Stats {})? {
            Reply::Stats { figures } => Ok(figures),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) fn done(&mut self, env: &mut dyn Environment, command: &Command) -> Result<()> {
        match self.public_command(env, command)? {
            Reply::Done {} => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// A command of a public call: refused while the engine is stopped or a migration is under way; its effects are in the
    /// environment when it returns.
    pub(super) fn public_command(&mut self, env: &mut dyn Environment, command: &Command) -> Result<Reply> {
        self.check_serving(env)?;
        let reply = self.command(env, command);
        self.settle_after(env, reply)
    }

    /// An error while the engine is stopped or a migration is under way.
    pub(super) fn check_serving(&self, env: &dyn Environment) -> Result<()> {
        self.check_running(env)?;
        if env.get(&keys::host(keys::MIGRATION))?.is_some() {
            let problem = "a schema migration is under way; try again when it is done";
            return Err(EngineError::rejected(RejectCode::Migrating, problem));
        }
        Ok(())
    }

    /// Writes what is pending to the environment, whether the call went well or was refused or stopped; a halt goes first.
    pub(super) fn settle_after<T>(&mut self, env: &mut dyn Environment, result: Result<T>) -> Result<T> {
        if !matches!(result, Err(EngineError::Halt(_))) {
            self.settle(env)?;
        }
        result
    }
}

fn check_message(target: &str, method: &str, args: &CapData) -> Result<()> {
    let slots = args.slots.iter().map(String::len).fold(0, usize::saturating_add);
    let size = args.body.len().saturating_add(slots);
    if target.len() > NAME_BYTES_MAX || method.len() > NAME_BYTES_MAX || size > ARGS_BYTES_MAX {
        let problem = format!(
            "names may have {NAME_BYTES_MAX} bytes and arguments {ARGS_BYTES_MAX}; these arguments have {size}"
        );
        return Err(EngineError::rejected(RejectCode::Argument, problem));
    }
    Ok(())
}
