//! Lines of files, plain or compressed (`.gz`, `.zst`, `.xz`), and of standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

/// The longest line in bytes; the rest of a longer one is passed over.
pub const LONGEST_LINE: usize = super::LARGEST;

/// A line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its bytes; cut where it is longer than [`LONGEST_LINE`].
    pub bytes: Vec<u8>,
    /// Bytes of the unpacked file up to its end.
    pub end: u64,
    /// Whether a line break ends it; the last line of a file that is still being written has none.
    pub is_complete: bool,
    /// Whether it was cut.
    pub is_cut: bool,
}

/// Reads lines. Blocks.
pub struct Lines {
    reader: Box<dyn BufRead + Send>,
    at: u64,
}

impl Lines {
    /// Opens a file, at so many bytes from the beginning of what it unpacks to.
    ///
    /// # Errors
    /// It can't be read.
    pub fn open(path: &Path, at: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let packed: Box<dyn Read + Send> = match path.extension().and_then(|end| end.to_str()) {
            Some("gz") => Box::new(MultiGzDecoder::new(BufReader::new(file))),
            Some("zst") => Box::new(zstd::stream::read::Decoder::new(file)?),
            Some("xz") => Box::new(XzReader::new(BufReader::new(file), true)),
            _ => {
                file.seek(SeekFrom::Start(at))?;
                return Ok(Self { reader: Box::new(BufReader::with_capacity(1 << 16, file)), at });
            }
        };
        let mut reader = BufReader::with_capacity(1 << 16, packed);
        io::copy(&mut (&mut reader).take(at), &mut io::sink())?;
        Ok(Self { reader: Box::new(reader), at })
    }

    /// Standard input.
    pub fn standard_input() -> Self {
        Self { reader: Box::new(BufReader::new(io::stdin())), at: 0 }
    }

    /// The next line; nothing at the end.
    ///
    /// # Errors
    /// The file can't be read or unpacked.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let mut read = (&mut self.reader).take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut bytes)? as u64;
        if read == 0 {
            return Ok(None);
        }
        let is_cut = bytes.len() > LONGEST_LINE && bytes.last() != Some(&b'\n');
        let mut is_complete = bytes.last() == Some(&b'\n');
        if is_cut {
            bytes.truncate(LONGEST_LINE);
            let (skipped, found) = self.skip_line()?;
            read += skipped;
            is_complete = found;
        } else if is_complete {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        self.at += read;
        Ok(Some(Line { bytes, end: self.at, is_complete, is_cut }))
    }

    /// Passes over the rest of a line: how long it is, and whether a line break ended it.
    fn skip_line(&mut self) -> io::Result<(u64, bool)> {
        let mut skipped = 0;
        loop {
            let held = self.reader.fill_buf()?;
            let end = held.iter().position(|byte| *byte == b'\n');
            let (length, is_end) = (end.map_or(held.len(), |at| at + 1), end.is_some() || held.is_empty());
            self.reader.consume(length);
            skipped += length as u64;
            if is_end {
                return Ok((skipped, end.is_some()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn texts(lines: &mut Lines) -> Vec<(String, u64, bool)> {
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push((String::from_utf8(line.bytes).unwrap(), line.end, line.is_complete));
        }
        found
    }

    #[test]
    fn lines_are_the_same_however_a_file_is_packed_and_wherever_reading_begins() {
        let folder = tempfile::tempdir().unwrap();
        let text = b"one\r\n\ntwo\nhalf";
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&text[..7]).unwrap();
        // A file that was appended to consists of several members.
        let mut packed = gz.finish().unwrap();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&text[7..]).unwrap();
        packed.extend(gz.finish().unwrap());
        let files = [
            ("plain.jsonl", text.to_vec()),
            ("a.jsonl.gz", packed),
            ("a.jsonl.zst", zstd::bulk::compress(text, 1).unwrap()),
            ("a.jsonl.xz", include_bytes!("../../tests/fixtures/feeds/lines.xz").to_vec()),
        ];
        let line = |text: &str, end, is_complete| (text.to_owned(), end, is_complete);
        let expected =
            [line("one", 5, true), line("", 6, true), line("two", 10, true), line("half", 14, false)];
        for (name, bytes) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(texts(&mut Lines::open(&path, 0).unwrap()), expected, "{name}");
            assert_eq!(texts(&mut Lines::open(&path, 6).unwrap()), expected[2..], "{name}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        let long = [vec![b'x'; LONGEST_LINE + 70_000], b"\nnext\n".to_vec()].concat();
        std::fs::write(&path, &long).unwrap();
        let mut lines = Lines::open(&path, 0).unwrap();
        let first = lines.next_line().unwrap().unwrap();
        assert_eq!((first.bytes.len(), first.is_cut, first.is_complete), (LONGEST_LINE, true, true));
        let second = lines.next_line().unwrap().unwrap();
        assert_eq!((second.bytes.as_slice(), second.end), (b"next".as_slice(), long.len() as u64));
    }
}
