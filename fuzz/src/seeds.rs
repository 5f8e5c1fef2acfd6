//! First inputs for the targets. A target writes its own and ends when it is started with `TRAPEZE_SEEDS=DIRECTORY`, so that nothing more has to be
//! built for them.

use std::error::Error;
use std::path::Path;

use emu_core::board::{self, fdt};
use emu_core::insn::TABLES;

/// What each target does before its first input.
pub fn offer(target: &str) {
    let Some(dir) = std::env::var_os("TRAPEZE_SEEDS") else { return };
    match write(target, Path::new(&dir)) {
        Ok(()) => std::process::exit(0),
        Err(e) => {
            eprintln!("{target}: cannot write first inputs: {e}");
            std::process::exit(3);
        }
    }
}

fn write(target: &str, dir: &Path) -> Result<(), Box<dyn Error>> {
    let seeds = match target {
        "loaders" => loaders()?,
        "decoder" => decoder(),
        "guest" => guest(),
        "sbi" => sbi(),
        "log" => log(),
        "snapshot" => snapshot(),
        "scenarios" => scenarios()?,
        other => return Err(format!("there is no target {other}").into()),
    };
    for (i, s) in seeds.iter().enumerate() {
        std::fs::write(dir.join(format!("seed-{i:03}")), s)?;
    }
    Ok(())
}

/// A Linux Image of one instruction.
fn image() -> Vec<u8> {
    let mut v = vec![0u8; 128];
    v[..4].copy_from_slice(&0x0400_006fu32.to_le_bytes());
    v[8..16].copy_from_slice(&0x20_0000u64.to_le_bytes());
    v[16..24].copy_from_slice(&0x2000u64.to_le_bytes());
    v[56..60].copy_from_slice(b"RSC\x05");
    v[60..64].copy_from_slice(&64u32.to_le_bytes());
    v[64..68].copy_from_slice(b"PE\0\0");
    v
}

/// A gzip file with stored blocks.
fn gzip(data: &[u8]) -> Vec<u8> {
    let mut v = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let n = data.len() as u16;
    v.extend(n.to_le_bytes());
    v.extend((!n).to_le_bytes());
    v.extend(data);
    let crc =
        data.iter().fold(!0u32, |c, b| (0..8).fold(c ^ u32::from(*b), |c, _| c >> 1 ^ (0xedb8_8320 & (c & 1).wrapping_neg())));
    v.extend((!crc).to_le_bytes());
    v.extend((data.len() as u32).to_le_bytes());
    v
}

/// A zstd frame of one raw block ("RFC 8878").
fn zstd(data: &[u8]) -> Vec<u8> {
    let mut v = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    v.extend(&((data.len() as u32) << 3 | 1).to_le_bytes()[..3]);
    v.extend(data);
    v
}

fn zboot(payload: &[u8]) -> Vec<u8> {
    let mut v = b"MZ\0\0zimg".to_vec();
    v.extend(64u32.to_le_bytes());
    v.extend((payload.len() as u32).to_le_bytes());
    v.resize(64, 0);
    v.extend(payload);
    v
}

fn loaders() -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let roms = Path::new(env!("CARGO_MANIFEST_DIR")).join("../roms/test");
    let elf = std::fs::read(roms.join("pass.elf"))?;
    let board = board::Config { harts: 2, ram_size: 8 << 20, ..board::Config::default() };
    let tree = fdt::device_tree(&board, &fdt::Chosen::default())?;
    let mut out = Vec::new();
    for file in [elf.clone(), image(), gzip(&image()), zstd(&image()), zboot(&gzip(&image())), gzip(&elf), b"070701".to_vec()] {
        out.push([&[16, 7][..], &file].concat());
        out.push([&[16 | 2, 7][..], &file].concat());
    }
    let part = |f: &[u8]| [&(f.len() as u16).to_le_bytes()[..], f].concat();
    out.push([&[8 | 16, 7][..], &part(&tree), &image()].concat());
    out.push([&[8 | 16 | 2 | 32, 7][..], &part(&tree), &image()].concat());
    out.push([&[1 | 4 | 8 | 16, 15][..], &part(&elf), &part(b"070701"), &part(&tree), &image()].concat());
    Ok(out)
}

