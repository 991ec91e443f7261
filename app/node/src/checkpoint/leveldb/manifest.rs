//! The manifest: which tables live, and from which journal on the rest is.

use std::{collections::BTreeMap, path::Path};

use super::{
    LevelDbError,
    bytes::{internal_key, slice, varint},
    journal, read_file,
};

/// Least and greatest user key of a table.
type Bounds = (Vec<u8>, Vec<u8>);

/// The state of the database's files.
#[derive(Debug, Default)]
pub struct Version {
    tables: BTreeMap<u64, Bounds>,
    /// Journals of this number and above are not in tables.
    pub first_journal: u64,
    /// One more such journal; 0 for none.
    pub previous_journal: u64,
}

impl Version {
    /// Reads what the file CURRENT points to.
    pub fn load(folder: &Path) -> Result<Version, LevelDbError> {
        let current = folder.join("CURRENT");
        let name = read_file(&current)?;
        let name = std::str::from_utf8(&name).ok().and_then(|name| name.strip_suffix('\n'));
        let name =
            name.filter(|name| name.strip_prefix("MANIFEST-").is_some_and(|number| number.parse::<u64>().is_ok()));
        let path = folder.join(name.ok_or_else(|| LevelDbError::damaged(&current, "it names no manifest"))?);
        let mut version = Version::default();
        let not_a_record = || LevelDbError::damaged(&path, "a record that is not one");
        for record in journal::records(&read_file(&path)?).ok_or_else(not_a_record)? {
            version.apply(&record).ok_or_else(not_a_record)?;
        }
        Ok(version)
    }

    fn apply(&mut self, mut record: &[u8]) -> Option<()> {
        let bytes = &mut record;
        while !bytes.is_empty() {
            match varint(bytes)? {
                1 => {
                    if slice(bytes)? != b"leveldb.BytewiseComparator" {
                        return None;
                    }
                }
                2 => self.first_journal = varint(bytes)?,
                3 | 4 => {
                    varint(bytes)?;
                }
                5 => {
                    varint(bytes)?;
                    slice(bytes)?;
                }
                6 => {
                    varint(bytes)?;
                    self.tables.remove(&varint(bytes)?);
                }
                7 => {
                    let [_level, number, _size] = [varint(bytes)?, varint(bytes)?, varint(bytes)?];
                    let (least, ..) = internal_key(slice(bytes)?)?;
                    let (greatest, ..) = internal_key(slice(bytes)?)?;
                    self.tables.insert(number, (least.to_vec(), greatest.to_vec()));
                }
                9 => self.previous_journal = varint(bytes)?,
                _ => return None,
            }
        }
        Some(())
    }

    /// Numbers of the tables that may have the key.
    pub fn tables_with<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = u64> + 'a {
        let may_have =
            move |(_, (least, greatest)): &(&u64, &Bounds)| least.as_slice() <= key && key <= greatest.as_slice();
        self.tables.iter().filter(may_have).map(|(number, _)| *number)
    }
}
