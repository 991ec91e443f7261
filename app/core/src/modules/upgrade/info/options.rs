//! What a plan asks of validators before its height: `rehearsal` and `readiness`; and the bundles and the app version that it names.
//!
//! | field | meaning | allowed |
//! |---|---|---|
//! | `app_version` | the app version that the plan's release writes | above the present one |
//! | `rehearsal.height` | the committed state that validators rehearse on | after the block that decides the plan, before its height |
//! | `rehearsal.block` | the block that they make on it | `empty`: time of that state's header, no transactions, no proposer |
//! | `readiness.power_percent` | power that must have attested one digest, of the whole | 1 to 100 |
//! | `readiness.decide_blocks_before` | blocks before the height at whose end that is looked at | 10 to 100,000; 10 when left out |
//! | `readiness.postpone_blocks` | blocks by which the height moves when it is too little | 1 to 1,000,000; 100 when left out |
//! | `readiness.postponements_max` | times that it moves before the plan lapses | 0 to 20; 3 when left out |

use std::{collections::BTreeMap, ops::RangeInclusive};

use super::InfoProblem;

/// The least [`Readiness::decide_blocks_before`]: supervisors must hear of a postponement in time.
pub const DECIDE_BEFORE_MIN: u64 = 10;

/// Hex digits of a bundle's ID, a SHA-512.
const ID_DIGITS: usize = 128;

/// What validators rehearse on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// The height of the committed state.
    pub height: u64,
}

/// The power that must have attested, and what happens otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Percent of the whole power.
    pub power_percent: u64,
    /// Blocks before the plan's height at whose end it is decided.
    pub decide_blocks_before: u64,
    /// Blocks by which a postponement moves the height.
    pub postpone_blocks: u64,
    /// Postponements before the plan lapses.
    pub postponements_max: u64,
}

/// The fields of one object, taken out one by one; what is left at the end is unknown.
struct Fields {
    key: &'static str,
    left: BTreeMap<String, String>,
}

impl Fields {
    fn problem<T>(&self, reason: String) -> Result<T, InfoProblem> {
        Err(InfoProblem::Option { key: self.key, reason })
    }

    fn number(&mut self, name: &str, allowed: RangeInclusive<u64>, default: Option<u64>) -> Result<u64, InfoProblem> {
        let Some(text) = self.left.remove(name) else {
            return match default {
                Some(number) => Ok(number),
                None => self.problem(format!("{name} is missing")),
            };
        };
        let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text && allowed.contains(number));
        match number {
            Some(number) => Ok(number),
            None => self.problem(format!(
                "{name}: {text:?} is not a number from {} to {} as a text",
                allowed.start(),
                allowed.end()
            )),
        }
    }

    fn end(&self, known: &str) -> Result<(), InfoProblem> {
        match self.left.keys().next() {
            Some(name) => self.problem(format!("{name:?} is not known: {known}")),
            None => Ok(()),
        }
    }
}

impl Rehearsal {
    pub(super) fn read(fields: BTreeMap<String, String>) -> Result<Self, InfoProblem> {
        let mut fields = Fields { key: "rehearsal", left: fields };
        let height = fields.number("height", 1..=i64::MAX.unsigned_abs(), None)?;
        match fields.left.remove("block").as_deref() {
            Some("empty") => {}
            other => return fields.problem(format!("block: \"empty\" expected, got {:?}", other.unwrap_or_default())),
        }
        fields.end("height and block are")?;
        Ok(Rehearsal { height })
    }
}

impl Readiness {
    pub(super) fn read(fields: BTreeMap<String, String>) -> Result<Self, InfoProblem> {
        let mut fields = Fields { key: "readiness", left: fields };
        let readiness = Readiness {
            power_percent: fields.number("power_percent", 1..=100, None)?,
            decide_blocks_before: fields.number(
                "decide_blocks_before",
                DECIDE_BEFORE_MIN..=100_000,
                Some(DECIDE_BEFORE_MIN),
            )?,
            postpone_blocks: fields.number("postpone_blocks", 1..=1_000_000, Some(100))?,
            postponements_max: fields.number("postponements_max", 0..=20, Some(3))?,
        };
        fields.end("power_percent, decide_blocks_before, postpone_blocks and postponements_max are")?;
        Ok(readiness)
    }
}

pub(super) fn not_an_object(key: &'static str) -> InfoProblem {
    InfoProblem::Option { key, reason: "an object of texts expected, each once".to_owned() }
}

pub(super) fn no_app_version() -> InfoProblem {
    InfoProblem::Option {
        key: "app_version",
        reason: "a number from 1 on as a text expected, such as \"3\"".to_owned(),
    }
}

