//! The kernel's imports, bound to its overlay and to whoever drives it (source: the table in `swingset_abi::kernel`).

use std::{future::poll_fn, sync::Arc, task::Poll};

use bytes::Bytes;
use swingset_abi::kernel::imports::{ABSENT, MODULE};
use wasmtime::{Caller, Engine, Linker};

use super::{
    instance::{Answer, KernelData, Request},
    kv::{Next, Value},
    shim::{FAST_MODULE, SLOW_MODULE},
};
use crate::{engine::GuestFault, error::Halt, guest, keys, sync::lock};

/// Longest kernel key, in bytes.
const KEY_BYTES_MAX: u32 = 8 * 1024;
/// Largest value, in bytes.
const VALUE_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// Marks that may be out at once.
const MARKS_MAX: usize = 64;

type Kernel<'a> = Caller<'a, KernelData>;
type Result<T> = wasmtime::Result<T>;

/// Memory and data of a kernel that called.
fn parts<'a>(caller: &'a mut Kernel<'_>) -> Result<(&'a mut [u8], &'a mut KernelData)> {
    let memory = caller.data().memory.ok_or(GuestFault("import called while being instantiated"))?;
    Ok(memory.data_and_store_mut(caller))
}

fn key(memory: &[u8], address: u32, length: u32) -> std::result::Result<&[u8], GuestFault> {
    if length > KEY_BYTES_MAX {
        return Err(GuestFault("key is too long"));
    }
    guest::slice(memory, address, length)
}

fn text(memory: &[u8], address: u32, length: u32) -> std::result::Result<String, GuestFault> {
    let bytes = key(memory, address, length)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| GuestFault("name is not UTF-8"))
}

/// Suspends the kernel until its driver answers.
async fn ask(caller: &mut Kernel<'_>, request: Request) -> Result<Answer> {
    let data = caller.data_mut();
    let kv = std::mem::take(&mut data.kv);
    lock(&data.mail).request = Some((request, kv));
    let mail = data.mail.clone();
    let (answer, kv) = poll_fn(|_| lock(&mail).answer.take().map_or(Poll::Pending, Poll::Ready)).await;
    caller.data_mut().kv = kv;
    Ok(answer?)
}

async fn ask_bytes(caller: &mut Kernel<'_>, request: Request) -> Result<Vec<u8>> {
    match ask(caller, request).await? {
        Answer::Bytes(bytes) => Ok(bytes),
        Answer::Done => Err(GuestFault("no answer").into()),
    }
}

/// What the fast half of an import says when the slow half must be asked first.
const UNKNOWN: i32 = i32::MIN;

/// `get`, when the overlay knows the key.
fn get_known(mut caller: Kernel<'_>, address: u32, length: u32, out: u32, capacity: u32) -> Result<i32> {
    let (memory, data) = parts(&mut caller)?;
    match data.kv.lookup(key(memory, address, length)?) {
        Value::Unknown => Ok(UNKNOWN),
        Value::Absent => Ok(ABSENT),
        Value::Present(value) => Ok(guest::give(memory, &mut data.kept, out, capacity, value)?),
    }
}

/// `has`, when the overlay knows the key.
fn has_known(mut caller: Kernel<'_>, address: u32, length: u32) -> Result<i32> {
    let (memory, data) = parts(&mut caller)?;
    Ok(match data.kv.lookup(key(memory, address, length)?) {
        Value::Unknown => UNKNOWN,
        Value::Absent => 0,
        Value::Present(_) => 1,
    })
}

/// Lets the overlay learn a key.
async fn load(mut caller: Kernel<'_>, (address, length): (u32, u32)) -> Result<()> {
    let (memory, _) = parts(&mut caller)?;
    let key = Bytes::copy_from_slice(key(memory, address, length)?);
    ask(&mut caller, Request::Load(key)).await?;
    Ok(())
}

fn writable(key: &[u8]) -> std::result::Result<&[u8], GuestFault> {
    if keys::host_owned(key) { Err(GuestFault("write to a key that is the host's")) } else { Ok(key) }
}

fn set(mut caller: Kernel<'_>, address: u32, length: u32, value: u32, value_length: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller)?;
    if value_length > VALUE_BYTES_MAX {
        return Err(GuestFault("value is too large").into());
    }
    let value = guest::slice(memory, value, value_length)?;
    data.kv.put(writable(key(memory, address, length)?)?, Some(value));
    Ok(())
}

fn delete(mut caller: Kernel<'_>, address: u32, length: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller)?;
    data.kv.put(writable(key(memory, address, length)?)?, None);
    Ok(())
}

async fn next_key(
    mut caller: Kernel<'_>,
    (prior, prior_length, prefix, prefix_length, out, capacity): (u32, u32, u32, u32, u32, u32),
) -> Result<i32> {
    loop {
        let (memory, data) = parts(&mut caller)?;
        let next = data.kv.next_key(key(memory, prior, prior_length)?, key(memory, prefix, prefix_length)?);
        match next {
            Next::Key(None) => return Ok(ABSENT),
            Next::Key(Some(key)) => return Ok(guest::give(memory, &mut data.kept, out, capacity, &key)?),
            Next::Ask(from) => ask(&mut caller, Request::Successor(from)).await?,
        };
    }
}

