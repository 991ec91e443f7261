//! A migration that takes several blocks, and what waits for it.

use super::*;

/// The block in which `v2` is applied, whose migration takes four slices.
fn under_way() -> (Memory, TestRelease) {
    let mut memory = numbered();
    schedule(&mut memory, 5, "v2", 100);
    let later = MsgSchedulePlan { authority: gov(), plan: software_upgrade("v3", 102).plan, replaces: 0 };
    run(&mut memory, 5, &later).expect("scheduled");
    let release = TestRelease { slices: 4, ..TestRelease::handling(&["v2", "v3"]) };
    let (_, events) = begin(&mut memory, 100, &release, &[]).expect("applied");
    assert!(events.contains(&progress(1, false)), "{events:?}");
    (memory, release)
}

fn progress(slices: u64, ended: bool) -> String {
    format!("migration_progress plan=v2 module=bank from_version=4 to_version=5 slices={slices} ended={ended}")
}

fn migrated_height(memory: &Memory) -> i64 {
    history(memory).swap_remove(0).done.expect("applied").migrated_height
}

#[test]
fn each_block_does_one_slice_and_the_record_says_when_it_ended_gaia_3286() {
    let (mut memory, release) = under_way();
    let answer: QueryMigrationResponse = ours(&memory, "Migration", &()).expect("an answer");
    let migration = answer.migration.expect("under way");
    assert_eq!((migration.plan_id, migration.plan_name.as_str(), migration.started_height), (1, "v2", 100));
    assert_eq!(migrated_height(&memory), 0);
    for (height, slices, ended) in [(101, 2, false), (102, 3, false), (103, 4, true)] {
        end(&mut memory, height - 1);
        let (decision, events) = begin(&mut memory, height, &release, &[]).expect("a slice");
        assert_eq!(decision, PreBlock::Proceed(Decision::Continue));
        assert_eq!(events, [progress(slices, ended)]);
    }
    end(&mut memory, 103);
    assert_eq!(migrated_height(&memory), 103);
    assert_eq!(migration::under_way(&memory), Ok(None));
    assert_eq!(begin(&mut memory, 104, &release, &[]).expect("no slice").1, Vec::<String>::new());
}

#[test]
fn a_slice_that_fails_leaves_the_cursor_where_it_was_and_a_repaired_release_goes_on() {
    let (mut memory, release) = under_way();
    let before = memory.clone();
    let failing = TestRelease { slices: 4, failure: Some("half-way"), ..TestRelease::handling(&["v2"]) };
    let halt = begin(&mut memory, 101, &failing, &[]).expect_err("the slice fails");
    assert_eq!(
        halt,
        "halt: the migration of module bank failed at height 101, nothing of this block's slice was kept: half-way"
    );
    assert_eq!(memory, before);
    assert_eq!(begin(&mut memory, 101, &release, &[]).expect("a slice").1, [progress(2, false)]);
}

#[test]
fn a_plan_that_would_become_due_is_moved_and_no_other_is_decided_until_it_has_ended() {
    let (mut memory, release) = under_way();
    assert!(end(&mut memory, 100).is_empty(), "it is due in two blocks");
    begin(&mut memory, 101, &release, &[]).expect("a slice");
    assert_eq!(
        end(&mut memory, 101),
        ["postpone_upgrade id=2 name=v3 height=112 from_height=102 reason=a migration is under way"]
    );
    assert_eq!(pending(&memory), [2]);
    let refused = refusal(run(&mut memory, 101, &software_upgrade("v4", 900)));
    assert!(refused.log.contains("the migration of module bank by plan \"v2\" is under way"), "{refused}");
    assert!(genesis::export(&memory).expect_err("half a layout").to_string().contains("export when it has ended"));
    begin(&mut memory, 102, &release, &[]).expect("a slice");
    begin(&mut memory, 103, &release, &[]).expect("the last slice");
    end(&mut memory, 111);
    assert_eq!(
        begin(&mut memory, 112, &release, &[]).expect("due").0,
        PreBlock::Proceed(Decision::Apply(plan("v3", 112)))
    );
    let record = history(&memory).swap_remove(1);
    assert_eq!((record.planned_height, record.height, record.postponements.len()), (102, 112, 1));
}

#[test]
fn a_kernels_migration_holds_plans_back_too_and_a_long_one_is_one_entry_in_the_record() {
    let mut memory = numbered();
    schedule(&mut memory, 5, "v2", 100);
    memory.insert(b"swingset/h/migration".to_vec(), bytes::Bytes::from_static(b"1"));
    for height in [99, 109, 119] {
        assert_eq!(end(&mut memory, height).len(), 1);
    }
    memory.remove(b"swingset/h/migration".as_slice());
    assert!(end(&mut memory, 129).is_empty());
    let record = history(&memory).swap_remove(0);
    let moved: Vec<_> = record.postponements.iter().map(|moved| (moved.from_height, moved.to_height)).collect();
    assert_eq!((record.height, moved), (130, vec![(100, 130)]));
}
