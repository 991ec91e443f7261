//! A download's address in go-getter's notation: `https://…/swingd?checksum=sha256:<hex>`, `file:///…?checksum=…`.

use std::{
    io,
    path::{Path, PathBuf},
    str,
};

use sha2::{Sha256, Sha512};

use super::FetchError;
use crate::probe;

/// How the path of an archive ends. Source: go-getter's decompressors.
const ARCHIVES: [&str; 13] = [
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".gz", ".bz2", ".xz",
    ".zip",
];

/// Where the content is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file of this machine.
    File(PathBuf),
    /// An https address, without the parameters that are ours.
    Https(String),
}

/// What the content must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256, lower-case hex.
    Sha256(String),
    /// SHA-512, lower-case hex.
    Sha512(String),
}

/// A download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it is.
    pub location: Location,
    /// What it must be.
    pub checksum: Checksum,
    /// Whether the address says that the binary is in an archive.
    pub archive: bool,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::File(path) => write!(f, "file://{}", path.display()),
            Location::Https(url) => f.write_str(url),
        }
    }
}

impl Checksum {
    /// The kind's name and the digest.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Checksum::Sha256(digest) => ("SHA-256", digest),
            Checksum::Sha512(digest) => ("SHA-512", digest),
        }
    }

    /// The digest of this kind of a file.
    ///
    /// # Errors
    /// The system's.
    pub fn of_file(&self, path: &Path) -> io::Result<Self> {
        match self {
            Checksum::Sha256(_) => probe::digest::<Sha256>(path).map(Checksum::Sha256),
            Checksum::Sha512(_) => probe::digest::<Sha512>(path).map(Checksum::Sha512),
        }
    }

    /// From `sha256:<hex>`, or the digest alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        // Without a kind the length tells it, as go-getter has it.
        let guessed = if text.len() == 128 { "sha512" } else { "sha256" };
        let (kind, digest) = text.split_once(':').unwrap_or((guessed, text));
        let digest = digest.to_lowercase();
        let length = hex::decode(&digest).map_err(|_| format!("the checksum {text:?} is not hex"))?.len();
        match (kind, length) {
            ("sha256", 32) => Ok(Checksum::Sha256(digest)),
            ("sha512", 64) => Ok(Checksum::Sha512(digest)),
            ("sha256" | "sha512", _) => Err(format!("the checksum has {length} bytes: not a {kind}")),
            _ => Err(format!("checksums of kind {kind:?} are not taken: use sha256 or sha512")),
        }
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2).ok_or("a % without two digits")?;
            bytes.extend(hex::decode(digits).map_err(|_| "a % without two hex digits")?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

impl Source {
    /// From an address.
    ///
    /// # Errors
    /// [`FetchError::Address`]: another scheme, or no checksum that is taken.
    pub fn parse(url: &str) -> Result<Self, FetchError> {
        Source::try_parse(url).map_err(|reason| FetchError::Address { url: url.to_owned(), reason })
    }

    fn try_parse(url: &str) -> Result<Self, String> {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut checksum, mut others) = (None, Vec::new());
        let mut archive = ARCHIVES.iter().any(|end| address.to_lowercase().ends_with(end));
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("checksum", value)) if checksum.is_none() => checksum = Some(Checksum::parse(&decoded(value)?)?),
                Some(("checksum", _)) => return Err("it has two checksums".to_owned()),
                // What the content is shows when it is opened; this tells those who have the binary alone.
                Some(("archive", kind)) => archive = kind != "false",
                _ => others.push(parameter),
            }
        }
        let checksum = checksum.ok_or("it has no ?checksum=sha256:…, and nothing is used without")?;
        let location = match address.split_once("://") {
            Some(("file", path)) if path.starts_with('/') => Location::File(PathBuf::from(decoded(path)?)),
            Some(("file", _)) => return Err("a file's address has an absolute path: file:///…".to_owned()),
            Some(("https", _)) if others.is_empty() => Location::Https(address.to_owned()),
            Some(("https", _)) => Location::Https(format!("{address}?{}", others.join("&"))),
            Some((scheme, _)) => return Err(format!("{scheme}:// is not taken: use https:// or file://")),
            None => return Err("it is no address".to_owned()),
        };
        Ok(Source { location, checksum, archive })
    }

    /// Whether a text looks like an address at all.
    pub fn looks_like_one(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+.-".contains(letter))
        })
    }
}
