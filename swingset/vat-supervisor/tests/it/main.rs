//! The supervisor as a machine: inputs in, outputs out.
