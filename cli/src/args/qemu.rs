//! QEMU's spellings. clap knows no single-dash long options, so `-kernel Image` becomes `--kernel=Image` before clap sees it:
//! one table says what each spelling stands for.

use std::ffi::OsString;

use crate::exit::CliError;

/// What a QEMU spelling becomes.
#[derive(Clone, Copy)]
enum To {
    /// `--name=VALUE`.
    Value(&'static str),
    /// `--name`.
    Flag(&'static str),
    /// `--name=value` without one given.
    Set(&'static str, &'static str),
    /// Takes a value of which only those listed make sense here; nothing to pass on.
    Only(&'static [&'static str]),
    /// `-machine virt,dumpdtb=FILE`.
    Machine,
    /// `-smp 4`, `-smp cpus=4`; `-smp 4,hartids=0:2:5:9` is this machine's own.
    Smp,
    /// `-m 1G`, `-m size=1G`.
    Memory,
    /// Known to QEMU, not to this machine: why.
    Refuse(&'static str),
}

/// Every QEMU option `trapeze run` understands or refuses with a reason.
const TABLE: &[(&str, To)] = &[
    ("-kernel", To::Value("kernel")),
    ("-initrd", To::Value("initrd")),
    ("-append", To::Value("append")),
    ("-bios", To::Value("bios")),
    ("-dtb", To::Value("dtb")),
    ("-cpu", To::Value("cpu")),
    ("-drive", To::Value("drive")),
    ("-device", To::Value("device")),
    ("-smp", To::Smp),
    ("-m", To::Memory),
    ("-M", To::Machine),
    ("-machine", To::Machine),
    ("-nographic", To::Flag("nographic")),
    ("-snapshot", To::Flag("snapshot")),
    ("-no-reboot", To::Flag("no-reboot")),
    ("-serial", To::Only(&["stdio", "mon:stdio"])),
    ("-monitor", To::Only(&["none"])),
    ("-display", To::Only(&["none"])),
    ("-accel", To::Only(&["tcg"])),
    ("-global", To::Only(&["virtio-mmio.force-legacy=false", "virtio-mmio.force-legacy=off"])),
    ("-s", To::Set("gdb", crate::gdb::listen::USUAL)),
    ("-S", To::Flag("freeze")),
    ("-gdb", To::Value("gdb")),
    ("-netdev", To::Refuse("this version has no network device")),
    ("-nic", To::Refuse("this version has no network device")),
    ("-icount", To::Refuse("time is always a function of instructions here; set its rate with --cycle-hz")),
    ("-enable-kvm", To::Refuse("this is an interpreter; it does not use the host's KVM")),
    ("-d", To::Refuse("QEMU's log items do not exist here")),
];

/// Rewrites a command line. `args` starts with the program name. Options are rewritten after the word `run` only;
/// a command line that starts with an option of the table gets the `run` it means.
pub fn translate(args: Vec<OsString>) -> Result<Vec<OsString>, CliError> {
    let mut it = args.into_iter().peekable();
    let mut out: Vec<OsString> = it.by_ref().take(1).collect();
    match it.peek().and_then(|a| a.to_str()) {
        Some("run") => out.extend(it.next()),
        Some(first) if lookup(first).is_some() => out.push("run".into()),
        _ => {
            out.extend(it);
            return Ok(out);
        }
    }
    while let Some(arg) = it.next() {
        if arg == "--" {
            out.push(arg);
            out.extend(it);
            break;
        }
        let Some((name, to)) = arg.to_str().and_then(lookup) else {
            out.push(arg);
            continue;
        };
        match to {
            To::Set(long, v) => out.push(joined(long, v.as_ref())),
            To::Flag(long) => out.push(format!("--{long}").into()),
            To::Refuse(why) => {
                return Err(CliError::usage(format!("option {name}: {why}"), format!("leave {name} out")));
            }
            To::Value(long) => {
                let v = value(name, it.next())?;
                out.push(joined(long, &v));
            }
            To::Only(allowed) => {
                let v = text(name, it.next())?;
                if !allowed.contains(&v.as_str()) {
                    let list = allowed.join(" or ");
                    return Err(CliError::usage(
                        format!("option {name}: '{v}' is not supported"),
                        format!("use {name} {list}, or leave it out"),
                    ));
                }
            }
            To::Smp => {
                let v = text(name, it.next())?;
                let (v, ids) = v.split_once(",hartids=").map_or((v.as_str(), None), |(n, ids)| (n, Some(ids)));
                out.push(joined("smp", v.strip_prefix("cpus=").unwrap_or(v).as_ref()));
                out.extend(ids.map(|ids| joined("hart-ids", ids.as_ref())));
            }
            To::Memory => {
                let v = text(name, it.next())?;
                out.push(joined("memory", v.strip_prefix("size=").unwrap_or(&v).as_ref()));
            }
            To::Machine => machine(name, &text(name, it.next())?, &mut out)?,
        }
    }
    Ok(out)
}

fn lookup(arg: &str) -> Option<(&'static str, To)> {
    TABLE.iter().find(|(name, _)| *name == arg).copied()
}

fn value(name: &str, v: Option<OsString>) -> Result<OsString, CliError> {
    v.ok_or_else(|| CliError::usage(format!("option {name} needs a value"), format!("give one after {name}")))
}

fn text(name: &str, v: Option<OsString>) -> Result<String, CliError> {
    value(name, v)?
        .into_string()
        .map_err(|v| CliError::usage(format!("option {name}: {} is not UTF-8", v.to_string_lossy()), "use plain text"))
}

fn joined(long: &str, v: &std::ffi::OsStr) -> OsString {
    let mut s = OsString::from(format!("--{long}="));
    s.push(v);
    s
}

fn machine(name: &str, v: &str, out: &mut Vec<OsString>) -> Result<(), CliError> {
    for (i, part) in v.split(',').enumerate() {
        match part.split_once('=') {
            None if i == 0 && part == "virt" => {}
            Some(("type", "virt")) => {}
            Some(("dumpdtb", file)) => out.push(format!("--dump-dtb={file}").into()),
            Some(("ras", "on")) => out.push("--ras".into()),
            Some(("ras", "off")) => {}
            // QEMU's own default here, and what this board has.
            Some(("aclint", "on") | ("aia", "none") | ("acpi", "off")) => {}
            _ => {
                return Err(CliError::usage(
                    format!("option {name}: '{part}' is not supported"),
                    "the one machine is 'virt'; 'dumpdtb=FILE' may follow",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(line: &str) -> Result<String, CliError> {
        let args = line.split(' ').map(OsString::from).collect();
        translate(args).map(|v| v.iter().map(|s| s.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_qemu_line_becomes_long_options() {
        assert_eq!(
            go("trapeze run -M virt -kernel Image -append -foo -smp cpus=4 -m 1G -nographic -bios none --limit 5M").unwrap(),
            "trapeze run --kernel=Image --append=-foo --smp=4 --memory=1G --nographic --bios=none --limit 5M"
        );
        assert_eq!(go("trapeze -smp 2,hartids=3:9").unwrap(), "trapeze run --smp=2 --hart-ids=3:9");
        assert_eq!(go("trapeze run -s -S").unwrap(), "trapeze run --gdb=tcp::1234 --freeze");
        assert_eq!(go("trapeze -kernel x").unwrap(), "trapeze run --kernel=x");
        assert_eq!(go("trapeze run -machine virt,dumpdtb=a.dtb").unwrap(), "trapeze run --dump-dtb=a.dtb");
        let modern = "-global virtio-mmio.force-legacy=false -device virtio-blk-device,drive=x,bus=virtio-mmio-bus.0";
        assert_eq!(
            go(&format!("trapeze run {modern}")).unwrap(),
            "trapeze run --device=virtio-blk-device,drive=x,bus=virtio-mmio-bus.0"
        );
    }

    #[test]
    fn other_subcommands_and_words_after_two_dashes_are_left_alone() {
        assert_eq!(go("trapeze disasm -m x").unwrap(), "trapeze disasm -m x");
        assert_eq!(go("trapeze run -- -kernel x").unwrap(), "trapeze run -- -kernel x");
    }

    #[test]
    fn what_cannot_be_done_is_refused_with_its_reason() {
        for (line, word) in [
            ("trapeze run -kernel", "needs a value"),
            ("trapeze run -machine sifive_u", "sifive_u"),
            ("trapeze run -serial pty", "stdio"),
            ("trapeze run -global virtio-mmio.force-legacy=true", "force-legacy=false"),
            ("trapeze run -netdev user", "network"),
        ] {
            let e = go(line).expect_err(line).to_string();
            assert!(e.contains(word) && e.contains("remedy"), "{e}");
        }
    }
}
