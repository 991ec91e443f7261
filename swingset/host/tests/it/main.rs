//! The engine from outside: real kernels, hostile guests, and what stays equal.

mod support;

mod admission;
mod engine;
mod hostile;
mod pages;
mod rewrite;
mod rollback;
mod swap;
