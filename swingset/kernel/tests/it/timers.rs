//! Random programs of the timer against a model: a list of what is set, looked through at every poll.

use swingset_abi::{
    kernel::{Command, Reply, ResolutionPolicy},
    vat::{SyscallReply, VatSyscall},
};

use crate::{
    audit,
    mind::Random,
    world::{World, data, send},
};

#[derive(Clone, Debug)]
struct Set {
    number: u64,
    vat: usize,
    when: u64,
    interval: u64,
    handler: usize,
}

#[derive(Default)]
struct Model {
    set: Vec<Set>,
    last: u64,
}

impl Model {
    fn set(&mut self, vat: usize, now: u64, (when, interval, handler): (u64, u64, usize)) -> String {
        self.last += 1;
        self.set.push(Set {
            number: self.last,
            vat,
            when: when.max(now + 1),
            interval,
            handler,
        });
        format!("#\"+{}\"", self.last)
    }

    fn cancel(&mut self, vat: usize, number: u64) -> String {
        let before = self.set.len();
        self.set.retain(|set| (set.vat, set.number) != (vat, number));
        format!("#{}", before > self.set.len())
    }

    /// Who is told at a time, in order.
    fn poll(&mut self, now: u64) -> Vec<String> {
        let mut due: Vec<Set> = self.set.iter().filter(|set| set.when <= now).cloned().collect();
        due.sort_by_key(|set| (set.when, set.number));
        self.set.retain(|set| set.when > now);
        for set in &due {
            let mut next = set.clone();
            while next.interval > 0 && next.when <= now {
                next.when += next.interval;
            }
            if next.interval > 0 {
                self.set.push(next);
            }
        }
        due.iter()
            .map(|set| format!("v{} o+{} #[\"wake\",[\"+{now}\",\"+{}\"]] [] -", set.vat, set.handler, set.number))
            .collect()
    }
}

fn call(method: &str, args: &str, slots: &[&str]) -> VatSyscall {
    VatSyscall::CallNow {
        target: "d-71".to_owned(),
        method: method.to_owned(),
        args: data(&format!("#{args}"), slots),
    }
}

/// One call by a vat, and its answer's body.
fn ask(world: &mut World, vat: usize, syscall: VatSyscall) -> String {
    world.queue(["bootstrap", "b"][vat - 1], "go", ResolutionPolicy::None {});
    world.acts(&format!("v{vat}"), vec![vec![syscall]]);
    world.run();
    match world.vats.borrow().replies.last() {
        Some(SyscallReply::Data { data }) => data.body.clone(),
        other => panic!("a call was answered with {other:?}"),
    }
}

fn program(seed: u64) {
    let mut random = Random::new(seed);
    let mut world = World::started(&["bootstrap", "b"]);
    let slots = ["d-70", "d-71"];
    world.go(vec![send("o-50", "#[\"devices\",[[\"$0\",\"$1\"]]]", &slots, None)]);
    let mut model = Model::default();
    for _ in 0..60 {
        let (vat, handler) = (1 + random.below(2), 1 + random.below(3));
        let when = (world.now + random.below(30) as u64).saturating_sub(5);
        let slots = [&*format!("o+{handler}")];
        match random.below(4) {
            0 => {
                let told = ask(&mut world, vat, call("setWakeup", &format!("[\"+{when}\",\"$0\"]"), &slots));
                assert_eq!(told, model.set(vat, world.now, (when, 0, handler)));
            }
            1 => {
                let interval = 1 + random.below(9) as u64;
                let args = format!("[\"+{when}\",\"+{interval}\",\"$0\"]");
                let told = ask(&mut world, vat, call("setRepeater", &args, &slots));
                assert_eq!(told, model.set(vat, world.now, (when, interval, handler)));
            }
            2 => {
                let number = random.below(model.last as usize + 2) as u64;
                let told = ask(&mut world, vat, call("cancel", &format!("[\"+{number}\"]"), &[]));
                assert_eq!(told, model.cancel(vat, number));
            }
            _ => {
                world.now += random.below(20) as u64;
                let (now, before) = (world.now, world.messages().len());
                while world.text("timer.next").is_some_and(|next| next.parse::<u64>().unwrap() <= now) {
                    assert_eq!(world.call(&Command::PollTimer { now }), Reply::Done {});
                }
                world.run();
                assert_eq!(world.messages()[before..], model.poll(now));
            }
        }
        let next = model.set.iter().map(|set| set.when).min();
        assert_eq!(world.text("timer.next"), next.map(|next| next.to_string()));
        audit::check(&world);
    }
}

#[test]
fn random_programs_of_the_timer_go_as_in_the_model() {
    for seed in 1..=50 {
        program(seed);
    }
}
