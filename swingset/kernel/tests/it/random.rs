//! Random programs: vats that send, settle, subscribe and drop what they know. The kernel is made anew for every crank.
//!
//! Each program runs twice: on the kernel, and on a model that knows nothing of krefs, c-lists or counts ([`model`]). A vat decides by
//! its own random numbers and by the places of references among those that it knows, so that both runs take the same course as long as
//! they deliver the same; deliveries are compared by these places. On the kernel every count is audited after every crank.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use swingset_abi::{
    kernel::{Command, ResolutionPolicy},
    vat::{CapData, Resolution, VatDelivery, VatSyscall},
};

use crate::{
    audit,
    model::{self, Deed, Told},
    world::{Act, World},
};

/// xorshift64*.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end.max(1)
    }
}

/// What a vat knows and how it decides. `R` is a reference: a vref, or an identity of the model.
pub struct Mind<R> {
    random: Random,
    deeds_left: usize,
    objects: Vec<R>,
    /// Promises, and whether this vat decides them.
    promises: Vec<(R, bool)>,
    pub log: Vec<String>,
}

impl<R: Clone + PartialEq> Mind<R> {
    pub fn new(seed: u64, root: R) -> Self {
        Mind {
            random: Random::new(seed),
            deeds_left: 40,
            objects: vec![root],
            promises: Vec::new(),
            log: Vec::new(),
        }
    }

    /// The place of a reference, which is learned when it is new.
    fn place(&mut self, reference: &R, is_promise: bool) -> String {
        if is_promise {
            let known = self.promises.iter().position(|(other, _)| other == reference);
            let at = known.unwrap_or_else(|| {
                self.promises.push((reference.clone(), false));
                self.promises.len() - 1
            });
            format!("p{at}")
        } else {
            let known = self.objects.iter().position(|other| other == reference);
            let at = known.unwrap_or_else(|| {
                self.objects.push(reference.clone());
                self.objects.len() - 1
            });
            format!("o{at}")
        }
    }

    /// Takes note of a delivery and decides what to do; `fresh` makes a new object or promise of this vat.
    pub fn told(&mut self, told: &Told<R>, fresh: &mut dyn FnMut(bool) -> R) -> Vec<Deed<R>> {
        match told {
            Told::Message { target, slots, result } => {
                let target = self.place(target, false);
                let slots: Vec<String> = slots.iter().map(|(slot, promise)| self.place(slot, *promise)).collect();
                let result = result.as_ref().map(|result| {
                    let place = self.place(result, true);
                    let known = self.promises.iter_mut().find(|(other, _)| other == result);
                    known.expect("it was placed").1 = true;
                    place
                });
                self.log.push(format!("{target}({}) {result:?}", slots.join(",")));
            }
            Told::Settled(settled) => {
                let mut line = String::from("settled");
                for (promise, rejected, slots) in settled {
                    let place = self.place(promise, true);
                    let slots: Vec<String> = slots.iter().map(|(slot, is)| self.place(slot, *is)).collect();
                    line.push_str(&format!(" {place}{}{slots:?}", if *rejected { "!" } else { "=" }));
                }
                self.promises
                    .retain(|(other, _)| !settled.iter().any(|(promise, ..)| promise == other));
                self.log.push(line);
            }
        }
        let count = (1 + self.random.below(4)).min(self.deeds_left);
        self.deeds_left -= count;
        (0..count).filter_map(|_| self.decide(fresh)).collect()
    }

    fn any(&mut self) -> (R, bool) {
        let at = self.random.below(self.objects.len() + self.promises.len());
        match self.objects.get(at) {
            Some(object) => (object.clone(), false),
            None => (self.promises[at - self.objects.len()].0.clone(), true),
        }
    }

    fn slots(&mut self, fresh: &mut dyn FnMut(bool) -> R) -> Vec<(R, bool)> {
        let count = self.random.below(4);
        let mut slots = Vec::new();
        for _ in 0..count {
            match self.random.below(6) {
                0 => {
                    let object = fresh(false);
                    self.objects.push(object.clone());
                    slots.push((object, false));
                }
                1 => {
                    let promise = fresh(true);
                    self.promises.push((promise.clone(), true));
                    slots.push((promise, true));
                }
                _ => slots.push(self.any()),
            }
        }
        slots
    }

