//! A raw vat that returns balls, for measuring deliveries without a supervisor. Two of them play: one under the name
//! `bootstrap`, one under the name `pong`.
//!
//! `bootstrap({…, pong}, …)` makes the partners known to each other; `serve(n)` plays a ball that is hit `n` times.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use swingset_vat_sdk::{
    abi::vat::{CapData, VatDelivery},
    raw::{RawVat, send},
};

/// The player.
#[derive(Debug, Default)]
pub struct Player {
    partner: Option<String>,
}

impl RawVat for Player {
    fn deliver(&mut self, delivery: VatDelivery) {
        let VatDelivery::Message {
            methargs: CapData { body, slots },
            ..
        } = delivery
        else {
            return;
        };
        let Some((method, args)) = body.strip_prefix("#[\"").and_then(|rest| rest.split_once("\",[")) else {
            return;
        };
        let count = || args.split(']').next().and_then(|count| count.parse::<u64>().ok());
        match method {
            "bootstrap" => {
                let index = args
                    .split_once("\"pong\":\"$")
                    .and_then(|(_, rest)| rest.split(['.', '"']).next()?.parse::<usize>().ok());
                self.partner = index.and_then(|index| slots.get(index).cloned());
                if let Some(partner) = &self.partner {
                    let body = String::from("#[\"meet\",[\"$0.Alleged: player\"]]");
                    send(
                        partner,
                        CapData {
                            body,
                            slots: Vec::from([String::from("o+0")]),
                        },
                    );
                }
            }
            "meet" => self.partner = slots.into_iter().next(),
            "serve" => self.hit(count()),
            "ball" => self.hit(count().and_then(|count| count.checked_sub(1))),
            _ => {}
        }
    }
}

impl Player {
    fn hit(&self, count: Option<u64>) {
        if let (Some(partner), Some(count)) = (&self.partner, count)
            && count > 0
        {
            let mut body = String::from("#[\"ball\",[");
            body.push_str(&count.to_string());
            body.push_str("]]");
            send(
                partner,
                CapData {
                    body,
                    slots: Vec::new(),
                },
            );
        }
    }
}

swingset_vat_sdk::raw_vat!(Player);
