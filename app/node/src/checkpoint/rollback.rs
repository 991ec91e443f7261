//! Whether application state can go back to a checkpoint, and what CometBFT needs then.
//!
//! The checkpoint is of height C; H = C + 1 is the block that is to be executed again. The point of no return is the next block:
//! once one above H is stored here, or this key has signed for one, the chain has decided over the result of H, and only state
//! sync brings this node back.

use super::Heights;

/// What to do beside restoring the application's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CometStep {
    /// Nothing: CometBFT executes H again by itself.
    Nothing,
    /// CometBFT's state is that after H: `cometbft rollback` sets it back to C and leaves the block.
    SoftRollback,
}

/// Why there is no going back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The engine has a block above H.
    #[error(
        "{engine} has stored block {stored}, so the chain has built on the result of block {again}, which this rollback would \
         execute again. It is too late to go back to {checkpoint}: bring this node back by state sync"
    )]
    BlockAbove {
        /// Whose store.
        engine: &'static str,
        /// Its last block.
        stored: u64,
        /// H.
        again: u64,
        /// C.
        checkpoint: u64,
    },
    /// The key has signed above H.
    #[error(
        "this node's key has signed at height {signed}, above block {again}, which this rollback would execute again. It is too \
         late to go back to {checkpoint}: bring this node back by state sync"
    )]
    SignedAbove {
        /// The last signed height.
        signed: u64,
        /// H.
        again: u64,
        /// C.
        checkpoint: u64,
    },
    /// The engine lacks blocks that the checkpoint has.
    #[error(
        "{engine} has blocks up to {stored} only, the checkpoint is of {checkpoint}: an application must not be ahead of its engine. \
         Bring this node back by state sync"
    )]
    Ahead {
        /// Whose store.
        engine: &'static str,
        /// Its last block.
        stored: u64,
        /// C.
        checkpoint: u64,
    },
    /// Nothing here tells what the key has signed.
    #[error(
        "nothing here tells at which height this validator has signed last: state it with --signed-height, as the remote signer \
         has it"
    )]
    SignerUnknown,
}

/// What is known besides the heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// C.
    pub checkpoint: u64,
    /// What the home says.
    pub heights: Heights,
    /// A signer elsewhere holds the key, so that the home's signing state says nothing.
    pub remote_signer: bool,
    /// What the operator says of the key.
    pub stated_signed: Option<u64>,
}

/// Decides.
///
/// # Errors
/// Why not.
pub fn decide(question: &Question) -> Result<CometStep, Refused> {
    let Question { checkpoint, heights, remote_signer, stated_signed } = *question;
    let again = checkpoint.saturating_add(1);
    for (engine, stored) in [("CometBFT", heights.comet_blocks), ("the solo engine", heights.solo_blocks)] {
        match stored {
            // A store that was made and never written to is no engine's that has run this chain.
            Some(stored @ 1..) if stored < checkpoint => return Err(Refused::Ahead { engine, stored, checkpoint }),
            Some(stored) if stored > again => return Err(Refused::BlockAbove { engine, stored, again, checkpoint }),
            _ => {}
        }
    }
    let signed = if remote_signer { stated_signed } else { heights.signed.max(stated_signed) };
    match signed {
        None => return Err(Refused::SignerUnknown),
        Some(signed) if signed > again => return Err(Refused::SignedAbove { signed, again, checkpoint }),
        Some(_) => {}
    }
    Ok(if heights.comet_state == Some(again) { CometStep::SoftRollback } else { CometStep::Nothing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comet(blocks: u64, state: u64, signed: u64) -> Heights {
        Heights { comet_blocks: Some(blocks), comet_state: Some(state), solo_blocks: None, signed: Some(signed) }
    }

    #[track_caller]
    fn check(heights: Heights, expected: Result<CometStep, &str>) {
        let question = Question { checkpoint: 9, heights, remote_signer: false, stated_signed: None };
        match (decide(&question), expected) {
            (Ok(step), Ok(expected)) => assert_eq!(step, expected, "{heights:?}"),
            (Err(refused), Err(part)) => assert!(refused.to_string().contains(part), "{heights:?}: {refused}"),
            (got, expected) => panic!("{heights:?}: {got:?}, not {expected:?}"),
        }
    }

    #[test]
    fn block_h_may_be_decided_executed_and_signed_and_nothing_above_it() {
        use CometStep::{Nothing, SoftRollback};
        check(comet(9, 9, 9), Ok(Nothing));
        check(comet(9, 8, 9), Ok(Nothing));
        check(comet(10, 9, 10), Ok(Nothing));
        check(comet(10, 10, 10), Ok(SoftRollback));
        check(comet(10, 10, 11), Err("has signed at height 11, above block 10"));
        check(comet(11, 10, 10), Err("CometBFT has stored block 11"));
        check(comet(11, 10, 10), Err("by state sync"));
        check(comet(8, 8, 8), Err("CometBFT has blocks up to 8 only"));
    }

    #[test]
    fn the_solo_engines_store_counts_as_cometbfts_does() {
        let solo = |blocks| Heights { solo_blocks: Some(blocks), signed: Some(0), ..Heights::default() };
        check(solo(10), Ok(CometStep::Nothing));
        check(solo(11), Err("the solo engine has stored block 11"));
        check(solo(8), Err("the solo engine has blocks up to 8 only"));
        let unused_comet = Heights { comet_blocks: Some(0), comet_state: Some(0), ..solo(10) };
        check(unused_comet, Ok(CometStep::Nothing));
    }

    #[test]
    fn a_remote_signers_height_must_be_stated_and_then_counts() {
        let ask = |remote_signer, stated_signed, signed| {
            decide(&Question {
                checkpoint: 9,
                heights: Heights { signed, ..comet(10, 9, 0) },
                remote_signer,
                stated_signed,
            })
        };
        assert_eq!(ask(true, None, Some(0)), Err(Refused::SignerUnknown), "the home's file is not the signer's");
        assert_eq!(ask(false, None, None), Err(Refused::SignerUnknown));
        assert_eq!(ask(true, Some(10), Some(0)), Ok(CometStep::Nothing));
        assert!(matches!(ask(true, Some(11), Some(0)), Err(Refused::SignedAbove { signed: 11, .. })));
        assert!(matches!(ask(false, Some(5), Some(11)), Err(Refused::SignedAbove { signed: 11, .. })), "never lower");
    }
}
