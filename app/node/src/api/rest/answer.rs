//! Answers over HTTP.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

use crate::api::Failure;

/// The height that a request is about, and in an answer the one that it was about.
pub(super) const HEIGHT: HeaderName = HeaderName::from_static("x-cosmos-block-height");
/// The same, as the SDK's gateway passes a gRPC answer's header on.
pub(super) const GATEWAY_HEIGHT: HeaderName = HeaderName::from_static("grpc-metadata-x-cosmos-block-height");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A method's answer.
pub(super) fn answered(body: &Value, height: u64) -> Response {
    let mut response = with_body(StatusCode::OK, body);
    let height = HeaderValue::from(height);
    response.headers_mut().insert(HEIGHT, height.clone());
    response.headers_mut().insert(GATEWAY_HEIGHT, height);
    response
}

/// Why there is none.
pub(super) fn failed(failure: &Failure) -> Response {
    let Failure { code, message } = failure;
    with_body(code.http(), &json!({"code": *code as i32, "message": message, "details": []}))
}

fn with_body(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// Lets pages of any origin read an answer. Source: the SDK's `enabled-unsafe-cors`.
pub(super) fn open_to_all(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("x-cosmos-block-height, grpc-metadata-x-cosmos-block-height"),
    );
}

/// The answer to a browser that asks whether it may.
pub(super) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers
        .insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type, x-cosmos-block-height"));
    response
}
