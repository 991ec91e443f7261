//! An in-memory host and scripted vats for the kernel.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use swingset_abi::{
    kernel::{BridgeAnswer, Command, CrankKind, CrankReport, PromiseState, Reply, ResolutionPolicy, StaticVat, VatSource},
    vat::{CapData, DeliveryOutcome, DeliveryVerdict, SyscallReply, VatDelivery, VatStep, VatSyscall},
    wire::Wire,
};
use swingset_kernel::{
    host::{Change, Host},
    store::Buffers,
};

pub use crate::acts::{data, let_go, send, settle, subscribe, vat};

/// What one delivery does: syscalls in order, then how it ends.
#[derive(Clone, Debug)]
pub struct Act {
    pub syscalls: Vec<VatSyscall>,
    pub verdict: DeliveryVerdict,
    pub computrons: u64,
}

impl Act {
    pub fn of(syscalls: Vec<VatSyscall>) -> Act {
        Act {
            syscalls,
            verdict: DeliveryVerdict::Ok {},
            computrons: 7,
        }
    }
}

type Script = Box<dyn FnMut(&VatDelivery) -> Act>;

#[derive(Default)]
pub struct Vats {
    scripts: BTreeMap<String, Script>,
    running: Option<(String, std::vec::IntoIter<VatSyscall>, Act)>,
    pub abandoned: Vec<String>,
    /// Vats made anew, from what.
    pub replaced: Vec<(String, VatSource)>,
    pub restored: Vec<String>,
    /// Everything delivered, by vat, in order.
    pub delivered: Vec<(String, VatDelivery)>,
    /// Every answer to a syscall.
    pub replies: Vec<SyscallReply>,
    pub limits: Vec<u64>,
    pub log: Vec<String>,
    /// Calls of the host's bridge `echo`.
    pub bridged: Vec<String>,
}

/// The host of one world; the kernel is made anew for each command unless it keeps its instance.
#[derive(Default)]
pub struct World {
    pub kv: BTreeMap<Vec<u8>, Vec<u8>>,
    pub vats: Rc<RefCell<Vats>>,
    marks: Vec<BTreeMap<Vec<u8>, Vec<u8>>>,
    pub now: u64,
    /// One kernel serves all commands and is told what it may remember.
    pub keeps_instance: bool,
    buffers: Option<Buffers>,
    kept: bool,
}

impl Host for World {
    fn get(&mut self, key: &[u8], out: &mut Vec<u8>) -> bool {
        self.kv.get(key).map(|value| out.extend_from_slice(value)).is_some()
    }
    fn write(&mut self, bytes: &[u8], changes: &[Change]) {
        for change in changes {
            match change.of(bytes) {
                (key, Some(value)) => self.kv.insert(key.to_vec(), value.to_vec()),
                (key, None) => self.kv.remove(key),
            };
        }
    }
    fn next_key(&mut self, prior: &[u8], prefix: &[u8], out: &mut Vec<u8>) -> bool {
        let after = (std::ops::Bound::Excluded(prior.to_vec()), std::ops::Bound::Unbounded);
        let next = self
            .kv
            .range(after)
            .map(|(key, _)| key)
            .find(|key| key.as_slice() >= prefix);
        next.filter(|key| key.starts_with(prefix))
            .map(|key| out.extend_from_slice(key))
            .is_some()
    }
    fn deliver(&mut self, vat_id: &str, delivery: &[u8], limit: u64, out: &mut Vec<u8>) {
        let delivery = VatDelivery::from_bytes(delivery).expect("the kernel writes deliveries");
        let mut vats = self.vats.borrow_mut();
        assert!(vats.running.is_none(), "one vat at a time");
        vats.limits.push(limit);
        vats.delivered.push((vat_id.to_owned(), delivery.clone()));
        let act = vats
            .scripts
            .get_mut(vat_id)
            .map_or_else(|| Act::of(Vec::new()), |script| script(&delivery));
        vats.running = Some((vat_id.to_owned(), act.syscalls.clone().into_iter(), act));
        out.extend(vats.next_step());
    }
    fn resume(&mut self, reply: &[u8], out: &mut Vec<u8>) {
        let reply = SyscallReply::from_bytes(reply).expect("the kernel writes replies");
        let mut vats = self.vats.borrow_mut();
        vats.replies.push(reply);
        out.extend(vats.next_step());
    }
    fn abandon_vat(&mut self, vat_id: &str) {
        self.vats.borrow_mut().abandoned.push(vat_id.to_owned());
    }
    fn replace_vat(&mut self, vat_id: &str) {
        let key = format!("{vat_id}.source");
        let source = self.kv.get(key.as_bytes()).expect("a vat to make anew has a source");
        let source = VatSource::from_bytes(source).expect("the kernel writes sources");
        self.vats.borrow_mut().replaced.push((vat_id.to_owned(), source));
    }
    fn restore_vat(&mut self, vat_id: &str) {
        self.vats.borrow_mut().restored.push(vat_id.to_owned());
    }
    fn mark(&mut self) -> u32 {
        self.marks.push(self.kv.clone());
        self.marks.len() as u32 - 1
    }
    fn rollback(&mut self, mark: u32) {
        self.marks.truncate(mark as usize + 1);
        self.kv = self.marks.pop().expect("the mark was given");
    }
    fn release(&mut self, mark: u32) {
        self.marks.truncate(mark as usize);
    }
    /// The host has one bridge, `echo`, which gives back what it is told and refuses the word "no".
    fn bridge(&mut self, name: &str, body: &[u8], out: &mut Vec<u8>) -> bool {
        if name != "echo" {
            return false;
        }
        let body = String::from_utf8(body.to_vec()).expect("bodies are UTF-8");
        self.vats.borrow_mut().bridged.push(body.clone());
        let answer = match body.as_str() {
            "\"no\"" => BridgeAnswer::Refused {
                problem: "the host says \"no\"".to_owned(),
            },
            _ => BridgeAnswer::Value { body },
        };
        out.extend(answer.to_bytes());
        true
    }
    fn log(&mut self, _level: u32, text: &str) {
        self.vats.borrow_mut().log.push(text.to_owned());
    }
}

