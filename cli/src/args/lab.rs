//! Help texts of `trapeze lab`, made of the tables that its options are looked up in.

use replay::lab::Setting;

use crate::lab::BUILT_IN;

/// `a, b, c`.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The payloads with what each adds.
pub fn payload_help() -> String {
    let all = list(BUILT_IN.map(|b| b.help));
    format!("What is interrupted: {all}; or the FILE of a program with the places that docs/laboratory.md names")
}

/// The policies of the kernel.
pub fn policy_help() -> String {
    let all = list(Setting::POLICIES);
    format!("What the kernel's handler saves: {all} (each with all before it). May be given several times. Default: all")
}

/// The variants of the handler.
pub fn variant_help() -> String {
    let (last, all) = Setting::VARIANTS.split_last().unwrap_or((&"", &[]));
    format!(
        "What the handler does: {}, or, where the payload has an event for it (cfi has), {last}. May be given several times. Default: each",
        list(all.iter().copied())
    )
}

/// The layouts of the world switch.
pub fn layout_help() -> String {
    let [first, second] = Setting::LAYOUTS;
    format!("Where the world switch swaps hstatus: {first} (Linux up to 6.12) or {second} (later). Default: both")
}
