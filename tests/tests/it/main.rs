//! Tests over the whole repository: its rules, its golden vectors, and the chain driven in one process.

mod rules;
