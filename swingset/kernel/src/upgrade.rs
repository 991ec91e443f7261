//! Vat upgrade: another code, supervisor and policy for a vat that keeps its identity, in one crank. Source: SwingSet upgrade-vat.
//!
//! `bringOutYourDead` to the old incarnation; promises that it decides are rejected with `{name: "vatUpgraded", …}`; exports that it
//! cannot have stored durably are orphaned; then the new instance's `startVat`. When anything of it fails all of it is undone, the
//! old instance too: the host loads it again as it was when the crank began.
//!
//! # Invariants
//! - The vat's root object, its durable exports, its imports and its vatstore are those of before.
//! - A subscriber of a disconnected promise is notified, the vat itself too.

use alloc::string::String;

use swingset_abi::{
    kernel::{CrankKind, VatOptions},
    vat::{CapData, VatDelivery},
    wire::Wire,
};

use crate::{
    body,
    crank::{Crank, Kernel},
    delivery::Verdict,
    event::Upgrade,
    host::Host,
    keys::{join, path},
    limits,
    promise::Standing,
    store::{Fault, Kept, number_text},
};

/// How far an upgrade came.
enum Upgraded {
    To(u64),
    Failed(String),
}

const TOO_MUCH_ENDS: &str = "it has too many promises to settle or objects that would end with it";

/// What an upgrade may still look at and end.
struct Room {
    seen: u64,
    ended: u64,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            seen: limits::SEEN_BY_UPGRADE_MAX,
            ended: limits::ENDED_BY_UPGRADE_MAX,
        }
    }
}

impl Room {
    fn see(&mut self) -> bool {
        take(&mut self.seen, 1)
    }

    /// A promise or object ends that takes as much as so many.
    fn end(&mut self, many: usize) -> bool {
        take(&mut self.ended, many as u64)
    }

    /// What that costs, in computrons.
    fn price(&self) -> u64 {
        let (seen, ended) = (limits::SEEN_BY_UPGRADE_MAX - self.seen, limits::ENDED_BY_UPGRADE_MAX - self.ended);
        let beyond = |count: u64| count.saturating_sub(limits::FREE_BY_UPGRADE);
        beyond(seen) * limits::SEEN_PRICE + beyond(ended) * limits::ENDED_PRICE
    }
}

/// So many of what is left; false when there is less.
fn take(left: &mut u64, many: u64) -> bool {
    match left.checked_sub(many) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}

