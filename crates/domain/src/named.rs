//! One way to give the values of an enum the names they have on the wire and in the database.

/// Implements `ALL`, `as_str`, `Display` and `FromStr` for an enum of plain variants.
macro_rules! named {
    ($type:ident, $unknown:ident, $kind:literal, { $($variant:ident => $name:literal,)+ }) => {
        impl $type {
            /// Every value, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, as it stands on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        crate::text_form::serialize!($type);

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        #[doc = concat!("The text names no ", $kind, ".")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error("must be one of {}", [$($name),+].join(", "))]
        pub struct $unknown;

        impl std::str::FromStr for $type {
            type Err = $unknown;

            fn from_str(text: &str) -> Result<Self, $unknown> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($unknown),
                }
            }
        }
    };
}

pub(crate) use named;
