//! Serializes values as their texts.

/// Implements `Serialize` by `Display`, with the feature `serde`.
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
