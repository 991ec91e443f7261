//! Longer stories with every delivery and syscall in them, recorded in `stories/`. A change of one is a change of what vats see: record
//! anew on purpose only, with `SWINGD_BLESS=1 cargo test -p swingset-bundles recorded`.
//!
//! A story begins with lines of `#`, and `vats NAME=BUNDLE …`. Each step after it is a line that begins with `- `, and what followed is
//! below it:
//!
//! | step | what is done |
//! |---|---|
//! | `ask TARGET METHOD ARGS [REF …]` | a message is sent and all cranks are run; what became of it is at the end |
//! | `NAME = ask …` | the same, and the result is kept under a name: as a target, and as a reference in arguments |
//! | `NAME = queue TARGET METHOD ARGS [REF …]` | a message is queued, and its result kept |
//! | `drop NAME` | a result is kept no longer |
//! | `upgrade VAT BUNDLE` | a static vat gets other code |
//! | `reap` | all vats are told to bring out their dead |
//! | `at SECONDS` | a block of this time |
//! | `outcome NAME` | what became of a result |

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use swingset_abi::kernel::PromiseState;
use swingset_bundles::{VATS, test_bundle};
use swingset_host::controller::UpgradeOptions;

use crate::{
    trace::{Trace, capdata},
    world::World,
};

/// All stories, so that none gets lost.
const STORIES: [&str; 4] = ["drops", "handoff", "pipeline", "upgrade"];

/// A story that is being told.
struct Story {
    world: World,
    trace: Trace,
    /// Result promises by name.
    kept: BTreeMap<String, String>,
}

impl Story {
    fn of(vats: &str) -> Story {
        let vats: Vec<&str> = vats.split(' ').collect();
        let mut world = World::version_1(&vats);
        let trace = Trace::default();
        world.controller.watch(Box::new(trace.clone()));
        Story { world, trace, kept: BTreeMap::new() }
    }

    /// The object that a kept result is.
    fn object(&mut self, name: &str) -> String {
        let kpid = self.kept.get(name).unwrap_or_else(|| panic!("nothing is kept as {name}")).clone();
        let settled = self.world.controller.kp_resolution(&mut self.world.env, &kpid).expect("a promise has a status");
        settled.and_then(|(_, data)| data.slots.into_iter().next()).unwrap_or_else(|| panic!("{name} is no object"))
    }

    /// The words after `ask` or `queue`; gives the result promise.
    fn queue(&mut self, words: &[&str]) -> String {
        let [target, method, args, references @ ..] = words else { panic!("a message is incomplete: {words:?}") };
        let krefs: Vec<String> = references.iter().map(|name| self.object(name)).collect();
        let krefs: Vec<&str> = krefs.iter().map(String::as_str).collect();
        let target = if self.kept.contains_key(*target) { self.object(target) } else { (*target).to_owned() };
        self.world.queue_with(&target, method, args, &krefs)
    }

    fn outcome(&mut self, kpid: &str) -> String {
        match self.world.controller.kp_status(&mut self.world.env, kpid).expect("a promise has a status") {
            PromiseState::Fulfilled { data } => format!("= {}", capdata(&data)),
            PromiseState::Rejected { data } => format!("! {}", capdata(&data)),
            PromiseState::Unresolved {} => "unresolved".to_owned(),
            PromiseState::Unknown {} => panic!("{kpid} was kept"),
        }
    }

    fn release(&mut self, kpid: &str) {
        self.world.controller.kp_release_interest(&mut self.world.env, kpid).expect("interest is released");
    }

    fn upgrade(&mut self, vat: &str, bundle: &str) -> String {
        let (controller, env) = (&mut self.world.controller, &mut self.world.env);
        let released = VATS.iter().find(|(name, _)| *name == bundle).map(|(_, bytes)| *bytes);
        let bytes = released.or_else(|| test_bundle(bundle)).expect("a bundle of this name");
        let id = controller.validate_and_install_bundle(env, bytes, None).expect("it is installed").id;
        let kpid = controller.upgrade_static_vat(env, vat, &id, UpgradeOptions::default()).expect("it is queued");
        controller.kp_register_interest(env, &kpid).expect("interest is registered");
        kpid
    }

    /// Does a step; gives what is written below it.
    fn step(&mut self, step: &str) -> String {
        let mut words: Vec<&str> = step.split(' ').collect();
        let mut name = None;
        if let [first, "=", ..] = words[..] {
            name = Some(first.to_owned());
            words.drain(..2);
        }
        let mut result = None;
        match &words[..] {
            ["ask", message @ ..] => result = Some(self.queue(message)),
            ["queue", message @ ..] => {
                let kpid = self.queue(message);
                self.kept.insert(name.expect("a queued message's result has a name"), kpid);
                return String::new();
            }
            ["upgrade", vat, bundle] => result = Some(self.upgrade(vat, bundle)),
            ["drop", name] => {
                let kpid = self.kept.remove(*name).unwrap_or_else(|| panic!("nothing is kept as {name}"));
                self.release(&kpid);
            }
            ["reap"] => self.world.controller.reap_all_vats(&mut self.world.env).expect("all are told"),
            ["at", seconds] => self.world.at(seconds.parse().expect("a number of seconds")),
            ["outcome", name] => {
                let kpid = self.kept.get(*name).unwrap_or_else(|| panic!("nothing is kept as {name}")).clone();
                return format!("{}\n", self.outcome(&kpid));
            }
            _ => panic!("no step is written like this: {step}"),
        }
        self.world.run();
        let mut text = self.trace.take();
        if let Some(kpid) = result {
            writeln!(text, "{}", self.outcome(&kpid)).expect("text");
            match name {
                Some(name) => _ = self.kept.insert(name, kpid),
                None => {
                    self.release(&kpid);
                    self.world.run();
                    text.push_str(&self.trace.take());
                }
            }
        }
        text
    }
}

/// Tells a story: its own steps, and what follows them now.
fn told(recorded: &str) -> String {
    let is_step = |line: &&str| ["#", "vats ", "- "].iter().any(|start| line.starts_with(start)) || line.is_empty();
    let mut story = None;
    let mut text = String::new();
    for line in recorded.lines().filter(is_step) {
        text.push_str(line);
        text.push('\n');
        if let Some(vats) = line.strip_prefix("vats ") {
            story = Some(Story::of(vats));
        } else if let Some(step) = line.strip_prefix("- ") {
            text.push_str(&story.as_mut().expect("a story begins with its vats").step(step));
        }
    }
    text
}

#[test]
fn recorded_stories_are_told_again_word_for_word() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|file| file.expect("a file").file_name().to_string_lossy().trim_end_matches(".txt").to_owned())
        .collect();
    names.sort();
    assert_eq!(names, STORIES);
    for name in names {
        let path = folder.join(format!("{name}.txt"));
        let recorded = std::fs::read_to_string(&path).expect("the story is there");
        let now = told(&recorded);
        if std::env::var_os("SWINGD_BLESS").is_some() {
            std::fs::write(&path, &now).expect("the story is written");
            continue;
        }
        let differs = recorded.lines().zip(now.lines()).position(|(then, now)| then != now);
        let at = differs.unwrap_or(recorded.lines().count().min(now.lines().count()));
        let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
        assert!(recorded == now, "{name}, line {}:\nthen {}\nnow  {}", at + 1, line(&recorded), line(&now));
    }
}
