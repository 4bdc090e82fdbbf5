//! The members of a JSON object, read one by one.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::fault::Fault;
use super::number;
use crate::http::code::Code;
use crate::http::problem::{Problem, Violation};

/// The text of a member's value, or none where the member is absent.
pub(crate) type Raw<'a> = Option<&'a RawValue>;

/// Tells `null` from absent, which serde's own `Option` does not. For `#[serde(default, deserialize_with = "present")]`.
pub(crate) fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Raw<'a>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// A struct of [`Raw`] members, which `object` reads: `body!(Body { user_id, work_date })`. Their names on the wire are camelCase.
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

/// Reads a body into a struct of [`Raw`] members. Unknown members are ignored; a known one that is there twice makes the
/// whole malformed.
pub(crate) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    // serde_json does not look into what it skips, so the text is checked here as a whole.
    let text = std::str::from_utf8(body).map_err(|error| malformed(&format!("it is not UTF-8: {error}")))?;
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
    if !raw.get().starts_with('{') {
        return Err(Problem::invalid(vec![Violation::at("", "wrong_type", "must be an object")]));
    }
    serde_json::from_str(raw.get()).map_err(|error| malformed(&error.to_string()))
}

fn malformed(reason: &str) -> Problem {
    Problem::new(Code::MalformedJson, format!("The body cannot be read: {reason}."))
}

/// Reads members and collects everything that is wrong with them. What a reader returns is only meaningful once
/// [`finish`](Self::finish) has found nothing wrong.
#[derive(Default)]
pub(crate) struct Members {
    prefix: String,
    violations: Vec<Violation>,
    malformed: Option<Problem>,
}

impl Members {
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
            // The JSON was read before, so what is wrong is an escape that is no Unicode character: half a surrogate pair.
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
    pub(crate) fn list<'a>(&mut self, name: &str, raw: Raw<'a>, most: usize) -> Option<Vec<&'a RawValue>> {
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
        match serde_json::from_str(raw.get()) {
            Ok(members) => {
                let outer = self.prefix.len();
                self.prefix = self.pointer(name);
                let value = read(self, members);
                self.prefix.truncate(outer);
                value
            }
            Err(error) => {
                self.malformed = Some(malformed(&format!("{}: {error}", self.pointer(name))));
                None
            }
        }
    }

    /// A value that was made of what was read, or what is wrong with it.
    pub(crate) fn check<T, E: Fault>(&mut self, name: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(name, error.code(), &error.to_string())).ok()
    }

    /// Notes something that is wrong.
    pub(crate) fn add(&mut self, name: &str, code: &'static str, message: &str) {
        let violation = Violation::at(self.pointer(name), code, message);
        self.violations.push(violation);
    }

    /// The value, if nothing was wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match (self.malformed, value) {
            (Some(problem), _) => Err(problem),
            (None, Some(value)) if self.violations.is_empty() => Ok(value),
            (None, _) => Err(Problem::invalid(self.violations)),
        }
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }
}
