# A chain of fused multiply-adds of doubles, with inexact results; the loop adds little beside it.
    .include "bench/bench.inc"
BENCH
    li      s0, 1000000
    la      t0, values
    fld     fa0, 0(t0)
    fld     fa1, 8(t0)
    fld     fa2, 16(t0)
1:  .rept 10
    fmadd.d fa0, fa0, fa1, fa2
    .endr
    addi    s0, s0, -1
    bnez    s0, 1b
    POWER_OFF
    .section .rodata
    .balign 8
values: .double 1.1, 1.00000001, 0.3
