//! HTTP requests to methods and back.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method as HttpMethod, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use serde_json::Value;
use tokio::{sync::Semaphore, time::timeout};

use super::{
    args::Args,
    backend::Backend,
    envelope::{self, Call, RpcError, URI_ID},
    methods::{self, Context, METHODS, Method, Reply},
};

/// How long a request's body may take to arrive, and a call to be answered.
const CALL_TIME_MAX: Duration = Duration::from_secs(30);
/// Calls that run at once; others wait.
const CALLS_MAX: usize = 64;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html");

/// What every request is answered with.
pub struct Service {
    backend: Arc<dyn Backend>,
    rpc_address: String,
    body_bytes_max: usize,
    batch_max: usize,
    timeout_broadcast_tx_commit: Duration,
    calls: Arc<Semaphore>,
}

impl Service {
    /// A service of a backend, with the settings' bounds.
    pub fn new(backend: Arc<dyn Backend>, config: &super::RpcConfig) -> Self {
        Service {
            backend,
            rpc_address: config.laddr.clone(),
            body_bytes_max: config.body_bytes_max,
            batch_max: config.batch_max,
            timeout_broadcast_tx_commit: config.timeout_broadcast_tx_commit,
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
        }
    }

    async fn call(self: &Arc<Self>, method: &'static Method, args: Args) -> Result<Value, RpcError> {
        let busy = |_| RpcError::Internal("the node has too many calls to answer: try again".to_owned());
        let permits = Arc::clone(&self.calls);
        let permit = timeout(CALL_TIME_MAX, permits.acquire_owned()).await.map_err(busy)?;
        let service = Arc::clone(self);
        let run = tokio::task::spawn_blocking(move || {
            // Held for as long as the work runs, even when nobody waits for it any more.
            let _permit = permit;
            let context = Context { backend: service.backend.as_ref(), rpc_address: &service.rpc_address };
            (method.run)(context, &args)
        });
        let failed = |reason: &str| RpcError::Internal(format!("{}: {reason}", method.name));
        match timeout(CALL_TIME_MAX, run).await {
            Err(_) => Err(failed("it took too long")),
            Ok(Err(_)) => Err(failed("it was interrupted")),
            Ok(Ok(Ok(Reply::Now(result)))) => Ok(result),
            Ok(Ok(Ok(Reply::WhenCommitted { hash, check }))) => self.committed(hash, check).await,
            Ok(Ok(Err(error))) => Err(error),
        }
    }

    async fn committed(&self, hash: [u8; 32], check: Value) -> Result<Value, RpcError> {
        let mut heights = self.backend.heights();
        let wait = async {
            loop {
                if let Some(result) = methods::committed_tx(self.backend.as_ref(), &hash, &check)? {
                    return Ok(result);
                }
                if heights.changed().await.is_err() {
                    return Err(RpcError::Internal("the node stops".to_owned()));
                }
            }
        };
        let late = |_| RpcError::Internal("timed out waiting for tx to be included in a block".to_owned());
        timeout(self.timeout_broadcast_tx_commit, wait).await.map_err(late)?
    }

    /// A POST body's calls, in order.
    async fn post(self: &Arc<Self>, body: &[u8]) -> Result<Option<Value>, RpcError> {
        let calls = envelope::parse(body)?;
        if self.batch_max > 0 && calls.len() > self.batch_max {
            let reason = format!("a batch of {} requests, {} is the most", calls.len(), self.batch_max);
            return Err(RpcError::InvalidRequest(reason));
        }
        let mut answers = Vec::new();
        for Call { id, method, params } in calls {
            // JSON-RPC: a notification has no ID and gets no answer; CometBFT does not run it either.
            if id.is_none() {
                continue;
            }
            let outcome = match methods::find(&method) {
                None => Err(RpcError::MethodNotFound),
                Some(method) => match Args::from_json(params, method.params) {
                    Ok(args) => self.call(method, args).await,
                    Err(error) => Err(error),
                },
            };
            answers.push(envelope::answer(id, outcome));
        }
        Ok(match answers.len() {
            0 => None,
            1 => answers.pop(),
            _ => Some(Value::Array(answers)),
        })
    }
}

/// Answers any request.
pub async fn handle(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !matches!(parts.method, HttpMethod::GET | HttpMethod::POST | HttpMethod::HEAD) {
        return response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "Method Not Allowed\n".to_owned());
    }
    if let Some(name) = parts.uri.path().strip_prefix('/').filter(|name| !name.is_empty()) {
        return match methods::find(name) {
            Some(method) => by_uri(&service, method, parts.uri.query().unwrap_or_default()).await,
            None => response(StatusCode::NOT_FOUND, TEXT, "404 page not found\n".to_owned()),
        };
    }
    let body = match timeout(CALL_TIME_MAX, to_bytes(body, service.body_bytes_max)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let reason =
                format!("error reading request body: it is above {} bytes, or broke off", service.body_bytes_max);
            return failure(StatusCode::BAD_REQUEST, None, RpcError::InvalidRequest(reason));
        }
        Err(_) => {
            let reason = "error reading request body: it took too long".to_owned();
            return failure(StatusCode::REQUEST_TIMEOUT, None, RpcError::InvalidRequest(reason));
        }
    };
    if body.is_empty() {
        return response(StatusCode::OK, HTML, endpoints());
    }
    match service.post(&body).await {
        Ok(Some(answer)) => response(StatusCode::OK, JSON, answer.to_string()),
        Ok(None) => response(StatusCode::OK, JSON, String::new()),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, None, error),
    }
}

async fn by_uri(service: &Arc<Service>, method: &'static Method, query: &str) -> Response {
    let outcome = match Args::from_query(query) {
        Ok(args) => service.call(method, args).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(result) => response(StatusCode::OK, JSON, envelope::answer(Some(URI_ID.into()), Ok(result)).to_string()),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, Some(URI_ID.into()), error),
    }
}

fn failure(status: StatusCode, id: Option<Value>, error: RpcError) -> Response {
    response(status, JSON, envelope::answer(id, Err(error)).to_string())
}

fn response(status: StatusCode, content_type: HeaderValue, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// The page of methods that a browser sees.
fn endpoints() -> String {
    let mut page = String::from("<html><body><br>Available endpoints:<br>");
    for method in METHODS {
        let params = method.params.iter().map(|name| format!("{name}=_")).collect::<Vec<_>>().join("&");
        let query = if params.is_empty() { String::new() } else { format!("?{params}") };
        page.push_str(&format!("<a href=\"/{0}{query}\">/{0}{query}</a><br>", method.name));
    }
    page.push_str("</body></html>");
    page
}
