//! The model's garbage collection: who may let go of what is found by looking at everything that refers, each time anew.

use std::collections::BTreeSet;

use crate::{
    mind::Told,
    model::{Event, Life, Message, Model},
};

/// What something refers to: promises and objects.
#[derive(Default)]
struct Referred {
    promises: BTreeSet<usize>,
    objects: BTreeSet<usize>,
}

impl Referred {
    fn add(&mut self, references: &[(usize, bool)]) {
        for (reference, is_promise) in references {
            let set = if *is_promise { &mut self.promises } else { &mut self.objects };
            set.insert(*reference);
        }
    }

    fn message(&mut self, message: &Message) {
        self.add(&[message.target]);
        self.add(&message.slots);
        self.promises.extend(message.result);
    }
}

impl Model {
    /// What vats' promises, queues, and the promises that are not gone refer to.
    fn referred(&self) -> Referred {
        let mut referred = Referred::default();
        for vat in &self.vats {
            referred.promises.extend(&vat.promises);
        }
        for event in self.accepted.iter().chain(&self.runnable) {
            match event {
                Event::Send(message) => referred.message(message),
                Event::Notify { promise, .. } => {
                    referred.promises.insert(*promise);
                }
            }
        }
        for promise in self.promises.iter().filter(|promise| !promise.gone) {
            promise.waiting.iter().for_each(|message| referred.message(message));
            if let Some(settled) = &promise.settled {
                referred.add(&settled.slots);
            }
        }
        referred
    }

    /// Lets promises go that nothing refers to, until all that are left are referred to, be it by each other; gives the objects that are
    /// held by what is left.
    fn sweep(&mut self) -> BTreeSet<usize> {
        loop {
            let referred = self.referred();
            let mut lost = false;
            for (number, promise) in self.promises.iter_mut().enumerate() {
                if !promise.gone && !referred.promises.contains(&number) {
                    promise.gone = true;
                    lost = true;
                }
            }
            if !lost {
                return referred.objects;
            }
        }
    }

    /// What the first vat that is to be told something is told: drops before retirements, exports before imports.
    pub fn collect(&mut self) -> Option<(usize, Told<usize>)> {
        let mut reached = self.sweep();
        // A root, which has its vat's number, is held as long as anything of the vat is left.
        reached.extend((0..self.vats.len()).filter(|vat| self.vats[*vat].life != Life::Gone));
        let mut recognized = reached.clone();
        for vat in &self.vats {
            recognized.extend(vat.imports.keys());
            reached.extend(vat.imports.iter().filter(|(_, reaches)| **reaches).map(|(object, _)| object));
        }
        for vat in 0..self.vats.len() {
            if self.vats[vat].life != Life::Alive {
                continue;
            }
            let drops = self.exports(vat, true, &reached);
            if !drops.is_empty() {
                drops.iter().for_each(|object| self.objects[*object].exported = Some(false));
                return Some((vat, Told::DropExports(drops)));
            }
            let retired = self.exports(vat, false, &recognized);
            if !retired.is_empty() {
                retired.iter().for_each(|object| self.objects[*object].exported = None);
                return Some((vat, Told::RetireExports(retired)));
            }
            let orphaned = |object: &usize| self.vats[self.objects[*object].owner].life == Life::Gone;
            let imports = self.vats[vat].imports.keys().copied();
            let lost: Vec<usize> = imports.filter(|object| orphaned(object) && !reached.contains(object)).collect();
            if !lost.is_empty() {
                self.vats[vat].imports.retain(|object, _| !lost.contains(object));
                return Some((vat, Told::RetireImports(lost)));
            }
        }
        None
    }

    /// A vat's exports with this flag that are not among these.
    fn exports(&self, vat: usize, flag: bool, held: &BTreeSet<usize>) -> Vec<usize> {
        let all = self.objects.iter().enumerate();
        all.filter(|(number, object)| object.owner == vat && object.exported == Some(flag) && !held.contains(number))
            .map(|(number, _)| number)
            .collect()
    }
}
