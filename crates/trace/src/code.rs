//! Stable codes, and the numbers that go with them.
//!
//! Each variant of the engine's enums, and of the trace's own, has a kebab-case code that never
//! changes its meaning and is unique within its enum; nested causes have codes of their own
//! (`retransmission-timeout`), so one word says the whole reason. The tables in here are exhaustive:
//! a new variant does not compile until it has a code.
//!
//! Units are part of the key: `_ns` is nanoseconds. Counts of octets are plain.

mod engine;
mod facts;
mod textbook;

/// Something that has a stable code.
pub trait Coded {
    /// The code: lower case words joined by hyphens.
    fn code(&self) -> &'static str;
}

/// Gives codes to the variants of an enum, and names to the numbers inside them.
macro_rules! codes {
    ($type:ty { $( $variant:ident $({ $($field:ident : $key:literal),* $(,)? })? => $code:literal, )* }) => {
        impl $crate::code::Coded for $type {
            fn code(&self) -> &'static str {
                match self { $( Self::$variant { .. } => $code, )* }
            }
        }

        impl $crate::json::Codec for $type {
            fn put(&self, out: &mut $crate::json::Object) {
                match self { $( Self::$variant { $($($field),*)? } => { $($( out.field($key, $field); )*)? } )* }
                let _ = out;
            }

            fn take(
                code: &str,
                from: &$crate::json::Fields<'_>,
            ) -> Result<Option<Self>, $crate::json::Fault> {
                let _ = from;
                Ok(Some(match code {
                    $( $code => Self::$variant { $($($field: from.get($key)?),*)? }, )*
                    _ => return Ok(None),
                }))
            }
        }
    };
}

/// Lets an enum be the value of a field: as its code alone, or as an object with its numbers.
macro_rules! fields_of_codes {
    (alone: $($alone:ty),* $(,)?) => { $(
        impl $crate::json::Field for $alone {
            fn write(&self, out: &mut alloc::string::String) {
                $crate::json::write_text($crate::code::Coded::code(self), out);
            }

            fn read(value: &serde_json::Value) -> Option<Self> {
                let none = serde_json::Map::new();
                <Self as $crate::json::Codec>::take(value.as_str()?, &$crate::json::Fields::new(&none)).ok()?
            }
        }
    )* };
    (object: $($object:ty),* $(,)?) => { $(
        impl $crate::json::Field for $object {
            fn write(&self, out: &mut alloc::string::String) {
                let mut inner = $crate::json::Object::with_code($crate::code::Coded::code(self));
                $crate::json::Codec::put(self, &mut inner);
                out.push_str(&inner.finish());
            }

            fn read(value: &serde_json::Value) -> Option<Self> {
                let fields = $crate::json::Fields::new(value.as_object()?);
                <Self as $crate::json::Codec>::take(fields.text("code").ok()?, &fields).ok()?
            }
        }
    )* };
}

pub(crate) use codes;
pub(crate) use fields_of_codes;

#[cfg(test)]
pub(crate) mod tests;
