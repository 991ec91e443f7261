//! The folder of snapshots: making, listing, serving and removing them.
//!
//! A snapshot is a folder `HEIGHT-FORMAT` with the file `metadata` and one file a chunk, named by its index.
//!
//! # Invariants
//! - A folder under such a name is whole: it was made under another name, synced, and then renamed.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use swing_files::{Disk, Files, make_synced_folder, remove_whole, write_synced};

use super::{
    About, CHUNK_BYTES, CHUNKS_MAX, FORMAT, METADATA_BYTES_MAX, Metadata, SnapshotError, export,
    stream::{Cutter, header},
};
use crate::{
    View,
    checkpoint::files::free_bytes,
    tree::{Hash, sha256},
};

const METADATA_FILE: &str = "metadata";

/// Beginning of the name of a snapshot that is being made, or removed.
const UNFINISHED: &str = ".unfinished-";

/// Room that is left free whatever a snapshot needs: the database's own next files come first.
const ROOM_SPARE_BYTES: u64 = 256 << 20;

/// Where snapshots are kept. Nothing is read or made before it is asked for.
#[derive(Clone, Debug)]
pub struct Snapshots {
    folder: PathBuf,
    files: Arc<dyn Files>,
}

/// A snapshot that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The version that it holds.
    pub height: u64,
    /// Its format.
    pub format: u32,
    /// What it says of itself.
    pub metadata: Metadata,
}

