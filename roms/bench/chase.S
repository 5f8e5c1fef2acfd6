# Pointer chase over 4 MiB in an order no prefetcher follows, in S-mode through 4 KiB pages: one dependent load a step.
    .include "bench/bench.inc"
    .equ CELLS, 65536               # 64 bytes each
    .equ STEPS, 10000000
BENCH
    la      t0, end
    csrw    mtvec, t0
    MAP_32M root, mid, leaves, 0xcf
    # next(i) = (i * 5 + 12345) mod CELLS visits every cell once (a full-period congruential generator); the multiplier
    # spreads neighbours over pages.
    la      s1, cells
    li      t0, 0
    li      t1, CELLS
    li      t2, CELLS - 1
    li      t3, 20077
    li      t4, 12345
1:  mul     t5, t0, t3
    add     t5, t5, t4
    and     t5, t5, t2
    slli    t5, t5, 6
    add     t5, t5, s1
    slli    t6, t0, 6
    add     t6, t6, s1
    sd      t5, 0(t6)
    addi    t0, t0, 1
    blt     t0, t1, 1b
    TO_S    chase, root
chase:
    la      a0, cells
    li      s0, STEPS / 10
2:  .rept 10
    ld      a0, 0(a0)
    .endr
    addi    s0, s0, -1
    bnez    s0, 2b
    END_BY_ECALL
    .balign 4
end: POWER_OFF
    .bss
    .balign 4096
root: .zero 4096
mid: .zero 4096
leaves: .zero 16 * 4096
cells: .zero CELLS * 64
