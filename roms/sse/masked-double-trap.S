# Ssdbltrp: a trap while sstatus.SDT = 1 is a double trap, which firmware may turn into software event 1. While this hart's events are
# masked it cannot; firmware must do something else than return to the same instruction.
    .include "lab/sbi.inc"
    .equ EID_FWFT, 0x46574654
    .equ FWFT_DOUBLE_TRAP, 3
    .equ EVENT_DOUBLE_TRAP, 1

    .section .text.init
    .globl _start
_start:
    la      t0, vector
    csrw    stvec, t0
    li      a0, FWFT_DOUBLE_TRAP
    li      a1, 1
    li      a2, 0
    SBI     EID_FWFT, 0
    bnez    a0, refused
    li      a0, EVENT_DOUBLE_TRAP
    la      a1, handler
    SBI     EID_SSE, SSE_REGISTER
    bnez    a0, refused
    li      a0, EVENT_DOUBLE_TRAP
    SBI     EID_SSE, SSE_ENABLE
    bnez    a0, refused
    lw      t0, unmask
    beqz    t0, 1f
    SBI     EID_SSE, SSE_UNMASK
1:  li      t0, 1 << 24            # SDT, as in the first instructions of a trap's handler
    csrs    sstatus, t0
    .globl trap_here
trap_here:
    ebreak
    .balign 4
    .globl handler, vector
handler:
    la      a0, text_event
    PUTS
    li      a1, 0
    j       off
vector:
    la      a0, text_plain
    j       bad
refused:
    la      a0, text_refused
bad:
    PUTS
    li      a1, 1
off:
    li      a0, 0
    SBI     EID_SRST, 0

    .section .rodata
text_event:   .asciz "the double trap came as an event: ok\n"
text_plain:   .asciz "a plain trap: no double trap\n"
text_refused: .asciz "the firmware refused\n"

    .data
    .balign 8
    .globl unmask
unmask: .word 0
