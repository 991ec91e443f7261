//! Tests of the kvStore's overlay.

use std::ops::Bound::{Excluded, Unbounded};

use super::{super::walk::Next, *};
use crate::env::MemoryEnvironment;

fn env(keys_and_values: &[(&str, &str)]) -> MemoryEnvironment {
    let entry = |(key, value): &(&str, &str)| (keys::kernel(key.as_bytes()), Bytes::copy_from_slice(value.as_bytes()));
    MemoryEnvironment::from_entries(keys_and_values.iter().map(entry))
}

fn next(kv: &mut KvStore, env: &dyn Environment, prior: &str, prefix: &str) -> Option<String> {
    loop {
        match kv.next_key(prior.as_bytes(), prefix.as_bytes()) {
            Next::Key(key) => return key.map(|key| String::from_utf8(key.to_vec()).unwrap()),
            Next::Ask(from) => kv.learn_next(env, from).unwrap(),
        }
    }
}

fn stored(env: &MemoryEnvironment) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    env.entries().map(|(key, value)| (text(key.strip_prefix(keys::KERNEL).unwrap()), text(value))).collect()
}

#[test]
fn walking_sees_stored_and_written_keys_and_skips_deleted_ones() {
    let env = env(&[("a.1", "x"), ("a.3", "x"), ("a.5", "x"), ("b.1", "x")]);
    let mut kv = KvStore::default();
    kv.put(b"a.2", Some(b"y"));
    kv.put(b"a.3", None);
    let mut seen = Vec::new();
    let mut at = String::new();
    while let Some(key) = next(&mut kv, &env, &at, "a.") {
        seen.push(key.clone());
        at = key;
    }
    assert_eq!(seen, ["a.1", "a.2", "a.5"]);
    kv.put(b"a.9", Some(b"y"));
    assert_eq!(next(&mut kv, &env, "a.5", "a.").as_deref(), Some("a.9"));
    kv.undo_crank();
    assert_eq!(next(&mut kv, &env, "a.2", "a.").as_deref(), Some("a.3"));
    assert_eq!(next(&mut kv, &env, "a.5", "a."), None);
    assert_eq!(next(&mut kv, &env, "", "zz"), None);
    assert_eq!(next(&mut kv, &env, "b", "a."), None);
}

#[test]
fn a_cranks_net_writes_are_what_differs_from_its_start() {
    let mut env = env(&[("same", "1"), ("gone", "1")]);
    let mut kv = KvStore::default();
    kv.put(b"same", Some(b"2"));
    kv.put(b"same", Some(b"1"));
    kv.put(b"brief", Some(b"1"));
    kv.put(b"brief", None);
    assert_eq!(kv.commit_crank(&env).unwrap(), None, "nothing differs");
    kv.put(b"gone", None);
    kv.put(b"new", Some(b"1"));
    assert!(kv.commit_crank(&env).unwrap().is_some());
    kv.put(b"new", Some(b"2"));
    kv.undo_crank();
    kv.flush(&mut env).unwrap();
    assert_eq!(stored(&env), [("new".to_owned(), "1".to_owned()), ("same".to_owned(), "1".to_owned())]);
}

#[test]
fn marks_nest_and_a_crank_is_undone_past_them() {
    let mut env = env(&[("a", "0")]);
    let mut kv = KvStore::default();
    kv.put(b"a", Some(b"1"));
    let outer = kv.mark();
    kv.put(b"a", Some(b"2"));
    kv.put(b"b", Some(b"2"));
    let inner = kv.mark();
    kv.put(b"a", None);
    kv.rollback(inner);
    assert_eq!(kv.lookup(b"a"), &Value::Present(b"2".to_vec()));
    kv.rollback(outer);
    assert_eq!(kv.lookup(b"a"), &Value::Present(b"1".to_vec()));
    assert_eq!(kv.lookup(b"b"), &Value::Unknown);
    kv.undo_crank();
    assert_eq!(kv.get(&env, b"a").unwrap(), Some(&b"0"[..]));
    kv.flush(&mut env).unwrap();
    assert_eq!(stored(&env), [("a".to_owned(), "0".to_owned())]);
}

#[test]
fn the_crank_hash_binds_every_byte_and_the_order() {
    let env = env(&[("a", "z"), ("b", "z")]);
    let hash = |writes: &[(&str, Option<&str>)]| {
        let mut kv = KvStore::default();
        for (key, value) in writes {
            kv.put(key.as_bytes(), value.map(str::as_bytes));
        }
        kv.commit_crank(&env).unwrap()
    };
    let hashes = [
        hash(&[]),
        hash(&[("a", None)]),
        hash(&[("a", Some(""))]),
        hash(&[("a", Some("b"))]),
        hash(&[("ab", Some(""))]),
        hash(&[("a", None), ("b", None)]),
    ];
    let distinct: BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
    assert_eq!(
        hash(&[("b", None), ("a", None)]),
        hash(&[("a", None), ("b", None)]),
        "the order of writing does not count"
    );
}

