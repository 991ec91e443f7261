//! Named points at which a test kills the process. Production binaries bind [`NoKillpoints`]; binaries built for tests bind one
//! that announces the point and waits to be killed.

/// A point in the life of a block or of the process. Each is passed by every node that goes through an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Killpoint {
    /// FinalizeBlock has staged the block and is about to answer.
    AfterFinalize,
    /// Commit was asked for; nothing is written.
    BeforeCommit,
    /// The block is on disk; Commit is not answered.
    AfterCommit,
    /// A checkpoint is about to be made; the block before it is on disk.
    BeforeCheckpoint,
    /// Its database is linked, under a name that is no checkpoint's.
    CheckpointLinked,
    /// Its manifest is written; it has not got its name.
    CheckpointDescribed,
    /// It is in its place, and the older ones are still there.
    AfterCheckpoint,
    /// The upgrade's block is about to be executed by the release that handles it.
    BeforeUpgrade,
    /// The upgrade's handler has begun: the new bundles are about to be installed.
    InsideHandler,
    /// The handler is done; nothing of it is committed.
    AfterUpgrade,
    /// The last Commit is answered; the process is about to stop for an upgrade.
    BeforeStop,
    /// About to write `upgrade-info.json`.
    BeforeInfoFile,
    /// `upgrade-info.json` is written.
    AfterInfoFile,
}

impl Killpoint {
    /// All points: a test checks that each was reached.
    pub const ALL: [Killpoint; 13] = [
        Killpoint::AfterFinalize,
        Killpoint::BeforeCommit,
        Killpoint::AfterCommit,
        Killpoint::BeforeCheckpoint,
        Killpoint::CheckpointLinked,
        Killpoint::CheckpointDescribed,
        Killpoint::AfterCheckpoint,
        Killpoint::BeforeUpgrade,
        Killpoint::InsideHandler,
        Killpoint::AfterUpgrade,
        Killpoint::BeforeStop,
        Killpoint::BeforeInfoFile,
        Killpoint::AfterInfoFile,
    ];

    /// Its name, as announced and as named by whoever wants the process killed there.
    pub fn name(self) -> &'static str {
        match self {
            Killpoint::AfterFinalize => "after_finalize",
            Killpoint::BeforeCommit => "before_commit",
            Killpoint::AfterCommit => "after_commit",
            Killpoint::BeforeCheckpoint => "before_checkpoint",
            Killpoint::CheckpointLinked => "checkpoint_linked",
            Killpoint::CheckpointDescribed => "checkpoint_described",
            Killpoint::AfterCheckpoint => "after_checkpoint",
            Killpoint::BeforeUpgrade => "before_upgrade",
            Killpoint::InsideHandler => "inside_handler",
            Killpoint::AfterUpgrade => "after_upgrade",
            Killpoint::BeforeStop => "before_stop",
            Killpoint::BeforeInfoFile => "before_info_file",
            Killpoint::AfterInfoFile => "after_info_file",
        }
    }

    /// The point of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Killpoint::ALL.into_iter().find(|point| point.name() == name)
    }
}

/// Is told of every point that is reached.
pub trait Killpoints: Send + Sync {
    /// The process is at `point` of block `height`.
    fn reach(&self, point: Killpoint, height: u64);
}

/// Does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKillpoints;

impl Killpoints for NoKillpoints {
    fn reach(&self, _point: Killpoint, _height: u64) {}
}

#[cfg(test)]
mod tests {
    use super::Killpoint;

    #[test]
    fn every_point_is_found_by_its_name() {
        for point in Killpoint::ALL {
            assert_eq!(Killpoint::of_name(point.name()), Some(point));
        }
        assert_eq!(Killpoint::of_name("nowhere"), None);
    }
}
