//! The plan's `info`: where this platform's binary is.

use serde_json::Value;

use super::{FetchError, Source};

/// What an info says for this platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The binary is there.
    Binary(Source),
    /// The info is an address at which the real info is.
    Elsewhere(Source),
}

fn wrong(text: impl Into<String>) -> FetchError {
    FetchError::Info(text.into())
}

/// The entry for `platform` (`linux/amd64`), else the one for `any`.
///
/// # Errors
/// [`FetchError::Info`]: no JSON, or no entry for this platform, with those that it has; [`FetchError::Address`].
pub fn entry(info: &str, platform: &str) -> Result<Entry, FetchError> {
    let info = info.trim();
    if Source::looks_like_one(info) {
        return Source::parse(info).map(Entry::Elsewhere);
    }
    if info.is_empty() {
        return Err(wrong("is empty: it names no download"));
    }
    let value: Value = serde_json::from_str(info).map_err(|error| wrong(format!("is no JSON ({error})")))?;
    let Some(binaries) = value["binaries"].as_object() else {
        return Err(wrong("has no `binaries`: it names no download"));
    };
    let Some(url) = binaries.get(platform).or_else(|| binaries.get("any")) else {
        let has: Vec<&str> = binaries.keys().map(String::as_str).collect();
        return Err(wrong(format!("names no binary for {platform}, only for {}", has.join(", "))));
    };
    let url = url.as_str().ok_or_else(|| wrong(format!("has no address for {platform}, but {url}")))?;
    Source::parse(url).map(Entry::Binary)
}
