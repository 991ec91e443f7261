//! A vat with its supervisor, on what the kernel keeps for it: the vatstore and its table of references. Whatever the supervisor asks
//! of the kernel is held against the kernel's rules.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    rc::Rc,
    thread,
};

use swingset_abi::{
    supervisor::{Input, Output},
    vat::{CapData, Resolution, SyscallReply, VatDelivery, VatSyscall},
    wire::Blob,
};
use swingset_vat_sdk::boundary;
use swingset_vat_supervisor::Supervisor;

/// What outlives the vat's code.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    pub store: BTreeMap<String, Vec<u8>>,
    /// The c-list's objects: whether each is flagged reachable.
    pub objects: BTreeMap<String, bool>,
    pub promises: BTreeSet<String>,
    pub subscribed: BTreeSet<String>,
    /// Sends, resolutions and what was given up since this was last taken.
    pub said: Vec<String>,
    pub syscalls: u64,
}

fn is_import(vref: &str) -> bool {
    vref.starts_with("o-") || vref.starts_with("p-")
}

impl Kernel {
    /// References on their way to the vat.
    fn given(&mut self, data: &CapData) {
        for slot in &data.slots {
            if slot.starts_with('o') {
                self.objects.insert(slot.clone(), true);
            } else {
                self.promises.insert(slot.clone());
            }
        }
    }

    /// A reference that the vat names.
    fn named(&mut self, slot: &str) {
        if slot.starts_with('p') {
            assert!(!is_import(slot) || self.promises.contains(slot), "{slot} is not known");
            self.promises.insert(slot.to_owned());
        } else if is_import(slot) {
            assert_eq!(self.objects.get(slot), Some(&true), "{slot} is not reachable");
        } else {
            self.objects.insert(slot.to_owned(), true);
        }
    }

    fn text(&mut self, data: &CapData) -> String {
        data.slots.iter().for_each(|slot| self.named(slot));
        format!("{} [{}]", data.body, data.slots.join(","))
    }

    fn syscall(&mut self, syscall: VatSyscall) -> SyscallReply {
        self.syscalls += 1;
        check_size(&syscall);
        match syscall {
            VatSyscall::VatstoreGet { key } => {
                return SyscallReply::Value {
                    value: self.store.get(&key).cloned().map(Blob),
                };
            }
            VatSyscall::VatstoreGetNextKey { prior } => {
                let above = (Bound::Excluded(prior), Bound::Unbounded);
                return SyscallReply::Key {
                    key: self.store.range(above).next().map(|(key, _)| key.clone()),
                };
            }
            VatSyscall::VatstoreSet { key, value } => _ = self.store.insert(key, value.0),
            VatSyscall::VatstoreDelete { key } => _ = self.store.remove(&key),
            VatSyscall::Send {
                target,
                methargs,
                result,
            } => {
                self.named(&target);
                let text = self.text(&methargs);
                self.promises.extend(result.clone());
                self.said
                    .push(format!("send {target} {text} {}", result.unwrap_or_default()));
            }
            VatSyscall::Subscribe { promise } => {
                assert!(self.promises.contains(&promise), "{promise} is not known");
                self.subscribed.insert(promise);
            }
            VatSyscall::Resolve { resolutions } => {
                for Resolution {
                    promise,
                    rejected,
                    data,
                } in resolutions
                {
                    self.named(&promise);
                    self.promises.remove(&promise);
                    let text = self.text(&data);
                    let sign = if rejected { '!' } else { '=' };
                    self.said.push(format!("{promise}{sign}{text}"));
                }
            }
            VatSyscall::DropImports { vrefs } => {
                for vref in &vrefs {
                    assert_eq!(
                        self.objects.insert(vref.clone(), false),
                        Some(true),
                        "{vref} is dropped"
                    );
                }
                self.said.push(format!("drop {}", vrefs.join(",")));
            }
            VatSyscall::RetireImports { vrefs } => {
                for vref in &vrefs {
                    assert_eq!(self.objects.remove(vref), Some(false), "{vref} is retired");
                }
                self.said.push(format!("retire {}", vrefs.join(",")));
            }
            VatSyscall::RetireExports { vrefs } => {
                for vref in &vrefs {
                    assert_eq!(self.objects.remove(vref), Some(false), "{vref} is retired");
                }
                self.said.push(format!("retire {}", vrefs.join(",")));
            }
            other => panic!("the supervisor asked for {other:?}"),
        }
        SyscallReply::Done {}
    }
}

