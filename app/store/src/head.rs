//! The committed version, as memory and as the one row that says it.

use crate::{
    StoreError,
    db::{Column, Database},
    tree::{Child, Hash, PLACEHOLDER, decode_root, root_hash, sha256},
};

/// Where the database stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The committed version, 0 when there is none.
    pub version: u64,
    /// Its root.
    pub root: Option<Child>,
    /// Its root hash.
    pub root_hash: Hash,
    /// The oldest version that may be read.
    pub oldest: u64,
    /// The version whose stale list is the next to prune.
    pub prune_next: u64,
}

/// The row's key in `Meta`.
pub const HEAD_KEY: &[u8] = b"head";

const CHECK_BYTES: usize = 8;
const ROW_BYTES: usize = 8 + 32 + 8 + 8 + CHECK_BYTES;

impl Head {
    /// Where an empty database stands.
    pub const EMPTY: Head = Head { version: 0, root: None, root_hash: PLACEHOLDER, oldest: 0, prune_next: 0 };

    /// The row's value: numbers big-endian, the root hash, and a check over both.
    pub fn encode(&self) -> Vec<u8> {
        let mut row = Vec::with_capacity(ROW_BYTES);
        row.extend_from_slice(&self.version.to_be_bytes());
        row.extend_from_slice(&self.root_hash);
        row.extend_from_slice(&self.oldest.to_be_bytes());
        row.extend_from_slice(&self.prune_next.to_be_bytes());
        let check = sha256(&row);
        row.extend_from_slice(&check[..CHECK_BYTES]);
        row
    }

    /// Reads the row and the root that belongs to it.
    pub fn load(db: &Database) -> Result<Head, StoreError> {
        let Some(row) = db.get(Column::Meta, HEAD_KEY)? else {
            let mut latest = db.iterator(Column::Latest, None)?;
            latest.seek_to_first();
            return match crate::db::current(&latest)? {
                None => Ok(Head::EMPTY),
                Some(_) => Err(StoreError::corrupt("there is state, but no committed version")),
            };
        };
        let head = Head::decode(&row).ok_or_else(|| StoreError::corrupt("the row of the committed version"))?;
        let root = load_root(db, head.version)?;
        if root_hash(root.as_ref()) != head.root_hash {
            return Err(StoreError::corrupt(format!("the root of version {} is not the committed one", head.version)));
        }
        Ok(Head { root, ..head })
    }

    fn decode(row: &[u8]) -> Option<Head> {
        let (body, check) = row.split_last_chunk::<CHECK_BYTES>()?;
        if body.len() + CHECK_BYTES != ROW_BYTES || !sha256(body).starts_with(check) {
            return None;
        }
        let (version, rest) = body.split_first_chunk::<8>()?;
        let (root_hash, rest) = rest.split_first_chunk::<32>()?;
        let (oldest, rest) = rest.split_first_chunk::<8>()?;
        Some(Head {
            version: u64::from_be_bytes(*version),
            root: None,
            root_hash: *root_hash,
            oldest: u64::from_be_bytes(*oldest),
            prune_next: u64::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

/// The root of a kept version.
pub fn load_root(db: &Database, version: u64) -> Result<Option<Child>, StoreError> {
    let row = db.get(Column::Roots, &version.to_be_bytes())?;
    let row = row.ok_or_else(|| StoreError::corrupt(format!("the root of version {version} is missing")))?;
    decode_root(&row).ok_or_else(|| StoreError::corrupt(format!("the root of version {version} has other bytes")))
}
