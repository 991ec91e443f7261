//! Typed ABCI events.

/// An event, in the order in which it was emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its type (`transfer`, `submit_proposal`, …).
    pub kind: String,
    /// Its attributes, in order; all are indexed.
    pub attributes: Vec<(String, String)>,
}

impl Event {
    /// An event with no attributes yet.
    pub fn new(kind: impl Into<String>) -> Self {
        Event { kind: kind.into(), attributes: Vec::new() }
    }

    /// The event with one more attribute.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((key.into(), value.into()));
        self
    }
}
