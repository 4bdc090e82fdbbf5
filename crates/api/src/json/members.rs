//! The members of a JSON object, read one by one.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::fault::Fault;
use super::number;
use super::object::{Handling, Json, malformed};
use crate::http::problem::{MOST_TOLD, Problem, Violation, cut};

/// The text of a member's value, or none where the member is absent.
pub(crate) type Raw<'a> = Option<&'a RawValue>;

/// Tells `null` from absent, which serde's own `Option` does not. For `#[serde(default,
/// deserialize_with = "present")]`.
pub(crate) fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Raw<'a>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// A struct of [`Raw`] members, which [`Json::object`] and [`Members::object`] read: `body!(Body {
/// user_id, work_date })`. Their names on the wire are camelCase.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident { $($member:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct $name<'a> {
            $(
                #[serde(borrow, default, deserialize_with = "crate::json::present")]
                $member: crate::json::Raw<'a>,
            )+
        }
    };
}

pub(crate) use body;

/// Reads members and collects everything that is wrong with them. What a reader returns is only
/// meaningful once [`finish`](Self::finish) has found nothing wrong.
pub(crate) struct Members {
    handling: Handling,
    prefix: String,
    violations: Vec<Violation>,
    malformed: Option<Problem>,
    /// The unknown members, which are told after everything else.
    unknown: Vec<Violation>,
    /// Their pointers.
    pointers: HashSet<String>,
    /// How many more there are.
    more_unknown: usize,
}

impl Members {
    pub(super) fn new(handling: Handling) -> Self {
        Self {
            handling,
            prefix: String::new(),
            violations: Vec::new(),
            malformed: None,
            unknown: Vec::new(),
            pointers: HashSet::new(),
            more_unknown: 0,
        }
    }

    /// Reads an object into a struct of [`Raw`] members. Members that the struct does not have are
    /// ignored or noted.
    pub(super) fn open<'a, T: Deserialize<'a>>(
        &mut self,
        object: &'a RawValue,
    ) -> serde_json::Result<T> {
        match self.handling {
            Handling::Lenient => serde_json::from_str(object.get()),
            Handling::Strict => {
                let mut deserializer = serde_json::Deserializer::from_str(object.get());
                serde_ignored::deserialize(&mut deserializer, |path| {
                    if let serde_ignored::Path::Map { key, .. } = path {
                        self.add_unknown(&key);
                    }
                })
            }
        }
    }

    /// One of many values, to be read as a body of its own.
    pub(crate) fn part<'a>(&self, value: &'a RawValue) -> Json<'a> {
        Json::new(value.get().as_bytes(), self.handling)
    }

    /// Notes which of these members are absent.
    pub(crate) fn require(&mut self, members: &[(&str, Raw<'_>)]) {
        for (name, _) in members.iter().filter(|(_, raw)| raw.is_none()) {
            self.add(name, "required", "is required");
        }
    }

    /// A text that parses into a `T`.
    pub(crate) fn parsed<T>(&mut self, name: &str, raw: Raw<'_>) -> Option<T>
    where
        T: std::str::FromStr,
        T::Err: Fault,
    {
        let text = self.text(name, raw)?;
        self.check(name, text.parse::<T>())
    }

    /// A text that parses into a `T`, or `null`.
    pub(crate) fn nullable<T>(&mut self, name: &str, raw: Raw<'_>) -> Option<T>
    where
        T: std::str::FromStr,
        T::Err: Fault,
    {
        self.parsed(name, raw.filter(|raw| raw.get() != "null"))
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str, raw: Raw<'_>) -> Option<String> {
        let raw = raw?;
        if !raw.get().starts_with('"') {
            self.add(name, "wrong_type", "must be a string");
            return None;
        }
        match serde_json::from_str(raw.get()) {
            Ok(text) => Some(text),
            // The JSON was read before, so what is wrong is an escape that is no Unicode character:
            // half a surrogate pair.
            Err(error) => {
                self.malformed = Some(malformed(&format!("{}: {error}", self.pointer(name))));
                None
            }
        }
    }

    /// A whole number.
    pub(crate) fn whole_number(&mut self, name: &str, raw: Raw<'_>) -> Option<i64> {
        let raw = raw?.get();
        if !raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            self.add(name, "wrong_type", "must be an integer");
            return None;
        }
        let number = number::whole(raw);
        if number.is_none() {
            self.add(name, "wrong_type", "must be a whole number");
        }
        number
    }

    /// Yes or no.
    pub(crate) fn boolean(&mut self, name: &str, raw: Raw<'_>) -> Option<bool> {
        match raw?.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.add(name, "wrong_type", "must be true or false");
                None
            }
        }
    }

    /// A list of 1 to `most` values.
    pub(crate) fn list<'a>(
        &mut self,
        name: &str,
        raw: Raw<'a>,
        most: usize,
    ) -> Option<Vec<&'a RawValue>> {
        let raw = raw?;
        let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
            self.add(name, "wrong_type", "must be a list");
            return None;
        };
        if !(1..=most).contains(&values.len()) {
            self.add(name, "out_of_range", &format!("must have 1 to {most} items"));
            return None;
        }
        Some(values)
    }

    /// An object, whose members `read` reads.
    pub(crate) fn object<'a, T: Deserialize<'a>, U>(
        &mut self,
        name: &str,
        raw: Raw<'a>,
        read: impl FnOnce(&mut Self, T) -> Option<U>,
    ) -> Option<U> {
        let raw = raw?;
        if !raw.get().starts_with('{') {
            self.add(name, "wrong_type", "must be an object");
            return None;
        }
        let outer = self.prefix.len();
        self.prefix = self.pointer(name);
        let value = match self.open(raw) {
            Ok(members) => read(self, members),
            Err(error) => {
                self.malformed = Some(malformed(&format!("{}: {error}", self.prefix)));
                None
            }
        };
        self.prefix.truncate(outer);
        value
    }

    /// A value that was made of what was read, or what is wrong with it.
    pub(crate) fn check<T, E: Fault>(&mut self, name: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(name, error.code(), &error.to_string())).ok()
    }

    /// Likewise, of several members; `name` says which one an error is about.
    pub(crate) fn check_all<T, E: Fault + Copy>(
        &mut self,
        name: fn(E) -> &'static str,
        value: Result<T, Vec<E>>,
    ) -> Option<T> {
        let add = |error: E| self.add(name(error), error.code(), &error.to_string());
        value.map_err(|errors| errors.into_iter().for_each(add)).ok()
    }

    /// Notes something that is wrong.
    pub(crate) fn add(&mut self, name: &str, code: &'static str, message: &str) {
        let violation = Violation::at(self.pointer(name), code, message);
        self.violations.push(violation);
    }

    /// Notes a member that the object does not have. One that is there twice is one.
    fn add_unknown(&mut self, name: &str) {
        // RFC 6901, section 3.
        let pointer = self.pointer(&cut(name).replace('~', "~0").replace('/', "~1"));
        if self.pointers.contains(&pointer) {
            return;
        }
        if self.unknown.len() == MOST_TOLD {
            self.more_unknown += 1;
            return;
        }
        self.unknown.push(Violation::at(
            pointer.clone(),
            "unknown_member",
            "is no member of this object",
        ));
        self.pointers.insert(pointer);
    }

    /// The value, if nothing was wrong.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Problem> {
        self.violations.append(&mut self.unknown);
        match (self.malformed, value) {
            (Some(problem), _) => Err(problem),
            (None, Some(value)) if self.violations.is_empty() => Ok(value),
            (None, _) => Err(Problem::invalid_with_more(self.violations, self.more_unknown)),
        }
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }
}
