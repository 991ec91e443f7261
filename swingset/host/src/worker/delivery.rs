//! One delivery, from its first byte to its outcome.

use std::{future::poll_fn, task::Poll};

use swingset_abi::{
    vat::{DeliveryOutcome, DeliveryVerdict},
    wire::Wire,
};
use wasmtime::{AsContext, AsContextMut};

use super::{
    Event, SharedMailbox,
    instances::{Instances, VatData},
    outputs::{Output, PendingSyscall, input, read_output},
    supervisor::Supervisor,
};
use crate::{
    engine::{Fault, GuestFault, HaltFault, OutOfFuel},
    guest,
    schedule::{SCHEDULE, price},
    sync::lock,
};

/// Runs a delivery. `used` of `fuel` is gone before it starts.
///
/// # Errors
/// A fault of this node.
pub(crate) async fn deliver(
    instances: &mut Instances,
    delivery: &[u8],
    fuel: u64,
    used: u64,
) -> Result<DeliveryOutcome, String> {
    let whole = SCHEDULE.computrons(fuel);
    // After a trap the engine's count is not exact: the whole limit is charged.
    let ended = |verdict| Ok(DeliveryOutcome { verdict, computrons: whole });
    match run(instances, delivery, fuel, used).await {
        Ok(left) => {
            let computrons = SCHEDULE.computrons(fuel.saturating_sub(left));
            Ok(DeliveryOutcome { verdict: DeliveryVerdict::Ok {}, computrons })
        }
        Err(Fault::Guest(word)) => ended(DeliveryVerdict::Error { problem: word.to_owned() }),
        Err(Fault::OutOfFuel) => ended(DeliveryVerdict::MeterExhausted {}),
        Err(Fault::Halt(reason)) => Err(reason),
    }
}

/// Gives the fuel that is left.
async fn run(instances: &mut Instances, delivery: &[u8], fuel: u64, used: u64) -> Result<u64, Fault> {
    let data = instances.store.data_mut();
    data.syscalls = 0;
    data.kept.clear();
    data.take_grown();
    let copied = SCHEDULE.delivery.saturating_add(price(delivery.len(), SCHEDULE.delivery_byte));
    let left = fuel.checked_sub(used.saturating_add(copied)).ok_or(Fault::OutOfFuel)?;
    instances.store.set_fuel(left)?;
    if instances.store.data().supervisor.is_none() {
        call_vat(instances, delivery).await?;
    } else {
        supervised(instances, delivery).await?;
    }
    charge(&mut instances.store, 0)?;
    Ok(instances.store.get_fuel()?)
}

/// Copies an event into the vat and calls it.
async fn call_vat(instances: &mut Instances, event: &[u8]) -> Result<(), Fault> {
    let length = guest::length(event)?;
    let address = instances.alloc.call_async(&mut instances.store, length).await?;
    guest::write(instances.memory, &mut instances.store, address, event)?;
    instances.deliver.call_async(&mut instances.store, (address, length)).await?;
    Ok(())
}

async fn supervised(instances: &mut Instances, delivery: &[u8]) -> Result<(), Fault> {
    set_input(instances.store.data_mut(), input::DELIVER, [delivery, &[]])?;
    loop {
        match step_apart(instances).await? {
            Output::Syscall(step) => {
                let reply = syscall(&mut instances.store, step).await?;
                set_input(instances.store.data_mut(), input::REPLY, [&reply, &[]])?;
            }
            Output::CallVat(event) => {
                charge(&mut instances.store, price(event.len(), SCHEDULE.copied_byte))?;
                call_vat(instances, &event).await?;
                set_input(instances.store.data_mut(), input::VAT_RETURNED, [&[], &[]])?;
            }
            Output::Finished => return Ok(()),
            Output::AnswerVat(_) => return Err(Fault::Guest("supervisor answered a vat that asked nothing")),
            Output::Failed => return Err(Fault::Guest("supervisor gave up on its vat")),
        }
    }
}

