//! The macros that make a vat of Rust types.

/// Writes [`crate::Object`] for a type from a list of methods.
///
/// Arguments and results are any types that can be taken from and made into values ([`crate::FromValue`], [`crate::IntoValue`]);
/// a method may return a `Result`, whose error rejects the caller's promise, or a [`crate::Promise`], which the result follows.
/// An argument that is missing is taken as nothing, which `Option` and [`crate::Value`] accept.
///
/// An `async fn` takes, in place of `&mut self`, a name for an [`crate::Own`] reference to the object, since others may call the
/// object while it waits; it works on the object by [`crate::Own::with`].
///
/// ```
/// use swingset_vat_sdk::prelude::*;
///
/// struct Shop {
///     sold: u64,
/// }
///
/// methods! {
///     impl Shop as "Shop" {
///         fn sold(&mut self) -> u64 {
///             self.sold
///         }
///         async fn buy(this, purse: Far, price: u64) -> Result<u64, Error> {
///             let payment = E(&purse).call("withdraw", (price,)).await?;
///             E(&payment.far()?).call("burn", ()).await?;
///             this.with(|shop| {
///                 shop.sold += 1;
///                 shop.sold
///             })
///         }
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! methods {
    (impl $type:ty as $interface:literal { $($methods:tt)* }) => {
        $crate::methods! { @items [$type] $($methods)* }

        impl $crate::Object for $type {
            fn interface(&self) -> &'static str {
                $interface
            }

            #[allow(unused_mut, unused_variables, reason = "a type may have no methods")]
            fn call(&mut self, method: &str, mut args: $crate::Args) -> $crate::Answer {
                $crate::methods! { @arms self method args [$type] $($methods)* }
                $crate::runtime::no_method($interface, method)
            }
        }
    };

    (@items [$type:ty]) => {};
    (@items [$type:ty]
        $(#[$meta:meta])*
        fn $name:ident(&mut $self:ident $(, $arg:ident: $arg_type:ty)* $(,)?) $(-> $result:ty)? $body:block
        $($rest:tt)*
    ) => {
        #[allow(non_snake_case, reason = "message names are JavaScript's")]
        impl $type {
            $(#[$meta])*
            fn $name(&mut $self $(, $arg: $arg_type)*) $(-> $result)? $body
        }
        $crate::methods! { @items [$type] $($rest)* }
    };
    (@items [$type:ty]
        $(#[$meta:meta])*
        async fn $name:ident($this:ident $(, $arg:ident: $arg_type:ty)* $(,)?) $(-> $result:ty)? $body:block
        $($rest:tt)*
    ) => {
        #[allow(non_snake_case, reason = "message names are JavaScript's")]
        impl $type {
            $(#[$meta])*
            async fn $name($this: $crate::Own<$type> $(, $arg: $arg_type)*) $(-> $result)? $body
        }
        $crate::methods! { @items [$type] $($rest)* }
    };

    (@arms $self:ident $method:ident $args:ident [$type:ty]) => {};
    (@arms $self:ident $method:ident $args:ident [$type:ty]
        $(#[$meta:meta])*
        fn $name:ident(&mut $own:ident $(, $arg:ident: $arg_type:ty)* $(,)?) $(-> $result:ty)? $body:block
        $($rest:tt)*
    ) => {
        if $method == stringify!($name) {
            $crate::methods! { @take $args $($arg: $arg_type),* }
            return $crate::IntoAnswer::into_answer($self.$name($($arg),*));
        }
        $crate::methods! { @arms $self $method $args [$type] $($rest)* }
    };
    (@arms $self:ident $method:ident $args:ident [$type:ty]
        $(#[$meta:meta])*
        async fn $name:ident($this:ident $(, $arg:ident: $arg_type:ty)* $(,)?) $(-> $result:ty)? $body:block
        $($rest:tt)*
    ) => {
        if $method == stringify!($name) {
            $crate::methods! { @take $args $($arg: $arg_type),* }
            let this = $crate::Own::<$type>::current();
            return $crate::Answer::later(<$type>::$name(this $(, $arg)*));
        }
        $crate::methods! { @arms $self $method $args [$type] $($rest)* }
    };

    (@take $args:ident $($arg:ident: $arg_type:ty),*) => {
        $( let $arg: $arg_type = match $args.take(stringify!($arg)) {
            Ok(value) => value,
            Err(error) => return $crate::Answer::Rejected(error.into()),
        }; )*
        if let Err(error) = $args.end() {
            return $crate::Answer::Rejected(error.into());
        }
    };
}

/// Declares a struct that can be passed and stored as a record. A field with `= default` may be missing.
///
/// ```
/// use swingset_vat_sdk::prelude::*;
///
/// record! {
///     /// A price.
///     #[derive(Debug, PartialEq)]
///     pub struct Price { amount: u64, currency: String, discount: u64 = 0 }
/// }
///
/// let value = Price { amount: 5, currency: String::from("moola"), discount: 1 }.into_value();
/// assert_eq!(Price::from_value(value).map(|price| price.amount), Ok(5));
/// ```
#[macro_export]
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $( $(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty $(= $default:expr)? ),* $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name { $( $(#[$field_meta])* $field_vis $field: $type ),* }

        impl $crate::IntoValue for $name {
            fn into_value(self) -> $crate::Value {
                $crate::Value::Record($crate::rt_vec![
                    $( ($crate::RtString::from(stringify!($field)), $crate::IntoValue::into_value(self.$field)) ),*
                ])
            }
        }

        impl $crate::FromValue for $name {
            #[allow(unused_mut, unused_variables, reason = "a record may have no fields")]
            fn from_value(value: $crate::Value) -> Result<Self, $crate::Error> {
                let mut fields = $crate::Fields::of(value)?;
                Ok($name { $( $field: {
                    #[allow(unused_assignments, unused_mut, reason = "only where there is a default")]
                    let mut default: Option<$type> = None;
                    $( default = Some($default); )?
                    fields.read(stringify!($field), default)?
                } ),* })
            }
        }
    };
}

/// Declares a kind of objects whose state lies in the vatstore: `durable` ones outlive an upgrade of the vat, `virtual` ones do not.
/// Objects are made by [`crate::make`]; their methods come from [`crate::methods!`], and see the state as fields of `self`. What a
/// method changes is written when its event ends. A state is one value, and not too large: see [`crate::make`].
///
/// A later version of the code may add fields, each with `= default` for the objects that were made before.
///
/// ```
/// use swingset_vat_sdk::prelude::*;
///
/// kind! {
///     /// A purse.
///     pub durable struct Purse as "Purse" { balance: u64, note: String = String::new() }
/// }
///
/// methods! {
///     impl Purse as "Purse" {
///         fn balance(&mut self) -> u64 {
///             self.balance
///         }
///         fn deposit(&mut self, amount: u64, from: Own<Purse>) -> Result<u64, Error> {
///             from.with(|from| {
///                 from.balance = from.balance.checked_sub(amount).ok_or("not enough")?;
///                 Ok::<_, Error>(())
///             })??;
///             self.balance += amount;
///             Ok(self.balance)
///         }
///     }
/// }
///
/// fn start(_parameters: Value) -> Purse {
///     Purse { balance: 0, note: String::new() }
/// }
///
/// vat!(start, kinds: [Purse]);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! kind {
    ($(#[$meta:meta])* $vis:vis durable struct $name:ident as $kind:literal $fields:tt) => {
        $crate::kind! { @state [$(#[$meta])* $vis] $name $kind true $fields }
    };
    ($(#[$meta:meta])* $vis:vis virtual struct $name:ident as $kind:literal $fields:tt) => {
        $crate::kind! { @state [$(#[$meta])* $vis] $name $kind false $fields }
    };
    (@state [$(#[$meta:meta])* $vis:vis] $name:ident $kind:literal $durable:literal {
        $( $(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty $(= $default:expr)? ),* $(,)?
    }) => {
        $crate::record! {
            $(#[$meta])*
            #[derive(Clone, Debug)]
            $vis struct $name { $( $(#[$field_meta])* $field_vis $field: $type $(= $default)? ),* }
        }

        impl $crate::Kind for $name {
            const NAME: &'static str = $kind;
            const DURABLE: bool = $durable;

            fn to_state(&self) -> $crate::Value {
                $crate::IntoValue::into_value(self.clone())
            }

            fn from_state(state: $crate::Value) -> Result<Self, $crate::Error> {
                $crate::FromValue::from_value(state)
            }
        }
    };
}

/// Declares a type for references to objects elsewhere, with a method for each of theirs. A method sends a message and gives a
/// [`crate::Pending`] result: wait for it with `.await`, or go on with it at once where it is a reference ([`crate::Pending::eventually`]).
///
/// ```
/// use swingset_vat_sdk::prelude::*;
///
/// remote! {
///     /// A purse, wherever it is.
///     pub struct PurseRef {
///         fn balance() -> u64;
///         fn withdraw(amount: u64) -> PurseRef;
///         fn deposit(amount: u64, from: &PurseRef) -> u64;
///     }
/// }
///
/// async fn pay(from: PurseRef, to: PurseRef) -> Result<u64, Error> {
///     // Both messages go out at once: the second follows the first's result to wherever it is.
///     let payment = from.withdraw(5).eventually();
///     to.deposit(5, &payment).await
/// }
/// ```
#[macro_export]
macro_rules! remote {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $( $(#[$method_meta:meta])* fn $method:ident($($arg:ident: $arg_type:ty),* $(,)?) $(-> $result:ty)?; )*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name($crate::Reference);

        #[allow(non_snake_case, dead_code, missing_docs, reason = "message names are JavaScript's; not all are used everywhere")]
        impl $name { $(
            $(#[$method_meta])*
            $vis fn $method(&self $(, $arg: $arg_type)*) -> $crate::Pending<$crate::remote!(@result $($result)?)> {
                $crate::Pending::of($crate::E(self).call(stringify!($method), ($($arg,)*)))
            }
        )* }

        impl $crate::Remote for $name {
            fn from_reference(reference: $crate::Reference) -> Self {
                $name(reference)
            }

            fn reference(&self) -> &$crate::Reference {
                &self.0
            }
        }

        impl $crate::Target for $name {
            fn target(&self) -> $crate::abi::supervisor::SlotHandle {
                $crate::Target::target(&self.0)
            }
        }

        impl $crate::IntoValue for $name {
            fn into_value(self) -> $crate::Value {
                $crate::IntoValue::into_value(self.0)
            }
        }

        impl $crate::IntoValue for &$name {
            fn into_value(self) -> $crate::Value {
                $crate::IntoValue::into_value(self.0.clone())
            }
        }

        impl $crate::FromValue for $name {
            fn from_value(value: $crate::Value) -> Result<Self, $crate::Error> {
                Ok($name($crate::FromValue::from_value(value)?))
            }
        }
    };
    (@result) => { () };
    (@result $result:ty) => { $result };
}

/// Makes the module a vat: `start` takes the parameters and gives the root object, or a `Result` of it. Every kind of stored objects
/// that the vat has or had must be in the list.
#[macro_export]
macro_rules! vat {
    ($start:ident) => {
        $crate::vat!($start, kinds: []);
    };
    ($start:ident, kinds: [$($kind:ty),* $(,)?]) => {
        /// Takes an event, in native tests.
        #[cfg(not(target_arch = "wasm32"))]
        pub fn vat_deliver(event: &[u8]) {
            $crate::event::handle(event, || { $( $crate::runtime::define::<$kind>(); )* }, $start);
        }

        #[cfg(target_arch = "wasm32")]
        mod vat_exports {
            #[allow(unused_imports, reason = "for the kinds")]
            use super::*;

            /// Room for an event.
            #[unsafe(no_mangle)]
            #[allow(unsafe_code, reason = "an export's name is outside the compiler's sight")]
            extern "C" fn vat_alloc(length: usize) -> *mut u8 {
                $crate::rt::buffer::give(length)
            }

            /// Takes an event.
            #[unsafe(no_mangle)]
            #[allow(unsafe_code, reason = "the host passes raw memory")]
            extern "C" fn vat_deliver(start: *mut u8, length: usize) {
                // SAFETY: the host got `start` from `vat_alloc(length)`, filled it and passes it once.
                let event = unsafe { $crate::rt::buffer::take(start, length) };
                $crate::event::handle(&event, || { $( $crate::runtime::define::<$kind>(); )* }, super::$start);
            }
        }
    };
}
