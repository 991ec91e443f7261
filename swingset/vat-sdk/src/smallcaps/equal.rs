//! Finding equals among what a body names. A few are compared with each other; among many, which a message's sender may write, not all
//! pairs are.

use alloc::{collections::BTreeMap, vec::Vec};

/// Up to so many are compared one by one.
const FEW: usize = 16;

/// Whether two items have the same name.
pub fn has_twice<'a, T, N: Ord>(items: &'a [T], name: impl Fn(&'a T) -> N) -> bool {
    if items.len() <= FEW {
        let mut rest = items;
        while let Some((last, before)) = rest.split_last() {
            if before.iter().any(|other| name(other) == name(last)) {
                return true;
            }
            rest = before;
        }
        return false;
    }
    let mut names: Vec<N> = items.iter().map(name).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// Items by the order in which they first came.
pub struct Numbered<T> {
    pub items: Vec<T>,
    /// Their numbers, once they are many.
    numbers: BTreeMap<T, usize>,
}

impl<T: Ord + Copy> Numbered<T> {
    pub const fn new() -> Self {
        Numbered {
            items: Vec::new(),
            numbers: BTreeMap::new(),
        }
    }

    /// An item's number; true when it came for the first time.
    pub fn number(&mut self, item: T) -> (usize, bool) {
        let next = self.items.len();
        let known = if next <= FEW {
            self.items.iter().position(|other| *other == item)
        } else {
            self.numbers.get(&item).copied()
        };
        if let Some(number) = known {
            return (number, false);
        }
        self.items.push(item);
        if next == FEW {
            self.numbers = self.items.iter().copied().zip(0..).collect();
        } else if next > FEW {
            self.numbers.insert(item, next);
        }
        (next, true)
    }
}

#[cfg(test)]
mod tests {
    use core::{cell::Cell, cmp::Ordering};

    use super::*;

    /// A number that counts how often it is compared.
    #[derive(Clone, Copy)]
    struct Counting<'a> {
        number: usize,
        compared: &'a Cell<usize>,
    }

    impl Ord for Counting<'_> {
        fn cmp(&self, other: &Self) -> Ordering {
            self.compared.set(self.compared.get() + 1);
            self.number.cmp(&other.number)
        }
    }

    impl PartialOrd for Counting<'_> {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl PartialEq for Counting<'_> {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other) == Ordering::Equal
        }
    }

    impl Eq for Counting<'_> {}

    /// Numbers without an order that a search could profit from, each once for `count` below the prime.
    fn scattered(count: usize, compared: &Cell<usize>) -> Vec<Counting<'_>> {
        let number = |at| at * 7_919 % 100_003;
        (0..count).map(|at| Counting { number: number(at), compared }).collect()
    }

    #[test]
    fn two_of_one_name_are_found_wherever_they_are() {
        let compared = Cell::new(0);
        for count in [0, 1, 2, FEW - 1, FEW, FEW + 1, 100] {
            let items = scattered(count, &compared);
            assert!(!has_twice(&items, |item| *item), "{count} names");
            for at in 0..count {
                for place in [0, at, count] {
                    let mut twice = items.clone();
                    twice.insert(place, items[at]);
                    assert!(has_twice(&twice, |item| *item), "number {at} of {count} also at {place}");
                }
            }
        }
    }

    #[test]
    fn items_keep_the_numbers_that_they_got() {
        let compared = Cell::new(0);
        let items = scattered(100, &compared);
        let mut numbered = Numbered::new();
        for (at, item) in items.iter().enumerate() {
            assert_eq!(numbered.number(*item), (at, true));
            for (earlier, item) in items[..=at].iter().enumerate() {
                assert_eq!(numbered.number(*item), (earlier, false));
            }
        }
        assert_eq!(numbered.items.len(), items.len());
    }

    #[test]
    fn many_are_not_compared_in_pairs() {
        let compared = Cell::new(0);
        for count in [1_000, 10_000, 100_000] {
            let items = scattered(count, &compared);
            // A balanced search looks at one more for each doubling; its nodes are up to 11 wide.
            let most = count * count.ilog2() as usize * 4;
            compared.set(0);
            assert!(!has_twice(&items, |item| *item));
            assert!(compared.get() < most, "{count} names took {}", compared.get());
            let mut numbered = Numbered::new();
            compared.set(0);
            items.iter().for_each(|item| _ = numbered.number(*item));
            assert!(compared.get() < most, "{count} items took {}", compared.get());
        }
    }
}
