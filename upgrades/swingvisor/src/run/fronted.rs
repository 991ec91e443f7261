//! The mode `front`: the ABCI front, and CometBFT beside the node.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::mpsc::Sender,
};

use serde_json::json;
use signal_hook::consts::SIGTERM;

use super::{
    Event, Supervisor,
    arguments::{home_of, value_of, without},
    comet::{self, Comet},
    node::Node,
};
use crate::{
    command::Told,
    config::{Config, Mode},
    core::{Child, Slot},
    files::{self, Disk},
    front::{self, Address, Front, FrontConfig},
    toml_text,
};

/// Stands for the exit code of a node that was ended because it, or CometBFT, was of no use: the node's own for the loss of its engine.
const EXIT_NO_USE: u8 = 52;

/// The node's own default.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// What runs beside the node in this mode.
#[derive(Debug)]
pub(super) struct Fronted {
    front: Front,
    node_socket: PathBuf,
    /// The program, where CometBFT is ours to start.
    program: Option<PathBuf>,
    home: PathBuf,
    comet: Option<Comet>,
    grace_ms: u64,
}

impl Fronted {
    /// Starts the front, where the mode and the node's arguments ask for one.
    pub fn start(
        config: &Config,
        arguments: &[OsString],
        told: &Told,
        events: Sender<Event>,
    ) -> io::Result<Option<Self>> {
        let engine = value_of(arguments, "--engine").unwrap_or_else(|| "cometbft".into());
        if config.mode == Mode::Restart || !super::runs_a_node(arguments) {
            return Ok(None);
        }
        if engine == OsStr::new("solo") {
            tracing::warn!("SWINGVISOR_MODE=front has nothing to hold under --engine solo: the node is restarted");
            return Ok(None);
        }
        let home = home_of(config, arguments);
        let ours = engine == OsStr::new("cometbft");
        let program =
            ours.then(|| comet::find(value_of(arguments, "--cometbft").map(PathBuf::from), told)).transpose()?;
        let address = address(config, arguments, &home, ours).map_err(io::Error::other)?;
        let node_socket = config.layout.node_socket();
        Address::unix(&node_socket).map_err(io::Error::other)?;
        files::make_synced_folder(&Disk, &config.layout.own())?;
        let frame_bytes_max = value_of(arguments, "--abci-frame-bytes-max")
            .and_then(|text| text.to_str()?.parse().ok())
            .unwrap_or(FRAME_BYTES_MAX);
        let front_config = FrontConfig {
            address,
            node_socket: node_socket.clone(),
            frame_bytes_max,
            start_ms_max: config.start_timeout_ms,
            parked_ms_max: config.parked_limit_ms,
        };
        let front = Front::start(&front_config, events)
            .map_err(|error| io::Error::new(error.kind(), format!("listening at {}: {error}", front_config.address)))?;
        tracing::info!(address = %front.address(), "CometBFT is kept connected while binaries are replaced");
        let grace_ms = config.shutdown_grace_ms;
        Ok(Some(Fronted { front, node_socket, program, home, comet: None, grace_ms }))
    }

    /// The front, for people.
    pub fn board(&self) -> crate::front::Board {
        self.front.board().clone()
    }

    /// The arguments with which the node serves the front.
    pub fn arguments(&self, arguments: &[OsString]) -> Vec<OsString> {
        let mut arguments = without(arguments, &["--engine", "--address", "--proxy_app", "--cometbft"]);
        let mut address = OsString::from("unix://");
        address.push(&self.node_socket);
        arguments.extend(["--engine".into(), "external".into(), "--address".into(), address]);
        arguments
    }

    /// A pair of sockets for a node that is started now: its end, and ours.
    pub fn control(&self) -> io::Result<(UnixStream, UnixStream)> {
        UnixStream::pair()
    }

    /// The node is started, with the other end of `control`.
    pub fn node_started(&self, control: UnixStream) {
        self.front.node_started(control);
    }

    /// The node's process is gone.
    pub fn node_ended(&self) {
        self.front.node_ended();
    }

    /// A node serves: CometBFT is started, if it is ours and does not run.
    pub fn node_serves(&mut self) -> io::Result<()> {
        let Some(program) = &self.program else { return Ok(()) };
        if let Some(comet) = &mut self.comet
            && comet.ended()?.is_none()
        {
            return Ok(());
        }
        self.comet = None;
        let comet = Comet::start(program, &self.home, &self.front.address().to_string())?;
        tracing::info!(pid = comet.id(), "CometBFT is started");
        self.comet = Some(comet);
        Ok(())
    }

    /// CometBFT's process ID, while it runs as ours.
    pub fn comet_id(&self) -> Option<u32> {
        self.comet.as_ref().map(Comet::id)
    }

