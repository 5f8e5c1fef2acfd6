//! The resolved configuration of a run: defaults, then a `--config` file, then the command line. It prints as the TOML it reads.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::args::{Engine, RunArgs, values};
use crate::exit::CliError;

/// Everything that decides what the guest sees, and how the run ends.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// Kernel or program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<PathBuf>,
    /// Initial RAM disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initrd: Option<PathBuf>,
    /// Kernel command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append: Option<String>,
    /// `native`, `none` or a file.
    pub bios: String,
    /// Whose behaviour the native firmware shows.
    pub sbi_profile: String,
    /// Defects it has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bugs: Vec<String>,
    /// Switched extensions of the native firmware.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sbi_ext: String,
    /// Domains of the native firmware.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Device tree blob.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtb: Option<PathBuf>,
    /// The snapshot that the run goes on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_snapshot: Option<PathBuf>,
    /// Where snapshots that others are a difference to may be.
    #[serde(skip)]
    pub places: Vec<PathBuf>,
    /// Harts.
    pub smp: u64,
    /// mhartid of each; none for 0, 1, 2 and so on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hart_ids: Vec<u64>,
    /// Whether there is an error bank.
    pub ras: bool,
    /// RAM bytes.
    #[serde(serialize_with = "put_size", deserialize_with = "get_size")]
    pub memory: u64,
    /// Hart profile and features.
    pub cpu: String,
    /// Seed of the random number device.
    pub seed: u64,
    /// Real-time clock at start, seconds since 1970.
    pub epoch: u64,
    /// Cycles in a virtual second.
    #[serde(deserialize_with = "get_count")]
    pub cycle_hz: u64,
    /// Cycles of a hart's turn.
    #[serde(deserialize_with = "get_count")]
    pub quantum: u64,
    /// Engine.
    pub engine: Engine,
    /// Instructions after which to stop.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "get_count_option")]
    pub limit: Option<u64>,
    /// Whether a guest reboot ends the run.
    pub no_reboot: bool,
    /// Whether the guest's code is the exit code.
    pub exit_with_guest_code: bool,
    /// Whether idle virtual time waits for the host's clock while someone may type.
    pub throttle: bool,
    /// Block devices.
    #[serde(rename = "drive", skip_serializing_if = "Vec::is_empty")]
    pub drives: Vec<Drive>,
}

/// One block device.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Drive {
    /// Base image.
    pub file: PathBuf,
    /// Keep writes away from the base image (the default).
    #[serde(default = "yes")]
    pub snapshot: bool,
    /// Where writes are kept instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<PathBuf>,
    /// Refuse the guest's writes.
    #[serde(default)]
    pub readonly: bool,
}

fn yes() -> bool {
    true
}

impl Default for Config {
    fn default() -> Config {
        Config {
            kernel: None,
            initrd: None,
            append: None,
            bios: "native".into(),
            sbi_profile: "spec".into(),
            bugs: Vec::new(),
            sbi_ext: String::new(),
            domains: Vec::new(),
            dtb: None,
            from_snapshot: None,
            places: Vec::new(),
            smp: 1,
            hart_ids: Vec::new(),
            ras: false,
            memory: 1 << 30,
            cpu: "max".into(),
            seed: 0,
            // 2026-01-01: a fixed date after every kernel and certificate the guest is likely to hold.
            epoch: 1_767_225_600,
            cycle_hz: 1_000_000_000,
            quantum: 10_000,
            engine: Engine::Block,
            limit: None,
            no_reboot: false,
            exit_with_guest_code: false,
            throttle: true,
            drives: Vec::new(),
        }
    }
}

