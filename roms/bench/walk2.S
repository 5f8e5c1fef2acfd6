# As walk.S, one level up: a guest in VS-mode whose loads walk both stages, Sv39 over Sv39x4, 4 KiB pages in both.
    .include "bench/bench.inc"
    .equ PAGES, 6000
BENCH
    la      t0, end
    csrw    mtvec, t0
    MAP_32M root, mid, leaves, 0xcf
    MAP_32M groot, gmid, gleaves, 0xdf
    la      t0, root
    srli    t0, t0, 12
    li      t1, 8 << 60
    or      t0, t0, t1
    csrw    vsatp, t0
    la      t0, groot
    srli    t0, t0, 12
    or      t0, t0, t1
    csrw    hgatp, t0
    hfence.gvma
    hfence.vvma
    li      t0, 3 << 11
    csrc    mstatus, t0
    li      t0, 1 << 39 | 1 << 11   # MPV, MPP = S
    csrs    mstatus, t0
    la      t0, walk
    csrw    mepc, t0
    mret
walk:
    li      s0, 50
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
    .balign 0x4000
groot: .zero 0x4000
gmid: .zero 4096
gleaves: .zero 16 * 4096
root: .zero 4096
mid: .zero 4096
leaves: .zero 16 * 4096
