# Touches 6000 pages in turn through Sv39: more than a translation cache holds, so that every load walks the page table.
    .include "bench/bench.inc"
    .equ PAGES, 6000
BENCH
    la      t0, end
    csrw    mtvec, t0
    MAP_32M root, mid, leaves, 0xcf
    TO_S    walk, root
walk:
    li      s0, 200
    li      t2, 4096
1:  li      a0, 0x80000000
    li      t1, PAGES
2:  ld      t0, 8(a0)
    add     a0, a0, t2
    addi    t1, t1, -1
    bnez    t1, 2b
    addi    s0, s0, -1
    bnez    s0, 1b
    END_BY_ECALL
    .balign 4
end: POWER_OFF
    .bss
    .balign 4096
root: .zero 4096
mid: .zero 4096
leaves: .zero 16 * 4096
