//! Large files that are read straight into memory: a copy of the whole would cost more time than everything else at the start.

/// A file that is read piece by piece.
pub trait Stream: std::fmt::Debug {
    /// Bytes in the file.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` from `offset`; an error if the file has fewer bytes.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<()>;
}

/// Bytes of a file's beginning that must be in [`super::File`] when the rest is a stream: headers are looked for there.
pub const HEAD: usize = 1 << 16;

/// The files of [`super::Images`] of which only the beginning (at least [`HEAD`] bytes) is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streams<'a> {
    /// The whole kernel; only for an Image that is not compressed ([`super::is_image`]).
    pub kernel: Option<&'a dyn Stream>,
    /// The whole initrd.
    pub initrd: Option<&'a dyn Stream>,
}