fn mark(mut caller: Kernel<'_>) -> Result<i32> {
    let data = caller.data_mut();
    if data.marks.len() >= MARKS_MAX {
        return Err(GuestFault("too many marks").into());
    }
    data.marks.push(data.kv.mark());
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
    let data = caller.data_mut();
    let point = take_mark(data, mark)?;
    data.kv.rollback(point);
    end_marks(data);
    Ok(())
}

fn release(mut caller: Kernel<'_>, mark: i32) -> Result<()> {
    let data = caller.data_mut();
    take_mark(data, mark)?;
    end_marks(data);
    Ok(())
}

fn end_marks(data: &mut KernelData) {
    if data.marks.is_empty() {
        data.kv.end_marks();
    }
}

type DeliverArguments = (u32, u32, u32, u32, u64, u32, u32);

async fn deliver(
    mut caller: Kernel<'_>,
    (vat, vat_length, delivery, length, limit, out, capacity): DeliverArguments,
) -> Result<i32> {
    let (memory, _) = parts(&mut caller)?;
    let vat = text(memory, vat, vat_length)?;
    let delivery = Arc::from(guest::slice(memory, delivery, length)?);
    let step = ask_bytes(&mut caller, Request::Deliver { vat, delivery, limit }).await?;
    answer(&mut caller, out, capacity, &step)
}

async fn resume(mut caller: Kernel<'_>, (reply, length, out, capacity): (u32, u32, u32, u32)) -> Result<i32> {
    let (memory, _) = parts(&mut caller)?;
    let reply = Arc::from(guest::slice(memory, reply, length)?);
    let step = ask_bytes(&mut caller, Request::Resume(reply)).await?;
    answer(&mut caller, out, capacity, &step)
}

fn answer(caller: &mut Kernel<'_>, out: u32, capacity: u32, bytes: &[u8]) -> Result<i32> {
    let (memory, data) = parts(caller)?;
    Ok(guest::give(memory, &mut data.kept, out, capacity, bytes)?)
}

async fn abandon(mut caller: Kernel<'_>, (vat, length): (u32, u32)) -> Result<()> {
    let (memory, _) = parts(&mut caller)?;
    let vat = text(memory, vat, length)?;
    ask(&mut caller, Request::Abandon(vat)).await?;
    Ok(())
}

async fn bridge(
    mut caller: Kernel<'_>,
    (name, name_length, body, length, out, capacity): (u32, u32, u32, u32, u32, u32),
) -> Result<i32> {
    let (memory, _) = parts(&mut caller)?;
    let name = text(memory, name, name_length)?;
    let body = guest::slice(memory, body, length)?.to_vec();
    let bytes = ask_bytes(&mut caller, Request::Bridge { name, body }).await?;
    answer(&mut caller, out, capacity, &bytes)
}

fn fetch(mut caller: Kernel<'_>, out: u32, capacity: u32) -> Result<i32> {
    let (memory, data) = parts(&mut caller)?;
    Ok(guest::fetch(memory, &mut data.kept, out, capacity)?)
}

fn log(mut caller: Kernel<'_>, level: u32, address: u32, length: u32) -> Result<()> {
    let (memory, _) = parts(&mut caller)?;
    let text = guest::slice(memory, address, length.min(KEY_BYTES_MAX))?;
    tracing::debug!(target: "swingset::kernel", level, text = %String::from_utf8_lossy(text));
    Ok(())
}

/// Binds all imports.
pub(crate) fn link_kernel(engine: &Engine) -> std::result::Result<Linker<KernelData>, Halt> {
    let link = || -> Result<Linker<KernelData>> {
        let mut linker = Linker::new(engine);
        linker.func_wrap(FAST_MODULE, "get", get_known)?;
        linker.func_wrap(FAST_MODULE, "has", has_known)?;
        linker.func_wrap_async(SLOW_MODULE, "load", |caller, arguments| Box::new(load(caller, arguments)))?;
        linker.func_wrap(MODULE, "set", set)?;
        linker.func_wrap(MODULE, "delete", delete)?;
        linker.func_wrap_async(MODULE, "next_key", |caller, arguments| Box::new(next_key(caller, arguments)))?;
        linker.func_wrap(MODULE, "mark", mark)?;
        linker.func_wrap(MODULE, "rollback", rollback)?;
        linker.func_wrap(MODULE, "release", release)?;
        linker.func_wrap_async(MODULE, "deliver", |caller, arguments| Box::new(deliver(caller, arguments)))?;
        linker.func_wrap_async(MODULE, "resume", |caller, arguments| Box::new(resume(caller, arguments)))?;
        linker.func_wrap_async(MODULE, "abandon_vat", |caller, arguments| Box::new(abandon(caller, arguments)))?;
        linker.func_wrap_async(MODULE, "bridge", |caller, arguments| Box::new(bridge(caller, arguments)))?;
        linker.func_wrap(MODULE, "fetch", fetch)?;
        linker.func_wrap(MODULE, "log", log)?;
        Ok(linker)
    };
    link().map_err(|error| Halt::new(format!("the kernel's imports cannot be bound: {error}")))
}
