//! An overlay file: what a guest wrote, apart from the base image.
//!
//! Layout: a header sector (magic, number of sectors, fingerprint of the base image), a bitmap with one bit a sector from byte 512,
//! and from the next multiple of 4096 the sectors at their own places, so that unwritten ones are holes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use emu_core::dev::StateIo;
use emu_core::dev::virtio::backend::SECTOR;
use emu_core::dev::virtio::{BlockBackend, BlockError};

use super::file::{FileDisk, error, lock};
use crate::exit::CliError;

const MAGIC: &[u8; 16] = b"trapeze overlay1";
/// Bytes hashed at either end of the base image, to tell it from another.
const SAMPLE: u64 = 1 << 20;

/// An open overlay over its base.
pub struct OverlayFile {
    base: FileDisk,
    file: File,
    path: PathBuf,
    /// One bit a sector: written.
    map: Vec<u8>,
    data: u64,
}

impl OverlayFile {
    /// Opens or creates the overlay.
    pub fn open(path: &Path, mut base: FileDisk) -> Result<OverlayFile, CliError> {
        let fail = |e| CliError::file(path, "open the overlay", e);
        let image =
            |what: &str, remedy: &str| CliError::Image { file: path.to_owned(), what: what.into(), remedy: remedy.into() };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
        lock(&file, path)?;
        let sectors = base.sectors();
        let bytes = sectors.div_ceil(8);
        let data = (SECTOR + bytes).next_multiple_of(4096);
        let mut want = MAGIC.to_vec();
        want.extend(sectors.to_le_bytes());
        want.extend(fingerprint(&mut base)?);
        let mut map = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
        if file.metadata().map_err(fail)?.len() == 0 {
            file.write_all_at(&want, 0).and_then(|()| file.set_len(data + sectors * SECTOR)).map_err(fail)?;
        } else {
            let mut found = vec![0; want.len()];
            let header = file.read_exact_at(&mut found, 0).and_then(|()| file.read_exact_at(&mut map, SECTOR));
            let cut = found.starts_with(MAGIC) && file.metadata().map_err(fail)?.len() < data + sectors * SECTOR && found == want;
            if header.is_err() || cut || !found.starts_with(MAGIC) {
                return Err(image("this is not an overlay, or it is truncated", "name another file, or delete this one"));
            }
            if found != want {
                return Err(image(
                    &format!(
                        "this overlay belongs to another base image than {}, or that has changed since",
                        base.path.display()
                    ),
                    "use the base image it was made with, or delete the overlay",
                ));
            }
        }
        Ok(OverlayFile { base, file, path: path.to_owned(), map, data })
    }

    fn written(&self, sector: u64) -> bool {
        self.map.get((sector / 8) as usize).is_some_and(|b| b >> (sector % 8) & 1 != 0)
    }
}

/// Tells base images apart: size, and the contents of both ends.
fn fingerprint(base: &mut FileDisk) -> Result<[u8; 32], CliError> {
    let sectors = base.sectors();
    let n = sectors.min(SAMPLE / SECTOR);
    let mut buf = vec![0; (n * SECTOR) as usize];
    let mut h = blake3::Hasher::new();
    for start in [0, sectors - n] {
        base.file.read_exact_at(&mut buf, start * SECTOR).map_err(|e| CliError::file(&base.path, "read the disk image", e))?;
        h.update(&buf);
    }
    Ok(*h.finalize().as_bytes())
}

impl BlockBackend for OverlayFile {
    /// The overlay file is this guest's alone.
    fn fork(&self) -> Option<Box<dyn BlockBackend>> {
        None
    }

    fn sectors(&self) -> u64 {
        self.base.sectors()
    }

