//! What a plan's `info` says to machines. A text that begins with `{` is one JSON object of known keys; any other text is for people
//! and says nothing here.
//!
//! | key | value | read by |
//! |---|---|---|
//! | `binaries` | `{"linux/amd64": "https://…?checksum=sha256:<hex>"}` | supervisors, as cosmovisor |
//! | `kernel_schemas` | `"1-2"`: the kernel schemas that the plan's release starts from | [`crate::modules::swingset::swap`] |
//!
//! # Invariants
//! - Whether a text is accepted depends on the text alone, and a refusal's words are ours: both are the same on every node.

use std::{collections::BTreeMap, fmt, marker::PhantomData, ops::RangeInclusive};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

use crate::{error::Rejected, sdk_error::SdkError};

/// What a plan's information says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanInfo {
    /// Where the release's binaries are, by platform (`os/arch`, or `any`).
    pub binaries: BTreeMap<String, String>,
    /// Schemas of the kernel's state that the release starts from.
    pub kernel_schemas: Option<RangeInclusive<u64>>,
}

/// Why a text that a machine is to read cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InfoProblem {
    /// It begins as an object and is none, or has a key twice.
    #[error("begins with {{ and is not one JSON object in which each key stands once")]
    NotAnObject,
    /// A key that nobody reads.
    #[error("key {0:?} is not known: binaries and kernel_schemas are")]
    UnknownKey(String),
    /// `binaries` is no object of texts, has nothing in it, or a platform twice.
    #[error("binaries: an object of URLs by platform expected, at least one and each once")]
    Binaries,
    /// A platform that is none.
    #[error("binaries: {0:?} is neither os/arch nor any")]
    Platform(String),
    /// An address that no supervisor should fetch.
    #[error("binaries: {0} needs a URL with ?checksum=sha256:<64 hex digits> (or sha512, 128)")]
    Url(String),
    /// Schemas that are none.
    #[error("kernel_schemas: a text such as \"1-2\" expected, from 1 on and ascending")]
    KernelSchemas,
}

/// Entries of a JSON object, none of them twice: two readers might take another one of the two.
struct Once<V>(BTreeMap<String, V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Once<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Once<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once<V>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    if entries.insert(key, value).is_some() {
                        return Err(A::Error::custom("a key stands twice"));
                    }
                }
                Ok(Once(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A value of a known form; what has none of them is wrong wherever it stands.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Text(String),
    Texts(Once<String>),
    Other(IgnoredAny),
}

/// Reads a plan's information; none where it is not for machines.
///
/// # Errors
/// What is wrong with a text that is.
pub fn parse(text: &str) -> Result<Option<PlanInfo>, InfoProblem> {
    let text = text.trim();
    if !text.starts_with('{') {
        return Ok(None);
    }
    let Once::<Field>(fields) = serde_json::from_str(text).map_err(|_| InfoProblem::NotAnObject)?;
    let mut info = PlanInfo::default();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("binaries", Field::Texts(Once(entries))) => info.binaries = binaries(entries)?,
            ("binaries", _) => return Err(InfoProblem::Binaries),
            ("kernel_schemas", Field::Text(text)) => info.kernel_schemas = Some(schemas(&text)?),
            ("kernel_schemas", _) => return Err(InfoProblem::KernelSchemas),
            _ => return Err(InfoProblem::UnknownKey(key)),
        }
    }
    Ok(Some(info))
}

/// Refuses a text that a machine would stumble over at the height.
///
/// # Errors
/// SDK 18.
pub fn check(text: &str) -> Result<(), Rejected> {
    parse(text).map(drop).map_err(|problem| SdkError::InvalidRequest.wrap(format!("plan: info {problem}")))
}

/// The kernel schemas that a plan's release declares to start from.
pub fn kernel_schemas(text: &str) -> Option<RangeInclusive<u64>> {
    parse(text).ok().flatten()?.kernel_schemas
}

