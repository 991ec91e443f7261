//! What governance decides for the engine's vats.

use swing_core::{address::module_address, event::Event};
use swing_proto::{
    agoric::swingset as agoric,
    cosmos::gov::v1::ProposalStatus,
    google::protobuf::Any,
    pack,
    swing::swingset::v1::{MsgCoreEval, MsgUpgradeVat},
};

use crate::{engine::bundle_id, swap::Voting};

const CODE: &str = "supervisor of vats";

fn upgrade(vat: &str, bundle: &str) -> MsgUpgradeVat {
    MsgUpgradeVat {
        authority: module_address("gov").to_string(),
        vat_name: vat.to_owned(),
        bundle_id: bundle.to_owned(),
        parameters: b"#{\"a\":1}".to_vec(),
        upgrade_message: "why".to_owned(),
    }
}

fn eval(bundle: &str, permits: &str) -> MsgCoreEval {
    MsgCoreEval {
        authority: module_address("gov").to_string(),
        bundle_id: bundle.to_owned(),
        json_permits: permits.to_owned(),
    }
}

fn voting() -> Voting {
    let mut voting = Voting::with(&[CODE]);
    voting.chain.state.insert(b"swingset/k/vat.name.counter".to_vec(), "v1".into());
    voting.chain.state.insert(b"swingset/k/vat.name.gone".to_vec(), "v2".into());
    voting
}

fn told<'a>(events: &'a [Event], kind: &str) -> Option<&'a Event> {
    events.iter().find(|event| event.kind == kind)
}

#[track_caller]
fn check_runs(message: Any, ran: &str) {
    let mut voting = voting();
    let proposal = voting.decide(vec![message]);
    assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
    assert!(voting.chain.engine.ran.is_empty(), "decided after the block's cranks");
    voting.chain.block(Vec::new());
    assert_eq!(voting.chain.engine.ran, [ran]);
    let events = &voting.chain.last.events;
    assert!(told(events, "swingset_governed").is_some());
    let result = told(events, "swingset_governed_result").expect("it is settled in the same block");
    assert!(result.attributes.contains(&("state".to_owned(), "fulfilled".to_owned())), "{result:?}");
}

#[test]
fn a_vat_gets_the_code_that_a_vote_names_in_the_block_after_the_vote() {
    let id = bundle_id(CODE);
    let ran = format!(
        "UpgradeVat(VatUpgrade {{ vat_name: \"counter\", bundle_id: {id:?}, parameters: \"#{{\\\"a\\\":1}}\", message: \"why\" }})"
    );
    check_runs(pack(&upgrade("counter", &id)), &ran);
}

#[test]
fn a_bundle_runs_with_the_powers_that_a_vote_permits() {
    let id = bundle_id(CODE);
    let ran = format!(
        "Evaluate(Evaluation {{ bundle_id: {id:?}, vats: [\"vatAdmin\", \"counter\"], devices: [\"bridge\"] }})"
    );
    check_runs(pack(&eval(&id, "{\"vats\":[\"vatAdmin\",\"counter\"],\"devices\":[\"bridge\"]}")), &ran);
}

#[test]
fn what_could_not_be_carried_out_is_refused_when_it_is_proposed() {
    let id = bundle_id(CODE);
    let unknown = bundle_id("unknown");
    for (message, part) in [
        (pack(&upgrade("nobody", &id)), "no vat is called"),
        (pack(&upgrade("counter", &unknown)), "not installed"),
        (pack(&MsgUpgradeVat { parameters: b"{}".to_vec(), ..upgrade("counter", &id) }), "parameters"),
        (pack(&MsgUpgradeVat { upgrade_message: "x".repeat(2_000), ..upgrade("counter", &id) }), "upgrade_message"),
        (pack(&eval(&unknown, "{}")), "not installed"),
        (pack(&eval(&id, "{\"vats\":[\"nobody\"]}")), "no vat is called"),
        (pack(&eval(&id, "{\"devices\":[\"rocket\"]}")), "no device"),
        (pack(&eval(&id, "{\"all\":true}")), "no other keys"),
        (
            pack(&agoric::MsgCoreEval {
                authority: module_address("gov").to_string(),
                json_permits: "true".to_owned(),
                js_code: "() => {}".to_owned(),
            }),
            "MsgCoreEval",
        ),
    ] {
        let refused = voting().submit(vec![message]);
        assert!(refused.code != 0 && refused.log.contains(part), "{part}: {}", refused.log);
    }
}

#[test]
fn nobody_but_governance_upgrades_a_vat_or_runs_a_bundle() {
    let mut voting = voting();
    let (id, alice) = (bundle_id(CODE), voting.alice.text());
    for message in [
        pack(&MsgUpgradeVat { authority: alice.clone(), ..upgrade("counter", &id) }),
        pack(&MsgCoreEval { authority: alice.clone(), ..eval(&id, "{}") }),
    ] {
        let refused = voting.run(message);
        assert_eq!((refused.codespace.as_str(), refused.code), ("gov", 13), "{}", refused.log);
    }
}

#[test]
fn what_the_engine_refuses_in_the_end_is_told_and_holds_nothing_up() {
    let mut voting = voting();
    let id = bundle_id(CODE);
    let proposal = voting.decide(vec![pack(&upgrade("gone", &id)), pack(&upgrade("counter", &id))]);
    assert_eq!(proposal.status(), ProposalStatus::Passed, "{}", proposal.failed_reason);
    voting.chain.block(Vec::new());
    let refused = told(&voting.chain.last.events, "swingset_governed_refused").expect("told");
    assert!(refused.attributes.contains(&("governed_number".to_owned(), "1".to_owned())), "{refused:?}");
    assert_eq!(voting.chain.engine.ran.len(), 1, "the other one ran");
}

#[test]
fn a_stopped_engine_keeps_what_governance_decided() {
    let mut voting = voting();
    let id = bundle_id(CODE);
    voting.chain.state.insert(b"swingset/h/status".to_vec(), "kernel trapped".into());
    voting.decide(vec![pack(&upgrade("counter", &id))]);
    voting.chain.block(Vec::new());
    assert!(voting.chain.engine.ran.is_empty());
    voting.chain.state.remove(b"swingset/h/status".as_slice());
    voting.chain.block(Vec::new());
    assert_eq!(voting.chain.engine.ran.len(), 1);
}
