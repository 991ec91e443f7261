//! An engine's side of the ABCI socket.

use std::{io::Write, time::Duration};

use swing_node::abci::{Address, FrameError, FrameReader, Stream, write_frame};
use tendermint_proto::v0_38::abci::{
    Request, RequestCheckTx, RequestCommit, RequestEcho, RequestFinalizeBlock, RequestFlush, RequestQuery, Response,
    request, response,
};

/// Longest wait for a reply that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
pub struct Client {
    stream: Stream,
    frames: FrameReader<Stream>,
}

impl Client {
    pub fn connect(address: &Address) -> Self {
        let stream = Stream::connect(address).expect("the server listens");
        match &stream {
            Stream::Unix(stream) => stream.set_read_timeout(Some(PATIENCE)).expect("a timeout"),
            Stream::Tcp(stream) => stream.set_read_timeout(Some(PATIENCE)).expect("a timeout"),
        }
        let frames = FrameReader::new(stream.try_clone().expect("a second handle"), 1 << 30);
        Client { stream, frames }
    }

    pub fn send(&mut self, values: impl IntoIterator<Item = request::Value>) {
        let mut bytes = Vec::new();
        for value in values {
            write_frame(&Request { value: Some(value) }, &mut bytes);
        }
        self.send_bytes(&bytes);
    }

    /// Sends bytes; that the server has closed already shows when reading.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The next reply, or none when the server closed the connection.
    pub fn reply(&mut self) -> Option<response::Value> {
        let read = self.frames.read::<Response>();
        if matches!(&read, Err(FrameError::Io(error)) if error.kind() == std::io::ErrorKind::ConnectionReset) {
            return None;
        }
        let response = read.expect("a reply or the end of the connection");
        response.map(|response| response.value.expect("a reply has a value"))
    }

    #[track_caller]
    pub fn call(&mut self, value: request::Value) -> response::Value {
        self.send([value, flush()]);
        let reply = self.reply().expect("a reply");
        assert!(matches!(self.reply(), Some(response::Value::Flush(_))));
        reply
    }

    pub fn close(self) {
        self.stream.close();
    }
}

pub fn flush() -> request::Value {
    request::Value::Flush(RequestFlush {})
}

pub fn echo(message: &str) -> request::Value {
    request::Value::Echo(RequestEcho { message: message.to_owned() })
}

pub fn check_tx(tx: &[u8]) -> request::Value {
    request::Value::CheckTx(RequestCheckTx { tx: tx.to_vec().into(), r#type: 0 })
}

pub fn query(path: &str) -> request::Value {
    request::Value::Query(RequestQuery { path: path.to_owned(), ..RequestQuery::default() })
}

pub fn finalize(height: i64) -> request::Value {
    request::Value::FinalizeBlock(RequestFinalizeBlock { height, ..RequestFinalizeBlock::default() })
}

pub fn commit() -> request::Value {
    request::Value::Commit(RequestCommit {})
}
