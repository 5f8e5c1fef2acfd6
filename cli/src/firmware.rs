//! The native firmware's choices: `--sbi-profile`, `--bug`, and the lists of both.

use sbi_model::bug::{Bug, Bugs, Status};
use sbi_model::config::Optional;
use sbi_model::domain::Domains;
use sbi_model::profile::{PROFILES, Profile};

use crate::config::Config;
use crate::console::output::print;
use crate::exit::CliError;

/// The firmware a configuration asks for.
pub fn config(c: &Config) -> Result<sbi_model::Config, CliError> {
    let Some(profile) = Profile::find(&c.sbi_profile) else {
        let known: Vec<_> = PROFILES.iter().map(|p| p.name).collect();
        return Err(CliError::usage(
            format!("option --sbi-profile: there is no profile '{}'", c.sbi_profile),
            format!("give one of {}", known.join(", ")),
        ));
    };
    let mut config = sbi_model::Config::new(profile);
    config.bugs = bugs(&c.bugs)?;
    optional(&mut config.optional, &c.sbi_ext)?;
    config.domains = crate::domains::parse(&c.domains)?;
    Domains::new(&config.domains, &config.reserved).check().map_err(|e| {
        let text = format!("option --domain: {e}");
        let (what, remedy) = text.rsplit_once("; ").unwrap_or((&text, "see trapeze run --help"));
        CliError::usage(what, remedy)
    })?;
    Ok(config)
}

/// `NAME=on|off,...`
fn optional(set: &mut Optional, text: &str) -> Result<(), CliError> {
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let on = match part.split_once('=') {
            Some((name, "on")) => set.by_name(name).map(|v| *v = true),
            Some((name, "off")) => set.by_name(name).map(|v| *v = false),
            _ => None,
        };
        if on.is_none() {
            let names = Optional::NAMES.join(" or ");
            return Err(CliError::usage(format!("option --sbi-ext: '{part}'"), format!("give {names} with =on or =off")));
        }
    }
    Ok(())
}

fn bugs(names: &[String]) -> Result<Bugs, CliError> {
    names.iter().try_fold(Bugs::NONE, |set, name| match Bug::find(name) {
        Some(b) => Ok(set.with(b.id)),
        None => Err(CliError::usage(format!("option --bug: there is no bug '{name}'"), "see trapeze bugs")),
    })
}

/// `trapeze profiles`: all policies of one profile, or the profiles and where they differ.
pub fn profiles(name: Option<&str>) -> Result<(), CliError> {
    let Some(name) = name else { return print(&table()) };
    let profile = config(&Config { sbi_profile: name.to_owned(), ..Config::default() })?.profile;
    let mut s = format!("{}: {}\n", profile.name, profile.doc);
    s += &format!("implementation id {:#x}, version {:#x}\n", profile.impl_id, profile.impl_version);
    for r in profile.policies.rows() {
        s += &format!("\n{} = {}  [{}]\n  {}\n  {}\n", r.name, r.value, r.about, r.doc, r.meaning);
    }
    if !profile.bugs.is_empty() {
        let names: Vec<_> = profile.policies_bugs().map(|b| b.name).collect();
        s += &format!("\nbugs: {}\n", names.join(", "));
    }
    print(&s)
}

/// One line a profile, then one a policy, with each profile's choice.
fn table() -> String {
    let mut s = String::new();
    for p in PROFILES {
        s += &format!("{:<16}{}\n", p.name, p.doc);
    }
    s += &format!("\n{:<16}", "policy");
    PROFILES.iter().for_each(|p| s += &format!(" {:<17}", p.name));
    s = s.trim_end().to_owned() + "\n";
    let rows: Vec<_> = PROFILES.iter().map(|p| p.policies.rows()).collect();
    for (i, first) in rows[0].iter().enumerate() {
        let mut line = format!("{:<16}", first.name);
        rows.iter().for_each(|r| line += &format!(" {:<17}", r[i].value));
        s += line.trim_end();
        s.push('\n');
    }
    s
}

/// `trapeze bugs`.
pub fn list_bugs() -> Result<(), CliError> {
    let mut s = String::new();
    for b in sbi_model::bug::BUGS {
        let status = match b.status {
            Status::Fixed(commit) => format!("OpenSBI {commit}"),
            Status::Open => "open in OpenSBI 1.9".to_owned(),
        };
        s += &format!("{:<22} {status}\n    {}\n    seen by: {}\n", b.name, b.symptom, b.scenario);
    }
    print(&s)
}

/// The software event that a person names: the four RAS events by name, others by number.
pub fn event(name: &str) -> Option<u64> {
    use sbi_model::sse::id;
    let id = match name {
        "ras-high" => id::LOCAL_RAS_HIGH,
        "ras-low" => id::LOCAL_RAS_LOW,
        "global-ras-high" => id::GLOBAL_RAS_HIGH,
        "global-ras-low" => id::GLOBAL_RAS_LOW,
        number => {
            let (digits, radix) = number.strip_prefix("0x").map_or((number, 10), |d| (d, 16));
            return u64::from_str_radix(digits, radix).ok();
        }
    };
    Some(u64::from(id))
}
