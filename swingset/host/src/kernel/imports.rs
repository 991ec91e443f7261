//! The kernel's imports, bound to its overlay and to whoever drives it (source: the table in `swingset_abi::kernel`).

use std::{future::poll_fn, task::Poll};

use bytes::Bytes;
use swingset_abi::kernel::imports::{ABSENT, MODULE};
use wasmtime::{AsContextMut, Caller, Engine, Func, Linker, Val};

use super::{
    instance::{Answer, KernelData, KernelFault, Request},
    kv::Value,
    price,
    rows::{self, KEY_BYTES_MAX, VALUE_BYTES_MAX, key, writable},
    shim::{FAST_MODULE, LOAD, PREPARE, SLOW_MODULE},
    walk::Next,
};
use crate::{
    engine::{GuestFault, HaltFault},
    error::Halt,
    guest,
    schedule::KERNEL_WORK_CAP,
    sync::lock,
};

/// Import module of the runner's halves on the host's side.
const DRIVER_MODULE: &str = "driver";
/// Largest reply, in bytes.
const REPLY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Marks that may be out at once.
const MARKS_MAX: usize = 64;

type Kernel<'a> = Caller<'a, KernelData>;
type Result<T> = wasmtime::Result<T>;

/// Memory and data of a kernel that called for this price.
fn parts<'a>(caller: &'a mut Kernel<'_>, price: u64) -> Result<(&'a mut [u8], &'a mut KernelData)> {
    price::begin(caller, price)?;
    room(caller)
}

/// Memory and data of a kernel whose call was counted, or is not.
fn room<'a>(caller: &'a mut Kernel<'_>) -> Result<(&'a mut [u8], &'a mut KernelData)> {
    let memory = caller.data().memory.ok_or(GuestFault("import called while being instantiated"))?;
    Ok(memory.data_and_store_mut(caller))
}

fn text(memory: &[u8], address: u32, length: u32) -> std::result::Result<&str, GuestFault> {
    let bytes = key(memory, address, length)?;
    std::str::from_utf8(bytes).map_err(|_| GuestFault("name is not UTF-8"))
}

/// The kernel's last reply goes to its driver; waits for the next command and gives its length.
async fn next(mut caller: Kernel<'_>, reply: u64) -> Result<u32> {
    let mail = caller.data().mail.clone();
    let work =
        caller.data().work.ok_or_else(|| HaltFault("a kernel that does not count its work was called".to_owned()))?;
    if caller.data().at_work {
        price::pay(&mut caller)?;
        let left = work.get(&mut caller).i64().unwrap_or(KERNEL_WORK_CAP);
        let (memory, data) = room(&mut caller)?;
        let reply = guest::packed(memory, reply, REPLY_BYTES_MAX)?.to_vec();
        let mut mail = lock(&mail);
        data.pass_desk(&mut mail);
        mail.reply = Some(Ok(reply));
        mail.work = KERNEL_WORK_CAP.saturating_sub(left).unsigned_abs();
    }
    let command = poll_fn(|_| lock(&mail).command.take().map_or(Poll::Pending, Poll::Ready)).await;
    let length = guest::length(&command)?;
    work.set(&mut caller, Val::I64(KERNEL_WORK_CAP))?;
    let data = caller.data_mut();
    data.pass_desk(&mut lock(&mail));
    data.marks.clear();
    data.kept.clear();
    data.spent = price::Spent::default();
    data.command = command;
    Ok(length)
}

/// Copies the command to where the kernel has made room.
fn put(mut caller: Kernel<'_>, address: u32) -> Result<()> {
    let (memory, data) = room(&mut caller)?;
    let length = guest::length(&data.command)?;
    guest::slice_mut(memory, address, length)?.copy_from_slice(&data.command);
    Ok(())
}

/// The runner's halves on the host's side.
pub(super) fn driver(
    mut store: impl AsContextMut<Data = KernelData>,
    linker: &Linker<KernelData>,
) -> std::result::Result<(Func, Func), Halt> {
    let mut half = |name: &str| {
        let found = linker.get(&mut store, DRIVER_MODULE, name).ok().and_then(|found| found.into_func());
        found.ok_or_else(|| Halt::new(format!("the driver's {name} is not linked")))
    };
    Ok((half("next")?, half("put")?))
}

