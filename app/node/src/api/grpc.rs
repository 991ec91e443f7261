//! gRPC: every method by its path, bytes in and bytes out, and reflection from the descriptors.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use bytes::{Buf as _, BufMut as _, Bytes};
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::{MetadataMap, MetadataValue},
    server::UnaryService,
};
use tonic_reflection::server::Builder;

use super::{Failure, GrpcConfig, server::Bounded};

/// The height that a call is about, in the metadata of requests and answers. Source: the SDK's `GRPCBlockHeightHeader`.
const HEIGHT: &str = "x-cosmos-block-height";

/// What every call is answered with.
#[derive(Debug)]
pub(super) struct Grpc {
    services: Bounded,
    request_bytes_max: usize,
    response_bytes_max: usize,
}

impl Grpc {
    /// gRPC of these methods, with the settings' bounds.
    pub fn new(services: Bounded, config: &GrpcConfig) -> Self {
        Grpc { services, request_bytes_max: config.request_bytes_max, response_bytes_max: config.response_bytes_max }
    }
}

/// All methods, and what tells of them.
///
/// # Errors
/// Never for descriptors that compile.
pub(super) fn router(grpc: Grpc) -> Result<Router, tonic_reflection::server::Error> {
    let names: Vec<String> = swing_proto::descriptor_pool()
        .services()
        .filter(|service| service.name() != "Msg")
        .map(|service| service.full_name().to_owned())
        .collect();
    let described = || {
        let builder = Builder::configure().register_encoded_file_descriptor_set(swing_proto::FILE_DESCRIPTOR_SET);
        names.iter().fold(builder, |builder, name| builder.with_service_name(name.as_str()))
    };
    Ok(Router::new()
        .route_service("/grpc.reflection.v1.ServerReflection/{*method}", described().build_v1()?)
        .route_service("/grpc.reflection.v1alpha.ServerReflection/{*method}", described().build_v1alpha()?)
        .fallback(any(handle))
        .with_state(Arc::new(grpc)))
}

/// Answers any call.
async fn handle(State(grpc): State<Arc<Grpc>>, request: Request) -> Response {
    let call = Call { path: request.uri().path().to_owned(), services: grpc.services.clone() };
    let mut framing = tonic::server::Grpc::new(Raw)
        .apply_max_message_size_config(Some(grpc.request_bytes_max), Some(grpc.response_bytes_max));
    framing.unary(call, request).await.map(Body::new)
}

/// One call.
struct Call {
    path: String,
    services: Bounded,
}

impl UnaryService<Bytes> for Call {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (path, services) = (self.path.clone(), self.services.clone());
        Box::pin(async move {
            let height = height(request.metadata())?;
            let request = request.into_inner();
            let answer = services.run(move |services| services.call(&path, &request, height)).await.map_err(status)?;
            let mut response = tonic::Response::new(Bytes::from(answer.response));
            response.metadata_mut().insert(HEIGHT, MetadataValue::from(answer.height));
            Ok(response)
        })
    }
}

fn height(metadata: &MetadataMap) -> Result<u64, Status> {
    let Some(value) = metadata.get(HEIGHT) else { return Ok(0) };
    let height = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    height.ok_or_else(|| Status::invalid_argument(format!("{HEIGHT}: {value:?} is not a height of 0 or more")))
}

fn status(failure: Failure) -> Status {
    Status::new(tonic::Code::from_i32(failure.code as i32), failure.message)
}

/// Messages as they are on the wire: they are decoded by whoever answers.
#[derive(Clone, Copy, Debug)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}
