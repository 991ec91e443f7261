//! Taking a message's `[method, args]` body apart, and putting one together. The arguments stay as they are.

use alloc::string::String;

/// Method and argument body (`#[…]`) of a message's body; `None` when it is not `#["method", […]]`.
pub fn split(body: &str) -> Option<(String, String)> {
    let rest = body
        .strip_prefix('#')?
        .trim()
        .strip_prefix('[')?
        .strip_suffix(']')?
        .trim_start();
    let (method, rest) = read_string(rest.strip_prefix('"')?)?;
    let args = rest.trim_start().strip_prefix(',')?.trim();
    if !args.starts_with('[') || !args.ends_with(']') {
        return None;
    }
    let method = match method.strip_prefix('!') {
        Some(unescaped) => String::from(unescaped),
        None => method,
    };
    let mut list = String::with_capacity(args.len() + 1);
    list.push('#');
    list.push_str(args);
    Some((method, list))
}

/// Reads JSON text up to its closing quote; gives it and what follows.
fn read_string(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut symbols = text.char_indices();
    while let Some((at, symbol)) = symbols.next() {
        match symbol {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => match symbols.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                'u' => {
                    let mut code = 0u32;
                    for _ in 0..4 {
                        code = code * 16 + symbols.next()?.1.to_digit(16)?;
                    }
                    out.push(char::from_u32(code)?);
                }
                plain @ ('"' | '\\' | '/') => out.push(plain),
                _ => return None,
            },
            control if u32::from(control) < 0x20 => return None,
            other => out.push(other),
        }
    }
    None
}

/// The body of a message; `None` when `args` is not the body of a list.
pub fn join(method: &str, args: &str) -> Option<String> {
    let list = args.strip_prefix('#')?;
    if !list.starts_with('[') || !list.ends_with(']') {
        return None;
    }
    let mut out = String::with_capacity(list.len() + method.len() + 8);
    out.push_str("#[\"");
    if method
        .bytes()
        .next()
        .is_some_and(|first| (b'!'..=b'-').contains(&first))
    {
        out.push('!');
    }
    for symbol in method.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if u32::from(control) < 0x20 => return None,
            other => out.push(other),
        }
    }
    out.push_str("\",");
    out.push_str(list);
    out.push(']');
    Some(out)
}

/// Whether a body is nothing but a reference to its slot 0.
pub fn is_lone_reference(body: &str) -> bool {
    let inner = body
        .strip_prefix("#\"")
        .and_then(|inner| inner.strip_suffix('"'))
        .unwrap_or_default();
    let tail = inner.strip_prefix("&0").or_else(|| inner.strip_prefix("$0"));
    tail.is_some_and(|tail| tail.is_empty() || tail.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Option<(&str, &str)>) {
        let got = split(body);
        assert_eq!(
            got.as_ref().map(|(method, args)| (method.as_str(), args.as_str())),
            expected,
            "{body}"
        );
    }

    #[test]
    fn a_body_is_split_at_its_method() {
        check("#[\"add\",[1,2]]", Some(("add", "#[1,2]")));
        check("# [ \"add\" , [ ] ] ", Some(("add", "#[ ]")));
        check("#[\"!#x\",[]]", Some(("#x", "#[]")));
        check("#[\"a\\\"\\u0041\",[]]", Some(("a\"A", "#[]")));
        for wrong in [
            "",
            "#",
            "#[]",
            "#[1,[]]",
            "#[\"add\"]",
            "#[\"add\",{}]",
            "[\"add\",[]]",
            "#[\"add,[]]",
            "#[\"\\ud800\",[]]",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn joining_is_the_inverse_of_splitting() {
        for method in ["add", "#x", "a\"b\\c"] {
            let body = join(method, "#[\"$0\"]").unwrap();
            assert_eq!(split(&body), Some((String::from(method), String::from("#[\"$0\"]"))));
        }
        assert_eq!(join("add", "#{}"), None);
    }
}
