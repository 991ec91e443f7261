//! The loop: look, decide, perform one step, again.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io,
    sync::Arc,
    time::Duration,
};

use serde_json::json;

use super::{
    Board, Event, Events, Looker,
    arguments::{home_of, planned, prober, runs_a_node, skip_heights_of, value_of},
    fronted::Fronted,
    http,
    local::Local,
    node::{Node, Start},
    standby::Standby,
    troubles::{Situation, troubles},
    webhook::Webhook,
    words::in_words,
};
use crate::{
    clock::Moment,
    command::Told,
    config::{Config, Mode},
    core::{Action, Answer, Child, Facts, Journal, Slot, Status, decide, rest_ms},
    fetch::Planned,
    files::Files,
    front, home,
    probe::{self, Prober, Signature},
    report::Seen,
    sockets::{Sockets, wanted},
};

/// Exit code of a node whose handler failed.
const EXIT_UPGRADE_FAILED: u8 = 43;

/// Supervises one node.
pub struct Supervisor {
    pub(super) config: Config,
    pub(super) files: Arc<dyn Files>,
    arguments: Vec<OsString>,
    pub(super) told: Told,
    pub(super) events: Events,
    pub(super) board: Board,
    pub(super) webhook: Webhook,
    pub(super) prober: Prober,
    planned: Arc<Planned>,
    pub(super) fronted: Option<Fronted>,
    pub(super) sockets: Sockets,
    pub(super) facts: Facts,
    pub(super) journal: Journal,
    /// Hashes of binaries whose handler failed.
    failed: BTreeMap<Slot, String>,
    /// The plan's binary, started before its time.
    pub(super) standby: Option<Standby>,
    /// One that ended while it stood by.
    pub(super) standby_failed: Option<Signature>,
    /// What the node that runs has said with its last commit.
    pub(super) last_words: Option<Status>,
    pub(super) rests: u32,
    /// The height that was committed when swingvisor ended a node.
    pub(super) ended_at: u64,
    said: Option<String>,
    /// Where commands on this machine ask.
    _local: Option<Local>,
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The listening sockets that the node will want.
fn hold(config: &Config, arguments: &[OsString]) -> io::Result<Sockets> {
    if !config.hold_sockets || !runs_a_node(arguments) {
        return Ok(Sockets::default());
    }
    let sockets = Sockets::open(&wanted(&home_of(config, arguments), arguments), config.client_wait_ms)?;
    for (name, address) in sockets.addresses() {
        tracing::info!(name, %address, "clients are kept waiting, not refused, while binaries are replaced");
    }
    Ok(sockets)
}

/// Whether the loop goes on.
enum Flow {
    Go,
    Leave(u8),
}

impl Supervisor {
    /// Supervises a node that is started with `arguments`. The caller holds the home's lock.
    ///
    /// # Errors
    /// The system's, for a thread or a socket.
    pub fn new(
        config: Config,
        files: Arc<dyn Files>,
        arguments: Vec<OsString>,
        events: Events,
        told: Told,
    ) -> io::Result<Self> {
        let mut policy = config.policy.clone();
        policy.skip_heights = skip_heights_of(&arguments);
        let fronted = Fronted::start(&config, &arguments, &told, events.sender())?;
        let board = Board::new(fronted.as_ref().map(Fronted::board));
        board.change(|report| {
            report.swingvisor = env!("CARGO_PKG_VERSION").to_owned();
            report.supervised = true;
            report.mode = if fronted.is_some() { Mode::Front } else { Mode::Restart }.name().to_owned();
        });
        if let Some(address) = config.listen {
            let address = http::serve(address, board.clone())?;
            tracing::info!(%address, "status pages");
        }
        let local = Local::serve(&files, &config.layout.status_socket(), board.clone());
        Ok(Supervisor {
            _local: local.inspect_err(|error| tracing::warn!(%error, "`swingvisor status` cannot ask this one")).ok(),
            webhook: Webhook::start(config.webhook.clone())?,
            prober: prober(&config, &arguments, &told),
            planned: Arc::new(planned(&config, &files)),
            fronted,
            sockets: hold(&config, &arguments)?,
            facts: Facts::new(policy),
            config,
            files,
            arguments,
            told,
            events,
            board,
            journal: Journal::default(),
            failed: BTreeMap::new(),
            standby: None,
            standby_failed: None,
            last_words: None,
            rests: 0,
            ended_at: 0,
            said: None,
        })
    }