fn decoder() -> Vec<Vec<u8>> {
    TABLES.iter().map(|t| std::iter::once(0).chain(t.iter().flat_map(|d| d.bits.to_le_bytes())).collect()).collect()
}

/// A chunk as the targets of recordings read it: tag, length, payload.
fn chunk(tag: u8, payload: &[u8]) -> Vec<u8> {
    [&[tag][..], &(payload.len() as u16).to_le_bytes(), payload].concat()
}

/// Records of every kind behind the target's own header; a token; a bundle of one file.
fn log() -> Vec<Vec<u8>> {
    let mut records = vec![1, 100, 50, 3, b'a', b'b', b'c'];
    records.extend([0x82, 0, 9, 4, b'm', b's', b'i', b'p', 2, 1, 1, 7, 0, 0, 1, 30, 4, 5, 5, 2, b'h', b'i', 5, 1, 1]);
    records.extend([0; 16]);
    records.extend([6, 1, 1]);
    records.extend([0; 32]);
    records.extend([3, 0, 0]);
    let footer = [&[0x80, 10, 10, 3, b'e', b'n', b'd'][..], &[0; 32]].concat();
    let file = [&[3][..], b"log", &[1, b'a', 4]].concat();
    let data = [&[4][..], &zstd(b"data")].concat();
    // Hashes of so many parts, then of those that have changed: none.
    let parts = |n: u8| {
        let mut r = vec![8, 1, 1, n];
        (0..n).for_each(|i| r.extend([1, b'a' + i]));
        r.resize(r.len() + 4 * usize::from(n), 7);
        r.extend([9, 1, 1]);
        r.resize(r.len() + usize::from(n).div_ceil(8), 0);
        [&[0, 1][..], &chunk(1, &r)].concat()
    };
    let mut all: Vec<Vec<u8>> = [1, 8, 9, 17].into_iter().map(parts).collect();
    all.extend([
        [&[0, 1][..], &chunk(1, &records), &chunk(2, &footer)].concat(),
        [&[1][..], b"AAAAAAAAAAAAAAAA"].concat(),
        [&[3, 6, 0][..], &chunk(1, &[3, 0, 0]), &[1, 6], b"kernel", &[2, 7, 7]].concat(),
        [&[2][..], &chunk(1, &file), &chunk(2, &data), &chunk(3, &[1])].concat(),
    ]);
    all
}

