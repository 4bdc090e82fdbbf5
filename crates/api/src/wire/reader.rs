//! Reading JSON objects member by member, so that everything that is wrong is told at once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::Fault;
use super::number;
use super::schema::Described;
use super::violation::{MOST_TOLD, Unreadable, Violation, cut};

/// What is done with members that an object is not known to have. The names are those of RFC 7240.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    /// They are ignored.
    Lenient,
    /// They are refused, each at its place.
    Strict,
}

/// A JSON text that is to be read. There is no other way to an object, so none forgets how unknown
/// members are to be taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<'a> {
    text: &'a [u8],
    handling: Handling,
}

impl<'a> Json<'a> {
    pub(crate) const fn new(text: &'a [u8], handling: Handling) -> Self {
        Self { text, handling }
    }

    /// The text, or that of an empty object where there is none.
    pub(crate) const fn or_empty(self) -> Self {
        if self.text.is_empty() { Self { text: b"{}", ..self } } else { self }
    }

    /// Reads the text into what the body asks for. A known member that is there twice makes the
    /// whole malformed.
    pub(crate) fn read<B: Body>(self, context: B::Context) -> Result<B::Asked, Unreadable> {
        let malformed = |reason: String| Unreadable::Malformed(cannot_be_read(&reason));
        // serde_json does not look into what it skips, so the text is checked here as a whole.
        let text = std::str::from_utf8(self.text)
            .map_err(|error| malformed(format!("it is not UTF-8: {error}")))?;
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        if !raw.get().starts_with('{') {
            let violation = Violation::at("", "wrong_type", "must be an object");
            return Err(Unreadable::invalid(violation));
        }
        let mut reader = Reader::new(self.handling);
        let body = B::open(&mut reader, raw).map_err(|error| malformed(error.to_string()))?;
        let asked = body.asked(&mut reader, context);
        reader.finish(asked)
    }
}

fn cannot_be_read(reason: &str) -> String {
    format!("The body cannot be read: {reason}.")
}

/// An object that a request may send, as [`body!`](super::body) declares it.
pub(crate) trait Body: Described + Sized {
    /// What it asks for.
    type Asked;
    /// What must be known beside it.
    type Context: Copy;
    /// Whether no body at all says as much as an empty object.
    const MAY_BE_MISSING: bool = false;

    /// Reads the members, each by itself.
    fn open(reader: &mut Reader, object: &RawValue) -> serde_json::Result<Self>;

    /// Puts the members together. Notes what is wrong with them together; nothing where something
    /// is.
    fn asked(self, reader: &mut Reader, context: Self::Context) -> Option<Self::Asked>;
}

/// Reads members and collects everything that is wrong with them. What is read is only meaningful
/// once [`finish`](Self::finish) has found nothing wrong.
pub(crate) struct Reader {
    handling: Handling,
    prefix: String,
    violations: Vec<Violation>,
    malformed: Option<String>,
    /// The unknown members, which are told after everything else.
    unknown: Vec<Violation>,
    /// Their pointers.
    pointers: HashSet<String>,
    /// How many more there are.
    more_unknown: usize,
}

impl Reader {
    fn new(handling: Handling) -> Self {
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

    /// How unknown members are to be taken.
    pub(crate) const fn handling(&self) -> Handling {
        self.handling
    }

    /// The texts of an object's members, in the order of their names; none for one that is absent.
    pub(super) fn open<'a, const COUNT: usize>(
        &mut self,
        object: &'a RawValue,
        names: &'static [&'static str; COUNT],
    ) -> serde_json::Result<[Option<&'a RawValue>; COUNT]> {
        let mut unknown = |name: &str| {
            if self.handling == Handling::Strict {
                self.add_unknown(name);
            }
        };
        let object_of = Members { names, unknown: &mut unknown };
        object_of.deserialize(&mut serde_json::Deserializer::from_str(object.get()))
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str, raw: &RawValue) -> Option<String> {
        if !raw.get().starts_with('"') {
            self.add(name, "wrong_type", "must be a string");
            return None;
        }
        match serde_json::from_str(raw.get()) {
            Ok(text) => Some(text),
            // The JSON was read before, so what is wrong is an escape that is no Unicode character:
            // half a surrogate pair.
            Err(error) => {
                let place = self.pointer(name);
                self.malformed = Some(cannot_be_read(&format!("{place}: {error}")));
                None
            }
        }
    }

    /// A whole number.
    pub(crate) fn whole_number(&mut self, name: &str, raw: &RawValue) -> Option<i64> {
        let raw = raw.get();
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
    pub(crate) fn boolean(&mut self, name: &str, raw: &RawValue) -> Option<bool> {
        match raw.get() {
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
        raw: &'a RawValue,
        most: usize,
    ) -> Option<Vec<&'a RawValue>> {
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

    /// An object inside of another.
    pub(crate) fn object<B: Body<Context = ()>>(
        &mut self,
        name: &str,
        raw: &RawValue,
    ) -> Option<B::Asked> {
        if !raw.get().starts_with('{') {
            self.add(name, "wrong_type", "must be an object");
            return None;
        }
        let outer = self.prefix.len();
        self.prefix = self.pointer(name);
        let asked = match B::open(self, raw) {
            Ok(body) => body.asked(self, ()),
            Err(error) => {
                self.malformed = Some(cannot_be_read(&format!("{}: {error}", self.prefix)));
                None
            }
        };
        self.prefix.truncate(outer);
        asked
    }

    /// Refuses unknown members of what is read there, whatever the request prefers.
    pub(crate) fn strictly<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let handling = std::mem::replace(&mut self.handling, Handling::Strict);
        let read = read(self);
        self.handling = handling;
        read
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
        let message = "is no member of this object";
        self.unknown.push(Violation::at(pointer.clone(), "unknown_member", message));
        self.pointers.insert(pointer);
    }

    /// The value, if nothing was wrong.
    fn finish<T>(mut self, value: Option<T>) -> Result<T, Unreadable> {
        self.violations.append(&mut self.unknown);
        match (self.malformed, value) {
            (Some(detail), _) => Err(Unreadable::Malformed(detail)),
            (None, Some(value)) if self.violations.is_empty() => Ok(value),
            (None, _) => {
                let (violations, more) = (self.violations, self.more_unknown);
                Err(Unreadable::Invalid { violations, more })
            }
        }
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }
}

/// Divides an object into the texts of its members.
struct Members<'r, const COUNT: usize> {
    names: &'static [&'static str; COUNT],
    unknown: &'r mut dyn FnMut(&str),
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, const COUNT: usize> DeserializeSeed<'de> for Members<'_, COUNT> {
    type Value = [Option<&'de RawValue>; COUNT];

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, const COUNT: usize> Visitor<'de> for Members<'_, COUNT> {
    type Value = [Option<&'de RawValue>; COUNT];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [None; COUNT];
        while let Some(Name(name)) = map.next_key()? {
            let known = self.names.iter().zip(&mut values).find(|(known, _)| **known == name);
            match known {
                Some((known, Some(_))) => return Err(A::Error::duplicate_field(known)),
                Some((_, value)) => *value = Some(map.next_value()?),
                None => {
                    (self.unknown)(&name);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(values)
    }
}
