//! Tests of the store on real RocksDB databases in temporary folders.

mod commits;
mod oracle;
mod support;
