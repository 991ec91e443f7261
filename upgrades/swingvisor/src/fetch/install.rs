//! Putting a binary into its slot: made beside, checked, asked who it is, then renamed into place.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::{Entry, FetchError, Transfer, archive, entry, planned};
use crate::{
    core::{Plan, Slot},
    files::{self, Files},
    layout::Layout,
    probe::{self, Identity, Prober},
    program,
};

/// Largest text that a plan's info may point at.
const INFO_BYTES_MAX: u64 = 1 << 20;

/// Brings and installs binaries.
pub struct Installer<'a> {
    /// The files.
    pub files: &'a dyn Files,
    /// Where everything is.
    pub layout: &'a Layout,
    /// Asks the binaries.
    pub prober: &'a Prober,
    /// Brings the content.
    pub transfer: &'a Transfer,
}

impl std::fmt::Debug for Installer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installer").field("layout", &self.layout).finish_non_exhaustive()
    }
}

impl Installer<'_> {
    /// Downloads a plan's binary into its slot.
    ///
    /// # Errors
    /// [`FetchError`]; the slot is then as it was.
    pub fn fetch(&self, plan: &Plan, slot: &Slot) -> Result<Identity, FetchError> {
        let part = self.workplace()?.join("download.part");
        let platform = program::platform();
        let source = match entry(&plan.info, &platform)? {
            Entry::Binary(source) => source,
            Entry::Elsewhere(reference) => {
                let small = Transfer { bytes_max: INFO_BYTES_MAX, ..self.transfer.clone() };
                small.bring(self.files, &reference, &part)?;
                let info = self.files.read(&part, INFO_BYTES_MAX);
                let info = info.map_err(FetchError::system(format!("reading {}", part.display())))?;
                match entry(&String::from_utf8_lossy(&info), &platform)? {
                    Entry::Binary(source) => source,
                    Entry::Elsewhere(_) => return Err(FetchError::Info("points at another pointer".to_owned())),
                }
            }
        };
        self.transfer.bring(self.files, &source, &part)?;
        let made = part.with_file_name("binary.part");
        let unpacked = archive::unpack(self.files, &part, self.layout.name(), &made, self.transfer.bytes_max)?;
        let binary = if unpacked { &made } else { &part };
        if unpacked {
            let noted = probe::sha256(&made)
                .and_then(|sha256| planned::note(self.files, self.layout, slot, &source.checksum, sha256));
            noted.map_err(FetchError::system(format!("noting what was in {url}", url = source.location)))?;
        }
        let identity = self.place(binary, slot);
        for left in [&part, &made] {
            self.files.remove(left).map_err(FetchError::system(format!("removing {}", left.display())))?;
        }
        identity
    }

    /// Copies a file of this machine into a slot.
    ///
    /// # Errors
    /// [`FetchError`]; the slot is then as it was.
    pub fn add(&self, file: &Path, slot: &Slot, force: bool) -> Result<Identity, FetchError> {
        let target = self.layout.binary(slot);
        let there = self.files.kind(&target).map_err(FetchError::system(format!("looking at {}", target.display())))?;
        if there.is_some() && !force {
            return Err(FetchError::Occupied { slot: slot.to_string() });
        }
        let made = self.workplace()?.join("added.part");
        let mut content = File::open(file).map_err(FetchError::system(format!("opening {}", file.display())))?;
        let saved = self.files.save(&made, &mut content, self.transfer.bytes_max);
        saved.map_err(FetchError::system(format!("copying {}", file.display())))?;
        let placed = self.place(&made, slot);
        self.files.remove(&made).map_err(FetchError::system(format!("removing {}", made.display())))?;
        placed
    }

    fn workplace(&self) -> Result<PathBuf, FetchError> {
        let folder = self.layout.downloads();
        files::make_synced_folder(self.files, &folder)
            .map_err(FetchError::system(format!("making {}", folder.display())))?;
        Ok(folder)
    }

    fn place(&self, made: &Path, slot: &Slot) -> Result<Identity, FetchError> {
        let refused = |reason: String| FetchError::Binary { file: format!("the file for {slot}"), reason };
        let head = crate::probe::head(made).map_err(FetchError::system(format!("reading {}", made.display())))?;
        program::check(&head).map_err(|error| refused(error.to_string()))?;
        self.files.make_executable(made).map_err(FetchError::system(format!("chmod {}", made.display())))?;
        let identity = self.prober.identify(made).map_err(refused)?;
        install(self.files, self.layout, made, slot).map_err(FetchError::system(format!("installing into {slot}")))?;
        Ok(identity)
    }
}

/// Renames a file that was made on the layout's filesystem into a slot.
///
/// # Errors
/// The system's.
pub fn install(files: &dyn Files, layout: &Layout, made: &Path, slot: &Slot) -> std::io::Result<()> {
    files::make_synced_folder(files, &layout.slot(slot).join("bin"))?;
    files::put_in_place(files, made, &layout.binary(slot))
}
