//! What execution needs of the outside, as traits that the node binds: the contract engine, signature checks and the running
//! release. A test binds others.

pub mod engine;
pub mod signatures;
pub mod upgrade;

/// All ports of one block's execution.
pub struct Ports<'a> {
    /// The contract engine.
    pub engine: &'a mut dyn engine::Engine,
    /// Signature checks.
    pub signatures: &'a dyn signatures::SignatureVerifier,
    /// The running release.
    pub release: &'a dyn upgrade::Release,
}

impl std::fmt::Debug for Ports<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("release", &self.release.name()).finish_non_exhaustive()
    }
}
