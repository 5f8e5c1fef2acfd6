# Prints for ever, for whoever stops reading.
    .include "rom.inc"
    .section .text.init
    .globl _start
_start:
    li      t0, UART
    li      t1, 'y'
    li      t2, '\n'
1:  sb      t1, 0(t0)
    sb      t2, 0(t0)
    j       1b
