//! What this crate promises to the node, the supervisor and those who build releases.

mod decision;
mod info;
mod lines;
mod migrations;
mod releases;
