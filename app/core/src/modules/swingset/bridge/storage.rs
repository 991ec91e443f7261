//! Bridge `storage`: values that vats publish and anyone can query. Source: upstream's `vstorage`, its requests.
//!
//! - `{method: "set", args: [[path, value], …]}` → true: writes; an entry without a value deletes.
//! - `{method: "get", args: [path]}` → the value, or null. `{method: "has", args: [path]}` → whether there is one.
//! - `{method: "children", args: [path]}` → names of the next segments below a path.
//!
//! A path is segments of letters, digits, `_` and `-`, joined by dots; the first is `published`.
//!
//! # Invariants
//! - All values together have a limit: what vats keep here is paid for by nobody.

use serde_json::Value;

use super::{malformed, smallcaps};
use crate::{
    error::{Failure, Rejected},
    event::Event,
    modules::swingset::{Refusal, keys, state::number},
    state::{State, StateError, StateRead, prefix_end},
};

/// The first segment of every path.
const ROOT: &str = "published";
/// Bytes of a path.
const PATH_BYTES_MAX: usize = 512;
/// Bytes of a value.
const VALUE_BYTES_MAX: usize = 64 << 10;
/// Bytes of all paths and values.
const TOTAL_BYTES_MAX: u64 = 64 << 20;
/// Names that one answer gives.
pub const CHILDREN_MAX: usize = 1_000;

/// Answers a request.
///
/// # Errors
/// SDK 18 for what is no request; swingset 12 when all values would be too much; storage.
pub fn call(state: &mut State<'_>, request: &Value) -> Result<Value, Failure> {
    let args = request.get("args").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let first = || args.first().and_then(smallcaps::text).ok_or_else(|| malformed("args: a path expected"));
    match &*super::text(request, "method")? {
        "set" => {
            for entry in args {
                set(state, entry)?;
            }
            Ok(Value::Bool(true))
        }
        "get" => Ok(read(state, &first()?)?.map_or(Value::Null, |value| smallcaps::of_text(&value))),
        "has" => Ok(Value::Bool(read(state, &first()?)?.is_some())),
        "children" => {
            let names = children(state, &first()?)?;
            Ok(Value::Array(names.iter().map(|name| smallcaps::of_text(name)).collect()))
        }
        other => Err(malformed(format!("method: there is no {other}")).into()),
    }
}

/// The key of a path: its segments, parted by zero bytes, so that what is below a path is together.
fn key(path: &str) -> Result<Vec<u8>, Rejected> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let well_formed = path.split('.').all(|segment| !segment.is_empty() && segment.bytes().all(plain));
    if path.len() > PATH_BYTES_MAX || !well_formed || path.split('.').next() != Some(ROOT) {
        let rule = "segments of letters, digits, _ and -, joined by dots, the first published, expected";
        return Err(malformed(format!("path: {rule}, got {path:?}")));
    }
    Ok([keys::PUBLISHED, path.replace('.', "\0").as_bytes()].concat())
}

/// The value that is published at a path.
///
/// # Errors
/// SDK 18 for what is no path; storage.
pub fn read(state: &dyn StateRead, path: &str) -> Result<Option<String>, Failure> {
    Ok(state.get(&key(path)?)?.map(|value| String::from_utf8_lossy(&value).into_owned()))
}

/// Names of the segments right below a path, in order, up to [`CHILDREN_MAX`].
///
/// # Errors
/// As [`read`].
pub fn children(state: &dyn StateRead, path: &str) -> Result<Vec<String>, Failure> {
    let below = [key(path)?, vec![0]].concat();
    let end = prefix_end(&below);
    let mut names = Vec::new();
    let mut from = below.clone();
    while names.len() < CHILDREN_MAX {
        let Some(entry) = state.range(&from, end.as_deref()).next() else { break };
        let (found, _) = entry?;
        let rest = found.strip_prefix(below.as_slice()).unwrap_or_default();
        let name = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        names.push(String::from_utf8_lossy(name).into_owned());
        // Whatever else begins with this name and a zero byte is below it.
        from = [below.as_slice(), name, &[1]].concat();
    }
    Ok(names)
}

