//! Figures for status pages and tests.

use alloc::{string::String, vec::Vec};

use crate::{
    crank::Kernel,
    host::Host,
    keys,
    queue::Queue,
    references::KINDS,
    store::{Fault, Kept},
};

impl<H: Host> Kernel<'_, H> {
    /// Names and counts, in a fixed order; with schema 2 also deliveries by vat, with schema 3 references by vat and kind.
    pub fn stats(&mut self) -> Kept<Vec<(String, u64)>> {
        let mut figures = Vec::new();
        for counter in [keys::VERSION, keys::CRANK_NUMBER] {
            let value = self.store.get_number(counter)?.ok_or(Fault("a counter is missing"))?;
            figures.push((String::from(counter), value));
        }
        for queue in Queue::ALL {
            figures.push((String::from(queue.key()), self.queue_length(queue)?));
        }
        for counter in [keys::GC_ACTIONS, keys::VAT_NEXT_ID, keys::KO_NEXT_ID, keys::KP_NEXT_ID] {
            let value = self.store.get_number(counter)?.ok_or(Fault("a counter is missing"))?;
            figures.push((String::from(counter), value));
        }
        let dynamic = self.store.get_number(keys::VAT_DYNAMIC_IDS)?;
        let dynamic = dynamic.ok_or(Fault("the count of dynamic vats is missing"))?;
        figures.push((String::from(keys::VAT_DYNAMIC_IDS), dynamic));
        let meters = self.store.get_number(keys::METER_NEXT_ID)?;
        figures.push((
            String::from(keys::METER_NEXT_ID),
            meters.ok_or(Fault("a counter is missing"))?,
        ));
        let terminated = self.terminated()?;
        figures.push((String::from(keys::VATS_TERMINATED), terminated.tail - terminated.head));
        if cfg!(feature = "schema-2") {
            self.deliveries(&mut figures)?;
        }
        Ok(figures)
    }

    fn deliveries(&mut self, figures: &mut Vec<(String, u64)>) -> Kept<()> {
        let end = self
            .store
            .get_number(keys::VAT_NEXT_ID)?
            .ok_or(Fault("an ID counter is missing"))?;
        for number in 1..end {
            let key = keys::join([&keys::numbered("v", number), ".deliveries"]);
            if let Some(count) = self.store.get_number(&key)? {
                figures.push((key, count));
            }
            if cfg!(feature = "schema-3") {
                let vat_id = keys::numbered("v", number);
                for (kind, count) in KINDS.iter().zip(self.references(&vat_id)?.unwrap_or_default()) {
                    figures.push((keys::join([&vat_id, ".", kind]), count));
                }
            }
        }
        Ok(())
    }
}
