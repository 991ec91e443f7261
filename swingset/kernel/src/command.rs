//! What the host asks for, command by command.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    HOST_ABI_LEVEL,
    kernel::{Command, PromiseState, Reply, ResolutionPolicy, refusal},
    vat::CapData,
    wire::Wire,
};

use crate::{
    NAME,
    SCHEMA,
    SCHEMA_FROM_MIN,
    body,
    crank::Kernel,
    event::Event,
    host::Host,
    keys::{self, path},
    limits,
    promise::Standing,
    queue::Queue,
    refs::is_kref,
    store::{Buffers, Fault, Kept},
};

/// A command that is not served; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    code: u32,
    problem: &'static str,
}

impl Refused {
    /// With a code of `swingset_abi::kernel::refusal`, and words for people.
    pub fn new(code: u32, problem: &'static str) -> Refused {
        Refused { code, problem }
    }
}

impl From<Fault> for Refused {
    fn from(Fault(what): Fault) -> Self {
        Refused {
            code: refusal::CORRUPT,
            problem: what,
        }
    }
}

/// What a command comes to.
pub type Served<T> = Result<T, Refused>;

/// Serves one [`Command`]; gives the bytes of a [`Reply`]. `buffers` are those that it was given for the last command, or new ones.
pub fn call<H: Host>(host: &mut H, buffers: &mut Buffers, command: &[u8]) -> Vec<u8> {
    let reply = match Command::from_bytes(command) {
        Ok(command) => {
            let unchanged = matches!(command, Command::Step { unchanged: true, .. });
            Kernel::new(host, buffers, unchanged).serve(command)
        }
        Err(_) => refused(Refused::new(
            refusal::BAD_COMMAND,
            "the bytes are not a command of this host ABI level",
        )),
    };
    reply.to_bytes()
}

fn refused(refused: Refused) -> Reply {
    Reply::Refused {
        code: refused.code,
        problem: String::from(refused.problem),
    }
}

fn description() -> Reply {
    let lies = cfg!(feature = "lying-description");
    Reply::Described {
        name: String::from(NAME),
        schema: if lies { SCHEMA + 1 } else { SCHEMA },
        schema_from_min: SCHEMA_FROM_MIN,
        host_abi: HOST_ABI_LEVEL,
    }
}

