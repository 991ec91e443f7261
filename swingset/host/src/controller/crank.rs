//! One call of the kernel and what becomes of it: kept, undone, or the end of the engine's run.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use swingset_abi::{
    kernel::{Command, CrankReport, Reply},
    wire::Wire,
};

use super::{Controller, Result, status::truncated};
use crate::{
    admission::ModuleRole,
    engine::EngineRuntime,
    env::{EnvMark, Environment},
    error::{EngineError, Halt, RejectCode},
    installed,
    kernel::{Answer, Desk, KernelFault, KernelInstance, KernelServices, Request},
    keys,
};

/// What answers a suspended kernel.
struct Services<'a> {
    env: &'a mut dyn Environment,
    runtime: &'a Arc<EngineRuntime>,
    /// A mark taken before the first bridge call of this crank.
    bridged: Option<EnvMark>,
}

impl KernelServices for Services<'_> {
    fn serve(&mut self, desk: &mut Desk, request: Request) -> std::result::Result<Answer, KernelFault> {
        let halt = |error: crate::env::EnvError| KernelFault::Halt(error.into());
        match request {
            Request::Load(key) => {
                desk.kv.load(self.env, &key).map_err(halt)?;
                Ok(Answer::Done)
            }
            Request::Successor(from) => {
                desk.kv.learn_next(self.env, from).map_err(halt)?;
                Ok(Answer::Done)
            }
            Request::Prepare(vat) => {
                desk.vats.prepare(self.env, self.runtime, &mut desk.kv, &vat)?;
                Ok(Answer::Done)
            }
            Request::Bridge { name, body } => {
                if self.bridged.is_none() {
                    self.bridged = Some(self.env.mark());
                }
                let answer = self.env.bridge(&name, &body).map_err(halt)?;
                Ok(answer.map_or(Answer::Absent, |answer| Answer::Bytes(answer.to_bytes())))
            }
        }
    }
}

/// How a call of the kernel ended, its effects still pending.
enum Called {
    Replied(Reply),
    Fault(&'static str),
}

impl Controller {
    /// A command that the kernel carries out as a whole or refuses. A fault stops the engine, and so does the refusal of a command that
    /// nobody is there to be told of.
    pub(super) fn command(&mut self, env: &mut dyn Environment, command: &Command) -> Result<Reply> {
        let (called, bridged) = self.call_kernel(env, command)?;
        match called {
            Called::Replied(Reply::Refused { code, problem }) => {
                self.undo(env, bridged)?;
                if is_hosts_own(command) {
                    // The kernel's words enter no state.
                    tracing::error!(code, problem = truncated(&problem), "the kernel refused the host's own command");
                    return Err(self.stop(env, &format!("kernel refused the host's own command ({code})"))?);
                }
                Err(EngineError::rejected(RejectCode::Kernel, format!("kernel refused ({code}): {problem}")))
            }
            Called::Replied(reply) => match self.judge(env, command, &reply)? {
                Ok(()) => {
                    // What asked for the bridges' work is undone, though the crank is kept: its vat has ended.
                    if let (Reply::Crank { report: CrankReport { aborted: true, .. } }, Some(mark)) = (&reply, bridged)
                    {
                        env.rollback(mark)?;
                        self.keep(env, None)?;
                    } else {
                        self.keep(env, bridged)?;
                    }
                    self.desk.kv.command_kept();
                    Ok(reply)
                }
                Err(reason) => {
                    self.undo(env, bridged)?;
                    Err(self.stop(env, &reason)?)
                }
            },
            Called::Fault(word) => {
                self.undo(env, bridged)?;
                Err(self.stop(env, word)?)
            }
        }
    }

    /// A command of which a fault is refused rather than stopping the engine: the kernel is not the state's yet.
    pub(super) fn try_command(&mut self, env: &mut dyn Environment, command: &Command) -> Result<Reply> {
        let (called, bridged) = self.call_kernel(env, command)?;
        let problem = match called {
            Called::Replied(Reply::Refused { code, problem }) => format!("kernel refused ({code}): {problem}"),
            Called::Fault(word) => format!("kernel failed: {word}"),
            Called::Replied(reply) if !fits(command, &reply) => "kernel's reply is not one for the command".to_owned(),
            Called::Replied(reply) => match self.desk.vats.check_crank(None) {
                Ok(()) => {
                    self.keep(env, bridged)?;
                    return Ok(reply);
                }
                Err(word) => format!("kernel failed: {word}"),
            },
        };
        self.undo(env, bridged)?;
        Err(EngineError::rejected(RejectCode::Migration, problem))
    }

    fn call_kernel(&mut self, env: &mut dyn Environment, command: &Command) -> Result<(Called, Option<EnvMark>)> {
        let mut kernel = match self.kernel.take() {
            Some(kernel) => kernel,
            None => match self.make_kernel(env)? {
                Ok(kernel) => kernel,
                Err(word) => return Ok((Called::Fault(word), None)),
            },
        };
        let mut services = Services { env, runtime: &self.runtime, bridged: None };
        let result = kernel.call(&mut self.desk, &mut services, command.to_bytes());
        let bridged = services.bridged;
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(KernelFault::Kernel(word)) => return Ok((Called::Fault(word), bridged)),
            Err(KernelFault::Halt(halt)) => return Err(halt.into()),
        };
        self.most_kernel_work = self.most_kernel_work.max(kernel.work());
        if !self.options.drop_kernel_each_crank {
            self.kernel = Some(kernel);
        }
        match Reply::from_bytes(&bytes) {
            Ok(reply) => Ok((Called::Replied(reply), bridged)),
            Err(_) => Ok((Called::Fault("kernel's reply is malformed"), bridged)),
        }
    }

