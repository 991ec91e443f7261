//! Messages of accounts.

use prost::Name;
use swing_proto::cosmos::auth::v1beta1::MsgUpdateParams;

/// Type names of the messages that [`super::handler::handle`] takes.
pub fn names() -> [String; 1] {
    [MsgUpdateParams::full_name()]
}
