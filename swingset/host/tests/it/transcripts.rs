//! Transcripts, and vats that do what is in them once more.

use swingset_abi::{vat::VatSyscall, wire::Wire};
use swingset_host::{
    ControllerOptions,
    bundle::BundleKind,
    env::{Environment, MemoryEnvironment},
    keys,
    replay::{ReplayError, VatReplay},
    transcript::{BlockTranscript, TranscriptEntry, TranscriptRecorder},
    vat_memory,
};

use crate::{
    scripted::{Do, keep, scripted, send},
    support::{World, id_of, idle_supervisor, kernel_1, pack, raw_vat, release, released, runtime, supervisor, vat},
};

/// A world that records, its blocks' transcripts, and its state after each block.
struct Recorded {
    world: World,
    recorder: TranscriptRecorder,
    blocks: Vec<(u64, BlockTranscript)>,
    states: Vec<MemoryEnvironment>,
}

impl Recorded {
    fn start(mut world: World) -> Self {
        let recorder = TranscriptRecorder::new(1 << 20);
        world.controller.watch(Box::new(recorder.clone()));
        let mut recorded = Recorded { world, recorder, blocks: Vec::new(), states: Vec::new() };
        recorded.end_block(1);
        recorded
    }

    fn supervised() -> Self {
        let code = ["bootstrap", "counter"].map(|name| (name, released(&format!("vats/{name}.wasm"))));
        let mut bundles = release(kernel_1(), &code);
        bundles.vats.extend(release(kernel_1(), &[("pingpong", released("test/pingpong.wasm"))]).vats);
        bundles.supervisor = supervisor();
        let vats = ["bootstrap", "counter", "ping=pingpong", "pong=pingpong"].map(vat);
        let mut recorded = Recorded::start(World::start(&bundles, &vats, ControllerOptions::default()));
        for height in 2..=4 {
            recorded.world.controller.begin_block(&recorded.world.env, height, 0).unwrap();
            recorded.world.queue("counter", "add", &format!("[{height}]"));
            recorded.world.queue("ping", "serve", "[4]");
            recorded.end_block(height);
        }
        recorded
    }

    fn end_block(&mut self, height: u64) {
        self.world.run();
        if let Some(bytes) = self.recorder.take() {
            self.blocks.push((height, BlockTranscript::from_bytes(&bytes).unwrap()));
        }
        self.states.push(self.world.env.clone());
    }

    /// A vat's deliveries from a block on.
    fn span(&self, vat: &str, from: u64) -> Vec<(u64, TranscriptEntry)> {
        let blocks = self.blocks.iter().filter(|(height, _)| *height >= from);
        let all = blocks.flat_map(|(height, block)| block.entries.iter().map(|entry| (*height, entry.clone())));
        all.filter(|(_, entry)| entry.vat == vat).collect()
    }

    /// Replays a span to its end or to its first divergence.
    fn replay<'a>(
        &'a self,
        span: &[(u64, TranscriptEntry)],
        before: Option<&'a MemoryEnvironment>,
        supervisor: Option<&[u8]>,
    ) -> Result<VatReplay<'a>, ReplayError> {
        let before = before.map(|env| env as &dyn Environment);
        let mut replay = VatReplay::new(runtime(), &self.world.env, before, supervisor)?;
        for (height, entry) in span {
            replay.deliver(*height, entry)?;
        }
        Ok(replay)
    }
}

#[test]
fn a_vat_that_is_replayed_from_its_start_comes_to_the_memory_in_state() {
    let recorded = Recorded::supervised();
    for vat in ["v1", "v2", "v3"] {
        let span = recorded.span(vat, 0);
        assert!(span.len() >= 2 && span[0].1.previous_height.is_none(), "{vat}: {}", span.len());
        let mut replay = recorded.replay(&span, None, None).unwrap();
        let report = replay.report().clone();
        assert_eq!(report.divergence, None, "{vat}");
        assert_eq!(report.deliveries, span.len() as u64);
        assert_eq!(report.computrons, report.computrons_recorded);
        let stored = vat_memory(&recorded.world.env, vat).unwrap().unwrap();
        assert_eq!(replay.root().unwrap(), Some(stored.root), "{vat}");
    }
}

#[test]
fn a_span_within_an_incarnation_begins_with_a_held_state_or_says_which_one_is_missing() {
    let recorded = Recorded::supervised();
    let span = recorded.span("v2", 3);
    assert_eq!(span[0].0, 3);
    let mut replay = recorded.replay(&span, Some(&recorded.states[1]), None).unwrap();
    assert_eq!(replay.report().divergence, None);
    let stored = vat_memory(&recorded.world.env, "v2").unwrap().unwrap();
    assert_eq!(replay.root().unwrap(), Some(stored.root));
    assert_eq!(recorded.replay(&span, None, None).unwrap_err(), ReplayError::NoState { height: 2 });
    let other = recorded.replay(&span, Some(&recorded.states[0]), None).unwrap_err();
    assert!(matches!(other, ReplayError::Gap { .. }), "{other}");
    let holed: Vec<_> =
        [recorded.span("v2", 0), span].concat().into_iter().filter(|(height, _)| *height != 2).collect();
    let gap = recorded.replay(&holed[..holed.len() - 1], None, None).unwrap_err();
    assert_eq!(gap, ReplayError::Gap { height: 3, previous: 2 });
}