    fn decide(&mut self, fresh: &mut dyn FnMut(bool) -> R) -> Option<Deed<R>> {
        match self.random.below(5) {
            0..2 => {
                let target = self.any();
                let slots = self.slots(fresh);
                let result = (self.random.below(3) > 0).then(|| {
                    let promise = fresh(true);
                    self.promises.push((promise.clone(), false));
                    promise
                });
                Some(Deed::Send { target, slots, result })
            }
            2 => {
                let undecided: Vec<R> = self
                    .promises
                    .iter()
                    .filter(|(_, decides)| !decides)
                    .map(|(promise, _)| promise.clone())
                    .collect();
                let at = self.random.below(undecided.len());
                undecided.get(at).cloned().map(Deed::Subscribe)
            }
            _ => {
                let decided: Vec<R> = self
                    .promises
                    .iter()
                    .filter(|(_, decides)| *decides)
                    .map(|(promise, _)| promise.clone())
                    .collect();
                let at = self.random.below(decided.len());
                let promise = decided.get(at)?.clone();
                let rejected = self.random.below(4) == 0;
                let lone = self.random.below(2) == 0;
                let slots = if lone {
                    let at = self.random.below(self.objects.len());
                    vec![(self.objects[at].clone(), false)]
                } else {
                    self.slots(fresh)
                };
                self.promises.retain(|(other, _)| *other != promise);
                Some(Deed::Settle {
                    promise,
                    rejected,
                    lone,
                    slots,
                })
            }
        }
    }
}

fn references(slots: &[String]) -> Vec<(String, bool)> {
    slots.iter().map(|slot| (slot.clone(), slot.starts_with('p'))).collect()
}

fn to_syscall(deed: Deed<String>) -> VatSyscall {
    let data = |lone: bool, slots: Vec<(String, bool)>| CapData {
        body: if lone { "#\"$0\"".to_owned() } else { "#[]".to_owned() },
        slots: slots.into_iter().map(|(slot, _)| slot).collect(),
    };
    match deed {
        Deed::Send { target, slots, result } => VatSyscall::Send {
            target: target.0,
            methargs: data(false, slots),
            result,
        },
        Deed::Subscribe(promise) => VatSyscall::Subscribe { promise },
        Deed::Settle {
            promise,
            rejected,
            lone,
            slots,
        } => {
            let resolutions = vec![Resolution {
                promise,
                rejected,
                data: data(lone, slots),
            }];
            VatSyscall::Resolve { resolutions }
        }
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Runs a program on the kernel, one instance for all cranks or a new one for each; gives what each vat was told, and the kvStore.
fn on_the_kernel(seed: u64, keeps_instance: bool) -> (Vec<Vec<String>>, World) {
    let mut world = World::started(&NAMES);
    world.keeps_instance = keeps_instance;
    let mut minds = Vec::new();
    for (number, _) in NAMES.iter().enumerate() {
        let mind = Rc::new(RefCell::new(Mind::new(seed * 31 + number as u64, "o+0".to_owned())));
        minds.push(mind.clone());
        let mut next = BTreeMap::from([(false, 1), (true, 1)]);
        world.script(&format!("v{}", number + 1), move |delivery| {
            let told = match delivery {
                VatDelivery::Message {
                    target,
                    methargs,
                    result,
                } => Told::Message {
                    target: target.clone(),
                    slots: references(&methargs.slots),
                    result: result.clone(),
                },
                VatDelivery::Notify { resolutions } => {
                    let settled = resolutions.iter();
                    Told::Settled(
                        settled
                            .map(|r| (r.promise.clone(), r.rejected, references(&r.data.slots)))
                            .collect(),
                    )
                }
                _ => return Act::of(Vec::new()),
            };
            let mut fresh = |promise: bool| {
                let number = next.entry(promise).or_insert(1);
                *number += 1;
                format!("{}+{number}", if promise { 'p' } else { 'o' })
            };
            let deeds = mind.borrow_mut().told(&told, &mut fresh);
            Act::of(deeds.into_iter().map(to_syscall).collect())
        });
    }
    let roots: Vec<String> = (0..NAMES.len()).map(|number| format!("ko{}", 20 + number)).collect();
    for name in NAMES {
        let args = CapData {
            body: "#[]".to_owned(),
            slots: roots.clone(),
        };
        let command = Command::QueueToVatRoot {
            vat_name: name.to_owned(),
            method: "begin".to_owned(),
            args,
            policy: ResolutionPolicy::None {},
        };
        world.call(&command);
    }
    for _ in 0..5_000 {
        let report = world.step();
        assert_eq!((report.terminated, report.panic), (None, None), "seed {seed}");
        audit::check(&world);
        if report.kind == (swingset_abi::kernel::CrankKind::Idle {}) {
            break;
        }
    }
    (minds.iter().map(|mind| mind.borrow().log.clone()).collect(), world)
}

#[test]
fn what_an_instance_remembers_between_cranks_changes_nothing() {
    for seed in 1..=100 {
        let (kept, kept_world) = on_the_kernel(seed, true);
        let (anew, anew_world) = on_the_kernel(seed, false);
        assert_eq!(kept, anew, "seed {seed}");
        assert_eq!(kept_world.kv, anew_world.kv, "seed {seed}");
    }
}

#[test]
fn random_programs_go_as_in_the_model_and_every_count_is_right_after_every_crank() {
    let mut deliveries = 0;
    for seed in 1..=100 {
        let (told, _) = on_the_kernel(seed, false);
        deliveries += told.iter().map(Vec::len).sum::<usize>();
        assert_eq!(told, model::run(seed, NAMES.len()), "seed {seed}");
    }
    assert!(
        deliveries > 1_000,
        "{deliveries} deliveries are too few to say anything"
    );
}
