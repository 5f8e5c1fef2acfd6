//! The GDB server's words at stops that no instruction explains: violations of oracles, and what devices and firmware do to watched memory.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
#[allow(dead_code)] // each test file uses a part
#[path = "common/rsp.rs"]
mod rsp;
use common::*;
use rsp::{CSR0, Rsp, bytes};

/// Number of hstatus, and of the pc, in the protocol.
const HSTATUS: usize = CSR0 + 0x600;
const SPV: u64 = 1 << 7;

/// Options for the program whose injection leaves a stale hstatus.SPV on the profile of OpenSBI 1.9.
const STALE: [&str; 6] = [
    "-kernel",
    concat!(env!("CARGO_MANIFEST_DIR"), "/../roms/sse/spv-stale.elf"),
    "--sbi-profile",
    "opensbi-1.9",
    "--check",
    "all",
];

#[test]
fn a_violated_oracle_stops_a_debugged_run_as_a_breakpoint_does() {
    let mut args = vec!["-S", "--quiet"];
    args.extend(STALE);
    let mut g = Rsp::start("gdb-violation", &["run"], &args);
    assert_eq!(g.monitor("violations"), "none\n");
    let (text, stop) = g.said_and_stopped("vCont;c");
    assert!(text.contains("violation of E2 entry") && text.contains("<handler>"), "{text}");
    assert_eq!(stop, "T05thread:p01.01;");
    assert_eq!(g.register(HSTATUS) & SPV, SPV);
    let handler = g.pc();
    assert!(g.monitor("violations").contains("hstatus.SPV must be 0x0"));
    // It goes on, to the next one and to the end, which tells of them by its code.
    let (text, stop) = g.said_and_stopped("vCont;c");
    assert!(text.contains("violation of E1 context"), "{text}");
    assert_eq!(stop, "T05thread:p01.01;");
    assert_ne!(g.pc(), handler);
    assert!(text.contains("violation of E20 virtualisation"), "the other one of that moment: {text}");
    assert_eq!(g.monitor("violations").matches("violation of").count(), 3);
    assert_eq!(g.ask("vCont;c"), "W01");
    assert_eq!(g.wait(), 8);
    // Without a debugger at it the same run ends at the first.
    let o = run(&[&["run"][..], &STALE].concat());
    assert_eq!(code(&o), 8);
    assert_eq!(stderr(&o).matches("violation of E").count(), 1, "{}", stderr(&o));
}

#[test]
fn a_call_that_never_returns_stops_the_run_too_whichever_way_it_is_come_upon() {
    let stuck = concat!(env!("CARGO_MANIFEST_DIR"), "/../roms/test/stuck.elf");
    let mut g = Rsp::start("gdb-stuck", &["debug"], &["--check", "E17", "--", "-bios", "none", "-kernel", stuck]);
    let said = g.ask("vCont;c");
    let text = String::from_utf8(bytes(said.strip_prefix('O').expect("words for the user"))).unwrap();
    assert!(text.contains("E17 liveness") && text.contains("still in M-mode after 20000000 instructions"), "{text}");
    assert!(g.answer().starts_with("T05"));
    let listed = g.monitor("violations");
    assert_eq!(listed.matches("E17").count(), 1, "{listed}");
}

#[test]
fn violations_stop_a_run_with_a_history_in_both_directions_and_lead_to_who_wrote_the_field() {
    let mut args = vec!["--spacing", "5000", "--"];
    args.extend(STALE);
    let mut g = Rsp::start("gdb-violation-back", &["debug"], &args);
    let mut places = Vec::new();
    for oracle in ["E2 entry", "E1 context"] {
        let (text, stop) = g.said_and_stopped("vCont;c");
        assert!(text.contains(&format!("violation of {oracle}")), "{text}");
        assert_eq!(stop, "T05thread:p01.01;");
        places.push((oracle, g.pc(), g.monitor("hash")));
    }
    let (text, stop) = g.said_and_stopped("vCont;c");
    assert!(text.contains("the run ends here") && stop.contains("replaylog:end"), "{text} {stop}");
    // Back through the same ones, and no further than the beginning.
    for (oracle, pc, hash) in places.iter().rev() {
        let (text, _) = g.said_and_stopped("bc");
        assert!(text.contains(&format!("violation of {oracle}")), "{text}");
        assert_eq!((g.pc(), &g.monitor("hash")), (*pc, hash));
    }
    assert!(g.said_and_stopped("bc").1.contains("replaylog:begin"));
    // To the first one again, over a breakpoint, and from there to who wrote the field.
    let (_, pc, hash) = &places[0];
    assert!(g.said_and_stopped("vCont;c").0.contains("E2"));
    assert_eq!((g.pc(), &g.monitor("hash")), (*pc, hash));
    let before = g.monitor("back-to hstatus.SPV");
    assert!(before.contains("SPV"), "{before}");
    let writer = g.pc();
    assert_ne!(writer, *pc);
    assert!(!g.monitor("violations").contains("violation"), "they are those up to here");
    // The write is the next step; a step back takes it back.
    let value = g.register(HSTATUS) & SPV;
    assert_eq!(g.ask("vCont;s:p1.1;c"), "T05thread:p01.01;");
    assert_eq!(g.register(HSTATUS) & SPV, value ^ SPV, "{before}");
    assert!(g.monitor("back-to nonsense").contains("no register"));
    g.send("k");
    assert_eq!(g.answer(), "OK");
    assert_eq!(g.wait(), 0);
    assert!(Rsp::start("gdb-unchecked", &["debug"], &["--", STALE[0], STALE[1]]).monitor("violations").contains("--check"));
}