pub(super) fn app_version(text: &str) -> Result<u64, InfoProblem> {
    let number = text.parse::<u64>().ok().filter(|number| *number > 0 && number.to_string() == text);
    number.ok_or_else(no_app_version)
}

pub(super) fn bundles(entries: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, InfoProblem> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_id = |text: &str| {
        text.strip_prefix("b1-").is_some_and(|digits| digits.len() == ID_DIGITS && digits.bytes().all(is_digit))
    };
    let is_good =
        |(name, id): (&String, &String)| matches!(name.as_str(), "kernel" | "lockdown" | "supervisor") && is_id(id);
    if entries.is_empty() || !entries.iter().all(is_good) { Err(InfoProblem::Bundles) } else { Ok(entries) }
}

#[cfg(test)]
mod tests {
    use super::super::{Keys, parse, parse_as};

    #[track_caller]
    fn check_problem(text: &str, part: &str) {
        let problem = parse(text).expect_err("it must be refused").to_string();
        assert!(problem.contains(part), "{text}: {problem}");
    }

    #[test]
    fn options_are_read_with_their_defaults() {
        let text = r#"{"rehearsal":{"height":"120","block":"empty"},"readiness":{"power_percent":"67"}}"#;
        let info = parse(text).unwrap().unwrap();
        assert_eq!(info.rehearsal.unwrap().height, 120);
        let readiness = info.readiness.unwrap();
        assert_eq!((readiness.power_percent, readiness.decide_blocks_before), (67, 10));
        assert_eq!((readiness.postpone_blocks, readiness.postponements_max), (100, 3));
        assert_eq!(parse(r#"{"app_version":"3"}"#).unwrap().unwrap().app_version, Some(3));
        let id = format!("b1-{}", "0a".repeat(64));
        let bundles = parse(&format!("{{\"bundles\":{{\"kernel\":\"{id}\"}}}}")).unwrap().unwrap().bundles;
        assert_eq!(bundles.get("kernel"), Some(&id));
    }

    #[test]
    fn options_that_cannot_be_are_refused_by_name() {
        check_problem(r#"{"rehearsal":"120"}"#, "rehearsal: an object of texts expected");
        check_problem(r#"{"rehearsal":{"block":"empty"}}"#, "rehearsal: height is missing");
        check_problem(r#"{"rehearsal":{"height":"120"}}"#, "block: \"empty\" expected");
        check_problem(r#"{"rehearsal":{"height":"0","block":"empty"}}"#, "height: \"0\" is not a number from 1");
        check_problem(r#"{"rehearsal":{"height":"5","block":"empty","time":"1"}}"#, "\"time\" is not known");
        check_problem(r#"{"rehearsal":{"height":5,"block":"empty"}}"#, "rehearsal: an object of texts expected");
        check_problem(r#"{"readiness":{}}"#, "readiness: power_percent is missing");
        check_problem(r#"{"readiness":{"power_percent":"101"}}"#, "\"101\" is not a number from 1 to 100");
        check_problem(r#"{"readiness":{"power_percent":"067"}}"#, "power_percent");
        let before = r#"{"readiness":{"power_percent":"67","decide_blocks_before":"9"}}"#;
        check_problem(before, "decide_blocks_before: \"9\" is not a number from 10");
        check_problem(r#"{"readiness":{"power_percent":"67","postpone_blocks":"0"}}"#, "postpone_blocks");
        check_problem(r#"{"bundles":{"kernel":"b1-00"}}"#, "bundles: an object of kernel, lockdown and supervisor");
        check_problem(r#"{"bundles":{}}"#, "bundles: an object of kernel");
        let vat = format!("{{\"bundles\":{{\"vat\":\"b1-{}\"}}}}", "00".repeat(64));
        check_problem(&vat, "bundles: an object of kernel");
        for value in ["3", "true", "{}", r#""0""#, r#""03""#, r#""v3""#, r#""18446744073709551616""#] {
            check_problem(
                &format!("{{\"app_version\":{value}}}"),
                "app_version: a number from 1 on as a text expected",
            );
        }
    }

    #[test]
    fn under_the_first_rules_options_are_unknown() {
        for text in [
            r#"{"rehearsal":{"height":"120","block":"empty"}}"#,
            r#"{"readiness":{"power_percent":"67"}}"#,
            r#"{"app_version":"2"}"#,
        ] {
            let problem = parse_as(text, Keys::First).unwrap_err().to_string();
            assert!(problem.contains("is not known: binaries and kernel_schemas are"), "{problem}");
        }
    }
}
