//! One validator: a home, its ports and, while it runs, its processes.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::{
    binaries::Binaries,
    process::Process,
    rpc::Rpc,
    swingd::{Swingd, text},
};

/// What makes the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded development engine.
    Solo,
    /// A CometBFT that the node starts and watches.
    CometChild,
    /// A CometBFT that this tool starts beside the node.
    CometExternal,
}

/// A validator's loopback ports.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// CometBFT's RPC.
    pub rpc: u16,
    /// CometBFT's peer port.
    pub p2p: u16,
    /// The supervisor's status pages.
    pub pages: u16,
    /// REST.
    pub api: u16,
    /// gRPC.
    pub grpc: u16,
}

/// A validator.
#[derive(Debug)]
pub struct Validator {
    /// Its moniker and folder name.
    pub name: String,
    /// Its command line; the program is the one that was started last.
    pub swingd: Swingd,
    /// Its ports.
    pub ports: Ports,
    engine: Engine,
    node: Option<Process>,
    comet: Option<Process>,
}

impl Validator {
    /// A validator that is not started.
    pub fn new(name: String, swingd: Swingd, engine: Engine, ports: Ports) -> Self {
        Validator { name, swingd, ports, engine, node: None, comet: None }
    }

    /// Its RPC.
    pub fn rpc(&self) -> Rpc {
        Rpc::new(self.rpc_url())
    }

    /// Its RPC's URL, as `--node` takes it.
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.rpc)
    }

    /// Its REST's URL.
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.api)
    }

    /// Where node and CometBFT meet. Under the home, whose path must be short enough for a socket.
    pub fn abci_address(&self) -> String {
        format!("unix://{}", self.swingd.home.join("abci.sock").display())
    }

    /// The log of the node's runs.
    pub fn log(&self) -> PathBuf {
        self.swingd.home.join("swingd.log")
    }

    /// Starts the node with this binary.
    ///
    /// # Errors
    /// When it runs already, or cannot be started.
    pub fn start(&mut self, binaries: &Binaries, program: &str, extra: &[&str]) -> Result<()> {
        ensure!(self.running()?.is_none(), "{} runs already", self.name);
        self.swingd.program = binaries.path(program);
        let mut arguments = vec!["start", "--engine", self.engine_name()];
        arguments.extend(extra);
        let mut command = self.swingd.command(&arguments);
        self.node = Some(Process::spawn(format!("{} ({program})", self.name), &mut command, &self.log())?);
        if self.engine == Engine::CometExternal {
            let cometbft = std::env::var_os("COMETBFT").unwrap_or_else(|| "cometbft".into());
            let mut command = Command::new(cometbft);
            command.args(["start", "--home", text(&self.swingd.home)?]);
            let log = self.swingd.home.join("cometbft.log");
            self.comet = Some(Process::spawn(format!("{} (cometbft)", self.name), &mut command, &log)?);
        }
        Ok(())
    }

    /// Starts `command`, which runs the node and the right binary of it, in the node's place.
    ///
    /// # Errors
    /// When the node runs already, or the command cannot be started.
    pub fn start_supervised(&mut self, command: &mut Command) -> Result<()> {
        ensure!(self.running()?.is_none(), "{} runs already", self.name);
        self.node = Some(Process::spawn(format!("{} (supervised)", self.name), command, &self.log())?);
        Ok(())
    }

    /// What makes its blocks, as `start --engine` takes it.
    pub fn engine_name(&self) -> &'static str {
        match self.engine {
            Engine::Solo => "solo",
            Engine::CometChild => "cometbft",
            Engine::CometExternal => "external",
        }
    }

    /// The node's process, if it was started.
    pub fn node(&mut self) -> Option<&mut Process> {
        self.node.as_mut()
    }

    /// The node's process ID, if it runs.
    ///
    /// # Errors
    /// When its status cannot be asked for.
    pub fn running(&mut self) -> Result<Option<u32>> {
        let Some(node) = &mut self.node else { return Ok(None) };
        Ok(if node.ended()?.is_none() { Some(node.id()) } else { None })
    }

    /// Waits for the node to end by itself; gives its exit code and what it printed.
    ///
    /// # Errors
    /// When it was never started, still runs at the deadline, or was ended by a signal.
    pub fn wait_for_exit(&mut self, limit: Duration) -> Result<(i32, String)> {
        let node = self.node.as_mut().context("never started")?;
        let status = node.wait_for_end(limit)?;
        let output = node.output()?;
        if let Some(mut comet) = self.comet.take() {
            // It ends by itself when its connections close; a stopped node must not leave it behind.
            comet.stop(limit)?;
        }
        Ok((status.code().with_context(|| format!("{} was ended by a signal: {status}", self.name))?, output))
    }

    /// Halts its processes where they are, as a machine does that is starved of time; [`Validator::resume`] lets them go on. Only
    /// of use with [`Engine::CometExternal`] and [`Engine::Solo`], whose processes are all known here, and with a supervisor that stands
    /// between node and CometBFT: both wait for it.
    ///
    /// # Errors
    /// When a process has ended.
    pub fn pause(&self) -> Result<()> {
        self.signal_all(Signal::STOP)
    }

    /// Lets halted processes go on.
    ///
    /// # Errors
    /// When a process has ended.
    pub fn resume(&self) -> Result<()> {
        self.signal_all(Signal::CONT)
    }

    fn signal_all(&self, signal: Signal) -> Result<()> {
        for process in [&self.comet, &self.node].into_iter().flatten() {
            process.signal(signal)?;
        }
        Ok(())
    }

    /// Asks the node to stop, and waits.
    ///
    /// # Errors
    /// When it does not stop in time.
    pub fn stop(&mut self, limit: Duration) -> Result<()> {
        for process in [&mut self.comet, &mut self.node].into_iter().flatten() {
            process.stop(limit)?;
        }
        self.comet = None;
        self.node = None;
        Ok(())
    }

    /// Ends the node as a power cut would; a CometBFT of its own ends with it.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn kill(&mut self) -> Result<()> {
        // CometBFT first: it must not see the node go and write down what it makes of that.
        for mut process in [self.comet.take(), self.node.take()].into_iter().flatten() {
            process.kill()?;
        }
        Ok(())
    }
}
