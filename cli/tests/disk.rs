//! A guest that writes its disk through virtio (`roms/test/disk.S`): where the writes go, and where they must not.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
use common::*;

/// An image whose sectors are full of 'a', 'b', and so on.
fn image() -> Vec<u8> {
    (0..8 * 512).map(|i| b'a' + (i / 512) as u8).collect()
}

/// Runs the guest with a drive; what it read: sectors 0 and 3 before, and 3 after its write.
fn guest(options: &str, engine: &str) -> String {
    let o = run_rom("disk", &["-drive", options, "--engine", engine, "--limit", "1M"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    stdout(&o)
}

#[test]
fn without_an_overlay_writes_end_with_the_run() {
    let d = Dir::new("disk-snapshot");
    let base = d.file("base", &image());
    for engine in ["step", "block"] {
        assert_eq!(guest(&format!("file={base}"), engine), "adW");
    }
    assert_eq!(std::fs::read(&base).unwrap(), image());
}

#[test]
fn an_overlay_keeps_the_guests_writes_and_the_base_image_is_never_written() {
    let d = Dir::new("disk-overlay");
    let base = d.file("base", &image());
    let over = d.0.join("over").display().to_string();
    let options = format!("file={base},overlay={over}");
    assert_eq!(guest(&options, "block"), "adW");
    assert_eq!(guest(&options, "step"), "aWW");
    assert_eq!(std::fs::read(&base).unwrap(), image());
}

#[test]
fn snapshot_off_writes_the_sector_and_no_other() {
    let d = Dir::new("disk-direct");
    let base = d.file("base", &image());
    assert_eq!(guest(&format!("file={base},snapshot=off"), "block"), "adW");
    let mut want = image();
    want[3 * 512..4 * 512].fill(b'W');
    assert_eq!(std::fs::read(&base).unwrap(), want);
}

#[test]
fn an_overlay_that_lost_its_end_is_refused_before_the_guest_starts() {
    let d = Dir::new("disk-cut");
    let base = d.file("base", &image());
    let over = d.0.join("over").display().to_string();
    let options = format!("file={base},overlay={over}");
    guest(&options, "block");
    let whole = std::fs::read(&over).unwrap();
    std::fs::write(&over, &whole[..whole.len() - 1]).unwrap();
    let o = run_rom("disk", &["-drive", &options]);
    let said = stderr(&o);
    assert_eq!(code(&o), 2, "{said}");
    assert!(said.contains(&over) && said.contains("truncated") && said.contains("remedy"), "{said}");
    assert_eq!(std::fs::read(&over).unwrap().len(), whole.len() - 1, "a refused file is left alone");
}
