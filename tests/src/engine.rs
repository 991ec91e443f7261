//! An engine's side of the ABCI socket, for a node that is driven block by block.

use std::{io::Write as _, time::Duration};

use anyhow::{Context as _, Result, bail};
use swing_node::abci::{Address, FrameReader, Stream, write_frame};
use tendermint_proto::v0_38::abci::{
    Request, RequestCommit, RequestFinalizeBlock, RequestFlush, RequestInfo, Response, ResponseFinalizeBlock,
    ResponseInfo, request, response,
};

/// Longest wait for a reply that must come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Largest reply.
const REPLY_BYTES_MAX: usize = 1 << 28;

/// The consensus connection to a node.
#[derive(Debug)]
pub struct Engine {
    stream: Stream,
    frames: FrameReader<Stream>,
}

impl Engine {
    /// Connects; fails where nobody listens.
    ///
    /// # Errors
    /// The system's.
    pub fn connect(address: &Address) -> Result<Self> {
        let stream = Stream::connect(address)?;
        match &stream {
            Stream::Unix(stream) => stream.set_read_timeout(Some(PATIENCE))?,
            Stream::Tcp(stream) => stream.set_read_timeout(Some(PATIENCE))?,
        }
        let frames = FrameReader::new(stream.try_clone()?, REPLY_BYTES_MAX);
        Ok(Engine { stream, frames })
    }

    fn call(&mut self, value: request::Value) -> Result<response::Value> {
        let mut bytes = Vec::new();
        for value in [value, request::Value::Flush(RequestFlush {})] {
            write_frame(&Request { value: Some(value) }, &mut bytes);
        }
        self.stream.write_all(&bytes)?;
        let answer = self.reply()?;
        match self.reply()? {
            response::Value::Flush(_) => Ok(answer),
            other => bail!("{other:?} in place of the flush"),
        }
    }

    fn reply(&mut self) -> Result<response::Value> {
        let response = self.frames.read::<Response>()?.context("the node closed the connection")?;
        response.value.context("a reply has a value")
    }

    /// ABCI: Info.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn info(&mut self) -> Result<ResponseInfo> {
        match self.call(request::Value::Info(RequestInfo::default()))? {
            response::Value::Info(info) => Ok(info),
            other => bail!("{other:?} in place of Info"),
        }
    }

    /// ABCI: FinalizeBlock.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn finalize(&mut self, request: RequestFinalizeBlock) -> Result<ResponseFinalizeBlock> {
        match self.call(request::Value::FinalizeBlock(request))? {
            response::Value::FinalizeBlock(answer) => Ok(answer),
            other => bail!("{other:?} in place of FinalizeBlock"),
        }
    }

    /// ABCI: Commit.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn commit(&mut self) -> Result<()> {
        match self.call(request::Value::Commit(RequestCommit {}))? {
            response::Value::Commit(_) => Ok(()),
            other => bail!("{other:?} in place of Commit"),
        }
    }
}
