//! Loaders against good files, bad files and damaged files.

use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::board::build;

const RAM: u64 = map::RAM;
const RAM_SIZE: u64 = 64 << 20;

fn config() -> Config {
    Config { ram_size: RAM_SIZE, ..Config::default() }
}

fn file<'a>(name: &'a str, bytes: &'a [u8]) -> File<'a> {
    File { name, bytes }
}

fn try_load(images: &Images<'_>) -> (Bus, Result<Boot, LoadError>) {
    let mut bus = build(&config(), Vec::new()).unwrap();
    let r = load(&mut bus, &config(), images);
    (bus, r)
}

fn load_kernel_bytes(bytes: &[u8]) -> (Bus, Result<Boot, LoadError>) {
    try_load(&Images { kernel: Some(file("kernel", bytes)), ..Images::default() })
}

fn says(r: Result<Boot, LoadError>) -> String {
    r.expect_err("accepted").to_string()
}

/// A Linux Image of `len` bytes whose header claims `size` bytes of memory.
fn image(len: usize, size: u64) -> Vec<u8> {
    let mut b: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
    b[..64].fill(0);
    b[..2].copy_from_slice(b"MZ");
    b[8..16].copy_from_slice(&0x20_0000u64.to_le_bytes());
    b[16..24].copy_from_slice(&size.to_le_bytes());
    b[48..56].copy_from_slice(b"RISCV\0\0\0");
    b[56..60].copy_from_slice(b"RSC\x05");
    b
}

/// An ELF file with one segment of `data` at `addr`, and the symbols `tohost` and `fromhost` in it.
fn elf(kind: u16, addr: u64, data: &[u8], memsz: u64) -> Vec<u8> {
    let strtab = b"\0tohost\0fromhost\0main\0";
    let (data_at, sym_at) = (0x1000u64, 0x1000 + data.len() as u64);
    let str_at = sym_at + 24 * 4;
    let sh_at = (str_at + strtab.len() as u64).next_multiple_of(8);
    let mut b = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let half = |b: &mut Vec<u8>, v: u16| b.extend(v.to_le_bytes());
    let word = |b: &mut Vec<u8>, v: u32| b.extend(v.to_le_bytes());
    let quad = |b: &mut Vec<u8>, v: u64| b.extend(v.to_le_bytes());
    half(&mut b, kind);
    half(&mut b, 243);
    word(&mut b, 1);
    for v in [addr, 64, sh_at] {
        quad(&mut b, v);
    }
    word(&mut b, 0);
    for v in [64, 56, 1, 64, 3, 0] {
        half(&mut b, v);
    }
    word(&mut b, 1);
    word(&mut b, 5);
    for v in [data_at, addr, addr, data.len() as u64, memsz, 0x1000] {
        quad(&mut b, v);
    }
    b.resize(data_at as usize, 0);
    b.extend(data);
    for (name, value) in [(0u32, 0u64), (1, addr + 8), (8, addr + 16), (17, addr)] {
        word(&mut b, name);
        b.extend([if name == 17 { 2 } else { 0 }, 0]);
        half(&mut b, u16::from(name != 0));
        quad(&mut b, value);
        quad(&mut b, 0);
    }
    b.extend(strtab);
    b.resize(sh_at as usize, 0);
    for (kind, at, size, link, entsize) in
        [(0u32, 0u64, 0u64, 0u32, 0u64), (2, sym_at, 96, 2, 24), (3, str_at, strtab.len() as u64, 0, 0)]
    {
        word(&mut b, 0);
        word(&mut b, kind);
        for v in [0, 0, at, size] {
            quad(&mut b, v);
        }
        word(&mut b, link);
        word(&mut b, 0);
        quad(&mut b, 1);
        quad(&mut b, entsize);
    }
    b
}

fn program() -> Vec<u8> {
    elf(2, RAM, &[0x13; 64], 128)
}

