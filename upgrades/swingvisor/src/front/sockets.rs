//! What the shell does with its sockets: accepting, connecting, reading. What came is put into its list of inputs.

use std::io::{self, Read as _};

use super::{
    control::{Control, Said},
    machine::{ConnId, Input},
    message,
    net::{End, EndError, Stream},
    shell::{Conn, Question, Shell},
};

/// Connections at a time; CometBFT opens four.
const CONNECTIONS_MAX: usize = 16;

impl Shell {
    pub(super) fn drain_wakes(&mut self) {
        let mut buffer = [0_u8; 64];
        while self.woken.read(&mut buffer).is_ok_and(|read| read > 0) {}
    }

    pub(super) fn accept(&mut self) -> io::Result<()> {
        while let Some(stream) = self.listener.accept()? {
            if self.conns.open.len() >= CONNECTIONS_MAX {
                tracing::warn!(max = CONNECTIONS_MAX, "an ABCI connection was refused: too many are open");
                continue;
            }
            let id = self.conns.next;
            self.conns.next = id.saturating_add(1);
            let comet = End::new(stream, self.frame_bytes_max);
            let node = if self.machine.has_node() {
                let Some(end) = self.connect() else { continue };
                Some(end)
            } else {
                None
            };
            self.conns.open.insert(id, Conn { comet, node });
            self.conns.inputs.push(Input::Opened(id));
        }
        Ok(())
    }

    pub(super) fn connect(&mut self) -> Option<End> {
        match Stream::connect(&self.node_socket) {
            Ok(stream) => Some(End::new(stream, self.frame_bytes_max)),
            Err(error) => {
                tracing::error!(%error, "connecting to the node");
                self.conns.inputs.push(Input::NodeLost);
                None
            }
        }
    }

    pub(super) fn hear(&mut self) {
        let said = self.conns.control.as_mut().map(Control::read).unwrap_or_default();
        for Said { committed, status } in said {
            tracing::info!(height = committed.height, "the node announces its last commit");
            self.conns.inputs.push(Input::Announced(committed));
            if let Some(status) = status {
                // A supervisor that is gone is noticed by the commands' end.
                let _ = self.events.send(crate::run::Event::LastWords(Box::new(status)));
            }
        }
    }

    pub(super) fn read_comet(&mut self, id: ConnId) {
        let Some(conn) = self.conns.open.get_mut(&id) else { return };
        let mut frames = Vec::new();
        let result = conn.comet.read(&mut frames).and_then(|()| conn.comet.write());
        self.conns.inputs.extend(frames.into_iter().map(|frame| Input::Request(id, frame)));
        if let Err(error) = result {
            if !matches!(error, EndError::Closed) {
                tracing::warn!(%error, "a connection of CometBFT");
            }
            self.remove(id);
        }
    }

    pub(super) fn remove(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.open.remove(&id)
            && self.conns.ending
        {
            self.conns.kept.extend(conn.node);
        }
        self.conns.inputs.push(Input::Left(id));
    }

    pub(super) fn read_node(&mut self, id: ConnId) {
        if self.read_one_node(id) {
            // What it wrote on the others before it ended counts.
            let others: Vec<ConnId> = self.conns.open.keys().copied().filter(|other| *other != id).collect();
            for other in others {
                self.read_one_node(other);
            }
            self.conns.inputs.push(Input::NodeLost);
        }
    }

    /// Takes in replies; true when the connection ended.
    pub(super) fn read_one_node(&mut self, id: ConnId) -> bool {
        let Some(node) = self.conns.open.get_mut(&id).and_then(|conn| conn.node.as_mut()) else { return false };
        let mut frames = Vec::new();
        let result = node.read(&mut frames).and_then(|()| node.write());
        // It may have said something before it wrote these.
        self.hear();
        self.conns.inputs.extend(frames.into_iter().map(|frame| Input::Reply(id, frame)));
        result.is_err()
    }

    /// Asks a node that was started whether it serves.
    pub(super) fn knock(&mut self) {
        if !matches!(self.conns.question, Some(Question::Knocking)) {
            return;
        }
        let Ok(stream) = Stream::connect(&self.node_socket) else { return };
        let mut end = End::new(stream, self.frame_bytes_max);
        let asked = message::ask_info().iter().try_for_each(|frame| end.send(frame));
        if asked.is_ok() {
            self.conns.question = Some(Question::Asked(Box::new(end)));
            self.conns.inputs.push(Input::NodeListens);
        }
    }

    pub(super) fn hear_answer(&mut self) {
        let Some(Question::Asked(end)) = &mut self.conns.question else { return };
        let mut frames = Vec::new();
        let result = end.read(&mut frames);
        if let Some(committed) = frames.iter().find_map(message::told_by_info) {
            self.conns.question = None;
            self.conns.inputs.push(Input::NodeSays(committed));
        } else if result.is_err() {
            self.conns.question = Some(Question::Knocking);
        }
    }
}
