//! The lines that operators grep for.

use swing_core::ports::upgrade::{Decision, Plan};
use swing_upgrades::lines;

#[track_caller]
fn check(decision: Decision, expected: &[&str]) {
    assert_eq!(lines::of_decision("version-1", &decision), expected);
}

#[test]
fn every_decision_is_told_in_the_sdks_words() {
    let plan = Plan { name: "version-2".to_owned(), height: 130, info: "get it".to_owned() };
    check(Decision::Continue, &[]);
    check(
        Decision::Needed(plan.clone()),
        &["can you handle version-2? no", "UPGRADE \"version-2\" NEEDED at height: 130: get it"],
    );
    check(
        Decision::Apply(plan.clone()),
        &["can you handle version-2? yes", "applying upgrade \"version-2\" at height: 130"],
    );
    check(Decision::Skip(plan.clone()), &["UPGRADE \"version-2\" SKIPPED at 130: get it"]);
    check(
        Decision::TooEarly(plan),
        &[
            "BINARY UPDATED BEFORE TRIGGER! UPGRADE \"version-2\" - in binary but not executed on chain. Downgrade your binary",
        ],
    );
    check(
        Decision::MissingHandler { last_applied: "version-2".to_owned(), app_version: 2 },
        &["wrong app version 2, upgrade handler is missing for version-2 upgrade plan"],
    );
    check(
        Decision::UnsupportedAppVersion { app_version: 9 },
        &["wrong app version 9, version-1 does not run its rules: start the binary that does"],
    );
}

#[test]
fn the_handlers_action_names_the_upgrade() {
    assert_eq!(lines::upgrade_swingset("version-2"), "UPGRADE_SWINGSET version-2");
}
