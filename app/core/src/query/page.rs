//! Pages of a range of state. Source: SDK `query.Paginate` and `query.FilteredPaginate`.

use std::ops::ControlFlow;

use bytes::Bytes;
use swing_proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};

use super::QueryError;
use crate::state::{StateError, StateRead, prefix_end};

/// What a page holds when the request does not say.
const LIMIT_DEFAULT: u64 = 100;
/// What a page holds at most; the next one is at `next_key`.
const LIMIT_MAX: u64 = 10_000;
/// Entries that a reversed page is read from at most: state is iterated forward only.
const REVERSE_MAX: usize = 100_000;

/// A page of what `read` makes of the entries under `prefix`: it gets the key after the prefix and the value, and gives none for
/// an entry that does not belong to the answer.
///
/// # Errors
/// Key and offset together; a reversed page of too much; `read`'s error; storage.
pub fn page<T>(
    state: &dyn StateRead,
    prefix: &[u8],
    request: Option<&PageRequest>,
    mut read: impl FnMut(&[u8], &[u8]) -> Result<Option<T>, QueryError>,
) -> Result<(Vec<T>, PageResponse), QueryError> {
    let default = PageRequest::default();
    let request = request.unwrap_or(&default);
    if request.offset > 0 && !request.key.is_empty() {
        return Err(QueryError::invalid("invalid request, either offset or key is expected, got both"));
    }
    let mut pager = Pager {
        offset: request.offset,
        limit: if request.limit == 0 { LIMIT_DEFAULT } else { request.limit.min(LIMIT_MAX) },
        // As in the SDK: who names no limit gets the total, and a page by key has none.
        count_total: request.key.is_empty() && (request.count_total || request.limit == 0),
        hits: 0,
        items: Vec::new(),
        next_key: Vec::new(),
    };
    if request.reverse {
        let bound = [prefix, &request.key].concat();
        // The page begins with the entry at the key itself.
        let end = if request.key.is_empty() { prefix_end(prefix) } else { Some([bound.as_slice(), &[0]].concat()) };
        let entries: Vec<_> =
            state.range(prefix, end.as_deref()).take(REVERSE_MAX + 1).collect::<Result<_, StateError>>()?;
        if entries.len() > REVERSE_MAX {
            return Err(QueryError::invalid(format!("more than {REVERSE_MAX} entries cannot be read in reverse")));
        }
        pager.run(entries.into_iter().rev().map(Ok), prefix, &mut read)?;
    } else {
        let start = [prefix, &request.key].concat();
        pager.run(state.range(&start, prefix_end(prefix).as_deref()), prefix, &mut read)?;
    }
    let total = if pager.count_total { pager.hits } else { 0 };
    Ok((pager.items, PageResponse { next_key: pager.next_key, total }))
}

struct Pager<T> {
    offset: u64,
    limit: u64,
    count_total: bool,
    hits: u64,
    items: Vec<T>,
    next_key: Vec<u8>,
}

impl<T> Pager<T> {
    fn run(
        &mut self,
        entries: impl Iterator<Item = Result<(Vec<u8>, Bytes), StateError>>,
        prefix: &[u8],
        read: &mut impl FnMut(&[u8], &[u8]) -> Result<Option<T>, QueryError>,
    ) -> Result<(), QueryError> {
        for entry in entries {
            let (key, value) = entry?;
            let key = key.strip_prefix(prefix).unwrap_or_default();
            if let Some(item) = read(key, &value)?
                && self.take(key, item).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, key: &[u8], item: T) -> ControlFlow<()> {
        self.hits += 1;
        if self.hits <= self.offset {
            return ControlFlow::Continue(());
        }
        if (self.items.len() as u64) < self.limit {
            self.items.push(item);
            return ControlFlow::Continue(());
        }
        if self.next_key.is_empty() {
            self.next_key = key.to_vec();
        }
        if self.count_total { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn state() -> BTreeMap<Vec<u8>, Bytes> {
        (0..5_u8).map(|n| (vec![b'p', b'/', n], Bytes::from(vec![n]))).chain([(b"q".to_vec(), Bytes::new())]).collect()
    }

    #[track_caller]
    fn check(request: PageRequest, items: &[u8], next_key: &[u8], total: u64) {
        let (found, response) = page(&state(), b"p/", Some(&request), |_, value| Ok(value.first().copied())).unwrap();
        assert_eq!((found.as_slice(), response.next_key.as_slice(), response.total), (items, next_key, total));
    }

    #[test]
    fn pages_are_the_sdks() {
        let request = PageRequest::default;
        check(request(), &[0, 1, 2, 3, 4], &[], 5);
        check(PageRequest { limit: 2, ..request() }, &[0, 1], &[2], 0);
        check(PageRequest { limit: 2, count_total: true, ..request() }, &[0, 1], &[2], 5);
        check(PageRequest { limit: 2, offset: 3, ..request() }, &[3, 4], &[], 0);
        check(PageRequest { limit: 2, key: vec![2], ..request() }, &[2, 3], &[4], 0);
        check(PageRequest { limit: 2, reverse: true, ..request() }, &[4, 3], &[2], 0);
        check(PageRequest { limit: 2, reverse: true, key: vec![2], ..request() }, &[2, 1], &[0], 0);
    }

    #[test]
    fn key_and_offset_together_are_refused() {
        let request = PageRequest { key: vec![1], offset: 1, ..PageRequest::default() };
        assert!(page(&state(), b"p/", Some(&request), |_, _| Ok(Some(()))).is_err());
    }
}
