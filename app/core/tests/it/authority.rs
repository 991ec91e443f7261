//! Messages of governance, all of them: whoever else signs one is refused before anything is read of it.

use prost::Message as _;
use swing_core::{error::Failure, modules::BlockContext, router};
use swing_proto::{google::protobuf::Any, signer_field};

use crate::support::{Memory, block, message};

/// A message with nothing in it but its first field, a text: each that has an authority has it there.
#[derive(Clone, PartialEq, prost::Message)]
struct Authority {
    #[prost(string, tag = "1")]
    authority: String,
}

#[test]
fn every_message_that_names_an_authority_is_refused_from_whoever_is_not_governance() {
    let alice = Authority { authority: "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd".to_owned() };
    let governed = || router::type_urls().filter(|kind| signer_field(kind) == Some("authority"));
    assert!(governed().count() > 12, "they are found");
    let mut otherwise = Vec::new();
    let block = BlockContext { app_version: 2, ..block(50) };
    for type_url in governed() {
        let any = Any { type_url: type_url.to_owned(), value: alice.encode_to_vec() };
        assert_eq!(router::read(&any).expect("it decodes").0.len(), 1, "{type_url}: alice's signature is asked for");
        let mut memory = Memory::new();
        let result = message(&mut memory, &block, |context| router::handle(context, &any));
        match result {
            Err(Failure::Rejected(refused)) if (refused.codespace, refused.code) == ("gov", 13) => {}
            other => otherwise.push(format!("{type_url}: {other:?}")),
        }
    }
    assert!(otherwise.is_empty(), "{otherwise:#?}");
}