/// Suspends the kernel until its driver answers.
async fn ask(caller: &mut Kernel<'_>, request: Request) -> Result<Answer> {
    let mail = caller.data().mail.clone();
    {
        let mut mail = lock(&mail);
        caller.data_mut().pass_desk(&mut mail);
        mail.request = Some(request);
    }
    let answer = poll_fn(|_| lock(&mail).answer.take().map_or(Poll::Pending, Poll::Ready)).await;
    caller.data_mut().pass_desk(&mut lock(&mail));
    Ok(answer?)
}

fn raise(fault: KernelFault) -> wasmtime::Error {
    match fault {
        KernelFault::Kernel(word) => GuestFault(word).into(),
        KernelFault::Halt(halt) => HaltFault(halt.0).into(),
    }
}

/// What the fast half of an import says when the slow half must be asked first. Then nothing is counted yet, so that it counts once
/// whatever this node has at hand.
const UNKNOWN: i32 = i32::MIN;

/// `get`, when the overlay knows the key.
fn get_known(mut caller: Kernel<'_>, address: u32, length: u32, out: u32, capacity: u32) -> Result<i32> {
    let (memory, data) = parts(&mut caller, 0)?;
    match data.desk.kv.lookup(key(memory, address, length)?) {
        Value::Unknown => Ok(UNKNOWN),
        Value::Absent => {
            data.spent.look(length, 0)?;
            Ok(ABSENT)
        }
        Value::Present(value) => {
            data.spent.look(length, value.len())?;
            Ok(guest::give(memory, &mut data.kept, out, capacity, value)?)
        }
    }
}

/// `has`, when the overlay knows the key.
fn has_known(mut caller: Kernel<'_>, address: u32, length: u32) -> Result<i32> {
    let (memory, data) = parts(&mut caller, 0)?;
    let (answer, bytes) = match data.desk.kv.lookup(key(memory, address, length)?) {
        Value::Unknown => return Ok(UNKNOWN),
        Value::Absent => (0, 0),
        Value::Present(value) => (1, value.len()),
    };
    data.spent.look(length, bytes)?;
    Ok(answer)
}

/// Makes a vat ready for a delivery.
async fn prepare(mut caller: Kernel<'_>, (vat, length): (u32, u32)) -> Result<()> {
    let (memory, _) = room(&mut caller)?;
    let vat = text(memory, vat, length)?.to_owned();
    ask(&mut caller, Request::Prepare(vat)).await?;
    Ok(())
}

/// Lets the overlay learn a key.
async fn load(mut caller: Kernel<'_>, (address, length): (u32, u32)) -> Result<()> {
    let (memory, _) = room(&mut caller)?;
    let key = Bytes::copy_from_slice(key(memory, address, length)?);
    ask(&mut caller, Request::Load(key)).await?;
    Ok(())
}

fn set(mut caller: Kernel<'_>, address: u32, length: u32, value: u32, value_length: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller, price::CALL)?;
    if value_length > VALUE_BYTES_MAX {
        return Err(GuestFault("value is too large").into());
    }
    let value = guest::slice(memory, value, value_length)?;
    let key = writable(key(memory, address, length)?)?;
    data.spent.write(1, u64::from(length) + u64::from(value_length))?;
    data.desk.kv.put(key, Some(value));
    Ok(())
}

fn delete(mut caller: Kernel<'_>, address: u32, length: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller, price::CALL)?;
    let key = writable(key(memory, address, length)?)?;
    data.spent.write(1, u64::from(length))?;
    data.desk.kv.put(key, None);
    Ok(())
}

