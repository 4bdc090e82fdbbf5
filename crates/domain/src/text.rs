//! Bounded texts. Lengths count Unicode characters (code points), and U+0000 is refused everywhere,
//! because not every database can store it.

use std::fmt;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// It has more characters than the limit.
    #[error("must have at most {limit} characters")]
    TooLong {
        /// The most characters it may have.
        limit: usize,
    },
    /// It is empty or only white space.
    #[error("must not be blank")]
    Blank,
    /// It contains the character U+0000.
    #[error("must not contain the character U+0000")]
    Nul,
}

fn check(text: &str, limit: usize, may_be_blank: bool) -> Result<(), InvalidText> {
    if text.contains('\0') {
        return Err(InvalidText::Nul);
    }
    // A text has at most as many characters as bytes, so a short one need not be counted.
    if text.len() > limit && text.chars().nth(limit).is_some() {
        return Err(InvalidText::TooLong { limit });
    }
    if !may_be_blank && text.trim().is_empty() {
        return Err(InvalidText::Blank);
    }
    Ok(())
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $limit:literal, may_be_blank: $may_be_blank:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The most characters it may have.
            pub const MAX_CHARS: usize = $limit;

            /// The text inside.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                check(&text, Self::MAX_CHARS, $may_be_blank)?;
                Ok(Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidText;

            fn from_str(text: &str) -> Result<Self, InvalidText> {
                text.to_owned().try_into()
            }
        }

        crate::text_form::serialize!($name: |text| text.as_str());

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

texts! {
    /// What was done: 0 to 2000 characters.
    Description, 2000, may_be_blank: true;
    /// Why an action was taken: 1 to 2000 characters, not blank.
    Reason, 2000, may_be_blank: false;
    /// Which invoice an entry is on: 1 to 2000 characters, not blank.
    InvoiceRef, 2000, may_be_blank: false;
    /// One part of an [`ExternalRef`](crate::ExternalRef): 1 to 255 characters, not blank.
    ExternalRefPart, 255, may_be_blank: false;
    /// Where a webhook's events are sent, an absolute URL: 1 to 2000 characters, not blank. What
    /// more it has to be, the edge knows.
    DestinationUrl, 2000, may_be_blank: false;
    /// The name of a project, user, ticket or release: 1 to 255 characters, not blank.
    Name, 255, may_be_blank: false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_characters_not_bytes() {
        let longest = "é".repeat(Description::MAX_CHARS);
        assert_eq!(longest.parse::<Description>().unwrap().as_str(), longest);
        assert_eq!(
            (longest + "é").parse::<Description>(),
            Err(InvalidText::TooLong { limit: 2000 })
        );
        assert!("\u{10ffff}".repeat(255).parse::<ExternalRefPart>().is_ok());
        assert!("x".repeat(256).parse::<ExternalRefPart>().is_err());
    }

    #[test]
    fn blank_texts_are_refused_where_a_text_is_needed() {
        for blank in ["", " ", "\t\n", "\u{a0}\u{3000}"] {
            assert_eq!(blank.parse::<Reason>(), Err(InvalidText::Blank), "{blank:?}");
            assert!(blank.parse::<Description>().is_ok());
        }
    }

    #[test]
    fn the_nul_character_is_refused_everywhere() {
        assert_eq!("a\0b".parse::<Description>(), Err(InvalidText::Nul));
        assert_eq!("\0".parse::<ExternalRefPart>(), Err(InvalidText::Nul));
    }
}
