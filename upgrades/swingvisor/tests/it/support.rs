//! A home with toy nodes, and swingvisor as a process on it.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use swingvisor::clock::Moment;

/// How long anything is waited for: far above what it takes.
pub const SOON: Duration = Duration::from_secs(60);

/// The toy node, which cargo builds as an example beside this test.
pub fn toy() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a running test has a path");
    folder.pop();
    folder.pop();
    folder.join("examples/toy-node")
}

/// A home.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// One whose state is at height 3, with version-1 in genesis/bin.
    pub fn new() -> Self {
        let home = Home { folder: tempfile::tempdir().expect("a temporary folder") };
        home.set_state(&json!({}));
        home.put("genesis", "--release 1");
        home
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    /// Writes the state: height 3, rules of version-1, no plan, ends at height 12, and what `changes` says.
    pub fn set_state(&self, changes: &Value) {
        let mut state = json!({ "committed_height": 3, "app_version": 1, "plan": null, "until": 12, "block_ms": 2 });
        for (name, value) in changes.as_object().expect("an object") {
            state[name] = value.clone();
        }
        let database = self.at("data/application.db");
        fs::create_dir_all(&database).expect("a folder");
        fs::write(database.join("state.json"), state.to_string()).expect("written");
        // What a RocksDB table stands for: a file that nobody changes.
        fs::write(database.join("000001.sst"), "a table").expect("written");
    }

    /// The state now.
    pub fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(self.at("data/application.db/state.json")).expect("the state")).expect("JSON")
    }

    /// Puts a node into a slot.
    pub fn put(&self, slot: &str, flags: &str) -> PathBuf {
        let path = self.at("cosmovisor").join(slot).join("bin/toyd");
        write_node(&path, flags);
        path
    }

    /// Where the link leads.
    pub fn current(&self) -> PathBuf {
        fs::read_link(self.at("cosmovisor/current")).expect("the link")
    }

    /// What the nodes did.
    pub fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.at("toy.log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The journal; null before there is one.
    pub fn journal(&self) -> Value {
        let text = fs::read(self.at("cosmovisor/swingvisor/journal.json")).unwrap_or_else(|_| b"null".to_vec());
        serde_json::from_slice(&text).expect("JSON")
    }

    /// The command with this home's environment and short rests.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swingvisor"));
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.variables());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The environment of this home.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DAEMON_HOME", self.path().display().to_string()),
            ("DAEMON_NAME", "toyd".to_owned()),
            ("DAEMON_POLL_INTERVAL", "20ms".to_owned()),
            ("SWINGVISOR_BACKOFF_MIN", "10ms".to_owned()),
            ("SWINGVISOR_BACKOFF_MAX", "50ms".to_owned()),
        ]
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        finish(command.spawn().expect("swingvisor runs"))
    }

    /// Supervises until swingvisor ends; its exit code and what it said.
    pub fn supervise(&self, variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let output = self.run(&["run", "start"], variables);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts supervising; the caller ends it.
    pub fn start(&self, variables: &[(&str, &str)]) -> Running {
        self.start_with(&["run", "start"], variables)
    }

    /// Starts supervising with these arguments; the caller ends it.
    pub fn start_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Running {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied()).stdout(Stdio::null());
        let errors = fs::File::create(self.at("swingvisor.log")).expect("a log");
        command.stderr(errors);
        Running(command.spawn().expect("swingvisor runs"))
    }

    /// What a started swingvisor has said.
    pub fn said(&self) -> String {
        fs::read_to_string(self.at("swingvisor.log")).unwrap_or_default()
    }

    /// A committed plan for version-2 at this height.
    pub fn plan(height: u64, info: &str) -> Value {
        json!({ "name": "version-2", "height": height, "info": info })
    }

    /// Checks that version-2 took over at height 8 and went on to the end, once.
    #[track_caller]
    pub fn check_upgraded(&self) {
        assert_eq!(self.current(), self.at("cosmovisor/upgrades/version-2"), "{:#?}", self.log());
        let state = self.state();
        assert_eq!((&state["committed_height"], &state["app_version"]), (&json!(12), &json!(2)), "{:#?}", self.log());
        let applied = self.log().iter().filter(|line| line.starts_with("apply")).count();
        assert_eq!(applied, 1, "{:#?}", self.log());
        assert_eq!(self.journal()["upgrade"], Value::Null);
    }
}

/// What `swingvisor status` says.
#[track_caller]
pub fn status(home: &Home, variables: &[(&str, &str)]) -> Value {
    let output = home.run(&["status", "-o", "json"], variables);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Copies a program; gives the copy.
pub fn copy(from: &Path, to: &Path) -> PathBuf {
    fs::copy(from, to).expect("copied");
    to.to_owned()
}

/// Writes a script that runs the toy node with these flags.
pub fn write_node(path: &Path, flags: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let script = format!("#!/bin/sh\nexec {} {flags} \"$@\"\n", toy().display());
    let made = path.with_extension("new");
    fs::write(&made, script).expect("written");
    fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).expect("executable");
    fs::rename(&made, path).expect("in place");
}

/// A started swingvisor, killed when dropped.
pub struct Running(pub Child);

impl Running {
    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.0.id().try_into().expect("an ID")).expect("an ID");
        rustix::process::kill_process(pid, signal).expect("it runs");
    }

    /// Waits for its end; its exit code.
    pub fn wait(mut self) -> Option<i32> {
        until("swingvisor to end", || self.0.try_wait().expect("a status")).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for a child's end with a deadline, reading what it says.
fn finish(child: Child) -> Output {
    let pid = rustix::process::Pid::from_raw(child.id().try_into().expect("an ID")).expect("an ID");
    let (done, ended) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || done.send(child.wait_with_output()));
    let output = ended.recv_timeout(SOON).unwrap_or_else(|_| {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        ended.recv().expect("it was killed")
    });
    reader.join().expect("the reader ends").expect("the receiver lives");
    output.expect("output")
}

/// A loopback address that nobody listens at.
pub fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|held| held.local_addr()).expect("a port").to_string()
}

/// One request to a status page; the answer's head and body.
pub fn get(address: &str, request: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

/// A status page.
#[track_caller]
pub fn page(address: &str, path: &str) -> String {
    get(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).expect("a page").1
}

/// Takes posts of a webhook until one is of this event, and gives that.
#[track_caller]
pub fn posted(listener: &TcpListener, wanted: &str) -> Value {
    loop {
        let event = next_post(listener);
        if event["event"] == wanted {
            return event;
        }
    }
}

/// The next event that a webhook posts.
#[track_caller]
pub fn next_post(listener: &TcpListener) -> Value {
    listener.set_nonblocking(true).expect("a mode");
    let mut stream = until("a post", || listener.accept().ok()).0;
    stream.set_nonblocking(false).expect("a mode");
    let mut request = String::new();
    let mut buffer = [0_u8; 4096];
    loop {
        let read = stream.read(&mut buffer).expect("a request");
        request.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let body = request.split_once("\r\n\r\n").map(|(_, body)| body);
        if let Some(event) = body.and_then(|body| serde_json::from_str::<Value>(body).ok()) {
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").expect("answered");
            return event;
        }
        assert!(read > 0, "a torn request: {request}");
    }
}

/// Looks until there is something.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Moment::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < SOON, "gave up waiting for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
