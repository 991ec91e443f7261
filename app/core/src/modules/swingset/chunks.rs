//! Installations in chunks: for bundles that do not fit a transaction.
//!
//! # Invariants
//! - Only who began an installation sends its chunks.
//! - Storage is paid for when the installation begins; what is not complete by its deadline is deleted.
//! - At most [`PENDING_MAX`] installations wait at a time, and [`PENDING_OF_ACCOUNT_MAX`] of one account.

use prost::Message;
use sha2::{Digest, Sha512};
use swing_proto::{
    agoric::swingset::{ChunkedArtifact, MsgSendChunk, MsgSendChunkResponse},
    swing::swingset::v1::Params,
};

use super::{
    Refusal, events,
    fees::{self, Unit},
    install, keys,
    state::{self as params, number, number_of_key},
};
use crate::{
    address::Address,
    error::{Failure, Rejected},
    modules::{BlockContext, MsgContext},
    state::{State, StateError, StateRead},
};

/// Installations that may wait at a time.
pub const PENDING_MAX: usize = 64;
/// Installations of one account among them: else one could keep all others from installing in chunks, for one price a deadline.
pub const PENDING_OF_ACCOUNT_MAX: usize = 4;
/// Chunks of one installation.
const CHUNKS_MAX: usize = 1024;
/// Hex digits of a SHA-512.
const SHA512_HEX_LEN: usize = 128;

/// An installation that waits for chunks, as it is stored.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Pending {
    /// Who began it.
    #[prost(bytes = "vec", tag = "1")]
    pub submitter: Vec<u8>,
    /// What it shall become.
    #[prost(string, tag = "2")]
    pub sha512: String,
    /// Its bytes.
    #[prost(uint64, tag = "3")]
    pub size_bytes: u64,
    /// Its bytes when unpacked; 0 when it is not compressed.
    #[prost(uint64, tag = "4")]
    pub uncompressed_size: u64,
    /// Its chunks, in order.
    #[prost(message, repeated, tag = "5")]
    pub chunks: Vec<PendingChunk>,
    /// The block in which it began.
    #[prost(uint64, tag = "6")]
    pub start_height: u64,
}

/// A chunk of it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PendingChunk {
    /// Hash of its bytes.
    #[prost(string, tag = "1")]
    pub sha512: String,
    /// Its bytes.
    #[prost(uint64, tag = "2")]
    pub size_bytes: u64,
    /// It is there.
    #[prost(bool, tag = "3")]
    pub received: bool,
}

/// The installations that wait, by artifact.
///
/// # Errors
/// Storage.
pub fn all_pending(state: &dyn StateRead) -> Result<Vec<(u64, Pending)>, StateError> {
    let mut all = Vec::new();
    for entry in state.prefix(keys::PENDING) {
        let (key, value) = entry?;
        all.push((number_of_key(&key)?, decode(&value)?));
    }
    Ok(all)
}

fn decode(bytes: &[u8]) -> Result<Pending, StateError> {
    Pending::decode(bytes).map_err(|error| StateError::Storage(format!("pending installation: {error}")))
}

fn check_hash(what: &str, text: &str) -> Result<(), Rejected> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if text.len() == SHA512_HEX_LEN && is_hex {
        return Ok(());
    }
    Err(Refusal::Chunk.because(format!("{what}: sha512 must be {SHA512_HEX_LEN} lower-case hex digits")))
}

fn check_artifact(params: &Params, artifact: &ChunkedArtifact) -> Result<(), Rejected> {
    let refuse = |reason: String| Err(Refusal::Chunk.because(reason));
    check_hash("chunked_artifact", &artifact.sha512)?;
    install::check_size(params, artifact.size_bytes)?;
    if artifact.chunks.is_empty() || artifact.chunks.len() > CHUNKS_MAX {
        return refuse(format!("from 1 to {CHUNKS_MAX} chunks expected, got {}", artifact.chunks.len()));
    }
    let mut sum = 0_u64;
    for (index, chunk) in artifact.chunks.iter().enumerate() {
        check_hash(&format!("chunks[{index}]"), &chunk.sha512)?;
        if chunk.size_bytes == 0 || chunk.size_bytes > params.chunk_size_limit_bytes {
            let max = params.chunk_size_limit_bytes;
            return refuse(format!("chunks[{index}]: from 1 to {max} bytes expected, got {}", chunk.size_bytes));
        }
        sum = sum.saturating_add(chunk.size_bytes);
    }
    if sum != artifact.size_bytes {
        return refuse(format!("the chunks have {sum} bytes, the artifact says {}", artifact.size_bytes));
    }
    Ok(())
}

/// Whether another installation may wait, and one of this account.
fn check_room(state: &dyn StateRead, params: &Params, submitter: &Address) -> Result<(), Failure> {
    let waiting = all_pending(state)?;
    let total = waiting.len();
    let own: Vec<_> = waiting.iter().filter(|(_, pending)| pending.submitter == submitter.as_bytes()).collect();
    if own.len() >= PENDING_OF_ACCOUNT_MAX {
        let ids: Vec<_> = own.iter().map(|(id, _)| id.to_string()).collect();
        return Refusal::Chunk.fail(format!(
            "{submitter} has {} installations waiting, {PENDING_OF_ACCOUNT_MAX} may: send the chunks that the artifacts {} lack; each is \
             forgotten {} blocks after it began",
            own.len(),
            ids.join(", "),
            params.installation_deadline_blocks
        ));
    }
    if total >= PENDING_MAX {
        return Refusal::Chunk.fail(format!("{total} installations are waiting, {PENDING_MAX} may: try again later"));
    }
    Ok(())
}

