//! What an operator asks of vats and kernel: termination, upgrade, options; and what the host brings to devices.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{Command, KernelOptions, Reply, ResolutionPolicy, refusal},
    vat::CapData,
    wire::{Blob, Wire},
};

use crate::{
    command::{Refused, Served},
    crank::Kernel,
    event::{Event, Upgrade},
    host::Host,
    keys::{self, path},
    limits,
    queue::Queue,
    reap,
    refs::is_kref,
    store::Fault,
};

impl<H: Host> Kernel<'_, H> {
    /// The commands that only write: an operator's, and what the host brings to devices.
    pub fn serve_operator(&mut self, command: Command) -> Served<Reply> {
        match command {
            Command::PinVatRoot { vat_name } => self.pin_vat_root(&vat_name)?,
            Command::TerminateVat { vat_id, reason } => self.terminate_vat(&vat_id, reason)?,
            Command::UpgradeStaticVat {
                vat_name,
                bundle_id,
                parameters,
                message,
            } => {
                let kpid = self.upgrade_static_vat(&vat_name, &bundle_id, parameters, &message)?;
                return self.written(Reply::Queued { kpid: Some(kpid) });
            }
            Command::Evaluate {
                bundle_id,
                vats,
                devices,
            } => {
                let kpid = self.evaluate(&bundle_id, &vats, &devices)?;
                return self.written(Reply::Queued { kpid: Some(kpid) });
            }
            Command::ChangeKernelOptions { options } => self.change_options(&options)?,
            Command::ReapAllVats {} => self.reap_all()?,
            Command::InjectQueuedUpgradeEvents {} => self.inject_upgrade_events()?,
            Command::BundlesInstalled { ids } => self.bundles_installed(&ids)?,
            Command::PollTimer { now } => self.poll_timer(now)?,
            Command::MailboxInbound { peer, messages, ack } => self.mailbox_inbound(&peer, &messages, ack)?,
            Command::BridgeInbound { bridge, value } => self.bridge_inbound(&bridge, &value)?,
            _ => return Err(Refused::new(refusal::BAD_COMMAND, "served before")),
        }
        self.written(Reply::Done {})
    }

    /// Makes a static vat's root object permanent, as it has been from the beginning.
    pub fn pin_vat_root(&mut self, name: &str) -> Served<()> {
        let vat_id = self.living_vat(name)?;
        let root = self.root_of(&vat_id)?;
        Ok(self.pin(root)?)
    }

    /// Ends a vat that is not critical.
    pub fn terminate_vat(&mut self, vat_id: &str, reason: CapData) -> Served<()> {
        let known = is_kref(vat_id, "v") && self.store.has(path([vat_id, ".source"]));
        match self.options(vat_id)? {
            _ if !known => Err(Refused::new(refusal::UNKNOWN, "no vat has this ID")),
            None => Err(Refused::new(refusal::VAT_TERMINATED, "the vat was terminated before")),
            Some(options) if options.critical => {
                Err(Refused::new(refusal::CRITICAL, "a critical vat is not terminated"))
            }
            Some(options) => {
                let reason = self.reason_of(reason)?;
                Ok(self.terminate(vat_id, &options, true, &reason)?)
            }
        }
    }

    /// Queues a static vat's upgrade; gives the result promise.
    pub fn upgrade_static_vat(
        &mut self,
        name: &str,
        bundle_id: &str,
        parameters: CapData,
        message: &str,
    ) -> Served<String> {
        let vat_id = self.living_vat(name)?;
        if !self.is_installed(bundle_id) {
            return Err(Refused::new(refusal::UNKNOWN, "no bundle with this ID is installed"));
        }
        if parameters.body.len() > limits::BODY_BYTES_MAX
            || parameters.slots.len() > limits::SLOTS_MAX
            || message.len() > limits::MESSAGE_BYTES_MAX
        {
            return Err(Refused::new(
                refusal::BAD_ARGUMENT,
                "the parameters or the upgrade message are too large",
            ));
        }
        for slot in &parameters.slots {
            self.require_referable(slot)?;
            self.hold(slot)?;
        }
        let kpid = self.new_promise(None, Some(ResolutionPolicy::Ignore {}), 0)?;
        self.hold(&kpid)?;
        let upgrade = Upgrade {
            vat_id,
            bundle_id: String::from(bundle_id),
            parameters,
            message: String::from(message),
            result: Some(kpid.clone()),
        };
        self.queue_push(Queue::Acceptance, Event::UpgradeVat { upgrade }.to_bytes())?;
        Ok(kpid)
    }

    /// Changes the kernel's options.
    pub fn change_options(&mut self, options: &KernelOptions) -> Served<()> {
        let merged = reap::merged(&options.reap_default, &self.reap_default()?);
        self.set_reap_default(&merged);
        Ok(())
    }

    /// Queues what a migration left, once.
    pub fn inject_upgrade_events(&mut self) -> Served<()> {
        let Some(bytes) = self.store.get(keys::UPGRADE_EVENTS) else {
            return Ok(());
        };
        let events = Vec::<Blob>::from_bytes(bytes).map_err(|_| Fault("the queued upgrade events are malformed"))?;
        self.store.delete(keys::UPGRADE_EVENTS);
        for Blob(event) in events {
            crate::event::decode(&event)?;
            self.queue_push(Queue::Acceptance, event)?;
        }
        Ok(())
    }
}
