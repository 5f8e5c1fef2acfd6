# Zicfilp: an indirect jump expects a landing pad (ELP = 1) until its target has executed. A software event that comes in between must
# give its handler ELP = 0 and the interrupted context its ELP back (SBI 3.0, "Software Event Injection"; Privileged, "Preserving Expected
# Landing Pad State on Traps"). Whoever runs this injects the event at `target`, which is no landing pad.
#
# `pad` chooses, before `ready`: the handler begins with a landing pad (1), or, as it need not, without (0).
    .include "lab/sbi.inc"
    .include "sse/event.inc"
    .equ EID_FWFT, 0x46574654
    .equ FWFT_LANDING_PAD, 1

    .section .text.init
    .globl _start, ready
_start:
    la      t0, vector
    csrw    stvec, t0
    li      a0, FWFT_LANDING_PAD
    li      a1, 1
    li      a2, 0
    SBI     EID_FWFT, 0
    bnez    a0, refused
ready:
    lw      t0, pad
    la      a1, handler
    bnez    t0, 1f
    addi    a1, a1, 4
1:  ARM_EVENT EVENT_LOCAL_SOFTWARE, refused
    la      t3, target
    jr      t3                      # not by x1, x5 or x7: the target must be a landing pad
    .balign 4
    .globl target
target:
    la      a0, text_bypass
    j       bad

    .balign 4
    .globl handler
handler:
    auipc   x0, 0                   # lpad 0
    la      t4, handled
    li      t5, 1
    sw      t5, 0(t4)
    SBI     EID_SSE, SSE_COMPLETE
refused:
    la      a0, text_refused
bad:
    PUTS
    li      a1, 1
    j       off

    .balign 4
    .globl vector
vector:
    auipc   x0, 0                   # lpad 0
    csrr    t3, scause
    li      t4, 18                  # software check
    la      a0, text_other
    bne     t3, t4, bad
    csrr    t3, sepc
    la      t4, target
    la      a0, text_handler
    bne     t3, t4, bad
    la      a0, text_caught
    lw      t4, handled
    bnez    t4, 2f
    la      a0, text_never
2:  PUTS
    li      a1, 0
off:
    li      a0, 0
    SBI     EID_SRST, 0

    .section .rodata
text_caught:  .asciz "the jump to no landing pad is caught, event or not: ok\n"
text_never:   .asciz "the jump is caught, but no event came\n"
text_bypass:  .asciz "the jump to no landing pad is not caught: a bypass\n"
text_handler: .asciz "a software check where the handler begins: it was given somebody else's ELP\n"
text_other:   .asciz "another trap\n"
text_refused: .asciz "the firmware refused\n"

    .data
    .balign 8
    .globl pad
pad:     .word 1
handled: .word 0
