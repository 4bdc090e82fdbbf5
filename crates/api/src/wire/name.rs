//! Names on the wire: those of fields, in camel case.

/// The name of a field on the wire, such as `"workDate"` for `work_date`.
macro_rules! name {
    ($field:ident) => {{
        const FIELD: &str = stringify!($field);
        const CAMEL: ([u8; FIELD.len()], usize) = $crate::wire::name::camel(FIELD.as_bytes());
        const NAME: &str = match std::str::from_utf8(CAMEL.0.split_at(CAMEL.1).0) {
            Ok(name) => name,
            Err(_) => FIELD,
        };
        NAME
    }};
}

pub(crate) use name;

/// The letters of a field's name in camel case, and how many there are.
pub(crate) const fn camel<const MOST: usize>(field: &[u8]) -> ([u8; MOST], usize) {
    // A word of the language that is a name here begins with `r#`.
    let is_raw = field.len() > 2 && field[1] == b'#';
    let (mut letters, mut length, mut at) = ([0; MOST], 0, if is_raw { 2 } else { 0 });
    while at < field.len() {
        if field[at] == b'_' {
            at += 1;
            letters[length] = field[at].to_ascii_uppercase();
        } else {
            letters[length] = field[at];
        }
        length += 1;
        at += 1;
    }
    (letters, length)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_field_is_named_in_camel_case() {
        assert_eq!(name!(id), "id");
        assert_eq!(name!(work_date), "workDate");
        assert_eq!(name!(a_b_c), "aBC");
        assert_eq!(name!(r#type), "type");
    }
}
