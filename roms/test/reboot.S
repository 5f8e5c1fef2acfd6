# Reboots for ever: prints a letter and asks for a reset.
    .include "rom.inc"
    .section .text.init
    .globl _start
_start:
    li      t0, UART
    li      t1, 'r'
    sb      t1, 0(t0)
    li      t0, FINISHER
    li      t1, 0x7777
    sw      t1, 0(t0)
1:  j       1b
