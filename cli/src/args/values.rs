//! Option values with units, parsed the same on the command line and in a configuration file.

/// Parses an instruction or cycle count: decimal or 0x hex, with an optional k, M, G or T (powers of ten). `5M` is 5,000,000.
pub fn count(s: &str) -> Result<u64, String> {
    scaled(s, 1000, "a count such as 5000000, 5M or 2G")
}

/// A count that is not 0.
pub fn positive(s: &str) -> Result<u64, String> {
    count(s).and_then(|n| if n == 0 { Err(format!("'{s}' is too few: give 1 or more")) } else { Ok(n) })
}

/// Parses a size in bytes: suffixes k, M, G, T (powers of two, as QEMU), an optional trailing B or iB. A bare number is bytes.
pub fn size(s: &str) -> Result<u64, String> {
    let t = s.strip_suffix("iB").or_else(|| s.strip_suffix('B')).unwrap_or(s);
    scaled(t, 1024, "a size such as 512M or 2G").map_err(|_| format!("'{s}' is not a size such as 512M or 2G"))
}

/// Parses a memory size as QEMU's `-m`: a bare number is MiB.
pub fn memory(s: &str) -> Result<u64, String> {
    match s.parse::<u64>() {
        Ok(mib) => mib.checked_mul(1 << 20).ok_or_else(|| format!("'{s}' MiB is more than 64 bits can hold")),
        Err(_) => size(s),
    }
}

/// Parses a place in a run, as [`replay::timeline::Place`] prints it: `5M`, `5000+1`, `1:5000`. Without a colon the boot is open.
pub fn place(s: &str) -> Result<(Option<u32>, replay::timeline::Place), String> {
    let bad = || {
        format!(
            "'{s}' is no place in a run: give instructions, such as 5000 or 5M, 5000+1 for a cycle more, 1:5000 after the first reboot"
        )
    };
    let (boot, rest) = match s.split_once(':') {
        Some((b, rest)) => (Some(b.parse().map_err(|_| bad())?), rest),
        None => (None, s),
    };
    let (instret, more) = rest.split_once('+').unwrap_or((rest, "0"));
    let (instret, more) = (count(instret).map_err(|_| bad())?, count(more).map_err(|_| bad())?);
    Ok((boot, replay::timeline::Place { boot: boot.unwrap_or(0), instret, more }))
}

/// The same, of a whole run: without a colon it is before any reboot.
pub fn place_of_run(s: &str) -> Result<replay::timeline::Place, String> {
    place(s).map(|p| p.1)
}

/// Parses a plain number, decimal or 0x hex.
pub fn number(s: &str) -> Result<u64, String> {
    let r = match s.strip_prefix("0x").or_else(|| s.strip_prefix("0X")) {
        Some(h) => u64::from_str_radix(&h.replace('_', ""), 16),
        None => s.replace('_', "").parse(),
    };
    r.map_err(|_| format!("'{s}' is not a number (decimal or 0x hexadecimal)"))
}

/// Hart ids, by index.
pub type Ids = Vec<u64>;

/// Parses numbers with colons between them.
pub fn ids(s: &str) -> Result<Ids, String> {
    s.split(':').map(number).collect()
}

fn scaled(s: &str, base: u64, what: &str) -> Result<u64, String> {
    let bad = || format!("'{s}' is not {what}");
    if s.starts_with("0x") || s.starts_with("0X") {
        return number(s);
    }
    let exp = match s.chars().last() {
        Some('k' | 'K') => 1,
        Some('m' | 'M') => 2,
        Some('g' | 'G') => 3,
        Some('t' | 'T') => 4,
        _ => 0,
    };
    let digits = if exp == 0 { s } else { &s[..s.len() - 1] };
    let unit = base.pow(exp);
    // "1.5G": a fraction is welcome as long as it is a whole number of units of one.
    if let Some((whole, frac)) = digits.split_once('.') {
        let denominator = 10u64.checked_pow(frac.len() as u32).ok_or_else(bad)?;
        let whole: u64 = whole.parse().map_err(|_| bad())?;
        let frac: u64 = frac.parse().map_err(|_| bad())?;
        let part = (frac as u128) * (unit as u128);
        if !part.is_multiple_of(denominator as u128) {
            return Err(bad());
        }
        let whole = whole.checked_mul(unit).ok_or_else(bad)?;
        return whole.checked_add((part / denominator as u128) as u64).ok_or_else(bad);
    }
    let n: u64 = digits.replace('_', "").parse().map_err(|_| bad())?;
    n.checked_mul(unit).ok_or_else(bad)
}

/// Writes a size with the largest suffix that divides it, so that `--print-config` reads like what a person typed.
pub fn show_size(bytes: u64) -> String {
    for (shift, suffix) in [(40, "T"), (30, "G"), (20, "M"), (10, "k")] {
        if bytes != 0 && bytes.is_multiple_of(1 << shift) {
            return format!("{}{suffix}", bytes >> shift);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_printed() {
        use replay::timeline::Place;
        for (text, boot, instret, more) in [("5", 0, 5, 0), ("5+1", 0, 5, 1), ("2:7", 2, 7, 0), ("1:0+30", 1, 0, 30)] {
            let p = Place { boot, instret, more };
            assert_eq!((place_of_run(text), p.to_string().as_str()), (Ok(p), text));
        }
        assert_eq!(place("3M").map(|p| (p.0, p.1.instret)), Ok((None, 3_000_000)));
        for text in ["", "x", "1:", ":1", "1+", "+1", "1:2:3", "-1"] {
            assert!(place(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_scale_by_thousands_and_sizes_by_1024() {
        assert_eq!(count("5M"), Ok(5_000_000));
        assert_eq!(count("2G"), Ok(2_000_000_000));
        assert_eq!(count("1.5k"), Ok(1500));
        assert_eq!(count("0x10"), Ok(16));
        assert_eq!((positive("1k"), positive("0x0").is_err()), (Ok(1000), true));
        assert_eq!(size("2G"), Ok(2 << 30));
        assert_eq!(size("1.5MiB"), Ok(3 << 19));
        assert_eq!(memory("512"), Ok(512 << 20));
        assert_eq!(memory("512M"), Ok(512 << 20));
    }

    #[test]
    fn nonsense_is_refused_and_named() {
        for s in ["", "M", "-1", "5X", "1.2.3k", "0.3", "99999999999G", "five", "1.G", ".5G"] {
            let e = count(s).expect_err(s);
            assert!(e.contains(s), "{e}");
        }
        assert!(memory("99999999999999").is_err());
        assert!(size("1é").is_err());
    }

    #[test]
    fn sizes_survive_being_shown() {
        for n in [1, 4096, 1 << 20, 3 << 29, 2 << 30, 1 << 40, 12345] {
            assert_eq!(size(&show_size(n)), Ok(n));
        }
    }
}
