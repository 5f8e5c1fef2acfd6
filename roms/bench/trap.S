# Round trips from S-mode to M-mode and back: ecall, advance mepc, mret.
    .include "bench/bench.inc"
BENCH
    la      t0, handler
    csrw    mtvec, t0
    li      t0, 3 << 11
    csrc    mstatus, t0
    li      t0, 1 << 11
    csrs    mstatus, t0
    la      t0, go
    csrw    mepc, t0
    li      a7, 0
    mret
go: li      s0, 1000000
1:  ecall
    addi    s0, s0, -1
    bnez    s0, 1b
    li      a7, 1
    ecall
    .balign 4
handler:
    bnez    a7, 2f
    csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0
    mret
2:  POWER_OFF
