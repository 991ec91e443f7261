//! Cranks, blocks and swaps that are cut off at any of their calls to the state, and made again from what was kept last: no byte of state, no
//! hash and no price tells.

use std::cell::Cell;

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use swingset_abi::kernel::{BridgeAnswer, CrankReport};
use swingset_host::{
    Controller, ControllerOptions, EngineError,
    controller::{BundleSwap, CrankBudget, RunForever},
    env::{Entry, EnvError, EnvMark, Environment, MemoryEnvironment, NetWrites},
};

use crate::{
    eviction::{BLOCKS, begin_block, module, script, world},
    support::{World, id_of, kernel_1, kernel_2, raw_vat, release, released, runtime},
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

/// How interrupted work is lost.
#[derive(Clone, Copy, Debug)]
enum Lost {
    /// The process ends: another one builds the engine on what was committed.
    Process,
    /// The overlay is undone, and the same engine goes on.
    Overlay,
}

fn lost() -> impl Strategy<Value = Lost> {
    prop_oneof![Just(Lost::Process), Just(Lost::Overlay)]
}

type Work<'a> = &'a dyn Fn(&mut Controller, &mut dyn Environment) -> Result<(), EngineError>;

/// An engine of another process in the same block.
fn another(env: &MemoryEnvironment, height: u64, options: ControllerOptions) -> Controller {
    let mut controller = Controller::build(runtime(), env, options).unwrap();
    controller.begin_block(env, height, 0).unwrap();
    controller
}

/// How often work asks the state of something, by an engine that remembers nothing: it asks the most.
fn calls_of(world: &World, height: u64, options: ControllerOptions, work: Work<'_>) -> u64 {
    let mut trial = world.env.clone();
    let mut counted = Failing::never(&mut trial);
    work(&mut another(&world.env, height, options), &mut counted).unwrap();
    counted.calls()
}

/// Does work up to its first so many calls to the state, and loses what it did.
fn interrupt(world: &mut World, height: u64, options: ControllerOptions, work: Work<'_>, (how, calls): (Lost, u64)) {
    let committed = world.env.clone();
    world.controller = another(&committed, height, options);
    let mark = world.env.mark();
    let result = work(&mut world.controller, &mut Failing::after(&mut world.env, calls));
    assert!(matches!(result, Err(EngineError::Halt(_))), "call {calls}: {result:?}");
    match how {
        Lost::Process => {
            world.controller = another(&committed, height, options);
            world.env = committed;
        }
        Lost::Overlay => {
            world.env.rollback(mark).unwrap();
            world.controller.discard();
        }
    }
}

/// Interrupts work at this part (of 2^16) of its calls.
fn interrupt_at(world: &mut World, height: u64, options: ControllerOptions, work: Work<'_>, (how, part): (Lost, u16)) {
    let calls = (calls_of(world, height, options, work) * u64::from(part)) >> 16;
    interrupt(world, height, options, work, (how, calls));
}

/// Two vats at play, and a kernel of the next schema that is installed.
fn at_play() -> World {
    let code = [("player", released("test/raw-pingpong.wasm"))];
    let vats = [raw_vat("bootstrap=player"), raw_vat("pong=player")];
    let mut world = World::start(&release(kernel_1(), &code), &vats, ControllerOptions::default());
    world.run();
    world.controller.validate_and_install_bundle(&mut world.env, &kernel_2(), None).unwrap();
    world.queue("bootstrap", "serve", "[4]");
    world.controller.run(&mut world.env, &mut CrankBudget::new(5)).unwrap();
    world
}

#[test]
fn a_swap_of_the_kernel_that_is_interrupted_at_any_call_is_made_again_whole() {
    let options = ControllerOptions::default();
    let swap = BundleSwap { kernel: Some(id_of(&kernel_2())), ..BundleSwap::default() };
    let work = |controller: &mut Controller, env: &mut dyn Environment| controller.swap_bundles(env, &swap).map(drop);
    let finish = |world: &mut World| {
        work(&mut world.controller, &mut world.env).unwrap();
        assert_eq!(world.run().stopped, None);
        world.state()
    };
    let undisturbed = finish(&mut at_play());
    let begun = at_play();
    let calls = calls_of(&begun, 1, options, &work);
    assert!(calls > 50, "{calls}");
    for call in 0..calls {
        let how = if call % 2 == 0 { Lost::Process } else { Lost::Overlay };
        let mut world = World { env: begun.env.clone(), controller: another(&begun.env, 1, options) };
        interrupt(&mut world, 1, options, &work, (how, call));
        assert!(finish(&mut world) == undisturbed, "call {call}, {how:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn interrupting_cranks_and_blocks_at_any_call_changes_no_byte_of_state_and_no_price(
        scripts in vec(script(), 4),
        interruptions in vec((lost(), any::<u16>()), 1..30),
        // How many cranks go well after each interrupted one.
        well in 0..3usize,
        live_vats_max in 0..4usize,
    ) {
        let code: Vec<Vec<u8>> = scripts.iter().map(|script| module(script)).collect();
        let options = ControllerOptions { live_vats_max, drop_kernel_each_crank: false };
        let (mut steady, mut restless) = (world(&code, ControllerOptions::default()), world(&code, options));
        let mut next = interruptions.into_iter().cycle();
        let run: Work<'_> = &|controller, env| controller.run(env, &mut RunForever).map(drop);
        let step: Work<'_> = &|controller, env| controller.step(env).map(drop);
        for height in 2..2 + BLOCKS {
            // The steady world goes first: what it compiled is there for the other, whose calls are thereby the same each time.
            begin_block(&mut steady, height);
            let mut cranks = Vec::new();
            while cranks.last().is_none_or(|(report, _): &(Option<CrankReport>, _)| report.is_some()) {
                cranks.push((steady.controller.step(&mut steady.env).unwrap(), steady.activity()));
            }
            begin_block(&mut restless, height);
            interrupt_at(&mut restless, height, options, run, next.next().unwrap());
            for (number, crank) in cranks.into_iter().enumerate() {
                if number % (well + 1) == 0 {
                    interrupt_at(&mut restless, height, options, step, next.next().unwrap());
                }
                let report = restless.controller.step(&mut restless.env).unwrap();
                prop_assert_eq!((report, restless.activity()), crank);
            }
            prop_assert!(restless.state() == steady.state(), "block {}", height);
        }
    }
}