impl Snapshots {
    /// The snapshots in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Snapshots::through(Arc::new(Disk), folder)
    }

    /// The same, touched through this port.
    pub fn through(files: Arc<dyn Files>, folder: impl Into<PathBuf>) -> Self {
        Snapshots { folder: folder.into(), files }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the snapshot of a view's version. Blocks go on meanwhile. One of this state that is there already is left as it is, one
    /// of another state of the same height is replaced: the height was executed again.
    ///
    /// # Errors
    /// [`SnapshotError`]; nothing is left then under a snapshot's name.
    pub fn make(&self, view: &View, about: About) -> Result<Metadata, SnapshotError> {
        let height = view.version();
        if height == 0 {
            return Err(SnapshotError::Empty);
        }
        match self.find(height, FORMAT) {
            Ok(found) if found.metadata.app_hash == view.root_hash() => return Ok(found.metadata),
            Err(SnapshotError::NotFound { .. }) => {}
            Ok(_) | Err(_) => self.delete(height, FORMAT)?,
        }
        let (io, files) = (SnapshotError::io, self.files.as_ref());
        make_synced_folder(files, &self.folder).map_err(io(&self.folder))?;
        self.remove_unfinished()?;
        let name = name(height, FORMAT);
        let making = self.folder.join(format!("{UNFINISHED}{name}"));
        files.make_folder(&making).map_err(io(&making))?;
        let chunk_hashes = self.write_chunks(view, &making)?;
        let metadata = Metadata { about, height, app_hash: view.root_hash(), chunk_hashes };
        let bytes = metadata.encode();
        Metadata::decode(&bytes)?;
        let path = making.join(METADATA_FILE);
        write_synced(files, &path, &bytes).map_err(io(&path))?;
        files.sync_folder(&making).map_err(io(&making))?;
        let place = self.folder.join(&name);
        files.rename(&making, &place).map_err(io(&place))?;
        files.sync_folder(&self.folder).map_err(io(&self.folder))?;
        Ok(metadata)
    }

    fn write_chunks(&self, view: &View, making: &Path) -> Result<Vec<Hash>, SnapshotError> {
        let mut hashes: Vec<Hash> = Vec::new();
        let mut cutter = Cutter::new(|chunk: &[u8]| {
            if hashes.len() >= CHUNKS_MAX {
                return Err(SnapshotError::TooManyChunks { max: CHUNKS_MAX });
            }
            let path = making.join(hashes.len().to_string());
            self.check_room(chunk.len())?;
            write_synced(self.files.as_ref(), &path, chunk).map_err(SnapshotError::io(&path))?;
            hashes.push(sha256(chunk));
            Ok(())
        });
        let mut is_empty = true;
        export::entries(view, |key, value| {
            is_empty = false;
            let too_large = || SnapshotError::TooLarge {
                key: key.escape_ascii().to_string(),
                bytes: key.len().saturating_add(value.len()),
            };
            cutter.write(&header(key, value).ok_or_else(too_large)?)?;
            cutter.write(key)?;
            cutter.write(value)
        })?;
        cutter.finish(is_empty)?;
        Ok(hashes)
    }

    fn check_room(&self, bytes: usize) -> Result<(), SnapshotError> {
        let free = free_bytes(&self.folder).map_err(SnapshotError::io(&self.folder))?;
        if free.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX)) < ROOM_SPARE_BYTES {
            return Err(SnapshotError::NoRoom { folder: self.folder.clone(), free, spare: ROOM_SPARE_BYTES });
        }
        Ok(())
    }

    /// Names in the folder; none where there is no folder.
    fn names(&self) -> Result<Vec<String>, SnapshotError> {
        self.files.list(&self.folder).map_err(SnapshotError::io(&self.folder))
    }

    /// The snapshots, the lowest height first. One whose metadata cannot be read is an error in its place.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Result<Listed, SnapshotError>>, SnapshotError> {
        Ok(self.places()?.into_iter().map(|(height, format)| self.find(height, format)).collect())
    }

    /// The snapshot of this height and format.
    ///
    /// # Errors
    /// [`SnapshotError::NotFound`], or its metadata cannot be read.
    pub fn find(&self, height: u64, format: u32) -> Result<Listed, SnapshotError> {
        let path = self.folder.join(name(height, format)).join(METADATA_FILE);
        let limit = METADATA_BYTES_MAX.saturating_add(1);
        let Some(bytes) = self.read(&path, limit).map_err(SnapshotError::io(&path))? else {
            return Err(SnapshotError::NotFound { height, format, folder: self.folder.clone() });
        };
        let damaged = |reason: String| SnapshotError::Damaged { path: path.clone(), reason };
        let metadata = Metadata::decode(&bytes).map_err(|error| damaged(error.to_string()))?;
        if metadata.height != height || format != FORMAT {
            return Err(damaged(format!("it is of height {} and format {FORMAT}", metadata.height)));
        }
        Ok(Listed { height, format, metadata })
    }

    /// A chunk's bytes, checked against the metadata; none where there is no such snapshot or chunk.
    ///
    /// # Errors
    /// The file is damaged or cannot be read: nothing is served from it.
    pub fn chunk(&self, height: u64, format: u32, index: u32) -> Result<Option<Vec<u8>>, SnapshotError> {
        let listed = match self.find(height, format) {
            Err(SnapshotError::NotFound { .. }) => return Ok(None),
            found => found?,
        };
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(hash) = listed.metadata.chunk_hashes.get(position) else { return Ok(None) };
        let path = self.folder.join(name(height, format)).join(index.to_string());
        let damaged = |reason: &str| SnapshotError::Damaged { path: path.clone(), reason: reason.to_owned() };
        let bytes = self.read(&path, CHUNK_BYTES.saturating_add(1)).map_err(SnapshotError::io(&path))?;
        let bytes = bytes.ok_or_else(|| damaged("the chunk is missing"))?;
        if sha256(&bytes) == *hash { Ok(Some(bytes)) } else { Err(damaged("the chunk has other bytes than it had")) }
    }

    /// Removes one.
    ///
    /// # Errors
    /// [`SnapshotError::NotFound`], or the system's.
    pub fn delete(&self, height: u64, format: u32) -> Result<(), SnapshotError> {
        let name = name(height, format);
        let (place, removing) = (self.folder.join(&name), self.folder.join(format!("{UNFINISHED}{name}")));
        match remove_whole(self.files.as_ref(), &place, &removing) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SnapshotError::NotFound { height, format, folder: self.folder.clone() })
            }
            removed => removed.map_err(SnapshotError::io(&place)),
        }
    }

    /// Removes those of heights above `height`: state was put back, and what comes instead may be another one. Gives the heights of
    /// those that went.
    ///
    /// # Errors
    /// As [`Snapshots::prune`].
    pub fn delete_above(&self, height: u64) -> Result<Vec<u64>, SnapshotError> {
        self.delete_all(self.places()?.into_iter().filter(|(of, _)| *of > height))
    }

    /// Removes all but those of the `keep` greatest heights; with 0 none. Gives the heights of those that went.
    ///
    /// # Errors
    /// The folder cannot be read, or one cannot be removed.
    pub fn prune(&self, keep: usize) -> Result<Vec<u64>, SnapshotError> {
        let places = self.places()?;
        let over = if keep == 0 { 0 } else { places.len().saturating_sub(keep) };
        self.delete_all(places.into_iter().take(over))
    }

    fn delete_all(&self, places: impl Iterator<Item = (u64, u32)>) -> Result<Vec<u64>, SnapshotError> {
        places.map(|(height, format)| self.delete(height, format).map(|()| height)).collect()
    }

    /// Heights and formats that there are, ascending.
    fn places(&self) -> Result<Vec<(u64, u32)>, SnapshotError> {
        let mut places: Vec<_> = self.names()?.iter().filter_map(|name| parse(name)).collect();
        places.sort_unstable();
        Ok(places)
    }

    /// Removes what a crash has left of one that was being made or removed.
    fn remove_unfinished(&self) -> Result<(), SnapshotError> {
        for name in self.names()?.iter().filter(|name| name.starts_with(UNFINISHED)) {
            let path = self.folder.join(name);
            self.files.remove(&path).map_err(SnapshotError::io(&path))?;
        }
        Ok(())
    }

    /// A file's bytes, at most `limit` of them; none where there is no file.
    fn read(&self, path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
        match self.files.read(path, u64::try_from(limit).unwrap_or(u64::MAX)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            bytes => bytes.map(Some),
        }
    }
}

fn name(height: u64, format: u32) -> String {
    format!("{height}-{format}")
}

/// Height and format in a name that [`name`] makes.
fn parse(text: &str) -> Option<(u64, u32)> {
    let (height, format) = text.split_once('-')?;
    let (height, format) = (height.parse().ok()?, format.parse().ok()?);
    (name(height, format) == text).then_some((height, format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_height_and_a_format_and_nothing_else() {
        assert_eq!(parse("120-1"), Some((120, 1)));
        for bad in ["", "120", "-1", "120-", "0120-1", "120-1-1", "+120-1", ".unfinished-120-1", "../120-1"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
