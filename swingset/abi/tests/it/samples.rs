//! One value at least of every variant.

use swingset_abi::{
    kernel::{
        BridgeAnswer, Command, CrankKind, CrankReport, KernelOptions, PromiseState, ReapThreshold, Reply,
        ResolutionPolicy, StaticVat, VatOptions, VatSource,
    },
    supervisor::{
        CollectionShape, Entry, EntryKey, Input, Output, Passable, SlotHandle, StoredId, VatAnswer, VatEvent,
        VatRequest,
    },
    vat::{CapData, DeliveryOutcome, DeliveryVerdict, Resolution, SyscallReply, VatDelivery, VatStep, VatSyscall},
    wire::Blob,
};

fn text(value: &str) -> String {
    value.to_owned()
}

fn data() -> CapData {
    CapData { body: text("#[\"$0.Alleged: purse\",[]]"), slots: vec![text("ko20"), text("kp40")] }
}

fn blob() -> Blob {
    Blob(vec![0, 1, 0x80, 0xff])
}

fn resolutions() -> Vec<Resolution> {
    vec![
        Resolution { promise: text("p-60"), rejected: false, data: data() },
        Resolution { promise: text("p+5"), rejected: true, data: CapData::default() },
    ]
}

fn stored() -> StoredId {
    StoredId { durable: true, kind: 10, instance: 1_000 }
}

fn keys() -> Vec<EntryKey> {
    vec![EntryKey::Data { text: text("sk") }, EntryKey::Object { slot: SlotHandle::Stored { object: stored() } }]
}

fn passable() -> Passable {
    let slots = vec![
        SlotHandle::Local { handle: 0 },
        SlotHandle::Presence { handle: 300 },
        SlotHandle::Promise { handle: 2 },
        SlotHandle::Device { handle: u64::MAX },
        SlotHandle::Stored { object: stored() },
    ];
    Passable { body: text("#\"$0\""), slots }
}

pub fn options() -> VatOptions {
    let reap = threshold();
    VatOptions {
        critical: true,
        raw: false,
        pipelining: true,
        crank_limit: 1 << 40,
        reap,
        meter: Some(text("m1")),
        stored_bytes_max: 1 << 33,
    }
}

fn threshold() -> ReapThreshold {
    ReapThreshold { deliveries: Some(200), gc_krefs: None, computrons: Some(0) }
}

pub fn source() -> VatSource {
    VatSource { bundle_id: text("b1-1"), supervisor_bundle_id: text("b1-2"), lockdown_bundle_id: text("b1-3") }
}

pub fn commands() -> Vec<Command> {
    let vat = StaticVat { name: text("bank"), bundle_id: text("b1-00"), parameters: data(), options: options() };
    vec![
        Command::Describe {},
        Command::Initialize { vats: vec![vat], supervisor_bundle_id: text("b1-1"), lockdown_bundle_id: text("b1-2") },
        Command::Step { crank_limit_default: 1_000_000, cleanup_max: 100, now: 1_700_000_000, unchanged: true },
        Command::QueueToVatRoot {
            vat_name: text("bank"),
            method: text("m"),
            args: data(),
            policy: ResolutionPolicy::None {},
        },
        Command::QueueToVatObject {
            target: text("ko20"),
            method: text("m"),
            args: data(),
            policy: ResolutionPolicy::Ignore {},
        },
        Command::QueueToVatObject {
            target: text(""),
            method: text(""),
            args: data(),
            policy: ResolutionPolicy::LogAlways {},
        },
        Command::QueueToVatObject {
            target: text(""),
            method: text(""),
            args: data(),
            policy: ResolutionPolicy::LogFailure {},
        },
        Command::QueueToVatObject {
            target: text(""),
            method: text(""),
            args: data(),
            policy: ResolutionPolicy::Panic {},
        },
        Command::PromiseStatus { kpid: text("kp40") },
        Command::RegisterInterest { kpid: text("kp40") },
        Command::ReleaseInterest { kpid: text("kp40") },
        Command::PinVatRoot { vat_name: text("bank") },
        Command::TerminateVat { vat_id: text("v1"), reason: data() },
        Command::Migrate { cursor: blob(), budget: 10_000 },
        Command::Stats {},
        Command::UpgradeStaticVat {
            vat_name: text("bank"),
            bundle_id: text("b1-00"),
            parameters: data(),
            message: text("new"),
        },
        Command::ChangeKernelOptions { options: KernelOptions { reap_default: threshold() } },
        Command::ReapAllVats {},
        Command::InjectQueuedUpgradeEvents {},
        Command::BundlesInstalled { ids: vec![text("b1-00")] },
        Command::PollTimer { now: 1_700_000_000 },
        Command::MailboxInbound { peer: text("swing1x"), messages: vec![(1, text("one")), (2, text(""))], ack: 300 },
        Command::Evaluate { bundle_id: text("b1-00"), vats: vec![text("bank")], devices: vec![text("timer")] },
        Command::BridgeInbound { bridge: text("bank"), value: text("{\"type\":\"get\"}") },
    ]
}

