//! Typed queries by gRPC path over `abci_query`.

use swing_proto::{
    Message, Name,
    cosmos::{
        auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse},
        bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse},
        tx::v1beta1::{SimulateRequest, SimulateResponse},
    },
    unpack,
};

use super::{ClientError, RpcClient};

/// Sends `request` to a gRPC path such as `/cosmos.bank.v1beta1.Query/Balance`; height 0 is the latest.
///
/// # Errors
/// No answer, a refusal, or a response that does not decode.
pub fn grpc<Response: Message + Name + Default>(
    client: &RpcClient,
    path: &str,
    request: &impl Message,
    height: u64,
) -> Result<Response, ClientError> {
    let answer = client.abci_query(path, &request.encode_to_vec(), height)?;
    Response::decode(answer.value.as_slice())
        .map_err(|error| ClientError::answer(path, format!("{} does not decode: {error}", Response::full_name())))
}

/// The account of an address.
///
/// # Errors
/// It does not exist (code 22 of codespace `sdk`), is of another type, or the query fails.
pub fn account(client: &RpcClient, address: &str) -> Result<BaseAccount, ClientError> {
    const PATH: &str = "/cosmos.auth.v1beta1.Query/Account";
    let response: QueryAccountResponse = grpc(client, PATH, &QueryAccountRequest { address: address.to_owned() }, 0)?;
    let any = response.account.ok_or_else(|| ClientError::answer(PATH, "no account in it"))?;
    unpack(&any).map_err(|error| ClientError::answer(PATH, error))
}

/// The balance of one denomination; zero where there is none.
///
/// # Errors
/// The query fails.
pub fn balance(client: &RpcClient, address: &str, denom: &str) -> Result<u128, ClientError> {
    const PATH: &str = "/cosmos.bank.v1beta1.Query/Balance";
    let request = QueryBalanceRequest { address: address.to_owned(), denom: denom.to_owned() };
    let response: QueryBalanceResponse = grpc(client, PATH, &request, 0)?;
    let amount = response.balance.map(|coin| coin.amount).unwrap_or_default();
    if amount.is_empty() {
        return Ok(0);
    }
    amount.parse().map_err(|_| ClientError::answer(PATH, format!("amount {amount:?} is not a number")))
}

/// The gas that a transaction would use.
///
/// # Errors
/// It would fail, or the query fails.
#[allow(deprecated, reason = "the message keeps the deprecated field of the SDK's")]
pub fn simulate(client: &RpcClient, tx_bytes: Vec<u8>) -> Result<u64, ClientError> {
    const PATH: &str = "/cosmos.tx.v1beta1.Service/Simulate";
    let request = SimulateRequest { tx_bytes, ..SimulateRequest::default() };
    let response: SimulateResponse = grpc(client, PATH, &request, 0)?;
    response.gas_info.map(|info| info.gas_used).ok_or_else(|| ClientError::answer(PATH, "no gas_info in it"))
}
