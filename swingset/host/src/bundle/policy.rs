//! Lockdown policies: the limits that bind a vat, as canonical JSON.
//!
//! Canonical: one object with exactly the fields of [`LockdownPolicy`] in byte order of their names, no white space, integers
//! and booleans only, so that one policy has one text.

use serde::{Deserialize, Serialize};

use crate::error::{RejectCode, Rejection};

/// The limits of a vat. Fields are in the order of the canonical text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockdownPolicy {
    /// Largest body plus slots of one message or resolution, in bytes.
    pub capdata_bytes_max: u32,
    /// Computrons of one crank, when the vat's options name none.
    pub crank_computrons_default: u64,
    /// Computrons of one crank, whatever the vat's options name.
    pub crank_computrons_max: u64,
    /// Which of the engine's profiles it needs; there is one, 1.
    pub engine_profile: u32,
    /// Whether modules may use floating point, then with canonical NaNs.
    pub floats: bool,
    /// Largest vatstore key, in bytes.
    pub key_bytes_max: u32,
    /// Largest memory of each of a vat's instances, in wasm pages of 64 KiB.
    pub memory_pages_max: u32,
    /// Bytes that a vat may have stored: its vatstore, its c-list, the data of promises that it settled, and messages of its that wait.
    /// Its memory has a cap of its own.
    pub stored_bytes_max: u64,
    /// Syscalls of one crank.
    pub syscalls_per_crank_max: u32,
    /// Largest vatstore value, in bytes.
    pub value_bytes_max: u32,
}

/// What no policy may go beyond.
pub const POLICY_CEILING: LockdownPolicy = LockdownPolicy {
    capdata_bytes_max: 4 * 1024 * 1024,
    crank_computrons_default: 10_000_000,
    crank_computrons_max: 10_000_000,
    engine_profile: 1,
    floats: true,
    key_bytes_max: 4096,
    memory_pages_max: 4096,
    stored_bytes_max: 16 * 1024 * 1024 * 1024,
    syscalls_per_crank_max: 50_000,
    value_bytes_max: 4 * 1024 * 1024,
};

impl Default for LockdownPolicy {
    /// The policy of the first release.
    fn default() -> Self {
        LockdownPolicy {
            capdata_bytes_max: 256 * 1024,
            crank_computrons_default: 1_000_000,
            crank_computrons_max: 10_000_000,
            engine_profile: 1,
            floats: false,
            key_bytes_max: 512,
            memory_pages_max: 512,
            stored_bytes_max: 256 * 1024 * 1024,
            syscalls_per_crank_max: 10_000,
            value_bytes_max: 256 * 1024,
        }
    }
}

impl LockdownPolicy {
    /// Reads canonical text.
    ///
    /// # Errors
    /// When it is not canonical, or goes beyond the ceiling.
    pub fn parse(text: &[u8]) -> Result<Self, Rejection> {
        let refuse = |problem: String| Rejection::new(RejectCode::Policy, problem);
        let policy: LockdownPolicy = serde_json::from_slice(text)
            .map_err(|error| refuse(format!("lockdown policy is not readable: {error}")))?;
        if policy.to_text() != text {
            return Err(refuse(
                "lockdown policy is not canonical: sort its fields and leave out white space".to_owned(),
            ));
        }
        policy.check()?;
        Ok(policy)
    }

    /// The canonical text.
    pub fn to_text(&self) -> Vec<u8> {
        // Serializing a struct of integers and booleans cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn check(&self) -> Result<(), Rejection> {
        let ceiling = &POLICY_CEILING;
        let fields = [
            ("capdataBytesMax", u64::from(self.capdata_bytes_max), u64::from(ceiling.capdata_bytes_max)),
            ("crankComputronsDefault", self.crank_computrons_default, self.crank_computrons_max),
            ("crankComputronsMax", self.crank_computrons_max, ceiling.crank_computrons_max),
            ("keyBytesMax", u64::from(self.key_bytes_max), u64::from(ceiling.key_bytes_max)),
            ("memoryPagesMax", u64::from(self.memory_pages_max), u64::from(ceiling.memory_pages_max)),
            ("storedBytesMax", self.stored_bytes_max, ceiling.stored_bytes_max),
            ("syscallsPerCrankMax", u64::from(self.syscalls_per_crank_max), u64::from(ceiling.syscalls_per_crank_max)),
            ("valueBytesMax", u64::from(self.value_bytes_max), u64::from(ceiling.value_bytes_max)),
        ];
        for (name, value, most) in fields {
            if value == 0 || value > most {
                return Err(Rejection::new(RejectCode::Policy, format!("{name} is {value}; it must be 1 to {most}")));
            }
        }
        if self.engine_profile != ceiling.engine_profile {
            let problem = format!("engine profile {} is not known; this engine has profile 1", self.engine_profile);
            return Err(Rejection::new(RejectCode::Policy, problem));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_has_the_golden_text() {
        let text = String::from_utf8(LockdownPolicy::default().to_text()).unwrap();
        assert_eq!(
            text,
            "{\"capdataBytesMax\":262144,\"crankComputronsDefault\":1000000,\"crankComputronsMax\":10000000,\"engineProfile\":1,\
             \"floats\":false,\"keyBytesMax\":512,\"memoryPagesMax\":512,\"storedBytesMax\":268435456,\"syscallsPerCrankMax\":10000,\"valueBytesMax\":262144}"
        );
        assert_eq!(LockdownPolicy::parse(text.as_bytes()).unwrap(), LockdownPolicy::default());
    }

    #[track_caller]
    fn check_refused(text: &str, word: &str) {
        let error = LockdownPolicy::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.code, RejectCode::Policy);
        assert!(error.problem.contains(word), "{} should speak of {word}", error.problem);
    }

    #[test]
    fn other_texts_and_limits_above_the_ceiling_are_refused() {
        let good = String::from_utf8(LockdownPolicy::default().to_text()).unwrap();
        check_refused("", "not readable");
        check_refused(&good.replace("{\"cap", "{ \"cap"), "not canonical");
        check_refused(&good.replace("512,\"mem", "512.0,\"mem"), "not readable");
        check_refused(&good.replace("\"floats\":false,", ""), "floats");
        check_refused(&good.replace("\"floats\":false", "\"floats\":false,\"extra\":1"), "extra");
        check_refused(&good.replace("\"memoryPagesMax\":512", "\"memoryPagesMax\":0"), "memoryPagesMax");
        check_refused(&good.replace("\"memoryPagesMax\":512", "\"memoryPagesMax\":4097"), "memoryPagesMax");
        check_refused(
            &good.replace("\"storedBytesMax\":268435456", "\"storedBytesMax\":17179869185"),
            "storedBytesMax",
        );
        check_refused(&good.replace("\"engineProfile\":1", "\"engineProfile\":2"), "profile");
    }
}
