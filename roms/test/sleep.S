# Waits for an interrupt that nothing can raise.
    .include "rom.inc"
    .section .text.init
    .globl _start
_start:
    csrw    mie, zero
1:  wfi
    j       1b
