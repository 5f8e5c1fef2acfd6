# Says so and powers off with success.
    .include "rom.inc"
    .section .text.init
    .globl _start
_start:
    li      t0, UART
    li      t1, 'o'
    sb      t1, 0(t0)
    li      t1, 'k'
    sb      t1, 0(t0)
    li      t1, '\n'
    sb      t1, 0(t0)
    POWER_OFF
