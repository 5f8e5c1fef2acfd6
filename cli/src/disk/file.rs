//! A raw disk image in a file.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use emu_core::dev::StateIo;
use emu_core::dev::virtio::backend::SECTOR;
use emu_core::dev::virtio::{BlockBackend, BlockError};
use rustix::fs::{FlockOperation, flock};

use crate::exit::CliError;

/// An open image.
pub struct FileDisk {
    pub(super) file: File,
    pub(super) path: PathBuf,
    sectors: u64,
    writable: bool,
}

/// First bytes of image formats a raw disk is easily mistaken for.
const FOREIGN: [(&[u8], &str); 4] = [(b"QFI\xfb", "qcow2"), (b"KDMV", "vmdk"), (b"vhdxfile", "vhdx"), (b"conectix", "vpc")];

impl FileDisk {
    /// Opens an image. A writable one is locked, so that two guests cannot spoil it together.
    pub fn open(path: &Path, writable: bool) -> Result<FileDisk, CliError> {
        let fail = |e| CliError::file(path, "open the disk image", e);
        let image = |what: String, remedy: &str| CliError::Image { file: path.to_owned(), what, remedy: remedy.into() };
        if std::fs::metadata(path).map_err(fail)?.is_dir() {
            return Err(fail(std::io::ErrorKind::IsADirectory.into()));
        }
        let file = OpenOptions::new().read(true).write(writable).open(path).map_err(fail)?;
        if writable {
            lock(&file, path)?;
        }
        // Seeking finds the size of a block device too, which its metadata does not tell.
        let size = std::io::Seek::seek(&mut &file, std::io::SeekFrom::End(0)).map_err(fail)?;
        if size == 0 || !size.is_multiple_of(SECTOR) {
            return Err(image(
                format!("{size} bytes are not a whole number of {SECTOR}-byte sectors: the image is truncated, or not raw"),
                "make it again, or pad it: truncate -s %512 FILE",
            ));
        }
        let mut magic = [0; 8];
        file.read_exact_at(&mut magic, 0).map_err(fail)?;
        if let Some((_, format)) = FOREIGN.iter().find(|(m, _)| magic.starts_with(m)) {
            return Err(image(
                format!("this is a {format} image, not a raw one"),
                &format!("convert it: qemu-img convert -f {format} -O raw IN OUT"),
            ));
        }
        Ok(FileDisk { file, path: path.to_owned(), sectors: size / SECTOR, writable })
    }
}

/// Takes the file for this process alone.
pub(super) fn lock(file: &File, path: &Path) -> Result<(), CliError> {
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|e| {
        if e == rustix::io::Errno::WOULDBLOCK {
            CliError::Image {
                file: path.to_owned(),
                what: "another process is writing to it".into(),
                remedy: "end the other guest, or use snapshot=on".into(),
            }
        } else {
            CliError::file(path, "lock the disk image", e.into())
        }
    })
}

pub(super) fn error(path: &Path, what: &str, sector: u64, e: &std::io::Error) -> BlockError {
    BlockError { image: path.display().to_string(), what: format!("{what} at sector {sector}: {e}") }
}

impl BlockBackend for FileDisk {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, sector: u64, buf: &mut [u8]) -> Result<(), BlockError> {
        self.file.read_exact_at(buf, sector * SECTOR).map_err(|e| error(&self.path, "read", sector, &e))
    }

    fn write(&mut self, sector: u64, buf: &[u8]) -> Result<(), BlockError> {
        self.file.write_all_at(buf, sector * SECTOR).map_err(|e| error(&self.path, "write", sector, &e))
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        self.file.sync_data().map_err(|e| error(&self.path, "flush", 0, &e))
    }

    /// A writable image is the guest's alone.
    fn fork(&self) -> Option<Box<dyn BlockBackend>> {
        if self.writable {
            return None;
        }
        let file = self.file.try_clone().ok()?;
        Some(Box::new(FileDisk { file, path: self.path.clone(), sectors: self.sectors, writable: false }))
    }

    /// Nothing: what the guest wrote is in the file.
    fn state(&mut self, _io: &mut dyn StateIo) {}
}