impl Config {
    /// Resolves a command line, reading the configuration file it names.
    pub fn resolve(a: &RunArgs) -> Result<Config, CliError> {
        let mut c = match (&a.config, &a.from_snapshot) {
            (Some(f), None) => Config::read(f)?,
            (None, Some(f)) => crate::recording::snapshot::config(f, &a.images, false)?,
            (Some(_), Some(_)) => {
                return Err(CliError::usage(
                    "options --config and --from-snapshot contradict each other",
                    "leave out --config: a snapshot has its configuration with it",
                ));
            }
            (None, None) => Config::default(),
        };
        let saved = a.from_snapshot.is_some().then(|| c.clone());
        macro_rules! take { ($($f:ident),*) => { $( if let Some(v) = &a.$f { c.$f = v.clone(); } )* } }
        macro_rules! take_option { ($($f:ident),*) => { $( if a.$f.is_some() { c.$f = a.$f.clone(); } )* } }
        take!(bios, sbi_profile, sbi_ext, smp, memory, cpu, seed, epoch, cycle_hz, quantum, engine);
        take_option!(kernel, initrd, append, dtb, limit);
        if let Some(ids) = &a.hart_ids {
            c.hart_ids = ids.clone();
            c.smp = a.smp.unwrap_or(ids.len() as u64);
        }
        if !a.domain.is_empty() {
            c.domains = a.domain.clone();
        }
        if !a.bug.is_empty() {
            c.bugs = a.bug.clone();
        }
        c.ras |= a.ras;
        c.no_reboot |= a.no_reboot;
        c.exit_with_guest_code |= a.exit_with_guest_code;
        c.throttle &= !a.no_throttle;
        if !a.drive.is_empty() {
            c.drives = crate::drives::parse(&a.drive, &a.device)?;
        } else if let Some(d) = a.device.iter().find(|d| d.starts_with("virtio-blk")) {
            return Err(CliError::usage(
                format!("option -device: '{d}' names a drive that was not given"),
                "add -drive file=FILE,if=none,id=ID",
            ));
        } else {
            crate::drives::parse(&[], &a.device)?;
        }
        if let Some(o) = &a.overlay {
            let Some(first) = c.drives.first_mut() else {
                return Err(CliError::usage("option --overlay: there is no drive", "add -drive file=FILE"));
            };
            first.overlay = Some(o.clone());
        }
        if a.snapshot {
            c.drives.iter_mut().for_each(|d| d.snapshot = true);
        }
        if c.bios == "default" {
            c.bios = "native".into();
        }
        c.check()?;
        if let Some(saved) = saved {
            if c.machine_alone() != saved.machine_alone() {
                return Err(CliError::usage(
                    "a snapshot's machine cannot be changed by options",
                    "with --from-snapshot give only --engine, --limit, --no-reboot, --exit-with-guest-code, --no-throttle and reports",
                ));
            }
            c.from_snapshot = a.from_snapshot.clone();
        }
        c.places.clone_from(&a.images);
        Ok(c)
    }

    /// What a machine is made from, without what a run does with it.
    pub fn machine_alone(&self) -> Config {
        let d = Config::default();
        Config {
            from_snapshot: None,
            places: Vec::new(),
            engine: d.engine,
            limit: None,
            no_reboot: d.no_reboot,
            exit_with_guest_code: d.exit_with_guest_code,
            throttle: d.throttle,
            ..self.clone()
        }
    }

    /// The same machine at its start, also if this run began with a snapshot: what a guest that reboots gets.
    pub fn at_start(&self) -> Config {
        Config { from_snapshot: None, ..self.clone() }
    }

