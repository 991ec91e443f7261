//! State keys of the chain side, and the documented keys of kernel and host that it reads.

/// The parameters: `swing.swingset.v1.Params`.
pub const PARAMS: &[u8] = b"swingset/m/params";
/// Queued actions begin with this.
pub const ACTION_QUEUE: &[u8] = b"swingset/m/actionQueue/";
/// Number of the first queued action and of the next one: two times 8 bytes, big-endian.
pub const ACTION_NUMBERS: &[u8] = b"swingset/m/actionNumbers";
/// Queued actions of governance begin with this.
pub const HIGH_PRIORITY_QUEUE: &[u8] = b"swingset/m/highPriorityQueue/";
/// As [`ACTION_NUMBERS`], of governance's actions.
pub const HIGH_PRIORITY_NUMBERS: &[u8] = b"swingset/m/highPriorityNumbers";
/// Values that vats publish begin with this; then the path, a zero byte in the place of each dot.
pub const PUBLISHED: &[u8] = b"swingset/m/published/";
/// Bytes of all that vats publish, keys and values: 8 bytes, big-endian.
pub const PUBLISHED_BYTES: &[u8] = b"swingset/m/publishedBytes";
/// Promises of delivered actions begin with this.
pub const RESULTS: &[u8] = b"swingset/m/result/";
/// Promises of governance's delivered actions begin with this.
pub const GOVERNED_RESULTS: &[u8] = b"swingset/m/governedResult/";
/// Who installed which bundle begin with this.
pub const BUNDLES: &[u8] = b"swingset/m/bundle/";
/// Installations that wait for chunks begin with this.
pub const PENDING: &[u8] = b"swingset/m/pending/";
/// Their chunks begin with this.
pub const CHUNKS: &[u8] = b"swingset/m/chunk/";
/// The next chunked artifact: 8 bytes, big-endian.
pub const NEXT_ARTIFACT: &[u8] = b"swingset/m/nextArtifact";
/// There while the engine is stopped: the reason, so that the stop is told once.
pub const STOPPED: &[u8] = b"swingset/m/stopped";
/// The swap that governance has decided: `swing.swingset.v1.PendingSwap`; absent when there is none.
pub const PENDING_SWAP: &[u8] = b"swingset/m/pendingSwap";
/// Swaps that ended begin with this.
pub const SWAPS: &[u8] = b"swingset/m/swap/";
/// Number of the last swap that ended: 8 bytes, big-endian.
pub const LAST_SWAP: &[u8] = b"swingset/m/lastSwap";

/// The kernel's own keys begin with this.
pub const KERNEL: &[u8] = b"swingset/k/";
/// The host's keys begin with this.
pub const HOST: &[u8] = b"swingset/h/";

fn join(prefix: &[u8], rest: &[u8]) -> Vec<u8> {
    [prefix, rest].concat()
}

/// A queued action: `swing.swingset.v1.InboundAction`.
pub fn action(number: u64) -> Vec<u8> {
    join(ACTION_QUEUE, &number.to_be_bytes())
}

/// A queued action of governance: `swing.swingset.v1.InboundAction`.
pub fn high_priority(number: u64) -> Vec<u8> {
    join(HIGH_PRIORITY_QUEUE, &number.to_be_bytes())
}

/// The result promise of a delivered action: its kpid, as text; empty when there is none.
pub fn result(number: u64) -> Vec<u8> {
    join(RESULTS, &number.to_be_bytes())
}

/// As [`result`], of an action of governance.
pub fn governed_result(number: u64) -> Vec<u8> {
    join(GOVERNED_RESULTS, &number.to_be_bytes())
}

/// What the chain knows of a bundle: `swing.swingset.v1.BundleMetadata`.
pub fn bundle(id: &str) -> Vec<u8> {
    join(BUNDLES, id.as_bytes())
}

/// An installation that waits for chunks: [`super::chunks::Pending`].
pub fn pending(artifact: u64) -> Vec<u8> {
    join(PENDING, &artifact.to_be_bytes())
}

/// All chunks of an artifact begin with this.
pub fn chunks(artifact: u64) -> Vec<u8> {
    join(CHUNKS, &artifact.to_be_bytes())
}

/// A chunk's bytes.
pub fn chunk(artifact: u64, index: u64) -> Vec<u8> {
    join(&chunks(artifact), &index.to_be_bytes())
}

/// What became of a swap: `swing.swingset.v1.SwapRecord`.
pub fn swap(number: u64) -> Vec<u8> {
    join(SWAPS, &number.to_be_bytes())
}

/// A key of the kernel.
pub fn kernel(name: &str) -> Vec<u8> {
    join(KERNEL, name.as_bytes())
}

/// A key of the host.
pub fn host(name: &str) -> Vec<u8> {
    join(HOST, name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_recorded() {
        assert_eq!(action(258), b"swingset/m/actionQueue/\0\0\0\0\0\0\x01\x02");
        assert_eq!(high_priority(2), b"swingset/m/highPriorityQueue/\0\0\0\0\0\0\0\x02");
        assert_eq!(result(1), b"swingset/m/result/\0\0\0\0\0\0\0\x01");
        assert_eq!(governed_result(1), b"swingset/m/governedResult/\0\0\0\0\0\0\0\x01");
        assert_eq!(bundle("b1-00"), b"swingset/m/bundle/b1-00");
        assert_eq!(pending(1), b"swingset/m/pending/\0\0\0\0\0\0\0\x01");
        assert_eq!(chunk(1, 2), b"swingset/m/chunk/\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02");
        assert_eq!(kernel("crankNumber"), b"swingset/k/crankNumber");
        assert_eq!(host("kernelBundleID"), b"swingset/h/kernelBundleID");
        assert_eq!(swap(1), b"swingset/m/swap/\0\0\0\0\0\0\0\x01");
        let constants = [
            PARAMS,
            ACTION_NUMBERS,
            NEXT_ARTIFACT,
            STOPPED,
            PENDING_SWAP,
            LAST_SWAP,
            HIGH_PRIORITY_NUMBERS,
            PUBLISHED,
            PUBLISHED_BYTES,
        ];
        assert_eq!(
            constants.map(|key| String::from_utf8_lossy(key).into_owned()),
            [
                "swingset/m/params",
                "swingset/m/actionNumbers",
                "swingset/m/nextArtifact",
                "swingset/m/stopped",
                "swingset/m/pendingSwap",
                "swingset/m/lastSwap",
                "swingset/m/highPriorityNumbers",
                "swingset/m/published/",
                "swingset/m/publishedBytes"
            ]
        );
    }
}