#[test]
fn what_was_rolled_back_is_no_net_write_whether_it_was_read_before_or_not() {
    let mut env = env(&[("there", "1")]);
    for read_before in [false, true] {
        let mut kv = KvStore::default();
        for key in [&b"there"[..], b"absent"] {
            if read_before {
                kv.get(&env, key).unwrap();
            }
        }
        let mark = kv.mark();
        kv.put(b"there", Some(b"2"));
        kv.put(b"absent", Some(b"2"));
        kv.rollback(mark);
        kv.end_marks();
        assert_eq!(kv.commit_crank(&env).unwrap(), None, "read before: {read_before}");
        assert_eq!(kv.get(&env, b"there").unwrap(), Some(&b"1"[..]));
        kv.flush(&mut env).unwrap();
        assert_eq!(stored(&env), [("there".to_owned(), "1".to_owned())]);
    }
}

/// Counts what it is asked.
struct Counted<'a> {
    inner: &'a mut MemoryEnvironment,
    asked: std::cell::Cell<u64>,
}

impl Counted<'_> {
    fn count(&self) {
        self.asked.set(self.asked.get() + 1);
    }
}

impl Environment for Counted<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EnvError> {
        self.count();
        self.inner.get(key)
    }
    fn next_entry(&self, start: &[u8], end: Option<&[u8]>) -> Result<Option<crate::env::Entry>, EnvError> {
        self.count();
        self.inner.next_entry(start, end)
    }
    fn set(&mut self, key: &[u8], value: Bytes) -> Result<(), EnvError> {
        self.inner.set(key, value)
    }
    fn delete(&mut self, key: &[u8]) -> Result<(), EnvError> {
        self.inner.delete(key)
    }
    fn mark(&mut self) -> crate::env::EnvMark {
        self.inner.mark()
    }
    fn rollback(&mut self, mark: crate::env::EnvMark) -> Result<(), EnvError> {
        self.inner.rollback(mark)
    }
    fn release(&mut self, mark: crate::env::EnvMark) -> Result<(), EnvError> {
        self.inner.release(mark)
    }
    fn net_writes(&self, mark: crate::env::EnvMark) -> Result<crate::env::NetWrites, EnvError> {
        self.inner.net_writes(mark)
    }
}

#[test]
fn new_keys_that_lie_together_cost_the_store_few_looks() {
    let mut env = env(&[("kp9.state", "x"), ("runQueue", "[0,0]"), ("vat.names", "x")]);
    let env = Counted { inner: &mut env, asked: std::cell::Cell::new(0) };
    let mut kv = KvStore::default();
    for number in 10..1010 {
        kv.put(format!("kp{number}.state").as_bytes(), Some(b"unresolved"));
        kv.put(format!("runQueue.{number}").as_bytes(), Some(b"x"));
        kv.commit_crank(&env).unwrap();
    }
    assert!(env.asked.get() < 100, "{} looks for 2,000 new keys", env.asked.get());
}

/// What a walk goes over: the stretches that are known of the environment, and the keys that are listed.
fn walked(kv: &KvStore) -> (usize, usize) {
    (kv.gaps.stretches(), kv.listed.as_ref().map_or(0, BTreeSet::len))
}

#[test]
fn a_walk_goes_over_no_key_that_the_run_deleted() {
    const DELETED: u32 = 1000;
    let stored: Vec<String> = (0..=DELETED).map(|number| format!("v1.vs.{number:04}")).collect();
    let stored: Vec<(&str, &str)> = stored.iter().map(|key| (key.as_str(), "x")).collect();
    let (last, deleted) = stored.split_last().unwrap();
    for crank_kept in [false, true] {
        let mut env = env(&stored);
        let env = Counted { inner: &mut env, asked: std::cell::Cell::new(0) };
        let mut kv = KvStore::default();
        for (key, _) in deleted {
            kv.put(key.as_bytes(), None);
        }
        if crank_kept {
            kv.commit_crank(&env).unwrap();
        }
        let before = env.asked.get();
        assert_eq!(next(&mut kv, &env, "", "v1.").as_deref(), Some(last.0));
        assert_eq!(env.asked.get() - before, u64::from(DELETED) + 1, "each stored key is met once");
        for prior in ["", "v1.vs.0", "v1.vs.0500"] {
            assert_eq!(next(&mut kv, &env, prior, "v1.").as_deref(), Some(last.0));
        }
        assert_eq!(env.asked.get() - before, u64::from(DELETED) + 1, "and never again");
        assert_eq!(walked(&kv), (1, 1), "crank kept: {crank_kept}");
        // What is undone is there again, and what comes and goes leaves nothing behind.
        for (key, _) in deleted {
            kv.put(key.as_bytes(), Some(b"again"));
        }
        assert_eq!(walked(&kv), (1, stored.len()));
        kv.undo_crank();
        assert_eq!(walked(&kv), (1, if crank_kept { 1 } else { stored.len() }));
        assert_eq!(next(&mut kv, &env, "", "v1.").as_deref(), Some(if crank_kept { last.0 } else { stored[0].0 }));
    }
}

