# Firmware that never answers: a call from HS-mode enters M-mode, which goes round for ever.
    .include "rom.inc"
    .section .text.init
    .globl _start
_start:
    la      t0, handler
    csrw    mtvec, t0
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, 0x1f
    csrw    pmpcfg0, t0
    li      t0, 3 << 11
    csrc    mstatus, t0
    li      t0, 1 << 11
    csrs    mstatus, t0
    la      t0, supervisor
    csrw    mepc, t0
    mret

    .align  2
handler:
    j       handler

supervisor:
    li      a7, 0x10
    li      a6, 0
    ecall
1:  j       1b
