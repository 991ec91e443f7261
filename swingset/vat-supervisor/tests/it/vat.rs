//! The vats that the tests run: a shop, and the shop's next version.

use swingset_vat_sdk::prelude::*;

kind! {
    /// A durable object with references.
    pub durable struct Item as "Item" { name: String, count: u64, other: Option<Value> }
}

methods! {
    impl Item as "Item" {
        fn name(&mut self) -> String {
            self.name.clone()
        }
        fn count(&mut self) -> u64 {
            self.count += 1;
            self.count
        }
        fn refer(&mut self, other: Value) {
            self.other = match other {
                Value::Undefined => None,
                other => Some(other),
            };
        }
        fn other(&mut self) -> Option<Value> {
            self.other.clone()
        }
        async fn rename(this, namer: Far) -> Result<String, Error> {
            let name = E(&namer).call("name", ()).await?.text()?;
            this.with(|item| core::mem::replace(&mut item.name, name))
        }
    }
}

kind! {
    /// A virtual one.
    pub virtual struct Ticket as "Ticket" { number: u64, holder: Option<Value> }
}

methods! {
    impl Ticket as "Ticket" {
        fn number(&mut self) -> u64 {
            self.number
        }
    }
}

/// An object in memory.
pub struct Note;

methods! {
    impl Note as "Note" {
        fn name(&mut self) -> String {
            String::from("note")
        }
    }
}

remote! {
    /// A bank elsewhere.
    pub struct Bank {
        fn open(owner: &str) -> Account;
    }
}

remote! {
    /// An account there.
    pub struct Account {
        fn put(amount: u64) -> u64;
    }
}

/// The root. What it holds in memory ends with the incarnation.
#[derive(Default)]
pub struct Shop {
    kept: Vec<Value>,
}

fn collection(name: &str) -> Result<MapStore<Value, Value>, Error> {
    baggage().provide(name, || MapStore::durable(name))
}

