//! Writes first inputs for a target into a directory: `seeds TARGET DIRECTORY`.

use std::error::Error;
use std::path::Path;

use emu_core::board::{self, fdt};
use emu_core::insn::TABLES;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (target, dir) = (args.next().ok_or("no target")?, args.next().ok_or("no directory")?);
    let seeds = match target.as_str() {
        "loaders" => loaders()?,
        "decoder" => decoder(),
        "guest" => guest(),
        "sbi" => sbi(),
        "log" => log(),
        "snapshot" => snapshot(),
        other => return Err(format!("there is no target {other}").into()),
    };
    for (i, s) in seeds.iter().enumerate() {
        std::fs::write(Path::new(&dir).join(format!("seed-{i:03}")), s)?;
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
    vec![
        [&[0, 1][..], &chunk(1, &records), &chunk(2, &footer)].concat(),
        [&[1][..], b"AAAAAAAAAAAAAAAA"].concat(),
        [&[2][..], &chunk(1, &file), &chunk(2, &data), &chunk(3, &[1])].concat(),
    ]
}

/// Some state, a page, a page of zeroes.
fn snapshot() -> Vec<Vec<u8>> {
    let state = [&[0x80, 0x08][..], &zstd(&[1; 1024])].concat();
    let page = [&[1, 5][..], &zstd(&[7; 4096])].concat();
    vec![[chunk(1, &state), chunk(2, &page), chunk(3, &[1, 6]), chunk(4, &[0x80, 0x08, 2])].concat()]
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
