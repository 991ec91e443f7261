//! REST and gRPC before a running node.

mod grpc;
mod recorded;
mod rest;