methods! {
    impl Shop as "Shop" {
        fn item(&mut self, name: String) -> Own<Item> {
            make(Item { name, count: 0, other: None })
        }
        fn ticket(&mut self, number: u64, holder: Value) -> Own<Ticket> {
            make(Ticket { number, holder: Some(holder) })
        }
        fn note(&mut self) -> Far {
            export(Note)
        }
        fn keep(&mut self, value: Value) {
            self.kept.push(value);
        }
        fn forget(&mut self) {
            self.kept.clear();
        }
        fn put_away(&mut self, name: String, value: Value) -> Result<(), Error> {
            baggage().set(&name, value)
        }
        fn fetch(&mut self, name: String) -> Result<Option<Value>, Error> {
            baggage().get(&name)
        }
        fn take_away(&mut self, name: String) -> Result<bool, Error> {
            baggage().delete(&name)
        }
        fn incarnation(&mut self) -> u64 {
            swingset_vat_sdk::incarnation()
        }

        fn set(&mut self, map: String, key: Value, value: Value) -> Result<u64, Error> {
            let map = collection(&map)?;
            map.set(key, value)?;
            map.len()
        }
        fn init(&mut self, map: String, key: Value, value: Value) -> Result<(), Error> {
            collection(&map)?.init(key, value)
        }
        fn get(&mut self, map: String, key: Value) -> Result<Option<Value>, Error> {
            collection(&map)?.get(key)
        }
        fn delete(&mut self, map: String, key: Value) -> Result<u64, Error> {
            let map = collection(&map)?;
            map.delete(key)?;
            map.len()
        }
        fn keys(&mut self, map: String) -> Result<Vec<Value>, Error> {
            collection(&map)?.iter().map(|entry| entry.map(|(key, _)| key)).collect()
        }
        fn page(&mut self, map: String, after: Value, length: u64) -> Result<Vec<Value>, Error> {
            let entries = collection(&map)?.iter_after(after)?.take(length as usize);
            entries.map(|entry| entry.map(|(key, _)| key)).collect()
        }
        fn clear(&mut self, map: String) -> Result<u64, Error> {
            let map = collection(&map)?;
            map.clear()?;
            map.len()
        }
        fn fill(&mut self, map: String, count: u64) -> Result<u64, Error> {
            let map = collection(&map)?;
            for number in 0..count {
                map.set(number, number)?;
            }
            map.len()
        }
        fn temporary(&mut self, count: u64, value: Value) -> Result<MapStore<u64, Value>, Error> {
            let map: MapStore<u64, Value> = MapStore::temporary("t");
            for number in 0..count {
                map.set(number, value.clone())?;
            }
            Ok(map)
        }
        fn note_about(&mut self, object: Far, note: Value) -> Result<(), Error> {
            let notes: WeakMapStore<Value> = baggage().provide("notes", || WeakMapStore::durable("notes"))?;
            notes.set(object, note)
        }
        fn notes_about(&mut self, objects: Vec<Far>) -> Result<(), Error> {
            let notes: WeakMapStore<Value> = baggage().provide("notes", || WeakMapStore::durable("notes"))?;
            objects.iter().try_for_each(|object| notes.set(object, 0u8))
        }
        fn note_of(&mut self, object: Far) -> Result<Option<Value>, Error> {
            let notes: WeakMapStore<Value> = baggage().provide("notes", || WeakMapStore::durable("notes"))?;
            notes.get(object)
        }
        fn members(&mut self, add: Vec<Value>) -> Result<u64, Error> {
            let set: SetStore<Value> = baggage().provide("set", || SetStore::durable("set"))?;
            for member in add {
                set.add(member)?;
            }
            set.len()
        }
        fn scores(&mut self) -> Result<u64, Error> {
            let scores: MapStore<u64, u64> = baggage().provide("texts", || MapStore::<u64, u64>::durable("n"))?;
            scores.len()
        }
        fn texts(&mut self) -> Result<u64, Error> {
            let texts: MapStore<String, u64> = baggage().provide("texts", || MapStore::<String, u64>::durable("t"))?;
            texts.len()
        }

        async fn deposit(_this, bank: Bank, amount: u64) -> Result<u64, Error> {
            let account = bank.open("shop").eventually();
            let sum = account.put(amount).await?;
            Ok(sum + account.put(1).await?)
        }
        async fn both(this, left: Far, right: Far) -> Result<String, Error> {
            let (left, right) = (E(&left).call("name", ()), E(&right).call("name", ()));
            let names = format!("{}+{}", left.await?.text()?, right.await?.text()?);
            this.with(|shop| shop.kept.push(names.as_str().into_value()))?;
            Ok(names)
        }
        fn echo(&mut self, value: Value) -> Value {
            value
        }
        fn forward(&mut self, to: Far, value: Value) -> Promise {
            E(&to).call("take", (vec![value],))
        }
        fn tell(&mut self, to: Far, value: Value) {
            E(&to).tell("take", (vec![value],));
        }
        fn promises(&mut self, count: u64, value: Value) -> Vec<Promise> {
            let made = (0..count).map(|_| {
                let (promise, resolver) = Promise::make();
                resolver.resolve(value.clone());
                promise
            });
            made.collect()
        }
        async fn wait(this, promise: Promise) -> Result<(), Error> {
            this.with(|shop| shop.kept.push(promise.clone().into_value()))?;
            _ = promise.await;
            Ok(())
        }
        fn kept(&mut self) -> Vec<Value> {
            self.kept.clone()
        }
        fn is_self(&mut self, other: Own<Shop>) -> bool {
            other.is_current() && other.with(|_| ()).is_err()
        }
        async fn fails(_this) -> Result<u64, Error> {
            Err(Error::new("at once"))
        }
    }
}

fn start(_parameters: Value) -> Shop {
    Shop::default()
}

vat!(start, kinds: [Item, Ticket]);

/// The next version: items have gained a field, and there are no tickets.
pub mod next {
    use swingset_vat_sdk::prelude::*;

    kind! {
        pub durable struct Item as "Item" { name: String, count: u64, other: Option<Value>, colour: String = String::from("grey") }
    }

    methods! {
        impl Item as "Item" {
            fn describe(&mut self) -> String {
                format!("{} {} {}", self.colour, self.name, self.count)
            }
        }
    }

    pub struct Shop;

    methods! {
        impl Shop as "Shop" {
            fn fetch(&mut self, name: String) -> Result<Option<Value>, Error> {
                baggage().get(&name)
            }
            fn incarnation(&mut self) -> u64 {
                swingset_vat_sdk::incarnation()
            }
            fn item(&mut self, name: String) -> Own<Item> {
                make(Item { name, count: 0, other: None, colour: String::from("red") })
            }
            fn take_away(&mut self, name: String) -> Result<bool, Error> {
                baggage().delete(&name)
            }
        }
    }

    fn start(_parameters: Value) -> Shop {
        Shop
    }

    vat!(start, kinds: [Item]);
}

/// A version that has forgotten the items.
pub mod forgetful {
    use swingset_vat_sdk::prelude::*;

    pub struct Shop;

    methods! {
        impl Shop as "Shop" {}
    }

    fn start(_parameters: Value) -> Shop {
        Shop
    }

    vat!(start);
}
