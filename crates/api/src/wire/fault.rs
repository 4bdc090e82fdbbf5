//! The code of each way a value can be wrong, for programs; its sentence comes from the domain.

use std::fmt::Display;

use timelog_domain::{
    InvalidDuration, InvalidGroupBy, InvalidId, InvalidRemark, InvalidSort, InvalidText,
    InvalidWorkDate, UnknownName,
};

/// Says what kind of wrong a value is.
pub(crate) trait Fault: Display {
    /// The `code` of a violation.
    fn code(&self) -> &'static str;
}

impl Fault for InvalidId {
    fn code(&self) -> &'static str {
        "invalid_id"
    }
}

macro_rules! unknown_values {
    ($($type:ty),+) => {$(
        impl Fault for $type {
            fn code(&self) -> &'static str {
                "unknown_value"
            }
        }
    )+};
}

unknown_values!(UnknownName, InvalidSort, InvalidGroupBy);

impl Fault for InvalidWorkDate {
    fn code(&self) -> &'static str {
        "invalid_date"
    }
}

impl Fault for InvalidText {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::Blank => "blank",
            Self::Nul => "invalid_character",
        }
    }
}

impl Fault for InvalidRemark {
    fn code(&self) -> &'static str {
        match self {
            Self::ReasonMissing | Self::InvoiceRefMissing => "required",
            Self::Reason(text) | Self::InvoiceRef(text) => text.code(),
        }
    }
}

impl Fault for InvalidDuration {
    fn code(&self) -> &'static str {
        match self {
            Self::MinutesOutOfRange | Self::HoursOutOfRange => "out_of_range",
            Self::HoursMalformed => "invalid_hours",
            Self::Missing => "required",
            Self::HoursDisagree => "disagrees",
        }
    }
}

impl Fault for std::convert::Infallible {
    fn code(&self) -> &'static str {
        match *self {}
    }
}
