//! Disk images as host files: the base image, and the overlay that keeps what the guest writes away from it.

mod file;
mod overlay;

use emu_core::board;
use emu_core::dev::virtio::{BlockBackend, Overlay};

use crate::config::Drive;
use crate::exit::CliError;
use file::FileDisk;
use overlay::OverlayFile;

/// Opens a drive as its options say. The base image is opened for writing only with `snapshot=off`.
pub fn open(drive: &Drive) -> Result<board::Drive, CliError> {
    let writable = !drive.snapshot && !drive.readonly;
    let base = FileDisk::open(&drive.file, writable)?;
    let backend: Box<dyn BlockBackend> = match &drive.overlay {
        Some(overlay) => Box::new(OverlayFile::open(overlay, base)?),
        None if drive.snapshot && !drive.readonly => Box::new(Overlay::new(Box::new(base))),
        None => Box::new(base),
    };
    let serial = drive.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(board::Drive { backend, read_only: drive.readonly, serial })
}