    /// The report, as the status pages show it.
    #[must_use]
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Runs until the node ended for good or swingvisor was told to stop; gives the exit code.
    pub fn run(mut self) -> u8 {
        loop {
            if self.told.is_told() && !matches!(self.facts.child, Child::Stopped { .. }) {
                tracing::info!("told to stop while no node runs");
                return 0;
            }
            let flow = self.refresh().and_then(|()| {
                let action = decide(&self.journal, &self.facts);
                self.show(&action);
                self.perform(action)
            });
            match flow {
                Ok(Flow::Go) => {}
                Ok(Flow::Leave(code)) => return code,
                Err(error) => self.rest(&format!("the system refused something: {error}")),
            }
        }
    }

    /// Reads from disk what decisions rest on.
    fn refresh(&mut self) -> io::Result<()> {
        let (files, layout) = (self.files.as_ref(), &self.config.layout);
        self.journal = home::load_journal(files, layout)?;
        self.facts.current = home::current(files, layout)?;
        self.facts.installed = home::installed(files, layout)?;
        self.failed.retain(|slot, hash| probe::sha256(&layout.binary(slot)).is_ok_and(|now| now == *hash));
        self.facts.handler_failed = self.failed.keys().cloned().collect();
        self.facts.not_planned = self.planned.not_planned(&self.journal, &self.facts);
        Ok(())
    }

    fn show(&mut self, action: &Action) {
        let answer = self.facts.current.as_ref().and_then(|slot| self.facts.asked.get(slot));
        // Who has no time to lose is not asked about disks.
        let waits = matches!(action, Action::Rest { .. });
        let troubles = if waits { self.troubles(answer, &self.facts.installed) } else { self.hung() };
        let seen = Seen {
            answer,
            installed: &self.facts.installed,
            current: self.facts.current.as_ref(),
            own: None,
            armed: None,
            problem: self.facts.fetch_failed.as_ref().or(self.facts.not_planned.values().next()).map(String::as_str),
            block_ms: None,
            troubles: &troubles,
        };
        self.board.change(|report| {
            report.see(&seen, &self.facts.policy);
            report.switch = self.journal.upgrade.clone();
            report.last_switch = self.journal.history.last().cloned();
            report.next_action = in_words(action);
        });
    }

    /// What would hinder an upgrade beside its binary.
    pub(super) fn troubles(&self, answer: Option<&Answer>, installed: &BTreeSet<Slot>) -> Vec<String> {
        let situation = Situation { home: &self.prober.home, current: self.facts.current.as_ref(), answer, installed };
        let mut found = self.hung();
        found.extend(troubles(&self.config, self.files.as_ref(), &situation));
        found
    }

    fn perform(&mut self, action: Action) -> io::Result<Flow> {
        match action {
            Action::Link(slot) => {
                self.link(&slot)?;
            }
            Action::Ask(slot) => {
                let answer = self.ask(&slot);
                tracing::debug!(%slot, ?answer, "asked");
                self.facts.asked.insert(slot, answer);
            }
            Action::Fetch(plan, slot) => self.fetch(&plan, &slot)?,
            Action::Begin(upgrade) => self.begin(*upgrade)?,
            Action::Backup => self.backup()?,
            Action::Check => self.check()?,
            Action::Switch => self.switch()?,
            Action::Finish => self.finish()?,
            Action::Abandon { reason } => {
                tracing::warn!(reason, "the switch under way is dropped");
                self.store(&Journal { upgrade: None, ..self.journal.clone() })?;
            }
            Action::Start(slot) => self.start(&slot)?,
            Action::Rest { reason } => self.rest(&reason),
            Action::Leave { code, reason } => {
                tracing::info!(code, reason, "swingvisor ends");
                return Ok(Flow::Leave(code));
            }
        }
        Ok(Flow::Go)
    }

