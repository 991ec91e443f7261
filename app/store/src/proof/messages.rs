//! `cosmos.ics23.v1`, as far as proofs of single keys go. Field numbers are the specification's.

use prost::{Message, Oneof};

use crate::tree::{
    PLACEHOLDER,
    hash::{INNER_SEPARATOR, LEAF_SEPARATOR},
};

/// `ics23.HashOp.SHA256`.
const SHA256: i32 = 1;
/// `ics23.LengthOp.NO_PREFIX`.
const NO_PREFIX: i32 = 0;

/// `ics23.CommitmentProof`.
#[derive(Clone, PartialEq, Message)]
pub struct CommitmentProof {
    /// Which proof.
    #[prost(oneof = "Proof", tags = "1, 2")]
    pub proof: Option<Proof>,
}

/// The two kinds that are made here.
#[derive(Clone, PartialEq, Oneof)]
pub enum Proof {
    /// Presence.
    #[prost(message, tag = "1")]
    Exist(ExistenceProof),
    /// Absence.
    #[prost(message, tag = "2")]
    Nonexist(NonExistenceProof),
}

/// `ics23.ExistenceProof`.
#[derive(Clone, PartialEq, Message)]
pub struct ExistenceProof {
    /// The key.
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    /// The committed value.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
    /// How the leaf is hashed.
    #[prost(message, optional, tag = "3")]
    pub leaf: Option<LeafOp>,
    /// From the leaf up to the root.
    #[prost(message, repeated, tag = "4")]
    pub path: Vec<InnerOp>,
}

/// `ics23.NonExistenceProof`.
#[derive(Clone, PartialEq, Message)]
pub struct NonExistenceProof {
    /// The key that is not there.
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    /// The next key below, if any.
    #[prost(message, optional, tag = "2")]
    pub left: Option<ExistenceProof>,
    /// The next key above, if any.
    #[prost(message, optional, tag = "3")]
    pub right: Option<ExistenceProof>,
}

/// `ics23.LeafOp`.
#[derive(Clone, PartialEq, Message)]
pub struct LeafOp {
    #[prost(int32, tag = "1")]
    hash: i32,
    #[prost(int32, tag = "2")]
    prehash_key: i32,
    #[prost(int32, tag = "3")]
    prehash_value: i32,
    #[prost(int32, tag = "4")]
    length: i32,
    #[prost(bytes = "vec", tag = "5")]
    prefix: Vec<u8>,
}

/// `ics23.InnerOp`.
#[derive(Clone, PartialEq, Message)]
pub struct InnerOp {
    #[prost(int32, tag = "1")]
    hash: i32,
    #[prost(bytes = "vec", tag = "2")]
    prefix: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    suffix: Vec<u8>,
}

/// `ics23.ProofSpec`.
#[derive(Clone, PartialEq, Message)]
struct ProofSpec {
    #[prost(message, optional, tag = "1")]
    leaf_spec: Option<LeafOp>,
    #[prost(message, optional, tag = "2")]
    inner_spec: Option<InnerSpec>,
    #[prost(int32, tag = "3")]
    max_depth: i32,
    #[prost(int32, tag = "4")]
    min_depth: i32,
    #[prost(bool, tag = "5")]
    prehash_key_before_comparison: bool,
}

/// `ics23.InnerSpec`.
#[derive(Clone, PartialEq, Message)]
struct InnerSpec {
    #[prost(int32, repeated, tag = "1")]
    child_order: Vec<i32>,
    #[prost(int32, tag = "2")]
    child_size: i32,
    #[prost(int32, tag = "3")]
    min_prefix_length: i32,
    #[prost(int32, tag = "4")]
    max_prefix_length: i32,
    #[prost(bytes = "vec", tag = "5")]
    empty_child: Vec<u8>,
    #[prost(int32, tag = "6")]
    hash: i32,
}

/// How every leaf is hashed.
pub fn leaf_op() -> LeafOp {
    LeafOp {
        hash: SHA256,
        prehash_key: SHA256,
        prehash_value: SHA256,
        length: NO_PREFIX,
        prefix: LEAF_SEPARATOR.to_vec(),
    }
}

/// One step up, with the sibling on its side: before the hash, or after it.
pub fn inner_op(left: &[u8], right: &[u8]) -> InnerOp {
    InnerOp { hash: SHA256, prefix: [INNER_SEPARATOR, left].concat(), suffix: right.to_vec() }
}

/// The encoded `ics23.ProofSpec` of the state tree.
pub fn proof_spec() -> Vec<u8> {
    let separator = i32::try_from(INNER_SEPARATOR.len()).unwrap_or(i32::MAX);
    let inner = InnerSpec {
        child_order: vec![0, 1],
        child_size: 32,
        min_prefix_length: separator,
        max_prefix_length: separator,
        empty_child: PLACEHOLDER.to_vec(),
        hash: SHA256,
    };
    let spec = ProofSpec {
        leaf_spec: Some(leaf_op()),
        inner_spec: Some(inner),
        max_depth: 64,
        min_depth: 0,
        prehash_key_before_comparison: true,
    };
    spec.encode_to_vec()
}
