//! What goes before what: kinds of work between cranks, and reasons to end a vat within one.

use swingset_abi::{
    kernel::{Command, CrankKind, CrankReport, PromiseState, ResolutionPolicy},
    vat::{CapData, DeliveryVerdict, VatDelivery, VatSyscall},
};

use crate::{
    admin::{self, create},
    audit,
    world::{Act, World, data, let_go, send, subscribe},
};

/// A crank in words: what kind it was of, its vat, and the delivery if there was one.
fn line(world: &World, report: &CrankReport) -> String {
    let vat = report.vat_id.clone().unwrap_or_default();
    let kind = match report.kind {
        CrankKind::Routing {} => return "route".to_owned(),
        CrankKind::Cleanup {} => "cleanup",
        CrankKind::Empty {} => "empty",
        CrankKind::Idle {} => return "idle".to_owned(),
        CrankKind::Delivery {} => match world.delivered().pop().expect("it was delivered").1 {
            VatDelivery::Message { methargs, .. } => return format!("{vat} {}", methargs.body),
            VatDelivery::DropExports { .. } => "dropExports",
            VatDelivery::RetireExports { .. } => "retireExports",
            VatDelivery::RetireImports { .. } => "retireImports",
            VatDelivery::BringOutYourDead {} => "bringOutYourDead",
            other => panic!("{other:?} has no part in this"),
        },
    };
    format!("{vat} {kind}")
}

/// Cranks until idle, in words; the same that come one upon another are told once.
fn lines(world: &mut World, cleanup_max: u64) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let report = world.step_with(cleanup_max);
        lines.push(line(world, &report));
        audit::check(world);
        if report.kind == (CrankKind::Idle {}) {
            lines.dedup();
            return lines;
        }
    }
}

/// Work of all kinds: `b` has dropped and retired an object of bootstrap's, `c` has ended, all are to be reaped, `b` has a message in the
/// run queue and one that is not routed yet.
fn busy() -> World {
    let mut world = World::started(&["bootstrap", "b", "c"]);
    world.go(vec![send("o-50", "#[\"take\",[\"$0\"]]", &["o+9"], None)]);
    world.acts("v2", vec![let_go(vec!["o-50".to_owned()])]);
    world.queue("b", "drop", ResolutionPolicy::None {});
    world.queue("b", "first", ResolutionPolicy::None {});
    for kind in [CrankKind::Routing {}, CrankKind::Routing {}, CrankKind::Delivery {}] {
        assert_eq!(world.step().kind, kind);
    }
    world.call(&Command::TerminateVat {
        vat_id: "v3".to_owned(),
        reason: CapData::default(),
    });
    world.call(&Command::ReapAllVats {});
    world.queue("b", "second", ResolutionPolicy::None {});
    let stats = world.stats();
    for kind in ["acceptanceQueue", "vats.terminated", "gcActions", "reapQueue", "runQueue"] {
        assert!(stats[kind] > 0, "{kind}");
    }
    world
}

#[test]
fn acceptance_goes_before_cleanup_before_collection_before_reaping_before_the_run_queue() {
    assert_eq!(
        lines(&mut busy(), 2),
        [
            "route",
            "v3 cleanup",
            "v1 dropExports",
            "v1 retireExports",
            "v1 bringOutYourDead",
            "v2 bringOutYourDead",
            "v2 #[\"first\",[]]",
            "v2 #[\"second\",[]]",
            "idle"
        ]
    );
}

#[test]
fn cleanup_that_is_not_allowed_holds_nothing_back_and_goes_before_the_rest_when_it_is() {
    let mut world = busy();
    let all = lines(&mut world, 0);
    assert_eq!(all[..3], ["route", "v3 cleanup", "v1 dropExports"], "its promises are given up under any policy");
    assert_eq!(all[all.len() - 2..], ["v2 #[\"second\",[]]", "idle"]);
    assert!(!world.keys("v3.c.").is_empty(), "the rest of it waits");
    world.call(&Command::ReapAllVats {});
    let all = lines(&mut world, 2);
    assert_eq!(all, ["v3 cleanup", "v1 bringOutYourDead", "v2 bringOutYourDead", "idle"]);
    assert_eq!(world.keys("v3."), Vec::<String>::new());
}

#[test]
fn what_is_sent_in_a_crank_is_routed_before_anything_else_is_run() {
    let mut world = World::started(&["bootstrap", "b"]);
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.queue("b", "before", ResolutionPolicy::None {});
    world.acts("v1", vec![vec![send("o-50", "#[\"sent\",[]]", &[], None)]]);
    let expected = ["route", "v1 #[\"go\",[]]", "route", "v2 #[\"before\",[]]", "v2 #[\"sent\",[]]", "idle"];
    assert_eq!(lines(&mut world, 2), expected);
}

fn exit(failure: bool, info: &str) -> VatSyscall {
    VatSyscall::Exit {
        failure,
        info: data(info, &[]),
    }
}

