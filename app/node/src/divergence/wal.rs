//! CometBFT's consensus log, as far as it is of use here. Source: CometBFT 0.38 `consensus/wal.go`: records of CRC-32C, length and a
//! `TimedWALMessage`, in files that are rotated.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use prost::Message;
use tendermint_proto::v0_38::{
    consensus::{TimedWalMessage, message, wal_message},
    types::{Header, Vote},
};

use crate::checkpoint::crc32c;

/// The newest file of the log.
const HEAD: &str = "cs.wal/wal";

/// The most that is read, from the end: CometBFT begins a new file at 10 MB.
const BYTES_MAX: u64 = 32 << 20;

/// Longest record. Source: `maxMsgSizeBytes`, and room for the record's own fields.
const RECORD_BYTES_MAX: usize = 2 << 20;

/// What the log has of one height.
#[derive(Debug, Default)]
pub struct Height {
    /// Headers of proposed blocks.
    pub headers: Vec<Header>,
    /// Prevotes and precommits for a block.
    pub votes: Vec<Vote>,
}

/// Reads what the newest file of the log in a data folder has of `height`; nothing where there is no log.
///
/// # Errors
/// The file cannot be read. A torn record ends the reading, as the last one of a crash does; from a damaged one nothing is taken.
pub fn of_height(data_folder: &Path, height: i64) -> io::Result<Height> {
    let mut found = Height::default();
    let file = match File::open(data_folder.join(HEAD)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        file => file?,
    };
    if file.metadata()?.len() > BYTES_MAX {
        // Not a file that CometBFT writes; and a record's beginning is not to be found in the middle.
        return Ok(found);
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    while let Some((record, after)) = next_record(rest) {
        rest = after;
        let noted = consensus_message(record.data).is_some_and(|message| note(&mut found, message, height));
        // Of what is of use alone: most of the log is of other heights.
        if noted && crc32c(&[record.data]) != record.crc {
            return Ok(Height::default());
        }
    }
    Ok(found)
}

struct Record<'a> {
    crc: u32,
    data: &'a [u8],
}

fn next_record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (crc, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= RECORD_BYTES_MAX)?;
    let (record, after) = rest.split_at_checked(length)?;
    Some((Record { crc: u32::from_be_bytes(*crc), data: record }, after))
}

fn consensus_message(record: &[u8]) -> Option<message::Sum> {
    match TimedWalMessage::decode(record).ok()?.msg?.sum? {
        wal_message::Sum::MsgInfo(info) => info.msg?.sum,
        _ => None,
    }
}

/// Notes what is of this height; whether anything is.
fn note(found: &mut Height, message: message::Sum, height: i64) -> bool {
    let before = (found.headers.len(), found.votes.len());
    match message {
        message::Sum::BlockPart(part) if part.height == height => {
            // The header stands at the beginning of a block, whole in its first part.
            let first = part.part.filter(|part| part.index == 0);
            found
                .headers
                .extend(first.and_then(|part| header_of(&part.bytes)).filter(|header| header.height == height));
        }
        message::Sum::Vote(vote) => {
            let is_for_a_block =
                |vote: &Vote| vote.height == height && vote.block_id.as_ref().is_some_and(|id| !id.hash.is_empty());
            found.votes.extend(vote.vote.filter(is_for_a_block));
        }
        _ => {}
    }
    before != (found.headers.len(), found.votes.len())
}

/// `Block.header`, field 1, of a block's first bytes.
fn header_of(mut block: &[u8]) -> Option<Header> {
    let (tag, after) = block.split_first()?;
    if *tag != 0x0a {
        return None;
    }
    block = after;
    let length = usize::try_from(prost::encoding::decode_varint(&mut block).ok()?).ok()?;
    Header::decode(block.get(..length)?).ok()
}