/// The project's own scenarios with a built-in program; steps of every kind, guests, a token, bundles.
fn scenarios() -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut out = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(own)?.flatten().map(|e| e.path()).filter(|p| p.extension().is_some()).collect();
    files.sort();
    for f in files {
        let text = std::fs::read_to_string(f)?;
        let kernel = |line: &str| if line.starts_with("kernel") { "kernel = \"rom:hyp\"".to_owned() } else { line.to_owned() };
        let lines: Vec<String> =
            text.lines().filter(|l| !l.starts_with("symbols") && !l.starts_with("needs")).map(kernel).collect();
        out.push([&[0][..], lines.join("\n").as_bytes()].concat());
    }
    let steps = [
        "{ expect = \"echo\" },\n{ send = \"x\" },\n{ lacks = \"panic\" },\n{ end = { how = \"power-off\", code = 0 } },",
        "{ until = { symbol = \"0x80000000\" } },\n{ until = { symbol = \"_start+0x10\", hart = 1, nth = 2 } },",
        "{ until = { trap = \"i5\", from = \"U\", to = \"M\", nth = 2 } },\n{ until = { ledger = \"trap\" } },",
        "{ until = { cycles = \"1k\" } },\n{ until = { more = 100 } },\n{ until = { instret = 900 } },",
        "{ inject = { event = \"ras-high\", hart = 1 } },\n{ inject = { name = \"memory\", args = [\"0x80000000\", 8, 7] } },",
        "{ inject = { name = \"x\", args = [0, 10, 7] } },\n{ inject = { name = \"msip\", args = [1, 1] } },",
        "{ check = { hart = 1, mode = \"M\", pc = 0, registers = { a0 = 1 }, csr = { \"hstatus.SPV\" = 0, scause = 2 } } },",
        "{ memory = { at = \"0x80000000\", size = 4, at-least = 1, at-most = 9 } },\n{ memory = { at = 4096, is = 0, hart = 0 } },",
        "{ ledger = { has = [\"ecall\"], lacks = [\"x\"], order = [\"a\", \"b\"], count = { \"hart 0\" = 3 } } },",
        "{ oracles = \"all\" },\n{ violated = { oracle = \"E2\", field = \"a0\", event = \"0\", hart = 0, instret = 1, count = 1 } },",
        "{ until = { violation = \"all\", nth = 2 } },\n{ spins = { hart = 0, stack = [\"main\"] } },\n{ within = \"1M\" },",
    ];
    for (n, s) in steps.iter().enumerate() {
        out.push([&[if n % 2 == 0 { 1 } else { 3 }][..], s.as_bytes()].concat());
    }
    let hash = format!("{{ hash = \"{}\" }},", "0".repeat(64));
    out.push([&[0x81][..], hash.as_bytes()].concat());
    let guests = [
        "kernel = \"rom:echo\"\nsmp = 2\nhart-ids = [4, 9]\nmemory = \"8M\"\nsbi-profile = \"opensbi-1.9\"\nquantum = 7\n",
        "kernel = \"rom:tour\"\nbios = \"none\"\ncpu = \"rva23\"\nseed = 3\nepoch = 4\ncycle-hz = \"20M\"\nengine = \"step\"\n",
        "kernel = \"rom:hyp\"\nappend = \"a\"\nsbi-ext = \"sse=off\"\nbugs = []\nras = true\nno-reboot = true\ndtb = \"a.toml\"\n",
        "kernel = \"rom:pass\"\ninitrd = \"a.toml\"\n[[guest.drive]]\nfile = \"a.toml\"\nsnapshot = true\nreadonly = true\n",
    ];
    for g in guests {
        out.push([&[2][..], g.as_bytes()].concat());
        out.push([&[7, 0, 0][..], g.replace("guest.", "").as_bytes()].concat());
    }
    let entry = |role: &str, name: &str, size| {
        [&[role.len() as u8][..], role.as_bytes(), &[name.len() as u8], name.as_bytes(), &[size]].concat()
    };
    let data = [&[4][..], &zstd(b"data")].concat();
    for (role, name) in [("log", "log"), ("kernel", "0-a"), ("kernel", "../a"), ("kernel", "/tmp/a")] {
        out.push([&[5][..], &chunk(1, &entry(role, name, 4)), &chunk(2, &data), &chunk(3, &[1])].concat());
    }
    out.push([&[6][..], b"AAAAAAAAAAAAAAAA"].concat());
    Ok(out)
}

/// Some state, a page, a page of zeroes.
fn snapshot() -> Vec<Vec<u8>> {
    let state = [&[0x80, 0x08][..], &zstd(&[1; 1024])].concat();
    let page = [&[1, 5][..], &zstd(&[7; 4096])].concat();
    vec![[chunk(1, &state), chunk(2, &page), chunk(3, &[2, 6, 1]), chunk(4, &[0x80, 0x08, 2])].concat()]
}

/// xorshift64*.
fn guest() -> Vec<Vec<u8>> {
    let mut s = 1u64;
    let mut next = move || {
        s ^= s >> 12;
        s ^= s << 25;
        s ^= s >> 27;
        (s.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    };
    (0..64u8)
        .map(|i| {
            let mut v = vec![i << 2, next() as u8, 3, 100, 0, 0, 0];
            v.extend([next().to_le_bytes(), 0u32.to_le_bytes()].concat());
            for n in 0..200u8 {
                if n % 8 == 0 {
                    // A call of the native firmware.
                    v.extend([next() as u8, 0x90, next() as u8]);
                }
                v.extend(((next() & 0x1ff) as u16).to_le_bytes());
                v.extend(next().to_le_bytes());
            }
            v
        })
        .collect()
}

/// Words of a small generator: nine or ten of them are a call.
fn sbi() -> Vec<Vec<u8>> {
    let word =
        |s: u64, i: u64| (s << 32 | i).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (0..32u64).map(|s| std::iter::once(s as u8).chain((0..400).flat_map(|i| word(s, i).to_le_bytes())).collect()).collect()
}