/// `write`. A row that is refused ends the call, and the fault undoes what was written before it.
fn write(mut caller: Kernel<'_>, bytes: u32, length: u32, rows: u32, count: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller, price::CALL)?;
    let bytes = guest::slice(memory, bytes, length)?;
    let rows = rows::of(memory, rows, count)?;
    // Before any is kept: a few rows may name more than a machine has.
    data.spent.write(rows.len(), rows.iter().map(rows::size).sum())?;
    for row in rows {
        let (key, value) = rows::change(bytes, row)?;
        data.desk.kv.put(key, value);
    }
    Ok(())
}

async fn next_key(
    mut caller: Kernel<'_>,
    (prior, prior_length, prefix, prefix_length, out, capacity): (u32, u32, u32, u32, u32, u32),
) -> Result<i32> {
    price::begin(&mut caller, price::NEXT_KEY)?;
    loop {
        let (memory, data) = room(&mut caller)?;
        let next = data.desk.kv.next_key(key(memory, prior, prior_length)?, key(memory, prefix, prefix_length)?);
        match next {
            Next::Key(None) => return Ok(ABSENT),
            Next::Key(Some(key)) => {
                data.spent.copy(key.len());
                return Ok(guest::give(memory, &mut data.kept, out, capacity, &key)?);
            }
            Next::Ask(from) => ask(&mut caller, Request::Successor(from)).await?,
        };
    }
}

fn mark(mut caller: Kernel<'_>) -> Result<i32> {
    price::begin(&mut caller, price::CALL)?;
    let data = caller.data_mut();
    if data.marks.len() >= MARKS_MAX {
        return Err(GuestFault("too many marks").into());
    }
    data.marks.push(data.desk.kv.mark());
    Ok(i32::try_from(data.marks.len() - 1)?)
}

/// The journal point of a mark; it and all marks after it are forgotten.
fn take_mark(data: &mut KernelData, mark: i32) -> Result<usize> {
    let depth = usize::try_from(mark).map_err(|_| GuestFault("no such mark"))?;
    let point = data.marks.get(depth).copied().ok_or(GuestFault("no such mark"))?;
    data.marks.truncate(depth);
    Ok(point)
}

fn rollback(mut caller: Kernel<'_>, mark: i32) -> Result<()> {
    price::begin(&mut caller, price::CALL)?;
    let data = caller.data_mut();
    let point = take_mark(data, mark)?;
    data.desk.kv.rollback(point);
    end_marks(data);
    Ok(())
}

fn release(mut caller: Kernel<'_>, mark: i32) -> Result<()> {
    price::begin(&mut caller, price::CALL)?;
    let data = caller.data_mut();
    take_mark(data, mark)?;
    end_marks(data);
    Ok(())
}

fn end_marks(data: &mut KernelData) {
    if data.marks.is_empty() {
        data.desk.kv.end_marks();
    }
}

/// `deliver`, when the vat is ready.
#[expect(clippy::too_many_arguments, reason = "the contract's import has as many")]
fn deliver_ready(
    mut caller: Kernel<'_>,
    vat: u32,
    vat_length: u32,
    delivery: u32,
    length: u32,
    limit: u64,
    out: u32,
    capacity: u32,
) -> Result<i32> {
    let (memory, data) = parts(&mut caller, 0)?;
    let vat = text(memory, vat, vat_length)?;
    let delivery = guest::slice(memory, delivery, length)?;
    match data.desk.vats.deliver(vat, delivery, limit).map_err(raise)? {
        None => Ok(UNKNOWN),
        Some(step) => {
            data.spent.deliver()?;
            data.spent.keep(delivery.len() as u64)?;
            data.spent.copy(step.len());
            Ok(guest::give(memory, &mut data.kept, out, capacity, &step)?)
        }
    }
}

fn resume(mut caller: Kernel<'_>, reply: u32, length: u32, out: u32, capacity: u32) -> Result<i32> {
    let (memory, data) = parts(&mut caller, price::CALL)?;
    let reply = guest::slice(memory, reply, length)?;
    data.spent.keep(u64::from(length))?;
    let step = data.desk.vats.resume(reply).map_err(raise)?;
    data.spent.copy(step.len());
    Ok(guest::give(memory, &mut data.kept, out, capacity, &step)?)
}

fn abandon(mut caller: Kernel<'_>, vat: u32, length: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller, price::VAT)?;
    data.desk.vats.abandon(text(memory, vat, length)?).map_err(raise)
}

