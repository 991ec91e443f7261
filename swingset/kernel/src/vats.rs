//! Vats' records, and the making of dynamic ones in one crank: record, instance and `startVat`, all or nothing.

use alloc::string::String;

use swingset_abi::{
    kernel::{CrankKind, VatOptions, VatSource},
    vat::{CapData, VatDelivery},
    wire::Wire,
};

use crate::{
    body,
    crank::{Crank, Kernel},
    delivery::Verdict,
    event::Creation,
    host::Host,
    keys::{self, join, path},
    objects::Object,
    queue::Queue,
    store::{Fault, Kept},
};

const FIRST_IDS: [(&str, u64); 3] = [(".o.nextID", 50), (".p.nextID", 60), (".d.nextID", 70)];

impl<H: Host> Kernel<'_, H> {
    /// The records with which a vat begins.
    pub fn write_vat(&mut self, vat_id: &str, source: &VatSource, options: &VatOptions) -> Kept<()> {
        self.store.set(path([vat_id, ".source"]), source.to_bytes());
        self.set_options(vat_id, options);
        self.set_stored_max(vat_id, source, options)?;
        for (counter, first) in FIRST_IDS {
            self.store.set_number(path([vat_id, counter]), first);
        }
        self.begin_references(vat_id);
        if cfg!(feature = "schema-2") {
            self.store.set_number(path([vat_id, ".deliveries"]), 0);
        }
        Ok(())
    }

    /// What an instance is made from now: this code under the present supervisor and lockdown policy.
    pub fn present_source(&mut self, bundle_id: &str) -> Kept<VatSource> {
        let mut named = |key: &str| -> Kept<String> {
            let id = self.store.get_text(key)?.map(String::from);
            id.ok_or(Fault("the state names no supervisor or lockdown"))
        };
        Ok(VatSource {
            bundle_id: String::from(bundle_id),
            supervisor_bundle_id: named(keys::SUPERVISOR_BUNDLE_ID)?,
            lockdown_bundle_id: named(keys::LOCKDOWN_BUNDLE_ID)?,
        })
    }

    /// SwingSet: create-vat. What fails leaves nothing but the ID, which no other vat will have.
    pub fn create_vat(&mut self, creation: Creation, limit_default: u64) -> Kept<Crank> {
        let Creation {
            vat_id,
            name,
            bundle_id,
            options,
            parameters,
            result,
        } = creation;
        let mark = self.store.host.mark();
        let source = self.present_source(&bundle_id)?;
        self.write_vat(&vat_id, &source, &options)?;
        self.add_dynamic(&vat_id, &name)?;
        // The host makes the instance from what it sees.
        self.store.flush();
        let delivery = VatDelivery::StartVat {
            parameters: self.data_to_vat(&vat_id, parameters.clone())?,
        };
        let ran = self.run_delivery(&vat_id, &options, &delivery.to_bytes(), limit_default)?;
        let mut crank = Crank::of(CrankKind::Delivery {}, Some(vat_id.clone()));
        crank.computrons = ran.computrons;
        let failure = match ran.verdict {
            Verdict::Alive => None,
            Verdict::Exited(_) => Some(String::from("exit")),
            Verdict::Undone(reason, _) => Some(reason),
        };
        match failure {
            None => {
                self.store.host.release(mark);
                self.let_go_all(&parameters.slots)?;
                self.charge_meter(&options, ran.computrons)?;
                self.count_delivery(&vat_id)?;
                self.count_dirt(&vat_id, &options, Some(0), ran.computrons)?;
                self.tell_of_creation(&vat_id, result.as_deref())?;
                crank.vats_created = 1;
            }
            Some(reason) => {
                self.undo_to(mark)?;
                self.store.host.abandon_vat(&vat_id);
                self.let_go_all(&parameters.slots)?;
                self.charge_meter(&options, ran.computrons)?;
                self.stop_metering(&options)?;
                self.reject(result.as_deref(), &join(["the vat could not be created: ", &reason]))?;
                crank.aborted = true;
                crank.terminated = Some(reason);
            }
        }
        Ok(crank)
    }

    /// `{adminNode, root}` for whoever asked for the vat.
    fn tell_of_creation(&mut self, vat_id: &str, result: Option<&str>) -> Kept<()> {
        let root = self.root_of(vat_id)?;
        // Nobody may be told of it: then it is dropped and retired at once.
        self.maybe_free.insert(root.clone());
        let Some(kpid) = result else {
            return Ok(());
        };
        let admin = Object::Admin(String::from(vat_id));
        let node = self.new_kernel_object(&admin)?;
        self.store.set_text(path([vat_id, ".admin"]), &node);
        let body = String::from("#{\"adminNode\":\"$0.Alleged: adminNode\",\"root\":\"$1.Alleged: root\"}");
        let slots = alloc::vec::Vec::from([node, root]);
        self.settle(kpid, false, &CapData { body, slots }, None)?;
        self.let_go(kpid)
    }

    /// Goes back to a mark that was taken before anything was written, and takes the item from the run queue again.
    pub fn undo_to(&mut self, mark: u32) -> Kept<()> {
        self.store.host.rollback(mark);
        self.abort();
        self.queue_pop(Queue::Run).map(|_| ())
    }

    /// Gives references back.
    pub fn let_go_all(&mut self, krefs: &[String]) -> Kept<()> {
        for kref in krefs {
            self.let_go(kref)?;
        }
        Ok(())
    }

    /// Rejects a promise that the kernel held, if there is one.
    pub fn reject(&mut self, result: Option<&str>, words: &str) -> Kept<()> {
        let Some(kpid) = result else {
            return Ok(());
        };
        self.settle(kpid, true, &body::error(words), None)?;
        self.let_go(kpid)
    }

    fn add_dynamic(&mut self, vat_id: &str, name: &str) -> Kept<()> {
        let count = self.store.get_number(keys::VAT_DYNAMIC_IDS)?;
        let count = count.ok_or(Fault("the count of dynamic vats is missing"))?;
        self.store.set_number(keys::VAT_DYNAMIC_IDS, count + 1);
        self.store.set_text(keys::dynamic_vat(vat_id), name);
        Ok(())
    }

    /// A vat that ended is no dynamic one any more.
    pub fn forget_dynamic(&mut self, vat_id: &str) -> Kept<()> {
        let key = keys::dynamic_vat(vat_id);
        if !self.store.has(&key) {
            return Ok(());
        }
        self.store.delete(&key);
        let count = self.store.get_number(keys::VAT_DYNAMIC_IDS)?;
        let count = count.and_then(|count| count.checked_sub(1));
        self.store.set_number(
            keys::VAT_DYNAMIC_IDS,
            count.ok_or(Fault("the count of dynamic vats is too low"))?,
        );
        Ok(())
    }
}
