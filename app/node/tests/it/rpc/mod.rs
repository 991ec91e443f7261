//! The RPC server, before a running solo engine.

mod hostile;
mod shapes;