#[test]
fn a_watchpoint_sees_what_native_firmware_writes() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../roms/sse/nesting.elf");
    let symbols = replay::symbols::Symbols::of("nesting.elf", &std::fs::read(file).unwrap()).unwrap();
    let buffer = symbols.find("buffer").unwrap();
    let args = ["--spacing", "5000", "--", "-smp", "2", "-kernel", file];
    let mut g = Rsp::start("gdb-firmware-writes", &["debug"], &args);
    assert_eq!(g.ask(&format!("Z2,{buffer:x},8")), "OK");
    // Past the program's own stores.
    let next = |g: &mut Rsp| {
        for _ in 0..100 {
            let (text, stop) = g.said_and_stopped("vCont;c");
            if !text.is_empty() {
                return (text, stop);
            }
            assert!(g.ask("vCont;s:p1.1;c").starts_with("T05"));
        }
        panic!("firmware writes nothing");
    };
    let (text, stop) = next(&mut g);
    assert_eq!(text, format!("trapeze: {buffer:#x} was written by firmware, sbi_sse_read_attrs, step 1, on hart 0\n"));
    assert_eq!(stop, format!("T05thread:p01.01;watch:{buffer:x};"));
    let hash = g.monitor("hash");
    // The next one, and back to this one.
    assert!(next(&mut g).0.contains("written by firmware"));
    assert_ne!(g.monitor("hash"), hash);
    assert_eq!(g.ask("bs"), "T05thread:p01.01;");
    let mut again = g.said_and_stopped("bc").0;
    while again.is_empty() {
        assert_eq!(g.ask("bs"), "T05thread:p01.01;");
        again = g.said_and_stopped("bc").0;
    }
    assert_eq!((again, g.monitor("hash")), (text, hash));
    // Seen from behind it, it is the last one.
    assert_eq!(g.ask("vCont;s:p1.1;c"), "T05thread:p01.01;");
    let back = g.monitor(&format!("back-to va:{buffer:x}"));
    assert!(back.contains("written by firmware, sbi_sse_read_attrs, step 1, on hart 0"), "{back}");
    // What it reads there it reads for a call that gives it attributes.
    let mut g = Rsp::start("gdb-firmware-reads", &["debug"], &args);
    assert_eq!(g.ask(&format!("Z3,{buffer:x},8")), "OK");
    let (text, stop) = next(&mut g);
    assert_eq!(text, format!("trapeze: {buffer:#x} was read by firmware, sbi_sse_write_attrs, step 1, on hart 0\n"));
    assert_eq!(stop, format!("T05thread:p01.01;rwatch:{buffer:x};"));
    // Live, with pauses between the steps: the word is written in the operation's second one.
    let mut g = Rsp::start("gdb-firmware-live", &["run"], &["-S", "-smp", "2", "-kernel", file, "--quiet"]);
    assert_eq!(g.monitor("firmware-steps 3"), "done\n");
    assert_eq!(g.ask(&format!("Z2,{buffer:x},8")), "OK");
    let (text, _) = next(&mut g);
    assert!(text.contains("was written by firmware, sbi_sse_read_attrs, step"), "{text}");
}

