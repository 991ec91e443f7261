//! Transcripts in the same file: an entry a turn, in the turn's own commit, the newest up to a cap.

use bytes::Bytes;
use swingset_abi::wire::Wire;
use swingset_host::{
    env::{EnvError, Environment, prefix_end},
    transcript::{BlockTranscript, TranscriptEntry},
};

/// Before the turn's number, big-endian. Outside the engine's keys, as all of this program's own.
const PREFIX: &[u8] = b"embed/transcript/";

/// Keeps a turn's transcript, and lets the oldest go that are above the cap.
pub fn keep(env: &mut dyn Environment, turn: u64, bytes: Vec<u8>, bytes_max: u64) -> Result<(), EnvError> {
    env.set(&[PREFIX, &turn.to_be_bytes()].concat(), Bytes::from(bytes))?;
    let kept = all(env)?;
    let mut total = kept.iter().fold(0u64, |sum, (_, bytes)| sum.saturating_add(bytes.len() as u64));
    for (turn, bytes) in kept {
        if total <= bytes_max {
            break;
        }
        total = total.saturating_sub(bytes.len() as u64);
        env.delete(&[PREFIX, &turn.to_be_bytes()].concat())?;
    }
    Ok(())
}

/// A vat's deliveries that are kept, each with its turn.
pub fn of_vat(env: &dyn Environment, vat: &str) -> Result<Vec<(u64, TranscriptEntry)>, EnvError> {
    let mut entries = Vec::new();
    for (turn, bytes) in all(env)? {
        let block = BlockTranscript::from_bytes(&bytes)
            .map_err(|error| EnvError(format!("the transcript of turn {turn} is damaged: {error}")))?;
        entries.extend(block.entries.into_iter().filter(|entry| entry.vat == vat).map(|entry| (turn, entry)));
    }
    Ok(entries)
}

fn all(env: &dyn Environment) -> Result<Vec<(u64, Bytes)>, EnvError> {
    let end = prefix_end(PREFIX);
    let mut from = PREFIX.to_vec();
    let mut all = Vec::new();
    while let Some((key, value)) = env.next_entry(&from, end.as_deref())? {
        let turn = key.strip_prefix(PREFIX).and_then(|turn| turn.try_into().ok()).map(u64::from_be_bytes);
        all.push((turn.ok_or_else(|| EnvError("a transcript's key is no turn".to_owned()))?, value));
        from = [key.as_slice(), &[0]].concat();
    }
    Ok(all)
}
