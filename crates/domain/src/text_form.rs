//! One way for values that have a text to serialize as that text.

/// Implements `Serialize` by `Display`, where the feature `serde` asks for it.
macro_rules! serialize {
    ($($type:ty),+ $(,)?) => {$(
        #[cfg(feature = "serde")]
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
    )+};
}

pub(crate) use serialize;
