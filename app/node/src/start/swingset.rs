//! The contract engine of a running node: its runtime, its settings, and who looks on.

use std::sync::Arc;

use swingset_host::{ControllerOptions, EngineRuntime, engine::CodeCache, transcript::TranscriptRecorder};

use crate::{
    config::{Home, SwingsetConfig},
    engine_adapter::{SwingsetEngine, slog::Slog},
    lifecycle::Halt,
};

/// The folder of compiled code in the data folder; local to the machine, never copied.
pub(crate) const CODE_CACHE_FOLDER: &str = "code-cache";

/// What an engine is made with.
#[derive(Debug)]
pub(super) struct SwingsetSetup {
    runtime: Arc<EngineRuntime>,
    options: ControllerOptions,
    slog: bool,
    transcripts: Option<TranscriptRecorder>,
}

impl SwingsetSetup {
    /// By the home's settings, with a runtime that was loaded ahead, if one was.
    ///
    /// # Errors
    /// This machine cannot run the engine.
    pub(super) fn new(home: &Home, config: &SwingsetConfig, loaded: Option<Arc<EngineRuntime>>) -> Result<Self, Halt> {
        let recorder = |bytes| TranscriptRecorder::new(usize::try_from(bytes).unwrap_or(usize::MAX));
        Ok(SwingsetSetup {
            runtime: loaded.map_or_else(|| runtime(home), Ok)?,
            options: ControllerOptions { live_vats_max: config.max_vats_online, ..ControllerOptions::default() },
            slog: config.slogfile.is_some(),
            transcripts: Some(config.transcript_bytes_max).filter(|bytes| *bytes > 0).map(recorder),
        })
    }

    /// What the engine will run on.
    pub(super) fn runtime(&self) -> Arc<EngineRuntime> {
        Arc::clone(&self.runtime)
    }

    /// What collects transcripts, where they are kept.
    pub(super) fn transcripts(&self) -> Option<TranscriptRecorder> {
        self.transcripts.clone()
    }

    /// What makes the engine, on the thread that will own it.
    pub(super) fn prepare(self) -> impl FnOnce() -> SwingsetEngine + Send + 'static {
        move || {
            let mut engine = SwingsetEngine::with_runtime(self.runtime, self.options);
            if self.slog {
                engine = engine.watched(Box::new(Slog::default()));
            }
            if let Some(recorder) = self.transcripts {
                engine = engine.watched(Box::new(recorder));
            }
            engine
        }
    }
}

/// The engine's runtime, with compiled code kept on disk where that can be had.
///
/// # Errors
/// This machine cannot run the engine.
pub(crate) fn runtime(home: &Home) -> Result<Arc<EngineRuntime>, Halt> {
    let cache = CodeCache::open(home.data_folder().join(CODE_CACHE_FOLDER));
    let cache = cache.map_err(|error| tracing::warn!(%error, "compiled code is kept in memory only")).ok();
    EngineRuntime::with_cache(cache).map_err(|halt| Halt::new(halt.0))
}