fn peek(bus: &Bus, at: u64, n: usize) -> Vec<u8> {
    let mut b = vec![0; n];
    assert!(bus.ram.read_bytes(at, &mut b), "{at:#x}");
    b
}

#[test]
fn an_image_goes_two_mebibytes_on_the_tree_to_the_end_and_the_initrd_below_it() {
    let k = image(10_000, 1 << 20);
    let rd = vec![0xab; 5000];
    let images =
        Images { kernel: Some(file("k", &k)), initrd: Some(file("rd", &rd)), bootargs: "quiet".into(), ..Images::default() };
    let (bus, r) = try_load(&images);
    let boot = r.unwrap();
    assert_eq!((boot.pc, boot.kernel, boot.info), (RAM + 0x20_0000, Some(RAM + 0x20_0000), 0));
    assert_eq!(peek(&bus, boot.pc, k.len()), k);
    assert_eq!(boot.dtb, RAM + RAM_SIZE - 0x20_0000);
    let size = u32::from_be_bytes(peek(&bus, boot.dtb + 4, 4).try_into().unwrap());
    let tree = fdt::validate(&peek(&bus, boot.dtb, size as usize), &config()).unwrap();
    let chosen = tree.root.children.iter().find(|n| n.name == "chosen").unwrap();
    let quad = |name| u64::from_be_bytes(chosen.get(name).unwrap().try_into().unwrap());
    let (start, end) = (quad("linux,initrd-start"), quad("linux,initrd-end"));
    assert_eq!(end - start, 5000);
    assert!(start % 4096 == 0 && end <= boot.dtb && boot.dtb - end < 4096);
    assert_eq!(peek(&bus, start, 5000), rd);
}

#[test]
fn firmware_gets_fw_dynamic_info_behind_the_tree() {
    let (fw, k) = (vec![0x13; 300], image(10_000, 0));
    let images = Images { bios: Bios::File(file("fw", &fw)), kernel: Some(file("k", &k)), ..Images::default() };
    let (bus, r) = try_load(&images);
    let boot = r.unwrap();
    assert_eq!((boot.pc, boot.kernel), (RAM, Some(RAM + 0x20_0000)));
    assert_eq!(peek(&bus, RAM, 300), fw);
    let words: Vec<u64> = peek(&bus, boot.info, 48).as_chunks().0.iter().map(|w| u64::from_le_bytes(*w)).collect();
    assert_eq!(words, [0x4942_534f, 2, RAM + 0x20_0000, 1, 0, 0]);
}

#[test]
fn large_firmware_pushes_the_kernel_to_the_next_two_mebibytes() {
    let (fw, k) = (vec![1; (2 << 20) + 1], image(100, 0));
    let images = Images { bios: Bios::File(file("fw", &fw)), kernel: Some(file("k", &k)), ..Images::default() };
    assert_eq!(try_load(&images).1.unwrap().kernel, Some(RAM + (4 << 20)));
}

#[test]
fn a_bare_elf_starts_at_its_entry_with_htif() {
    let p = program();
    let images = Images { bios: Bios::None, kernel: Some(file("p", &p)), ..Images::default() };
    let (mut bus, r) = try_load(&images);
    assert_eq!(r.unwrap().pc, RAM);
    assert_eq!(bus.htif.as_ref().map(Htif::tohost), Some(RAM + 8));
    assert!(bus.ram.write_bytes(RAM + 8, &7u64.to_le_bytes(), &mut Vec::new()));
    // The segment's bytes lie where the answer would be stored: the program has not taken it.
    assert_eq!(bus.poll_htif(), b"");
    assert_eq!(bus.request, Some(crate::bus::Request::PowerOff(3)));
    let names: Vec<_> = symbols(&file("p", &p)).unwrap().into_iter().map(|s| (s.addr - RAM, s.name)).collect();
    assert_eq!(names, [(0, "main".into()), (8, "tohost".into()), (16, "fromhost".into())]);
}

