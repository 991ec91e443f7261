//! The descriptors of all messages, built once.

use std::sync::OnceLock;

use prost_reflect::{DescriptorPool, MessageDescriptor};

/// The encoded `google.protobuf.FileDescriptorSet` of everything in `proto/` and its imports.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The pool of all message and service descriptors.
pub fn descriptor_pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| {
        DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the build wrote the set from files that compile")
    })
}

/// The descriptor of a message by its full name, such as `cosmos.bank.v1beta1.MsgSend`.
pub fn message_descriptor(type_name: &str) -> Option<MessageDescriptor> {
    descriptor_pool().get_message_by_name(type_name)
}
