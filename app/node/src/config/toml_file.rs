//! A TOML file that is read and edited in place, comments and unknown settings kept.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, Value};

use super::{ConfigError, files};

/// An opened file.
#[derive(Clone, Debug)]
pub struct TomlFile {
    path: PathBuf,
    document: DocumentMut,
}

impl TomlFile {
    /// A new file with this text, not yet written.
    ///
    /// # Errors
    /// The text is not TOML.
    pub fn from_text(path: impl Into<PathBuf>, text: &str) -> Result<Self, ConfigError> {
        let path = path.into();
        match text.parse::<DocumentMut>() {
            Ok(document) => Ok(TomlFile { path, document }),
            Err(error) => Err(ConfigError::content(path, error)),
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It is not readable or not TOML.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let path = path.into();
        let text = files::read_text(&path)?;
        Self::from_text(path, &text)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text as it would be written.
    #[must_use]
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    /// The value of a key such as `moniker` or `rpc.laddr`, as text without quotes.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        let mut item = self.document.as_item();
        for part in key.split('.') {
            item = item.get(part)?;
        }
        match item.as_value()? {
            Value::String(text) => Some(text.value().clone()),
            other => Some(other.to_string().trim().to_owned()),
        }
    }

    /// Sets a key; the type of a value that is there stays (`true`, `5` and lists are read from the text).
    ///
    /// # Errors
    /// The key names a table, a part of it is not a table, or the text is not of the old value's type.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), ConfigError> {
        let wrong = |reason: String| ConfigError::Setting(format!("{key}: {reason}"));
        let (tables, name) = match key.rsplit_once('.') {
            Some((tables, name)) => (Some(tables), name),
            None => (None, key),
        };
        let mut table: &mut Table = self.document.as_table_mut();
        for part in tables.into_iter().flat_map(|tables| tables.split('.')) {
            table = table
                .entry(part)
                .or_insert_with(toml_edit::table)
                .as_table_mut()
                .ok_or_else(|| wrong(format!("{part} is a value, not a section")))?;
        }
        let mut value = match table.get(name) {
            Some(Item::Value(Value::String(_))) | None => Value::from(text),
            Some(Item::Value(old)) => {
                let new: Value = text.parse().map_err(|_| wrong(format!("{text:?} is not a {}", old.type_name())))?;
                if new.type_name() != old.type_name() {
                    return Err(wrong(format!("{text:?} is a {}, expected a {}", new.type_name(), old.type_name())));
                }
                new
            }
            Some(_) => return Err(wrong("it is a section; name a setting in it".to_owned())),
        };
        match table.get_mut(name) {
            // In place: a new entry would lose the comments above the key.
            Some(item) => {
                if let Some(old) = item.as_value() {
                    *value.decor_mut() = old.decor().clone();
                }
                *item = Item::Value(value);
            }
            None => {
                table.insert(name, Item::Value(value));
            }
        }
        Ok(())
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn save(&self) -> Result<(), ConfigError> {
        files::write(&self.path, self.text().as_bytes(), files::MODE_PLAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\nname = \"a\" # why\ncount = 5\n\n[part]\non = false\n";

    #[track_caller]
    fn check(key: &str, text: &str, expected: Result<&str, &str>) {
        let mut file = TomlFile::from_text("x.toml", TEXT).expect("the text is TOML");
        match (file.set(key, text), expected) {
            (Ok(()), Ok(changed)) => assert_eq!(file.text(), changed),
            (Err(error), Err(message)) => assert_eq!(error.to_string(), message),
            (got, _) => panic!("{key} = {text}: {got:?}"),
        }
    }

    #[test]
    fn setting_a_value_keeps_comments_and_types() {
        check("name", "it \"is\"", Ok("# head\nname = 'it \"is\"' # why\ncount = 5\n\n[part]\non = false\n"));
        check("part.on", "true", Ok("# head\nname = \"a\" # why\ncount = 5\n\n[part]\non = true\n"));
        check("count", "7", Ok("# head\nname = \"a\" # why\ncount = 7\n\n[part]\non = false\n"));
        check("count", "many", Err("count: \"many\" is not a integer"));
        check("count", "true", Err("count: \"true\" is a boolean, expected a integer"));
        check("part", "x", Err("part: it is a section; name a setting in it"));
        check("count.x", "x", Err("count.x: count is a value, not a section"));
    }

    #[test]
    fn values_are_read_without_quotes() {
        let file = TomlFile::from_text("x.toml", TEXT).expect("the text is TOML");
        assert_eq!(file.get("name").as_deref(), Some("a"));
        assert_eq!(file.get("part.on").as_deref(), Some("false"));
        assert_eq!(file.get("part"), None);
        assert_eq!(file.get("none.such"), None);
    }
}