/// A request of a supervised vat: the supervisor decides until it has an answer.
pub(super) async fn request(mut store: impl AsContextMut<Data = VatData>, request: &[u8]) -> wasmtime::Result<Vec<u8>> {
    charge(&mut store, price(request.len(), SCHEDULE.copied_byte))?;
    let mut length = Vec::with_capacity(5);
    (request.len() as u64).encode(&mut length);
    set_input(store.as_context_mut().data_mut(), input::VAT_REQUEST, [&length, request])?;
    loop {
        match step_within(&mut store)? {
            Output::Syscall(step) => {
                let reply = syscall(&mut store, step).await?;
                set_input(store.as_context_mut().data_mut(), input::REPLY, [&reply, &[]])?;
            }
            Output::AnswerVat(answer) => {
                charge(&mut store, price(answer.len(), SCHEDULE.copied_byte))?;
                return Ok(answer);
            }
            Output::CallVat(_) => return Err(GuestFault("supervisor called a vat that waits for an answer").into()),
            Output::Finished => {
                return Err(GuestFault("supervisor finished while its vat waits for an answer").into());
            }
            Output::Failed => return Err(GuestFault("supervisor gave up on its vat").into()),
        }
    }
}

/// The supervisor is always there but while it makes a step.
fn no_supervisor() -> wasmtime::Error {
    wasmtime::Error::new(HaltFault("a supervised vat has no supervisor".to_owned()))
}

fn set_input(data: &mut VatData, tag: u8, parts: [&[u8]; 2]) -> wasmtime::Result<()> {
    data.supervisor.as_mut().ok_or_else(no_supervisor)?.set_input(tag, parts);
    Ok(())
}

/// A step while no code of the vat is on its way.
async fn step_apart(instances: &mut Instances) -> wasmtime::Result<Output> {
    let mut supervisor = instances.store.data_mut().supervisor.take().ok_or_else(no_supervisor)?;
    let mut fuel = instances.store.get_fuel()?;
    let most = instances.store.data().limits.request_bytes_max();
    let bytes = supervisor.step_apart(&mut fuel, most).await?;
    stepped(&mut instances.store, supervisor, fuel, &bytes)
}

/// A step while the vat's code waits for it.
fn step_within(store: &mut impl AsContextMut<Data = VatData>) -> wasmtime::Result<Output> {
    let mut context = store.as_context_mut();
    let mut supervisor = context.data_mut().supervisor.take().ok_or_else(no_supervisor)?;
    let mut fuel = context.get_fuel()?;
    let most = context.data().limits.request_bytes_max();
    let bytes = supervisor.step_within(&mut fuel, most)?;
    stepped(store, supervisor, fuel, &bytes)
}

fn stepped(
    store: &mut impl AsContextMut<Data = VatData>,
    supervisor: Box<Supervisor>,
    fuel: u64,
    bytes: &[u8],
) -> wasmtime::Result<Output> {
    let mut context = store.as_context_mut();
    context.set_fuel(fuel)?;
    context.data_mut().supervisor = Some(supervisor);
    Ok(read_output(bytes, &context.data().limits)?)
}

/// Makes a syscall: parks until the kernel has answered.
pub(super) async fn syscall(
    store: &mut impl AsContextMut<Data = VatData>,
    pending: PendingSyscall,
) -> wasmtime::Result<std::sync::Arc<[u8]>> {
    let PendingSyscall { step, references } = pending;
    let bytes = price(step.len(), SCHEDULE.syscall_byte);
    charge(store, SCHEDULE.syscall.saturating_add(bytes).saturating_add(price(references, SCHEDULE.reference)))?;
    let mut context = store.as_context_mut();
    let data = context.data_mut();
    data.syscalls = data.syscalls.saturating_add(1);
    if data.syscalls > data.limits.syscalls_per_crank_max {
        return Err(GuestFault("too many syscalls").into());
    }
    let mailbox = data.mailbox.clone();
    lock(&mailbox).event = Some(Event::Syscall(step));
    let reply = next_reply(&mailbox).await;
    charge(store, price(reply.len(), SCHEDULE.syscall_byte))?;
    Ok(reply)
}

async fn next_reply(mailbox: &SharedMailbox) -> std::sync::Arc<[u8]> {
    poll_fn(|_| lock(mailbox).reply.take().map_or(Poll::Pending, Poll::Ready)).await
}

/// Takes a price, and that of memory grown meanwhile, off the fuel.
pub(super) fn charge(store: &mut impl AsContextMut<Data = VatData>, amount: u64) -> wasmtime::Result<()> {
    let mut context = store.as_context_mut();
    let grown = context.data_mut().take_grown();
    let amount = amount.saturating_add(price(grown / (64 * 1024), SCHEDULE.page_grown));
    if amount == 0 {
        return Ok(());
    }
    let fuel = context.as_context().get_fuel().map_err(|error| wasmtime::Error::new(HaltFault(error.to_string())))?;
    let left = fuel.checked_sub(amount).ok_or(OutOfFuel)?;
    context.set_fuel(left)
}
