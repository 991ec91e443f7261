//! State keys of the consensus parameters.

/// The parameters: `tendermint.types.ConsensusParams`, version included.
pub const PARAMS: &[u8] = b"consensus/p";

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_as_recorded() {
        assert_eq!(super::PARAMS, b"consensus/p");
    }
}