impl<H: Host> Kernel<'_, H> {
    /// One upgrade, from the run queue.
    pub fn upgrade_vat(&mut self, upgrade: Upgrade, limit_default: u64) -> Kept<Crank> {
        let vat_id = upgrade.vat_id.clone();
        let result = upgrade.result.as_deref();
        let Some(options) = self.options(&vat_id)? else {
            self.let_go_all(&upgrade.parameters.slots)?;
            self.reject(result, body::VAT_TERMINATED)?;
            return Ok(Crank::empty(Some(vat_id)));
        };
        let mark = self.store.host.mark();
        let mut crank = Crank::of(CrankKind::Delivery {}, Some(vat_id.clone()));
        match self.next_incarnation(&upgrade, &options, limit_default, &mut crank.computrons)? {
            Upgraded::To(incarnation) => {
                self.store.host.release(mark);
                self.let_go_all(&upgrade.parameters.slots)?;
                self.charge_meter(&options, crank.computrons)?;
                if let Some(kpid) = result {
                    let body = join(["#{\"incarnationNumber\":", &number_text(incarnation), "}"]);
                    let slots = alloc::vec::Vec::new();
                    self.settle(kpid, false, &CapData { body, slots }, None)?;
                    self.let_go(kpid)?;
                }
            }
            Upgraded::Failed(reason) => {
                self.undo_to(mark)?;
                self.store.host.restore_vat(&vat_id);
                self.let_go_all(&upgrade.parameters.slots)?;
                self.charge_meter(&options, crank.computrons)?;
                self.reject(result, &join(["the vat was not upgraded: ", &reason]))?;
                crank.aborted = true;
            }
        }
        Ok(crank)
    }

    fn next_incarnation(
        &mut self,
        upgrade: &Upgrade,
        options: &VatOptions,
        limit_default: u64,
        computrons: &mut u64,
    ) -> Kept<Upgraded> {
        let vat_id = upgrade.vat_id.as_str();
        let ran = self.run_delivery(vat_id, options, &VatDelivery::BringOutYourDead {}.to_bytes(), limit_default)?;
        *computrons = ran.computrons;
        if let Some(reason) = failure(ran.verdict) {
            return Ok(Upgraded::Failed(reason));
        }
        let key = path([vat_id, ".incarnation"]);
        let incarnation = self.store.get_number(&key)?.unwrap_or(0);
        let mut room = Room::default();
        let is_done =
            self.disconnect(vat_id, incarnation, &upgrade.message, &mut room)? && self.orphan_fleeting(vat_id, &mut room)?;
        *computrons = computrons.saturating_add(room.price());
        if !is_done {
            return Ok(Upgraded::Failed(String::from(TOO_MUCH_ENDS)));
        }
        self.store.set_number(&key, incarnation + 1);
        let source = self.present_source(&upgrade.bundle_id)?;
        self.store.set(path([vat_id, ".source"]), source.to_bytes());
        self.set_stored_max(vat_id, &source, options)?;
        self.store.delete_if_there(path([vat_id, ".reapDirt"]));
        // The host makes the instance from what it sees.
        self.store.flush();
        self.store.host.replace_vat(vat_id);
        let delivery = VatDelivery::StartVat {
            parameters: self.data_to_vat(vat_id, upgrade.parameters.clone())?,
        };
        let ran = self.run_delivery(vat_id, options, &delivery.to_bytes(), limit_default)?;
        *computrons = computrons.saturating_add(ran.computrons);
        if let Some(reason) = failure(ran.verdict) {
            return Ok(Upgraded::Failed(reason));
        }
        if self.underflows(options, *computrons)? {
            return Ok(Upgraded::Failed(String::from("meter underflow")));
        }
        self.count_delivery(vat_id)?;
        self.count_dirt(vat_id, options, Some(0), ran.computrons)?;
        Ok(Upgraded::To(incarnation + 1))
    }

    /// Rejects every promise that the vat decides; false when there are too many.
    fn disconnect(&mut self, vat_id: &str, incarnation: u64, message: &str, room: &mut Room) -> Kept<bool> {
        let mut body = join([
            "#{\"incarnationNumber\":",
            &number_text(incarnation),
            ",\"name\":\"vatUpgraded\",",
        ]);
        body.push_str("\"upgradeMessage\":");
        body::push_string(&mut body, message);
        body.push('}');
        let disconnection = CapData {
            body,
            slots: alloc::vec::Vec::new(),
        };
        let prefix = join([vat_id, ".c."]);
        let promises = join([&prefix, "kp"]);
        let mut prior = promises.clone();
        while let Some(key) = self.store.next_key(&prior, &promises)? {
            let kpid = String::from(key.get(prefix.len()..).ok_or(Fault("a c-list key is malformed"))?);
            prior = key;
            if !room.see() {
                return Ok(false);
            }
            match self.standing(&kpid)? {
                Standing::Unresolved { decider: Some(decider) } if decider == vat_id => {}
                _ => continue,
            }
            let subscribers = self.list(path([&kpid, ".subscribers"]))?;
            if !room.end(1 + disconnection.body.len() / 256) {
                return Ok(false);
            }
            let watched = subscribers.iter().any(|other| other == vat_id);
            self.settle(&kpid, true, &disconnection, None)?;
            // One that it watches itself is told to the new incarnation, which ends its entry.
            if !watched {
                self.delete_entry(vat_id, &kpid)?;
            }
        }
        Ok(true)
    }

    /// Orphans the exports that end with the incarnation: all but the root and durable objects. False when there are too many.
    fn orphan_fleeting(&mut self, vat_id: &str, room: &mut Room) -> Kept<bool> {
        let prefix = join([vat_id, ".c."]);
        let exports = join([&prefix, "o+"]);
        let mut prior = exports.clone();
        while let Some(key) = self.store.next_key(&prior, &exports)? {
            let vref = key.get(prefix.len()..).ok_or(Fault("a c-list key is malformed"))?;
            if !room.see() {
                return Ok(false);
            }
            if vref != "o+0" && !vref.starts_with("o+d") {
                if !room.end(1) {
                    return Ok(false);
                }
                let kref = self.store.get_text(&key)?.map(String::from);
                let kref = kref.ok_or(Fault("a c-list entry to delete is missing"))?;
                self.delete_entry(vat_id, &kref)?;
                self.orphan(&kref)?;
            }
            prior = key;
        }
        Ok(true)
    }
}

fn failure(verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Alive => None,
        Verdict::Exited(_) => Some(String::from("exit")),
        Verdict::Undone(reason, _) => Some(reason),
    }
}
