//! The mark: `config/priv_validator_high_water.json`, beside the key that it is of.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use swing_files::{Files, replace_file};

use super::{Signed, SigningError, has_remote_signer};
use crate::config::{Home, node_keys::NodeKey};

/// The marks of the keys that this home has signed with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marks {
    /// For whoever opens the file.
    about: String,
    /// By the key's address, upper-case hexadecimal.
    signed: BTreeMap<String, Signed>,
}

/// The most of the file that is read: a mark a key.
const BYTES_MAX: u64 = 1 << 20;

const ABOUT: &str = "The highest point at which each key has signed. Never lower or remove it: an engine that starts below it can \
                     sign twice.";

/// The mark of this home's key.
#[derive(Clone, Debug)]
pub struct HighWater {
    files: Arc<dyn Files>,
    path: PathBuf,
    address: String,
    marks: Marks,
}

impl HighWater {
    /// Reads it; none where this home has no key of its own, since a signer elsewhere keeps a state of its own.
    ///
    /// # Errors
    /// [`SigningError`].
    pub fn of_home(home: &Home) -> Result<Option<Self>, SigningError> {
        if !home.priv_validator_key().exists() || has_remote_signer(home)? {
            return Ok(None);
        }
        let path = home.priv_validator_high_water();
        let address = hex::encode_upper(NodeKey::load(&home.priv_validator_key())?.address().as_bytes());
        let marks = match home.files().read(&path, BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Marks::default(),
            Err(source) => return Err(SigningError::Io { path, source }),
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| SigningError::Malformed { path: path.clone(), reason: error.to_string() })?,
        };
        Ok(Some(HighWater { files: Arc::clone(home.files()), path, address, marks }))
    }

    /// The mark, if one was set.
    pub fn signed(&self) -> Option<Signed> {
        self.marks.signed.get(&self.address).copied()
    }

    /// Raises the mark; a lower one changes nothing.
    ///
    /// # Errors
    /// The file cannot be written; it is then as it was.
    pub fn raise(&mut self, signed: Signed) -> Result<(), SigningError> {
        if self.signed().is_some_and(|mark| mark >= signed) {
            return Ok(());
        }
        let mut marks = self.marks.clone();
        marks.about = ABOUT.to_owned();
        marks.signed.insert(self.address.clone(), signed);
        let mut text = serde_json::to_vec_pretty(&marks)
            .map_err(|error| SigningError::Malformed { path: self.path.clone(), reason: error.to_string() })?;
        text.push(b'\n');
        let failed = |source| SigningError::Io { path: self.path.clone(), source };
        replace_file(self.files.as_ref(), &self.path, &text).map_err(failed)?;
        self.marks = marks;
        Ok(())
    }
}

/// Whether an engine may be started on this home: its signing state is not below the mark. Raises the mark to it.
///
/// # Errors
/// [`SigningError::BelowHighWater`], or a file that cannot be read.
pub fn check(home: &Home) -> Result<(), SigningError> {
    let Some(mut high_water) = HighWater::of_home(home)? else { return Ok(()) };
    let state = Signed::of_home(home)?;
    match high_water.signed() {
        Some(mark) if mark > state.unwrap_or_default() => Err(SigningError::BelowHighWater {
            mark,
            mark_file: high_water.path,
            state: state.unwrap_or_default(),
            state_file: home.priv_validator_state(),
        }),
        _ => state.map_or(Ok(()), |state| high_water.raise(state)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::new(folder.path());
        crate::config::files::create_folder(&home.data_folder()).expect("made");
        key(&home, 1);
        (folder, home)
    }

    fn key(home: &Home, seed: u8) {
        let path = home.priv_validator_key();
        let _ = std::fs::remove_file(&path);
        NodeKey::from_seed([seed; 32]).save_validator_key(&path).expect("written");
    }

    fn sign(home: &Home, height: u64, round: u64, step: u8) {
        let state = format!(r#"{{"height":"{height}","round":{round},"step":{step}}}"#);
        std::fs::write(home.priv_validator_state(), state).expect("written");
    }

    fn mark(home: &Home) -> Option<Signed> {
        HighWater::of_home(home).expect("readable").and_then(|mark| mark.signed())
    }

    #[test]
    fn the_mark_rises_with_the_signing_state_and_an_older_one_is_refused_by_height_round_and_step() {
        let (_folder, home) = home();
        check(&home).expect("nothing was signed");
        sign(&home, 8, 1, 2);
        check(&home).expect("it rises");
        let high = Signed { height: 8, round: 1, step: 2 };
        assert_eq!(mark(&home), Some(high));
        for (height, round, step) in [(7, 9, 3), (8, 0, 3), (8, 1, 1)] {
            sign(&home, height, round, step);
            let error = check(&home).expect_err("below").to_string();
            assert!(error.contains("DANGER") && error.contains("height 8, round 1, step 2"), "{error}");
            assert!(error.contains(super::super::UNSAFE_FLAG), "{error}");
            assert_eq!(mark(&home), Some(high), "the mark stays");
        }
        std::fs::remove_file(home.priv_validator_state()).expect("removed");
        check(&home).expect_err("a lost state is as old as can be");
        sign(&home, 8, 1, 3);
        check(&home).expect("a later step of the same round");
    }

    #[test]
    fn another_key_begins_with_no_mark_and_the_first_ones_is_kept() {
        let (_folder, home) = home();
        sign(&home, 80, 0, 3);
        check(&home).expect("it rises");
        key(&home, 2);
        sign(&home, 3, 0, 3);
        check(&home).expect("another key");
        key(&home, 1);
        check(&home).expect_err("the first key is back, with the other's state");
        assert_eq!(mark(&home).map(|mark| mark.height), Some(80));
    }

    #[test]
    fn a_damaged_mark_is_an_error_and_a_remote_signer_has_none() {
        let (_folder, home) = home();
        std::fs::write(home.priv_validator_high_water(), "{").expect("written");
        assert!(matches!(check(&home), Err(SigningError::Malformed { .. })));
        std::fs::write(home.config_toml(), "priv_validator_laddr = \"tcp://127.0.0.1:1\"\n").expect("written");
        check(&home).expect("the signer's own state counts there");
    }
}
