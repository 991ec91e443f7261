//! The bytes of upgrade-info.json.

use swing_core::ports::upgrade::Plan;
use swing_upgrades::info::{FILE_BYTES_MAX, InfoError, decode, encode};

fn plan(info: &str) -> Plan {
    Plan { name: "v2".to_owned(), height: 130, info: info.to_owned() }
}

#[track_caller]
fn check_bytes(plan: Plan, expected: &str) {
    assert_eq!(String::from_utf8(encode(&plan)).expect("JSON is text"), expected);
    assert_eq!(decode(expected.as_bytes()), Ok(plan));
}

#[test]
fn the_bytes_are_those_that_the_sdk_writes() {
    check_bytes(plan("text"), r#"{"name":"v2","time":"0001-01-01T00:00:00Z","height":130,"info":"text"}"#);
    check_bytes(plan(""), r#"{"name":"v2","time":"0001-01-01T00:00:00Z","height":130}"#);
    check_bytes(
        plan("{\"binaries\":{\"linux/amd64\":\"https://x/y?a=1&checksum=sha256:00\"}}"),
        concat!(
            r#"{"name":"v2","time":"0001-01-01T00:00:00Z","height":130,"info":"#,
            r#""{\"binaries\":{\"linux/amd64\":\"https://x/y?a=1\u0026checksum=sha256:00\"}}"}"#
        ),
    );
    check_bytes(
        plan("<\u{1}\n\r\t\u{8}\u{c}\\é\u{2028}\u{7f}>"),
        "{\"name\":\"v2\",\"time\":\"0001-01-01T00:00:00Z\",\"height\":130,\"info\":\
         \"\\u003c\\u0001\\n\\r\\t\\b\\f\\\\é\\u2028\u{7f}\\u003e\"}",
    );
}

#[test]
fn a_torn_file_is_an_error_at_every_length() {
    let whole = encode(&plan("text"));
    for length in 0..whole.len() {
        let torn = whole.get(..length).expect("shorter than the whole");
        assert!(matches!(decode(torn), Err(InfoError::Malformed { .. })), "{length} bytes");
    }
}

#[track_caller]
fn check_refused(bytes: &[u8], expected: &str) {
    let error = decode(bytes).expect_err("no plan");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn garbage_is_a_typed_error() {
    check_refused(b"\xff\xfe", "not a JSON object");
    check_refused(b"[]", "another JSON value");
    check_refused(br#"{"name":"v2","height":130} x"#, "not a JSON object");
    check_refused(br#"{"height":130}"#, "`name`");
    check_refused(br#"{"name":7,"height":130}"#, "`name`");
    check_refused(br#"{"name":"v2"}"#, "`height`");
    check_refused(br#"{"name":"v2","height":0}"#, "`height`");
    check_refused(br#"{"name":"v2","height":-1}"#, "`height`");
    check_refused(br#"{"name":"v2","height":1.5}"#, "`height`");
    check_refused(br#"{"name":"v2","height":"130"}"#, "`height`");
    check_refused(br#"{"name":"v2","height":9223372036854775808}"#, "`height`");
    check_refused(br#"{"name":"v2","height":130,"info":{}}"#, "`info`");
    check_refused(&vec![b' '; FILE_BYTES_MAX + 1], "at most");
}

#[test]
fn fields_of_later_versions_are_passed_over() {
    assert_eq!(decode(br#"{"name":"v2","height":130,"info":"text","more":[1]}"#), Ok(plan("text")));
    assert_eq!(decode(br#"{"name":"v2","height":130,"info":null}"#), Ok(plan("")));
}
