//! One delivery, from its first byte to its outcome.

use std::{future::poll_fn, task::Poll};

use swingset_abi::{
    vat::{DeliveryOutcome, DeliveryVerdict},
    wire::Wire,
};
use wasmtime::{AsContext, AsContextMut};

use super::{
    Event, SharedMailbox,
    instances::{Instances, SupervisorCalls, VatData},
    outputs::{Output, input, read_output},
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
    let ended = |verdict| {
        Ok(DeliveryOutcome {
            verdict,
            computrons: whole,
        })
    };
    match run(instances, delivery, fuel, used).await {
        Ok(left) => {
            let computrons = SCHEDULE.computrons(fuel.saturating_sub(left));
            Ok(DeliveryOutcome {
                verdict: DeliveryVerdict::Ok {},
                computrons,
            })
        }
        Err(Fault::Guest(word)) => ended(DeliveryVerdict::Error {
            problem: word.to_owned(),
        }),
        Err(Fault::OutOfFuel) => ended(DeliveryVerdict::MeterExhausted {}),
        Err(Fault::Halt(reason)) => Err(reason),
    }
}

/// Gives the fuel that is left.
async fn run(instances: &mut Instances, delivery: &[u8], fuel: u64, used: u64) -> Result<u64, Fault> {
    let data = instances.store.data_mut();
    data.syscalls = 0;
    data.kept.clear();
    data.limiter.grown_bytes = 0;
    let copied = SCHEDULE
        .delivery
        .saturating_add(price(delivery.len(), SCHEDULE.delivery_byte));
    let left = fuel.checked_sub(used.saturating_add(copied)).ok_or(Fault::OutOfFuel)?;
    instances.store.set_fuel(left)?;
    match instances.store.data().supervisor.clone() {
        None => call_vat(instances, delivery).await?,
        Some(supervisor) => supervised(instances, &supervisor, delivery).await?,
    }
    charge(&mut instances.store, 0)?;
    Ok(instances.store.get_fuel()?)
}

/// Copies an event into the vat and calls it.
async fn call_vat(instances: &mut Instances, event: &[u8]) -> Result<(), Fault> {
    let length = guest::length(event)?;
    let address = instances.alloc.call_async(&mut instances.store, length).await?;
    guest::write(instances.memory, &mut instances.store, address, event)?;
    instances
        .deliver
        .call_async(&mut instances.store, (address, length))
        .await?;
    Ok(())
}

async fn supervised(instances: &mut Instances, supervisor: &SupervisorCalls, delivery: &[u8]) -> Result<(), Fault> {
    set_input(instances.store.data_mut(), input::DELIVER, delivery);
    loop {
        match step(instances.store.as_context_mut(), supervisor).await? {
            Output::Syscall(step) => {
                let reply = syscall(&mut instances.store, step).await?;
                set_input(instances.store.data_mut(), input::REPLY, &reply);
            }
            Output::CallVat(event) => {
                charge(&mut instances.store, price(event.len(), SCHEDULE.copied_byte))?;
                call_vat(instances, &event).await?;
                set_input(instances.store.data_mut(), input::VAT_RETURNED, &[]);
            }
            Output::Finished => return Ok(()),
            Output::AnswerVat(_) => return Err(Fault::Guest("supervisor answered a vat that asked nothing")),
            Output::Failed => return Err(Fault::Guest("supervisor gave up on its vat")),
        }
    }
}

/// A request of a supervised vat: the supervisor decides until it has an answer.
pub(super) async fn request(
    mut store: impl AsContextMut<Data = VatData>,
    supervisor: &SupervisorCalls,
    request: &[u8],
) -> wasmtime::Result<Vec<u8>> {
    charge(&mut store, price(request.len(), SCHEDULE.copied_byte))?;
    let mut framed = Vec::with_capacity(request.len().saturating_add(5));
    (request.len() as u64).encode(&mut framed);
    framed.extend_from_slice(request);
    set_input(store.as_context_mut().data_mut(), input::VAT_REQUEST, &framed);
    loop {
        match step(store.as_context_mut(), supervisor).await? {
            Output::Syscall(step) => {
                let reply = syscall(&mut store, step).await?;
                set_input(store.as_context_mut().data_mut(), input::REPLY, &reply);
            }
            Output::AnswerVat(answer) => {
                charge(&mut store, price(answer.len(), SCHEDULE.copied_byte))?;
                return Ok(answer);
            }
            Output::CallVat(_) => return Err(GuestFault("supervisor called a vat that waits for an answer").into()),
            Output::Finished => return Err(GuestFault("supervisor finished while its vat waits for an answer").into()),
            Output::Failed => return Err(GuestFault("supervisor gave up on its vat").into()),
        }
    }
}

fn set_input(data: &mut VatData, tag: u8, bytes: &[u8]) {
    data.input.clear();
    data.input.push(tag);
    data.input.extend_from_slice(bytes);
}

/// One step of the supervisor on the input that is set.
async fn step(
    mut store: wasmtime::StoreContextMut<'_, VatData>,
    supervisor: &SupervisorCalls,
) -> wasmtime::Result<Output> {
    let input = std::mem::take(&mut store.data_mut().input);
    let length = guest::length(&input)?;
    let address = supervisor.alloc.call_async(&mut store, length).await?;
    guest::write(supervisor.memory, &mut store, address, &input)?;
    store.data_mut().input = input;
    let packed = supervisor.step.call_async(&mut store, (address, length)).await?;
    let most = store.data().limits.request_bytes_max();
    let bytes = guest::read_packed(supervisor.memory, &store, packed, most)?;
    Ok(read_output(&bytes, &store.data().limits)?)
}

/// Makes a syscall: parks until the kernel has answered.
pub(super) async fn syscall(
    store: &mut impl AsContextMut<Data = VatData>,
    step: Vec<u8>,
) -> wasmtime::Result<std::sync::Arc<[u8]>> {
    charge(
        store,
        SCHEDULE
            .syscall
            .saturating_add(price(step.len(), SCHEDULE.syscall_byte)),
    )?;
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
    let grown = std::mem::take(&mut context.data_mut().limiter.grown_bytes);
    let amount = amount.saturating_add(price(grown / (64 * 1024), SCHEDULE.page_grown));
    if amount == 0 {
        return Ok(());
    }
    let fuel = context
        .as_context()
        .get_fuel()
        .map_err(|error| wasmtime::Error::new(HaltFault(error.to_string())))?;
    let left = fuel.checked_sub(amount).ok_or(OutOfFuel)?;
    context.set_fuel(left)
}
