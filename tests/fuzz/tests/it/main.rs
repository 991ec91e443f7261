//! The kept corpus, and small changes of it: what the fuzzers found interesting stays true.
#![allow(clippy::panic, reason = "a helper that fails, fails its test")]

use std::{fs, path::PathBuf};

use swing_fuzz::{TARGETS, Target};

/// Changed inputs of a target that runs no guest, over all of its corpus.
const CHANGES: u64 = 300;
/// The same for one that runs a whole engine twice an input.
const CHANGES_OF_GUESTS: u64 = 150;

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("the folder can be read").path();
            (path.display().to_string(), fs::read(&path).expect("the file can be read"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no corpus", folder.display());
    files
}

/// A small generator of its own: the same changes on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        // Source: Marsaglia, Xorshift RNGs.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % end.max(1)
    }

    fn change(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut changed = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(changed.len());
            match self.below(5) {
                0 if !changed.is_empty() => changed[at] ^= 1 << self.below(8),
                1 => changed.insert(at, u8::try_from(self.below(256)).unwrap_or_default()),
                2 if !changed.is_empty() => drop(changed.remove(at)),
                3 => changed.truncate(at),
                _ => {
                    let from = self.below(other.len());
                    changed.truncate(at);
                    changed.extend_from_slice(&other[from..]);
                }
            }
        }
        changed
    }
}

#[track_caller]
fn check(name: &str, changes: u64) {
    let Target { check, .. } = TARGETS.iter().find(|target| target.name == name).expect("there is such a target");
    let corpus = corpus(name);
    for (file, input) in &corpus {
        println!("{file}");
        check(input);
    }
    let mut numbers = Numbers(0x5eed);
    for round in 0..changes {
        let (input, other) = (numbers.below(corpus.len()), numbers.below(corpus.len()));
        let changed = numbers.change(&corpus[input].1, &corpus[other].1);
        println!("change {round} of {}: {}", corpus[input].0, String::from_utf8_lossy(&changed).escape_debug());
        check(&changed);
    }
}

#[test]
fn bundles_have_one_encoding_and_admitted_modules_stay_valid() {
    check("bundles", CHANGES);
}

#[test]
fn no_message_text_hurts_the_vat_that_reads_it() {
    check("capdata", CHANGES_OF_GUESTS);
}

#[test]
fn a_hostile_supervisor_hurts_nobody_else() {
    check("supervisor", CHANGES_OF_GUESTS);
}

#[test]
fn a_hostile_vat_hurts_nobody_else() {
    check("syscalls", CHANGES_OF_GUESTS);
}

#[test]
fn transactions_are_read_the_same_way_again() {
    check("transactions", CHANGES);
}

#[test]
fn every_target_has_a_fuzzer_of_its_name() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("targets/fuzz_targets");
    for target in TARGETS {
        assert!(folder.join(target.name).with_extension("rs").exists(), "{} has no fuzzer", target.name);
    }
}
