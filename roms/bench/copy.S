# Copies 256 KiB again and again, 32 bytes a round.
    .include "bench/bench.inc"
    .equ SIZE, 256 * 1024
BENCH
    li      s0, 200
1:  la      a0, from
    la      a1, to
    li      a2, SIZE
    add     a2, a2, a0
2:  ld      t0, 0(a0)
    ld      t1, 8(a0)
    ld      t2, 16(a0)
    ld      t3, 24(a0)
    sd      t0, 0(a1)
    sd      t1, 8(a1)
    sd      t2, 16(a1)
    sd      t3, 24(a1)
    addi    a0, a0, 32
    addi    a1, a1, 32
    bne     a0, a2, 2b
    addi    s0, s0, -1
    bnez    s0, 1b
    POWER_OFF
    .bss
    .balign 4096
from: .zero SIZE
to: .zero SIZE
