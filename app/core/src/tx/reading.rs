//! What a transaction says, worked out of its bytes once: it is asked for by the ante handler, by its messages and by those who
//! check signatures ahead. No state is read.

use swing_proto::cosmos::tx::v1beta1::{AuthInfo, TxBody};

use super::public_key;
use crate::{
    address::{Address, Party},
    error::Rejected,
    math::{Coin, Coins},
    modules::auth::state::SECP256K1_KEY_LEN,
    router::{self, Content},
    sdk_error::SdkError,
};

/// Signers of one transaction that are looked at; the parameter `tx_sig_limit` is far lower.
const SIGNERS_MAX: usize = 64;

/// What was worked out. A part that the bytes do not give is the refusal that asking for it gives.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) senders: Result<Senders, Rejected>,
    pub(super) keys: Vec<Result<Option<SignerKey>, Rejected>>,
    pub(super) fee: Result<OfferedFee, Rejected>,
}

/// Who must sign, and what the messages say.
#[derive(Clone, Debug)]
pub(super) struct Senders {
    /// The signers of all messages in order, each once, then a fee payer who is not among them.
    pub(super) signers: Vec<Party>,
    /// One entry a message.
    pub(super) messages: Vec<ReadMessage>,
}

/// A message, read.
#[derive(Clone, Debug)]
pub struct ReadMessage {
    /// Its first signer's place among the transaction's; none when nobody signs it.
    pub(super) sender: Option<usize>,
    /// What it says.
    pub content: Content,
}

/// A key that a signer brings along, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignerKey {
    /// The compressed key.
    pub bytes: [u8; SECP256K1_KEY_LEN],
    /// The account that it signs for.
    pub address: Address,
}

/// The fee that a transaction offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferedFee {
    /// What.
    pub coins: Coins,
    /// The same as text.
    pub text: String,
}

impl Reading {
    pub(super) fn of(body: &TxBody, auth_info: &AuthInfo) -> Self {
        Reading {
            senders: Senders::of(body, auth_info),
            keys: auth_info
                .signer_infos
                .iter()
                .take(SIGNERS_MAX)
                .map(|info| Ok(public_key(info)?.map(owned)))
                .collect(),
            fee: offered(auth_info),
        }
    }
}

fn owned(bytes: [u8; SECP256K1_KEY_LEN]) -> SignerKey {
    SignerKey { bytes, address: Address::of_secp256k1(&bytes) }
}

impl Senders {
    fn of(body: &TxBody, auth_info: &AuthInfo) -> Result<Self, Rejected> {
        let mut signers: Vec<Party> = Vec::with_capacity(1);
        let mut messages = Vec::with_capacity(body.messages.len());
        for message in &body.messages {
            let (of_message, content) = router::read(message)?;
            let mut sender = None;
            for signer in of_message {
                let place = place(&mut signers, signer)?;
                sender = sender.or(Some(place));
            }
            messages.push(ReadMessage { sender, content });
        }
        if let Some(payer) = named_payer(auth_info)? {
            place(&mut signers, payer)?;
        }
        Ok(Senders { signers, messages })
    }
}

/// The place of a signer, who is put last when new.
fn place(signers: &mut Vec<Party>, signer: Address) -> Result<usize, Rejected> {
    if let Some(place) = signers.iter().position(|known| known.address == signer) {
        return Ok(place);
    }
    if signers.len() == SIGNERS_MAX {
        return Err(SdkError::TooManySignatures.wrap(format!("more than {SIGNERS_MAX} signers")));
    }
    signers.push(signer.into());
    Ok(signers.len() - 1)
}

/// The payer that the fee names, if it names one.
pub(super) fn named_payer(auth_info: &AuthInfo) -> Result<Option<Address>, Rejected> {
    match &auth_info.fee {
        Some(fee) if !fee.payer.is_empty() => Address::parse(&fee.payer)
            .map(Some)
            .map_err(|error| SdkError::InvalidAddress.wrap(format!("invalid fee payer address ({error})"))),
        _ => Ok(None),
    }
}

/// The fee that a transaction offers, checked.
fn offered(auth_info: &AuthInfo) -> Result<OfferedFee, Rejected> {
    let Some(fee) = &auth_info.fee else { return Ok(OfferedFee::default()) };
    // A zero amount is left out by some clients and sent by others; the SDK takes it as no fee.
    let amounts = fee.amount.iter().filter(|coin| coin.amount != "0");
    let coins = amounts.map(Coin::from_proto).collect::<Result<Vec<_>, _>>().and_then(Coins::new);
    let coins = coins.map_err(|error| SdkError::InsufficientFee.wrap(format!("invalid fee amount: {error}")))?;
    Ok(OfferedFee { text: coins.to_string(), coins })
}