/// `v3` has as many computrons left as are given, and spends 7 in a delivery that sends a message to `b`, makes these syscalls and ends
/// so. Expected: what its end is called, whether the crank was undone, and what is told of it; nothing for a vat that lives on.
#[track_caller]
fn check(left: u64, syscalls: Vec<VatSyscall>, verdict: DeliveryVerdict, word: Option<(&str, bool, &str)>) {
    let mut world = admin::world();
    world.call_of("o-52", &format!("#[\"createMeter\",[{},0]]", 7 + left), &[], "p+2");
    create(&mut world, "{\"meter\":\"$1\",\"vatParameters\":\"$2\"}", &["o-53", "o-50"], "p+3");
    world.go(vec![send("o-54", "#[\"done\",[]]", &[], Some("p+4")), subscribe("p+4")]);
    let syscalls = [vec![send("o-50", "#[\"left\",[]]", &[], None)], syscalls].concat();
    let mut acts = vec![Act {
        syscalls,
        verdict,
        computrons: 7,
    }];
    world.script("v3", move |_| acts.pop().unwrap_or_else(|| Act::of(Vec::new())));
    let told = world.notifies().len();
    world.queue("bootstrap", "go", ResolutionPolicy::None {});
    world.acts("v1", vec![vec![send("o-55", "#[\"work\",[]]", &[], None)]]);
    let reports = world.run();
    let crank = reports.iter().find(|report| report.vat_id.as_deref() == Some("v3")).expect("v3 ran");
    let ended = crank.terminated.as_deref().map(|word| (word, crank.aborted));
    assert_eq!(ended, word.map(|(word, aborted, _)| (word, aborted)));
    assert_eq!(crank.computrons, 7);
    assert_eq!(world.text("m1.remaining"), Some(left.saturating_sub(7).to_string()), "it is charged in any case");
    assert_eq!(world.text("v3.options").is_none(), word.is_some());
    let notified: Vec<String> = word.iter().map(|(_, _, told)| format!("v1 p+4{told}[]")).collect();
    assert_eq!(world.notifies()[told..], notified);
    let sent = world.messages().iter().any(|line| line.starts_with("v2 o+0 #[\"left\""));
    assert_eq!(sent, word.is_none_or(|(_, undone, _)| !undone), "what it sent is kept or undone with the crank");
}

#[test]
fn of_several_reasons_to_end_a_vat_the_first_in_order_counts() {
    let illegal = || subscribe("p-99");
    let ok = || DeliveryVerdict::Ok {};
    let error = || DeliveryVerdict::Error {
        problem: "trap".to_owned(),
    };
    let undone = |word| Some((word, true));
    let row = |left, syscalls, verdict, word: Option<(&'static str, bool)>| {
        let told = |word: &str| format!("!#{{\"#error\":\"{word}\",\"name\":\"Error\"}}");
        let told = word.map(|(word, _)| told(word));
        check(left, syscalls, verdict, word.zip(told.as_deref()).map(|((word, undone), told)| (word, undone, told)));
    };
    let illegally = undone("illegal syscall: vref was not allocated by the kernel");
    row(100, vec![illegal()], error(), illegally);
    row(100, vec![illegal()], DeliveryVerdict::MeterExhausted {}, illegally);
    row(3, vec![illegal()], ok(), illegally);
    row(100, vec![illegal(), exit(true, "#1")], ok(), illegally);
    row(100, vec![exit(false, "#1"), illegal()], ok(), illegally);
    row(3, vec![], error(), undone("delivery error: trap"));
    row(100, vec![exit(true, "#1")], error(), undone("delivery error: trap"));
    row(100, vec![exit(false, "#1")], error(), undone("delivery error: trap"));
    row(3, vec![exit(true, "#1")], DeliveryVerdict::MeterExhausted {}, undone("meter exhausted"));
    row(3, vec![exit(true, "#1")], ok(), undone("meter underflow"));
    row(3, vec![exit(false, "#1")], ok(), undone("meter underflow"));
}

#[test]
fn an_exit_with_failure_counts_before_one_without_and_its_own_words_are_told() {
    let ok = || DeliveryVerdict::Ok {};
    let failed = |told| Some(("exit with failure", true, told));
    check(100, vec![exit(true, "#1")], ok(), failed("!#1"));
    check(100, vec![exit(false, "#1"), exit(true, "#2")], ok(), failed("!#2"));
    check(100, vec![exit(true, "#1"), exit(false, "#2")], ok(), failed("!#1"));
    check(100, vec![exit(false, "#1")], ok(), Some(("exit", false, "=#1")));
    check(7, vec![], ok(), None);
}

#[test]
fn the_message_of_an_undone_delivery_meets_the_dead_vat_and_is_not_delivered_again() {
    let mut world = World::started(&["bootstrap", "b"]);
    let kpid = world.ask("bootstrap", "go");
    world.script("v1", |_| Act {
        syscalls: vec![exit(true, "#1")],
        verdict: DeliveryVerdict::Ok {},
        computrons: 7,
    });
    world.run();
    assert_eq!(world.messages().len(), 1);
    let reason = data("#{\"#error\":\"vat terminated\",\"name\":\"Error\"}", &[]);
    assert_eq!(world.promise(&kpid), PromiseState::Rejected { data: reason });
}