#[test]
fn the_first_syscall_that_differs_is_reported_and_nothing_is_done_after_it() {
    let recorded = Recorded::supervised();
    let mut span = recorded.span("v3", 0);
    let at = span.iter().rposition(|(_, entry)| !entry.syscalls.is_empty()).unwrap();
    let was = VatSyscall::VatstoreGet { key: "other".to_owned() };
    span[at].1.syscalls[0].syscall = swingset_abi::wire::Blob(was.to_bytes());
    let replay = recorded.replay(&span, None, None).unwrap();
    let divergence = replay.report().divergence.clone().unwrap();
    assert_eq!((divergence.height, divergence.syscall), (span[at].0, Some(0)));
    assert_eq!(divergence.crank_number, span[at].1.crank_number);
    assert!(divergence.expected.contains("other") && !divergence.found.contains("other"), "{divergence}");
    assert_eq!(replay.report().deliveries, at as u64);
}

#[test]
fn another_supervisor_is_held_against_the_record_from_an_incarnations_start_only() {
    let recorded = Recorded::supervised();
    // The same code under another name is another bundle: it costs nothing else and asks for nothing else.
    let renamed = pack(BundleKind::Supervisor {}, "renamed", released("version-1/supervisor.wasm"));
    assert_ne!(id_of(&renamed), id_of(&supervisor()));
    let replay = recorded.replay(&recorded.span("v3", 0), None, Some(&renamed)).unwrap();
    assert_eq!(replay.report().divergence, None);
    assert!(!replay.same_supervisor());
    let broken = idle_supervisor();
    let replay = recorded.replay(&recorded.span("v3", 0), None, Some(&broken)).unwrap();
    let divergence = replay.report().divergence.clone().unwrap();
    assert_eq!(divergence.height, 1, "{divergence}");
    let within = recorded.replay(&recorded.span("v3", 3), Some(&recorded.states[1]), Some(&renamed)).unwrap_err();
    assert_eq!(within, ReplayError::MidIncarnation { height: 3 });
    let none = recorded.replay(&[], None, Some(&kernel_1())).unwrap_err();
    assert!(none.to_string().contains("this is a kernel bundle"), "{none}");
}

#[test]
fn what_was_undone_is_in_no_transcript_and_what_ended_a_vat_is_its_last_entry() {
    let first =
        scripted(&[vec![], vec![keep("k", "1"), send("o+0", "#[]", &[], None)], vec![keep("k", "2"), Do::Trap]]);
    let mut recorded = Recorded::start(World::with_raw_vats(&[raw_vat("once")], &[("once", first)]));
    recorded.world.controller.begin_block(&recorded.world.env, 2, 0).unwrap();
    recorded.world.queue("once", "poke", "[]");
    recorded.end_block(2);
    let span = recorded.span("v1", 0);
    assert_eq!(span.len(), 3);
    let (_, last) = &span[2];
    assert_eq!(last.syscalls.len(), 1);
    assert_ne!(last.outcome.verdict, swingset_abi::vat::DeliveryVerdict::Ok {});
    assert!(last.raw);
    let replay = recorded.replay(&span, None, None).unwrap();
    assert_eq!(replay.report().divergence, None);
    assert_eq!(replay.report().deliveries, 3);
}

#[test]
fn recording_changes_no_byte_of_state_and_a_block_above_the_cap_has_no_transcript() {
    let play = |recorder: Option<TranscriptRecorder>| {
        let bundles = [("player", released("test/raw-pingpong.wasm"))];
        let mut world = World::with_raw_vats(&[raw_vat("bootstrap=player"), raw_vat("pong=player")], &bundles);
        if let Some(recorder) = recorder {
            world.controller.watch(Box::new(recorder));
        }
        world.run();
        world.queue("bootstrap", "serve", "[10]");
        world.run();
        world
    };
    let (whole, small) = (TranscriptRecorder::new(1 << 20), TranscriptRecorder::new(2_000));
    let (plain, first, second) = (play(None), play(Some(whole.clone())), play(Some(small.clone())));
    assert!(plain.state() == first.state() && plain.state() == second.state());
    assert_eq!(small.take(), None);
    let block = BlockTranscript::from_bytes(&whole.take().unwrap()).unwrap();
    assert_eq!(block.entries.iter().filter(|entry| entry.previous_height.is_none()).count(), 2);
    assert_eq!(whole.take(), None, "it begins anew");
    let crank_number: u64 = first.kernel_key(keys::KERNEL_CRANK_NUMBER).unwrap().parse().unwrap();
    assert!(block.entries.windows(2).all(|pair| pair[0].crank_number < pair[1].crank_number));
    assert!(block.entries.last().unwrap().crank_number <= crank_number);
}
