//! Pages of lists that the engine has. Source: the SDK's `query.ParsePagination`.

use swing_proto::cosmos::base::query::v1beta1::PageRequest;

use crate::api::Failure;

/// What a page holds when the request does not say, and at most. Source: the SDK's `DefaultLimit`, CometBFT's `maxPerPage`.
const LIMIT_MAX: u64 = 100;

/// A page: the first item's place and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub offset: u64,
    pub limit: u64,
}

impl Page {
    /// The page that a request asks for.
    ///
    /// # Errors
    /// It asks by key.
    pub fn of(request: Option<&PageRequest>) -> Result<Self, Failure> {
        let Some(request) = request else { return Ok(Page { offset: 0, limit: LIMIT_MAX }) };
        if !request.key.is_empty() {
            return Err(Failure::invalid("pagination by key is not served here: use pagination.offset and limit"));
        }
        Ok(Page { offset: request.offset, limit: limit(request.limit) })
    }

    /// Its number, from 1 on. An offset inside a page means that page.
    pub fn number(self) -> u64 {
        self.offset.checked_div(self.limit).unwrap_or_default().saturating_add(1)
    }

    /// The part of a list.
    pub fn of_list<T>(self, list: &[T]) -> &[T] {
        let begin = usize::try_from(self.offset).unwrap_or(usize::MAX).min(list.len());
        let end = begin.saturating_add(usize::try_from(self.limit).unwrap_or(usize::MAX)).min(list.len());
        list.get(begin..end).unwrap_or_default()
    }
}

/// A page's size for a wish.
pub(super) fn limit(wish: u64) -> u64 {
    if wish == 0 { LIMIT_MAX } else { wish.min(LIMIT_MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_parts_of_lists_and_never_beyond_them() {
        let list: Vec<u64> = (0..250).collect();
        #[track_caller]
        fn check(list: &[u64], offset: u64, limit: u64, first: Option<u64>, count: usize, number: u64) {
            let request = PageRequest { offset, limit, ..PageRequest::default() };
            let page = Page::of(Some(&request)).expect("no key");
            let part = page.of_list(list);
            assert_eq!((part.first().copied(), part.len(), page.number()), (first, count, number));
        }
        check(&list, 0, 0, Some(0), 100, 1);
        check(&list, 200, 0, Some(200), 50, 3);
        check(&list, 30, 10, Some(30), 10, 4);
        check(&list, 0, 1000, Some(0), 100, 1);
        check(&list, u64::MAX, 10, None, 0, u64::MAX / 10 + 1);
        assert!(Page::of(Some(&PageRequest { key: vec![1], ..PageRequest::default() })).is_err());
    }
}