#[test]
fn position_independent_firmware_goes_to_the_start_of_ram() {
    let p = elf(3, 0, &[0x13; 64], 128);
    let images = Images { bios: Bios::File(file("fw.elf", &p)), ..Images::default() };
    let (bus, r) = try_load(&images);
    assert_eq!(r.unwrap().pc, RAM);
    assert_eq!(peek(&bus, RAM, 64), [0x13; 64]);
}

#[test]
fn compressed_kernels_are_expanded() {
    let k = image(50_000, 0);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&k).unwrap();
    let gz = gz.finish().unwrap();
    let zst = ruzstd::encoding::compress_to_vec(&k[..], ruzstd::encoding::CompressionLevel::Fastest);
    let mut zboot = b"MZ\0\0zimg".to_vec();
    zboot.extend(64u32.to_le_bytes());
    zboot.extend((gz.len() as u32).to_le_bytes());
    zboot.extend([0; 8]);
    zboot.extend(b"gzip");
    zboot.resize(64, 0);
    zboot.extend(&gz);
    for (name, bytes) in [("gz", &gz), ("zst", &zst), ("zboot", &zboot)] {
        let (bus, r) = load_kernel_bytes(bytes);
        assert_eq!(peek(&bus, r.unwrap().pc, k.len()), k, "{name}");
        for cut in [bytes.len() / 2, 66] {
            let message = says(load_kernel_bytes(&bytes[..cut]).1);
            assert!(message.contains("cut off") || message.contains("damaged"), "{name} {cut}: {message}");
        }
    }
    assert!(says(load_kernel_bytes(b"\xfd7zXZ\0....").1).contains("compressed with xz"));
}

#[test]
fn a_bomb_is_stopped_at_the_size_of_ram() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..65 {
        gz.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let message = says(load_kernel_bytes(&gz.finish().unwrap()).1);
    assert!(message.contains("expands to more than"), "{message}");
}

/// The file, the byte that is changed, and what the message must say.
#[test]
fn foreign_elf_files_are_named() {
    for (at, v, what) in [
        (18, 62, "an ELF file for x86-64 (offset 0x12)"),
        (18, 183, "an ELF file for arm64"),
        (4, 1, "a 32-bit RISC-V ELF file (offset 0x4)"),
        (5, 2, "a big-endian ELF file (offset 0x5)"),
        (16, 1, "not linked"),
        (24, 0xff, "the entry point"),
        (56, 0, "no segment to load"),
        (98, 0xff, "segment 0 is outside of the file"),
    ] {
        let mut p = program();
        p[at] = v;
        if at == 24 {
            p[25] = 0xff;
        }
        let message = says(load_kernel_bytes(&p).1);
        assert!(message.starts_with("kernel: ") && message.contains(what), "{at}: {message}");
    }
    assert!(says(load_kernel_bytes(&program()[..40]).1).contains("header is cut off"));
    assert!(says(load_kernel_bytes(&program()[..0x1010]).1).contains("cut off"));
}

#[test]
fn segments_outside_of_memory_are_refused() {
    for addr in [0x1000, RAM - 0x1000, RAM + RAM_SIZE - 64, u64::MAX - 100] {
        let message = says(load_kernel_bytes(&elf(2, addr, &[0; 64], 128)).1);
        assert!(message.contains("main memory is 0x80000000 to 0x84000000"), "{addr:#x}: {message}");
    }
    assert!(says(load_kernel_bytes(&elf(2, RAM, &[0; 64], u64::MAX)).1).contains("main memory"));
    assert!(says(load_kernel_bytes(&elf(2, RAM, &[0; 64], 8)).1).contains("more bytes in the file"));
}

