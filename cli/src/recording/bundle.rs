//! Bundles and tokens: recordings that have everything with them. Packing, and unpacking into a directory of their own.

use std::fs::{DirBuilder, File};
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use replay::ReplayError;
use replay::bundle::{self, BundleError, Entry, Sink, Writer};
use replay::log::Log;
use replay::token::Token;

use crate::builtin;
use crate::console::output::Pending;
use crate::exit::CliError;
use crate::recording::{commands, find, snapshot};

/// What a bundle may unpack to for each byte it has, and besides: more is made to fill a disk.
const RATIO: u64 = 400;
const SLACK: u64 = 64 << 20;
/// Images up to this size are put into tokens.
const EMBED: u64 = 1500;
/// A block of zeroes of this size is not written.
const HOLE: usize = 4096;

/// A directory for the images of one replay, removed with what is in it at the end.
#[derive(Debug)]
pub struct Unpacked(PathBuf);

impl Unpacked {
    fn new() -> Result<Unpacked, CliError> {
        let mut n = 0;
        loop {
            let dir = std::env::temp_dir().join(format!("trapeze-{}-{n}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&dir) {
                Ok(()) => return Ok(Unpacked(dir)),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && n < 1000 => n += 1,
                Err(e) => return Err(CliError::file(&dir, "make a directory for what the bundle holds", e)),
            }
        }
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.0
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        // Temporary files that cannot be removed are no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A recording, wherever it came from.
pub struct Opened {
    /// Its log.
    pub log: Log,
    /// Where its images may be.
    pub places: Vec<PathBuf>,
    /// Keeps the unpacked images there.
    pub unpacked: Option<Unpacked>,
}

/// Opens a log, a bundle or a token.
pub fn open(what: &str) -> Result<Opened, CliError> {
    if Token::is_one(what) {
        let token = Token::read(what).map_err(CliError::replay)?;
        return from_token(token);
    }
    let file = Path::new(what);
    let mut magic = [0; 8];
    let bundle = File::open(file).and_then(|mut f| std::io::Read::read_exact(&mut f, &mut magic)).is_ok()
        && magic == *bundle::FORMAT.magic;
    if !bundle {
        return Ok(Opened { log: commands::read_log(file)?, places: Vec::new(), unpacked: None });
    }
    let unpacked = Unpacked::new()?;
    let log = unpack(file, unpacked.dir())?;
    let places = vec![unpacked.dir().to_owned()];
    Ok(Opened { log, places, unpacked: Some(unpacked) })
}

fn from_token(token: Token) -> Result<Opened, CliError> {
    let mut opened = Opened { log: token.log, places: Vec::new(), unpacked: None };
    if token.images.is_empty() {
        return Ok(opened);
    }
    let unpacked = Unpacked::new()?;
    for (n, (_, bytes)) in token.images.iter().enumerate() {
        let file = unpacked.dir().join(format!("image{n}"));
        std::fs::write(&file, bytes).map_err(|e| CliError::file(&file, "write the token's image", e))?;
    }
    opened.places.push(unpacked.dir().to_owned());
    opened.unpacked = Some(unpacked);
    Ok(opened)
}

/// The token of a recording; `None` if it would be too long. Small images go into it, others are named by their hash.
pub fn token(log: &Log, places: &[PathBuf]) -> Result<Option<String>, CliError> {
    let config = find::config(&log.header, places)?;
    let mut images = Vec::new();
    for (role, path) in find::paths(&config) {
        let small = std::fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= EMBED);
        if builtin::name(&path).is_none() && small {
            images.push((role, commands::read(&path, "image")?));
        }
    }
    let mut log = log.clone();
    log.header.config = config.to_short_toml()?;
    Ok(Token { log, images }.text())
}

/// Packs a log with its images, and with a snapshot that it begins with; what was made, in words.
pub fn pack(log_file: &Path, to: &Path, places: &[PathBuf]) -> Result<String, CliError> {
    let bytes = commands::read(log_file, "log")?;
    let log = Log::read(&bytes).map_err(|e| CliError::replay_of(log_file, e))?;
    let config = find::config(&log.header, places)?;
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for (role, path) in find::paths(&config).into_iter().filter(|(_, p)| builtin::name(p).is_none()) {
        if role == "snapshot" {
            files.extend(snapshot::chain(&path, places)?.into_iter().map(|p| (role.clone(), p)));
        } else {
            files.push((role, path));
        }
    }
    if find::same(log_file, to) {
        return Err(CliError::usage(
            format!("{}: this is the log, which would be lost", to.display()),
            "give the bundle another name",
        ));
    }
    find::spare(&config, to)?;
    let mut out = Pending::create(to, "bundle")?;
    write(&bytes, &files, &mut out, to)?;
    out.finish().map_err(|e| CliError::file(to, "write the bundle", e))?;
    let size = std::fs::metadata(to).map_or(0, |m| m.len());
    Ok(format!("{}: the log and {} images, {size} bytes\n", to.display(), files.len()))
}

fn write(log: &[u8], files: &[(String, PathBuf)], out: &mut Pending, to: &Path) -> Result<(), CliError> {
    let fail = |e| CliError::file(to, "write the bundle", e);
    let mut w = Writer::new(out).map_err(fail)?;
    let entry = Entry { role: "log".into(), name: "log".into(), size: log.len() as u64 };
    w.add(&entry, &mut &log[..]).map_err(fail)?;
    for (n, (role, path)) in files.iter().enumerate() {
        let cannot = |e| CliError::file(path, format!("read the {role}"), e);
        let file = File::open(path).map_err(cannot)?;
        let size = file.metadata().map_err(cannot)?.len();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).filter(|n| bundle::is_plain(n));
        // Two images may have one name.
        let name = format!("{n}-{}", name.unwrap_or_default());
        w.add(&Entry { role: role.clone(), name, size }, &mut BufReader::new(file)).map_err(cannot)?;
    }
    w.finish().map(drop).map_err(fail)
}

/// Unpacks a bundle into a directory that nobody else uses; its log.
fn unpack(file: &Path, dir: &Path) -> Result<Log, CliError> {
    let from = File::open(file).map_err(|e| CliError::file(file, "read the bundle", e))?;
    let most = from.metadata().map_or(0, |m| m.len()).saturating_mul(RATIO).saturating_add(SLACK);
    let mut sink = Files { dir, open: None, log: None, left: most };
    bundle::read(&mut BufReader::new(from), &mut sink).map_err(|e| match e {
        BundleError::Io(e) => CliError::file(file, "unpack the bundle", e),
        BundleError::Format(e) => CliError::replay_of(file, e),
    })?;
    let name = sink.log.ok_or_else(|| {
        CliError::usage(format!("{}: there is no log in this bundle", file.display()), "make it again with trapeze bundle")
    })?;
    // The unpacked log has a name that nobody knows.
    Log::read(&commands::read(&name, "log")?).map_err(|e| CliError::replay_of(file, e))
}

struct Files<'a> {
    dir: &'a Path,
    open: Option<(File, u64)>,
    log: Option<PathBuf>,
    /// Bytes that may still be written.
    left: u64,
}

