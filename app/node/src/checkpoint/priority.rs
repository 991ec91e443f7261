//! Work that may take its time: reading a whole checkpoint, rehearsing an upgrade. It gets the processor and the disk that nobody else
//! wants.

/// Lowest priority of the processor.
const NICE: i32 = 19;

/// `IOPRIO_CLASS_IDLE` in the class bits of an I/O priority.
#[cfg(target_os = "linux")]
const IO_IDLE: libc::c_int = 3 << 13;

/// Gives the calling thread, and the threads that it makes from now on, the lowest priority. A system that refuses changes nothing
/// but the time that others wait.
pub fn lower() {
    // On Linux process 0 is the calling thread.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "the processor's priority stays as it is");
    }
    lower_io();
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn lower_io() {
    const WHO_PROCESS: libc::c_int = 1;
    // SAFETY: ioprio_set takes three numbers and touches no memory; process 0 is the calling thread.
    let result = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, IO_IDLE) };
    if result != 0 {
        tracing::debug!(error = %std::io::Error::last_os_error(), "the disk's priority stays as it is");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_io() {}