fn replace(mut caller: Kernel<'_>, vat: u32, length: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller, price::VAT)?;
    data.desk.vats.replace(text(memory, vat, length)?).map_err(raise)
}

fn restore(mut caller: Kernel<'_>, vat: u32, length: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller, price::VAT)?;
    data.desk.vats.restore(text(memory, vat, length)?).map_err(raise)
}

async fn bridge(
    mut caller: Kernel<'_>,
    (name, name_length, body, length, out, capacity): (u32, u32, u32, u32, u32, u32),
) -> Result<i32> {
    let (memory, data) = parts(&mut caller, price::BRIDGE)?;
    let name = text(memory, name, name_length)?.to_owned();
    let body = guest::slice(memory, body, length)?.to_vec();
    data.spent.copy(body.len());
    let answer = match ask(&mut caller, Request::Bridge { name, body }).await? {
        Answer::Bytes(answer) => answer,
        Answer::Absent => return Ok(ABSENT),
        Answer::Done => return Err(HaltFault("a bridge was answered with nothing".to_owned()).into()),
    };
    let (memory, data) = room(&mut caller)?;
    data.spent.copy(answer.len());
    Ok(guest::give(memory, &mut data.kept, out, capacity, &answer)?)
}

fn fetch(mut caller: Kernel<'_>, out: u32, capacity: u32) -> Result<i32> {
    let (memory, data) = parts(&mut caller, price::CALL)?;
    Ok(guest::fetch(memory, &mut data.kept, out, capacity)?)
}

fn log(mut caller: Kernel<'_>, level: u32, address: u32, length: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller, price::CALL)?;
    let text = guest::slice(memory, address, length.min(KEY_BYTES_MAX))?;
    data.spent.copy(text.len());
    tracing::debug!(target: "swingset::kernel", level, text = %String::from_utf8_lossy(text));
    Ok(())
}

/// Binds all imports.
pub(crate) fn link_kernel(engine: &Engine) -> std::result::Result<Linker<KernelData>, Halt> {
    let link = || -> Result<Linker<KernelData>> {
        let mut linker = Linker::new(engine);
        linker.func_wrap_async(DRIVER_MODULE, "next", |caller, (reply,)| Box::new(next(caller, reply)))?;
        linker.func_wrap(DRIVER_MODULE, "put", put)?;
        linker.func_wrap(FAST_MODULE, "get", get_known)?;
        linker.func_wrap(FAST_MODULE, "has", has_known)?;
        linker.func_wrap(FAST_MODULE, "deliver", deliver_ready)?;
        linker.func_wrap_async(SLOW_MODULE, LOAD, |caller, arguments| Box::new(load(caller, arguments)))?;
        linker.func_wrap_async(SLOW_MODULE, PREPARE, |caller, arguments| Box::new(prepare(caller, arguments)))?;
        linker.func_wrap(MODULE, "set", set)?;
        linker.func_wrap(MODULE, "delete", delete)?;
        linker.func_wrap(MODULE, "write", write)?;
        linker.func_wrap_async(MODULE, "next_key", |caller, arguments| Box::new(next_key(caller, arguments)))?;
        linker.func_wrap(MODULE, "mark", mark)?;
        linker.func_wrap(MODULE, "rollback", rollback)?;
        linker.func_wrap(MODULE, "release", release)?;
        linker.func_wrap(MODULE, "resume", resume)?;
        linker.func_wrap(MODULE, "abandon_vat", abandon)?;
        linker.func_wrap(MODULE, "replace_vat", replace)?;
        linker.func_wrap(MODULE, "restore_vat", restore)?;
        linker.func_wrap_async(MODULE, "bridge", |caller, arguments| Box::new(bridge(caller, arguments)))?;
        linker.func_wrap(MODULE, "fetch", fetch)?;
        linker.func_wrap(MODULE, "log", log)?;
        Ok(linker)
    };
    link().map_err(|error| Halt::new(format!("the kernel's imports cannot be bound: {error}")))
}
