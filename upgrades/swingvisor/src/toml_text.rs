//! Single settings of the node's TOML files. A supervisor needs a handful of them, all texts, numbers and flags on one line.

use std::{io, path::Path};

/// Largest file that is read.
const BYTES_MAX: u64 = 1 << 20;

/// The file's text.
///
/// # Errors
/// The system's, with the path; a file that is no configuration by its size.
pub fn read(path: &Path) -> io::Result<String> {
    let told = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if std::fs::metadata(path).map_err(told)?.len() > BYTES_MAX {
        return Err(told(io::ErrorKind::FileTooLarge.into()));
    }
    std::fs::read_to_string(path).map_err(told)
}

/// The value of a key in a section, without quotes; the section before the first one is the empty text.
#[must_use]
pub fn value(text: &str, section: &str, key: &str) -> Option<String> {
    let mut current = "";
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            current = header.split(']').next().unwrap_or_default().trim();
            continue;
        }
        let Some((name, rest)) = line.split_once('=') else { continue };
        if current == section && name.trim() == key {
            let rest = rest.trim();
            return match rest.chars().next().filter(|letter| matches!(letter, '"' | '\'')) {
                Some(quote) => rest.get(1..)?.split(quote).next().map(str::to_owned),
                None => rest.split('#').next().map(|bare| bare.trim().to_owned()),
            };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn values_are_read_in_their_sections() {
        let text = "# proxy_app = \"x\"\nproxy_app = \"tcp://127.0.0.1:26658\" # here\n[rpc]\nladdr='a#b'\n[ api ]\nenable = true # on\n";
        let check = |section: &str, key: &str, expected: Option<&str>| {
            assert_eq!(value(text, section, key).as_deref(), expected, "{section}.{key}");
        };
        check("", "proxy_app", Some("tcp://127.0.0.1:26658"));
        check("rpc", "laddr", Some("a#b"));
        check("api", "enable", Some("true"));
        check("rpc", "proxy_app", None);
        check("", "laddr", None);
        check("grpc", "enable", None);
    }
}
