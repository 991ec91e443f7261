//! The tutorial's vat: a shop that sells tickets for events. `docs/tutorial.md` explains it step by step; the text between two
//! `// tutorial:` lines here is the code in it, which a test compares.
#![cfg_attr(target_arch = "wasm32", no_std)]

// tutorial: header
use swingset_vat_sdk::prelude::*;
// tutorial: end

// tutorial: remote
remote! {
    /// A purse, as the mint of this repository makes them.
    pub struct Purse {
        fn balance() -> u64;
        fn deposit(amount: u64, from: &Purse) -> u64;
    }
}

remote! {
    /// The service of the timer vat.
    pub struct TimerService {
        fn delay(seconds: u64) -> u64;
    }
}
// tutorial: end

// tutorial: kinds
record! {
    /// What a ticket is for.
    #[derive(Clone, Debug)]
    pub struct Seat { event: String, number: u64 }
}

kind! {
    /// Proof that somebody may come in, once.
    pub durable struct Ticket as "Ticket" { seat: Seat, used: bool }
}

methods! {
    impl Ticket as "Ticket" {
        /// The seat that it is for.
        fn seat(&mut self) -> Seat {
            self.seat.clone()
        }
    }
}
// tutorial: end

// tutorial: shop
kind! {
    /// The shop's books. `sold` has a ticket by event and seat number; `takings` is where the money goes.
    pub durable struct Books as "Books" {
        price: u64,
        takings: Option<Purse>,
        sold: MapStore<String, Own<Ticket>>,
        next: u64 = 1,
    }
}

methods! {
    impl Books as "Books" {}
}

/// The root object. It is made anew in every incarnation, so that it keeps only where the books are.
#[derive(Debug)]
pub struct Shop {
    books: Own<Books>,
}

fn start(_parameters: Value) -> Result<Shop, Error> {
    let books = baggage().provide("books", || {
        make(Books {
            price: 10,
            takings: None,
            sold: MapStore::durable("sold tickets"),
            next: 1,
        })
    })?;
    Ok(Shop { books })
}

vat!(start, kinds: [Ticket, Books]);
// tutorial: end

// tutorial: methods
methods! {
    impl Shop as "Shop" {
        /// Where the money goes from now on.
        fn open(&mut self, takings: Purse) -> Result<(), Error> {
            self.books.with(|books| books.takings = Some(takings))
        }

        /// A ticket for an event, for money. The payment is a purse with the price in it.
        async fn buy(this, event: String, payment: Purse) -> Result<Own<Ticket>, Error> {
            if event.len() > 100 {
                return Err(Error::new("an event's name is at most 100 bytes long"));
            }
            let books = this.with(|shop| shop.books.clone())?;
            let (price, takings) = books.with(|books| (books.price, books.takings.clone()))?;
            let takings = takings.ok_or("the shop is closed")?;
            takings.deposit(price, &payment).await?;
            books.with(|books| {
                let seat = Seat { event, number: books.next };
                books.next += 1;
                let key = format!("{}/{}", seat.event, seat.number);
                let ticket = make(Ticket { seat, used: false });
                books.sold.init(key, &ticket)?;
                Ok(ticket)
            })?
        }

        /// Lets the holder of a ticket in, once. Only a ticket of this shop is accepted.
        fn enter(&mut self, ticket: Own<Ticket>) -> Result<u64, Error> {
            ticket.with(|ticket| {
                if core::mem::replace(&mut ticket.used, true) {
                    return Err(Error::new("the ticket was used already"));
                }
                Ok(ticket.seat.number)
            })?
        }

        /// What is sold, in order: the first hundred, or those after the last one of the page before.
        fn sold(&mut self, after: Option<String>) -> Result<Vec<String>, Error> {
            let sold = self.books.with(|books| books.sold.clone())?;
            let entries = match after {
                Some(last) => sold.iter_after(last)?,
                None => sold.iter(),
            };
            entries.take(100).map(|entry| entry.map(|(key, _)| key)).collect()
        }

        /// How much money came in: the takings' own answer.
        fn takings(&mut self) -> Result<Pending<u64>, Error> {
            let takings = self.books.with(|books| books.takings.clone())?;
            Ok(takings.ok_or("the shop is closed")?.balance())
        }

        /// Closes the shop in so many seconds; answers then, with the time.
        async fn close(this, seconds: u64, timer: TimerService) -> Result<u64, Error> {
            let now = timer.delay(seconds).await?;
            let books = this.with(|shop| shop.books.clone())?;
            books.with(|books| books.takings = None)?;
            Ok(now)
        }
    }
}
// tutorial: end
