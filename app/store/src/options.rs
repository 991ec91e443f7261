//! How a store is opened: what it keeps and how much memory it may use.

use crate::StoreError;

/// Which versions are kept, under the names of the SDK's `pruning` setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pruning {
    /// The last 100 versions.
    #[default]
    Default,
    /// Every version: an archive.
    Nothing,
    /// The last two: the committed one and the one that its block's header was made from, the least that is safe.
    Everything,
    /// The last `keep_recent` versions, older ones being removed every `interval` versions.
    Custom {
        /// Versions kept, at least 2.
        keep_recent: u64,
        /// Versions between removals, at least 10, as in the SDK.
        interval: u64,
    },
}

impl Pruning {
    /// Reads the SDK's settings `pruning`, `pruning-keep-recent` and `pruning-interval`; the numbers count for `custom` only.
    ///
    /// # Errors
    /// [`StoreError::BadPruning`] for an unknown name, or numbers that are too small.
    pub fn from_settings(name: &str, keep_recent: u64, interval: u64) -> Result<Self, StoreError> {
        let pruning = match name {
            "default" => Pruning::Default,
            "nothing" => Pruning::Nothing,
            "everything" => Pruning::Everything,
            "custom" => Pruning::Custom { keep_recent, interval },
            other => {
                let why = format!("unknown setting {other:?}, expected default, nothing, everything or custom");
                return Err(StoreError::BadPruning { why });
            }
        };
        pruning.validate()?;
        Ok(pruning)
    }

    /// Refuses what the SDK refuses.
    ///
    /// # Errors
    /// [`StoreError::BadPruning`].
    pub fn validate(self) -> Result<(), StoreError> {
        match self {
            Pruning::Custom { keep_recent, .. } if keep_recent < 2 => Err(StoreError::BadPruning {
                why: format!("pruning-keep-recent is {keep_recent}, at least 2 must be kept"),
            }),
            Pruning::Custom { interval, .. } if interval < 10 => {
                Err(StoreError::BadPruning { why: format!("pruning-interval is {interval}, at least 10 is expected") })
            }
            _ => Ok(()),
        }
    }

    /// The oldest version to keep once `version` is committed; none when this version removes nothing.
    pub(crate) fn oldest_kept(self, version: u64) -> Option<u64> {
        let (keep_recent, interval) = match self {
            Pruning::Default => (100, 1),
            Pruning::Nothing => return None,
            Pruning::Everything => (2, 1),
            Pruning::Custom { keep_recent, interval } => (keep_recent, interval),
        };
        if interval == 0 || !version.is_multiple_of(interval) {
            return None;
        }
        Some(version.saturating_sub(keep_recent).saturating_add(1))
    }
}

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Which versions are kept. It may differ from one opening to the next.
    pub pruning: Pruning,
    /// Memory for RocksDB's block cache, in bytes.
    pub block_cache_bytes: usize,
    /// Memory for writes that are not yet in table files, in bytes.
    pub write_buffer_bytes: usize,
    /// Memory for committed values that are read or written often, in bytes.
    pub value_cache_bytes: usize,
    /// Memory for decoded tree nodes, in bytes.
    pub node_cache_bytes: usize,
    /// Files that RocksDB may keep open.
    pub open_files_max: u32,
    /// Bytes of the engine's transcripts that are kept, the newest ones; 0 keeps none.
    pub transcript_bytes_max: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions {
            pruning: Pruning::Default,
            block_cache_bytes: 256 << 20,
            write_buffer_bytes: 128 << 20,
            value_cache_bytes: 128 << 20,
            node_cache_bytes: 128 << 20,
            open_files_max: 512,
            transcript_bytes_max: 0,
        }
    }
}

impl StoreOptions {
    /// The defaults with this pruning.
    pub fn with_pruning(pruning: Pruning) -> Self {
        StoreOptions { pruning, ..StoreOptions::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pruning: Pruning, version: u64, oldest: Option<u64>) {
        assert_eq!(pruning.oldest_kept(version), oldest, "{pruning:?} at {version}");
    }

    #[test]
    fn the_window_is_the_settings_number_of_versions() {
        check(Pruning::Default, 100, Some(1));
        check(Pruning::Default, 101, Some(2));
        check(Pruning::Default, 3, Some(1));
        check(Pruning::Everything, 10, Some(9));
        check(Pruning::Nothing, 1_000_000, None);
        check(Pruning::Custom { keep_recent: 5, interval: 10 }, 19, None);
        check(Pruning::Custom { keep_recent: 5, interval: 10 }, 20, Some(16));
    }

    #[test]
    fn settings_are_read_as_the_sdk_reads_them() {
        let read =
            |name, keep, interval| Pruning::from_settings(name, keep, interval).map_err(|error| error.to_string());
        assert_eq!(read("default", 0, 0), Ok(Pruning::Default));
        assert_eq!(read("custom", 2, 10), Ok(Pruning::Custom { keep_recent: 2, interval: 10 }));
        assert!(read("custom", 1, 10).is_err_and(|error| error.contains("at least 2")));
        assert!(read("custom", 2, 9).is_err_and(|error| error.contains("at least 10")));
        assert!(read("Everything", 0, 0).is_err_and(|error| error.contains("Everything")));
    }
}
