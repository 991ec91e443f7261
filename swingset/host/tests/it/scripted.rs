//! Raw vats that make given syscalls at their first, second, … delivery. How many they had is in their memory.

use std::fmt::Write;

use swingset_abi::{
    vat::{CapData, Resolution, VatSyscall},
    wire::{Blob, Wire},
};

use crate::support::{escaped, wat};

/// What a delivery does.
#[derive(Clone, Debug)]
pub enum Do {
    Call(VatSyscall),
    Trap,
    /// Grows the memory by a page, or fails to.
    Grow,
    /// Writes a number, zero too, anywhere in the memory above its first three pages.
    Write {
        at: u32,
        value: u32,
    },
}

/// A module with this script; later deliveries do nothing.
pub fn scripted(script: &[Vec<Do>]) -> Vec<u8> {
    let (mut data, mut code, mut address) = (String::new(), String::new(), 1024);
    for (number, deeds) in script.iter().enumerate() {
        let mut body = String::new();
        for deed in deeds {
            match deed {
                Do::Trap => body.push_str("unreachable "),
                Do::Grow => body.push_str("(drop (memory.grow (i32.const 1))) "),
                Do::Write { at, value } => write!(
                    body,
                    "(i32.store (i32.add (i32.const 196608) (i32.rem_u (i32.const {at})
                      (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 196612)))) (i32.const {value})) "
                )
                .unwrap(),
                Do::Call(syscall) => {
                    let bytes = syscall.to_bytes();
                    writeln!(data, "(data (i32.const {address}) \"{}\")", escaped(&bytes)).unwrap();
                    let length = bytes.len();
                    write!(
                        body,
                        "(drop (call $call (i32.const {address}) (i32.const {length}) (i32.const 60000) (i32.const 4096))) "
                    )
                    .unwrap();
                    address += length;
                }
            }
        }
        writeln!(code, "(if (i32.eq (local.get $n) (i32.const {number})) (then {body}))").unwrap();
    }
    wat(&format!(
        r#"(module
          (import "vat" "call" (func $call (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 4 16)
          {data}
          (func (export "vat_alloc") (param i32) (result i32) (i32.const 131072))
          (func (export "vat_deliver") (param i32 i32) (local $n i32)
            (local.set $n (i32.load (i32.const 0)))
            (i32.store (i32.const 0) (i32.add (local.get $n) (i32.const 1)))
            {code}))"#
    ))
}

fn data(body: &str, slots: &[&str]) -> CapData {
    CapData { body: body.to_owned(), slots: slots.iter().map(|slot| (*slot).to_owned()).collect() }
}

pub fn send(target: &str, methargs: &str, slots: &[&str], result: Option<&str>) -> Do {
    Do::Call(VatSyscall::Send {
        target: target.to_owned(),
        methargs: data(methargs, slots),
        result: result.map(str::to_owned),
    })
}

pub fn settle(promise: &str, body: &str) -> Do {
    let resolutions = vec![Resolution { promise: promise.to_owned(), rejected: false, data: data(body, &[]) }];
    Do::Call(VatSyscall::Resolve { resolutions })
}

pub fn subscribe(promise: &str) -> Do {
    Do::Call(VatSyscall::Subscribe { promise: promise.to_owned() })
}

pub fn call(device: &str, method: &str, args: &str) -> Do {
    Do::Call(VatSyscall::CallNow { target: device.to_owned(), method: method.to_owned(), args: data(args, &[]) })
}

pub fn keep(key: &str, value: &str) -> Do {
    Do::Call(VatSyscall::VatstoreSet { key: key.to_owned(), value: Blob(value.into()) })
}
