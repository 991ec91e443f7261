//! REST: JSON of the methods' messages, at the paths of the SDK's gateway. Source: grpc-gateway's `runtime`.

mod answer;
mod handler;
mod pattern;
mod routes;

pub(super) use handler::{Rest, handle};