pub fn bridge_answers() -> Vec<BridgeAnswer> {
    vec![BridgeAnswer::Value { body: text("\"+5\"") }, BridgeAnswer::Refused { problem: text("no such account") }]
}

pub fn replies() -> Vec<Reply> {
    let report = CrankReport {
        kind: CrankKind::Delivery {},
        vat_id: Some(text("v1")),
        computrons: 12_345,
        aborted: true,
        terminated: Some(text("meter exhausted")),
        panic: None,
        vats_created: 2,
        cleaned: 100,
    };
    let idle = CrankReport {
        kind: CrankKind::Idle {},
        vat_id: None,
        terminated: None,
        panic: Some(text("x")),
        ..report.clone()
    };
    vec![
        Reply::Done {},
        Reply::Described { name: text("kernel"), schema: 2, schema_from_min: 1, host_abi: 1 },
        Reply::Crank { report },
        Reply::Crank { report: idle },
        Reply::Queued { kpid: None },
        Reply::Queued { kpid: Some(text("kp40")) },
        Reply::PromiseState { state: PromiseState::Unknown {} },
        Reply::PromiseState { state: PromiseState::Unresolved {} },
        Reply::PromiseState { state: PromiseState::Fulfilled { data: data() } },
        Reply::PromiseState { state: PromiseState::Rejected { data: data() } },
        Reply::Migrated { cursor: blob(), more: true },
        Reply::Stats { figures: vec![(text("cranks"), 7), (text("vats"), 0)] },
        Reply::Refused { code: 4, problem: text("no such vat") },
    ]
}

pub fn deliveries() -> Vec<VatDelivery> {
    vec![
        VatDelivery::Message { target: text("o+0"), methargs: data(), result: Some(text("p-60")) },
        VatDelivery::Message { target: text("o+0"), methargs: data(), result: None },
        VatDelivery::Notify { resolutions: resolutions() },
        VatDelivery::DropExports { vrefs: vec![text("o+1")] },
        VatDelivery::RetireExports { vrefs: vec![] },
        VatDelivery::RetireImports { vrefs: vec![text("o-50"), text("o-51")] },
        VatDelivery::ChangeVatOptions { options: text("{}") },
        VatDelivery::StartVat { parameters: data() },
        VatDelivery::BringOutYourDead {},
    ]
}

pub fn syscalls() -> Vec<VatSyscall> {
    vec![
        VatSyscall::Send { target: text("o-50"), methargs: data(), result: Some(text("p+5")) },
        VatSyscall::CallNow { target: text("d-70"), method: text("m"), args: data() },
        VatSyscall::Subscribe { promise: text("p-60") },
        VatSyscall::Resolve { resolutions: resolutions() },
        VatSyscall::Exit { failure: true, info: data() },
        VatSyscall::VatstoreGet { key: text("k") },
        VatSyscall::VatstoreSet { key: text("k"), value: blob() },
        VatSyscall::VatstoreGetNextKey { prior: text("") },
        VatSyscall::VatstoreDelete { key: text("k") },
        VatSyscall::DropImports { vrefs: vec![text("o-50")] },
        VatSyscall::RetireImports { vrefs: vec![text("o-50")] },
        VatSyscall::RetireExports { vrefs: vec![text("o+1")] },
        VatSyscall::AbandonExports { vrefs: vec![text("o+1")] },
    ]
}

pub fn syscall_replies() -> Vec<SyscallReply> {
    vec![
        SyscallReply::Done {},
        SyscallReply::Value { value: None },
        SyscallReply::Value { value: Some(blob()) },
        SyscallReply::Key { key: Some(text("k")) },
        SyscallReply::Data { data: data() },
        SyscallReply::Error { problem: text("illegal") },
        SyscallReply::Failed { problem: text("no such method") },
    ]
}

