//! A client that keeps its connections to one node's RPC, and says what came over them.
//!
//! # Invariants
//! - A connection that ends is never opened again: it ends the watch with an error.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::rpc::{Rpc, number};

/// The longest that one answer is waited for: CometBFT's own limit is 11 s.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// Largest message that is taken.
const MESSAGE_BYTES_MAX: u64 = 8 << 20;
/// How often the websocket looks whether the watch ends.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A running watch.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    requests: JoinHandle<Result<u64>>,
    blocks: JoinHandle<Result<Vec<u64>>>,
    peers: JoinHandle<Result<()>>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Requests that were answered over one connection.
    pub requests: u64,
    /// Heights of the blocks that one websocket told of.
    pub heights: Vec<u64>,
}

impl Watch {
    /// Watches the node whose RPC is on this port, which has so many peers.
    ///
    /// # Errors
    /// When the connections cannot be made.
    pub fn start(port: u16, peers: u64) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (http, websocket) = (connect(port)?, subscribe(port)?);
        let rpc = Rpc::new(format!("http://127.0.0.1:{port}"));
        let told = || Arc::clone(&stop);
        let (first, second, third) = (told(), told(), told());
        Ok(Watch {
            requests: std::thread::spawn(move || ask(http, &first)),
            blocks: std::thread::spawn(move || listen(websocket, &second)),
            peers: std::thread::spawn(move || count_peers(&rpc, peers, &third)),
            stop,
        })
    }

    /// Ends it.
    ///
    /// # Errors
    /// What was lost meanwhile.
    pub fn finish(self) -> Result<Seen> {
        self.stop.store(true, Ordering::SeqCst);
        let panicked = |_| anyhow::anyhow!("a watching thread panicked");
        self.peers.join().map_err(panicked)?.context("its peers")?;
        Ok(Seen {
            requests: self.requests.join().map_err(panicked)?.context("its keep-alive connection")?,
            heights: self.blocks.join().map_err(panicked)?.context("its websocket")?,
        })
    }
}

fn connect(port: u16) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
    Ok(BufReader::new(stream))
}

/// Reads the head of an answer; gives its first line and its content's length.
fn head(stream: &mut BufReader<TcpStream>) -> Result<(String, usize)> {
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first)?;
    ensure!(!first.is_empty(), "closed by the node");
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if line.trim().is_empty() {
            return Ok((first, length));
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
}

/// Asks for the application's state, again and again over one connection.
fn ask(mut stream: BufReader<TcpStream>, stop: &AtomicBool) -> Result<u64> {
    let mut answered: u64 = 0;
    while !stop.load(Ordering::SeqCst) {
        write!(stream.get_mut(), "GET /abci_info HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let (first, length) = head(&mut stream)?;
        ensure!(first.contains(" 200 ") && length > 0, "request {answered} was answered with {first:?}");
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let answer: Value = serde_json::from_slice(&body)?;
        ensure!(answer["result"]["response"].is_object(), "request {answered} was answered with {answer}");
        answered = answered.saturating_add(1);
        std::thread::park_timeout(Duration::from_millis(50));
    }
    Ok(answered)
}

/// Every peer is connected for longer and longer.
fn count_peers(rpc: &Rpc, expected: u64, stop: &AtomicBool) -> Result<()> {
    let mut before = std::collections::BTreeMap::new();
    while !stop.load(Ordering::SeqCst) {
        let info = rpc.call("net_info", json!({}))?;
        ensure!(number(&info["n_peers"])? == expected, "{} peers, expected {expected}", info["n_peers"]);
        for peer in info["peers"].as_array().into_iter().flatten() {
            let id = peer["node_info"]["id"].as_str().unwrap_or_default().to_owned();
            let connected = number(&peer["connection_status"]["Duration"])?;
            let earlier = before.insert(id.clone(), connected).unwrap_or(0);
            ensure!(connected >= earlier, "the connection to {id} was lost and made again");
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    Ok(())
}

/// A websocket that hears of new blocks.
fn subscribe(port: u16) -> Result<BufReader<TcpStream>> {
    let mut stream = connect(port)?;
    write!(
        stream.get_mut(),
        "GET /websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )?;
    let (first, _) = head(&mut stream)?;
    ensure!(first.contains(" 101 "), "no websocket: {first}");
    let wish = json!({
        "jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": { "query": "tm.event='NewBlockHeader'" }
    });
    send(stream.get_mut(), 0x1, wish.to_string().as_bytes())?;
    stream.get_mut().set_read_timeout(Some(LOOK_EVERY))?;
    Ok(stream)
}

/// A client's frame: whole, and masked with zeros. RFC 6455, section 5.2.
fn send(stream: &mut TcpStream, kind: u8, content: &[u8]) -> Result<()> {
    let length = u8::try_from(content.len()).ok().filter(|length| *length < 126).context("a long message")?;
    stream.write_all(&[0x80 | kind, 0x80 | length, 0, 0, 0, 0])?;
    Ok(stream.write_all(content)?)
}

fn listen(mut stream: BufReader<TcpStream>, stop: &AtomicBool) -> Result<Vec<u64>> {
    let mut heights = Vec::new();
    while let Some((kind, content)) = receive(&mut stream, stop)? {
        match kind {
            0x1 => {
                let event: Value = serde_json::from_slice(&content)?;
                let height = &event["result"]["data"]["value"]["header"]["height"];
                if !height.is_null() {
                    heights.push(number(height)?);
                }
            }
            0x8 => bail!("closed by the node"),
            0x9 => send(stream.get_mut(), 0xa, &content)?,
            _ => {}
        }
    }
    Ok(heights)
}

/// The next frame; none when the watch ends.
fn receive(stream: &mut BufReader<TcpStream>, stop: &AtomicBool) -> Result<Option<(u8, Vec<u8>)>> {
    loop {
        match stream.fill_buf() {
            Ok([]) => bail!("closed by the node"),
            Ok(_) => break,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if stop.load(Ordering::SeqCst) {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    // The rest of a frame follows at once.
    stream.get_mut().set_read_timeout(Some(ANSWER_TIME_MAX))?;
    let mut two = [0; 2];
    stream.read_exact(&mut two)?;
    let [first, second] = two;
    let length = match second & 0x7f {
        126 => {
            let mut bytes = [0; 2];
            stream.read_exact(&mut bytes)?;
            u64::from(u16::from_be_bytes(bytes))
        }
        127 => {
            let mut bytes = [0; 8];
            stream.read_exact(&mut bytes)?;
            u64::from_be_bytes(bytes)
        }
        short => u64::from(short),
    };
    ensure!(length <= MESSAGE_BYTES_MAX, "a message of {length} bytes");
    let mut content = vec![0; usize::try_from(length)?];
    stream.read_exact(&mut content)?;
    stream.get_mut().set_read_timeout(Some(LOOK_EVERY))?;
    Ok(Some((first & 0xf, content)))
}
