# Integer work as compilers produce it: shifts, exclusive ors, adds, data-dependent branches. 10 instructions a round.
    .include "bench/bench.inc"
BENCH
    li      s0, 10000000
    li      a0, 88172645463325252
    li      a1, 0
1:  slli    t0, a0, 13
    xor     a0, a0, t0
    srli    t0, a0, 7
    xor     a0, a0, t0
    slli    t0, a0, 17
    xor     a0, a0, t0
    bltz    a0, 2f
    add     a1, a1, a0
2:  addi    s0, s0, -1
    bnez    s0, 1b
    POWER_OFF
