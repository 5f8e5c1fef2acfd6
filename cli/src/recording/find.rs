//! Images by their contents: hashing those of a run, and finding those of a log.

use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use replay::log::{Header, Image};

use crate::builtin;
use crate::config::{Config, Drive};
use crate::exit::CliError;
use crate::report::hex;

/// BLAKE3 and size of a file or a built-in program. A pipe could not be read again, and what a terminal or `/dev/zero` has does not end.
pub fn hash(path: &Path) -> std::io::Result<([u8; 32], u64)> {
    if let Some(rom) = builtin::name(path).and_then(builtin::find) {
        return Ok((*blake3::hash(rom).as_bytes(), rom.len() as u64));
    }
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_block_device() && !kind.is_dir() {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "it is no plain file, so that it could not be read again",
        ));
    }
    let mut file = std::fs::File::open(path)?;
    let (mut h, mut size) = (blake3::Hasher::new(), 0);
    let mut buf = vec![0; 1 << 18];
    loop {
        match file.read(&mut buf)? {
            0 => return Ok((*h.finalize().as_bytes(), size)),
            n => {
                h.update(&buf[..n]);
                size += n as u64;
            }
        }
    }
}

/// A file's role and path, and what puts another path in its place.
type NamedFile = (String, PathBuf, Box<dyn FnOnce(&mut Config, PathBuf)>);

/// Every file a configuration names, with its role.
fn files(c: &mut Config) -> Vec<NamedFile> {
    let mut out: Vec<NamedFile> = Vec::new();
    if !matches!(c.bios.as_str(), "native" | "none") {
        out.push(("bios".into(), PathBuf::from(&c.bios), Box::new(|c, p| c.bios = p.to_string_lossy().into_owned())));
    }
    if let Some(p) = &c.kernel {
        out.push(("kernel".into(), p.clone(), Box::new(|c, p| c.kernel = Some(p))));
    }
    if let Some(p) = &c.initrd {
        out.push(("initrd".into(), p.clone(), Box::new(|c, p| c.initrd = Some(p))));
    }
    if let Some(p) = &c.dtb {
        out.push(("dtb".into(), p.clone(), Box::new(|c, p| c.dtb = Some(p))));
    }
    if let Some(p) = &c.from_snapshot {
        out.push(("snapshot".into(), p.clone(), Box::new(|c, p| c.from_snapshot = Some(p))));
    }
    for (i, d) in c.drives.iter().enumerate() {
        out.push((format!("drive{i}"), d.file.clone(), Box::new(move |c, p| c.drives[i].file = p)));
    }
    out
}

/// Every file a configuration names: role and path.
pub fn paths(c: &Config) -> Vec<(String, PathBuf)> {
    files(&mut c.clone()).into_iter().map(|(role, path, _)| (role, path)).collect()
}

/// Refuses a file to write that the run is made of: an image, the snapshot that it goes on from, or one that that is a difference to.
pub fn spare(c: &Config, file: &Path) -> Result<(), CliError> {
    let mut all = paths(c);
    if let Some(first) = &c.from_snapshot {
        // Parents that are elsewhere are none of these names.
        let chain = super::snapshot::chain(first, &[]).unwrap_or_default();
        all.extend(chain.into_iter().map(|p| ("snapshot".to_owned(), p)));
    }
    match all.into_iter().find(|(_, p)| same(p, file)) {
        Some((role, _)) => Err(CliError::usage(
            format!("{}: this is the run's own {role}, which would be lost", file.display()),
            "give another name to write to",
        )),
        None => Ok(()),
    }
}

/// Whether two names are of one plain file.
pub fn same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |p: &Path| std::fs::metadata(p).ok().filter(std::fs::Metadata::is_file).map(|m| (m.dev(), m.ino()));
    id(a).is_some_and(|a| id(b) == Some(a))
}

/// The drive of a configuration whose guest writes to a file, if there is one.
pub fn written(c: &Config) -> Option<&Drive> {
    c.drives.iter().find(|d| d.overlay.is_some() || !d.snapshot && !d.readonly)
}

/// The header of a run's log: its configuration and its images by hash. Drives must leave their files as they are.
pub fn header(c: &Config) -> Result<Header, CliError> {
    if let Some(d) = written(c) {
        return Err(CliError::usage(
            format!("drive {}: its contents would change between recording and replay", d.file.display()),
            "leave out overlay= and snapshot=off: writes are then kept in memory, and in snapshots",
        ));
    }
    let mut images = Vec::new();
    for (role, path, _) in files(&mut c.clone()) {
        let (hash, size) = hash(&path).map_err(|e| CliError::file(&path, "read the image", e))?;
        let name = if builtin::name(&path).is_some() {
            path.display().to_string()
        } else {
            path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
        };
        images.push(Image { role, name, size, hash });
    }
    Ok(Header::new(c.to_toml()?, images))
}

/// The configuration a header describes, with each image's path set to a file of the right contents: the recorded path, or one in `places`.
/// Names all that are missing.
pub fn config(header: &Header, places: &[PathBuf]) -> Result<Config, CliError> {
    let mut c: Config = toml::from_str(&header.config).map_err(|e| {
        CliError::usage(
            format!("the recorded configuration is not one of this version: {}", e.message()),
            "use the version that made it",
        )
    })?;
    // No recorder makes these: they would write to files of whoever replays.
    if let Some(d) = written(&c) {
        return Err(CliError::usage(
            format!("the recorded configuration has a drive that is written to: {}", d.file.display()),
            "take recordings from those you trust only; this one is not what trapeze writes",
        ));
    }
    c.check()?;
    c.places = places.to_vec();
    let mut missing = Vec::new();
    for (role, path, set) in files(&mut c) {
        let Some(image) = header.images.iter().find(|i| i.role == role) else {
            return Err(CliError::usage(format!("the log has no hash for its {role}"), "record again"));
        };
        match place(image, &path, places) {
            Some(found) => set(&mut c, found),
            None => missing.push(format!("  {role} {} ({} bytes, blake3 {})", image.name, image.size, hex(&image.hash))),
        }
    }
    if missing.is_empty() {
        return Ok(c);
    }
    Err(CliError::usage(
        format!("images of the recording are not where they were, or have other contents:\n{}", missing.join("\n")),
        "name directories that have them with --images DIR, or ask for a bundle (trapeze bundle)",
    ))
}

/// The files of a directory, that of a name first; none if it cannot be read.
pub fn candidates(dir: &Path, name: &str) -> Vec<PathBuf> {
    let Ok(list) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<PathBuf> = list.flatten().map(|e| e.path()).filter(|f| f.is_file()).collect();
    files.sort_by_key(|f| (f.file_name().is_none_or(|n| n.to_string_lossy() != name), f.clone()));
    files
}

fn place(image: &Image, recorded: &Path, places: &[PathBuf]) -> Option<PathBuf> {
    // A file of another size is not read at all; a block device tells its size only when it is.
    let sized = |p: &Path| std::fs::metadata(p).is_ok_and(|m| !m.is_file() || m.len() == image.size);
    let fits = |p: &Path| (builtin::name(p).is_some() || sized(p)) && hash(p).is_ok_and(|(h, _)| h == image.hash);
    if builtin::name(Path::new(&image.name)).is_some() && fits(Path::new(&image.name)) {
        return Some(PathBuf::from(&image.name));
    }
    if fits(recorded) {
        return Some(recorded.to_owned());
    }
    for dir in places {
        if let Some(f) = candidates(dir, &image.name).into_iter().find(|f| fits(f)) {
            return Some(f);
        }
    }
    None
}
