//! `-drive` and `-device`: QEMU's comma lists.

use crate::config::Drive;
use crate::exit::CliError;

/// Resolves drives and the devices that attach those given with `if=none`.
pub fn parse(drives: &[String], devices: &[String]) -> Result<Vec<Drive>, CliError> {
    let mut out = Vec::new();
    let mut waiting: Vec<(String, Drive)> = Vec::new();
    for text in drives {
        let (drive, id) = one(text)?;
        match id {
            Some(id) => waiting.push((id, drive)),
            None => out.push(drive),
        }
    }
    for text in devices {
        let mut parts = text.split(',');
        match parts.next().unwrap_or("") {
            "virtio-rng-device" => continue,
            "virtio-blk-device" => {}
            other => {
                return Err(CliError::usage(
                    format!("option -device: '{other}' is not supported"),
                    "the devices are virtio-blk-device,drive=ID and virtio-rng-device",
                ));
            }
        }
        let id = parts.find_map(|p| p.strip_prefix("drive=")).ok_or_else(|| {
            CliError::usage(format!("option -device: '{text}' names no drive"), "add drive=ID, with the id of a -drive")
        })?;
        let Some(at) = waiting.iter().position(|(w, _)| w == id) else {
            return Err(CliError::usage(
                format!("option -device: no drive has the id '{id}'"),
                format!("add -drive file=FILE,if=none,id={id}"),
            ));
        };
        out.push(waiting.remove(at).1);
    }
    if let Some((id, d)) = waiting.first() {
        return Err(CliError::usage(
            format!("drive {} (if=none) is attached to nothing", d.file.display()),
            format!("add -device virtio-blk-device,drive={id}, or use if=virtio"),
        ));
    }
    Ok(out)
}

/// One `-drive` value, with its id if it waits for a device.
fn one(text: &str) -> Result<(Drive, Option<String>), CliError> {
    let bad = |what: String, remedy: &str| Err(CliError::usage(format!("option -drive: {what}"), remedy));
    let mut file = None;
    let mut drive = Drive { file: Default::default(), snapshot: true, overlay: None, readonly: false };
    let (mut none, mut id) = (false, None);
    for part in split(text) {
        let Some((key, value)) = part.split_once('=') else {
            return bad(format!("'{part}' is not KEY=VALUE"), "write -drive file=FILE,snapshot=on");
        };
        match (key, value) {
            ("file", "") => return bad("file= is empty".into(), "name the image file"),
            ("file", v) => file = Some(v.to_owned()),
            ("format", "raw") => {}
            ("format", v) => {
                return bad(format!("format '{v}' is not supported"), "convert the image: qemu-img convert -O raw IN OUT");
            }
            ("if", "virtio") => {}
            ("if", "none") => none = true,
            ("if", v) => return bad(format!("if={v} is not on this board"), "use if=virtio"),
            ("id", v) => id = Some(v.to_owned()),
            ("overlay", v) => drive.overlay = Some(v.into()),
            ("snapshot" | "readonly" | "read-only", v) => {
                let on = match v {
                    "on" => true,
                    "off" => false,
                    _ => return bad(format!("{key}={v}"), "the value is on or off"),
                };
                if key == "snapshot" { drive.snapshot = on } else { drive.readonly = on }
            }
            ("cache" | "aio" | "discard" | "index" | "media", _) => {}
            _ => return bad(format!("unknown key '{key}'"), "the keys are file, format, if, id, snapshot, overlay, readonly"),
        }
    }
    let Some(file) = file else {
        return bad(format!("'{text}' names no file"), "add file=FILE");
    };
    drive.file = file.into();
    match (none, id) {
        (true, Some(id)) => Ok((drive, Some(id))),
        (true, None) => bad("if=none without an id".into(), "add id=ID and -device virtio-blk-device,drive=ID"),
        (false, _) => Ok((drive, None)),
    }
}

/// Splits at commas; a doubled comma stands for one, as in QEMU.
fn split(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut it = text.chars().peekable();
    while let Some(c) = it.next() {
        if c == ',' && it.next_if_eq(&',').is_none() {
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drives(d: &[&str], v: &[&str]) -> Result<Vec<Drive>, String> {
        let s = |x: &[&str]| x.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        parse(&s(d), &s(v)).map_err(|e| e.to_string())
    }

    #[test]
    fn qemu_spellings_are_understood() {
        let d = drives(&["file=a,,b.img,format=raw,if=virtio,snapshot=off"], &[]).unwrap();
        assert_eq!((d[0].file.to_str(), d[0].snapshot), (Some("a,b.img"), false));
        let d = drives(&["file=x,if=none,id=hd0", "file=y"], &["virtio-rng-device", "virtio-blk-device,drive=hd0"]).unwrap();
        assert_eq!(d.iter().map(|d| d.file.to_str().unwrap()).collect::<Vec<_>>(), ["y", "x"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (d, v, word) in [
            (&["format=raw"][..], &[][..], "names no file"),
            (&["file=a,format=qcow2"], &[], "qcow2"),
            (&["file=a,if=ide"], &[], "if=ide"),
            (&["a.img"], &[], "KEY=VALUE"),
            (&["file=a,snapshot=maybe"], &[], "maybe"),
            (&["file=a,if=none,id=h"], &[], "attached to nothing"),
            (&["file=a,if=none"], &[], "without an id"),
            (&[], &["virtio-blk-device,drive=q"], "'q'"),
            (&[], &["e1000"], "e1000"),
            (&["file=a,colour=red"], &[], "colour"),
        ] {
            let e = drives(d, v).expect_err(word);
            assert!(e.contains(word) && e.contains("remedy"), "{e}");
        }
    }
}
