//! The toy node behind ABCI: CometBFT's side makes the blocks, and its last commit is announced to its supervisor.

use std::{
    io::{Read as _, Write as _},
    os::{
        fd::AsFd as _,
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
    time::Duration,
};

use prost::Message as _;
use serde_json::json;
use tendermint_proto::v0_38::abci::{
    Request, Response, ResponseCheckTx, ResponseCommit, ResponseFinalizeBlock, ResponseFlush, ResponseInfo,
    ResponsePrepareProposal, ResponseQuery, request::Value, response,
};

use super::{
    Build, Decision, decide, name,
    state::{self, State},
    status_json,
};

/// What all connections share.
struct Node {
    build: Build,
    home: PathBuf,
    state: Mutex<State>,
    ends: Sender<u8>,
}

/// Serves until something ends it; gives the exit code.
pub fn serve(build: Build, home: &Path, address: &str, term: &AtomicBool) -> u8 {
    let state = State::load(home);
    if let Decision::Stop(code, line) = decide(&build, &state) {
        eprintln!("{line}");
        return code;
    }
    state::note(home, &format!("serve {} at {}", name(build.release), state.committed_height));
    if build.dies == "at-start" {
        return 7;
    }
    if build.dies == "never-listens" {
        super::wait_for(term);
        return 0;
    }
    let path = address.strip_prefix("unix://").expect("a unix socket");
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).expect("a free path");
    let (ends, ended) = channel();
    let node = Arc::new(Node { build, home: home.to_owned(), state: Mutex::new(state), ends });
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (node, stream) = (Arc::clone(&node), stream.expect("a connection"));
            std::thread::spawn(move || node.connection(stream));
        }
    });
    loop {
        if let Ok(code) = ended.recv_timeout(Duration::from_millis(10)) {
            return code;
        }
        if term.load(Ordering::SeqCst) {
            return 0;
        }
    }
}

fn read(stream: &mut UnixStream) -> Option<Request> {
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Request::decode(body.as_slice()).expect("a request"))
}

impl Node {
    fn connection(&self, mut stream: UnixStream) {
        let (mut consensus, mut last) = (false, None);
        while let Some(request) = read(&mut stream) {
            let value = request.value.expect("a known request");
            consensus |= matches!(value, Value::FinalizeBlock(_) | Value::PrepareProposal(_));
            if last.is_some() && matches!(value, Value::FinalizeBlock(_) | Value::PrepareProposal(_)) {
                break;
            }
            let commits = matches!(value, Value::Commit(_));
            let Some(answer) = self.answer(value, &mut last) else { return };
            let reply = Response { value: Some(answer) }.encode_length_delimited_to_vec();
            if stream.write_all(&reply).is_err() {
                break;
            }
            if commits && last.is_some() && self.build.dies == "after-last-commit" {
                let _ = self.ends.send(7);
                return;
            }
        }
        if consensus && self.build.dies != "not-at-all" {
            let _ = self.ends.send(last.unwrap_or(52));
        }
    }

    /// None ends the process, or the connection, without an answer.
    fn answer(&self, request: Value, last: &mut Option<u8>) -> Option<response::Value> {
        let mut state = self.state.lock().expect("not poisoned");
        let hash = |state: &State| hex::decode(state.app_hash()).expect("hex");
        Some(match request {
            Value::Info(_) if self.build.dies == "never-answers" => {
                drop(state);
                loop {
                    std::thread::park();
                }
            }
            Value::Info(_) => response::Value::Info(ResponseInfo {
                last_block_height: i64::try_from(state.committed_height).expect("a small height"),
                last_block_app_hash: if self.build.dies == "wrong-hash" { vec![1; 4] } else { hash(&state) }.into(),
                ..ResponseInfo::default()
            }),
            Value::Flush(_) => response::Value::Flush(ResponseFlush {}),
            Value::CheckTx(check) => {
                let info = name(self.build.release);
                response::Value::CheckTx(ResponseCheckTx { data: check.tx, info, ..ResponseCheckTx::default() })
            }
            Value::Query(_) => {
                response::Value::Query(ResponseQuery { log: name(self.build.release), ..ResponseQuery::default() })
            }
            Value::PrepareProposal(request) => {
                response::Value::PrepareProposal(ResponsePrepareProposal { txs: request.txs })
            }
            Value::FinalizeBlock(request) => self.finalize(&mut state, request.height)?,
            Value::Commit(_) => {
                state.committed_height += 1;
                state.store(&self.home);
                if let Decision::Stop(code, _) = decide(&self.build, &state) {
                    if self.build.dies == "before-last-reply" {
                        let _ = self.ends.send(7);
                        return None;
                    }
                    if self.build.dies != "unannounced" {
                        announce(&self.build, &state);
                    }
                    *last = Some(code);
                    state::note(&self.home, &format!("stop {} with {code}", name(self.build.release)));
                }
                response::Value::Commit(ResponseCommit { retain_height: 0 })
            }
            // Nothing else is asked by these tests.
            _ => return None,
        })
    }

    fn finalize(&self, state: &mut State, height: i64) -> Option<response::Value> {
        let marker = self.home.join("died-in-block");
        if self.build.dies == "once-in-its-first-block" && !marker.exists() {
            std::fs::write(marker, "").expect("written");
            let _ = self.ends.send(7);
            return None;
        }
        if let Decision::Apply = decide(&self.build, state) {
            state.app_version = self.build.release;
            state.plan = None;
            state::note(&self.home, &format!("apply {} at {height}", name(self.build.release)));
        }
        let next = State { committed_height: state.committed_height + 1, ..state.clone() };
        let app_hash = hex::decode(next.app_hash()).expect("hex").into();
        Some(response::Value::FinalizeBlock(ResponseFinalizeBlock { app_hash, ..ResponseFinalizeBlock::default() }))
    }
}

/// Tells the supervisor, whose socket is our standard input.
fn announce(build: &Build, state: &State) {
    if std::env::var_os("SWINGD_SUPERVISOR").is_some() {
        let mut supervisor = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().expect("a socket"));
        let commit = json!({ "height": state.committed_height.to_string(), "app_hash": state.app_hash() });
        let mut said = json!({ "last_commit": commit });
        if build.stands_by {
            said["status"] = status_json(build, state);
        }
        writeln!(supervisor, "{said}").expect("told");
    }
}
