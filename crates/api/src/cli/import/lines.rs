//! The line of a file on which a row begins. The line numbers of the CSV reader are wrong after
//! blank lines and `\r\n`, so this remembers where each line begins until its row was read.

use std::collections::VecDeque;
use std::io::{self, Read};

/// The most bytes that a row may have. A quote that is never closed must not take the rest of the
/// file into memory.
pub(super) const LONGEST_ROW: u64 = 1 << 20;

/// Reads a file and remembers where its lines begin.
pub(super) struct Lines<R> {
    file: R,
    /// How many bytes were read.
    bytes_read: u64,
    /// The line that the next byte is on.
    line: u64,
    /// Whether that line is blank so far.
    blank: bool,
    /// Where lines begin, and their numbers: those that are not blank and may still be looked up.
    starts: VecDeque<(u64, u64)>,
    /// Where the last row that was looked up begins, and on which line.
    row: (u64, u64),
}

impl<R> Lines<R> {
    pub(super) const fn of(file: R) -> Self {
        Self { file, bytes_read: 0, line: 1, blank: true, starts: VecDeque::new(), row: (0, 1) }
    }

    /// How many bytes were read so far.
    pub(super) const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The line of the row that begins at or after this byte. Rows must be looked up in their
    /// order.
    pub(super) fn line_of_row_at(&mut self, byte: u64) -> u64 {
        while self.starts.front().is_some_and(|(start, _)| *start < byte) {
            self.starts.pop_front();
        }
        self.row = self.starts.front().copied().unwrap_or((byte, self.line));
        self.row.1
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes_read.saturating_sub(self.row.0) > LONGEST_ROW {
            let line = self.row.1;
            return Err(io::Error::other(format!(
                "a row after line {line} is longer than {LONGEST_ROW} bytes; is a quote not closed?"
            )));
        }
        let count = self.file.read(buffer)?;
        for byte in buffer.iter().take(count) {
            match byte {
                b'\n' => (self.line, self.blank) = (self.line + 1, true),
                b'\r' => {}
                _ if self.blank => {
                    self.starts.push_back((self.bytes_read, self.line));
                    self.blank = false;
                }
                _ => {}
            }
            self.bytes_read += 1;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(u64, String)> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(7)
            .from_reader(Lines::of(text.as_bytes()));
        let mut record = csv::ByteRecord::new();
        let mut found = Vec::new();
        while reader.read_byte_record(&mut record).unwrap() {
            let byte = record.position().unwrap().byte();
            found.push((
                reader.get_mut().line_of_row_at(byte),
                String::from_utf8(record[0].to_vec()).unwrap(),
            ));
        }
        found
    }

    #[test]
    fn a_row_begins_on_the_line_that_an_editor_shows() {
        let expected =
            |rows: [(u64, &str); 4]| rows.map(|(line, text)| (line, text.to_owned())).to_vec();
        let unix = "a,b\n\n\n\"x\ny\n\",2\nc,3\n\nd,4";
        assert_eq!(lines(unix), expected([(1, "a"), (4, "x\ny\n"), (7, "c"), (9, "d")]));
        let windows = unix.replace('\n', "\r\n");
        assert_eq!(lines(&windows), expected([(1, "a"), (4, "x\r\ny\r\n"), (7, "c"), (9, "d")]));
        assert_eq!(lines(&format!("\u{feff}{windows}\r\n")), lines(&windows));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found_before_the_memory_is_full() {
        let file = io::Read::chain(&b"a,b\n\"c"[..], io::repeat(b'x'));
        let mut reader = csv::Reader::from_reader(Lines::of(file));
        let error = reader.read_byte_record(&mut csv::ByteRecord::new()).unwrap_err();
        assert!(error.to_string().contains("is a quote not closed?"), "{error}");
        assert!(reader.get_ref().bytes_read() < 2 * LONGEST_ROW);
    }
}
