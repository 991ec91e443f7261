//! Checking the signatures of many transactions on several cores before they are asked for one by one.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that check; the machine that this is sized for has two cores.
const THREADS: usize = 2;

/// Below this a thread costs more than it saves.
const ITEMS_MIN: usize = 8;

/// Items that a thread takes before it looks for more.
const CHUNK: usize = 16;

/// Has `work` see all items, in no order. It is done for what the verifier remembers of it; execution asks again, in its own
/// order, and gets the same answers.
pub fn on_all_cores<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    if items.len() < ITEMS_MIN {
        return;
    }
    let next = AtomicUsize::new(0);
    let run = || {
        loop {
            let from = next.fetch_add(CHUNK, Ordering::Relaxed);
            let Some(rest) = items.get(from..).filter(|rest| !rest.is_empty()) else {
                return;
            };
            rest.iter().take(CHUNK).for_each(&work);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..THREADS {
            scope.spawn(run);
        }
        run();
    });
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Mutex};

    use super::{CHUNK, on_all_cores};

    #[test]
    fn every_item_is_seen_once() {
        for count in [8, CHUNK, CHUNK + 1, 10 * CHUNK + 3] {
            let items: Vec<usize> = (0..count).collect();
            let seen = Mutex::new(Vec::new());
            on_all_cores(&items, |item| seen.lock().expect("not poisoned").push(*item));
            let seen = seen.into_inner().expect("not poisoned");
            assert_eq!(seen.len(), count);
            assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), count);
        }
    }
}
