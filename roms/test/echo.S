# Prints "ready", then every typed byte plus one, waking by the serial port's interrupt; 'q' powers off.
    .include "rom.inc"
    .equ PLIC, 0x0c000000
    .equ UART_IRQ, 10
    .section .text.init
    .globl _start
_start:
    li      s0, UART
    la      t0, ready
1:  lbu     t1, 0(t0)
    beqz    t1, 2f
    sb      t1, 0(s0)
    addi    t0, t0, 1
    j       1b
2:  li      s1, PLIC                # source priority 1, enabled for hart 0's M-mode context, threshold 0
    li      t1, 1
    sw      t1, UART_IRQ * 4(s1)
    li      t0, PLIC + 0x2000
    li      t1, 1 << UART_IRQ
    sw      t1, 0(t0)
    li      s2, PLIC + 0x200000
    sw      zero, 0(s2)
    li      t1, 1
    sb      t1, 1(s0)               # interrupt when a byte has come
    li      t1, 1 << 11
    csrw    mie, t1
3:  wfi                             # wakes although mstatus.MIE is off
    lw      s3, 4(s2)               # claim
4:  lbu     t1, 5(s0)
    andi    t1, t1, 1
    beqz    t1, 5f
    lbu     t1, 0(s0)
    li      t2, 'q'
    beq     t1, t2, 6f
    addi    t1, t1, 1
    sb      t1, 0(s0)
    j       4b
5:  sw      s3, 4(s2)               # complete
    j       3b
6:  POWER_OFF
    .section .rodata
ready: .asciz "ready\n"