impl<H: Host> Kernel<'_, H> {
    fn serve(mut self, command: Command) -> Reply {
        match self.dispatch(command) {
            Ok(reply) => reply,
            Err(reason) => refused(reason),
        }
    }

    fn dispatch(&mut self, command: Command) -> Served<Reply> {
        match command {
            Command::Describe {} => Ok(description()),
            Command::Initialize {
                vats,
                supervisor_bundle_id,
                lockdown_bundle_id,
            } => {
                self.initialize(&vats, &supervisor_bundle_id, &lockdown_bundle_id)?;
                self.written(Reply::Done {})
            }
            Command::Migrate { cursor, budget } => {
                let reply = self.migrate(&cursor.0, budget)?;
                self.written(reply)
            }
            other => self.dispatch_in_schema(other),
        }
    }

    /// The commands that need a state of this kernel's schema.
    fn dispatch_in_schema(&mut self, command: Command) -> Served<Reply> {
        self.require_schema()?;
        match command {
            Command::Step {
                crank_limit_default,
                cleanup_max,
                now,
                unchanged: _,
            } => {
                self.now = now;
                #[cfg(all(feature = "trap-on-step", target_arch = "wasm32"))]
                core::arch::wasm32::unreachable();
                self.require_settled_schema()?;
                if cfg!(feature = "trap-late") {
                    self.trap_when_late()?;
                }
                Ok(Reply::Crank {
                    report: self.step(crank_limit_default, cleanup_max),
                })
            }
            Command::QueueToVatRoot {
                vat_name,
                method,
                args,
                policy,
            } => {
                let vat_id = self.living_vat(&vat_name)?;
                let root = self.root_of(&vat_id)?;
                let kpid = self.queue_to(&root, &method, &args, policy)?;
                self.written(Reply::Queued { kpid })
            }
            Command::QueueToVatObject {
                target,
                method,
                args,
                policy,
            } => {
                self.require_object(&target)?;
                let kpid = self.queue_to(&target, &method, &args, policy)?;
                self.written(Reply::Queued { kpid })
            }
            Command::PromiseStatus { kpid } => Ok(Reply::PromiseState {
                state: self.promise_state(&kpid)?,
            }),
            Command::RegisterInterest { kpid } => {
                self.register_interest(&kpid)?;
                self.written(Reply::Done {})
            }
            Command::ReleaseInterest { kpid } => {
                self.release_interest(&kpid)?;
                self.written(Reply::Done {})
            }
            Command::Stats {} => Ok(Reply::Stats { figures: self.stats()? }),
            other => self.serve_operator(other),
        }
    }

    /// What a command that writes ends with.
    pub fn written(&mut self, reply: Reply) -> Served<Reply> {
        self.settle_counts()?;
        self.store.flush();
        Ok(reply)
    }

    /// The state must be initialized and of a schema that this kernel can read.
    fn require_schema(&mut self) -> Served<()> {
        if self.store.buffers.known.settled {
            return Ok(());
        }
        match self.store.get_number(keys::VERSION)? {
            None => Err(Refused::new(
                refusal::NOT_INITIALIZED,
                "initialize_swingset has not run",
            )),
            Some(schema) if (u64::from(SCHEMA_FROM_MIN)..=u64::from(SCHEMA)).contains(&schema) => Ok(()),
            Some(_) => Err(Refused::new(
                refusal::SCHEMA,
                "the state's schema is not one that this kernel reads",
            )),
        }
    }

    /// Cranks run on this kernel's own schema only, and not during a migration.
    fn require_settled_schema(&mut self) -> Served<()> {
        if self.store.buffers.known.settled {
            return Ok(());
        }
        if self.store.get_number(keys::VERSION)? != Some(u64::from(SCHEMA)) {
            // The version is written by the last slice.
            if self.store.has(keys::MIGRATING) {
                return Err(Refused::new(refusal::MIGRATING, "a schema migration is under way"));
            }
            return Err(Refused::new(
                refusal::SCHEMA,
                "the state must be migrated to this kernel's schema first",
            ));
        }
        self.store.buffers.known.settled = true;
        Ok(())
    }

    /// The ID of a static vat that lives.
    pub fn living_vat(&mut self, name: &str) -> Served<String> {
        let Some(vat_id) = self.store.get_text(keys::vat_name(name))?.map(String::from) else {
            return Err(Refused::new(refusal::UNKNOWN, "no vat has this name"));
        };
        if !self.lives(&vat_id) {
            return Err(Refused::new(
                refusal::VAT_TERMINATED,
                "the vat of this name was terminated",
            ));
        }
        Ok(vat_id)
    }

    fn require_object(&mut self, kref: &str) -> Served<()> {
        if !is_kref(kref, "ko") || self.object_counts(kref)?.is_none() {
            return Err(Refused::new(refusal::UNKNOWN, "no object has this kref"));
        }
        Ok(())
    }

    /// Queues a message from outside, with a result promise unless the policy is `None`.
    pub fn queue_to(
        &mut self,
        target: &str,
        method: &str,
        args: &CapData,
        policy: ResolutionPolicy,
    ) -> Served<Option<String>> {
        if method.is_empty() || method.len() > limits::NAME_BYTES_MAX {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "the method's name is empty or too long",
            ));
        }
        if args.body.len() > limits::BODY_BYTES_MAX || args.slots.len() > limits::SLOTS_MAX {
            return Err(Refused::new(refusal::BAD_ARGUMENT, "the arguments are too large"));
        }
        let methargs = body::methargs(method, args).ok_or(Refused::new(
            refusal::BAD_ARGUMENT,
            "the arguments' body is not '#' and a list",
        ))?;
        for slot in &methargs.slots {
            self.require_referable(slot)?;
        }
        let result = match policy {
            ResolutionPolicy::None {} => None,
            other => Some(self.new_promise(None, Some(other), 0)?),
        };
        self.hold_message(target, result.as_deref(), &methargs.slots)?;
        let event = Event::Send {
            target: String::from(target),
            result: result.clone(),
            methargs,
        };
        self.queue_push(Queue::Acceptance, event.to_bytes())?;
        Ok(result)
    }

    /// Whether something in kernel space has this kref.
    pub fn exists(&mut self, kref: &str) -> Kept<bool> {
        Ok(match kref.get(..2) {
            Some("kp") => is_kref(kref, "kp") && self.store.has(path([kref, ".state"])),
            Some("ko") => is_kref(kref, "ko") && self.object_counts(kref)?.is_some(),
            Some("kd") => is_kref(kref, "kd") && self.store.has(path([kref, ".owner"])),
            _ => false,
        })
    }

    /// A slot from outside must name something.
    pub fn require_referable(&mut self, kref: &str) -> Served<()> {
        if self.exists(kref)? {
            Ok(())
        } else {
            Err(Refused::new(refusal::UNKNOWN, "a slot of the arguments names nothing"))
        }
    }

    fn promise_state(&mut self, kpid: &str) -> Kept<PromiseState> {
        if !is_kref(kpid, "kp") {
            return Ok(PromiseState::Unknown {});
        }
        Ok(match self.standing_if_any(kpid)? {
            None => PromiseState::Unknown {},
            Some(Standing::Unresolved { .. }) => PromiseState::Unresolved {},
            Some(Standing::Settled { rejected: false, data }) => PromiseState::Fulfilled { data },
            Some(Standing::Settled { rejected: true, data }) => PromiseState::Rejected { data },
        })
    }

    fn register_interest(&mut self, kpid: &str) -> Served<()> {
        if !is_kref(kpid, "kp") || self.standing_if_any(kpid)?.is_none() {
            return Err(Refused::new(refusal::UNKNOWN, "no promise has this kpid"));
        }
        let key = path([kpid, ".interest"]);
        let count = self.store.get_number(&key)?.unwrap_or(0);
        self.store.set_number(&key, count + 1);
        Ok(self.hold(kpid)?)
    }

    fn release_interest(&mut self, kpid: &str) -> Served<()> {
        let key = path([kpid, ".interest"]);
        match self.store.get_number(&key)? {
            None | Some(0) => {
                return Err(Refused::new(
                    refusal::UNKNOWN,
                    "no interest in this promise is registered",
                ));
            }
            Some(1) => self.store.delete(&key),
            Some(count) => self.store.set_number(&key, count - 1),
        }
        Ok(self.let_go(kpid)?)
    }
}