impl Vats {
    fn next_step(&mut self) -> Vec<u8> {
        let (_, syscalls, act) = self.running.as_mut().expect("a delivery is under way");
        let step = match syscalls.next() {
            Some(syscall) => VatStep::Syscall { syscall },
            None => {
                let outcome = DeliveryOutcome {
                    verdict: act.verdict.clone(),
                    computrons: act.computrons,
                };
                self.running = None;
                VatStep::Done { outcome }
            }
        };
        step.to_bytes()
    }
}

impl World {
    /// A world with these static vats, initialized, nothing run yet.
    pub fn with(vats: Vec<StaticVat>) -> World {
        let mut world = World::default();
        for name in ["supervisor", "lockdown"] {
            world
                .kv
                .insert(format!("{name}BundleID").into(), format!("b1-{name}").into());
        }
        let command = Command::Initialize {
            vats,
            supervisor_bundle_id: "b1-supervisor".to_owned(),
            lockdown_bundle_id: "b1-lockdown".to_owned(),
        };
        assert_eq!(world.call(&command), Reply::Done {});
        world
    }

    /// Raw vats of these names (`v1`, `v2`, …), started.
    pub fn started(names: &[&str]) -> World {
        let mut world = World::with(names.iter().map(|name| vat(name)).collect());
        if names[0] == "bootstrap" {
            world.acts("v1", vec![vec![], vec![settle("p-60", false, "#true", &[])]]);
        }
        world.run();
        world.script("v1", |_| Act::of(Vec::new()));
        world.vats.borrow_mut().delivered.clear();
        world
    }

    /// Installs a bundle, as the host would; gives its ID.
    pub fn install(&mut self, digit: char) -> String {
        let id = format!("b1-{}", digit.to_string().repeat(128));
        self.kv.insert(format!("bundle/{id}").into(), vec![1]);
        id
    }

    /// Tells bootstrap `go`, which makes these syscalls; gives the notifies and answers to syscalls that came of it.
    pub fn go(&mut self, syscalls: Vec<VatSyscall>) -> (Vec<String>, Vec<SyscallReply>) {
        self.queue("bootstrap", "go", ResolutionPolicy::None {});
        self.acts("v1", vec![syscalls]);
        let (notified, replied) = (self.notifies().len(), self.vats.borrow().replies.len());
        self.run();
        let replies = self.vats.borrow().replies[replied..].to_vec();
        (self.notifies()[notified..].to_vec(), replies)
    }

    /// Bootstrap sends a message and watches its result; gives the notify.
    pub fn call_of(&mut self, target: &str, body: &str, slots: &[&str], result: &str) -> String {
        let (mut notifies, _) = self.go(vec![send(target, body, slots, Some(result)), subscribe(result)]);
        notifies.pop().unwrap_or_default()
    }

    /// What a vat does from now on.
    pub fn script(&mut self, vat_id: &str, script: impl FnMut(&VatDelivery) -> Act + 'static) {
        self.vats
            .borrow_mut()
            .scripts
            .insert(vat_id.to_owned(), Box::new(script));
    }

    /// What a vat does at its next deliveries, one after another; afterwards nothing.
    pub fn acts(&mut self, vat_id: &str, acts: Vec<Vec<VatSyscall>>) {
        let mut acts = acts.into_iter();
        self.script(vat_id, move |_| Act::of(acts.next().unwrap_or_default()));
    }

