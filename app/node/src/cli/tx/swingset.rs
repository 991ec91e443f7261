//! `tx swingset`.

use std::{io::Write, path::PathBuf, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use clap::{Args, Subcommand};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use swing_proto::{
    Message, agoric::swingset::MsgInstallBundleResponse, cosmos::base::abci::v1beta1::TxMsgData, unpack,
};

use super::{
    flags::TxFlags,
    governed, message,
    submit::{self, Signer, submit},
    swap,
    upgrade::ProposalArgs,
};
use crate::{
    cli::{
        Context, Failure,
        context::{note, read_input},
        output, smallcaps,
    },
    client::{
        ClientError, response,
        rpc::{code_of, text_of},
        wait,
    },
};

/// Above this a bundle goes in chunks: CometBFT's mempool takes transactions of 1 MiB, and blocks have others to carry.
const SINGLE_BYTES_MAX: usize = 512 << 10;
/// Until a transaction of several must be in a block.
const INCLUSION_TIMEOUT: Duration = Duration::from_secs(120);

/// Commands of `tx swingset`.
#[derive(Debug, Subcommand)]
pub enum SwingsetCommand {
    /// Install a bundle; a large one goes in chunks, a transaction each
    InstallBundle(InstallArgs),
    /// Let go of a bundle that you installed: it is freed when no vat, ID or name stands for it
    ReleaseBundle(ReleaseArgs),
    /// Send a message to a vat's root object
    Deliver(DeliverArgs),
    /// Propose to replace the kernel, lockdown or supervisor by installed bundles, with no new software
    SetKernel(swap::SetKernelArgs),
    /// Propose to take the pending replacement back
    CancelSetKernel(ProposalArgs),
    /// Propose to give a static vat other code; it keeps its objects, and goes on as it was should the code not start
    UpgradeVat(governed::UpgradeVatArgs),
    /// Propose to run an installed bundle as a new vat with the powers that are named
    CoreEval(governed::CoreEvalArgs),
}

/// Arguments of `tx swingset install-bundle`.
#[derive(Args, Debug)]
pub struct InstallArgs {
    /// The bundle
    file: PathBuf,
    /// Compress it
    #[arg(long)]
    compress: bool,
    /// Bytes of a chunk; a bundle that is not larger than 512 KiB and than this goes in one transaction
    #[arg(long, value_parser = clap::value_parser!(u32).range(1024..=921_600))]
    chunk_size: Option<u32>,
}

/// Arguments of `tx swingset release-bundle`.
#[derive(Args, Debug)]
pub struct ReleaseArgs {
    /// The bundle's ID
    id: String,
}

/// Arguments of `tx swingset deliver`.
#[derive(Args, Debug)]
pub struct DeliverArgs {
    /// The vat's name
    vat: String,
    /// The method
    method: String,
    /// The arguments, a JSON list
    #[arg(default_value = "[]")]
    arguments: String,
}

/// Runs one.
pub fn run(context: &Context, flags: &TxFlags, command: &SwingsetCommand) -> Result<(), Failure> {
    let signer = Signer::resolve(context, flags, None)?;
    match command {
        SwingsetCommand::Deliver(arguments) => {
            let value = deliver(arguments, &signer.address().to_string())?;
            submit(context, flags, &signer, vec![message(&value)?])
        }
        SwingsetCommand::ReleaseBundle(arguments) => {
            let submitter = signer.address().to_string();
            let value = json!({
                "@type": "/swing.swingset.v1.MsgReleaseBundle", "submitter": submitter, "bundle_id": arguments.id,
            });
            submit(context, flags, &signer, vec![message(&value)?])
        }
        SwingsetCommand::InstallBundle(arguments) => install(context, flags, &signer, arguments),
        SwingsetCommand::SetKernel(arguments) => swap::set(context, flags, &signer, arguments),
        SwingsetCommand::CancelSetKernel(arguments) => swap::cancel(context, flags, &signer, arguments),
        SwingsetCommand::UpgradeVat(arguments) => governed::upgrade_vat(context, flags, &signer, arguments),
        SwingsetCommand::CoreEval(arguments) => governed::core_eval(context, flags, &signer, arguments),
    }
}

fn deliver(arguments: &DeliverArgs, sender: &str) -> Result<Value, Failure> {
    let value: Value = serde_json::from_str(&arguments.arguments)
        .map_err(|error| Failure::new(format!("the arguments are not JSON: {error}")))?;
    if !value.is_array() {
        return Err(Failure::new("the arguments must be a JSON list, such as '[1,\"two\"]'"));
    }
    Ok(json!({
        "@type": "/swing.swingset.v1.MsgDeliverInbound",
        "sender": sender,
        "target": arguments.vat,
        "method": arguments.method,
        "args": BASE64.encode(smallcaps::body(value)),
    }))
}

fn install(context: &Context, flags: &TxFlags, signer: &Signer, arguments: &InstallArgs) -> Result<(), Failure> {
    let bundle = read_input(&arguments.file)?;
    if bundle.is_empty() {
        return Err(Failure::new(format!("{}: the file is empty", arguments.file.display())));
    }
    let submitter = signer.address().to_string();
    // A text field carries the plain form; bytes that are no text travel compressed.
    let text = if arguments.compress { None } else { std::str::from_utf8(&bundle).ok() };
    let limit = arguments.chunk_size.map_or(SINGLE_BYTES_MAX, |size| (size as usize).min(SINGLE_BYTES_MAX));
    if let Some(text) = text.filter(|text| text.len() <= limit) {
        let value = json!({"@type": "/agoric.swingset.MsgInstallBundle", "bundle": text, "submitter": submitter});
        return submit(context, flags, signer, vec![message(&value)?]);
    }
    let (artifact, uncompressed_size) = match text {
        Some(_) => (bundle, 0),
        None => (compress(&bundle)?, bundle.len()),
    };
    if artifact.len() <= limit {
        let value = json!({
            "@type": "/agoric.swingset.MsgInstallBundle",
            "submitter": submitter,
            "compressed_bundle": BASE64.encode(&artifact),
            "uncompressed_size": uncompressed_size.to_string(),
        });
        return submit(context, flags, signer, vec![message(&value)?]);
    }
    let chunk_size = arguments.chunk_size.map_or(256 << 10, |size| size as usize);
    Chunked { context, flags, signer, submitter, chunks: artifact.chunks(chunk_size).collect() }
        .install(&artifact, uncompressed_size)
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

struct Chunked<'a> {
    context: &'a Context,
    flags: &'a TxFlags,
    signer: &'a Signer,
    submitter: String,
    chunks: Vec<&'a [u8]>,
}

impl Chunked<'_> {
    fn install(&self, artifact: &[u8], uncompressed_size: usize) -> Result<(), Failure> {
        let flags = self.flags;
        if flags.generate_only || flags.offline || flags.dry_run || flags.sequence.is_some() {
            return Err(Failure::new(format!(
                "this bundle needs {} transactions, each after the one before it: --generate-only, --offline, --dry-run and --sequence cannot be used",
                self.chunks.len().saturating_add(1)
            )));
        }
        let chunks: Vec<_> = self
            .chunks
            .iter()
            .map(|chunk| json!({"sha512": hex::encode(Sha512::digest(chunk)), "size_bytes": chunk.len().to_string()}))
            .collect();
        let first = self.send(&json!({
            "@type": "/agoric.swingset.MsgInstallBundle",
            "submitter": self.submitter,
            "uncompressed_size": uncompressed_size.to_string(),
            "chunked_artifact": {
                "sha512": hex::encode(Sha512::digest(artifact)),
                "size_bytes": artifact.len().to_string(),
                "chunks": chunks,
            },
        }))?;
        let id = artifact_id(&first)?;
        note(&format!("installation {id} begun: {} chunks to send", self.chunks.len()));
        let mut last = first;
        for (index, chunk) in self.chunks.iter().enumerate() {
            last = self.send(&json!({
                "@type": "/agoric.swingset.MsgSendChunk",
                "chunked_artifact_id": id.to_string(),
                "submitter": self.submitter,
                "chunk_index": index.to_string(),
                "chunk_data": BASE64.encode(chunk),
            }))?;
            note(&format!(
                "chunk {} of {} is in block {}",
                index.saturating_add(1),
                self.chunks.len(),
                text_of(&last, "height")
            ));
        }
        output::value(flags.format(self.context)?, &response::of_included(&last, "", Value::Null)?)
    }

    /// Sends one message and waits until it is in a block with code 0.
    fn send(&self, value: &Value) -> Result<Value, Failure> {
        let sent = submit::prepare_and_send(self.context, self.flags, self.signer, vec![message(value)?])?;
        let sent = sent.ok_or_else(|| Failure::new("nothing was sent"))?;
        let failed = |hash: &str, codespace: String, code: u32, log: String| {
            Failure::from(ClientError::TxFailed { hash: hash.to_owned(), codespace, code, log })
        };
        if sent.code != 0 {
            return Err(failed(&sent.hash, sent.codespace, sent.code, sent.log));
        }
        let included = wait::tx(&self.flags.client(self.context)?, &sent.hash, INCLUSION_TIMEOUT)?;
        let result = &included["tx_result"];
        match code_of(result) {
            0 => Ok(included),
            code => Err(failed(&sent.hash, text_of(result, "codespace"), code, text_of(result, "log"))),
        }
    }
}

