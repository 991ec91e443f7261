//! The Cosmos SDK's registered root errors (codespace `sdk`): clients switch on these codes and show these words.

use crate::error::Rejected;

/// A registered root error. The discriminant is its ABCI code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SdkError {
    /// The transaction does not decode.
    TxDecode = 2,
    /// Not allowed, or a signature that does not verify.
    Unauthorized = 4,
    /// Too little spendable balance.
    InsufficientFunds = 5,
    /// No handler, or a missing object.
    UnknownRequest = 6,
    /// Not an address.
    InvalidAddress = 7,
    /// Not a public key that accounts can have.
    InvalidPubKey = 8,
    /// No such account.
    UnknownAddress = 9,
    /// Coins that are not valid.
    InvalidCoins = 10,
    /// The gas limit was passed.
    OutOfGas = 11,
    /// The memo is longer than the parameter allows.
    MemoTooLarge = 12,
    /// The fee is below what this node asks.
    InsufficientFee = 13,
    /// More signatures than the parameter allows.
    TooManySignatures = 14,
    /// No signature.
    NoSignatures = 15,
    /// A request that is wrong in itself.
    InvalidRequest = 18,
    /// Already in the mempool.
    TxInMempool = 19,
    /// No room in the mempool.
    MempoolFull = 20,
    /// Larger than a transaction may be.
    TxTooLarge = 21,
    /// A version that is not supported.
    InvalidVersion = 27,
    /// Another chain's ID.
    InvalidChainId = 28,
    /// An `Any` of a type that is not expected here.
    InvalidType = 29,
    /// The height after which the transaction is not valid has passed.
    TxTimeoutHeight = 30,
    /// Critical extension options that this chain does not know.
    UnknownExtensionOptions = 31,
    /// The account's sequence is another.
    WrongSequence = 32,
    /// An `Any` that does not unpack.
    UnpackAny = 34,
    /// A rule of the application itself was broken.
    Logic = 35,
    /// Not supported here.
    NotSupported = 37,
    /// No such object.
    NotFound = 38,
    /// A gas limit that is not allowed.
    InvalidGasLimit = 41,
}

impl SdkError {
    /// The registered words.
    pub const fn words(self) -> &'static str {
        match self {
            SdkError::TxDecode => "tx parse error",
            SdkError::Unauthorized => "unauthorized",
            SdkError::InsufficientFunds => "insufficient funds",
            SdkError::UnknownRequest => "unknown request",
            SdkError::InvalidAddress => "invalid address",
            SdkError::InvalidPubKey => "invalid pubkey",
            SdkError::UnknownAddress => "unknown address",
            SdkError::InvalidCoins => "invalid coins",
            SdkError::OutOfGas => "out of gas",
            SdkError::MemoTooLarge => "memo too large",
            SdkError::InsufficientFee => "insufficient fee",
            SdkError::TooManySignatures => "maximum number of signatures exceeded",
            SdkError::NoSignatures => "no signatures supplied",
            SdkError::InvalidRequest => "invalid request",
            SdkError::TxInMempool => "tx already in mempool",
            SdkError::MempoolFull => "mempool is full",
            SdkError::TxTooLarge => "tx too large",
            SdkError::InvalidVersion => "invalid version",
            SdkError::InvalidChainId => "invalid chain-id",
            SdkError::InvalidType => "invalid type",
            SdkError::TxTimeoutHeight => "tx timeout height",
            SdkError::UnknownExtensionOptions => "unknown extension options",
            SdkError::WrongSequence => "incorrect account sequence",
            SdkError::UnpackAny => "failed unpacking protobuf message from Any",
            SdkError::Logic => "internal logic error",
            SdkError::NotSupported => "feature not supported",
            SdkError::NotFound => "not found",
            SdkError::InvalidGasLimit => "invalid gas limit",
        }
    }

    /// The refusal with a reason before the registered words, as the SDK wraps errors.
    pub fn wrap(self, reason: impl std::fmt::Display) -> Rejected {
        Rejected::sdk(self as u32, format!("{reason}: {}", self.words()))
    }

    /// The refusal with the registered words alone.
    pub fn bare(self) -> Rejected {
        Rejected::sdk(self as u32, self.words())
    }
}
