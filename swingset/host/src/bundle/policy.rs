//! Lockdown policies: the limits that bind a vat, as canonical JSON.
//!
//! Canonical: one object with exactly the fields of [`LockdownPolicy`] in byte order of their names, no white space, integers
//! and booleans only, so that one policy has one text.

use serde::{Deserialize, Serialize};

use crate::{
    error::{RejectCode, Rejection},
    pages::PAGE_BYTES,
    schedule::SCHEDULE,
};

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

/// Syscalls that every policy leaves a crank. A supervisor deletes what nobody holds in the cranks of ordinary deliveries and of
/// `bringOutYourDead`, as much as its budget says; a vat whose crank cannot bear that would be ended for what it let go of. A released
/// supervisor's deletions take half of this at most.
pub const CRANK_SYSCALLS_MIN: u32 = 5_000;
/// Computrons that every policy leaves a crank, for the same reason, beside those for the vat's memory: see
/// [`LockdownPolicy::crank_computrons_min`].
const CRANK_COMPUTRONS_MIN: u64 = 500_000;
/// A vat's memories: its own, and its supervisor's.
const MEMORIES: u64 = 2;
const WASM_PAGE_BYTES: u64 = 64 * 1024;

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

    /// The fewest computrons of a crank: any delivery may be a vat's first of a block, which pays for its whole memory.
    pub fn crank_computrons_min(&self) -> u64 {
        let pages = u64::from(self.memory_pages_max) * (WASM_PAGE_BYTES / PAGE_BYTES as u64) * MEMORIES;
        CRANK_COMPUTRONS_MIN + SCHEDULE.computrons(pages * SCHEDULE.page_touched)
    }

    fn check(&self) -> Result<(), Rejection> {
        let ceiling = &POLICY_CEILING;
        let field = |name, value: u32, least: u32, most: u32| (name, value.into(), least.into(), most.into());
        let rows: [(&str, u64, u64, u64); 8] = [
            field("capdataBytesMax", self.capdata_bytes_max, 1, ceiling.capdata_bytes_max),
            field("keyBytesMax", self.key_bytes_max, 1, ceiling.key_bytes_max),
            field("memoryPagesMax", self.memory_pages_max, 1, ceiling.memory_pages_max),
            field("valueBytesMax", self.value_bytes_max, 1, ceiling.value_bytes_max),
            ("storedBytesMax", self.stored_bytes_max, 1, ceiling.stored_bytes_max),
            ("crankComputronsMax", self.crank_computrons_max, 1, ceiling.crank_computrons_max),
            (
                "crankComputronsDefault",
                self.crank_computrons_default,
                self.crank_computrons_min(),
                self.crank_computrons_max,
            ),
            field(
                "syscallsPerCrankMax",
                self.syscalls_per_crank_max,
                CRANK_SYSCALLS_MIN,
                ceiling.syscalls_per_crank_max,
            ),
        ];
        for (name, value, least, most) in rows {
            if value < least || value > most {
                let problem = format!("{name} is {value}; it must be {least} to {most}");
                return Err(Rejection::new(RejectCode::Policy, problem));
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
        check_refused(
            &good.replace("Max\":10000,", "Max\":4999,"),
            "syscallsPerCrankMax is 4999; it must be 5000 to 50000",
        );
        let words = "crankComputronsDefault is 663839; it must be 663840 to 10000000";
        check_refused(&good.replace("Default\":1000000", "Default\":663839"), words);
        check_refused(&good.replace("Max\":10000000", "Max\":999999"), "it must be 663840 to 999999");
        // More memory to pay for.
        check_refused(&good.replace("\"memoryPagesMax\":512", "\"memoryPagesMax\":2048"), "it must be 1155360");
        check_refused(&good.replace("\"engineProfile\":1", "\"engineProfile\":2"), "profile");
    }
}
