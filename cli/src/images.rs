//! Reads the files the user names, before the guest starts.

use std::io::Read;
use std::path::Path;

use crate::exit::CliError;

/// Nothing the board can hold is larger; a mistaken path to a disk or a device must not fill the host's memory.
const LIMIT: u64 = 4 << 30;

/// Reads a whole image. `what` completes "cannot read the ..." ("kernel").
pub fn read(file: &Path, what: &str) -> Result<Vec<u8>, CliError> {
    let doing = format!("read the {what}");
    let fail = |e| CliError::file(file, doing.clone(), e);
    let meta = std::fs::metadata(file).map_err(fail)?;
    if meta.is_dir() {
        return Err(fail(std::io::ErrorKind::IsADirectory.into()));
    }
    let f = std::fs::File::open(file).map_err(fail)?;
    let mut bytes = Vec::with_capacity(meta.len().min(LIMIT) as usize);
    f.take(LIMIT + 1).read_to_end(&mut bytes).map_err(fail)?;
    let image = |what: String, remedy: &str| CliError::Image { file: file.to_owned(), what, remedy: remedy.to_owned() };
    if bytes.len() as u64 > LIMIT {
        return Err(image(format!("larger than any {what} (4 GiB)"), "check that this is the file you meant"));
    }
    if bytes.is_empty() {
        return Err(image("the file is empty".into(), "build or download it again"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_image_is_refused_with_its_reason() {
        let e = |p: &str| read(Path::new(p), "kernel").expect_err(p).to_string();
        assert!(e("/nonexistent/Image").contains("check the path"));
        assert!(e("/").contains("not a directory"));
        assert!(e("/dev/null").contains("empty"));
    }
}