#[test]
fn files_that_are_no_kernel_are_called_what_they_are() {
    let mut arm = image(100, 0);
    arm[56..60].copy_from_slice(b"ARM\x64");
    let mut x86 = vec![0; 0x300];
    x86[0x202..0x206].copy_from_slice(b"HdrS");
    let mut be = image(100, 0);
    be[24] = 1;
    for (bytes, what) in [
        (&arm[..], "a Linux Image for arm64"),
        (&x86, "bzImage for x86"),
        (&be, "a big-endian kernel"),
        (b"070701", "give it with -initrd"),
        (b"\xd0\x0d\xfe\xed", "give it with -dtb"),
        (b"hello", "shorter than an Image's header"),
        (&[7; 100], "neither ELF nor"),
        (b"", "the file is empty"),
    ] {
        let message = says(load_kernel_bytes(bytes).1);
        assert!(message.contains(what), "{what}: {message}");
    }
}

#[test]
fn a_truncated_image_is_found_by_its_section_table() {
    let mut k = image(10_000, 0);
    k[60..64].copy_from_slice(&64u32.to_le_bytes());
    k[64..68].copy_from_slice(b"PE\0\0");
    k[70..72].copy_from_slice(&1u16.to_le_bytes());
    k[84..86].copy_from_slice(&0u16.to_le_bytes());
    k[104..108].copy_from_slice(&9000u32.to_le_bytes());
    k[108..112].copy_from_slice(&1000u32.to_le_bytes());
    assert!(load_kernel_bytes(&k).1.is_ok());
    assert!(says(load_kernel_bytes(&k[..9_999]).1).contains("section 0 ends at 0x2710, the file at 0x270f"));
}

#[test]
fn what_does_not_fit_is_named_with_its_remedy() {
    let k = image(1000, RAM_SIZE);
    let message = says(load_kernel_bytes(&k).1);
    assert!(message.starts_with("kernel: needs 0x4000000 bytes at 0x80200000") && message.contains("-m"), "{message}");

    let (k, rd) = (image(1000, 0), vec![0; 61 << 20]);
    let images = Images { kernel: Some(file("k", &k)), initrd: Some(file("rd.gz", &rd)), ..Images::default() };
    let message = says(try_load(&images).1);
    assert!(message.starts_with("rd.gz: its 0x3d00000 bytes do not fit") && message.contains("-m"), "{message}");

    let long = Images { kernel: Some(file("k", &k)), bootargs: "x".repeat(3 << 20), ..Images::default() };
    assert!(says(try_load(&long).1).contains("-append"));
    assert_eq!(try_load(&Images::default()).1, Err(LoadError::Nothing));

    let fw = program();
    let images = Images { bios: Bios::File(file("fw", &fw)), kernel: Some(file("p", &fw)), ..Images::default() };
    assert!(says(try_load(&images).1).contains("p: its place 0x80000000 to 0x80000080 overlaps fw"));
}

#[test]
fn a_supplied_tree_is_used_as_it_is_or_with_the_command_line_added() {
    let k = image(1000, 0);
    let chosen = Chosen { bootargs: "from the tree".into(), initrd: None };
    let dtb = fdt::device_tree(&Config { seed: 99, ..config() }, &chosen).unwrap();
    let mut images = Images { kernel: Some(file("k", &k)), dtb: Some(file("my.dtb", &dtb)), ..Images::default() };
    let (bus, r) = try_load(&images);
    assert_eq!(peek(&bus, r.unwrap().dtb, dtb.len()), dtb);

    images.bootargs = "from the command line".into();
    let (bus, r) = try_load(&images);
    let at = r.unwrap().dtb;
    let size = u32::from_be_bytes(peek(&bus, at + 4, 4).try_into().unwrap());
    let blob = fdt::validate(&peek(&bus, at, size as usize), &config()).unwrap();
    let chosen = blob.root.children.iter().find(|n| n.name == "chosen").unwrap();
    assert_eq!(chosen.get("bootargs"), Some(&b"from the command line\0"[..]));

    let other = fdt::device_tree(&Config { ram_size: 2 * RAM_SIZE, ..config() }, &Chosen::default()).unwrap();
    images.dtb = Some(file("my.dtb", &other));
    let message = says(try_load(&images).1);
    assert!(message.starts_with("my.dtb: /memory@80000000: claims memory"), "{message}");
}

