//! Whether the file in a slot is the one that the plan names: the checksum in the plan's info, held against what lies there, whoever put
//! it there.
//!
//! An archive's checksum says nothing of the binary in it. What a download of ours took out of one is noted, and held against that.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{Checksum, Entry, Source, entry};
use crate::{
    core::{Facts, Journal, Plan, Slot, folder_of_plan},
    files::{self, Files},
    layout::Layout,
    probe::{Signature, signature},
    program,
};

/// Largest note that is read.
const NOTE_BYTES_MAX: u64 = 1 << 12;

/// What a download took out of an archive.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    archive: String,
    sha256: String,
}

/// Notes that the binary with this SHA-256 was in the archive that a plan names.
///
/// # Errors
/// The system's.
pub(super) fn note(
    files: &dyn Files,
    layout: &Layout,
    slot: &Slot,
    archive: &Checksum,
    sha256: String,
) -> io::Result<()> {
    let note = Note { archive: archive.parts().1.to_owned(), sha256 };
    files::replace_file(files, &layout.unpacked(slot), &serde_json::to_vec(&note).map_err(io::Error::other)?)
}

/// Holds files against plans. A file that has not changed since is not read again.
#[derive(Debug)]
pub struct Planned {
    files: Arc<dyn Files>,
    layout: Layout,
    /// A binary that the operator takes whatever the plan names.
    accepted: Option<Checksum>,
    known: Mutex<BTreeMap<Slot, (Signature, Vec<Checksum>)>>,
}

impl Planned {
    /// For the slots of `layout`.
    pub fn new(files: Arc<dyn Files>, layout: Layout, accepted: Option<Checksum>) -> Self {
        Planned { files, layout, accepted, known: Mutex::default() }
    }

    /// Whether the file in the plan's slot is the one that the plan names for this platform. A plan that names none is content.
    ///
    /// # Errors
    /// That it is another one, or cannot be read.
    pub fn hold(&self, plan: &Plan, slot: &Slot) -> Result<(), String> {
        let platform = program::platform();
        // What is behind another address, or is no address, shows when it is downloaded.
        let Ok(Entry::Binary(source)) = entry(&plan.info, &platform) else { return Ok(()) };
        let Some(expected) = self.expected(source, slot) else { return Ok(()) };
        let is = |wanted: &Checksum| {
            let binary = self.layout.binary(slot);
            self.digest(slot, &binary, wanted).map_err(|error| format!("{}: {error}", binary.display()))
        };
        let found = is(&expected)?;
        if found == expected || self.accepted.as_ref().is_some_and(|accepted| is(accepted).as_ref() == Ok(accepted)) {
            return Ok(());
        }
        let ((kind, found), (_, expected)) = (found.parts(), expected.parts());
        Err(format!(
            "it has {kind} {found}, the plan names {expected} for {platform}: put that one there, or name the one that is there in \
             SWINGVISOR_ACCEPT_SHA256"
        ))
    }

    /// Reads the file in this slot anew when it is held the next time.
    pub fn forget(&self, slot: &Slot) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(slot);
    }

    /// Slots whose binary is not the one that the plan for it names, and why: the plan of the switch under way, and the one that the
    /// linked binary told of.
    pub fn not_planned(&self, journal: &Journal, facts: &Facts) -> BTreeMap<Slot, String> {
        let begun = journal.upgrade.as_ref().and_then(|upgrade| Some((upgrade.plan()?, upgrade.to.clone())));
        let answer = facts.current.as_ref().and_then(|slot| facts.asked.get(slot));
        let told = answer.and_then(|answer| {
            let plan = answer.as_ref().ok()?.plan.as_ref()?;
            Some((plan, Slot::Upgrade(folder_of_plan(&plan.name, facts.policy.keep_case).ok()?)))
        });
        let there = begun.into_iter().chain(told).filter(|(_, slot)| facts.installed.contains(slot));
        there.filter_map(|(plan, slot)| self.hold(plan, &slot).err().map(|reason| (slot, reason))).collect()
    }

    /// What the file must be; none where that is not known.
    fn expected(&self, source: Source, slot: &Slot) -> Option<Checksum> {
        let noted = self.files.read(&self.layout.unpacked(slot), NOTE_BYTES_MAX);
        let note = noted.ok().and_then(|bytes| serde_json::from_slice::<Note>(&bytes).ok());
        match note.filter(|note| note.archive == source.checksum.parts().1) {
            Some(note) => Some(Checksum::Sha256(note.sha256)),
            None => (!source.archive).then_some(source.checksum),
        }
    }

    /// The digest, of the wanted one's kind, of what is in a slot.
    fn digest(&self, slot: &Slot, binary: &Path, wanted: &Checksum) -> io::Result<Checksum> {
        let now = signature(binary)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, digests) = known.entry(slot.clone()).or_insert_with(|| (now, Vec::new()));
        if *then != now {
            (*then, *digests) = (now, Vec::new());
        }
        if let Some(digest) = digests.iter().find(|digest| digest.parts().0 == wanted.parts().0) {
            return Ok(digest.clone());
        }
        let found = wanted.of_file(binary)?;
        digests.push(found.clone());
        Ok(found)
    }
}