#[test]
fn a_watchpoint_sees_what_a_device_writes() {
    const DATA: u64 = 0x8010_4000;
    let d = Dir::new("gdb-dma");
    let disk = d.file("disk", &vec![b'x'; 1 << 20]);
    let drive = format!("file={disk},format=raw,snapshot=on,if=virtio");
    let mut args = vec!["--spacing", "200", "--", "-bios", "none", "-kernel"];
    let kernel = rom("disk");
    args.extend([kernel.as_str(), "-drive", drive.as_str()]);
    let mut g = Rsp::start("gdb-dma-s", &["debug"], &args);
    let byte = |g: &mut Rsp| g.ask(&format!("m{DATA:x},1"));
    assert_eq!(g.ask(&format!("Z2,{DATA:x},8")), "OK");
    let (text, stop) = g.said_and_stopped("vCont;c");
    assert_eq!(text, "trapeze: 0x80104000 was written by virtio-blk DMA (virtio_mmio@10001000)\n");
    assert_eq!(stop, "T05thread:p01.01;watch:80104000;");
    assert_eq!(byte(&mut g), "78", "it stops behind the write");
    let hash = g.monitor("hash");
    // Straight behind it, both questions find it.
    let physical = g.monitor(&format!("back-to pa:{DATA:x}"));
    assert!(physical.contains("written by virtio-blk DMA"), "{physical}");
    assert_eq!(g.said_and_stopped("vCont;c"), (text.clone(), stop));
    assert_eq!(g.monitor(&format!("back-to va:{DATA:x}")), physical);
    assert_ne!(byte(&mut g), "78", "before the write");
    assert_eq!(g.said_and_stopped("vCont;c").0, text);
    let mut texts = vec![text];
    loop {
        let (text, stop) = g.said_and_stopped("vCont;c");
        if stop.contains("replaylog:end") {
            break;
        }
        texts.push(text);
        assert!(texts.len() < 100, "the end does not come");
        // An instruction's access is still to come, and would be told again.
        assert!(g.ask("vCont;s:p1.1;c").starts_with("T05"));
    }
    assert_eq!(texts.iter().filter(|t| t.contains("virtio-blk DMA")).count(), 3, "three sectors are read: {texts:?}");
    assert!(texts.iter().any(String::is_empty), "and the program stores there itself");
    // Back through the same ones.
    let mut back = Vec::new();
    loop {
        let (text, stop) = g.said_and_stopped("bc");
        if stop.contains("replaylog:begin") {
            break;
        }
        back.push(text);
        if back.len() == texts.len() {
            assert_eq!((g.monitor("hash"), byte(&mut g)), (hash.clone(), "78".to_owned()), "the first one's moment");
        }
        assert_eq!(g.ask("bs"), "T05thread:p01.01;");
    }
    back.reverse();
    assert_eq!(back, texts);
    while !g.said_and_stopped("vCont;c").1.contains("replaylog:end") {}
    assert!(g.monitor(&format!("back-to pa:{DATA:x}")).contains("written by virtio-blk DMA"));
}

/// Goes through a run with one watchpoint set, in both directions: what each stop said (nothing, where an instruction is about to do it).
fn stops_of(g: &mut Rsp, watchpoint: &str) -> Vec<String> {
    assert_eq!(g.ask(watchpoint), "OK");
    let mut texts = Vec::new();
    loop {
        let (text, stop) = g.said_and_stopped("vCont;c");
        if stop.contains("replaylog:end") {
            break;
        }
        texts.push((text, g.pc()));
        assert!(texts.len() < 100, "the end does not come");
        assert!(g.ask("vCont;s:p1.1;c").starts_with("T05"));
    }
    let mut back = Vec::new();
    loop {
        let (text, stop) = g.said_and_stopped("bc");
        if stop.contains("replaylog:begin") {
            break;
        }
        // Going back stops behind an instruction's access: a step back is before it.
        let behind = text.is_empty();
        let pc = g.pc();
        assert_eq!(g.ask("bs"), "T05thread:p01.01;");
        back.push((text, if behind { g.pc() } else { pc }));
    }
    back.reverse();
    assert_eq!(back, texts);
    assert_eq!(g.ask(&format!("z{}", &watchpoint[1..])), "OK");
    texts.into_iter().map(|(text, _)| text).collect()
}

#[test]
fn a_read_watchpoint_sees_what_a_device_reads() {
    let d = Dir::new("gdb-dma-reads");
    let disk = d.file("disk", &vec![b'x'; 1 << 20]);
    let drive = format!("file={disk},format=raw,snapshot=on,if=virtio");
    let kernel = rom("disk");
    let args = ["--spacing", "200", "--", "-bios", "none", "-kernel", kernel.as_str(), "-drive", drive.as_str()];
    let mut g = Rsp::start("gdb-dma-reads-s", &["debug"], &args);
    let by_device = |done: &str| format!("trapeze: 0x80104000 was {done} by virtio-blk DMA (virtio_mmio@10001000)\n");
    // The program looks at the sector three times; the device takes it from there once, before the third.
    let (none, read, written) = (String::new(), by_device("read"), by_device("written"));
    assert_eq!(stops_of(&mut g, "Z3,80104000,1"), [none.clone(), none.clone(), read.clone(), none.clone()]);
    // The program's own two stores as well, and the device's three.
    let all = [&written, &none, &written, &none, &none, &read, &none, &written, &none].map(String::clone);
    assert_eq!(stops_of(&mut g, "Z4,80104000,1"), all);
    // A watchpoint for stores does not hear of reads.
    assert_eq!(stops_of(&mut g, "Z2,80104000,1").iter().filter(|t| t.contains("was read")).count(), 0);
    // The descriptor that the device follows lies in memory too.
    let rings = stops_of(&mut g, "Z3,80100000,10");
    assert_eq!(rings.len(), 5, "a request each: {rings:?}");
    assert!(rings.iter().all(|t| t.starts_with("trapeze: 0x80100000 was read by virtio-blk DMA")), "{rings:?}");
}
