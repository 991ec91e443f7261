//! The wiring, and the way out.

use std::{sync::Arc, time::Duration};

use swing_core::ports::upgrade::Release;

use super::{
    EngineKind, StartArgs, clients, cometbft, linger, logging, options, signals, solo,
    standby::{self, StandbyError},
    swingset::{SwingsetSetup, runtime},
};
use crate::{
    abci::{Address, Server, ServerConfig, spawn_owner},
    api::Clients,
    app::{AppOptions, OpenError, OpenedApp},
    comet::HomeLock,
    config::{Home, SwingsetConfig, cometbft::CometConfig, swingset::SLOGFILE_VARIABLE},
    control,
    divergence::DivergenceWatch,
    killpoints::{Killpoint, Killpoints},
    lifecycle::{ExitCode, Halt, Lifecycle, Refusal, StopReason, StopSwitch, Supervised, end_process, refuse},
    listening,
    signing::{self, SigningError, SigningWatch},
};

/// How long a clean stop may take before the rest is cut off.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);

/// How long replies that are due may take when the process ends for another reason.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(2);

/// Longest path of a unix socket that every system takes, bytes.
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// Runs the node until something ends it, and the process with it: also where it did not come to run, threads that were begun may
/// still use the database.
pub fn run(home: &Home, arguments: &StartArgs, release: &'static dyn Release, killpoints: Arc<dyn Killpoints>) -> ! {
    listening::adopt();
    let swingset = SwingsetConfig::load(home, std::env::var_os(SLOGFILE_VARIABLE));
    let slogfile = swingset.as_ref().ok().and_then(|swingset| swingset.slogfile.as_deref());
    let ended = logging::init(arguments.log_format, &arguments.log_level, slogfile)
        .map_err(Ended::Config)
        .and_then(|()| swingset.map_err(config))
        .and_then(|swingset| start(home, arguments, &swingset, release, Arc::clone(&killpoints)));
    let code = match ended {
        Ok(running) => {
            let reason = running.switch.wait();
            running.end(&reason, home, &*killpoints);
            report(&reason)
        }
        Err(Ended::Refused(refusal)) => {
            stop_for_upgrade(&refusal, home, &*killpoints);
            refusal.exit_code()
        }
        Err(Ended::Config(reason)) => {
            tracing::error!("{reason}");
            ExitCode::Failed
        }
        Err(Ended::Halt(halt)) => {
            tracing::error!("{halt}");
            ExitCode::Halt
        }
        Err(Ended::Dismissed) => ExitCode::Ok,
    };
    if code == ExitCode::UpgradeNeeded {
        linger::for_a_poll();
    }
    tracing::info!("swingd ended with exit code {}", code.code());
    end_process(code)
}

/// Why the node did not come to run.
enum Ended {
    /// Arguments, files, addresses, another process on this home.
    Config(String),
    /// The upgrade decision.
    Refused(Refusal),
    /// A local fault.
    Halt(Halt),
    /// It stood by, and was not needed.
    Dismissed,
}

impl From<StandbyError> for Ended {
    fn from(error: StandbyError) -> Self {
        match error {
            StandbyError::Dismissed => Ended::Dismissed,
            StandbyError::Halt(halt) => Ended::Halt(halt),
            StandbyError::Io(_) => Ended::Config(error.to_string()),
        }
    }
}

impl From<OpenError> for Ended {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Ended::Config(error.to_string()),
            OpenError::Refused(refusal) => Ended::Refused(refusal),
            OpenError::Halt(halt) => Ended::Halt(halt),
        }
    }
}

fn config(error: impl std::fmt::Display) -> Ended {
    Ended::Config(error.to_string())
}

fn system(error: std::io::Error) -> Ended {
    Ended::Halt(Halt::new(error.to_string()))
}

/// A running node.
struct Running {
    switch: Arc<StopSwitch>,
    engine: RunningEngine,
    clients: Option<Clients>,
}

