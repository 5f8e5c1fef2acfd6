//! The matrix in text and in JSON.

use std::collections::BTreeMap;

use replay::lab::{Cell, Matrix, Options, Setting, Tally};
use serde::Serialize;

use super::Firmware;
use crate::exit::CliError;

/// One table for each firmware, layout and policy: a line a place, a column a variant of the handler.
pub fn text(matrix: &Matrix, firmwares: &[Firmware], options: &Options, findings: &[String]) -> String {
    let mut s = String::new();
    for f in firmwares {
        for &layout in &options.layouts {
            for &policy in &options.policies {
                s += &one(matrix, f.name(), layout, policy, options);
            }
        }
    }
    s += &summary(matrix, firmwares, options);
    s += &oracles(matrix, firmwares);
    for f in findings {
        s += &format!("unexpected: {f}\n");
    }
    s
}

fn one(matrix: &Matrix, firmware: &str, layout: u32, policy: u32, options: &Options) -> String {
    // Points in the order of the window: by their first boundary.
    let cells: Vec<(&Cell, &Tally)> = matrix
        .iter()
        .filter(|(c, _)| c.firmware == firmware && c.setting.layout == layout && c.setting.policy == policy)
        .collect();
    let mut points: Vec<(usize, &str)> = Vec::new();
    for (c, t) in &cells {
        if !points.iter().any(|p| p.1 == c.point) {
            points.push((t.began, &c.point));
        }
    }
    points.sort();
    let of = |variant| Setting { policy, variant, layout };
    let mut s = format!(
        "firmware {firmware}, kernel saves {}, hstatus swapped in {}\n  {:<10}",
        saves(policy),
        of(0).layout_name(),
        "victim in"
    );
    for &v in &options.variants {
        s += &format!(" {:<21}", of(v).variant_name());
    }
    s = s.trim_end().to_owned() + "\n";
    for (_, point) in points {
        let mut line = format!("  {point:<10}");
        for &v in &options.variants {
            let cell = cells.iter().find(|(c, _)| c.point == point && c.setting.variant == v);
            line += &format!(" {:<21}", cell.map_or(String::new(), |(_, t)| short(t)));
        }
        s += line.trim_end();
        s.push('\n');
    }
    s + "\n"
}

/// What a policy's handler saves and restores.
fn saves(policy: u32) -> &'static str {
    match policy {
        0 => "sepc only",
        1 => "sepc, sstatus",
        2 => "sepc, sstatus, stvec",
        _ => "sepc, sstatus, stvec, hstatus",
    }
}

fn short(t: &Tally) -> String {
    if t.worst.is_empty() { "healthy".to_owned() } else { t.worst.clone() }
}

/// Boundaries that were healthy, by firmware and policy.
fn summary(matrix: &Matrix, firmwares: &[Firmware], options: &Options) -> String {
    let mut s = format!("{:<20}", "healthy boundaries");
    options.policies.iter().for_each(|&p| s += &format!(" {:>30}", saves(p)));
    s.push('\n');
    for f in firmwares {
        s += &format!("{:<20}", f.name());
        for &p in &options.policies {
            let (mut healthy, mut tried) = (0, 0);
            for (_, t) in matrix.iter().filter(|(c, _)| c.firmware == f.name() && c.setting.policy == p) {
                healthy += t.healthy;
                tried += t.tried;
            }
            s += &format!(" {:>30}", format!("{healthy} of {tried}"));
        }
        s.push('\n');
    }
    s
}

/// Boundaries after which oracles were violated, by firmware, and how that agrees with the comparison of the contexts.
fn oracles(matrix: &Matrix, firmwares: &[Firmware]) -> String {
    if matrix.values().all(|t| t.violated.is_empty()) {
        return String::new();
    }
    let mut s = "violated oracles\n".to_owned();
    for f in firmwares {
        let (mut by, mut unseen, mut suspected, mut bad) = (BTreeMap::new(), BTreeMap::new(), 0, 0);
        for (_, t) in matrix.iter().filter(|(c, _)| c.firmware == f.name()) {
            t.violated.iter().for_each(|(o, n)| *by.entry(*o).or_insert(0) += n);
            t.unseen.iter().for_each(|(what, n)| *unseen.entry(what.as_str()).or_insert(0) += n);
            suspected += t.suspected;
            bad += t.tried - t.healthy;
        }
        let list: Vec<String> = by.iter().map(|(o, n)| format!("{o} {n}")).collect();
        let list = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        let total: usize = unseen.values().sum();
        let what = match unseen.len() {
            0 => String::new(),
            _ => format!(" ({})", unseen.iter().map(|(w, n)| format!("{w} {n}")).collect::<Vec<_>>().join(", ")),
        };
        s += &format!(
            "{:<20} {list}; {bad} boundaries not healthy, {total} of them unseen by oracles{what}; {suspected} healthy ones with a \
             violation\n",
            f.name()
        );
    }
    s
}

#[derive(Serialize)]
struct Row<'a> {
    firmware: &'a str,
    layout: &'static str,
    policy: &'static str,
    variant: &'static str,
    point: &'a str,
    tried: usize,
    healthy: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_step: Option<usize>,
    #[serde(skip_serializing_if = "str::is_empty")]
    worst: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    violated: &'a BTreeMap<&'static str, usize>,
}

/// One object: the cells, and what was not expected.
pub fn json(matrix: &Matrix, findings: &[String]) -> Result<String, CliError> {
    let cells: Vec<Row<'_>> = matrix
        .iter()
        .map(|(c, t)| Row {
            firmware: &c.firmware,
            layout: c.setting.layout_name(),
            policy: c.setting.policy_name(),
            variant: c.setting.variant_name(),
            point: &c.point,
            tried: t.tried,
            healthy: t.healthy,
            first_step: t.first,
            worst: &t.worst,
            after: t.after.map(|a| format!("{a:?}")),
            violated: &t.violated,
        })
        .collect();
    let all = BTreeMap::from([
        ("schema", serde_json::json!("trapeze-lab-1")),
        ("cells", serde_json::to_value(cells).unwrap_or_default()),
        ("unexpected", serde_json::json!(findings)),
    ]);
    serde_json::to_string(&all).map(|s| s + "\n").map_err(|e| CliError::Mismatch(format!("the matrix is not JSON: {e}")))
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::*;

    #[test]
    fn every_cell_has_one_key() {
        let cell = Cell { firmware: "spec".into(), setting: Setting { policy: 3, variant: 1, layout: 0 }, point: "P2".into() };
        assert_eq!(expect::key(&cell), "spec asm hstatus breakpoint P2");
    }
}
