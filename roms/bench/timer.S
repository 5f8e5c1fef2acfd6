# sbi_set_timer from S-mode to native firmware and back, the call Linux makes most. Started by firmware, at an address of its own.
    .section .text.init
    .globl _start
_start:
    li      s0, 1000000
1:  li      a7, 0x54494d45          # TIME
    li      a6, 0                   # set_timer
    li      a0, -1                  # never
    ecall
    addi    s0, s0, -1
    bnez    s0, 1b
    li      a7, 0x53525354          # SRST
    li      a6, 0                   # system_reset: shutdown, no reason
    li      a0, 0
    li      a1, 0
    ecall
2:  j       2b
