//! Messages of the chain side. `CoreEval` is not among them: nothing runs it yet, so it is refused as unknown.

use prost::Name;
use swing_proto::{
    agoric::swingset::{MsgInstallBundle, MsgSendChunk},
    swing::swingset::v1::{
        MsgCancelKernelBundle, MsgDeliverInbound, MsgReleaseBundle, MsgSetKernelBundle, MsgUpdateParams,
    },
};

/// Type names of the messages that [`super::handler::handle`] takes.
pub fn names() -> [String; 7] {
    [
        MsgInstallBundle::full_name(),
        MsgSendChunk::full_name(),
        MsgDeliverInbound::full_name(),
        MsgReleaseBundle::full_name(),
        MsgUpdateParams::full_name(),
        MsgSetKernelBundle::full_name(),
        MsgCancelKernelBundle::full_name(),
    ]
}
