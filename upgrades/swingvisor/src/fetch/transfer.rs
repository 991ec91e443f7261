//! Bringing content onto this machine, and verifying it there.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ureq::tls::{PemItem, RootCerts, TlsConfig};

use super::{FetchError, Location, Source};
use crate::{command::Told, files::Files};

/// How long a server may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long a whole download may take.
const TIME_MAX: Duration = Duration::from_secs(6 * 3600);
/// Largest file of certificates.
const CERTIFICATES_BYTES_MAX: u64 = 16 << 20;

/// Brings content.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Largest content.
    pub bytes_max: u64,
    /// Root certificates in place of the built-in ones.
    pub certificates: Option<PathBuf>,
    /// Ends a transfer when swingvisor is told to stop.
    pub told: Told,
}

impl Transfer {
    /// Saves the content of `source` to `path` and verifies what is on disk.
    ///
    /// # Errors
    /// [`FetchError::Transfer`], [`FetchError::Checksum`]; the file at `path` is then of no use.
    pub fn bring(&self, files: &dyn Files, source: &Source, path: &Path) -> Result<(), FetchError> {
        let url = source.location.to_string();
        let failed = |reason: String| FetchError::Transfer { url: url.clone(), reason };
        let content = match &source.location {
            Location::File(file) => Box::new(File::open(file).map_err(|error| failed(error.to_string()))?),
            Location::Https(url) => self.open(url).map_err(failed)?,
        };
        let mut content = Interruptible { content, told: &self.told };
        files.save(path, &mut content, self.bytes_max).map_err(|error| failed(error.to_string()))?;
        files.sync_file(path).map_err(FetchError::system(format!("syncing {}", path.display())))?;
        let found = source.checksum.of_file(path).map_err(FetchError::system(format!("reading {}", path.display())))?;
        if found != source.checksum {
            let ((kind, expected), (_, found)) = (source.checksum.parts(), found.parts());
            return Err(FetchError::Checksum { url, kind, found: found.to_owned(), expected: expected.to_owned() });
        }
        Ok(())
    }

    fn open(&self, url: &str) -> Result<Box<dyn Read>, String> {
        let mut tls = TlsConfig::builder();
        if let Some(path) = &self.certificates {
            tls = tls.root_certs(roots(path).map_err(|error| format!("{}: {error}", path.display()))?);
        }
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .https_only(true)
            .timeout_connect(Some(SILENCE_MAX))
            .timeout_recv_response(Some(SILENCE_MAX))
            .timeout_global(Some(TIME_MAX))
            .tls_config(tls.build())
            .build()
            .into();
        let response = agent.get(url).call().map_err(|error| error.to_string())?;
        Ok(Box::new(response.into_body().into_reader()))
    }
}

fn roots(path: &Path) -> io::Result<RootCerts> {
    let mut pem = Vec::new();
    File::open(path)?.take(CERTIFICATES_BYTES_MAX).read_to_end(&mut pem)?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(io::Error::other)? {
            certificates.push(certificate);
        }
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

/// Content that ends when swingvisor is told to stop.
struct Interruptible<'a> {
    content: Box<dyn Read>,
    told: &'a Told,
}

impl Read for Interruptible<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.told.is_told() {
            // Not `Interrupted`, which readers try again.
            return Err(io::Error::other("told to stop"));
        }
        self.content.read(buffer)
    }
}
