//! The part of a document that is written by a program, between two comments.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// Replaces what stands between the two comments of that name.
pub(crate) fn replace(file: &Path, name: &str, content: &str) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).context("make bench runs at the root of the repository")?;
    let [from, to] = marks(&text, name)?;
    let content = content.trim();
    fs::write(file, format!("{}\n\n{content}\n\n{}", &text[..from], &text[to..]))?;
    Ok(())
}

/// What stands between the two comments of that name.
pub(crate) fn read(file: &Path, name: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(file)?;
    let [from, to] = marks(&text, name)?;
    Ok(text[from..to].trim().to_owned())
}

/// Where the first comment ends and where the second begins.
fn marks(text: &str, name: &str) -> anyhow::Result<[usize; 2]> {
    let begin = format!("<!-- {name} -->");
    let end = format!("<!-- end of {name} -->");
    let missing = || format!("the document has no {begin} and {end}");
    let from = text.find(&begin).with_context(missing)? + begin.len();
    let to = text[from..].find(&end).with_context(missing)? + from;
    Ok([from, to])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_the_comments_stays() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = |between| format!("before\n<!-- a -->{between}<!-- end of a -->\nafter\n");
        fs::write(file.path(), text("old")).unwrap();
        replace(file.path(), "a", "new\n").unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), text("\n\nnew\n\n"));
        assert_eq!(read(file.path(), "a").unwrap(), "new");
        assert!(replace(file.path(), "b", "new").is_err());
    }
}
