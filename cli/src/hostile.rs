//! Files from others, as the commands take them, with bounds on the work: what the fuzz target `scenarios` calls.

use std::path::{Path, PathBuf};

use crate::recording::{bundle, find};
use crate::scenario;

/// What became of the scenarios of a file.
#[derive(Debug)]
pub struct Tested {
    /// Passed, failed and skipped.
    pub counts: [usize; 3],
    /// Files that failed scenarios left.
    pub files: Vec<PathBuf>,
    /// The results as JSON, without host time.
    pub json: String,
}

/// What `trapeze test FILE --output DIR` does, with steps of at most `cycles` each and small machines. The error is the text that would be
/// printed.
pub fn test(file: &Path, output: &Path, cycles: u64) -> Result<Tested, String> {
    scenario::bounded(file, output, cycles).map_err(|e| e.to_string())
}

/// What `trapeze replay WHAT` does before the guest starts: a log, a bundle or a token is opened, a bundle unpacked (in the host's directory for
/// temporary files, from where it is gone afterwards), its configuration read and its images found. The error is the text that would be
/// printed.
pub fn open(what: &str) -> Result<(), String> {
    let opened = bundle::open(what).map_err(|e| e.to_string())?;
    opened.log.header.check("log").map_err(|e| e.to_string())?;
    find::config(&opened.log.header, &opened.places).map(drop).map_err(|e| e.to_string())
}
