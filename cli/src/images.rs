//! Reads the files the user names, before the guest starts.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::Path;

use emu_core::board::load::{self, Stream};
use replay::symbols::Symbols;

use crate::config::Config;
use crate::exit::CliError;

/// Nothing the board can hold is larger; a mistaken path to a disk or a device must not fill the host's memory.
const LIMIT: u64 = 4 << 30;

/// A file for the guest: all of it, or its beginning and where the rest is.
#[derive(Debug)]
pub struct Loaded {
    /// As the user gave it.
    pub name: String,
    /// The whole content, or with `rest` its beginning.
    pub bytes: Vec<u8>,
    /// The file, if it is large and goes into memory as it is.
    pub rest: Option<Whole>,
}

/// A file that is read straight into guest memory.
#[derive(Debug)]
pub struct Whole {
    file: File,
    len: u64,
}

impl Stream for Whole {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }
}

impl Loaded {
    /// The file as the loader wants it.
    pub fn file(&self) -> load::File<'_> {
        load::File { name: &self.name, bytes: &self.bytes }
    }

    /// The rest of it.
    pub fn stream(&self) -> Option<&dyn Stream> {
        self.rest.as_ref().map(|w| w as &dyn Stream)
    }
}

/// Reads an image. `what` completes "cannot read the ..." ("kernel"). Of a large one that `as_is` says goes into memory as it is, by its
/// beginning, only that beginning is read.
pub fn read(file: &Path, what: &str, as_is: fn(&[u8]) -> bool) -> Result<Loaded, CliError> {
    if let Some(name) = crate::builtin::name(file) {
        let Some(rom) = crate::builtin::find(name) else {
            let names = crate::builtin::names();
            return Err(CliError::usage(format!("there is no built-in program '{name}'"), format!("use one of {names}")));
        };
        return Ok(Loaded { name: file.display().to_string(), bytes: rom.to_vec(), rest: None });
    }
    let doing = format!("read the {what}");
    let fail = |e| CliError::file(file, doing.clone(), e);
    let meta = std::fs::metadata(file).map_err(fail)?;
    if meta.is_dir() {
        return Err(fail(std::io::ErrorKind::IsADirectory.into()));
    }
    let image = |what: String, remedy: &str| CliError::Image { file: file.to_owned(), what, remedy: remedy.to_owned() };
    let too_large = || image(format!("larger than any {what} (4 GiB)"), "check that this is the file you meant");
    let mut f = File::open(file).map_err(fail)?;
    let mut bytes = Vec::new();
    f.by_ref().take(load::HEAD as u64).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.is_empty() {
        return Err(image("the file is empty".into(), "build or download it again"));
    }
    if meta.file_type().is_char_device() {
        return Err(image("a device, which may have no end".into(), "copy what it gives into a file"));
    }
    let name = file.display().to_string();
    // The length of what is no plain file is known only when it has been read.
    let len = if meta.is_file() { meta.len() } else { 0 };
    if len > LIMIT {
        return Err(too_large());
    }
    if len > bytes.len() as u64 && as_is(&bytes) {
        return Ok(Loaded { name, bytes, rest: Some(Whole { file: f, len }) });
    }
    bytes.reserve(len.saturating_sub(bytes.len() as u64) as usize);
    f.take(LIMIT + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > LIMIT {
        return Err(too_large());
    }
    Ok(Loaded { name, bytes, rest: None })
}

/// Symbols of the file that the user names, or else of the kernel, if it is an ELF file that has any.
pub fn symbols(given: Option<&Path>, config: &Config) -> Result<Symbols, CliError> {
    let Some(file) = given.or(config.kernel.as_deref()) else { return Ok(Symbols::default()) };
    let bytes = read(file, "symbols", |_| false)?.bytes;
    match Symbols::of(&file.display().to_string(), &bytes) {
        Ok(s) => Ok(s),
        Err(e) if given.is_some() => Err(CliError::usage(e.to_string(), "give an ELF file with a symbol table")),
        Err(_) => Ok(Symbols::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_image_is_refused_with_its_reason() {
        let e = |p: &str| read(Path::new(p), "kernel", load::is_image).expect_err(p).to_string();
        assert!(e("/nonexistent/Image").contains("check the path"));
        assert!(e("/").contains("not a directory"));
        assert!(e("/dev/null").contains("empty"));
    }
}
