//! `--domain`: a comma list of a name and what belongs to it.

use sbi_model::domain::{Boot, Domain, Region, permission};

use crate::args::values;
use crate::exit::CliError;

/// Parses every `--domain`.
pub fn parse(domains: &[String]) -> Result<Vec<Domain>, CliError> {
    domains.iter().map(|d| one(d)).collect()
}

fn one(text: &str) -> Result<Domain, CliError> {
    let bad = |what: String| CliError::usage(format!("option --domain: {what}"), "write NAME,harts=1:2,mem=0x90000000+16M:rwx");
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or_default().to_owned();
    if name.is_empty() || name.contains('=') {
        return Err(bad(format!("'{text}' starts with no name")));
    }
    let mut d = Domain { name, harts: Vec::new(), regions: Vec::new(), boot: None, may_reset: true };
    for part in parts {
        let (key, value) = part.split_once('=').ok_or_else(|| bad(format!("'{part}' is not KEY=VALUE")))?;
        match key {
            "harts" => d.harts = values::ids(value).map_err(&bad)?,
            "mem" => d.regions.push(region(value).map_err(&bad)?),
            "boot" => {
                let (hart, entry) = value.split_once('@').ok_or_else(|| bad(format!("'{part}' is not boot=ID@ENTRY")))?;
                let number = |v| values::number(v).map_err(&bad);
                d.boot = Some(Boot { hart: number(hart)?, entry: number(entry)?, arg: 0 });
            }
            "reset" if value == "on" => d.may_reset = true,
            "reset" if value == "off" => d.may_reset = false,
            _ => return Err(bad(format!("'{part}' is not known"))),
        }
    }
    if d.harts.is_empty() && d.name != "root" {
        return Err(bad(format!("domain '{}' has no harts", d.name)));
    }
    if d.regions.is_empty() {
        d.regions.push(Region::WHOLE);
    }
    Ok(d)
}

/// `all:rwx`, `BASE+SIZE:rw`, `BASE+SIZE:none`
fn region(text: &str) -> Result<Region, String> {
    let (range, letters) = text.split_once(':').ok_or_else(|| format!("'{text}' is not BASE+SIZE:rwx"))?;
    let allowed = match letters {
        "none" => 0,
        _ => letters.chars().try_fold(0, |set, c| match c {
            'r' => Ok(set | permission::READ),
            'w' => Ok(set | permission::WRITE),
            'x' => Ok(set | permission::EXECUTE),
            _ => Err(format!("'{letters}' is not of the letters r, w and x, nor 'none'")),
        })?,
    };
    if range == "all" {
        return Ok(Region { allowed, ..Region::WHOLE });
    }
    let (base, size) = range.split_once('+').ok_or_else(|| format!("'{range}' is not BASE+SIZE"))?;
    Ok(Region { base: values::number(base)?, size: values::size(size)?, allowed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_name_and_what_belongs_to_it() {
        let d = parse(&["safe,harts=1:2,mem=0x90000000+16M:rwx,mem=all:none,boot=1@0x90000000,reset=off".into()]).unwrap();
        let memory = Region { base: 0x9000_0000, size: 16 << 20, allowed: 7 };
        let want = Domain {
            name: "safe".into(),
            harts: vec![1, 2],
            regions: vec![memory, Region { allowed: 0, ..Region::WHOLE }],
            boot: Some(Boot { hart: 1, entry: 0x9000_0000, arg: 0 }),
            may_reset: false,
        };
        assert_eq!(d, [want]);
        for bad in [
            "",
            "harts=1",
            "a,b",
            "a,mem=1",
            "a,harts=1,mem=1+2:q",
            "a,harts=1,boot=1",
            "a,harts=x",
            "a,harts=1,reset=maybe",
            "a,harts=1,x=y",
            "a,mem=all:r",
        ] {
            assert!(parse(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
