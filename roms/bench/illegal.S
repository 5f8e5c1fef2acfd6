# An illegal instruction in S-mode, which firmware hands on to the supervisor's own handler, and the return from there.
    .include "bench/sbi.inc"
    .section .text.init
    .globl _start
_start:
    la      t0, handler
    csrw    stvec, t0
    li      s0, 200000
1:  .word   0                       # illegal in every configuration
    addi    s0, s0, -1
    bnez    s0, 1b
    li      a1, 0
    END_BY_RESET

    .balign 4
handler:
    csrr    t0, sepc
    addi    t0, t0, 4
    csrw    sepc, t0
    sret