    /// Starts the node and stays with it until its end.
    fn start(&mut self, slot: &Slot) -> io::Result<()> {
        self.last_words = None;
        let mut node = self.start_node(slot)?;
        tracing::info!(%slot, pid = node.id(), "the node is started");
        (self.facts.just_switched, self.said) = (false, None);
        self.board.change(|report| {
            (report.pid, report.starts) = (Some(node.id()), report.starts.saturating_add(1));
            report.next_action = format!("the node in {slot} runs");
        });
        let (planned, events) = (Arc::clone(&self.planned), self.events.sender());
        let mut looker = Looker::start(&self.config, &self.files, planned, &self.facts, slot, &self.arguments, events)?;
        let child = self.stay(&mut node, &mut looker);
        drop(looker);
        let age_ms = node.age_ms();
        drop(node);
        if let Some(fronted) = &self.fronted {
            fronted.node_ended();
        }
        self.board.change(|report| report.pid = None);
        self.facts.child = child?;
        self.facts.asked.clear();
        self.facts.fetch_failed = None;
        self.hear_the_rest();
        self.take_last_words(slot);
        self.after(slot, age_ms)
    }

    /// The node's arguments, with its home.
    pub(super) fn node_arguments(&self) -> Vec<OsString> {
        let mut arguments = self.arguments.clone();
        if value_of(&arguments, "--home").is_none() {
            arguments.extend(["--home".into(), self.config.layout.home().into()]);
        }
        arguments
    }

    fn start_node(&mut self, slot: &Slot) -> io::Result<Node> {
        if let Some(node) = self.standby_goes(slot)? {
            return Ok(node);
        }
        let (binary, arguments) = (self.config.layout.binary(slot), self.node_arguments());
        let Some(fronted) = &self.fronted else { return Node::start(&binary, &arguments, &self.sockets, Start::Alone) };
        let (theirs, ours) = fronted.control()?;
        let node = Node::start(&binary, &fronted.arguments(&arguments), &self.sockets, Start::Connected(theirs))?;
        fronted.node_started(ours);
        Ok(node)
    }

    /// What follows from the node's end, before the next decision.
    fn after(&mut self, slot: &Slot, age_ms: u64) -> io::Result<()> {
        let code = match self.facts.child {
            Child::Ended { code } => code,
            Child::NotStarted | Child::Rested | Child::Stopped { .. } => return Ok(()),
        };
        let lived = age_ms >= self.facts.policy.backoff_max_ms;
        self.facts.crashes = if lived { 1 } else { self.facts.crashes.saturating_add(1) };
        self.rests = 0;
        tracing::info!(code, age_ms, "the node ended");
        self.board.change(|report| report.crashes = report.crashes.saturating_add(1));
        self.webhook.tell(json!({ "event": "node-ended", "slot": slot, "exit_code": code }));
        if code == EXIT_UPGRADE_FAILED {
            self.failed.insert(slot.clone(), probe::sha256(&self.config.layout.binary(slot))?);
        }
        Ok(())
    }

    /// Rests, and forgets what was asked: everything is looked at anew.
    fn rest(&mut self, reason: &str) {
        self.rests = self.rests.saturating_add(1);
        let crashed = matches!(self.facts.child, Child::Ended { .. });
        let ms = if crashed {
            rest_ms(&self.facts.policy, self.facts.crashes)
        } else {
            // Whoever puts a missing binary in place must not wait for long.
            rest_ms(&self.facts.policy, self.rests).min(self.config.poll_interval_ms)
        };
        if self.said.as_deref() != Some(reason) {
            tracing::error!(reason, rest_ms = ms, "looking again after a rest");
            self.webhook.tell(json!({ "event": "waiting", "reason": reason }));
            self.said = Some(reason.to_owned());
        }
        self.wait(ms);
        // Everything is looked at anew.
        self.drop_standby("something was not as it must be");
        if crashed {
            self.facts.child = Child::Rested;
        }
        self.facts.asked.clear();
        self.facts.fetch_failed = None;
    }

    /// Waits, unless told to stop.
    pub(super) fn wait(&self, ms: u64) {
        let began = Moment::now();
        while began.elapsed_ms() < ms && !self.told.is_told() {
            let left = Duration::from_millis(ms.saturating_sub(began.elapsed_ms()).min(100));
            // Looks of a node that has ended, and the ends of helpers, mean nothing here; a signal has set `told`, and what else the
            // front tells of a dead node is known.
            if let Some(Event::Front(front::Event::Late(parked_ms))) = self.events.next(left) {
                self.tell_late(parked_ms);
            }
        }
    }
}