    /// Why a running node has nothing to serve any more, if that is so.
    pub fn look(&mut self) -> io::Result<Option<String>> {
        if !self.front.is_alive() {
            return Err(io::Error::other("the ABCI front has ended"));
        }
        let Some(comet) = &mut self.comet else { return Ok(None) };
        let Some(status) = comet.ended()? else { return Ok(None) };
        self.comet = None;
        Ok(Some(format!("CometBFT ended: {status}")))
    }

    /// CometBFT ends, before the node, so that no block is begun that would not be finished.
    pub fn end_comet(&mut self) {
        self.front.ending();
        let Some(mut comet) = self.comet.take() else { return };
        match comet.end(self.grace_ms) {
            Ok(status) => tracing::info!(%status, "CometBFT stopped"),
            Err(error) => tracing::error!(%error, "CometBFT"),
        }
    }
}

impl Drop for Fronted {
    fn drop(&mut self) {
        self.end_comet();
    }
}

impl Supervisor {
    /// What the front told while a node runs; gives why the node must be ended, if it must.
    pub(super) fn hear_front(&mut self, event: front::Event) -> io::Result<Option<String>> {
        let Some(fronted) = &mut self.fronted else { return Ok(None) };
        match event {
            front::Event::Up => fronted.node_serves()?,
            front::Event::TakenOver(swap) => self.webhook.tell(json!({ "event": "taken-over", "swap": swap })),
            front::Event::Unfit(reason) => {
                self.webhook.tell(json!({ "event": "unfit", "reason": reason }));
                return Ok(Some(format!("the new node cannot take over: {reason}; {}", self.repair())));
            }
            front::Event::Dropped(reason) => self.webhook.tell(json!({ "event": "dropped", "reason": reason })),
            front::Event::Late(parked_ms) => self.tell_late(parked_ms),
            front::Event::Parked(_) | front::Event::Proved(_) => {}
        }
        Ok(None)
    }

    /// What an operator can do about a binary that does not take over.
    fn repair(&self) -> String {
        match &self.facts.current {
            Some(Slot::Upgrade(folder)) => format!(
                "it is tried again, or another that is put in its place: swingvisor add-upgrade {folder} FILE --force"
            ),
            _ => "it is tried again, or another that is put in its place".to_owned(),
        }
    }

    /// Looks at what runs beside the node; gives why the node must be ended, if it must.
    pub(super) fn look_at_front(&mut self) -> io::Result<Option<String>> {
        let Some(fronted) = &mut self.fronted else { return Ok(None) };
        let found = fronted.look()?;
        let comet = fronted.comet_id();
        self.board.change(|report| report.comet_pid = comet);
        Ok(found)
    }

    /// CometBFT waits for too long; the front has said so in the log.
    pub(super) fn tell_late(&self, parked_ms: u64) {
        self.webhook.tell(json!({ "event": "parked-for-long", "parked_ms": parked_ms }));
    }

    /// Ends a node that is of no use, so that another one is tried after a rest.
    pub(super) fn end_useless(&mut self, node: &mut Node, reason: &str) -> io::Result<Child> {
        self.note_hung(reason);
        let code = node.end(SIGTERM, self.config.shutdown_grace_ms)?;
        // With 0 the work would seem done.
        Ok(Child::Ended { code: if code == 0 { EXIT_NO_USE } else { code } })
    }

    /// CometBFT ends, if it is ours.
    pub(super) fn end_comet(&mut self) {
        if let Some(fronted) = &mut self.fronted {
            fronted.end_comet();
        }
    }
}

/// Where CometBFT connects.
fn address(config: &Config, arguments: &[OsString], home: &Path, ours: bool) -> Result<Address, String> {
    let named = config.abci.clone().or_else(|| {
        let flag = value_of(arguments, "--address").or_else(|| value_of(arguments, "--proxy_app"));
        flag.map(|text| text.to_string_lossy().into_owned())
    });
    if let Some(text) = named {
        return Address::parse(&text);
    }
    if ours {
        return Address::unix(&config.layout.front_socket());
    }
    let path = home.join("config").join("config.toml");
    let text = toml_text::read(&path).map_err(|error| error.to_string())?;
    toml_text::value(&text, "", "proxy_app")
        .ok_or_else(|| format!("{}: no proxy_app; say where CometBFT connects with SWINGVISOR_ABCI", path.display()))
        .and_then(|text| Address::parse(&text))
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn flags_are_taken_out_with_their_values() {
        let words = |text: &str| text.split(' ').map(Into::into).collect::<Vec<std::ffi::OsString>>();
        let kept = without(
            &words("start --engine cometbft --home /h --address=unix:///a --engines x"),
            &["--engine", "--address"],
        );
        assert_eq!(kept, words("start --home /h --engines x"));
    }
}
