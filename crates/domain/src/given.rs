//! A member of a request: absent, unreadable or a value.

/// One member of a request. The code that parses the request reports an unreadable member itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given<T> {
    /// The request does not have the member.
    Absent,
    /// The member has a value of another type.
    Unreadable,
    /// A value.
    Is(T),
}

impl<T> Given<T> {
    /// Whether the member is absent.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one.
    #[must_use]
    pub fn value(self) -> Option<T> {
        match self {
            Self::Absent | Self::Unreadable => None,
            Self::Is(value) => Some(value),
        }
    }

    /// The default if the member is absent.
    #[must_use]
    pub fn or(self, default: T) -> Self {
        if self.is_absent() { Self::Is(default) } else { self }
    }

    /// Converts the value, if there is one.
    #[must_use]
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Given<U> {
        match self {
            Self::Absent => Given::Absent,
            Self::Unreadable => Given::Unreadable,
            Self::Is(value) => Given::Is(make(value)),
        }
    }
}

impl Given<String> {
    /// Borrows the text, if there is one.
    #[must_use]
    pub fn as_deref(&self) -> Given<&str> {
        match self {
            Self::Absent => Given::Absent,
            Self::Unreadable => Given::Unreadable,
            Self::Is(text) => Given::Is(text),
        }
    }
}

impl<T> From<Option<T>> for Given<T> {
    /// `None` is an absent member.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Is)
    }
}
