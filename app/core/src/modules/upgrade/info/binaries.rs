//! The binaries that a plan lists, as cosmovisor reads them.

use std::collections::BTreeMap;

use super::{InfoProblem, is_platform, is_word};

/// Names of archives and compressed files, which a downloader unpacks.
const ARCHIVES: [&str; 6] = [".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz"];

pub(super) fn read(entries: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, InfoProblem> {
    if entries.is_empty() {
        return Err(InfoProblem::Binaries);
    }
    for (platform, url) in &entries {
        if platform != "any" && !is_platform(platform) {
            return Err(InfoProblem::Platform(platform.clone()));
        }
        if !has_checksum(url) {
            return Err(InfoProblem::Url(platform.clone()));
        }
    }
    Ok(entries)
}

/// The one checksum in an address's query, as `kind:hex`; none where there is none, or more than one.
fn checksum(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (_, query) = rest.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let mut sums = query.split('&').filter_map(|part| part.strip_prefix("checksum="));
    sums.next().filter(|_| sums.next().is_none())
}

/// Whether an address has a scheme and exactly one checksum, of a kind that holds, in its query.
fn has_checksum(url: &str) -> bool {
    let is_sum = |hex: &str, digits| hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    url.split_once("://").is_some_and(|(scheme, _)| is_word(scheme))
        && match checksum(url).and_then(|sum| sum.split_once(':')) {
            Some(("sha256", hex)) => is_sum(hex, 64),
            Some(("sha512", hex)) => is_sum(hex, 128),
            _ => false,
        }
}

/// The SHA-256 of the binary that an address leads to; none where its checksum is another one, or that of an archive around it.
fn binary_sha256(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let packed = ARCHIVES.iter().any(|suffix| path.ends_with(suffix));
    let sum = checksum(url).filter(|_| !packed)?.strip_prefix("sha256:")?;
    Some(sum.to_ascii_lowercase())
}

/// Holds a binary's SHA-256 (lower-case hex) against the one that a plan lists for its platform, as far as the plan lists binaries
/// and says their sums: that of an archive is not that of the binary in it.
///
/// # Errors
/// What is wrong.
pub fn check_binary(info: &str, platform: &str, sha256: &str) -> Result<(), String> {
    let listed = super::stored(info).binaries;
    if listed.is_empty() {
        return Ok(());
    }
    let Some(url) = listed.get(platform).or_else(|| listed.get("any")) else {
        let platforms: Vec<_> = listed.keys().map(String::as_str).collect();
        return Err(format!("the plan lists no binary for {platform}, it has {}", platforms.join(", ")));
    };
    match binary_sha256(url) {
        Some(wanted) if wanted != sha256 => {
            Err(format!("{sha256} is not the plan's for {platform}, which is {wanted}: it is another binary"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::parse, check_binary};

    #[track_caller]
    fn check_problem(text: &str, part: &str) {
        let problem = parse(text).expect_err("it must be refused").to_string();
        assert!(problem.contains(part), "{text}: {problem}");
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

    #[test]
    fn a_binarys_sum_is_held_against_the_plans_where_the_plan_says_it() {
        let (sum, other) = ("ab".repeat(32), "cd".repeat(32));
        let info = |platform: &str, url: &str| format!("{{\"binaries\":{{\"{platform}\":\"{url}\"}}}}");
        let plain = format!("https://x/swingd?checksum=sha256:{}", sum.to_ascii_uppercase());
        check_binary(&info("linux/amd64", &plain), "linux/amd64", &sum).unwrap();
        check_binary(&info("any", &plain), "linux/arm64", &sum).unwrap();
        let refused = check_binary(&info("any", &plain), "linux/arm64", &other).unwrap_err();
        assert!(refused.contains("is not the plan's for linux/arm64"), "{refused}");
        let refused = check_binary(&info("linux/amd64", &plain), "darwin/arm64", &sum).unwrap_err();
        assert!(refused.contains("lists no binary for darwin/arm64, it has linux/amd64"), "{refused}");
        // Sums of something else than the binary itself say nothing of it.
        for url in [
            format!("https://x/swingd.tar.gz?checksum=sha256:{sum}"),
            format!("https://x/swingd.ZIP?checksum=sha256:{sum}"),
            format!("https://x/swingd?checksum=sha512:{sum}{sum}"),
        ] {
            check_binary(&info("any", &url), "linux/amd64", &other).unwrap();
        }
        check_binary("", "linux/amd64", &other).unwrap();
        check_binary("{}", "linux/amd64", &other).unwrap();
    }
}
