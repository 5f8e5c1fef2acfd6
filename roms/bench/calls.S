# Calls, returns and an indirect jump through a table: what a bytecode interpreter or a driver table does.
    .include "bench/bench.inc"
BENCH
    li      s0, 5000000
    la      s1, table
    li      s2, 0
1:  andi    t0, s0, 3
    slli    t0, t0, 3
    add     t0, t0, s1
    ld      t0, 0(t0)
    jalr    t0
    addi    s0, s0, -1
    bnez    s0, 1b
    POWER_OFF
f0: addi    s2, s2, 1
    ret
f1: xori    s2, s2, 5
    ret
f2: slli    s2, s2, 1
    ret
f3: sub     s2, s2, s0
    ret
    .section .rodata
    .balign 8
table: .dword f0, f1, f2, f3
