//! Stories between vats, a method each. For tests only; `bootstrap` of its own, so that one vat of this code knows all others.
#![cfg_attr(target_arch = "wasm32", no_std)]

use swingset_vat_sdk::prelude::*;

remote! {
    /// The mint's root.
    pub struct MintRoot {
        fn makeMint(name: &str) -> Mint;
    }
}

remote! {
    /// A mint.
    pub struct Mint {
        fn issue(amount: u64) -> Purse;
    }
}

remote! {
    /// A purse.
    pub struct Purse {
        fn balance() -> u64;
        fn deposit(amount: u64, from: &Purse) -> u64;
    }
}

remote! {
    /// Another vat of this code.
    pub struct Friend {
        fn gadget() -> Gadget;
        fn use_gadget(gadget: &Gadget) -> u64;
    }
}

remote! {
    /// Something that a friend has made.
    pub struct Gadget {
        fn press() -> u64;
    }
}

kind! {
    /// A durable thing to be pressed.
    pub durable struct Button as "Button" { pressed: u64 }
}

methods! {
    impl Button as "Button" {
        fn press(&mut self) -> u64 {
            self.pressed += 1;
            self.pressed
        }
    }
}

kind! {
    /// A virtual leaf that may refer to others.
    pub virtual struct Leaf as "Leaf" { number: u64, below: Vec<Value> }
}

methods! {
    impl Leaf as "Leaf" {
        fn number(&mut self) -> u64 {
            self.number
        }
    }
}

/// The root object.
#[derive(Debug, Default)]
pub struct Stories {
    vats: Option<Value>,
    kept: Vec<Value>,
}

impl Stories {
    fn vat<T: FromValue>(&self, name: &str) -> Result<T, Error> {
        T::from_value(self.vats.as_ref().ok_or("not introduced yet")?.field(name)?.clone())
    }
}

methods! {
    impl Stories as "Stories" {
        fn bootstrap(&mut self, vats: Value, _devices: Value) {
            self.vats = Some(vats);
        }

        /// Three messages at once, each to the result of the one before.
        fn pipeline(&mut self) -> Result<Pending<u64>, Error> {
            let mint: MintRoot = self.vat("mint")?;
            Ok(mint.makeMint("story").eventually().issue(7).eventually().balance())
        }

        /// Gives a friend what another friend has made, and says what came of it.
        async fn hand_over(this) -> Result<u64, Error> {
            let (b, c): (Friend, Friend) = this.with(|stories| Ok::<_, Error>((stories.vat("b")?, stories.vat("c")?)))??;
            let gadget = c.gadget().await?;
            b.use_gadget(&gadget).await
        }

        /// The same before the gadget is there.
        fn hand_over_early(&mut self) -> Result<Pending<u64>, Error> {
            let (b, c): (Friend, Friend) = (self.vat("b")?, self.vat("c")?);
            Ok(b.use_gadget(&c.gadget().eventually()))
        }

        fn gadget(&mut self) -> Own<Button> {
            make(Button { pressed: 0 })
        }

        async fn use_gadget(_this, gadget: Gadget) -> Result<u64, Error> {
            gadget.press().await?;
            gadget.press().await
        }

        /// A durable counter.
        fn count(&mut self) -> Result<u64, Error> {
            let button: Own<Button> = baggage().provide("button", || make(Button { pressed: 0 }))?;
            button.with(Button::press)
        }

        /// Sets keys and gives all in their order.
        fn sorted(&mut self, keys: Vec<Value>) -> Result<Vec<Value>, Error> {
            let map: MapStore<Value, u64> = baggage().provide("sorted", || MapStore::durable("sorted"))?;
            for (at, key) in keys.into_iter().enumerate() {
                map.set(key, at as u64)?;
            }
            map.iter().map(|entry| entry.map(|(key, _)| key)).collect()
        }

        fn unsort(&mut self) -> Result<bool, Error> {
            baggage().delete("sorted")
        }

        /// A tree of virtual objects and a map with them, kept in memory.
        fn grow(&mut self, leaves: u64) -> Result<(), Error> {
            let map: MapStore<u64, Own<Leaf>> = MapStore::temporary("tree");
            let mut below = Vec::new();
            for number in 0..leaves {
                let leaf = make(Leaf { number, below: below.clone() });
                map.set(number, &leaf)?;
                below = vec![leaf.into_value()];
            }
            self.kept.push(map.into_value());
            self.kept.extend(below);
            Ok(())
        }

        /// Forgets all trees.
        fn fell(&mut self) {
            self.kept.clear();
        }
    }
}

fn start(_parameters: Value) -> Stories {
    Stories::default()
}

vat!(start, kinds: [Button, Leaf]);