/// A message's, settlement's or value's bytes under the default lockdown policy.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;

/// What the host counts of a syscall, and ends the vat for when it is more.
#[track_caller]
fn check_size(syscall: &VatSyscall) {
    let bytes = |data: &CapData| data.body.len() + data.slots.iter().map(String::len).sum::<usize>();
    let counted = match syscall {
        VatSyscall::Send { methargs, .. } => bytes(methargs),
        VatSyscall::CallNow { method, args, .. } => bytes(args) + method.len(),
        VatSyscall::Resolve { resolutions } => {
            let each = resolutions.iter().map(|one| bytes(&one.data) + one.promise.len());
            each.sum()
        }
        VatSyscall::Exit { info, .. } => bytes(info),
        VatSyscall::VatstoreSet { value, .. } => value.0.len(),
        _ => 0,
    };
    assert!(counted <= POLICY_BYTES_MAX, "a syscall of {counted} bytes");
}

/// One incarnation.
#[derive(Clone)]
pub struct World {
    supervisor: Rc<RefCell<Supervisor>>,
    pub kernel: Rc<RefCell<Kernel>>,
    code: fn(&[u8]),
}

/// Runs the shop's first incarnation, started.
pub fn shop(story: impl FnOnce(&World) + Send) {
    incarnation(Kernel::default(), crate::vat::vat_deliver, |world| {
        world.start();
        story(world);
    });
}

/// Runs an incarnation of a vat in a thread of its own, since the SDK keeps a vat's memory in the thread. Gives what outlives it.
pub fn incarnation(kernel: Kernel, code: fn(&[u8]), story: impl FnOnce(&World) + Send) -> Kernel {
    let run = move || {
        let world = World {
            supervisor: Rc::default(),
            kernel: Rc::new(RefCell::new(kernel)),
            code,
        };
        let vat = world.clone();
        boundary::set_host(Box::new(move |request| {
            let request = Blob(request.to_vec());
            match vat.go_on(Input::VatRequest { request }) {
                Output::AnswerVat { answer } => answer.0,
                other => panic!("a request led to {other:?}"),
            }
        }));
        story(&world);
        boundary::set_host(Box::new(|_| Vec::new()));
        world.kernel.take()
    };
    thread::scope(|scope| {
        scope
            .spawn(run)
            .join()
            .unwrap_or_else(|fault| std::panic::resume_unwind(fault))
    })
}

impl World {
    /// Makes the syscalls that are asked for.
    fn go_on(&self, mut input: Input) -> Output {
        loop {
            let output = self.supervisor.borrow_mut().step(input);
            match output {
                Output::Syscall { syscall } => {
                    input = Input::Reply {
                        reply: self.kernel.borrow_mut().syscall(syscall),
                    }
                }
                other => return other,
            }
        }
    }

    /// Delivers; the reason when it fails.
    pub fn try_deliver(&self, delivery: VatDelivery) -> Result<(), String> {
        let mut output = self.go_on(Input::Deliver { delivery });
        loop {
            match output {
                Output::CallVat { event } => {
                    (self.code)(&event.0);
                    output = self.go_on(Input::VatReturned {});
                }
                Output::Finished {} => return Ok(()),
                Output::Failed { problem } => return Err(problem),
                other => panic!("a delivery led to {other:?}"),
            }
        }
    }

    #[track_caller]
    pub fn deliver(&self, delivery: VatDelivery) {
        assert_eq!(self.try_deliver(delivery), Ok(()));
    }

    pub fn start(&self) {
        let parameters = data("#{}", &[]);
        self.deliver(VatDelivery::StartVat { parameters });
    }

    /// Sends a message and gives what was said until the delivery's end. Its result promise is `p-1`, that of an `ask`
    /// `p-2`.
    pub fn send(&self, target: &str, method: &str, args: &str, slots: &[&str]) -> Vec<String> {
        self.send_for("p-1", target, method, args, slots)
    }