    pub fn call(&mut self, command: &Command) -> Reply {
        let mut buffers = self.buffers.take().filter(|_| self.keeps_instance).unwrap_or_default();
        let reply = Reply::from_bytes(&swingset_kernel::call(self, &mut buffers, &command.to_bytes()));
        let reply = reply.expect("the kernel writes replies");
        self.kept = !matches!(reply, Reply::Refused { .. } | Reply::Crank { report: CrankReport { panic: Some(_), .. } });
        self.buffers = Some(buffers);
        reply
    }

    pub fn step(&mut self) -> CrankReport {
        self.step_with(100)
    }

    /// One crank; what a panic leaves is undone, as the host does.
    pub fn step_with(&mut self, cleanup_max: u64) -> CrankReport {
        let before = self.kv.clone();
        match self.call(&Command::Step {
            crank_limit_default: 1000,
            cleanup_max,
            now: self.now,
            unchanged: self.keeps_instance && self.kept,
        }) {
            Reply::Crank { report } => {
                self.marks.clear();
                if report.panic.is_some() {
                    self.kv = before;
                }
                report
            }
            other => panic!("a step was answered with {other:?}"),
        }
    }

    /// Cranks until idle or a panic; gives all reports but the idle one.
    pub fn run(&mut self) -> Vec<CrankReport> {
        let mut reports = Vec::new();
        loop {
            let report = self.step();
            if report.kind == (CrankKind::Idle {}) {
                return reports;
            }
            let panicked = report.panic.is_some();
            reports.push(report);
            if panicked {
                return reports;
            }
        }
    }

    /// Queues `method([])` to a vat's root.
    pub fn queue(&mut self, name: &str, method: &str, policy: ResolutionPolicy) -> Option<String> {
        self.queue_with(name, method, data("#[]", &[]), policy)
    }

    /// The same with these arguments.
    pub fn queue_with(&mut self, name: &str, method: &str, args: CapData, policy: ResolutionPolicy) -> Option<String> {
        let command = Command::QueueToVatRoot {
            vat_name: name.to_owned(),
            method: method.to_owned(),
            args,
            policy,
        };
        match self.call(&command) {
            Reply::Queued { kpid } => kpid,
            other => panic!("a message was answered with {other:?}"),
        }
    }

    /// Queues a message whose result is kept.
    pub fn ask(&mut self, name: &str, method: &str) -> String {
        let kpid = self
            .queue(name, method, ResolutionPolicy::Ignore {})
            .expect("a result promise");
        assert_eq!(
            self.call(&Command::RegisterInterest { kpid: kpid.clone() }),
            Reply::Done {}
        );
        kpid
    }

    pub fn promise(&mut self, kpid: &str) -> PromiseState {
        match self.call(&Command::PromiseStatus { kpid: kpid.to_owned() }) {
            Reply::PromiseState { state } => state,
            other => panic!("a status was answered with {other:?}"),
        }
    }

    pub fn text(&self, key: &str) -> Option<String> {
        self.kv
            .get(key.as_bytes())
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Keys that begin so.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let keys = self.kv.keys().map(|key| String::from_utf8_lossy(key).into_owned());
        keys.filter(|key| key.starts_with(prefix)).collect()
    }

    pub fn delivered(&self) -> Vec<(String, VatDelivery)> {
        self.vats.borrow().delivered.clone()
    }

    /// Messages delivered so far, as `vat target body result`.
    pub fn messages(&self) -> Vec<String> {
        let vats = self.vats.borrow();
        let delivered = vats.delivered.iter();
        delivered
            .filter_map(|(vat_id, delivery)| match delivery {
                VatDelivery::Message {
                    target,
                    methargs,
                    result,
                } => {
                    let result = result.as_deref().unwrap_or("-");
                    Some(format!(
                        "{vat_id} {target} {} [{}] {result}",
                        methargs.body,
                        methargs.slots.join(",")
                    ))
                }
                _ => None,
            })
            .collect()
    }

    /// Notifies delivered so far, as `vat promise=body …`.
    pub fn notifies(&self) -> Vec<String> {
        let vats = self.vats.borrow();
        let delivered = vats.delivered.iter();
        delivered
            .filter_map(|(vat_id, delivery)| match delivery {
                VatDelivery::Notify { resolutions } => {
                    let parts: Vec<String> = resolutions
                        .iter()
                        .map(|r| {
                            format!(
                                "{}{}{}[{}]",
                                r.promise,
                                if r.rejected { "!" } else { "=" },
                                r.data.body,
                                r.data.slots.join(",")
                            )
                        })
                        .collect();
                    Some(format!("{vat_id} {}", parts.join(" ")))
                }
                _ => None,
            })
            .collect()
    }

    /// The kernel's figures, by name.
    pub fn stats(&mut self) -> BTreeMap<String, u64> {
        match self.call(&Command::Stats {}) {
            Reply::Stats { figures } => figures.into_iter().collect(),
            other => panic!("stats were answered with {other:?}"),
        }
    }
}