/// The installation's number, from the response to its first message.
fn artifact_id(included: &Value) -> Result<u64, Failure> {
    let wrong = || Failure::new("the node's answer has no chunked_artifact_id");
    let data = BASE64.decode(text_of(&included["tx_result"], "data")).map_err(|_| wrong())?;
    let data = TxMsgData::decode(data.as_slice()).map_err(|_| wrong())?;
    let response = data.msg_responses.first().ok_or_else(wrong)?;
    let response: MsgInstallBundleResponse = unpack(response).map_err(|_| wrong())?;
    Ok(response.chunked_artifact_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_become_a_smallcaps_body() {
        let arguments =
            |text: &str| DeliverArgs { vat: "counter".into(), method: "add".into(), arguments: text.into() };
        let value = deliver(&arguments("[1, \"$x\"]"), "swing1").expect("a list");
        assert_eq!(BASE64.decode(value["args"].as_str().expect("a text")).expect("base64"), b"#[1,\"!$x\"]");
        assert!(deliver(&arguments("{}"), "swing1").is_err());
        assert!(deliver(&arguments("[1"), "swing1").is_err());
    }

    #[test]
    fn the_number_of_an_installation_is_in_its_response() {
        let response = swing_proto::pack(&MsgInstallBundleResponse { chunked_artifact_id: 7 });
        let data = TxMsgData { msg_responses: vec![response], ..TxMsgData::default() }.encode_to_vec();
        let included = json!({"tx_result": {"data": BASE64.encode(data)}});
        assert_eq!(artifact_id(&included).expect("a response"), 7);
        assert!(artifact_id(&json!({"tx_result": {"data": null}})).is_err());
    }
}
