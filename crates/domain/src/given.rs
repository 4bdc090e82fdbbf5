//! What a request says of one of its members.

/// What was said of one member of a request: nothing, something that is no value of its type
/// (whoever read it tells that), or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given<T> {
    /// Nothing.
    Absent,
    /// Something that is no value of the member's type.
    Unreadable,
    /// A value.
    Is(T),
}

impl<T> Given<T> {
    /// Whether nothing was said.
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

    /// That value where nothing was said.
    #[must_use]
    pub fn or(self, default: T) -> Self {
        if self.is_absent() { Self::Is(default) } else { self }
    }

    /// The same of a value that is made of this one.
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
    /// The same of the text inside.
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
    /// No value is an absent one.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Is)
    }
}
