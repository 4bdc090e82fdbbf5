//! Statements as diesel shows them, with their values in the text.

/// The statement with its values in their places.
pub(crate) fn filled_in(statement: &str) -> String {
    let (sql, values) = statement.split_once(" -- binds: ").unwrap();
    let mut sql = sql.to_owned();
    for (index, value) in parts(&values[1..values.len() - 1]).into_iter().enumerate().rev() {
        sql = sql.replace(&format!("${}", index + 1), &literal(value));
    }
    sql
}

/// The elements of a list as `Debug` writes it, with no brackets inside texts.
fn parts(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (index, c) in list.char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(list[begin..index].trim());
                begin = index + 1;
            }
            _ => {}
        }
    }
    if begin < list.len() {
        parts.push(list[begin..].trim());
    }
    parts
}

/// What `Debug` writes of a value, as SQL.
fn literal(value: &str) -> String {
    let inside = |prefix: &str| value.strip_prefix(prefix).map(|rest| rest.trim_end_matches(')'));
    if let Some(list) = value.strip_prefix('[') {
        let items: Vec<_> = parts(&list[..list.len() - 1]).into_iter().map(literal).collect();
        format!("ARRAY[{}]", items.join(", "))
    } else if let Some(bytes) = inside("DigestValue([") {
        let bytes = parts(bytes.trim_end_matches(']'));
        let digest =
            bytes.iter().fold(0, |digest, byte| digest << 8 | byte.parse::<u128>().unwrap());
        format!("'\\x{digest:032x}'::bytea")
    } else if let Some(id) = inside("IdValue(") {
        format!("'{id}'::uuid")
    } else if let Some(day) = inside("DayValue(WorkDate(") {
        format!("'{day}'::date")
    } else if let Some(millis) = inside("InstantValue(Timestamp(") {
        format!("to_timestamp({millis} / 1000.0)")
    } else {
        value.replace('"', "'")
    }
}
