use super::Ram;

const BASE: u64 = 0x8000_0000;

#[test]
fn values_are_little_endian_and_untouched_memory_is_zero() {
    let mut ram = Ram::new(BASE, 1 << 22);
    assert_eq!(ram.read(BASE + 0x1000, 8), Some(0));
    assert_eq!(ram.pages_touched(), 0);
    ram.write(BASE + 0x1008, 8, 0x0807_0605_0403_0201, &mut Vec::new());
    for (size, value) in [(1, 0x01), (2, 0x0201), (4, 0x0403_0201), (8, 0x0807_0605_0403_0201)] {
        assert_eq!(ram.read(BASE + 0x1008, size), Some(value));
    }
    assert_eq!(ram.read(BASE + 0x100c, 2), Some(0x0605));
    assert_eq!(ram.pages_touched(), 1);
}

#[test]
fn outside_is_not_ram() {
    let mut ram = Ram::new(BASE, 0x3000);
    for pa in [0, BASE - 8, BASE + 0x3000, u64::MAX - 7] {
        assert_eq!(ram.read(pa, 8), None, "{pa:#x}");
        assert!(!ram.contains(pa, 1));
        assert_eq!(ram.page_for_read(pa), None);
        assert_eq!(ram.page_for_write(pa), None);
        ram.write(pa, 8, 1, &mut Vec::new());
    }
    assert!(!ram.read_bytes(BASE + 0x2ff8, &mut [0; 9]));
    assert!(!ram.write_bytes(BASE + 0x2ff8, &[1; 9], &mut Vec::new()));
    assert_eq!(ram.pages_touched(), 0);
}

#[test]
fn byte_copies_cross_pages_and_chunks() {
    let mut ram = Ram::new(BASE, 1 << 23);
    let at = BASE + (1 << 21) - 5000;
    let data: Vec<u8> = (0..10_000u32).map(|i| (i * 7 + 1) as u8).collect();
    assert!(ram.write_bytes(at, &data, &mut Vec::new()));
    let mut back = vec![0; data.len()];
    assert!(ram.read_bytes(at, &mut back));
    assert_eq!(back, data);
    assert_eq!(ram.read(at + 4, 1), Some(data[4] as u64));
}

#[test]
fn writing_zeroes_to_untouched_pages_costs_nothing() {
    let mut ram = Ram::new(BASE, 1 << 20);
    assert!(ram.write_bytes(BASE, &[0; 3 * 4096], &mut Vec::new()));
    assert_eq!(ram.pages_touched(), 0);
}

#[test]
fn a_fork_shares_pages_until_either_side_writes() {
    let mut a = Ram::new(BASE, 1 << 22);
    a.write(BASE, 8, 1, &mut Vec::new());
    a.write(BASE + 0x1000, 8, 2, &mut Vec::new());
    let mut b = a.clone();
    assert_eq!(a.page_for_read(BASE), b.page_for_read(BASE));
    b.write(BASE, 8, 3, &mut Vec::new());
    a.write(BASE + 0x1000, 8, 4, &mut Vec::new());
    a.write(BASE + 0x2000, 8, 5, &mut Vec::new());
    let values = |r: &Ram| [0, 0x1000, 0x2000].map(|o| r.read(BASE + o, 8).unwrap());
    assert_eq!(values(&a), [1, 4, 5]);
    assert_eq!(values(&b), [3, 2, 0]);
    assert_ne!(a.page_for_read(BASE), b.page_for_read(BASE));
}

#[test]
fn a_page_without_another_owner_is_written_in_place() {
    let mut a = Ram::new(BASE, 1 << 22);
    a.write(BASE, 8, 1, &mut Vec::new());
    let p = a.page_for_read(BASE);
    let b = a.clone();
    drop(b);
    assert_eq!(a.page_for_write(BASE).map(|p| p.cast_const()), p);
}