/// What makes the blocks, and how it reaches the application.
enum RunningEngine {
    /// Over ABCI, by a child or by a CometBFT of the operator's.
    Abci { server: Server, comet: Option<cometbft::RunningComet>, watches: Watches },
    /// In this process.
    Solo(solo::RunningSolo),
}

/// Who looks at what CometBFT leaves on disk.
struct Watches {
    signing: Option<SigningWatch>,
    divergence: DivergenceWatch,
}

fn start(
    home: &Home,
    arguments: &StartArgs,
    swingset: &SwingsetConfig,
    release: &'static dyn Release,
    killpoints: Arc<dyn Killpoints>,
) -> Result<Running, Ended> {
    tracing::info!(release = release.name(), app_version = release.app_version(), home = %home.root().display(), "swingd starts");
    let loaded = standby::stand_by(home, release, runtime)?;
    let mut app_options = AppOptions { killpoints, ..options::app_options(home, arguments, release).map_err(config)? };
    let (served, told) = (options::clients(home, arguments).map_err(config)?, options::told(&app_options));
    // All settings are read: only now is something made, the folder of compiled code.
    let setup = SwingsetSetup::new(home, swingset, loaded).map_err(Ended::Halt)?;
    app_options.store.transcript_bytes_max = swingset.transcript_bytes_max;
    app_options.transcripts = setup.transcripts();
    app_options.runtime = Some(setup.runtime());
    let opened = OpenedApp::open(app_options)?;
    let committed = opened.read().committed();
    tracing::info!(height = committed.height, app_version = committed.app_version, "committed state");
    let switch = StopSwitch::new();
    let lifecycle: Arc<dyn Lifecycle> = match Supervised::from_environment(&switch).map_err(config)? {
        Some(supervised) => Arc::new(supervised),
        None => switch.clone(),
    };
    signals::watch(Arc::clone(&lifecycle)).map_err(system)?;
    listen_for_commands(home, &opened);
    let comet = (arguments.engine != EngineKind::Solo).then_some(home);
    let waiting = clients::Waiting::open(served, told, opened.read(), comet).map_err(config)?;
    let (engine, own) = match arguments.engine {
        EngineKind::Solo => {
            let make = setup.prepare();
            let (solo, own) = solo::start(opened, move || Box::new(make()) as _, home, &switch).map_err(config)?;
            (RunningEngine::Solo(solo), own)
        }
        EngineKind::Cometbft | EngineKind::External => (serve_abci(opened, home, arguments, setup, &lifecycle)?, None),
    };
    let clients = waiting.serve(own, &lifecycle).map_err(config)?;
    Ok(Running { switch, engine, clients })
}

/// Serves ABCI to an engine in another process, and starts that where it is the node's child.
fn serve_abci(
    opened: OpenedApp,
    home: &Home,
    arguments: &StartArgs,
    setup: SwingsetSetup,
    lifecycle: &Arc<dyn Lifecycle>,
) -> Result<RunningEngine, Ended> {
    may_sign(home, arguments)?;
    let address = address(home, arguments)?;
    let comet = match arguments.engine {
        EngineKind::Cometbft => Some(cometbft::find(arguments.cometbft.as_deref()).map_err(config)?),
        EngineKind::External | EngineKind::Solo => None,
    };
    if comet.is_some() {
        // The child takes it for itself; who holds it now is told before anything is opened.
        drop(HomeLock::take(home).map_err(config)?);
    }
    let read = Arc::new(opened.read());
    let make = setup.prepare();
    let build = move || Ok(opened.consensus(Box::new(make())));
    let (consensus, _thread) = spawn_owner(build, Arc::clone(lifecycle)).map_err(system)?;
    let server_config = ServerConfig { frame_bytes_max: arguments.abci_frame_bytes_max, ..ServerConfig::default() };
    let server = Server::start(&address, server_config, Arc::clone(&read) as _, consensus, Arc::clone(lifecycle))
        .map_err(config)?;
    tracing::info!(address = %server.address(), "waiting for the engine");
    let signing = SigningWatch::start(home).map_err(config)?;
    let divergence = DivergenceWatch::start(home.data_folder(), read, Arc::clone(lifecycle)).map_err(system)?;
    let comet = comet
        .map(|binary| cometbft::start(binary, home.clone(), server.address().to_string(), Arc::clone(lifecycle)))
        .transpose()
        .map_err(system)?;
    Ok(RunningEngine::Abci { server, comet, watches: Watches { signing, divergence } })
}

