# Powers off with failure code 3.
    .include "rom.inc"
    .section .text.init
    .globl _start
_start:
    li      t0, FINISHER
    li      t1, 3 << 16 | 0x3333
    sw      t1, 0(t0)
1:  j       1b
