//! A vat's imports (source: the docs of `swingset_abi::supervisor`).

use swingset_abi::supervisor::imports::MODULE;
use wasmtime::{AsContextMut, Caller, Engine, Func, Linker};

use super::{
    delivery::{charge, next, request, syscall},
    instances::VatData,
    outputs::step_of_syscall,
};
use crate::{
    engine::GuestFault,
    error::Halt,
    guest,
    schedule::{SCHEDULE, price},
};

/// Longest log line, in bytes.
const LOG_BYTES_MAX: u32 = 4 * 1024;

type Vat<'a> = Caller<'a, VatData>;
type Result<T> = wasmtime::Result<T>;

fn parts<'a>(caller: &'a mut Vat<'_>) -> Result<(&'a mut [u8], &'a mut VatData)> {
    let memory = caller.data().memory.ok_or(GuestFault("import called while being instantiated"))?;
    Ok(memory.data_and_store_mut(caller))
}

/// A raw vat's syscall, or a supervised vat's request to its supervisor.
async fn call(mut caller: Vat<'_>, (address, length, out, capacity): (u32, u32, u32, u32)) -> Result<i32> {
    let (memory, data) = parts(&mut caller)?;
    if length as usize > data.limits.request_bytes_max() {
        return Err(GuestFault("request is too large").into());
    }
    let bytes = guest::slice(memory, address, length)?;
    if data.supervisor.is_none() {
        let step = step_of_syscall(bytes, &data.limits)?;
        let reply = syscall(&mut caller, step).await?;
        return answer(&mut caller, out, capacity, &reply);
    }
    let bytes = bytes.to_vec();
    let reply = request(&mut caller, &bytes).await?;
    answer(&mut caller, out, capacity, &reply)
}

fn answer(caller: &mut Vat<'_>, out: u32, capacity: u32, bytes: &[u8]) -> Result<i32> {
    let (memory, data) = parts(caller)?;
    Ok(guest::give(memory, &mut data.kept, out, capacity, bytes)?)
}

fn fetch(mut caller: Vat<'_>, out: u32, capacity: u32) -> Result<i32> {
    let kept = caller.data().kept.len();
    charge(&mut caller, price(kept, SCHEDULE.copied_byte))?;
    let (memory, data) = parts(&mut caller)?;
    Ok(guest::fetch(memory, &mut data.kept, out, capacity)?)
}

fn log(mut caller: Vat<'_>, level: u32, address: u32, length: u32) -> Result<()> {
    let length = length.min(LOG_BYTES_MAX);
    charge(&mut caller, price(length as usize, SCHEDULE.log_byte))?;
    let (memory, _) = parts(&mut caller)?;
    let text = guest::slice(memory, address, length)?;
    tracing::debug!(target: "swingset::vat", level, text = %String::from_utf8_lossy(text));
    Ok(())
}

/// Import module of the runner's halves on the host's side.
const DRIVER_MODULE: &str = "driver";

/// Copies the event to where the vat's code has made room.
fn put(mut caller: Vat<'_>, address: u32) -> Result<()> {
    let (memory, data) = parts(&mut caller)?;
    guest::slice_mut(memory, address, guest::length(&data.event)?)?.copy_from_slice(&data.event);
    Ok(())
}

/// The runner's halves on the host's side.
pub(super) fn driver(
    mut store: impl AsContextMut<Data = VatData>,
    linker: &Linker<VatData>,
) -> std::result::Result<(Func, Func), Halt> {
    let mut half = |name: &str| {
        let found = linker.get(&mut store, DRIVER_MODULE, name).ok().and_then(|found| found.into_func());
        found.ok_or_else(|| Halt::new(format!("the driver's {name} is not linked")))
    };
    Ok((half("next")?, half("put")?))
}

/// Binds all imports.
pub(crate) fn link_vat(engine: &Engine) -> std::result::Result<Linker<VatData>, Halt> {
    let link = || -> Result<Linker<VatData>> {
        let mut linker = Linker::new(engine);
        linker.func_wrap_async(MODULE, "call", |caller, arguments| Box::new(call(caller, arguments)))?;
        linker.func_wrap_async(DRIVER_MODULE, "next", |caller, ()| Box::new(next(caller)))?;
        linker.func_wrap(DRIVER_MODULE, "put", put)?;
        linker.func_wrap(MODULE, "fetch", fetch)?;
        linker.func_wrap(MODULE, "log", log)?;
        Ok(linker)
    };
    link().map_err(|error| Halt::new(format!("a vat's imports cannot be bound: {error}")))
}
