//! Random stories of what vats store, counted again after every crank.

use swingset_abi::{
    kernel::ResolutionPolicy,
    vat::{VatDelivery, VatSyscall},
};

use crate::{
    audit,
    mind::Random,
    stored::{delete, store},
    tally::figure,
    world::{Act, World, let_go, send, settle, subscribe},
};

/// Writes, deletes, exports, imports, drops and sends at random; then everything is given up.
#[test]
fn random_stories_keep_every_figure_right_and_end_where_they_began() {
    for seed in 1..=40 {
        let mut world = World::started(&["bootstrap", "b", "c"]);
        world.keeps_instance = seed % 2 == 0;
        world.go(vec![
            send("o-50", "#[\"meet\",[]]", &["o+0", "o-51"], None),
            send("o-51", "#[\"meet\",[]]", &["o+0", "o-50"], None),
        ]);
        let before: Vec<_> = ["v1", "v2", "v3"].map(|vat| figure(&world, vat)).into();
        for (number, vat) in ["v1", "v2", "v3"].into_iter().enumerate() {
            script(&mut world, vat, seed * 7 + number as u64);
        }
        for round in 0..30 {
            let name = ["bootstrap", "b", "c"][round % 3];
            world.queue(name, "go", ResolutionPolicy::None {});
            settle_down(&mut world, seed);
        }
        give_up(&mut world, seed);
        let after: Vec<_> = ["v1", "v2", "v3"].map(|vat| figure(&world, vat)).into();
        assert_eq!(after, before, "seed {seed}");
    }
}

/// Runs until idle, and audits after every crank.
fn settle_down(world: &mut World, seed: u64) {
    for _ in 0..2_000 {
        let report = world.step();
        assert_eq!((report.terminated, report.panic), (None, None), "seed {seed}");
        audit::check(world);
        if report.kind == (swingset_abi::kernel::CrankKind::Idle {}) {
            return;
        }
    }
    panic!("seed {seed} does not come to rest");
}

/// A vat that takes up to three steps at each message, while it has any left.
fn script(world: &mut World, vat: &str, seed: u64) {
    let mut random = Random::new(seed);
    let mut left = 60;
    let mut fresh = 100;
    world.script(vat, move |delivery| {
        let mut syscalls = Vec::new();
        if let VatDelivery::Message {
            result: Some(result), ..
        } = delivery
        {
            let body = format!("#\"{}\"", "y".repeat(random.below(200)));
            syscalls.push(settle(result, random.below(3) == 0, &body, &[]));
        }
        if !matches!(delivery, VatDelivery::Message { .. }) {
            return Act::of(syscalls);
        }
        for _ in 0..random.below(4).min(left) {
            left -= 1;
            fresh += 1;
            let key = format!("k{}", random.below(5));
            let to = ["o-50", "o-51"][random.below(2)];
            let (object, promise) = (format!("o+{fresh}"), format!("p+{fresh}"));
            let body = format!("#[\"{}\",[]]", "z".repeat([5, 5000][random.below(2)]));
            match random.below(6) {
                0 | 1 => syscalls.push(store(&key, random.below(300))),
                2 => syscalls.push(delete(&key)),
                3 => syscalls.push(send(to, &body, &[&object], None)),
                4 => syscalls.extend([send(to, &body, &[], Some(&promise)), subscribe(&promise)]),
                _ => syscalls.extend([
                    send(to, &body, &[], Some(&promise)),
                    send(&promise, "#[\"next\",[]]", &[], None),
                    subscribe(&promise),
                ]),
            }
        }
        Act::of(syscalls)
    });
}

/// Each vat deletes what it wrote and lets go of all imports but those of the beginning.
fn give_up(world: &mut World, seed: u64) {
    for (vat, name) in [("v1", "bootstrap"), ("v2", "b"), ("v3", "c")] {
        let mut syscalls: Vec<VatSyscall> = (0..5).map(|n| delete(&format!("k{n}"))).collect();
        let imports = world.keys(&format!("{vat}.c.o-"));
        let vrefs = imports.iter().map(|key| key[vat.len() + 3..].to_owned());
        let kept = if vat == "v1" { 52 } else { 51 };
        let others: Vec<String> = vrefs.filter(|vref| vref[2..].parse::<u64>().unwrap() > kept).collect();
        syscalls.extend(let_go(others));
        world.acts(vat, vec![syscalls]);
        world.queue(name, "stop", ResolutionPolicy::None {});
        settle_down(world, seed);
    }
}
