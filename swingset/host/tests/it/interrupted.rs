//! Cranks that are cut off at any of their calls to the state, and made again from what was kept last: no byte of state, no hash and no
//! price tells.

use std::cell::Cell;

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use swingset_abi::kernel::{BridgeAnswer, CrankReport};
use swingset_host::{
    Controller, ControllerOptions, EngineError,
    controller::RunForever,
    env::{Entry, EnvError, EnvMark, Environment, MemoryEnvironment, NetWrites},
};

use crate::{
    eviction::{BLOCKS, begin_block, module, script, world},
    support::{World, runtime},
};

/// A state that answers so many calls, and no more.
pub(crate) struct Failing<'a> {
    env: &'a mut MemoryEnvironment,
    calls: Cell<u64>,
    most: u64,
}

impl<'a> Failing<'a> {
    pub(crate) fn after(env: &'a mut MemoryEnvironment, most: u64) -> Self {
        Failing { env, calls: Cell::new(0), most }
    }

    pub(crate) fn never(env: &'a mut MemoryEnvironment) -> Self {
        Failing::after(env, u64::MAX)
    }

    /// How many were made.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.get()
    }

    fn call(&self) -> Result<(), EnvError> {
        if self.calls.get() == self.most {
            return Err(EnvError("the disk is gone".to_owned()));
        }
        self.calls.set(self.calls.get() + 1);
        Ok(())
    }
}

impl Environment for Failing<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EnvError> {
        self.call().and_then(|()| self.env.get(key))
    }
    fn next_entry(&self, start: &[u8], end: Option<&[u8]>) -> Result<Option<Entry>, EnvError> {
        self.call().and_then(|()| self.env.next_entry(start, end))
    }
    fn set(&mut self, key: &[u8], value: Bytes) -> Result<(), EnvError> {
        self.call().and_then(|()| self.env.set(key, value))
    }
    fn delete(&mut self, key: &[u8]) -> Result<(), EnvError> {
        self.call().and_then(|()| self.env.delete(key))
    }
    fn mark(&mut self) -> EnvMark {
        self.env.mark()
    }
    fn rollback(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        self.call().and_then(|()| self.env.rollback(mark))
    }
    fn release(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        self.call().and_then(|()| self.env.release(mark))
    }
    fn net_writes(&self, mark: EnvMark) -> Result<NetWrites, EnvError> {
        self.call().and_then(|()| self.env.net_writes(mark))
    }
    fn bridge(&mut self, name: &str, body: &[u8]) -> Result<Option<BridgeAnswer>, EnvError> {
        self.call().and_then(|()| self.env.bridge(name, body))
    }
}

/// How the work of an interrupted crank is dropped.
#[derive(Clone, Copy, Debug)]
enum Drop {
    /// The process ends: another one builds the engine on what was committed.
    Rebuild,
    /// The overlay is undone, and the same engine goes on.
    Undo,
}

fn drops() -> impl Strategy<Value = Drop> {
    prop_oneof![Just(Drop::Rebuild), Just(Drop::Undo)]
}

type Work = fn(&mut Controller, &mut dyn Environment) -> Result<Option<CrankReport>, EngineError>;

fn step(controller: &mut Controller, env: &mut dyn Environment) -> Result<Option<CrankReport>, EngineError> {
    controller.step(env)
}

fn run(controller: &mut Controller, env: &mut dyn Environment) -> Result<Option<CrankReport>, EngineError> {
    controller.run(env, &mut RunForever).map(|_| None)
}

/// Does `work` up to one of its calls to the state, the one at this part (of 2^16) of all that it makes, and drops what it did.
fn interrupt(world: &mut World, height: u64, (how, part): (Drop, u16), options: ControllerOptions, work: Work) {
    let rebuilt = |env: &MemoryEnvironment| {
        let mut controller = Controller::build(runtime(), env, options).unwrap();
        controller.begin_block(env, height, 0).unwrap();
        controller
    };
    let committed = world.env.clone();
    // An engine that remembers nothing asks the most of the state.
    let mut trial = committed.clone();
    let mut counted = Failing::never(&mut trial);
    work(&mut rebuilt(&committed), &mut counted).unwrap();
    let calls = (counted.calls() * u64::from(part)) >> 16;
    world.controller = rebuilt(&world.env);
    let mark = world.env.mark();
    let result = work(&mut world.controller, &mut Failing::after(&mut world.env, calls));
    assert!(matches!(result, Err(EngineError::Halt(_))), "call {calls}: {result:?}");
    match how {
        Drop::Rebuild => {
            world.controller = rebuilt(&committed);
            world.env = committed;
        }
        Drop::Undo => {
            world.env.rollback(mark).unwrap();
            world.controller.discard();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn interrupting_cranks_and_blocks_at_any_call_changes_no_byte_of_state_and_no_price(
        scripts in vec(script(), 4),
        interruptions in vec((drops(), any::<u16>()), 1..30),
        // How many cranks go well after each interrupted one.
        well in 0..3usize,
        live_vats_max in 0..4usize,
    ) {
        let code: Vec<Vec<u8>> = scripts.iter().map(|script| module(script)).collect();
        let options = ControllerOptions { live_vats_max, drop_kernel_each_crank: false };
        let (mut steady, mut restless) = (world(&code, ControllerOptions::default()), world(&code, options));
        let mut next = interruptions.into_iter().cycle();
        for height in 2..2 + BLOCKS {
            // The steady world goes first: what it compiled is there for the other, whose calls are thereby the same each time.
            begin_block(&mut steady, height);
            let mut cranks = Vec::new();
            while cranks.last().is_none_or(|(report, _): &(Option<CrankReport>, _)| report.is_some()) {
                cranks.push((steady.controller.step(&mut steady.env).unwrap(), steady.activity()));
            }
            begin_block(&mut restless, height);
            interrupt(&mut restless, height, next.next().unwrap(), options, run);
            for (number, crank) in cranks.into_iter().enumerate() {
                if number % (well + 1) == 0 {
                    interrupt(&mut restless, height, next.next().unwrap(), options, step);
                }
                let report = restless.controller.step(&mut restless.env).unwrap();
                prop_assert_eq!((report, restless.activity()), crank);
            }
            prop_assert!(restless.state() == steady.state(), "block {}", height);
        }
    }
}
