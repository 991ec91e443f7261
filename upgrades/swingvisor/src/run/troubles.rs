//! What would hinder an upgrade and is no affair of its binary: the folder for backups, and room on disks.

use std::{fs, io, path::Path};

use rustix::fs::statvfs;

use crate::{
    backup,
    config::Config,
    core::{Answer, Slot, folder_of_plan},
    files::Files,
};

/// What is known when it is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The node's home, as it is started with.
    pub home: &'a Path,
    /// Where the link points.
    pub current: Option<&'a Slot>,
    /// What the binary there says.
    pub answer: Option<&'a Answer>,
    /// Slots with a binary.
    pub installed: &'a std::collections::BTreeSet<Slot>,
}

/// All of them, in words.
pub fn troubles(config: &Config, files: &dyn Files, situation: &Situation<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let answer = situation.answer.and_then(|answer| answer.as_ref().ok());
    let Some(plan) = answer.and_then(|status| status.plan.as_ref()) else {
        found.extend(backup_folder(config, files));
        return found;
    };
    let slot = folder_of_plan(&plan.name, config.policy.keep_case).map(Slot::Upgrade).ok();
    // What runs already is neither downloaded nor switched to.
    if slot.is_none() || slot.as_ref() == situation.current {
        return found;
    }
    match backup_folder(config, files) {
        None if config.policy.backup => {
            let database = situation.home.join("data").join("application.db");
            let folder = config.layout.backups();
            let wanted = backup::bytes_wanted(files, &database, folder);
            found.extend(wanted.and_then(|wanted| lack("the backup", folder, wanted)).unwrap_or_else(unknown(folder)));
        }
        None => {}
        problem => found.extend(problem),
    }
    let there = slot.is_some_and(|slot| situation.installed.contains(&slot));
    if let (true, false, Some(current)) = (config.policy.download, there, situation.current) {
        // As large as the present binary, and once more where it comes in an archive.
        let root = config.layout.root();
        let wanted = fs::metadata(config.layout.binary(current)).map(|binary| binary.len().saturating_mul(2));
        found.extend(wanted.and_then(|wanted| lack("the download", &root, wanted)).unwrap_or_else(unknown(&root)));
    }
    found
}

fn backup_folder(config: &Config, files: &dyn Files) -> Option<String> {
    let problem = config.policy.backup.then(|| backup::check_folder(files, config.layout.backups()).err()).flatten();
    problem.map(|problem| format!("no backup can be made: {problem}"))
}

fn unknown(folder: &Path) -> impl FnOnce(io::Error) -> Option<String> {
    move |error| Some(format!("how much room there is in {} is not known: {error}", folder.display()))
}

/// That a folder's disk has less room than something takes.
fn lack(what: &str, folder: &Path, wanted: u64) -> io::Result<Option<String>> {
    let disk = statvfs(folder)?;
    Ok(too_little(what, folder, wanted, disk.f_bavail.saturating_mul(disk.f_frsize)))
}

fn too_little(what: &str, folder: &Path, wanted: u64, free: u64) -> Option<String> {
    (free < wanted).then(|| {
        format!(
            "{} has {} MB of room, {what} takes about {} MB",
            folder.display(),
            free >> 20,
            wanted.div_ceil(1 << 20)
        )
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::too_little;

    #[test]
    fn too_little_room_is_told_with_both_figures_and_enough_is_not() {
        let told = |wanted, free| too_little("the download", Path::new("/home"), wanted, free);
        assert_eq!(told(3 << 20, 3 << 20), None);
        assert_eq!(
            told((3 << 20) + 1, 3 << 20).as_deref(),
            Some("/home has 3 MB of room, the download takes about 4 MB")
        );
    }
}