fn binaries(entries: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, InfoProblem> {
    if entries.is_empty() {
        return Err(InfoProblem::Binaries);
    }
    for (platform, url) in &entries {
        if platform != "any" && !platform.split_once('/').is_some_and(|(os, arch)| is_word(os) && is_word(arch)) {
            return Err(InfoProblem::Platform(platform.clone()));
        }
        if !has_checksum(url) {
            return Err(InfoProblem::Url(platform.clone()));
        }
    }
    Ok(entries)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether an address has a scheme and exactly one checksum, of a kind that holds, in its query.
fn has_checksum(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let Some((_, query)) = rest.split_once('?') else { return false };
    let query = query.split('#').next().unwrap_or_default();
    let mut sums = query.split('&').filter_map(|part| part.strip_prefix("checksum="));
    let (Some(sum), None) = (sums.next(), sums.next()) else { return false };
    let is_sum = |hex: &str, digits| hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_word(scheme)
        && match sum.split_once(':') {
            Some(("sha256", hex)) => is_sum(hex, 64),
            Some(("sha512", hex)) => is_sum(hex, 128),
            _ => false,
        }
}

fn schemas(text: &str) -> Result<RangeInclusive<u64>, InfoProblem> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (schema(first), schema(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        _ => Err(InfoProblem::KernelSchemas),
    }
}

/// A schema in its shortest form.
fn schema(text: &str) -> Option<u64> {
    let number: u32 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then(|| number.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_people_says_nothing_to_machines() {
        for text in ["", "i", "get it at https://example.org/v2", "https://example.org/v2.json", "[1]", "\"{}\"", "  "]
        {
            assert_eq!(parse(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn known_keys_are_read() {
        let sum = "aB".repeat(32);
        let url = format!("https://example.org/swingd?archive=false&checksum=sha256:{sum}");
        let text = format!(" {{\"kernel_schemas\":\"1-2\",\"binaries\":{{\"linux/amd64\":\"{url}\"}}}}\n");
        let binaries = BTreeMap::from([("linux/amd64".to_owned(), url)]);
        assert_eq!(parse(&text), Ok(Some(PlanInfo { binaries, kernel_schemas: Some(1..=2) })));
        assert_eq!(parse("{}"), Ok(Some(PlanInfo::default())));
        assert_eq!(kernel_schemas("{\"kernel_schemas\":\"3\"}"), Some(3..=3));
        assert_eq!(kernel_schemas("1-2"), None);
    }

    #[track_caller]
    fn check_problem(text: &str, part: &str) {
        let problem = parse(text).expect_err("it must be refused").to_string();
        assert!(problem.contains(part), "{text}: {problem}");
    }

    #[test]
    fn what_machines_would_stumble_over_is_refused() {
        check_problem("{", "one JSON object");
        check_problem("{\"binaries\":{}} and more", "one JSON object");
        check_problem("{\"kernel_schemas\":\"1\",\"kernel_schemas\":\"2\"}", "each key stands once");
        check_problem("{\"binaries\":{\"any\":\"a\",\"any\":\"b\"}}", "at least one and each once");
        check_problem("{\"Binaries\":{}}", "key \"Binaries\" is not known");
        check_problem("{\"binaries\":{}}", "at least one and each once");
        check_problem("{\"binaries\":null}", "at least one and each once");
        check_problem("{\"binaries\":{\"linux\":\"x\"}}", "\"linux\" is neither");
        check_problem("{\"binaries\":{\"linux/amd64/v3\":\"x\"}}", "neither");
        for text in ["", "0", "1-", "2-1", "01", "+1", "1-2-3", "4294967296", "-1"] {
            check_problem(&format!("{{\"kernel_schemas\":\"{text}\"}}"), "such as \"1-2\"");
        }
        check_problem("{\"kernel_schemas\":1}", "such as \"1-2\"");
    }

    #[test]
    fn a_binary_needs_one_checksum_that_holds() {
        let (good, sum) = ("https://example.org/swingd", "ab".repeat(32));
        for url in [
            good.to_owned(),
            format!("{good}?checksum="),
            format!("{good}?checksum=sha256:{}", &sum[1..]),
            format!("{good}?checksum=md5:{}", &sum[..32]),
            format!("{good}?checksum=file:https://example.org/sums"),
            format!("{good}?checksum=sha256:{sum}&checksum=sha256:{sum}"),
            format!("{good}#checksum=sha256:{sum}"),
            format!("/swingd?checksum=sha256:{sum}"),
        ] {
            check_problem(&format!("{{\"binaries\":{{\"any\":\"{url}\"}}}}"), "any needs a URL with ?checksum=");
        }
        let good = format!("{{\"binaries\":{{\"any\":\"file:///opt/swingd?checksum=sha512:{sum}{sum}\"}}}}");
        assert!(parse(&good).is_ok());
    }
}
