//! The half that reads committed state. Any thread may use it.

use std::sync::Arc;

use swing_core::{block::TxResult, error::Halt, execute, query::QueryError, sdk_error::SdkError};
use swing_store::View;
use tendermint_proto::v0_38::abci as pb;

use super::{
    committed::Committed,
    convert,
    query::{self, ServiceError},
    shared::Shared,
    snapshots,
};
use crate::{
    abci::ReadApplication,
    lifecycle::{Refusal, StopReason},
};

/// The application's name in Info.
const NAME: &str = "swingd";

/// The half that reads committed state. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ReadApp {
    shared: Arc<Shared>,
}

impl ReadApp {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        ReadApp { shared }
    }

    /// The committed version of this moment.
    pub fn committed(&self) -> Arc<Committed> {
        self.shared.committed()
    }

    /// The running release's name.
    pub fn release(&self) -> &str {
        self.shared.options.release.name()
    }

    /// A committed version to read: the newest for 0.
    ///
    /// # Errors
    /// Why there is none.
    pub fn view(&self, height: u64) -> Result<View, String> {
        query::view(&self.shared, height)
    }

    /// A gRPC method of a module, or the simulation of a transaction: the encoded request to the encoded response and the height
    /// that it is about. 0 asks for the newest.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn service(&self, path: &str, request: &[u8], height: u64) -> Result<(Vec<u8>, u64), ServiceError> {
        let view = query::view(&self.shared, height).map_err(QueryError::invalid)?;
        Ok((query::service(&view, path, request)?, view.version()))
    }

    /// The oldest committed version that is kept.
    pub fn oldest(&self) -> u64 {
        self.shared.store.oldest()
    }

    /// Why this release may not execute the block after the committed one, if it may not.
    ///
    /// # Errors
    /// A local fault.
    pub fn refusal(&self) -> Result<Option<Refusal>, Halt> {
        self.shared.refusal(&self.shared.committed())
    }

    /// What a transaction would do on committed state. Nothing is kept.
    ///
    /// # Errors
    /// A local fault.
    pub fn simulate(&self, tx: &[u8]) -> Result<TxResult, Halt> {
        let committed = self.shared.committed();
        let overlay = committed.overlay();
        execute::simulate(&overlay, tx)
    }

    fn check(&self, request: &pb::RequestCheckTx) -> Result<pb::ResponseCheckTx, Halt> {
        if !self.shared.committed().has_chain() {
            let reason = SdkError::InvalidRequest.wrap("the chain has no genesis yet: wait for InitChain");
            return Ok(pb::ResponseCheckTx {
                code: reason.code,
                codespace: reason.codespace.to_owned(),
                log: reason.log,
                ..pb::ResponseCheckTx::default()
            });
        }
        let mode = convert::check_mode(request.r#type)?;
        let Shared { options, signatures, .. } = &*self.shared;
        let result =
            self.shared.with_mempool(|mempool| mempool.check(&request.tx, mode, &options.gas_prices, signatures))?;
        Ok(convert::check_result(result))
    }
}

impl ReadApplication for ReadApp {
    fn info(&self, _request: pb::RequestInfo) -> Result<pb::ResponseInfo, StopReason> {
        let committed = self.shared.committed();
        Ok(pb::ResponseInfo {
            data: NAME.to_owned(),
            version: self.release().to_owned(),
            // Before the first commit there is no committed version, whatever InitChain said. After it the engine holds this against
            // the header of the next block, when it has restored a snapshot.
            app_version: if committed.height == 0 { 0 } else { committed.header_app_version },
            last_block_height: convert::to_height(committed.height)?,
            last_block_app_hash: if committed.height == 0 { Vec::new() } else { committed.app_hash.clone() }.into(),
        })
    }

    fn query(&self, request: pb::RequestQuery) -> Result<pb::ResponseQuery, StopReason> {
        Ok(query::answer(&self.shared, &request)?)
    }

    fn check_tx(&self, request: pb::RequestCheckTx) -> Result<pb::ResponseCheckTx, StopReason> {
        Ok(self.check(&request)?)
    }

    fn foresee(&self, tx: &bytes::Bytes) {
        self.shared.foresee(tx);
    }

    fn list_snapshots(&self) -> Result<pb::ResponseListSnapshots, StopReason> {
        Ok(snapshots::list(self.shared.snapshots.snapshots()))
    }

    fn load_snapshot_chunk(
        &self,
        request: pb::RequestLoadSnapshotChunk,
    ) -> Result<pb::ResponseLoadSnapshotChunk, StopReason> {
        Ok(snapshots::load(self.shared.snapshots.snapshots(), &request))
    }
}
