//! The engine from outside: real kernels, hostile guests, and what stays equal.

#[allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]
mod support;

mod admission;
mod engine;
mod hostile;
mod pages;
mod rewrite;
mod rollback;
mod swap;