#[test]
fn a_walk_keeps_no_large_value_that_it_meets() {
    let large = "x".repeat(5000);
    let env = env(&[("a.1", &large), ("a.2", "small"), ("a.3", &large)]);
    let mut kv = KvStore::default();
    let mut at = String::new();
    while let Some(key) = next(&mut kv, &env, &at, "a.") {
        at = key;
    }
    assert_eq!(at, "a.3");
    assert_eq!([b"a.1", b"a.2", b"a.3"].map(|key| kv.lookup(key) == &Value::Unknown), [true, false, true]);
    assert_eq!(kv.get(&env, b"a.3").unwrap(), Some(large.as_bytes()));
}

type Model = std::collections::BTreeMap<String, &'static [u8]>;

/// The crank hash by its definition.
fn net_hash(before: &Model, after: &Model) -> Option<[u8; 32]> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut bytes = Vec::new();
    let mut hash = NetHash::new(&mut bytes);
    for key in keys.into_iter().filter(|key| before.get(*key) != after.get(*key)) {
        hash.write(key.as_bytes(), after.get(key).copied());
    }
    (before != after).then(|| hash.finish())
}

proptest::proptest! {
    /// What is known of gaps changes nothing that the kernel sees, no hash and no write: a map is the witness.
    #[test]
    fn gaps_change_nothing(
        there in proptest::collection::btree_set(0u16..200, 0..20),
        deeds in proptest::collection::vec((0u8..12, 0u16..200), 1..300),
    ) {
        let old = |number| if number % 2 == 0 { &b"old"[..] } else { &[b'o'; 5000] };
        let mut kept: Model = there.into_iter().map(|number| (format!("k{number}"), old(number))).collect();
        let entries = kept.iter().map(|(key, value)| (keys::kernel(key.as_bytes()), Bytes::from_static(value)));
        let mut env = MemoryEnvironment::from_entries(entries);
        let (mut now, mut kv) = (kept.clone(), KvStore::default());
        let mut marks: Vec<(usize, Model)> = Vec::new();
        for (deed, number) in deeds {
            let key = format!("k{number}");
            match deed {
                0 | 1 => {
                    kv.put(key.as_bytes(), Some(b"new"));
                    now.insert(key, b"new");
                }
                2 | 7 => {
                    kv.put(key.as_bytes(), None);
                    now.remove(&key);
                }
                3 => {
                    if kv.lookup(key.as_bytes()) == &Value::Unknown {
                        kv.load(&env, key.as_bytes()).unwrap();
                    }
                    proptest::prop_assert_eq!(kv.lookup(key.as_bytes()).known(), Some(now.get(&key).copied()));
                }
                4 | 8 => {
                    let expected = now.range::<String, _>((Excluded(&key), Unbounded)).next();
                    let expected = expected.map(|(key, _)| key.clone());
                    proptest::prop_assert_eq!(next(&mut kv, &env, &key, "k"), expected);
                }
                5 => {
                    proptest::prop_assert_eq!(kv.commit_crank(&env).unwrap(), net_hash(&kept, &now));
                    kept.clone_from(&now);
                    marks.clear();
                }
                6 => {
                    kv.undo_crank();
                    now.clone_from(&kept);
                    marks.clear();
                }
                9 => marks.push((kv.mark(), now.clone())),
                // To the last mark or the one before it; the last one is only forgotten.
                deed => {
                    if deed == 10 {
                        marks.truncate(marks.len().saturating_sub(usize::from(number) % 2).max(1));
                    }
                    if let Some((mark, then)) = marks.pop() {
                        if deed == 10 {
                            kv.rollback(mark);
                            now = then;
                        }
                        if marks.is_empty() {
                            kv.end_marks();
                        }
                    }
                }
            }
        }
        kv.undo_crank();
        kv.flush(&mut env).unwrap();
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        let kept: Vec<_> = kept.into_iter().map(|(key, value)| (key, text(value))).collect();
        proptest::prop_assert_eq!(stored(&env), kept);
    }
}