#[test]
fn small_memory_still_takes_a_program_and_a_tree() {
    let c = Config { ram_size: 1 << 20, ..Config::default() };
    let mut bus = build(&c, Vec::new()).unwrap();
    let p = program();
    let images = Images { bios: Bios::None, kernel: Some(file("p", &p)), ..Images::default() };
    let boot = load(&mut bus, &c, &images).unwrap();
    assert!(boot.dtb > RAM && boot.dtb < RAM + (1 << 20));
}

fn load_beside(closed: &[(u64, u64)], images: &Images<'_>) -> Result<Boot, LoadError> {
    let partition = crate::board::Partition { memory: closed.to_vec(), ..Default::default() };
    let c = Config { partition, ..config() };
    load(&mut build(&c, Vec::new()).unwrap(), &c, images)
}

/// A kernel, its tree and its RAM disk lie where the domain that boots may use them.
#[test]
fn images_keep_out_of_closed_memory() {
    let (k, rd) = (image(1000, 8 << 20), vec![7; 3 << 20]);
    let images = Images { kernel: Some(file("k", &k)), initrd: Some(file("rd", &rd)), ..Images::default() };
    let free = load_beside(&[], &images).unwrap();
    assert_eq!((free.kernel, free.dtb), (Some(RAM + (2 << 20)), RAM + RAM_SIZE - (2 << 20)));
    // The end of RAM, and a page in the place of the kernel, which is aligned to 2 MiB.
    let (top, page) = ((RAM + (40 << 20), 1 << 40), (RAM + (9 << 20), 0x1000));
    let boot = load_beside(&[page, top], &images).unwrap();
    assert_eq!((boot.kernel, boot.dtb), (Some(RAM + (10 << 20)), top.0 - (2 << 20)));
    // A hole where the RAM disk would be, below the tree.
    let hole = (top.0 - (3 << 20), 0x1000);
    let mut bus = build(&config(), Vec::new()).unwrap();
    let partition = crate::board::Partition { memory: vec![page, hole, top], ..Default::default() };
    let boot = load(&mut bus, &Config { partition, ..config() }, &images).unwrap();
    assert_eq!(boot.dtb, top.0 - (2 << 20));
    assert_eq!(peek(&bus, hole.0 - (3 << 20), 3 << 20), rd);
}

#[test]
fn images_without_an_open_place_are_told_of_the_domain() {
    let (k, rd) = (image(1000, 8 << 20), vec![7; 3 << 20]);
    let mut images = Images { kernel: Some(file("k", &k)), ..Images::default() };
    let message = says(load_beside(&[(RAM + (4 << 20), 1 << 40)], &images));
    assert!(
        message.starts_with("k: of the memory from 0x80200000 on no 0x800000 bytes") && message.contains("mem="),
        "{message}"
    );
    images.initrd = Some(file("rd", &rd));
    let message = says(load_beside(&[(RAM + (11 << 20), 1 << 40)], &images));
    assert!(message.contains("do not fit") && message.contains("mem="), "{message}");
    assert!(says(load_beside(&[(0, 1 << 50)], &images)).contains("mem="));
}

/// Changes some bytes, mostly in the first kilobyte, and perhaps cuts the file.
fn damage() -> impl Strategy<Value = (Vec<(usize, u8)>, Option<usize>)> {
    let at = prop_oneof![4 => 0..192usize, 1 => 0..6000usize];
    let v = prop_oneof![Just(0u8), Just(0xff), Just(0x80), any::<u8>()];
    (prop::collection::vec((at, v), 1..8), prop::option::weighted(0.2, 0..6000usize))
}

