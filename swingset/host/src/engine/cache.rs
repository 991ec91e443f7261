//! Compiled code on disk, so that a restart does not compile again. Local to one node: never shared, synced or in snapshots.
//!
//! A file is `SWCODE01`, SHA-256 of its whole key, SHA-256 of the artifact, and the artifact. Anything else than the expected bytes
//! is as good as no file: the code is compiled again.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

const MAGIC: &[u8; 8] = b"SWCODE01";
const HEADER_BYTES: usize = 8 + 32 + 32;
/// Bytes of files kept beside the newest: those written last. Anybody can have bundles compiled that are gone the next day.
const KEPT_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// The cache's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made or read.
    #[error("code cache {path}: {error}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Others may enter it: what they put there would be run.
    #[error("code cache {path} has mode {mode:o}; it must be 700: chmod 700 it, or remove it")]
    Mode {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

/// A folder of compiled code.
#[derive(Clone, Debug)]
pub struct CodeCache {
    folder: PathBuf,
}

impl CodeCache {
    /// Opens the folder; makes it with mode 0700 when it is not there.
    ///
    /// # Errors
    /// When it cannot be made or others may enter it.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, CacheError> {
        let path = folder.as_ref().to_owned();
        let io = |error| CacheError::Io { path: path.clone(), error };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(io)?;
        let mode = fs::metadata(&path).map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(CacheError::Mode { path, mode });
        }
        Ok(CodeCache { folder: path })
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{}.code", hex::encode(Sha256::digest(key.as_bytes()))))
    }

    /// The module of this key, if its file is whole.
    pub(super) fn load(&self, engine: &Engine, key: &str) -> Option<Module> {
        let bytes = fs::read(self.path(key)).ok()?;
        let artifact = verified_artifact(&bytes, key)?;
        // SAFETY: the bytes are those that `store` wrote: they have the SHA-256 that the header names, under a header with the
        // whole key, in a folder that only this user may enter. The engine itself refuses code of another version or configuration.
        #[expect(unsafe_code, reason = "loading compiled code has no safe form; the file is verified before")]
        let module = unsafe { Module::deserialize(engine, artifact) };
        module.ok()
    }

    /// Keeps a module. A failure costs a compilation at the next start, nothing else.
    pub(super) fn store(&self, key: &str, module: &Module) {
        let Ok(artifact) = module.serialize() else { return };
        if let Err(error) = self.write(key, &artifact) {
            return tracing::warn!(folder = %self.folder.display(), %error, "compiled code was not kept");
        }
        if let Err(error) = self.prune(KEPT_BYTES_MAX) {
            tracing::warn!(folder = %self.folder.display(), %error, "old compiled code was not removed");
        }
    }

    /// Removes the oldest files until no more than so many bytes are left beside the newest. What is used still is compiled once more.
    fn prune(&self, bytes_max: u64) -> std::io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let about = entry.metadata()?;
            files.push((about.modified()?, about.len(), entry.path()));
        }
        files.sort();
        files.pop();
        let mut bytes: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if bytes <= bytes_max {
                break;
            }
            fs::remove_file(path)?;
            bytes = bytes.saturating_sub(length);
        }
        Ok(())
    }

    fn write(&self, key: &str, artifact: &[u8]) -> std::io::Result<()> {
        let path = self.path(key);
        let part = path.with_extension(format!("part-{}", std::process::id()));
        let mut file = fs::File::create(&part)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(MAGIC)?;
        file.write_all(&Sha256::digest(key.as_bytes()))?;
        file.write_all(&Sha256::digest(artifact))?;
        file.write_all(artifact)?;
        drop(file);
        fs::rename(&part, &path)
    }
}

/// The artifact, when header and hash are those of the key.
fn verified_artifact<'a>(bytes: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let (header, artifact) = bytes.split_at_checked(HEADER_BYTES)?;
    let (magic, hashes) = header.split_at_checked(MAGIC.len())?;
    let (key_hash, artifact_hash) = hashes.split_at_checked(32)?;
    let whole = magic == MAGIC
        && key_hash == &Sha256::digest(key.as_bytes())[..]
        && artifact_hash == &Sha256::digest(artifact)[..];
    whole.then_some(artifact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine_and_module() -> (Engine, Module) {
        let engine = Engine::default();
        let module = Module::new(&engine, wat::parse_str("(module (func (export \"f\")))").unwrap()).unwrap();
        (engine, module)
    }

    #[test]
    fn a_kept_module_is_found_under_its_whole_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(folder.path().join("code")).unwrap();
        let (engine, module) = engine_and_module();
        cache.store("key", &module);
        assert!(cache.load(&engine, "key").is_some());
        assert!(cache.load(&engine, "other").is_none());
        fs::rename(cache.path("key"), cache.path("other")).unwrap();
        assert!(cache.load(&engine, "other").is_none(), "a file under another key's name is refused");
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(folder.path().join("code")).unwrap();
        let (engine, module) = engine_and_module();
        cache.store("key", &module);
        let whole = fs::read(cache.path("key")).unwrap();
        for at in [0, 8, 40, 71, 72, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(cache.path("key"), &bytes).unwrap();
            assert!(cache.load(&engine, "key").is_none(), "flipped byte {at}");
        }
        fs::write(cache.path("key"), &whole[..71]).unwrap();
        assert!(cache.load(&engine, "key").is_none(), "cut short");
    }

    #[test]
    fn the_oldest_files_are_removed_when_there_is_too_much() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(folder.path().join("code")).unwrap();
        let (engine, module) = engine_and_module();
        for (key, age) in [("b", 2), ("a", 3), ("d", 0), ("c", 1)] {
            cache.store(key, &module);
            let file = fs::File::options().append(true).open(cache.path(key)).unwrap();
            let written = file.metadata().unwrap().modified().unwrap();
            file.set_modified(written - std::time::Duration::from_secs(age * 1000)).unwrap();
        }
        let each = fs::metadata(cache.path("a")).unwrap().len();
        cache.prune(each).unwrap();
        let left = ["a", "b", "c", "d"].map(|key| cache.load(&engine, key).is_some());
        assert_eq!(left, [false, false, true, true]);
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code");
        CodeCache::open(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(CodeCache::open(&path), Err(CacheError::Mode { mode: 0o755, .. })));
    }
}