impl Sink for Files<'_> {
    fn begin(&mut self, entry: &Entry) -> Result<(), BundleError> {
        let path = self.dir.join(&entry.name);
        let file = File::create_new(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => BundleError::Format(ReplayError::Format {
                kind: "bundle",
                what: format!("two of its files have the name {}", entry.name),
                at: 0,
                remedy: "make it again with trapeze bundle",
            }),
            _ => e.into(),
        })?;
        self.open = Some((file, 0));
        if entry.role == "log" && self.log.is_none() {
            self.log = Some(path);
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        let Some((file, at)) = &mut self.open else { return Ok(()) };
        for block in bytes.chunks(HOLE) {
            if block.iter().any(|b| *b != 0) {
                self.left = self.left.checked_sub(block.len() as u64).ok_or_else(|| {
                    BundleError::Format(ReplayError::Format {
                        kind: "bundle",
                        what: format!("its files are more than {RATIO} times as large as it is"),
                        at: *at,
                        remedy: "take bundles from those you trust only; unpack it elsewhere if it is one of them",
                    })
                })?;
                file.seek(SeekFrom::Start(*at))?;
                file.write_all(block)?;
            }
            *at += block.len() as u64;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), BundleError> {
        if let Some((file, size)) = self.open.take() {
            file.set_len(size)?;
        }
        Ok(())
    }
}
