//! The registered errors of x/gov (codespace `gov`).

use crate::error::Rejected;

/// A registered error. The discriminant is its ABCI code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[expect(missing_docs, reason = "the words say it")]
pub enum GovError {
    UnknownProposal = 2,
    InactiveProposal = 3,
    InvalidProposalContent = 5,
    InvalidVote = 7,
    UnroutableProposalMsg = 10,
    NoProposalMsgs = 11,
    InvalidProposalMsg = 12,
    InvalidSigner = 13,
    MetadataTooLong = 15,
    MinDepositTooSmall = 16,
    InvalidProposer = 18,
    VotingPeriodEnded = 20,
    InvalidProposal = 21,
    SummaryTooLong = 22,
    InvalidDepositDenom = 23,
}

impl GovError {
    /// The registered words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::UnknownProposal => "unknown proposal",
            Self::InactiveProposal => "inactive proposal",
            Self::InvalidProposalContent => "invalid proposal content",
            Self::InvalidVote => "invalid vote option",
            Self::UnroutableProposalMsg => "proposal message not recognized by router",
            Self::NoProposalMsgs => "no messages proposed",
            Self::InvalidProposalMsg => "invalid proposal message",
            Self::InvalidSigner => "expected gov account as only signer for proposal message",
            Self::MetadataTooLong => "metadata too long",
            Self::MinDepositTooSmall => "minimum deposit is too small",
            Self::InvalidProposer => "invalid proposer",
            Self::VotingPeriodEnded => "voting period already ended",
            Self::InvalidProposal => "invalid proposal",
            Self::SummaryTooLong => "summary too long",
            Self::InvalidDepositDenom => "invalid deposit denom",
        }
    }

    /// The refusal with a reason before the registered words.
    pub fn wrap(self, reason: impl std::fmt::Display) -> Rejected {
        Rejected { codespace: "gov", code: self as u32, log: format!("{reason}: {}", self.words()) }
    }

    /// The refusal with the registered words alone.
    pub fn bare(self) -> Rejected {
        Rejected { codespace: "gov", code: self as u32, log: self.words().to_owned() }
    }
}