/// A node that cannot listen for commands beside it runs all the same.
fn listen_for_commands(home: &Home, opened: &OpenedApp) {
    if let Err(error) = control::serve(&home.control_socket(), opened.copy_maker()) {
        tracing::warn!(%error, "no upgrade can be rehearsed while this node runs");
    }
}

/// No engine is served whose signing state is below what this home's key has signed, unless the operator says so.
fn may_sign(home: &Home, arguments: &StartArgs) -> Result<(), Ended> {
    match signing::check(home) {
        Err(error @ SigningError::BelowHighWater { .. }) if arguments.unsafe_may_double_sign => {
            tracing::error!("{} IS GIVEN, so this node goes on. {error}", signing::UNSAFE_FLAG);
            Ok(())
        }
        result => result.map_err(config),
    }
}

/// Where the application listens: as asked for; for a child a socket of the home; else where config.toml says that the engine
/// looks for it.
fn address(home: &Home, arguments: &StartArgs) -> Result<Address, Ended> {
    if let Some(address) = &arguments.address {
        return address.parse().map_err(config);
    }
    match arguments.engine {
        EngineKind::External => CometConfig::load(home).map_err(config)?.proxy_app.parse().map_err(config),
        EngineKind::Cometbft | EngineKind::Solo => {
            let path = std::path::absolute(home.abci_socket()).map_err(config)?;
            // Where the home's path is too long for a socket, a port of the loopback does as well.
            if path.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
                return Ok(Address::Tcp("127.0.0.1:0".to_owned()));
            }
            Ok(Address::Unix(path))
        }
    }
}

impl Running {
    fn end(self, reason: &StopReason, home: &Home, killpoints: &dyn Killpoints) {
        if let StopReason::Signal { signal } = reason {
            tracing::info!("{signal}: stopping");
        }
        if let StopReason::Upgrade(refusal) = reason {
            stop_for_upgrade(refusal, home, killpoints);
        }
        if let Some(clients) = &self.clients {
            clients.stop_accepting();
        }
        match self.engine {
            RunningEngine::Solo(solo) => solo.end(),
            RunningEngine::Abci { server, comet, watches } => {
                end_abci(reason, &server, comet);
                if let Some(signing) = watches.signing {
                    signing.end();
                }
                watches.divergence.end();
            }
        }
        clients::end(self.clients, reason);
    }
}

fn end_abci(reason: &StopReason, server: &Server, comet: Option<cometbft::RunningComet>) {
    if matches!(reason, StopReason::Signal { .. }) {
        // The engine first, so that no block is begun that would not be finished.
        if let Some(comet) = comet {
            comet.end();
        }
        if !server.drain(DRAIN_TIME_MAX) {
            tracing::warn!("something was still going on and was cut off; nothing that was committed is lost");
        }
        return;
    }
    server.close(CLOSE_TIME_MAX);
    if let Some(comet) = comet {
        comet.end();
    }
}

/// Says why and leaves the file for a supervisor. The last reply, if there was one, is out already.
fn stop_for_upgrade(refusal: &Refusal, home: &Home, killpoints: &dyn Killpoints) {
    killpoints.reach(Killpoint::BeforeStop, refusal.height);
    killpoints.reach(Killpoint::BeforeInfoFile, refusal.height);
    refuse(refusal, home.files().as_ref(), &home.data_folder());
    killpoints.reach(Killpoint::AfterInfoFile, refusal.height);
}

fn report(reason: &StopReason) -> ExitCode {
    match reason {
        StopReason::Signal { .. } => tracing::info!("stopped"),
        // Its lines are out.
        StopReason::Upgrade(_) => {}
        other => tracing::error!("{other}"),
    }
    reason.exit_code()
}
