//! The command line, as an operator runs it: the real binary on real homes.

mod bundles;
mod genesis;
mod init;
mod keys;
mod offline_tx;
mod recorded_node;
mod usage;

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Words of test keys that other wallets derive the same addresses from.
pub const ALICE_WORDS: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
pub const BOB_WORDS: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
pub const ALICE: &str = "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd";
pub const BOB: &str = "swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe";

/// A home directory and the binary on it.
pub struct Cli {
    folder: tempfile::TempDir,
}

impl Cli {
    pub fn new() -> Self {
        Cli { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A home after `init` for chain `vectors-1`, with the keys alice and bob.
    pub fn with_chain_and_keys() -> Self {
        let cli = Cli::new();
        cli.ok(&["init", "v", "--chain-id", "vectors-1"]);
        for (name, words) in [("alice", ALICE_WORDS), ("bob", BOB_WORDS)] {
            let output = cli.run_with_input(&["keys", "add", name, "--recover"], &format!("{words}\n"));
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
        cli
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn read_json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).expect("the folder can be written");
        self.path(name).display().to_string()
    }

    /// Edits the genesis file as an operator with a text editor would.
    pub fn edit_genesis(&self, edit: impl FnOnce(&mut Value)) {
        let mut genesis = self.read_json("config/genesis.json");
        edit(&mut genesis);
        self.write("config/genesis.json", &genesis.to_string());
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swingd"));
        command.args(arguments).env_remove("SWINGD_HOME").arg("--home").arg(self.folder.path());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().expect("the binary can be run")
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary can be run");
        // A command that needs no input may end before it has read it.
        let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
        child.wait_with_output().expect("it ends")
    }

    /// Runs a command that succeeds; gives what it printed.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "swingd {}: {}", arguments.join(" "), text(&output.stderr));
        text(&output.stdout)
    }

    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.ok(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&printed)
            .unwrap_or_else(|error| panic!("swingd {}: {error}: {printed}", arguments.join(" ")))
    }

    /// Runs a command that fails with this code; gives its error line.
    #[track_caller]
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "swingd {}: {error}", arguments.join(" "));
        assert_eq!(text(&output.stdout), "", "a failure prints no answer");
        let line = error.lines().find_map(|line| line.strip_prefix("Error: "));
        line.unwrap_or_else(|| panic!("no error line in {error:?}")).to_owned()
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