    pub fn send_for(&self, result: &str, target: &str, method: &str, args: &str, slots: &[&str]) -> Vec<String> {
        let methargs = data(&format!("#[\"{method}\",{args}]"), slots);
        self.kernel.borrow_mut().given(&methargs);
        self.kernel.borrow_mut().promises.insert(result.to_owned());
        self.deliver(VatDelivery::Message {
            target: target.to_owned(),
            methargs,
            result: Some(result.to_owned()),
        });
        self.said()
    }

    /// As [`World::send`] to the root; the result, `!` before a rejection's reason.
    #[track_caller]
    pub fn ask(&self, method: &str, args: &str, slots: &[&str]) -> String {
        self.ask_of("o+0", method, args, slots)
    }

    #[track_caller]
    pub fn ask_of(&self, target: &str, method: &str, args: &str, slots: &[&str]) -> String {
        let said = self.send_for("p-2", target, method, args, slots);
        let result = said.iter().find_map(|line| line.strip_prefix("p-2"));
        let result = result.unwrap_or_else(|| panic!("{method} is not answered: {said:?}"));
        result
            .strip_prefix('=')
            .unwrap_or(result)
            .trim_end_matches(" []")
            .to_owned()
    }

    pub fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.kernel.borrow_mut().said)
    }

    pub fn notify(&self, promise: &str, rejected: bool, body: &str, slots: &[&str]) -> Vec<String> {
        let data = data(body, slots);
        {
            let mut kernel = self.kernel.borrow_mut();
            assert!(kernel.subscribed.remove(promise), "{promise} is subscribed to");
            kernel.promises.remove(promise);
            kernel.given(&data);
        }
        let promise = promise.to_owned();
        let resolutions = vec![Resolution {
            promise,
            rejected,
            data,
        }];
        self.deliver(VatDelivery::Notify { resolutions });
        self.said()
    }

    /// The kernel says that nobody reaches this export.
    pub fn drop_export(&self, vref: &str) {
        let before = self.kernel.borrow_mut().objects.insert(vref.to_owned(), false);
        assert_eq!(before, Some(true), "{vref} was reachable");
        let vrefs = vec![vref.to_owned()];
        self.deliver(VatDelivery::DropExports { vrefs });
    }

    /// The kernel says that nobody recognizes this export.
    pub fn retire_export(&self, vref: &str) {
        let before = self.kernel.borrow_mut().objects.remove(vref);
        assert_eq!(before, Some(false), "{vref} was dropped");
        let vrefs = vec![vref.to_owned()];
        self.deliver(VatDelivery::RetireExports { vrefs });
    }

    /// The kernel says that this import is gone.
    pub fn retire_import(&self, vref: &str) {
        let before = self.kernel.borrow_mut().objects.remove(vref);
        assert_eq!(before, Some(false), "{vref} was dropped");
        let vrefs = vec![vref.to_owned()];
        self.deliver(VatDelivery::RetireImports { vrefs });
    }

    pub fn bring_out_your_dead(&self) {
        self.deliver(VatDelivery::BringOutYourDead {});
    }

    /// The vatstore's keys but for the records at each incarnation's end.
    pub fn keys(&self) -> Vec<String> {
        let kernel = self.kernel.borrow();
        kernel.store.keys().filter(|key| key.len() > 1).cloned().collect()
    }

    /// How the c-list flags an object; `None` when it is not there.
    pub fn flag(&self, vref: &str) -> Option<bool> {
        self.kernel.borrow().objects.get(vref).copied()
    }
}

pub fn data(body: &str, slots: &[&str]) -> CapData {
    CapData {
        body: body.to_owned(),
        slots: slots.iter().map(|slot| (*slot).to_owned()).collect(),
    }
}

/// What an upgrade does to what the vat left: its last delivery is behind it, the promises that it decided are settled by the kernel,
/// and what it exported from memory is nobody's any more.
pub fn upgraded(mut kernel: Kernel) -> Kernel {
    kernel
        .objects
        .retain(|vref, _| vref == "o+0" || !vref.starts_with("o+") || vref.starts_with("o+d"));
    kernel
}
