//! What a file is, as far as it can be run here.

/// Why a file cannot be run on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// Built for another kind of processor.
    #[error("it is a program for {found}, this machine is {expected}: the wrong platform's file")]
    Machine {
        /// What it is for.
        found: String,
        /// What is needed.
        expected: &'static str,
    },
    /// No program at all.
    #[error("it is no program: it begins with {begins}")]
    NotAProgram {
        /// Its first bytes, hex.
        begins: String,
    },
}

/// How many bytes of a file [`check`] looks at.
pub const HEAD_BYTES: u64 = 20;

/// ELF's numbers for machines, with Go's and Rust's names for them.
const MACHINES: [(u16, &str, &str); 4] =
    [(62, "amd64", "x86_64"), (183, "arm64", "aarch64"), (243, "riscv64", "riscv64"), (3, "386", "x86")];

/// This machine as plans name it: `linux/amd64`.
#[must_use]
pub fn platform() -> String {
    let machine = MACHINES.iter().find(|(_, _, rust)| *rust == std::env::consts::ARCH);
    let system = if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS };
    format!("{system}/{}", machine.map_or(std::env::consts::ARCH, |(_, go, _)| go))
}

/// Whether a file that begins with `head` can be a program for this machine: an ELF file for its processor, or a script.
///
/// # Errors
/// [`ProgramError`].
pub fn check(head: &[u8]) -> Result<(), ProgramError> {
    if head.starts_with(b"#!") || !cfg!(target_os = "linux") {
        return Ok(());
    }
    let machine = match (head.starts_with(b"\x7fELF"), head.get(5), head.get(18..20)) {
        (true, Some(1), Some(&[low, high])) => u16::from_le_bytes([low, high]),
        (true, Some(2), Some(&[high, low])) => u16::from_be_bytes([high, low]),
        _ => return Err(ProgramError::NotAProgram { begins: hex::encode(head.get(..4).unwrap_or(head)) }),
    };
    let known = MACHINES.iter().find(|(number, _, _)| *number == machine);
    if known.is_some_and(|(_, _, rust)| *rust == std::env::consts::ARCH) {
        return Ok(());
    }
    let found = known.map_or_else(|| format!("ELF machine {machine}"), |(_, go, _)| (*go).to_owned());
    Err(ProgramError::Machine { found, expected: std::env::consts::ARCH })
}
