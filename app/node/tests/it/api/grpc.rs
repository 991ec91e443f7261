//! gRPC, by a client that others wrote.

use std::time::Duration;

use swing_proto::{
    Message, Name,
    cosmos::{
        bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse},
        base::{
            node::v1beta1::{ConfigRequest, ConfigResponse},
            tendermint::v1beta1::{GetNodeInfoRequest, GetNodeInfoResponse},
        },
        gov::v1::{QueryProposalRequest, QueryProposalResponse},
        tx::v1beta1::{BroadcastMode, BroadcastTxRequest, BroadcastTxResponse, GetTxRequest, GetTxResponse},
    },
};
use tokio::runtime::Runtime;
use tonic::{Code, Response, Status, transport::Channel};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    cli::BOB,
    support::{
        api_node::{ApiNode, TXS},
        solo::PATIENCE,
    },
};

const HEIGHT: &str = "x-cosmos-block-height";

/// A client on its own runtime.
struct Client {
    runtime: Runtime,
    channel: Channel,
}

impl Client {
    fn of(node: &ApiNode) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let endpoint = Channel::from_shared(format!("http://{}", node.grpc)).expect("an address").timeout(PATIENCE);
        let channel =
            runtime.block_on(endpoint.connect_timeout(Duration::from_secs(10)).connect()).expect("a connection");
        Client { runtime, channel }
    }

    fn call<In: Message + 'static, Out: Message + Name + Default + 'static>(
        &self,
        path: &'static str,
        request: In,
        height: Option<&'static str>,
    ) -> Result<Response<Out>, Status> {
        let mut request = tonic::Request::new(request);
        if let Some(height) = height {
            request.metadata_mut().insert(HEIGHT, height.parse().expect("text"));
        }
        self.runtime.block_on(async {
            let mut client = tonic::client::Grpc::new(self.channel.clone());
            client.ready().await.expect("a connection");
            let codec = tonic_prost::ProstCodec::<In, Out>::default();
            client.unary(request, path.parse().expect("a path"), codec).await
        })
    }
}

fn balance_of_bob() -> QueryBalanceRequest {
    QueryBalanceRequest { address: BOB.to_owned(), denom: "uswing".to_owned() }
}

const BALANCE: &str = "/cosmos.bank.v1beta1.Query/Balance";

#[test]
fn methods_answer_by_path_from_the_state_of_the_height_that_is_asked_for() {
    let node = ApiNode::start("");
    let client = Client::of(&node);
    let recorded: Vec<serde_json::Value> = serde_json::from_str(TXS).expect("JSON");
    let bytes = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        recorded[0]["tx_base64"].as_str().expect("text"),
    );
    let request = BroadcastTxRequest { tx_bytes: bytes.expect("base64"), mode: BroadcastMode::Sync.into() };
    let sent: BroadcastTxResponse =
        client.call("/cosmos.tx.v1beta1.Service/BroadcastTx", request, None).expect("sent").into_inner();
    let hash = sent.tx_response.expect("a response").txhash;
    let get = || client.call("/cosmos.tx.v1beta1.Service/GetTx", GetTxRequest { hash: hash.clone() }, None);
    let found: Response<GetTxResponse> = (0..100_000).find_map(|_| get().ok()).expect("it is in a block");
    let found = found.into_inner().tx_response.expect("a response");
    assert_eq!((found.code, found.txhash.as_str()), (0, recorded[0]["hash"].as_str().expect("text")));
    let after: Response<QueryBalanceResponse> = client.call(BALANCE, balance_of_bob(), None).expect("answered");
    let at = after.metadata().get(HEIGHT).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    assert!(at.is_some_and(|at: i64| at >= found.height), "{at:?}");
    assert_eq!(after.into_inner().balance.expect("a balance").amount, "1000000012345");
    let before: Response<QueryBalanceResponse> = client.call(BALANCE, balance_of_bob(), Some("1")).expect("answered");
    assert_eq!(before.metadata().get(HEIGHT).expect("told"), "1");
    assert_eq!(before.into_inner().balance.expect("a balance").amount, "1000000000000");
    let info: Response<GetNodeInfoResponse> = client
        .call("/cosmos.base.tendermint.v1beta1.Service/GetNodeInfo", GetNodeInfoRequest {}, None)
        .expect("answered");
    assert_eq!(info.into_inner().default_node_info.expect("told").network, "vectors-1");
    let config: Result<Response<ConfigResponse>, Status> =
        client.call("/cosmos.base.node.v1beta1.Service/Config", ConfigRequest {}, None);
    assert_eq!(config.expect("answered").into_inner().pruning_interval, "0");
}

#[test]
fn what_cannot_be_answered_has_the_sdks_status() {
    let node = ApiNode::start("[grpc]\nmax-recv-msg-size = \"1000\"\n");
    let client = Client::of(&node);
    #[track_caller]
    fn check(answer: Result<Response<QueryProposalResponse>, Status>, code: Code, part: &str) {
        let status = answer.expect_err("refused");
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(part), "{status}");
    }
    let proposal = |id| QueryProposalRequest { proposal_id: id };
    let path = "/cosmos.gov.v1.Query/Proposal";
    check(client.call(path, proposal(99), None), Code::NotFound, "proposal 99 doesn't exist");
    check(client.call(path, proposal(0), None), Code::InvalidArgument, "");
    check(client.call(path, proposal(1), Some("9999")), Code::InvalidArgument, "latest height");
    check(client.call(path, proposal(1), Some("soon")), Code::InvalidArgument, "is not a height");
    check(client.call("/cosmos.gov.v1.Query/Nothing", proposal(1), None), Code::Unimplemented, "unknown query path");
    check(client.call("/cosmos.gov.v1.Msg/Vote", proposal(1), None), Code::Unimplemented, "unknown query path");
    check(client.call("/cosmos.tx.v1beta1.Service/No", proposal(1), None), Code::Unimplemented, "unknown method No");
    check(client.call("/nothing", proposal(1), None), Code::Unimplemented, "unknown query path");
    let long = QueryBalanceRequest { address: "x".repeat(1001), denom: String::new() };
    check(client.call(path, long, None), Code::OutOfRange, "");
    let wrong = QueryBalanceRequest { address: "x".to_owned(), denom: String::new() };
    check(client.call(path, wrong, None), Code::InvalidArgument, "does not decode");
}

#[test]
fn reflection_lists_the_services_and_has_their_files() {
    let node = ApiNode::start("");
    let client = Client::of(&node);
    let ask = |request: MessageRequest| {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(request) };
        client.runtime.block_on(async {
            let mut reflection = ServerReflectionClient::new(client.channel.clone());
            let mut answers = reflection
                .server_reflection_info(tonic::codegen::tokio_stream::once(request))
                .await
                .expect("a stream")
                .into_inner();
            answers.message().await.expect("an answer").expect("one").message_response.expect("something")
        })
    };
    let MessageResponse::ListServicesResponse(list) = ask(MessageRequest::ListServices(String::new())) else {
        panic!("another answer");
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    for expected in ["cosmos.bank.v1beta1.Query", "cosmos.tx.v1beta1.Service", "swing.upgrade.v1.Query"] {
        assert!(names.iter().any(|name| name == expected), "{expected} is not in {names:?}");
    }
    assert!(!names.iter().any(|name| name.ends_with(".Msg")), "{names:?}");
    let symbol = MessageRequest::FileContainingSymbol("cosmos.bank.v1beta1.Query".to_owned());
    let MessageResponse::FileDescriptorResponse(files) = ask(symbol) else { panic!("another answer") };
    assert!(!files.file_descriptor_proto.is_empty());
}
