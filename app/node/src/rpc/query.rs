//! Conditions of `tx_search`, joined by AND: equality of event attributes, and `tx.height` with any comparison.
//! Source: CometBFT's `libs/pubsub/query`, of which EXISTS, CONTAINS, times and dates are not served.

use tendermint_proto::v0_38::abci::ExecTxResult;

/// The longest query. Source: CometBFT's `maxQueryLength`.
const QUERY_BYTES_MAX: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Height(Comparison, i64),
    Hash(Vec<u8>),
    Attribute { event: String, key: String, value: String },
}

/// A parsed query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    conditions: Vec<Condition>,
}

impl Query {
    /// Parses a query such as `tx.height=5 AND transfer.recipient='swing1…'`.
    ///
    /// # Errors
    /// What is wrong in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("cannot use an empty query: name a condition such as tx.height=5".to_owned());
        }
        if text.len() > QUERY_BYTES_MAX {
            return Err("maximum query length exceeded".to_owned());
        }
        let mut rest = text.trim();
        let mut conditions = Vec::new();
        loop {
            let (condition, after) = condition(rest)?;
            conditions.push(condition);
            rest = after.trim_start();
            if rest.is_empty() {
                return Ok(Query { conditions });
            }
            rest = rest
                .strip_prefix("AND")
                .filter(|rest| rest.starts_with(char::is_whitespace))
                .ok_or_else(|| format!("expected AND at {rest:?}"))?
                .trim_start();
        }
    }

    /// The hash that `tx.hash` names.
    pub fn tx_hash(&self) -> Option<&[u8]> {
        self.conditions.iter().find_map(|condition| match condition {
            Condition::Hash(hash) => Some(hash.as_slice()),
            _ => None,
        })
    }

    /// Whether transactions of this block can be meant.
    pub fn allows_height(&self, height: i64) -> bool {
        self.conditions.iter().all(|condition| match condition {
            Condition::Height(Comparison::Equal, bound) => height == *bound,
            Condition::Height(Comparison::Less, bound) => height < *bound,
            Condition::Height(Comparison::LessOrEqual, bound) => height <= *bound,
            Condition::Height(Comparison::Greater, bound) => height > *bound,
            Condition::Height(Comparison::GreaterOrEqual, bound) => height >= *bound,
            _ => true,
        })
    }

    /// Whether a transaction with this result and, where a hash is asked for, this hash is meant.
    pub fn allows_tx(&self, result: &ExecTxResult, hash: Option<&[u8]>) -> bool {
        self.conditions.iter().all(|condition| match condition {
            Condition::Height(..) => true,
            Condition::Hash(wanted) => hash == Some(wanted),
            Condition::Attribute { event, key, value } => has_attribute(result, event, key, value),
        })
    }
}

/// CometBFT: only attributes marked for the index can be found.
fn has_attribute(result: &ExecTxResult, event: &str, key: &str, value: &str) -> bool {
    let events = result.events.iter().filter(|candidate| candidate.r#type == event);
    events
        .flat_map(|event| &event.attributes)
        .any(|attribute| attribute.index && attribute.key == key && attribute.value == value)
}

/// The first condition of a text, and what follows it.
fn condition(text: &str) -> Result<(Condition, &str), String> {
    let end = text.find(['=', '<', '>']).ok_or_else(|| format!("expected a comparison in {text:?}"))?;
    let (tag, rest) = text.split_at(end);
    let tag = tag.trim();
    let (comparison, rest) = comparison(rest);
    let (value, rest) = value(rest.trim_start())?;
    let condition = match tag {
        "tx.height" => {
            Condition::Height(comparison, value.parse().map_err(|_| format!("tx.height: {value:?} is not a height"))?)
        }
        _ if comparison != Comparison::Equal => return Err(format!("{tag}: only = is served")),
        "tx.hash" => Condition::Hash(hex::decode(value).map_err(|_| format!("tx.hash: {value:?} is not hex"))?),
        _ => {
            let (event, key) =
                tag.split_once('.').ok_or_else(|| format!("{tag:?} is not an event and an attribute"))?;
            if tag.contains(char::is_whitespace) || event.is_empty() || key.is_empty() {
                return Err(format!("{tag:?} is not an event and an attribute"));
            }
            Condition::Attribute { event: event.to_owned(), key: key.to_owned(), value: value.to_owned() }
        }
    };
    Ok((condition, rest))
}

fn comparison(text: &str) -> (Comparison, &str) {
    for (sign, comparison) in [
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (comparison, rest);
        }
    }
    (Comparison::Equal, text.strip_prefix('=').unwrap_or(text))
}

/// A value in quotes, or a number.
fn value(text: &str) -> Result<(&str, &str), String> {
    if let Some(rest) = text.strip_prefix('\'') {
        return rest.split_once('\'').ok_or_else(|| format!("the quote in {text:?} does not end"));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("expected a value in single quotes or a number at {text:?}"));
    }
    Ok((value, rest))
}

#[cfg(test)]
mod tests {
    use tendermint_proto::v0_38::abci::{Event, EventAttribute};

    use super::*;

    fn result() -> ExecTxResult {
        let attribute =
            |key: &str, value: &str, index| EventAttribute { key: key.to_owned(), value: value.to_owned(), index };
        let attributes = vec![attribute("sender", "a", true), attribute("secret", "b", false)];
        ExecTxResult { events: vec![Event { r#type: "message".to_owned(), attributes }], ..ExecTxResult::default() }
    }

    #[test]
    fn queries_find_what_they_name() {
        #[track_caller]
        fn check(query: &str, expected: bool) {
            let query = Query::parse(query).expect("a query");
            assert_eq!(query.allows_height(7) && query.allows_tx(&result(), Some(&[0xAB])), expected);
        }
        check("tx.height=7", true);
        check("tx.height = 8", false);
        check("tx.height>=7 AND tx.height < 8", true);
        check("tx.height>7", false);
        check("tx.height<='6'", false);
        check("tx.hash='AB'", true);
        check("tx.hash='AC'", false);
        check("message.sender='a'", true);
        check("message.sender = 'a' AND tx.height=7", true);
        check("message.sender='A'", false);
        check("message.secret='b'", false);
        check("other.sender='a'", false);
    }

    #[test]
    fn what_is_no_query_is_said() {
        #[track_caller]
        fn check(query: &str, expected: &str) {
            assert_eq!(Query::parse(query), Err(expected.to_owned()));
        }
        check("", "cannot use an empty query: name a condition such as tx.height=5");
        check("tx.height", "expected a comparison in \"tx.height\"");
        check("tx.height='x'", "tx.height: \"x\" is not a height");
        check("tx.hash='x'", "tx.hash: \"x\" is not hex");
        check("sender='a'", "\"sender\" is not an event and an attribute");
        check("a.b='c", "the quote in \"'c\" does not end");
        check("a.b=c", "expected a value in single quotes or a number at \"c\"");
        check("a.b>1", "a.b: only = is served");
        check("a.b='c' OR a.b='d'", "expected AND at \"OR a.b='d'\"");
        check("a.b='c' AND ", "expected AND at \"AND\"");
        check(&"x".repeat(513), "maximum query length exceeded");
    }
}