    /// Reads a TOML file; errors name file, line and remedy.
    pub fn read(file: &Path) -> Result<Config, CliError> {
        let text = std::fs::read_to_string(file).map_err(|e| CliError::file(file, "read the configuration", e))?;
        toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(1, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
            CliError::usage(
                format!("{}:{line}: {}", file.display(), e.message().trim_end().replace('\n', "; ")),
                "compare with what 'trapeze run --print-config' prints",
            )
        })
    }

    /// The same as TOML.
    pub fn to_toml(&self) -> Result<String, CliError> {
        toml::to_string(self)
            .map_err(|e| CliError::usage(format!("this configuration cannot be written as TOML: {e}"), "keep numbers below 2^63"))
    }

    /// As [`Config::to_toml`], but only what is not the default.
    pub fn to_short_toml(&self) -> Result<String, CliError> {
        let (all, default) = (self.to_toml()?, Config::default().to_toml()?);
        // Tables come last, and a default has none.
        let (plain, tables) = all.split_at(all.find("\n[").map_or(all.len(), |at| at + 1));
        let plain: String = plain.lines().filter(|l| !default.lines().any(|d| d == *l)).map(|l| format!("{l}\n")).collect();
        Ok(plain + tables)
    }

    /// Finds values that contradict each other or that the board cannot have, before any file is opened.
    pub fn check(&self) -> Result<(), CliError> {
        crate::firmware::config(self)?;
        let bad = |what: String, remedy: &str| Err(CliError::usage(what, remedy));
        if !(1..=32).contains(&self.smp) {
            return bad(format!("option -smp: {} harts", self.smp), "the board has 1 to 32 harts");
        }
        if self.memory < 1 << 20 || self.memory > 1 << 40 || !self.memory.is_multiple_of(4096) {
            return bad(
                format!("option -m: {} bytes of RAM", values::show_size(self.memory)),
                "give at least 1M, at most 1T, in whole 4k pages",
            );
        }
        if self.quantum == 0 {
            return bad("option --quantum: 0 cycles is no turn at all".into(), "10000 is the default");
        }
        if !(10_000_000..=100_000_000_000).contains(&self.cycle_hz) {
            return bad(format!("option --cycle-hz: {}", self.cycle_hz), "give 10M to 100G; 1G is the default");
        }
        for (given, name) in [(self.initrd.is_some(), "-initrd"), (self.append.is_some(), "-append")] {
            if given && self.kernel.is_none() {
                return bad(format!("option {name} without -kernel"), "add -kernel FILE");
            }
        }
        for d in &self.drives {
            if d.overlay.is_some() && !d.snapshot {
                return bad(
                    format!("drive {}: an overlay and snapshot=off contradict each other", d.file.display()),
                    "leave one of them out: the overlay keeps writes, snapshot=off lets them reach the base image",
                );
            }
        }
        Ok(())
    }
}

fn put_size<S: serde::Serializer>(v: &u64, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&values::show_size(*v))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

fn get<'de, D: serde::Deserializer<'de>>(d: D, parse: fn(&str) -> Result<u64, String>) -> Result<u64, D::Error> {
    match NumberOrText::deserialize(d)? {
        NumberOrText::Number(n) => Ok(n),
        NumberOrText::Text(t) => parse(&t).map_err(serde::de::Error::custom),
    }
}

fn get_size<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    get(d, values::size)
}

fn get_count<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    get(d, values::count)
}

fn get_count_option<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<u64>, D::Error> {
    get_count(d).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_reads_back_as_it_was_printed() {
        let c = Config {
            kernel: Some("Image".into()),
            limit: Some(7),
            drives: vec![Drive { file: "a.img".into(), snapshot: true, overlay: Some("o".into()), readonly: false }],
            ..Config::default()
        };
        let text = c.to_toml().unwrap();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), c, "{text}");
        let short = c.to_short_toml().unwrap();
        assert_eq!(toml::from_str::<Config>(&short).unwrap(), c, "{short}");
        assert!(!short.contains("seed"), "{short}");
    }

    #[test]
    fn counts_and_sizes_may_be_text() {
        let c: Config = toml::from_str("memory = '2G'\nlimit = '5M'\ncycle-hz = 500000000").unwrap();
        assert_eq!((c.memory, c.limit, c.cycle_hz), (2 << 30, Some(5_000_000), 500_000_000));
    }

    #[test]
    fn contradictions_are_refused() {
        let check = |f: fn(&mut RunArgs)| {
            let mut a = RunArgs::default();
            f(&mut a);
            Config::resolve(&a).expect_err("must be refused").to_string()
        };
        assert!(check(|a| a.smp = Some(33)).contains("1 to 32"));
        assert!(check(|a| a.smp = Some(0)).contains("1 to 32"));
        assert!(check(|a| a.memory = Some(4096)).contains("-m"));
        assert!(check(|a| a.initrd = Some("x".into())).contains("-kernel"));
        assert!(check(|a| a.overlay = Some("x".into())).contains("no drive"));
        assert!(check(|a| a.quantum = Some(0)).contains("quantum"));
        assert!(check(|a| a.drive = vec!["file=a,overlay=b,snapshot=off".into()]).contains("contradict"));
    }
}
