//! How a vat of a random program decides: by its own random numbers, and by the places of references among those that it knows.

/// References, and whether each is a promise.
pub type Slots<R> = Vec<(R, bool)>;

/// What a vat is told; slots say whether they are promises.
pub enum Told<R> {
    Message {
        target: R,
        slots: Slots<R>,
        result: Option<R>,
    },
    Settled(Vec<(R, bool, Slots<R>)>),
    DropExports(Vec<R>),
    RetireExports(Vec<R>),
    RetireImports(Vec<R>),
}

/// What a vat does; a target says whether it is a promise.
pub enum Deed<R> {
    Send {
        target: (R, bool),
        slots: Slots<R>,
        result: Option<R>,
    },
    Subscribe(R),
    /// `lone`: the value is its one slot and nothing else.
    Settle {
        promise: R,
        rejected: bool,
        lone: bool,
        slots: Slots<R>,
    },
    /// An import is no longer reached, and with `retire` no longer recognized.
    Drop {
        object: R,
        retire: bool,
    },
    /// An import that was dropped is no longer recognized.
    Retire(R),
    Exit {
        failure: bool,
    },
    /// A syscall with a reference that was never given.
    Illegal,
}

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
    /// Objects, and whether they are this vat's own.
    objects: Vec<(R, bool)>,
    /// Imports that it dropped and did not retire.
    dropped: Vec<R>,
    /// Promises, and whether this vat decides them.
    promises: Vec<(R, bool)>,
    pub log: Vec<String>,
}

impl<R: Clone + PartialEq> Mind<R> {
    /// The mind of one of a program's vats.
    pub fn of(seed: u64, number: usize, root: R) -> Self {
        Mind {
            random: Random::new(seed * 31 + number as u64),
            deeds_left: 40,
            objects: vec![(root, true)],
            dropped: Vec::new(),
            promises: Vec::new(),
            log: Vec::new(),
        }
    }

    /// The place of a reference, which is learned when it is new.
    fn place(&mut self, reference: &R, is_promise: bool) -> String {
        let (known, kind) = if is_promise {
            (&mut self.promises, 'p')
        } else {
            self.dropped.retain(|other| other != reference);
            (&mut self.objects, 'o')
        };
        let at = known.iter().position(|(other, _)| other == reference).unwrap_or_else(|| {
            known.push((reference.clone(), false));
            known.len() - 1
        });
        format!("{kind}{at}")
    }

    fn places(&mut self, references: &[(R, bool)]) -> String {
        let places: Vec<String> = references.iter().map(|(reference, is)| self.place(reference, *is)).collect();
        places.join(",")
    }

    /// The places of own objects in growing order: the order in which several are told of is nobody's business.
    fn own(&self, objects: &[R]) -> Vec<usize> {
        let place = |object: &R| self.objects.iter().position(|(other, own)| *own && other == object);
        let mut places: Vec<usize> = objects.iter().map(|object| place(object).expect("it is its own")).collect();
        places.sort_unstable();
        places
    }

    fn note(&mut self, told: &Told<R>) -> String {
        match told {
            Told::Message { target, slots, result } => {
                let (target, slots) = (self.place(target, false), self.places(slots));
                let result = result.as_ref().map(|result| {
                    let place = self.place(result, true);
                    let known = self.promises.iter_mut().find(|(other, _)| other == result);
                    known.expect("it was placed").1 = true;
                    place
                });
                format!("{target}({slots}) {result:?}")
            }
            Told::Settled(settled) => {
                let mut line = String::from("settled");
                for (promise, rejected, slots) in settled {
                    let (place, slots) = (self.place(promise, true), self.places(slots));
                    line.push_str(&format!(" {place}{}[{slots}]", if *rejected { "!" } else { "=" }));
                }
                self.promises
                    .retain(|(other, _)| !settled.iter().any(|(promise, ..)| promise == other));
                line
            }
            Told::DropExports(objects) => format!("dropExports {:?}", self.own(objects)),
            Told::RetireExports(objects) => format!("retireExports {:?}", self.own(objects)),
            Told::RetireImports(objects) => {
                let place = |object: &R| self.dropped.iter().position(|other| other == object);
                let mut places: Vec<usize> = objects.iter().map(|object| place(object).expect("it was dropped")).collect();
                places.sort_unstable();
                self.dropped.retain(|other| !objects.contains(other));
                format!("retireImports {places:?}")
            }
        }
    }

    /// Takes note of a delivery and decides what to do; `fresh` makes a new object or promise of this vat.
    pub fn told(&mut self, told: &Told<R>, fresh: &mut dyn FnMut(bool) -> R) -> Vec<Deed<R>> {
        let line = self.note(told);
        self.log.push(line);
        let count = (1 + self.random.below(4)).min(self.deeds_left);
        self.deeds_left -= count;
        (0..count).filter_map(|_| self.decide(fresh)).collect()
    }

    fn any(&mut self) -> (R, bool) {
        let at = self.random.below(self.objects.len() + self.promises.len());
        match self.objects.get(at) {
            Some((object, _)) => (object.clone(), false),
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
                    self.objects.push((object.clone(), true));
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

    /// One of the promises that this vat decides, or of the others.
    fn promise(&mut self, decides: bool) -> Option<R> {
        let all = self.promises.iter().filter(|(_, its)| *its == decides);
        let all: Vec<R> = all.map(|(promise, _)| promise.clone()).collect();
        all.get(self.random.below(all.len())).cloned()
    }

    fn decide(&mut self, fresh: &mut dyn FnMut(bool) -> R) -> Option<Deed<R>> {
        match self.random.below(240) {
            0..90 => {
                let target = self.any();
                let slots = self.slots(fresh);
                let result = (self.random.below(3) > 0).then(|| {
                    let promise = fresh(true);
                    self.promises.push((promise.clone(), false));
                    promise
                });
                Some(Deed::Send { target, slots, result })
            }
            90..130 => self.promise(false).map(Deed::Subscribe),
            130..205 => self.settle(fresh),
            205..226 => self.let_go(),
            226..236 => {
                let at = self.random.below(self.dropped.len());
                (at < self.dropped.len()).then(|| Deed::Retire(self.dropped.remove(at)))
            }
            236 => Some(Deed::Exit { failure: true }),
            237 => Some(Deed::Illegal),
            _ => Some(Deed::Exit { failure: false }),
        }
    }

    fn settle(&mut self, fresh: &mut dyn FnMut(bool) -> R) -> Option<Deed<R>> {
        let promise = self.promise(true)?;
        let rejected = self.random.below(4) == 0;
        let lone = self.random.below(2) == 0;
        let slots = if lone {
            let at = self.random.below(self.objects.len());
            vec![(self.objects[at].0.clone(), false)]
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

    fn let_go(&mut self) -> Option<Deed<R>> {
        let imports: Vec<usize> = (0..self.objects.len()).filter(|at| !self.objects[*at].1).collect();
        let at = *imports.get(self.random.below(imports.len()))?;
        let (object, _) = self.objects.remove(at);
        let retire = self.random.below(2) == 0;
        if !retire {
            self.dropped.push(object.clone());
        }
        Some(Deed::Drop { object, retire })
    }
}
