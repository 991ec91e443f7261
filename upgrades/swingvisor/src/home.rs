//! What the layout holds right now, the journal, and the lock.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};

use crate::{
    clock::Moment,
    core::{Journal, Slot},
    files::{self, Disk, Files, Kind},
    layout::Layout,
};

/// Largest journal that is read.
const JOURNAL_BYTES_MAX: u64 = 4 << 20;
/// How long the lock is waited for.
const PATIENCE: Duration = Duration::from_millis(300);

/// Where the link points; none when it is missing, is no link, or leads elsewhere than to a slot.
///
/// # Errors
/// The system's.
pub fn current(files: &dyn Files, layout: &Layout) -> io::Result<Option<Slot>> {
    match files.kind(&layout.link())? {
        Some(Kind::Link) => Ok(layout.slot_of(&files.read_link(&layout.link())?)),
        Some(_) | None => Ok(None),
    }
}

/// The slots that have a binary.
///
/// # Errors
/// The system's.
pub fn installed(files: &dyn Files, layout: &Layout) -> io::Result<BTreeSet<Slot>> {
    let upgrades = files.list(&layout.upgrades())?.into_iter().map(Slot::Upgrade);
    let mut slots = BTreeSet::new();
    for slot in std::iter::once(Slot::Genesis).chain(upgrades) {
        if let Some(Kind::File(_)) = files.kind(&layout.binary(&slot))? {
            slots.insert(slot);
        }
    }
    Ok(slots)
}

/// Reads the journal. One that cannot be read is set aside and said so: state decides, so that losing it costs nothing but the
/// memory of which binary ran before.
///
/// # Errors
/// The system's.
pub fn load_journal(files: &dyn Files, layout: &Layout) -> io::Result<Journal> {
    let path = layout.journal();
    if files.kind(&path)?.is_none() {
        return Ok(Journal::default());
    }
    match Journal::decode(&files.read(&path, JOURNAL_BYTES_MAX)?) {
        Ok(journal) => Ok(journal),
        Err(error) => {
            let aside = path.with_extension("json.unreadable");
            tracing::error!(journal = %path.display(), aside = %aside.display(), %error, "the journal is set aside");
            files.rename(&path, &aside)?;
            Ok(Journal::default())
        }
    }
}

/// Writes the journal, durably.
///
/// # Errors
/// The system's; the old journal is then still there.
pub fn store_journal(files: &dyn Files, layout: &Layout, journal: &Journal) -> io::Result<()> {
    files::make_synced_folder(files, &layout.own())?;
    files::replace_file(files, &layout.journal(), &journal.encode())
}

/// The lock on a home; held as long as the value lives, and not inherited by children.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a home cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another swingvisor does.
    #[error("another swingvisor works on {home}: stop it first")]
    Held {
        /// The home.
        home: String,
    },
    /// The system refused.
    #[error("locking {path}: {source}")]
    System {
        /// The lock file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock. It waits a moment, since whoever asks [`Lock::is_held`] holds it for one.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn take(layout: &Layout) -> Result<Self, LockError> {
        let path = layout.lock();
        let system = |source: io::Error| LockError::System { path: path.display().to_string(), source };
        files::make_synced_folder(&Disk, &layout.own()).map_err(system)?;
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(system)?;
        let began = Moment::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) if began.elapsed() < PATIENCE => {
                    std::thread::park_timeout(PATIENCE / 10);
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(LockError::Held { home: layout.home().display().to_string() });
                }
                Err(error) => return Err(system(error.into())),
            }
        }
        // For people who look; nothing reads it.
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(system)?;
        Ok(Lock { _file: file })
    }

    /// Whether somebody holds the lock.
    ///
    /// # Errors
    /// The system's, but for a lock that was never made.
    pub fn is_held(path: &Path) -> io::Result<bool> {
        match OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
            Ok(file) => match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Ok(false),
                Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
                Err(error) => Err(error.into()),
            },
        }
    }
}
