//! Values as texts: how they serialize, and texts of a fixed length.

use std::ops::Range;

use time::Date;

/// Implements `Serialize` by a text, with the feature `serde`.
macro_rules! serialize {
    ($($type:ty: |$value:ident| $text:expr),+ $(,)?) => {$(
        #[cfg(feature = "serde")]
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let $value = self;
                to.serialize_str($text)
            }
        }
    )+};
}

/// Implements `Display` and `Serialize` for values that have a `text`.
macro_rules! fixed {
    ($($type:ty),+ $(,)?) => {$(
        crate::text_form::serialize!($type: |value| value.text().as_str());

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.text().as_str())
            }
        }
    )+};
}

pub(crate) use {fixed, serialize};

/// An ASCII text whose length is always the same. It needs no memory of its own, which counts where
/// a page has hundreds of them.
#[derive(Clone, Copy)]
pub(crate) struct Fixed<const LENGTH: usize>([u8; LENGTH]);

impl<const LENGTH: usize> Fixed<LENGTH> {
    /// What is the same in every such text.
    pub(crate) const fn new(text: [u8; LENGTH]) -> Self {
        Self(text)
    }

    /// With the last decimal digits of a number at a place.
    pub(crate) fn with(mut self, place: Range<usize>, mut number: u64) -> Self {
        for digit in self.0[place].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self
    }

    /// With the digits of a day, at the places of `YYYY-MM-DD`.
    pub(crate) fn with_date(self, date: Date) -> Self {
        let (year, month, day) = date.to_calendar_date();
        self.with(0..4, year.unsigned_abs().into())
            .with(5..7, (month as u8).into())
            .with(8..10, day.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        // It is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}
