//! One file per release. A released file is never edited: what its handler does is consensus for everyone who syncs through
//! its height.

pub mod version_1;
pub mod version_2;
