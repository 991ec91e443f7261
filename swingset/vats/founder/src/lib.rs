//! A vat that makes other vats by vat administration, and objects that hold what they are given. For tests only; `bootstrap` of its own.
#![cfg_attr(target_arch = "wasm32", no_std)]

use swingset_vat_sdk::{
    devices::BundleCap,
    prelude::*,
    vat_admin::{AdminNode, Meter, NewVat, Upgraded, UpgradeOptions, VatAdmin, VatAdminService, VatOptions},
};

remote! {
    /// A vat of the code `stories`.
    pub struct Child {
        fn count() -> u64;
    }
}

kind! {
    /// A link of a chain, wherever the next one is.
    pub durable struct Link as "Link" { next: Option<Value> }
}

methods! {
    impl Link as "Link" {
        /// Holds another next link, or none, from now on.
        fn lead(&mut self, next: Option<Value>) {
            self.next = next;
        }
    }
}

/// What it has made.
#[derive(Clone, Debug)]
struct Made {
    child: Child,
    admin: AdminNode,
    meter: Meter,
}

/// The root object.
#[derive(Debug, Default)]
pub struct Founder {
    admin: Option<VatAdmin>,
    service: Option<VatAdminService>,
    made: Option<Made>,
    told: Vec<Value>,
}

impl Founder {
    fn service(&self) -> Result<VatAdminService, Error> {
        self.service.clone().ok_or(Error::new("begin first"))
    }

    fn made(&self) -> Result<Made, Error> {
        self.made.clone().ok_or(Error::new("no vat was made"))
    }
}

/// How something ended, as data.
fn ending(outcome: Result<Value, Value>) -> Value {
    match outcome {
        Ok(value) => vec!["ended".into_value(), value].into_value(),
        Err(reason) => vec!["failed".into_value(), reason].into_value(),
    }
}

methods! {
    impl Founder as "Founder" {
        fn bootstrap(&mut self, vats: Value, _devices: Value) -> Result<(), Error> {
            self.admin = Some(VatAdmin::from_value(vats.field("vatAdmin")?.clone())?);
            Ok(())
        }

        /// Gets the service that makes vats, once.
        async fn begin(this) -> Result<(), Error> {
            let admin = this.with(|founder| founder.admin.clone().ok_or("no vat administration"))??;
            let service = admin.createVatAdminService().await?;
            this.with(|founder| founder.service = Some(service))
        }

        /// Makes a vat under a meter of so much, and listens for both their ends. Gives the ID of its code.
        async fn found(this, bundle: String, remaining: u64, threshold: u64) -> Result<String, Error> {
            let service = this.with(|founder| founder.service())??;
            let code = service.getNamedBundleCap(&bundle).await?;
            let meter = service.createMeter(remaining, threshold).await?;
            let options = VatOptions { name: Some(bundle), meter: Some(meter.clone()), ..VatOptions::default() };
            let vat = service.createVat(&code, options).await?;
            let made = Made { child: vat.root_as(), admin: vat.admin.clone(), meter };
            this.with(|founder| founder.made = Some(made))?;
            spawn(listen(this, vat));
            code.bundle_id()
        }

        /// The child's count.
        fn count(&mut self) -> Result<Pending<u64>, Error> {
            Ok(self.made()?.child.count())
        }

        /// Gives the child other code; its incarnation.
        async fn upgrade(this, bundle: String, why: String) -> Result<u64, Error> {
            let (service, made) = this.with(|founder| Ok::<_, Error>((founder.service()?, founder.made()?)))??;
            let code = service.getNamedBundleCap(&bundle).await?;
            let options = UpgradeOptions { message: Some(why), ..UpgradeOptions::default() };
            let Upgraded { incarnation } = made.admin.upgrade(&code, options).await?;
            Ok(incarnation)
        }

        /// Makes a vat of this code, and upgrades the child to it: what became of each.
        async fn both(this, code: BundleCap) -> Result<Vec<String>, Error> {
            let (service, made) = this.with(|founder| Ok::<_, Error>((founder.service()?, founder.made()?)))??;
            let vat = service.createVat(&code, VatOptions::default()).await;
            let upgrade = made.admin.upgrade(&code, UpgradeOptions::default()).await;
            let words = [vat.map(|_| ()), upgrade.map(|_| ())];
            Ok(words.into_iter().map(|outcome| outcome.map_or_else(|error| error.message, |()| String::new())).collect())
        }

        /// The bundlecap of an ID.
        fn code(&mut self, id: String) -> Result<Pending<BundleCap>, Error> {
            Ok(self.service()?.getBundleCap(&id))
        }

        /// What the child's meter has left, after more was added.
        async fn refill(this, more: u64) -> Result<Option<u64>, Error> {
            let meter = this.with(|founder| founder.made())??.meter;
            meter.addRemaining(more).await?;
            Ok(meter.get().await?.remaining)
        }

        /// Ends the child.
        async fn end(this, reason: Value) -> Result<(), Error> {
            this.with(|founder| founder.made())??.admin.terminateWithFailure(reason).await
        }

        /// What was told of meters and ends.
        fn told(&mut self) -> Vec<Value> {
            core::mem::take(&mut self.told)
        }

        /// Lets go of the child and its meter.
        fn forget(&mut self) {
            self.made = None;
        }

        /// A link to another, or to none.
        fn link(&mut self, next: Option<Value>) -> Own<Link> {
            make(Link { next })
        }
    }
}

/// Notes the vat's end, and its meter's threshold.
async fn listen(founder: Own<Founder>, vat: NewVat) {
    let meter = founder.with(|founder| founder.made().map(|made| made.meter));
    if let Ok(Ok(meter)) = meter {
        let founder = founder.clone();
        spawn(async move {
            let Ok(notifier) = meter.getNotifier().await else { return };
            drop(meter);
            // The first answer comes at once, with the number to wait for.
            let Ok(first) = notifier.getUpdateSince(None).await else { return };
            let low = notifier.getUpdateSince(Some(first.update));
            // The meter lives no longer for being waited for.
            drop(notifier);
            let low = low.await.map(|update| update.update.into_value()).map_err(Value::from);
            let _ = founder.with(|founder| founder.told.push(vec!["meter".into_value(), ending(low)].into_value()));
        });
    }
    let done = vat.admin.done();
    drop(vat);
    let outcome = done.promise().await;
    let _ = founder.with(|founder| founder.told.push(ending(outcome)));
}

fn start(_parameters: Value) -> Founder {
    Founder::default()
}

vat!(start, kinds: [Link]);
