//! Tests over the whole repository: its rules, its golden vectors, and the chain driven in one process and end to end.

mod crashes;
mod e2e;
mod golden;
mod hostile;
mod rules;
mod swap;
