# Jumps into the void; the trap handler is there too.
    .include "rom.inc"
    .section .text.init
    .globl _start
_start:
    li      t0, 0x1000000000
    csrw    mtvec, t0
    jr      t0
