//! What a snapshot says of itself: the bytes that travel in ABCI's `Snapshot.metadata`.
//!
//! # Invariants
//! - The same state gives the same bytes on every node, whichever release it runs: nothing of the node itself is in them.
//! - Decoding takes exactly what encoding makes, and looks at nothing that is longer than its cap.

use prost::Message as _;

use super::stream::CHUNK_BYTES;
use crate::tree::{Hash, sha256};

/// The format of stream and metadata that is written and read.
pub const FORMAT: u32 = 1;

/// The most chunks of a snapshot: CometBFT's own `max_snapshot_chunks`. In chunks of 4 MiB these are 400 GiB.
pub const CHUNKS_MAX: usize = 100_000;

/// The longest metadata. CometBFT's message that carries it has at most 4,000,000 bytes.
pub const METADATA_BYTES_MAX: usize = CHUNKS_MAX * HASH_BYTES + 4096;

const HASH_BYTES: usize = size_of::<Hash>();

/// The longest text in it.
const TEXT_BYTES_MAX: usize = 128;

/// What the store cannot know of a version by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The chain's ID.
    pub chain_id: String,
    /// The committed app version, by which another binary knows whether it can run the state.
    pub app_version: u64,
    /// The release whose rules these are, for people.
    pub release: String,
}

/// A snapshot's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is a snapshot of.
    pub about: About,
    /// The version of state.
    pub height: u64,
    /// Its app hash.
    pub app_hash: Hash,
    /// SHA-256 of each chunk.
    pub chunk_hashes: Vec<Hash>,
}

/// Why bytes are no metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Longer than any.
    #[error("{bytes} bytes, at most {METADATA_BYTES_MAX} are expected")]
    TooLong {
        /// How long.
        bytes: usize,
    },
    /// Of another format.
    #[error("format {found}, this build reads {FORMAT}")]
    Format {
        /// The one found.
        found: u32,
    },
    /// Not what encoding makes.
    #[error("not the encoding of a snapshot's metadata: {0}")]
    Encoding(&'static str),
}

/// The encoding.
#[derive(Clone, PartialEq, prost::Message)]
struct Encoded {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(string, tag = "2")]
    chain_id: String,
    #[prost(uint64, tag = "3")]
    height: u64,
    #[prost(bytes = "vec", tag = "4")]
    app_hash: Vec<u8>,
    #[prost(uint64, tag = "5")]
    app_version: u64,
    #[prost(string, tag = "6")]
    release: String,
    /// One after the other.
    #[prost(bytes = "vec", tag = "7")]
    chunk_hashes: Vec<u8>,
}

impl Metadata {
    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.encoded().encode_to_vec()
    }

    fn encoded(&self) -> Encoded {
        Encoded {
            format: FORMAT,
            chain_id: self.about.chain_id.clone(),
            height: self.height,
            app_hash: self.app_hash.to_vec(),
            app_version: self.about.app_version,
            release: self.about.release.clone(),
            chunk_hashes: self.chunk_hashes.concat(),
        }
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// [`MetadataError`]: whoever sent them made them up, or is of another format.
    pub fn decode(bytes: &[u8]) -> Result<Self, MetadataError> {
        use MetadataError::Encoding;
        if bytes.len() > METADATA_BYTES_MAX {
            return Err(MetadataError::TooLong { bytes: bytes.len() });
        }
        let encoded = Encoded::decode(bytes).map_err(|_| Encoding("it is no such message"))?;
        if encoded.format != FORMAT {
            return Err(MetadataError::Format { found: encoded.format });
        }
        let (hashes, rest) = encoded.chunk_hashes.as_chunks::<HASH_BYTES>();
        if !rest.is_empty() || hashes.is_empty() || hashes.len() > CHUNKS_MAX {
            return Err(Encoding("the list of chunk hashes"));
        }
        let is_short = |text: &str| text.len() <= TEXT_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_short(&encoded.chain_id) || !is_short(&encoded.release) {
            return Err(Encoding("a text that is no name"));
        }
        if encoded.height == 0 {
            return Err(Encoding("height 0"));
        }
        let metadata = Metadata {
            about: About { chain_id: encoded.chain_id, app_version: encoded.app_version, release: encoded.release },
            height: encoded.height,
            app_hash: encoded.app_hash.try_into().map_err(|_| Encoding("an app hash of other than 32 bytes"))?,
            chunk_hashes: hashes.to_vec(),
        };
        if metadata.encode() != bytes {
            return Err(Encoding("bytes that no encoding makes"));
        }
        Ok(metadata)
    }

    /// The hash by which ABCI tells snapshots of one height apart: SHA-256 of the bytes, which bind every chunk.
    pub fn hash(&self) -> Hash {
        sha256(&self.encode())
    }

    /// How many chunks there are.
    pub fn chunks(&self) -> u32 {
        u32::try_from(self.chunk_hashes.len()).unwrap_or(u32::MAX)
    }

    /// The most bytes that the chunks can have.
    pub fn bytes_max(&self) -> u64 {
        u64::from(self.chunks()).saturating_mul(CHUNK_BYTES as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            about: About { chain_id: "test-1".into(), app_version: 2, release: "version-2".into() },
            height: 120,
            app_hash: [3; 32],
            chunk_hashes: vec![[1; 32], [2; 32]],
        }
    }

    #[track_caller]
    fn check(edit: impl FnOnce(&mut Encoded), part: &str) {
        let mut encoded = metadata().encoded();
        edit(&mut encoded);
        match Metadata::decode(&encoded.encode_to_vec()) {
            Ok(decoded) => assert!(part.is_empty() && decoded == metadata(), "{decoded:?}"),
            Err(error) => assert!(!part.is_empty() && error.to_string().contains(part), "{error}"),
        }
    }

    #[test]
    fn metadata_is_read_back_and_what_nobody_encodes_is_refused() {
        check(|_| (), "");
        check(|encoded| encoded.format = 2, "format 2, this build reads 1");
        check(|encoded| encoded.chunk_hashes.push(0), "chunk hashes");
        check(|encoded| encoded.chunk_hashes.clear(), "chunk hashes");
        check(|encoded| encoded.app_hash.truncate(20), "app hash");
        check(|encoded| encoded.height = 0, "height 0");
        check(|encoded| encoded.release = "two\nlines".into(), "no name");
        check(|encoded| encoded.chain_id = "x".repeat(129), "no name");
        let mut longer = metadata().encode();
        longer.extend([0x40, 1]);
        assert!(matches!(Metadata::decode(&longer), Err(MetadataError::Encoding(_))), "an unknown field");
        let too_long = vec![0; METADATA_BYTES_MAX + 1];
        assert!(matches!(Metadata::decode(&too_long), Err(MetadataError::TooLong { .. })));
    }

    #[test]
    fn the_longest_metadata_fits_its_cap_and_cometbfts_message() {
        let mut longest = metadata();
        longest.about.chain_id = "x".repeat(TEXT_BYTES_MAX);
        longest.about.release = "x".repeat(TEXT_BYTES_MAX);
        longest.about.app_version = u64::MAX;
        longest.height = u64::MAX;
        longest.chunk_hashes = vec![[0xff; 32]; CHUNKS_MAX];
        let bytes = longest.encode();
        assert!(bytes.len() <= METADATA_BYTES_MAX && METADATA_BYTES_MAX < 4_000_000, "{}", bytes.len());
        assert_eq!(Metadata::decode(&bytes), Ok(longest));
    }
}
