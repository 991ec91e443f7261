//! HTTP requests to methods and back.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method as HttpMethod},
    response::Response,
};
use serde_json::Value;
use swing_proto::json;
use tokio::time::timeout;

use super::{
    answer,
    pattern::Parameters,
    routes::{self, Route, Verb},
};
use crate::{
    api::{ApiConfig, Code, Failure, server::Bounded},
    percent,
};

/// What every request is answered with.
pub struct Rest {
    services: Bounded,
    body_bytes_max: usize,
    read_time_max: Duration,
    open_to_all: bool,
}

impl Rest {
    /// REST of these methods, with the settings' bounds.
    pub fn new(services: Bounded, config: &ApiConfig) -> Self {
        Rest {
            services,
            body_bytes_max: config.body_bytes_max,
            read_time_max: config.read_time_max,
            open_to_all: config.open_to_all,
        }
    }

    async fn answer(&self, request: Request) -> Result<Response, Failure> {
        let not_implemented = || Failure::new(Code::Unimplemented, "Not Implemented");
        let (parts, body) = request.into_parts();
        let verb = match parts.method {
            HttpMethod::GET => Verb::Get,
            HttpMethod::POST => Verb::Post,
            _ => return Err(not_implemented()),
        };
        let (route, parameters) = routes::find(verb, parts.uri.path()).ok_or_else(not_implemented)?;
        let height = height(&parts.headers)?;
        let input = match verb {
            Verb::Get => Input::Uri(parameters, parts.uri.query().unwrap_or_default().to_owned()),
            Verb::Post => Input::Body(self.body(body).await?),
        };
        let (answer, shown) = self
            .services
            .run(move |services| {
                let request = input.encoded(route)?;
                let answer = services.call(route.method, &request, height)?;
                let shown = shown(route, &answer.response)?;
                Ok((answer.height, shown))
            })
            .await?;
        Ok(answer::answered(&shown, answer))
    }

    async fn body(&self, body: Body) -> Result<Vec<u8>, Failure> {
        match timeout(self.read_time_max, to_bytes(body, self.body_bytes_max)).await {
            Ok(Ok(bytes)) => Ok(bytes.to_vec()),
            Ok(Err(_)) => {
                Err(Failure::invalid(format!("the body is above {} bytes, or broke off", self.body_bytes_max)))
            }
            Err(_) => Err(Failure::new(Code::DeadlineExceeded, "the body took too long to arrive")),
        }
    }
}

/// Answers any request.
pub async fn handle(State(rest): State<Arc<Rest>>, request: Request) -> Response {
    if rest.open_to_all && request.method() == HttpMethod::OPTIONS {
        let mut response = answer::preflight();
        answer::open_to_all(response.headers_mut());
        return response;
    }
    let mut response = rest.answer(request).await.unwrap_or_else(|failure| answer::failed(&failure));
    if rest.open_to_all {
        answer::open_to_all(response.headers_mut());
    }
    response
}

/// Where a request's message is.
enum Input {
    Uri(Parameters, String),
    Body(Vec<u8>),
}

impl Input {
    fn encoded(&self, route: &Route) -> Result<Vec<u8>, Failure> {
        let type_name = type_of(route)?.input().full_name().to_owned();
        match self {
            Input::Uri(parameters, query) => {
                let query = pairs(query).ok_or_else(|| Failure::invalid("the query has an escape that is none"))?;
                // What the path says is not said again.
                let query = query.iter().filter(|(name, _)| !parameters.iter().any(|(taken, _)| taken == name));
                let all = parameters.iter().map(|(name, text)| (*name, text.as_str()));
                let all = all.chain(query.map(|(name, text)| (name.as_str(), text.as_str())));
                json::uri_to_wire(&type_name, all).map_err(|error| Failure::invalid(error.to_string()))
            }
            Input::Body(bytes) => json::parse(bytes, bytes.len())
                .and_then(|value| json::json_to_wire(&type_name, &value))
                .map_err(|error| Failure::invalid(error.to_string())),
        }
    }
}

/// A query's names and texts.
fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
            Some((percent::decode(name, true)?, percent::decode(text, true)?))
        })
        .collect()
}

fn shown(route: &Route, response: &[u8]) -> Result<Value, Failure> {
    Ok(json::wire_to_json(type_of(route)?.output().full_name(), response)?)
}

fn type_of(route: &Route) -> Result<swing_proto::MethodDescriptor, Failure> {
    swing_proto::method(route.method).ok_or_else(|| Failure::internal(format!("no method {}", route.method)))
}

/// The height that a request asks about; 0 for the newest.
fn height(headers: &HeaderMap) -> Result<u64, Failure> {
    let Some(value) = headers.get(answer::HEIGHT).or_else(|| headers.get(answer::GATEWAY_HEIGHT)) else { return Ok(0) };
    let height = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    height.ok_or_else(|| Failure::invalid(format!("{}: {value:?} is not a height of 0 or more", answer::HEIGHT)))
}
