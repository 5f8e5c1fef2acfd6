//! Standard output with the convention that a closed pipe is a normal end, and files written whole.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};

use crate::exit::CliError;

/// Bytes that are gathered before they are written: a log of instructions has gigabytes.
const BUFFER: usize = 1 << 18;

/// Whether anyone still reads standard output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// Yes.
    There,
    /// No: end quietly.
    Gone,
}

/// Writes and flushes.
pub fn write(bytes: &[u8]) -> Result<Reader, CliError> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(source) => Err(CliError::Terminal { doing: "write to standard output", source }),
    }
}

/// Writes a text for a command whose only work is to print it: a closed pipe is no failure.
pub fn print(text: &str) -> Result<(), CliError> {
    write(text.as_bytes()).map(drop)
}

/// A text that may hold words of a file or a guest, without what would steer a terminal.
pub fn clean(text: &str) -> String {
    let plain = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(plain).collect()
}

/// A text as one word of a shell's command line.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':' | ',' | '+' | '=' | '@' | '%');
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Whether [`Pending`] can write there, asked before work whose result would be lost; `what` completes "cannot write the ...". Leaves nothing.
pub fn ready(path: &Path, what: &str) -> Result<(), CliError> {
    let fail = |e| CliError::file(path, format!("write the {what}"), e);
    match std::fs::metadata(path) {
        Ok(m) if m.is_dir() => return Err(fail(ErrorKind::IsADirectory.into())),
        // A pipe or a terminal: opening it may wait for its reader.
        Ok(_) if is_stream(path) => return Ok(()),
        _ => {}
    }
    let part = part(&target(path)).map_err(fail)?;
    File::create(&part).and_then(|_| std::fs::remove_file(&part)).map_err(fail)
}

/// Whether there is something that is no plain file (a pipe, a terminal, /dev/null), or a name for an open one (/dev/stdout). It is
/// written to as it is, since another file that took its name would end it.
pub fn is_stream(path: &Path) -> bool {
    let open = is_link(path) && (path.starts_with("/dev") || path.starts_with("/proc"));
    std::fs::metadata(path).is_ok_and(|m| open || !m.is_file())
}

fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink())
}

/// The file that a path names: what a symbolic link leads to, since a file that took the link's name would end it.
fn target(path: &Path) -> PathBuf {
    let there = if is_link(path) { std::fs::canonicalize(path).ok() } else { None };
    there.unwrap_or_else(|| path.to_owned())
}

/// Writes a file whole or not at all: [`Pending`] in one call.
pub fn file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut out = Pending::open(path, part)?;
    out.write_all(bytes)?;
    out.finish()
}

/// The name under which a file is written until it is whole.
fn part(path: &Path) -> std::io::Result<PathBuf> {
    let mut name = path.file_name().ok_or(ErrorKind::IsADirectory)?.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    Ok(path.with_file_name(name))
}

/// A file that is being written, so that nobody ever finds half of it: under another name, which takes the file's place in
/// [`Pending::finish`]. What is there and is no plain file ([`is_stream`]) is written to as it is, and stays whatever happens.
pub struct Pending {
    out: BufWriter<Box<dyn Write>>,
    /// The name that it has until then, and the file's own; `None` of a stream.
    names: Option<(PathBuf, PathBuf)>,
    /// What was written is worth keeping even if it does not become whole.
    keep: bool,
}

impl Pending {
    /// Begins a file of which nothing is left if it does not become whole.
    pub fn create(path: &Path, what: &str) -> Result<Pending, CliError> {
        Pending::open(path, part).map_err(|e| CliError::file(path, format!("write the {what}"), e))
    }

    /// Begins a file whose beginning is of use too: a process that dies leaves it under the name that `part` makes of its own.
    pub fn lasting(path: &Path, part: fn(&Path) -> PathBuf, what: &str) -> Result<Pending, CliError> {
        let opened = Pending::open(path, |file| Ok(part(file)));
        let mut pending = opened.map_err(|e| CliError::file(path, format!("write the {what}"), e))?;
        pending.keep = true;
        Ok(pending)
    }

    /// What is no file at all, as a stream: standard output, memory.
    pub fn stream(out: Box<dyn Write>) -> Pending {
        Pending { out: BufWriter::with_capacity(BUFFER, out), names: None, keep: false }
    }

    fn open(path: &Path, part: impl Fn(&Path) -> std::io::Result<PathBuf>) -> std::io::Result<Pending> {
        if is_stream(path) {
            return Ok(Pending::stream(Box::new(File::create(path)?)));
        }
        let path = target(path);
        let part = part(&path)?;
        let out = File::create(&part)?;
        let mut pending = Pending::stream(Box::new(out));
        pending.names = Some((part, path));
        Ok(pending)
    }

    /// Ends the file and gives it its name.
    pub fn finish(&mut self) -> std::io::Result<()> {
        self.out.flush()?;
        if let Some((part, path)) = &self.names {
            std::fs::rename(part, path)?;
            self.names = None;
        }
        Ok(())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let (Some((part, _)), false) = (&self.names, self.keep) {
            // What is left of it helps nobody; the first error is the one to tell.
            let _ = std::fs::remove_file(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_become_whole_leaves_the_old_file_and_a_part_only_where_that_is_of_use() {
        let d = std::env::temp_dir().join(format!("trapeze-pending-{}", std::process::id()));
        std::fs::create_dir(&d).unwrap();
        let names = || {
            let mut all: Vec<_> = std::fs::read_dir(&d).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            all.sort();
            all
        };
        let text = |n: &str| std::fs::read_to_string(d.join(n)).unwrap();
        let to = d.join("a");
        file(&to, b"old").unwrap();
        let mut failed = Pending::create(&to, "text").unwrap();
        failed.write_all(b"half").unwrap();
        assert_eq!((names().len(), text("a")), (2, "old".to_owned()));
        drop(failed);
        assert_eq!(names(), ["a"]);
        let mut killed = Pending::lasting(&to, |to| to.with_file_name("b"), "text").unwrap();
        killed.write_all(b"half").unwrap();
        drop(killed);
        assert_eq!((names(), text("a"), text("b")), (vec!["a".to_owned(), "b".to_owned()], "old".to_owned(), "half".to_owned()));
        let mut whole = Pending::lasting(&to, |to| to.with_file_name("b"), "text").unwrap();
        whole.write_all(b"whole").unwrap();
        whole.finish().unwrap();
        drop(whole);
        assert_eq!((names(), text("a")), (vec!["a".to_owned()], "whole".to_owned()));
        // Through a link, the file that it leads to.
        std::os::unix::fs::symlink("a", d.join("link")).unwrap();
        file(&d.join("link"), b"more").unwrap();
        assert_eq!((names(), text("a")), (vec!["a".to_owned(), "link".to_owned()], "more".to_owned()));
        assert!(is_link(&d.join("link")));
        std::fs::remove_dir_all(&d).unwrap();
    }
}
