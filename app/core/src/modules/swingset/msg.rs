//! Messages of the chain side. `agoric.swingset.MsgCoreEval` is not among them: it carries code, which nothing here runs, so it is refused
//! as unknown; `swing.swingset.v1.MsgCoreEval` names an installed bundle.

use prost::Name;
use swing_proto::{
    agoric::swingset::{self as agoric, MsgInstallBundle, MsgSendChunk, MsgWalletAction, MsgWalletSpendAction},
    swing::swingset::v1::{
        MsgCancelKernelBundle, MsgCoreEval, MsgDeliverInbound, MsgReleaseBundle, MsgSetKernelBundle, MsgUpdateParams,
        MsgUpgradeVat,
    },
};

/// Type names of the messages that [`super::handler::handle`] takes.
pub fn names() -> [String; 12] {
    [
        MsgInstallBundle::full_name(),
        MsgSendChunk::full_name(),
        MsgDeliverInbound::full_name(),
        MsgReleaseBundle::full_name(),
        MsgUpdateParams::full_name(),
        MsgSetKernelBundle::full_name(),
        MsgCancelKernelBundle::full_name(),
        MsgUpgradeVat::full_name(),
        MsgCoreEval::full_name(),
        agoric::MsgDeliverInbound::full_name(),
        MsgWalletAction::full_name(),
        MsgWalletSpendAction::full_name(),
    ]
}
