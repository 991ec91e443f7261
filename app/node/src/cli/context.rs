//! What every command works with.

use std::io::{BufRead, Read, Write};

use swing_core::ports::upgrade::Release;

use super::{Failure, flags::KeyringArgs};
use crate::{
    client::ClientError,
    config::{ClientConfig, ConfigError, Home},
    keyring::Keyring,
};

/// The longest text that is read from standard input.
const INPUT_SIZE_MAX: u64 = 64 << 20;

/// The binary's release and the node's home.
#[derive(Clone)]
pub struct Context {
    /// The binary's release.
    pub release: &'static dyn Release,
    /// The node's home.
    pub home: Home,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("release", &self.release.name()).field("home", &self.home).finish()
    }
}

impl Context {
    /// A context.
    pub fn new(release: &'static dyn Release, home: Home) -> Self {
        Context { release, home }
    }

    /// `client.toml`.
    ///
    /// # Errors
    /// It is there and damaged.
    pub fn client_config(&self) -> Result<ClientConfig, ConfigError> {
        ClientConfig::load(&self.home)
    }

    /// The keyring that the flags or `client.toml` name.
    ///
    /// # Errors
    /// The backend is not available.
    pub fn keyring(&self, arguments: &KeyringArgs) -> Result<Keyring, Failure> {
        let backend = match &arguments.keyring_backend {
            Some(backend) => backend.clone(),
            None => self.client_config()?.keyring_backend,
        };
        let home = arguments.keyring_dir.clone().map_or_else(|| self.home.clone(), Home::new);
        Ok(Keyring::open(&home, &backend)?)
    }
}

/// Tells the user something on standard error.
pub fn note(text: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Asks on standard error and reads one line from standard input.
///
/// # Errors
/// Standard input ended or failed.
pub fn ask(prompt: &str) -> Result<String, Failure> {
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{prompt}");
    let _ = stderr.flush();
    let mut line = String::new();
    let count = std::io::stdin().lock().take(INPUT_SIZE_MAX).read_line(&mut line)?;
    if count == 0 {
        // What is said next begins on a line of its own.
        let _ = writeln!(stderr);
        return Err(Failure::new("standard input ended before an answer"));
    }
    Ok(line.trim().to_owned())
}

/// Asks a question that is answered by y or yes; anything else, the end of input too, means no.
pub fn confirm(question: &str) -> bool {
    ask(&format!("{question} [y/N]: ")).is_ok_and(|answer| matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The bytes of a file, or of standard input for `-`.
///
/// # Errors
/// It is not readable or too long.
pub fn read_input(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() != "-" {
        return Ok(crate::config::files::read(path)?);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(INPUT_SIZE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > INPUT_SIZE_MAX {
        return Err(ClientError::Input(format!("standard input is longer than {INPUT_SIZE_MAX} bytes")).into());
    }
    Ok(bytes)
}