#[test]
fn a_page_handed_out_for_writing_is_copied_before_it_is_handed_out_again_after_a_fork() {
    let mut a = Ram::new(BASE, 1 << 22);
    let first = a.page_for_write(BASE).unwrap();
    assert_eq!(a.page_for_write(BASE), Some(first), "nobody else has it");
    assert_eq!(a.page_for_read(BASE), Some(first.cast_const()));
    let mut b = a.clone();
    assert_eq!(a.page_for_read(BASE), b.page_for_read(BASE), "shared");
    let second = a.page_for_write(BASE + 0x1000).unwrap();
    let mine = a.page_for_write(BASE).unwrap();
    assert_ne!(mine, first, "the fork has that one");
    assert_eq!(b.page_for_read(BASE), Some(first.cast_const()));
    // The last owner left may write in place, and what was found of one life does not hold in the next.
    assert_eq!(b.page_for_write(BASE), Some(first));
    let c = a.clone();
    assert_ne!(a.page_for_write(BASE), Some(mine));
    assert_ne!(a.page_for_write(BASE + 0x1000), Some(second));
    drop(c);
}

#[test]
fn moves_are_told_for_pages_that_were_handed_out() {
    let mut a = Ram::new(BASE, 1 << 22);
    let zero = a.page_for_read(BASE).unwrap();
    a.write(BASE + 0x1000, 1, 1, &mut Vec::new());
    assert_eq!(a.moves(), 0, "nobody held that page");
    a.write(BASE, 1, 1, &mut Vec::new());
    assert_eq!(a.moves(), 1);
    assert_eq!(a.moved_since(0).unwrap().collect::<Vec<_>>(), [zero as usize]);
    let lineage = a.lineage();
    let b = a.clone();
    assert_ne!(a.lineage(), lineage);
    assert_ne!(a.lineage(), b.lineage());
    let shared = a.page_for_read(BASE).unwrap();
    a.write(BASE, 1, 2, &mut Vec::new());
    assert_eq!(a.moved_since(1).unwrap().collect::<Vec<_>>(), [shared as usize]);
    for i in 2..20 {
        a.page_for_read(BASE + i * 4096);
        a.write(BASE + i * 4096, 1, 1, &mut Vec::new());
    }
    assert!(a.moved_since(1).is_none(), "too far behind");
}

#[test]
fn writes_to_decoded_code_are_reported_and_never_direct() {
    let mut ram = Ram::new(BASE, 1 << 22);
    let given = ram.page_for_write(BASE + 0x3000).unwrap();
    assert_eq!(ram.set_code(BASE + 0x3010, true), Some(given.cast_const()));
    assert_eq!(ram.set_code(BASE + 0x3010, true), None, "already dropped");
    assert!(ram.has_code(BASE + 0x3fff) && !ram.has_code(BASE + 0x4000));
    assert_eq!(ram.page_for_write(BASE + 0x3000), None);
    let mut writes = Vec::new();
    ram.write(BASE + 0x3008, 4, 9, &mut writes);
    ram.write_bytes(BASE + 0x2ffc, &[1; 8], &mut writes);
    assert_eq!(writes, [0x80003, 0x80003]);
    assert_eq!(ram.set_code(BASE + 0x3000, false), None);
    assert!(ram.page_for_write(BASE + 0x3000).is_some());
    assert!(!ram.clone().has_code(BASE + 0x3000));
}

#[test]
fn pages_are_visited_in_order_without_zero_ones() {
    let mut ram = Ram::new(BASE, 1 << 24);
    for o in [0x80_3000, 0x1000, 0x2000] {
        ram.write(BASE + o, 1, 7, &mut Vec::new());
    }
    ram.write(BASE + 0x2000, 1, 0, &mut Vec::new());
    let mut seen = Vec::new();
    ram.for_each_page(&mut |pa, bytes| seen.push((pa, bytes[0])));
    assert_eq!(seen, [(BASE + 0x1000, 7), (BASE + 0x80_3000, 7)]);
}
