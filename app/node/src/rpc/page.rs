//! Pages of long answers, and heights that a caller may name. Source: CometBFT's `rpc/core/env.go`.

use super::{args::Args, backend::Backend, envelope::RpcError};

const PER_PAGE_DEFAULT: i64 = 30;
const PER_PAGE_MAX: i64 = 100;

/// The part of a list of `total` items that the call's `page` and `per_page` ask for.
///
/// # Errors
/// There is no such page.
pub fn range(args: &Args, total: usize) -> Result<std::ops::Range<usize>, RpcError> {
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    let per_page = match args.int("per_page")? {
        Some(per_page) if per_page >= 1 => per_page.min(PER_PAGE_MAX),
        _ => PER_PAGE_DEFAULT,
    };
    let pages = total.saturating_add(per_page - 1).checked_div(per_page).unwrap_or_default().max(1);
    let page = args.int("page")?.unwrap_or(1);
    if !(1..=pages).contains(&page) {
        return Err(RpcError::Internal(format!("page should be within [1, {pages}] range, given {page}")));
    }
    let begin = page.saturating_sub(1).saturating_mul(per_page);
    let end = begin.saturating_add(per_page).min(total);
    Ok(usize::try_from(begin).unwrap_or_default()..usize::try_from(end).unwrap_or_default())
}

/// The count that the parameter `limit` asks for.
pub fn limit(args: &Args) -> Result<usize, RpcError> {
    let limit = args.int("limit")?.filter(|limit| *limit >= 1).unwrap_or(PER_PAGE_DEFAULT).min(PER_PAGE_MAX);
    Ok(usize::try_from(limit).unwrap_or_default())
}

/// The height of the parameter `height`, `latest` where there is none.
///
/// # Errors
/// No block of that height is here.
pub fn height(args: &Args, backend: &dyn Backend, latest: i64) -> Result<i64, RpcError> {
    let Some(height) = args.int("height")? else {
        return if latest < backend.first_height() {
            Err(RpcError::Internal("there is no block yet".to_owned()))
        } else {
            Ok(latest)
        };
    };
    let first = backend.first_height();
    if height <= 0 {
        return Err(RpcError::Internal(format!("height must be greater than 0, but got {height}")));
    }
    if height > latest {
        return Err(RpcError::Internal(format!(
            "height {height} must be less than or equal to the current blockchain height {latest}"
        )));
    }
    if height < first {
        return Err(RpcError::Internal(format!("height {height} is not available, lowest height is {first}")));
    }
    Ok(height)
}
