# A trap while sstatus.SDT=1 is a double trap, which firmware turns into a software event. Here the hart takes none: it has never unmasked
# them. Firmware that only marks the event pending and returns, returns to the instruction that trapped: it traps again, for ever. Needs
# -cpu max,ssdbltrp=on.
    .include "lab/sbi.inc"
    .equ EVENT_DOUBLE_TRAP, 1
    .equ FWFT_DOUBLE_TRAP, 3
    .equ SSTATUS_SDT, 1 << 24

    .section .text.init
    .globl _start
_start:
    la      t0, vector
    csrw    stvec, t0
    csrw    sie, zero
    li      a0, FWFT_DOUBLE_TRAP
    li      a1, 1
    li      a2, 0
    SBI     EID_FWFT, 0
    bnez    a0, refused
    li      a0, EVENT_DOUBLE_TRAP
    la      a1, handler
    li      a2, 0
    SBI     EID_SSE, SSE_REGISTER
    bnez    a0, refused
    li      a0, EVENT_DOUBLE_TRAP
    SBI     EID_SSE, SSE_ENABLE
    bnez    a0, refused
    la      a0, text_now
    PUTS
    li      t0, SSTATUS_SDT
    csrs    sstatus, t0
    .globl  trap_here
trap_here:
    ebreak
vector:
    la      a0, text_vector
    j       end
handler:
    la      a0, text_handler
    j       end
refused:
    la      a0, text_refused
end:
    PUTS
    li      a0, 0
    li      a1, 0
    SBI     EID_SRST, 0

    .section .rodata
text_now:     .asciz "a trap with SDT=1, events masked\n"
text_vector:  .asciz "it came to stvec\n"
text_handler: .asciz "it came to the event's handler\n"
text_refused: .asciz "the firmware refused\n"
