//! Exit codes of `swingd`, which supervisors and operators' scripts switch on.

/// How the process ended. The numbers are an interface: they never change their meaning.
///
/// 0 never means that an upgrade is due (cosmovisor takes a child's exit with 0 for the end of its work). 30 and 31 are left to
/// `pre-upgrade`, 64–78 to sysexits, 101 and 128 upwards to Rust and to signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Done, or stopped by SIGTERM or SIGINT with everything synced.
    Ok = 0,
    /// A wrong argument, configuration file, genesis or home directory; nothing was changed.
    Failed = 1,
    /// clap's code of a command line that it cannot read.
    Usage = 2,
    /// A plan is due that this release cannot handle: start the release of the plan's name.
    UpgradeNeeded = 40,
    /// This release is for a plan that is not due, and does not run the rules in force: start the previous one until then.
    UpgradeTooEarly = 41,
    /// Committed state is of a release that this binary does not know: start that one or a later one.
    WrongRelease = 42,
    /// The upgrade's handler failed. State is that of the block before; a repaired binary can be started on it.
    UpgradeFailed = 43,
    /// The chain has gone on from another state than this node's: a restart does not help.
    Diverged = 44,
    /// A fault of this machine or a broken invariant: storage, memory, an inconsistent engine.
    Halt = 50,
    /// A thread panicked.
    Panicked = 51,
    /// The consensus connection was lost: the engine is gone, or spoke nonsense.
    ConsensusLost = 52,
}

impl ExitCode {
    /// All of them, for the documentation and its test.
    pub const ALL: [ExitCode; 11] = [
        ExitCode::Ok,
        ExitCode::Failed,
        ExitCode::Usage,
        ExitCode::UpgradeNeeded,
        ExitCode::UpgradeTooEarly,
        ExitCode::WrongRelease,
        ExitCode::UpgradeFailed,
        ExitCode::Diverged,
        ExitCode::Halt,
        ExitCode::Panicked,
        ExitCode::ConsensusLost,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Ends the process of a node that has run, now. What it committed is synced; its sockets and threads end with it.
///
/// Returning from `main` would run the destructors of RocksDB's global objects while threads that serve a last query still use
/// them, and such a race ends in SIGABRT: another code than the one that supervisors wait for.
#[allow(unsafe_code)]
pub fn end_process(code: ExitCode) -> ! {
    use std::io::Write as _;
    // Nobody is left to tell when these fail.
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().flush();
    // SAFETY: `_exit` takes a number and ends the process; nothing of Rust runs after it.
    unsafe { libc::_exit(i32::from(code.code())) }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code.code())
    }
}
