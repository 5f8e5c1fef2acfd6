//! `-cpu rva22,h=on,svadu=off` to a set, with errors that say what to do.

use super::{EXTENSIONS, Ext, Isa, PROFILES};

/// Why a CPU description was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IsaError {
    /// The first word is no profile.
    #[error("CPU '{name}' is unknown; choose one of {known}")]
    UnknownProfile {
        /// The word given.
        name: String,
        /// The profiles there are, comma-separated.
        known: String,
    },
    /// A feature that is no extension of the table.
    #[error("CPU feature '{name}' is unknown{}", if near.is_empty() { String::new() } else { format!("; near names: {near}") })]
    UnknownFeature {
        /// The word given.
        name: String,
        /// Extensions with a similar name, comma-separated; may be empty.
        near: String,
    },
    /// A setting without `=on` or `=off`.
    #[error("CPU feature setting '{text}' is not 'feature=on' or 'feature=off'")]
    Syntax {
        /// The setting given.
        text: String,
    },
    /// An extension without one that it needs.
    #[error("CPU feature '{feature}' needs '{needs}', which is off: add '{needs}=on' or '{feature}=off'")]
    Missing {
        /// The extension.
        feature: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// A part switched off of an extension that is on.
    #[error("CPU feature '{whole}' contains '{part}', which was switched off: add '{whole}=off' or leave '{part}' on")]
    Part {
        /// The extension that contains the other.
        whole: &'static str,
        /// The one switched off.
        part: &'static str,
    },
    /// The base that no hart can miss.
    #[error("CPU feature '{feature}' cannot be switched off: {why}")]
    Fixed {
        /// The extension.
        feature: &'static str,
        /// The reason.
        why: &'static str,
    },
    /// A page fault on A/D and hardware updating, neither of which is there.
    #[error(
        "CPU features 'svade' and 'svadu' are both off: page-table A and D bits need one of them; add 'svade=on' or 'svadu=on'"
    )]
    NoAdRule,
}

impl Isa {
    /// The set described by a profile name and settings (`rva22,h=on,svadu=off`). Settings are applied left to right.
    /// Switching an extension on also switches on what it contains; switching one off takes along what came with the
    /// profile and cannot be without it. Only settings that contradict each other are errors.
    pub fn parse(text: &str) -> Result<Isa, IsaError> {
        let mut words = text.split(',').map(str::trim);
        let name = words.next().unwrap_or_default();
        let mut isa = Isa::profile(&name.to_ascii_lowercase())
            .ok_or_else(|| IsaError::UnknownProfile { name: name.into(), known: PROFILES.map(|(name, _)| name).join(", ") })?;
        let (mut on, mut off) = (Isa(0), Isa(0));
        for word in words.filter(|word| !word.is_empty()) {
            let (feature, value) = setting(word)?;
            let name = feature.to_ascii_lowercase();
            let ext = Ext::by_name(&name).ok_or_else(|| IsaError::UnknownFeature { name: feature.into(), near: near(&name) })?;
            (isa, on, off) = match value {
                true => (isa.with(ext), on.with(ext), off.without(ext)),
                false => (isa.without(ext), on.without(ext), off.with(ext)),
            };
        }
        if off.has(Ext::C) && !on.has(Ext::Zca) {
            // Without C nobody means to keep its instructions under another name.
            (isa, off) = (isa.without(Ext::Zca), off.with(Ext::Zca));
        }
        isa = isa.pruned(on, off).closed(off)?;
        isa.check()?;
        Ok(isa)
    }

    /// Takes out what nobody asked for by name and what cannot be without an extension that was switched off.
    fn pruned(mut self, on: Isa, off: Isa) -> Isa {
        loop {
            let before = self;
            for info in EXTENSIONS {
                let orphan = info.requires.iter().any(|&needs| !self.has(needs) && !on.has(info.ext))
                    || info.implies.iter().any(|&part| off.has(part) && !on.has(info.ext));
                if orphan {
                    self = self.without(info.ext);
                }
            }
            if self == before {
                return self;
            }
        }
    }

    /// Adds what the extensions contain, unless that was switched off.
    fn closed(mut self, off: Isa) -> Result<Isa, IsaError> {
        // Zcd is the part of C that needs D: it comes with both.
        self = if self.has(Ext::C) && self.has(Ext::D) && !off.has(Ext::Zcd) { self.with(Ext::Zcd) } else { self };
        for info in EXTENSIONS {
            for &part in info.implies {
                if !self.has(info.ext) {
                    continue;
                }
                if off.has(part) {
                    return Err(IsaError::Part { whole: info.name, part: part.name() });
                }
                self = self.with(part);
            }
        }
        Ok(self)
    }

    /// Whether the set can exist: every need met, the base there.
    pub fn check(self) -> Result<(), IsaError> {
        for (ext, why) in [
            (Ext::I, "it is the base instruction set"),
            (Ext::Zicsr, "the privileged architecture needs it"),
            (Ext::M, "this machine has no RV64 without multiplication"),
        ] {
            if !self.has(ext) {
                return Err(IsaError::Fixed { feature: ext.name(), why });
            }
        }
        for info in self.iter() {
            if let Some(&needs) = info.requires.iter().find(|&&needs| !self.has(needs)) {
                return Err(IsaError::Missing { feature: info.name, needs: needs.name() });
            }
        }
        if self.has(Ext::C) && self.has(Ext::D) && !self.has(Ext::Zcd) {
            return Err(IsaError::Part { whole: "c", part: "zcd" });
        }
        if self.has(Ext::Sv39) && !self.has(Ext::Svade) && !self.has(Ext::Svadu) {
            return Err(IsaError::NoAdRule);
        }
        Ok(())
    }
}

/// `feature=on|off` in parts.
fn setting(word: &str) -> Result<(&str, bool), IsaError> {
    match word.split_once('=') {
        Some((feature, "on" | "true")) => Ok((feature, true)),
        Some((feature, "off" | "false")) => Ok((feature, false)),
        _ => Err(IsaError::Syntax { text: word.into() }),
    }
}

/// Up to four extension names within two edits of `name`, nearest first.
fn near(name: &str) -> String {
    let mut found: Vec<(usize, &str)> = EXTENSIONS.iter().map(|info| (distance(name, info.name), info.name)).collect();
    found.retain(|&(edits, known)| edits <= 2 && edits < known.len());
    found.sort();
    found.truncate(4);
    found.iter().map(|&(_, known)| known).collect::<Vec<_>>().join(", ")
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let next = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}