pub fn steps() -> Vec<VatStep> {
    let done = |verdict| VatStep::Done { outcome: DeliveryOutcome { verdict, computrons: u64::MAX } };
    let mut steps: Vec<VatStep> = syscalls().into_iter().map(|syscall| VatStep::Syscall { syscall }).collect();
    steps.push(done(DeliveryVerdict::Ok {}));
    steps.push(done(DeliveryVerdict::Error { problem: text("unreachable") }));
    steps.push(done(DeliveryVerdict::MeterExhausted {}));
    steps
}

pub fn inputs() -> Vec<Input> {
    let mut inputs: Vec<Input> = deliveries().into_iter().map(|delivery| Input::Deliver { delivery }).collect();
    inputs.extend(syscall_replies().into_iter().map(|reply| Input::Reply { reply }));
    inputs.extend([Input::VatReturned {}, Input::VatRequest { request: blob() }]);
    inputs
}

pub fn outputs() -> Vec<Output> {
    let mut outputs: Vec<Output> = syscalls().into_iter().map(|syscall| Output::Syscall { syscall }).collect();
    outputs.extend([
        Output::CallVat { event: blob() },
        Output::AnswerVat { answer: blob() },
        Output::Finished {},
        Output::Failed { problem: text("x") },
    ]);
    outputs
}

pub fn events() -> Vec<VatEvent> {
    vec![
        VatEvent::Start { parameters: passable(), incarnation: 3 },
        VatEvent::Message {
            target: SlotHandle::Local { handle: 0 },
            method: text("m"),
            args: passable(),
            result: Some(9),
        },
        VatEvent::Settled { promise: 9, rejected: true, value: passable() },
        VatEvent::Dropped { handles: vec![1, 2, 300] },
    ]
}

pub fn requests() -> Vec<VatRequest> {
    let collection = StoredId::BAGGAGE;
    let shapes =
        [CollectionShape::Map {}, CollectionShape::Set {}, CollectionShape::WeakMap {}, CollectionShape::WeakSet {}];
    let mut requests = plain_requests();
    requests.extend(shapes.map(|shape| VatRequest::NewCollection {
        durable: false,
        shape,
        label: text("l"),
        schema: text("int"),
    }));
    for key in keys() {
        requests.push(VatRequest::EntryGet { collection, key: key.clone() });
        let value = passable();
        requests.push(VatRequest::EntrySet { collection, key: key.clone(), value, only_new: true });
        requests.push(VatRequest::EntryDelete { collection, key: key.clone() });
        requests.push(VatRequest::EntryNext { collection, after: Some(key) });
    }
    requests
}

fn plain_requests() -> Vec<VatRequest> {
    vec![
        VatRequest::Send {
            target: SlotHandle::Presence { handle: 1 },
            method: text("m"),
            args: passable(),
            want_result: true,
        },
        VatRequest::NewPromise {},
        VatRequest::NewObject { interface: text("Purse") },
        VatRequest::Watch { promise: 9 },
        VatRequest::Settle { promise: 9, rejected: false, value: passable() },
        VatRequest::StoreGet { key: text("k") },
        VatRequest::StoreSet { key: text("k"), value: blob() },
        VatRequest::StoreDelete { key: text("k") },
        VatRequest::StoreNextKey { prior: text("k") },
        VatRequest::Release { handles: vec![SlotHandle::Promise { handle: 2 }] },
        VatRequest::Exit { failure: false, info: passable() },
        VatRequest::CallDevice { device: 3, method: text("m"), args: passable() },
        VatRequest::DefineKind { name: text("Purse"), durable: true },
        VatRequest::NewStored { kind: 10, state: passable() },
        VatRequest::Hold { object: stored() },
        VatRequest::StateGet { object: stored() },
        VatRequest::StateSet { object: stored(), state: passable() },
        VatRequest::CollectionInfo { collection: stored() },
    ]
}

pub fn answers() -> Vec<VatAnswer> {
    vec![
        VatAnswer::Done {},
        VatAnswer::Handle { handle: 5 },
        VatAnswer::Value { value: None },
        VatAnswer::Value { value: Some(blob()) },
        VatAnswer::Key { key: None },
        VatAnswer::Data { data: passable() },
        VatAnswer::Refused { problem: text("no") },
        VatAnswer::Stored { data: Some(passable()) },
        VatAnswer::Existed { existed: true },
        VatAnswer::Entry { entry: keys().pop().map(|key| Entry { key, value: passable() }) },
        VatAnswer::Collection { label: text("l"), schema: text("int"), size: 2 },
    ]
}