    fn read(&mut self, sector: u64, buf: &mut [u8]) -> Result<(), BlockError> {
        for (s, part) in (sector..).zip(buf.chunks_mut(SECTOR as usize)) {
            if self.written(s) {
                self.file.read_exact_at(part, self.data + s * SECTOR).map_err(|e| error(&self.path, "read", s, &e))?;
            } else {
                self.base.read(s, part)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, sector: u64, buf: &[u8]) -> Result<(), BlockError> {
        let fail = |e| error(&self.path, "write", sector, &e);
        // Data first, then the bits that make it valid: a crash in between leaves the base's contents.
        self.file.write_all_at(buf, self.data + sector * SECTOR).map_err(fail)?;
        let count = buf.len() as u64 / SECTOR;
        for s in sector..sector + count {
            if let Some(b) = self.map.get_mut((s / 8) as usize) {
                *b |= 1 << (s % 8);
            }
        }
        let (first, last) = ((sector / 8) as usize, ((sector + count.max(1) - 1) / 8) as usize);
        let bits = self.map.get(first..=last).unwrap_or(&[]);
        self.file.write_all_at(bits, SECTOR + first as u64).map_err(fail)
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        self.file.sync_data().map_err(|e| error(&self.path, "flush", 0, &e))
    }

    /// Nothing: what the guest wrote is in the file.
    fn state(&mut self, _io: &mut dyn StateIo) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of this test's own, removed at the end.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Dir {
            let d = std::env::temp_dir().join(format!("trapeze-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&d).unwrap();
            Dir(d)
        }
        fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let f = self.0.join(name);
            std::fs::write(&f, bytes).unwrap();
            f
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn an_overlay_keeps_writes_across_runs_and_the_base_stays_as_it_was() {
        let d = Dir::new("overlay");
        let image: Vec<u8> = (0..64 * 512).map(|i| (i / 512) as u8).collect();
        let base = d.file("base", &image);
        let path = d.0.join("over");
        let open = || OverlayFile::open(&path, FileDisk::open(&base, false).unwrap());
        open().unwrap().write(7, &[0xee; 1024]).unwrap();
        let mut buf = vec![0; 4 * 512];
        open().unwrap().read(6, &mut buf).unwrap();
        let firsts: Vec<u8> = buf.chunks(512).map(|c| c[511]).collect();
        assert_eq!(firsts, [6, 0xee, 0xee, 9]);
        assert_eq!(std::fs::read(&base).unwrap(), image);

        let other = d.file("other", &[1; 64 * 512]);
        let e = OverlayFile::open(&path, FileDisk::open(&other, false).unwrap()).err().unwrap().to_string();
        assert!(e.contains("another base image"), "{e}");
        let e = OverlayFile::open(&base, FileDisk::open(&other, false).unwrap()).err().unwrap().to_string();
        assert!(e.contains("not an overlay"), "{e}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

        /// Header, fingerprint: refused. Bitmap: any is one. In no case a panic, or a base image that is written.
        #[test]
        fn a_damaged_overlay_is_refused_or_reads_as_one(at in 0..8192usize, bit in 0..8u8, cut in proptest::option::of(0..40_000usize)) {
            let d = Dir::new(&format!("damage-{at}-{bit}"));
            let image: Vec<u8> = (0..64 * 512).map(|i| (i / 512) as u8).collect();
            let base = d.file("base", &image);
            let path = d.0.join("over");
            let open = || OverlayFile::open(&path, FileDisk::open(&base, false).unwrap());
            open().unwrap().write(7, &[0xee; 1024]).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[at] ^= 1 << bit;
            bytes.truncate(cut.unwrap_or(usize::MAX));
            std::fs::write(&path, &bytes).unwrap();
            match open() {
                Ok(mut o) => {
                    proptest::prop_assert!(at >= 56 && bytes.len() == 4096 + 64 * 512 || bytes.is_empty());
                    let mut buf = vec![0; 64 * 512];
                    o.read(0, &mut buf).unwrap();
                    o.write(0, &buf).unwrap();
                }
                Err(e) => proptest::prop_assert!(e.to_string().contains("remedy"), "{e}"),
            }
            proptest::prop_assert_eq!(std::fs::read(&base).unwrap(), image);
        }
    }

    #[test]
    fn images_that_cannot_be_raw_disks_are_refused() {
        let d = Dir::new("images");
        for (bytes, word) in
            [(&[0u8; 700][..], "sectors"), (&[], "0 bytes"), (&[b"QFI\xfb".as_slice(), &[0; 508]].concat(), "qcow2")]
        {
            let e = FileDisk::open(&d.file("x", bytes), false).err().expect(word).to_string();
            assert!(e.contains(word) && e.contains("remedy"), "{e}");
        }
    }

    #[test]
    fn two_writers_of_one_image_are_kept_apart() {
        let d = Dir::new("lock");
        let f = d.file("x", &[0; 512]);
        let _first = FileDisk::open(&f, true).unwrap();
        assert!(FileDisk::open(&f, true).err().unwrap().to_string().contains("another process"));
        assert!(FileDisk::open(&f, false).is_ok());
    }
}
