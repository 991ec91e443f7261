//! Announces the named points of the node on standard output and, at one of them, waits to be killed.

use std::io::Write as _;

use swing_node::killpoints::{Killpoint, Killpoints};

/// What a process says last when it waits to be killed.
pub const WAITING: &str = "waiting to be killed";

/// Announces every point as `point NAME HEIGHT`, and waits for ever at one.
#[derive(Debug)]
pub struct Announced {
    wait_at: Option<(Killpoint, u64)>,
}

impl Announced {
    /// Waits at `point@height`, or nowhere.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(wait_at: Option<&str>) -> Result<Self, String> {
        let Some(text) = wait_at else { return Ok(Announced { wait_at: None }) };
        let (name, height) = text.split_once('@').ok_or_else(|| format!("{text:?} is not POINT@HEIGHT"))?;
        let point = Killpoint::of_name(name).ok_or_else(|| format!("there is no point {name:?}"))?;
        let height = height.parse().map_err(|_| format!("{height:?} is no height"))?;
        Ok(Announced { wait_at: Some((point, height)) })
    }
}

impl Killpoints for Announced {
    fn reach(&self, point: Killpoint, height: u64) {
        say(&format!("point {} {height}", point.name()));
        if self.wait_at == Some((point, height)) {
            say(WAITING);
            loop {
                // Ended from outside; a spurious wake-up changes nothing.
                std::thread::park();
            }
        }
    }
}

/// A line on standard output, at once.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the test that started this reads its output");
}

/// The points that a process announced, from what it printed.
pub fn announced_in(output: &str) -> impl Iterator<Item = (Killpoint, u64)> {
    output.lines().filter_map(|line| {
        let (name, height) = line.strip_prefix("point ")?.split_once(' ')?;
        Some((Killpoint::of_name(name)?, height.parse().ok()?))
    })
}