fn set(state: &mut State<'_>, entry: &Value) -> Result<(), Failure> {
    let parts = entry.as_array().map(Vec::as_slice).unwrap_or_default();
    let (path, value) = match parts {
        [path] => (path, None),
        [path, Value::Null] => (path, None),
        [path, value] => (path, Some(value)),
        _ => return Err(malformed("args: lists of a path and a value expected").into()),
    };
    let path = smallcaps::text(path).ok_or_else(|| malformed("args: a path expected"))?;
    let key = key(&path)?;
    let value = match value {
        None => None,
        Some(value) => {
            let text = smallcaps::text(value).ok_or_else(|| malformed("args: a value of text expected"))?;
            if text.len() > VALUE_BYTES_MAX {
                return Err(malformed(format!("a value of {} bytes, {VALUE_BYTES_MAX} are allowed", text.len())).into());
            }
            Some(text.into_owned())
        }
    };
    let before = state.get(&key)?;
    let size = |length: usize| (key.len().saturating_add(length)) as u64;
    let freed = before.as_ref().map_or(0, |before| size(before.len()));
    let added = value.as_ref().map_or(0, |value| size(value.len()));
    let total = number(state, keys::PUBLISHED_BYTES)?.saturating_sub(freed).saturating_add(added);
    if total > TOTAL_BYTES_MAX {
        return Refusal::TooMuchPublished.fail(format!("{total} bytes, {TOTAL_BYTES_MAX} are allowed"));
    }
    write(state, key, value.as_deref(), total)?;
    let told = Event::new("swingset_published").with("path", path.as_ref()).with("value", value.unwrap_or_default());
    state.emit(told);
    Ok(())
}

fn write(state: &mut State<'_>, key: Vec<u8>, value: Option<&str>, total: u64) -> Result<(), StateError> {
    match value {
        Some(value) => state.set(key, value.as_bytes().to_vec())?,
        None => state.delete(key)?,
    }
    state.set(keys::PUBLISHED_BYTES, total.to_be_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::Empty;

    fn ask(state: &mut State<'_>, method: &str, args: Value) -> Result<Value, String> {
        call(state, &json!({"method": method, "args": args})).map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_is_published_is_read_back_and_children_are_the_next_segments() {
        let mut state = State::new(&Empty);
        let entries = json!([
            ["published.a.x", "1"],
            ["published.a-b", "!$2"],
            ["published.a", "3"],
            ["published.b.y.z", "4"],
            ["published.b.y", "5"],
        ]);
        assert_eq!(ask(&mut state, "set", entries), Ok(json!(true)));
        for (path, value) in [
            ("published.a.x", json!("1")),
            ("published.a-b", json!("!$2")),
            ("published.b", json!(null)),
            ("published.b.y", json!("5")),
        ] {
            assert_eq!(ask(&mut state, "get", json!([path])), Ok(value.clone()));
            assert_eq!(ask(&mut state, "has", json!([path])), Ok(json!(!value.is_null())));
        }
        for (path, names) in [
            ("published", vec!["a", "a-b", "b"]),
            ("published.a", vec!["x"]),
            ("published.b", vec!["y"]),
            ("published.b.y.z", vec![]),
        ] {
            let mut found = children(&state, path).unwrap();
            found.sort();
            assert_eq!(found, names, "{path}");
        }
        let delete = json!([["published.a"], ["published.a.x", null]]);
        assert_eq!(ask(&mut state, "set", delete), Ok(json!(true)));
        assert_eq!(ask(&mut state, "has", json!(["published.a"])), Ok(json!(false)));
        let rest = state.prefix(keys::PUBLISHED).map(Result::unwrap).map(|(key, value)| key.len() + value.len());
        assert_eq!(number(&state, keys::PUBLISHED_BYTES).unwrap(), rest.sum::<usize>() as u64);
    }

    #[test]
    fn what_is_no_path_or_no_text_or_too_much_is_refused() {
        let mut state = State::new(&Empty);
        for (method, args, part) in [
            ("get", json!(["other"]), "path"),
            ("get", json!(["published..a"]), "path"),
            ("get", json!(["published.a/b"]), "path"),
            ("get", json!(["publishedx"]), "path"),
            ("get", json!([]), "a path expected"),
            ("set", json!([["published.a", 5]]), "text"),
            ("set", json!([["published.a", "x".repeat(VALUE_BYTES_MAX + 1)]]), "65537 bytes"),
            ("set", json!(["published.a"]), "lists"),
            ("fly", json!([]), "fly"),
        ] {
            let refused = ask(&mut state, method, args).unwrap_err();
            assert!(refused.contains(part), "{refused}");
        }
        state.set(keys::PUBLISHED_BYTES, TOTAL_BYTES_MAX.to_be_bytes().to_vec()).unwrap();
        let refused = ask(&mut state, "set", json!([["published.a", "x"]])).unwrap_err();
        assert!(refused.contains("too much is published"), "{refused}");
    }
}
