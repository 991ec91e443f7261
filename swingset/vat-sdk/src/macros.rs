//! The macros that make a vat of Rust types.

/// Writes [`crate::Object`] for a type from a list of methods; arguments and results are any types that can be taken from and
/// made into values, and a method may return a `Result` or a `Promise`.
#[macro_export]
macro_rules! methods {
    (impl $type:ty as $interface:literal { $(
        $(#[$meta:meta])*
        fn $name:ident(&mut $self:ident $(, $arg:ident: $arg_type:ty)* $(,)?) $(-> $result:ty)? $body:block
    )* }) => {
        impl $type { $(
            $(#[$meta])*
            fn $name(&mut $self $(, $arg: $arg_type)*) $(-> $result)? $body
        )* }

        impl $crate::Object for $type {
            fn interface(&self) -> &'static str {
                $interface
            }

            fn call(&mut self, method: &str, mut args: $crate::Args) -> $crate::Answer {
                match method {
                    $( stringify!($name) => {
                        $( let $arg: $arg_type = match args.take(stringify!($arg)) {
                            Ok(value) => value,
                            Err(error) => return $crate::Answer::Rejected(error.into()),
                        }; )*
                        if let Err(error) = args.end() {
                            return $crate::Answer::Rejected(error.into());
                        }
                        $crate::IntoAnswer::into_answer(self.$name($($arg),*))
                    } )*
                    other => $crate::runtime::no_method($interface, other),
                }
            }
        }
    };
}

/// Makes the module a vat: `start` takes the parameters and gives the root object.
#[macro_export]
macro_rules! vat {
    ($start:ident) => {
        /// Takes an event, in native tests.
        #[cfg(not(target_arch = "wasm32"))]
        pub fn vat_deliver(event: &[u8]) {
            $crate::runtime::handle(event, $start);
        }

        #[cfg(target_arch = "wasm32")]
        mod vat_exports {
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
                $crate::runtime::handle(&event, super::$start);
            }
        }
    };
}
