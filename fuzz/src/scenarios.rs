//! Hostile scenario files through `trapeze test`, and hostile recordings through what `trapeze replay` does before a guest starts.
//! Whatever they hold: a result, or a message with a remedy; the same each time; and no file but below the directory that was named.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use replay::bundle::{self, Entry, Writer};
use replay::log::{End, Header, Image, LogWriter, Parts, Position};
use trapeze::hostile;

use crate::bytes::Bytes;
use crate::files::sealed;

/// A step runs no longer.
const CYCLES: u64 = 100_000;
/// Two executions of the same file are asked for.
const TWICE: u8 = 0x80;

const STEPS: &str = "[guest]\nkernel = \"rom:echo\"\nsmp = 2\n[[scenario]]\nname = \"a\"\nsteps = [\n";
const GUEST: &str = "[[scenario]]\nname = \"a\"\nsteps = [{ until = { more = 5000 } }, { end = { how = \"reset\" } }]\n[guest]\n";
const AFTER: &str = "[guest]\nkernel = \"rom:hyp\"\n[[scenario]]\nname = \"a\"\nsteps = [{ until = { instret = 500 } }]\n\
                     [[scenario]]\nname = \"b\"\nafter = \"a\"\nsteps = [\n";

/// One input: what the rest is, then that.
pub fn run(data: &[u8]) {
    let mut b = Bytes(data);
    let what = b.u8();
    let framed = |head: &str, tail: &str| [head.as_bytes(), b.0, tail.as_bytes()].concat();
    match what & !TWICE & 7 {
        0 => test(b.0, what & TWICE != 0),
        1 => test(&framed(STEPS, "\n]\n"), what & TWICE != 0),
        2 => test(&framed(GUEST, "\n"), what & TWICE != 0),
        3 => test(&framed(AFTER, "\n]\n"), what & TWICE != 0),
        4 => open(b.0),
        5 => open(&sealed(&bundle::FORMAT, None, b)),
        6 => said(hostile::open(&format!("{}1:{}", replay::token::PREFIX, String::from_utf8_lossy(b.0)))),
        _ => open(&bundled(b)),
    }
    assert!(!unpacked(), "an unpacked bundle was left behind");
}

/// The directory of this process: `in` with the file, `out` for what is left by failures.
fn scratch() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = std::env::temp_dir().join(format!("fuzz-scenarios-{}", std::process::id()));
        if let Err(e) = fs::create_dir_all(dir.join("in")) {
            panic!("{}: {e}", dir.display());
        }
        dir
    })
}

fn given(name: &str, bytes: &[u8]) -> PathBuf {
    let file = scratch().join("in").join(name);
    if let Err(e) = fs::write(&file, bytes) {
        panic!("{}: {e}", file.display());
    }
    file
}

fn said(result: Result<(), String>) {
    if let Err(text) = result {
        assert!(text.contains("remedy: "), "no remedy: {text:?}");
    }
}

fn names(dir: &Path) -> Vec<String> {
    let list = fs::read_dir(dir).map(|l| l.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect());
    let mut list: Vec<String> = list.unwrap_or_default();
    list.sort();
    list
}

fn test(text: &[u8], twice: bool) {
    let file = given("a.toml", text);
    let (dir, out) = (scratch(), scratch().join("out"));
    let results = (0..=u8::from(twice)).map(|_| {
        let result = hostile::test(&file, &out, CYCLES);
        assert_eq!(names(&dir.join("in")), ["a.toml"], "something was written beside the scenario");
        assert!(names(dir).iter().all(|n| n == "in" || n == "out"), "something was written outside");
        let left = names(&out).len();
        let _ = fs::remove_dir_all(&out);
        match result {
            Ok(t) => {
                assert!(t.files.iter().all(|f| f.parent() == Some(&out)), "a file outside: {:?}", t.files);
                assert!(left <= t.files.len(), "{left} files for {:?}", t.files);
                t.json
            }
            Err(text) => {
                assert!(text.contains("remedy: "), "no remedy: {text:?}");
                text
            }
        }
    });
    let results: Vec<String> = results.collect();
    assert!(results.iter().all(|r| *r == results[0]), "two executions differ");
    let _ = fs::remove_file(&file);
}

fn open(bytes: &[u8]) {
    let file = given("a.tlog", bytes);
    said(hostile::open(&file.to_string_lossy()));
    assert_eq!(names(&scratch().join("in")), ["a.tlog"], "something was written beside the recording");
    assert!(names(scratch()).iter().all(|n| n == "in"), "something was written outside");
    let _ = fs::remove_file(&file);
}

/// Whether this process has left a directory of a bundle.
fn unpacked() -> bool {
    let own = format!("trapeze-{}-", std::process::id());
    names(&std::env::temp_dir()).iter().any(|n| n.starts_with(&own))
}

/// A bundle with an image and a log, whose configuration is the input.
fn bundled(mut b: Bytes<'_>) -> Vec<u8> {
    const IMAGE: &[u8] = b"image";
    let roles = ["kernel", "bios", "initrd", "dtb", "snapshot", "drive0", "drive1"];
    let role = roles[usize::from(b.u8()) % roles.len()];
    let name = if b.u8() & 1 != 0 { "../escaped" } else { "0-image" };
    let images = roles.map(|role| Image {
        role: role.into(),
        name: "image".into(),
        size: IMAGE.len() as u64,
        hash: *blake3::hash(IMAGE).as_bytes(),
    });
    let made = || {
        let header = Header::new(String::from_utf8_lossy(b.0).into_owned(), images.to_vec());
        let end = End { at: Position::default(), reason: "end".into(), hash: [0; 32], parts: Parts::default() };
        let log = LogWriter::new(Vec::new(), &header)?.finish(&end)?;
        let mut w = Writer::new(Vec::new())?;
        w.add(&Entry { role: "log".into(), name: "log".into(), size: log.len() as u64 }, &mut &log[..])?;
        w.add(&Entry { role: role.into(), name: name.into(), size: IMAGE.len() as u64 }, &mut &IMAGE[..])?;
        w.finish()
    };
    let made: std::io::Result<Vec<u8>> = made();
    // A name that no bundle can have is not written either.
    made.unwrap_or_default()
}
