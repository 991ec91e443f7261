//! Events posted as JSON to the operator's URL, by a thread of its own. A full queue or a dead server loses events, never time.

use std::{
    io,
    sync::mpsc::{SyncSender, sync_channel},
    time::Duration,
};

use serde_json::Value;

/// Events that wait at most.
const QUEUE_MAX: usize = 64;
/// How long a server may take.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Where events are told.
#[derive(Clone, Debug, Default)]
pub struct Webhook {
    queue: Option<SyncSender<Value>>,
}

impl Webhook {
    /// Starts telling `url`; nobody when there is none.
    ///
    /// # Errors
    /// The system's.
    pub fn start(url: Option<String>) -> io::Result<Self> {
        let Some(url) = url else { return Ok(Webhook::default()) };
        let (queue, events) = sync_channel::<Value>(QUEUE_MAX);
        std::thread::Builder::new().name("webhook".to_owned()).spawn(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(TIME_MAX)).build().into();
            for event in events {
                let sent = agent.post(&url).header("content-type", "application/json").send(event.to_string());
                if let Err(error) = sent {
                    tracing::warn!(%error, "the webhook was not told");
                }
            }
        })?;
        Ok(Webhook { queue: Some(queue) })
    }

    /// Tells an event, if there is room.
    pub fn tell(&self, event: Value) {
        if let Some(queue) = &self.queue
            && queue.try_send(event).is_err()
        {
            tracing::warn!("the webhook's queue is full: an event is dropped");
        }
    }
}