fn damaged(mut b: Vec<u8>, (hits, cut): &(Vec<(usize, u8)>, Option<usize>)) -> Vec<u8> {
    for &(at, v) in hits {
        let n = b.len();
        b[at % n] = v;
    }
    if let Some(cut) = cut {
        b.truncate(*cut);
    }
    b
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn damaged_files_are_refused_or_loaded_but_never_panic(d in damage()) {
        for bytes in [damaged(program(), &d), damaged(image(5000, 8192), &d), damaged(elf(3, 0, &[1; 900], 4096), &d)] {
            let _either = load_kernel_bytes(&bytes);
            let _either = symbols(&file("x", &bytes));
        }
    }
}

/// A file of which the host has less than it said.
#[derive(Debug)]
struct Growing(Vec<u8>, u64);

impl Stream for Growing {
    fn len(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<()> {
        let at = offset as usize;
        let from = self.0.get(at..at + buf.len()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(from);
        Ok(())
    }
}

#[test]
fn large_files_that_are_streamed_load_as_those_in_memory_do() {
    let (kernel, initrd) = (image(3 << 20 | 123, 4 << 20), (0..300_001u32).map(|i| (i >> 3) as u8).collect::<Vec<u8>>());
    let whole = Images { kernel: Some(file("k", &kernel)), initrd: Some(file("i", &initrd)), ..Images::default() };
    let (k, i) = (Growing(kernel.clone(), kernel.len() as u64), Growing(initrd.clone(), initrd.len() as u64));
    let streamed = Images {
        kernel: Some(file("k", &kernel[..HEAD])),
        initrd: Some(file("i", &initrd[..HEAD])),
        streams: Streams { kernel: Some(&k), initrd: Some(&i) },
        ..Images::default()
    };
    let ((a, x), (b, y)) = (try_load(&whole), try_load(&streamed));
    assert_eq!(x.unwrap(), y.unwrap());
    let contents = |bus: &Bus| {
        let mut v = Vec::new();
        bus.ram.for_each_page(&mut |pa, page| v.push((pa, *page)));
        v
    };
    assert!(contents(&a).len() > 800);
    assert!(contents(&a) == contents(&b), "memory differs");
}

#[test]
fn a_file_that_gets_shorter_while_it_is_read_is_an_error_with_its_place() {
    let kernel = image(1 << 20, 1 << 20);
    let short = Growing(kernel.clone(), 2 << 20);
    let images = Images {
        kernel: Some(file("k", &kernel[..HEAD])),
        streams: Streams { kernel: Some(&short), initrd: None },
        ..Images::default()
    };
    let text = says(try_load(&images).1);
    assert!(text.contains("k: cannot read on at 0x100000") && text.contains("; check"), "{text}");
}

/// A list of extensions with Svadu and without Svade says that harts update A and D. So does the device tree that a program without native
/// firmware gets, and kernels whose page tables have neither bit rely on it. Programs for Spike find menvcfg as it is there: some test
/// that a hart traps on a page without D.
#[test]
fn harts_without_svade_update_a_and_d_from_reset_on_but_for_programs_with_tohost() {
    use crate::machine::{Machine, MachineConfig};
    use emu_csr::field::menvcfg::ADUE;
    let (p, raw) = (program(), [0x6f, 0, 0, 0]);
    let with_tohost = Images { bios: Bios::None, kernel: Some(file("p", &p)), ..Images::default() };
    let without = Images { bios: Bios::File(file("raw", &raw)), ..Images::default() };
    for (cpu, images, at_reset) in [
        ("max", &without, ADUE),
        ("max,svade=on", &without, 0),
        ("rva22", &without, 0),
        ("rva23h", &without, 0),
        ("max", &with_tohost, 0),
    ] {
        let board = Config { isa: emu_csr::Isa::parse(cpu).unwrap(), harts: 2, ..config() };
        let machine = MachineConfig { board, engine: Default::default(), quantum: 1000 };
        let m = Machine::new(machine, Vec::new(), images, None).unwrap();
        assert!(m.harts().iter().all(|h| h.csr.menvcfg == at_reset), "{cpu}");
    }
}
