//! Paths with parameters. Source: google.api.http's path templates, as far as the SDK uses them.

use crate::percent;

/// A path's parameters, by the names of a message's fields.
pub(super) type Parameters = Vec<(&'static str, String)>;

/// The parameters of a path of this template: `{name}` is one segment, `{name=**}` all that follow, at least one. None where the
/// path is another one.
pub(super) fn matched(template: &'static str, path: &str) -> Option<Parameters> {
    let mut found = Vec::new();
    let mut segments = path.strip_prefix('/')?.split('/');
    for part in template.split('/').skip(1) {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            if segments.next()? != part {
                return None;
            }
            continue;
        };
        let (name, text) = match name.strip_suffix("=**") {
            Some(name) => (name, segments.by_ref().collect::<Vec<_>>().join("/")),
            None => (name, segments.next()?.to_owned()),
        };
        found.push((name, percent::decode(&text, false).filter(|text| !text.is_empty())?));
    }
    segments.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_templates_as_a_whole() {
        #[track_caller]
        fn check(template: &'static str, path: &str, expected: Option<&[(&str, &str)]>) {
            let found = matched(template, path);
            let found: Option<Vec<_>> =
                found.as_ref().map(|found| found.iter().map(|(name, text)| (*name, text.as_str())).collect());
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        check("/a/b", "/a/b", Some(&[]));
        check("/a/b", "/a", None);
        check("/a/b", "/a/b/", None);
        check("/a/b", "a/b", None);
        check("/a/{x}/c", "/a/5/c", Some(&[("x", "5")]));
        check("/a/{x}/c", "/a/5%2F6/c", Some(&[("x", "5/6")]));
        check("/a/{x}/c", "/a//c", None);
        check("/a/{x}/c", "/a/%zz/c", None);
        check("/a/{x=**}", "/a/ibc/27", Some(&[("x", "ibc/27")]));
        check("/a/{x=**}", "/a", None);
    }
}
