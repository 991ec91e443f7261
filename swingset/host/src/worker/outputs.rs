//! A supervisor's outputs, read without building the values that only pass through.

use swingset_abi::{
    vat::VatSyscall,
    wire::{Reader, Wire},
};

use super::limits::{VatLimits, references};
use crate::engine::GuestFault;

/// Tags of [`swingset_abi::supervisor::Input`], which the host puts before the bytes that it hands on.
pub(crate) mod input {
    pub(crate) const DELIVER: u8 = 0;
    pub(crate) const VAT_RETURNED: u8 = 1;
    pub(crate) const VAT_REQUEST: u8 = 2;
    pub(crate) const REPLY: u8 = 3;
}

/// Tag of `VatStep::Syscall`.
const STEP_SYSCALL: u8 = 0;

/// A [`swingset_abi::supervisor::Output`], its payload as bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// A whole `VatStep::Syscall`.
    Syscall(PendingSyscall),
    CallVat(Vec<u8>),
    AnswerVat(Vec<u8>),
    Finished,
    Failed,
}

/// A judged syscall on its way to the kernel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PendingSyscall {
    /// The whole `VatStep::Syscall`, encoded.
    pub step: Vec<u8>,
    /// References in it.
    pub references: usize,
}

/// Reads an output; a syscall is judged.
pub(crate) fn read_output(bytes: &[u8], limits: &VatLimits) -> Result<Output, GuestFault> {
    const MALFORMED: GuestFault = GuestFault("supervisor's output is malformed");
    let mut reader = Reader::new(bytes);
    let tag = reader.u8().map_err(|_| MALFORMED)?;
    let output = match tag {
        0 => return step_of_syscall(reader.rest(), limits).map(Output::Syscall),
        1 => Output::CallVat(reader.slice().map_err(|_| MALFORMED)?.to_vec()),
        2 => Output::AnswerVat(reader.slice().map_err(|_| MALFORMED)?.to_vec()),
        3 => Output::Finished,
        4 => {
            let problem = String::decode(&mut reader).map_err(|_| MALFORMED)?;
            tracing::debug!(target: "swingset::supervisor", %problem, "the supervisor gave up on its vat");
            Output::Failed
        }
        _ => return Err(MALFORMED),
    };
    reader.finish().map_err(|_| MALFORMED)?;
    Ok(output)
}

/// The `VatStep` of a syscall's bytes, once they are judged.
pub(crate) fn step_of_syscall(bytes: &[u8], limits: &VatLimits) -> Result<PendingSyscall, GuestFault> {
    let syscall = VatSyscall::from_bytes(bytes).map_err(|_| GuestFault("syscall is malformed"))?;
    limits.check(&syscall)?;
    let mut step = Vec::with_capacity(bytes.len().saturating_add(1));
    step.push(STEP_SYSCALL);
    step.extend_from_slice(bytes);
    Ok(PendingSyscall { step, references: references(&syscall) })
}

#[cfg(test)]
mod tests {
    use swingset_abi::{
        supervisor,
        vat::{SyscallReply, VatDelivery, VatStep},
        wire::Blob,
    };

    use super::*;
    use crate::bundle::LockdownPolicy;

    #[test]
    fn outputs_are_read_as_the_contract_encodes_them() {
        let limits = VatLimits::of(&LockdownPolicy::default());
        let read = |output: supervisor::Output| read_output(&output.to_bytes(), &limits).unwrap();
        let syscall = VatSyscall::VatstoreGet { key: "k".to_owned() };
        let step = VatStep::Syscall { syscall: syscall.clone() }.to_bytes();
        assert_eq!(
            read(supervisor::Output::Syscall { syscall }),
            Output::Syscall(PendingSyscall { step, references: 0 })
        );
        assert_eq!(read(supervisor::Output::CallVat { event: Blob(vec![1, 2]) }), Output::CallVat(vec![1, 2]));
        assert_eq!(read(supervisor::Output::AnswerVat { answer: Blob(vec![3]) }), Output::AnswerVat(vec![3]));
        assert_eq!(read(supervisor::Output::Finished {}), Output::Finished);
        assert_eq!(read(supervisor::Output::Failed { problem: "x".to_owned() }), Output::Failed);
        for malformed in [&[][..], &[3, 0], &[9], &[1, 5, 1], &[0, 99]] {
            assert!(read_output(malformed, &limits).is_err(), "{malformed:?}");
        }
    }

    #[test]
    fn the_input_tags_are_those_of_the_contract() {
        let first = |input: supervisor::Input| input.to_bytes()[0];
        assert_eq!(first(supervisor::Input::Deliver { delivery: VatDelivery::BringOutYourDead {} }), input::DELIVER);
        assert_eq!(first(supervisor::Input::VatReturned {}), input::VAT_RETURNED);
        assert_eq!(first(supervisor::Input::VatRequest { request: Blob(vec![]) }), input::VAT_REQUEST);
        assert_eq!(first(supervisor::Input::Reply { reply: SyscallReply::Done {} }), input::REPLY);
    }

    #[test]
    fn sizes_above_the_policy_are_the_vats_fault() {
        let limits = VatLimits::of(&LockdownPolicy::default());
        let refused = |syscall: VatSyscall| step_of_syscall(&syscall.to_bytes(), &limits).unwrap_err().0;
        assert_eq!(refused(VatSyscall::VatstoreGet { key: "k".repeat(513) }), "key is too long");
        let value = Blob(vec![0; 256 * 1024 + 1]);
        assert_eq!(refused(VatSyscall::VatstoreSet { key: "k".to_owned(), value }), "value is too large");
    }
}
