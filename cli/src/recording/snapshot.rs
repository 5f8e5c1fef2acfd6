//! Snapshots as files: saving, finding what they are a difference to, loading, and the commands for them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emu_core::machine::Machine;
use replay::bytes::CHECK;
use replay::snapshot::{self, About, Id, Parent, Snapshot};

use crate::args::{RunArgs, SnapshotCommand, run_options};
use crate::config::Config;
use crate::console::output;
use crate::exit::{CliError, Exit};
use crate::recording::{commands, find};
use crate::report::hex;
use crate::{machine, run};

/// Snapshots between one and the machine's start, at most: a longer way is more likely a mistake.
const DEEPEST: usize = 64;
/// What a snapshot may be in size.
const LIMIT: u64 = 64 << 30;

/// A moment at which a run leaves a snapshot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Point {
    /// Instructions retired by all harts since the run began.
    pub instret: u64,
    /// The file.
    pub file: PathBuf,
}

/// The moments that a command line asks for (`--snapshot-at INSTRET=FILE`), in order.
pub fn points(args: &[String]) -> Result<Vec<Point>, CliError> {
    let parse = |text: &String| {
        let (at, file) = text.split_once('=')?;
        Some(Point { instret: crate::args::values::count(at).ok()?, file: PathBuf::from(file) })
    };
    let mut all = Vec::new();
    for text in args {
        let point = parse(text).filter(|p| !p.file.as_os_str().is_empty()).ok_or_else(|| {
            CliError::usage(
                format!("option --snapshot-at: '{text}' is not INSTRUCTIONS=FILE"),
                "give for example 500M=booted.snap",
            )
        })?;
        // Not when the run has come that far.
        output::ready(&point.file, "snapshot")?;
        all.push(point);
    }
    all.sort();
    Ok(all)
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    commands::read_up_to(file, "snapshot", LIMIT)
}

/// Saves a machine as a difference to what its configuration makes at the start of the run.
pub fn save(c: &Config, m: &mut Machine, file: &Path) -> Result<Id, CliError> {
    find::spare(c, file)?;
    let parent = match &c.from_snapshot {
        None => None,
        Some(f) => {
            let name = f.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            Some(Parent { id: id(f)?, name })
        }
    };
    let header = find::header(&c.machine_alone())?;
    let base = machine::build(c)?;
    let mut bytes = Vec::new();
    let id = snapshot::save(m, &base.bus().ram, header, parent, &mut bytes);
    let id = id.map_err(|e| CliError::file(file, "write the snapshot", e))?;
    output::file(file, &bytes).map_err(|e| CliError::file(file, "write the snapshot", e))?;
    Ok(id)
}

/// The name of the snapshot in a file: its last checksum.
fn id(file: &Path) -> Result<Id, CliError> {
    use std::os::unix::fs::FileExt;
    let fail = |e| CliError::file(file, "read the snapshot", e);
    let f = std::fs::File::open(file).map_err(fail)?;
    let at = f.metadata().map_err(fail)?.len().saturating_sub(CHECK as u64);
    let mut id = [0; CHECK];
    f.read_exact_at(&mut id, at).map_err(fail)?;
    Ok(id)
}

/// The configuration of the run that a snapshot belongs to, with its images found by hash: at their recorded paths, beside the snapshot, or
/// in `places`.
pub fn config(file: &Path, places: &[PathBuf], force: bool) -> Result<Config, CliError> {
    let about = about(file)?;
    if !force {
        about.header.check("snapshot").map_err(|e| CliError::replay_of(file, e))?;
    }
    let mut all = places.to_vec();
    all.push(directory(file));
    find::config(&about.header, &all)
}

/// What a snapshot file says of itself.
fn about(file: &Path) -> Result<About, CliError> {
    use std::io::Read;
    let fail = |e| CliError::file(file, "read the snapshot", e);
    let mut head = Vec::new();
    // Headers are small; the rest is read when it is wanted.
    std::fs::File::open(file).map_err(fail)?.take(1 << 20).read_to_end(&mut head).map_err(fail)?;
    Snapshot::about(&head).map_err(|e| CliError::replay_of(file, e))
}

fn directory(file: &Path) -> PathBuf {
    let parent = file.parent().unwrap_or(Path::new("."));
    if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() }
}