/// Begins an installation; gives the artifact's number, from 1.
pub(super) fn begin(
    context: &mut MsgContext<'_, '_>,
    params: &Params,
    submitter: Address,
    artifact: &ChunkedArtifact,
    uncompressed_size: i64,
) -> Result<u64, Failure> {
    check_artifact(params, artifact)?;
    let uncompressed_size = if uncompressed_size == 0 { 0 } else { install::declared_size(params, uncompressed_size)? };
    check_room(context.state, params, &submitter)?;
    install::charge(context, params, &submitter, 0, artifact.size_bytes.max(uncompressed_size))?;
    let id = number(context.state, keys::NEXT_ARTIFACT)?.max(1);
    let chunks = artifact.chunks.iter();
    let pending = Pending {
        submitter: submitter.as_bytes().to_vec(),
        sha512: artifact.sha512.clone(),
        size_bytes: artifact.size_bytes,
        uncompressed_size,
        chunks: chunks
            .map(|chunk| PendingChunk { sha512: chunk.sha512.clone(), size_bytes: chunk.size_bytes, received: false })
            .collect(),
        start_height: context.block.height,
    };
    context.state.set(keys::NEXT_ARTIFACT, id.saturating_add(1).to_be_bytes().to_vec())?;
    context.state.set(keys::pending(id), pending.encode_to_vec())?;
    context.state.emit(events::installation_begun(id, &submitter));
    Ok(id)
}

/// Takes a chunk; the last one installs the bundle.
///
/// # Errors
/// swingset 5; SDK 4 for another sender, SDK 38 for an artifact that does not wait; as [`install::install`].
pub fn send_chunk(context: &mut MsgContext<'_, '_>, message: &MsgSendChunk) -> Result<MsgSendChunkResponse, Failure> {
    use crate::sdk_error::SdkError;
    let submitter = install::submitter(&message.submitter)?;
    let id = message.chunked_artifact_id;
    let Some(bytes) = context.state.get(&keys::pending(id))? else {
        return Err(SdkError::NotFound.wrap(format!("no chunked artifact {id} is waiting")).into());
    };
    let mut pending = decode(&bytes)?;
    if pending.submitter != submitter.as_bytes() {
        let reason = format!("chunked artifact {id} was begun by another account than {submitter}");
        return Err(SdkError::Unauthorized.wrap(reason).into());
    }
    let index = message.chunk_index;
    let count = pending.chunks.len();
    let chunk = usize::try_from(index).ok().and_then(|index| pending.chunks.get_mut(index));
    let Some(chunk) = chunk else {
        return Refusal::Chunk.fail(format!("chunk_index {index}: the artifact has {count} chunks"));
    };
    if chunk.received {
        return Refusal::Chunk.fail(format!("chunk {index} is there already"));
    }
    let length = message.chunk_data.len() as u64;
    if length != chunk.size_bytes {
        return Refusal::Chunk.fail(format!("chunk {index} has {length} bytes, {} were announced", chunk.size_bytes));
    }
    if hex::encode(Sha512::digest(&message.chunk_data)) != chunk.sha512 {
        return Refusal::Chunk.fail(format!("the SHA-512 of chunk {index} is not the announced one"));
    }
    chunk.received = true;
    let params = params::params(context.state)?;
    let work = [(Unit::InboundTx, 1), (Unit::Message, 1), (Unit::MessageByte, length)];
    fees::charge(context.state, &params, &submitter, &work)?;
    context.state.set(keys::chunk(id, index), message.chunk_data.clone())?;
    if pending.chunks.iter().all(|chunk| chunk.received) {
        complete(context, id, &pending, &submitter)?;
    } else {
        context.state.set(keys::pending(id), pending.encode_to_vec())?;
    }
    Ok(MsgSendChunkResponse { chunked_artifact_id: id, chunk_index: index })
}

fn complete(context: &mut MsgContext<'_, '_>, id: u64, pending: &Pending, submitter: &Address) -> Result<(), Failure> {
    install::charge_admission(context, pending.size_bytes.max(pending.uncompressed_size))?;
    let mut artifact = Vec::with_capacity(usize::try_from(pending.size_bytes).unwrap_or_default());
    for entry in context.state.prefix(&keys::chunks(id)) {
        artifact.extend_from_slice(&entry?.1);
    }
    if hex::encode(Sha512::digest(&artifact)) != pending.sha512 {
        return Refusal::Chunk.fail("the chunks are there, but their SHA-512 is not the artifact's");
    }
    delete(context.state, id)?;
    if pending.uncompressed_size == 0 {
        install::admit(context, submitter, &artifact, 0)
    } else {
        let bytes = install::unpack(&artifact, pending.uncompressed_size)?;
        install::admit(context, submitter, &bytes, artifact.len() as u64)
    }
}

fn delete(state: &mut State<'_>, id: u64) -> Result<(), StateError> {
    let chunks: Vec<_> =
        state.prefix(&keys::chunks(id)).map(|entry| entry.map(|(key, _)| key)).collect::<Result<_, _>>()?;
    for key in chunks {
        state.delete(key)?;
    }
    state.delete(keys::pending(id))
}

/// Drops what is not complete by its deadline.
pub(super) fn expire(state: &mut State<'_>, block: &BlockContext) -> Result<(), StateError> {
    let waiting = all_pending(state)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let deadline = params::params(state)?.installation_deadline_blocks;
    for (id, pending) in waiting {
        let age = block.height.saturating_sub(pending.start_height);
        if i64::try_from(age).is_ok_and(|age| age < deadline) {
            continue;
        }
        delete(state, id)?;
        state.emit(events::installation_expired(id));
    }
    Ok(())
}