    fn make_kernel(&self, env: &dyn Environment) -> Result<std::result::Result<KernelInstance, &'static str>> {
        let id = self.host_text(env, keys::KERNEL_BUNDLE_ID)?;
        let Some(id) = id else {
            return Err(EngineError::rejected(RejectCode::NotInitialized, "the SwingSet state is not initialized"));
        };
        let module = installed::module(env, &self.runtime, &id, ModuleRole::Kernel, false)?;
        let module = module.ok_or_else(|| Halt::new("the kernel that the state names is not installed"))?;
        match KernelInstance::new(&self.runtime, &module) {
            Ok(kernel) => Ok(Ok(kernel)),
            Err(KernelFault::Kernel(word)) => Ok(Err(word)),
            Err(KernelFault::Halt(halt)) => Err(halt.into()),
        }
    }

    /// Whether a reply may be kept; the reason to stop otherwise.
    fn judge(
        &mut self,
        env: &dyn Environment,
        command: &Command,
        reply: &Reply,
    ) -> Result<std::result::Result<(), String>> {
        if !fits(command, reply) {
            return Ok(Err("kernel's reply is not one for the command".to_owned()));
        }
        if matches!(reply, Reply::Migrated { more: false, .. }) && !self.has_migrated(env)? {
            return Ok(Err("migration ended in another schema".to_owned()));
        }
        let report = match reply {
            Reply::Crank { report } => Some(report),
            _ => None,
        };
        if let Some(CrankReport { panic: Some(word), .. }) = report {
            return Ok(Err(format!("kernel panic: {word}")));
        }
        Ok(self.desk.vats.check_crank(report).map_err(str::to_owned))
    }

    fn undo(&mut self, env: &mut dyn Environment, bridged: Option<EnvMark>) -> Result<()> {
        self.desk.kv.undo_crank();
        self.desk.vats.rollback_crank();
        if let Some(mark) = bridged {
            env.rollback(mark)?;
        }
        Ok(())
    }

    fn keep(&mut self, env: &mut dyn Environment, bridged: Option<EnvMark>) -> Result<()> {
        if let Some(mark) = bridged {
            env.release(mark)?;
        }
        if let Some(crank_hash) = self.desk.kv.commit_crank(env)? {
            let mut hash = Sha256::new();
            hash.update(self.desk.kv.get(env, keys::ACTIVITY_HASH.as_bytes())?.unwrap_or_default());
            hash.update(crank_hash);
            let mut text = [0u8; 64];
            hex::encode_to_slice(hash.finalize(), &mut text)
                .map_err(|_| Halt::new("a SHA-256 hash does not have 64 digits"))?;
            self.desk.kv.set_host_owned(keys::ACTIVITY_HASH, &text);
        }
        Ok(self.desk.vats.commit_crank(env, &self.runtime)?)
    }

    /// A host-owned value as text.
    pub(super) fn host_text(&self, env: &dyn Environment, name: &str) -> Result<Option<String>> {
        let Some(bytes) = env.get(&keys::host(name))? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes.to_vec());
        text.map(Some).map_err(|_| EngineError::halt(format!("{name} in state is not text")))
    }
}

/// Whether the host gives this command on its own account, within a block. A kernel that serves its state refuses none of these.
fn is_hosts_own(command: &Command) -> bool {
    matches!(
        command,
        Command::Step { .. } | Command::PollTimer { .. } | Command::BundlesInstalled { .. } | Command::Migrate { .. }
    )
}

/// Whether a reply is of the kind that the command asks for.
fn fits(command: &Command, reply: &Reply) -> bool {
    matches!(
        (command, reply),
        (Command::Describe {}, Reply::Described { .. })
            | (
                Command::Initialize { .. }
                    | Command::RegisterInterest { .. }
                    | Command::ReleaseInterest { .. }
                    | Command::PinVatRoot { .. }
                    | Command::TerminateVat { .. }
                    | Command::ChangeKernelOptions { .. }
                    | Command::ReapAllVats {}
                    | Command::InjectQueuedUpgradeEvents {}
                    | Command::BundlesInstalled { .. }
                    | Command::PollTimer { .. }
                    | Command::MailboxInbound { .. }
                    | Command::BridgeInbound { .. },
                Reply::Done {}
            )
            | (Command::Step { .. }, Reply::Crank { .. })
            | (
                Command::QueueToVatRoot { .. }
                    | Command::QueueToVatObject { .. }
                    | Command::UpgradeStaticVat { .. }
                    | Command::Evaluate { .. },
                Reply::Queued { .. }
            )
            | (Command::PromiseStatus { .. }, Reply::PromiseState { .. })
            | (Command::Migrate { .. }, Reply::Migrated { .. })
            | (Command::Stats {}, Reply::Stats { .. })
    )
}

/// A reply that `command` let through and that is not the one asked for.
pub(super) fn unexpected(reply: &Reply) -> EngineError {
    EngineError::halt(format!("a reply was not judged: {reply:?}"))
}