/// A snapshot's file and those of the snapshots it is a difference to, the first one first.
pub fn chain(file: &Path, places: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = vec![file.to_owned()];
    let mut about = about(file)?;
    while let Some(p) = &about.parent {
        let child = files.last().cloned().unwrap_or_default();
        let found = find_parent(p, &child, places).ok_or_else(|| {
            CliError::usage(
                format!("{}: the snapshot it is a difference to is missing: {} (id {})", child.display(), p.name, hex(&p.id)),
                "put it beside this one, or name its directory with --images DIR",
            )
        })?;
        about = self::about(&found)?;
        files.push(found);
        if files.len() > DEEPEST {
            return Err(CliError::usage(
                format!("{}: it is a difference to more than {DEEPEST} others", file.display()),
                "load it and save it without --from-snapshot",
            ));
        }
    }
    files.reverse();
    Ok(files)
}

fn find_parent(p: &Parent, child: &Path, places: &[PathBuf]) -> Option<PathBuf> {
    let mut dirs = vec![directory(child)];
    dirs.extend(places.iter().cloned());
    for dir in dirs {
        if let Some(f) = find::candidates(&dir, &p.name).into_iter().find(|f| id(f).is_ok_and(|i| i == p.id)) {
            return Some(f);
        }
    }
    None
}

/// Brings a machine at its start into the state that a snapshot holds.
pub fn load(m: &mut Machine, file: &Path, places: &[PathBuf]) -> Result<(), CliError> {
    for f in chain(file, places)? {
        let bytes = read(&f)?;
        let s = Snapshot::read(&bytes).map_err(|e| CliError::replay_of(&f, e))?;
        s.apply(m).map_err(|e| CliError::replay_of(&f, e))?;
    }
    Ok(())
}

/// `trapeze snapshot`.
pub fn command(c: &SnapshotCommand) -> Result<ExitCode, CliError> {
    match c {
        SnapshotCommand::Save { output: file, at, run: options } => {
            let mut options = run_options(options)?;
            options.snapshot_at = vec![format!("{at}={}", file.display())];
            options.limit = Some(*at);
            run::recorded(&options, None)?;
        }
        SnapshotCommand::Load { file, run: options } => {
            let mut options = match options.as_slice() {
                [] => RunArgs::default(),
                some => run_options(some)?,
            };
            options.from_snapshot = Some(file.clone());
            return run::recorded(&options, None);
        }
        SnapshotCommand::List { dirs } => {
            let here = [PathBuf::from(".")];
            for dir in if dirs.is_empty() { &here[..] } else { dirs } {
                list(dir)?;
            }
        }
        SnapshotCommand::Info { file, images, check } => {
            output::print(&output::clean(&info(file, images)?))?;
            if *check {
                let c = config(file, images, false)?;
                let m = machine::build(&Config { from_snapshot: Some(file.clone()), places: images.clone(), ..c })?;
                output::print(&format!("loads: yes, at instruction {}\n", m.instret()))?;
            }
        }
    }
    Ok(Exit::Ok.into())
}

fn list(dir: &Path) -> Result<(), CliError> {
    let fail = |e| CliError::file(dir, "list the directory", e);
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).map_err(fail)?.flatten().map(|e| e.path()).collect();
    files.sort();
    for f in files {
        let Ok(a) = about(&f) else { continue };
        let size = std::fs::metadata(&f).map_or(0, |m| m.len());
        let base = a.parent.map_or("start".to_owned(), |p| p.name);
        let line = format!("{}\tinstruction {}\t{size} bytes\tfrom {base}\n", f.display(), a.instret);
        output::print(&output::clean(&line))?;
    }
    Ok(())
}

fn info(file: &Path, places: &[PathBuf]) -> Result<String, CliError> {
    let bytes = read(file)?;
    let s = Snapshot::read(&bytes).map_err(|e| CliError::replay_of(file, e))?;
    let a = &s.about;
    let mut text = format!(
        "snapshot {}\nid {}\nmade by {}\nat instruction {}, cycle {}\nstate hash {}\n{} pages of RAM and {} bytes of state in {} bytes\n",
        file.display(),
        hex(&s.id),
        a.header.tool,
        a.instret,
        a.cycles,
        hex(&a.hash),
        s.pages,
        s.state,
        bytes.len()
    );
    match &a.parent {
        None => text += "a difference to the machine at its start\n",
        Some(p) => text += &format!("a difference to {} (id {})\n", p.name, hex(&p.id)),
    }
    for i in &a.header.images {
        text += &format!("{} {} ({} bytes, blake3 {})\n", i.role, i.name, i.size, hex(&i.hash));
    }
    if let Err(e) = config(file, places, true) {
        text += &format!("{e}\n");
    }
    Ok(text)
}
