//! The little that the front knows of ABCI 0.38: what a request is, two heights, two app hashes, and how to put somebody off.
//!
//! Numbers are those of `tendermint.abci` in CometBFT 0.38; a test compares them with the generated code.
//!
//! # Invariants
//! - Nothing here fails on bytes that make no sense: they are of an unknown kind, or have no height.

use super::frame::{Frame, put_varint, varint};

/// SDK: `ErrMempoolIsFull`, which clients take as "send it again".
const CODE_MEMPOOL_FULL: u64 = 20;
/// SDK: `ErrInvalidRequest`.
const CODE_INVALID_REQUEST: u64 = 18;
const CODESPACE: &str = "sdk";
const LATER: &str = "upgrading: another binary of this node takes over, ask again in a few seconds";

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ABCI: Echo.
    Echo,
    /// ABCI: Flush.
    Flush,
    /// ABCI: Info.
    Info,
    /// ABCI: Query.
    Query,
    /// ABCI: CheckTx of a new transaction.
    CheckNew,
    /// ABCI: CheckTx of one that the mempool has, after a block.
    CheckAgain,
    /// ABCI: ListSnapshots.
    ListSnapshots,
    /// ABCI: LoadSnapshotChunk.
    LoadChunk,
    /// ABCI: OfferSnapshot or ApplySnapshotChunk.
    Restore,
    /// ABCI: InitChain.
    InitChain,
    /// ABCI: PrepareProposal or ProcessProposal.
    Propose,
    /// ABCI: FinalizeBlock of this height.
    Finalize(u64),
    /// ABCI: Commit.
    Commit,
    /// Something else.
    Unknown,
}

/// Which of CometBFT's four connections it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Blocks.
    Consensus,
    /// CheckTx.
    Mempool,
    /// Query and Info.
    Query,
    /// State sync.
    Snapshot,
}

impl Role {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Consensus => "consensus",
            Role::Mempool => "mempool",
            Role::Query => "query",
            Role::Snapshot => "snapshot",
        }
    }
}

impl Kind {
    /// The connection that carries it; none for what comes on several.
    #[must_use]
    pub fn role(self) -> Option<Role> {
        match self {
            Kind::Echo | Kind::Flush | Kind::Unknown => None,
            Kind::Info | Kind::Query => Some(Role::Query),
            Kind::CheckNew | Kind::CheckAgain => Some(Role::Mempool),
            Kind::ListSnapshots | Kind::LoadChunk | Kind::Restore => Some(Role::Snapshot),
            Kind::InitChain | Kind::Propose | Kind::Finalize(_) | Kind::Commit => Some(Role::Consensus),
        }
    }
}

/// A state that was committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Its height.
    pub height: u64,
    /// Its app hash.
    pub app_hash: Vec<u8>,
}

impl std::fmt::Display for Committed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "height {} with app hash {}", self.height, hex::encode_upper(&self.app_hash))
    }
}

/// A field of a protobuf message.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a message, as far as they make sense.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u64> {
        let (value, length) = varint(self.0).ok()??;
        self.0 = self.0.get(length..)?;
        Some(value)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, value))
    }
}

/// The one message in a Request or a Response, with its number.
fn inner(frame: &Frame) -> Option<(u64, &[u8])> {
    match Fields(frame.body()).next()? {
        (number, Value::Bytes(bytes)) => Some((number, bytes)),
        _ => None,
    }
}

fn field_number(message: &[u8], wanted: u64) -> u64 {
    Fields(message)
        .find_map(|(number, value)| match value {
            Value::Number(value) if number == wanted => Some(value),
            _ => None,
        })
        .unwrap_or(0)
}

fn field_bytes(message: &[u8], wanted: u64) -> &[u8] {
    Fields(message)
        .find_map(|(number, value)| match value {
            Value::Bytes(bytes) if number == wanted => Some(bytes),
            _ => None,
        })
        .unwrap_or_default()
}

/// What a request is.
#[must_use]
pub fn kind(request: &Frame) -> Kind {
    let Some((number, message)) = inner(request) else { return Kind::Unknown };
    match number {
        1 => Kind::Echo,
        2 => Kind::Flush,
        3 => Kind::Info,
        5 => Kind::InitChain,
        6 => Kind::Query,
        8 if field_number(message, 2) == 0 => Kind::CheckNew,
        8 => Kind::CheckAgain,
        11 => Kind::Commit,
        12 => Kind::ListSnapshots,
        13 | 15 => Kind::Restore,
        14 => Kind::LoadChunk,
        16 | 17 => Kind::Propose,
        20 => Kind::Finalize(field_number(message, 5)),
        _ => Kind::Unknown,
    }
}

/// The committed state that a reply to Info tells.
#[must_use]
pub fn told_by_info(reply: &Frame) -> Option<Committed> {
    let (4, message) = inner(reply)? else { return None };
    Some(Committed { height: field_number(message, 4), app_hash: field_bytes(message, 5).to_vec() })
}

/// The app hash in a reply to FinalizeBlock.
#[must_use]
pub fn hash_of_finalized(reply: &Frame) -> Option<Vec<u8>> {
    let (21, message) = inner(reply)? else { return None };
    Some(field_bytes(message, 5).to_vec())
}

/// Whether it is a reply to Commit.
#[must_use]
pub fn is_committed(reply: &Frame) -> bool {
    matches!(inner(reply), Some((12, _)))
}

/// The question for committed state, and the Flush after it.
#[must_use]
pub fn ask_info() -> [Frame; 2] {
    [message(3, &[]), message(2, &[])]
}

fn put_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(bytes);
}

fn put_number(out: &mut Vec<u8>, number: u64, value: u64) {
    put_varint(out, number << 3);
    put_varint(out, value);
}

fn message(number: u64, content: &[u8]) -> Frame {
    let mut body = Vec::new();
    put_bytes(&mut body, number, content);
    Frame::of(&body)
}

/// What the front itself answers while no node can, to a request that may be put off; none for one that may not. `committed` is
/// what CometBFT was told last.
#[must_use]
pub fn put_off(kind: Kind, request: &Frame, committed: &Committed) -> Option<Frame> {
    let mut content = Vec::new();
    let number = match kind {
        Kind::Flush => 3,
        Kind::Echo => {
            content.extend_from_slice(inner(request)?.1);
            2
        }
        // True, and all that is known here.
        Kind::Info => {
            put_bytes(&mut content, 1, LATER.as_bytes());
            put_number(&mut content, 4, committed.height);
            put_bytes(&mut content, 5, &committed.app_hash);
            4
        }
        Kind::Query => {
            put_number(&mut content, 1, CODE_INVALID_REQUEST);
            put_bytes(&mut content, 3, LATER.as_bytes());
            put_number(&mut content, 9, committed.height);
            put_bytes(&mut content, 10, CODESPACE.as_bytes());
            7
        }
        Kind::CheckNew => {
            put_number(&mut content, 1, CODE_MEMPOOL_FULL);
            put_bytes(&mut content, 3, LATER.as_bytes());
            put_bytes(&mut content, 8, CODESPACE.as_bytes());
            9
        }
        // It passed before and stays in the mempool; the next block's recheck, or the block, finds out.
        Kind::CheckAgain => 9,
        // None, as far as is known now.
        Kind::ListSnapshots => 13,
        Kind::LoadChunk => 15,
        Kind::Restore | Kind::InitChain | Kind::Propose | Kind::Finalize(_) | Kind::Commit | Kind::Unknown => {
            return None;
        }
    };
    Some(message(number, &content))
}
