# sbi_set_timer from S-mode to native firmware and back, the call Linux makes most. Started by firmware, at an address of its own.
    .include "bench/sbi.inc"
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
    li      a1, 0
    END_BY_RESET
