//! What a plan's `info` says to machines. A text that begins with `{` is one JSON object of known keys; any other text is for people
//! and says nothing here.
//!
//! | key | value | read by |
//! |---|---|---|
//! | `binaries` | `{"linux/amd64": "https://…?checksum=sha256:<hex>"}` | supervisors, as cosmovisor |
//! | `kernel_schemas` | `"1-2"`: the kernel schemas that the plan's release starts from | [`crate::modules::swingset::swap`] |
//! | `bundles` | `{"kernel": "b1-…"}`: bundles that the release must carry | [`super::preblock`] |
//! | `app_version` | `"3"`: the app version of the plan's release, which the header of the plan's height is to carry | [`super::mark`] |
//! | `rehearsal` | `{"height": "120", "block": "empty"}`: the state that validators rehearse on, and the block that they make on it | [`super::readiness`] |
//! | `readiness` | `{"power_percent": "67", …}`: the power that must have attested, and what happens otherwise | [`super::readiness`] |
//!
//! The last four are known from layout 3 of this module on.
//!
//! # Invariants
//! - Whether a text is accepted depends on the text alone, and a refusal's words are ours: both are the same on every node.

mod binaries;
mod options;

use std::{collections::BTreeMap, fmt, marker::PhantomData, ops::RangeInclusive};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

pub use binaries::check_binary;
pub use options::{DECIDE_BEFORE_MIN, Readiness, Rehearsal};

use crate::{error::Rejected, sdk_error::SdkError};

/// What a plan's information says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanInfo {
    /// Where the release's binaries are, by platform (`os/arch`, or `any`).
    pub binaries: BTreeMap<String, String>,
    /// Schemas of the kernel's state that the release starts from.
    pub kernel_schemas: Option<RangeInclusive<u64>>,
    /// IDs of bundles that the release must carry: `kernel`, `lockdown`, `supervisor`.
    pub bundles: BTreeMap<String, String>,
    /// The app version of the release, to be told in the header of the plan's height.
    pub app_version: Option<u64>,
    /// What validators rehearse on.
    pub rehearsal: Option<Rehearsal>,
    /// The power that must have attested.
    pub readiness: Option<Readiness>,
}

/// Which keys are known: a matter of the rules in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// `binaries` and `kernel_schemas`.
    First,
    /// All of them.
    All,
}

impl Keys {
    const fn words(self) -> &'static str {
        match self {
            Keys::First => "binaries and kernel_schemas are",
            Keys::All => "binaries, kernel_schemas, bundles, app_version, rehearsal and readiness are",
        }
    }

    fn has(self, key: &str) -> bool {
        self == Keys::All || matches!(key, "binaries" | "kernel_schemas")
    }
}

/// Why a text that a machine is to read cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InfoProblem {
    /// It begins as an object and is none, or has a key twice.
    #[error("begins with {{ and is not one JSON object in which each key stands once")]
    NotAnObject,
    /// A key that nobody reads.
    #[error("key {key:?} is not known: {}", known.words())]
    UnknownKey {
        /// The key.
        key: String,
        /// Those that are known.
        known: Keys,
    },
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
    /// `bundles` names something else than kernel, lockdown and supervisor, or no ID.
    #[error("bundles: an object of kernel, lockdown and supervisor expected, each b1- and 128 lower-case hex digits")]
    Bundles,
    /// An app version, or a field of `rehearsal` or `readiness`, that is missing, unknown or out of its range.
    #[error("{key}: {reason}")]
    Option {
        /// The key.
        key: &'static str,
        /// What is wrong and what was expected.
        reason: String,
    },
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

/// Reads a plan's information, all keys known; none where it is not for machines.
///
/// # Errors
/// What is wrong with a text that is.
pub fn parse(text: &str) -> Result<Option<PlanInfo>, InfoProblem> {
    parse_as(text, Keys::All)
}

/// Reads a plan's information as far as these keys are known.
///
/// # Errors
/// As [`parse`].
pub fn parse_as(text: &str, known: Keys) -> Result<Option<PlanInfo>, InfoProblem> {
    let text = text.trim();
    if !text.starts_with('{') {
        return Ok(None);
    }
    let Once::<Field>(fields) = serde_json::from_str(text).map_err(|_| InfoProblem::NotAnObject)?;
    let mut info = PlanInfo::default();
    for (key, value) in fields {
        if !known.has(&key) {
            return Err(InfoProblem::UnknownKey { key, known });
        }
        match (key.as_str(), value) {
            ("binaries", Field::Texts(Once(entries))) => info.binaries = binaries::read(entries)?,
            ("binaries", _) => return Err(InfoProblem::Binaries),
            ("kernel_schemas", Field::Text(text)) => info.kernel_schemas = Some(schemas(&text)?),
            ("kernel_schemas", _) => return Err(InfoProblem::KernelSchemas),
            ("bundles", Field::Texts(Once(entries))) => info.bundles = options::bundles(entries)?,
            ("bundles", _) => return Err(InfoProblem::Bundles),
            ("app_version", Field::Text(text)) => info.app_version = Some(options::app_version(&text)?),
            ("app_version", _) => return Err(options::no_app_version()),
            ("rehearsal", Field::Texts(Once(fields))) => info.rehearsal = Some(Rehearsal::read(fields)?),
            ("readiness", Field::Texts(Once(fields))) => info.readiness = Some(Readiness::read(fields)?),
            ("rehearsal", _) => return Err(options::not_an_object("rehearsal")),
            ("readiness", _) => return Err(options::not_an_object("readiness")),
            _ => return Err(InfoProblem::UnknownKey { key, known }),
        }
    }
    Ok(Some(info))
}

/// Refuses a text that a machine would stumble over at the height.
///
/// # Errors
/// SDK 18.
pub fn check(text: &str, known: Keys) -> Result<(), Rejected> {
    parse_as(text, known).map(drop).map_err(|problem| SdkError::InvalidRequest.wrap(format!("plan: info {problem}")))
}

/// What a plan in state says: it was read when it was decided.
pub fn stored(text: &str) -> PlanInfo {
    parse(text).ok().flatten().unwrap_or_default()
}

/// The kernel schemas that a plan's release declares to start from.
pub fn kernel_schemas(text: &str) -> Option<RangeInclusive<u64>> {
    stored(text).kernel_schemas
}

/// The height that validators rehearse on; 0 when the plan fixes none.
pub fn rehearsal_height(text: &str) -> i64 {
    stored(text).rehearsal.map_or(0, |rehearsal| i64::try_from(rehearsal.height).unwrap_or(i64::MAX))
}

/// Whether a text is a platform as `binaries` names it: `os/arch`.
pub fn is_platform(text: &str) -> bool {
    text.split_once('/').is_some_and(|(os, arch)| is_word(os) && is_word(arch))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
        assert_eq!(parse(&text), Ok(Some(PlanInfo { binaries, kernel_schemas: Some(1..=2), ..PlanInfo::default() })));
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
}
