//! `-cpu`: profiles, settings, errors that help, and the strings the device tree shows.

use emu_csr::isa::{EXTENSIONS, PROFILES};
use emu_csr::{Ext, Isa, IsaError};
use proptest::prelude::*;

fn message(cpu: &str) -> String {
    match Isa::parse(cpu) {
        Ok(isa) => panic!("{cpu} was taken as {}", isa.isa_string()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_profile_can_exist() {
    for (name, _) in PROFILES {
        let isa = Isa::parse(name).expect(name);
        assert_eq!(isa.check(), Ok(()), "{name}");
        assert_eq!(Isa::profile(name), Some(isa), "{name} leaves something out that parsing adds");
    }
    // Svade beside Svadu would say that hardware updating is off until the supervisor asks for it; the others change the state after
    // reset: see `Isa::max`.
    assert!([Ext::Svade, Ext::Smdbltrp, Ext::Smrnmi].iter().all(|&ext| !Isa::max().has(ext)));
}

#[test]
fn profiles_are_ordered_by_what_they_have() {
    let [rv64gc, rva22, rva23h, max] = ["rv64gc", "rva22", "rva23h", "max"].map(|name| Isa::profile(name).expect(name));
    assert!(rva22.contains(rv64gc) && rva23h.contains(rva22) && max.with(Ext::Svade).contains(rva23h));
    assert!(!rva22.has(Ext::H) && rva23h.has(Ext::H));
}

#[test]
fn isa_strings_are_in_canonical_order() {
    let isa = Isa::parse("rva23h").expect("a profile");
    let string = isa.isa_string();
    assert!(string.starts_with("rv64imafdch_zic64b_zicbom_zicbop_zicboz_ziccamoa_"), "{string}");
    let names = isa.extensions();
    assert!(names.contains(&"sstc") && !names.contains(&"s") && !names.contains(&"u"));
    // Z names stand in the order of the category's letter, then by name; S names after them by name.
    let rank = |name: &str| match name.as_bytes() {
        [letter] => (0, "imafdqlcbkjtpvh".find(*letter as char).unwrap_or(99), String::new()),
        [b'z', category, ..] => (1, "imafdqlcbkjtpvh".find(*category as char).unwrap_or(99), name.to_string()),
        _ => (2, 0, name.to_string()),
    };
    let all: Vec<_> = Isa::all().extensions();
    for pair in all.windows(2) {
        assert!(rank(pair[0]) < rank(pair[1]), "{} before {}", pair[0], pair[1]);
    }
}

#[test]
fn misa_shows_the_letters() {
    let letters = |cpu: &str| {
        let misa = Isa::parse(cpu).expect(cpu).misa();
        assert_eq!(misa >> 62, 2, "MXL is 64");
        (0..26u8).filter(|i| misa >> i & 1 == 1).map(|i| (b'a' + i) as char).collect::<String>()
    };
    assert_eq!(letters("max"), "abcdfhimsu");
    assert_eq!(letters("rv64gc"), "acdfimsu");
    assert_eq!(letters("rv64gc,c=off,d=off"), "afimsu");
}

#[test]
fn settings_apply_in_order_and_take_along_what_depends() {
    let h_off = Isa::parse("rva23h,h=off").expect("legal");
    assert!(!h_off.has(Ext::H) && !h_off.has(Ext::Shgatpa) && h_off.has(Ext::Sstc));
    let f_off = Isa::parse("rva22,f=off").expect("legal");
    assert!(!f_off.has(Ext::D) && !f_off.has(Ext::Zfhmin) && !f_off.has(Ext::Zcd) && f_off.has(Ext::C));
    let c_off = Isa::parse("max,c=off").expect("legal");
    assert!(!c_off.has(Ext::Zca) && !c_off.has(Ext::Zcb) && !c_off.has(Ext::Zcd));
    assert!(Isa::parse("rva22,zfh=on").expect("legal").has(Ext::Zfhmin));
    assert!(!Isa::parse("rva22,sstc=off,sstc=on,sstc=off").expect("legal").has(Ext::Sstc));
    assert!(Isa::parse("rva22,svadu=on,svade=off").expect("legal").has(Ext::Svadu));
    assert_eq!(Isa::parse("RVA22,"), Isa::parse("rva22"));
}

#[test]
fn errors_name_the_feature_the_conflict_and_the_remedy() {
    assert_eq!(message("rv65"), "CPU 'rv65' is unknown; choose one of rva22, rva23h, rv64gc, max");
    assert_eq!(message("max,svadv=on"), "CPU feature 'svadv' is unknown; near names: svade, svadu");
    assert_eq!(message("max,quux=on"), "CPU feature 'quux' is unknown");
    assert_eq!(message("max,zba"), "CPU feature setting 'zba' is not 'feature=on' or 'feature=off'");
    assert_eq!(message("max,zba=yes"), "CPU feature setting 'zba=yes' is not 'feature=on' or 'feature=off'");
    assert_eq!(message("rva22,d=on,f=off"), "CPU feature 'd' needs 'f', which is off: add 'f=on' or 'd=off'");
    assert_eq!(message("max,h=on,s=off"), "CPU feature 'h' needs 's', which is off: add 's=on' or 'h=off'");
    assert_eq!(
        message("max,c=on,zca=off"),
        "CPU feature 'c' contains 'zca', which was switched off: add 'c=off' or leave 'zca' on"
    );
    assert!(message("rva22,svade=off").contains("'svade' and 'svadu' are both off"));
    assert!(matches!(Isa::parse("max,i=off"), Err(IsaError::Fixed { feature: "i", .. })));
    assert!(matches!(Isa::parse("max,zicsr=off"), Err(IsaError::Fixed { feature: "zicsr", .. })));
}

#[test]
fn the_table_is_consistent() {
    assert!(EXTENSIONS.len() <= 128, "the set has 128 bits");
    for (i, info) in EXTENSIONS.iter().enumerate() {
        assert_eq!(info.ext as usize, i);
        assert_eq!(Ext::by_name(info.name), Some(info.ext));
        assert!(!info.requires.contains(&info.ext) && !info.implies.contains(&info.ext));
    }
}

proptest! {
    #[test]
    fn whatever_is_accepted_can_exist(profile in 0usize..4, settings in proptest::collection::vec((0usize..80, any::<bool>()), 0..6)) {
        let mut cpu = PROFILES[profile].0.to_string();
        for (i, on) in &settings {
            cpu += &format!(",{}={}", EXTENSIONS[i % EXTENSIONS.len()].name, if *on { "on" } else { "off" });
        }
        match Isa::parse(&cpu) {
            Ok(isa) => {
                prop_assert_eq!(isa.check(), Ok(()));
                for (k, (i, on)) in settings.iter().enumerate() {
                    let info = &EXTENSIONS[i % EXTENSIONS.len()];
                    let last = settings[k + 1..].iter().all(|(j, _)| j % EXTENSIONS.len() != i % EXTENSIONS.len());
                    prop_assert!(!last || isa.has(info.ext) == *on, "{} in {}", info.name, cpu);
                }
            }
            Err(error) => prop_assert!(error.to_string().contains('\''), "{error}"),
        }
    }

    #[test]
    fn no_text_makes_the_parser_fail_otherwise(text in ".{0,40}") {
        let _ = Isa::parse(&text);
        let _ = Isa::parse(&format!("max,{text}"));
    }
}
